/** Tells inotify what happened (Linux fs/notify/fsnotify.c). Costs two property reads where nobody watches. */
import { IN_ISDIR } from '../abi/inotify.ts';
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import type { Dentry } from './dentry.ts';

/** An event of a file: to who watches it, and with its name to who watches its directory. */
export function notifyDentry(dentry: Dentry, mask: number): void {
  const { inode, parent } = dentry;
  const parentWatch = dentry.deleted ? undefined : parent?.inode.watch;
  if (inode.watch === undefined && parentWatch === undefined) return;
  const full = (inode.mode & S_IFMT) === S_IFDIR ? mask | IN_ISDIR : mask;
  parentWatch?.notify(full, dentry.name, 0);
  inode.watch?.notify(full, undefined, 0);
}

/** An event of a name in a directory: made, removed, moved. */
export function notifyName(directory: Dentry, name: string, mask: number, isDirectory: boolean, cookie = 0): void {
  directory.inode.watch?.notify(isDirectory ? mask | IN_ISDIR : mask, name, cookie);
}
