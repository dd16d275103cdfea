/**
 * The two regions of a ring that a guest maps: `struct io_rings` with the results behind it, and the requests (io_uring/io_uring.c). A
 * guest may write anything there at any time: heads and tails are believed as positions only, and what is read is read once.
 */
import { IO_URING_CQE_SIZE, IO_URING_SQE_SIZE, IORING_OFF_CQ_RING, IORING_OFF_SQ_RING, IORING_OFF_SQES } from '../../abi/io_uring.ts';
import { EINVAL } from '../../abi/errno.ts';
import type { SharedObject, SharedObjects } from '../mm/shared.ts';

const PAGE = 4096;

/** Members of `struct io_rings`; the results and the indices of requests follow. */
const FIELDS = { sqHead: 0, sqTail: 4, cqHead: 8, cqTail: 12, sqMask: 16, cqMask: 20, sqEntries: 24, cqEntries: 28, dropped: 32, sqFlags: 36, cqFlags: 40, overflow: 44 } as const;
const RESULTS_AT = 64;

export type RingField = keyof typeof FIELDS;

/** One region: bytes of a shared object, of which every page is whole. */
class Region {
  readonly object: SharedObject;
  readonly bytes: number;
  readonly #page = new Uint8Array(PAGE);
  readonly #view = new DataView(this.#page.buffer);

  constructor(objects: SharedObjects, bytes: number) {
    this.object = objects.anonymous();
    this.object.isKept = true;
    this.bytes = Math.ceil(bytes / PAGE) * PAGE;
  }

  /** A copy; never across a page. */
  copy(position: number, length: number): Uint8Array {
    this.#load(position);
    return this.#page.slice(position % PAGE, (position % PAGE) + length);
  }

  read(position: number): number {
    this.#load(position);
    return this.#view.getUint32(position % PAGE, true);
  }

  /** Changes bytes of one page; everybody who maps it sees them. */
  change(position: number, length: number, write: (view: DataView, at: number) => void): void {
    this.#load(position);
    write(this.#view, position % PAGE);
    this.object.storage.writeAt(this.#page, position - (position % PAGE));
    this.object.written(position, length);
  }

  #load(position: number): void {
    this.object.flushAll();
    this.object.storage.readAt(this.#page, position - (position % PAGE));
  }

  /** Nobody but who maps it has it any more. */
  release(): void {
    this.object.isKept = false;
    if (this.object.mapperCount === 0) this.object.refund();
  }
}

export class RingMemory {
  readonly requests: number;
  readonly results: number;
  /** Of the indices of requests (`sq_off.array`). */
  readonly arrayAt: number;
  readonly #rings: Region;
  readonly #entries: Region;

  /** Both counts are powers of two. */
  constructor(objects: SharedObjects, requests: number, results: number) {
    this.requests = requests;
    this.results = results;
    this.arrayAt = RESULTS_AT + results * IO_URING_CQE_SIZE;
    this.#rings = new Region(objects, this.arrayAt + 4 * requests);
    this.#entries = new Region(objects, requests * IO_URING_SQE_SIZE);
    this.set('sqMask', requests - 1);
    this.set('cqMask', results - 1);
    this.set('sqEntries', requests);
    this.set('cqEntries', results);
  }

  static pages(requests: number, results: number): number {
    return Math.ceil((RESULTS_AT + results * IO_URING_CQE_SIZE + 4 * requests) / PAGE) + Math.ceil((requests * IO_URING_SQE_SIZE) / PAGE);
  }

  /** `struct io_sqring_offsets` and `struct io_cqring_offsets`, as 32-bit words. */
  get offsets(): { readonly sq: readonly number[]; readonly cq: readonly number[] } {
    const at = FIELDS;
    return {
      sq: [at.sqHead, at.sqTail, at.sqMask, at.sqEntries, at.sqFlags, at.dropped, this.arrayAt],
      cq: [at.cqHead, at.cqTail, at.cqMask, at.cqEntries, at.overflow, RESULTS_AT, at.cqFlags],
    };
  }

  /** What mmap(2) at an offset shows, or -EINVAL. */
  mapped(offset: number, length: number): SharedObject | number {
    const start = Math.floor(offset / IORING_OFF_CQ_RING) * IORING_OFF_CQ_RING;
    const region = start === IORING_OFF_SQES ? this.#entries : start === IORING_OFF_SQ_RING || start === IORING_OFF_CQ_RING ? this.#rings : undefined;
    return region === undefined || length > region.bytes ? -EINVAL : region.object;
  }

  get(field: RingField): number {
    return this.#rings.read(FIELDS[field]);
  }

  set(field: RingField, value: number): void {
    this.#rings.change(FIELDS[field], 4, (view, at) => view.setUint32(at, value, true));
  }

  /** Requests that the guest has put in and that were not taken, at most as many as there is room for. */
  get submitted(): number {
    return Math.min((this.get('sqTail') - this.get('sqHead')) >>> 0, this.requests);
  }

  /** Takes the next request: a copy of its `struct io_uring_sqe`, or undefined where the guest gave an index that there is not. */
  take(): Uint8Array | undefined {
    const head = this.get('sqHead');
    const index = this.#rings.read(this.arrayAt + 4 * (head & (this.requests - 1)));
    this.set('sqHead', head + 1);
    if (index < this.requests) return this.#entries.copy(index * IO_URING_SQE_SIZE, IO_URING_SQE_SIZE);
    this.set('dropped', this.get('dropped') + 1);
    return undefined;
  }

  /** Results that the guest has not taken. */
  get waiting(): number {
    return Math.min((this.get('cqTail') - this.get('cqHead')) >>> 0, this.results);
  }

  /** Puts in a `struct io_uring_cqe`; false where there is no room. */
  put(data: bigint, result: number, flags: number): boolean {
    if (this.waiting >= this.results) return false;
    const tail = this.get('cqTail');
    this.#rings.change(RESULTS_AT + (tail & (this.results - 1)) * IO_URING_CQE_SIZE, IO_URING_CQE_SIZE, (view, at) => {
      view.setBigUint64(at, data, true);
      view.setInt32(at + 8, result, true);
      view.setUint32(at + 12, flags, true);
    });
    this.set('cqTail', tail + 1);
    return true;
  }

  release(): void {
    this.#rings.release();
    this.#entries.release();
  }
}
