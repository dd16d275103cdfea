/** Mount namespaces: Linux fs/namespace.c, mount_namespaces(7). */
import { EBUSY, EINVAL, ELOOP, ENOSPC, EPERM } from '../abi/errno.ts';
import { MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_RELATIME } from '../abi/mount.ts';
import { CLONE_NEWNS } from '../abi/sched.ts';
import { Mount, isBelow, rootDentry } from './dentry.ts';
import type { Dentry, Location } from './dentry.ts';
import { changePropagation, copyPropagation, leavePropagation, makeShared, propagate } from './mount-propagation.ts';
import { isNamespaceFile, MOUNT_NAMESPACE, nextNamespaceInode, type NamespaceIdentity, type NamespaceOwner } from './namespace-identity.ts';
import { pathOf } from './path.ts';
import type { FileSystem } from './types.ts';

/** Default of fs.mount-max is 100,000; a namespace of ours never needs that many. */
const MOST_MOUNTS = 10_000;
/** Of all namespaces but the containers' own together: about 400 bytes each. */
const MOST_IN_ALL = 100_000;
const ATIME_FLAGS = MS_NOATIME | MS_NODIRATIME | MS_RELATIME;

let nextMountId = 20;
let mountsInAll = 0;

/** A mount of a file system, or with `root` of a part of it, that is not attached yet. */
export function newMount(fileSystem: FileSystem, flags: number, source: string, root: Dentry = rootDentry(fileSystem)): Mount {
  return new Mount(nextMountId++, fileSystem, root, flags, source);
}

/** How a tree of mounts is copied. */
interface CopyOptions {
  /** Copies of shared mounts follow them (CL_SHARED_TO_SLAVE, CL_SLAVE). */
  readonly asSlaves?: boolean;
  /** Unbindable ones too (CL_COPY_UNBINDABLE). */
  readonly unbindable?: boolean;
  readonly mapping?: Map<Mount, Mount>;
}

/** Mounts below a place, parents first. */
function* mountsBelow(at: Location): Iterable<Mount> {
  // Not one generator in the other: as many mounts can lie on each other as there may be.
  const waiting = [...at.mount.children].flatMap(([dentry, mount]) => (isBelow(dentry, at.dentry) ? [mount] : [])).reverse();
  for (let mount = waiting.pop(); mount !== undefined; mount = waiting.pop()) {
    yield mount;
    waiting.push(...[...mount.children.values()].reverse());
  }
}

/** The mount and all below it, parents first. */
export function mountTree(mount: Mount): Mount[] {
  return [mount, ...mountsBelow({ mount, dentry: mount.root })];
}

/** clone_mnt(): a copy of a mount, from `root` on. */
function cloneMount(mount: Mount, root: Dentry, asSlave: boolean): Mount {
  const copy = newMount(mount.fileSystem, mount.flags, mount.source, root);
  copy.lockedFlags = mount.lockedFlags;
  copy.isLocked = mount.isLocked;
  copy.isUnbindable = mount.isUnbindable;
  copyPropagation(mount, copy, asSlave);
  return copy;
}

function hang(mount: Mount, parent: Mount, mountpoint: Dentry): void {
  mount.parent = parent;
  mount.mountpoint = mountpoint;
  parent.children.set(mountpoint, mount);
  mountpoint.mounts++;
}

function unhang(mount: Mount): void {
  if (mount.parent === undefined || mount.mountpoint === undefined) return;
  mount.parent.children.delete(mount.mountpoint);
  mount.mountpoint.mounts--;
  mount.parent = undefined;
  mount.mountpoint = undefined;
}

/** copy_tree(): what is at a place, and with `recursive` the mounts below it, not attached; or -EINVAL, -EPERM. */
export function copyTree(from: Location, recursive: boolean, options: CopyOptions = {}): Mount | number {
  const asSlave = options.asSlaves === true;
  if (from.mount.isUnbindable && options.unbindable !== true) return -EINVAL;
  const copy = cloneMount(from.mount, from.dentry, asSlave);
  const copies = options.mapping ?? new Map<Mount, Mount>();
  copies.set(from.mount, copy);
  if (!recursive) return copy;
  for (const mount of mountsBelow(from)) {
    const parent = copies.get(mount.parent!);
    if (parent === undefined) continue;
    if (mount.isUnbindable && options.unbindable !== true) {
      if (!mount.isLocked) continue;
      dissolveTree(copy);
      return -EPERM;
    }
    const made = cloneMount(mount, mount.root, asSlave);
    hang(made, parent, mount.mountpoint!);
    copies.set(mount, made);
  }
  return copy;
}

