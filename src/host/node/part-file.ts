/**
 * A cache file of parts, private to the user: each part with its CRC-32, so that what a full disk, a
 * killed process or anything else has spoiled is found out when it is read, and left aside.
 *
 * Format: magic (8 bytes), count (u32), a tag of the caller's (u32), then for each part its length and its checksum (u32);
 * then the parts. Written under a temporary name and renamed.
 */
import { createRequire } from 'node:module';
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { nodeBinding } from './binding.ts';

const MAGIC = Buffer.from('CAISPAR2');
const HEADER = 16;
const ENTRY = 8;
/** More are no file of ours. */
const MAXIMUM_PARTS = 100_000;

interface Entry {
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
}

interface Checksums {
  crc32(bytes: Uint8Array, start: number): number;
}

let crc32: Checksums['crc32'] | undefined;

/** Undefined: this Node has no such function (before 20.15), and nothing is kept. */
function checksumOf(bytes: Uint8Array): number | undefined {
  crc32 ??= nodeBinding<Checksums>('zlib')?.crc32 ?? (createRequire(import.meta.url)('node:zlib') as Partial<Checksums>).crc32;
  return crc32?.(bytes, 0);
}

/** That many bytes, or undefined where the file ends before. */
function readExactly(handle: number, offset: number, length: number): Buffer<ArrayBuffer> | undefined {
  const bytes = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const count = readSync(handle, bytes, done, length - done, offset + done);
    if (count === 0) return undefined;
    done += count;
  }
  return bytes;
}

function readEntries(handle: number): Entry[] {
  const header = readExactly(handle, 0, HEADER);
  const count = header?.readUInt32LE(8) ?? 0;
  if (header === undefined || !header.subarray(0, 8).equals(MAGIC) || count > MAXIMUM_PARTS) return [];
  const table = readExactly(handle, HEADER, count * ENTRY);
  if (table === undefined) return [];
  let offset = HEADER + count * ENTRY;
  return Array.from({ length: count }, (_, index) => {
    const length = table.readUInt32LE(index * ENTRY);
    const entry = { offset, length, checksum: table.readUInt32LE(index * ENTRY + 4) };
    offset += length;
    return entry;
  });
}

/** Only a regular file of our own, that nobody else can write, counts. */
function openOwn(path: string): number | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const { uid, mode, size } = fstatSync(handle);
    const own = process.geteuid === undefined || uid === process.geteuid();
    if (own && (mode & 0o170022) === 0o100000 && size >= HEADER) return handle;
    closeSync(handle);
  } catch {
    if (handle !== undefined) closeSync(handle);
  }
  return undefined;
}

export class PartFile {
  readonly #path: string;
  #handle: number | undefined;
  #entries: readonly Entry[] | undefined;
  readonly tag: number = 0;

  /** A file that is not there, or not ours, has no parts. */
  constructor(path: string) {
    this.#path = path;
    this.#handle = openOwn(path);
    try {
      const header = this.#handle === undefined ? undefined : readExactly(this.#handle, 0, HEADER);
      if (header?.subarray(0, 8).equals(MAGIC) === true) this.tag = header.readUInt32LE(12);
      else this.#entries = [];
    } catch {
      this.#entries = []; // an error of the disk
    }
  }

  #table(): readonly Entry[] {
    try {
      return (this.#entries ??= this.#handle === undefined ? [] : readEntries(this.#handle));
    } catch {
      return (this.#entries = []);
    }
  }

  /** The file is still the one that was opened. */
  get isCurrent(): boolean {
    try {
      return this.#handle !== undefined && fstatSync(this.#handle).ino === statSync(this.#path).ino;
    } catch {
      return false; // it is gone
    }
  }

  get count(): number {
    return this.#table().length;
  }

  get bytes(): number {
    return this.#table().reduce((sum, { length }) => sum + length, 0);
  }

  /** Undefined for what is not there as it was written. */
  read(part: number): Uint8Array<ArrayBuffer> | undefined {
    const entry = this.#table()[part];
    if (entry === undefined || this.#handle === undefined) return undefined;
    try {
      const size = fstatSync(this.#handle).size;
      if (entry.offset + entry.length > size) return undefined;
      const bytes = readExactly(this.#handle, entry.offset, entry.length);
      return bytes !== undefined && checksumOf(bytes) === entry.checksum ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** Replaces the file. A full disk or a directory that cannot be written: it stays as it was. */
  replace(parts: readonly Uint8Array[], tag = 0): void {
    const temporary = `${this.#path}.${process.pid}`;
    const header = Buffer.alloc(HEADER + parts.length * ENTRY);
    MAGIC.copy(header);
    header.writeUInt32LE(parts.length, 8);
    header.writeUInt32LE(tag, 12);
    for (const [index, part] of parts.entries()) {
      const checksum = checksumOf(part);
      if (checksum === undefined) return;
      header.writeUInt32LE(part.length, HEADER + index * ENTRY);
      header.writeUInt32LE(checksum, HEADER + index * ENTRY + 4);
    }
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      const handle = openSync(temporary, 'wx', 0o600);
      try {
        for (const bytes of [header, ...parts]) for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      } finally {
        closeSync(handle);
      }
      renameSync(temporary, this.#path);
    } catch {
      try {
        unlinkSync(temporary);
      } catch {
        // It was never made.
      }
    }
  }
}
