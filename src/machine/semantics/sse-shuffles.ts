/**
 * Shuffles, blends, insertions and extractions: SDM Vol. 2 PSHUF*, SHUF*, *BLEND*, PINSR*, PEXTR*, INSERTPS.
 * With a known immediate these are one Wasm shuffle; where it is not known (in the interpreter) the lane
 * numbers are computed as a vector and used for a swizzle.
 */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import {
  bitselect, iota, lane16, lane32, lane64, lane8, lanes, onMmx, onXmm, readMmxVector, shuffleLanes, splat16, splat32,
  splat64, splat8, tableOf, vector, zeroVector,
} from './sse-vector.ts';
import type { VectorFunction } from './sse-vector.ts';

/** The four 2-bit fields of an immediate. */
function fields(immediate: number): [number, number, number, number] {
  return [immediate & 3, (immediate >> 2) & 3, (immediate >> 4) & 3, (immediate >> 6) & 3];
}

// ---- shuffles by immediate ----

/** Lane numbers 0 to 3 from the immediate's fields, in four lanes of 4 bytes, as byte numbers for swizzle. */
function dwordSelectors(builder: Builder, immediate: Expr): Expr {
  const shifted = vector(builder, op.I32X4_MUL, splat32(builder, immediate), lanes(builder, 4, 64, 16, 4, 1));
  const selected = vector(
    builder, op.V128_AND, vector(builder, op.I32X4_SHR_U, shifted, builder.i32(6)), lanes(builder, 4, 3),
  );
  const first = vector(builder, op.I32X4_MUL, selected, lanes(builder, 4, 0x0404_0404));
  return vector(builder, op.I32X4_ADD, first, lanes(builder, 4, 0x0302_0100));
}

/** The same for lanes of 2 bytes; both halves of the vector hold the four selectors of the lower half. */
function wordSelectors(builder: Builder, immediate: Expr): Expr {
  const shifted = vector(builder, op.I16X8_MUL, splat16(builder, immediate), lanes(builder, 2, 64, 16, 4, 1));
  const selected = vector(
    builder, op.V128_AND, vector(builder, op.I16X8_SHR_U, shifted, builder.i32(6)), lanes(builder, 2, 3),
  );
  const first = vector(builder, op.I16X8_MUL, selected, lanes(builder, 2, 0x0202));
  return vector(builder, op.I16X8_ADD, first, lanes(builder, 2, 0x0100));
}

function pshufd(builder: Builder): void {
  const constant = builder.constant(2);
  const source = builder.let(builder.readV128(1));
  builder.writeV128(
    0,
    constant === undefined
      ? vector(builder, op.I8X16_SWIZZLE, source, dwordSelectors(builder, builder.read(2)))
      : shuffleLanes(builder, source, source, 4, fields(constant)),
  );
}

/** Low words of `source` by operand 2; the upper half of the result is as the lower or as the source's. */
function shuffleLowWords(builder: Builder, source: Expr): Expr {
  const constant = builder.constant(2);
  if (constant !== undefined) return shuffleLanes(builder, source, source, 2, [...fields(constant), 4, 5, 6, 7]);
  return vector(builder, op.I8X16_SWIZZLE, source, wordSelectors(builder, builder.read(2)));
}

function pshuflw(builder: Builder): void {
  const source = builder.let(builder.readV128(1));
  const shuffled = shuffleLowWords(builder, source);
  builder.writeV128(0, shuffleLanes(builder, shuffled, source, 8, [0, 3]));
}

function pshufhw(builder: Builder): void {
  const source = builder.let(builder.readV128(1));
  const constant = builder.constant(2);
  if (constant !== undefined) {
    const high = fields(constant).map((lane) => lane + 4);
    builder.writeV128(0, shuffleLanes(builder, source, source, 2, [0, 1, 2, 3, ...high]));
    return;
  }
  const selectors = vector(builder, op.I8X16_ADD, wordSelectors(builder, builder.read(2)), lanes(builder, 1, 8));
  const shuffled = vector(builder, op.I8X16_SWIZZLE, source, selectors);
  builder.writeV128(0, shuffleLanes(builder, source, shuffled, 8, [0, 3]));
}

function pshufw(builder: Builder): void {
  const source = builder.let(readMmxVector(builder, 1));
  builder.writeMmx(0, lane64(builder, shuffleLowWords(builder, source), 0));
}

