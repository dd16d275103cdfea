/**
 * Packed integer arithmetic, lane by lane: SDM Vol. 1, 9.4 (MMX), 10.4.6 (SSE), 11.4.2 (SSE2), 12.6 (SSSE3)
 * and 12.10 (SSE4.1). Each operation is written once on 16 bytes; the MMX forms use the lower half.
 */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import {
  instruction, lane64, lanes, onMmx, onMmxPair, onXmm, readMmxVector, shuffleLanes, splat64, tableOf, vector, zeroVector,
} from './sse-vector.ts';
import type { VectorFunction } from './sse-vector.ts';

/** High words of the 32-bit products. */
function multiplyHigh(low: number, high: number): VectorFunction {
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    const odd = [1, 3, 5, 7, 9, 11, 13, 15];
    return shuffleLanes(builder, vector(builder, low, a, b), vector(builder, high, a, b), 2, odd);
  };
}

/** Products of the even 32-bit lanes. */
function multiplyEven(opcode: number): VectorFunction {
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    const even = (value: Expr) => shuffleLanes(builder, value, value, 4, [0, 2, 0, 2]);
    return vector(builder, opcode, even(a), even(b));
  };
}

/** Rounded high half of the doubled product. Wasm saturates -1 * -1, the processor wraps. */
const multiplyHighRounded: VectorFunction = (builder, first, second) => {
  const a = builder.let(first);
  const b = builder.let(second);
  const lowest = lanes(builder, 2, 0x8000);
  const wraps = vector(builder, op.V128_AND, vector(builder, op.I16X8_EQ, a, lowest), vector(builder, op.I16X8_EQ, b, lowest));
  return vector(builder, op.V128_XOR, vector(builder, op.I16X8_Q15MULR_SAT_S, a, b), wraps);
};

/** Unsigned bytes of the first times signed bytes of the second, neighbours added with saturation. */
const multiplyAddBytes: VectorFunction = (builder, first, second) => {
  const a = builder.let(first);
  const b = builder.let(second);
  const eight = builder.i32(8);
  const even = vector(
    builder, op.I16X8_MUL,
    vector(builder, op.V128_AND, a, lanes(builder, 2, 0xff)),
    vector(builder, op.I16X8_SHR_S, vector(builder, op.I16X8_SHL, b, eight), eight),
  );
  const odd = vector(builder, op.I16X8_MUL, vector(builder, op.I16X8_SHR_U, a, eight), vector(builder, op.I16X8_SHR_S, b, eight));
  return vector(builder, op.I16X8_ADD_SAT_S, even, odd);
};

/** |a - b| of unsigned bytes; both must be locals. */
export function absoluteDifference(builder: Builder, a: Expr, b: Expr): Expr {
  return vector(builder, op.V128_OR, vector(builder, op.I8X16_SUB_SAT_U, a, b), vector(builder, op.I8X16_SUB_SAT_U, b, a));
}

/** Absolute differences of the bytes of each half, added. */
const sumOfDifferences: VectorFunction = (builder, first, second) => {
  const differences = absoluteDifference(builder, builder.let(first), builder.let(second));
  const words = vector(builder, op.I16X8_EXTADD_PAIRWISE_I8X16_U, differences);
  const pairs = builder.let(vector(builder, op.I32X4_EXTADD_PAIRWISE_I16X8_U, words));
  const low = vector(builder, op.V128_AND, pairs, lanes(builder, 8, 0xffff_ffff));
  return vector(builder, op.I64X2_ADD, low, vector(builder, op.I64X2_SHR_U, pairs, builder.i32(32)));
};

/** The first's lanes with the sign of the second's. */
function applySign(negate: number, lessThan: number, notEqual: number): VectorFunction {
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    const negative = vector(builder, lessThan, b, zeroVector(builder));
    const signed = builder.op(op.V128_BITSELECT, 'v128', [vector(builder, negate, a), a, negative]);
    return vector(builder, op.V128_AND, signed, vector(builder, notEqual, b, zeroVector(builder)));
  };
}

const andNot: VectorFunction = (builder, a, b) => vector(builder, op.V128_ANDNOT, b, a);

