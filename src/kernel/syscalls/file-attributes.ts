/** chmod(2), chown(2), utimensat(2), umask(2). */
import { EBADF, EFAULT, EINVAL } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../abi/fcntl.ts';
import { UTIME_NOW, UTIME_OMIT } from '../../abi/stat.ts';
import { changeMode, changeOwner, changeTimes } from '../../fs/attributes.ts';
import type { Location } from '../../fs/dentry.ts';
import { NO_ID } from '../namespaces/id-map.ts';
import type { TimeChange } from '../../fs/attributes.ts';
import { locationOf } from '../../fs/open.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate, usableFile } from './file-common.ts';

function fchmodat2(task: Task, directory: number, path: number, mode: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const location = locate(task, directory, path, flags);
  return typeof location === 'number' ? location : changeMode(location, mode, task.credentials);
}

function fchmod(task: Task, fd: number, mode: number): number {
  const file = usableFile(task, fd);
  return file === undefined ? -EBADF : changeMode(locationOf(file), mode, task.credentials);
}

/** chown(2) of what was found: -1 keeps an id; others are the caller's, and the file gets the kernel's. */
function changeOwnerTo(task: Task, location: Location, uid: number, gid: number): number {
  const { credentials } = task;
  const owner = uid === -1 ? -1 : credentials.user.kernelUid(uid >>> 0);
  const group = gid === -1 ? -1 : credentials.user.kernelGid(gid >>> 0);
  return owner === NO_ID || group === NO_ID ? -EINVAL : changeOwner(location, owner, group, credentials);
}

function fchownat(task: Task, directory: number, path: number, uid: number, gid: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const location = locate(task, directory, path, flags);
  return typeof location === 'number' ? location : changeOwnerTo(task, location, uid, gid);
}

function fchown(task: Task, fd: number, uid: number, gid: number): number {
  const file = usableFile(task, fd);
  return file === undefined ? -EBADF : changeOwnerTo(task, locationOf(file), uid, gid);
}

/** A `struct timespec` of utimensat: -EINVAL for nanoseconds out of range. */
function readTime(task: Task, address: number): TimeChange | number {
  const seconds = task.memory.readI64(address);
  const nanoseconds = task.memory.readI64(address + 8);
  if (seconds === undefined || nanoseconds === undefined) return -EFAULT;
  if (nanoseconds === UTIME_NOW) return 'now';
  if (nanoseconds === UTIME_OMIT) return 'keep';
  if (nanoseconds < 0 || nanoseconds > 999_999_999) return -EINVAL;
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function setTimes(task: Task, directory: number, path: number, atime: TimeChange, mtime: TimeChange, flags: number): number {
  const now = task.kernel.realtimeNs();
  if (path === 0 && directory !== AT_FDCWD) {
    if (flags !== 0) return -EINVAL;
    const file = usableFile(task, directory);
    return file === undefined ? -EBADF : changeTimes(locationOf(file), atime, mtime, now, task.credentials);
  }
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const location = locate(task, directory, path, flags);
  return typeof location === 'number' ? location : changeTimes(location, atime, mtime, now, task.credentials);
}

function utimensat(task: Task, directory: number, path: number, times: number, flags: number): number {
  if (times === 0) return setTimes(task, directory, path, 'now', 'now', flags);
  const atime = readTime(task, times);
  if (typeof atime === 'number') return atime;
  const mtime = readTime(task, times + 16);
  if (typeof mtime === 'number') return mtime;
  if (atime === 'keep' && mtime === 'keep') return 0;
  return setTimes(task, directory, path, atime, mtime, flags);
}

/** `struct timeval` pairs: futimesat(2), utimes(2). */
function futimesat(task: Task, directory: number, path: number, times: number): number {
  if (times === 0) return setTimes(task, directory, path, 'now', 'now', 0);
  const values: bigint[] = [];
  for (const at of [times, times + 16]) {
    const seconds = task.memory.readI64(at);
    const microseconds = task.memory.readI64(at + 8);
    if (seconds === undefined || microseconds === undefined) return -EFAULT;
    if (microseconds < 0 || microseconds >= 1_000_000) return -EINVAL;
    values.push(BigInt(seconds) * 1_000_000_000n + BigInt(microseconds) * 1000n);
  }
  return setTimes(task, directory, path, values[0]!, values[1]!, 0);
}

/** utime(2): whole seconds. */
function utime(task: Task, path: number, times: number): number {
  if (times === 0) return setTimes(task, AT_FDCWD, path, 'now', 'now', 0);
  const atime = task.memory.readI64(times);
  const mtime = task.memory.readI64(times + 8);
  if (atime === undefined || mtime === undefined) return -EFAULT;
  return setTimes(task, AT_FDCWD, path, BigInt(atime) * 1_000_000_000n, BigInt(mtime) * 1_000_000_000n, 0);
}

function umask(task: Task, mask: number): number {
  const old = task.fs.umask;
  task.fs.umask = mask & 0o777;
  return old;
}

export const fileAttributeRows: readonly SyscallRow[] = [
  {
    number: 90, name: 'chmod', arguments: ['path', 'mode'], support: 'full',
    handler: (task, path, mode) => fchmodat2(task, AT_FDCWD, path, mode, 0),
  },
  { number: 91, name: 'fchmod', arguments: ['fd', 'mode'], handler: fchmod, support: 'full' },
  {
    number: 92, name: 'chown', arguments: ['path', 'int', 'int'], support: 'full',
    handler: (task, path, uid, gid) => fchownat(task, AT_FDCWD, path, uid, gid, 0),
  },
  { number: 93, name: 'fchown', arguments: ['fd', 'int', 'int'], handler: fchown, support: 'full' },
  {
    number: 94, name: 'lchown', arguments: ['path', 'int', 'int'], support: 'full',
    handler: (task, path, uid, gid) => fchownat(task, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW),
  },
  { number: 95, name: 'umask', arguments: ['mode'], handler: umask, support: 'full' },
  { number: 132, name: 'utime', arguments: ['path', 'pointer'], handler: utime, support: 'full' },
  {
    number: 235, name: 'utimes', arguments: ['path', 'pointer'], support: 'full',
    handler: (task, path, times) => futimesat(task, AT_FDCWD, path, times),
  },
  { number: 260, name: 'fchownat', arguments: ['fd', 'path', 'int', 'int', 'flags:at'], handler: fchownat, support: 'full' },
  { number: 261, name: 'futimesat', arguments: ['fd', 'path', 'pointer'], handler: futimesat, support: 'full' },
  {
    number: 268, name: 'fchmodat', arguments: ['fd', 'path', 'mode'], support: 'full',
    handler: (task, directory, path, mode) => fchmodat2(task, directory, path, mode, 0),
  },
  { number: 280, name: 'utimensat', arguments: ['fd', 'path', 'pointer:timespec', 'flags:at'], handler: utimensat, support: 'full' },
  { number: 452, name: 'fchmodat2', arguments: ['fd', 'path', 'mode', 'flags:at'], handler: fchmodat2, support: 'full' },
];
