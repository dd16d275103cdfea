/**
 * Puts the entries of a tar into a container's tree: as root inside of it, through its own VFS, so a name or a link of archive or container leads nowhere else.
 * A door of the room of its own: who only runs a container does not load it.
 */
import { EEXIST, EINVAL, EIO, EISDIR, ENOENT, ENOTDIR, ERRNO_NAMES } from '../abi/errno.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../abi/fcntl.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT } from '../abi/stat.ts';
import { dropFile, holdFile } from '../fs/open-file.ts';
import { NO_SPECIAL_FILES, openPath } from '../fs/open.ts';
import { makeDirectory, makeLink, makeNode, makeSymlink } from '../fs/operations.ts';
import type { Actor } from '../fs/operations.ts';
import type { Inode } from '../fs/types.ts';
import { LOOKUP_FOLLOW, walkPath } from '../fs/walk.ts';
import { ImageError, scanTarFile } from '../image/index.ts';
import type { TarEntry } from '../image/index.ts';
import type { Container } from './container.ts';

const CHUNK_BYTES = 1 << 18;

export interface TarSource {
  /** Fills a buffer from a position; answers how many bytes there were. */
  read(buffer: Uint8Array, position: number): number;
  readonly size: number;
}

export interface ExtractOptions {
  /** Where the archive's top is; it exists. Absolute, byte string. */
  readonly directory: string;
  /** Whose everything becomes. Absent: as the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

function fail(path: string, errno: number, why?: string): never {
  throw new ImageError(`cannot write "${path}" in the container: ${why ?? ERRNO_NAMES.get(errno) ?? `error ${errno}`}`, errno === 28 ? 'its writable layer is full: give it more with --memory' : undefined);
}

class Extraction {
  readonly #container: Container;
  readonly #actor: Actor;
  readonly #source: TarSource;
  readonly #options: ExtractOptions;
  /** Times of directories are set at the end: what is put into them changes them. */
  readonly #directories: (readonly [inode: Inode, entry: TarEntry])[] = [];

  constructor(container: Container, source: TarSource, options: ExtractOptions) {
    this.#container = container;
    this.#actor = container.outside;
    this.#source = source;
    this.#options = options;
  }

  run(): void {
    scanTarFile((buffer, position) => this.#source.read(buffer, position), this.#source.size, (entry) => this.#put(entry));
    for (const [inode, entry] of this.#directories.reverse()) this.#setTimes(inode, entry);
  }

  #find(path: string, flags: number): Inode | undefined {
    const { context, credentials } = this.#actor;
    const found = walkPath(context, credentials, context.root, path, flags);
    return typeof found === 'number' ? undefined : found.dentry.inode;
  }

  #pathOf(text: string): string {
    const parts = text.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) fail(text, EINVAL, 'its name leads upwards');
    return [this.#options.directory.replace(/\/+$/, ''), ...parts].join('/') || '/';
  }

