/** pax extended headers: `length keyword=value\n` records (POSIX.1-2008 pax "pax Header Block"), and GNU's sparse maps in them. */
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { MOST_FILE_BYTES, MOST_SPARSE_PIECES, MOST_XATTR_BYTES } from './limits.ts';
import { bytesToString } from './tar-format.ts';
import type { SparsePiece, TarEntry } from './tar-format.ts';

/** GNU tar manual, "Storing Sparse Files". */
interface SparseHeader {
  major: number;
  realSize: number | undefined;
  name: string | undefined;
  readonly map: (readonly [offset: number, length: number])[];
  /** Offset of format 0.0 whose length has not come yet. */
  waiting: number | undefined;
}

export interface PaxValues {
  readonly values: ReadonlyMap<string, string>;
  readonly xattrs: ReadonlyMap<string, string>;
  readonly sparse: SparseHeader | undefined;
}

const EMPTY_PAX: PaxValues = { values: new Map(), xattrs: new Map(), sparse: undefined };

function badRecord(offset: number): ImageFormatError {
  return new ImageFormatError(`cannot read the tar archive: an extended header at byte ${offset} is not well formed`, 'it is spoiled, or no tar archive');
}

function wholeNumber(text: string, offset: number): number {
  if (!/^\d{1,15}$/.test(text)) throw badRecord(offset);
  return Number(text);
}

/** The records of a header over those of an earlier one; an empty value takes a record back. */
export function parsePax(bytes: Uint8Array, offset: number, before: PaxValues = EMPTY_PAX): PaxValues {
  const values = new Map(before.values);
  const xattrs = new Map(before.xattrs);
  const found: { sparse: SparseHeader | undefined } = { sparse: undefined };
  for (let at = 0; at < bytes.length;) {
    let space = at;
    while (space < bytes.length && space < at + 9 && bytes[space] !== 0x20) space++;
    const length = wholeNumber(bytesToString(bytes.subarray(at, space)), offset);
    const end = at + length;
    if (bytes[space] !== 0x20 || end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) throw badRecord(offset);
    const record = bytesToString(bytes.subarray(space + 1, end - 1));
    const equals = record.indexOf('=');
    if (equals <= 0) throw badRecord(offset);
    takeRecord(record.slice(0, equals), record.slice(equals + 1), values, xattrs, found, offset);
    at = end;
  }
  const total = [...xattrs].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (total > MOST_XATTR_BYTES) throw new ImageLimitError(`cannot read the tar archive: an entry has more than ${MOST_XATTR_BYTES} bytes of extended attributes (at byte ${offset})`);
  return { values, xattrs, sparse: found.sparse ?? before.sparse };
}

function takeRecord(key: string, value: string, values: Map<string, string>, xattrs: Map<string, string>, found: { sparse: SparseHeader | undefined }, offset: number): void {
  if (key.startsWith('GNU.sparse.')) {
    found.sparse ??= { major: 0, realSize: undefined, name: undefined, map: [], waiting: undefined };
    takeSparse(found.sparse, key.slice(11), value, offset);
  } else if (key.startsWith('SCHILY.xattr.')) setOrDelete(xattrs, key.slice(13), value);
  else if (key.startsWith('LIBARCHIVE.xattr.')) {
    const name = decodeName(key.slice(17));
    if (!xattrs.has(name)) setOrDelete(xattrs, name, decodeBase64(value, offset));
  } else {
    if (value.includes('\0') && (key === 'path' || key === 'linkpath')) throw badRecord(offset);
    setOrDelete(values, key, value);
  }
}

function setOrDelete(map: Map<string, string>, key: string, value: string): void {
  if (value === '') map.delete(key);
  else map.set(key, value);
}

function decodeName(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeBase64(text: string, offset: number): string {
  try {
    return atob(text);
  } catch {
    throw badRecord(offset);
  }
}

function takeSparse(sparse: SparseHeader, key: string, value: string, offset: number): void {
  if (sparse.map.length > MOST_SPARSE_PIECES) throw new ImageLimitError(`cannot read the tar archive: a sparse file has more than ${MOST_SPARSE_PIECES} pieces (at byte ${offset})`);
  switch (key) {
    case 'major':
      sparse.major = wholeNumber(value, offset);
      break;
    case 'realsize':
    case 'size':
      sparse.realSize = wholeNumber(value, offset);
      break;
    case 'name':
      sparse.name = value;
      break;
    case 'offset':
      sparse.waiting = wholeNumber(value, offset);
      break;
    case 'numbytes':
      if (sparse.waiting === undefined) throw badRecord(offset);
      sparse.map.push([sparse.waiting, wholeNumber(value, offset)]);
      sparse.waiting = undefined;
      break;
    case 'map': {
      const numbers = value.split(',').map((text) => wholeNumber(text, offset));
      if (numbers.length % 2 !== 0 || numbers.length > 2 * MOST_SPARSE_PIECES) throw badRecord(offset);
      for (let index = 0; index < numbers.length; index += 2) sparse.map.push([numbers[index]!, numbers[index + 1]!]);
      break;
    }
    default: // minor, numblocks: nothing that the map does not say
  }
}

/** Seconds and nanoseconds of `-12.5` and its like. */
function parseTime(text: string, offset: number): readonly [seconds: number, nanoseconds: number] {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw badRecord(offset);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  const seconds = Number(match[2]);
  if (match[1] === '') return [seconds, nanoseconds];
  return nanoseconds === 0 ? [-seconds, 0] : [-seconds - 1, 1_000_000_000 - nanoseconds];
}

/** The entry with what the header before it says. */
export function applyPax(entry: TarEntry, header: PaxValues | undefined, offset: number): { readonly entry: TarEntry; readonly pax: PaxValues } {
  if (header === undefined) return { entry, pax: EMPTY_PAX };
  const { values, xattrs } = header;
  const number = (key: string, fallback: number): number => (values.has(key) ? wholeNumber(values.get(key) ?? '', offset) : fallback);
  const mtime = values.get('mtime');
  const [mtimeSeconds, mtimeNanoseconds] = mtime === undefined ? [entry.mtimeSeconds, entry.mtimeNanoseconds] : parseTime(mtime, offset);
  return {
    entry: {
      ...entry, path: values.get('path') ?? entry.path, linkTarget: values.get('linkpath') ?? entry.linkTarget,
      uid: number('uid', entry.uid), gid: number('gid', entry.gid), size: number('size', entry.size), mtimeSeconds, mtimeNanoseconds, xattrs,
    },
    pax: header,
  };
}

/** A checked map: pieces in order, inside the file, and their bytes inside what is stored. */
export function sparsePiecesOf(map: readonly (readonly [offset: number, length: number])[], size: number, stored: number, dataOffset: number, headerOffset: number): readonly SparsePiece[] {
  if (!(size >= 0) || map.length > MOST_SPARSE_PIECES) throw badRecord(headerOffset);
  if (size > MOST_FILE_BYTES) throw new ImageLimitError(`cannot read the tar archive: a sparse file is longer than ${MOST_FILE_BYTES} bytes (at byte ${headerOffset})`);
  let end = 0;
  let data = 0;
  const pieces = map.map(([offset, length]) => {
    if (!(offset >= end && length >= 0) || offset + length > size || data + length > stored) throw badRecord(headerOffset);
    const piece = { offset, length, dataOffset: dataOffset + data };
    end = offset + length;
    data += length;
    return piece;
  });
  if (data !== stored) throw badRecord(headerOffset);
  return pieces.filter(({ length }) => length > 0);
}
