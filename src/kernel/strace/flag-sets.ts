/** Names of flags for strace, from the constants of `abi/`. */
import * as fcntl from '../../abi/fcntl.ts';
import * as mman from '../../abi/mman.ts';
import * as sched from '../../abi/sched.ts';
import * as wait from '../../abi/wait.ts';

export interface FlagSet {
  /** Values that are not bits: the part under `mask` is one of these. */
  readonly choices?: { readonly mask: number; readonly names: ReadonlyMap<number, string> };
  readonly bits: readonly (readonly [value: number, name: string])[];
  /** Shown for 0. */
  readonly zero?: string;
}

/** Picks the constants of a header by prefix. */
function pick(header: object, prefix: string, not: readonly string[] = []): [number, string][] {
  const found: [number, string][] = [];
  for (const [name, value] of Object.entries(header)) if (name.startsWith(prefix) && typeof value === 'number' && !not.includes(name)) found.push([value, name]);
  return found;
}

function bitsOf(header: object, prefix: string, not: readonly string[] = []): [number, string][] {
  // Longest first, so that a flag of several bits wins over its parts.
  const weight = (value: number): number => value.toString(2).replace(/0/g, '').length;
  return pick(header, prefix, not).filter(([value]) => value !== 0).sort((a, b) => weight(b[0]) - weight(a[0]) || a[0] - b[0]);
}

export const FLAG_SETS: ReadonlyMap<string, FlagSet> = new Map<string, FlagSet>([
  ['open-flags', { choices: { mask: 3, names: new Map([[0, 'O_RDONLY'], [1, 'O_WRONLY'], [2, 'O_RDWR']]) }, bits: bitsOf(fcntl, 'O_', ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE', 'O_NDELAY', 'O_LARGEFILE_X86']) }],
  ['at-flags', { bits: bitsOf(fcntl, 'AT_', ['AT_FDCWD']), zero: '0' }],
  ['mmap-prot', { bits: bitsOf(mman, 'PROT_'), zero: 'PROT_NONE' }],
  ['mmap-flags', { choices: { mask: mman.MAP_TYPE, names: new Map([[1, 'MAP_SHARED'], [2, 'MAP_PRIVATE'], [3, 'MAP_SHARED_VALIDATE']]) }, bits: bitsOf(mman, 'MAP_', ['MAP_SHARED', 'MAP_PRIVATE', 'MAP_SHARED_VALIDATE', 'MAP_TYPE']) }],
  ['mremap-flags', { bits: bitsOf(mman, 'MREMAP_'), zero: '0' }],
  ['msync-flags', { bits: bitsOf(mman, 'MS_'), zero: '0' }],
  ['madvise', { choices: { mask: -1, names: new Map(pick(mman, 'MADV_')) }, bits: [] }],
  ['mlockall-flags', { bits: bitsOf(mman, 'MCL_'), zero: '0' }],
  ['clone-flags', { bits: bitsOf(sched, 'CLONE_', ['CLONE_CLEAR_SIGHAND', 'CLONE_INTO_CGROUP', 'CLONE_NEWTIME']), zero: '0' }],
  ['wait-options', { bits: bitsOf(wait, 'W', ['WSTOPPED']).concat([[0x4000_0000, '__WALL'], [0x2000_0000, '__WNOTHREAD']]), zero: '0' }],
  ['sigprocmask-how', { choices: { mask: -1, names: new Map([[0, 'SIG_BLOCK'], [1, 'SIG_UNBLOCK'], [2, 'SIG_SETMASK']]) }, bits: [] }],
  ['getrandom-flags', { bits: [[1, 'GRND_NONBLOCK'], [2, 'GRND_RANDOM'], [4, 'GRND_INSECURE']], zero: '0' }],
]);

export function formatFlags(set: FlagSet | undefined, value: number): string {
  if (set === undefined) return value === 0 ? '0' : `0x${(value >>> 0).toString(16)}`;
  const parts: string[] = [];
  let rest = value;
  if (set.choices !== undefined) {
    const chosen = value & set.choices.mask;
    parts.push(set.choices.names.get(chosen) ?? `0x${(chosen >>> 0).toString(16)}`);
    rest &= ~set.choices.mask;
  }
  for (const [bits, name] of set.bits) {
    if (bits !== 0 && (rest & bits) === (bits | 0)) {
      parts.push(name);
      rest &= ~bits;
    }
  }
  if (rest !== 0) parts.push(`0x${(rest >>> 0).toString(16)}`);
  return parts.length === 0 ? (set.zero ?? '0') : parts.join('|');
}
