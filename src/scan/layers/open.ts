/** The files of a layer that is ready to be mounted (`image/layers.ts`), and of a directory of the host. */
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../abi/stat.ts';
import { O_CLOEXEC, O_NOFOLLOW, O_RDONLY } from '../../abi/fcntl.ts';
import { openLayer } from '../../fs/layer-files.ts';
import type { LayerPaths } from '../../fs/layer-files.ts';
import { LAYER_FLAG, LAYER_INODE, LAYER_WHITEOUT } from '../../fs/layer-format.ts';
import type { LayerTable } from '../../fs/layer-format.ts';
import type { HostFiles } from '../../host/types.ts';
import { ScanInputError } from '../errors.ts';
import { MOST_DEPTH, MOST_FILES } from '../limits.ts';
import type { ScanFile } from '../types.ts';
import type { LayerChanges } from './changes.ts';

const NONE: ReadonlyMap<string, string> = new Map();

/** All files of a layer or directory, in one go; `close` when nothing of them is read any more. */
export interface OpenFiles {
  files(changes: LayerChanges | undefined): Iterable<ScanFile>;
  close(): void;
}

type ReadBytes = (buffer: Uint8Array, position: number) => number;

function readFully(read: ReadBytes, position: number, length: number, what: string): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = read(bytes.subarray(at), position + at);
    if (count < 0) throw new ScanInputError(`"${what}" cannot be read`, 'is the disk damaged, or the directory changing?');
    if (count === 0) return bytes.subarray(0, at);
    at += count;
  }
  return bytes;
}

/** All of it: a layer is not cut while it is looked at, so that what is missing is damage, whose results must not be kept. */
function readWhole(read: ReadBytes, position: number, length: number, what: string): Uint8Array {
  const bytes = readFully(read, position, length, what);
  if (bytes.length < length) throw new ScanInputError(`"${what}" is cut off in its layer`, 'see "caisson system check"');
  return bytes;
}

function clamp(size: number, position: number, length: number): number {
  return Math.max(0, Math.min(length, size - position));
}

class LayerFile implements ScanFile {
  readonly path: string;
  readonly mode: number;
  readonly #table: LayerTable;
  readonly #inode: number;
  readonly #read: ReadBytes;

