/** From a layer's tree to the index that `fs/layer-format.ts` reads. */
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import {
  LAYER_COUNTS, LAYER_FLAG, LAYER_HEADER_BYTES, LAYER_INODE, LAYER_INODE_BYTES, LAYER_MAGIC, LAYER_NAME, LAYER_NAME_BYTES, LAYER_WHITEOUT,
} from '../fs/layer-format.ts';
import { WHITEOUT } from './layer-tree.ts';
import type { LayerNode } from './layer-tree.ts';

/** Byte strings collected into one array, which grows by doubling. */
class Text {
  #bytes = new Uint8Array(1 << 16);
  length = 0;

  #grow(room: number): void {
    if (this.length + room <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + room));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
  add(text: string): number {
    this.#grow(text.length);
    const start = this.length;
    for (let index = 0; index < text.length; index++) this.#bytes[start + index] = text.charCodeAt(index);
    this.length += text.length;
    return start;
  }
  addDoubles(values: readonly number[]): number {
    this.#grow(values.length * 8);
    const start = this.length;
    const view = new DataView(this.#bytes.buffer);
    for (const [index, value] of values.entries()) view.setFloat64(start + index * 8, value, true);
    this.length += values.length * 8;
    return start;
  }
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

interface Numbered {
  readonly nodes: readonly LayerNode[];
  readonly numbers: ReadonlyMap<LayerNode, number>;
  /** Names of directory `n`, sorted, in one list for all directories in the order of their numbers. */
  readonly names: readonly { readonly name: string; readonly inode: number }[];
  readonly firstNames: ReadonlyMap<LayerNode, number>;
  readonly linkCounts: ReadonlyMap<LayerNode, number>;
  /** Of a directory: its parent's number and its name's. */
  readonly places: ReadonlyMap<LayerNode, readonly [parent: number, name: number]>;
}

/** Numbers inodes breadth first, so that what stands in one directory is close together. */
function numberNodes(root: LayerNode): Numbered {
  const nodes: LayerNode[] = [root];
  const numbers = new Map<LayerNode, number>([[root, 0]]);
  const names: { name: string; inode: number }[] = [];
  const firstNames = new Map<LayerNode, number>();
  const linkCounts = new Map<LayerNode, number>([[root, 2]]);
  const places = new Map<LayerNode, readonly [parent: number, name: number]>();
  const count = (node: LayerNode, by: number): void => void linkCounts.set(node, (linkCounts.get(node) ?? 0) + by);
  for (let at = 0; at < nodes.length; at++) {
    const directory = nodes[at]!;
    if (directory.children === undefined) continue;
    firstNames.set(directory, names.length);
    for (const name of [...directory.children.keys()].sort()) {
      const child = directory.children.get(name)!;
      if (child === WHITEOUT) {
        names.push({ name, inode: LAYER_WHITEOUT });
        continue;
      }
      let number = numbers.get(child);
      if (number === undefined) {
        number = nodes.push(child) - 1;
        numbers.set(child, number);
      }
      if (child.children !== undefined) places.set(child, [at, names.length]);
      names.push({ name, inode: number });
      count(child, child.children === undefined ? 1 : 2);
      if (child.children !== undefined) count(directory, 1);
    }
  }
  return { nodes, numbers, names, firstNames, linkCounts, places };
}

function encodeXattrs(xattrs: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of xattrs) {
    const lengths = [name.length, value.length].map((length) => String.fromCharCode(length & 0xff, (length >>> 8) & 0xff, (length >>> 16) & 0xff));
    text += lengths.join('') + name + value;
  }
  return text;
}

