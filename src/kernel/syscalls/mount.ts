/** mount(2), umount2(2), pivot_root(2), in the caller's own mount namespace. */
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EBUSY, EFAULT, EINVAL, ENODEV, ENOENT, ENOTDIR, EPERM } from '../../abi/errno.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../abi/fcntl.ts';
import {
  MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MS_BIND, MS_MGC_MSK, MS_MGC_VAL, MS_MOVE, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID,
  MS_NOSYMFOLLOW, MS_PRIVATE, MS_RDONLY, MS_REC, MS_RELATIME, MS_REMOUNT, MS_SHARED, MS_SLAVE, MS_UNBINDABLE, UMOUNT_NOFOLLOW,
} from '../../abi/mount.ts';
import type { Location } from '../../fs/dentry.ts';
import { isDirectory } from '../../fs/open-file.ts';
import { hasCapability } from '../../fs/permission.ts';
import { TmpFs } from '../../fs/tmpfs.ts';
import type { FileSystem } from '../../fs/types.ts';
import type { Kernel, SyscallRow, Task } from '../types.ts';
import { locate } from './file-common.ts';

const KEPT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_NOSYMFOLLOW;
const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
/** A tmpfs without `size=`: half of what the container's memory is thought to be. */
const TMPFS_BYTES = 2 ** 30;

/** Makes a file system for mount(2): undefined where the type is not known. `options` is the data string. */
export type FileSystemMaker = (task: Task, options: string) => FileSystem | number;

const makers = new WeakMap<Kernel, Map<string, FileSystemMaker>>();
let nextDevice = 200;

/** Lets mount(2) know a type: `container` registers `proc`, `sysfs`, `devpts` and so on. */
export function registerFileSystem(kernel: Kernel, type: string, make: FileSystemMaker): void {
  let known = makers.get(kernel);
  if (known === undefined) makers.set(kernel, (known = new Map()));
  known.set(type, make);
}

/** Bytes of `size=64m`. */
function parseSize(text: string): number {
  const match = /^(\d+)([kmgKMG%]?)$/.exec(text);
  if (match === null) return -EINVAL;
  const unit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, '%': TMPFS_BYTES / 50 }[match[2]!.toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}

function makeTmpfs(task: Task, options: string): FileSystem | number {
  let maxBytes = TMPFS_BYTES;
  let maxInodes = 1_000_000;
  let mode = 0o1777;
  let uid = 0;
  let gid = 0;
  for (const option of options.split(',').filter((part) => part.length > 0)) {
    const [name, value = ''] = option.split('=', 2) as [string, string?];
    if (name === 'size') maxBytes = parseSize(value);
    else if (name === 'nr_inodes') maxInodes = parseSize(value);
    else if (name === 'mode') mode = Number.parseInt(value, 8) & 0o7777;
    else if (name === 'uid') uid = Number.parseInt(value, 10);
    else if (name === 'gid') gid = Number.parseInt(value, 10);
    else if (!['nr_blocks', 'huge', 'mpol', 'inode64', 'inode32', 'noswap'].includes(name)) return -EINVAL;
  }
  if (!(maxBytes >= 0) || !(maxInodes >= 0) || Number.isNaN(mode + uid + gid)) return -EINVAL;
  return new TmpFs({
    dev: nextDevice++, now: task.kernel.realtimeNs, maxBytes: Math.min(maxBytes || TMPFS_BYTES, TMPFS_BYTES),
    maxInodes: Math.min(maxInodes || 1_000_000, 1_000_000), mode, uid, gid, payer: () => task.kernel.memoryPayer?.(),
  });
}

function mount(task: Task, sourceAddress: number, targetAddress: number, typeAddress: number, flagsArgument: number, dataAddress: number): number {
  let flags = flagsArgument >>> 0;
  if (((flags & MS_MGC_MSK) >>> 0) === MS_MGC_VAL) flags = (flags & ~MS_MGC_MSK) >>> 0;
  const target = locate(task, AT_FDCWD, targetAddress, 0);
  if (typeof target === 'number') return target;
  if (!hasCapability(task.credentials, CAP_SYS_ADMIN)) return -EPERM;
  const { namespace } = task.fs;
  if ((flags & MS_REMOUNT) !== 0) return remount(target, flags);
  if ((flags & PROPAGATION) !== 0) return target.dentry === target.mount.root ? 0 : -EINVAL;
  if ((flags & (MS_BIND | MS_MOVE)) !== 0) {
    const source = locate(task, AT_FDCWD, sourceAddress, 0);
    if (typeof source === 'number') return source;
    if (isDirectory(source.dentry.inode) !== isDirectory(target.dentry.inode)) return -ENOTDIR;
    if ((flags & MS_BIND) !== 0) {
      const bound = namespace.bind(source, target, (flags & MS_REC) !== 0);
      return typeof bound === 'number' ? bound : 0;
    }
    return source.dentry === source.mount.root ? namespace.move(source.mount, target) : -EINVAL;
  }
  return mountNew(task, target, sourceAddress, typeAddress, flags, dataAddress);
}

