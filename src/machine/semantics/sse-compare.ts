/** Floating point compares: SDM Vol. 2A CMPPD/CMPPS/CMPSD/CMPSS (table 3-1), COMISD, UCOMISD. */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import type { FloatType } from './sse-nan.ts';
import { readScalar } from './sse-scalar.ts';
import { splat32, vector } from './sse-vector.ts';

const SCALAR = {
  f64: { eq: op.F64_EQ, ne: op.F64_NE, lt: op.F64_LT, le: op.F64_LE },
  f32: { eq: op.F32_EQ, ne: op.F32_NE, lt: op.F32_LT, le: op.F32_LE },
} as const;
const PACKED = {
  f64: { eq: op.F64X2_EQ, ne: op.F64X2_NE, lt: op.F64X2_LT, le: op.F64X2_LE },
  f32: { eq: op.F32X4_EQ, ne: op.F32X4_NE, lt: op.F32X4_LT, le: op.F32X4_LE },
} as const;

interface Comparisons {
  readonly test: (opcode: number, a: Expr, b: Expr) => Expr;
  readonly or: (a: Expr, b: Expr) => Expr;
  readonly not: (a: Expr) => Expr;
}

type CompareOpcodes = Readonly<Record<'eq' | 'ne' | 'lt' | 'le', number>>;

/** Predicates 0 to 7: EQ, LT, LE, UNORD and their negations. `a` and `b` must be locals. */
function predicate(by: Comparisons, opcodes: CompareOpcodes, number: number, a: Expr, b: Expr): Expr {
  const unordered = () => by.or(by.test(opcodes.ne, a, a), by.test(opcodes.ne, b, b));
  switch (number & 7) {
    case 0: return by.test(opcodes.eq, a, b);
    case 1: return by.test(opcodes.lt, a, b);
    case 2: return by.test(opcodes.le, a, b);
    case 3: return unordered();
    case 4: return by.test(opcodes.ne, a, b);
    case 5: return by.not(by.test(opcodes.lt, a, b));
    case 6: return by.not(by.test(opcodes.le, a, b));
    default: return by.not(unordered());
  }
}

/** One of the four plain predicates by the low two bits of an immediate that is known only at run time. */
function selectPredicate(builder: Builder, immediate: Expr, make: (number: number) => Expr): Expr {
  const is = (number: number) => builder.eq(builder.and(immediate, builder.i32(3)), builder.i32(number));
  return builder.select(
    is(0), make(0), builder.select(is(1), make(1), builder.select(is(2), make(2), make(3))),
  );
}

/** All ones where predicate bit 2 is set. */
function negation(builder: Builder, immediate: Expr): Expr {
  return builder.shrS(builder.shl(immediate, builder.i32(29)), builder.i32(31));
}

function comparePacked(type: FloatType): SemanticFunction {
  return (builder) => {
    const by: Comparisons = {
      test: (opcode, a, b) => vector(builder, opcode, a, b),
      or: (a, b) => vector(builder, op.V128_OR, a, b),
      not: (a) => vector(builder, op.V128_NOT, a),
    };
    const a = builder.let(builder.readV128(0));
    const b = builder.let(builder.readV128(1));
    const constant = builder.constant(2);
    if (constant !== undefined) {
      builder.writeV128(0, predicate(by, PACKED[type], constant, a, b));
      return;
    }
    const immediate = builder.let(builder.read(2));
    const plain = selectPredicate(builder, immediate, (number) => predicate(by, PACKED[type], number, a, b));
    builder.writeV128(0, vector(builder, op.V128_XOR, plain, splat32(builder, negation(builder, immediate))));
  };
}

/** The result as i32, 0 or -1. */
function scalarMask(builder: Builder, type: FloatType): Expr {
  const by: Comparisons = {
    test: (opcode, a, b) => builder.op(opcode, 'i32', [a, b]),
    or: (a, b) => builder.or(a, b),
    not: (a) => builder.eqz(a),
  };
  const a = builder.let(readScalar(builder, type, 0));
  const b = builder.let(readScalar(builder, type, 1));
  const constant = builder.constant(2);
  if (constant !== undefined) return builder.sub(builder.i32(0), predicate(by, SCALAR[type], constant, a, b));
  const immediate = builder.let(builder.read(2));
  const plain = selectPredicate(builder, immediate, (number) => predicate(by, SCALAR[type], number, a, b));
  return builder.xor(builder.sub(builder.i32(0), plain), negation(builder, immediate));
}

function compareToFlags(type: FloatType): SemanticFunction {
  return (builder) => builder.flagsCompare(readScalar(builder, type, 0), readScalar(builder, type, 1));
}

export const SSE_COMPARE: SemanticsTable = {
  cmppd: comparePacked('f64'),
  cmpps: comparePacked('f32'),
  cmpsd: (builder) => builder.writeLow64(0, builder.extendS(scalarMask(builder, 'f64'))),
  cmpss: (builder) => builder.writeLow32(0, scalarMask(builder, 'f32')),
  comisd: compareToFlags('f64'),
  ucomisd: compareToFlags('f64'),
  comiss: compareToFlags('f32'),
  ucomiss: compareToFlags('f32'),
};
