/**
 * The addresses of a process that are a program's, and where mmap finds gaps.
 *
 * A memory's size counts with V8's collector, whatever is used of it: beyond 64 MiB it collects more than it needs to. So programs
 * that are not large get everything in the lowest 40 MiB, as long as that suffices (`compact`): from below the program, the stack, the
 * machine's records, the mmap area, the heap.
 */
import { ENOMEM } from '../../abi/errno.ts';
import { COMPACT_END, COMPACT_RECORDS_END, COMPACT_RECORDS_START, DECODED_START, MMAP_START, USER_END, USER_START } from '../../machine/index.ts';
import type { VmaList } from './vma.ts';

/** A part of the mmap area. */
interface Area {
  start: number;
  readonly end: number;
  /** All below is full. */
  from: number;
}

export class Room {
  readonly compact: boolean;
  /** In the order in which they are searched. */
  readonly #areas: readonly Area[];

  constructor(compact = false) {
    this.compact = compact;
    const area = (start: number, end: number): Area => ({ start, end, from: start });
    const high = area(MMAP_START, USER_END);
    this.#areas = compact ? [area(COMPACT_RECORDS_END, COMPACT_END), high] : [high];
  }

  /** Where a heap begins that is not behind its program. */
  get heap(): number | undefined {
    return this.compact ? COMPACT_END : undefined;
  }

  clone(): Room {
    const copy = new Room(this.compact);
    for (const [index, area] of this.#areas.entries()) Object.assign(copy.#areas[index]!, area);
    return copy;
  }

  /** Inside what programs may use: not where the machine's decoded records are. */
  contains(start: number, end: number): boolean {
    if (start < USER_START || start >= end || end > USER_END) return false;
    if (this.compact && start < COMPACT_RECORDS_END && end > COMPACT_RECORDS_START) return false;
    return end <= DECODED_START || start >= MMAP_START;
  }

  /** Lowest address of a stack of `size` bytes, with a gap of `guard` around it. Below it there is room that is seldom used. */
  stackStart(size: number, guard: number): number {
    return this.compact ? COMPACT_RECORDS_START - guard - size : MMAP_START + guard;
  }

  /** A stack was put there: the mmap area begins behind it, `gap` bytes later. */
  placeMmapArea(stackTop: number, gap: number): void {
    const first = this.#areas[0];
    if (first !== undefined) first.start = first.from = Math.max(stackTop, first.start) + gap;
  }

  /** Lowest gap of `length` bytes in the mmap area, or -ENOMEM. */
  findGap(vmas: VmaList, length: number): number {
    for (const area of this.#areas) {
      const start = findIn(area, vmas, length);
      if (start >= 0) return start;
    }
    return -ENOMEM;
  }

  /** There may be a gap at an address again. */
  freed(address: number): void {
    for (const area of this.#areas) if (address >= area.start && address < area.from) area.from = address;
  }
}

function findIn(area: Area, vmas: VmaList, length: number): number {
  let start = area.from;
  let first = true;
  for (let i = vmas.indexFrom(start); ; i++) {
    const next = vmas.at(i);
    const limit = Math.min(next === undefined ? area.end : next.start, area.end);
    if (limit - start >= length) return start;
    if (next === undefined || next.end >= area.end) return -ENOMEM;
    // The search starts behind what is full from the base on.
    if (first && next.start <= start) area.from = next.end;
    else first = false;
    start = Math.max(start, next.end);
  }
}
