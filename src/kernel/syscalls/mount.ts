/** mount(2), umount2(2), pivot_root(2), in the caller's own mount namespace (Linux fs/namespace.c). */
import { EBUSY, EFAULT, EINVAL, ELOOP, ENOENT, ENOTDIR, EPERM } from '../../abi/errno.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../abi/fcntl.ts';
import {
  MNT_DETACH, MS_BIND, MS_MGC_MSK, MS_MGC_VAL, MS_MOVE, MS_NOATIME, MS_NODIRATIME, MS_REC, MS_RELATIME, MS_REMOUNT, MS_SILENT, MS_STRICTATIME, UMOUNT_NOFOLLOW,
} from '../../abi/mount.ts';
import { isBelow, type Location } from '../../fs/dentry.ts';
import { isPropagationType } from '../../fs/mount-propagation.ts';
import { topOf } from '../../fs/mounts.ts';
import { isDirectory } from '../../fs/open-file.ts';
import { findFileSystemType, isTooRevealing, makeFileSystem } from '../mounts/file-system-types.ts';
import { MOUNT_FLAGS, PROPAGATION_FLAGS, REFUSED_UMOUNT_FLAGS, UMOUNT_FLAGS } from '../mounts/mount-flags.ts';
import { isMountUsed, mayChangeFlags, mayMount, mayReconfigure, moveTasks } from '../mounts/mount-rights.ts';
import type { FileSystem } from '../../fs/types.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate } from './file-common.ts';

/** Times of access are relative unless the call says otherwise (path_mount). */
function mountFlags(flags: number): number {
  const kept = flags & MOUNT_FLAGS;
  if ((flags & MS_STRICTATIME) !== 0) return kept & ~(MS_RELATIME | MS_NOATIME);
  return (flags & MS_NOATIME) !== 0 ? kept & ~MS_RELATIME : kept | MS_RELATIME;
}

function mount(task: Task, sourceAddress: number, targetAddress: number, typeAddress: number, flagsArgument: number, dataAddress: number): number {
  let flags = flagsArgument >>> 0;
  if (((flags & MS_MGC_MSK) >>> 0) === MS_MGC_VAL) flags = (flags & ~MS_MGC_MSK) >>> 0;
  const target = locate(task, AT_FDCWD, targetAddress, 0);
  if (typeof target === 'number') return target;
  if (!mayMount(task)) return -EPERM;
  if ((flags & MS_REMOUNT) !== 0) return remount(task, target, flags, dataAddress);
  if ((flags & (MS_BIND | MS_MOVE)) !== 0) {
    const source = locate(task, AT_FDCWD, sourceAddress, 0);
    if (typeof source === 'number') return source;
    return (flags & MS_BIND) !== 0 ? bind(task, source, target, (flags & MS_REC) !== 0) : move(task, source, target);
  }
  if ((flags & PROPAGATION_FLAGS) !== 0) return changePropagation(task, target, flags);
  return mountNew(task, target, sourceAddress, typeAddress, flags, dataAddress);
}

/** do_loopback(). */
function bind(task: Task, source: Location, target: Location, recursive: boolean): number {
  if (isDirectory(source.dentry.inode) !== isDirectory(target.dentry.inode)) return -ENOTDIR;
  return task.fs.namespace.bind(source, target, recursive);
}

/** do_move_mount(). */
export function move(task: Task, source: Location, target: Location): number {
  if (source.dentry !== source.mount.root) return -EINVAL;
  if (isDirectory(source.dentry.inode) !== isDirectory(target.dentry.inode)) return -EINVAL;
  return task.fs.namespace.move(source.mount, target);
}

/** do_change_type(). */
function changePropagation(task: Task, target: Location, flags: number): number {
  const type = flags & ~(MS_REC | MS_SILENT);
  if (target.dentry !== target.mount.root || !isPropagationType(type)) return -EINVAL;
  return task.fs.namespace.changePropagation(target.mount, type, (flags & MS_REC) !== 0);
}

function mountNew(task: Task, target: Location, sourceAddress: number, typeAddress: number, flags: number, dataAddress: number): number {
  const name = typeAddress === 0 ? -EINVAL : task.memory.readString(typeAddress, 256);
  if (typeof name === 'number') return name;
  const source = sourceAddress === 0 ? 'none' : task.memory.readString(sourceAddress, 4096);
  if (typeof source === 'number') return source;
  const data = readData(task, dataAddress);
  if (typeof data === 'number') return data;
  const { namespace } = task.fs;
  const type = findFileSystemType(task.kernel, name);
  if (typeof type === 'number') return type;
  if (isTooRevealing(namespace, type, name, mountFlags(flags))) return -EPERM;
  const fileSystem = makeFileSystem(task, name, data);
  if (typeof fileSystem === 'number') return fileSystem;
  if (!isDirectory(target.dentry.inode)) return -ENOTDIR;
  const made = namespace.mount(fileSystem, target, mountFlags(flags), source);
  return typeof made === 'number' ? made : 0;
}

