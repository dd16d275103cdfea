/** Conversions: SDM Vol. 1, 10.4.3, 11.4.1.6, and the instruction pages CVT* (Vol. 2A). */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { fromBits, isNan, narrowNanBits, toBits, widenNan } from './sse-nan.ts';
import type { FloatType } from './sse-nan.ts';
import { roundToNearest } from './sse-rounding.ts';
import { readScalar } from './sse-scalar.ts';
import { anyTrue, bitselect, lane64, lanes, readLowVector, splat64, vector } from './sse-vector.ts';

// ---- scalar ----

const TRUNCATE = {
  f64: { absolute: op.F64_ABS, less: op.F64_LT, 4: op.I32_TRUNC_SAT_F64_S, 8: op.I64_TRUNC_SAT_F64_S },
  f32: { absolute: op.F32_ABS, less: op.F32_LT, 4: op.I32_TRUNC_SAT_F32_S, 8: op.I64_TRUNC_SAT_F32_S },
} as const;

/**
 * To a 4 or 8 byte integer, toward zero. NaN and what does not fit give the "integer indefinite",
 * the lowest number; so the range test need not tell that number itself from the others.
 */
function toInteger(builder: Builder, type: FloatType, size: 4 | 8, source: Expr): Expr {
  const value = builder.let(source);
  const opcodes = TRUNCATE[type];
  const limit = size === 8 ? 2 ** 63 : 2 ** 31;
  const magnitude = builder.op(opcodes.absolute, type, [value]);
  const fits = builder.op(opcodes.less, 'i32', [magnitude, type === 'f64' ? builder.f64(limit) : builder.f32(limit)]);
  const truncated = builder.op(opcodes[size], size === 8 ? 'i64' : 'i32', [value]);
  const indefinite = size === 8 ? builder.i64(-0x8000_0000_0000_0000n) : builder.i32(-0x8000_0000);
  return builder.select(fits, truncated, indefinite);
}

function scalarToInteger(type: FloatType, truncate: boolean): SemanticFunction {
  return (builder) => {
    const source = readScalar(builder, type, 1);
    const rounded = truncate ? source : roundToNearest(builder, type, source);
    builder.write(0, toInteger(builder, type, builder.operandSize(0) === 8 ? 8 : 4, rounded));
  };
}

function cvtsi2sd(builder: Builder): void {
  const opcode = builder.operandSize(1) === 8 ? op.F64_CONVERT_I64_S : op.F64_CONVERT_I32_S;
  builder.writeF64(0, builder.op(opcode, 'f64', [builder.read(1)]));
}

function cvtsi2ss(builder: Builder): void {
  const opcode = builder.operandSize(1) === 8 ? op.F32_CONVERT_I64_S : op.F32_CONVERT_I32_S;
  builder.writeF32(0, builder.op(opcode, 'f32', [builder.read(1)]));
}

function cvtss2sd(builder: Builder): void {
  const source = builder.let(builder.readF32(1));
  const result = builder.variable('f64', builder.op(op.F64_PROMOTE_F32, 'f64', [source]));
  builder.unlikely(isNan(builder, source), () => builder.assign(result, widenNan(builder, toBits(builder, source))));
  builder.writeF64(0, result);
}

function cvtsd2ss(builder: Builder): void {
  const source = builder.let(builder.readF64(1));
  const result = builder.variable('f32', builder.op(op.F32_DEMOTE_F64, 'f32', [source]));
  builder.unlikely(isNan(builder, source), () => {
    builder.assign(result, fromBits(builder, narrowNanBits(builder, toBits(builder, source))));
  });
  builder.writeF32(0, result);
}

// ---- packed, between floating point types ----

function cvtps2pd(builder: Builder): void {
  const source = builder.let(readLowVector(builder, 1, 8));
  const result = builder.variable('v128', vector(builder, op.F64X2_PROMOTE_LOW_F32X4, source));
  const nans = builder.let(vector(builder, op.F64X2_NE, result, result));
  builder.unlikely(anyTrue(builder, nans), () => {
    const wide = builder.let(vector(builder, op.I64X2_EXTEND_LOW_I32X4_U, source));
    const signs = lanes(builder, 8, 0x8000_0000_0000_0000n);
    const sign = vector(builder, op.V128_AND, vector(builder, op.I64X2_SHL, wide, builder.i32(32)), signs);
    const payload = vector(builder, op.I64X2_SHL, wide, builder.i32(29));
    const quiet = lanes(builder, 8, 0x7ff8_0000_0000_0000n);
    const fixed = vector(builder, op.V128_OR, vector(builder, op.V128_OR, sign, payload), quiet);
    builder.assign(result, bitselect(builder, nans, fixed, result));
  });
  builder.writeV128(0, result);
}

