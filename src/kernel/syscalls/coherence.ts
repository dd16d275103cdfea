/** Calls that read or write files agree with what is mapped shared of them (mmap(2) "MAP_SHARED"; Linux has one page cache for both). */
import type { SharedObject } from '../mm/shared.ts';
import type { KernelTask } from '../task/task.ts';
import type { Handler, SyscallRow, Task } from '../types.ts';

/** Where the descriptors of the call are: read from, written to. -1: none. */
interface Access {
  readonly source: number;
  readonly target: number;
}

const READS: Access = { source: 0, target: -1 };
const WRITES: Access = { source: -1, target: 0 };
const ACCESSES: ReadonlyMap<string, Access> = new Map<string, Access>([
  ['read', READS], ['pread64', READS], ['readv', READS], ['preadv', READS], ['preadv2', READS],
  ['write', WRITES], ['pwrite64', WRITES], ['writev', WRITES], ['pwritev', WRITES], ['pwritev2', WRITES],
  ['ftruncate', WRITES], ['fallocate', WRITES],
  ['sendfile', { source: 1, target: 0 }], ['copy_file_range', { source: 0, target: 2 }], ['splice', { source: 0, target: 2 }],
  ['fsync', READS], ['fdatasync', READS],
]);

function objectOf(task: KernelTask, fd: number | undefined): SharedObject | undefined {
  const inode = fd === undefined ? undefined : task.files.get(fd)?.inode;
  return inode === undefined ? undefined : task.kernel.memory.shared.find(inode);
}

function after(object: SharedObject, sizeBefore: number): void {
  object.written(0, Math.max(object.inode?.size ?? 0, sizeBefore));
  if (object.inode?.size !== sizeBefore) object.resized();
}

/** The row with a handler that brings mapped bytes to the file before, and the file's bytes to the mappings after. */
export function withCoherence(row: SyscallRow): SyscallRow {
  const access = ACCESSES.get(row.name);
  const { handler } = row;
  if (access === undefined || handler === undefined) return row;
  const coherent = (task: KernelTask, ...args: readonly number[]): number => {
    const call = args as [number, number, number, number, number, number];
    const source = objectOf(task, args[access.source]);
    const target = objectOf(task, args[access.target]);
    source?.flushAll();
    target?.flushAll();
    const size = target?.inode?.size ?? 0;
    const result = handler(task, ...call);
    if (target !== undefined && result >= 0) after(target, size);
    return result;
  };
  const wrapped: Handler = (task: Task, a0, a1, a2, a3, a4, a5) => {
    const own = task as KernelTask;
    return own.kernel.memory.shared.fileCount === 0 ? handler(task, a0, a1, a2, a3, a4, a5) : coherent(own, a0, a1, a2, a3, a4, a5);
  };
  return { ...row, handler: wrapped };
}
