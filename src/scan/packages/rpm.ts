/** rpm's database in its three forms: SQLite (`rpmdb.sqlite`), NDB (`Packages.db`; rpm `lib/backend/ndb/rpmpkg.c`), and Berkeley DB's hash (`Packages`; Oracle `dbinc/db_page.h`). */
import { MOST_RPM_BYTES } from '../limits.ts';
import type { ScanFile } from '../types.ts';
import { PackageList, unreadable } from './checked.ts';
import { RpmHeader } from './rpm-header.ts';
import { SqliteFile } from './sqlite.ts';
import type { PackageReader } from './types.ts';

const DIRECTORIES = ['var/lib/rpm/', 'usr/lib/sysimage/rpm/', 'usr/share/rpm/', 'usr/lib/rpm-db/'];
const NAMES = new Set(['rpmdb.sqlite', 'Packages.db', 'Packages']);

export function isRpmDatabase(path: string): boolean {
  return DIRECTORIES.some((directory) => path.startsWith(directory) && NAMES.has(path.slice(directory.length)));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const NDB_MAGIC = 0x506d_7052; // RpmP
const NDB_SLOT = 0x746f_6c53; // Slot
const NDB_BLOB = 0x5362_6c42; // BlbS
const NDB_PAGE_BYTES = 4096;
const NDB_SLOT_BYTES = 16;
const NDB_BLOCK_BYTES = 16;

function* ndbBlobs(bytes: Uint8Array): Generator<Uint8Array> {
  const view = viewOf(bytes);
  const slots = view.getUint32(12, true) * NDB_PAGE_BYTES;
  for (let at = 2 * NDB_SLOT_BYTES; at + NDB_SLOT_BYTES <= Math.min(slots, bytes.length); at += NDB_SLOT_BYTES) {
    if (view.getUint32(at, true) !== NDB_SLOT || view.getUint32(at + 4, true) === 0) continue;
    const start = view.getUint32(at + 8, true) * NDB_BLOCK_BYTES;
    if (start + NDB_BLOCK_BYTES > bytes.length || view.getUint32(start, true) !== NDB_BLOB) continue;
    yield bytes.subarray(start + NDB_BLOCK_BYTES, start + NDB_BLOCK_BYTES + view.getUint32(start + 12, true));
  }
}

const BDB_HASH_MAGIC = 0x0006_1561;
const BDB_HEADER_BYTES = 26;
const BDB_HASH_PAGE = 13;
const BDB_UNSORTED_HASH_PAGE = 2;
const BDB_OVERFLOW_PAGE = 7;
const BDB_OFFPAGE = 3;
const BDB_KEYDATA = 1;

/** Values of the hash: each second item of a page is one. Large ones stand on pages of their own, in a chain. */
function* bdbBlobs(bytes: Uint8Array): Generator<Uint8Array> {
  const view = viewOf(bytes);
  const isLittle = view.getUint32(12, true) === BDB_HASH_MAGIC;
  const pageBytes = view.getUint32(20, isLittle);
  if (pageBytes < 512 || pageBytes > 65_536) return;
  for (let page = pageBytes; page + pageBytes <= bytes.length; page += pageBytes) {
    const type = bytes[page + 25];
    if (type !== BDB_HASH_PAGE && type !== BDB_UNSORTED_HASH_PAGE) continue;
    const count = view.getUint16(page + 20, isLittle);
    if (BDB_HEADER_BYTES + 2 * count > pageBytes) continue;
    for (let item = 1; item < count; item += 2) {
      const offset = view.getUint16(page + BDB_HEADER_BYTES + 2 * item, isLittle);
      if (offset + 12 > pageBytes) continue;
      const at = page + offset;
      if (bytes[at] === BDB_OFFPAGE) yield bdbChain(bytes, view, isLittle, pageBytes, view.getUint32(at + 4, isLittle), view.getUint32(at + 8, isLittle));
      // An item ends where the one before it begins: items are laid from the end of the page on.
      else if (bytes[at] === BDB_KEYDATA) yield bytes.subarray(at + 1, page + view.getUint16(page + BDB_HEADER_BYTES + 2 * (item - 1), isLittle));
    }
  }
}

function bdbChain(bytes: Uint8Array, view: DataView, isLittle: boolean, pageBytes: number, first: number, length: number): Uint8Array {
  if (length > bytes.length) return new Uint8Array();
  const value = new Uint8Array(length);
  let done = 0;
  for (let page = first; page !== 0 && done < length;) {
    const at = page * pageBytes;
    if (at + pageBytes > bytes.length || bytes[at + 25] !== BDB_OVERFLOW_PAGE) break;
    const count = Math.min(view.getUint16(at + 22, isLittle), pageBytes - BDB_HEADER_BYTES, length - done);
    if (count === 0) break;
    value.set(bytes.subarray(at + BDB_HEADER_BYTES, at + BDB_HEADER_BYTES + count), done);
    done += count;
    page = view.getUint32(at + 16, isLittle);
  }
  return value.subarray(0, done);
}

function* sqliteBlobs(database: SqliteFile): Generator<Uint8Array> {
  for (const row of database.rows('Packages') ?? []) {
    const blob = row[1];
    if (blob instanceof Uint8Array) yield blob;
  }
}

/** Headers of all packages; undefined for what is no database of rpm. */
function blobsOf(bytes: Uint8Array): Iterable<Uint8Array> | undefined {
  const database = SqliteFile.open(bytes);
  if (database !== undefined) return sqliteBlobs(database);
  if (bytes.length < 512) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) === NDB_MAGIC) return ndbBlobs(bytes);
  return view.getUint32(12, true) === BDB_HASH_MAGIC || view.getUint32(12, false) === BDB_HASH_MAGIC ? bdbBlobs(bytes) : undefined;
}

/** Of a real database no byte is part of two packages. A forged one may say so of each, which must not cost more than reading it a few times. */
const MOST_READINGS = 4;

function* headersOf(bytes: Uint8Array): Generator<RpmHeader> {
  let read = 0;
  for (const blob of blobsOf(bytes) ?? []) {
    read += blob.length;
    if (read > MOST_READINGS * bytes.length) return;
    const header = RpmHeader.read(blob);
    if (header !== undefined) yield header;
  }
}

export const RPM: PackageReader = {
  name: 'rpm', kind: 'installed',
  wants: ({ path, size }) => size > 0 && isRpmDatabase(path),
  read: (file) => {
    if (file.size > MOST_RPM_BYTES) return unreadable(`it is longer than ${MOST_RPM_BYTES >> 20} MiB`);
    const bytes = file.read(MOST_RPM_BYTES);
    if (blobsOf(bytes) === undefined) return unreadable('it is no database of rpm that is known: SQLite, NDB or a hash of Berkeley DB');
    const list = new PackageList();
    for (const header of headersOf(bytes)) {
      const one = header.package;
      if (one !== undefined) list.add(one);
    }
    return list.result;
  },
};

export function rpmOwnedPaths(file: ScanFile, paths: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  for (const header of headersOf(file.read(MOST_RPM_BYTES))) for (const path of header.owned(paths)) found.push(path);
  return found;
}

/** Digests of the files of all packages. */
export function* rpmDigests(file: ScanFile): Generator<{ readonly path: string; readonly digest: string; readonly package: string }> {
  for (const header of headersOf(file.read(MOST_RPM_BYTES))) {
    const name = header.package?.name;
    if (name !== undefined) for (const one of header.digests()) yield { ...one, package: name };
  }
}
