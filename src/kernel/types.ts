/**
 * What system call handlers see. The classes behind these interfaces are in the files of the same names.
 *
 * A handler gets the task and up to six arguments as numbers, converted by the argument kinds of its
 * row: `int`, `fd`, `flags`, `mode` are the low 32 bits, signed; `uint`, `id` unsigned; `pointer`,
 * `path`, `buffer`, `size`, `offset`, `long` are the whole 64-bit register as a signed number (exact up
 * to 2^53). It returns a safe integer, negative for -errno, or `BLOCKED`.
 *
 * Blocking: `return task.block(queue...)` parks the task. When it is woken the same handler is called
 * again with the same arguments (and `task.blocking` still set), until it returns something else, or a
 * signal interrupts it (-EINTR, or a restart where Linux restarts), or its deadline passes.
 */
import type { GuestMemory, Inode, OpenFile, WaitQueue, Credentials as FsCredentials } from '../fs/types.ts';

/** The answer of a handler that parked its task. */
export const BLOCKED = -0x7fff_ffff;

export type ArgumentKind =
  | 'int' | 'uint' | 'fd' | 'flags' | 'mode' | 'id' | 'signal'
  | 'pointer' | 'path' | 'buffer' | 'size' | 'offset' | 'long'
  /** Named flag sets and structures, for strace: `open-flags`, `mmap-prot`, `timespec`, `stat`, ... with the width of `flags` or `pointer`. */
  | `flags:${string}` | `pointer:${string}`;

export type Handler = (task: Task, a0: number, a1: number, a2: number, a3: number, a4: number, a5: number) => number;

export interface SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly arguments: readonly ArgumentKind[];
  /** Undefined: ENOSYS, counted. */
  readonly handler?: Handler;
  readonly support: 'full' | 'partial' | 'none';
  /** What is missing or different. */
  readonly note?: string;
  /** After an interruption by a handled signal with SA_RESTART the call starts over (signal(7)). */
  readonly restart?: boolean;
}

/** Guest memory of one process with the accesses that handlers need. Each answers `undefined` (or -EFAULT) where a page is missing. */
export interface UserMemory extends GuestMemory {
  readU8(address: number): number | undefined;
  readU16(address: number): number | undefined;
  readU32(address: number): number | undefined;
  readI32(address: number): number | undefined;
  /** Signed 64-bit as a number, exact up to 2^53. */
  readI64(address: number): number | undefined;
  readU64Big(address: number): bigint | undefined;
  /** 0 or -EFAULT. */
  writeU8(address: number, value: number): number;
  writeU16(address: number, value: number): number;
  writeU32(address: number, value: number): number;
  writeI64(address: number, value: number): number;
  writeU64Big(address: number, value: bigint): number;
  /** NUL-terminated byte string of at most `limit` bytes: -EFAULT, or -ENAMETOOLONG. */
  readString(address: number, limit?: number): string | number;
  /** Path as `readString` with PATH_MAX; empty gives -ENOENT unless `allowEmpty`. */
  readPath(address: number, allowEmpty?: boolean): string | number;
  /** Copy of bytes, or undefined. */
  copyIn(address: number, length: number): Uint8Array | undefined;
  /** 0 or -EFAULT. */
  copyOut(address: number, bytes: Uint8Array): number;
  /** `struct iovec` array as views: -EFAULT, -EINVAL. For reading from the guest or writing to it. */
  iovec(address: number, count: number, access: 'readable' | 'writable'): Uint8Array[] | number;
}

/** `struct cred`. */
export interface Credentials extends FsCredentials {
  uid: number; gid: number; euid: number; egid: number; suid: number; sgid: number; fsuid: number; fsgid: number;
  groups: readonly number[];
  capabilitiesLow: number; capabilitiesHigh: number;
}

/** `struct fs_struct`: shared by CLONE_FS. A location is a mount and an inode with its path; see `vfs`. */
export interface FsContext {
  umask: number;
}

export interface FdTable {
  /** Open file or undefined (-EBADF). */
  get(fd: number): OpenFile | undefined;
  /** Lowest free descriptor at or above `from`: descriptor, or -EMFILE. Takes over one reference. */
  install(file: OpenFile, closeOnExec: boolean, from?: number): number;
  closeOnExec(fd: number): boolean;
  setCloseOnExec(fd: number, value: boolean): void;
  /** 0 or -EBADF. */
  close(fd: number): number;
  /** dup2: closes `to` first. */
  replace(to: number, file: OpenFile, closeOnExec: boolean): number;
  entries(): Iterable<readonly [fd: number, file: OpenFile]>;
}

/** A thread (`struct task_struct`). */
export interface Task {
  readonly tid: number;
  readonly kernel: Kernel;
  readonly process: Process;
  readonly memory: UserMemory;
  readonly files: FdTable;
  readonly fs: FsContext;
  credentials: Credentials;
  /**
   * Parks the task until a queue is woken or the deadline (CLOCK_MONOTONIC, ns) passes. Always returns
   * `BLOCKED`. The handler runs again after waking; `deadlinePassed` then tells why.
   */
  block(queues: readonly WaitQueue[], deadlineNs?: number): number;
  /** True in a repeated call of a handler whose deadline has passed. */
  readonly deadlinePassed: boolean;
  /** What a handler keeps between its calls while it blocks (deadline, bytes done). Undefined at the first call. */
  blocking: unknown;
  /** A signal is pending that would interrupt a blocking call. */
  signalPending(): boolean;
}

/** A thread group. */
export interface Process {
  readonly pid: number;
  readonly parentPid: number;
  /** Sends a signal to the process as kill(2) does; no permission check. */
  sendSignal(signal: number): void;
  /** Soft limit by RLIMIT_* number; Infinity for RLIM_INFINITY. */
  limit(resource: number): number;
}

export interface Kernel {
  readonly monotonicNs: () => number;
  readonly realtimeNs: () => bigint;
  /** Fills with random bytes (seeded where a run must be repeatable). */
  random(buffer: Uint8Array): void;
  /** Device number for anonymous file systems and unique inode numbers. */
  nextInode(): number;
  findInode?(path: string): Inode | number;
}