/** The second operand alone. */
function unary(opcode: number): VectorFunction {
  return (builder, _first, second) => vector(builder, opcode, second);
}

/** MMX has these too, as `<mnemonic>.mmx`. */
const LANE_BY_LANE: Readonly<Record<string, VectorFunction>> = {
  paddb: instruction(op.I8X16_ADD),
  paddw: instruction(op.I16X8_ADD),
  paddd: instruction(op.I32X4_ADD),
  paddq: instruction(op.I64X2_ADD),
  paddsb: instruction(op.I8X16_ADD_SAT_S),
  paddsw: instruction(op.I16X8_ADD_SAT_S),
  paddusb: instruction(op.I8X16_ADD_SAT_U),
  paddusw: instruction(op.I16X8_ADD_SAT_U),
  psubb: instruction(op.I8X16_SUB),
  psubw: instruction(op.I16X8_SUB),
  psubd: instruction(op.I32X4_SUB),
  psubq: instruction(op.I64X2_SUB),
  psubsb: instruction(op.I8X16_SUB_SAT_S),
  psubsw: instruction(op.I16X8_SUB_SAT_S),
  psubusb: instruction(op.I8X16_SUB_SAT_U),
  psubusw: instruction(op.I16X8_SUB_SAT_U),
  pmullw: instruction(op.I16X8_MUL),
  pmulhw: multiplyHigh(op.I32X4_EXTMUL_LOW_I16X8_S, op.I32X4_EXTMUL_HIGH_I16X8_S),
  pmulhuw: multiplyHigh(op.I32X4_EXTMUL_LOW_I16X8_U, op.I32X4_EXTMUL_HIGH_I16X8_U),
  pmulhrsw: multiplyHighRounded,
  pmuludq: multiplyEven(op.I64X2_EXTMUL_LOW_I32X4_U),
  pmaddwd: instruction(op.I32X4_DOT_I16X8_S),
  pmaddubsw: multiplyAddBytes,
  psadbw: sumOfDifferences,
  pavgb: instruction(op.I8X16_AVGR_U),
  pavgw: instruction(op.I16X8_AVGR_U),
  pminub: instruction(op.I8X16_MIN_U),
  pmaxub: instruction(op.I8X16_MAX_U),
  pminsw: instruction(op.I16X8_MIN_S),
  pmaxsw: instruction(op.I16X8_MAX_S),
  pand: instruction(op.V128_AND),
  pandn: andNot,
  por: instruction(op.V128_OR),
  pxor: instruction(op.V128_XOR),
  pcmpeqb: instruction(op.I8X16_EQ),
  pcmpeqw: instruction(op.I16X8_EQ),
  pcmpeqd: instruction(op.I32X4_EQ),
  pcmpgtb: instruction(op.I8X16_GT_S),
  pcmpgtw: instruction(op.I16X8_GT_S),
  pcmpgtd: instruction(op.I32X4_GT_S),
  psignb: applySign(op.I8X16_NEG, op.I8X16_LT_S, op.I8X16_NE),
  psignw: applySign(op.I16X8_NEG, op.I16X8_LT_S, op.I16X8_NE),
  psignd: applySign(op.I32X4_NEG, op.I32X4_LT_S, op.I32X4_NE),
  pabsb: unary(op.I8X16_ABS),
  pabsw: unary(op.I16X8_ABS),
  pabsd: unary(op.I32X4_ABS),
};

const XMM_ONLY: Readonly<Record<string, VectorFunction>> = {
  andps: instruction(op.V128_AND),
  andpd: instruction(op.V128_AND),
  andnps: andNot,
  andnpd: andNot,
  orps: instruction(op.V128_OR),
  orpd: instruction(op.V128_OR),
  xorps: instruction(op.V128_XOR),
  xorpd: instruction(op.V128_XOR),
  pmuldq: multiplyEven(op.I64X2_EXTMUL_LOW_I32X4_S),
  pmulld: instruction(op.I32X4_MUL),
  pcmpeqq: instruction(op.I64X2_EQ),
  pcmpgtq: instruction(op.I64X2_GT_S),
  pminsb: instruction(op.I8X16_MIN_S),
  pmaxsb: instruction(op.I8X16_MAX_S),
  pminuw: instruction(op.I16X8_MIN_U),
  pmaxuw: instruction(op.I16X8_MAX_U),
  pminsd: instruction(op.I32X4_MIN_S),
  pmaxsd: instruction(op.I32X4_MAX_S),
  pminud: instruction(op.I32X4_MIN_U),
  pmaxud: instruction(op.I32X4_MAX_U),
};

