/**
 * SSE instructions that obey MXCSR in all it says, and raise #XM where an exception is not masked (SDM Vol. 1, 11.5).
 * The ordinary ones (`semantics/sse-*.ts`) know neither, and are much faster: these run where a program has asked for them.
 */
import { EFLAGS_CF, EFLAGS_PF, EFLAGS_ZF, eflagsToFlags, storeFlags } from '../semantics/flags.ts';
import { STATE_MXCSR, STATE_X87_TAG, STATE_X87_TOP } from '../state.ts';
import { DOUBLE, FloatUnit, SINGLE, type Format } from './soft-float.ts';
import type { Helper, HelperTable } from './types.ts';
import { FORM_SOURCE_MEMORY } from './types.ts';

const VECTOR_GP = 13;
const VECTOR_XM = 19;
const TRUNCATE = 3;
/** The helper's immediate: the operation's number, the instruction's own immediate above it, and this for 64-bit integers. */
export const EXACT_LONG = 0x1_0000;
/** It has a VEX prefix: there are more predicates. */
export const EXACT_VEX = 0x2_0000;
/** Half of a vector of 256 bits: the upper half follows, and says what both have raised; this is that half. */
export const EXACT_CONTINUES = 0x4_0000;
export const EXACT_CONTINUED = 0x8_0000;

const unit = new FloatUnit();

/** Operands and result of one instruction. The result begins as the destination's old value. */
class Operands {
  readonly first = new DataView(new ArrayBuffer(16));
  readonly second = new DataView(new ArrayBuffer(16));
  readonly result = new DataView(new ArrayBuffer(16));
  immediate = 0;
  isLong = false;
  isVex = false;
}

const operands = new Operands();

function read(type: Format, from: DataView, lane: number): bigint {
  return type === DOUBLE ? from.getBigUint64(8 * lane, true) : BigInt(from.getUint32(4 * lane, true));
}

function write(type: Format, lane: number, bits: bigint): void {
  if (type === DOUBLE) operands.result.setBigUint64(8 * lane, bits, true);
  else operands.result.setUint32(4 * lane, Number(bits), true);
}

interface Operation {
  /** Bytes of the source. */
  readonly size: number;
  readonly source?: 'mmx';
  readonly destination?: 'mmx' | 'gpr' | 'flags';
  readonly run: () => void;
  /** The same under `USUAL_MXCSR`. False: these operands need `run`. */
  readonly quick?: () => boolean;
}

/** To nearest, with PE set already and masked: then usual operands and results have nothing to note. */
const USUAL_MXCSR = 0x1020;
const USUAL_MASK = 0x7020;

const lanesOf = (type: Format): number => 16 / type.bytes;

type Quick = (a: number, b: number) => number;

/** Neither zero nor denormal nor infinite nor NaN, nor so small that it may have been tiny before it was rounded. */
function isUsual(type: Format, view: DataView, lane: number): boolean {
  if (type === DOUBLE) return ((view.getUint32(8 * lane + 4, true) >>> 20) & 0x7ff) - 2 >>> 0 < 0x7fd;
  return ((view.getUint32(4 * lane, true) >>> 23) & 0xff) - 2 >>> 0 < 0xfd;
}

/** Of singles the double's result, rounded once more, is the right one (Figueroa, "When is double rounding innocuous?"). */
function quickly(type: Format, operate: Quick, count: number): () => boolean {
  const { first, second, result } = operands;
  const { bytes } = type;
  return () => {
    for (let lane = 0; lane < count; lane++) {
      if (!isUsual(type, first, lane) || !isUsual(type, second, lane)) return false;
      const at = lane * bytes;
      if (type === DOUBLE) result.setFloat64(at, operate(first.getFloat64(at, true), second.getFloat64(at, true)), true);
      else result.setFloat32(at, operate(first.getFloat32(at, true), second.getFloat32(at, true)), true);
      if (!isUsual(type, result, lane)) return false;
    }
    return true;
  };
}

type Binary = (type: Format, a: bigint, b: bigint) => bigint;

const add: Binary = (type, a, b) => unit.add(type, a, b);
const subtract: Binary = (type, a, b) => unit.subtract(type, a, b);
const multiply: Binary = (type, a, b) => unit.multiply(type, a, b);
const divide: Binary = (type, a, b) => unit.divide(type, a, b);
const root: Binary = (type, _a, b) => unit.squareRoot(type, b);
/** The second source, unless the first is strictly less or greater. */
const choose = (wanted: number): Binary => (type, a, b) => unit.operand(type, unit.compare(type, a, b, false) === wanted ? a : b);
const round: Binary = (type, _a, b) => {
  const { immediate } = operands;
  return unit.roundToWhole(type, b, (immediate & 4) !== 0 ? unit.rounding : immediate & 3, (immediate & 8) === 0);
};

