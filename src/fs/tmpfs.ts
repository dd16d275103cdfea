/** tmpfs: files in memory, bounded in bytes and inodes (tmpfs(5), Linux mm/shmem.c). */
import {
  EEXIST, EINVAL, EISDIR, ENODATA, ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY, EMLINK, EOPNOTSUPP, EPERM,
} from '../abi/errno.ts';
import {
  FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_ZERO_RANGE, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_WRITE,
  RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, XATTR_CREATE, XATTR_REPLACE,
} from '../abi/fcntl.ts';
import { NAME_MAX, XATTR_SIZE_MAX } from '../abi/limits.ts';
import { S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { TMPFS_MAGIC } from '../abi/statfs.ts';
import { FileData } from './file-data.ts';
import type { ByteAccount, MemoryPayer } from './file-data.ts';
import type { DirectoryEntry, FileSystem, Inode, InodeWatch, SetAttributes, Stat, StatFs, IdMapping } from './types.ts';

/** Bytes that a directory entry or an extended attribute is charged beside its name. */
const ENTRY_COST = 64;
/** tmpfs has no bound on hard links; this one keeps the counter small. */
const MOST_LINKS = 0x7fff_ffff;

export interface TmpFsOptions {
  readonly dev: number;
  readonly now: () => bigint;
  /** Default 1 GiB. */
  readonly maxBytes?: number;
  /** What of them is taken already, by what lies elsewhere. */
  readonly usedBytes?: number | undefined;
  /** Default 1,000,000. */
  readonly maxInodes?: number;
  /** Of the root. Default 0o1777. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** First inode number. Default 1. */
  readonly firstInode?: number;
  readonly type?: string;
  readonly owner?: IdMapping | undefined;
  /** Has room for several of them together. */
  readonly pool?: ByteAccount | undefined;
  /** Who pays for a file that gets its first bytes now: its bytes count as memory. Absent: it stands for a disk. */
  readonly payer?: () => MemoryPayer | undefined;
}

export class TmpFs implements FileSystem, ByteAccount {
  readonly type: string;
  readonly dev: number;
  /** fsconfig(2) changes it. */
  readOnly = false;
  readonly cacheable = true;
  readonly root: TmpInode;
  readonly now: () => bigint;
  readonly maxBytes: number;
  readonly maxInodes: number;
  readonly owner: IdMapping | undefined;
  readonly pool: ByteAccount | undefined;
  readonly payer: () => MemoryPayer | undefined;
  usedBytes: number;
  usedInodes = 0;
  #nextInode: number;

  constructor(options: TmpFsOptions) {
    this.type = options.type ?? 'tmpfs';
    this.dev = options.dev;
    this.owner = options.owner;
    this.pool = options.pool;
    this.now = options.now;
    this.maxBytes = options.maxBytes ?? 2 ** 30;
    this.usedBytes = options.usedBytes ?? 0;
    this.maxInodes = options.maxInodes ?? 1_000_000;
    this.payer = options.payer ?? (() => undefined);
    this.#nextInode = options.firstInode ?? 1;
    this.root = this.createNode(S_IFDIR | (options.mode ?? 0o1777), options.uid ?? 0, options.gid ?? 0, 0) as TmpInode;
    this.root.linkCount = 2;
  }

  charge(bytes: number): boolean {
    if (this.usedBytes + bytes > this.maxBytes || this.pool?.charge(bytes) === false) return false;
    this.usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.pool?.release(bytes);
    this.usedBytes -= bytes;
  }

  /** An inode without a name; -ENOSPC. `ino` and `backing` are for the overlay. */
  createNode(mode: number, uid: number, gid: number, rdev: number, ino?: number, backing?: Inode): TmpInode | number {
    if (this.usedInodes >= this.maxInodes) return -ENOSPC;
    this.usedInodes++;
    return new TmpInode(this, ino ?? this.#nextInode++, mode, uid, gid, rdev, backing);
  }

  statfs(): StatFs {
    return {
      type: TMPFS_MAGIC, blockSize: 4096, blocks: Math.floor(this.maxBytes / 4096), freeBlocks: Math.max(0, Math.floor((this.maxBytes - this.usedBytes) / 4096)),
      files: this.maxInodes, freeFiles: this.maxInodes - this.usedInodes, nameLength: NAME_MAX,
    };
  }

  sync(): number {
    return 0;
  }
}

/** Any object of a tmpfs. */
export class TmpInode implements Inode {
  readonly fileSystem: TmpFs;
  readonly ino: number;
  readonly rdev: number;
  mode: number;
  uid: number;
  gid: number;
  linkCount = 0;
  seals?: number;
  watch?: InodeWatch | undefined = undefined;
  boundSocket?: unknown = undefined;
  writers = 0;
  programs = 0;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  btimeNs: bigint;
  readonly data: FileData | undefined;
  readonly #entries: Map<string, TmpInode> | undefined;
  #target = '';
  #xattrs: Map<string, Uint8Array> | undefined = undefined;
  #holders = 0;
  #freed = false;

  constructor(fileSystem: TmpFs, ino: number, mode: number, uid: number, gid: number, rdev: number, backing?: Inode) {
    this.fileSystem = fileSystem;
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.rdev = rdev;
    const now = fileSystem.now();
    this.atimeNs = now;
    this.mtimeNs = now;
    this.ctimeNs = now;
    this.btimeNs = now;
    const type = mode & S_IFMT;
    this.data = type === S_IFREG ? new FileData(fileSystem, backing) : undefined;
    this.#entries = type === S_IFDIR ? new Map() : undefined;
  }

  get size(): number {
    if (this.data !== undefined) return this.data.size;
    if (this.#entries !== undefined) return 40 + this.#entries.size * 20;
    return this.#target.length;
  }

  stat(): Stat {
    return {
      dev: this.fileSystem.dev, ino: this.ino, mode: this.mode, nlink: this.linkCount, uid: this.uid, gid: this.gid, rdev: this.rdev,
      size: this.size, blockSize: 4096, blocks: this.data === undefined ? 0 : Math.ceil(this.data.allocated / 4096) * 8,
      atimeNs: this.atimeNs, mtimeNs: this.mtimeNs, ctimeNs: this.ctimeNs, btimeNs: this.btimeNs,
    };
  }

  setAttributes(attributes: SetAttributes): number {
    const { mode, uid, gid, size, atimeNs, mtimeNs } = attributes;
    const now = this.fileSystem.now();
    if (size !== undefined) {
      const error = this.#resize(size);
      if (error !== 0) return error;
      this.mtimeNs = now;
    }
    if (mode !== undefined) this.mode = (this.mode & S_IFMT) | (mode & 0o7777);
    if (uid !== undefined) this.uid = uid;
    if (gid !== undefined) this.gid = gid;
    if (atimeNs !== undefined) this.atimeNs = atimeNs;
    if (mtimeNs !== undefined) this.mtimeNs = mtimeNs;
    this.ctimeNs = now;
    return 0;
  }

  #resize(size: number): number {
    if (this.data === undefined) return this.#entries === undefined ? -EINVAL : -EISDIR;
    if (this.seals !== undefined) {
      if (size < this.data.size && (this.seals & F_SEAL_SHRINK) !== 0) return -EPERM;
      if (size > this.data.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    }
    return this.data.truncate(size);
  }

  // ---- directories ----

  lookup(name: string): TmpInode | number {
    if (this.#entries === undefined) return -ENOTDIR;
    return this.#entries.get(name) ?? -ENOENT;
  }

  create(name: string, mode: number, uid: number, gid: number, rdev: number): TmpInode | number {
    const inode = this.fileSystem.createNode(mode, uid, gid, rdev);
    if (typeof inode === 'number') return inode;
    const error = this.#add(name, inode);
    if (error !== 0) {
      inode.#free();
      return error;
    }
    if (inode.#entries !== undefined) {
      inode.linkCount++;
      this.linkCount++;
    }
    return inode;
  }

  symlink(name: string, target: string, uid: number, gid: number): TmpInode | number {
    const inode = this.create(name, S_IFLNK | 0o777, uid, gid, 0);
    if (typeof inode !== 'number') inode.setTarget(target);
    return inode;
  }

  /** For symbolic links, once. */
  setTarget(target: string): void {
    this.#target = target;
  }

  link(name: string, inode: Inode): number {
    if (!(inode instanceof TmpInode)) return -EINVAL;
    if (inode.linkCount >= MOST_LINKS) return -EMLINK;
    const error = this.#add(name, inode);
    if (error === 0) inode.ctimeNs = this.mtimeNs;
    return error;
  }

  createTemporary(mode: number, uid: number, gid: number): TmpInode | number {
    return this.fileSystem.createNode(mode, uid, gid, 0);
  }

  #add(name: string, inode: TmpInode): number {
    if (this.#entries === undefined) return -ENOTDIR;
    if (this.linkCount === 0) return -ENOENT;
    if (this.#entries.has(name)) return -EEXIST;
    if (!this.fileSystem.charge(ENTRY_COST + name.length)) return -ENOSPC;
    this.#entries.set(name, inode);
    inode.linkCount++;
    this.touch();
    return 0;
  }

  #remove(name: string): void {
    this.#entries!.delete(name);
    this.fileSystem.release(ENTRY_COST + name.length);
    this.touch();
  }

  /** Its contents changed now. */
  touch(): void {
    const now = this.fileSystem.now();
    this.mtimeNs = now;
    this.ctimeNs = now;
  }

  unlink(name: string): number {
    const inode = this.lookup(name);
    if (typeof inode === 'number') return inode;
    if (inode.#entries !== undefined) return -EISDIR;
    this.#remove(name);
    inode.unlinked();
    return 0;
  }

  rmdir(name: string): number {
    const inode = this.lookup(name);
    if (typeof inode === 'number') return inode;
    if (inode.#entries === undefined) return -ENOTDIR;
    if (inode.#entries.size > 0) return -ENOTEMPTY;
    this.#remove(name);
    this.linkCount--;
    inode.linkCount = 1;
    inode.unlinked();
    return 0;
  }

  /** One name less. */
  unlinked(): void {
    this.linkCount--;
    this.ctimeNs = this.fileSystem.now();
    if (this.linkCount === 0 && this.#holders === 0) this.#free();
  }

  rename(name: string, toDirectory: Inode, toName: string, flags: number): number {
    if (!(toDirectory instanceof TmpInode)) return -EINVAL;
    if ((flags & RENAME_WHITEOUT) !== 0) return -EINVAL;
    const inode = this.lookup(name);
    if (typeof inode === 'number') return inode;
    const target = toDirectory.lookup(toName);
    if ((flags & RENAME_EXCHANGE) !== 0) {
      if (typeof target === 'number') return target;
      this.#entries!.set(name, target);
      toDirectory.#entries!.set(toName, inode);
      const shift = Number(target.#entries !== undefined) - Number(inode.#entries !== undefined);
      this.linkCount += shift;
      toDirectory.linkCount -= shift;
    } else {
      if (typeof target !== 'number') {
        if ((flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
        if (target === inode) return 0;
        const error = inode.#entries === undefined ? toDirectory.unlink(toName) : toDirectory.rmdir(toName);
        if (error !== 0) return error;
      }
      const error = toDirectory.#add(toName, inode);
      if (error !== 0) return error;
      this.#remove(name);
      inode.linkCount--;
      if (inode.#entries !== undefined) {
        this.linkCount--;
        toDirectory.linkCount++;
      }
    }
    this.touch();
    toDirectory.touch();
    inode.ctimeNs = this.mtimeNs;
    return 0;
  }

  readDirectory(): readonly DirectoryEntry[] | number {
    if (this.#entries === undefined) return -ENOTDIR;
    const entries: DirectoryEntry[] = [];
    for (const [name, inode] of this.#entries) entries.push({ name, ino: inode.ino, type: inode.mode & S_IFMT });
    return entries;
  }

  get entryCount(): number {
    return this.#entries?.size ?? 0;
  }

  readLink(): string | number {
    return (this.mode & S_IFMT) === S_IFLNK ? this.#target : -EINVAL;
  }

  // ---- data ----

  readAt(buffer: Uint8Array, position: number): number {
    if (this.data === undefined) return this.#entries === undefined ? -EINVAL : -EISDIR;
    if (this.atimeNs <= this.mtimeNs) this.atimeNs = this.fileSystem.now();
    return this.data.read(buffer, position);
  }

  writeAt(buffer: Uint8Array, position: number): number {
    const { data } = this;
    if (data === undefined) return -EINVAL;
    if (this.seals !== undefined) {
      if ((this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
      if ((this.seals & F_SEAL_GROW) !== 0 && position + buffer.length > data.size) return -EPERM;
    }
    const count = data.write(buffer, position);
    if (count > 0) this.touch();
    return count;
  }

  allocate(mode: number, offset: number, length: number): number {
    const { data } = this;
    if (data === undefined) return -EOPNOTSUPP;
    const grows = offset + length > data.size && (mode & FALLOC_FL_KEEP_SIZE) === 0;
    const seals = this.seals ?? 0;
    if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0) {
      if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
      const error = data.zero(offset, length, (mode & FALLOC_FL_PUNCH_HOLE) !== 0);
      if (error !== 0) return error;
    } else if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_UNSHARE_RANGE)) !== 0) return -EOPNOTSUPP;
    if (grows) {
      if ((seals & F_SEAL_GROW) !== 0) return -EPERM;
    }
    if ((mode & FALLOC_FL_PUNCH_HOLE) === 0) {
      if (offset + length - data.size > this.fileSystem.maxBytes - this.fileSystem.usedBytes) return -ENOSPC;
      const error = data.reserve(offset, length);
      if (error !== 0) return error;
      if (grows) data.truncate(offset + length);
    }
    this.touch();
    return 0;
  }

  seekData(offset: number, whence: number): number {
    return this.data?.seek(offset, whence) ?? offset;
  }

  hold(): void {
    this.#holders++;
  }

  drop(): void {
    if (--this.#holders === 0 && this.linkCount === 0) this.#free();
  }

  #free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.fileSystem.usedInodes--;
    this.data?.release();
    for (const [name, value] of this.#xattrs ?? []) this.fileSystem.release(ENTRY_COST + name.length + value.length);
  }

  // ---- extended attributes ----

  getXattr(name: string): Uint8Array | number {
    return this.#xattrs?.get(name) ?? -ENODATA;
  }

  setXattr(name: string, value: Uint8Array, flags: number): number {
    const old = this.#xattrs?.get(name);
    if ((flags & XATTR_CREATE) !== 0 && old !== undefined) return -EEXIST;
    if ((flags & XATTR_REPLACE) !== 0 && old === undefined) return -ENODATA;
    const added = value.length + (old === undefined ? ENTRY_COST + name.length : -old.length);
    if (value.length > XATTR_SIZE_MAX || !this.fileSystem.charge(added)) return -ENOSPC;
    (this.#xattrs ??= new Map()).set(name, value.slice());
    this.ctimeNs = this.fileSystem.now();
    return 0;
  }

  listXattr(): readonly string[] {
    return this.#xattrs === undefined ? [] : [...this.#xattrs.keys()];
  }

  removeXattr(name: string): number {
    const old = this.#xattrs?.get(name);
    if (old === undefined) return -ENODATA;
    this.#xattrs!.delete(name);
    this.fileSystem.release(ENTRY_COST + name.length + old.length);
    this.ctimeNs = this.fileSystem.now();
    return 0;
  }
}

/** A whiteout of overlayfs: a character device 0/0. */
export function isWhiteout(inode: Inode): boolean {
  return (inode.mode & S_IFMT) === S_IFCHR && inode.rdev === 0;
}
