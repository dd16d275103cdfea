/**
 * overlay: a lower file system that is never written, and what a guest changed of it, in memory
 * (Linux Documentation/filesystems/overlayfs.rst; OCI image-spec layer.md "Whiteouts").
 *
 * Directories keep what differs from the lower directory: new and changed children, and whiteouts. A changed
 * object has a node of the upper tmpfs for its attributes; a file's bytes are copied in chunks of 64 KiB when
 * they are first written, so changing the mode or the end of a large file copies little. A renamed directory
 * keeps its lower directory (as overlayfs does with `redirect_dir`), so nothing is copied.
 */
import {
  EEXIST, EINVAL, EISDIR, ENODATA, ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY, EXDEV,
} from '../abi/errno.ts';
import { O_RDONLY, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../abi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { OVERLAYFS_SUPER_MAGIC } from '../abi/statfs.ts';
import type { TmpFs, TmpInode } from './tmpfs.ts';
import type { DirectoryEntry, FileSystem, Inode, InodeWatch, OpenFile, SetAttributes, Stat, StatFs } from './types.ts';

/** Inodes kept for unchanged files of the lower layer, about 500 bytes each. */
const MOST_CLEAN_INODES = 40_000;
/** What a changed name is charged to the upper tmpfs, beside its length. */
const ENTRY_COST = 200;

export interface OverlayOptions {
  readonly dev: number;
  readonly lower: FileSystem;
  /** Holds what changes; its numbers must not meet the lower's (`firstInode`). Its root is not used. */
  readonly upper: TmpFs;
}

export class OverlayFs implements FileSystem {
  readonly type = 'overlay';
  readonly dev: number;
  readonly readOnly = false;
  readonly cacheable: boolean;
  readonly root: OverlayInode;
  readonly lower: FileSystem;
  readonly upper: TmpFs;
  cleanInodes = 0;

  /** Bytes were read or written. */
  onTransfer: ((bytes: number, writing: boolean) => void) | undefined = undefined;

  constructor(options: OverlayOptions) {
    this.dev = options.dev;
    this.lower = options.lower;
    this.upper = options.upper;
    this.cacheable = options.lower.cacheable;
    this.root = new OverlayInode(this, options.lower.root, undefined, undefined, '');
  }

  statfs(): StatFs {
    return { ...this.upper.statfs(), type: OVERLAYFS_SUPER_MAGIC };
  }

  sync(): number {
    return 0;
  }
}

export class OverlayInode implements Inode {
  readonly fileSystem: OverlayFs;
  readonly ino: number;
  /** What it was below, if it was. */
  readonly lower: Inode | undefined;
  /** Its attributes and bytes once they changed, or if it is new. */
  upper: TmpInode | undefined;
  watch?: InodeWatch | undefined = undefined;
  boundSocket?: unknown = undefined;
  writers = 0;
  programs = 0;
  /** Directory that it is in, for directories; where it was found, for files. */
  parent: OverlayInode | undefined;
  readonly originParent: OverlayInode | undefined;
  readonly originName: string;
  /** Something here or below differs from the lower layer: must be kept. */
  dirty: boolean;
  readonly #children: Map<string, OverlayInode> | undefined;
  #whiteouts: Set<string> | undefined = undefined;
  #holders = 0;
  #lowerLinksGone = 0;

  constructor(fileSystem: OverlayFs, lower: Inode | undefined, upper: TmpInode | undefined, parent: OverlayInode | undefined, name: string) {
    this.fileSystem = fileSystem;
    this.lower = lower;
    this.upper = upper;
    this.parent = parent;
    this.originParent = parent;
    this.originName = name;
    this.dirty = lower === undefined;
    const node = upper ?? lower!;
    this.ino = node.ino;
    this.#children = (node.mode & S_IFMT) === S_IFDIR ? new Map() : undefined;
  }

  get #node(): Inode {
    return this.upper ?? this.lower!;
  }
  get mode(): number {
    return (this.upper ?? this.lower!).mode;
  }
  get uid(): number {
    return (this.upper ?? this.lower!).uid;
  }
  get gid(): number {
    return (this.upper ?? this.lower!).gid;
  }
  get rdev(): number {
    return this.#node.rdev;
  }
  get size(): number {
    return this.#children !== undefined && this.upper !== undefined ? 4096 : this.#node.size;
  }

  stat(): Stat {
    const stat = this.#node.stat();
    let { nlink, size, blocks } = stat;
    if (this.#children !== undefined && this.upper !== undefined) {
      if (this.lower !== undefined && nlink > 0) nlink = 1;
      size = 4096;
      blocks = 8;
    }
    if (this.upper === undefined) nlink = Math.max(0, nlink - this.#lowerLinksGone);
    return {
      dev: this.fileSystem.dev, ino: this.ino, mode: stat.mode, nlink, uid: stat.uid, gid: stat.gid, rdev: stat.rdev, size, blockSize: stat.blockSize, blocks,
      atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, btimeNs: stat.btimeNs,
    };
  }

  /** Directories above it must be kept, since something in it changed. */
  #markDirty(): void {
    for (let at: OverlayInode | undefined = this; at !== undefined && !at.dirty; at = at.parent) {
      at.dirty = true;
      this.fileSystem.cleanInodes--;
    }
  }

  /** Its own node in the upper layer, made now if need be: ovl_copy_up(), without the bytes. */
  copyUp(): TmpInode | number {
    if (this.upper !== undefined) return this.upper;
    const lower = this.lower!;
    const stat = lower.stat();
    if (!this.fileSystem.upper.charge(ENTRY_COST)) return -ENOSPC;
    const backing = (stat.mode & S_IFMT) === S_IFREG ? lower : undefined;
    const upper = this.fileSystem.upper.createNode(stat.mode, stat.uid, stat.gid, stat.rdev, this.ino, backing);
    if (typeof upper === 'number') return upper;
    if ((stat.mode & S_IFMT) === S_IFLNK) {
      const target = lower.readLink();
      if (typeof target === 'number') return target;
      upper.setTarget(target);
    }
    for (const name of lower.listXattr()) {
      const value = lower.getXattr(name);
      if (typeof value !== 'number') upper.setXattr(name, value, 0);
    }
    upper.atimeNs = stat.atimeNs;
    upper.mtimeNs = stat.mtimeNs;
    upper.ctimeNs = stat.ctimeNs;
    upper.btimeNs = stat.btimeNs;
    upper.linkCount = this.#children === undefined ? 1 - Math.min(1, this.#lowerLinksGone) : 2;
    for (let holder = 0; holder < this.#holders; holder++) upper.hold();
    this.upper = upper;
    this.#markDirty();
    return upper;
  }

  setAttributes(attributes: SetAttributes): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.setAttributes(attributes);
  }

  // ---- directories ----

  lookup(name: string): OverlayInode | number {
    const children = this.#children;
    if (children === undefined) return -ENOTDIR;
    const known = children.get(name);
    if (known !== undefined) {
      if (known.dirty || known.lower?.stillThere === undefined || known.lower.stillThere()) return known;
      this.#forget(name);
    }
    if (this.lower === undefined || this.#whiteouts?.has(name) === true) return -ENOENT;
    const found = this.lower.lookup(name);
    if (typeof found === 'number') return found;
    const { fileSystem } = this;
    if (++fileSystem.cleanInodes > MOST_CLEAN_INODES) fileSystem.root.prune();
    const child = new OverlayInode(fileSystem, found, undefined, this, name);
    children.set(name, child);
    return child;
  }

  #forget(name: string): void {
    if (this.#children!.delete(name)) this.fileSystem.cleanInodes--;
  }

  /** Drops unchanged files that nobody uses. */
  prune(): void {
    for (const [name, child] of this.#children!) {
      if (child.#children !== undefined) child.prune();
      const used = child.dirty || child.#holders > 0 || child.watch !== undefined || (child.#children?.size ?? 0) > 0;
      if (!used) this.#forget(name);
    }
  }

  #lowerHas(name: string): boolean {
    return this.lower !== undefined && typeof this.lower.lookup(name) !== 'number';
  }

  /** Hangs a changed or new object into this directory, which was copied up. */
  #put(name: string, child: OverlayInode): void {
    const known = this.#children!.get(name);
    if (known !== undefined && !known.dirty) this.fileSystem.cleanInodes--;
    this.#children!.set(name, child);
    if (child.#children !== undefined) child.parent = this;
    this.#markDirty();
    this.upper!.touch();
  }

  #take(name: string): void {
    const known = this.#children!.get(name);
    if (known !== undefined && !known.dirty) this.fileSystem.cleanInodes--;
    this.#children!.delete(name);
    if (this.#lowerHas(name)) (this.#whiteouts ??= new Set()).add(name);
    this.#markDirty();
    this.upper!.touch();
  }

  create(name: string, mode: number, uid: number, gid: number, rdev: number): OverlayInode | number {
    const child = this.#newChild(name, mode, uid, gid, rdev);
    if (typeof child === 'number') return child;
    child.upper!.linkCount = child.#children === undefined ? 1 : 2;
    if (child.#children !== undefined) this.upper!.linkCount++;
    this.#put(name, child);
    return child;
  }

  #newChild(name: string, mode: number, uid: number, gid: number, rdev: number): OverlayInode | number {
    const directory = this.copyUp();
    if (typeof directory === 'number') return directory;
    if (directory.linkCount === 0) return -ENOENT;
    if (typeof this.lookup(name) !== 'number') return -EEXIST;
    const { upper } = this.fileSystem;
    if (!upper.charge(ENTRY_COST + name.length)) return -ENOSPC;
    const node = upper.createNode(mode, uid, gid, rdev);
    if (typeof node === 'number') {
      upper.release(ENTRY_COST + name.length);
      return node;
    }
    return new OverlayInode(this.fileSystem, undefined, node, this, name);
  }

  symlink(name: string, target: string, uid: number, gid: number): OverlayInode | number {
    const child = this.create(name, S_IFLNK | 0o777, uid, gid, 0);
    if (typeof child !== 'number') child.upper!.setTarget(target);
    return child;
  }

  createTemporary(mode: number, uid: number, gid: number): OverlayInode | number {
    const node = this.fileSystem.upper.createNode(mode, uid, gid, 0);
    return typeof node === 'number' ? node : new OverlayInode(this.fileSystem, undefined, node, this, '');
  }

  link(name: string, inode: Inode): number {
    if (!(inode instanceof OverlayInode) || inode.fileSystem !== this.fileSystem) return -EXDEV;
    const directory = this.copyUp();
    if (typeof directory === 'number') return directory;
    const node = inode.copyUp();
    if (typeof node === 'number') return node;
    if (typeof this.lookup(name) !== 'number') return -EEXIST;
    if (!this.fileSystem.upper.charge(ENTRY_COST + name.length)) return -ENOSPC;
    node.linkCount++;
    node.ctimeNs = this.fileSystem.upper.now();
    this.#put(name, inode);
    return 0;
  }

  unlink(name: string): number {
    const child = this.lookup(name);
    if (typeof child === 'number') return child;
    if (child.#children !== undefined) return -EISDIR;
    const directory = this.copyUp();
    if (typeof directory === 'number') return directory;
    this.#take(name);
    child.#unlinked();
    return 0;
  }

  #unlinked(): void {
    if (this.upper === undefined) {
      this.#lowerLinksGone++;
      return;
    }
    this.upper.unlinked();
    this.fileSystem.upper.release(ENTRY_COST + this.originName.length);
  }

  rmdir(name: string): number {
    const child = this.lookup(name);
    if (typeof child === 'number') return child;
    const entries = child.readDirectory();
    if (typeof entries === 'number') return entries;
    if (entries.length > 0) return -ENOTEMPTY;
    const directory = this.copyUp();
    if (typeof directory === 'number') return directory;
    this.#take(name);
    if (directory.linkCount > 2) directory.linkCount--;
    if (child.upper !== undefined) child.upper.linkCount = 1;
    else child.#lowerLinksGone = 0x7fff_ffff;
    if (child.upper !== undefined) child.#unlinked();
    return 0;
  }

  rename(name: string, toDirectory: Inode, toName: string, flags: number): number {
    if (!(toDirectory instanceof OverlayInode) || toDirectory.fileSystem !== this.fileSystem) return -EXDEV;
    if ((flags & RENAME_WHITEOUT) !== 0) return -EINVAL;
    const child = this.lookup(name);
    if (typeof child === 'number') return child;
    const target = toDirectory.lookup(toName);
    const copied = [this, toDirectory, child].map((inode) => inode.copyUp()).find((node) => typeof node === 'number');
    if (typeof copied === 'number') return copied;
    if ((flags & RENAME_EXCHANGE) !== 0) {
      if (typeof target === 'number') return target;
      const node = target.copyUp();
      if (typeof node === 'number') return node;
      this.#put(name, target);
      toDirectory.#put(toName, child);
      return 0;
    }
    if (typeof target !== 'number') {
      if ((flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
      if (target === child) return 0;
      const error = child.#children === undefined ? toDirectory.unlink(toName) : toDirectory.rmdir(toName);
      if (error !== 0) return error;
    }
    this.#take(name);
    if (child.#children !== undefined) {
      if (this.upper!.linkCount > 2) this.upper!.linkCount--;
      toDirectory.upper!.linkCount++;
    }
    toDirectory.#put(toName, child);
    child.upper!.ctimeNs = this.upper!.mtimeNs;
    return 0;
  }

  readDirectory(): readonly DirectoryEntry[] | number {
    const children = this.#children;
    if (children === undefined) return -ENOTDIR;
    const below = this.lower?.readDirectory() ?? [];
    if (typeof below === 'number') return below;
    if (!this.dirty && children.size === 0) return below;
    const entries: DirectoryEntry[] = [];
    for (const entry of below) {
      const child = children.get(entry.name);
      if (child !== undefined) entries.push({ name: entry.name, ino: child.ino, type: child.mode & S_IFMT });
      else if (this.#whiteouts?.has(entry.name) !== true) entries.push(entry);
    }
    if (!this.dirty) return entries;
    const names = new Set(below.map((entry) => entry.name));
    for (const [name, child] of children) {
      if (!names.has(name) && (child.dirty || child.lower === undefined)) entries.push({ name, ino: child.ino, type: child.mode & S_IFMT });
    }
    return entries;
  }

  /** Names and inodes of this directory that were looked up or changed, for `changes`. */
  get knownChildren(): Iterable<readonly [name: string, inode: OverlayInode]> {
    return this.#children ?? [];
  }

  /** Names of the lower directory that are gone. */
  get whiteouts(): Iterable<string> {
    return this.#whiteouts ?? [];
  }

  get isDirectory(): boolean {
    return this.#children !== undefined;
  }

  readLink(): string | number {
    return this.#node.readLink();
  }

  // ---- data ----

  open(flags: number): OpenFile | number | undefined {
    return this.upper === undefined ? this.lower!.open?.(flags) : undefined;
  }

  prepareOpen(): number {
    if (this.lower?.prepareOpen === undefined || (this.upper !== undefined && !this.upper.data!.isBacked)) return 0;
    return this.lower.prepareOpen(O_RDONLY);
  }

  readAt(buffer: Uint8Array, position: number): number {
    const count = (this.upper ?? this.lower!).readAt(buffer, position);
    if (count > 0) this.fileSystem.onTransfer?.(count, false);
    return count;
  }

  writeAt(buffer: Uint8Array, position: number): number {
    const upper = this.upper ?? this.copyUp();
    if (typeof upper === 'number') return upper;
    const count = upper.writeAt(buffer, position);
    if (count > 0) this.fileSystem.onTransfer?.(count, true);
    return count;
  }

  allocate(mode: number, offset: number, length: number): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.allocate(mode, offset, length);
  }

  seekData(offset: number, whence: number): number {
    const node = this.#node;
    if (node.seekData !== undefined) return node.seekData(offset, whence);
    return whence === 3 ? offset : node.size;
  }

  hold(): void {
    this.#holders++;
    this.upper?.hold();
  }

  drop(): void {
    this.#holders--;
    this.upper?.drop();
  }

  getXattr(name: string): Uint8Array | number {
    return this.#node.getXattr(name);
  }

  setXattr(name: string, value: Uint8Array, flags: number): number {
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.setXattr(name, value, flags);
  }

  listXattr(): readonly string[] {
    return this.#node.listXattr();
  }

  removeXattr(name: string): number {
    if (typeof this.getXattr(name) === 'number') return -ENODATA;
    const upper = this.copyUp();
    return typeof upper === 'number' ? upper : upper.removeXattr(name);
  }
}
