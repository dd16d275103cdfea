/** Mount namespaces: Linux fs/namespace.c, mount_namespaces(7). All mounts are private (no propagation). */
import { EBUSY, EINVAL, ENOSPC } from '../abi/errno.ts';
import { CLONE_NEWNS } from '../abi/sched.ts';
import { Mount, isBelow, rootDentry } from './dentry.ts';
import type { Dentry, Location } from './dentry.ts';
import { MOUNT_NAMESPACE, nextNamespaceInode, type NamespaceIdentity } from './namespace-identity.ts';
import { pathOf } from './path.ts';
import type { FileSystem } from './types.ts';

/** Default of fs.mount-max is 100,000; a namespace of ours never needs that many. */
const MOST_MOUNTS = 10_000;

let nextMountId = 20;

/** The mounts that a set of processes sees. */
export class MountNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWNS;
  readonly ino: number;
  readonly #mounts = new Set<Mount>();
  root: Mount;

  constructor(fileSystem: FileSystem, flags = 0, source = 'none', ino = MOUNT_NAMESPACE) {
    this.ino = ino;
    this.root = new Mount(nextMountId++, fileSystem, rootDentry(fileSystem), flags, source);
    this.#mounts.add(this.root);
  }

  get rootLocation(): Location {
    return topOf({ mount: this.root, dentry: this.root.root });
  }

  /** In the order in which they were mounted. */
  get mounts(): Iterable<Mount> {
    return this.#mounts;
  }

  has(mount: Mount): boolean {
    return this.#mounts.has(mount);
  }

  /** Mounts a file system (or with `root` a part of it) on a place. The mount, or a negative errno. */
  mount(fileSystem: FileSystem, at: Location, flags: number, source: string, root: Dentry = rootDentry(fileSystem)): Mount | number {
    if (!this.#mounts.has(at.mount)) return -EINVAL;
    if (this.#mounts.size >= MOST_MOUNTS) return -ENOSPC;
    const mount = new Mount(nextMountId++, fileSystem, root, flags, source);
    this.#attach(mount, at);
    return mount;
  }

  #attach(mount: Mount, at: Location): void {
    mount.parent = at.mount;
    mount.mountpoint = at.dentry;
    at.mount.children.set(at.dentry, mount);
    at.dentry.mounts++;
    this.#mounts.add(mount);
  }

  #detach(mount: Mount): void {
    if (mount.parent !== undefined && mount.mountpoint !== undefined) {
      mount.parent.children.delete(mount.mountpoint);
      mount.mountpoint.mounts--;
    }
    mount.parent = undefined;
    mount.mountpoint = undefined;
    this.#mounts.delete(mount);
  }

  /** MS_BIND: what is at `from` becomes visible at `at` too; with `recursive` the mounts below it as well. */
  bind(from: Location, at: Location, recursive: boolean): Mount | number {
    const below = recursive ? [...this.#below(from)] : [];
    const copy = this.mount(from.mount.fileSystem, at, from.mount.flags, from.mount.source, from.dentry);
    if (typeof copy === 'number') return copy;
    const copies = new Map<Mount, Mount>([[from.mount, copy]]);
    for (const mount of below) {
      const parent = copies.get(mount.parent!);
      if (parent === undefined) continue;
      const made = this.mount(mount.fileSystem, { mount: parent, dentry: mount.mountpoint! }, mount.flags, mount.source, mount.root);
      if (typeof made === 'number') return made;
      copies.set(mount, made);
    }
    return copy;
  }

  /** Mounts below a place, parents first. */
  *#below(at: Location): Iterable<Mount> {
    for (const [dentry, mount] of at.mount.children) {
      if (!isBelow(dentry, at.dentry)) continue;
      yield mount;
      yield* this.#below({ mount, dentry: mount.root });
    }
  }

  /** umount2(2): -EBUSY where something is mounted below it, unless `detach`. */
  unmount(mount: Mount, detach: boolean): number {
    if (mount === this.root || !this.#mounts.has(mount)) return -EINVAL;
    if (mount.children.size > 0) {
      if (!detach) return -EBUSY;
      for (const child of [...mount.children.values()]) this.unmount(child, true);
    }
    this.#detach(mount);
    return 0;
  }

  /** MS_MOVE. */
  move(mount: Mount, at: Location): number {
    if (mount === this.root || !this.#mounts.has(mount)) return -EINVAL;
    for (let above: Mount | undefined = at.mount; above !== undefined; above = above.parent) if (above === mount) return -EINVAL;
    this.#detach(mount);
    this.#attach(mount, at);
    return 0;
  }

  /** pivot_root(2): `newRoot` becomes the root mount, the old one moves to `putOld` below it. */
  pivot(newRoot: Mount, putOld: Location): number {
    const oldRoot = this.root;
    if (newRoot === oldRoot || !this.#mounts.has(newRoot)) return -EINVAL;
    this.#detach(newRoot);
    this.#mounts.add(newRoot);
    this.root = newRoot;
    this.#mounts.delete(oldRoot);
    this.#attach(oldRoot, putOld);
    return 0;
  }

  /** A copy for CLONE_NEWNS, and which mount became which. */
  copy(): { readonly namespace: MountNamespace; readonly mapping: ReadonlyMap<Mount, Mount> } {
    const namespace = new MountNamespace(this.root.fileSystem, this.root.flags, this.root.source, nextNamespaceInode());
    namespace.#mounts.clear();
    const root = new Mount(nextMountId++, this.root.fileSystem, this.root.root, this.root.flags, this.root.source);
    namespace.root = root;
    namespace.#mounts.add(root);
    const mapping = new Map<Mount, Mount>([[this.root, root]]);
    for (const mount of this.#below({ mount: this.root, dentry: this.root.root })) {
      const made = new Mount(nextMountId++, mount.fileSystem, mount.root, mount.flags, mount.source);
      namespace.#attach(made, { mount: mapping.get(mount.parent!)!, dentry: mount.mountpoint! });
      mapping.set(mount, made);
    }
    return { namespace, mapping };
  }

  /** Path where a mount is, for /proc/mounts. */
  pathOf(mount: Mount): string {
    return pathOf({ mount, dentry: mount.root });
  }
}

/** What is on top at a place: the last file system mounted there. */
export function topOf(location: Location): Location {
  let { mount, dentry } = location;
  for (let next = mount.children.get(dentry); next !== undefined; next = mount.children.get(dentry)) {
    mount = next;
    dentry = next.root;
  }
  return { mount, dentry };
}
