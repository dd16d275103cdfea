/**
 * The index of an image layer: everything that its tar says except the bytes of its files, in a form that is used as it
 * lies on the disk: nothing is parsed when a container starts.
 *
 * Little endian. A header; inodes of 64 bytes each; names of 16 bytes each (a directory's stand together, sorted by bytes);
 * numbers of directories that no entry of the tar names; then text: names, link targets, attributes, maps of sparse files.
 * It is made from a hostile tar but by us (`image/layer-indexer.ts`), and kept beside a checksum; still no number in it is
 * trusted further than its own arrays.
 */

export const LAYER_MAGIC = 'CAISLAY1';
export const LAYER_HEADER_BYTES = 64;
/** SHA-256 of all else, in the header: for who doubts the file, not for each start of a container. */
export const LAYER_CHECKSUM = 28;
export const LAYER_INODE_BYTES = 64;
export const LAYER_NAME_BYTES = 16;

/** Header: offsets of 32-bit counts. */
export const LAYER_COUNTS = { inodes: 8, names: 12, implied: 16, links: 20, textBytes: 24 } as const;

/** An inode's fields. */
export const LAYER_INODE = {
  mode: 0, uid: 4, gid: 8, linkCount: 12,
  /** Of a file, or of a link's target. */
  size: 16,
  /** File: where its bytes begin in the tar. Directory: its first name. Link: its target in the text. */
  data: 24,
  mtimeSeconds: 32, mtimeNanoseconds: 40, rdev: 44,
  /** Directory: the number of its names; its own parent, and its own name, where others have `rdev` and `size`. */
  count: 48, parent: 44, ownName: 16,
  /** Attributes in the text, and their number of bytes. */
  xattrs: 52, xattrBytes: 56,
  /** `LAYER_FLAG`, and for a sparse file the number of its pieces from bit 8 on; their map stands where the bytes begin. */
  flags: 60,
} as const;

export const LAYER_FLAG = {
  /** What lower layers have in this directory does not show (OCI image-spec layer.md "Opaque Whiteout"). */
  opaque: 1,
  /** No entry of the tar names this directory: it is there because something is in it. */
  implied: 2,
  /** A hard link whose target is in a lower layer: the text has its path. */
  link: 4,
  /** `data` is where the map stands in the text: offset, length and place of each piece as three doubles. */
  sparse: 8,
} as const;

/** A name's fields. `whiteout`: the inode number that says that the name is gone. */
export const LAYER_NAME = { text: 0, length: 4, inode: 8 } as const;
export const LAYER_WHITEOUT = 0xffff_ffff;

/** An index in memory. */
export class LayerTable {
  readonly inodeCount: number;
  readonly impliedCount: number;
  readonly linkCount: number;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #names: number;
  readonly #implied: number;
  readonly #text: number;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.inodeCount = this.#view.getUint32(LAYER_COUNTS.inodes, true);
    this.impliedCount = this.#view.getUint32(LAYER_COUNTS.implied, true);
    this.linkCount = this.#view.getUint32(LAYER_COUNTS.links, true);
    this.#names = LAYER_HEADER_BYTES + this.inodeCount * LAYER_INODE_BYTES;
    this.#implied = this.#names + this.#view.getUint32(LAYER_COUNTS.names, true) * LAYER_NAME_BYTES;
    this.#text = this.#implied + this.impliedCount * 4;
  }

  /** Undefined for what is no index, or one of another version. */
  static read(bytes: Uint8Array): LayerTable | undefined {
    if (bytes.length < LAYER_HEADER_BYTES + LAYER_INODE_BYTES) return undefined;
    for (let index = 0; index < LAYER_MAGIC.length; index++) if (bytes[index] !== LAYER_MAGIC.charCodeAt(index)) return undefined;
    const table = new LayerTable(bytes);
    const textBytes = table.#view.getUint32(LAYER_COUNTS.textBytes, true);
    return table.inodeCount > 0 && table.#text + textBytes === bytes.length ? table : undefined;
  }

  field(inode: number, field: number): number {
    return this.#view.getUint32(LAYER_HEADER_BYTES + inode * LAYER_INODE_BYTES + field, true);
  }
  double(inode: number, field: number): number {
    return this.#view.getFloat64(LAYER_HEADER_BYTES + inode * LAYER_INODE_BYTES + field, true);
  }
  hasFlag(inode: number, flag: number): boolean {
    return (this.field(inode, LAYER_INODE.flags) & flag) !== 0;
  }

  text(offset: number, length: number): string {
    const start = this.#text + offset;
    const end = start + length;
    let text = '';
    for (let at = start; at < end; at++) text += String.fromCharCode(this.#bytes[at]!);
    return text;
  }
  textBytes(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(this.#text + offset, this.#text + offset + length);
  }
  /** The doubles of a sparse file's map. */
  textDouble(offset: number): number {
    return this.#view.getFloat64(this.#text + offset, true);
  }

  nameText(name: number): string {
    const at = this.#names + name * LAYER_NAME_BYTES;
    return this.text(this.#view.getUint32(at + LAYER_NAME.text, true), this.#view.getUint32(at + LAYER_NAME.length, true));
  }
  /** The inode, or `LAYER_WHITEOUT`. */
  nameInode(name: number): number {
    return this.#view.getUint32(this.#names + name * LAYER_NAME_BYTES + LAYER_NAME.inode, true);
  }
  impliedDirectory(index: number): number {
    return this.#view.getUint32(this.#implied + index * 4, true);
  }

  /** A directory's inode of that name, `LAYER_WHITEOUT`, or undefined: binary search. */
  lookup(directory: number, name: string): number | undefined {
    let low = this.double(directory, LAYER_INODE.data);
    let high = low + this.field(directory, LAYER_INODE.count);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, name);
      if (order === 0) return this.nameInode(middle);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  /** A stored name against a byte string, by bytes, without making a string of it. */
  #compare(index: number, name: string): number {
    const at = this.#names + index * LAYER_NAME_BYTES;
    const start = this.#text + this.#view.getUint32(at + LAYER_NAME.text, true);
    const length = this.#view.getUint32(at + LAYER_NAME.length, true);
    const shared = Math.min(length, name.length);
    for (let position = 0; position < shared; position++) {
      const difference = this.#bytes[start + position]! - name.charCodeAt(position);
      if (difference !== 0) return difference;
    }
    return length - name.length;
  }
}
