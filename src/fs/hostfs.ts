/**
 * hostfs: a directory of the host, read-only or writable, seen through `HostFiles`.
 *
 * Symbolic links are never followed by the host: the walk of the VFS resolves them inside the guest. Every
 * directory is reached through a handle of itself (`/proc/self/fd/N/name`, where the host has that), so a
 * directory that someone swaps for a link cannot lead out; an object opened is compared with the one seen.
 * Device nodes, sockets and FIFOs of the host are shown and never opened.
 */
import {
  EACCES, EINVAL, EISDIR, ENODATA, ENOENT, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, EROFS, ESTALE, EEXIST, EXDEV,
} from '../abi/errno.ts';
import { O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR, RENAME_NOREPLACE } from '../abi/fcntl.ts';
import { NAME_MAX } from '../abi/limits.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/stat.ts';
import { EXT4_SUPER_MAGIC } from '../abi/statfs.ts';
import type { HostFiles, HostStat } from '../host/types.ts';
import { HandlePool } from './hostfs-handles.ts';
import type { HandleOwner } from './hostfs-handles.ts';
import type { DirectoryEntry, FileSystem, Inode, InodeWatch, OpenFile, SetAttributes, Stat, StatFs } from './types.ts';

/**
 * How long what the host said of a file is believed, in nanoseconds, where the guest cannot write: a file that the host
 * changes meanwhile shows its old size and times for this long at most; its bytes always come from the host.
 */
const BELIEVED_NS = 1e9;
/** Names missed in a directory before its list of names is read to answer the next ones. */
const MISSES_BEFORE_LIST = 12;
/** Inode numbers of the host's second, third... device are shifted by this, so that all are distinct. */
const DEVICE_SHIFT = 2 ** 44;

export interface HostFsOptions {
  readonly files: HostFiles;
  /** Absolute host path, latin1. */
  readonly root: string;
  readonly dev: number;
  readonly monotonicNs: () => number;
  readonly writable?: boolean;
  /** Host paths that look absent. */
  readonly hidden?: readonly string[];
  /** Host directories that look empty: where other file systems will be mounted (/proc, /sys, /dev). */
  readonly masked?: readonly string[];
  /** An overlay above keeps the inodes it was given, so none is looked for again by number. */
  readonly keptAbove?: boolean;
}

/** What of a directory is not shown. */
interface Concealment {
  readonly masked: boolean;
  readonly names: ReadonlySet<string> | undefined;
}

