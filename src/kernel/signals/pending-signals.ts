/** Signals waiting to be delivered (`struct sigpending`): standard ones coalesce, real-time ones queue. */
import { SIGBUS, SIGFPE, SIGILL, SIGRTMIN, SIGSEGV, SIGSYS, SIGTRAP } from '../../abi/signal.ts';
import type { SignalInfo, SignalMask } from '../types.ts';
import { firstSignal, SignalSet } from './signal-set.ts';

/** Delivered before all others, as they belong to the instruction at hand (SYNCHRONOUS_MASK). */
const SYNCHRONOUS = SignalSet.of(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS);

export class PendingSignals {
  readonly set = new SignalSet();
  #queue: SignalInfo[] = [];

  get length(): number {
    return this.#queue.length;
  }

  /** In order of arrival, for PTRACE_PEEKSIGINFO. */
  get queue(): readonly SignalInfo[] {
    return this.#queue;
  }

  /** False when a standard signal is pending already, so that this one is lost. */
  add(info: SignalInfo): boolean {
    if (info.signal < SIGRTMIN && this.set.has(info.signal)) return false;
    this.set.add(info.signal);
    this.#queue.push(info);
    return true;
  }

  /** Takes the next signal that is in `mask`: synchronous ones first, then by number, then in order of arrival. */
  take(mask: SignalMask): SignalInfo | undefined {
    const candidates = { low: this.set.low & mask.low, high: this.set.high & mask.high };
    const synchronous = { low: candidates.low & SYNCHRONOUS.low, high: 0 };
    const signal = firstSignal(synchronous.low !== 0 ? synchronous : candidates);
    if (signal === 0) return undefined;
    const index = this.#queue.findIndex((info) => info.signal === signal);
    const info = this.#queue[index] ?? { signal, code: 0 };
    if (index >= 0) this.#queue.splice(index, 1);
    if (!this.#queue.some((other) => other.signal === signal)) this.set.delete(signal);
    return info;
  }

  /** Drops all of these signals (SIGCONT drops stops, and the reverse; ignoring a signal drops it). */
  discard(mask: SignalMask): void {
    if ((this.set.low & mask.low) === 0 && (this.set.high & mask.high) === 0) return;
    const gone = SignalSet.from(mask);
    this.#queue = this.#queue.filter((info) => !gone.has(info.signal));
    this.set.deleteAll(mask);
  }

  /** A timer that fires again while its signal is pending counts an overrun instead. */
  findTimer(timerId: number): SignalInfo | undefined {
    return this.#queue.find((info) => info.timerId === timerId);
  }
}
