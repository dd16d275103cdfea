/** Timers of a kernel on CLOCK_MONOTONIC: a binary heap by deadline. */
import type { KernelTimer } from '../types.ts';

class Timer implements KernelTimer {
  readonly deadlineNs: number;
  readonly sequence: number;
  callback: (() => void) | undefined;

  constructor(deadlineNs: number, sequence: number, callback: () => void) {
    this.deadlineNs = deadlineNs;
    this.sequence = sequence;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
  }

  isBefore(other: Timer): boolean {
    return this.deadlineNs < other.deadlineNs || (this.deadlineNs === other.deadlineNs && this.sequence < other.sequence);
  }
}

export class TimerQueue {
  #heap: Timer[] = [];
  #sequence = 0;

  /** Deadline of the next timer, Infinity without. */
  get nextDeadline(): number {
    while (this.#heap.length > 0 && this.#heap[0]!.callback === undefined) this.#pop();
    return this.#heap[0]?.deadlineNs ?? Infinity;
  }

  add(deadlineNs: number, callback: () => void): KernelTimer {
    const timer = new Timer(deadlineNs, this.#sequence++, callback);
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!timer.isBefore(heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
    if (heap.length > 1024) this.#compact();
    return timer;
  }

  /** Cancelled timers must not pile up: sleeps that are always interrupted leave one each. */
  #compact(): void {
    const live = this.#heap.filter((timer) => timer.callback !== undefined);
    if (live.length > this.#heap.length / 2) return;
    this.#heap = live.sort((a, b) => (a.isBefore(b) ? -1 : 1));
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.isBefore(heap[child]!)) child++;
      if (!heap[child]!.isBefore(last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return top;
  }

  /** Calls what is due; callbacks may add timers, which wait for the next call. */
  run(nowNs: number): void {
    const due: Timer[] = [];
    while (this.nextDeadline <= nowNs) due.push(this.#pop()!);
    for (const timer of due) {
      const { callback } = timer;
      timer.callback = undefined;
      callback?.();
    }
  }
}
