/** truncate(2), fallocate(2), fsync(2), fadvise(2), sendfile(2), copy_file_range(2). */
import {
  EAGAIN, EACCES, EBADF, EFAULT, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, EPERM, EPIPE, ESPIPE, EXDEV,
} from '../../abi/errno.ts';
import {
  FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_ZERO_RANGE, O_APPEND, O_NONBLOCK,
} from '../../abi/fcntl.ts';
import { MAX_RW_COUNT } from '../../abi/limits.ts';
import { RLIMIT_FSIZE } from '../../abi/resource.ts';
import { SI_KERNEL, SIGXFSZ } from '../../abi/signal.ts';
import { S_IFBLK, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '../../abi/stat.ts';
import { IN_MODIFY } from '../../abi/inotify.ts';
import { truncateInode, truncatePath } from '../../fs/attributes.ts';
import { notifyLocation } from '../../fs/notify.ts';
import { MAX_FILE_SIZE, PlainFile, isReadable, isWritable } from '../../fs/open-file.ts';
import { locationOf } from '../../fs/open.ts';
import type { Inode, OpenFile } from '../../fs/types.ts';
import { LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import type { SyscallRow, Task } from '../types.ts';
import { pathArgument, usableFile } from './file-common.ts';
import { raiseSigpipe } from './pipe.ts';

/** Bytes moved at once between two files. */
const COPY_CHUNK = 0x4_0000;
/** Bytes copied in one call before the task's turn ends: both calls may answer less than was asked for. */
const COPY_MOST = 0x400_0000;

function overFileLimit(task: Task, size: number): boolean {
  if (size <= task.process.limit(RLIMIT_FSIZE)) return false;
  task.process.sendSignal(SIGXFSZ, { signal: SIGXFSZ, code: SI_KERNEL });
  return true;
}

/** Gives a file another size, and mappings what they show then. */
function resized(task: Task, inode: Inode, resize: () => number): number {
  const before = inode.size;
  const error = resize();
  task.kernel.fileResized(inode, before);
  return error;
}

function truncate(task: Task, address: number, size: number): number {
  if (size < 0) return -EINVAL;
  const argument = pathArgument(task, -100, address);
  if (typeof argument === 'number') return argument;
  const location = walkPath(task.fs, task.credentials, argument.start, argument.path, LOOKUP_FOLLOW);
  if (typeof location === 'number') return location;
  if (task.credentials.restriction?.mayTruncate(location) === false) return -EACCES;
  if (size > location.dentry.inode.size && overFileLimit(task, size)) return -EFBIG;
  return resized(task, location.dentry.inode, () => truncatePath(location, size, task.credentials));
}

function ftruncate(task: Task, fd: number, size: number): number {
  if (size < 0) return -EINVAL;
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  if ((file.inode.mode & S_IFMT) !== S_IFREG || !isWritable(file)) return -EINVAL;
  if (file.mayTruncate === false) return -EACCES;
  if (size > file.inode.size && overFileLimit(task, size)) return -EFBIG;
  return resized(task, file.inode, () => truncateInode(locationOf(file), size, task.credentials));
}

const FALLOCATE_FLAGS = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE
  | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;

/** fs/open.c:vfs_fallocate(). */
function fallocate(task: Task, fd: number, mode: number, offset: number, length: number): number {
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  if (offset < 0 || length <= 0) return -EINVAL;
  if ((mode & ~FALLOCATE_FLAGS) !== 0) return -EOPNOTSUPP;
  const operation = mode & ~(FALLOC_FL_KEEP_SIZE);
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && (mode & FALLOC_FL_KEEP_SIZE) === 0) return -EOPNOTSUPP;
  if ((operation & (operation - 1)) !== 0) return -EINVAL;
  if (!isWritable(file)) return -EBADF;
  const type = file.inode.mode & S_IFMT;
  if (type === S_IFIFO) return -ESPIPE;
  if (type === S_IFDIR) return -EISDIR;
  if (type !== S_IFREG && type !== S_IFBLK) return -ENODEV;
  if (offset + length > MAX_FILE_SIZE) return -EFBIG;
  if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && offset + length > file.inode.size && overFileLimit(task, offset + length)) return -EFBIG;
  const result = file.inode.allocate?.(mode, offset, length) ?? -EOPNOTSUPP;
  if (result === 0 && file.location !== undefined) notifyLocation(file.location, IN_MODIFY);
  return result;
}

