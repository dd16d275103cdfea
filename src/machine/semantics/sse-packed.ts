/** Packed floating point: SDM Vol. 1, 10.4.1.2, 11.4.1.2, 12.3.4 to 12.3.5 (SSE3), 12.10.4 (dot products). */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { hasNativeNan, withPackedNan } from './sse-nan.ts';
import type { FloatType } from './sse-nan.ts';
import { roundByImmediate } from './sse-rounding.ts';
import { bitselect, lanes, onXmm, shuffleLanes, splat32, vector, zeroVector } from './sse-vector.ts';
import type { VectorFunction } from './sse-vector.ts';

function binary(type: FloatType, opcode: number): VectorFunction {
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    const result = vector(builder, opcode, a, b);
    return hasNativeNan(builder, opcode) ? result : withPackedNan(builder, type, result, a, b);
  };
}

function squareRoot(type: FloatType, opcode: number): VectorFunction {
  return (builder, _first, second) => {
    const source = builder.let(second);
    return withPackedNan(builder, type, vector(builder, opcode, source), source);
  };
}

/** MINPS(a, b) is `a < b ? a : b`, which Wasm calls pmin(b, a). */
function swapped(opcode: number): VectorFunction {
  return (builder, a, b) => vector(builder, opcode, b, a);
}

/** Even lanes of both sources combined with the odd ones. */
function horizontal(type: FloatType, opcode: number): VectorFunction {
  const size = type === 'f64' ? 8 : 4;
  const even = type === 'f64' ? [0, 2] : [0, 2, 4, 6];
  const odd = even.map((lane) => lane + 1);
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    return binary(type, opcode)(builder, shuffleLanes(builder, a, b, size, even), shuffleLanes(builder, a, b, size, odd));
  };
}

/** Subtracts in even lanes, adds in odd ones. */
function addSubtract(type: FloatType, add: number, subtract: number): VectorFunction {
  const size = type === 'f64' ? 8 : 4;
  const order = type === 'f64' ? [0, 3] : [0, 5, 2, 7];
  return (builder, first, second) => {
    const a = builder.let(first);
    const b = builder.let(second);
    const mixed = shuffleLanes(builder, vector(builder, subtract, a, b), vector(builder, add, a, b), size, order);
    return withPackedNan(builder, type, mixed, a, b);
  };
}

function round(type: FloatType): SemanticFunction {
  return (builder) => {
    const source = builder.let(builder.readV128(1));
    const rounded = roundByImmediate(builder, type === 'f64' ? 'f64x2' : 'f32x4', source, 2);
    builder.writeV128(0, withPackedNan(builder, type, rounded, source));
  };
}

/** All ones in the lanes of `size` bytes whose bits are set in operand 2, from bit `from` on. */
function maskFromImmediate(builder: Builder, immediate: Expr, size: 4 | 8, from: number): Expr {
  const bits = size === 4 ? [1, 2, 4, 8] : [1, 1, 2, 2];
  const bit = lanes(builder, 4, ...bits.map((value) => value << from));
  return vector(builder, op.I32X4_EQ, vector(builder, op.V128_AND, splat32(builder, immediate), bit), bit);
}

/**
 * DPPS and DPPD: products of the lanes chosen by bits 4 to 7, added in pairs, and the sum in the lanes
 * chosen by bits 0 to 3; 0 elsewhere.
 */
