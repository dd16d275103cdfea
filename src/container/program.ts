/** Finds the program that a command's first word names, in the container's own tree (execvp(3)). */
import { EACCES, ENOENT } from '../abi/errno.ts';
import { S_IFMT, S_IFREG } from '../abi/stat.ts';
import { MAY_EXEC, inodePermission } from '../fs/permission.ts';
import type { Credentials } from '../fs/types.ts';
import { LOOKUP_FOLLOW, walkPath } from '../fs/walk.ts';
import type { VfsContext } from '../kernel/vfs-context.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function isExecutable(context: VfsContext, credentials: Credentials, path: string): number {
  const found = walkPath(context, credentials, context.cwd, path, LOOKUP_FOLLOW);
  if (typeof found === 'number') return found;
  const { inode } = found.dentry;
  if ((inode.mode & S_IFMT) !== S_IFREG) return -EACCES;
  return inodePermission(inode, MAY_EXEC, credentials);
}

/** A path that can be executed, or -ENOENT, -EACCES. */
export function findProgram(context: VfsContext, credentials: Credentials, name: string, env: readonly string[]): string | number {
  if (name === '') return -ENOENT;
  if (name.includes('/')) {
    const answer = isExecutable(context, credentials, name);
    return answer === 0 ? name : answer;
  }
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice(5) ?? DEFAULT_PATH;
  let failure = -ENOENT;
  for (const directory of path.split(':')) {
    const candidate = directory === '' ? `./${name}` : `${directory}/${name}`;
    const answer = isExecutable(context, credentials, candidate);
    if (answer === 0) return candidate;
    if (answer === -EACCES) failure = -EACCES;
  }
  return failure;
}
