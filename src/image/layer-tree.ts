/**
 * The tree that a layer's tar describes, kept in memory while it is read: what extracting it in order would leave,
 * by the rules of OCI image-spec layer.md and of the programs that extract (containerd `archive/tar.go`, umoci `oci/layer`).
 *
 * Nothing outside the layer is looked at, so what depends on the layers below is only noted: a whiteout, a directory
 * that no entry names, a hard link to something that is not here. `fs/layerfs.ts` puts layers on top of each other.
 */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { walkPath } from '../fs/path-walk.ts';
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { MOST_LAYER_TEXT_BYTES, MOST_NAME_BYTES, MOST_PATH_BYTES, MOST_PATH_DEPTH } from './limits.ts';
import type { LayerLimits } from './limits.ts';
import type { SparsePiece, TarEntry, TarType } from './tar-format.ts';

/** OCI image-spec layer.md "Whiteouts". */
export const WHITEOUT_PREFIX = '.wh.';
export const OPAQUE_WHITEOUT = '.wh..wh..opq';
/** aufs kept its own files under such names; all readers of layers pass over them. */
const AUFS_PREFIX = '.wh..wh.';

/** A name that hides what lower layers have. */
export const WHITEOUT = 'whiteout';

export interface LayerNode {
  mode: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  mtimeNanoseconds: number;
  rdev: number;
  size: number;
  dataOffset: number;
  /** Of a symbolic link; of a hard link into a lower layer, the path from the root. */
  target: string;
  xattrs: ReadonlyMap<string, string>;
  sparse: readonly SparsePiece[] | undefined;
  readonly children: Map<string, LayerNode | typeof WHITEOUT> | undefined;
  opaque: boolean;
  implied: boolean;
  isLowerLink: boolean;
}

const FORMATS: Readonly<Record<TarType, number>> = {
  file: S_IFREG, directory: S_IFDIR, symlink: S_IFLNK, link: S_IFREG, 'character-device': S_IFCHR, 'block-device': S_IFBLK, fifo: S_IFIFO,
};
const NONE: ReadonlyMap<string, string> = new Map();

/** Linux's MKDEV in the form that stat(2) shows. */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

function impliedDirectory(opaque: boolean): LayerNode {
  return {
    mode: S_IFDIR | 0o755, uid: 0, gid: 0, mtimeSeconds: 0, mtimeNanoseconds: 0, rdev: 0, size: 0, dataOffset: 0, target: '', xattrs: NONE, sparse: undefined,
    children: new Map(), opaque, implied: true, isLowerLink: false,
  };
}

function nodeOf(entry: TarEntry): LayerNode {
  return {
    mode: FORMATS[entry.type] | entry.mode, uid: entry.uid >>> 0, gid: entry.gid >>> 0, mtimeSeconds: entry.mtimeSeconds, mtimeNanoseconds: entry.mtimeNanoseconds,
    rdev: deviceNumber(entry.major, entry.minor), size: entry.size, dataOffset: entry.dataOffset, target: entry.type === 'symlink' ? entry.linkTarget : '',
    xattrs: entry.xattrs, sparse: entry.sparse, children: entry.type === 'directory' ? new Map() : undefined, opaque: false, implied: false, isLowerLink: false,
  };
}

function isNewer(left: LayerNode, right: LayerNode): boolean {
  return left.mtimeSeconds > right.mtimeSeconds || (left.mtimeSeconds === right.mtimeSeconds && left.mtimeNanoseconds > right.mtimeNanoseconds);
}

export function isSymlink(node: LayerNode): boolean {
  return (node.mode & S_IFMT) === S_IFLNK;
}

/** A path's parts without `.` and `..`, as Go's `filepath.Clean`; undefined where it leads above its beginning. */
export function cleanParts(path: string): string[] | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined && !path.startsWith('/')) return undefined;
  }
  return parts;
}

export class LayerTree {
  readonly root = impliedDirectory(false);
  readonly #limits: LayerLimits;
  #entries = 0;
  #textBytes = 0;

  constructor(limits: LayerLimits) {
    this.#limits = limits;
  }

