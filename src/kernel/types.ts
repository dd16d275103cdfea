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
import type { Location } from '../fs/dentry.ts';
import type { MemoryPayer } from '../fs/file-data.ts';
import type { MountNamespace } from '../fs/mounts.ts';
import type { NamespaceOwner } from '../fs/namespace-identity.ts';
import type { GuestMemory, Inode, OpenFile, WaitQueue, Credentials as FsCredentials } from '../fs/types.ts';
import type { TaskCredentials } from './task/credentials.ts';
import type { PidNamespace } from './namespaces/pid-namespace.ts';
import type { UserNamespace } from './namespaces/user-namespace.ts';
import type { Namespaces } from './namespaces/namespaces.ts';

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

/** `struct fs_struct`: shared by CLONE_FS; see `vfs-context.ts`. */
export interface FsContext {
  umask: number;
  root: Location;
  cwd: Location;
  /** The mount namespace (CLONE_NEWNS). */
  readonly namespace: MountNamespace;
  /** A copy for fork without CLONE_FS. */
  clone(): FsContext;
  /** CLONE_NEWNS. */
  enterNewNamespace(user: NamespaceOwner): void;
  enterNamespace(namespace: MountNamespace): void;
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
  /** A copy for fork without CLONE_FILES: every open file gains a reference. `limit` is RLIMIT_NOFILE of its process. */
  clone(limit?: () => number): FdTable;
  /** execve(2): closes the descriptors that are marked so. */
  closeForExec(): void;
  /** The last task that used the table ended: closes everything. */
  closeAll(): void;
}

/** `siginfo_t` before it is laid out. `code` tells which of the optional members count. */
export interface SignalInfo {
  readonly signal: number;
  /** SI_USER, SI_KERNEL, SI_QUEUE, CLD_EXITED, SEGV_MAPERR, ... */
  readonly code: number;
  readonly errno?: number;
  /** Sender, or the child of SIGCHLD. */
  readonly pid?: number;
  readonly uid?: number;
  /** `sigval` of SI_QUEUE, SI_TIMER, SI_MESGQ. */
  readonly value?: bigint;
  /** SIGCHLD: exit code or signal. */
  readonly status?: number;
  /** SIGCHLD: clock ticks. */
  readonly utime?: number;
  readonly stime?: number;
  /** Faults: the address. */
  readonly address?: number;
  /** SIGIO: `si_band` and `si_fd`. */
  readonly band?: number;
  readonly fd?: number;
  /** SI_TIMER. */
  readonly timerId?: number;
  readonly overrun?: number;
  /** rt_sigqueueinfo(2): the sender's own 128 bytes. */
  readonly raw?: Uint8Array;
  /** Faults: x86 vector and error code, for the frame. */
  readonly trapNumber?: number;
  readonly trapError?: number;
}

/** 64 signals as two words: signal n is bit (n - 1) & 31 of `low` (1 to 32) or `high`. */
export interface SignalMask {
  readonly low: number;
  readonly high: number;
}