function writeInode(view: DataView, at: number, node: LayerNode, text: Text, { linkCounts, firstNames, places }: Numbered): void {
  const word = (field: number, value: number): void => view.setUint32(at + field, value, true);
  const double = (field: number, value: number): void => view.setFloat64(at + field, value, true);
  word(LAYER_INODE.mode, node.mode);
  word(LAYER_INODE.uid, node.uid);
  word(LAYER_INODE.gid, node.gid);
  word(LAYER_INODE.linkCount, linkCounts.get(node) ?? 1);
  double(LAYER_INODE.mtimeSeconds, node.mtimeSeconds);
  word(LAYER_INODE.mtimeNanoseconds, node.mtimeNanoseconds);
  word(LAYER_INODE.rdev, node.rdev);
  let flags = (node.opaque ? LAYER_FLAG.opaque : 0) | (node.implied ? LAYER_FLAG.implied : 0);
  const format = node.mode & S_IFMT;
  if (node.isLowerLink || format === S_IFLNK) {
    if (node.isLowerLink) flags |= LAYER_FLAG.link;
    double(LAYER_INODE.data, text.add(node.target));
    double(LAYER_INODE.size, node.target.length);
  } else if (format === S_IFDIR) {
    const [parent, ownName] = places.get(node) ?? [0, 0];
    double(LAYER_INODE.data, firstNames.get(node) ?? 0);
    word(LAYER_INODE.count, node.children?.size ?? 0);
    word(LAYER_INODE.parent, parent);
    double(LAYER_INODE.ownName, ownName);
  } else if (format === S_IFREG) {
    double(LAYER_INODE.size, node.size);
    double(LAYER_INODE.data, node.sparse === undefined ? node.dataOffset : text.addDoubles(node.sparse.flatMap(({ offset, length, dataOffset }) => [offset, length, dataOffset])));
    if (node.sparse !== undefined) flags |= LAYER_FLAG.sparse | (node.sparse.length << 8);
  }
  if (node.xattrs.size > 0) {
    const xattrs = encodeXattrs(node.xattrs);
    word(LAYER_INODE.xattrs, text.add(xattrs));
    word(LAYER_INODE.xattrBytes, xattrs.length);
  }
  view.setUint32(at + LAYER_INODE.flags, flags, true);
}

/** The bytes of the index; the same tree always gives the same ones. */
export function encodeLayer(root: LayerNode): Uint8Array<ArrayBuffer> {
  const numbered = numberNodes(root);
  const { nodes, numbers, names } = numbered;
  const implied = nodes.filter((node) => node.implied && node !== root);
  const text = new Text();
  const tables = new Uint8Array(LAYER_HEADER_BYTES + nodes.length * LAYER_INODE_BYTES + names.length * LAYER_NAME_BYTES + implied.length * 4);
  const view = new DataView(tables.buffer);
  for (const [number, node] of nodes.entries()) {
    writeInode(view, LAYER_HEADER_BYTES + number * LAYER_INODE_BYTES, node, text, numbered);
  }
  const namesAt = LAYER_HEADER_BYTES + nodes.length * LAYER_INODE_BYTES;
  for (const [index, { name, inode }] of names.entries()) {
    const at = namesAt + index * LAYER_NAME_BYTES;
    view.setUint32(at + LAYER_NAME.text, text.add(name), true);
    view.setUint32(at + LAYER_NAME.length, name.length, true);
    view.setUint32(at + LAYER_NAME.inode, inode, true);
  }
  const impliedAt = namesAt + names.length * LAYER_NAME_BYTES;
  for (const [index, node] of implied.entries()) view.setUint32(impliedAt + index * 4, numbers.get(node)!, true);
  for (let index = 0; index < LAYER_MAGIC.length; index++) view.setUint8(index, LAYER_MAGIC.charCodeAt(index));
  view.setUint32(LAYER_COUNTS.inodes, nodes.length, true);
  view.setUint32(LAYER_COUNTS.names, names.length, true);
  view.setUint32(LAYER_COUNTS.implied, implied.length, true);
  view.setUint32(LAYER_COUNTS.links, nodes.filter((node) => node.isLowerLink).length, true);
  view.setUint32(LAYER_COUNTS.textBytes, text.length, true);
  const bytes = new Uint8Array(tables.length + text.length);
  bytes.set(tables);
  bytes.set(text.bytes, tables.length);
  return bytes;
}
