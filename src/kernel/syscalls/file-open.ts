/** open(2), openat2(2), close(2), close_range(2), memfd_create(2). */
import { E2BIG, EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP } from '../../abi/errno.ts';
import {
  AT_FDCWD, CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE, F_SEAL_EXEC, F_SEAL_SEAL, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_HUGETLB, MFD_NOEXEC_SEAL,
  O_ACCMODE, O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOCTTY,
  O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_SYNC, O_TMPFILE, O_TRUNC, O_WRONLY,
  RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV,
} from '../../abi/fcntl.ts';
import { NAME_MAX } from '../../abi/limits.ts';
import { createMemfd } from '../../fs/memfd.ts';
import { openPath } from '../../fs/open.ts';
import { createSecretFile } from '../../fs/secret-file.ts';
import type { OpenFile } from '../../fs/types.ts';
import type { SyscallRow, Task } from '../types.ts';
import { pathArgument, specialOpener, startOf } from './file-common.ts';

const TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY;
const VALID_OPEN_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_ASYNC | O_DIRECT
  | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_SYNC | O_PATH | TMPFILE_BIT;
const VALID_RESOLVE = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
const PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;

/** A FIFO that waits for its other end. */
interface PendingOpen {
  readonly file: OpenFile;
}

/** fs/open.c:build_open_flags(), the checks that every open shares: 0 or -EINVAL. */
function checkFlags(flags: number): number {
  if ((flags & TMPFILE_BIT) !== 0) {
    if ((flags & O_DIRECTORY) === 0 || (flags & O_CREAT) !== 0 || (flags & O_ACCMODE) === O_RDONLY) return -EINVAL;
  } else if ((flags & (O_DIRECTORY | O_CREAT)) === (O_DIRECTORY | O_CREAT)) return -EINVAL;
  return 0;
}

function openAt(task: Task, directory: number, address: number, flagsArgument: number, mode: number, resolve: number): number {
  const pending = task.blocking as PendingOpen | undefined;
  if (pending !== undefined) return finish(task, pending.file, flagsArgument);
  const flags = (flagsArgument & O_PATH) !== 0 ? flagsArgument & PATH_FLAGS : flagsArgument & VALID_OPEN_FLAGS;
  const invalid = checkFlags(flags);
  if (invalid !== 0) return invalid;
  const argument = pathArgument(task, directory, address);
  if (typeof argument === 'number') return argument;
  // With RESOLVE_IN_ROOT an absolute path starts at the descriptor too.
  const start = (resolve & RESOLVE_IN_ROOT) === 0 ? argument.start : startOf(task, directory, '.');
  if (typeof start === 'number') return start;
  const file = openPath(start, argument.path, {
    context: task.fs, credentials: task.credentials, mode, resolve,
    flags: (flags | ((flags & O_PATH) === 0 ? O_LARGEFILE : 0)) & ~O_CLOEXEC,
    special: specialOpener(task.kernel),
  });
  return typeof file === 'number' ? file : finish(task, file, flags);
}

function finish(task: Task, file: OpenFile, flags: number): number {
  if (file.opened !== undefined && !file.opened()) {
    if ((flags & O_NONBLOCK) === 0) {
      task.blocking = { file } satisfies PendingOpen;
      task.onAbandon = () => file.release();
      return task.block([file.waitQueue]);
    }
  }
  file.flags &= ~(O_NOCTTY | O_CLOEXEC);
  const fd = task.files.install(file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0 && (file.references ?? 0) === 0) file.release();
  return fd;
}

function openat(task: Task, directory: number, address: number, flags: number, mode: number): number {
  return openAt(task, directory, address, flags, mode & 0o7777, 0);
}

