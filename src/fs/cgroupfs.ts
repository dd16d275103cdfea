/** cgroup2: control groups as directories (Linux fs/kernfs, kernel/cgroup/cgroup.c). One tree for all mounts; each shows it from some group down. */
import { EACCES, EEXIST, EINVAL, ENOENT, EPERM } from '../abi/errno.ts';
import { IN_MODIFY } from '../abi/inotify.ts';
import { POLLERR, POLLPRI } from '../abi/poll.ts';
import { S_IFDIR, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { CGROUP2_SUPER_MAGIC } from '../abi/statfs.ts';
import type { CgroupFile, CgroupNode } from './cgroup-view.ts';
import { inodePermission, MAY_WRITE } from './permission.ts';
import { PseudoFile, PseudoFs, PseudoInode, PseudoOpenFile } from './pseudo.ts';
import { WaitQueue, type Credentials, type DirectoryEntry, type FileSystem, type Inode, type InodeWatch, type OpenFile, type SetAttributes, type Stat } from './types.ts';

/** Longest text that one write may bring: commands and numbers are short, lists of processors less so. */
const MOST_TEXT = 4096;

/** Whom a directory or a file of it belongs to, as long as the group is there. */
interface Ownership {
  uid: number;
  gid: number;
}

function change(inode: PseudoInode, ownership: Ownership, { mode, uid, gid }: SetAttributes): number {
  if (mode !== undefined) inode.mode = (inode.mode & S_IFMT) | (mode & 0o7777);
  if (uid !== undefined) ownership.uid = uid;
  if (gid !== undefined) ownership.gid = gid;
  return 0;
}

/** Its text now, with what tells readers that it changed. */
class CgroupFileInode extends PseudoFile {
  readonly changed = new WaitQueue();
  watch: InodeWatch | undefined = undefined;
  /** Changes so far; an open file knows how many it has seen. */
  version = 0;
  readonly #ownership: Ownership;

  constructor(fileSystem: CgroupFs, file: CgroupFile, uid: number, gid: number) {
    const ownership: Ownership = { uid, gid };
    super(fileSystem, () => file.read?.() ?? -EINVAL, file.mode, (text) => {
      const answer = file.write?.(text.trim(), (group, name) => fileSystem.mayWrite(group, name)) ?? -EINVAL;
      return answer < 0 ? answer : text.length;
    }, () => ownership);
    this.#ownership = ownership;
  }
  override setAttributes(attributes: SetAttributes): number {
    return change(this, this.#ownership, attributes);
  }
  /** Whatever the mode says, the file can be opened by who may: what it has no way to do answers -EINVAL then. */
  override open(flags: number): OpenFile {
    return new CgroupOpenFile(this, flags);
  }
  override store(bytes: Uint8Array): number {
    return bytes.length > MOST_TEXT ? -EINVAL : super.store(bytes);
  }
  notify(directory: Inode, name: string): void {
    this.version++;
    this.changed.wake(POLLERR | POLLPRI);
    this.watch?.notify(IN_MODIFY, undefined, 0);
    directory.watch?.notify(IN_MODIFY, name, 0);
  }
}

class CgroupOpenFile extends PseudoOpenFile {
  override readonly waitQueue: WaitQueue;
  readonly #inode: CgroupFileInode;
  #seen: number;

  constructor(inode: CgroupFileInode, flags: number) {
    super(inode, flags);
    this.#inode = inode;
    this.waitQueue = inode.changed;
    this.#seen = inode.version;
  }
  override read(buffer: Uint8Array, offset?: number): number {
    this.#seen = this.#inode.version;
    return super.read(buffer, offset);
  }
  /** kernfs_generic_poll(): POLLPRI and POLLERR from a change until it is read. */
  override poll(): number {
    return super.poll() | (this.#seen === this.#inode.version ? 0 : POLLERR | POLLPRI);
  }
}

class CgroupDirectory extends PseudoInode {
  watch: InodeWatch | undefined = undefined;
  readonly group: CgroupNode;
  readonly #fileSystem: CgroupFs;
  readonly #ownership: Ownership;
  /** Whom its files belong to, whoever is given the directory later. */
  readonly #maker: Ownership;
  readonly #files = new Map<CgroupFile, CgroupFileInode>();

  constructor(fileSystem: CgroupFs, group: CgroupNode, mode: number, uid: number, gid: number) {
    const ownership: Ownership = { uid, gid };
    super(fileSystem, S_IFDIR | mode, () => ownership);
    this.#fileSystem = fileSystem;
    this.group = group;
    this.#ownership = ownership;
    this.#maker = { uid, gid };
    group.onChange = (name) => {
      const file = group.files().get(name);
      if (file !== undefined) this.#files.get(file)?.notify(this, name);
    };
  }
  override get nlink(): number {
    return 2 + this.group.children.size;
  }
  override stat(): Stat {
    return { ...super.stat(), blockSize: 4096 };
  }
  override setAttributes(attributes: SetAttributes): number {
    return change(this, this.#ownership, attributes);
  }
  fileInode(file: CgroupFile): CgroupFileInode {
    let inode = this.#files.get(file);
    if (inode === undefined) this.#files.set(file, (inode = new CgroupFileInode(this.#fileSystem, file, this.#maker.uid, this.#maker.gid)));
    return inode;
  }
  override lookup(name: string): Inode | number {
    const file = this.group.files().get(name);
    if (file !== undefined) return this.fileInode(file);
    const child = this.group.children.get(name);
    return child === undefined ? -ENOENT : this.#fileSystem.directoryOf(child);
  }
  /** mkdir(2): the files in it belong to who made it. Nothing else can be made. */
  override create(name: string, mode: number, uid: number, gid: number): Inode | number {
    if ((mode & S_IFMT) !== S_IFDIR) return (mode & S_IFMT) === S_IFREG ? -EACCES : -EPERM;
    if (this.group.files().has(name)) return -EEXIST;
    const made = this.group.make(name);
    return typeof made === 'number' ? made : this.#fileSystem.directoryOf(made, { mode: mode & 0o7777, uid, gid });
  }
  override rmdir(name: string): number {
    return this.group.remove(name);
  }
  override readDirectory(): readonly DirectoryEntry[] {
    const files = [...this.group.files().values()].map((file) => ({ name: file.name, ino: this.fileInode(file).ino, type: S_IFREG }));
    const groups = [...this.group.children.values()].map((group) => ({ name: group.name, ino: this.#fileSystem.directoryOf(group).ino, type: S_IFDIR }));
    return [...files, ...groups];
  }
}

export interface CgroupFsOptions {
  readonly dev: number;
  readonly now: () => bigint;
  /** Of whose call is being handled; undefined: from outside, who may everything. */
  readonly credentials: () => Credentials | undefined;
}

export class CgroupFs extends PseudoFs {
  readonly #directories = new WeakMap<CgroupNode, CgroupDirectory>();
  readonly #credentials: () => Credentials | undefined;

  constructor({ dev, now, credentials }: CgroupFsOptions) {
    super('cgroup2', dev, CGROUP2_SUPER_MAGIC, now);
    this.#credentials = credentials;
  }

  directoryOf(group: CgroupNode, { mode, uid, gid }: Ownership & { readonly mode: number } = { mode: 0o755, uid: 0, gid: 0 }): CgroupDirectory {
    let directory = this.#directories.get(group);
    if (directory === undefined) this.#directories.set(group, (directory = new CgroupDirectory(this, group, mode, uid, gid)));
    return directory;
  }

  mayWrite(group: CgroupNode, name: string): boolean {
    const file = group.files().get(name);
    const credentials = this.#credentials();
    return file !== undefined && (credentials === undefined || inodePermission(this.directoryOf(group).fileInode(file), MAY_WRITE, credentials) === 0);
  }

  /** What a mount shows whose root is `group`. */
  viewFrom(group: CgroupNode): FileSystem {
    const { type, dev } = this;
    return { type, dev, root: this.directoryOf(group), readOnly: false, cacheable: false, statfs: () => this.statfs(), sync: () => 0 };
  }
}

/** The group whose directory it is. */
export function cgroupOf(inode: Inode): CgroupNode | undefined {
  return inode instanceof CgroupDirectory ? inode.group : undefined;
}

/** Whether who calls may write to a file of a group, where `inode` is of the same file system. */
export function mayWriteFile(inode: Inode, group: CgroupNode, file: string): boolean {
  return inode.fileSystem instanceof CgroupFs && inode.fileSystem.mayWrite(group, file);
}
