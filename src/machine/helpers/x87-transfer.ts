/** x87 data transfer: loads, stores, exchanges, conditional moves and constants (SDM Vol. 1, 8.3.3 and 8.3.4). */

import { X87_IE, X87_RC_NEAREST, X87_RC_UP } from '../../abi/x87.ts';
import { fromMagnitude, stored, toDecimal, toDouble, toInteger, toSingle } from './float80-convert.ts';
import { environment, Float80, roundingMode, setIndefinite } from './float80.ts';
import { FORM_DESTINATION_MEMORY, FORM_SOURCE_MEMORY } from './types.ts';
import type { Helper, HelperTable } from './types.ts';
import { readMemoryOperand, settleLoaded } from './x87-arithmetic.ts';
import {
  begin,
  finish,
  finishKeepingC1,
  finishStore,
  isEmpty,
  notePointers,
  pop,
  push,
  raisePending,
  readSlot,
  readStack,
  setEmpty,
  stackIndex,
  stackOverflow,
  stackUnderflow,
  suppressed,
  suppressedInMemory,
  writeStack,
} from './x87-state.ts';

const value = new Float80();
const other = new Float80();

/** Bit of a store's `immediate` that pops afterwards; the low bits are the operand's size. */
export const STORE_POP = 0x100;
/** Bit of an integer store's `immediate`: FISTTP. */
export const STORE_TRUNCATE = 0x200;

/** Pushes `value`, or the indefinite where there is no room. */
function pushLoaded(view: DataView): number {
  if (!isEmpty(view, 7)) {
    environment.flags = 0;
    if (stackOverflow()) setIndefinite(value);
  }
  // An unmasked #D does not keep a load from being done.
  if ((environment.flags & ~environment.control & X87_IE) === 0) push(view, value);
  finish(view);
  return 0;
}

/** FLD and FILD: from a register, or from memory of `immediate` bytes, with `OPERAND_INTEGER` for integers. */
const fld: Helper = (context, _destination, source, immediate, forms) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  if ((forms & FORM_SOURCE_MEMORY) === 0) {
    notePointers(view, 0);
    const index = stackIndex(source);
    readStack(view, index, value);
    if (isEmpty(view, index) && stackUnderflow()) setIndefinite(value);
    if (environment.flags === 0) return pushLoaded(view);
    if (!suppressed()) push(view, value);
    finish(view);
    return 0;
  }
  if (!context.readable(source, immediate & 0xf)) return 1;
  notePointers(view, source);
  const offset = context.offset(source);
  if (immediate === 10) readSlot(view, offset, value);
  else {
    readMemoryOperand(view, offset, immediate, value);
    settleLoaded(value);
  }
  return pushLoaded(view);
};

/** FST and FSTP to memory of 4, 8 or 10 bytes, or to a register. */
const fst: Helper = (context, destination, _source, immediate, forms) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  const popping = (immediate & STORE_POP) !== 0;
  if ((forms & FORM_DESTINATION_MEMORY) === 0) {
    notePointers(view, 0);
    readStack(view, 0, value);
    if (isEmpty(view, 0) && stackUnderflow()) setIndefinite(value);
    if (!suppressed()) {
      writeStack(view, stackIndex(destination), value);
      if (popping) pop(view);
    }
    finish(view);
    return 0;
  }
  const size = immediate & 0xff;
  if (!context.writable(destination, size)) return 1;
  notePointers(view, destination);
  const empty = isEmpty(view, 0);
  if (empty) {
    stackUnderflow();
    setIndefinite(value);
  } else readStack(view, 0, value);
  storeReal(view, context.offset(destination), size, empty);
  if (popping && !suppressedInMemory()) pop(view);
  finishStore(view);
  return 0;
};

function storeReal(view: DataView, offset: number, size: number, empty: boolean): void {
  if (size === 10) {
    if (suppressed()) return;
    view.setInt32(offset, value.low, true);
    view.setInt32(offset + 4, value.high, true);
    view.setUint16(offset + 8, (value.sign << 15) | value.exponent, true);
    return;
  }
  if (size === 4) toSingle(value);
  else toDouble(value);
  if (empty) environment.roundedUp = 0;
  if (suppressedInMemory()) return;
  view.setInt32(offset, stored.low, true);
  if (size === 8) view.setInt32(offset + 4, stored.high, true);
}

/** FIST, FISTP and FISTTP to memory of 2, 4 or 8 bytes. */
const fist: Helper = (context, destination, _source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  const size = immediate & 0xff;
  if (!context.writable(destination, size)) return 1;
  notePointers(view, destination);
  if (isEmpty(view, 0)) {
    stackUnderflow();
    setIndefinite(value);
  } else readStack(view, 0, value);
  toInteger(value, size, (immediate & STORE_TRUNCATE) !== 0);
  if (!suppressedInMemory()) {
    const offset = context.offset(destination);
    if (size === 2) view.setInt16(offset, stored.low, true);
    else view.setInt32(offset, stored.low, true);
    if (size === 8) view.setInt32(offset + 4, stored.high, true);
    if ((immediate & STORE_POP) !== 0) pop(view);
  }
  finish(view);
  return 0;
};

