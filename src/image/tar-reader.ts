/**
 * Reads a tar's headers: one parser, written as a coroutine that asks for bytes or skips them, so that it reads a
 * stream as it comes (`TarScanner`) as well as a file whose data it jumps over (`scanTarFile`).
 *
 * Own code, since the packages there are decode names and attributes as UTF-8, say nothing of where an entry's bytes
 * lie, and do not know sparse files; layers need all three (docs/dependencies.md).
 */
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { MOST_FILE_BYTES, MOST_HEADER_BYTES, MOST_SPARSE_PIECES } from './limits.ts';
import { BLOCK_BYTES, FIELD, bytesToString, checksum, roundUp } from './tar-format.ts';
import type { SparsePiece, TarEntry, TarType } from './tar-format.ts';
import { applyPax, parsePax, sparsePiecesOf } from './tar-pax.ts';
import type { PaxValues } from './tar-pax.ts';

/** What the parser wants next: that many bytes, or to be that much further. */
export type TarRequest = { readonly read: number } | { readonly skip: number };
export type TarParser = Generator<TarRequest, void, Uint8Array>;

export function formatError(offset: number, problem: string): ImageFormatError {
  return new ImageFormatError(`cannot read the tar archive: ${problem} at byte ${offset}`, 'it is spoiled, or no tar archive');
}

type FieldRange = readonly [offset: number, length: number];

function text(header: Uint8Array, [offset, length]: FieldRange): string {
  let end = offset;
  while (end < offset + length && header[end] !== 0) end++;
  return bytesToString(header.subarray(offset, end));
}

/** Octal text, or GNU's binary form where the first bit is set. NaN for neither. */
function numberIn(header: Uint8Array, [offset, length]: FieldRange): number {
  const first = header[offset]!;
  if ((first & 0x80) !== 0) {
    const negative = (first & 0x40) !== 0;
    let value = negative ? first - 256 : first & 0x7f;
    for (let index = offset + 1; index < offset + length; index++) value = value * 256 + header[index]!;
    return value;
  }
  let value = 0;
  let at = offset;
  const end = offset + length;
  for (; at < end && header[at]! >= 0x30 && header[at]! <= 0x37; at++) value = value * 8 + header[at]! - 0x30;
  while (at < end && header[at] === 0x20) at++;
  if (at === end || header[at] === 0) return value;
  const digits = text(header, [offset, length]).trim();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : NaN;
}

const TYPES: ReadonlyMap<string, TarType> = new Map([
  ['0', 'file'], ['\0', 'file'], ['7', 'file'], ['1', 'link'], ['2', 'symlink'], ['3', 'character-device'], ['4', 'block-device'], ['5', 'directory'],
  ['6', 'fifo'], ['S', 'file'],
]);

/** `bytes` are the block: they hold until more is read. */
interface Header {
  readonly flag: string;
  readonly isPosix: boolean;
  readonly isGnu: boolean;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly size: number;
}

function isZero(block: Uint8Array): boolean {
  for (let index = 0; index < block.length; index++) if (block[index] !== 0) return false;
  return true;
}

function readHeader(bytes: Uint8Array, offset: number): Header {
  const stored = numberIn(bytes, FIELD.checksum);
  if (stored !== checksum(bytes)) throw formatError(offset, 'the checksum of a header is wrong');
  const size = numberIn(bytes, FIELD.size);
  if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) throw formatError(offset, 'the size of an entry is no number');
  const magic = bytesToString(bytes.subarray(257, 265));
  const isGnu = magic === 'ustar  \0';
  return { flag: String.fromCharCode(bytes[FIELD.type[0]]!), isPosix: magic.startsWith('ustar'), isGnu, offset, bytes, size };
}

const NO_XATTRS: ReadonlyMap<string, string> = new Map();

