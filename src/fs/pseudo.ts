/** File systems whose objects are made up when they are looked at: the base of procfs and sysfs (Linux fs/libfs.c, fs/kernfs). */
import {
  EACCES, EBADF, EINVAL, ENODATA, ENOENT, ENOTDIR, ENOTTY, EOPNOTSUPP, EPERM,
} from '../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_WRONLY, SEEK_CUR, SEEK_END, SEEK_SET } from '../abi/fcntl.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { Location } from './dentry.ts';
import { pathOf } from './path.ts';
import { WaitQueue } from './types.ts';
import type { DirectoryEntry, FileSystem, Inode, OpenFile, SetAttributes, Stat, StatFs } from './types.ts';

export class PseudoFs implements FileSystem {
  readonly type: string;
  readonly dev: number;
  readonly readOnly = false;
  readonly cacheable = false;
  readonly now: () => bigint;
  readonly #magic: number;
  #nextInode = 1;
  #root: PseudoInode | undefined = undefined;

  constructor(type: string, dev: number, magic: number, now: () => bigint) {
    this.type = type;
    this.dev = dev;
    this.now = now;
    this.#magic = magic;
  }

  get root(): PseudoInode {
    return this.#root!;
  }

  set root(inode: PseudoInode) {
    this.#root = inode;
  }

  nextInode(): number {
    return this.#nextInode++;
  }

  statfs(): StatFs {
    return { type: this.#magic, blockSize: 4096, blocks: 0, freeBlocks: 0, files: 0, freeFiles: 0, nameLength: 255 };
  }

  sync(): number {
    return 0;
  }
}

/** Whom an object belongs to, asked each time: a process may change its ids. */
export type Owner = () => { readonly uid: number; readonly gid: number };

const ROOT_OWNER: Owner = () => ({ uid: 0, gid: 0 });

/** What every made-up object answers unless it knows better. */
export abstract class PseudoInode implements Inode {
  readonly fileSystem: PseudoFs;
  readonly ino: number;
  mode: number;
  readonly rdev = 0;
  readonly owner: Owner;

