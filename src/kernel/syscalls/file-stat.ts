/** stat(2), statx(2), statfs(2), access(2), readlink(2). */
import { EACCES, EBADF, EFAULT, EINVAL, ENOENT, ENOTDIR, EPERM, EROFS } from '../../abi/errno.ts';
import { CAP_LAST_CAP } from '../../abi/capability.ts';
import {
  AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW,
} from '../../abi/fcntl.ts';
import { MS_NOATIME, MS_NODEV, MS_NOEXEC, MS_NOSUID } from '../../abi/mount.ts';
import {
  S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, STATX_ATTR_MOUNT_ROOT, STATX_BASIC_STATS, STATX_BTIME, STATX_MNT_ID, STATX_MNT_ID_UNIQUE, STATX_OFFSETS, STATX_STRUCT_SIZE,
  STATX__RESERVED,
} from '../../abi/stat.ts';
import {
  STATFS_OFFSETS, STATFS_SIZE, ST_NOATIME, ST_NODEV, ST_NOEXEC, ST_NOSUID, ST_RDONLY, ST_RELATIME, ST_VALID,
} from '../../abi/statfs.ts';
import type { Location } from '../../fs/dentry.ts';
import { locationOf, mountIsReadOnly } from '../../fs/open.ts';
import { MAY_WRITE, inodePermission } from '../../fs/permission.ts';
import type { Credentials } from '../../fs/types.ts';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate, majorOf, minorOf, pathArgument, putI64, putStat, putTime, specialOpener, viewOf, uniqueId } from './file-common.ts';

function stat(task: Task, path: number, buffer: number): number {
  const location = locate(task, AT_FDCWD, path, 0);
  return typeof location === 'number' ? location : putStat(task, buffer, location.dentry.inode.stat());
}

function lstat(task: Task, path: number, buffer: number): number {
  const location = locate(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  return typeof location === 'number' ? location : putStat(task, buffer, location.dentry.inode.stat());
}

function fstat(task: Task, fd: number, buffer: number): number {
  const file = task.files.get(fd);
  return file === undefined ? -EBADF : putStat(task, buffer, file.inode.stat());
}

function newfstatat(task: Task, directory: number, path: number, buffer: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0) return -EINVAL;
  if ((flags & AT_EMPTY_PATH) !== 0 && directory >= 0 && (path === 0 || task.memory.readU8(path) === 0)) return fstat(task, directory, buffer);
  const location = locate(task, directory, path, flags);
  return typeof location === 'number' ? location : putStat(task, buffer, location.dentry.inode.stat());
}

function statx(task: Task, directory: number, path: number, flags: number, mask: number, buffer: number): number {
  if ((mask & STATX__RESERVED) !== 0) return -EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0) return -EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) return -EINVAL;
  const location = locate(task, directory, path, flags);
  return typeof location === 'number' ? location : putStatx(task, buffer, location, mask);
}

function putStatx(task: Task, address: number, location: Location, wanted: number): number {
  const stat = location.dentry.inode.stat();
  const bytes = task.memory.writable(address, STATX_STRUCT_SIZE);
  if (bytes === undefined) return -EFAULT;
  bytes.fill(0);
  const view = viewOf(bytes);
  const isUnique = (wanted & STATX_MNT_ID_UNIQUE) !== 0;
  const at = STATX_OFFSETS;
  view.setUint32(at.mask, STATX_BASIC_STATS | STATX_BTIME | (isUnique ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID), true);
  view.setUint32(at.blksize, stat.blockSize, true);
  putI64(view, at.attributes, location.dentry === location.mount.root ? STATX_ATTR_MOUNT_ROOT : 0);
  putI64(view, at.attributesMask, STATX_ATTR_MOUNT_ROOT);
  view.setUint32(at.nlink, stat.nlink, true);
  view.setUint32(at.uid, task.credentials.user.shownUid(stat.uid), true);
  view.setUint32(at.gid, task.credentials.user.shownGid(stat.gid), true);
  view.setUint16(at.mode, stat.mode, true);
  putI64(view, at.ino, stat.ino);
  putI64(view, at.size, stat.size);
  putI64(view, at.blocks, stat.blocks);
  putTime(view, at.atime, stat.atimeNs);
  putTime(view, at.btime, stat.btimeNs);
  putTime(view, at.ctime, stat.ctimeNs);
  putTime(view, at.mtime, stat.mtimeNs);
  view.setUint32(at.rdevMajor, majorOf(stat.rdev), true);
  view.setUint32(at.rdevMinor, minorOf(stat.rdev), true);
  view.setUint32(at.devMajor, majorOf(stat.dev), true);
  view.setUint32(at.devMinor, minorOf(stat.dev), true);
  putI64(view, at.mntId, isUnique ? uniqueId(location.mount) : location.mount.id);
  return 0;
}

