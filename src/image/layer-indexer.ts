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

/** An inode of the index, by number. */
interface Numbered {
  readonly node: LayerNode;
  linkCount: number;
  /** Of a directory: where its names begin, its parent's number, and its own name's. */
  firstName: number;
  readonly parent: number;
  readonly ownName: number;
}

interface Names {
  readonly inodes: readonly Numbered[];
  /** Names of directory `n`, sorted, in one list for all directories in the order of their numbers. */
  readonly names: readonly string[];
  /** For each name. */
  readonly targets: readonly number[];
}

/** Numbers inodes breadth first, so that what stands in one directory is close together. */
function numberNodes(root: LayerNode): Names {
  const inodes: Numbered[] = [{ node: root, linkCount: 2, firstName: 0, parent: 0, ownName: 0 }];
  /** Of what is no directory, which several names may have. */
  const numbers = new Map<LayerNode, number>();
  const names: string[] = [];
  const targets: number[] = [];
  for (let at = 0; at < inodes.length; at++) {
    const directory = inodes[at]!;
    const { children } = directory.node;
    if (children === undefined) continue;
    directory.firstName = names.length;
    for (const name of [...children.keys()].sort()) {
      const child = children.get(name)!;
      const number = child === WHITEOUT || child.children !== undefined ? undefined : numbers.get(child);
      if (child === WHITEOUT) targets.push(LAYER_WHITEOUT);
      else if (number !== undefined) {
        inodes[number]!.linkCount++;
        targets.push(number);
      } else {
        const isDirectory = child.children !== undefined;
        if (isDirectory) directory.linkCount++;
        else numbers.set(child, inodes.length);
        targets.push(inodes.length);
        inodes.push({ node: child, linkCount: isDirectory ? 2 : 1, firstName: 0, parent: at, ownName: names.length });
      }
      names.push(name);
    }
  }
  return { inodes, names, targets };
}

function encodeXattrs(xattrs: ReadonlyMap<string, string>): string {
  let text = '';
  for (const [name, value] of xattrs) {
    const lengths = [name.length, value.length].map((length) => String.fromCharCode(length & 0xff, (length >>> 8) & 0xff, (length >>> 16) & 0xff));
    text += lengths.join('') + name + value;
  }
  return text;
}

function writeInode(view: DataView, at: number, { node, linkCount, firstName, parent, ownName }: Numbered, text: Text): void {
  view.setUint32(at + LAYER_INODE.mode, node.mode, true);
  view.setUint32(at + LAYER_INODE.uid, node.uid, true);
  view.setUint32(at + LAYER_INODE.gid, node.gid, true);
  view.setUint32(at + LAYER_INODE.linkCount, linkCount, true);
  view.setFloat64(at + LAYER_INODE.mtimeSeconds, node.mtimeSeconds, true);
  view.setUint32(at + LAYER_INODE.mtimeNanoseconds, node.mtimeNanoseconds, true);
  view.setUint32(at + LAYER_INODE.rdev, node.rdev, true);
  let flags = (node.opaque ? LAYER_FLAG.opaque : 0) | (node.implied ? LAYER_FLAG.implied : 0);
  const format = node.mode & S_IFMT;
  if (node.isLowerLink || format === S_IFLNK) {
    if (node.isLowerLink) flags |= LAYER_FLAG.link;
    view.setFloat64(at + LAYER_INODE.data, text.add(node.target), true);
    view.setFloat64(at + LAYER_INODE.size, node.target.length, true);
  } else if (format === S_IFDIR) {
    view.setFloat64(at + LAYER_INODE.data, firstName, true);
    view.setUint32(at + LAYER_INODE.count, node.children?.size ?? 0, true);
    view.setUint32(at + LAYER_INODE.parent, parent, true);
    view.setFloat64(at + LAYER_INODE.ownName, ownName, true);
  } else if (format === S_IFREG) {
    const data = node.sparse === undefined ? node.dataOffset : text.addDoubles(node.sparse.flatMap(({ offset, length, dataOffset }) => [offset, length, dataOffset]));
    view.setFloat64(at + LAYER_INODE.size, node.size, true);
    view.setFloat64(at + LAYER_INODE.data, data, true);
    if (node.sparse !== undefined) flags |= LAYER_FLAG.sparse | (node.sparse.length << 8);
  }
  if (node.xattrs.size > 0) {
    const xattrs = encodeXattrs(node.xattrs);
    view.setUint32(at + LAYER_INODE.xattrs, text.add(xattrs), true);
    view.setUint32(at + LAYER_INODE.xattrBytes, xattrs.length, true);
  }
  view.setUint32(at + LAYER_INODE.flags, flags, true);
}

/** The bytes of the index; the same tree always gives the same ones. */
export function encodeLayer(root: LayerNode): Uint8Array<ArrayBuffer> {
  const { inodes, names, targets } = numberNodes(root);
  const implied = [...inodes.keys()].filter((number) => number !== 0 && inodes[number]!.node.implied);
  const text = new Text();
  const tables = new Uint8Array(LAYER_HEADER_BYTES + inodes.length * LAYER_INODE_BYTES + names.length * LAYER_NAME_BYTES + implied.length * 4);
  const view = new DataView(tables.buffer);
  for (let number = 0; number < inodes.length; number++) writeInode(view, LAYER_HEADER_BYTES + number * LAYER_INODE_BYTES, inodes[number]!, text);
  const namesAt = LAYER_HEADER_BYTES + inodes.length * LAYER_INODE_BYTES;
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    const at = namesAt + index * LAYER_NAME_BYTES;
    view.setUint32(at + LAYER_NAME.text, text.add(name), true);
    view.setUint32(at + LAYER_NAME.length, name.length, true);
    view.setUint32(at + LAYER_NAME.inode, targets[index]!, true);
  }
  const impliedAt = namesAt + names.length * LAYER_NAME_BYTES;
  for (const [index, number] of implied.entries()) view.setUint32(impliedAt + index * 4, number, true);
  for (let index = 0; index < LAYER_MAGIC.length; index++) view.setUint8(index, LAYER_MAGIC.charCodeAt(index));
  view.setUint32(LAYER_COUNTS.inodes, inodes.length, true);
  view.setUint32(LAYER_COUNTS.names, names.length, true);
  view.setUint32(LAYER_COUNTS.implied, implied.length, true);
  view.setUint32(LAYER_COUNTS.links, inodes.filter(({ node }) => node.isLowerLink).length, true);
  view.setUint32(LAYER_COUNTS.textBytes, text.length, true);
  const bytes = new Uint8Array(tables.length + text.length);
  bytes.set(tables);
  bytes.set(text.bytes, tables.length);
  return bytes;
}
