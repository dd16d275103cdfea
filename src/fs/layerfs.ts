/**
 * layerfs: the layers of an image as one tree that is only read (OCI image-spec layer.md). Nothing is unpacked: names
 * and attributes come from the layers' indexes, the bytes of files from the layers' tars.
 *
 * A directory is a list of the same directory in several layers, the highest first; a name is looked for from
 * the top until a whiteout, an opaque directory or something that is no directory ends the search. Two things need
 * the layers below as they were when a layer was made: a hard link into them, and a directory that no entry names where they
 * have a link (`lib/x` above a base whose `lib` is a link to `usr/lib`): what is in it belongs where the link leads.
 */
import { EINVAL, EIO, EISDIR, ENODATA, ENOENT, ENOTDIR, EROFS } from '../abi/errno.ts';
import { NAME_MAX } from '../abi/limits.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { OVERLAYFS_SUPER_MAGIC } from '../abi/statfs.ts';
import { LAYER_FLAG, LAYER_INODE, LAYER_WHITEOUT } from './layer-format.ts';
import type { LayerTable } from './layer-format.ts';
import { walkPath } from './path-walk.ts';
import type { PathTree } from './path-walk.ts';
import type { DirectoryEntry, FileSystem, Inode, InodeWatch, Stat, StatFs } from './types.ts';

export interface Layer {
  readonly table: LayerTable;
  /** Bytes of the layer's tar; answers how many, or a negative errno. */
  read(buffer: Uint8Array, position: number): number;
}

/** A directory of one layer. */
interface Part {
  readonly layer: number;
  readonly inode: number;
}

/** The contents of a directory that belong elsewhere: at `path`, where a lower layer's link leads. */
interface Graft extends Part {
  readonly path: string;
}

const LINKED: PathTree<LayerInode> = {
  child: (directory, name) => {
    const found = directory.lookup(name);
    return typeof found === 'number' ? undefined : found;
  },
  linkTarget: (inode) => {
    const target = inode.readLink();
    return typeof target === 'number' ? undefined : target;
  },
};

export class LayerFs implements FileSystem {
  readonly type = 'layerfs';
  readonly dev: number;
  readonly readOnly = true;
  readonly cacheable = true;
  readonly root: LayerInode;
  readonly layers: readonly Layer[];
  /** First inode number of each layer. */
  readonly #firstInodes: readonly number[];
  readonly #grafts = new Map<string, Graft[]>();
  readonly #grafted: readonly Set<number>[];
  readonly #moreLinks = new Map<number, number>();
  readonly #bytes: number;

