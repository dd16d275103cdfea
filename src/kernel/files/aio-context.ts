/**
 * A context of io_setup(2): what is under way, and the ring of events in the guest's memory (Linux fs/aio.c). The guest may read the
 * ring by itself and may write anything there: head and tail are believed as positions only.
 */
import { AIO_RING_MAGIC, AIO_RING_OFFSETS, AIO_RING_SIZE, IO_EVENT_SIZE } from '../../abi/aio.ts';
import { EAGAIN, EFAULT, EINVAL } from '../../abi/errno.ts';
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import { WaitQueue } from '../../fs/types.ts';
import type { OpenFile, Waiter } from '../../fs/types.ts';
import type { Mm } from '../mm/mm.ts';
import { MAXIMUM_AIO_EVENTS } from './limits.ts';

const PAGE = 4096;
/** As of two processors: num_possible_cpus() * 4. */
const LEAST_EVENTS = 8;

/** What is known of a request until its event. */
export interface AioRequest {
  readonly data: bigint;
  /** Address of its `struct iocb`. */
  readonly control: number;
  /** An eventfd that is told. */
  readonly notified: OpenFile | undefined;
}

/** IOCB_CMD_POLL: waits until a file is ready. */
class PendingPoll implements Waiter {
  readonly request: AioRequest;
  readonly #context: AioContext;
  readonly #file: OpenFile;
  readonly #mask: number;

  constructor(context: AioContext, request: AioRequest, file: OpenFile, mask: number) {
    this.request = request;
    this.#context = context;
    this.#file = file;
    this.#mask = mask;
  }

  wake(): void {
    const ready = this.#file.poll() & this.#mask;
    if (ready !== 0) this.#context.endPoll(this, ready);
    else this.#file.waitQueue.add(this);
  }

  leave(): void {
    this.#file.waitQueue.remove(this);
  }
}

/** Contexts of an address space by id, and how many events all of a container were made for. */
const contexts = new WeakMap<Mm, Map<number, AioContext>>();
const totals = new WeakMap<object, { events: number }>();

function totalOf(mm: Mm): { events: number } {
  let total = totals.get(mm.context);
  if (total === undefined) totals.set(mm.context, (total = { events: 0 }));
  return total;
}

/** The context that an id means in this address space. */
export function findAioContext(mm: Mm, id: number): AioContext | undefined {
  return contexts.get(mm)?.get(id);
}

/** ioctx_alloc(): the context, -EINVAL, -EAGAIN or -ENOMEM. */
export function createAioContext(mm: Mm, events: number): AioContext | number {
  const wanted = 2 * Math.max(events, LEAST_EVENTS) + 2;
  if (wanted > 0x1000_0000 / IO_EVENT_SIZE) return -EINVAL;
  const total = totalOf(mm);
  if (total.events + events > MAXIMUM_AIO_EVENTS) return -EAGAIN;
  const length = Math.ceil((AIO_RING_SIZE + wanted * IO_EVENT_SIZE) / PAGE) * PAGE;
  const address = mm.map({ address: 0, length, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS, name: '/[aio] (deleted)' });
  if (address < 0) return address;
  total.events += events;
  const context = new AioContext(mm, address, length, events);
  let own = contexts.get(mm);
  if (own === undefined) contexts.set(mm, (own = new Map()));
  own.set(address, context);
  return context;
}

/** exit_aio(): an address space ends. */
export function dropAioContexts(mm: Mm): void {
  for (const context of contexts.get(mm)?.values() ?? []) context.end();
}

export class AioContext {
  readonly id: number;
  /** Woken with each event. */
  readonly waitQueue = new WaitQueue();
  readonly #mm: Mm;
  readonly #length: number;
  readonly #asked: number;
  /** Events that the ring has room for, one more than are ever in it. */
  readonly #count: number;
  readonly #polls = new Set<PendingPoll>();

  constructor(mm: Mm, address: number, length: number, asked: number) {
    this.id = address;
    this.#mm = mm;
    this.#length = length;
    this.#asked = asked;
    this.#count = Math.floor((length - AIO_RING_SIZE) / IO_EVENT_SIZE);
    this.#put('count', this.#count);
    this.#put('magic', AIO_RING_MAGIC);
    this.#put('compatible', 1);
    this.#put('headerLength', AIO_RING_SIZE);
  }

  #put(field: keyof typeof AIO_RING_OFFSETS, value: number): void {
    this.#mm.memory.writeU32(this.id + AIO_RING_OFFSETS[field], value);
  }

  #position(field: 'head' | 'tail'): number {
    return (this.#mm.memory.readU32(this.id + AIO_RING_OFFSETS[field]) ?? 0) % this.#count;
  }

  /** Events that wait in the ring. */
  get waiting(): number {
    return (this.#position('tail') - this.#position('head') + this.#count) % this.#count;
  }

  /** Room for the event of one more request. */
  get hasRoom(): boolean {
    return this.waiting + this.#polls.size < this.#count - 1;
  }

  /** aio_complete(): an event, and who waits for one is told. */
  complete(request: AioRequest, result: number): void {
    const { memory } = this.#mm;
    const tail = this.#position('tail');
    const at = this.id + AIO_RING_SIZE + tail * IO_EVENT_SIZE;
    memory.writeU64Big(at, request.data);
    memory.writeI64(at + 8, request.control);
    memory.writeI64(at + 16, result);
    memory.writeI64(at + 24, 0);
    this.#put('tail', (tail + 1) % this.#count);
    const { notified } = request;
    if (notified !== undefined) notified.write(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
    this.waitQueue.wake();
  }

  poll(request: AioRequest, file: OpenFile, mask: number): void {
    const pending = new PendingPoll(this, request, file, mask);
    this.#polls.add(pending);
    pending.wake();
  }

  endPoll(pending: PendingPoll, result: number): void {
    if (this.#polls.delete(pending)) this.complete(pending.request, result);
  }

  /** io_cancel(2): false if it is not under way. Its event follows. */
  cancel(control: number): boolean {
    for (const pending of this.#polls) {
      if (pending.request.control !== control) continue;
      pending.leave();
      this.endPoll(pending, 0);
      return true;
    }
    return false;
  }

  /** Copies up to `most` events from the ring to `address`: how many, or -EFAULT. */
  read(address: number, most: number): number {
    const { memory } = this.#mm;
    const count = Math.min(most, this.waiting);
    let head = this.#position('head');
    for (let done = 0; done < count; done++) {
      const event = memory.copyIn(this.id + AIO_RING_SIZE + head * IO_EVENT_SIZE, IO_EVENT_SIZE);
      const error = event === undefined ? -EFAULT : memory.copyOut(address + done * IO_EVENT_SIZE, event);
      if (error !== 0) return done > 0 ? done : error;
      head = (head + 1) % this.#count;
      this.#put('head', head);
    }
    return count;
  }

  /** Nothing completes any more. */
  end(): void {
    for (const pending of this.#polls) pending.leave();
    this.#polls.clear();
    totalOf(this.#mm).events -= this.#asked;
    contexts.get(this.#mm)?.delete(this.id);
  }

  /** io_destroy(2). */
  destroy(): void {
    this.end();
    this.waitQueue.wake();
    this.#mm.unmap(this.id, this.#length);
  }
}
