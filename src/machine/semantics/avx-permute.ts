/** Broadcasts, permutations and shifts by vectors: SDM Vol. 2, VBROADCAST, VPERM*, VINSERT*, VEXTRACT*, VPSLLV*, VPSRLV*, VPSRAV*. */
import * as op from '../wasm/opcodes.ts';
import { lanewise } from './avx-lanes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { bitselect, lane32, lane64, lanes, shuffleLanes, splat16, splat32, splat64, splat8, vector, zeroVector } from './sse-vector.ts';

/** The same in both halves. */
function broadcast(size: 1 | 2 | 4 | 8 | 16): SemanticFunction {
  return (b) => {
    const value = b.let(size === 16 ? b.readV128(1) : splatLow(b, size));
    b.writeV256(0, value, b.operandSize(0) === 32 ? value : zeroVector(b));
  };
}

function splatLow(b: Builder, size: 1 | 2 | 4 | 8): Expr {
  if (size === 8) return splat64(b, b.readLow64(1));
  if (size === 4) return splat32(b, b.readLow32(1));
  return size === 2 ? splat16(b, b.read(1)) : splat8(b, b.read(1));
}

/** Byte numbers of the four lanes whose numbers are in `lanesOf4`, each below 8. */
function byteNumbers(b: Builder, lanesOf4: Expr): Expr {
  return vector(b, op.I32X4_ADD, vector(b, op.I32X4_MUL, lanesOf4, lanes(b, 4, 0x0404_0404)), lanes(b, 4, 0x0302_0100));
}

/** Lanes of 4 bytes of the same half, by the low two bits of another vector. */
function permilps(b: Builder): void {
  const control = vector(b, op.V128_AND, b.readV128(1), lanes(b, 4, 3));
  b.writeV128(0, vector(b, op.I8X16_SWIZZLE, b.readV128(0), byteNumbers(b, control)));
}

/** By bit 1 of each lane. */
function permilpd(b: Builder): void {
  const control = b.let(b.readV128(1));
  const value = b.let(b.readV128(0));
  const mask = vector(b, op.I64X2_SHR_S, vector(b, op.I64X2_SHL, control, b.i32(62)), b.i32(63));
  b.writeV128(0, bitselect(b, mask, shuffleLanes(b, value, value, 8, [1, 1]), shuffleLanes(b, value, value, 8, [0, 0])));
}

/** By bits 0 and 1 of the immediate, of the upper half 2 and 3. */
function permilpdImmediate(b: Builder): void {
  const constant = b.constant(2);
  const value = b.let(b.readV128(1));
  if (constant !== undefined) {
    b.writeV128(0, shuffleLanes(b, value, value, 8, [constant & 1, (constant >> 1) & 1]));
    return;
  }
  const immediate = b.let(b.read(2));
  const [low, high] = [b.let(lane64(b, value, 0)), b.let(lane64(b, value, 1))];
  const chosen = (bit: number): Expr => b.select(b.and(immediate, b.i32(bit)), high, low);
  b.writeV128(0, b.op(op.I64X2_REPLACE_LANE, 'v128', [splat64(b, chosen(1)), chosen(2)], 1));
}

/** Any four or eight lanes of 4 bytes of all eight; the numbers are operand 1. */
function permuteDwords(b: Builder): void {
  const [low, high] = b.readV256(2);
  const results = b.readV256(1).map((numbers) => {
    const bytes = b.let(byteNumbers(b, vector(b, op.V128_AND, numbers, lanes(b, 4, 7))));
    const fromHigh = vector(b, op.I8X16_SWIZZLE, high, vector(b, op.I8X16_SUB, bytes, lanes(b, 1, 16)));
    return b.let(vector(b, op.V128_OR, vector(b, op.I8X16_SWIZZLE, low, bytes), fromHigh));
  });
  b.writeV256(0, results[0]!, results[1]!);
}

/** Any lanes of 8 bytes, by the four fields of the immediate. */
function permuteQwords(b: Builder): void {
  const [low, high] = b.readV256(1);
  const constant = b.constant(2);
  if (constant !== undefined) {
    const half = (fields: number): Expr => b.let(shuffleLanes(b, low, high, 8, [fields & 3, (fields >> 2) & 3]));
    b.writeV256(0, half(constant), half(constant >> 4));
    return;
  }
  const immediate = b.let(b.read(2));
  const values = [lane64(b, low, 0), lane64(b, low, 1), lane64(b, high, 0), lane64(b, high, 1)].map((value) => b.let(value));
  const chosen = (field: number): Expr => {
    const bit = (number: number): Expr => b.and(immediate, b.i32(1 << (2 * field + number)));
    return b.select(bit(1), b.select(bit(0), values[3]!, values[2]!), b.select(bit(0), values[1]!, values[0]!));
  };
  const pair = (first: number): Expr => b.let(b.op(op.I64X2_REPLACE_LANE, 'v128', [splat64(b, chosen(first)), chosen(first + 1)], 1));
  b.writeV256(0, pair(0), pair(2));
}

