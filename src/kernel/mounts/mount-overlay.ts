/** mount(2) of an overlay: its layers are directories of the guest (Linux fs/overlayfs/params.c, super.c). */
import { EINVAL, ELOOP, ENOTDIR, EROFS } from '../../abi/errno.ts';
import { isBelow, type Location } from '../../fs/dentry.ts';
import { isDirectory } from '../../fs/open-file.ts';
import { mountIsReadOnly } from '../../fs/open.ts';
import type { FileSystem } from '../../fs/types.ts';
import { UnionFs } from '../../fs/union.ts';
import { LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import type { Task } from '../types.ts';
import { nextAnonymousDevice } from './file-system-types.ts';

/** OVL_MAX_STACK. */
const MOST_LAYERS = 500;
/** Overlays on overlays (FILESYSTEM_MAX_STACK_DEPTH). */
const MOST_DEPTH = 2;
/** Options that change nothing here. */
const IGNORED = /^(index|xino|redirect_dir|metacopy|nfs_export|uuid|verity|fsync)=|^(volatile|default_permissions)$/;

interface Settings {
  lowers: string[];
  upper: string | undefined;
  work: string | undefined;
  userXattr: boolean;
}

/** Options apart by commas, which a path has with a backslash before them. */
function parse(options: string): Settings | number {
  const settings: Settings = { lowers: [], upper: undefined, work: undefined, userXattr: false };
  for (const option of options.split(/(?<!\\),/).filter((part) => part !== '')) {
    const cut = option.indexOf('=');
    const name = cut < 0 ? option : option.slice(0, cut);
    const value = option.slice(cut + 1).replaceAll('\\,', ',');
    if (name === 'lowerdir') settings.lowers = value.split(/(?<!\\):/).map((path) => path.replace(/\\(.)/g, '$1'));
    else if (name === 'upperdir') settings.upper = value;
    else if (name === 'workdir') settings.work = value;
    else if (name === 'userxattr') settings.userXattr = true;
    else if (!IGNORED.test(option)) return -EINVAL;
  }
  return settings;
}

function directoryAt(task: Task, path: string): Location | number {
  const found = walkPath(task.fs, task.credentials, task.fs.cwd, path, LOOKUP_FOLLOW);
  if (typeof found === 'number') return found;
  return isDirectory(found.dentry.inode) ? { mount: found.mount, dentry: found.dentry } : -ENOTDIR;
}

/** How many overlays a layer is made of. */
const depths = new WeakMap<FileSystem, number>();

export function makeOverlay(task: Task, options: string): FileSystem | number {
  const settings = parse(options);
  if (typeof settings === 'number') return settings;
  const { lowers: paths, upper: upperPath, work: workPath, userXattr } = settings;
  if (paths.length === 0 || paths.length > MOST_LAYERS || paths.includes('') || (upperPath === undefined) !== (workPath === undefined)) return -EINVAL;
  const lowers = paths.map((path) => directoryAt(task, path));
  const upper = upperPath === undefined ? undefined : directoryAt(task, upperPath);
  const work = workPath === undefined ? undefined : directoryAt(task, workPath);
  for (const place of [...lowers, upper, work]) if (typeof place === 'number') return place;
  const layers = lowers as Location[];
  if (upper !== undefined) {
    const refused = checkUpper(upper as Location, work as Location, layers);
    if (refused !== 0) return refused;
  }
  const depth = 1 + Math.max(...[...layers, ...(upper === undefined ? [] : [upper as Location])].map(({ mount }) => depths.get(mount.fileSystem) ?? 0));
  if (depth > MOST_DEPTH) return -EINVAL;
  const { user } = task.credentials;
  const made = new UnionFs({
    dev: nextAnonymousDevice(), lowers: layers.map(({ dentry }) => dentry.inode), upper: (upper as Location | undefined)?.dentry,
    userXattr: userXattr || !user.isFirst, options, owner: user.isFirst ? undefined : user,
  });
  depths.set(made, depth);
  return made;
}

/** Upper and work directory are of one mount, apart from each other, and can be written. */
function checkUpper(upper: Location, work: Location, lowers: readonly Location[]): number {
  if (upper.mount !== work.mount) return -EINVAL;
  if (isBelow(work.dentry, upper.dentry) || isBelow(upper.dentry, work.dentry)) return -EINVAL;
  if (lowers.some(({ dentry }) => dentry === upper.dentry)) return -ELOOP;
  return mountIsReadOnly(upper.mount) ? -EROFS : 0;
}
