/**
 * Scalar floating point: SDM Vol. 1, 10.4.1.2 and 11.4.1.2. Only the low lane of the destination changes.
 * It rounds to nearest and sets no exception flags: `sse-exact.ts` is for programs that want more.
 */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { fromBits, hasNativeNan, toBits, withScalarNan } from './sse-nan.ts';
import type { FloatType } from './sse-nan.ts';
import { roundByImmediate } from './sse-rounding.ts';

export function readScalar(builder: Builder, type: FloatType, index: number): Expr {
  return type === 'f64' ? builder.readF64(index) : builder.readF32(index);
}

export function writeScalar(builder: Builder, type: FloatType, index: number, value: Expr): void {
  if (type === 'f64') builder.writeF64(index, value);
  else builder.writeF32(index, value);
}

function arithmetic(type: FloatType, opcode: number): SemanticFunction {
  return (builder) => {
    const a = builder.let(readScalar(builder, type, 0));
    const b = builder.let(readScalar(builder, type, 1));
    const result = builder.op(opcode, type, [a, b]);
    writeScalar(builder, type, 0, hasNativeNan(builder, opcode) ? result : withScalarNan(builder, result, a, b));
  };
}

function squareRoot(type: FloatType): SemanticFunction {
  const opcode = type === 'f64' ? op.F64_SQRT : op.F32_SQRT;
  return (builder) => {
    const source = builder.let(readScalar(builder, type, 1));
    writeScalar(builder, type, 0, withScalarNan(builder, builder.op(opcode, type, [source]), source));
  };
}

/** MIN and MAX give the second source, unchanged, unless the first is strictly less or greater. */
function chooseBy(type: FloatType, compare: number): SemanticFunction {
  return (builder) => {
    const a = builder.let(readScalar(builder, type, 0));
    const b = builder.let(readScalar(builder, type, 1));
    writeScalar(builder, type, 0, builder.select(builder.op(compare, 'i32', [a, b]), a, b));
  };
}

function round(type: FloatType): SemanticFunction {
  return (builder) => {
    const source = builder.let(readScalar(builder, type, 1));
    writeScalar(builder, type, 0, withScalarNan(builder, roundByImmediate(builder, type, source, 2), source));
  };
}

/** Zero for subnormal numbers, as RCPSS and RSQRTSS take them and RCPSS gives them. */
function flushSubnormal(builder: Builder, value: Expr): Expr {
  const bits = builder.let(toBits(builder, value));
  const normal = builder.and(bits, builder.i32(0x7f80_0000));
  return fromBits(builder, builder.select(normal, bits, builder.and(bits, builder.i32(-0x8000_0000))));
}

/** 1 / x at full precision; processors give 12 bits or more, each maker its own. */
function reciprocal(builder: Builder): void {
  const source = builder.let(builder.readF32(1));
  const quotient = builder.op(op.F32_DIV, 'f32', [builder.f32(1), flushSubnormal(builder, source)]);
  builder.writeF32(0, flushSubnormal(builder, withScalarNan(builder, quotient, source)));
}

function reciprocalSquareRoot(builder: Builder): void {
  const source = builder.let(builder.readF32(1));
  const root = builder.op(op.F32_SQRT, 'f32', [flushSubnormal(builder, source)]);
  const quotient = builder.op(op.F32_DIV, 'f32', [builder.f32(1), root]);
  builder.writeF32(0, withScalarNan(builder, quotient, source));
}

export const SSE_SCALAR: SemanticsTable = {
  addsd: arithmetic('f64', op.F64_ADD),
  subsd: arithmetic('f64', op.F64_SUB),
  mulsd: arithmetic('f64', op.F64_MUL),
  divsd: arithmetic('f64', op.F64_DIV),
  sqrtsd: squareRoot('f64'),
  minsd: chooseBy('f64', op.F64_LT),
  maxsd: chooseBy('f64', op.F64_GT),
  roundsd: round('f64'),
  addss: arithmetic('f32', op.F32_ADD),
  subss: arithmetic('f32', op.F32_SUB),
  mulss: arithmetic('f32', op.F32_MUL),
  divss: arithmetic('f32', op.F32_DIV),
  sqrtss: squareRoot('f32'),
  minss: chooseBy('f32', op.F32_LT),
  maxss: chooseBy('f32', op.F32_GT),
  roundss: round('f32'),
  rcpss: reciprocal,
  rsqrtss: reciprocalSquareRoot,
};