/** Takes a tree that is in no namespace apart: nothing propagates to it, and its mount points are free. */
export function dissolveTree(mount: Mount): void {
  for (const each of mountTree(mount).reverse()) {
    unhang(each);
    leavePropagation(each);
  }
}

/** lock_mnt_tree(): a less privileged namespace neither takes the tree apart nor its flags off. */
function lockTree(top: Mount): void {
  for (const mount of mountTree(top)) {
    mount.lockedFlags |= mount.flags & (MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC);
    mount.lockedFlags |= ATIME_FLAGS;
    if (mount !== top) mount.isLocked = true;
  }
}

/** The mounts that a set of processes sees. */
export class MountNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWNS;
  readonly ino: number;
  /** Who may mount in it. */
  readonly user: NamespaceOwner;
  readonly #mounts = new Set<Mount>();
  root: Mount;

  constructor(user: NamespaceOwner, root: Mount, ino = MOUNT_NAMESPACE) {
    this.user = user;
    this.ino = ino;
    this.root = root;
    for (const mount of mountTree(root)) this.#take(mount);
  }

  #take(mount: Mount): void {
    mount.namespace = this;
    this.#mounts.add(mount);
    if (this.ino !== MOUNT_NAMESPACE) mountsInAll++;
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

  byId(id: number): Mount | undefined {
    for (const mount of this.#mounts) if (mount.id === id) return mount;
    return undefined;
  }

  /** Mounts a file system (or with `root` a part of it) on a place. The mount, or a negative errno. */
  mount(fileSystem: FileSystem, at: Location, flags: number, source: string, root?: Dentry): Mount | number {
    const mount = newMount(fileSystem, flags, source, root);
    const failed = this.attach(mount, at);
    return failed !== 0 ? failed : mount;
  }

  /** attach_recursive_mnt(): hangs a tree that is in no namespace on a place, and copies of it wherever that propagates to. */
  attach(tree: Mount, at: Location): number {
    if (!this.#mounts.has(at.mount)) return -EINVAL;
    const copies: { readonly copy: Mount; readonly parent: Mount }[] = [];
    const added = mountTree(tree);
    const { mount: parent, dentry } = at;
    if (parent.peers !== undefined) {
      for (const mount of added) makeShared(mount);
      propagate(parent, dentry, tree, (receiver, source, asSlave) => {
        // Refused below: what cannot stay is not made.
        if (mountsInAll + added.length * (copies.length + 1) > MOST_IN_ALL) return source;
        const copy = copyTree({ mount: source, dentry: source.root }, true, { asSlaves: asSlave }) as Mount;
        if (asSlave && receiver.peers !== undefined) for (const mount of mountTree(copy)) makeShared(mount);
        copies.push({ copy, parent: receiver });
        return copy;
      });
    }
    const room = (namespace: MountNamespace): boolean => namespace.#mounts.size + added.length <= MOST_MOUNTS;
    if (mountsInAll + added.length * (copies.length + 1) > MOST_IN_ALL || !room(this) || copies.some(({ parent: other }) => !room(other.namespace as MountNamespace))) {
      for (const { copy } of copies) dissolveTree(copy);
      return -ENOSPC;
    }
    this.#add(tree, parent, dentry);
    for (const { copy, parent: other } of copies) {
      const namespace = other.namespace as MountNamespace;
      if (namespace.user !== this.user) lockTree(copy);
      copy.isLocked = false;
      namespace.#add(copy, other, dentry);
    }
    return 0;
  }

  /** What is there already comes on top of what is added. */
  #add(tree: Mount, parent: Mount, mountpoint: Dentry): void {
    const covered = parent.children.get(mountpoint);
    if (covered !== undefined) {
      unhang(covered);
      hang(covered, tree, tree.root);
    }
    hang(tree, parent, mountpoint);
    for (const mount of mountTree(tree)) if (mount.namespace !== this) this.#take(mount);
  }

  /** MS_BIND: what is at `from` becomes visible at `at` too; with `recursive` the mounts below it as well. */
  bind(from: Location, at: Location, recursive: boolean): number {
    const copy = this.copyOf(from, recursive);
    if (typeof copy === 'number') return copy;
    const failed = this.attach(copy, at);
    if (failed !== 0) dissolveTree(copy);
    return failed;
  }

  /** A copy for MS_BIND and open_tree(2): a tree that is in no namespace, or a negative errno. */
  copyOf(from: Location, recursive: boolean): Mount | number {
    if (!this.#mounts.has(from.mount) && !isNamespaceFile(from.dentry.inode)) return -EINVAL;
    if (!recursive && [...from.mount.children].some(([dentry, mount]) => mount.isLocked && isBelow(dentry, from.dentry))) return -EINVAL;
    const copy = copyTree(from, recursive);
    if (typeof copy !== 'number') copy.isLocked = false;
    return copy;
  }

  /** umount2(2), lazily with `detach`: -EBUSY where something is mounted below it otherwise. */
  unmount(mount: Mount, detach: boolean): number {
    if (!this.#mounts.has(mount) || mount.isLocked) return -EINVAL;
    if (mount === this.root) return detach ? -EINVAL : -EBUSY;
    if (mount.children.size > 0 && !detach) return -EBUSY;
    const gone = new Set(mountTree(mount));
    for (const each of [...gone].reverse()) this.#propagateUnmount(each, gone);
    for (const each of [...gone].reverse()) drop(each);
    return 0;
  }

  /** propagate_umount(): the copies that have nothing else on them go as well. */
  #propagateUnmount(mount: Mount, gone: Set<Mount>): void {
    const { parent, mountpoint } = mount;
    if (parent === undefined || mountpoint === undefined) return;
    propagate(parent, mountpoint, mount, (receiver, source) => {
      const child = receiver.children.get(mountpoint);
      if (child === undefined || child.root !== mount.root || (child.isLocked && !gone.has(receiver))) return source;
      if ([...child.children.values()].every((below) => gone.has(below))) gone.add(child);
      return source;
    });
  }

  /** MS_MOVE. */
  move(mount: Mount, at: Location): number {
    const { parent, mountpoint } = mount;
    if (parent === undefined || mountpoint === undefined || !this.#mounts.has(mount) || mount.isLocked) return -EINVAL;
    if (parent.peers !== undefined) return -EINVAL;
    if (at.mount.peers !== undefined && mountTree(mount).some(({ isUnbindable }) => isUnbindable)) return -EINVAL;
    for (let above: Mount | undefined = at.mount; above !== undefined; above = above.parent) if (above === mount) return -ELOOP;
    unhang(mount);
    const failed = this.attach(mount, at);
    if (failed !== 0) hang(mount, parent, mountpoint);
    return failed;
  }

  /** pivot_root(2): `newRoot` becomes the root mount, the old one moves to `putOld` below it. */
  pivot(oldRoot: Mount, newRoot: Mount, putOld: Location): number {
    const { parent, mountpoint } = oldRoot;
    if (newRoot.parent === undefined) return -EINVAL;
    unhang(newRoot);
    if (oldRoot.isLocked) {
      newRoot.isLocked = true;
      oldRoot.isLocked = false;
    }
    if (parent === undefined || mountpoint === undefined) this.root = newRoot;
    else {
      unhang(oldRoot);
      hang(newRoot, parent, mountpoint);
    }
    hang(oldRoot, putOld.mount, putOld.dentry);
    return 0;
  }

  /** False: there are too many mounts for one more copy (-ENOSPC). */
  get mayBeCopied(): boolean {
    return mountsInAll + this.#mounts.size <= MOST_IN_ALL;
  }

  /** A copy for CLONE_NEWNS, owned by `user`, and which mount became which. */
  copy(user: NamespaceOwner): { readonly namespace: MountNamespace; readonly mapping: ReadonlyMap<Mount, Mount> } {
    const mapping = new Map<Mount, Mount>();
    const isOther = user !== this.user;
    const root = copyTree({ mount: this.root, dentry: this.root.root }, true, { asSlaves: isOther, unbindable: true, mapping }) as Mount;
    if (isOther) lockTree(root);
    return { namespace: new MountNamespace(user, root, nextNamespaceInode()), mapping };
  }

  /** Changes how a mount propagates, with `recursive` those below it too. */
  changePropagation(mount: Mount, type: number, recursive: boolean): number {
    if (!this.#mounts.has(mount)) return -EINVAL;
    for (const each of recursive ? mountTree(mount) : [mount]) changePropagation(each, type);
    return 0;
  }

  /** Nobody is in it any more: its mounts go, and no longer follow others. */
  dissolve(): void {
    for (const mount of mountTree(this.root).reverse()) drop(mount);
  }

  /** Forgets a mount that was unmounted. */
  forget(mount: Mount): void {
    if (this.#mounts.delete(mount) && this.ino !== MOUNT_NAMESPACE) mountsInAll--;
  }

  /** Path where a mount is, for /proc/mounts. */
  pathOf(mount: Mount): string {
    return pathOf({ mount, dentry: mount.root });
  }
}

function drop(mount: Mount): void {
  unhang(mount);
  leavePropagation(mount);
  (mount.namespace as MountNamespace | undefined)?.forget(mount);
  mount.namespace = undefined;
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
