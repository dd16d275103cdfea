/** Structures behind pointers, for strace. */
import { SIGNAL_NAMES } from '../../abi/signal.ts';
import type { KernelTask } from '../task/task.ts';
import { quote } from './quote.ts';

type Formatter = (task: KernelTask, address: number, args: readonly number[]) => string | undefined;

/** Strings of argv that are shown. */
const STRINGS_LIMIT = 32;

function strings(task: KernelTask, address: number): string[] | undefined {
  const texts: string[] = [];
  for (let at = address; ; at += 8) {
    const pointer = task.memory.readI64(at);
    if (pointer === undefined) return undefined;
    if (pointer === 0) return texts;
    const text = texts.length < STRINGS_LIMIT ? task.memory.readString(pointer, 4096) : '';
    texts.push(typeof text === 'string' ? quote(text) : `0x${pointer.toString(16)}`);
    if (texts.length > 100_000) return texts;
  }
}

function pair(task: KernelTask, address: number, first: string, second: string): string | undefined {
  const a = task.memory.readI64(address);
  const b = task.memory.readI64(address + 8);
  return a === undefined || b === undefined ? undefined : `{${first}=${a}, ${second}=${b}}`;
}

function twoPairs(task: KernelTask, address: number, first: string, second: string): string | undefined {
  const interval = pair(task, address, first, second);
  const value = pair(task, address + 16, first, second);
  return interval === undefined || value === undefined ? undefined : `{it_interval=${interval}, it_value=${value}}`;
}

function signalSet(task: KernelTask, address: number): string | undefined {
  const bits = task.memory.readU64Big(address);
  if (bits === undefined) return undefined;
  const name = (signal: number): string => (SIGNAL_NAMES[signal] ?? `SIGRT_${signal - 32}`).replace(/^SIG/, '');
  const members = [...Array(64).keys()].filter((index) => ((bits >> BigInt(index)) & 1n) !== 0n).map((index) => name(index + 1));
  if (members.length <= 32) return `[${members.join(' ')}]`;
  const missing = [...Array(64).keys()].filter((index) => ((bits >> BigInt(index)) & 1n) === 0n).map((index) => name(index + 1));
  return `~[${missing.join(' ')}]`;
}

function sigaction(task: KernelTask, address: number): string | undefined {
  const handler = task.memory.readI64(address);
  const flags = task.memory.readU32(address + 8);
  if (handler === undefined || flags === undefined) return undefined;
  const shown = handler === 0 ? 'SIG_DFL' : handler === 1 ? 'SIG_IGN' : `0x${handler.toString(16)}`;
  return `{sa_handler=${shown}, sa_mask=${signalSet(task, address + 24) ?? '[]'}, sa_flags=0x${flags.toString(16)}}`;
}

function rlimit(task: KernelTask, address: number): string | undefined {
  const soft = task.memory.readU64Big(address);
  const hard = task.memory.readU64Big(address + 8);
  if (soft === undefined || hard === undefined) return undefined;
  const show = (value: bigint): string => (value === 0xffff_ffff_ffff_ffffn ? 'RLIM64_INFINITY' : String(value));
  return `{rlim_cur=${show(soft)}, rlim_max=${show(hard)}}`;
}

function stat(task: KernelTask, address: number): string | undefined {
  const mode = task.memory.readU32(address + 24);
  const size = task.memory.readI64(address + 48);
  if (mode === undefined || size === undefined) return undefined;
  const types: ReadonlyMap<number, string> = new Map([[0o100000, 'S_IFREG'], [0o040000, 'S_IFDIR'], [0o020000, 'S_IFCHR'], [0o060000, 'S_IFBLK'], [0o010000, 'S_IFIFO'], [0o120000, 'S_IFLNK'], [0o140000, 'S_IFSOCK']]);
  return `{st_mode=${types.get(mode & 0o170000) ?? '0'}|0${(mode & 0o7777).toString(8)}, st_size=${size}, ...}`;
}

export const STRUCTURES: ReadonlyMap<string, Formatter> = new Map<string, Formatter>([
  ['strings', (task, address) => {
    const texts = strings(task, address);
    return texts === undefined ? undefined : `[${texts.join(', ')}]`;
  }],
  ['environment', (task, address) => {
    const texts = strings(task, address);
    return texts === undefined ? undefined : `0x${address.toString(16)} /* ${texts.length} vars */`;
  }],
  ['timespec', (task, address) => pair(task, address, 'tv_sec', 'tv_nsec')],
  ['timeval', (task, address) => pair(task, address, 'tv_sec', 'tv_usec')],
  ['itimerval', (task, address) => twoPairs(task, address, 'tv_sec', 'tv_usec')],
  ['itimerspec', (task, address) => twoPairs(task, address, 'tv_sec', 'tv_nsec')],
  ['sigset', signalSet],
  ['sigaction', sigaction],
  ['rlimit', rlimit],
  ['stat', stat],
]);
