/** Removes a directory with all that is in it, whatever a guest has put there: no link is followed, and no depth is too great. */
import { ENOENT } from '../abi/errno.ts';
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import { checkErrno } from '../image/index.ts';
import type { Disk } from '../image/index.ts';

/** Of PATH_MAX's 4096 bytes, a name takes 255. */
const LONGEST_PATH = 3000;

/** @throws StoreError where something cannot be removed. */
export function removeTree(disk: Disk, top: string): void {
  const { files } = disk;
  const waiting: { readonly path: string; isListed: boolean }[] = [{ path: top, isListed: false }];
  for (let at = waiting.at(-1); at !== undefined; at = waiting.at(-1)) {
    const { path, isListed } = at;
    if (isListed) {
      waiting.pop();
      const gone = files.rmdir(path);
      if (gone !== -ENOENT) checkErrno(gone, 'remove', path);
      continue;
    }
    at.isListed = true;
    // Its owner may have taken every right away, and the owner is us.
    files.chmod(path, 0o700);
    const entries = files.readDirectory(path);
    if (entries === -ENOENT) continue;
    if (typeof entries === 'number') checkErrno(entries, 'list', path);
    for (const { name } of entries as Exclude<typeof entries, number>) {
      const inner = `${path}/${name}`;
      const stat = files.lstat(inner);
      if (typeof stat === 'number') continue;
      if ((stat.mode & S_IFMT) !== S_IFDIR) {
        const gone = files.unlink(inner);
        if (gone !== -ENOENT) checkErrno(Math.min(0, gone), 'remove', inner);
      } else waiting.push({ path: inner.length < LONGEST_PATH ? inner : broughtUp(disk, inner, top), isListed: false });
    }
  }
}

/** A directory that is too deep gets a shorter path. */
function broughtUp(disk: Disk, path: string, top: string): string {
  disk.files.chmod(path, 0o700);
  const shorter = `${top}/${disk.randomName()}`;
  checkErrno(disk.files.rename(path, shorter), 'remove', path);
  return shorter;
}
