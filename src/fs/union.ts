/**
 * overlay as a guest mounts it: directories of its own as layers, and one of them for what changes
 * (Linux Documentation/filesystems/overlayfs.rst). A whiteout is a character device 0:0, an opaque directory has an attribute,
 * and what changes is copied up as a whole, so that the upper directory is one that Linux and container engines understand.
 */
import { EEXIST, EINVAL, ENODATA, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV } from '../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_TRUNC, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../abi/fcntl.ts';
import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { OVERLAYFS_SUPER_MAGIC } from '../abi/statfs.ts';
import { forgetChild, type Dentry } from './dentry.ts';
import type { DirectoryEntry, FileSystem, IdMapping, Inode, InodeWatch, OpenFile, SetAttributes, Stat, StatFs } from './types.ts';

const COPY_BYTES = 65_536;

export interface UnionOptions {
  readonly dev: number;
  /** Directories, the uppermost first. */
  readonly lowers: readonly Inode[];
  /** Where the directory for changes is; absent: nothing can be changed. */
  readonly upper?: Dentry | undefined;
  /** `user.` attributes instead of `trusted.` ones, for who may not set these. */
  readonly userXattr: boolean;
  /** As mount(2) got them, for /proc/mounts. */
  readonly options: string;
  readonly owner?: IdMapping | undefined;
}

export class UnionFs implements FileSystem {
  readonly type = 'overlay';
  readonly dev: number;
  readonly readOnly: boolean;
  readonly cacheable = true;
  readonly options: string;
  readonly owner: IdMapping | undefined;
  readonly root: UnionInode;
  /** Names of attributes of the file system itself start so. */
  readonly xattrPrefix: string;
  /** Names of the upper directory that were looked up on their own are forgotten when they change here. */
  readonly upperNames: Dentry | undefined;
  readonly #top: Inode;
  readonly #known = new WeakMap<Inode, UnionInode>();
  #nextInode = 1;

  constructor(options: UnionOptions) {
    this.dev = options.dev;
    this.options = options.options;
    this.owner = options.owner;
    this.readOnly = options.upper === undefined;
    this.xattrPrefix = options.userXattr ? 'user.overlay.' : 'trusted.overlay.';
    this.upperNames = options.upper;
    const upper = options.upper?.inode;
    this.#top = upper ?? options.lowers[0]!;
    this.root = new UnionInode(this, this.#nextInode++, upper, options.lowers, undefined, '');
  }

  /** The one inode for what is there: the same for every look at the same file. */
  inodeFor(upper: Inode | undefined, lowers: readonly Inode[], parent: UnionInode, name: string): UnionInode {
    const key = upper ?? lowers[0]!;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = new UnionInode(this, this.#nextInode++, upper, lowers, parent, name);
    this.#known.set(key, made);
    return made;
  }

  /** It is now also found by its copy. */
  copiedUp(inode: UnionInode, upper: Inode): void {
    this.#known.set(upper, inode);
  }

  statfs(): StatFs {
    return { ...this.#top.fileSystem.statfs(), type: OVERLAYFS_SUPER_MAGIC };
  }

  sync(): number {
    return this.#top.fileSystem.sync();
  }
}

function isDirectory(inode: Inode): boolean {
  return (inode.mode & S_IFMT) === S_IFDIR;
}

function isWhiteout(inode: Inode): boolean {
  return (inode.mode & S_IFMT) === S_IFCHR && inode.rdev === 0;
}

export class UnionInode implements Inode {
  readonly fileSystem: UnionFs;
  readonly ino: number;
  upper: Inode | undefined;
  /** Of a directory all that are merged, of others the one that it is. */
  readonly lowers: readonly Inode[];
  parent: UnionInode | undefined;
  name: string;
  watch?: InodeWatch | undefined = undefined;
  boundSocket?: unknown = undefined;
  writers = 0;
  programs = 0;
  #holders = 0;

  constructor(fileSystem: UnionFs, ino: number, upper: Inode | undefined, lowers: readonly Inode[], parent: UnionInode | undefined, name: string) {
    this.fileSystem = fileSystem;
    this.ino = ino;
    this.upper = upper;
    this.lowers = lowers;
    this.parent = parent;
    this.name = name;
  }

  get #real(): Inode {
    return this.upper ?? this.lowers[0]!;
  }
  get mode(): number {
    return this.#real.mode;
  }
  get uid(): number {
    return this.#real.uid;
  }
  get gid(): number {
    return this.#real.gid;
  }
  get rdev(): number {
    return this.#real.rdev;
  }
  get size(): number {
    return this.#real.size;
  }
  stat(): Stat {
    return { ...this.#real.stat(), dev: this.fileSystem.dev, ino: this.ino, ...(isDirectory(this) && this.lowers.length > 0 ? { nlink: 1 } : {}) };
  }

  // ---- copying up ----

  /** Its own object in the upper directory, made now if need be (ovl_copy_up); or a negative errno. */
  copyUp(): Inode | number {
    if (this.upper !== undefined) return this.upper;
    const { parent } = this;
    if (parent === undefined) return -EROFS;
    const directory = parent.copyUp();
    if (typeof directory === 'number') return directory;
    const lower = this.lowers[0]!;
    const made = this.#copyObject(lower, directory);
    if (typeof made === 'number') return made;
    const failed = this.#copyAttributes(lower, made);
    if (failed !== 0) return failed;
    for (let i = 0; i < this.#holders; i++) {
      lower.drop?.();
      made.hold?.();
    }
    this.upper = made;
    this.fileSystem.copiedUp(this, made);
    return made;
  }

  #copyObject(lower: Inode, directory: Inode): Inode | number {
    const { name } = this;
    if ((lower.mode & S_IFMT) === S_IFLNK) {
      const target = lower.readLink();
      return typeof target === 'number' ? target : directory.symlink(name, target, lower.uid, lower.gid);
    }
    const made = directory.create(name, lower.mode, lower.uid, lower.gid, lower.rdev);
    if (typeof made === 'number' || (lower.mode & S_IFMT) !== S_IFREG) return made;
    const buffer = new Uint8Array(COPY_BYTES);
    for (let position = 0; position < lower.size;) {
      const got = lower.readAt(buffer, position);
      if (got === 0) break;
      const put = got < 0 ? got : made.writeAt(buffer.subarray(0, got), position);
      if (put < 0) {
        directory.unlink(name);
        return put;
      }
      position += put;
    }
    return made;
  }

  #copyAttributes(lower: Inode, made: Inode): number {
    for (const name of lower.listXattr()) {
      const value = name.startsWith(this.fileSystem.xattrPrefix) ? -ENODATA : lower.getXattr(name);
      if (typeof value !== 'number') made.setXattr(name, value, 0);
    }
    const { atimeNs, mtimeNs } = lower.stat();
    return made.setAttributes({ atimeNs, mtimeNs });
  }

  setAttributes(attributes: SetAttributes): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.setAttributes(attributes);
  }

