/** VCMPPS and its like with their 32 predicates: SDM Vol. 2A, table 3-1. Bit 4 tells only whether a quiet NaN is an invalid operand. */
import * as op from '../wasm/opcodes.ts';
import { lanewise } from './avx-lanes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import type { FloatType } from './sse-nan.ts';
import { readScalar } from './sse-scalar.ts';
import { splat32, vector, zeroVector } from './sse-vector.ts';

const PACKED = {
  f64: { eq: op.F64X2_EQ, ne: op.F64X2_NE, lt: op.F64X2_LT, le: op.F64X2_LE },
  f32: { eq: op.F32X4_EQ, ne: op.F32X4_NE, lt: op.F32X4_LT, le: op.F32X4_LE },
} as const;

/** Predicates with bit 2 clear, by bits 0, 1 and 3; the others are their negations. `a` and `b` must be locals. */
function plain(builder: Builder, type: FloatType, number: number, a: Expr, b: Expr): Expr {
  const { eq, ne, lt, le } = PACKED[type];
  const not = (value: Expr): Expr => vector(builder, op.V128_NOT, value);
  const unordered = (): Expr => vector(builder, op.V128_OR, vector(builder, ne, a, a), vector(builder, ne, b, b));
  switch (number) {
    case 0: return vector(builder, eq, a, b);
    case 1: return vector(builder, lt, a, b);
    case 2: return vector(builder, le, a, b);
    case 3: return unordered();
    case 8: return vector(builder, op.V128_OR, vector(builder, eq, a, b), unordered());
    case 9: return not(vector(builder, le, b, a));
    case 10: return not(vector(builder, lt, b, a));
    default: return zeroVector(builder);
  }
}

/** Operand 2 is the predicate. */
function compare(builder: Builder, type: FloatType, first: Expr, second: Expr): Expr {
  const a = builder.let(first);
  const b = builder.let(second);
  const constant = builder.constant(2);
  if (constant !== undefined) {
    const result = plain(builder, type, constant & 0b1011, a, b);
    return (constant & 4) === 0 ? result : vector(builder, op.V128_NOT, result);
  }
  const immediate = builder.let(builder.read(2));
  const bits = builder.let(builder.and(immediate, builder.i32(0b1011)));
  const result = builder.variable('v128', plain(builder, type, 0, a, b));
  for (const number of [1, 2, 3, 8, 9, 10, 11]) {
    builder.if(builder.eq(bits, builder.i32(number)), () => builder.assign(result, plain(builder, type, number, a, b)));
  }
  const negation = builder.shrS(builder.shl(immediate, builder.i32(29)), builder.i32(31));
  return vector(builder, op.V128_XOR, result, splat32(builder, negation));
}

function packed(type: FloatType): SemanticFunction {
  return lanewise((b) => b.writeV128(0, compare(b, type, b.readV128(0), b.readV128(1))), 1);
}

function scalar(type: FloatType): SemanticFunction {
  const splat = type === 'f64' ? op.F64X2_SPLAT : op.F32X4_SPLAT;
  return lanewise((b) => {
    const lane = (index: number): Expr => vector(b, splat, readScalar(b, type, index));
    const result = compare(b, type, lane(0), lane(1));
    if (type === 'f64') b.writeLow64(0, b.op(op.I64X2_EXTRACT_LANE, 'i64', [result], 0));
    else b.writeLow32(0, b.op(op.I32X4_EXTRACT_LANE, 'i32', [result], 0));
  }, 1);
}

export const AVX_COMPARE: SemanticsTable = { vcmpps: packed('f32'), vcmppd: packed('f64'), vcmpss: scalar('f32'), vcmpsd: scalar('f64') };
