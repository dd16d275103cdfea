/** read(2), write(2) and their kin, lseek(2). */
import { EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, EOPNOTSUPP, EPIPE, ESPIPE } from '../../abi/errno.ts';
import { O_APPEND, O_NONBLOCK, RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOWAIT, RWF_SYNC, SEEK_CUR } from '../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../abi/inotify.ts';
import { MAX_RW_COUNT } from '../../abi/limits.ts';
import { RLIMIT_FSIZE } from '../../abi/resource.ts';
import { SI_KERNEL, SIGXFSZ } from '../../abi/signal.ts';
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '../../abi/stat.ts';
import { notifyLocation } from '../../fs/notify.ts';
import { PlainFile, isReadable, isWritable } from '../../fs/open-file.ts';
import { dropPrivileges } from '../../fs/permission.ts';
import type { OpenFile } from '../../fs/types.ts';
import type { SyscallRow, Task } from '../types.ts';
import { Socket } from '../../net/index.ts';
import { raiseSigpipe } from './pipe.ts';
import { waitSocket } from './socket.ts';

const PAGE = 4096;

/** The largest accessible prefix of a buffer: a read into the end of a mapping works as far as it goes. */
function accessiblePrefix(task: Task, address: number, count: number, access: 'readable' | 'writable'): Uint8Array | undefined {
  const whole = task.memory[access](address, count);
  if (whole !== undefined) return whole;
  let low = 0;
  let high = Math.ceil(count / PAGE);
  const end = (pages: number): number => Math.min(count, pages * PAGE - (address & (PAGE - 1)));
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (task.memory[access](address, end(middle)) === undefined) high = middle - 1;
    else low = middle;
  }
  return low === 0 ? undefined : task.memory[access](address, end(low));
}

function accessed(file: OpenFile): void {
  if (file.location !== undefined) notifyLocation(file.location, IN_ACCESS);
}

/** Nothing is left to read of a regular file: the buffer is then not looked at. */
function isAtEnd(file: OpenFile): boolean {
  return file instanceof PlainFile && (file.inode.mode & S_IFMT) === S_IFREG && file.position >= file.inode.size;
}

/** What a read that found nothing answers: it waits, unless the file is not to. */
function waitToRead(task: Task, file: OpenFile): number {
  if (file instanceof Socket) return waitSocket(task, file, file.receiveTimeoutNs, (file.flags & O_NONBLOCK) !== 0);
  return (file.flags & O_NONBLOCK) !== 0 ? -EAGAIN : task.block([file.waitQueue]);
}

export function read(task: Task, fd: number, address: number, size: number): number {
  const file = task.files.get(fd);
  if (file === undefined || !isReadable(file)) return -EBADF;
  if (size < 0) return -EFAULT;
  const count = size > MAX_RW_COUNT ? MAX_RW_COUNT : size;
  const buffer = accessiblePrefix(task, address, count, 'writable');
  if (buffer === undefined) return isAtEnd(file) ? 0 : -EFAULT;
  const done = file.read(buffer);
  if (done > 0) accessed(file);
  return done === -EAGAIN ? waitToRead(task, file) : done;
}

/** Whether writing goes on until all is written: not for eventfd and the like, which take what they take. */
function writesAll(file: OpenFile): boolean {
  const type = file.inode.mode & S_IFMT;
  return type === S_IFREG || type === S_IFIFO || type === S_IFSOCK || type === S_IFCHR;
}

/** RLIMIT_FSIZE (mm/filemap.c:generic_write_checks): bytes that may be written, or -EFBIG with SIGXFSZ. */
function withinFileLimit(task: Task, file: OpenFile, position: number, count: number): number {
  const limit = task.process.limit(RLIMIT_FSIZE);
  if (limit >= position + count) return count;
  if (position >= limit) {
    task.process.sendSignal(SIGXFSZ, { signal: SIGXFSZ, code: SI_KERNEL });
    return -EFBIG;
  }
  return limit - position;
}