/** Each half any of the four, or 0. */
function permuteHalves(b: Builder): void {
  const values = [...b.readV256(1), ...b.readV256(2)];
  const constant = b.constant(3);
  const immediate = constant === undefined ? b.let(b.read(3)) : undefined;
  const half = (shift: number): Expr => {
    if (constant !== undefined) return (constant >> shift) & 8 ? zeroVector(b) : values[(constant >> shift) & 3]!;
    const bit = (number: number): Expr => b.and(immediate!, b.i32(1 << (shift + number)));
    const any = b.select(bit(1), b.select(bit(0), values[3]!, values[2]!), b.select(bit(0), values[1]!, values[0]!));
    return b.let(b.select(bit(3), zeroVector(b), any));
  };
  b.writeV256(0, half(0), half(4));
}

function insertHalf(b: Builder): void {
  const inserted = b.let(b.readV128(2));
  const [low, high] = b.readV256(1);
  const isHigh = b.let(b.and(b.read(3), b.i32(1)));
  b.writeV256(0, b.select(isHigh, low, inserted), b.select(isHigh, inserted, high));
}

function extractHalf(b: Builder): void {
  const [low, high] = b.readV256(1);
  b.writeV128(0, b.let(b.select(b.and(b.read(2), b.i32(1)), high, low)));
  if (!b.isMemory(0)) b.writeYmmHigh(0, zeroVector(b));
}

/** Each lane by the count in the same lane; counts of the lane's size or more leave 0, or all sign. */
function shiftEach(size: 4 | 8, shift: (b: Builder, value: Expr, count: Expr) => Expr, isSigned = false): SemanticFunction {
  return lanewise((b) => {
    const counts = b.let(b.readV128(1));
    const values = b.let(b.readV128(0));
    const get = size === 4 ? lane32 : lane64;
    const limit = b.sized(size, size * 8);
    const shifted = (lane: number): Expr => {
      const count = b.let(get(b, counts, lane));
      const value = get(b, values, lane);
      if (isSigned) return shift(b, value, b.select(b.ltU(count, limit), count, b.sized(size, size * 8 - 1)));
      return b.select(b.ltU(count, limit), shift(b, value, count), b.sized(size, 0));
    };
    let result = size === 4 ? splat32(b, shifted(0)) : splat64(b, shifted(0));
    const replace = size === 4 ? op.I32X4_REPLACE_LANE : op.I64X2_REPLACE_LANE;
    for (let lane = 1; lane < 16 / size; lane++) result = b.let(b.op(replace, 'v128', [result, shifted(lane)], lane));
    b.writeV128(0, result);
  }, 1);
}

const left = (b: Builder, value: Expr, count: Expr): Expr => b.shl(value, count);
const right = (b: Builder, value: Expr, count: Expr): Expr => b.shrU(value, count);

function permilpsImmediate(b: Builder): void {
  const constant = b.constant(2);
  const value = b.let(b.readV128(1));
  if (constant !== undefined) {
    b.writeV128(0, shuffleLanes(b, value, value, 4, [constant & 3, (constant >> 2) & 3, (constant >> 4) & 3, (constant >> 6) & 3]));
    return;
  }
  const fields = vector(b, op.I32X4_SHR_U, vector(b, op.I32X4_MUL, splat32(b, b.read(2)), lanes(b, 4, 64, 16, 4, 1)), b.i32(6));
  b.writeV128(0, vector(b, op.I8X16_SWIZZLE, value, byteNumbers(b, vector(b, op.V128_AND, fields, lanes(b, 4, 3)))));
}

export const AVX_PERMUTE: SemanticsTable = {
  vbroadcastss: broadcast(4),
  vbroadcastsd: broadcast(8),
  vbroadcastf128: broadcast(16),
  vbroadcasti128: broadcast(16),
  vpbroadcastb: broadcast(1),
  vpbroadcastw: broadcast(2),
  vpbroadcastd: broadcast(4),
  vpbroadcastq: broadcast(8),
  vpermilps: lanewise(permilps, 1),
  vpermilpd: lanewise(permilpd, 1),
  'vpermilps-imm': lanewise(permilpsImmediate, undefined),
  'vpermilpd-imm': lanewise(permilpdImmediate, undefined, 2),
  vperm2f128: permuteHalves,
  vperm2i128: permuteHalves,
  vinsertf128: insertHalf,
  vinserti128: insertHalf,
  vextractf128: extractHalf,
  vextracti128: extractHalf,
  vpermd: permuteDwords,
  vpermps: permuteDwords,
  vpermq: permuteQwords,
  vpermpd: permuteQwords,
  vpsllvd: shiftEach(4, left),
  vpsllvq: shiftEach(8, left),
  vpsrlvd: shiftEach(4, right),
  vpsrlvq: shiftEach(8, right),
  vpsravd: shiftEach(4, (b, value, count) => b.shrS(value, count), true),
};
