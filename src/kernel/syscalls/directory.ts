/** getdents(2), mkdir(2), unlink(2), rename(2), link(2), symlink(2), chdir(2), getcwd(2), chroot(2). */
import { CAP_SYS_CHROOT } from '../../abi/capability.ts';
import { DIRENT64_OFFSETS, DIRENT_OFFSETS } from '../../abi/dirent.ts';
import { EBADF, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, ERANGE } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, O_PATH } from '../../abi/fcntl.ts';
import { BPF_DEVCG_ACC_MKNOD } from '../../abi/bpf.ts';
import { S_IFBLK, S_IFCHR, S_IFMT } from '../../abi/stat.ts';
import type { Location } from '../../fs/dentry.ts';
import { DirectoryFile } from '../../fs/open-file.ts';
import { locationOf } from '../../fs/open.ts';
import {
  makeDirectory, makeLink, makeNode, makeSymlink, mayLinkByDescriptor, removeDirectory, removeFile, renamePath,
} from '../../fs/operations.ts';
import type { Actor } from '../../fs/operations.ts';
import { currentDirectory } from '../../fs/path.ts';
import type { DirectoryEntry } from '../../fs/types.ts';
import { mayEnter } from '../../fs/walk.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate, mayUseDevice, pathArgument, putI64, viewOf } from './file-common.ts';

const PATH_MAX = 4096;

function actorOf(task: Task): Actor {
  return { context: task.fs, credentials: task.credentials };
}

// ---- reading directories ----

/** Lays entries out until one does not fit: fs/readdir.c. */
function readEntries(task: Task, fd: number, address: number, size: number, wide: boolean): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if ((file.flags & O_PATH) !== 0) return -EBADF;
  if (!(file instanceof DirectoryFile)) return -ENOTDIR;
  const entries = file.entries();
  if (typeof entries === 'number') return entries;
  if (entries.length === 0) return -ENOENT;
  const room = Math.min(size, 0x10_0000);
  const bytes = task.memory.writable(address, room);
  if (bytes === undefined) return -EFAULT;
  const view = viewOf(bytes);
  let at = 0;
  let index = file.position;
  for (; index < entries.length; index++) {
    const entry = entries[index]!;
    const length = ((wide ? DIRENT64_OFFSETS.name + 1 : DIRENT_OFFSETS.name + 2) + entry.name.length + 7) & ~7;
    if (at + length > room) break;
    putEntry(view, at, length, entry, index + 1, wide);
    at += length;
  }
  if (at === 0 && index < entries.length) return -EINVAL;
  file.position = index;
  return at;
}

function putEntry(view: DataView, at: number, length: number, entry: DirectoryEntry, next: number, wide: boolean): void {
  const layout = wide ? DIRENT64_OFFSETS : DIRENT_OFFSETS;
  putI64(view, at + layout.ino, entry.ino);
  putI64(view, at + layout.off, next);
  view.setUint16(at + layout.reclen, length, true);
  const name = at + layout.name;
  for (let index = 0; index < entry.name.length; index++) view.setUint8(name + index, entry.name.charCodeAt(index));
  for (let index = name + entry.name.length; index < at + length; index++) view.setUint8(index, 0);
  view.setUint8(wide ? at + DIRENT64_OFFSETS.type : at + length - 1, (entry.type & S_IFMT) >>> 12);
}

// ---- names ----

function mkdirat(task: Task, directory: number, address: number, mode: number): number {
  const argument = pathArgument(task, directory, address);
  return typeof argument === 'number' ? argument : makeDirectory(actorOf(task), argument.start, argument.path, mode);
}

function mknodat(task: Task, directory: number, address: number, mode: number, device: number): number {
  const argument = pathArgument(task, directory, address);
  if (typeof argument === 'number') return argument;
  const type = mode & S_IFMT;
  if ((type === S_IFBLK || (type === S_IFCHR && device !== 0)) && !mayUseDevice(task.kernel, mode, device, BPF_DEVCG_ACC_MKNOD)) return -EPERM;
  const made = makeNode(actorOf(task), argument.start, argument.path, mode, device);
  return typeof made === 'number' ? made : 0;
}

function rmdir(task: Task, directory: number, address: number): number {
  const argument = pathArgument(task, directory, address);
  return typeof argument === 'number' ? argument : removeDirectory(actorOf(task), argument.start, argument.path);
}

function unlinkat(task: Task, directory: number, address: number, flags: number): number {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  if ((flags & AT_REMOVEDIR) !== 0) return rmdir(task, directory, address);
  const argument = pathArgument(task, directory, address);
  return typeof argument === 'number' ? argument : removeFile(actorOf(task), argument.start, argument.path);
}

function symlinkat(task: Task, targetAddress: number, directory: number, address: number): number {
  const target = task.memory.readPath(targetAddress);
  if (typeof target === 'number') return target;
  const argument = pathArgument(task, directory, address);
  return typeof argument === 'number' ? argument : makeSymlink(actorOf(task), argument.start, argument.path, target);
}

function linkat(task: Task, fromDirectory: number, fromAddress: number, toDirectory: number, toAddress: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  if ((flags & AT_EMPTY_PATH) !== 0 && !mayLinkByDescriptor(task.credentials)) return -ENOENT;
  const follow = (flags & AT_SYMLINK_FOLLOW) === 0 ? AT_SYMLINK_NOFOLLOW : 0;
  const from = locate(task, fromDirectory, fromAddress, follow | (flags & AT_EMPTY_PATH));
  if (typeof from === 'number') return from;
  const argument = pathArgument(task, toDirectory, toAddress);
  return typeof argument === 'number' ? argument : makeLink(actorOf(task), from, argument.start, argument.path);
}

