/**
 * MAP_SHARED. Every address space is a memory of its own, so shared pages are copies. The truth is in the
 * file, or for anonymous memory in a `SparseStorage`. Only one space runs at a time: when another takes its
 * turn, what the first changed goes to the truth and from there to the second.
 */
import { PROT_EXEC } from '../../abi/mman.ts';
import type { MemoryPayer } from '../../fs/file-data.ts';
import type { Inode } from '../../fs/types.ts';
import type { AddressSpace } from '../../machine/index.ts';
import { pageFlags, type Vma, type VmaList } from './vma.ts';

/** The part of an `Mm` that sharing needs. */
export interface Mapper {
  readonly space: AddressSpace;
  readonly vmas: VmaList;
}

interface Storage {
  readonly size: number;
  readAt(buffer: Uint8Array, position: number): number;
  writeAt(buffer: Uint8Array, position: number): number;
}

/** Anonymous shared memory: pages appear when they are first written. */
export class SparseStorage implements Storage {
  readonly size = Infinity;
  readonly #pages = new Map<number, Uint8Array>();

  get bytes(): number {
    return this.#pages.size * 4096;
  }

  readAt(buffer: Uint8Array, position: number): number {
    for (let done = 0; done < buffer.length; done += 4096) {
      const page = this.#pages.get((position + done) / 4096);
      const target = buffer.subarray(done, done + 4096);
      if (page === undefined) target.fill(0);
      else target.set(page.subarray(0, target.length));
    }
    return buffer.length;
  }

  writeAt(buffer: Uint8Array, position: number): number {
    for (let done = 0; done < buffer.length; done += 4096) {
      const index = (position + done) / 4096;
      const source = buffer.subarray(done, done + 4096);
      const page = this.#pages.get(index);
      if (page !== undefined) page.set(source);
      else this.#pages.set(index, source.slice());
    }
    return buffer.length;
  }
}

const scratch = new Uint8Array(65_536);
const scratchWords = new Int32Array(scratch.buffer);

/** Which pages of an object changed, in order, so that a space finds those that it has not seen. */
class PageChanges {
  /** Pages in the order of their changes; the first is that of version `#first` + 1. */
  #log: number[] = [];
  #first = 0;
  /** Version of the last change of each page. */
  readonly #last = new Map<number, number>();

  get version(): number {
    return this.#first + this.#log.length;
  }

