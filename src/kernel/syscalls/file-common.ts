/** What the calls on files share: places from descriptors and paths, structures laid out for the guest. */
import { EBADF, EFAULT, ENOTDIR, ENXIO } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_PATH } from '../../abi/fcntl.ts';
import { BPF_DEVCG_ACC_READ, BPF_DEVCG_ACC_WRITE, BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR } from '../../abi/bpf.ts';
import { S_IFBLK, S_IFDIR, S_IFMT, STAT_OFFSETS, STAT_SIZE } from '../../abi/stat.ts';
import { MNT_UNIQUE_ID_OFFSET } from '../../abi/mount-api.ts';
import type { Location, Mount } from '../../fs/dentry.ts';
import { openMemoryDevice } from '../../fs/devices.ts';
import { locationOf } from '../../fs/open.ts';
import type { SpecialOpener } from '../../fs/open.ts';
import { MAY_READ, MAY_WRITE } from '../../fs/permission.ts';
import { pathOf } from '../../fs/path.ts';
import type { OpenFile, Stat } from '../../fs/types.ts';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { KernelTask } from '../task/task.ts';
import type { Kernel, Task } from '../types.ts';

const SLASH = 47;

/** Where a path given to an *at call starts. */
export function startOf(task: Task, directory: number, path: string): Location | number {
  if (directory === AT_FDCWD || path.charCodeAt(0) === SLASH) return task.fs.cwd;
  const file = task.files.get(directory);
  if (file === undefined) return -EBADF;
  const location = locationOf(file);
  if (path.length > 0 && (location.dentry.inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
  return location;
}

/** A path argument and where it starts. */
export interface PathArgument {
  readonly start: Location;
  readonly path: string;
}

/** Reads the path first, then the descriptor, as Linux does. */
export function pathArgument(task: Task, directory: number, address: number, allowEmpty = false): PathArgument | number {
  const path = task.memory.readPath(address, allowEmpty);
  if (typeof path === 'number') return path;
  const start = startOf(task, directory, path);
  return typeof start === 'number' ? start : { start, path };
}

/** Finds what an *at call names; `flags` are AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH, checked by the caller. */
export function locate(task: Task, directory: number, address: number, flags: number): Location | number {
  const argument = pathArgument(task, directory, address, (flags & AT_EMPTY_PATH) !== 0);
  if (typeof argument === 'number') return argument;
  const lookup = ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) === 0 ? 0 : LOOKUP_EMPTY);
  return walkPath(task.fs, task.credentials, argument.start, argument.path, lookup);
}

/** The open file of a descriptor, not one opened with O_PATH. */
export function usableFile(task: Task, fd: number): OpenFile | undefined {
  const file = task.files.get(fd);
  return file === undefined || (file.flags & O_PATH) !== 0 ? undefined : file;
}

const openers = new WeakMap<Kernel, SpecialOpener>();

/** How FIFOs and device nodes are opened in a kernel. */
export function specialOpener(kernel: Kernel): SpecialOpener {
  let opener = openers.get(kernel);
  if (opener === undefined) {
    opener = {
      open: (inode, flags, location) => openMemoryDevice(inode, flags, (buffer) => kernel.random(buffer)) ?? specialFilesOf(kernel).open(inode, flags, pathOf(location)) ?? -ENXIO,
      mayUse: ({ mode, rdev }, mask) => mayUseDevice(kernel, mode, rdev, ((mask & MAY_READ) === 0 ? 0 : BPF_DEVCG_ACC_READ) | ((mask & MAY_WRITE) === 0 ? 0 : BPF_DEVCG_ACC_WRITE)),
    };
    openers.set(kernel, opener);
  }
  return opener;
}

/** devcgroup_check_permission(): whether the programs of the caller's control group allow it; `access` is BPF_DEVCG_ACC_*. */
export function mayUseDevice(kernel: Kernel, mode: number, rdev: number, access: number): boolean {
  const type = (mode & S_IFMT) === S_IFBLK ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  return access === 0 || (kernel.current as KernelTask | undefined)?.cgroup.devices.allows(type, access, rdev) !== false;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An unsigned or signed 64-bit value from a safe integer. */
export function putI64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

const BILLION = 1_000_000_000n;

/** `struct timespec`: seconds rounded down, nanoseconds from 0 on. */
export function putTime(view: DataView, at: number, nanoseconds: bigint): void {
  let seconds = nanoseconds / BILLION;
  let rest = nanoseconds - seconds * BILLION;
  if (rest < 0n) {
    rest += BILLION;
    seconds -= 1n;
  }
  putI64(view, at, Number(seconds));
  putI64(view, at + 8, Number(rest));
}

/** Writes a `struct stat`: 0 or -EFAULT. */
export function putStat(task: Task, address: number, stat: Stat): number {
  const bytes = task.memory.writable(address, STAT_SIZE);
  if (bytes === undefined) return -EFAULT;
  bytes.fill(0);
  const { user } = task.credentials;
  const view = viewOf(bytes);
  putI64(view, STAT_OFFSETS.dev, stat.dev);
  putI64(view, STAT_OFFSETS.ino, stat.ino);
  putI64(view, STAT_OFFSETS.nlink, stat.nlink);
  view.setUint32(STAT_OFFSETS.mode, stat.mode, true);
  view.setUint32(STAT_OFFSETS.uid, user.shownUid(stat.uid), true);
  view.setUint32(STAT_OFFSETS.gid, user.shownGid(stat.gid), true);
  putI64(view, STAT_OFFSETS.rdev, stat.rdev);
  putI64(view, STAT_OFFSETS.size, stat.size);
  putI64(view, STAT_OFFSETS.blksize, stat.blockSize);
  putI64(view, STAT_OFFSETS.blocks, stat.blocks);
  putTime(view, STAT_OFFSETS.atime, stat.atimeNs);
  putTime(view, STAT_OFFSETS.mtime, stat.mtimeNs);
  putTime(view, STAT_OFFSETS.ctime, stat.ctimeNs);
  return 0;
}

/** The number of a mount that no other ever has (STATX_MNT_ID_UNIQUE). */
export function uniqueId(mount: Mount): number {
  return mount.id + MNT_UNIQUE_ID_OFFSET;
}

/** Device numbers as glibc takes them apart (gnu_dev_major). */
export function majorOf(device: number): number {
  return ((device >>> 8) & 0xfff) | (Math.floor(device / 0x1_0000_0000) & ~0xfff);
}

export function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & ~0xff);
}
