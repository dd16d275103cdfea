/**
 * Reads the rows of one table of an SQLite database (sqlite.org/fileformat2.html): table B-trees, overflow pages. What is still in a write-ahead log is not seen.
 * Every page is visited once at most, and of all cells together no more is read than a few times the file, so that neither circles nor many pointers to one cell take longer than that.
 */
import { asciiOf } from '../text.ts';

const HEADER_BYTES = 100;
const LEAF = 0x0d;
const INTERIOR = 0x05;
const SCHEMA_PAGE = 1;
/** Of the file's own bytes, so many times in one table: in a sound one each is read once. */
const MOST_READS = 4;

export type SqliteValue = string | number | Uint8Array | null;

interface Varint {
  readonly value: number;
  readonly end: number;
}

/** 7 bits a byte, nine bytes at most. */
function varint(bytes: Uint8Array, at: number): Varint {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = bytes[at + index] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return { value: value * 256 + (bytes[at + 8] ?? 0), end: at + 9 };
}

export class SqliteFile {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #pageBytes: number;
  /** Of a page, without what is reserved at its end. */
  readonly #usable: number;
  readonly #isUtf8: boolean;

  private constructor(bytes: Uint8Array, pageBytes: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pageBytes = pageBytes;
    this.#usable = pageBytes - (bytes[20] ?? 0);
    this.#isUtf8 = this.#view.getUint32(56) <= 1;
  }

  /** Undefined for what is no database. */
  static open(bytes: Uint8Array): SqliteFile | undefined {
    if (bytes.length < HEADER_BYTES || !asciiOf(bytes.subarray(0, 16)).startsWith('SQLite format 3\0')) return undefined;
    const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(16);
    const pageBytes = size === 1 ? 65_536 : size;
    return pageBytes >= 512 && (pageBytes & (pageBytes - 1)) === 0 ? new SqliteFile(bytes, pageBytes) : undefined;
  }

  /** Rows of a table in the order of their numbers. Undefined: there is no such table. */
  rows(table: string): Iterable<readonly SqliteValue[]> | undefined {
    for (const [type, name, , root] of this.#tree(SCHEMA_PAGE)) if (type === 'table' && name === table && typeof root === 'number') return this.#tree(root);
    return undefined;
  }

  *#tree(root: number): Generator<readonly SqliteValue[]> {
    const seen = new Set<number>();
    let read = 0;
    const pending = [root];
    for (let page = pending.pop(); page !== undefined; page = pending.pop()) {
      const start = (page - 1) * this.#pageBytes;
      if (page < 1 || start + this.#pageBytes > this.#bytes.length || seen.has(page)) continue;
      seen.add(page);
      const header = start + (page === SCHEMA_PAGE ? HEADER_BYTES : 0);
      const kind = this.#bytes[header];
      const count = this.#view.getUint16(header + 3);
      const cells = header + (kind === INTERIOR ? 12 : 8);
      if ((kind !== LEAF && kind !== INTERIOR) || cells + 2 * count > start + this.#pageBytes) continue;
      const offsets = Array.from({ length: count }, (_, index) => start + this.#view.getUint16(cells + 2 * index)).filter((at) => at + 4 <= start + this.#pageBytes);
      if (kind === LEAF) {
        for (const at of offsets) {
          read += varint(this.#bytes, at).value;
          if (read > MOST_READS * this.#bytes.length) return;
          yield this.#record(this.#payload(at));
        }
      } else pending.push(this.#view.getUint32(header + 8), ...offsets.map((at) => this.#view.getUint32(at)).reverse());
    }
  }

  /** A leaf cell's bytes, with what stands on overflow pages. */
  #payload(at: number): Uint8Array {
    const length = varint(this.#bytes, at);
    const start = varint(this.#bytes, length.end).end;
    const size = length.value;
    const most = this.#usable - 35;
    if (size <= most) return this.#bytes.subarray(start, start + size);
    if (size > this.#bytes.length) return new Uint8Array();
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23;
    const wanted = least + ((size - least) % (this.#usable - 4));
    const own = wanted <= most ? wanted : least;
    if (start + own + 4 > this.#bytes.length) return new Uint8Array();
    const payload = new Uint8Array(size);
    payload.set(this.#bytes.subarray(start, start + own));
    let page = this.#view.getUint32(start + own);
    const seen = new Set<number>();
    for (let done = own; done < size;) {
      const place = (page - 1) * this.#pageBytes;
      if (page < 1 || place + this.#pageBytes > this.#bytes.length || seen.has(page)) return new Uint8Array();
      seen.add(page);
      const piece = this.#bytes.subarray(place + 4, place + 4 + Math.min(this.#usable - 4, size - done));
      payload.set(piece, done);
      done += piece.length;
      page = this.#view.getUint32(place);
    }
    return payload;
  }

  /** Record format: a header of types, then values. */
  #record(payload: Uint8Array): readonly SqliteValue[] {
    const header = varint(payload, 0);
    const values: SqliteValue[] = [];
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    let [at, place] = [header.end, header.value];
    while (at < header.value && at < payload.length && values.length < 64) {
      const { value: type, end } = varint(payload, at);
      at = end;
      const size = type >= 12 ? (type - 12) >>> 1 : ([0, 1, 2, 3, 4, 6, 8, 8][type] ?? 0);
      if (place + size > payload.length) break;
      values.push(this.#value(payload, view, type, place, size));
      place += size;
    }
    return values;
  }

  #value(payload: Uint8Array, view: DataView, type: number, place: number, size: number): SqliteValue {
    if (type === 0) return null;
    if (type === 7) return view.getFloat64(place);
    if (type === 8 || type === 9) return type - 8;
    if (type >= 12 && type % 2 === 0) return payload.subarray(place, place + size);
    if (type >= 13) return this.#isUtf8 ? new TextDecoder().decode(payload.subarray(place, place + size)) : '';
    let value = (payload[place] ?? 0) >= 0x80 ? -1 : 0;
    for (let index = 0; index < size; index++) value = value * 256 + (payload[place + index] ?? 0);
    return value;
  }
}