function renameat2(task: Task, fromDirectory: number, fromAddress: number, toDirectory: number, toAddress: number, flags: number): number {
  const from = pathArgument(task, fromDirectory, fromAddress);
  if (typeof from === 'number') return from;
  const to = pathArgument(task, toDirectory, toAddress);
  return typeof to === 'number' ? to : renamePath(actorOf(task), from.start, from.path, to.start, to.path, flags);
}

// ---- working directory and root ----

function enter(task: Task, location: Location): number {
  const denied = mayEnter(location, task.credentials);
  if (denied !== 0) return denied;
  task.fs.cwd = { mount: location.mount, dentry: location.dentry };
  return 0;
}

function chdir(task: Task, address: number): number {
  const location = locate(task, AT_FDCWD, address, 0);
  return typeof location === 'number' ? location : enter(task, location);
}

function fchdir(task: Task, fd: number): number {
  const file = task.files.get(fd);
  return file === undefined ? -EBADF : enter(task, locationOf(file));
}

function chroot(task: Task, address: number): number {
  const location = locate(task, AT_FDCWD, address, 0);
  if (typeof location === 'number') return location;
  const denied = mayEnter(location, task.credentials);
  if (denied !== 0) return denied;
  if (!task.capableIn(task.credentials.user, CAP_SYS_CHROOT)) return -EPERM;
  task.fs.root = { mount: location.mount, dentry: location.dentry };
  return 0;
}

function getcwd(task: Task, address: number, size: number): number {
  const path = currentDirectory(task.fs.cwd, task.fs.root);
  if (typeof path === 'number') return path;
  const length = path.length + 1;
  if (length > PATH_MAX) return -ENAMETOOLONG;
  if (size < length) return -ERANGE;
  const bytes = task.memory.writable(address, length);
  if (bytes === undefined) return -EFAULT;
  for (let index = 0; index < path.length; index++) bytes[index] = path.charCodeAt(index);
  bytes[path.length] = 0;
  return length;
}

export const directoryRows: readonly SyscallRow[] = [
  {
    number: 78, name: 'getdents', arguments: ['fd', 'pointer', 'uint'], support: 'full',
    handler: (task, fd, address, size) => readEntries(task, fd, address, size, false),
  },
  { number: 79, name: 'getcwd', arguments: ['pointer', 'size'], handler: getcwd, support: 'full' },
  { number: 80, name: 'chdir', arguments: ['path'], handler: chdir, support: 'full' },
  { number: 81, name: 'fchdir', arguments: ['fd'], handler: fchdir, support: 'full' },
  {
    number: 82, name: 'rename', arguments: ['path', 'path'], support: 'full',
    handler: (task, from, to) => renameat2(task, AT_FDCWD, from, AT_FDCWD, to, 0),
  },
  { number: 83, name: 'mkdir', arguments: ['path', 'mode'], support: 'full', handler: (task, path, mode) => mkdirat(task, AT_FDCWD, path, mode) },
  { number: 84, name: 'rmdir', arguments: ['path'], support: 'full', handler: (task, path) => rmdir(task, AT_FDCWD, path) },
  {
    number: 86, name: 'link', arguments: ['path', 'path'], support: 'full',
    handler: (task, from, to) => linkat(task, AT_FDCWD, from, AT_FDCWD, to, 0),
  },
  { number: 87, name: 'unlink', arguments: ['path'], support: 'full', handler: (task, path) => unlinkat(task, AT_FDCWD, path, 0) },
  {
    number: 88, name: 'symlink', arguments: ['path', 'path'], support: 'full',
    handler: (task, target, path) => symlinkat(task, target, AT_FDCWD, path),
  },
  {
    number: 133, name: 'mknod', arguments: ['path', 'mode', 'uint'], support: 'full',
    handler: (task, path, mode, device) => mknodat(task, AT_FDCWD, path, mode, device),
  },
  { number: 161, name: 'chroot', arguments: ['path'], handler: chroot, support: 'full' },
  {
    number: 217, name: 'getdents64', arguments: ['fd', 'pointer', 'uint'], support: 'full',
    handler: (task, fd, address, size) => readEntries(task, fd, address, size, true),
  },
  { number: 258, name: 'mkdirat', arguments: ['fd', 'path', 'mode'], handler: mkdirat, support: 'full' },
  { number: 259, name: 'mknodat', arguments: ['fd', 'path', 'mode', 'uint'], handler: mknodat, support: 'full' },
  { number: 263, name: 'unlinkat', arguments: ['fd', 'path', 'flags:unlinkat'], handler: unlinkat, support: 'full' },
  {
    number: 264, name: 'renameat', arguments: ['fd', 'path', 'fd', 'path'], support: 'full',
    handler: (task, fromDirectory, from, toDirectory, to) => renameat2(task, fromDirectory, from, toDirectory, to, 0),
  },
  { number: 265, name: 'linkat', arguments: ['fd', 'path', 'fd', 'path', 'flags:linkat'], handler: linkat, support: 'full' },
  { number: 266, name: 'symlinkat', arguments: ['path', 'fd', 'path'], handler: symlinkat, support: 'full' },
  {
    number: 316, name: 'renameat2', arguments: ['fd', 'path', 'fd', 'path', 'flags:rename'], handler: renameat2, support: 'partial',
    note: 'RENAME_WHITEOUT answers EINVAL',
  },
];