function scalar(type: Format, operate: Binary, quick?: Quick): Operation {
  return { size: type.bytes, ...(quick === undefined ? {} : { quick: quickly(type, quick, 1) }), run: () => write(type, 0, operate(type, read(type, operands.first, 0), read(type, operands.second, 0))) };
}

function packed(type: Format, operate: Binary, quick?: Quick): Operation {
  return {
    size: 16, ...(quick === undefined ? {} : { quick: quickly(type, quick, lanesOf(type)) }),
    run: () => {
      for (let lane = 0; lane < lanesOf(type); lane++) write(type, lane, operate(type, read(type, operands.first, lane), read(type, operands.second, lane)));
    },
  };
}

/** Neighbours of the first source, then those of the second. */
function horizontal(type: Format, operate: Binary): Operation {
  const half = lanesOf(type) / 2;
  return {
    size: 16,
    run: () => {
      for (let lane = 0; lane < 2 * half; lane++) {
        const from = lane < half ? operands.first : operands.second;
        write(type, lane, operate(type, read(type, from, 2 * (lane % half)), read(type, from, 2 * (lane % half) + 1)));
      }
    },
  };
}

function addSubtract(type: Format): Operation {
  return {
    size: 16,
    run: () => {
      for (let lane = 0; lane < lanesOf(type); lane++) {
        const operate = lane % 2 === 0 ? subtract : add;
        write(type, lane, operate(type, read(type, operands.first, lane), read(type, operands.second, lane)));
      }
    },
  };
}

/** Products of the lanes that bits 4 to 7 choose, added in pairs, in the lanes that bits 0 to 3 choose. Each step raises its own exceptions. */
function dotProduct(type: Format): Operation {
  const count = lanesOf(type);
  return {
    size: 16,
    run: () => {
      let sums = Array.from({ length: count }, (_, lane) =>
        (operands.immediate & (0x10 << lane)) === 0 ? 0n : multiply(type, read(type, operands.first, lane), read(type, operands.second, lane)));
      while (sums.length > 1 && !unit.raises) {
        const products = sums;
        unit.nextStep();
        sums = Array.from({ length: sums.length / 2 }, (_, pair) => add(type, products[2 * pair] ?? 0n, products[2 * pair + 1] ?? 0n));
      }
      for (let lane = 0; lane < count; lane++) write(type, lane, (operands.immediate & (1 << lane)) === 0 ? 0n : (sums[0] ?? 0n));
    },
  };
}

/** By predicate 0 to 15 (SDM Vol. 2A, table 3-1): whether it holds for less (bit 0), equal, greater, unordered (bit 3). */
const PREDICATES: readonly number[] = [2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15];
/** Those below 16 for which a quiet NaN is no invalid operand; of those above it is the other way round. */
const QUIET_PREDICATES = 0b1001_1001_1001_1001;

const comparison: Binary = (type, a, b) => {
  const number = operands.immediate & (operands.isVex ? 31 : 7);
  const predicate = number & 15;
  const order = unit.compare(type, a, b, (((QUIET_PREDICATES >> predicate) ^ (number >> 4)) & 1) !== 0);
  const holds = ((PREDICATES[predicate] ?? 0) >> (order === undefined ? 3 : order + 1)) & 1;
  return holds === 0 ? 0n : type.sign * 2n - 1n;
};

function compareToFlags(type: Format, quiet: boolean): Operation {
  const { first, second, result } = operands;
  return {
    size: type.bytes, destination: 'flags',
    quick: () => {
      if (!isUsual(type, first, 0) || !isUsual(type, second, 0)) return false;
      const a = type === DOUBLE ? first.getFloat64(0, true) : first.getFloat32(0, true);
      const b = type === DOUBLE ? second.getFloat64(0, true) : second.getFloat32(0, true);
      result.setUint32(0, a < b ? EFLAGS_CF : a === b ? EFLAGS_ZF : 0, true);
      return true;
    },
    run: () => {
      const order = unit.compare(type, read(type, operands.first, 0), read(type, operands.second, 0), quiet);
      const eflags = order === undefined ? EFLAGS_ZF | EFLAGS_PF | EFLAGS_CF : order < 0 ? EFLAGS_CF : order === 0 ? EFLAGS_ZF : 0;
      operands.result.setUint32(0, eflags, true);
    },
  };
}

