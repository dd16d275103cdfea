/** x87 arithmetic and comparison instructions (SDM Vol. 1, 8.3.5 and 8.3.6). */

import { X87_C0, X87_C1, X87_C2, X87_C3, X87_DE, X87_IE } from '../../abi/x87.ts';
import { STATE_SCRATCH } from '../state.ts';
import {
  add,
  compare,
  divide,
  multiply,
  propagateOne,
  squareRoot,
} from './float80-arithmetic.ts';
import { fromDouble, fromInteger, fromSingle, roundToInteger } from './float80-convert.ts';
import { extractExponent, remainder, REMAINDER_NONE, scale } from './float80-remainder.ts';
import {
  classify,
  environment,
  Float80,
  KIND_QNAN,
  KIND_SNAN,
  setIndefinite,
} from './float80.ts';
import { FORM_SOURCE_MEMORY } from './types.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';
import {
  begin,
  finish,
  finishKeepingC1,
  isEmpty,
  notePointers,
  pop,
  push,
  raisePending,
  readStack,
  stackIndex,
  stackOverflow,
  stackUnderflow,
  suppressed,
  writeStack,
} from './x87-state.ts';

/** `immediate` of memory forms: the operand's size in bytes, with this bit for integers. */
export const OPERAND_INTEGER = 0x10;
/** `immediate` of register forms: how often to pop afterwards. */
export const POP_ONCE = 1;
export const POP_TWICE = 2;

const left = new Float80();
const right = new Float80();
const answer = new Float80();

/** Loads a memory operand into `value`. */
export function readMemoryOperand(view: DataView, offset: number, kind: number, value: Float80): void {
  if (kind === 4) fromSingle(value, view.getInt32(offset, true));
  else if (kind === 8) fromDouble(value, view.getInt32(offset, true), view.getInt32(offset + 4, true));
  else readInteger(view, offset, kind & ~OPERAND_INTEGER, value);
}

function readInteger(view: DataView, offset: number, size: number, value: Float80): void {
  if (size === 8) fromInteger(value, view.getInt32(offset, true), view.getInt32(offset + 4, true));
  else {
    const integer = size === 4 ? view.getInt32(offset, true) : view.getInt16(offset, true);
    fromInteger(value, integer, integer >> 31);
  }
}

/** Register that a comparison is with: ST(1) where there is no operand. */
function comparedWith(source: number): number {
  return source === 0 ? 1 : stackIndex(source);
}

/** Brings the second operand into `right`: from memory (1: it faulted), or ST(i). */
function readSource(context: HelperContext, source: number, immediate: number, forms: number): number {
  if ((forms & FORM_SOURCE_MEMORY) === 0) {
    readStack(context.view, comparedWith(source), right);
    notePointers(context.view, 0);
    return 0;
  }
  if (!context.readable(source, immediate & 0xf)) return 1;
  readMemoryOperand(context.view, context.offset(source), immediate & 0xff, right);
  notePointers(context.view, source);
  return 0;
}

/** `result = destination op source`. */
type Operation = (result: Float80, destination: Float80, source: Float80) => void;

/** FADD and its kind: `destination` and `source` are registers, or `source` is memory and `destination` ST(0). */
function binary(operate: Operation): Helper {
  return (context, destination, source, immediate, forms) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    if (readSource(context, source, immediate, forms) !== 0) return 1;
    const memory = (forms & FORM_SOURCE_MEMORY) !== 0;
    const target = memory ? 0 : stackIndex(destination);
    if (isEmpty(view, target) || (!memory && isEmpty(view, stackIndex(source)))) {
      if (stackUnderflow()) setIndefinite(answer);
    } else {
      readStack(view, target, left);
      operate(answer, left, right);
    }
    if (!suppressed()) {
      writeStack(view, target, answer);
      if (!memory && immediate === POP_ONCE) pop(view);
    }
    finish(view);
    return 0;
  };
}

/** FSQRT and its kind: on ST(0) alone. */
function unary(operate: (value: Float80) => void): Helper {
  return (context) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    notePointers(view, 0);
    readStack(view, 0, left);
    if (isEmpty(view, 0)) {
      if (stackUnderflow()) setIndefinite(left);
    } else operate(left);
    if (!suppressed()) writeStack(view, 0, left);
    finish(view);
    return 0;
  };
}

const CONDITION_CODES: readonly number[] = [X87_C3, X87_C0, 0, X87_C3 | X87_C2 | X87_C0];
const COMPARE_MASK = X87_C3 | X87_C2 | X87_C0;

/** Compares ST(0) with `right`; answers `COMPARE_*`. */
function compareTop(view: DataView, sourceEmpty: boolean, quiet: boolean): number {
  if (isEmpty(view, 0) || sourceEmpty) {
    stackUnderflow();
    return 3;
  }
  readStack(view, 0, left);
  return compare(left, right, quiet);
}

/** FCOM, FUCOM: ST(0) against `source`; in register forms `immediate` says how often to pop. */
function comparison(quiet: boolean): Helper {
  return (context, _destination, source, immediate, forms) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    if (readSource(context, source, immediate, forms) !== 0) return 1;
    const memory = (forms & FORM_SOURCE_MEMORY) !== 0;
    const order = compareTop(view, !memory && isEmpty(view, comparedWith(source)), quiet);
    const pops = memory ? immediate >> 8 : immediate;
    if (!suppressed()) for (let count = 0; count < pops; count++) pop(view);
    finish(view, COMPARE_MASK, CONDITION_CODES[order]);
    return 0;
  };
}

