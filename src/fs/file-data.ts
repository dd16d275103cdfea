/**
 * The bytes of a file kept in memory: chunks of 64 KiB, with holes. A hole reads as zeros, or as another
 * file below it (the overlay's lower file) up to `backingSize`; what is written gets a chunk of its own.
 */
import { EFBIG, ENOSPC, ENXIO } from '../abi/errno.ts';
import { SEEK_DATA } from '../abi/fcntl.ts';
import type { Inode } from './types.ts';

const CHUNK_BITS = 16;
export const CHUNK_SIZE = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SIZE - 1;
/** A small file's only chunk starts this long and doubles. */
const SMALLEST_CHUNK = 256;
/** Largest file: the chunk list is an array, and this is its bound (256 GiB). */
const MOST_CHUNKS = 2 ** 22;

/** Whose memory a file's bytes are (a control group). */
export interface MemoryPayer {
  /** False when there is no more. */
  chargeFile(bytes: number): boolean;
  releaseFile(bytes: number): void;
}

/** Where bytes are counted. */
export interface ByteAccount {
  /** False when there are no more. */
  charge(bytes: number): boolean;
  release(bytes: number): void;
  /** Who pays for a file that gets its first bytes now. Absent: nobody. */
  payer?(): MemoryPayer | undefined;
}

export class FileData {
  size = 0;
  #chunks: (Uint8Array | undefined)[] = [];
  #allocated = 0;
  #backing: Inode | undefined;
  #backingSize: number;
  readonly #account: ByteAccount;
  /** Who wrote first (mem_cgroup_charge()). */
  #payer: MemoryPayer | undefined;

  constructor(account: ByteAccount, backing?: Inode) {
    this.#account = account;
    this.#backing = backing;
    this.#backingSize = backing?.size ?? 0;
    this.size = this.#backingSize;
  }

  /** Bytes held, for `st_blocks` (what is still in the file below counts too). */
  get allocated(): number {
    return this.#allocated + (this.#backing === undefined ? 0 : this.#backingSize);
  }

  /** Nothing was written yet: all bytes are those of the file below. */
  get isBacked(): boolean {
    return this.#backing !== undefined && this.#allocated === 0 && this.size === this.#backingSize;
  }

  read(buffer: Uint8Array, position: number): number {
    const count = Math.min(buffer.length, this.size - position);
    if (count <= 0) return 0;
    let done = 0;
    while (done < count) {
      const at = position + done;
      const index = Math.floor(at / CHUNK_SIZE);
      const start = at & CHUNK_MASK;
      const chunk = this.#chunks[index];
      let length = Math.min(CHUNK_SIZE - start, count - done);
      if (chunk !== undefined) {
        const available = chunk.length - start;
        if (available >= length) buffer.set(chunk.subarray(start, start + length), done);
        else {
          if (available > 0) buffer.set(chunk.subarray(start, chunk.length), done);
          buffer.fill(0, done + Math.max(0, available), done + length);
        }
      } else {
        length = this.#holeLength(index, start, count - done);
        const error = this.#readHole(buffer.subarray(done, done + length), at);
        if (error < 0) return done > 0 ? done : error;
      }
      done += length;
    }
    return count;
  }