/** A thread (`struct task_struct`). */
export interface Task {
  /** The kernel's id, as all ids in here; what the guest is told are numbers of its PID namespace. */
  readonly tid: number;
  readonly kernel: Kernel;
  readonly process: Process;
  readonly memory: UserMemory;
  readonly files: FdTable;
  readonly fs: FsContext;
  readonly namespaces: Namespaces;
  credentials: TaskCredentials;
  /** `comm`: up to 15 bytes. */
  readonly name: string;
  /**
   * Parks the task until a queue is woken or the deadline (CLOCK_MONOTONIC, ns) passes. Always returns
   * `BLOCKED`. The handler runs again after waking; `deadlinePassed` then tells why.
   */
  block(queues: readonly WaitQueue[], deadlineNs?: number): number;
  /** True in a repeated call of a handler whose deadline has passed. */
  readonly deadlinePassed: boolean;
  /** What a handler keeps between its calls while it blocks (deadline, bytes done). Undefined at the first call; cleared when the call ends. */
  blocking: unknown;
  /**
   * Called when a handled signal interrupts the blocked call, for clean-up; its answer replaces -EINTR (the bytes done so
   * far, for example). Without it: restart where the row says so and the handler has SA_RESTART, else -EINTR.
   */
  onInterrupt: (() => number) | undefined;
  /** Clean-up when the blocked call does not end by itself: a signal interrupts it (also where it then starts over), or the task dies. */
  onAbandon: (() => void) | undefined;
  /** A signal is pending that would interrupt a blocking call. */
  signalPending(): boolean;
  /** Sends to this thread only (tgkill). */
  sendSignal(info: SignalInfo): void;
  readonly blockedSignals: SignalMask;
  /** Blocked or ignored: tty jobs ask (`is_ignored` in drivers/tty/tty_jobctrl.c). */
  signalIgnored(signal: number): boolean;
  /**
   * ppoll, pselect6, epoll_pwait, rt_sigsuspend: this mask holds until the call ends; a handler that runs returns to the
   * old one. Call it only when `blocking` is undefined.
   */
  setTemporaryMask(mask: SignalMask): void;
  /** Takes the next pending signal of the mask off (signalfd, rt_sigtimedwait). */
  dequeueSignal(mask: SignalMask): SignalInfo | undefined;
  /** Pending for the thread or the process. */
  readonly pendingSignals: SignalMask;
  /** Woken whenever a signal was queued for this thread or its process, blocked or not (signalfd, rt_sigtimedwait). */
  readonly signalQueue: WaitQueue;
  /** True if the capability is effective in the first user namespace (`abi/capability.ts`): for what is the whole system's. */
  capable(capability: number): boolean;
  /** The same in a namespace: for what that one owns. */
  capableIn(user: UserNamespace, capability: number): boolean;
  /** The thread's id in its own PID namespace. */
  readonly number: number;
  /** How one of the kernel's ids of tasks, groups and sessions looks in the task's PID namespace: 0 for what is not in it. */
  numberOf(id: number): number;
  /** The kernel's id of a number in the task's PID namespace; -1 where nobody has it. */
  idOf(number: number): number;
}

/** A thread group. */
export interface Process {
  readonly pid: number;
  /** The id in its own PID namespace. */
  readonly number: number;
  readonly pidNamespace: PidNamespace;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  /** The terminal of the session, as the tty code keeps it; shared by the session's processes through `setControllingTerminal`. */
  controllingTerminal: unknown;
  readonly isSessionLeader: boolean;
  /** Sends a signal to the process as kill(2) does; no permission check. SI_KERNEL unless `info` says more. */
  sendSignal(signal: number, info?: SignalInfo): void;
  /** Soft limit by RLIMIT_* number; Infinity for RLIM_INFINITY. */
  limit(resource: number): number;
  /** Any of its threads. */
  readonly leader: Task;
  readonly tasks: ReadonlySet<Task>;
}

export interface KernelTimer {
  cancel(): void;
}

export interface Kernel {
  /** Those of the first program. */
  readonly namespaces: Namespaces;
  readonly monotonicNs: () => number;
  readonly realtimeNs: () => bigint;
  /** Fills with random bytes (seeded where a run must be repeatable). */
  random(buffer: Uint8Array): void;
  /** Device number for anonymous file systems and unique inode numbers. */
  nextInode(): number;
  /** The task whose system call is being handled: terminals ask (job control), `open` of /dev/tty, SO_PEERCRED. */
  readonly current?: Task | undefined;
  findInode?(path: string): Inode | number;
  /** Calls back once CLOCK_MONOTONIC reaches the deadline (ns). */
  addTimer(deadlineNs: number, callback: () => void): KernelTimer;
  /** Whose memory a file in memory is that gets its first bytes now. */
  memoryPayer?(): MemoryPayer | undefined;
  findProcess(pid: number): Process | undefined;
  findTask(tid: number): Task | undefined;
  processes(): Iterable<Process>;
  /** A file has another size than before: private mappings of it follow. */
  fileResized(inode: Inode, before: number): void;
  /** To every process of the group; the number of processes. */
  signalProcessGroup(processGroup: number, signal: number, info?: SignalInfo): number;
  /** No member has a parent in the same session but another group (setpgid(2), `is_current_pgrp_orphaned`). */
  isOrphanedProcessGroup(processGroup: number): boolean;
}