  // ---- directories ----

  lookup(name: string): UnionInode | number {
    const inUpper = this.upper?.lookup(name) ?? -ENOENT;
    let upper: Inode | undefined;
    if (typeof inUpper === 'number') {
      if (inUpper !== -ENOENT) return inUpper;
    } else {
      if (isWhiteout(inUpper)) return -ENOENT;
      if (!isDirectory(inUpper)) return this.fileSystem.inodeFor(inUpper, [], this, name);
      upper = inUpper;
    }
    const lowers = upper !== undefined && this.#isOpaque(upper) ? [] : this.#lowersOf(name, upper !== undefined);
    return upper === undefined && lowers.length === 0 ? -ENOENT : this.fileSystem.inodeFor(upper, lowers, this, name);
  }

  /** What a name is in the lower directories: the directories that are merged, or one other object. */
  #lowersOf(name: string, onlyDirectories: boolean): Inode[] {
    const found: Inode[] = [];
    for (const directory of this.lowers) {
      const child = directory.lookup(name);
      if (typeof child === 'number') continue;
      if (isWhiteout(child)) break;
      if (!isDirectory(child)) {
        if (!onlyDirectories && found.length === 0) found.push(child);
        break;
      }
      found.push(child);
      if (this.#isOpaque(child)) break;
    }
    return found;
  }