/** Writes all of `buffer`, over several calls where it has to wait. */
function writeBuffer(task: Task, file: OpenFile, buffer: Uint8Array, offset?: number): number {
  let bytes = buffer;
  if ((file.inode.mode & S_IFMT) === S_IFREG && bytes.length > 0) {
    const position = (file.flags & O_APPEND) !== 0 ? file.inode.size : offset ?? file.position;
    const allowed = withinFileLimit(task, file, position, bytes.length);
    if (allowed < 0) return allowed;
    if (allowed < bytes.length) bytes = bytes.subarray(0, allowed);
    if ((file.inode.mode & 0o6000) !== 0) dropPrivileges(file.inode, task.credentials);
  }
  let done = typeof task.blocking === 'number' ? task.blocking : 0;
  for (;;) {
    const count = file.write(done === 0 ? bytes : bytes.subarray(done), offset === undefined ? undefined : offset + done);
    if (count >= 0) {
      done += count;
      if (done >= bytes.length || count === 0 || !writesAll(file)) break;
      continue;
    }
    if (count === -EPIPE) {
      raiseSigpipe(task);
      return done > 0 ? done : count;
    }
    if (count !== -EAGAIN) {
      if (done === 0) return count;
      break;
    }
    if ((file.flags & O_NONBLOCK) !== 0) {
      if (done === 0) return -EAGAIN;
      break;
    }
    task.blocking = done;
    if (done > 0) task.onInterrupt = () => done;
    return task.block([file.waitQueue]);
  }
  if (done > 0 && file.location !== undefined) notifyLocation(file.location, IN_MODIFY);
  return done;
}

export function write(task: Task, fd: number, address: number, size: number): number {
  const file = task.files.get(fd);
  if (file === undefined || !isWritable(file)) return -EBADF;
  if (size < 0) return -EFAULT;
  const count = size > MAX_RW_COUNT ? MAX_RW_COUNT : size;
  const buffer = accessiblePrefix(task, address, count, 'readable');
  if (buffer === undefined) return -EFAULT;
  return writeBuffer(task, file, buffer);
}

/** Whether pread and pwrite are for this file: pipes, sockets and terminals have no positions. */
function hasPositions(file: OpenFile): boolean {
  return file instanceof PlainFile || file.seek(0, SEEK_CUR) >= 0;
}

function pread64(task: Task, fd: number, address: number, size: number, offset: number): number {
  if (offset < 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!hasPositions(file)) return isReadable(file) || isWritable(file) ? -ESPIPE : -EBADF;
  if (!isReadable(file)) return -EBADF;
  if (size < 0) return -EINVAL;
  const buffer = accessiblePrefix(task, address, Math.min(size, MAX_RW_COUNT), 'writable');
  if (buffer === undefined) return -EFAULT;
  const done = file.read(buffer, offset);
  if (done > 0) accessed(file);
  return done;
}

function pwrite64(task: Task, fd: number, address: number, size: number, offset: number): number {
  if (offset < 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!hasPositions(file)) return isReadable(file) || isWritable(file) ? -ESPIPE : -EBADF;
  if (!isWritable(file)) return -EBADF;
  if (size < 0) return -EINVAL;
  const buffer = accessiblePrefix(task, address, Math.min(size, MAX_RW_COUNT), 'readable');
  if (buffer === undefined) return -EFAULT;
  return writeBuffer(task, file, buffer, offset);
}

function totalLength(views: readonly Uint8Array[]): number {
  let total = 0;
  for (const view of views) total += view.length;
  return total;
}

function readVector(task: Task, file: OpenFile, views: Uint8Array[], offset: number | undefined): number {
  if (views.length === 1 || !(file instanceof PlainFile)) {
    const whole = views.length === 1 ? views[0]! : new Uint8Array(totalLength(views));
    const count = file.read(whole, offset);
    if (count > 0 && views.length !== 1) scatter(whole.subarray(0, count), views);
    return count;
  }
  let done = 0;
  for (const view of views) {
    if (view.length === 0) continue;
    const count = file.read(view, offset === undefined ? undefined : offset + done);
    if (count < 0) return done > 0 ? done : count;
    done += count;
    if (count < view.length) break;
  }
  return done;
}

function scatter(bytes: Uint8Array, views: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of views) {
    view.set(bytes.subarray(at, at + view.length));
    at += view.length;
    if (at >= bytes.length) return;
  }
}

function gather(views: readonly Uint8Array[]): Uint8Array {
  if (views.length === 1) return views[0]!;
  const bytes = new Uint8Array(totalLength(views));
  let at = 0;
  for (const view of views) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes;
}

function readv(task: Task, fd: number, address: number, count: number): number {
  const file = task.files.get(fd);
  if (file === undefined || !isReadable(file)) return -EBADF;
  const views = task.memory.iovec(address, count, 'writable');
  if (typeof views === 'number') return views;
  if (views.length === 0) return 0;
  const done = readVector(task, file, views, undefined);
  if (done > 0) accessed(file);
  return done === -EAGAIN ? waitToRead(task, file) : done;
}

