/** A set of the 64 signals in two words, so that asking whether anything is pending costs two ANDs. */
import type { SignalMask } from '../types.ts';

export const EMPTY_MASK: SignalMask = { low: 0, high: 0 };

export class SignalSet implements SignalMask {
  low = 0;
  high = 0;

  static of(...signals: number[]): SignalSet {
    const set = new SignalSet();
    for (const signal of signals) set.add(signal);
    return set;
  }

  static from(mask: SignalMask): SignalSet {
    const set = new SignalSet();
    set.assign(mask);
    return set;
  }

  get isEmpty(): boolean {
    return (this.low | this.high) === 0;
  }

  has(signal: number): boolean {
    return hasSignal(this, signal);
  }

  add(signal: number): void {
    if (signal <= 32) this.low |= 1 << (signal - 1);
    else this.high |= 1 << (signal - 33);
  }

  delete(signal: number): void {
    if (signal <= 32) this.low &= ~(1 << (signal - 1));
    else this.high &= ~(1 << (signal - 33));
  }

  assign(mask: SignalMask): void {
    this.low = mask.low;
    this.high = mask.high;
  }

  addAll(mask: SignalMask): void {
    this.low |= mask.low;
    this.high |= mask.high;
  }

  deleteAll(mask: SignalMask): void {
    this.low &= ~mask.low;
    this.high &= ~mask.high;
  }
}

export function hasSignal(mask: SignalMask, signal: number): boolean {
  return signal <= 32 ? ((mask.low >>> (signal - 1)) & 1) !== 0 : ((mask.high >>> (signal - 33)) & 1) !== 0;
}

/** Lowest signal of the set, or 0. */
export function firstSignal(mask: SignalMask): number {
  if (mask.low !== 0) return 32 - Math.clz32(mask.low & -mask.low);
  if (mask.high !== 0) return 64 - Math.clz32(mask.high & -mask.high);
  return 0;
}
