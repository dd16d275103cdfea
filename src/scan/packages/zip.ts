/** Zip archives as jars are (PKWARE APPNOTE 4.3): what the list at the end names. Encrypted entries and those over several disks are passed over. */
import { MOST_ZIP_ENTRIES } from '../limits.ts';
import { asciiOf } from '../text.ts';
import type { ReaderTools } from './types.ts';

export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly method: number;
  readonly offset: number;
}

/** Bytes of an archive, wherever they are. */
export interface ZipBytes {
  readonly size: number;
  readAt(position: number, length: number): Uint8Array;
}

const END_BYTES = 22;
const LONGEST_COMMENT_BYTES = 65_535;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** Of the list at the end. */
const MOST_DIRECTORY_BYTES = 64 * 2 ** 20;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export interface ZipList {
  /** Without encrypted ones. */
  readonly entries: readonly ZipEntry[];
  /** False: the list is spoiled at some place, or has more than `most` entries. */
  readonly isWhole: boolean;
}

/** Undefined for what is no zip archive. What stands before the archive (a start script) moves everything. */
export function zipEntries(source: ZipBytes, most = MOST_ZIP_ENTRIES): ZipList | undefined {
  const tailBytes = Math.min(source.size, END_BYTES + LONGEST_COMMENT_BYTES);
  const tail = source.readAt(source.size - tailBytes, tailBytes);
  const view = viewOf(tail);
  let end = tail.length - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== 0x0605_4b50) end--;
  if (end < 0) return undefined;
  const [directoryBytes, directoryAt] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  const shift = Math.max(0, source.size - tailBytes + end - directoryBytes - directoryAt);
  if (directoryBytes > MOST_DIRECTORY_BYTES || directoryAt === 0xffff_ffff) return undefined;
  const directory = source.readAt(directoryAt + shift, directoryBytes);
  const entries: ZipEntry[] = [];
  const list = viewOf(directory);
  let at = 0;
  while (at + ENTRY_BYTES <= directory.length && list.getUint32(at, true) === 0x0201_4b50 && entries.length < most) {
    const [nameBytes, extraBytes, commentBytes] = [list.getUint16(at + 28, true), list.getUint16(at + 30, true), list.getUint16(at + 32, true)];
    const isEncrypted = (list.getUint16(at + 8, true) & 1) !== 0;
    const name = asciiOf(directory.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes));
    if (!isEncrypted) entries.push({ name, method: list.getUint16(at + 10, true), compressedSize: list.getUint32(at + 20, true), size: list.getUint32(at + 24, true), offset: list.getUint32(at + 42, true) + shift });
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  }
  return { entries, isWhole: at === directoryBytes };
}

/** An entry's bytes; undefined where it is spoiled or longer than `most`. */
export function zipContent(source: ZipBytes, { method, compressedSize, size, offset }: ZipEntry, tools: ReaderTools, most: number): Uint8Array | undefined {
  if (size > most || compressedSize > most + 1024) return undefined;
  const local = source.readAt(offset, LOCAL_BYTES);
  if (local.length < LOCAL_BYTES || viewOf(local).getUint32(0, true) !== 0x0403_4b50) return undefined;
  const start = offset + LOCAL_BYTES + viewOf(local).getUint16(26, true) + viewOf(local).getUint16(28, true);
  const bytes = source.readAt(start, compressedSize);
  if (method === 0) return bytes;
  return method === 8 ? tools.inflateRaw(bytes, Math.max(1, size)) : undefined;
}