function fsync(task: Task, fd: number): number {
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  const type = file.inode.mode & S_IFMT;
  if (type === S_IFIFO || type === S_IFSOCK || type === 0) return -EINVAL;
  return file.inode.sync?.() ?? 0;
}

function sync(task: Task): number {
  for (const mount of task.fs.namespace.mounts) mount.fileSystem.sync();
  return 0;
}

function syncfs(task: Task, fd: number): number {
  const file = usableFile(task, fd);
  return file === undefined ? -EBADF : file.inode.fileSystem.sync();
}

function syncFileRange(task: Task, fd: number, offset: number, count: number, flags: number): number {
  if ((flags & ~7) !== 0 || offset < 0 || count < 0) return -EINVAL;
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  const type = file.inode.mode & S_IFMT;
  return type === S_IFIFO || type === S_IFSOCK ? -ESPIPE : 0;
}

/** Advice that changes nothing here; its arguments are checked as mm/fadvise.c does. */
function fadvise64(task: Task, fd: number, _offset: number, length: number, advice: number): number {
  const file = usableFile(task, fd);
  if (file === undefined) return -EBADF;
  if ((file.inode.mode & S_IFMT) === S_IFIFO) return -ESPIPE;
  return length < 0 || advice < 0 || advice > 5 ? -EINVAL : 0;
}

function readahead(task: Task, fd: number): number {
  const file = task.files.get(fd);
  if (file === undefined || !isReadable(file)) return -EBADF;
  return (file.inode.mode & S_IFMT) === S_IFREG ? 0 : -EINVAL;
}

/** What a copy between two files keeps while it waits for the target. */
interface CopyState {
  done: number;
}

/**
 * Copies from a position of one file to another file, as far as it goes. Answers bytes copied, or what the first
 * failure answered; BLOCKED is passed on.
 */
function copyTo(task: Task, source: OpenFile, from: number, target: OpenFile, to: number | undefined, count: number): number {
  const state = (task.blocking as CopyState | undefined) ?? { done: 0 };
  const buffer = new Uint8Array(Math.min(count, COPY_CHUNK));
  while (state.done < count) {
    const wanted = Math.min(buffer.length, count - state.done);
    const got = source.read(buffer.subarray(0, wanted), from + state.done);
    if (got <= 0) return state.done > 0 ? state.done : got;
    const put = target.write(buffer.subarray(0, got), to === undefined ? undefined : to + state.done);
    if (put === -EAGAIN && (target.flags & O_NONBLOCK) === 0) {
      if (state.done > 0) return state.done;
      task.blocking = state;
      return task.block([target.waitQueue]);
    }
    if (put === -EPIPE) raiseSigpipe(task);
    if (put < 0) return state.done > 0 ? state.done : put;
    state.done += put;
    if (put < got) return state.done;
  }
  return state.done;
}

/** fs/read_write.c:do_sendfile(). */
function sendfile(task: Task, out: number, input: number, offsetAddress: number, size: number): number {
  const source = usableFile(task, input);
  const target = usableFile(task, out);
  if (source === undefined || !isReadable(source)) return -EBADF;
  let from = source.position;
  if (offsetAddress !== 0) {
    const given = task.memory.readI64(offsetAddress);
    if (given === undefined) return -EFAULT;
    if (given < 0) return -EINVAL;
    from = given;
  }
  const type = source.inode.mode & S_IFMT;
  if (offsetAddress !== 0 && (type === S_IFIFO || type === S_IFSOCK)) return -ESPIPE;
  if (!(source instanceof PlainFile) || type === S_IFDIR) return -EINVAL;
  if (target === undefined || !isWritable(target)) return -EBADF;
  if (size < 0 || (target.flags & O_APPEND) !== 0) return -EINVAL;
  const count = copyTo(task, source, from, target, undefined, Math.min(size, MAX_RW_COUNT, COPY_MOST));
  if (count > 0) {
    if (offsetAddress !== 0) task.memory.writeI64(offsetAddress, from + count);
    else source.position = from + count;
    if (target.location !== undefined) notifyLocation(target.location, IN_MODIFY);
  }
  return count;
}

