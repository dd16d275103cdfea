/** strace's `-e trace=` expressions over the rows of the system call table. */
import type { SyscallRow } from '../kernel/types.ts';

const NETWORK = /^(?:socket|socketpair|bind|listen|accept4?|connect|getsockname|getpeername|(?:send|recv)(?:to|from|msg|mmsg)|shutdown|[gs]etsockopt)$/;
const PROCESS = /^(?:execve(?:at)?|v?fork|clone3?|exit(?:_group)?|wait4|waitid|kill|t?g?kill|pidfd_open|pidfd_send_signal)$/;
const SIGNAL = /^(?:rt_sig.*|kill|t?g?kill|sigaltstack|pause|signalfd4?|rt_tgsigqueueinfo)$/;
const MEMORY = /^(?:mmap|munmap|mremap|mprotect|madvise|brk|msync|mlock.*|munlock.*|mincore|membarrier)$/;
const IPC = /^(?:shm|sem|msg)[a-z]+$/;

/** Classes as strace(1) has them. */
const CLASSES: ReadonlyMap<string, (row: SyscallRow) => boolean> = new Map<string, (row: SyscallRow) => boolean>([
  ['file', (row) => row.arguments.includes('path')],
  ['desc', (row) => row.arguments.includes('fd')],
  ['process', (row) => PROCESS.test(row.name)],
  ['network', (row) => NETWORK.test(row.name)],
  ['net', (row) => NETWORK.test(row.name)],
  ['signal', (row) => SIGNAL.test(row.name)],
  ['memory', (row) => MEMORY.test(row.name)],
  ['ipc', (row) => IPC.test(row.name)],
]);

export class UnknownFilterError extends Error {
  override readonly name = 'UnknownFilterError';
  readonly word: string;
  constructor(word: string) {
    super(`no system call or class is called ${word}`);
    this.word = word;
  }
}

/** Undefined: all. `open,close`, `%file`, `!futex`. Throws UnknownFilterError. */
export function parseTraceFilter(expressions: readonly string[], rows: readonly SyscallRow[]): ((name: string) => boolean) | undefined {
  if (expressions.length === 0) return undefined;
  const shown = new Set<string>();
  for (const expression of expressions) {
    const negative = expression.startsWith('!');
    const words = expression.replace(/^!/, '').split(',').filter((word) => word !== '');
    const named = new Set(words.flatMap((word) => namesOf(word, rows)));
    for (const { name } of rows) if (named.has(name) !== negative) shown.add(name);
  }
  return (name) => shown.has(name);
}

function namesOf(word: string, rows: readonly SyscallRow[]): string[] {
  const matches = word.startsWith('%') ? CLASSES.get(word.slice(1)) : (row: SyscallRow) => row.name === word;
  const names = matches === undefined ? [] : rows.filter(matches).map((row) => row.name);
  if (names.length === 0) throw new UnknownFilterError(word);
  return names;
}
