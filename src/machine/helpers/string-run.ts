/**
 * The registers of a repeated string instruction, and how far it may go at once. A run is cut where a page
 * ends, so that one check covers it, and after `PIECE_BYTES`, so that a large count does not hold up the scheduler.
 */
import { RCX } from '../machine-types.ts';
import { EFLAGS_DF } from '../semantics/flags.ts';
import { STATE_EFLAGS_OTHER, STATE_GPR } from '../state.ts';
import { PAGE_SIZE } from '../layout.ts';
import type { HelperContext } from './types.ts';

/** What one call of a helper moves at most; the instruction is executed again for the rest. */
const PIECE_BYTES = 1 << 20;

/** What a helper answers. */
export const DONE = 0;
export const FAULTED = 1;
/** Registers show the progress; the instruction is executed again. */
export const AGAIN = 2;

const TWO_32 = 0x1_0000_0000;

export class StringRun {
  readonly context: HelperContext;
  readonly size: number;
  /** Elements to do in this call. */
  readonly count: number;
  /** Whether `count` is all that RCX asked for. */
  readonly whole: boolean;
  readonly forward: boolean;
  /** Elements done. */
  done = 0;
  readonly #registers: readonly number[];

  constructor(context: HelperContext, size: number, registers: readonly number[]) {
    const { view } = context;
    const low = view.getUint32(STATE_GPR + 8 * RCX, true);
    const high = view.getUint32(STATE_GPR + 8 * RCX + 4, true);
    const limit = PIECE_BYTES / size;
    this.context = context;
    this.size = size;
    this.whole = high === 0 && low <= limit;
    this.count = this.whole ? low : limit;
    this.forward = (view.getUint32(STATE_EFLAGS_OTHER, true) & EFLAGS_DF) === 0;
    this.#registers = registers;
  }

  /** Address of the next element by one of the registers; inexact from 2^53, where nothing is mapped. */
  address(register: number): number {
    const { view } = this.context;
    const start = view.getUint32(STATE_GPR + 8 * register, true)
      + view.getUint32(STATE_GPR + 8 * register + 4, true) * TWO_32;
    return start + (this.forward ? this.done : -this.done) * this.size;
  }

  /** How many elements from `address` on lie in the page of the first one, at least 1; not more than are left. */
  inPage(address: number, otherAddress = address): number {
    const here = Math.min(this.#inPage(address), this.#inPage(otherAddress));
    return Math.max(1, Math.min(here, this.count - this.done));
  }

  #inPage(address: number): number {
    const within = address & (PAGE_SIZE - 1);
    if (within + this.size > PAGE_SIZE) return 1;
    const room = this.forward ? PAGE_SIZE - within : within + this.size;
    return Math.floor(room / this.size);
  }

  /** Lowest index in the views of `elements` elements from a checked address on. */
  lowest(address: number, elements: number): number {
    const start = this.context.offset(address);
    return this.forward ? start : start - (elements - 1) * this.size;
  }

  /** Writes the registers for `done` elements. */
  commit(): void {
    const { view } = this.context;
    const bytes = this.done * this.size;
    for (const register of this.#registers) addToRegister(view, register, this.forward ? bytes : -bytes);
    addToRegister(view, RCX, -this.done);
  }

  /** Commits and says how the helper ends when nothing stopped it. */
  finish(): number {
    this.commit();
    return this.whole ? DONE : AGAIN;
  }

  /** Commits after a fault was noted: the faulting element is not done. */
  faulted(): number {
    this.commit();
    return FAULTED;
  }
}

function addToRegister(view: DataView, register: number, amount: number): void {
  const at = STATE_GPR + 8 * register;
  const sum = view.getUint32(at, true) + amount;
  view.setUint32(at, sum, true);
  view.setUint32(at + 4, view.getUint32(at + 4, true) + Math.floor(sum / TWO_32), true);
}
