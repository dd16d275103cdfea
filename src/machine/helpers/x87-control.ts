/** x87 control: words, environment and whole state (SDM Vol. 1, 8.1.10 and 8.3.11). */

import {
  X87_B,
  X87_CONTROL_INIT,
  X87_ES,
  X87_EXCEPTIONS,
  X87_SF,
  X87_TOP_SHIFT,
} from '../../abi/x87.ts';
import {
  STATE_X87,
  STATE_X87_CONTROL,
  STATE_X87_DP,
  STATE_X87_IP,
  STATE_X87_OPCODE,
  STATE_X87_STATUS,
  STATE_X87_TAG,
  STATE_X87_TOP,
} from '../state.ts';
import { classify, Float80, KIND_NORMAL, KIND_ZERO } from './float80.ts';
import type { Helper, HelperTable } from './types.ts';
import { begin, finish, moveTop, raisePending, readSlot, readStack, summarise, writeStack } from './x87-state.ts';

/** User code segment of Linux, which FNSTENV stores. */
const USER_CS = 0x33;
const TAG_VALID = 0;
const TAG_ZERO = 1;
const TAG_SPECIAL = 2;
const TAG_EMPTY = 3;

const scratch = new Float80();

/** Status word with TOP in its place. */
export function statusWord(view: DataView): number {
  return view.getUint16(STATE_X87_STATUS, true) | ((view.getUint8(STATE_X87_TOP) & 7) << X87_TOP_SHIFT);
}

export function setStatusWord(view: DataView, status: number): void {
  view.setUint16(STATE_X87_STATUS, status & ~(7 << X87_TOP_SHIFT), true);
  view.setUint16(STATE_X87_TOP, (status >>> X87_TOP_SHIFT) & 7, true);
  summarise(view);
}

/** Bit 6 is always set, bits 7 and 13 to 15 never. */
export function setControlWord(view: DataView, control: number): void {
  view.setUint16(STATE_X87_CONTROL, (control & 0x1f7f) | 0x40, true);
}

/** The full tag word: two bits a physical register. */
function tagWord(view: DataView): number {
  const inUse = view.getUint8(STATE_X87_TAG);
  let word = 0;
  for (let index = 0; index < 8; index++) {
    let tag = TAG_EMPTY;
    if ((inUse >>> index) & 1) {
      readSlot(view, STATE_X87 + index * 16, scratch);
      const kind = classify(scratch);
      tag = kind === KIND_NORMAL ? TAG_VALID : kind === KIND_ZERO ? TAG_ZERO : TAG_SPECIAL;
    }
    word |= tag << (index * 2);
  }
  return word;
}

function setTagWord(view: DataView, word: number): void {
  let inUse = 0;
  for (let index = 0; index < 8; index++) if (((word >>> (index * 2)) & 3) !== TAG_EMPTY) inUse |= 1 << index;
  view.setUint16(STATE_X87_TAG, inUse, true);
}

/** Bytes of the environment by operand size. */
function environmentSize(operandSize: number): number {
  return operandSize === 2 ? 14 : 28;
}

function storeEnvironment(view: DataView, offset: number, operandSize: number): void {
  const words = [
    view.getUint16(STATE_X87_CONTROL, true),
    statusWord(view),
    tagWord(view),
    view.getUint32(STATE_X87_IP, true),
    USER_CS | (operandSize === 2 ? 0 : view.getUint16(STATE_X87_OPCODE, true) << 16),
    view.getUint32(STATE_X87_DP, true),
    0,
  ];
  words.forEach((word, index) => {
    if (operandSize === 2) view.setUint16(offset + index * 2, word & 0xffff, true);
    else if (index < 3 || index === 6) view.setUint32(offset + index * 4, (word | 0xffff0000) >>> 0, true);
    else view.setUint32(offset + index * 4, word >>> 0, true);
  });
}