/** Two lanes of the first source below two of the second. */
function shufps(builder: Builder): void {
  const constant = builder.constant(2);
  if (constant !== undefined) {
    const [a, b, c, d] = fields(constant);
    builder.writeV128(0, shuffleLanes(builder, builder.readV128(0), builder.readV128(1), 4, [a, b, c + 4, d + 4]));
    return;
  }
  const second = builder.let(builder.readV128(1));
  const selectors = builder.let(dwordSelectors(builder, builder.read(2)));
  const low = vector(builder, op.I8X16_SWIZZLE, builder.readV128(0), selectors);
  const high = vector(builder, op.I8X16_SWIZZLE, second, selectors);
  builder.writeV128(0, shuffleLanes(builder, low, high, 8, [0, 3]));
}

function shufpd(builder: Builder): void {
  const constant = builder.constant(2);
  if (constant !== undefined) {
    const order = [constant & 1, 2 + ((constant >> 1) & 1)];
    builder.writeV128(0, shuffleLanes(builder, builder.readV128(0), builder.readV128(1), 8, order));
    return;
  }
  const second = builder.let(builder.readV128(1));
  const first = builder.let(builder.readV128(0));
  const immediate = builder.let(builder.read(2));
  const choose = (value: Expr, bit: number) =>
    builder.select(builder.and(immediate, builder.i32(bit)), lane64(builder, value, 1), lane64(builder, value, 0));
  const low = splat64(builder, choose(first, 1));
  builder.writeV128(0, builder.op(op.I64X2_REPLACE_LANE, 'v128', [low, choose(second, 2)], 1));
}

/** Bytes of the first source by number; 0 where bit 7 of the number is set. `mask` keeps that bit and the number. */
function byteShuffle(mask: number): VectorFunction {
  return (builder, a, b) =>
    vector(builder, op.I8X16_SWIZZLE, a, vector(builder, op.V128_AND, b, lanes(builder, 1, mask)));
}

// ---- blends ----

function blend(laneSize: 2 | 4 | 8): SemanticFunction {
  const count = 16 / laneSize;
  const numbers = Array.from({ length: count }, (_, index) => index);
  const bits = laneSize === 8 ? [1, 1, 2, 2] : numbers.map((index) => 1 << index);
  const width = laneSize === 2 ? 2 : 4;
  const [equal, splat] = width === 2 ? [op.I16X8_EQ, splat16] : [op.I32X4_EQ, splat32];
  return (builder) => {
    const constant = builder.constant(2);
    const first = builder.readV128(0);
    const second = builder.readV128(1);
    if (constant !== undefined) {
      const order = numbers.map((index) => ((constant >> index) & 1 ? index + count : index));
      builder.writeV128(0, shuffleLanes(builder, first, second, laneSize, order));
      return;
    }
    const bit = lanes(builder, width, ...bits);
    const chosen = vector(builder, equal, vector(builder, op.V128_AND, splat(builder, builder.read(2)), bit), bit);
    builder.writeV128(0, bitselect(builder, chosen, second, first));
  };
}

/** By the sign bits of xmm0. */
function blendVariable(shift: number, amount: number): VectorFunction {
  return (builder, first, second) => {
    const mask = vector(builder, shift, builder.readXmm(0), builder.i32(amount));
    return bitselect(builder, mask, second, first);
  };
}

// ---- insertions and extractions ----

interface Lanes {
  readonly size: 1 | 2 | 4 | 8;
  readonly replace: number;
  readonly splat: (builder: Builder, value: Expr) => Expr;
  readonly get: (builder: Builder, value: Expr, lane: number) => Expr;
}

const BYTE: Lanes = { size: 1, replace: op.I8X16_REPLACE_LANE, splat: splat8, get: lane8 };
const WORD: Lanes = { size: 2, replace: op.I16X8_REPLACE_LANE, splat: splat16, get: lane16 };
const DWORD: Lanes = { size: 4, replace: op.I32X4_REPLACE_LANE, splat: splat32, get: lane32 };
const QWORD: Lanes = { size: 8, replace: op.I64X2_REPLACE_LANE, splat: splat64, get: lane64 };

/** All ones in the lane of `size` bytes that has the number `lane` (i32). */
function laneMask(builder: Builder, size: number, lane: Expr): Expr {
  const numbers = builder.v128(Array.from({ length: 16 }, (_, index) => Math.trunc(index / size)));
  return vector(builder, op.I8X16_EQ, numbers, splat8(builder, lane));
}

/** `value` with the lane that operand 2 names replaced; `count` lanes are numbered. */
function insert(builder: Builder, kind: Lanes, value: Expr, count: number, inserted: Expr): Expr {
  const constant = builder.constant(2);
  if (constant !== undefined) return builder.op(kind.replace, 'v128', [value, inserted], constant & (count - 1));
  const lane = builder.and(builder.read(2), builder.i32(count - 1));
  return bitselect(builder, laneMask(builder, kind.size, lane), kind.splat(builder, inserted), value);
}