function scalarToInteger(type: Format, truncate: boolean): Operation {
  return {
    size: type.bytes, destination: 'gpr',
    run: () => {
      const rounding = truncate ? TRUNCATE : unit.rounding;
      const value = unit.toInteger(type, read(type, operands.second, 0), operands.isLong ? 64 : 32, rounding);
      operands.result.setBigUint64(0, BigInt.asUintN(operands.isLong ? 64 : 32, value), true);
    },
  };
}

/** `clear`: the upper half becomes zero. */
function packedToIntegers(type: Format, truncate: boolean, count: number, size: 8 | 16, destination?: 'mmx'): Operation {
  return {
    size, ...(destination === undefined ? {} : { destination }),
    run: () => {
      const rounding = truncate ? TRUNCATE : unit.rounding;
      for (let lane = 0; lane < 4; lane++) {
        operands.result.setInt32(4 * lane, lane < count ? Number(unit.toInteger(type, read(type, operands.second, lane), 32, rounding)) : 0, true);
      }
    },
  };
}

function scalarFromInteger(type: Format): Operation {
  return {
    size: 8,
    run: () => {
      const { second, isLong } = operands;
      write(type, 0, unit.fromInteger(type, isLong ? second.getBigInt64(0, true) : BigInt(second.getInt32(0, true))));
    },
  };
}

function packedFromIntegers(type: Format, count: number, size: 8 | 16, source?: 'mmx'): Operation {
  return {
    size, ...(source === undefined ? {} : { source }),
    run: () => {
      for (let lane = 0; lane < count; lane++) write(type, lane, unit.fromInteger(type, BigInt(operands.second.getInt32(4 * lane, true))));
    },
  };
}

function scalarConversion(from: Format, to: Format): Operation {
  return { size: from.bytes, run: () => write(to, 0, unit.convert(from, to, read(from, operands.second, 0))) };
}

function packedConversion(from: Format, to: Format): Operation {
  return {
    size: from === SINGLE ? 8 : 16,
    run: () => {
      operands.result.setBigUint64(8, 0n, true);
      for (let lane = 0; lane < 2; lane++) write(to, lane, unit.convert(from, to, read(from, operands.second, lane)));
    },
  };
}

/** The same operation on both formats, one lane and all of them. */
function family(name: string, operate: Binary, quick?: Quick): Record<string, Operation> {
  return {
    [`${name}sd`]: scalar(DOUBLE, operate, quick),
    [`${name}ss`]: scalar(SINGLE, operate, quick),
    [`${name}pd`]: packed(DOUBLE, operate, quick),
    [`${name}ps`]: packed(SINGLE, operate, quick),
  };
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...family('add', add, (a, b) => a + b),
  ...family('sub', subtract, (a, b) => a - b),
  ...family('mul', multiply, (a, b) => a * b),
  ...family('div', divide, (a, b) => a / b),
  ...family('sqrt', root),
  ...family('min', choose(-1)),
  ...family('max', choose(1)),
  ...family('round', round),
  ...family('cmp', comparison),
  haddpd: horizontal(DOUBLE, add),
  haddps: horizontal(SINGLE, add),
  hsubpd: horizontal(DOUBLE, subtract),
  hsubps: horizontal(SINGLE, subtract),
  addsubpd: addSubtract(DOUBLE),
  addsubps: addSubtract(SINGLE),
  dppd: dotProduct(DOUBLE),
  dpps: dotProduct(SINGLE),
  comisd: compareToFlags(DOUBLE, false),
  comiss: compareToFlags(SINGLE, false),
  ucomisd: compareToFlags(DOUBLE, true),
  ucomiss: compareToFlags(SINGLE, true),
  cvtsd2si: scalarToInteger(DOUBLE, false),
  cvttsd2si: scalarToInteger(DOUBLE, true),
  cvtss2si: scalarToInteger(SINGLE, false),
  cvttss2si: scalarToInteger(SINGLE, true),
  cvtsi2sd: scalarFromInteger(DOUBLE),
  cvtsi2ss: scalarFromInteger(SINGLE),
  cvtss2sd: scalarConversion(SINGLE, DOUBLE),
  cvtsd2ss: scalarConversion(DOUBLE, SINGLE),
  cvtps2pd: packedConversion(SINGLE, DOUBLE),
  cvtpd2ps: packedConversion(DOUBLE, SINGLE),
  cvtps2dq: packedToIntegers(SINGLE, false, 4, 16),
  cvttps2dq: packedToIntegers(SINGLE, true, 4, 16),
  cvtpd2dq: packedToIntegers(DOUBLE, false, 2, 16),
  cvttpd2dq: packedToIntegers(DOUBLE, true, 2, 16),
  cvtdq2ps: packedFromIntegers(SINGLE, 4, 16),
  cvtpi2ps: packedFromIntegers(SINGLE, 2, 8, 'mmx'),
  cvtps2pi: packedToIntegers(SINGLE, false, 2, 8, 'mmx'),
  cvttps2pi: packedToIntegers(SINGLE, true, 2, 8, 'mmx'),
  cvtpd2pi: packedToIntegers(DOUBLE, false, 2, 16, 'mmx'),
  cvttpd2pi: packedToIntegers(DOUBLE, true, 2, 16, 'mmx'),
};