/** The entry as the ustar header has it, but for GNU's long names. */
function entryOf(header: Header, { longName, longLink }: Prelude): TarEntry {
  const { bytes, flag, offset } = header;
  const number = (field: FieldRange, name: string): number => {
    const value = numberIn(bytes, field);
    if (Number.isNaN(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw formatError(offset, `the ${name} of an entry is no number`);
    return value;
  };
  const prefix = header.isPosix && !header.isGnu ? text(bytes, FIELD.prefix) : '';
  const name = text(bytes, FIELD.name);
  const path = prefix === '' ? name : `${prefix}/${name}`;
  const known = TYPES.get(flag);
  if (known === undefined) throw new ImageFormatError(`cannot read the tar archive: entries of type "${flag}" are not supported (at byte ${offset})`, 'make the archive with another tar');
  const hasDevice = flag === '3' || flag === '4';
  return {
    path: longName ?? path, type: flag === '\0' && path.endsWith('/') ? 'directory' : known, mode: number(FIELD.mode, 'mode') & 0o7777,
    uid: number(FIELD.uid, 'owner'), gid: number(FIELD.gid, 'group'), size: header.size, mtimeSeconds: number(FIELD.mtime, 'time'), mtimeNanoseconds: 0,
    linkTarget: longLink ?? text(bytes, FIELD.link), major: hasDevice ? number(FIELD.major, 'device') : 0, minor: hasDevice ? number(FIELD.minor, 'device') : 0,
    xattrs: NO_XATTRS, dataOffset: 0, sparse: undefined,
  };
}

/** What stands before an entry and belongs to it: pax records, GNU's long names. */
interface Prelude {
  pax: PaxValues | undefined;
  longName: string | undefined;
  longLink: string | undefined;
  bytes: number;
}

class Parser {
  readonly #onEntry: (entry: TarEntry) => void;
  #offset = 0;

  constructor(onEntry: (entry: TarEntry) => void) {
    this.#onEntry = onEntry;
  }

  *#read(count: number): Generator<TarRequest, Uint8Array, Uint8Array> {
    const bytes = yield { read: count };
    if (bytes.length !== 0 && bytes.length < count) throw formatError(this.#offset + bytes.length, 'it ends in the middle of an entry');
    this.#offset += bytes.length;
    return bytes;
  }

  *#skip(count: number): Generator<TarRequest, void, Uint8Array> {
    if (count === 0) return;
    const missing = yield { skip: count };
    if (missing.length !== 0) throw formatError(this.#offset, 'it ends in the middle of an entry');
    this.#offset += count;
  }

  *parse(): TarParser {
    const prelude: Prelude = { pax: undefined, longName: undefined, longLink: undefined, bytes: 0 };
    for (;;) {
      const offset = this.#offset;
      const block = yield* this.#read(BLOCK_BYTES);
      if (block.length === 0) {
        if (prelude.bytes > 0) throw formatError(offset, 'it ends in the middle of an entry');
        return;
      }
      if (isZero(block)) {
        const second = yield* this.#read(BLOCK_BYTES);
        if (second.length === 0 || isZero(second)) return;
        throw formatError(offset, 'there is an empty block between entries');
      }
      const header = readHeader(block, offset);
      if ('xgLK'.includes(header.flag)) {
        yield* this.#readPrelude(header, prelude);
        continue;
      }
      yield* this.#readEntry(header, prelude);
      Object.assign(prelude, { pax: undefined, longName: undefined, longLink: undefined, bytes: 0 });
    }
  }

  *#readPrelude(header: Header, prelude: Prelude): Generator<TarRequest, void, Uint8Array> {
    prelude.bytes += header.size + BLOCK_BYTES;
    if (prelude.bytes > MOST_HEADER_BYTES) throw new ImageLimitError(`cannot read the tar archive: the headers of one entry are longer than ${MOST_HEADER_BYTES} bytes (at byte ${header.offset})`);
    const bytes = header.size === 0 ? new Uint8Array() : yield* this.#read(header.size);
    if (bytes.length < header.size) throw formatError(this.#offset, 'it ends in the middle of an entry');
    switch (header.flag) {
      case 'x':
        prelude.pax = parsePax(bytes, header.offset, prelude.pax);
        break;
      case 'g': // global ones are read over, as Docker does
        break;
      case 'L':
        prelude.longName = bytesToString(bytes).replace(/\0[^]*$/, '');
        break;
      default:
        prelude.longLink = bytesToString(bytes).replace(/\0[^]*$/, '');
    }
    yield* this.#skip(roundUp(header.size) - header.size);
  }

  *#readEntry(header: Header, prelude: Prelude): Generator<TarRequest, void, Uint8Array> {
    const { flag } = header;
    const { entry, pax } = applyPax(entryOf(header, prelude), prelude.pax, header.offset);
    // As Go's archive/tar, which Docker, containerd and umoci use: only files have data, whatever a header says.
    const stored = entry.type === 'file' ? entry.size : 0;
    if (stored > MOST_FILE_BYTES) throw new ImageLimitError(`cannot read the tar archive: "${entry.path}" is longer than ${MOST_FILE_BYTES} bytes`);
    const start = this.#offset;
    const sparse = flag === 'S' ? yield* this.#oldSparse(header, stored) : yield* this.#paxSparse(pax, entry, stored);
    const done = sparse === undefined ? { ...entry, size: stored, dataOffset: start } : { ...entry, size: sparse.size, dataOffset: sparse.dataOffset, sparse: sparse.pieces, path: sparse.name ?? entry.path };
    const end = (sparse?.dataOffset ?? start) + (flag === 'S' ? stored : stored - ((sparse?.dataOffset ?? start) - start));
    this.#onEntry(done);
    yield* this.#skip(start + roundUp(end - start) - this.#offset);
  }

  /** GNU format 'S': a map of four pieces in the header, 21 more in each block behind it. */
  *#oldSparse({ bytes, offset }: Header, stored: number): Generator<TarRequest, SparseFile, Uint8Array> {
    const pieces: (readonly [offset: number, length: number])[] = [];
    const take = (block: Uint8Array, at: number, count: number): void => {
      for (let index = 0; index < count; index++) {
        const length = numberIn(block, [at + index * 24 + 12, 12]);
        const position = numberIn(block, [at + index * 24, 12]);
        if (block[at + index * 24] !== 0) pieces.push([position, length]);
      }
    };
    take(bytes, 386, 4);
    const size = numberIn(bytes, [483, 12]);
    for (let more = bytes[482] !== 0; more;) {
      if (pieces.length > MOST_SPARSE_PIECES) throw new ImageLimitError(`cannot read the tar archive: a sparse file has more than ${MOST_SPARSE_PIECES} pieces (at byte ${offset})`);
      const block = yield* this.#read(BLOCK_BYTES);
      if (block.length === 0) throw formatError(this.#offset, 'it ends in the middle of an entry');
      take(block, 0, 21);
      more = block[504] !== 0;
    }
    return { size, dataOffset: this.#offset, pieces: sparsePiecesOf(pieces, size, stored, this.#offset, offset), name: undefined };
  }

  /** pax formats 0.0 and 0.1 have the map in the header, 1.0 at the beginning of the data. */
  *#paxSparse(pax: PaxValues, entry: TarEntry, stored: number): Generator<TarRequest, SparseFile | undefined, Uint8Array> {
    if (pax.sparse === undefined || entry.type !== 'file') return undefined;
    const { sparse } = pax;
    const start = this.#offset;
    const size = sparse.realSize ?? entry.size;
    if (sparse.major !== 1) return { size, dataOffset: start, pieces: sparsePiecesOf(sparse.map, size, stored, start, start), name: sparse.name };
    const map: (readonly [offset: number, length: number])[] = [];
    let left = '';
    const nextNumber = function* (this: Parser): Generator<TarRequest, number, Uint8Array> {
      while (!left.includes('\n')) {
        if (left.length > 32 || this.#offset - start >= stored) throw formatError(start, 'the map of a sparse file is not well formed');
        left += bytesToString(yield* this.#read(BLOCK_BYTES));
      }
      const end = left.indexOf('\n');
      const digits = left.slice(0, end);
      left = left.slice(end + 1);
      if (!/^\d{1,15}$/.test(digits)) throw formatError(start, 'the map of a sparse file is not well formed');
      return Number(digits);
    }.bind(this);
    const count = yield* nextNumber();
    if (count > MOST_SPARSE_PIECES) throw new ImageLimitError(`cannot read the tar archive: a sparse file has more than ${MOST_SPARSE_PIECES} pieces (at byte ${start})`);
    for (let index = 0; index < count; index++) map.push([yield* nextNumber(), yield* nextNumber()]);
    const dataOffset = this.#offset;
    return { size, dataOffset, pieces: sparsePiecesOf(map, size, stored - (dataOffset - start), dataOffset, start), name: sparse.name };
  }
}

interface SparseFile {
  readonly size: number;
  readonly dataOffset: number;
  readonly pieces: readonly SparsePiece[];
  readonly name: string | undefined;
}

/** Feeds the parser with a stream's chunks. */
export class TarScanner {
  readonly #parser: TarParser;
  #request: TarRequest | undefined;
  #skipped = 0;
  #pending: Uint8Array = new Uint8Array();

  constructor(onEntry: (entry: TarEntry) => void) {
    this.#parser = new Parser(onEntry).parse();
    const { value, done } = this.#parser.next(new Uint8Array());
    this.#request = done === true ? undefined : value;
  }

  /** True when the archive's end was seen; what follows is padding. */
  get ended(): boolean {
    return this.#request === undefined;
  }

  /** @throws ImageFormatError, ImageLimitError */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (this.#request !== undefined && at < chunk.length) {
      const request = this.#request;
      if ('skip' in request) {
        const count = Math.min(request.skip - this.#skipped, chunk.length - at);
        this.#skipped += count;
        at += count;
        if (this.#skipped < request.skip) return;
        this.#skipped = 0;
        this.#resume(new Uint8Array());
      } else if (this.#pending.length === 0 && chunk.length - at >= request.read) {
        this.#resume(chunk.subarray(at, at + request.read));
        at += request.read;
      } else {
        const count = Math.min(request.read - this.#pending.length, chunk.length - at);
        this.#pending = joined(this.#pending, chunk.subarray(at, at + count));
        at += count;
        if (this.#pending.length < request.read) return;
        const bytes = this.#pending;
        this.#pending = new Uint8Array();
        this.#resume(bytes);
      }
    }
  }

  /** There is no more: throws where that is too early. */
  end(): void {
    const request = this.#request;
    if (request === undefined) return;
    if ('skip' in request) this.#resume(MISSING);
    else if (this.#pending.length > 0) this.#resume(this.#pending);
    else this.#resume(new Uint8Array());
  }

  #resume(bytes: Uint8Array): void {
    const { value, done } = this.#parser.next(bytes);
    this.#request = done === true ? undefined : value;
  }
}

/** Says to a skip that there was not enough. */
const MISSING = new Uint8Array(1);

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Reads the headers of an archive in a file. `read` fills a buffer from a position and answers how much was there. */
export function scanTarFile(read: (buffer: Uint8Array, position: number) => number, size: number, onEntry: (entry: TarEntry) => void): void {
  const parser = new Parser(onEntry).parse();
  let position = 0;
  let step = parser.next(new Uint8Array());
  while (step.done !== true) {
    const request = step.value;
    if ('skip' in request) {
      position += request.skip;
      step = parser.next(position > size ? MISSING : new Uint8Array());
      continue;
    }
    const buffer = new Uint8Array(Math.max(0, Math.min(request.read, size - position)));
    const count = buffer.length === 0 ? 0 : read(buffer, position);
    position += count;
    step = parser.next(buffer.subarray(0, count));
  }
}