function putStatfs(task: Task, address: number, { mount }: Location): number {
  const { fileSystem } = mount;
  const stat = fileSystem.statfs();
  const bytes = task.memory.writable(address, STATFS_SIZE);
  if (bytes === undefined) return -EFAULT;
  bytes.fill(0);
  const view = viewOf(bytes);
  const at = STATFS_OFFSETS;
  putI64(view, at.type, stat.type);
  putI64(view, at.bsize, stat.blockSize);
  putI64(view, at.blocks, stat.blocks);
  putI64(view, at.bfree, stat.freeBlocks);
  putI64(view, at.bavail, stat.freeBlocks);
  putI64(view, at.files, stat.files);
  putI64(view, at.ffree, stat.freeFiles);
  view.setUint32(at.fsid, fileSystem.dev >>> 0, true);
  putI64(view, at.namelen, stat.nameLength);
  putI64(view, at.frsize, stat.blockSize);
  let flags = ST_VALID;
  if (mountIsReadOnly(mount)) flags |= ST_RDONLY;
  if ((mount.flags & MS_NOSUID) !== 0) flags |= ST_NOSUID;
  if ((mount.flags & MS_NODEV) !== 0) flags |= ST_NODEV;
  if ((mount.flags & MS_NOEXEC) !== 0) flags |= ST_NOEXEC;
  flags |= (mount.flags & MS_NOATIME) !== 0 ? ST_NOATIME : ST_RELATIME;
  putI64(view, at.flags, flags);
  return 0;
}

function statfs(task: Task, path: number, buffer: number): number {
  const location = locate(task, AT_FDCWD, path, 0);
  return typeof location === 'number' ? location : putStatfs(task, buffer, location);
}

function fstatfs(task: Task, fd: number, buffer: number): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  const location = locationOf(file);
  if (location.mount.fileSystem === file.inode.fileSystem) return putStatfs(task, buffer, location);
  return putStatfs(task, buffer, { ...location, mount: Object.assign(Object.create(location.mount) as Location['mount'], { fileSystem: file.inode.fileSystem }) });
}

/** Credentials with the real ids: access(2) asks for whom runs a set-user-ID program (fs/open.c:access_override_creds). */
function realCredentials(task: Task): Credentials {
  const { credentials } = task;
  if (credentials.uid === credentials.fsuid && credentials.gid === credentials.fsgid) return credentials;
  const root = credentials.uid === credentials.user.root;
  const high = 2 ** (CAP_LAST_CAP - 31) - 1;
  return {
    fsuid: credentials.uid, fsgid: credentials.gid, groups: credentials.groups, idMapping: credentials.idMapping,
    capabilitiesLow: root ? 0xffff_ffff : 0, capabilitiesHigh: root ? high : 0,
  };
}

