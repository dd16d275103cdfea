/**
 * Advisories in one file, indexed by what they are about, so that a scan reads only what it needs. Little endian.
 *
 *   16 bytes  `CAISADV1`, number of buckets (32 bits), bytes of the description (32 bits)
 *   then      the description: JSON
 *   then      for each bucket: where it begins (double) and its bytes (32 bits)
 *   then      the buckets: JSON, `{"debian:12\0openssl": [advisory, ...]}`
 *
 * Its digest is that of the whole file: the same advisories give the same file.
 */
import type { HostFiles } from '../../host/types.ts';
import { ENOENT } from '../../abi/errno.ts';
import { O_CLOEXEC, O_RDONLY } from '../../abi/fcntl.ts';
import { ScanInputError } from '../errors.ts';
import { fieldOf, isObject, parseJson } from '../text.ts';
import type { Advisory } from './types.ts';

const MAGIC = 'CAISADV1';
const HEADER_BYTES = 16;
const SLOT_BYTES = 12;
const KEYS_PER_BUCKET = 4;
const MOST_BUCKETS = 1 << 22;
const MOST_BUCKET_BYTES = 64 * 2 ** 20;
const MOST_DESCRIPTION_BYTES = 2 ** 20;

export interface FeedDescription {
  readonly name: string;
  readonly advisories: number;
  /** How new what is in it is, ISO 8601, where it says so. When it was imported is not in it: the same advisories give the same file. */
  readonly date?: string;
}

export interface DatabaseDescription {
  readonly feeds: readonly FeedDescription[];
  readonly advisories: number;
}

function keyOf({ ecosystem, package: name }: Pick<Advisory, 'ecosystem' | 'package'>): string {
  return `${ecosystem}\0${name}`;
}

/** FNV-1a of 32 bits. */
function hashOf(key: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x0100_0193);
  return hash >>> 0;
}

const encoder = new TextEncoder();

/** The bytes of a database, in pieces. Advisories of a package keep their order. */
export function* encodeDatabase(advisories: readonly Advisory[], feeds: readonly FeedDescription[]): Generator<Uint8Array> {
  const byKey = new Map<string, Advisory[]>();
  for (const advisory of advisories) {
    const key = keyOf(advisory);
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [advisory]);
    else list.push(advisory);
  }
  const count = Math.max(1, Math.min(MOST_BUCKETS, Math.ceil(byKey.size / KEYS_PER_BUCKET)));
  const buckets = Array.from({ length: count }, (): [string, readonly Advisory[]][] => []);
  for (const key of [...byKey.keys()].sort()) buckets[hashOf(key) % count]?.push([key, byKey.get(key) ?? []]);
  const encoded = buckets.map((bucket) => (bucket.length === 0 ? new Uint8Array() : encoder.encode(JSON.stringify(Object.fromEntries(bucket)))));
  const description = encoder.encode(JSON.stringify({ feeds, advisories: advisories.length }));
  const header = new Uint8Array(HEADER_BYTES + description.length + count * SLOT_BYTES);
  const view = new DataView(header.buffer);
  header.set(encoder.encode(MAGIC));
  view.setUint32(8, count, true);
  view.setUint32(12, description.length, true);
  header.set(description, HEADER_BYTES);
  let place = header.length;
  for (const [index, { length }] of encoded.entries()) {
    const at = HEADER_BYTES + description.length + index * SLOT_BYTES;
    view.setFloat64(at, place, true);
    view.setUint32(at + 8, length, true);
    place += length;
  }
  yield header;
  for (const bytes of encoded) if (bytes.length > 0) yield bytes;
}

/** A database that is open. What it reads is checked no further than that nothing lies outside of it: its digest is for the rest. */
export class AdvisoryDatabase {
  readonly description: DatabaseDescription;
  readonly #files: HostFiles;
  readonly #handle: number;
  readonly #buckets: number;
  readonly #table: number;
  readonly #size: number;

  private constructor(files: HostFiles, handle: number, size: number, header: DataView, description: DatabaseDescription) {
    [this.#files, this.#handle, this.#size, this.description] = [files, handle, size, description];
    this.#buckets = header.getUint32(8, true);
    this.#table = HEADER_BYTES + header.getUint32(12, true);
  }

  /** Undefined: there is no such file. @throws ScanInputError for what is no database, or may not be read */
  static open(files: HostFiles, path: string): AdvisoryDatabase | undefined {
    const handle = files.open(path, O_RDONLY | O_CLOEXEC, 0);
    if (handle === -ENOENT) return undefined;
    if (handle < 0) throw new ScanInputError('the database of advisories cannot be read', 'check its rights');
    const stat = files.fstat(handle);
    const size = typeof stat === 'number' ? 0 : stat.size;
    const bad = new ScanInputError('the database of advisories is spoiled or of another version', 'get it again with "caisson db update" or "caisson db import"');
    const read = (position: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - position)));
      const count = bytes.length === 0 ? 0 : files.read(handle, bytes, position);
      return bytes.subarray(0, Math.max(0, count));
    };
    const header = read(0, HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    const isOurs = header.length === HEADER_BYTES && String.fromCharCode(...header.subarray(0, 8)) === MAGIC && view.getUint32(8, true) > 0 && view.getUint32(8, true) <= Math.min(MOST_BUCKETS, size / SLOT_BYTES) && view.getUint32(12, true) <= MOST_DESCRIPTION_BYTES;
    const document = isOurs ? parseJson(read(HEADER_BYTES, view.getUint32(12, true))) : undefined;
    if (!isObject(document) || !Array.isArray(fieldOf(document, 'feeds'))) {
      files.close(handle);
      throw bad;
    }
    return new AdvisoryDatabase(files, handle, size, view, document as unknown as DatabaseDescription);
  }

  #read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = this.#files.read(this.#handle, bytes.subarray(at), position + at);
      if (count <= 0) return bytes.subarray(0, at);
      at += count;
    }
    return bytes;
  }

  #bucket(index: number): unknown {
    const slot = this.#read(this.#table + index * SLOT_BYTES, SLOT_BYTES);
    if (slot.length < SLOT_BYTES) return undefined;
    const view = new DataView(slot.buffer, slot.byteOffset, SLOT_BYTES);
    const [place, length] = [view.getFloat64(0, true), view.getUint32(8, true)];
    if (length === 0 || length > MOST_BUCKET_BYTES || !(place >= 0 && place + length <= this.#size)) return undefined;
    return parseJson(this.#read(place, length));
  }

  /** All that is known of one package. */
  find(ecosystem: string, name: string): readonly Advisory[] {
    const key = keyOf({ ecosystem, package: name });
    const list = fieldOf(this.#bucket(hashOf(key) % this.#buckets), key);
    return Array.isArray(list) ? (list as readonly Advisory[]) : [];
  }

  /** Everything, for making the next one from it. */
  *all(): Generator<Advisory> {
    for (let index = 0; index < this.#buckets; index++) {
      const bucket = this.#bucket(index);
      if (!isObject(bucket)) continue;
      for (const list of Object.values(bucket)) if (Array.isArray(list)) yield* list as readonly Advisory[];
    }
  }

  close(): void {
    this.#files.close(this.#handle);
  }
}