/** openat2(2): unlike openat it refuses what it does not know. */
function openat2(task: Task, directory: number, address: number, how: number, size: number): number {
  if (size < 24) return -EINVAL;
  if (size > 4096) return -E2BIG;
  const bytes = task.memory.readable(how, size);
  if (bytes === undefined) return -EFAULT;
  if (bytes.subarray(24).some((byte) => byte !== 0)) return -E2BIG;
  const flags = task.memory.readI64(how)!;
  const mode = task.memory.readI64(how + 8)!;
  const resolve = task.memory.readI64(how + 16)!;
  if (flags < 0 || flags > 0x7fff_ffff || (flags & ~VALID_OPEN_FLAGS) !== 0) return -EINVAL;
  if (resolve < 0 || resolve > 0x7fff_ffff || (resolve & ~VALID_RESOLVE) !== 0) return -EINVAL;
  if ((resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) === (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) return -EINVAL;
  const creates = (flags & (O_CREAT | TMPFILE_BIT)) !== 0;
  if (creates ? mode < 0 || mode > 0o7777 : mode !== 0) return -EINVAL;
  if ((flags & O_PATH) !== 0 && (flags & ~PATH_FLAGS) !== 0) return -EINVAL;
  if ((resolve & RESOLVE_CACHED) !== 0) return -EAGAIN;
  return openAt(task, directory, address, flags, mode, resolve);
}

function closeRange(task: Task, first: number, last: number, flags: number): number {
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) return -EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0) return -EINVAL;
  const chosen = [...task.files.entries()].map(([fd]) => fd).filter((fd) => fd >= first && fd <= last);
  for (const fd of chosen) {
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) task.files.setCloseOnExec(fd, true);
    else task.files.close(fd);
  }
  return 0;
}

/** mm/memfd.c: the name has 249 bytes at most. */
function memfdCreate(task: Task, address: number, flags: number): number {
  if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC)) !== 0) return -EINVAL;
  if ((flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) === (MFD_EXEC | MFD_NOEXEC_SEAL)) return -EINVAL;
  if ((flags & MFD_HUGETLB) !== 0) return -EOPNOTSUPP;
  const name = task.memory.readString(address, NAME_MAX - 'memfd:'.length + 1);
  if (typeof name === 'number') return name === -EFAULT ? name : -EINVAL;
  const sealable = (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)) !== 0;
  const seals = (sealable ? 0 : F_SEAL_SEAL) | ((flags & MFD_NOEXEC_SEAL) !== 0 ? F_SEAL_EXEC : 0);
  const mode = (flags & MFD_NOEXEC_SEAL) !== 0 ? 0o666 : 0o777;
  const file = createMemfd(task.kernel, name, mode, seals, task.credentials);
  if (typeof file === 'number') return file;
  const fd = task.files.install(file, (flags & MFD_CLOEXEC) !== 0);
  if (fd < 0) file.release();
  return fd;
}

function memfdSecret(task: Task, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  const file = createSecretFile(task.kernel, task.credentials);
  if (typeof file === 'number') return file;
  file.flags |= O_LARGEFILE;
  const fd = task.files.install(file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) file.release();
  return fd;
}

export const fileOpenRows: readonly SyscallRow[] = [
  {
    number: 2, name: 'open', arguments: ['path', 'flags:open', 'mode'], support: 'full', restart: true,
    handler: (task, path, flags, mode) => openat(task, AT_FDCWD, path, flags, mode),
  },
  {
    number: 3, name: 'close', arguments: ['fd'], support: 'full',
    handler: (task, fd) => (fd < 0 ? -EBADF : task.files.close(fd)),
  },
  {
    number: 85, name: 'creat', arguments: ['path', 'mode'], support: 'full', restart: true,
    handler: (task, path, mode) => openat(task, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode),
  },
  { number: 257, name: 'openat', arguments: ['fd', 'path', 'flags:open', 'mode'], handler: openat, support: 'full', restart: true },
  {
    number: 437, name: 'openat2', arguments: ['fd', 'path', 'pointer:open_how', 'size'], handler: openat2, support: 'partial', restart: true,
    note: 'RESOLVE_CACHED always answers EAGAIN',
  },
  {
    number: 436, name: 'close_range', arguments: ['uint', 'uint', 'flags:close-range'], handler: closeRange, support: 'partial',
    note: 'CLOSE_RANGE_UNSHARE answers EINVAL',
  },
  { number: 319, name: 'memfd_create', arguments: ['pointer:string', 'flags:memfd'], handler: memfdCreate, support: 'partial', note: 'no huge pages' },
  { number: 447, name: 'memfd_secret', arguments: ['flags:open'], handler: memfdSecret, support: 'full' },
];