  #isOpaque(directory: Inode): boolean {
    const value = directory.getXattr(`${this.fileSystem.xattrPrefix}opaque`);
    return typeof value !== 'number' && value[0] === 0x79;
  }

  #markOpaque(directory: Inode): number {
    return directory.setXattr(`${this.fileSystem.xattrPrefix}opaque`, Uint8Array.of(0x79), 0);
  }

  /** The name of this directory in the tree of the upper file system, where it is known there. */
  #upperNames(): Dentry | undefined {
    return this.parent === undefined ? this.fileSystem.upperNames : this.parent.#upperNames()?.children?.get(this.name);
  }

  /** Takes a name out of the upper directory: 0 or a negative errno. */
  #drop(name: string, drop: (upper: Inode) => number): number {
    const failed = this.upper === undefined ? -EROFS : drop(this.upper);
    if (failed === 0) this.#forget(name);
    return failed;
  }

  #forget(name: string): void {
    const names = this.#upperNames();
    const dentry = names?.children?.get(name);
    if (names !== undefined && dentry !== undefined && dentry.mounts === 0) forgetChild(names, dentry);
  }

  /** The upper directory, with a whiteout of the name taken away. */
  #readyFor(name: string): Inode | number {
    const upper = this.copyUp();
    if (typeof upper === 'number') return upper;
    const there = upper.lookup(name);
    if (typeof there === 'number') return there === -ENOENT ? upper : there;
    if (!isWhiteout(there)) return -EEXIST;
    const removed = this.#drop(name, (directory) => directory.unlink(name));
    return removed === 0 ? upper : removed;
  }

  create(name: string, mode: number, uid: number, gid: number, rdev: number): UnionInode | number {
    const upper = this.#readyFor(name);
    if (typeof upper === 'number') return upper;
    const made = upper.create(name, mode, uid, gid, rdev);
    if (typeof made === 'number') return made;
    if (isDirectory(made) && this.#lowersOf(name, true).length > 0) this.#markOpaque(made);
    return this.fileSystem.inodeFor(made, [], this, name);
  }

  symlink(name: string, target: string, uid: number, gid: number): UnionInode | number {
    const upper = this.#readyFor(name);
    const made = typeof upper === 'number' ? upper : upper.symlink(name, target, uid, gid);
    return typeof made === 'number' ? made : this.fileSystem.inodeFor(made, [], this, name);
  }

  link(name: string, inode: Inode): number {
    if (!(inode instanceof UnionInode)) return -EXDEV;
    const object = inode.copyUp();
    if (typeof object === 'number') return object;
    const upper = this.#readyFor(name);
    return typeof upper === 'number' ? upper : upper.link(name, object);
  }

  /** Takes a name out of the upper directory, and hides what is below it. */
  #remove(name: string, remove: (upper: Inode) => number): number {
    const upper = this.copyUp();
    if (typeof upper === 'number') return upper;
    if (typeof upper.lookup(name) !== 'number') {
      const failed = this.#drop(name, remove);
      if (failed !== 0) return failed;
    }
    return this.#hide(upper, name);
  }

  #hide(upper: Inode, name: string): number {
    if (this.#lowersOf(name, false).length === 0) return 0;
    const whiteout = upper.create(name, S_IFCHR, 0, 0, 0);
    return typeof whiteout === 'number' ? whiteout : 0;
  }

  unlink(name: string): number {
    return this.#remove(name, (upper) => upper.unlink(name));
  }

  rmdir(name: string): number {
    const child = this.lookup(name);
    if (typeof child === 'number') return child;
    const entries = child.readDirectory();
    if (typeof entries === 'number') return entries;
    if (entries.length > 0) return -ENOTEMPTY;
    child.#clearWhiteouts();
    return this.#remove(name, (upper) => upper.rmdir(name));
  }

  /** An empty directory may still have whiteouts in its upper one. */
  #clearWhiteouts(): void {
    const entries = this.upper?.readDirectory() ?? [];
    if (typeof entries !== 'number') for (const { name } of entries) this.#drop(name, (upper) => upper.unlink(name));
  }

  rename(name: string, toDirectory: Inode, toName: string, flags: number): number {
    if (!(toDirectory instanceof UnionInode)) return -EXDEV;
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -EINVAL;
    const source = this.lookup(name);
    if (typeof source === 'number') return source;
    const target = toDirectory.lookup(toName);
    if (typeof target === 'number' && target !== -ENOENT) return target;
    // A directory that is merged stays where it is, as without `redirect_dir`.
    const isMerged = (inode: UnionInode): boolean => isDirectory(inode) && inode.lowers.length > 0;
    if (isMerged(source)) return -EXDEV;
    const object = source.copyUp();
    const from = this.copyUp();
    const to = toDirectory.copyUp();
    for (const each of [object, from, to]) if (typeof each === 'number') return each;
    if ((flags & RENAME_EXCHANGE) !== 0) {
      if (typeof target === 'number') return target;
      const other = isMerged(target) ? -EXDEV : target.copyUp();
      if (typeof other === 'number') return other;
      const failed = this.#renameUpper(name, toDirectory, toName, flags);
      if (failed === 0) target.#movedTo(this, name);
      if (failed === 0) source.#movedTo(toDirectory, toName);
      return failed;
    }
    const refused = typeof target === 'number' ? toDirectory.#takeWhiteout(toName) : toDirectory.#makeWay(target, toName, isDirectory(source));
    if (refused !== 0) return refused;
    if (isDirectory(source) && toDirectory.#lowersOf(toName, true).length > 0) this.#markOpaque(object as Inode);
    const failed = this.#renameUpper(name, toDirectory, toName, flags);
    if (failed !== 0) return failed;
    source.#movedTo(toDirectory, toName);
    return this.#hide(from as Inode, name);
  }

  #renameUpper(name: string, toDirectory: UnionInode, toName: string, flags: number): number {
    const failed = this.upper!.rename(name, toDirectory.upper!, toName, flags);
    if (failed !== 0) return failed;
    this.#forget(name);
    toDirectory.#forget(toName);
    return 0;
  }

  #movedTo(parent: UnionInode, name: string): void {
    this.parent = parent;
    this.name = name;
  }

  #takeWhiteout(name: string): number {
    const there = this.upper!.lookup(name);
    return typeof there !== 'number' && isWhiteout(there) ? this.#drop(name, (upper) => upper.unlink(name)) : 0;
  }

  /** The target of a rename: an empty directory goes, since one that is merged cannot be replaced as a whole. */
  #makeWay(target: UnionInode, name: string, byDirectory: boolean): number {
    if (!isDirectory(target)) return byDirectory ? -ENOTDIR : 0;
    const entries = target.readDirectory();
    if (typeof entries === 'number') return entries;
    if (entries.length > 0) return -ENOTEMPTY;
    target.#clearWhiteouts();
    return typeof this.upper!.lookup(name) === 'number' ? 0 : this.#drop(name, (upper) => upper.rmdir(name));
  }

  readDirectory(): readonly DirectoryEntry[] | number {
    const entries = new Map<string, DirectoryEntry | undefined>();
    for (const directory of this.upper === undefined ? this.lowers : [this.upper, ...this.lowers]) {
      const own = directory.readDirectory();
      if (typeof own === 'number') return own;
      for (const entry of own) if (!entries.has(entry.name)) entries.set(entry.name, hides(directory, entry) ? undefined : entry);
    }
    const shown: DirectoryEntry[] = [];
    for (const [name, entry] of entries) {
      const inode = entry === undefined ? undefined : this.lookup(name);
      if (inode !== undefined && typeof inode !== 'number') shown.push({ name, ino: inode.ino, type: inode.mode & S_IFMT });
    }
    return shown;
  }

  // ---- files ----

  readLink(): string | number {
    return this.#real.readLink();
  }
  readAt(buffer: Uint8Array, position: number): number {
    return this.#real.readAt(buffer, position);
  }
  writeAt(buffer: Uint8Array, position: number): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.writeAt(buffer, position);
  }
  open(flags: number): OpenFile | number | undefined {
    return this.#real.open?.(flags);
  }
  prepareOpen(flags: number): number {
    if ((flags & O_ACCMODE) === O_RDONLY && (flags & O_TRUNC) === 0) return this.#real.prepareOpen?.(flags) ?? 0;
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.prepareOpen?.(flags) ?? 0;
  }
  hold(): void {
    this.#holders++;
    this.#real.hold?.();
  }
  drop(): void {
    this.#holders--;
    this.#real.drop?.();
  }
  createTemporary(mode: number, uid: number, gid: number): Inode | number {
    const upper = this.copyUp();
    if (typeof upper === 'number') return upper;
    const made = upper.createTemporary?.(mode, uid, gid) ?? -EINVAL;
    return typeof made === 'number' ? made : this.fileSystem.inodeFor(made, [], this, `#${made.ino}`);
  }
  allocate(mode: number, offset: number, length: number): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.allocate?.(mode, offset, length) ?? -EINVAL;
  }
  sync(): number {
    return this.#real.sync?.() ?? 0;
  }

  // ---- attributes ----

  /** What looks like an attribute of the file system itself is kept under another name (ovl_xattr_escape_name). */
  #stored(name: string): string {
    const { xattrPrefix } = this.fileSystem;
    return name.startsWith(xattrPrefix) ? `${xattrPrefix}overlay.${name.slice(xattrPrefix.length)}` : name;
  }
  getXattr(name: string): Uint8Array | number {
    return this.#real.getXattr(this.#stored(name));
  }
  setXattr(name: string, value: Uint8Array, flags: number): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.setXattr(this.#stored(name), value, flags);
  }
  listXattr(): readonly string[] {
    const { xattrPrefix } = this.fileSystem;
    const escaped = `${xattrPrefix}overlay.`;
    return this.#real.listXattr().flatMap((name) => (name.startsWith(escaped) ? [xattrPrefix + name.slice(escaped.length)] : name.startsWith(xattrPrefix) ? [] : [name]));
  }
  removeXattr(name: string): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.removeXattr(this.#stored(name));
  }
}

/** Whether an entry of a layer only hides what is below it. */
function hides(directory: Inode, { name, type }: DirectoryEntry): boolean {
  if (type !== S_IFCHR) return false;
  const inode = directory.lookup(name);
  return typeof inode !== 'number' && isWhiteout(inode);
}