  constructor(path: string, table: LayerTable, inode: number, read: ReadBytes) {
    [this.path, this.#table, this.#inode, this.#read] = [path, table, inode, read];
    this.mode = table.field(inode, LAYER_INODE.mode);
  }

  get #isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG && !this.#table.hasFlag(this.#inode, LAYER_FLAG.link);
  }
  get size(): number {
    return this.#isFile ? this.#table.double(this.#inode, LAYER_INODE.size) : 0;
  }
  get uid(): number {
    return this.#table.field(this.#inode, LAYER_INODE.uid);
  }
  get gid(): number {
    return this.#table.field(this.#inode, LAYER_INODE.gid);
  }
  get linkTarget(): string {
    return (this.mode & S_IFMT) === S_IFLNK ? this.#table.text(this.#table.double(this.#inode, LAYER_INODE.data), this.#table.double(this.#inode, LAYER_INODE.size)) : '';
  }
  get xattrs(): ReadonlyMap<string, string> {
    const length = this.#table.field(this.#inode, LAYER_INODE.xattrBytes);
    if (length === 0) return NONE;
    const text = this.#table.text(this.#table.field(this.#inode, LAYER_INODE.xattrs), length);
    const found = new Map<string, string>();
    const number = (at: number): number => text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16);
    for (let at = 0; at + 6 <= text.length;) {
      const [name, value] = [number(at), number(at + 3)];
      found.set(text.slice(at + 6, at + 6 + name), text.slice(at + 6 + name, at + 6 + name + value));
      at += 6 + name + value;
    }
    return found;
  }
  read(limit: number): Uint8Array {
    return this.readAt(0, limit);
  }
  readAt(position: number, length: number): Uint8Array {
    const count = clamp(this.size, position, length);
    if (count === 0) return new Uint8Array();
    const data = this.#table.double(this.#inode, LAYER_INODE.data);
    if (!this.#table.hasFlag(this.#inode, LAYER_FLAG.sparse)) return readWhole(this.#read, data + position, count, this.path);
    return this.#readSparse(data, position, count);
  }
  #readSparse(map: number, position: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    const pieces = this.#table.field(this.#inode, LAYER_INODE.flags) >>> 8;
    for (let piece = 0; piece < pieces; piece++) {
      const [offset, length, place] = [0, 8, 16].map((at) => this.#table.textDouble(map + piece * 24 + at)) as [number, number, number];
      const [start, end] = [Math.max(offset, position), Math.min(offset + length, position + count)];
      if (start < end) bytes.set(readWhole(this.#read, place + start - offset, end - start, this.path), start - position);
    }
    return bytes;
  }
}

function* walkLayer(table: LayerTable, read: ReadBytes, changes: LayerChanges | undefined): Generator<ScanFile> {
  const pending: (readonly [inode: number, prefix: string])[] = [[0, '']];
  if (table.hasFlag(0, LAYER_FLAG.opaque)) changes?.add('o', '');
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [directory, prefix] = next;
    const first = table.double(directory, LAYER_INODE.data);
    const count = table.field(directory, LAYER_INODE.count);
    for (let name = first; name < first + count; name++) {
      const path = prefix + table.nameText(name);
      const inode = table.nameInode(name);
      if (inode === LAYER_WHITEOUT) {
        changes?.add('w', path);
        continue;
      }
      const file = new LayerFile(path, table, inode, read);
      const isDirectory = (file.mode & S_IFMT) === S_IFDIR;
      if (isDirectory) pending.push([inode, `${path}/`]);
      const isOpaque = isDirectory && table.hasFlag(inode, LAYER_FLAG.opaque);
      // What is only there because something is in it has no rights of its own.
      const isImplied = isDirectory && table.hasFlag(inode, LAYER_FLAG.implied);
      if (isOpaque || !isImplied) changes?.add(!isDirectory ? 'f' : isOpaque ? 'o' : 'd', path);
      if (!isImplied) yield file;
    }
  }
}

/** @throws ScanInputError */
export function openLayerFiles(files: HostFiles, paths: LayerPaths): OpenFiles {
  const layer = openLayer(files, paths);
  if (typeof layer === 'number') throw new ScanInputError('a layer of it cannot be read', 'see "caisson system check"');
  return { files: (changes) => walkLayer(layer.table, (buffer, position) => layer.read(buffer, position), changes), close: () => layer.close() };
}

class HostFile implements ScanFile {
  readonly xattrs = NONE;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly #files: HostFiles;
  readonly #place: string;
  readonly #onUnread: () => void;
  #isUnread = false;

  constructor(files: HostFiles, place: string, path: string, stat: { readonly mode: number; readonly uid: number; readonly gid: number; readonly size: number }, onUnread: () => void) {
    [this.#files, this.#place, this.path, this.#onUnread] = [files, place, path, onUnread];
    [this.mode, this.uid, this.gid] = [stat.mode, stat.uid, stat.gid];
    this.size = (stat.mode & S_IFMT) === S_IFREG ? stat.size : 0;
  }

  get linkTarget(): string {
    const target = (this.mode & S_IFMT) === S_IFLNK ? this.#files.readLink(this.#place) : '';
    return typeof target === 'number' ? '' : target;
  }
  read(limit: number): Uint8Array {
    return this.readAt(0, limit);
  }
  /** What may not be read, or has just gone, is empty, and counted once. */
  readAt(position: number, length: number): Uint8Array {
    const count = clamp(this.size, position, length);
    if (count === 0) return new Uint8Array();
    const handle = this.#files.open(this.#place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (handle < 0) {
      if (!this.#isUnread) this.#onUnread();
      this.#isUnread = true;
      return new Uint8Array();
    }
    try {
      return readFully((buffer, at) => this.#files.read(handle, buffer, at), position, count, this.path);
    } finally {
      this.#files.close(handle);
    }
  }
}

/** Not what is mounted below it: /proc of a root directory is no file of it. */
function* walkHost(files: HostFiles, root: string, onUnread: () => void): Generator<ScanFile> {
  const top = files.lstat(root);
  const pending: (readonly [place: string, prefix: string, depth: number])[] = [[root, '', 0]];
  let seen = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [place, prefix, depth] = next;
    const entries = files.readDirectory(place);
    if (typeof entries === 'number') {
      onUnread();
      continue;
    }
    for (const { name } of entries) {
      const child = `${place === '/' ? '' : place}/${name}`;
      const stat = files.lstat(child);
      if (typeof stat === 'number') {
        onUnread();
        continue;
      }
      if (++seen > MOST_FILES) throw new ScanInputError(`it has more than ${MOST_FILES} files`, 'look at it in parts');
      const isDirectory = (stat.mode & S_IFMT) === S_IFDIR;
      if (isDirectory && typeof top !== 'number' && stat.dev === top.dev) {
        if (depth < MOST_DEPTH) pending.push([child, `${prefix}${name}/`, depth + 1]);
        else onUnread();
      }
      yield new HostFile(files, child, prefix + name, stat, onUnread);
    }
  }
}

/** `root`: a byte string. `onUnread`: a file or directory could not be read, or is too deep. */
export function openHostFiles(files: HostFiles, root: string, onUnread: () => void): OpenFiles {
  return { files: () => walkHost(files, root, onUnread), close: () => undefined };
}
