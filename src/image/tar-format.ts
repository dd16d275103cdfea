/**
 * The tar format, as reader and writer share it: POSIX.1-2008 pax (ustar and its extended headers) and what GNU tar adds
 * (`tar/src/tar.h`). Names and values are byte strings, because a name need not be UTF-8 and a capability is not text.
 */

export const BLOCK_BYTES = 512;

/** Fields of a ustar header: offset and length. */
export const FIELD = {
  name: [0, 100], mode: [100, 8], uid: [108, 8], gid: [116, 8], size: [124, 12], mtime: [136, 12], checksum: [148, 8], type: [156, 1],
  link: [157, 100], magic: [257, 6], version: [263, 2], major: [329, 8], minor: [337, 8], prefix: [345, 155],
} as const satisfies Readonly<Record<string, readonly [offset: number, length: number]>>;

export type TarType = 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo';

/** A piece of a sparse file that is not a hole; `dataOffset` counts from the beginning of the tar. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
  readonly dataOffset: number;
}

export interface TarEntry {
  /** As it stands in the archive. */
  readonly path: string;
  readonly type: TarType;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Of the file when it is read; 0 for what is no file. */
  readonly size: number;
  readonly linkTarget: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, string>;
  /** Where the file's bytes begin in the archive. */
  readonly dataOffset: number;
  readonly sparse: readonly SparsePiece[] | undefined;
}

const decoder = new TextDecoder('latin1');
/** Of more bytes the decoder is faster. */
const SHORT_BYTES = 512;

/** Bytes as a byte string. `latin1` in the Web's decoder is windows-1252, which differs between 0x80 and 0x9f. */
export function bytesToString(bytes: Uint8Array): string {
  if (bytes.length <= SHORT_BYTES) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  for (let index = 0; index < bytes.length; index++) if (bytes[index]! >= 0x80) return slowBytesToString(bytes);
  return decoder.decode(bytes);
}

function slowBytesToString(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += 4096) text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  return text;
}

export function stringToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

export function roundUp(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Sum of the header's bytes, with spaces in place of the sum. */
export function checksum(header: Uint8Array): number {
  const [start, length] = FIELD.checksum;
  let sum = 0;
  for (let index = 0; index < BLOCK_BYTES; index++) sum += index >= start && index < start + length ? 0x20 : header[index]!;
  return sum;
}

/** Whether a block is a header: its sum is right (POSIX.1-2008 ustar). */
export function isTarHeader(block: Uint8Array): boolean {
  const [start, length] = FIELD.checksum;
  const digits = /^[ ]*([0-7]+)/.exec(bytesToString(block.subarray(start, start + length)));
  return digits !== null && Number.parseInt(digits[1] ?? '', 8) === checksum(block);
}