function offsetOrPosition(task: Task, file: OpenFile, address: number): number {
  if (address === 0) return file.position;
  return task.memory.readI64(address) ?? -EFAULT;
}

/** fs/read_write.c:vfs_copy_file_range(). */
function copyFileRange(
  task: Task, input: number, inputAddress: number, out: number, outputAddress: number, size: number, flags: number,
): number {
  const source = usableFile(task, input);
  const target = usableFile(task, out);
  if (source === undefined || target === undefined) return -EBADF;
  const from = offsetOrPosition(task, source, inputAddress);
  if (from === -EFAULT) return -EFAULT;
  const to = offsetOrPosition(task, target, outputAddress);
  if (to === -EFAULT) return -EFAULT;
  if (flags !== 0) return -EINVAL;
  const types = [source.inode.mode & S_IFMT, target.inode.mode & S_IFMT];
  if (types.includes(S_IFDIR)) return -EISDIR;
  if (types.some((type) => type !== S_IFREG)) return -EINVAL;
  if (!isReadable(source) || !isWritable(target) || (target.flags & O_APPEND) !== 0) return -EBADF;
  if (source.inode.fileSystem !== target.inode.fileSystem && source.inode.fileSystem.type !== target.inode.fileSystem.type) return -EXDEV;
  if ((target.inode.seals ?? 0) !== 0 && target.inode.seals !== 1) return -EPERM;
  if (size < 0 || from < 0 || to < 0) return -EINVAL;
  const count = Math.min(size, MAX_RW_COUNT, COPY_MOST);
  if (to + count > MAX_FILE_SIZE) return -EFBIG;
  if (source.inode === target.inode && from < to + count && to < from + count && count > 0) return -EINVAL;
  if (from >= source.inode.size) return 0;
  const done = copyTo(task, source, from, target, to, count);
  if (done > 0) {
    if (inputAddress === 0) source.position = from + done;
    else task.memory.writeI64(inputAddress, from + done);
    if (outputAddress === 0) target.position = to + done;
    else task.memory.writeI64(outputAddress, to + done);
    if (target.location !== undefined) notifyLocation(target.location, IN_MODIFY);
  }
  return done;
}

export const fileDataRows: readonly SyscallRow[] = [
  { number: 40, name: 'sendfile', arguments: ['fd', 'fd', 'pointer', 'size'], handler: sendfile, support: 'full', restart: true },
  { number: 74, name: 'fsync', arguments: ['fd'], handler: fsync, support: 'full' },
  { number: 75, name: 'fdatasync', arguments: ['fd'], handler: fsync, support: 'full' },
  { number: 76, name: 'truncate', arguments: ['path', 'offset'], handler: truncate, support: 'full' },
  { number: 77, name: 'ftruncate', arguments: ['fd', 'offset'], handler: ftruncate, support: 'full' },
  { number: 162, name: 'sync', arguments: [], handler: sync, support: 'full' },
  { number: 187, name: 'readahead', arguments: ['fd', 'offset', 'size'], handler: readahead, support: 'full', note: 'advice without effect' },
  { number: 221, name: 'fadvise64', arguments: ['fd', 'offset', 'size', 'int'], handler: fadvise64, support: 'full', note: 'advice without effect' },
  { number: 277, name: 'sync_file_range', arguments: ['fd', 'offset', 'offset', 'flags'], handler: syncFileRange, support: 'full' },
  {
    number: 285, name: 'fallocate', arguments: ['fd', 'flags:fallocate', 'offset', 'offset'], handler: fallocate, support: 'partial',
    note: 'FALLOC_FL_COLLAPSE_RANGE and FALLOC_FL_INSERT_RANGE answer EOPNOTSUPP, as on tmpfs',
  },
  { number: 306, name: 'syncfs', arguments: ['fd'], handler: syncfs, support: 'full' },
  {
    number: 326, name: 'copy_file_range', arguments: ['fd', 'pointer', 'fd', 'pointer', 'size', 'flags'], support: 'full',
    handler: copyFileRange,
  },
];