  add(page: number): void {
    this.#log.push(page);
    this.#last.set(page, this.version);
    if (this.#log.length > 1024 && this.#log.length > 8 * this.#last.size) this.#shorten();
  }

  /** Each page once that changed after a version. */
  since(version: number): readonly number[] {
    if (version < this.#first) return [...this.#last.keys()];
    const pages: number[] = [];
    for (let index = version - this.#first; index < this.#log.length; index++) {
      const page = this.#log[index]!;
      if (this.#last.get(page) === this.#first + index + 1) pages.push(page);
    }
    return pages;
  }

  /** Who has not seen what is dropped is shown all pages. */
  #shorten(): void {
    const dropped = this.#log.length >>> 1;
    this.#log = this.#log.slice(dropped);
    this.#first += dropped;
  }
}

/** What several mappings show: one file, or one anonymous region. Positions are multiples of 4096. */
export class SharedObject {
  readonly inode: Inode | undefined;
  readonly storage: Storage;
  /** For futex keys and System V ids. */
  readonly id: number;
  /** Of anonymous memory: who pays for it, from its first mapping on. */
  payment: { readonly payer: MemoryPayer; readonly bytes: number } | undefined;
  /** It stays when nobody maps it (System V). */
  isKept = false;
  /** Mapping count and the version up to which the space has seen changes. */
  readonly #mappers = new Map<Mapper, { mappings: number; seen: number }>();
  readonly #changes = new PageChanges();

  constructor(id: number, inode: Inode | undefined) {
    this.id = id;
    this.inode = inode;
    this.storage = inode ?? new SparseStorage();
  }

  /** Before it is first mapped: false where a group has no room for it. */
  pay(payer: MemoryPayer, bytes: number): boolean {
    if (this.inode !== undefined || this.payment !== undefined) return true;
    if (!payer.chargeFile(bytes)) return false;
    this.payment = { payer, bytes };
    return true;
  }

  refund(): void {
    this.payment?.payer.releaseFile(this.payment.bytes);
    this.payment = undefined;
  }

  get mapperCount(): number {
    return this.#mappers.size;
  }

  get mappers(): Iterable<Mapper> {
    return this.#mappers.keys();
  }

  attach(mapper: Mapper): void {
    const entry = this.#mappers.get(mapper);
    if (entry !== undefined) {
      entry.mappings++;
      return;
    }
    for (const other of this.#mappers.keys()) this.flush(other);
    this.#mappers.set(mapper, { mappings: 1, seen: this.#changes.version });
  }

  /** One mapping less; true when nobody maps the object any more. The caller flushed before. */
  detach(mapper: Mapper): boolean {
    const entry = this.#mappers.get(mapper);
    if (entry !== undefined && --entry.mappings <= 0) this.#mappers.delete(mapper);
    return this.#mappers.size === 0;
  }

  /** Fills a fresh mapping, or brings what was changed elsewhere: code that was made from what stood there is dropped. */
  load(space: AddressSpace, vma: Vma, start: number, end: number): void {
    if ((vma.prot & PROT_EXEC) !== 0) space.invalidateCode(start, end);
    const at = space.offset(start);
    const view = space.u8.subarray(at, at + (end - start));
    const got = this.storage.readAt(view, vma.offset + (start - vma.start));
    view.fill(0, Math.max(0, got));
  }

  /**
   * Brings what the space changed to the truth. A space that has not seen what another changed since it last ran has changed nothing
   * itself: its pages are old, and must not replace the truth. Answers how many bytes it compared.
   */
  flush(mapper: Mapper, start = 0, end = Infinity): number {
    const entry = this.#mappers.get(mapper);
    if (entry !== undefined && entry.seen !== this.#changes.version) return 0;
    let compared = 0;
    for (const vma of mapper.vmas) {
      if (vma.shared !== this || vma.start >= end || vma.end <= start) continue;
      if (vma.file !== undefined ? !vma.file.writable : !vma.touched) continue;
      compared += this.#flushVma(mapper.space, vma, Math.max(vma.start, start), Math.min(vma.end, end, vma.fileEnd));
    }
    if (entry !== undefined) entry.seen = this.#changes.version;
    return compared;
  }

  /** What was stored to, where the space knows. */
  #flushVma(space: AddressSpace, vma: Vma, from: number, to: number): number {
    if (from >= to) return 0;
    if (!space.watched) {
      this.#flushRange(space, vma, from, to);
      return to - from;
    }
    let compared = 0;
    for (const [start, end] of space.storedRanges(from, to)) {
      this.#flushRange(space, vma, start, end);
      compared += end - start;
    }
    return compared;
  }

  #flushRange(space: AddressSpace, vma: Vma, from: number, last: number): void {
    for (let start = from; start < last; start += scratch.length) {
      const bytes = Math.min(scratch.length, last - start);
      const position = vma.offset + (start - vma.start);
      const at = space.offset(start);
      // Where the Wasm memory ends nothing was ever written.
      if (at + bytes > space.u8.length) return;
      const got = Math.max(0, this.storage.readAt(scratch.subarray(0, bytes), position));
      scratch.fill(0, got, bytes);
      for (let page = 0; page < bytes; page += 4096) {
        // What is not accessible was flushed when it became so.
        if ((space.pages[(start + page) >>> 12]! & 7) === 0) continue;
        if (!this.#pageEquals(space.i32, (at + page) >>> 2, page >>> 2)) this.#writePage(space, at + page, position + page);
      }
    }
  }

  #pageEquals(words: Int32Array, at: number, scratchAt: number): boolean {
    for (let i = 0; i < 1024; i++) {
      if (words[at + i] !== scratchWords[scratchAt + i]) return false;
    }
    return true;
  }

  #writePage(space: AddressSpace, at: number, position: number): void {
    const length = Math.min(4096, this.storage.size - position);
    if (length <= 0) return;
    this.storage.writeAt(space.u8.subarray(at, at + length), position);
    this.#changes.add(position / 4096);
  }

  /** Brings what others changed into the space. */
  refresh(mapper: Mapper): void {
    const entry = this.#mappers.get(mapper);
    if (entry === undefined || entry.seen === this.#changes.version) return;
    const pages = this.#changes.since(entry.seen);
    for (const vma of mapper.vmas) {
      if (vma.shared === this) this.#refreshVma(mapper.space, vma, pages);
    }
    entry.seen = this.#changes.version;
  }

  #refreshVma(space: AddressSpace, vma: Vma, pages: readonly number[]): void {
    for (const page of pages) {
      const start = vma.start + (page * 4096 - vma.offset);
      if (start < vma.start || start >= vma.end) continue;
      if (space.offset(start) + 4096 <= space.u8.length) this.load(space, vma, start, start + 4096);
    }
  }

  /** Before the file is read through a descriptor. */
  flushAll(): void {
    for (const mapper of this.#mappers.keys()) this.flush(mapper);
  }

  /** The file has another size: pages appear, or raise SIGBUS from now on. */
  resized(): void {
    for (const mapper of this.#mappers.keys()) {
      for (const vma of mapper.vmas) if (vma.shared === this) resizeMapping(mapper.space, vma);
    }
  }

  /** The file was written through a descriptor: all spaces see it. */
  written(position: number, length: number): void {
    for (const mapper of this.#mappers.keys()) {
      for (const vma of mapper.vmas) if (vma.shared === this) this.#markWritten(vma, position, position + length);
    }
    for (const mapper of this.#mappers.keys()) this.refresh(mapper);
  }

  /** Only pages that the mapping shows: files may be much larger than memory. */
  #markWritten(vma: Vma, start: number, end: number): void {
    const last = Math.min(end, vma.offset + (vma.end - vma.start));
    for (let page = Math.floor(Math.max(start, vma.offset) / 4096); page * 4096 < last; page++) this.#changes.add(page);
  }
}

function resizeMapping(space: AddressSpace, vma: Vma): void {
  const { fileEnd } = vma;
  const flags = pageFlags(vma.prot);
  if (vma.end > fileEnd) space.protect(fileEnd, vma.end, 0);
  for (let page = vma.start; page < fileEnd && flags !== 0; page += 4096) {
    if ((space.pages[page >>> 12]! & 7) !== 0) continue;
    if (!space.protect(page, page + 4096, flags)) return;
    vma.shared?.load(space, vma, page, page + 4096);
  }
}

/** The shared objects of a kernel. */
export class SharedObjects {
  /** By device and inode number: file systems may make several `Inode` objects for one file. */
  readonly #devices = new Map<number, Map<number, SharedObject>>();
  #nextId = 1;
  /** Files that are mapped shared somewhere: their reads and writes need care. */
  fileCount = 0;

  forFile(inode: Inode): SharedObject {
    let files = this.#devices.get(inode.fileSystem.dev);
    if (files === undefined) this.#devices.set(inode.fileSystem.dev, (files = new Map<number, SharedObject>()));
    let object = files.get(inode.ino);
    if (object === undefined) {
      object = new SharedObject(this.#nextId++, inode);
      files.set(inode.ino, object);
      this.fileCount++;
    }
    return object;
  }

  find(inode: Inode): SharedObject | undefined {
    return this.#devices.get(inode.fileSystem.dev)?.get(inode.ino);
  }

  anonymous(): SharedObject {
    return new SharedObject(this.#nextId++, undefined);
  }

  /** Nobody maps the object any more. */
  forget(object: SharedObject): void {
    const { inode } = object;
    if (!object.isKept) object.refund();
    if (inode !== undefined && this.#devices.get(inode.fileSystem.dev)?.delete(inode.ino) === true) this.fileCount--;
  }
}