function dotProduct(type: FloatType): SemanticFunction {
  const [multiply, add, size] = type === 'f64' ? [op.F64X2_MUL, op.F64X2_ADD, 8 as const] : [op.F32X4_MUL, op.F32X4_ADD, 4 as const];
  return (builder) => {
    const b = builder.let(builder.readV128(1));
    const a = builder.let(builder.readV128(0));
    const immediate = builder.let(builder.read(2));
    const product = withPackedNan(builder, type, vector(builder, multiply, a, b), a, b);
    let sum = builder.let(vector(builder, op.V128_AND, product, maskFromImmediate(builder, immediate, size, 4)));
    const sumOf = (value: Expr, even: readonly number[], odd: readonly number[]) =>
      binary(type, add)(builder, shuffleLanes(builder, value, value, size, even), shuffleLanes(builder, value, value, size, odd));
    if (type === 'f64') {
      sum = sumOf(sum, [0, 0], [1, 1]);
    } else {
      const pairs = sumOf(sum, [0, 2, 0, 2], [1, 3, 1, 3]);
      sum = sumOf(pairs, [0, 0, 0, 0], [1, 1, 1, 1]);
    }
    builder.writeV128(0, vector(builder, op.V128_AND, sum, maskFromImmediate(builder, immediate, size, 0)));
  };
}

/** Zero for subnormal lanes. `value` must be a local. */
function flushSubnormal(builder: Builder, value: Expr): Expr {
  const normal = vector(builder, op.V128_AND, value, lanes(builder, 4, 0x7f80_0000));
  const isNormal = vector(builder, op.I32X4_NE, normal, zeroVector(builder));
  return bitselect(builder, isNormal, value, vector(builder, op.V128_AND, value, lanes(builder, 4, 0x8000_0000)));
}

const one = (builder: Builder): Expr => lanes(builder, 4, 0x3f80_0000);

/** As RCPSS (`sse-scalar.ts`) in each lane. */
const reciprocal: VectorFunction = (builder, _first, second) => {
  const source = builder.let(second);
  const quotient = vector(builder, op.F32X4_DIV, one(builder), flushSubnormal(builder, source));
  return flushSubnormal(builder, withPackedNan(builder, 'f32', quotient, source));
};

const reciprocalSquareRoot: VectorFunction = (builder, _first, second) => {
  const source = builder.let(second);
  const root = vector(builder, op.F32X4_SQRT, flushSubnormal(builder, source));
  return withPackedNan(builder, 'f32', vector(builder, op.F32X4_DIV, one(builder), root), source);
};

export const SSE_PACKED: SemanticsTable = {
  addpd: onXmm(binary('f64', op.F64X2_ADD)),
  subpd: onXmm(binary('f64', op.F64X2_SUB)),
  mulpd: onXmm(binary('f64', op.F64X2_MUL)),
  divpd: onXmm(binary('f64', op.F64X2_DIV)),
  sqrtpd: onXmm(squareRoot('f64', op.F64X2_SQRT)),
  minpd: onXmm(swapped(op.F64X2_PMIN)),
  maxpd: onXmm(swapped(op.F64X2_PMAX)),
  haddpd: onXmm(horizontal('f64', op.F64X2_ADD)),
  hsubpd: onXmm(horizontal('f64', op.F64X2_SUB)),
  addsubpd: onXmm(addSubtract('f64', op.F64X2_ADD, op.F64X2_SUB)),
  roundpd: round('f64'),
  dppd: dotProduct('f64'),
  addps: onXmm(binary('f32', op.F32X4_ADD)),
  subps: onXmm(binary('f32', op.F32X4_SUB)),
  mulps: onXmm(binary('f32', op.F32X4_MUL)),
  divps: onXmm(binary('f32', op.F32X4_DIV)),
  sqrtps: onXmm(squareRoot('f32', op.F32X4_SQRT)),
  minps: onXmm(swapped(op.F32X4_PMIN)),
  maxps: onXmm(swapped(op.F32X4_PMAX)),
  haddps: onXmm(horizontal('f32', op.F32X4_ADD)),
  hsubps: onXmm(horizontal('f32', op.F32X4_SUB)),
  addsubps: onXmm(addSubtract('f32', op.F32X4_ADD, op.F32X4_SUB)),
  roundps: round('f32'),
  dpps: dotProduct('f32'),
  rcpps: onXmm(reciprocal),
  rsqrtps: onXmm(reciprocalSquareRoot),
};
