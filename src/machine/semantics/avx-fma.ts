/** Fused multiplication and addition: SDM Vol. 1, 14.5. Product and sum are rounded once, which a helper does exactly (`helpers/fma.ts`). */
import { FMA_DOUBLE, FMA_NEGATE_EVEN, FMA_NEGATE_ODD, FMA_NEGATE_PRODUCT, FMA_SCALAR, FMA_UPPER, FMA_WIDE } from '../helpers/fma.ts';
import { STATE_VECTOR_SCRATCH } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { zeroVector } from './sse-vector.ts';

const OPERATIONS: Readonly<Record<string, number>> = {
  fmadd: 0,
  fmsub: FMA_NEGATE_EVEN | FMA_NEGATE_ODD,
  fnmadd: FMA_NEGATE_PRODUCT,
  fnmsub: FMA_NEGATE_PRODUCT | FMA_NEGATE_EVEN | FMA_NEGATE_ODD,
  fmaddsub: FMA_NEGATE_EVEN,
  fmsubadd: FMA_NEGATE_ODD,
};

/** Operands that are multiplied, and the one that is added. */
const ORDERS: Readonly<Record<string, readonly [number, number, number]>> = { 132: [0, 2, 1], 213: [1, 0, 2], 231: [1, 2, 0] };

function readAll(b: Builder, index: number, isScalar: boolean, isDouble: boolean): readonly [Expr, Expr] {
  if (!isScalar) return b.operandSize(index) === 32 ? b.readV256(index) : [b.let(b.readV128(index)), zeroVector(b)];
  if (!b.isMemory(index)) return [b.let(b.readV128(index)), zeroVector(b)];
  return [b.let(b.op(op.I64X2_SPLAT, 'v128', [isDouble ? b.readLow64(index) : b.extendU(b.readLow32(index))])), zeroVector(b)];
}

function fused(kind: number, order: readonly [number, number, number]): SemanticFunction {
  const isScalar = (kind & FMA_SCALAR) !== 0;
  const isDouble = (kind & FMA_DOUBLE) !== 0;
  return (b) => {
    const wide = b.operandSize(0) === 32;
    const operands = [2, 1, 0].map((index) => readAll(b, index, isScalar, isDouble)).reverse();
    order.forEach((operand, slot) => {
      b.writeState(STATE_VECTOR_SCRATCH + 16 * slot, operands[operand]![0]);
      if (wide) b.writeState(STATE_VECTOR_SCRATCH + FMA_UPPER + 16 * slot, operands[operand]![1]);
    });
    b.helperAt('fma', STATE_VECTOR_SCRATCH, STATE_VECTOR_SCRATCH, wide ? kind | FMA_WIDE : kind);
    const low = b.let(b.readState(STATE_VECTOR_SCRATCH, 'v128'));
    const high = wide ? b.readState(STATE_VECTOR_SCRATCH + FMA_UPPER, 'v128') : zeroVector(b);
    if (!isScalar) {
      b.writeV256(0, low, high);
      return;
    }
    if (isDouble) b.writeF64(0, b.op(op.F64X2_EXTRACT_LANE, 'f64', [low], 0));
    else b.writeF32(0, b.op(op.F32X4_EXTRACT_LANE, 'f32', [low], 0));
    b.writeYmmHigh(0, zeroVector(b));
  };
}

export const AVX_FMA: SemanticsTable = Object.fromEntries(
  Object.entries(OPERATIONS).flatMap(([name, kind]) =>
    Object.entries(ORDERS).flatMap(([order, operands]) =>
      (name.length > 6 ? ['ps', 'pd'] : ['ps', 'pd', 'ss', 'sd']).map((type): [string, SemanticFunction] => {
        const flags = kind | (type.endsWith('d') ? FMA_DOUBLE : 0) | (type.startsWith('s') ? FMA_SCALAR : 0);
        return [`v${name}${order}${type}`, fused(flags, operands)];
      }),
    ),
  ),
);
