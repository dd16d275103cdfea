/** Where the paths of a call lead, before it is made. Nothing is changed by asking. */
import { AT_FDCWD } from '../../abi/fcntl.ts';
import { S_IFLNK, S_IFMT } from '../../abi/stat.ts';
import { lookupChild, type Location } from '../../fs/dentry.ts';
import { pathOf } from '../../fs/path.ts';
import { LAST_NORM, LOOKUP_FOLLOW, LOOKUP_PARENT, Walk, walkPath } from '../../fs/walk.ts';
import { startOf } from '../syscalls/file-common.ts';
import type { KernelTask } from '../task/task.ts';
import { MOST_LINKS } from './limits.ts';

/** `a//b/./c/../d` without what it does not need, by the text alone. Absolute paths only. */
export function normalize(path: string): string {
  if (!/\/(?:\/|\.\.?(?:\/|$))|.\/$/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The path made absolute, links not followed. */
export function absolutePath(task: KernelTask, directory: number, path: string): string {
  if (path.startsWith('/')) return normalize(path);
  const base = directory === AT_FDCWD ? pathOf(task.fs.cwd) : (task.files.get(directory)?.description ?? '');
  if (path === '') return base;
  return base.startsWith('/') ? normalize(`${base}/${path}`) : path;
}

function below(directory: Location, name: string): string {
  const path = pathOf(directory);
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** The errno of looking for it, or undefined where it is there. */
export function lookupError(task: KernelTask, directory: number, path: string, follow: boolean): number | undefined {
  const start = startOf(task, directory, path);
  if (typeof start === 'number') return -start;
  if (path === '') return undefined;
  const found = walkPath(task.fs, task.credentials, start, path, follow ? LOOKUP_FOLLOW : 0);
  return typeof found === 'number' ? -found : undefined;
}

/** The path with links followed, also where the last part is not there yet; undefined where it leads nowhere. `follow`: the last part too. */
export function realPath(task: KernelTask, directory: number, path: string, follow: boolean): string | undefined {
  const start = startOf(task, directory, path);
  if (typeof start === 'number') return undefined;
  if (path === '') return pathOf(start);
  if (follow) {
    const found = walkPath(task.fs, task.credentials, start, path, LOOKUP_FOLLOW);
    if (typeof found !== 'number') return pathOf(found);
  }
  const walk = new Walk(task.fs, task.credentials, start);
  let rest = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    if (walk.run(rest, LOOKUP_PARENT) !== 0) return undefined;
    if (walk.last !== LAST_NORM) return pathOf(walk);
    const child = lookupChild(walk.dentry, walk.name);
    if (!follow || typeof child === 'number' || (child.inode.mode & S_IFMT) !== S_IFLNK) return below(walk, walk.name);
    // A link to what is not there: open(2) makes the file behind it.
    const target = child.inode.readLink();
    if (typeof target !== 'string' || target === '') return below(walk, walk.name);
    rest = target;
  }
  return undefined;
}