function faccessat2(task: Task, directory: number, path: number, mode: number, flags: number): number {
  if ((mode & ~7) !== 0) return -EINVAL;
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const argument = pathArgument(task, directory, path, (flags & AT_EMPTY_PATH) !== 0);
  if (typeof argument === 'number') return argument;
  const credentials = (flags & AT_EACCESS) !== 0 ? task.credentials : realCredentials(task);
  const lookup = ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) === 0 ? 0 : LOOKUP_EMPTY);
  const location = walkPath(task.fs, credentials, argument.start, argument.path, lookup);
  if (typeof location === 'number') return location;
  const { inode } = location.dentry;
  const type = inode.mode & S_IFMT;
  if ((mode & 1) !== 0 && type === S_IFREG && (location.mount.flags & MS_NOEXEC) !== 0) return -EACCES;
  const writesFile = (mode & MAY_WRITE) !== 0 && (type === S_IFREG || type === S_IFDIR || type === S_IFLNK);
  if (writesFile && location.mount.fileSystem.readOnly) return -EROFS;
  if (mode !== 0) {
    const denied = inodePermission(inode, mode, credentials);
    if (denied !== 0) return denied;
    if ((type === S_IFCHR || type === S_IFBLK) && !specialOpener(task.kernel).mayUse(inode, mode)) return -EPERM;
  }
  return writesFile && mountIsReadOnly(location.mount) ? -EROFS : 0;
}

function faccessat(task: Task, directory: number, path: number, mode: number): number {
  return faccessat2(task, directory, path, mode, 0);
}

function readlinkat(task: Task, directory: number, path: number, buffer: number, size: number): number {
  if ((size | 0) <= 0) return -EINVAL;
  const location = locate(task, directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
  if (typeof location === 'number') return location;
  const { inode } = location.dentry;
  if ((inode.mode & S_IFMT) !== S_IFLNK) return task.memory.readU8(path) === 0 ? -ENOENT : -EINVAL;
  const target = inode.readLink();
  if (typeof target === 'number') return target === -ENOTDIR ? -EINVAL : target;
  const count = Math.min(target.length, size);
  const bytes = task.memory.writable(buffer, count);
  if (bytes === undefined) return -EFAULT;
  for (let index = 0; index < count; index++) bytes[index] = target.charCodeAt(index);
  return count;
}

export const fileStatRows: readonly SyscallRow[] = [
  { number: 4, name: 'stat', arguments: ['path', 'pointer:stat'], handler: stat, support: 'full' },
  { number: 5, name: 'fstat', arguments: ['fd', 'pointer:stat'], handler: fstat, support: 'full' },
  { number: 6, name: 'lstat', arguments: ['path', 'pointer:stat'], handler: lstat, support: 'full' },
  {
    number: 21, name: 'access', arguments: ['path', 'flags:access'], support: 'full',
    handler: (task, path, mode) => faccessat(task, AT_FDCWD, path, mode),
  },
  {
    number: 89, name: 'readlink', arguments: ['path', 'pointer', 'size'], support: 'full',
    handler: (task, path, buffer, size) => readlinkat(task, AT_FDCWD, path, buffer, size),
  },
  { number: 137, name: 'statfs', arguments: ['path', 'pointer:statfs'], handler: statfs, support: 'full' },
  { number: 138, name: 'fstatfs', arguments: ['fd', 'pointer:statfs'], handler: fstatfs, support: 'full' },
  { number: 262, name: 'newfstatat', arguments: ['fd', 'path', 'pointer:stat', 'flags:at'], handler: newfstatat, support: 'full' },
  { number: 267, name: 'readlinkat', arguments: ['fd', 'path', 'pointer', 'size'], handler: readlinkat, support: 'full' },
  { number: 269, name: 'faccessat', arguments: ['fd', 'path', 'flags:access'], handler: faccessat, support: 'full' },
  { number: 332, name: 'statx', arguments: ['fd', 'path', 'flags:at', 'uint', 'pointer:statx'], handler: statx, support: 'full' },
  { number: 439, name: 'faccessat2', arguments: ['fd', 'path', 'flags:access', 'flags:at'], handler: faccessat2, support: 'full' },
];