  /** Length of the run of absent chunks from here, so that a file below is read in long pieces. */
  #holeLength(index: number, start: number, most: number): number {
    let length = CHUNK_SIZE - start;
    let next = index + 1;
    while (length < most && this.#chunks[next] === undefined) {
      length += CHUNK_SIZE;
      next++;
    }
    return Math.min(length, most);
  }

  #readHole(target: Uint8Array, at: number): number {
    let done = 0;
    const below = this.#backing === undefined ? 0 : Math.min(target.length, this.#backingSize - at);
    while (done < below) {
      const count = this.#backing!.readAt(target.subarray(done, below), at + done);
      if (count < 0) return count;
      if (count === 0) break;
      done += count;
    }
    target.fill(0, done);
    return 0;
  }

  /** Bytes written, or -ENOSPC or -EFBIG where none could be. */
  write(buffer: Uint8Array, position: number): number {
    const count = buffer.length;
    let done = 0;
    while (done < count) {
      const at = position + done;
      const index = Math.floor(at / CHUNK_SIZE);
      const start = at & CHUNK_MASK;
      const length = Math.min(CHUNK_SIZE - start, count - done);
      const piece = length === count ? buffer : buffer.subarray(done, done + length);
      const isWhole = length === CHUNK_SIZE && this.#chunks[index] === undefined;
      const chunk = isWhole ? this.#addChunk(index, piece) : this.#chunkFor(index, start, start + length);
      if (typeof chunk === 'number') {
        if (done === 0) return chunk;
        break;
      }
      if (!isWhole) chunk.set(piece, start);
      done += length;
    }
    if (position + done > this.size) this.size = position + done;
    return done;
  }

  /** A new chunk of these bytes: a copy is made four times as fast as zeros that are overwritten then. */
  #addChunk(index: number, bytes: Uint8Array): Uint8Array | number {
    if (index >= MOST_CHUNKS) return -EFBIG;
    if (!this.#charge(CHUNK_SIZE)) return -ENOSPC;
    this.#allocated += CHUNK_SIZE;
    while (this.#chunks.length < index) this.#chunks.push(undefined);
    // Not `bytes.slice()`: that of a Node buffer is no copy.
    return (this.#chunks[index] = Uint8Array.prototype.slice.call(bytes));
  }

  /** The chunk that will take bytes [start, end), made or lengthened. */
  #chunkFor(index: number, start: number, end: number): Uint8Array | number {
    const chunk = this.#chunks[index];
    if (chunk !== undefined && chunk.length >= end) return chunk;
    if (index >= MOST_CHUNKS) return -EFBIG;
    let length = CHUNK_SIZE;
    if (index === 0 && this.size <= CHUNK_SIZE) {
      length = Math.max(SMALLEST_CHUNK, chunk?.length ?? 0);
      while (length < end) length *= 2;
    }
    const covered = this.#backing !== undefined && chunk === undefined && index * CHUNK_SIZE < this.#backingSize;
    if (covered) length = CHUNK_SIZE;
    const added = length - (chunk?.length ?? 0);
    if (!this.#charge(added)) return -ENOSPC;
    this.#allocated += added;
    const made = new Uint8Array(length);
    if (chunk !== undefined) made.set(chunk);
    else if (covered && (start > 0 || end < CHUNK_SIZE)) {
      const error = this.#readHole(made, index * CHUNK_SIZE);
      if (error < 0) {
        this.#release(added);
        this.#allocated -= added;
        return error;
      }
    }
    while (this.#chunks.length < index) this.#chunks.push(undefined);
    this.#chunks[index] = made;
    return made;
  }

  truncate(size: number): number {
    if (size > MOST_CHUNKS * CHUNK_SIZE) return -EFBIG;
    if (size < this.size) {
      const keep = Math.ceil(size / CHUNK_SIZE);
      for (let index = keep; index < this.#chunks.length; index++) this.#drop(index);
      if (this.#chunks.length > keep) this.#chunks.length = keep;
      const last = this.#chunks[keep - 1];
      const within = size & CHUNK_MASK;
      if (last !== undefined && within !== 0 && within < last.length) last.fill(0, within);
      this.#backingSize = Math.min(this.#backingSize, size);
      if (size === 0) this.#backing = undefined;
    }
    this.size = size;
    return 0;
  }

  #drop(index: number): void {
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    this.#release(chunk.length);
    this.#allocated -= chunk.length;
    this.#chunks[index] = undefined;
  }

  /** Zeros instead of what is there; frees whole chunks where `free` and nothing is below. */
  zero(offset: number, length: number, free: boolean): number {
    const end = Math.min(offset + length, this.size);
    for (let at = offset; at < end;) {
      const index = Math.floor(at / CHUNK_SIZE);
      const start = at & CHUNK_MASK;
      const stop = Math.min(CHUNK_SIZE, start + end - at);
      const below = this.#backing !== undefined && index * CHUNK_SIZE < this.#backingSize;
      if (free && !below && start === 0 && (stop === CHUNK_SIZE || at + stop >= this.size)) this.#drop(index);
      else if (below || this.#chunks[index] !== undefined) {
        const chunk = this.#chunkFor(index, start, stop);
        if (typeof chunk === 'number') return chunk;
        chunk.fill(0, start, stop);
      }
      at += stop - start;
    }
    return 0;
  }

  /** fallocate(2), mode 0: all of it exists, so that writing cannot fail. Does not change `size`. */
  reserve(offset: number, length: number): number {
    for (let at = offset; at < offset + length;) {
      const start = at & CHUNK_MASK;
      const stop = Math.min(CHUNK_SIZE, start + offset + length - at);
      const index = Math.floor(at / CHUNK_SIZE);
      if (this.#backing === undefined || index * CHUNK_SIZE >= this.#backingSize) {
        const chunk = this.#chunkFor(index, start, stop);
        if (typeof chunk === 'number') return chunk;
      }
      at += stop - start;
    }
    return 0;
  }

  /** SEEK_DATA and SEEK_HOLE; `offset` is below `size`. */
  seek(offset: number, whence: number): number {
    const wanted = whence === SEEK_DATA;
    for (let at = offset; at < this.size; at = (Math.floor(at / CHUNK_SIZE) + 1) * CHUNK_SIZE) {
      const index = Math.floor(at / CHUNK_SIZE);
      const isData = this.#chunks[index] !== undefined || (this.#backing !== undefined && at < this.#backingSize);
      if (isData === wanted) return at;
    }
    return wanted ? -ENXIO : this.size;
  }

  /** The file is gone: gives back what it held. The bytes stay readable for who still looks. */
  release(): void {
    this.#release(this.#allocated);
    this.#allocated = 0;
  }

  #charge(bytes: number): boolean {
    if (!this.#account.charge(bytes)) return false;
    if (this.#allocated === 0) this.#payer = this.#account.payer?.();
    if (this.#payer === undefined || this.#payer.chargeFile(bytes)) return true;
    this.#account.release(bytes);
    return false;
  }

  #release(bytes: number): void {
    this.#account.release(bytes);
    this.#payer?.releaseFile(bytes);
  }
}
