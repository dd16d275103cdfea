/**
 * Handles that stand for files without a name: name_to_handle_at(2), Linux fs/exportfs/expfs.c. As of tmpfs (mm/shmem.c:
 * shmem_encode_fh()): a generation and the inode's number. A file system knows only those that it gave away.
 */
import { ESTALE } from '../abi/errno.ts';
import type { Dentry } from './dentry.ts';
import type { FileSystem } from './types.ts';

export const HANDLE_BYTES = 12;
export const HANDLE_TYPE = 1;
/** Files of one file system that have a handle: a guest can ask for one of each. Older ones are stale then. */
const MOST_HANDLES = 4096;
/** Those of Linux that have handles; an overlay as if mounted with `nfs_export=on`. */
const EXPORTED: ReadonlySet<string> = new Set(['tmpfs', 'devtmpfs', 'overlay']);

const given = new WeakMap<FileSystem, Map<number, Dentry>>();

export function hasHandles({ type }: FileSystem): boolean {
  return EXPORTED.has(type);
}

/** Not to be guessed from the number alone, and another in each file system. */
function generationOf(ino: number, dev: number): number {
  return Math.imul(Math.imul(ino ^ (dev << 16), 0x9e37_79b1) ^ 0x5bd1_e995, 0x85eb_ca6b) >>> 0;
}

/** The handle of a file: `HANDLE_BYTES` bytes. */
export function encodeHandle(dentry: Dentry): Uint8Array {
  const { ino, fileSystem } = dentry.inode;
  let handles = given.get(fileSystem);
  if (handles === undefined) given.set(fileSystem, (handles = new Map()));
  handles.delete(ino);
  handles.set(ino, dentry);
  if (handles.size > MOST_HANDLES) for (const oldest of handles.keys()) {
    handles.delete(oldest);
    break;
  }
  const bytes = new Uint8Array(HANDLE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, generationOf(ino, fileSystem.dev), true);
  view.setUint32(4, ino % 0x1_0000_0000, true);
  view.setUint32(8, Math.floor(ino / 0x1_0000_0000), true);
  return bytes;
}

/** The file of a handle, or -ESTALE: it is gone, or none of this file system. */
export function decodeHandle(fileSystem: FileSystem, type: number, bytes: Uint8Array): Dentry | number {
  if (type !== HANDLE_TYPE || bytes.length < HANDLE_BYTES) return -ESTALE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ino = view.getUint32(4, true) + view.getUint32(8, true) * 0x1_0000_0000;
  const dentry = given.get(fileSystem)?.get(ino);
  if (dentry === undefined || view.getUint32(0, true) !== generationOf(ino, fileSystem.dev)) return -ESTALE;
  if (!dentry.deleted) return dentry;
  given.get(fileSystem)?.delete(ino);
  return -ESTALE;
}
