/** The file systems that mount(2) and fsopen(2) know in a kernel, and who may mount them (Linux fs/super.c, FS_USERNS_MOUNT). */
import { EINVAL, ENODEV, EPERM } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { MS_NOATIME, MS_NODIRATIME, MS_RDONLY, MS_RELATIME } from '../../abi/mount.ts';
import type { Mount } from '../../fs/dentry.ts';
import type { MountNamespace } from '../../fs/mounts.ts';
import { TmpFs, type TmpFsOptions } from '../../fs/tmpfs.ts';
import type { FileSystem } from '../../fs/types.ts';
import { NO_ID } from '../namespaces/id-map.ts';
import type { UserNamespace } from '../namespaces/user-namespace.ts';
import type { Kernel, Task } from '../types.ts';
import { TMPFS_BYTES, tmpfsPool } from './tmpfs-pool.ts';

const TMPFS_INODES = 1_000_000;
const ATIME_FLAGS = MS_NOATIME | MS_NODIRATIME | MS_RELATIME;

/** Makes a file system, or answers a negative errno. `options` is the data string of mount(2). */
export type FileSystemMaker = (task: Task, options: string) => FileSystem | number;

export interface FileSystemType {
  readonly make: FileSystemMaker;
  /** Whether one option is of the type: 0, or a negative errno. Absent: only `make` tells. */
  readonly check?: (task: Task, option: string) => number;
  /** MS_REMOUNT and FSCONFIG_CMD_RECONFIGURE with options: 0, or a negative errno. Absent: the type has none that change. */
  readonly reconfigure?: (task: Task, fileSystem: FileSystem, options: string) => number;
  /** The user namespace whose CAP_SYS_ADMIN it takes; absent: the first one's. */
  readonly owner?: (task: Task) => UserNamespace;
  /** A user namespace mounts it only where all of one is visible already: parts of it may have been covered on purpose (SB_I_USERNS_VISIBLE). */
  readonly mustBeVisible?: boolean;
}

const types = new WeakMap<Kernel, Map<string, FileSystemType>>();
let nextDevice = 200;

/** A device number for a file system without a device (get_anon_bdev). */
export function nextAnonymousDevice(): number {
  return nextDevice++;
}

/** Lets mount(2) know a type: `proc`, `sysfs`, `devpts` and so on. */
export function registerFileSystem(kernel: Kernel, type: string, make: FileSystemMaker, rights: Omit<FileSystemType, 'make'> = {}): void {
  let known = types.get(kernel);
  if (known === undefined) types.set(kernel, (known = new Map()));
  known.set(type, { make, ...rights });
}

const TMPFS: FileSystemType = {
  make: makeTmpfs,
  check: (task, option) => {
    const parsed = parseTmpfs(task, option);
    return typeof parsed === 'number' ? parsed : 0;
  },
  owner: (task) => task.credentials.user,
};

/** The type, or -ENODEV. */
export function findFileSystemType(kernel: Kernel, name: string): FileSystemType | number {
  return types.get(kernel)?.get(name) ?? (name === 'tmpfs' || name === 'ramfs' ? TMPFS : -ENODEV);
}

/** Names of all types, for /proc/filesystems. */
export function fileSystemNames(kernel: Kernel): string[] {
  return [...(types.get(kernel)?.keys() ?? []), 'tmpfs', 'ramfs'];
}

/** mount_capable(). */
export function mayMountType(task: Task, type: FileSystemType): boolean {
  return type.owner === undefined ? task.capable(CAP_SYS_ADMIN) : task.capableIn(type.owner(task), CAP_SYS_ADMIN);
}

/** mount_too_revealing(): a user namespace sees no more by mounting it than it did before. */
export function isTooRevealing(namespace: MountNamespace, type: FileSystemType, name: string, flags: number): boolean {
  if (type.mustBeVisible !== true || (namespace.user as UserNamespace).isFirst) return false;
  for (const mount of namespace.mounts) if (mount.fileSystem.type === name && showsAll(mount, flags)) return false;
  return true;
}

/** mnt_already_visible(): nothing locked covers more than an empty directory, and no flag that is locked would be lost. */
function showsAll(mount: Mount, flags: number): boolean {
  if (mount.root.parent !== undefined) return false;
  if ((mount.lockedFlags & MS_RDONLY) !== 0 && (flags & MS_RDONLY) === 0) return false;
  if ((mount.lockedFlags & ATIME_FLAGS) !== 0 && (mount.flags & ATIME_FLAGS) !== (flags & ATIME_FLAGS)) return false;
  for (const [place, child] of mount.children) {
    if (!child.isLocked) continue;
    const entries = place.inode.readDirectory();
    if (typeof entries === 'number' || entries.length > 0) return false;
  }
  return true;
}

/** Bytes of `size=64m`. */
function parseSize(text: string): number {
  const match = /^(\d+)([kmgKMG%]?)$/.exec(text);
  if (match === null) return NaN;
  const unit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, '%': TMPFS_BYTES / 50 }[match[2]!.toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}

type TmpfsSettings = Pick<Required<TmpFsOptions>, 'maxBytes' | 'maxInodes' | 'mode' | 'uid' | 'gid'>;

/** tmpfs(5); its owner's ids are those of the mounting task's user namespace. */
function parseTmpfs(task: Task, options: string): TmpfsSettings | number {
  const { user, fsuid, fsgid } = task.credentials;
  let maxBytes = TMPFS_BYTES;
  let maxInodes = TMPFS_INODES;
  let mode = 0o1777;
  let uid = fsuid;
  let gid = fsgid;
  for (const option of options.split(',').filter((part) => part.length > 0)) {
    const [name, value = ''] = option.split('=', 2) as [string, string?];
    if (name === 'size') maxBytes = parseSize(value);
    else if (name === 'nr_inodes') maxInodes = parseSize(value);
    else if (name === 'mode') mode = Number.parseInt(value, 8) & 0o7777;
    else if (name === 'uid') uid = user.kernelUid(Number.parseInt(value, 10));
    else if (name === 'gid') gid = user.kernelGid(Number.parseInt(value, 10));
    else if (!['nr_blocks', 'huge', 'mpol', 'inode64', 'inode32', 'noswap'].includes(name)) return -EINVAL;
  }
  if (!(maxBytes >= 0) || !(maxInodes >= 0) || Number.isNaN(mode + uid + gid) || uid === NO_ID || gid === NO_ID) return -EINVAL;
  return { maxBytes: Math.min(maxBytes || TMPFS_BYTES, TMPFS_BYTES), maxInodes: Math.min(maxInodes || TMPFS_INODES, TMPFS_INODES), mode, uid, gid };
}

function makeTmpfs(task: Task, options: string): FileSystem | number {
  const settings = parseTmpfs(task, options);
  if (typeof settings === 'number') return settings;
  const { kernel, credentials: { user } } = task;
  return new TmpFs({
    ...settings, dev: nextAnonymousDevice(), now: kernel.realtimeNs, owner: user.isFirst ? undefined : user, pool: tmpfsPool(kernel), payer: () => kernel.memoryPayer?.(),
  });
}

/** A new file system of a type for mount(2) and fsopen(2), with the rights checked; or a negative errno. */
export function makeFileSystem(task: Task, name: string, options: string): FileSystem | number {
  const type = findFileSystemType(task.kernel, name);
  if (typeof type === 'number') return type;
  return mayMountType(task, type) ? type.make(task, options) : -EPERM;
}