  constructor(fileSystem: PseudoFs, mode: number, owner: Owner = ROOT_OWNER) {
    this.fileSystem = fileSystem;
    this.ino = fileSystem.nextInode();
    this.mode = mode;
    this.owner = owner;
  }
  get uid(): number {
    return this.owner().uid;
  }
  get gid(): number {
    return this.owner().gid;
  }
  get size(): number {
    return 0;
  }
  get nlink(): number {
    return 1;
  }
  stat(): Stat {
    const now = this.fileSystem.now();
    const { uid, gid } = this.owner();
    return {
      dev: this.fileSystem.dev, ino: this.ino, mode: this.mode, nlink: this.nlink, uid, gid, rdev: 0, size: this.size,
      blockSize: 1024, blocks: 0, atimeNs: now, mtimeNs: now, ctimeNs: now, btimeNs: 0n,
    };
  }
  /** Truncation by `>` is accepted and does nothing. */
  setAttributes(attributes: SetAttributes): number {
    return attributes.size !== undefined && Object.keys(attributes).length === 1 ? 0 : -EPERM;
  }
  lookup(_name: string): Inode | number {
    return -ENOTDIR;
  }
  /** No way to make files is another errno than no way to make the rest (fs/namei.c: vfs_create(), vfs_mknod(), vfs_mkdir()). */
  create(_name: string, mode: number, _uid: number, _gid: number, _rdev: number): Inode | number {
    if (this.fileSystem.type === 'proc') return -ENOENT;
    return (mode & S_IFMT) === S_IFREG ? -EACCES : -EPERM;
  }
  symlink(): number {
    return this.fileSystem.type === 'proc' ? -ENOENT : -EPERM;
  }
  link(): number {
    return this.fileSystem.type === 'proc' ? -ENOENT : -EPERM;
  }
  unlink(_name: string): number {
    return -EPERM;
  }
  rmdir(_name: string): number {
    return -EPERM;
  }
  rename(): number {
    return -EPERM;
  }
  readDirectory(): readonly DirectoryEntry[] | number {
    return -ENOTDIR;
  }
  readLink(): string | number {
    return -EINVAL;
  }
  readAt(_buffer: Uint8Array, _position: number): number {
    return -EINVAL;
  }
  writeAt(_buffer: Uint8Array, _position: number): number {
    return -EINVAL;
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

/** A directory with entries that are always there. */
export class PseudoDirectory extends PseudoInode {
  readonly #entries = new Map<string, Inode>();

  constructor(fileSystem: PseudoFs, owner?: Owner, mode = 0o555) {
    super(fileSystem, S_IFDIR | mode, owner);
  }
  add(name: string, inode: Inode): this {
    this.#entries.set(name, inode);
    return this;
  }
  /** A file whose text is made when it is read. */
  file(name: string, content: Content, mode = 0o444, store?: Store): this {
    return this.add(name, new PseudoFile(this.fileSystem, content, mode, store, this.owner));
  }
  directory(name: string, mode = 0o555): PseudoDirectory {
    const made = new PseudoDirectory(this.fileSystem, this.owner, mode);
    this.add(name, made);
    return made;
  }
  override get nlink(): number {
    let count = 2;
    for (const inode of this.#entries.values()) if ((inode.mode & S_IFMT) === S_IFDIR) count++;
    return count;
  }
  override lookup(name: string): Inode | number {
    return this.#entries.get(name) ?? -ENOENT;
  }
  override readDirectory(): readonly DirectoryEntry[] | number {
    return [...this.#entries].map(([name, inode]) => ({ name, ino: inode.ino, type: inode.mode & S_IFMT }));
  }
}

/** Text (latin1) or bytes, or a negative errno for what cannot be read now. */
export type Content = () => string | Uint8Array | number;
/** Takes what one write(2) brought: bytes taken, or a negative errno. */
export type Store = (text: string) => number;

/** A regular file made up when it is read. */
export class PseudoFile extends PseudoInode {
  readonly #content: Content;
  readonly #store: Store | undefined;

  constructor(fileSystem: PseudoFs, content: Content, mode = 0o444, store?: Store, owner?: Owner) {
    super(fileSystem, S_IFREG | mode, owner);
    this.#content = content;
    this.#store = store;
  }
  /** The bytes now. */
  bytes(): Uint8Array | number {
    return contentBytes(this.#content());
  }
  store(bytes: Uint8Array): number {
    return this.#store === undefined ? -EACCES : this.#store(String.fromCharCode(...bytes.subarray(0, 4096)));
  }
  open(flags: number): OpenFile | number {
    if ((flags & O_ACCMODE) !== O_RDONLY && this.#store === undefined) return -EACCES;
    return new PseudoOpenFile(this, flags);
  }
  override readAt(buffer: Uint8Array, position: number): number {
    const bytes = this.bytes();
    return typeof bytes === 'number' ? bytes : copyFrom(bytes, buffer, position);
  }
}

function contentBytes(content: string | Uint8Array | number): Uint8Array | number {
  if (typeof content !== 'string') return content;
  const bytes = new Uint8Array(content.length);
  for (let index = 0; index < content.length; index++) bytes[index] = content.charCodeAt(index);
  return bytes;
}

/** What an open file reads and writes, where that depends on who opened it. */
export interface OpenedContent {
  readonly read: Content;
  /** Takes what one write(2) brought to a position: 0 for all of it, or a negative errno. */
  readonly write: (text: string, position: number) => number;
}

/** A made-up file whose content and rights are those of the opener, whoever then reads or writes. */
export class OpenerFile extends PseudoFile {
  readonly #open: (writes: boolean) => OpenedContent | number;

  constructor(fileSystem: PseudoFs, open: (writes: boolean) => OpenedContent | number, mode: number, owner: Owner) {
    super(fileSystem, () => -EINVAL, mode, undefined, owner);
    this.#open = open;
  }
  override open(flags: number): OpenFile | number {
    const opened = this.#open((flags & O_ACCMODE) !== O_RDONLY);
    if (typeof opened === 'number') return opened;
    return new PseudoOpenFile(this, flags, {
      bytes: () => contentBytes(opened.read()),
      store: (bytes, position) => {
        const error = opened.write(String.fromCharCode(...bytes.subarray(0, 4096)), position);
        return error === 0 ? bytes.length : error;
      },
    });
  }
}

function copyFrom(bytes: Uint8Array, buffer: Uint8Array, position: number): number {
  const part = bytes.subarray(position, position + buffer.length);
  buffer.set(part);
  return part.length;
}

const NEVER = new WaitQueue();

/** Where an open file's bytes come from and go to. */
interface Source {
  bytes(): Uint8Array | number;
  store(bytes: Uint8Array, position: number): number;
}

/** An open made-up file: one text for all reads in a row (seq_file). */
export class PseudoOpenFile implements OpenFile {
  flags: number;
  position = 0;
  readonly inode: PseudoFile;
  location: Location | undefined = undefined;
  readonly waitQueue: WaitQueue = NEVER;
  readonly #source: Source;
  #bytes: Uint8Array | undefined = undefined;

  constructor(inode: PseudoFile, flags: number, source: Source = inode) {
    this.inode = inode;
    this.#source = source;
    this.flags = flags;
  }
  get description(): string {
    return this.location === undefined ? '' : pathOf(this.location);
  }
  read(buffer: Uint8Array, offset?: number): number {
    if ((this.flags & O_ACCMODE) === O_WRONLY) return -EBADF;
    const at = offset ?? this.position;
    if (this.#bytes === undefined || at === 0) {
      const bytes = this.#source.bytes();
      if (typeof bytes === 'number') return bytes;
      this.#bytes = bytes;
    }
    const count = copyFrom(this.#bytes, buffer, at);
    if (offset === undefined) this.position += count;
    return count;
  }
  write(buffer: Uint8Array, offset?: number): number {
    if ((this.flags & O_ACCMODE) === O_RDONLY) return -EBADF;
    const count = this.#source.store(buffer, offset ?? this.position);
    if (count > 0 && offset === undefined) this.position += count;
    return count;
  }
  seek(offset: number, whence: number): number {
    let target = offset;
    if (whence === SEEK_CUR) target += this.position;
    else if (whence === SEEK_END) return -EINVAL;
    else if (whence !== SEEK_SET) return -EINVAL;
    if (target < 0) return -EINVAL;
    this.position = target;
    return target;
  }
  poll(): number {
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  }
  ioctl(): number {
    return -ENOTTY;
  }
  release(): void {}
}

/** A symbolic link made up when it is read; with `follow` a magic one. */
export class PseudoLink extends PseudoInode {
  readonly #target: () => string | number;
  readonly followLink?: () => Location | number;

  constructor(fileSystem: PseudoFs, target: () => string | number, owner?: Owner, follow?: () => Location | number, mode = 0o777) {
    super(fileSystem, S_IFLNK | mode, owner);
    this.#target = target;
    if (follow !== undefined) this.followLink = follow;
  }
  override readLink(): string | number {
    return this.#target();
  }
}

/** A directory whose names come and go. The maker keeps the inodes, so that each stays itself. */
export class DynamicDirectory extends PseudoInode {
  readonly #find: (name: string) => Inode | undefined;
  readonly #list: () => Iterable<readonly [name: string, inode: Inode]>;

  constructor(
    fileSystem: PseudoFs, find: (name: string) => Inode | undefined, list: () => Iterable<readonly [string, Inode]>, owner?: Owner, mode = 0o555,
  ) {
    super(fileSystem, S_IFDIR | mode, owner);
    this.#find = find;
    this.#list = list;
  }
  override get nlink(): number {
    return 2;
  }
  override lookup(name: string): Inode | number {
    return this.#find(name) ?? -ENOENT;
  }
  override readDirectory(): readonly DirectoryEntry[] | number {
    return [...this.#list()].map(([name, inode]) => ({ name, ino: inode.ino, type: inode.mode & S_IFMT }));
  }
}