  /** `layers`: the lowest first, at least one. */
  constructor(options: { readonly dev: number; readonly layers: readonly Layer[] }) {
    this.dev = options.dev;
    this.layers = options.layers;
    let next = 1;
    this.#firstInodes = this.layers.map(({ table }) => {
      const first = next;
      next += table.inodeCount;
      return first;
    });
    this.#bytes = next;
    this.#grafted = this.layers.map(() => new Set());
    for (const [index, { table }] of this.layers.entries()) {
      if (table.impliedCount > 0 && index > 0) this.#graft(index, table);
      if (table.linkCount > 0) this.#countLinks(index, table);
    }
    this.root = this.#rootBelow(this.layers.length);
  }

  inodeNumber({ layer, inode }: Part): number {
    return this.#firstInodes[layer]! + inode;
  }
  moreLinks(ino: number): number {
    return this.#moreLinks.get(ino) ?? 0;
  }
  isGrafted({ layer, inode }: Part): boolean {
    return this.#grafted[layer]!.has(inode);
  }
  /** The highest first. */
  graftsAt(path: string): readonly Graft[] {
    return this.#grafts.get(path) ?? [];
  }

  /** The tree of the layers with numbers below `limit`. */
  #rootBelow(limit: number): LayerInode {
    const parts = new Parts(this, '', limit);
    for (let layer = limit - 1; layer >= 0 && !parts.complete; layer--) {
      for (const graft of this.graftsAt('')) if (graft.layer === layer) parts.addDirectory(graft);
      parts.add({ layer, inode: 0 });
    }
    return parts.directory() ?? new LayerInode(this, { layer: 0, inode: 0 }, [{ layer: 0, inode: 0 }], '', limit);
  }

  /** What a path leads to in the layers below `limit`, links followed except in the last part where `follow` is false. */
  walk(path: string, limit: number, follow: boolean): LayerInode | number {
    const found = walkPath(this.#rootBelow(limit), path.split('/'), LINKED, follow);
    return typeof found === 'string' ? -ENOENT : found;
  }

  /** Finds the directories of a layer that no entry names and that the layers below have as links. */
  #graft(layer: number, table: LayerTable): void {
    const places = new Map<number, string | undefined>([[0, '']]);
    /** Where a directory's contents belong; undefined where the layers below do not show in it. */
    const placeOf = (inode: number): string | undefined => {
      if (places.has(inode)) return places.get(inode);
      const chain = [inode];
      while (!places.has(chain.at(-1)!)) chain.push(table.field(chain.at(-1)!, LAYER_INODE.parent));
      for (let at = chain.length - 2; at >= 0; at--) places.set(chain[at]!, this.#placeBelow(layer, table, chain[at]!, places.get(chain[at + 1]!)));
      return places.get(inode);
    };
    for (let index = 0; index < table.impliedCount; index++) placeOf(table.impliedDirectory(index));
  }

  #placeBelow(layer: number, table: LayerTable, inode: number, parent: string | undefined): string | undefined {
    if (parent === undefined || table.hasFlag(inode, LAYER_FLAG.opaque)) return undefined;
    const path = `${parent}/${table.nameText(table.double(inode, LAYER_INODE.ownName))}`;
    if (!table.hasFlag(inode, LAYER_FLAG.implied)) return path;
    const below = this.walk(path, layer, false);
    if (typeof below === 'number' || (below.mode & S_IFMT) !== S_IFLNK) return path;
    const target = this.walk(path, layer, true);
    if (typeof target === 'number' || target.path === undefined) return path;
    this.#grafted[layer]!.add(inode);
    const there = this.#grafts.get(target.path) ?? [];
    there.unshift({ layer, inode, path: target.path });
    this.#grafts.set(target.path, there);
    return target.path;
  }

  /** Hard links into lower layers count at their targets. */
  #countLinks(layer: number, table: LayerTable): void {
    for (let inode = 0; inode < table.inodeCount; inode++) {
      if (!table.hasFlag(inode, LAYER_FLAG.link)) continue;
      const target = this.linkTarget({ layer, inode });
      if (typeof target !== 'number') this.#moreLinks.set(target.ino, this.moreLinks(target.ino) + 1);
    }
  }

  linkTarget({ layer, inode }: Part): LayerInode | number {
    const { table } = this.layers[layer]!;
    const path = table.text(table.double(inode, LAYER_INODE.data), table.double(inode, LAYER_INODE.size));
    const found = this.walk(path, layer, false);
    return typeof found !== 'number' && found.path !== undefined ? -ENOENT : found;
  }

  statfs(): StatFs {
    return { type: OVERLAYFS_SUPER_MAGIC, blockSize: 4096, blocks: 0, freeBlocks: 0, files: this.#bytes, freeFiles: 0, nameLength: NAME_MAX };
  }

  sync(): number {
    return 0;
  }
}

/** Collects what a name is in each layer, from the top. */
class Parts {
  readonly #fileSystem: LayerFs;
  readonly #path: string;
  readonly #limit: number;
  readonly #directories: Part[] = [];
  /** Nothing below shows. */
  complete = false;
  /** Something that is no directory, and on top. */
  other: Part | undefined;

