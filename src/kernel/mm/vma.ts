/** Mappings of an address space (`struct vm_area_struct`), kept sorted. */
import { MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import type { Inode } from '../../fs/types.ts';
import { PAGE_EXEC, PAGE_READ, PAGE_WRITE } from '../../machine/index.ts';
import type { SharedObject } from './shared.ts';

/** What a mapping shows of a file. */
export interface MappedFile {
  readonly inode: Inode;
  /** Path for /proc/self/maps. */
  readonly path: string;
  /** The descriptor allowed writing: mprotect may add PROT_WRITE to a shared mapping. */
  readonly writable: boolean;
  /** It is on a mount from which nothing is executed (no VM_MAYEXEC). */
  readonly noExec?: boolean;
  /** Nobody else may look at it: memfd_secret(2). */
  readonly isSecret?: boolean;
}

export interface VmaOptions {
  readonly prot: number;
  /** MAP_* flags: type, GROWSDOWN, NORESERVE, LOCKED count. */
  readonly flags: number;
  readonly file?: MappedFile | undefined;
  /** Offset in the file or shared object of `start`. */
  readonly offset?: number | undefined;
  readonly shared?: SharedObject | undefined;
  readonly name?: string | undefined;
}

export class Vma {
  start: number;
  end: number;
  prot: number;
  flags: number;
  readonly file: MappedFile | undefined;
  offset: number;
  readonly shared: SharedObject | undefined;
  /** `[heap]`, `[stack]`, `[anon:name]` or empty. */
  name: string;
  /** Was accessible at some time, so that it may hold something. */
  touched: boolean;
  /** Was writable at some time: contents may differ from the file's. */
  writable: boolean;
  dontFork = false;
  wipeOnFork = false;

  constructor(start: number, end: number, options: VmaOptions) {
    this.start = start;
    this.end = end;
    this.prot = options.prot;
    this.flags = options.flags;
    this.file = options.file;
    this.offset = options.offset ?? 0;
    this.shared = options.shared;
    this.name = options.name ?? '';
    this.touched = options.prot !== 0;
    this.writable = (options.prot & PROT_WRITE) !== 0;
  }

  get length(): number {
    return this.end - this.start;
  }

  get isShared(): boolean {
    return (this.flags & MAP_SHARED) !== 0;
  }

  /** Counts against the memory limit: private, and writable at some time (VM_ACCOUNT, `accountable_mapping` in mm/mmap.c). */
  get accounted(): boolean {
    return !this.isShared && this.writable;
  }

  /** First address behind the file's last page: accesses from there on raise SIGBUS. `end` without a file. */
  get fileEnd(): number {
    if (this.file === undefined) return this.end;
    const available = Math.max(0, this.file.inode.size - this.offset);
    return Math.min(this.end, this.start + Math.ceil(available / 4096) * 4096);
  }

  clone(): Vma {
    const copy = new Vma(this.start, this.end, this);
    copy.touched = this.touched;
    copy.writable = this.writable;
    copy.dontFork = this.dontFork;
    copy.wipeOnFork = this.wipeOnFork;
    return copy;
  }

  /** Cuts at `address`: this keeps the lower part, the answer is the upper. */
  split(address: number): Vma {
    const upper = this.clone();
    upper.start = address;
    upper.offset = this.offset + (address - this.start);
    this.end = address;
    return upper;
  }

  /** `next` continues this mapping seamlessly (`can_vma_merge_after`). */
  canMerge(next: Vma): boolean {
    return this.end === next.start && this.writable === next.writable && this.prot === next.prot && this.flags === next.flags && this.name === next.name
      && this.file?.inode === next.file?.inode && this.shared === next.shared
      && this.dontFork === next.dontFork && this.wipeOnFork === next.wipeOnFork
      && this.file?.writable === next.file?.writable
      && ((this.file === undefined && this.shared === undefined) || this.offset + this.length === next.offset);
  }
}

/** Page flags of a protection; x86 pages that can be written or run can be read. */
export function pageFlags(prot: number): number {
  if ((prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) === 0) return 0;
  return PAGE_READ | ((prot & PROT_WRITE) !== 0 ? PAGE_WRITE : 0) | ((prot & PROT_EXEC) !== 0 ? PAGE_EXEC : 0);
}

/** A sorted list of mappings that do not overlap. */
export class VmaList {
  #list: Vma[] = [];

  get size(): number {
    return this.#list.length;
  }

  [Symbol.iterator](): Iterator<Vma> {
    return this.#list[Symbol.iterator]();
  }

  /** Index of the first mapping that ends above the address. */
  indexFrom(address: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  at(index: number): Vma | undefined {
    return this.#list[index];
  }

  /** The mapping that holds the address. */
  find(address: number): Vma | undefined {
    const vma = this.#list[this.indexFrom(address)];
    return vma !== undefined && vma.start <= address ? vma : undefined;
  }

  /** Mappings that touch [start, end). */
  inRange(start: number, end: number): Vma[] {
    const found: Vma[] = [];
    for (let i = this.indexFrom(start); i < this.#list.length && this.#list[i]!.start < end; i++) found.push(this.#list[i]!);
    return found;
  }

  isFree(start: number, end: number): boolean {
    const next = this.#list[this.indexFrom(start)];
    return next === undefined || next.start >= end;
  }

  /** Every page of [start, end) is mapped. */
  covers(start: number, end: number): boolean {
    let reached = start;
    for (const vma of this.inRange(start, end)) {
      if (vma.start > reached) return false;
      reached = vma.end;
    }
    return reached >= end;
  }

  /** Adds a mapping to free space and merges it with its neighbours; the mapping that now holds it. */
  insert(vma: Vma): Vma {
    const index = this.indexFrom(vma.start);
    this.#list.splice(index, 0, vma);
    return this.#mergeAt(index);
  }

  #mergeAt(index: number): Vma {
    let current = this.#list[index]!;
    const next = this.#list[index + 1];
    if (next !== undefined && current.canMerge(next)) {
      current.end = next.end;
      current.touched ||= next.touched;
      current.writable ||= next.writable;
      this.#list.splice(index + 1, 1);
    }
    const previous = this.#list[index - 1];
    if (previous !== undefined && previous.canMerge(current)) {
      previous.end = current.end;
      previous.touched ||= current.touched;
      previous.writable ||= current.writable;
      this.#list.splice(index, 1);
      current = previous;
    }
    return current;
  }

  /** Cuts mappings at both ends of the range and takes what lies inside out of the list. */
  remove(start: number, end: number): Vma[] {
    this.splitAt(start);
    this.splitAt(end);
    const first = this.indexFrom(start);
    let last = first;
    while (last < this.#list.length && this.#list[last]!.start < end) last++;
    return this.#list.splice(first, last - first);
  }

  /** Makes sure that no mapping crosses the address. */
  splitAt(address: number): void {
    const index = this.indexFrom(address);
    const vma = this.#list[index];
    if (vma === undefined || vma.start >= address) return;
    this.#list.splice(index + 1, 0, vma.split(address));
  }

  /** Joins neighbours in the range that have become alike. */
  mergeRange(start: number, end: number): void {
    let index = Math.max(0, this.indexFrom(start) - 1);
    while (index < this.#list.length && this.#list[index]!.start <= end) {
      const before = this.#list.length;
      const next = this.#list[index + 1];
      if (next !== undefined && this.#list[index]!.canMerge(next)) this.#mergeAt(index);
      if (this.#list.length === before) index++;
    }
  }
}
