/** Open file descriptions of plain files and directories, and how often any of them is held. */
import {
  EBADF, EINVAL, EISDIR, ENOTTY, ENXIO,
} from '../abi/errno.ts';
import { O_ACCMODE, O_APPEND, O_PATH, O_RDONLY, O_WRONLY, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from '../abi/fcntl.ts';
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE } from '../abi/inotify.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import type { Location } from './dentry.ts';
import { notifyLocation } from './notify.ts';
import { pathOf } from './path.ts';
import { WaitQueue } from './types.ts';
import type { DirectoryEntry, Inode, OpenFile } from './types.ts';

/** Largest offset of a file (`s_maxbytes`), a safe integer. */
export const MAX_FILE_SIZE = 2 ** 50;

/** One more holder of an open file. */
export function holdFile(file: OpenFile): OpenFile {
  file.references = (file.references ?? 0) + 1;
  return file;
}

/** One holder less; the last one releases it. */
export function dropFile(file: OpenFile): void {
  const references = (file.references ?? 1) - 1;
  file.references = references;
  if (references > 0) return;
  file.releaseHook?.();
  file.release();
}

export function isReadable(file: OpenFile): boolean {
  return (file.flags & (O_PATH | O_ACCMODE)) !== O_WRONLY && (file.flags & O_PATH) === 0 && (file.flags & O_ACCMODE) !== 3;
}

export function isWritable(file: OpenFile): boolean {
  return (file.flags & O_PATH) === 0 && (file.flags & O_ACCMODE) !== O_RDONLY && (file.flags & O_ACCMODE) !== 3;
}

/** Plain files are always ready and nobody ever waits on them: one queue is enough for all. */
const NEVER = new WaitQueue();

/** An open regular file, or whatever else is read and written through its inode. */
export class PlainFile implements OpenFile {
  flags: number;
  position = 0;
  references = 0;
  readonly inode: Inode;
  location: Location | undefined;
  readonly #readable: boolean;
  readonly #writable: boolean;

  constructor(inode: Inode, flags: number, location: Location | undefined) {
    this.inode = inode;
    this.flags = flags;
    this.location = location;
    const mode = flags & O_ACCMODE;
    const path = (flags & O_PATH) !== 0;
    this.#readable = !path && mode !== O_WRONLY && mode !== 3;
    this.#writable = !path && mode !== O_RDONLY && mode !== 3;
    inode.hold?.();
    if (this.#writable) inode.writers = (inode.writers ?? 0) + 1;
  }

  get description(): string {
    return this.location === undefined ? '' : pathOf(this.location);
  }

  get waitQueue(): WaitQueue {
    return NEVER;
  }

  read(buffer: Uint8Array, offset?: number): number {
    if (!this.#readable) return -EBADF;
    if (offset !== undefined) return this.inode.readAt(buffer, offset);
    const count = this.inode.readAt(buffer, this.position);
    if (count > 0) this.position += count;
    return count;
  }

  write(buffer: Uint8Array, offset?: number): number {
    if (!this.#writable) return -EBADF;
    const append = (this.flags & O_APPEND) !== 0;
    const start = append ? this.inode.size : offset ?? this.position;
    const count = this.inode.writeAt(buffer, start);
    if (count > 0 && offset === undefined) this.position = start + count;
    return count;
  }

  seek(offset: number, whence: number): number {
    if ((this.flags & O_PATH) !== 0) return -EBADF;
    let target: number;
    if (whence === SEEK_SET) target = offset;
    else if (whence === SEEK_CUR) target = this.position + offset;
    else if (whence === SEEK_END) target = this.inode.size + offset;
    else if (whence === SEEK_DATA || whence === SEEK_HOLE) target = this.#seekData(offset, whence);
    else return -EINVAL;
    if (whence > SEEK_END) {
      if (target >= 0) this.position = target;
      return target;
    }
    if (target < 0) return -EINVAL;
    if (target > MAX_FILE_SIZE) return -EINVAL;
    this.position = target;
    return target;
  }

  #seekData(offset: number, whence: number): number {
    const { size } = this.inode;
    if (offset < 0 || offset >= size) return -ENXIO;
    if (this.inode.seekData !== undefined) return this.inode.seekData(offset, whence);
    return whence === SEEK_DATA ? offset : size;
  }

  poll(): number {
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  }

  ioctl(): number {
    return -ENOTTY;
  }

  release(): void {
    if (this.location !== undefined && (this.flags & O_PATH) === 0) {
      notifyLocation(this.location, this.#writable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    }
    if (this.#writable) this.inode.writers = (this.inode.writers ?? 1) - 1;
    this.inode.drop?.();
  }
}

/** An open directory: a list of its names taken when reading starts, so that removing them on the way loses none. */
export class DirectoryFile implements OpenFile {
  flags: number;
  references = 0;
  readonly inode: Inode;
  location: Location | undefined;
  /** Index of the next entry: 0 is `.`, 1 is `..`. */
  position = 0;
  #entries: readonly DirectoryEntry[] | undefined = undefined;

  constructor(inode: Inode, flags: number, location: Location) {
    this.inode = inode;
    this.flags = flags;
    this.location = location;
  }

  get description(): string {
    return this.location === undefined ? '' : pathOf(this.location);
  }

  get waitQueue(): WaitQueue {
    return NEVER;
  }

  /** All entries with `.` and `..`, as of when reading started at `position` 0. */
  entries(): readonly DirectoryEntry[] | number {
    if (this.#entries !== undefined && this.position > 0) return this.#entries;
    const { dentry, mount } = this.location!;
    if (dentry.deleted) return [];
    const names = this.inode.readDirectory();
    if (typeof names === 'number') return names;
    let above = dentry.parent?.inode ?? this.inode;
    if (dentry === mount.root && mount.mountpoint !== undefined) above = (mount.mountpoint.parent ?? mount.mountpoint).inode;
    this.#entries = [
      { name: '.', ino: this.inode.ino, type: S_IFDIR }, { name: '..', ino: above.ino, type: S_IFDIR }, ...names,
    ];
    return this.#entries;
  }

  read(): number {
    return (this.flags & O_PATH) !== 0 ? -EBADF : -EISDIR;
  }

  write(): number {
    return -EBADF;
  }

  seek(offset: number, whence: number): number {
    if ((this.flags & O_PATH) !== 0) return -EBADF;
    let target = offset;
    if (whence === SEEK_CUR) target += this.position;
    else if (whence === SEEK_END) target += Number.MAX_SAFE_INTEGER;
    else if (whence !== SEEK_SET) return -EINVAL;
    if (target < 0) return -EINVAL;
    if (target !== 0 && this.#entries === undefined) this.entries();
    this.position = Math.min(target, Number.MAX_SAFE_INTEGER);
    return this.position;
  }

  poll(): number {
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  }

  ioctl(): number {
    return -ENOTTY;
  }

  release(): void {
    if (this.location !== undefined && (this.flags & O_PATH) === 0) notifyLocation(this.location, IN_CLOSE_NOWRITE);
  }
}

export function isDirectory(inode: Inode): boolean {
  return (inode.mode & S_IFMT) === S_IFDIR;
}