function loadEnvironment(view: DataView, offset: number, operandSize: number): void {
  const wide = operandSize !== 2;
  const word = (index: number): number =>
    wide ? view.getUint32(offset + index * 4, true) : view.getUint16(offset + index * 2, true);
  setControlWord(view, word(0) & 0xffff);
  setTagWord(view, word(2) & 0xffff);
  view.setUint32(STATE_X87_IP, word(3), true);
  view.setUint32(STATE_X87_IP + 4, 0, true);
  view.setUint16(STATE_X87_OPCODE, wide ? (word(4) >>> 16) & 0x7ff : 0, true);
  view.setUint32(STATE_X87_DP, word(5), true);
  view.setUint32(STATE_X87_DP + 4, 0, true);
  setStatusWord(view, word(1) & 0xffff);
}

/** FNINIT: registers keep their values and are empty. */
export function initialise(view: DataView): void {
  view.setUint16(STATE_X87_CONTROL, X87_CONTROL_INIT, true);
  view.setUint16(STATE_X87_STATUS, 0, true);
  view.setUint16(STATE_X87_TAG, 0, true);
  view.setUint16(STATE_X87_TOP, 0, true);
  view.setUint16(STATE_X87_OPCODE, 0, true);
  view.setUint32(STATE_X87_IP, 0, true);
  view.setUint32(STATE_X87_IP + 4, 0, true);
  view.setUint32(STATE_X87_DP, 0, true);
  view.setUint32(STATE_X87_DP + 4, 0, true);
}

const fldcw: Helper = (context, _destination, source) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  if (!context.readable(source, 2)) return 1;
  setControlWord(view, view.getUint16(context.offset(source), true));
  summarise(view);
  return 0;
};

const fnclex: Helper = ({ view }) => {
  const kept = ~(X87_EXCEPTIONS | X87_SF | X87_ES | X87_B);
  view.setUint16(STATE_X87_STATUS, view.getUint16(STATE_X87_STATUS, true) & kept, true);
  return 0;
};

const fninit: Helper = ({ view }) => {
  initialise(view);
  return 0;
};

/** FNSTENV masks all exceptions afterwards. `immediate` is the operand size. */
const fnstenv: Helper = (context, destination, _source, immediate) => {
  const view = context.view;
  if (!context.writable(destination, environmentSize(immediate))) return 1;
  storeEnvironment(view, context.offset(destination), immediate);
  view.setUint16(STATE_X87_CONTROL, view.getUint16(STATE_X87_CONTROL, true) | X87_EXCEPTIONS, true);
  summarise(view);
  return 0;
};

const fldenv: Helper = (context, _destination, source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  if (!context.readable(source, environmentSize(immediate))) return 1;
  loadEnvironment(view, context.offset(source), immediate);
  return 0;
};

const fnsave: Helper = (context, destination, _source, immediate) => {
  const view = context.view;
  const size = environmentSize(immediate);
  if (!context.writable(destination, size + 80)) return 1;
  const offset = context.offset(destination);
  storeEnvironment(view, offset, immediate);
  for (let index = 0; index < 8; index++) {
    readStack(view, index, scratch);
    const place = offset + size + index * 10;
    view.setInt32(place, scratch.low, true);
    view.setInt32(place + 4, scratch.high, true);
    view.setUint16(place + 8, (scratch.sign << 15) | scratch.exponent, true);
  }
  initialise(view);
  return 0;
};

const frstor: Helper = (context, _destination, source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  const size = environmentSize(immediate);
  if (!context.readable(source, size + 80)) return 1;
  const offset = context.offset(source);
  loadEnvironment(view, offset, immediate);
  const tag = view.getUint16(STATE_X87_TAG, true);
  for (let index = 0; index < 8; index++) {
    readSlot(view, offset + size + index * 10, scratch);
    writeStack(view, index, scratch);
  }
  view.setUint16(STATE_X87_TAG, tag, true);
  return 0;
};

/** FWAIT and FNOP: only the pending exception. */
const fwait: Helper = (context) => (begin(context.view) ? 0 : raisePending(context));

/** FINCSTP (`immediate` 1) and FDECSTP (-1). */
const fincstp: Helper = (context, _destination, _source, immediate) => {
  const view = context.view;
  if (!begin(view)) return raisePending(context);
  moveTop(view, immediate);
  finish(view);
  return 0;
};

export const x87ControlHelpers: HelperTable = {
  fldcw,
  fnclex,
  fninit,
  fnstenv,
  fldenv,
  fnsave,
  frstor,
  fwait,
  fincstp,
};
