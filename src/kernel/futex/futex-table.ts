/** Waiters of futexes by key (kernel/futex/core.c). A key is an address of one memory, or an offset of a shared object. */
import { WaitQueue } from '../../fs/types.ts';
import type { Mm } from '../mm/mm.ts';
import type { KernelTask } from '../task/task.ts';

export interface FutexKey {
  readonly owner: object;
  readonly offset: number;
}

export class FutexWaiter {
  readonly task: KernelTask;
  bitset: number;
  key: FutexKey;
  /** What the task sleeps on. */
  readonly queue = new WaitQueue();
  woken = false;
  /** CLOCK_MONOTONIC; kept for the repeats of the call. */
  deadlineNs: number | undefined;
  /** Waits for a PI lock. */
  readonly wantsLock: boolean;
  /** Index among several of futex_waitv(2). */
  readonly index: number;

  constructor(task: KernelTask, key: FutexKey, bitset: number, wantsLock = false, index = 0) {
    this.task = task;
    this.key = key;
    this.bitset = bitset;
    this.wantsLock = wantsLock;
    this.index = index;
  }
}

export class FutexTable {
  readonly #buckets = new WeakMap<object, Map<number, FutexWaiter[]>>();

  /** Private and anonymous memory: by address space; shared mappings: by object. */
  keyOf(mm: Mm, address: number): FutexKey {
    if (mm.sharedObjects.size > 0) {
      const vma = mm.vmas.find(address);
      if (vma?.shared !== undefined) return { owner: vma.shared, offset: vma.offset + (address - vma.start) };
    }
    return { owner: mm, offset: address };
  }

  add(waiter: FutexWaiter): void {
    const { owner, offset } = waiter.key;
    let bucket = this.#buckets.get(owner);
    if (bucket === undefined) this.#buckets.set(owner, (bucket = new Map<number, FutexWaiter[]>()));
    const list = bucket.get(offset);
    if (list === undefined) bucket.set(offset, [waiter]);
    else list.push(waiter);
  }

  remove(waiter: FutexWaiter): void {
    const { owner, offset } = waiter.key;
    const bucket = this.#buckets.get(owner);
    const list = bucket?.get(offset);
    const index = list?.indexOf(waiter) ?? -1;
    if (index < 0) return;
    list!.splice(index, 1);
    if (list!.length === 0) bucket!.delete(offset);
  }

  waiters(key: FutexKey): readonly FutexWaiter[] {
    return this.#buckets.get(key.owner)?.get(key.offset) ?? [];
  }

  /** Wakes up to `count` waiters whose bits match; how many. */
  wake(key: FutexKey, count: number, bitset = -1): number {
    let woken = 0;
    for (const waiter of [...this.waiters(key)]) {
      if (woken >= count) break;
      if ((waiter.bitset & bitset) === 0) continue;
      this.remove(waiter);
      waiter.woken = true;
      waiter.queue.wake();
      woken++;
    }
    return woken;
  }

  /** Moves up to `count` waiters to another futex; how many. */
  requeue(from: FutexKey, to: FutexKey, count: number): number {
    let moved = 0;
    for (const waiter of [...this.waiters(from)]) {
      if (moved >= count) break;
      this.remove(waiter);
      waiter.key = to;
      this.add(waiter);
      moved++;
    }
    return moved;
  }
}