  /** @throws ImageFormatError, ImageLimitError */
  add(entry: TarEntry): void {
    if (++this.#entries > this.#limits.layerEntries) throw new ImageLimitError(`the layer has more than ${this.#limits.layerEntries} entries`, 'raise it with --max-layer-entries, if you trust the image');
    const parts = this.#partsOf(entry.path, entry.path);
    this.#charge(entry, parts);
    const name = parts.pop();
    if (name === undefined) {
      if (entry.type === 'directory') this.#update(this.root, entry);
      return;
    }
    const directory = this.#directoryAt(parts, entry.path);
    if (name.startsWith(WHITEOUT_PREFIX)) this.#whiteOut(directory, name, entry.path);
    else if (entry.type === 'link') directory.set(name, this.#linkTarget(entry, name, directory));
    else this.#place(directory, name, entry);
  }

  /** After the last entry: a directory that no entry names is as new as the newest thing in it. */
  finish(): void {
    const pending: LayerNode[] = [this.root];
    for (let at = 0; at < pending.length; at++) {
      for (const child of pending[at]!.children?.values() ?? []) if (child !== WHITEOUT && child.children !== undefined) pending.push(child);
    }
    for (const directory of pending.reverse()) {
      if (!directory.implied) continue;
      for (const child of directory.children!.values()) if (child !== WHITEOUT && isNewer(child, directory)) Object.assign(directory, { mtimeSeconds: child.mtimeSeconds, mtimeNanoseconds: child.mtimeNanoseconds });
    }
  }

  #partsOf(path: string, entry: string): string[] {
    if (path.length > MOST_PATH_BYTES) throw new ImageLimitError(`the layer has a path of ${path.length} bytes, more than the ${MOST_PATH_BYTES} that can be opened: "${path.slice(0, 60)}..."`);
    const parts = cleanParts(path);
    if (parts === undefined) throw new ImageFormatError(`the layer has an entry "${entry}" that leads out of the image`, 'do not trust this image: no tool that builds images does that');
    if (parts.length > MOST_PATH_DEPTH) throw new ImageLimitError(`the layer has a path of ${parts.length} directories, more than ${MOST_PATH_DEPTH}`);
    const long = parts.find((part) => part.length > MOST_NAME_BYTES);
    if (long !== undefined) throw new ImageLimitError(`the layer has a name of ${long.length} bytes, more than ${MOST_NAME_BYTES}: "${long.slice(0, 60)}..."`);
    return parts;
  }

  #charge({ linkTarget, xattrs, sparse }: TarEntry, parts: readonly string[]): void {
    this.#textBytes += (parts.at(-1)?.length ?? 0) + linkTarget.length + 24 * (sparse?.length ?? 0);
    for (const [name, value] of xattrs) this.#textBytes += name.length + value.length;
    if (this.#textBytes > MOST_LAYER_TEXT_BYTES) throw new ImageLimitError(`the names, links and attributes of the layer are longer than ${MOST_LAYER_TEXT_BYTES} bytes`);
  }

  /** The names of a directory, made where it is missing; links that this layer has on the way are followed inside it. */
  #directoryAt(parts: readonly string[], entry: string): Map<string, LayerNode | typeof WHITEOUT> {
    const found = this.#walk(parts, entry, true);
    if (found?.children === undefined) throw new ImageFormatError(`the layer has an entry "${entry}" below something that is no directory`, 'the image is broken: tell who made it');
    return found.children;
  }

  /** Links in the last part are followed as well. Undefined: this layer has no such thing. */
  #walk(parts: readonly string[], entry: string, create: boolean): LayerNode | undefined {
    const found = walkPath<LayerNode>(this.root, parts, {
      child: (directory, name) => this.#child(directory, name, create),
      linkTarget: (node) => (isSymlink(node) ? node.target : undefined),
    }, true);
    if (found === 'links') throw new ImageFormatError(`the layer has an entry "${entry}" behind too many links, or links in a circle`, 'the image is broken: tell who made it');
    return found === 'missing' ? undefined : found;
  }

  #child({ children }: LayerNode, name: string, create: boolean): LayerNode | undefined {
    const known = children?.get(name);
    if (children === undefined || (known !== undefined && known !== WHITEOUT) || !create) return known === WHITEOUT ? undefined : known;
    this.#textBytes += name.length;
    if (++this.#entries > this.#limits.layerEntries) throw new ImageLimitError(`the layer has more than ${this.#limits.layerEntries} entries`, 'raise it with --max-layer-entries, if you trust the image');
    const made = impliedDirectory(known === WHITEOUT);
    children.set(name, made);
    return made;
  }

  #whiteOut(directory: Map<string, LayerNode | typeof WHITEOUT>, name: string, entry: string): void {
    if (name === OPAQUE_WHITEOUT) {
      const parent = this.#walk(cleanParts(entry)!.slice(0, -1), entry, false);
      if (parent !== undefined) parent.opaque = true;
      return;
    }
    if (name.startsWith(AUFS_PREFIX)) return;
    const hidden = name.slice(WHITEOUT_PREFIX.length);
    if (hidden === '' || hidden === '.' || hidden === '..') throw new ImageFormatError(`the layer has a whiteout "${entry}" of nothing`, 'the image is broken: tell who made it');
    // What this layer itself has stays: a whiteout is about the layers below.
    const own = directory.get(hidden);
    if (own === undefined) directory.set(hidden, WHITEOUT);
    else if (own !== WHITEOUT) own.opaque = true;
  }

  #linkTarget(entry: TarEntry, name: string, directory: Map<string, LayerNode | typeof WHITEOUT>): LayerNode {
    const parts = this.#partsOf(entry.linkTarget, `${entry.path} -> ${entry.linkTarget}`);
    const last = parts.pop();
    if (last === undefined) throw new ImageFormatError(`the layer has a hard link "${entry.path}" to the root directory`, 'the image is broken: tell who made it');
    const node = this.#walk(parts, entry.path, false)?.children?.get(last);
    if (node === WHITEOUT) throw new ImageFormatError(`the layer has a hard link "${entry.path}" to "${entry.linkTarget}", which it takes away`, 'the image is broken: tell who made it');
    if (node === undefined) return { ...nodeOf(entry), target: `/${[...parts, last].join('/')}`, isLowerLink: true };
    if (node.children !== undefined) throw new ImageFormatError(`the layer has a hard link "${entry.path}" to a directory`, 'the image is broken: tell who made it');
    const own = directory.get(name);
    if (own !== undefined && own !== WHITEOUT && own !== node) directory.delete(name);
    return node;
  }

  #place(directory: Map<string, LayerNode | typeof WHITEOUT>, name: string, entry: TarEntry): void {
    const own = directory.get(name);
    if (entry.type === 'directory' && own !== undefined && own !== WHITEOUT && own.children !== undefined) {
      this.#update(own, entry);
      return;
    }
    const node = nodeOf(entry);
    // Something else was there, or was taken away: what lower layers have in a directory of the name is gone.
    node.opaque = node.children !== undefined && own !== undefined;
    directory.set(name, node);
  }

  #update(node: LayerNode, entry: TarEntry): void {
    const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs } = nodeOf(entry);
    Object.assign(node, { mode, uid, gid, mtimeSeconds, mtimeNanoseconds, xattrs, implied: false });
  }
}