export class HostFs implements FileSystem {
  readonly type = 'hostfs';
  readonly dev: number;
  readonly cacheable = false;
  readonly readOnly: boolean;
  readonly root: HostInode;
  readonly files: HostFiles;
  readonly handles: HandlePool;
  readonly monotonicNs: () => number;
  /** Reach objects through handles of their directories. */
  readonly byHandle: boolean;
  readonly #hiddenNames = new Map<string, Set<string>>();
  readonly #keptAbove: boolean;
  readonly #masked: ReadonlySet<string>;
  readonly #devices = new Map<number, number>();
  readonly #known = new Map<number, WeakRef<HostInode>>();
  readonly #forget = new FinalizationRegistry<number>((ino) => {
    if (this.#known.get(ino)?.deref() === undefined) this.#known.delete(ino);
  });

  private constructor(options: HostFsOptions, rootStat: HostStat) {
    this.files = options.files;
    this.dev = options.dev;
    this.monotonicNs = options.monotonicNs;
    this.readOnly = options.writable !== true;
    this.handles = new HandlePool(options.files);
    this.#keptAbove = options.keptAbove === true;
    this.#masked = new Set(options.masked ?? []);
    for (const path of options.hidden ?? []) {
      const cut = path.lastIndexOf('/');
      const directory = path.slice(0, cut) || '/';
      const names = this.#hiddenNames.get(directory) ?? new Set<string>();
      this.#hiddenNames.set(directory, names.add(path.slice(cut + 1)));
    }
    this.root = new HostInode(this, undefined, options.root, rootStat);
    this.byHandle = this.#canReachByHandle();
  }

  /** A negative errno where the root is no directory that can be seen. */
  static open(options: HostFsOptions): HostFs | number {
    const root = options.root === '/' ? '/' : options.root.replace(/\/+$/, '');
    const stat = options.files.lstat(root);
    if (typeof stat === 'number') return stat;
    return (stat.mode & S_IFMT) === S_IFLNK ? -ENOTDIR : new HostFs({ ...options, root }, stat);
  }

  #canReachByHandle(): boolean {
    const handle = this.files.open(this.root.name, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (handle < 0) return false;
    const stat = this.files.lstat(`/proc/self/fd/${handle}/.`);
    const same = typeof stat !== 'number' && stat.ino === this.root.hostIno && stat.dev === this.root.hostDev;
    if (same) this.handles.adopt(this.root, handle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    else this.files.close(handle);
    return same;
  }

  /** One number space for the objects of all devices below the root. */
  inodeNumber(dev: number, ino: number): number {
    let index = this.#devices.get(dev);
    if (index === undefined) {
      index = this.#devices.size;
      this.#devices.set(dev, index);
    }
    return (ino % DEVICE_SHIFT) + index * DEVICE_SHIFT;
  }

  /** Something below a directory is hidden: renaming it would give that another path. */
  concealsBelow(path: string): boolean {
    for (const directory of this.#hiddenNames.keys()) if (directory === path || directory.startsWith(`${path}/`)) return true;
    return false;
  }

  /** What is not shown of a directory of the host. */
  concealment(path: string): Concealment {
    return { masked: this.#masked.has(path), names: this.#hiddenNames.get(path) };
  }

  /** The one inode of an object: made, or the known one brought up to date. */
  inodeFor(parent: HostInode, name: string, stat: HostStat): HostInode {
    if (this.#keptAbove) return new HostInode(this, parent, name, stat);
    const ino = this.inodeNumber(stat.dev, stat.ino);
    const known = this.#known.get(ino)?.deref();
    if (known !== undefined && ((known.mode ^ stat.mode) & S_IFMT) === 0) {
      known.seen(parent, name, stat);
      return known;
    }
    const inode = new HostInode(this, parent, name, stat);
    this.#known.set(ino, new WeakRef(inode));
    this.#forget.register(inode, ino);
    return inode;
  }

  statfs(): StatFs {
    const host = this.files.statfs(this.root.name);
    if (typeof host === 'number') return { type: EXT4_SUPER_MAGIC, blockSize: 4096, blocks: 0, freeBlocks: 0, files: 0, freeFiles: 0, nameLength: NAME_MAX };
    return { type: EXT4_SUPER_MAGIC, nameLength: NAME_MAX, ...host };
  }

  sync(): number {
    return 0;
  }
}

/** Any object of the host. The root's `name` is its absolute path. */
export class HostInode implements Inode, HandleOwner {
  readonly fileSystem: HostFs;
  readonly ino: number;
  parent: HostInode | undefined;
  name: string;
  handle = -1;
  handleFlags = 0;
  watch?: InodeWatch | undefined = undefined;
  boundSocket?: unknown = undefined;
  writers = 0;
  programs = 0;
  #stat: HostStat;
  #seenNs: number;
  #misses = 0;
  #names: { readonly set: ReadonlySet<string>; readonly mtimeNs: bigint } | undefined = undefined;
  #gone = false;
  #concealment: Concealment | undefined = undefined;

  constructor(fileSystem: HostFs, parent: HostInode | undefined, name: string, stat: HostStat) {
    this.fileSystem = fileSystem;
    this.parent = parent;
    this.name = name;
    this.#stat = stat;
    this.#seenNs = fileSystem.monotonicNs();
    this.ino = fileSystem.inodeNumber(stat.dev, stat.ino);
  }

  get hostDev(): number {
    return this.#stat.dev;
  }
  get hostIno(): number {
    return this.#stat.ino;
  }
  get mode(): number {
    return this.#stat.mode;
  }
  get uid(): number {
    return this.#stat.uid;
  }
  get gid(): number {
    return this.#stat.gid;
  }
  get rdev(): number {
    return this.#stat.rdev;
  }
  get size(): number {
    if (!this.fileSystem.readOnly && (this.mode & S_IFMT) === S_IFREG) this.#refresh();
    return this.#stat.size;
  }

  /** Looked up again: where, and what the host says now. */
  seen(parent: HostInode, name: string, stat: HostStat): void {
    this.parent = parent;
    this.name = name;
    this.#stat = stat;
    this.#seenNs = this.fileSystem.monotonicNs();
    this.#gone = false;
  }

  /** Absolute path on the host, for what is hidden. */
  get path(): string {
    if (this.parent === undefined) return this.name;
    const above = this.parent.path;
    return above === '/' ? `/${this.name}` : `${above}/${this.name}`;
  }

  /** Path by which the host reaches a child of this directory, or a negative errno. */
  childPath(name: string): string | number {
    if (!this.fileSystem.byHandle) return this.path === '/' ? `/${name}` : `${this.path}/${name}`;
    const handle = this.#directoryHandle();
    return handle < 0 ? handle : `/proc/self/fd/${handle}/${name}`;
  }

  #directoryHandle(): number {
    return this.fileSystem.handles.acquire(this, () => this.ownPath(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }

  /** Path by which the host reaches this object. */
  ownPath(): string | number {
    return this.parent === undefined ? this.name : this.parent.childPath(this.name);
  }

  #refresh(): number {
    const { files } = this.fileSystem;
    const path = this.handle >= 0 ? 0 : this.ownPath();
    if (typeof path === 'number' && path < 0) return path;
    const stat = typeof path === 'number' ? files.fstat(this.handle) : files.lstat(path);
    if (typeof stat === 'number') return stat;
    if (stat.ino !== this.#stat.ino || stat.dev !== this.#stat.dev) return -ESTALE;
    this.#stat = stat;
    this.#seenNs = this.fileSystem.monotonicNs();
    return 0;
  }

  get #isOld(): boolean {
    return !this.fileSystem.readOnly || this.fileSystem.monotonicNs() - this.#seenNs > BELIEVED_NS;
  }

  /** False when the name has come to mean something else on the host: whoever kept it looks it up again. */
  stillThere(): boolean {
    if (!this.#isOld || this.parent === undefined) return !this.#gone;
    const path = this.ownPath();
    const stat = typeof path === 'number' ? path : this.fileSystem.files.lstat(path);
    if (typeof stat === 'number' || stat.ino !== this.#stat.ino || stat.dev !== this.#stat.dev) {
      this.#gone = true;
      return false;
    }
    this.#stat = stat;
    this.#seenNs = this.fileSystem.monotonicNs();
    return true;
  }

  stat(): Stat {
    if (this.#isOld) this.#refresh();
    const seen = this.#stat;
    return {
      dev: this.fileSystem.dev, ino: this.ino, mode: seen.mode, nlink: seen.nlink, uid: seen.uid, gid: seen.gid, rdev: seen.rdev, size: seen.size,
      blockSize: seen.blockSize, blocks: seen.blocks, atimeNs: seen.atimeNs, mtimeNs: seen.mtimeNs, ctimeNs: seen.ctimeNs, btimeNs: seen.btimeNs,
    };
  }

  setAttributes(attributes: SetAttributes): number {
    const { files, readOnly } = this.fileSystem;
    if (readOnly) return -EROFS;
    const path = this.ownPath();
    if (typeof path === 'number') return path;
    let error = 0;
    const { size, uid, gid, mode, atimeNs, mtimeNs } = attributes;
    if (size !== undefined) {
      const handle = this.#fileHandle(true);
      error = handle < 0 ? handle : files.truncate(handle, size);
    }
    if (error === 0 && (uid !== undefined || gid !== undefined)) error = files.lchown(path, uid ?? this.uid, gid ?? this.gid);
    if (error === 0 && mode !== undefined) error = files.chmod(path, mode);
    if (error === 0 && (atimeNs !== undefined || mtimeNs !== undefined)) {
      error = files.utimes(path, atimeNs ?? this.#stat.atimeNs, mtimeNs ?? this.#stat.mtimeNs);
    }
    this.#refresh();
    return error;
  }

  // ---- directories ----

  lookup(name: string): HostInode | number {
    if ((this.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
    const { fileSystem } = this;
    if (this.parent === undefined || fileSystem.readOnly) {
      if (this.#misses > MISSES_BEFORE_LIST && !this.#listed(name)) return -ENOENT;
    }
    const path = this.childPath(name);
    if (typeof path === 'number') return path === -ESTALE ? -ENOENT : path;
    const stat = fileSystem.files.lstat(path);
    if (typeof stat === 'number') {
      if (stat === -ENOENT) this.#misses++;
      return stat;
    }
    if (this.#hides(name)) return -ENOENT;
    return fileSystem.inodeFor(this, name, stat);
  }

  #hides(name: string): boolean {
    const { masked, names } = this.#concealed();
    return masked || names?.has(name) === true;
  }

  /** Kept where the directory cannot be renamed by us. */
  #concealed(): Concealment {
    if (!this.fileSystem.readOnly) return this.fileSystem.concealment(this.path);
    return (this.#concealment ??= this.fileSystem.concealment(this.path));
  }

  /** Whether the list of names has this one; the list is read again when the directory changed. */
  #listed(name: string): boolean {
    if (!this.fileSystem.readOnly) return true;
    if (this.#isOld) this.#refresh();
    if (this.#names === undefined || this.#names.mtimeNs !== this.#stat.mtimeNs) {
      const entries = this.#hostEntries();
      if (typeof entries === 'number') return true;
      this.#names = { set: new Set(entries.map((entry) => entry.name)), mtimeNs: this.#stat.mtimeNs };
    }
    return this.#names.set.has(name);
  }

  #hostEntries(): readonly { readonly name: string; readonly type: number }[] | number {
    if (!this.fileSystem.byHandle) return this.fileSystem.files.readDirectory(this.path);
    const handle = this.#directoryHandle();
    return handle < 0 ? handle : this.fileSystem.files.readDirectory(`/proc/self/fd/${handle}`);
  }

  readDirectory(): readonly DirectoryEntry[] | number {
    if ((this.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
    const { masked, names } = this.#concealed();
    if (masked) return [];
    const entries = this.#hostEntries();
    if (typeof entries === 'number') return entries;
    return entries
      .filter((entry) => names?.has(entry.name) !== true)
      .map((entry) => ({ name: entry.name, ino: guessedInode(this.ino, entry.name), type: entry.type }));
  }

  create(name: string, mode: number, uid: number, gid: number): HostInode | number {
    const { files, readOnly } = this.fileSystem;
    if (readOnly) return -EROFS;
    const path = this.childPath(name);
    if (typeof path === 'number') return path;
    if (this.#hides(name)) return -EACCES;
    const type = mode & S_IFMT;
    if (type === S_IFDIR) {
      const error = files.mkdir(path, mode & 0o7777);
      if (error !== 0) return error;
    } else if (type === S_IFREG) {
      const handle = files.open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, mode & 0o7777);
      if (handle < 0) return handle;
      files.close(handle);
    } else return -EPERM;
    return this.#made(path, name, mode & 0o7777, uid, gid);
  }

  /** Gives a new object its owner and its exact mode, as far as the host lets us. */
  #made(path: string, name: string, mode: number | undefined, uid: number, gid: number): HostInode | number {
    const { files } = this.fileSystem;
    let stat = files.lstat(path);
    if (typeof stat === 'number') return stat;
    if (stat.uid !== uid || stat.gid !== gid) files.lchown(path, uid, gid);
    if (mode !== undefined && (stat.mode & 0o7777) !== mode) files.chmod(path, mode);
    stat = files.lstat(path);
    if (typeof stat === 'number') return stat;
    this.#refresh();
    return this.fileSystem.inodeFor(this, name, stat);
  }

  symlink(name: string, target: string, uid: number, gid: number): HostInode | number {
    if (this.fileSystem.readOnly) return -EROFS;
    const path = this.childPath(name);
    if (typeof path === 'number') return path;
    if (this.#hides(name)) return -EACCES;
    const error = this.fileSystem.files.symlink(target, path);
    return error !== 0 ? error : this.#made(path, name, undefined, uid, gid);
  }

  link(name: string, inode: Inode): number {
    if (this.fileSystem.readOnly) return -EROFS;
    if (!(inode instanceof HostInode) || inode.fileSystem !== this.fileSystem) return -EXDEV;
    return this.#between(inode.ownPath(), name, (from, to) => this.fileSystem.files.link(from, to));
  }

  #between(from: string | number, name: string, call: (from: string, to: string) => number): number {
    if (typeof from === 'number') return from;
    const to = this.childPath(name);
    if (typeof to === 'number') return to;
    return this.#hides(name) ? -EACCES : call(from, to);
  }

  unlink(name: string): number {
    return this.#removeName(name, (path) => this.fileSystem.files.unlink(path));
  }

  rmdir(name: string): number {
    return this.#removeName(name, (path) => this.fileSystem.files.rmdir(path));
  }

  #removeName(name: string, call: (path: string) => number): number {
    if (this.fileSystem.readOnly) return -EROFS;
    const path = this.childPath(name);
    if (typeof path === 'number') return path;
    if (this.#hides(name)) return -ENOENT;
    const error = call(path);
    this.#refresh();
    return error;
  }

  rename(name: string, toDirectory: Inode, toName: string, flags: number): number {
    if (this.fileSystem.readOnly) return -EROFS;
    if (!(toDirectory instanceof HostInode) || toDirectory.fileSystem !== this.fileSystem) return -EXDEV;
    if ((flags & ~RENAME_NOREPLACE) !== 0) return -EINVAL;
    if (flags !== 0 && typeof toDirectory.lookup(toName) !== 'number') return -EEXIST;
    const inode = this.lookup(name);
    if (typeof inode === 'number') return inode;
    if (this.fileSystem.concealsBelow(inode.path)) return -EACCES;
    const error = toDirectory.#between(this.childPath(name), toName, (from, to) => this.fileSystem.files.rename(from, to));
    if (error === 0) {
      inode.parent = toDirectory;
      inode.name = toName;
    }
    return error;
  }

  readLink(): string | number {
    if ((this.mode & S_IFMT) !== S_IFLNK) return -EINVAL;
    const path = this.ownPath();
    return typeof path === 'number' ? path : this.fileSystem.files.readLink(path);
  }

  // ---- data ----

  /** FIFOs, sockets and devices of the host stay closed. */
  open(): OpenFile | number | undefined {
    const type = this.mode & S_IFMT;
    if (type === S_IFCHR || type === S_IFBLK) return -EACCES;
    return type === S_IFIFO || type === S_IFSOCK ? -ENXIO : undefined;
  }

  prepareOpen(flags: number): number {
    if (this.#isOld) this.#refresh();
    const handle = this.#fileHandle((flags & O_ACCMODE) !== O_RDONLY && !this.fileSystem.readOnly);
    return handle === -ESTALE ? -ENOENT : Math.min(handle, 0);
  }

  #fileHandle(write: boolean): number {
    if (this.handle >= 0 && !write) return this.fileSystem.handles.acquire(this, () => -ESTALE, this.handleFlags);
    const flags = (write ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC;
    const handle = this.fileSystem.handles.acquire(this, () => this.ownPath(), flags);
    if (handle !== -EACCES || !write) return handle;
    return handle;
  }

  readAt(buffer: Uint8Array, position: number): number {
    if ((this.mode & S_IFMT) !== S_IFREG) return (this.mode & S_IFMT) === S_IFDIR ? -EISDIR : -EINVAL;
    const handle = this.#fileHandle(false);
    return handle < 0 ? handle : this.fileSystem.files.read(handle, buffer, position);
  }

  writeAt(buffer: Uint8Array, position: number): number {
    if (this.fileSystem.readOnly) return -EROFS;
    if ((this.mode & S_IFMT) !== S_IFREG) return -EINVAL;
    const handle = this.#fileHandle(true);
    return handle < 0 ? handle : this.fileSystem.files.write(handle, buffer, position);
  }

  sync(): number {
    const isFile = (this.mode & S_IFMT) === S_IFREG;
    return isFile && this.handle >= 0 && !this.fileSystem.readOnly ? this.fileSystem.files.sync(this.handle) : 0;
  }

  getXattr(): number {
    return -ENODATA;
  }
  setXattr(): number {
    return -EOPNOTSUPP;
  }
  listXattr(): readonly string[] {
    return [];
  }
  removeXattr(): number {
    return -EOPNOTSUPP;
  }
}

/**
 * The host's directory listing has no inode numbers and asking for each would cost a call per name, so `d_ino` is only
 * distinct and stable, not what `stat` says (as on many network file systems).
 */
function guessedInode(directory: number, name: string): number {
  let hash = directory | 0;
  for (let index = 0; index < name.length; index++) hash = (Math.imul(hash, 31) + name.charCodeAt(index)) | 0;
  return 2 ** 40 + (hash >>> 0);
}
