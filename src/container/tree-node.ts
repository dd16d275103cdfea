/** An object of a tree, whatever it is kept in, as the writers of layers see it; and one of a file system of ours. Names and paths are byte strings. */
import { ENOENT, ERRNO_NAMES } from '../abi/errno.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { Inode } from '../fs/types.ts';
import { ImageError } from '../image/index.ts';

const CHUNK_BYTES = 1 << 18;

export type NodeKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'character-device' | 'block-device' | 'socket';

export const NODE_KINDS: ReadonlyMap<number, NodeKind> = new Map<number, NodeKind>([
  [S_IFREG, 'file'], [S_IFDIR, 'directory'], [S_IFLNK, 'symlink'], [S_IFIFO, 'fifo'], [S_IFCHR, 'character-device'], [S_IFBLK, 'block-device'],
]);

export interface NodeAttributes {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Absent: it has no time that means something. */
  readonly mtimeNs: bigint | undefined;
  readonly rdev: number;
  readonly size: number;
}

/** One object of a tree. Names and paths are byte strings. @throws an error for the user where it cannot be read. */
export interface TreeNode {
  readonly kind: NodeKind;
  readonly attributes: NodeAttributes;
  /** Objects with the same one are hard links of each other. */
  readonly identity: string | undefined;
  /** Sorted. */
  names(): readonly string[];
  child(name: string): TreeNode | undefined;
  readLink(): string;
  contents(): Iterable<Uint8Array>;
  xattrs(): ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

export function byBytes(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

function checked<Value>(value: Value | number, what: string): Value {
  if (typeof value === 'number' && value < 0) throw new ImageError(`cannot ${what}: ${ERRNO_NAMES.get(-value) ?? `error ${-value}`}`, 'find out with "caisson system check"');
  return value as Value;
}

/** An object of a file system of ours: layers of an image, or an overlay above them. */
export class InodeNode implements TreeNode {
  readonly kind: NodeKind;
  readonly attributes: NodeAttributes;
  readonly identity: string | undefined;
  readonly #inode: Inode;

  constructor(inode: Inode) {
    const stat = inode.stat();
    this.#inode = inode;
    this.kind = NODE_KINDS.get(stat.mode & S_IFMT) ?? 'socket';
    this.attributes = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtimeNs: stat.mtimeNs, rdev: stat.rdev, size: this.kind === 'file' ? stat.size : 0 };
    this.identity = this.kind !== 'directory' && stat.nlink > 1 ? String(inode.ino) : undefined;
  }

  names(): readonly string[] {
    const entries = checked(this.#inode.readDirectory(), 'list a directory of the image') as readonly { readonly name: string }[];
    return entries.map(({ name }) => name).sort(byBytes);
  }
  child(name: string): TreeNode | undefined {
    const found = this.#inode.lookup(name);
    if (found === -ENOENT) return undefined;
    return new InodeNode(checked(found, 'look a name up in the image') as Inode);
  }
  readLink(): string {
    return checked(this.#inode.readLink(), 'read a link of the image') as string;
  }
  *contents(): Iterable<Uint8Array> {
    const { size } = this.attributes;
    for (let at = 0; at < size;) {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size - at));
      const count = checked(this.#inode.readAt(buffer, at), 'read a file of the image');
      if (count === 0) throw new ImageError('cannot read a file of the image: it ends too early', 'get the image again');
      yield buffer.subarray(0, count);
      at += count;
    }
  }
  xattrs(): ReadonlyMap<string, string> {
    const names = this.#inode.listXattr();
    if (names.length === 0) return NONE;
    return new Map(names.flatMap((name) => {
      const value = this.#inode.getXattr(name);
      return typeof value === 'number' ? [] : [[name, Array.from(value, (byte) => String.fromCharCode(byte)).join('')] as const];
    }));
  }
}