function writev(task: Task, fd: number, address: number, count: number): number {
  const file = task.files.get(fd);
  if (file === undefined || !isWritable(file)) return -EBADF;
  const views = task.memory.iovec(address, count, 'readable');
  if (typeof views === 'number') return views;
  return views.length === 0 ? 0 : writeBuffer(task, file, gather(views));
}

/** Offset of preadv and pwritev: the high half is used by 32-bit programs only. */
function preadv(task: Task, fd: number, address: number, count: number, offset: number): number {
  return offset < 0 ? -EINVAL : preadv2(task, fd, address, count, offset, 0, 0);
}

function preadv2(task: Task, fd: number, address: number, count: number, offset: number, _high: number, flags: number): number {
  if ((flags & ~(RWF_HIPRI | RWF_NOWAIT | RWF_DSYNC | RWF_SYNC)) !== 0) return -EOPNOTSUPP;
  if (offset === -1) return readv(task, fd, address, count);
  if (offset < 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!hasPositions(file)) return -ESPIPE;
  if (!isReadable(file)) return -EBADF;
  const views = task.memory.iovec(address, count, 'writable');
  if (typeof views === 'number') return views;
  return views.length === 0 ? 0 : readVector(task, file, views, offset);
}

function pwritev(task: Task, fd: number, address: number, count: number, offset: number): number {
  return offset < 0 ? -EINVAL : pwritev2(task, fd, address, count, offset, 0, 0);
}

function pwritev2(task: Task, fd: number, address: number, count: number, offset: number, _high: number, flags: number): number {
  if ((flags & ~(RWF_HIPRI | RWF_NOWAIT | RWF_DSYNC | RWF_SYNC | RWF_APPEND)) !== 0) return -EOPNOTSUPP;
  if (offset === -1) return writev(task, fd, address, count);
  if (offset < 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!hasPositions(file)) return -ESPIPE;
  if (!isWritable(file)) return -EBADF;
  const views = task.memory.iovec(address, count, 'readable');
  if (typeof views === 'number') return views;
  const at = (flags & RWF_APPEND) !== 0 ? file.inode.size : offset;
  return views.length === 0 ? 0 : writeBuffer(task, file, gather(views), at);
}

function lseek(task: Task, fd: number, offset: number, whence: number): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (whence < 0 || whence > 4) return -EINVAL;
  return file.seek(offset, whence);
}

export const fileIoRows: readonly SyscallRow[] = [
  { number: 0, name: 'read', arguments: ['fd', 'buffer', 'size'], handler: read, support: 'full', restart: true },
  { number: 1, name: 'write', arguments: ['fd', 'buffer', 'size'], handler: write, support: 'full', restart: true },
  { number: 8, name: 'lseek', arguments: ['fd', 'offset', 'int'], handler: lseek, support: 'full' },
  { number: 17, name: 'pread64', arguments: ['fd', 'buffer', 'size', 'offset'], handler: pread64, support: 'full' },
  { number: 18, name: 'pwrite64', arguments: ['fd', 'buffer', 'size', 'offset'], handler: pwrite64, support: 'full' },
  { number: 19, name: 'readv', arguments: ['fd', 'pointer:iovec', 'int'], handler: readv, support: 'full', restart: true },
  { number: 20, name: 'writev', arguments: ['fd', 'pointer:iovec', 'int'], handler: writev, support: 'full', restart: true },
  { number: 295, name: 'preadv', arguments: ['fd', 'pointer:iovec', 'int', 'offset', 'long'], handler: preadv, support: 'full' },
  { number: 296, name: 'pwritev', arguments: ['fd', 'pointer:iovec', 'int', 'offset', 'long'], handler: pwritev, support: 'full' },
  {
    number: 327, name: 'preadv2', arguments: ['fd', 'pointer:iovec', 'int', 'offset', 'long', 'flags:rwf'], support: 'full', restart: true,
    handler: (task, fd, address, count, offset, high, flags) => preadv2(task, fd, address, count, offset, high, flags),
  },
  {
    number: 328, name: 'pwritev2', arguments: ['fd', 'pointer:iovec', 'int', 'offset', 'long', 'flags:rwf'], support: 'full', restart: true,
    handler: (task, fd, address, count, offset, high, flags) => pwritev2(task, fd, address, count, offset, high, flags),
  },
];
