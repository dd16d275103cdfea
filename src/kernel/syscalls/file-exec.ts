/** Opens a program for execve(2): Linux fs/exec.c:do_open_execat(). */
import { EACCES, EBADF, EINVAL, ELOOP, ETXTBSY } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, O_RDONLY } from '../../abi/fcntl.ts';
import { LANDLOCK_ACCESS_FS_EXECUTE } from '../../abi/landlock.ts';
import { MS_NOEXEC } from '../../abi/mount.ts';
import { S_IFLNK, S_IFMT, S_IFREG } from '../../abi/stat.ts';
import { pathOf } from '../../fs/path.ts';
import { MAY_EXEC, inodePermission } from '../../fs/permission.ts';
import type { OpenFile } from '../../fs/types.ts';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import type { Task } from '../types.ts';
import { startOf } from './file-common.ts';

/** A program found: nothing is held open for it. */
export type ExecutableFile = Pick<OpenFile, 'inode' | 'description' | 'location'>;

/** The program's file, readable whatever its mode, or a negative errno. `flags` are those of execveat(2). */
export function openExecutable(task: Task, directory: number, path: string, flags: number): ExecutableFile | number {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  if (path === '' && (flags & AT_EMPTY_PATH) !== 0 && task.files.get(directory) === undefined) return -EBADF;
  const start = startOf(task, directory, path);
  if (typeof start === 'number') return start;
  const lookup = ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) === 0 ? 0 : LOOKUP_EMPTY);
  const found = walkPath(task.fs, task.credentials, start, path, lookup);
  if (typeof found === 'number') return found;
  const location = { mount: found.mount, dentry: found.dentry };
  const { inode } = location.dentry;
  const type = inode.mode & S_IFMT;
  if (type === S_IFLNK) return -ELOOP;
  if (type !== S_IFREG || (location.mount.flags & MS_NOEXEC) !== 0) return -EACCES;
  const denied = inodePermission(inode, MAY_EXEC, task.credentials);
  if (denied !== 0) return denied;
  const refused = task.credentials.restriction?.check(location, LANDLOCK_ACCESS_FS_EXECUTE) ?? 0;
  if (refused !== 0) return refused;
  if ((inode.writers ?? 0) > 0) return -ETXTBSY;
  const error = inode.prepareOpen?.(O_RDONLY) ?? 0;
  return error !== 0 ? error : { inode, description: pathOf(location), location };
}
