/**
 * What the kernel and the file systems agree on.
 *
 * - Every name and path of the guest is a byte string: a JavaScript string whose characters are bytes
 *   (latin1). Names need not be UTF-8. Only `host/` converts.
 * - Everything is synchronous. Success is a value, failure a negative errno as a number (`-ENOENT`).
 * - Times are nanoseconds since the epoch as `bigint` only in `stat`; elsewhere milliseconds or plain numbers.
 */

import type { Restriction } from './restriction.ts';
import type { Location } from './dentry.ts';

/** Ids of a user namespace other than the first: which of the kernel's ids it knows. */
export interface IdMapping {
  mapsUid(uid: number): boolean;
  mapsGid(gid: number): boolean;
}

export interface Credentials {
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Effective capabilities as a bit set, bits 0 to 40 (`abi/capability.ts`), a safe integer split in two words. */
  readonly capabilitiesLow: number;
  readonly capabilitiesHigh: number;
  /** Told of each capability that is asked for and is there, where somebody wants to know. */
  readonly onCapability?: ((capability: number) => void) | undefined;
  /** What the task has given up (Landlock). */
  readonly restriction?: Restriction | undefined;
  /** Absent: the first user namespace, whose capabilities count for every file. */
  readonly idMapping?: IdMapping | undefined;
}

/** Result of `stat(2)`, before it is laid out for the guest. */
export interface Stat {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blockSize: number;
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly btimeNs: bigint;
}

export interface SetAttributes {
  readonly mode?: number; // permission bits with suid, sgid, sticky
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atimeNs?: bigint;
  readonly mtimeNs?: bigint;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: number;
  /** S_IFMT bits. */
  readonly type: number;
}

/** One object of a file system. Permission checks are the VFS's business, not the inode's. */
export interface Inode {
  readonly fileSystem: FileSystem;
  readonly ino: number;
  /** S_IFMT bits and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Bytes; 0 for what has none. */
  readonly size: number;
  stat(): Stat;
  setAttributes(attributes: SetAttributes): number;
  /** Asked where the mode does not let everybody read or search: 0, which is then enough, or a negative errno. Absent: the mode and capabilities say. */
  permission?(): number;

  // directories
  lookup(name: string): Inode | number;
  create(name: string, mode: number, uid: number, gid: number, rdev: number): Inode | number; // any S_IFMT but S_IFLNK
  symlink(name: string, target: string, uid: number, gid: number): Inode | number;
  link(name: string, inode: Inode): number;
  unlink(name: string): number; // what is not a directory
  rmdir(name: string): number;
  rename(name: string, toDirectory: Inode, toName: string, flags: number): number;
  /** Without `.` and `..`. */
  readDirectory(): readonly DirectoryEntry[] | number;

  // symbolic links
  readLink(): string | number;

  // regular files, through open files or mappings; return bytes transferred
  readAt(buffer: Uint8Array, position: number): number;
  writeAt(buffer: Uint8Array, position: number): number;
  /** For device nodes, FIFOs and files with a behaviour of their own: the open file, else undefined and the VFS makes a plain one. */
  open?(flags: number): OpenFile | number | undefined;
  /** One more open file or mapping of it, one less: what has no name is freed when the last goes. */
  hold?(): void;
  drop?(): void;
  /** Before a plain file is opened: gets what reading or writing will need, or says why not (-EACCES of the host). */
  prepareOpen?(flags: number): number;
  /** False when the name that led here now means something else (a host file replaced by the host): whoever cached it looks again. */
  stillThere?(): boolean;
  /** Magic links of /proc (`/proc/self/fd/3`, `cwd`, `exe`): where they lead, without a path. A file without a location leads to its own description. */
  followLink?(): Location | number;
  /** O_TMPFILE: a regular file without a name; `link` may give it one. */
  createTemporary?(mode: number, uid: number, gid: number): Inode | number;
  /** fallocate(2); `mode` is FALLOC_FL_*. Absent: -EOPNOTSUPP. */
  allocate?(mode: number, offset: number, length: number): number;
  /** SEEK_DATA and SEEK_HOLE (lseek(2)); absent: all is data. */
  seekData?(offset: number, whence: number): number;
  /** fsync(2); absent: nothing to do. */
  sync?(): number;
  /** F_ADD_SEALS bits where the file can be sealed (memfd). */
  seals?: number;
  /** Open files that may write to it, kept by `PlainFile`: a program that someone writes to is not run (ETXTBSY). */
  writers?: number;
  /** Address spaces that run it: nobody opens it for writing or truncates it by name (ETXTBSY). */
  programs?: number;
  /** Set by inotify on what it watches; the VFS tells it what happens. Absent costs nothing. */
  watch?: InodeWatch | undefined;
  /** Set by unix sockets: who is bound to this node. */
  boundSocket?: unknown;

