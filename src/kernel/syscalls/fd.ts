/** dup(2), fcntl(2), flock(2), ioctl(2) on any descriptor. */
import { EACCES, EAGAIN, EBADF, EBUSY, EFAULT, EINVAL, EMFILE, ENOTTY, EOPNOTSUPP, EOVERFLOW, EPERM } from '../../abi/errno.ts';
import {
  FD_CLOEXEC, F_ADD_SEALS, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_GETLEASE, F_GETLK, F_GETOWN, F_GETOWN_EX, F_GETPIPE_SZ, F_GETSIG, F_NOTIFY, F_GET_FILE_RW_HINT,
  F_GET_RW_HINT, F_GET_SEALS, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_RDLCK, F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW,
  F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, F_SETFD, F_SETFL, F_SETLEASE, F_SETLK, F_SETLKW, F_SETOWN, F_SETOWN_EX, F_SETPIPE_SZ, F_SETSIG,
  F_SET_FILE_RW_HINT, F_SET_RW_HINT, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_APPEND, O_ASYNC, O_CLOEXEC, O_DIRECT, O_NOATIME, O_NONBLOCK,
  O_PATH, SEEK_CUR, SEEK_END, SEEK_SET,
} from '../../abi/fcntl.ts';
import { FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE, FS_IOC_FIEMAP } from '../../abi/ioctl.ts';
import { RLIMIT_NOFILE } from '../../abi/resource.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../abi/stat.ts';
import { isReadable, isWritable } from '../../fs/open-file.ts';
import { ownerOrCapable } from '../../fs/permission.ts';
import { NamespaceInode } from '../../fs/namespace-identity.ts';
import type { Inode, OpenFile } from '../../fs/types.ts';
import { FileDescriptors } from '../fd-table.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow, Task } from '../types.ts';
import { setDirectoryNotify } from './dnotify.ts';
import { getAsyncSignal, getOwner, getOwnerEx, setAsyncSignal, setOwnerEx, setOwnerId, updateAsync } from './async-io.ts';
import {
  beginWaiting, conflictingLock, endWaiting, lockQueue, releaseDescriptionLocks, releaseRecordLocks, setFlock, setRecordLock,
} from './fd-locks.ts';
import type { RecordLock } from './fd-locks.ts';
import { namespaceIoctl } from './namespace-ioctl.ts';
import { usableFile } from './file-common.ts';

const LOCK_MAND = 32;
const SETTABLE_FLAGS = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;
const ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;

function dup(task: Task, fd: number): number {
  const file = task.files.get(fd);
  return file === undefined ? -EBADF : task.files.install(file, false);
}

function dup3(task: Task, from: number, to: number, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0 || from === to) return -EINVAL;
  const file = task.files.get(from);
  return file === undefined || to < 0 ? -EBADF : task.files.replace(to, file, (flags & O_CLOEXEC) !== 0);
}

function dup2(task: Task, from: number, to: number): number {
  if (from === to) return task.files.get(from) === undefined ? -EBADF : to;
  return dup3(task, from, to, 0);
}

// ---- fcntl ----

function dupFrom(task: Task, file: OpenFile, from: number, closeOnExec: boolean): number {
  if (from < 0 || from >= task.process.limit(RLIMIT_NOFILE)) return -EINVAL;
  const fd = task.files.install(file, closeOnExec, from);
  return fd === -EMFILE ? -EMFILE : fd;
}