/** MS_REMOUNT, with MS_BIND or without: the flags change, and options of a type that has such. A read-only file system stays so. */
function remount(task: Task, target: Location, flags: number, dataAddress: number): number {
  const { mount: at, dentry } = target;
  if (dentry !== at.root || !task.fs.namespace.has(at)) return -EINVAL;
  // Without a word on times of access they stay as they are.
  const times = (flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)) === 0 ? at.flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME) : mountFlags(flags);
  const next = (flags & MOUNT_FLAGS & ~MS_RELATIME) | times;
  if (!mayChangeFlags(at, next)) return -EPERM;
  if ((flags & MS_BIND) === 0) {
    const refused = changeOptions(task, at.fileSystem, dataAddress);
    if (refused !== 0) return refused;
  }
  at.flags = next;
  return 0;
}

/** The file system itself, for all its mounts (do_remount()). */
function changeOptions(task: Task, fileSystem: FileSystem, dataAddress: number): number {
  if (!mayReconfigure(task, fileSystem)) return -EPERM;
  const data = readData(task, dataAddress);
  if (typeof data === 'number') return data;
  const type = findFileSystemType(task.kernel, fileSystem.type);
  return typeof type === 'number' ? 0 : type.reconfigure?.(task, fileSystem, data) ?? 0;
}

/** The options that mount(2) was given, comma-separated. */
function readData(task: Task, address: number): string | number {
  const data = address === 0 ? '' : task.memory.readString(address, 4096);
  return typeof data === 'number' && data !== -EFAULT ? -EINVAL : data;
}

function umount2(task: Task, address: number, flags: number): number {
  if ((flags & ~UMOUNT_FLAGS) !== 0) return -EINVAL;
  const place = locate(task, AT_FDCWD, address, (flags & UMOUNT_NOFOLLOW) === 0 ? 0 : AT_SYMLINK_NOFOLLOW);
  if (typeof place === 'number') return place;
  if (!mayMount(task)) return -EPERM;
  // A working directory can have been mounted on (LOOKUP_MOUNTPOINT).
  const target = topOf(place);
  if (target.dentry !== target.mount.root) return -EINVAL;
  if ((flags & REFUSED_UMOUNT_FLAGS) !== 0) return -EINVAL;
  const { namespace } = task.fs;
  if (!namespace.has(target.mount) || target.mount.isLocked) return -EINVAL;
  if ((flags & MNT_DETACH) === 0 && isMountUsed(task.kernel, target.mount)) return -EBUSY;
  return namespace.unmount(target.mount, (flags & MNT_DETACH) !== 0);
}

/** Whether a place can be reached from another without leaving it (is_path_reachable). */
function isReachable(place: Location, from: Location): boolean {
  let { mount: at, dentry } = place;
  while (at !== from.mount) {
    if (at.parent === undefined || at.mountpoint === undefined) return false;
    dentry = at.mountpoint;
    at = at.parent;
  }
  return isBelow(dentry, from.dentry);
}

function pivotRoot(task: Task, newAddress: number, oldAddress: number): number {
  if (!mayMount(task)) return -EPERM;
  const newRoot = locate(task, AT_FDCWD, newAddress, 0);
  if (typeof newRoot === 'number') return newRoot;
  const putOld = locate(task, AT_FDCWD, oldAddress, 0);
  if (typeof putOld === 'number') return putOld;
  if (!isDirectory(newRoot.dentry.inode) || !isDirectory(putOld.dentry.inode)) return -ENOTDIR;
  const { namespace, root } = task.fs;
  const isShared = putOld.mount.peers !== undefined || newRoot.mount.parent?.peers !== undefined || root.mount.parent?.peers !== undefined;
  if (isShared || !namespace.has(root.mount) || !namespace.has(newRoot.mount) || newRoot.mount.isLocked) return -EINVAL;
  if (newRoot.dentry.deleted) return -ENOENT;
  if (newRoot.mount === root.mount || putOld.mount === root.mount) return -EBUSY;
  if (root.dentry !== root.mount.root || newRoot.dentry !== newRoot.mount.root || newRoot.mount.parent === undefined) return -EINVAL;
  if (!isReachable(putOld, newRoot) || !isReachable(newRoot, root)) return -EINVAL;
  const result = namespace.pivot(root.mount, newRoot.mount, putOld);
  if (result === 0) moveTasks(task.kernel, root, { mount: newRoot.mount, dentry: newRoot.dentry });
  return result === -ELOOP ? -EINVAL : result;
}

export const mountRows: readonly SyscallRow[] = [
  { number: 155, name: 'pivot_root', arguments: ['path', 'path'], handler: pivotRoot, support: 'full' },
  {
    number: 165, name: 'mount', arguments: ['path', 'path', 'pointer:string', 'long', 'pointer'], handler: mount, support: 'partial',
    note: 'tmpfs, overlay, proc, sysfs, devpts, mqueue, cgroup2, bind and move, propagation; no block devices',
  },
  { number: 166, name: 'umount2', arguments: ['path', 'flags:umount'], handler: umount2, support: 'partial', note: 'no MNT_EXPIRE' },
];
