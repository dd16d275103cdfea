/** inotify(7): inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). */
import { EBADF, EINVAL } from '../../abi/errno.ts';
import { O_NONBLOCK, O_RDONLY } from '../../abi/fcntl.ts';
import {
  IN_ALL_EVENTS, IN_CLOEXEC, IN_DONT_FOLLOW, IN_EXCL_UNLINK, IN_ISDIR, IN_MASK_ADD, IN_MASK_CREATE, IN_NONBLOCK, IN_ONESHOT, IN_ONLYDIR, IN_UNMOUNT,
} from '../../abi/inotify.ts';
import { inodePermission, MAY_READ } from '../../fs/permission.ts';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import { InotifyFile } from '../files/inotify.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { SyscallRow, Task } from '../types.ts';

const VALID = (IN_ALL_EVENTS | IN_UNMOUNT | IN_ISDIR | IN_ONESHOT | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD | IN_MASK_CREATE) >>> 0;

function inotifyInit1(task: Task, flags: number): number {
  if ((flags & ~(IN_CLOEXEC | IN_NONBLOCK)) !== 0) return -EINVAL;
  const file = new InotifyFile(specialFilesOf(task.kernel).anonymousInode, O_RDONLY | (flags & O_NONBLOCK));
  return task.files.install(file, (flags & IN_CLOEXEC) !== 0);
}

function addWatch(task: Task, fd: number, pathAddress: number, mask: number): number {
  if ((mask & VALID) === 0 || (mask & ~VALID) !== 0) return -EINVAL;
  if ((mask & IN_MASK_ADD) !== 0 && (mask & IN_MASK_CREATE) !== 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof InotifyFile)) return -EINVAL;
  const path = task.memory.readPath(pathAddress);
  if (typeof path === 'number') return path;
  const lookup = ((mask & IN_DONT_FOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((mask & IN_ONLYDIR) === 0 ? 0 : LOOKUP_DIRECTORY);
  const found = walkPath(task.fs, task.credentials, task.fs.cwd, path, lookup);
  if (typeof found === 'number') return found;
  const { inode } = found.dentry;
  return inodePermission(inode, MAY_READ, task.credentials) || file.watch(inode, mask);
}

function removeWatch(task: Task, fd: number, descriptor: number): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  return file instanceof InotifyFile ? file.unwatch(descriptor) : -EINVAL;
}

export const inotifyRows: readonly SyscallRow[] = [
  { number: 253, name: 'inotify_init', arguments: [], handler: (task) => inotifyInit1(task, 0), support: 'full' },
  { number: 254, name: 'inotify_add_watch', arguments: ['fd', 'path', 'uint'], handler: addWatch, support: 'full' },
  { number: 255, name: 'inotify_rm_watch', arguments: ['fd', 'int'], handler: removeWatch, support: 'full' },
  { number: 294, name: 'inotify_init1', arguments: ['flags:inotify'], handler: inotifyInit1, support: 'full' },
];