/** fs/fcntl.c:setfl(). */
function setFlags(task: Task, fd: number, file: OpenFile, flags: number): number {
  if ((flags & O_NOATIME) !== 0 && (file.flags & O_NOATIME) === 0 && !ownerOrCapable(file.inode, task.credentials)) return -EPERM;
  file.flags = (file.flags & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
  updateAsync(task, file, fd);
  return 0;
}

/** A shared mapping of the file could still be written to. */
function isMappedShared(task: KernelTask, inode: Inode): boolean {
  return (task.kernel.memory.shared.find(inode)?.mapperCount ?? 0) > 0;
}

/** mm/memfd.c:memfd_add_seals(). */
function addSeals(task: Task, file: OpenFile, seals: number): number {
  const { inode } = file;
  if (!isWritable(file)) return -EPERM;
  if ((seals & ~ALL_SEALS) !== 0) return -EINVAL;
  if (inode.seals === undefined) return -EINVAL;
  if ((inode.seals & F_SEAL_SEAL) !== 0) return -EPERM;
  if ((seals & F_SEAL_WRITE) !== 0 && isMappedShared(task as KernelTask, inode)) return -EBUSY;
  inode.seals |= seals;
  return 0;
}

/** `struct flock`: type i16, whence i16, start i64 at 8, length i64 at 16, pid i32 at 24. */
function readLock(task: Task, file: OpenFile, address: number, owner: object, pid: number): RecordLock | number {
  const word = task.memory.readU32(address);
  const start = task.memory.readI64(address + 8);
  const length = task.memory.readI64(address + 16);
  const givenPid = task.memory.readI32(address + 24);
  if (word === undefined || start === undefined || length === undefined || givenPid === undefined) return -EFAULT;
  if (pid === -1 && givenPid !== 0) return -EINVAL;
  const type = (word << 16) >> 16;
  const whence = word >>> 16;
  let from = start;
  if (whence === SEEK_CUR) from += file.position;
  else if (whence === SEEK_END) from += file.inode.size;
  else if (whence !== SEEK_SET) return -EINVAL;
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return -EINVAL;
  let end = length === 0 ? Infinity : from + length;
  if (length < 0) {
    end = from;
    from += length;
  }
  if (from < 0) return -EINVAL;
  if (end !== Infinity && end > Number.MAX_SAFE_INTEGER) return length > 2 ** 62 ? -EOVERFLOW : { type, start: from, end: Infinity, owner, pid };
  return { type, start: from, end, owner, pid };
}

function getLock(task: Task, file: OpenFile, address: number, ofd: boolean): number {
  const wanted = readLock(task, file, address, ofd ? file : task.files, ofd ? -1 : task.process.pid);
  if (typeof wanted === 'number') return wanted;
  if (wanted.type === F_UNLCK && !ofd) return -EINVAL;
  const held = conflictingLock(file.inode, wanted);
  if (held === undefined) return task.memory.writeU16(address, F_UNLCK);
  const { memory } = task;
  const bytes = memory.writable(address, 32);
  if (bytes === undefined) return -EFAULT;
  memory.writeU16(address, held.type);
  memory.writeU16(address + 2, SEEK_SET);
  memory.writeI64(address + 8, held.start);
  memory.writeI64(address + 16, held.end === Infinity ? 0 : held.end - held.start);
  memory.writeU32(address + 24, held.pid < 0 ? held.pid : task.numberOf(held.pid));
  return 0;
}

function setLock(task: Task, file: OpenFile, address: number, ofd: boolean, wait: boolean): number {
  const owner: object = ofd ? file : task.files;
  const wanted = readLock(task, file, address, owner, ofd ? -1 : task.process.pid);
  if (typeof wanted === 'number') return wanted;
  if (wanted.type === F_RDLCK && !isReadable(file)) return -EBADF;
  if (wanted.type === F_WRLCK && !isWritable(file)) return -EBADF;
  if (wanted.type !== F_UNLCK) releaseWithFile(task, file, ofd);
  const result = setRecordLock(file.inode, wanted);
  if (result !== -EAGAIN || !wait) {
    endWaiting(owner);
    return result;
  }
  if (!ofd) {
    const deadlock = beginWaiting(owner, conflictingLock(file.inode, wanted)!.owner);
    if (deadlock !== 0) return deadlock;
  }
  task.blocking = true;
  return task.block([lockQueue(file.inode)]);
}

/** From now on the owner's locks end with a descriptor (POSIX) or with the open file description (OFD). */
function releaseWithFile(task: Task, file: OpenFile, ofd: boolean): void {
  if (ofd) file.releaseHook ??= () => releaseDescriptionLocks(file);
  else if (task.files instanceof FileDescriptors) {
    const table = task.files;
    table.onClose ??= (closed) => releaseRecordLocks(closed.inode, table);
  }
}

const PATH_COMMANDS = new Set([F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL]);

function fcntl(task: Task, fd: number, command: number, argument: number): number {
  const file = task.files.get(fd);
  if (file === undefined || ((file.flags & O_PATH) !== 0 && !PATH_COMMANDS.has(command))) return -EBADF;
  const value = argument | 0;
  switch (command) {
    case F_DUPFD: return dupFrom(task, file, value, false);
    case F_DUPFD_CLOEXEC: return dupFrom(task, file, value, true);
    case F_GETFD: return task.files.closeOnExec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
      task.files.setCloseOnExec(fd, (value & FD_CLOEXEC) !== 0);
      return 0;
    case F_GETFL: return file.flags & ~O_CLOEXEC;
    case F_SETFL: return setFlags(task, fd, file, value);
    case F_GETLK: return getLock(task, file, argument, false);
    case F_SETLK: return setLock(task, file, argument, false, false);
    case F_SETLKW: return setLock(task, file, argument, false, true);
    case F_OFD_GETLK: return getLock(task, file, argument, true);
    case F_OFD_SETLK: return setLock(task, file, argument, true, false);
    case F_OFD_SETLKW: return setLock(task, file, argument, true, true);
    case F_NOTIFY: return setDirectoryNotify(task, file, fd, argument);
    default: return fcntlRare(task, file, command, argument);
  }
}

function fcntlRare(task: Task, file: OpenFile, command: number, argument: number): number {
  const value = argument | 0;
  switch (command) {
    case F_SETOWN: return setOwnerId(task, file, value);
    case F_GETOWN: return getOwner(task, file);
    case F_SETOWN_EX: return setOwnerEx(task, file, argument);
    case F_GETOWN_EX: return getOwnerEx(task, file, argument);
    case F_SETSIG: return setAsyncSignal(file, value);
    case F_GETSIG: return getAsyncSignal(file);
    case F_GETPIPE_SZ: return file.pipeSize?.() ?? -EBADF;
    case F_SETPIPE_SZ: return file.pipeSize?.(argument) ?? -EBADF;
    case F_ADD_SEALS: return addSeals(task, file, value);
    case F_GET_SEALS: return file.inode.seals ?? -EINVAL;
    case F_GETLEASE: return (file.inode.mode & S_IFMT) === S_IFREG ? F_UNLCK : -EINVAL;
    case F_SETLEASE: return value === F_UNLCK ? -EAGAIN : (file.inode.mode & S_IFMT) === S_IFREG && ownerOrCapable(file.inode, task.credentials) ? -EINVAL : -EACCES;
    case F_GET_RW_HINT:
    case F_GET_FILE_RW_HINT: return task.memory.writeI64(argument, 0);
    case F_SET_RW_HINT:
    case F_SET_FILE_RW_HINT: {
      const hint = task.memory.readI64(argument);
      return hint === undefined ? -EFAULT : hint < 0 || hint > 5 ? -EINVAL : 0;
    }
    default: return -EINVAL;
  }
}

// ---- flock, ioctl ----

function flock(task: Task, fd: number, operation: number): number {
  // LOCK_MAND was taken out of Linux: accepted, without effect.
  if ((operation & LOCK_MAND) !== 0) return 0;
  const kind = operation & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return -EINVAL;
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  if (kind !== LOCK_UN) releaseWithFile(task, file, true);
  const result = setFlock(file, kind);
  if (result !== -EAGAIN || (operation & LOCK_NB) !== 0) return result;
  task.blocking = true;
  return task.block([lockQueue(file.inode)]);
}

/** fs/ioctl.c:do_vfs_ioctl(): what every file understands, then the file's own. */
function ioctl(task: Task, fd: number, request: number, argument: number): number {
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  switch (request >>> 0) {
    case FIOCLEX:
      task.files.setCloseOnExec(fd, true);
      return 0;
    case FIONCLEX:
      task.files.setCloseOnExec(fd, false);
      return 0;
    case FIONBIO:
    case FIOASYNC: {
      const on = task.memory.readI32(argument);
      if (on === undefined) return -EFAULT;
      const flag = request === FIONBIO ? O_NONBLOCK : O_ASYNC;
      file.flags = on !== 0 ? file.flags | flag : file.flags & ~flag;
      updateAsync(task, file, fd);
      return 0;
    }
    case FIOQSIZE: {
      const type = file.inode.mode & S_IFMT;
      if (type !== S_IFREG && type !== S_IFDIR && type !== S_IFLNK) return -ENOTTY;
      return task.memory.writeI64(argument, file.inode.size);
    }
    // Of a file system without extents: tmpfs, and an overlay above it.
    case FS_IOC_FIEMAP:
      return -EOPNOTSUPP;
    case FIONREAD:
      if ((file.inode.mode & S_IFMT) === S_IFREG) {
        return task.memory.writeU32(argument, Math.max(0, Math.min(file.inode.size - file.position, 0x7fff_ffff)));
      }
  }
  if (file.inode instanceof NamespaceInode) return namespaceIoctl(task, file.inode.namespace, request >>> 0, argument);
  const answer = file.ioctl(request >>> 0, argument, task.memory);
  if (answer !== -EAGAIN || (file.flags & O_NONBLOCK) !== 0) return answer;
  return task.block([file.waitQueue]);
}

export const fdRows: readonly SyscallRow[] = [
  { number: 16, name: 'ioctl', arguments: ['fd', 'uint', 'pointer'], handler: ioctl, support: 'partial', note: 'requests that the kind of file knows; else ENOTTY' },
  { number: 32, name: 'dup', arguments: ['fd'], handler: dup, support: 'full' },
  { number: 33, name: 'dup2', arguments: ['fd', 'fd'], handler: dup2, support: 'full' },
  {
    number: 72, name: 'fcntl', arguments: ['fd', 'int', 'long'], handler: fcntl, support: 'partial', restart: true,
    note: 'no leases (EINVAL)',
  },
  { number: 73, name: 'flock', arguments: ['fd', 'flags:flock'], handler: flock, support: 'full', restart: true },
  { number: 292, name: 'dup3', arguments: ['fd', 'fd', 'flags:open'], handler: dup3, support: 'full' },
];