/** The lane that operand 2 names. */
function extract(builder: Builder, kind: Lanes, value: Expr, count: number): Expr {
  const constant = builder.constant(2);
  if (constant !== undefined) return kind.get(builder, value, constant & (count - 1));
  const offset = builder.mul(builder.and(builder.read(2), builder.i32(count - 1)), builder.i32(kind.size));
  const selectors = vector(builder, op.I8X16_ADD, iota(builder), splat8(builder, offset));
  return kind.get(builder, vector(builder, op.I8X16_SWIZZLE, value, selectors), 0);
}

function insertion(kind: Lanes): SemanticFunction {
  return (builder) => {
    const inserted = builder.let(builder.read(1));
    builder.writeV128(0, insert(builder, kind, builder.readV128(0), 16 / kind.size, inserted));
  };
}

function extraction(kind: Lanes): SemanticFunction {
  return (builder) => {
    const value = extract(builder, kind, builder.readV128(1), 16 / kind.size);
    builder.write(0, builder.resize(value, builder.operandSize(0)));
  };
}

function pinsrwMmx(builder: Builder): void {
  const inserted = builder.let(builder.read(1));
  builder.writeMmx(0, lane64(builder, insert(builder, WORD, readMmxVector(builder, 0), 4, inserted), 0));
}

function pextrwMmx(builder: Builder): void {
  const value = extract(builder, WORD, readMmxVector(builder, 1), 4);
  builder.write(0, builder.resize(value, builder.operandSize(0)));
}

/** Immediate: source lane in bits 6 and 7 (memory has one only), destination lane in 4 and 5, lanes to clear in 0 to 3. */
function insertps(builder: Builder): void {
  const constant = builder.constant(2);
  if (constant !== undefined) {
    const from = (constant >> 6) & 3;
    const source = builder.isMemory(1) ? builder.readLow32(1) : lane32(builder, builder.readV128(1), from);
    const inserted = builder.let(source);
    const to = (constant >> 4) & 3;
    const replaced = builder.op(op.I32X4_REPLACE_LANE, 'v128', [builder.readV128(0), inserted], to);
    const order = [0, 1, 2, 3].map((lane) => ((constant >> lane) & 1 ? lane + 4 : lane));
    builder.writeV128(0, (constant & 15) === 0 ? replaced : shuffleLanes(builder, replaced, zeroVector(builder), 4, order));
    return;
  }
  const immediate = builder.let(builder.read(2));
  const field = (shift: number) => builder.and(builder.shrU(immediate, builder.i32(shift)), builder.i32(3));
  const bytes = () => vector(builder, op.I8X16_ADD, lanes(builder, 1, 0, 1, 2, 3), splat8(builder, builder.shl(field(6), builder.i32(2))));
  const source = builder.isMemory(1)
    ? splat32(builder, builder.readLow32(1))
    : vector(builder, op.I8X16_SWIZZLE, builder.readV128(1), bytes());
  const replaced = bitselect(builder, laneMask(builder, 4, field(4)), source, builder.readV128(0));
  const bit = lanes(builder, 4, 1, 2, 4, 8);
  const kept = vector(builder, op.I32X4_NE, vector(builder, op.V128_AND, splat32(builder, immediate), bit), bit);
  builder.writeV128(0, vector(builder, op.V128_AND, replaced, kept));
}

export const SSE_SHUFFLES: SemanticsTable = {
  ...tableOf({ pshufb: byteShuffle(0x8f) }, onXmm),
  ...tableOf(
    {
      pblendvb: blendVariable(op.I8X16_SHR_S, 7),
      blendvps: blendVariable(op.I32X4_SHR_S, 31),
      blendvpd: blendVariable(op.I64X2_SHR_S, 63),
    },
    onXmm,
  ),
  pshufd,
  pshuflw,
  pshufhw,
  shufps,
  shufpd,
  pblendw: blend(2),
  blendps: blend(4),
  blendpd: blend(8),
  pinsrb: insertion(BYTE),
  pinsrw: insertion(WORD),
  pinsrd: insertion(DWORD),
  pinsrq: insertion(QWORD),
  pextrb: extraction(BYTE),
  pextrw: extraction(WORD),
  pextrd: extraction(DWORD),
  pextrq: extraction(QWORD),
  extractps: extraction(DWORD),
  insertps,
};

export const MMX_SHUFFLES: SemanticsTable = {
  'pshufb.mmx': onMmx(byteShuffle(0x87)),
  pshufw,
  'pinsrw.mmx': pinsrwMmx,
  'pextrw.mmx': pextrwMmx,
};
