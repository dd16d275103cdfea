/** From a location back to its path: Linux fs/d_path.c. */
import { ENOENT } from '../abi/errno.ts';
import type { Location } from './dentry.ts';
import { sameLocation } from './dentry.ts';

interface Climb {
  readonly path: string;
  /** It ended at the root that was asked for, or at the top of the namespace where none was. */
  readonly reached: boolean;
}

function climb(location: Location, root: Location | undefined): Climb {
  let { mount, dentry } = location;
  let path = '';
  for (;;) {
    if (root !== undefined && mount === root.mount && dentry === root.dentry) return { path: path || '/', reached: true };
    if (dentry === mount.root) {
      if (mount.parent === undefined || mount.mountpoint === undefined) break;
      dentry = mount.mountpoint;
      mount = mount.parent;
      continue;
    }
    if (dentry.parent === undefined) return { path: dentry.name, reached: true };
    path = `/${dentry.name}${path}`;
    dentry = dentry.parent;
  }
  return { path: path || '/', reached: root === undefined };
}

/** Path as /proc shows it: with ` (deleted)` where the name is gone, seen from `root` where it is given. */
export function pathOf(location: Location, root?: Location): string {
  const { path } = climb(location, root);
  return location.dentry.deleted ? `${path} (deleted)` : path;
}

/** getcwd(2): `(unreachable)` in front of what is outside the root; -ENOENT where it was removed. */
export function currentDirectory(cwd: Location, root: Location): string | number {
  if (cwd.dentry.deleted) return -ENOENT;
  if (sameLocation(cwd, root)) return '/';
  const { path, reached } = climb(cwd, root);
  return reached ? path : `(unreachable)${path}`;
}

/** Path of a location seen from `root`, or undefined where it cannot be seen from there (mounts outside a chroot). */
export function visiblePath(location: Location, root: Location): string | undefined {
  const { path, reached } = climb(location, root);
  return reached ? path : undefined;
}