  #put(entry: TarEntry): void {
    const path = this.#pathOf(entry.path);
    this.#makeParents(path);
    const before = this.#find(path, entry.type === 'directory' ? LOOKUP_FOLLOW : 0);
    const isThere = before !== undefined && (before.mode & S_IFMT) === S_IFDIR;
    if (entry.type === 'directory') {
      if (before !== undefined && !isThere) fail(path, ENOTDIR, 'cannot overwrite non-directory with directory');
      if (before === undefined) this.#check(path, makeDirectory(this.#actor, this.#actor.context.root, path, entry.mode));
    } else {
      if (isThere) fail(path, EISDIR, 'cannot overwrite directory with non-directory');
      if (before !== undefined) this.#check(path, this.#container.files.remove(path));
      this.#make(path, entry);
      if (entry.type === 'link') return;
    }
    const inode = this.#find(path, entry.type === 'directory' ? LOOKUP_FOLLOW : 0);
    if (inode === undefined) fail(path, ENOENT);
    this.#setAttributes(inode, entry);
    if (entry.type === 'directory') this.#directories.push([inode, entry]);
    else this.#setTimes(inode, entry);
  }

  #makeParents(path: string): void {
    const parts = path.split('/').slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const parent = `/${parts.slice(0, depth).join('/')}`;
      if (this.#find(parent, LOOKUP_FOLLOW) !== undefined) continue;
      const made = makeDirectory(this.#actor, this.#actor.context.root, parent, 0o755);
      if (made !== -EEXIST) this.#check(parent, made);
    }
  }

  #make(path: string, entry: TarEntry): void {
    const { root } = this.#actor.context;
    const device = (entry.minor & 0xff) | (entry.major << 8) | ((entry.minor & ~0xff) << 12);
    const kind = entry.type === 'fifo' ? S_IFIFO : entry.type === 'character-device' ? S_IFCHR : S_IFBLK;
    if (entry.type === 'symlink') this.#check(path, makeSymlink(this.#actor, root, path, entry.linkTarget));
    else if (entry.type === 'file') this.#write(path, entry);
    else if (entry.type === 'link') {
      const target = walkPath(this.#actor.context, this.#actor.credentials, root, this.#pathOf(entry.linkTarget), 0);
      if (typeof target === 'number') fail(path, -target, `it is a hard link to "${entry.linkTarget}", which is not there`);
      this.#check(path, makeLink(this.#actor, target, root, path));
    } else {
      const made = makeNode(this.#actor, root, path, kind | entry.mode, kind === S_IFIFO ? 0 : device);
      if (typeof made === 'number') this.#check(path, made);
    }
  }

  #check(path: string, answer: number): void {
    if (answer < 0) fail(path, -answer);
  }

  #write(path: string, entry: TarEntry): void {
    const { context, credentials } = this.#actor;
    const opened = openPath(context.root, path, { context, credentials, flags: O_WRONLY | O_CREAT | O_EXCL, mode: entry.mode, resolve: 0, special: NO_SPECIAL_FILES });
    if (typeof opened === 'number') fail(path, -opened);
    const file = holdFile(opened);
    try {
      const pieces = entry.sparse ?? [{ offset: 0, length: entry.size, dataOffset: entry.dataOffset }];
      for (const { offset, length, dataOffset } of pieces) this.#copy(path, file.inode, offset, length, dataOffset);
      if (entry.sparse !== undefined) this.#check(path, file.inode.setAttributes({ size: entry.size }));
    } finally {
      dropFile(file);
    }
  }

  #copy(path: string, inode: Inode, offset: number, length: number, dataOffset: number): void {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, length));
    for (let done = 0; done < length;) {
      const count = this.#source.read(buffer.subarray(0, Math.min(buffer.length, length - done)), dataOffset + done);
      if (count <= 0) fail(path, EIO, 'the archive ends too early');
      for (let at = 0; at < count;) {
        const written = inode.writeAt(buffer.subarray(at, count), offset + done + at);
        if (written <= 0) fail(path, written === 0 ? EIO : -written);
        at += written;
      }
      done += count;
    }
  }

  #setAttributes(inode: Inode, entry: TarEntry): void {
    const { uid, gid } = this.#options.owner ?? entry;
    inode.setAttributes(entry.type === 'symlink' ? { uid, gid } : { uid, gid, mode: entry.mode });
    for (const [name, value] of entry.xattrs) inode.setXattr(name, Uint8Array.from(value, (character) => character.charCodeAt(0)), 0);
  }

  #setTimes(inode: Inode, { mtimeSeconds, mtimeNanoseconds }: TarEntry): void {
    const mtimeNs = BigInt(mtimeSeconds) * 1_000_000_000n + BigInt(mtimeNanoseconds);
    inode.setAttributes({ atimeNs: mtimeNs, mtimeNs });
  }
}

/** @throws ImageError for what cannot be written or is no archive; what came before it stays. */
export function extractTar(container: Container, source: TarSource, options: ExtractOptions): void {
  new Extraction(container, source, options).run();
}