/** Even lanes of both sources combined with the odd ones. */
function horizontal(opcode: number, laneSize: 2 | 4): VectorFunction {
  const count = 16 / laneSize;
  const even = Array.from({ length: count }, (_, index) => index * 2);
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    const odd = even.map((lane) => lane + 1);
    return vector(builder, opcode, shuffleLanes(builder, a, b, laneSize, even), shuffleLanes(builder, a, b, laneSize, odd));
  };
}

/** Lower half of the result from the first source, upper half from the second. */
const PAIRED: Readonly<Record<string, VectorFunction>> = {
  packsswb: instruction(op.I8X16_NARROW_I16X8_S),
  packuswb: instruction(op.I8X16_NARROW_I16X8_U),
  packssdw: instruction(op.I16X8_NARROW_I32X4_S),
  phaddw: horizontal(op.I16X8_ADD, 2),
  phaddd: horizontal(op.I32X4_ADD, 4),
  phaddsw: horizontal(op.I16X8_ADD_SAT_S, 2),
  phsubw: horizontal(op.I16X8_SUB, 2),
  phsubd: horizontal(op.I32X4_SUB, 4),
  phsubsw: horizontal(op.I16X8_SUB_SAT_S, 2),
};

/** Lanes of both sources in turn, from the lower or upper halves. */
function interleave(laneSize: number, high: boolean): VectorFunction {
  const half = 8 / laneSize;
  const order = Array.from({ length: half }, (_, index) => {
    const lane = index + (high ? half : 0);
    return [lane, lane + 2 * half];
  }).flat();
  return (builder, a, b) => shuffleLanes(builder, a, b, laneSize, order);
}

const UNPACK: Readonly<Record<string, VectorFunction>> = {
  punpcklbw: interleave(1, false),
  punpcklwd: interleave(2, false),
  punpckldq: interleave(4, false),
  punpcklqdq: interleave(8, false),
  punpckhbw: interleave(1, true),
  punpckhwd: interleave(2, true),
  punpckhdq: interleave(4, true),
  punpckhqdq: interleave(8, true),
  unpcklps: interleave(4, false),
  unpcklpd: interleave(8, false),
  unpckhps: interleave(4, true),
  unpckhpd: interleave(8, true),
};

/** The low forms read only 4 bytes of memory. */
function unpackMmx(laneSize: number, half: 0 | 1): SemanticFunction {
  const operation = interleave(laneSize, false);
  return (builder) => {
    const short = half === 0 && builder.isMemory(1) && builder.operandSize(1) === 4;
    const source = short ? builder.extendU(builder.read(1)) : builder.readMmx(1);
    const second = splat64(builder, builder.let(source));
    builder.writeMmx(0, lane64(builder, operation(builder, readMmxVector(builder, 0), second), half));
  };
}

export const SSE_INTEGER: SemanticsTable = {
  ...tableOf(LANE_BY_LANE, onXmm),
  ...tableOf(XMM_ONLY, onXmm),
  ...tableOf(PAIRED, onXmm),
  ...tableOf(UNPACK, onXmm),
  packusdw: onXmm(instruction(op.I16X8_NARROW_I32X4_U)),
};

export const MMX_INTEGER: SemanticsTable = {
  ...tableOf(LANE_BY_LANE, onMmx, '.mmx'),
  ...tableOf(PAIRED, onMmxPair, '.mmx'),
  'punpcklbw.mmx': unpackMmx(1, 0),
  'punpcklwd.mmx': unpackMmx(2, 0),
  'punpckldq.mmx': unpackMmx(4, 0),
  'punpckhbw.mmx': unpackMmx(1, 1),
  'punpckhwd.mmx': unpackMmx(2, 1),
  'punpckhdq.mmx': unpackMmx(4, 1),
};