const DECIMAL_DIGITS = 18;

/** FBLD: 18 packed decimal digits and a sign byte. */
const fbld: Helper = (context, _destination, source) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  if (!context.readable(source, 10)) return 1;
  notePointers(view, source);
  const offset = context.offset(source);
  let magnitude = 0n;
  for (let index = DECIMAL_DIGITS / 2 - 1; index >= 0; index--) {
    const byte = view.getUint8(offset + index);
    magnitude = magnitude * 100n + BigInt((byte >>> 4) * 10 + (byte & 15));
  }
  fromMagnitude(value, view.getUint8(offset + 9) >>> 7, magnitude);
  return pushLoaded(view);
};

/** FBSTP: rounds to an integer of 18 digits and pops. */
const fbstp: Helper = (context, destination) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  if (!context.writable(destination, 10)) return 1;
  notePointers(view, destination);
  if (isEmpty(view, 0)) {
    stackUnderflow();
    setIndefinite(value);
  } else readStack(view, 0, value);
  const magnitude = toDecimal(value);
  if (!suppressed()) {
    storeDecimal(view, context.offset(destination), magnitude);
    pop(view);
  }
  finish(view);
  return 0;
};

function storeDecimal(view: DataView, offset: number, magnitude: bigint | undefined): void {
  if (magnitude === undefined) {
    // Packed decimal indefinite: SDM Vol. 1, Table 4-4.
    view.setUint32(offset, 0, true);
    view.setUint32(offset + 4, 0xc0000000, true);
    view.setUint16(offset + 8, 0xffff, true);
    return;
  }
  let rest = magnitude;
  for (let index = 0; index < DECIMAL_DIGITS / 2; index++) {
    const pair = Number(rest % 100n);
    rest /= 100n;
    view.setUint8(offset + index, (Math.floor(pair / 10) << 4) | pair % 10);
  }
  view.setUint8(offset + 9, value.sign << 7);
}

const fxch: Helper = (context, _destination, source) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  const index = stackIndex(source);
  const empty = isEmpty(view, 0);
  const otherEmpty = isEmpty(view, index);
  readStack(view, 0, value);
  readStack(view, index, other);
  if (empty || otherEmpty) {
    if (stackUnderflow()) {
      if (empty) setIndefinite(value);
      if (otherEmpty) setIndefinite(other);
    }
  }
  if (!suppressed()) {
    writeStack(view, 0, other);
    writeStack(view, index, value);
  }
  finish(view);
  return 0;
};

/** FCMOVcc: `immediate` is the condition's value. */
const fcmov: Helper = (context, _destination, source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  const index = stackIndex(source);
  if (isEmpty(view, 0) || isEmpty(view, index)) {
    if (stackUnderflow()) {
      setIndefinite(value);
      writeStack(view, 0, value);
    }
  } else if (immediate !== 0) {
    readStack(view, index, value);
    writeStack(view, 0, value);
  }
  finishKeepingC1(view);
  return 0;
};

interface Constant {
  readonly exponent: number;
  readonly high: number;
  /** The significand rounded down. */
  readonly low: number;
  /** Whether the nearest value is the next one; undefined where the constant is exact. */
  readonly roundsUp: boolean | undefined;
}

/** By `immediate`: FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ, in the order of their opcodes. */
const CONSTANTS: readonly Constant[] = [
  { exponent: 0x3fff, high: 0x80000000, low: 0, roundsUp: undefined },
  { exponent: 0x4000, high: 0xd49a784b, low: 0xcd1b8afe, roundsUp: false },
  { exponent: 0x3fff, high: 0xb8aa3b29, low: 0x5c17f0bb, roundsUp: true },
  { exponent: 0x4000, high: 0xc90fdaa2, low: 0x2168c234, roundsUp: true },
  { exponent: 0x3ffd, high: 0x9a209a84, low: 0xfbcff798, roundsUp: true },
  { exponent: 0x3ffe, high: 0xb17217f7, low: 0xd1cf79ab, roundsUp: true },
  { exponent: 0, high: 0, low: 0, roundsUp: undefined },
];

const fldConstant: Helper = (context, _destination, _source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  const constant = CONSTANTS[immediate];
  if (constant === undefined) return 0;
  const mode = roundingMode();
  const up = mode === X87_RC_NEAREST ? constant.roundsUp === true : mode === X87_RC_UP && constant.roundsUp !== undefined;
  value.set(0, constant.exponent, constant.high, constant.low + (up ? 1 : 0));
  return pushLoaded(view);
};

/** FFREE, and FFREEP with `immediate` 1. */
const ffree: Helper = (context, _destination, source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  setEmpty(view, stackIndex(source));
  if (immediate === 1) pop(view);
  finish(view);
  return 0;
};

export const x87TransferHelpers: HelperTable = {
  fld,
  fst,
  fist,
  fbld,
  fbstp,
  fxch,
  fcmov,
  fldConstant,
  ffree,
};