function mountNew(task: Task, target: Location, sourceAddress: number, typeAddress: number, flags: number, dataAddress: number): number {
  const type = typeAddress === 0 ? -EINVAL : task.memory.readString(typeAddress, 256);
  if (typeof type === 'number') return type;
  const source = sourceAddress === 0 ? 'none' : task.memory.readString(sourceAddress, 4096);
  if (typeof source === 'number') return source;
  const data = dataAddress === 0 ? '' : task.memory.readString(dataAddress, 4096);
  if (typeof data === 'number') return data === -EFAULT ? data : -EINVAL;
  const make = makers.get(task.kernel)?.get(type) ?? (type === 'tmpfs' || type === 'ramfs' ? makeTmpfs : undefined);
  if (make === undefined) return -ENODEV;
  if (!isDirectory(target.dentry.inode)) return -ENOTDIR;
  const fileSystem = make(task, data);
  if (typeof fileSystem === 'number') return fileSystem;
  const made = task.fs.namespace.mount(fileSystem, target, flags & KEPT_FLAGS, source);
  return typeof made === 'number' ? made : 0;
}

/** MS_REMOUNT, with MS_BIND or without: only the flags change. A read-only file system stays so. */
function remount(target: Location, flags: number): number {
  if (target.dentry !== target.mount.root) return -EINVAL;
  target.mount.flags = flags & KEPT_FLAGS;
  return 0;
}

function umount2(task: Task, address: number, flags: number): number {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) return -EINVAL;
  const target = locate(task, AT_FDCWD, address, (flags & UMOUNT_NOFOLLOW) === 0 ? 0 : AT_SYMLINK_NOFOLLOW);
  if (typeof target === 'number') return target;
  if (!hasCapability(task.credentials, CAP_SYS_ADMIN)) return -EPERM;
  if (target.dentry !== target.mount.root) return -EINVAL;
  if ((flags & MNT_EXPIRE) !== 0) return -EINVAL;
  const inUse = [task.fs.root, task.fs.cwd].some((place) => place.mount === target.mount);
  if (inUse && (flags & MNT_DETACH) === 0) return -EBUSY;
  return task.fs.namespace.unmount(target.mount, (flags & MNT_DETACH) !== 0);
}

function pivotRoot(task: Task, newAddress: number, oldAddress: number): number {
  if (!hasCapability(task.credentials, CAP_SYS_ADMIN)) return -EPERM;
  const newRoot = locate(task, AT_FDCWD, newAddress, 0);
  if (typeof newRoot === 'number') return newRoot;
  const putOld = locate(task, AT_FDCWD, oldAddress, 0);
  if (typeof putOld === 'number') return putOld;
  if (!isDirectory(newRoot.dentry.inode) || !isDirectory(putOld.dentry.inode)) return -ENOTDIR;
  if (newRoot.dentry.deleted) return -ENOENT;
  const { namespace, root } = task.fs;
  if (newRoot.dentry !== newRoot.mount.root || root.mount !== namespace.root || root.dentry !== namespace.root.root) return -EINVAL;
  if (newRoot.mount === namespace.root || putOld.mount !== newRoot.mount) return newRoot.mount === namespace.root ? -EBUSY : -EINVAL;
  const result = namespace.pivot(newRoot.mount, putOld);
  if (result !== 0) return result;
  if (task.fs.cwd.mount === root.mount && task.fs.cwd.dentry === root.dentry) task.fs.cwd = newRoot;
  task.fs.root = { mount: newRoot.mount, dentry: newRoot.mount.root };
  return 0;
}

export const mountRows: readonly SyscallRow[] = [
  {
    number: 155, name: 'pivot_root', arguments: ['path', 'path'], handler: pivotRoot, support: 'partial',
    note: 'moves the caller only, not others that stand at the old root',
  },
  {
    number: 165, name: 'mount', arguments: ['path', 'path', 'pointer:string', 'long', 'pointer'], handler: mount, support: 'partial',
    note: 'tmpfs, proc, sysfs, devpts, bind and move; mounts never propagate',
  },
  { number: 166, name: 'umount2', arguments: ['path', 'flags:umount'], handler: umount2, support: 'partial', note: 'no MNT_EXPIRE' },
];
