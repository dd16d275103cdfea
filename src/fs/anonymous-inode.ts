/**
 * Inodes without a name: pipes, sockets, epoll, eventfd and so on. Linux keeps them in pseudo file systems
 * (`pipefs`, `sockfs`, `anon_inodefs`) that are mounted nowhere; `stat` and /proc/self/fd show them.
 */
import { EACCES, EINVAL, ENOTDIR, EOPNOTSUPP } from '../abi/errno.ts';
import type { DirectoryEntry, FileSystem, Inode, InodeWatch, SetAttributes, Stat, StatFs } from './types.ts';

export class AnonymousFileSystem implements FileSystem {
  readonly type: string;
  readonly dev: number;
  readonly readOnly = false;
  readonly cacheable = true;
  readonly root: Inode;
  readonly #magic: number;

  constructor(type: string, dev: number, magic: number) {
    this.type = type;
    this.dev = dev;
    this.#magic = magic;
    this.root = new AnonymousInode(this, 1, 0o40_000 | 0o755);
  }
  statfs(): StatFs {
    return { type: this.#magic, blockSize: 4096, blocks: 0, freeBlocks: 0, files: 0, freeFiles: 0, nameLength: 255 };
  }
  sync(): number {
    return 0;
  }
}

/** What the maker of an anonymous inode may say about it. */
export interface AnonymousInodeOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly rdev?: number;
  readonly nowNs?: bigint;
}

export class AnonymousInode implements Inode {
  readonly fileSystem: FileSystem;
  readonly ino: number;
  readonly rdev: number;
  readonly size = 0;
  watch: InodeWatch | undefined = undefined;
  readonly #createdNs: bigint;
  #mode: number;
  #uid: number;
  #gid: number;
  #atimeNs: bigint;
  #mtimeNs: bigint;

  constructor(fileSystem: FileSystem, ino: number, mode: number, options: AnonymousInodeOptions = {}) {
    this.fileSystem = fileSystem;
    this.ino = ino;
    this.#mode = mode;
    this.#uid = options.uid ?? 0;
    this.#gid = options.gid ?? 0;
    this.rdev = options.rdev ?? 0;
    this.#createdNs = options.nowNs ?? 0n;
    this.#atimeNs = this.#createdNs;
    this.#mtimeNs = this.#createdNs;
  }
  get mode(): number {
    return this.#mode;
  }
  get uid(): number {
    return this.#uid;
  }
  get gid(): number {
    return this.#gid;
  }
  stat(): Stat {
    return {
      dev: this.fileSystem.dev, ino: this.ino, mode: this.#mode, nlink: 1, uid: this.#uid, gid: this.#gid, rdev: this.rdev,
      size: 0, blockSize: 4096, blocks: 0,
      atimeNs: this.#atimeNs, mtimeNs: this.#mtimeNs, ctimeNs: this.#createdNs, btimeNs: this.#createdNs,
    };
  }
  setAttributes(attributes: SetAttributes): number {
    if (attributes.size !== undefined) return -EINVAL;
    if (attributes.mode !== undefined) this.#mode = (this.#mode & ~0o7777) | (attributes.mode & 0o7777);
    if (attributes.uid !== undefined) this.#uid = attributes.uid;
    if (attributes.gid !== undefined) this.#gid = attributes.gid;
    if (attributes.atimeNs !== undefined) this.#atimeNs = attributes.atimeNs;
    if (attributes.mtimeNs !== undefined) this.#mtimeNs = attributes.mtimeNs;
    return 0;
  }
  lookup(): number {
    return -ENOTDIR;
  }
  create(): number {
    return -ENOTDIR;
  }
  symlink(): number {
    return -ENOTDIR;
  }
  link(): number {
    return -ENOTDIR;
  }
  unlink(): number {
    return -ENOTDIR;
  }
  rmdir(): number {
    return -ENOTDIR;
  }
  rename(): number {
    return -ENOTDIR;
  }
  readDirectory(): readonly DirectoryEntry[] | number {
    return -ENOTDIR;
  }
  readLink(): number {
    return -EINVAL;
  }
  readAt(): number {
    return -EINVAL;
  }
  writeAt(): number {
    return -EINVAL;
  }
  getXattr(): number {
    return -EOPNOTSUPP;
  }
  setXattr(): number {
    return -EACCES;
  }
  listXattr(): readonly string[] {
    return [];
  }
  removeXattr(): number {
    return -EACCES;
  }
}
