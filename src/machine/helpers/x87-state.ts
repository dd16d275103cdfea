/**
 * The x87 register stack and status word in the CPU state, and how an instruction begins and ends:
 * pending exceptions before, flags, masked answers and the error summary after (SDM Vol. 1, 8.1 and 8.5 to 8.7).
 */

import {
  X87_B,
  X87_C1,
  X87_DE,
  X87_ES,
  X87_EXCEPTIONS,
  X87_IE,
  X87_OE,
  X87_PE,
  X87_SF,
  X87_UE,
  X87_ZE,
  VECTOR_MF,
} from '../../abi/x87.ts';
import {
  STATE_RIP,
  STATE_X87,
  STATE_X87_CONTROL,
  STATE_X87_DP,
  STATE_X87_IP,
  STATE_X87_STATUS,
  STATE_X87_TAG,
  STATE_X87_TOP,
} from '../state.ts';
import { environment } from './float80.ts';
import type { Float80 } from './float80.ts';
import type { HelperContext } from './types.ts';

/** Exceptions that stop an operation before it has a result (SDM Vol. 1, 4.9.1). */
const PRE_COMPUTATION = X87_IE | X87_DE | X87_ZE;

/** Bytes between registers in the state. */
const REGISTER_SIZE = 16;

/** Number of the register that an operand's offset in the state stands for, relative to TOP. */
export function stackIndex(offset: number): number {
  return ((offset - STATE_X87) >> 4) & 7;
}

export function stackTop(view: DataView): number {
  return view.getUint8(STATE_X87_TOP) & 7;
}

function slot(view: DataView, index: number): number {
  return STATE_X87 + ((view.getUint8(STATE_X87_TOP) + index) & 7) * REGISTER_SIZE;
}

export function isEmpty(view: DataView, index: number): boolean {
  return ((view.getUint8(STATE_X87_TAG) >>> ((view.getUint8(STATE_X87_TOP) + index) & 7)) & 1) === 0;
}

/** Reads ST(index). */
export function readStack(view: DataView, index: number, value: Float80): void {
  readSlot(view, slot(view, index), value);
}

export function readSlot(view: DataView, offset: number, value: Float80): void {
  const word = view.getUint16(offset + 8, true);
  value.sign = word >>> 15;
  value.exponent = word & 0x7fff;
  value.high = view.getInt32(offset + 4, true);
  value.low = view.getInt32(offset, true);
}

/** Writes ST(index) and marks it as in use. */
export function writeStack(view: DataView, index: number, value: Float80): void {
  const physical = (view.getUint8(STATE_X87_TOP) + index) & 7;
  const offset = STATE_X87 + physical * REGISTER_SIZE;
  view.setInt32(offset, value.low, true);
  view.setInt32(offset + 4, value.high, true);
  view.setUint16(offset + 8, (value.sign << 15) | value.exponent, true);
  view.setUint8(STATE_X87_TAG, view.getUint8(STATE_X87_TAG) | (1 << physical));
}

export function setEmpty(view: DataView, index: number): void {
  const physical = (view.getUint8(STATE_X87_TOP) + index) & 7;
  view.setUint8(STATE_X87_TAG, view.getUint8(STATE_X87_TAG) & ~(1 << physical));
}

export function moveTop(view: DataView, by: number): void {
  view.setUint8(STATE_X87_TOP, (view.getUint8(STATE_X87_TOP) + by) & 7);
}

export function pop(view: DataView): void {
  setEmpty(view, 0);
  moveTop(view, 1);
}

export function push(view: DataView, value: Float80): void {
  moveTop(view, -1);
  writeStack(view, 0, value);
}

/**
 * A waiting instruction begins: false where an unmasked exception is pending, and the helper then
 * raises #MF. Otherwise the arithmetic is set up from the control word.
 */
export function begin(view: DataView): boolean {
  if ((view.getUint8(STATE_X87_STATUS) & X87_ES) !== 0) return false;
  environment.control = view.getUint16(STATE_X87_CONTROL, true);
  environment.flags = 0;
  environment.denormal = 0;
  environment.roundedUp = 0;
  return true;
}

export function raisePending(context: HelperContext): 1 {
  return context.raise(VECTOR_MF);
}

/** Notes the address of the instruction, and of its memory operand (0 is none), for FNSTENV and FNSAVE. */
export function notePointers(view: DataView, data: number): void {
  view.setUint32(STATE_X87_IP, view.getUint32(STATE_RIP, true), true);
  if (data !== 0) view.setUint32(STATE_X87_DP, data, true);
}

/** An operand is missing: #IS with C1 = 0. True where it is masked, so that the indefinite is to be stored. */
export function stackUnderflow(): boolean {
  environment.flags |= X87_IE | X87_SF;
  environment.roundedUp = 0;
  return (environment.control & X87_IE) !== 0;
}

/** No room to push: #IS with C1 = 1. */
export function stackOverflow(): boolean {
  environment.flags |= X87_IE | X87_SF;
  environment.roundedUp = 1;
  return (environment.control & X87_IE) !== 0;
}

/** True where an unmasked #I, #D or #Z forbids storing a result in a register. */
export function suppressed(): boolean {
  return (environment.flags & ~environment.control & PRE_COMPUTATION) !== 0;
}

/** True where an unmasked exception forbids storing a result in memory: also #O and #U. */
export function suppressedInMemory(): boolean {
  return (environment.flags & ~environment.control & (PRE_COMPUTATION | X87_OE | X87_UE)) !== 0;
}

/** Adds the exceptions of this instruction to the status word and sets C1; `mask` and `bits` are further condition codes. */
export function finish(view: DataView, mask = 0, bits = 0): void {
  if (suppressed()) {
    environment.flags &= PRE_COMPUTATION | X87_SF;
    if ((environment.flags & X87_SF) === 0) environment.roundedUp = 0;
  }
  noteStatus(view, mask | X87_C1, environment.roundedUp !== 0 ? bits | X87_C1 : bits);
}

/** `finish` for stores to memory: an unmasked #O or #U forbids the store, so that nothing was rounded. */
export function finishStore(view: DataView): void {
  if (suppressedInMemory() && (environment.flags & X87_SF) === 0) {
    environment.flags &= ~X87_PE;
    environment.roundedUp = 0;
  }
  finish(view);
}

/** `finish` for what leaves C1 alone unless the stack faults. */
export function finishKeepingC1(view: DataView): void {
  noteStatus(view, environment.flags & X87_SF ? X87_C1 : 0, 0);
}

function noteStatus(view: DataView, mask: number, bits: number): void {
  const { flags, control } = environment;
  const summary = (flags & ~control & X87_EXCEPTIONS) !== 0 ? X87_ES | X87_B : 0;
  view.setUint16(STATE_X87_STATUS, (view.getUint16(STATE_X87_STATUS, true) & ~mask) | bits | flags | summary, true);
}

/** Makes the error summary follow flags and masks after one of them was loaded. */
export function summarise(view: DataView): void {
  const status = view.getUint16(STATE_X87_STATUS, true);
  const pending = (status & ~view.getUint16(STATE_X87_CONTROL, true) & X87_EXCEPTIONS) !== 0;
  view.setUint16(STATE_X87_STATUS, pending ? status | X87_ES | X87_B : status & ~(X87_ES | X87_B), true);
}
