/**
 * Names and where file systems are mounted: `struct dentry`, `struct mount`, `struct path`
 * (Linux fs/dcache.c, fs/namespace.c).
 *
 * A dentry is a name in a directory, found or made by a path walk. The tree of a file system's dentries
 * hangs on its root and is shared by all mounts of it. Dentries of files may be forgotten when there are
 * too many; those of directories stay, so that working directories and mount points keep their paths.
 */
import { ENAMETOOLONG, ENOENT } from '../abi/errno.ts';
import { NAME_MAX } from '../abi/limits.ts';
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import type { FileSystem, Inode } from './types.ts';

/** Dentries of one file system above which those of files are dropped: about 200 bytes each. */
const MOST_DENTRIES = 60_000;

/** A name in a directory. The root of a file system has no parent. */
export class Dentry {
  name: string;
  parent: Dentry | undefined;
  inode: Inode;
  children: Map<string, Dentry> | undefined = undefined;
  /** File systems mounted here, in any namespace. */
  mounts = 0;
  /** The name is gone (unlinked, or replaced by rename). */
  deleted = false;
  /** O_TMPFILE without O_EXCL: linkat(2) may give it a name. */
  linkable = false;
  readonly tree: DentryTree;

  constructor(name: string, parent: Dentry | undefined, inode: Inode, tree: DentryTree) {
    this.name = name;
    this.parent = parent;
    this.inode = inode;
    this.tree = tree;
  }
}

/** Hears of what happens to files of a file system; `mask` is of IN_*. */
export interface TreeWatch {
  notify(location: Location, mask: number): void;
}

/** Mounts among which mounting propagates (`mnt_group_id`). */
export interface PeerGroup {
  readonly id: number;
  readonly members: Set<Mount>;
  readonly slaves: Set<Mount>;
}

/** Bookkeeping of the dentries of one file system. */
export class DentryTree {
  readonly root: Dentry;
  count = 0;
  /** Those who hear of every file here (fanotify). */
  watches: Set<TreeWatch> | undefined = undefined;
  constructor(inode: Inode) {
    this.root = new Dentry('', undefined, inode, this);
  }

  /** Drops the names of files that nothing is mounted on. */
  prune(dentry: Dentry = this.root): void {
    const { children } = dentry;
    if (children === undefined) return;
    for (const [name, child] of children) {
      if (child.children !== undefined) this.prune(child);
      else if (child.mounts === 0 && (child.inode.mode & S_IFMT) !== S_IFDIR) {
        children.delete(name);
        this.count--;
      }
    }
  }
}

const trees = new WeakMap<FileSystem, DentryTree>();

/** The root dentry of a file system, always the same one. */
export function rootDentry(fileSystem: FileSystem): Dentry {
  let tree = trees.get(fileSystem);
  if (tree === undefined) {
    tree = new DentryTree(fileSystem.root);
    trees.set(fileSystem, tree);
  }
  return tree.root;
}

/** A mounted file system, or a part of it (a bind mount). */
export class Mount {
  readonly id: number;
  readonly fileSystem: FileSystem;
  readonly root: Dentry;
  /** First field of /proc/mounts. */
  readonly source: string;
  parent: Mount | undefined = undefined;
  mountpoint: Dentry | undefined = undefined;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, ... */
  flags: number;
  readonly children = new Map<Dentry, Mount>();
  /** The namespace that it is in; undefined where it is in none (unmounted, or not attached yet). */
  namespace: object | undefined = undefined;
  /** Shared: what is mounted on one of the group is mounted on all (mount_namespaces(7)). */
  peers: PeerGroup | undefined = undefined;
  /** Slave: what is mounted on one of this group is mounted here, and not the other way round. */
  master: PeerGroup | undefined = undefined;
  isUnbindable = false;
  /** The kernel's own, where no path leads to (SB_NOUSER). */
  isInternal = false;
  /** Came from a more privileged namespace, together with what it is mounted on: neither moves nor goes alone (MNT_LOCKED). */
  isLocked = false;
  /** Flags that a less privileged namespace does not take off (MNT_LOCK_READONLY and so on). */
  lockedFlags = 0;

  constructor(id: number, fileSystem: FileSystem, root: Dentry, flags: number, source: string) {
    this.id = id;
    this.fileSystem = fileSystem;
    this.root = root;
    this.flags = flags;
    this.source = source;
  }
}

/** `struct path`. */
export interface Location {
  readonly mount: Mount;
  readonly dentry: Dentry;
  /** Whoever watches does not hear of it: a descriptor that came with an event (FMODE_NONOTIFY). */
  readonly isSilent?: boolean;
}

export function sameLocation(a: Location, b: Location): boolean {
  return a.mount === b.mount && a.dentry === b.dentry;
}

/** Looks a name up in a directory (not `.` or `..`): its dentry, or a negative errno. No permission check, no mounts crossed. */
export function lookupChild(directory: Dentry, name: string): Dentry | number {
  const cached = directory.children?.get(name);
  if (cached !== undefined && (directory.inode.fileSystem.cacheable || cached.mounts > 0)) return cached;
  if (name.length > NAME_MAX) return -ENAMETOOLONG;
  if (directory.deleted) return -ENOENT;
  const inode = directory.inode.lookup(name);
  if (typeof inode === 'number') {
    if (cached !== undefined) forgetChild(directory, cached);
    return inode;
  }
  if (cached !== undefined) {
    if (cached.inode.ino === inode.ino && ((cached.inode.mode ^ inode.mode) & S_IFMT) === 0) {
      cached.inode = inode;
      return cached;
    }
    forgetChild(directory, cached);
  }
  return addChild(directory, name, inode);
}

/** Hangs a new name into the tree. */
export function addChild(directory: Dentry, name: string, inode: Inode): Dentry {
  const { tree } = directory;
  if (tree.count >= MOST_DENTRIES) tree.prune();
  const dentry = new Dentry(name, directory, inode, tree);
  (directory.children ??= new Map()).set(name, dentry);
  tree.count++;
  return dentry;
}

/** Takes a name off the tree: it was unlinked or replaced. */
export function forgetChild(directory: Dentry, dentry: Dentry): void {
  dentry.deleted = true;
  if (directory.children?.get(dentry.name) === dentry) {
    directory.children.delete(dentry.name);
    dentry.tree.count -= namesBelow(dentry);
  }
}

/** The dentry and those below it, which go with it. */
function namesBelow(dentry: Dentry): number {
  let count = 1;
  for (const child of dentry.children?.values() ?? []) count += namesBelow(child);
  return count;
}

/** After a rename: `dentry` is now `name` in `directory`. */
export function moveChild(dentry: Dentry, directory: Dentry, name: string): void {
  const from = dentry.parent;
  if (from?.children?.get(dentry.name) === dentry) {
    from.children.delete(dentry.name);
    dentry.tree.count--;
  }
  dentry.parent = directory;
  dentry.name = name;
  (directory.children ??= new Map()).set(name, dentry);
  dentry.tree.count++;
}

/** Whether `dentry` is `ancestor` or below it. */
export function isBelow(dentry: Dentry, ancestor: Dentry): boolean {
  for (let at: Dentry | undefined = dentry; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}