  constructor(fileSystem: LayerFs, path: string, limit: number) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#limit = limit;
  }

  add(part: Part): void {
    const { table } = this.#fileSystem.layers[part.layer]!;
    if (this.#fileSystem.isGrafted(part)) return;
    if ((table.field(part.inode, LAYER_INODE.mode) & S_IFMT) === S_IFDIR) this.addDirectory(part);
    else {
      if (this.#directories.length === 0) this.other = part;
      this.complete = true;
    }
  }

  addDirectory(part: Part): void {
    this.#directories.push(part);
    this.complete = this.#fileSystem.layers[part.layer]!.table.hasFlag(part.inode, LAYER_FLAG.opaque);
  }

  directory(): LayerInode | undefined {
    const [top] = this.#directories;
    if (top === undefined) return undefined;
    const named = this.#directories.find(({ layer, inode }) => !this.#fileSystem.layers[layer]!.table.hasFlag(inode, LAYER_FLAG.implied));
    return new LayerInode(this.#fileSystem, named ?? top, this.#directories, this.#path, this.#limit);
  }
}

const XATTR_LENGTHS = 6;

export class LayerInode implements Inode {
  readonly fileSystem: LayerFs;
  readonly ino: number;
  readonly mode: number;
  /** Of a directory: from the root, without links; with its parts in the layers. */
  readonly path: string | undefined;
  watch?: InodeWatch | undefined = undefined;
  writers = 0;
  programs = 0;
  readonly #part: Part;
  readonly #table: LayerTable;
  readonly #parts: readonly Part[];
  readonly #limit: number;

  /** `part` has the attributes. A file has no `parts` and no path. */
  constructor(fileSystem: LayerFs, part: Part, parts: readonly Part[], path: string | undefined, limit: number) {
    this.fileSystem = fileSystem;
    this.#part = part;
    this.#parts = parts;
    this.#limit = limit;
    this.#table = fileSystem.layers[part.layer]!.table;
    this.path = path;
    this.mode = this.#table.field(part.inode, LAYER_INODE.mode);
    this.ino = fileSystem.inodeNumber(parts.find((own) => !fileSystem.isGrafted(own)) ?? part);
  }

  get uid(): number {
    return this.#table.field(this.#part.inode, LAYER_INODE.uid);
  }
  get gid(): number {
    return this.#table.field(this.#part.inode, LAYER_INODE.gid);
  }
  get rdev(): number {
    return this.path === undefined ? this.#table.field(this.#part.inode, LAYER_INODE.rdev) : 0;
  }
  get size(): number {
    return this.path === undefined ? this.#table.double(this.#part.inode, LAYER_INODE.size) : 4096;
  }

  stat(): Stat {
    const { uid, gid, rdev, size } = this;
    const mtimeNs = BigInt(this.#table.double(this.#part.inode, LAYER_INODE.mtimeSeconds)) * 1_000_000_000n + BigInt(this.#table.field(this.#part.inode, LAYER_INODE.mtimeNanoseconds));
    const own = this.#table.field(this.#part.inode, LAYER_INODE.linkCount);
    return {
      dev: this.fileSystem.dev, ino: this.ino, mode: this.mode, nlink: this.#parts.length > 1 ? 1 : own + this.fileSystem.moreLinks(this.ino), uid, gid, rdev, size, blockSize: 4096,
      blocks: Math.ceil(size / 4096) * 8, atimeNs: mtimeNs, mtimeNs, ctimeNs: mtimeNs, btimeNs: mtimeNs,
    };
  }

  lookup(name: string): LayerInode | number {
    if (this.path === undefined) return -ENOTDIR;
    const { fileSystem } = this;
    const path = `${this.path}/${name}`;
    const found = new Parts(fileSystem, path, this.#limit);
    const grafts = fileSystem.graftsAt(path).filter(({ layer }) => layer < this.#limit);
    let nextGraft = 0;
    const addGrafts = (from: number): void => {
      while (!found.complete && nextGraft < grafts.length && grafts[nextGraft]!.layer >= from) found.addDirectory(grafts[nextGraft++]!);
    };
    for (const { layer, inode: directory } of this.#parts) {
      addGrafts(layer);
      if (found.complete) break;
      const inode = fileSystem.layers[layer]!.table.lookup(directory, name);
      if (inode === undefined) continue;
      if (inode === LAYER_WHITEOUT) {
        found.complete = true;
        break;
      }
      found.add({ layer, inode });
    }
    addGrafts(0);
    if (found.other !== undefined) return this.#other(found.other);
    return found.directory() ?? -ENOENT;
  }

  /** Names that a directory's parts in the layers from `first` on have, taken away or not, for `changesAbove`. */
  namesFrom(first: number): ReadonlySet<string> {
    const names = new Set<string>();
    for (const { layer, inode: directory } of this.#parts) {
      if (layer < first) continue;
      const { table } = this.fileSystem.layers[layer]!;
      const start = table.double(directory, LAYER_INODE.data);
      for (let index = start; index < start + table.field(directory, LAYER_INODE.count); index++) names.add(table.nameText(index));
    }
    return names;
  }

  /** Whether a layer from `first` on says what this is, and not only what is in it. */
  isNamedFrom(first: number): boolean {
    const named = ({ layer, inode }: Part): boolean => layer >= first && !this.fileSystem.layers[layer]!.table.hasFlag(inode, LAYER_FLAG.implied);
    return this.path === undefined ? named(this.#part) : this.#parts.some(named);
  }

  /** Of a directory: whether what the layers below `first` have in it still shows. */
  showsBelow(first: number): boolean {
    return this.#parts.some(({ layer }) => layer < first);
  }

  #other(part: Part): LayerInode | number {
    const isLink = this.fileSystem.layers[part.layer]!.table.hasFlag(part.inode, LAYER_FLAG.link);
    return isLink ? this.fileSystem.linkTarget(part) : new LayerInode(this.fileSystem, part, [], undefined, this.#limit);
  }

  readDirectory(): readonly DirectoryEntry[] | number {
    if (this.path === undefined) return -ENOTDIR;
    const entries: DirectoryEntry[] = [];
    const seen = this.#parts.length > 1 ? new Set<string>() : undefined;
    for (const { layer, inode: directory } of this.#parts) {
      const { table } = this.fileSystem.layers[layer]!;
      const first = table.double(directory, LAYER_INODE.data);
      for (let index = first; index < first + table.field(directory, LAYER_INODE.count); index++) {
        const name = table.nameText(index);
        const inode = table.nameInode(index);
        const part = { layer, inode };
        if (seen?.has(name) === true || (inode !== LAYER_WHITEOUT && this.fileSystem.isGrafted(part))) continue;
        seen?.add(name);
        if (inode === LAYER_WHITEOUT) continue;
        const entry = table.hasFlag(inode, LAYER_FLAG.link) ? this.#linkEntry(name) : { name, ino: this.fileSystem.inodeNumber(part), type: table.field(inode, LAYER_INODE.mode) & S_IFMT };
        if (entry !== undefined) entries.push(entry);
      }
    }
    return entries;
  }

  #linkEntry(name: string): DirectoryEntry | undefined {
    const found = this.lookup(name);
    return typeof found === 'number' ? undefined : { name, ino: found.ino, type: found.mode & S_IFMT };
  }

  readLink(): string | number {
    if ((this.mode & S_IFMT) !== S_IFLNK) return -EINVAL;
    return this.#table.text(this.#table.double(this.#part.inode, LAYER_INODE.data), this.#table.double(this.#part.inode, LAYER_INODE.size));
  }

  readAt(buffer: Uint8Array, position: number): number {
    if ((this.mode & S_IFMT) !== S_IFREG) return this.path === undefined ? -EINVAL : -EISDIR;
    const count = Math.min(buffer.length, this.size - position);
    if (count <= 0) return 0;
    const wanted = buffer.subarray(0, count);
    const data = this.#table.double(this.#part.inode, LAYER_INODE.data);
    const flags = this.#table.field(this.#part.inode, LAYER_INODE.flags);
    const failed = (flags & LAYER_FLAG.sparse) === 0 ? this.#readTar(wanted, data + position) : this.#readSparse(wanted, position, data, flags >>> 8);
    return failed < 0 ? failed : count;
  }

  /** All of it, or a negative errno. */
  #readTar(buffer: Uint8Array, position: number): number {
    for (let done = 0; done < buffer.length;) {
      const count = this.fileSystem.layers[this.#part.layer]!.read(done === 0 ? buffer : buffer.subarray(done), position + done);
      if (count <= 0) return count === 0 ? -EIO : count;
      done += count;
    }
    return 0;
  }

  #readSparse(buffer: Uint8Array, position: number, map: number, pieces: number): number {
    buffer.fill(0);
    const end = position + buffer.length;
    for (let piece = 0; piece < pieces; piece++) {
      const [offset, length, place] = [0, 8, 16].map((field) => this.#table.textDouble(map + piece * 24 + field)) as [number, number, number];
      const from = Math.max(offset, position);
      const to = Math.min(offset + length, end);
      if (from >= to) continue;
      const failed = this.#readTar(buffer.subarray(from - position, to - position), place + from - offset);
      if (failed < 0) return failed;
    }
    return 0;
  }

  *#xattrs(): Iterable<readonly [name: string, value: Uint8Array]> {
    const bytes = this.#table.textBytes(this.#table.field(this.#part.inode, LAYER_INODE.xattrs), this.#table.field(this.#part.inode, LAYER_INODE.xattrBytes));
    for (let at = 0; at + XATTR_LENGTHS <= bytes.length;) {
      const [nameLength, valueLength] = [0, 3].map((field) => bytes[at + field]! | (bytes[at + field + 1]! << 8) | (bytes[at + field + 2]! << 16)) as [number, number];
      at += XATTR_LENGTHS;
      yield [String.fromCharCode(...bytes.subarray(at, at + nameLength)), bytes.subarray(at + nameLength, at + nameLength + valueLength)];
      at += nameLength + valueLength;
    }
  }

  getXattr(name: string): Uint8Array | number {
    for (const [known, value] of this.#xattrs()) if (known === name) return value.slice();
    return -ENODATA;
  }
  listXattr(): readonly string[] {
    return Array.from(this.#xattrs(), ([name]) => name);
  }

  // ---- nothing changes ----

  setAttributes(): number {
    return -EROFS;
  }
  create(): number {
    return -EROFS;
  }
  symlink(): number {
    return -EROFS;
  }
  link(): number {
    return -EROFS;
  }
  unlink(): number {
    return -EROFS;
  }
  rmdir(): number {
    return -EROFS;
  }
  rename(): number {
    return -EROFS;
  }
  writeAt(): number {
    return -EROFS;
  }
  setXattr(): number {
    return -EROFS;
  }
  removeXattr(): number {
    return -EROFS;
  }
}
