/** PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM: SDM Vol. 2B 4.1, "Imm8 Control Byte Operation". */
import { STATE_GPR, STATE_SCRATCH, STATE_XMM } from '../state.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';
import { FORM_SOURCE_MEMORY } from './types.ts';

/** The immediate: the instruction's own in bits 0 to 7, and from bit 8 on what kind of instruction it is. */
export const STRING_EXPLICIT = 0x100;
export const STRING_MASK = 0x200;
/** Explicit lengths are 64 bits. */
export const STRING_LONG = 0x400;

/** Where the answer is: the index for ECX, and CF, ZF, SF and OF in bits 0 to 3. */
export const STRING_INDEX = STATE_SCRATCH;
export const STRING_FLAGS = STATE_SCRATCH + 4;

const RAX = 0;
const RDX = 2;

interface Elements {
  readonly values: Int32Array;
  /** How many of them are valid. */
  length: number;
}

const first: Elements = { values: new Int32Array(16), length: 0 };
const second: Elements = { values: new Int32Array(16), length: 0 };

function loadElements(context: HelperContext, offset: number, control: number, into: Elements): void {
  const { view } = context;
  const words = (control & 1) !== 0;
  const count = words ? 8 : 16;
  const signed = (control & 2) !== 0;
  for (let index = 0; index < count; index++) {
    into.values[index] = words
      ? signed ? view.getInt16(offset + 2 * index, true) : view.getUint16(offset + 2 * index, true)
      : signed ? view.getInt8(offset + index) : view.getUint8(offset + index);
  }
}

function implicitLength(elements: Elements, count: number): number {
  for (let index = 0; index < count; index++) if (elements.values[index] === 0) return index;
  return count;
}

/** Absolute value of a register, at most `count`. */
function explicitLength(context: HelperContext, register: number, count: number, long: boolean): number {
  const offset = STATE_GPR + 8 * register;
  const value = long ? Number(context.view.getBigInt64(offset, true)) : context.view.getInt32(offset, true);
  return Math.min(Math.abs(value), count);
}

/** Any element of the first equals that of the second. */
function equalAny(a: Elements, b: Elements): number {
  let result = 0;
  for (let place = 0; place < b.length; place++) {
    for (let index = 0; index < a.length; index++) {
      if (a.values[index] === b.values[place]) {
        result |= 1 << place;
        break;
      }
    }
  }
  return result;
}

/** The first holds pairs of a lower and an upper bound. */
function inRanges(a: Elements, b: Elements): number {
  let result = 0;
  for (let place = 0; place < b.length; place++) {
    const value = b.values[place]!;
    for (let index = 0; index + 1 < a.length; index += 2) {
      if (a.values[index]! <= value && value <= a.values[index + 1]!) {
        result |= 1 << place;
        break;
      }
    }
  }
  return result;
}

/** Element by element; beyond both ends counts as equal. */
function equalEach(a: Elements, b: Elements, count: number): number {
  let result = 0;
  for (let place = 0; place < count; place++) {
    const equal = place < a.length && place < b.length
      ? a.values[place] === b.values[place]
      : place >= a.length && place >= b.length;
    if (equal) result |= 1 << place;
  }
  return result;
}

/** The first as a substring of the second, starting at each place. */
function equalOrdered(a: Elements, b: Elements, count: number): number {
  let result = 0;
  for (let place = 0; place < count; place++) {
    let equal = true;
    for (let index = 0; equal && index < a.length && place + index < count; index++) {
      equal = place + index < b.length && a.values[index] === b.values[place + index];
    }
    if (equal) result |= 1 << place;
  }
  return result;
}

function aggregate(control: number, count: number): number {
  switch ((control >> 2) & 3) {
    case 0: return equalAny(first, second);
    case 1: return inRanges(first, second);
    case 2: return equalEach(first, second, count);
    default: return equalOrdered(first, second, count);
  }
}

function applyPolarity(control: number, result: number, count: number): number {
  const all = (1 << count) - 1;
  if ((control & 0x10) === 0) return result;
  return (control & 0x20) === 0 ? result ^ all : result ^ ((1 << second.length) - 1);
}

function storeMask(context: HelperContext, control: number, result: number, count: number): void {
  const { view } = context;
  view.setBigUint64(STATE_XMM, 0n, true);
  view.setBigUint64(STATE_XMM + 8, 0n, true);
  if ((control & 0x40) === 0) {
    view.setUint16(STATE_XMM, result, true);
    return;
  }
  const size = 16 / count;
  for (let index = 0; index < 16; index++) view.setUint8(STATE_XMM + index, (result >> Math.trunc(index / size)) & 1 ? 0xff : 0);
}

function indexOf(control: number, result: number, count: number): number {
  if (result === 0) return count;
  return (control & 0x40) === 0 ? 31 - Math.clz32(result & -result) : 31 - Math.clz32(result);
}

const pcmpstr: Helper = (context, destination, source, immediate, forms) => {
  let sourceOffset = source;
  if ((forms & FORM_SOURCE_MEMORY) !== 0) {
    if (!context.readable(source, 16)) return 1;
    sourceOffset = context.offset(source);
  }
  const count = (immediate & 1) !== 0 ? 8 : 16;
  loadElements(context, destination, immediate, first);
  loadElements(context, sourceOffset, immediate, second);
  const explicit = (immediate & STRING_EXPLICIT) !== 0;
  const long = (immediate & STRING_LONG) !== 0;
  first.length = explicit ? explicitLength(context, RAX, count, long) : implicitLength(first, count);
  second.length = explicit ? explicitLength(context, RDX, count, long) : implicitLength(second, count);
  const result = applyPolarity(immediate, aggregate(immediate, count), count);
  if ((immediate & STRING_MASK) !== 0) storeMask(context, immediate, result, count);
  context.view.setUint32(STRING_INDEX, indexOf(immediate, result, count), true);
  const flags =
    (result !== 0 ? 1 : 0) | (second.length < count ? 2 : 0) | (first.length < count ? 4 : 0) | ((result & 1) << 3);
  context.view.setUint32(STRING_FLAGS, flags, true);
  return 0;
};

export const SSE_STRING_HELPERS: HelperTable = { pcmpstr };