/** CF, PF and ZF (as bits 0, 2 and 6 of EFLAGS) by the order of the operands. */
const EFLAGS_CODES: readonly number[] = [0x40, 0x01, 0, 0x45];

/** FCOMI, FUCOMI: leaves the new flags in the first scratch word. C1 changes only on a stack fault. */
function comparisonToFlags(quiet: boolean): Helper {
  return (context, _destination, source, immediate) => {
    const view = context.view;
    if (!begin(view)) return raisePending(context);
    notePointers(view, 0);
    const index = stackIndex(source);
    readStack(view, index, right);
    const order = compareTop(view, isEmpty(view, index), quiet);
    view.setInt32(STATE_SCRATCH, EFLAGS_CODES[order] ?? 0, true);
    if (!suppressed() && immediate === POP_ONCE) pop(view);
    finishKeepingC1(view);
    return 0;
  };
}

const zero = new Float80();

const ftst: Helper = (context) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  right.copy(zero);
  const order = compareTop(view, false, false);
  finish(view, COMPARE_MASK, CONDITION_CODES[order]);
  return 0;
};

/** FXAM: class of ST(0) in C3, C2 and C0, sign in C1. */
const fxam: Helper = (context) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  readStack(view, 0, left);
  const classes: readonly number[] = [
    X87_C3, X87_C3 | X87_C2, X87_C2, X87_C2 | X87_C0, X87_C0, X87_C0, 0,
  ];
  const bits = isEmpty(view, 0) ? X87_C3 | X87_C0 : (classes[classify(left)] ?? 0);
  finish(view, COMPARE_MASK, bits | (left.sign !== 0 ? X87_C1 : 0));
  return 0;
};

/** FPREM (`immediate` 0) and FPREM1 (1). */
const fprem: Helper = (context, _destination, _source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  let codes = REMAINDER_NONE;
  if (isEmpty(view, 0) || isEmpty(view, 1)) {
    if (stackUnderflow()) setIndefinite(answer);
  } else {
    readStack(view, 0, left);
    readStack(view, 1, right);
    codes = remainder(answer, left, right, immediate === 1);
  }
  if (suppressed()) codes = REMAINDER_NONE;
  else writeStack(view, 0, answer);
  if (codes === REMAINDER_NONE) finish(view, X87_C2, 0);
  else {
    environment.roundedUp = codes & X87_C1 ? 1 : 0;
    finish(view, COMPARE_MASK, codes);
  }
  return 0;
};

const fscale: Helper = (context) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  if (isEmpty(view, 0) || isEmpty(view, 1)) {
    if (stackUnderflow()) setIndefinite(answer);
  } else {
    readStack(view, 0, left);
    readStack(view, 1, right);
    scale(answer, left, right);
  }
  if (!suppressed()) writeStack(view, 0, answer);
  finish(view);
  return 0;
};

/** FXTRACT: the exponent replaces ST(0), the significand is pushed. */
const fxtract: Helper = (context) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  readStack(view, 0, left);
  if (isEmpty(view, 0)) {
    if (stackUnderflow()) {
      setIndefinite(left);
      setIndefinite(answer);
    }
  } else if (!isEmpty(view, 7)) {
    if (stackOverflow()) {
      setIndefinite(left);
      setIndefinite(answer);
    }
  } else extractExponent(answer, left);
  if (!suppressed()) {
    writeStack(view, 0, answer);
    push(view, left);
  }
  finish(view);
  return 0;
};

function roundInPlace(value: Float80): void {
  const kind = classify(value);
  if (kind >= KIND_QNAN) propagateOne(value, value, kind);
  else roundToInteger(value);
}

/** FCHS (`immediate` 1) and FABS (0): no exception but a stack fault. */
const changeSign: Helper = (context, _destination, _source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  notePointers(view, 0);
  readStack(view, 0, left);
  if (isEmpty(view, 0)) {
    if (stackUnderflow()) setIndefinite(left);
  } else left.sign = immediate === 1 ? left.sign ^ 1 : 0;
  if (!suppressed()) writeStack(view, 0, left);
  finish(view);
  return 0;
};

/** For the load of a memory operand: quiets a signalling NaN and notes a denormal. */
export function settleLoaded(value: Float80): void {
  const kind = classify(value);
  if (kind === KIND_SNAN) {
    environment.flags |= X87_IE;
    value.high |= 0x40000000;
  } else if (environment.denormal !== 0) environment.flags |= X87_DE;
}

export const x87ArithmeticHelpers: HelperTable = {
  fadd: binary((result, a, b) => add(result, a, b, 0)),
  fsub: binary((result, a, b) => add(result, a, b, 1)),
  fsubr: binary((result, a, b) => add(result, b, a, 1)),
  fmul: binary(multiply),
  fdiv: binary(divide),
  fdivr: binary((result, a, b) => divide(result, b, a)),
  fsqrt: unary((value) => squareRoot(value, value)),
  frndint: unary(roundInPlace),
  fchs: changeSign,
  fprem,
  fscale,
  fxtract,
  fcom: comparison(false),
  fucom: comparison(true),
  fcomi: comparisonToFlags(false),
  fucomi: comparisonToFlags(true),
  ftst,
  fxam,
};