function cvtpd2ps(builder: Builder): void {
  const source = builder.let(builder.readV128(1));
  const result = builder.variable('v128', vector(builder, op.F32X4_DEMOTE_F64X2_ZERO, source));
  const nans = builder.let(vector(builder, op.F32X4_NE, result, result));
  builder.unlikely(anyTrue(builder, nans), () => {
    const narrow = (lane: number) => narrowNanBits(builder, lane64(builder, source, lane));
    const low = builder.extendU(narrow(0));
    const high = builder.shl(builder.extendU(narrow(1)), builder.i32(32));
    builder.assign(result, bitselect(builder, nans, splat64(builder, builder.or(low, high)), result));
  });
  builder.writeV128(0, result);
}

// ---- packed, integers ----

/** Four singles to integers, toward zero. */
function singlesToIntegers(builder: Builder, source: Expr): Expr {
  const value = builder.let(source);
  const fits = vector(builder, op.F32X4_LT, vector(builder, op.F32X4_ABS, value), lanes(builder, 4, 0x4f00_0000));
  const truncated = vector(builder, op.I32X4_TRUNC_SAT_F32X4_S, value);
  return bitselect(builder, fits, truncated, lanes(builder, 4, 0x8000_0000));
}

/** Two doubles to the lower two integers, toward zero; the upper two become 0. */
function doublesToIntegers(builder: Builder, source: Expr): Expr {
  const value = builder.let(source);
  const limit = lanes(builder, 8, 0x41e0_0000_0000_0000n);
  const wide = builder.let(vector(builder, op.F64X2_LT, vector(builder, op.F64X2_ABS, value), limit));
  const fits = builder.shuffle(wide, wide, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
  const truncated = vector(builder, op.I32X4_TRUNC_SAT_F64X2_S_ZERO, value);
  return bitselect(builder, fits, truncated, lanes(builder, 4, 0x8000_0000, 0x8000_0000, 0, 0));
}

function packedToIntegers(type: FloatType, truncate: boolean): SemanticFunction {
  return (builder) => {
    const source = builder.readV128(1);
    const rounded = truncate ? source : roundToNearest(builder, type === 'f64' ? 'f64x2' : 'f32x4', source);
    builder.writeV128(0, type === 'f64' ? doublesToIntegers(builder, rounded) : singlesToIntegers(builder, rounded));
  };
}

function cvtdq2pd(builder: Builder): void {
  builder.writeV128(0, vector(builder, op.F64X2_CONVERT_LOW_I32X4_S, readLowVector(builder, 1, 8)));
}

function cvtdq2ps(builder: Builder): void {
  builder.writeV128(0, vector(builder, op.F32X4_CONVERT_I32X4_S, builder.readV128(1)));
}

// ---- MMX ----

function cvtpi2pd(builder: Builder): void {
  const source = splat64(builder, builder.readMmx(1));
  builder.writeV128(0, vector(builder, op.F64X2_CONVERT_LOW_I32X4_S, source));
}

/** The upper half of the destination stays. */
function cvtpi2ps(builder: Builder): void {
  const source = splat64(builder, builder.readMmx(1));
  builder.writeLow64(0, lane64(builder, vector(builder, op.F32X4_CONVERT_I32X4_S, source), 0));
}

function singlesToMmx(truncate: boolean): SemanticFunction {
  return (builder) => {
    const source = readLowVector(builder, 1, 8);
    const rounded = truncate ? source : roundToNearest(builder, 'f32x4', source);
    builder.writeMmx(0, lane64(builder, singlesToIntegers(builder, rounded), 0));
  };
}

function doublesToMmx(truncate: boolean): SemanticFunction {
  return (builder) => {
    const source = builder.readV128(1);
    const rounded = truncate ? source : roundToNearest(builder, 'f64x2', source);
    builder.writeMmx(0, lane64(builder, doublesToIntegers(builder, rounded), 0));
  };
}

export const SSE_CONVERSIONS: SemanticsTable = {
  cvtsd2si: scalarToInteger('f64', false),
  cvttsd2si: scalarToInteger('f64', true),
  cvtss2si: scalarToInteger('f32', false),
  cvttss2si: scalarToInteger('f32', true),
  cvtsi2sd,
  cvtsi2ss,
  cvtss2sd,
  cvtsd2ss,
  cvtps2pd,
  cvtpd2ps,
  cvtps2dq: packedToIntegers('f32', false),
  cvttps2dq: packedToIntegers('f32', true),
  cvtpd2dq: packedToIntegers('f64', false),
  cvttpd2dq: packedToIntegers('f64', true),
  cvtdq2pd,
  cvtdq2ps,
  cvtpi2pd,
  cvtpi2ps,
  cvtps2pi: singlesToMmx(false),
  cvttps2pi: singlesToMmx(true),
  cvtpd2pi: doublesToMmx(false),
  cvttpd2pi: doublesToMmx(true),
};