/** Keys of the semantics that have an exact form, in the order of their numbers. */
export const EXACT_KEYS: readonly string[] = Object.keys(OPERATIONS);
const LIST: readonly Operation[] = Object.values(OPERATIONS);

function copy(from: DataView, at: number, to: DataView, size: number): void {
  for (let word = 0; word < size; word += 4) to.setUint32(word, from.getUint32(at + word, true), true);
}

/** SDM Vol. 1, 9.6.2. */
function enterMmx(view: DataView): void {
  view.setUint16(STATE_X87_TOP, 0, true);
  view.setUint16(STATE_X87_TAG, 0xff, true);
}

function store(view: DataView, destination: number, { destination: kind }: Operation): void {
  const { result } = operands;
  if (kind === 'flags') {
    storeFlags(view, eflagsToFlags(result.getUint32(0, true)));
    return;
  }
  const size = kind === undefined ? 16 : 8;
  for (let word = 0; word < size; word += 4) view.setUint32(destination + word, result.getUint32(word, true), true);
  if (kind === 'mmx') view.setUint16(destination + 8, 0xffff, true);
}

const exactSse: Helper = (context, destination, source, immediate, forms) => {
  const operation = LIST[immediate & 0xff];
  if (operation === undefined) return 0;
  const { view } = context;
  operands.isLong = (immediate & EXACT_LONG) !== 0;
  operands.isVex = (immediate & EXACT_VEX) !== 0;
  operands.immediate = (immediate >>> 8) & 0xff;
  const isMemory = (forms & FORM_SOURCE_MEMORY) !== 0;
  let at = source;
  let size: number = operation.size;
  if (isMemory) {
    if (operation === OPERATIONS['cvtsi2sd'] || operation === OPERATIONS['cvtsi2ss']) size = operands.isLong ? 8 : 4;
    if (size === 16 && (source & 15) !== 0) return context.raise(VECTOR_GP);
    if (!context.readable(source, size)) return 1;
    at = context.offset(source);
  }
  copy(view, at, operands.second, size);
  const isXmm = operation.destination === undefined || operation.destination === 'flags';
  if (isXmm) {
    copy(view, destination, operands.first, 16);
    copy(view, destination, operands.result, 16);
  }
  const mxcsr = view.getUint32(STATE_MXCSR, true);
  if ((immediate & EXACT_CONTINUED) === 0) unit.begin(mxcsr);
  const isQuick = operation.quick !== undefined && (mxcsr & USUAL_MASK) === USUAL_MXCSR && operation.quick();
  if (!isQuick) {
    if (isXmm) copy(view, destination, operands.result, 16);
    operation.run();
  }
  if ((immediate & EXACT_CONTINUES) !== 0 || (isQuick && (immediate & EXACT_CONTINUED) === 0)) {
    store(view, destination, operation);
    return 0;
  }
  // Also before an exception, as AMD's processors do it.
  if (operation.destination === 'mmx' || (operation.source === 'mmx' && !isMemory)) enterMmx(view);
  const { raises } = unit;
  if (unit.allFlags !== 0) view.setUint32(STATE_MXCSR, mxcsr | unit.allFlags, true);
  if (raises) return context.raise(VECTOR_XM);
  store(view, destination, operation);
  return 0;
};

export const exactSseHelpers: HelperTable = { 'exact-sse': exactSse };