  getXattr(name: string): Uint8Array | number;
  setXattr(name: string, value: Uint8Array, flags: number): number;
  listXattr(): readonly string[];
  removeXattr(name: string): number;
}

export interface FileSystem {
  /** As in /proc/mounts: tmpfs, overlay, proc, ... */
  readonly type: string;
  /** Device number shown by stat. */
  readonly dev: number;
  readonly root: Inode;
  readonly readOnly: boolean;
  /** False where names can change behind our back (hostfs, procfs): lookups are then not cached. */
  readonly cacheable: boolean;
  /** The user namespace that mounted it (`s_user_ns`), where it is not the first: no devices, and no set-user-ID programs for others. */
  readonly owner?: IdMapping | undefined;
  /** What /proc/mounts shows of it, beyond whether it can be written. */
  readonly options?: string | undefined;
  statfs(): StatFs;
  sync(): number;
}

export interface StatFs {
  readonly type: number; // magic number
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly nameLength: number;
}

/** What inotify(7) hears of one inode. `mask` is IN_*; `name` is given for events of a directory's entry. */
export interface InodeWatch {
  notify(mask: number, name: string | undefined, cookie: number): void;
}

/**
 * An open file description (`struct file`). Sockets, pipes, terminals, epoll and so on implement it too.
 * A call that would block returns `-EAGAIN`; the kernel then parks the task on `waitQueue` and tries again.
 */
export interface OpenFile {
  /** O_ACCMODE and status flags; F_SETFL changes it. */
  flags: number;
  position: number;
  /** Path it was opened by, for /proc/self/fd: `/dev/null`, `pipe:[12]`, `socket:[13]`, `anon_inode:[eventpoll]`. */
  readonly description: string;
  readonly inode: Inode;
  /** At and after `position`, or at `offset` without moving when it is given (pread). */
  read(buffer: Uint8Array, offset?: number): number;
  write(buffer: Uint8Array, offset?: number): number;
  seek(offset: number, whence: number): number;
  /** Ready events now: POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP, POLLPRI. */
  poll(): number;
  /** Woken whenever `poll` may have changed. */
  readonly waitQueue: WaitQueue;
  /** `argument` is the raw third argument; `memory` reads and writes guest memory. -ENOTTY where there is none. */
  ioctl(request: number, argument: number, memory: GuestMemory): number;
  /** Last reference closed. */
  release(): void;
  /** Descriptors and others that hold it; only `holdFile` and `dropFile` of `open-file.ts` touch it. */
  references?: number;
  /** Called when the last holder is gone, before `release`: flock and open file description locks end there. */
  releaseHook?: (() => void) | undefined;
  /** False: opened under a restriction that forbids ftruncate(2). */
  mayTruncate?: boolean;
  /** Where it was found, set by the VFS: for fchdir, the *at calls, /proc/self/fd. Absent for pipes, sockets and so on. */
  location?: Location | undefined;
  /** False while open(2) must still wait (a FIFO without its other end): the task parks on `waitQueue`. Absent: open. */
  opened?(): boolean;
  /** Extra lines of /proc/PID/fdinfo/FD (`eventfd-count: 0\n`). */
  fdInfo?(): string;
  /** F_GETPIPE_SZ and F_SETPIPE_SZ (`size` given); absent: -EBADF. */
  pipeSize?(size?: number): number;
}

/** Guest memory as a file or socket sees it: checked views. Views are valid until the next guest instruction or growth. */
export interface GuestMemory {
  /** A view of `length` readable bytes, or undefined: -EFAULT. */
  readable(address: number, length: number): Uint8Array | undefined;
  writable(address: number, length: number): Uint8Array | undefined;
}

/** Someone waiting: woken at most once, then must add itself again. */
export interface Waiter {
  /** `events`: the poll events that came, 0 where the waker does not say (edge-triggered epoll asks). */
  wake(events?: number): void;
}

/** Those who wait for something to change (`wait_queue_head_t`). */
export class WaitQueue {
  #waiters = new Set<Waiter>();
  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }
  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }
  /** Wakes all; each is taken off first. A no-op costs nothing much when nobody waits. */
  wake(events = 0): void {
    if (this.#waiters.size === 0) return;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.wake(events);
  }
  get size(): number {
    return this.#waiters.size;
  }
}
