/** Tells inotify and fanotify what happened (Linux fs/notify/fsnotify.c). Costs a few property reads where nobody watches. */
import { IN_ISDIR } from '../abi/inotify.ts';
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import type { Dentry, Location } from './dentry.ts';

/** An event of a file: to who watches it, its mount or its file system, and with its name to who watches its directory. */
export function notifyLocation(location: Location, mask: number): void {
  const { dentry } = location;
  if (location.isSilent === true) return;
  if (dentry.tree.watches !== undefined) for (const watch of dentry.tree.watches) watch.notify(location, mask);
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
