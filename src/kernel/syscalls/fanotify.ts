/** fanotify_init(2), fanotify_mark(2) (Linux fs/notify/fanotify/fanotify_user.c). */
import { EBADF, EINVAL, ENOTDIR, EPERM } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import * as abi from '../../abi/fanotify.ts';
import { O_APPEND, O_CLOEXEC, O_DSYNC, O_LARGEFILE, O_NOATIME, O_NONBLOCK, O_RDWR, O_SYNC } from '../../abi/fcntl.ts';
import { S_IFDIR, S_IFMT } from '../../abi/stat.ts';
import { Mount, type Location } from '../../fs/dentry.ts';
import { locationOf, openLocation } from '../../fs/open.ts';
import { inodePermission, MAY_READ } from '../../fs/permission.ts';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import { FanotifyFile, type MarkedObject } from '../files/fanotify.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { pathArgument, specialOpener } from './file-common.ts';

const O_ACCMODE = 3;
/** What descriptors of events may be opened with. */
const EVENT_FLAGS = O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | O_CLOEXEC | O_LARGEFILE | O_NOATIME;

function init(task: KernelTask, flags: number, eventFlags: number): number {
  if (!task.capable(CAP_SYS_ADMIN)) return -EPERM;
  const classes = flags & (abi.FAN_CLASS_CONTENT | abi.FAN_CLASS_PRE_CONTENT);
  if ((flags & ~abi.FAN_INIT_FLAGS) !== 0 || classes === (abi.FAN_CLASS_CONTENT | abi.FAN_CLASS_PRE_CONTENT)) return -EINVAL;
  if ((eventFlags & ~EVENT_FLAGS) !== 0 || (eventFlags & O_ACCMODE) > O_RDWR) return -EINVAL;
  const { kernel } = task;
  const byThread = (flags & abi.FAN_REPORT_TID) !== 0;
  const file = new FanotifyFile(specialFilesOf(kernel).anonymousInode, {
    flags: O_RDWR | ((flags & abi.FAN_NONBLOCK) !== 0 ? O_NONBLOCK : 0),
    unlimited: (flags & abi.FAN_UNLIMITED_QUEUE) !== 0,
    currentId: () => (byThread ? kernel.current?.tid : kernel.current?.process.pid) ?? 0,
    numberOf: (id) => (kernel.current ?? task).numberOf(id),
    openEvent: (location) => openEvent(kernel.current ?? task, location, eventFlags),
  });
  return task.files.install(file, (flags & abi.FAN_CLOEXEC) !== 0);
}

/** Whoever has the group may look at the file, whatever its permissions say, and unseen by it (create_fd). */
function openEvent(task: KernelTask, location: Location, flags: number): number {
  const request = { context: task.fs, credentials: task.credentials, flags: flags & ~O_CLOEXEC, mode: 0, resolve: 0, special: specialOpener(task.kernel) };
  const file = openLocation({ ...location, isSilent: true }, request, true);
  if (typeof file === 'number') return file;
  const fd = task.files.install(file, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) file.release();
  return fd;
}

/** Checks flags and mask: 0 or -EINVAL. */
function checkMark(flags: number, mask: number): number {
  const action = flags & (abi.FAN_MARK_ADD | abi.FAN_MARK_REMOVE | abi.FAN_MARK_FLUSH);
  if ((flags & ~abi.FAN_MARK_FLAGS) !== 0 || mask < 0 || mask > 0xffff_ffff) return -EINVAL;
  if ((flags & abi.FAN_MARK_MOUNT) !== 0 && (flags & abi.FAN_MARK_FILESYSTEM) !== 0) return -EINVAL;
  if (action === abi.FAN_MARK_FLUSH) return (flags & ~(abi.FAN_MARK_FLUSH | abi.FAN_MARK_MOUNT | abi.FAN_MARK_FILESYSTEM)) !== 0 ? -EINVAL : 0;
  if (action !== abi.FAN_MARK_ADD && action !== abi.FAN_MARK_REMOVE) return -EINVAL;
  return mask === 0 || (mask & ~(abi.FAN_EVENTS | abi.FAN_EVENT_ON_CHILD | abi.FAN_ONDIR)) !== 0 ? -EINVAL : 0;
}

/** The place that a mark is for: a path, or the descriptor itself. */
function findPlace(task: KernelTask, flags: number, directory: number, address: number): Location | number {
  const onlyDirectory = (flags & abi.FAN_MARK_ONLYDIR) !== 0;
  if (address === 0) {
    const file = task.files.get(directory);
    if (file === undefined) return -EBADF;
    const isDirectory = (file.inode.mode & S_IFMT) === S_IFDIR;
    return onlyDirectory && !isDirectory ? -ENOTDIR : locationOf(file);
  }
  const argument = pathArgument(task, directory, address);
  if (typeof argument === 'number') return argument;
  const lookup = ((flags & abi.FAN_MARK_DONT_FOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | (onlyDirectory ? LOOKUP_DIRECTORY : 0);
  return walkPath(task.fs, task.credentials, argument.start, argument.path, lookup);
}

function kindOf(flags: number): (object: MarkedObject) => boolean {
  if ((flags & abi.FAN_MARK_MOUNT) !== 0) return (object) => object instanceof Mount;
  return (flags & abi.FAN_MARK_FILESYSTEM) !== 0 ? (object) => !(object instanceof Mount) && 'statfs' in object : (object) => 'ino' in object;
}

function mark(task: KernelTask, fd: number, flags: number, mask: number, directory: number, address: number): number {
  const refused = checkMark(flags, mask);
  if (refused !== 0) return refused;
  const group = task.files.get(fd);
  if (group === undefined) return -EBADF;
  if (!(group instanceof FanotifyFile)) return -EINVAL;
  if ((flags & abi.FAN_MARK_FLUSH) !== 0) {
    group.flush(kindOf(flags));
    return 0;
  }
  const found = findPlace(task, flags, directory, address);
  if (typeof found === 'number') return found;
  const { mount, dentry } = found;
  const denied = inodePermission(dentry.inode, MAY_READ, task.credentials);
  if (denied !== 0) return denied;
  const object = (flags & abi.FAN_MARK_MOUNT) !== 0 ? mount : (flags & abi.FAN_MARK_FILESYSTEM) !== 0 ? dentry.inode.fileSystem : dentry.inode;
  const ignores = (flags & abi.FAN_MARK_IGNORED_MASK) !== 0;
  if ((flags & abi.FAN_MARK_REMOVE) !== 0) return group.unmark(object, mask, ignores);
  return group.mark(object, dentry.tree, mask, ignores, (flags & abi.FAN_MARK_IGNORED_SURV_MODIFY) !== 0);
}

export const fanotifyRows: readonly SyscallRow[] = [
  row(300, 'fanotify_init', ['uint', 'uint'], init, { support: 'partial', note: 'No file handles instead of descriptors (EINVAL); needs CAP_SYS_ADMIN; FAN_UNLIMITED_QUEUE holds 131,072 events.' }),
  row(301, 'fanotify_mark', ['fd', 'uint', 'long', 'fd', 'pointer'], mark, { support: 'partial', note: 'Events with a descriptor: access, modification, open, close. No permission events, no FAN_OPEN_EXEC (EINVAL).' }),
];
