/**
 * NaN results as the processor gives them (SDM Vol. 1, 4.8.3.5, table 4-7): the first source if it is a NaN,
 * made quiet, else the second, else the default NaN, whose sign is set. Wasm leaves the bits of a NaN open,
 * so every operation that can make one tests its result and computes the bits with integers then.
 */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr } from './builder.ts';
import { anyTrue, bitselect, lanes, vector } from './sse-vector.ts';

export type FloatType = 'f32' | 'f64';

const QUIET_F64 = 0x0008_0000_0000_0000n;
const QUIET_F32 = 0x0040_0000;
const DEFAULT_F64 = 0xfff8_0000_0000_0000n;
const DEFAULT_F32 = 0xffc0_0000;

/** Opcodes of scalar and packed instructions by lane type. */
const FLOAT = {
  f64: {
    notEqual: op.F64_NE, toBits: op.I64_REINTERPRET_F64, fromBits: op.F64_REINTERPRET_I64, bits: 'i64',
    lanesNotEqual: op.F64X2_NE, laneSize: 8, quiet: QUIET_F64, defaultNan: DEFAULT_F64,
  },
  f32: {
    notEqual: op.F32_NE, toBits: op.I32_REINTERPRET_F32, fromBits: op.F32_REINTERPRET_I32, bits: 'i32',
    lanesNotEqual: op.F32X4_NE, laneSize: 4, quiet: BigInt(QUIET_F32), defaultNan: BigInt(DEFAULT_F32),
  },
} as const;

export function toBits(builder: Builder, value: Expr): Expr {
  const type = value.type === 'f32' ? FLOAT.f32 : FLOAT.f64;
  return builder.op(type.toBits, type.bits, [value]);
}

export function fromBits(builder: Builder, bits: Expr): Expr {
  return bits.type === 'i32'
    ? builder.op(op.F32_REINTERPRET_I32, 'f32', [bits])
    : builder.op(op.F64_REINTERPRET_I64, 'f64', [bits]);
}

/** `value` must be a local. */
export function isNan(builder: Builder, value: Expr): Expr {
  return builder.op(value.type === 'f32' ? op.F32_NE : op.F64_NE, 'i32', [value, value]);
}

function constantBits(builder: Builder, type: FloatType, value: bigint): Expr {
  return type === 'f64' ? builder.i64(value) : builder.i32(Number(BigInt.asIntN(32, value)));
}

const NATIVE: ReadonlySet<number> = new Set([
  op.F64_ADD, op.F64_SUB, op.F64_MUL, op.F32_ADD, op.F32_SUB, op.F32_MUL,
  op.F64X2_ADD, op.F64X2_SUB, op.F64X2_MUL, op.F32X4_ADD, op.F32X4_SUB, op.F32X4_MUL,
]);

/** The engine's result is right as it is. Not so of a quotient: V8 gives 0 / 0 a positive sign where both are constants. */
export function hasNativeNan(builder: Builder, opcode: number): boolean {
  return builder.nativeNans && NATIVE.has(opcode);
}

/** A scalar result with the NaN that the processor would give; the sources must be locals. */
export function withScalarNan(builder: Builder, result: Expr, ...sources: readonly Expr[]): Expr {
  const type: FloatType = result.type === 'f32' ? 'f32' : 'f64';
  const value = builder.variable(type, result);
  builder.unlikely(isNan(builder, value), () => {
    let bits = constantBits(builder, type, FLOAT[type].defaultNan);
    for (const source of sources.toReversed()) bits = builder.select(isNan(builder, source), toBits(builder, source), bits);
    builder.assign(value, fromBits(builder, builder.or(bits, constantBits(builder, type, FLOAT[type].quiet))));
  });
  return value;
}

/** As `withScalarNan`, for each lane. */
export function withPackedNan(builder: Builder, type: FloatType, result: Expr, ...sources: readonly Expr[]): Expr {
  const { lanesNotEqual, laneSize, quiet, defaultNan } = FLOAT[type];
  const value = builder.variable('v128', result);
  const nans = builder.let(vector(builder, lanesNotEqual, value, value));
  builder.unlikely(anyTrue(builder, nans), () => {
    let fixed = lanes(builder, laneSize, defaultNan);
    for (const source of sources.toReversed()) {
      fixed = bitselect(builder, vector(builder, lanesNotEqual, source, source), source, fixed);
    }
    const quieted = vector(builder, op.V128_OR, fixed, lanes(builder, laneSize, quiet));
    builder.assign(value, bitselect(builder, nans, quieted, value));
  });
  return value;
}

/** The double with the payload of a single NaN given as i32 bits. */
export function widenNan(builder: Builder, bits: Expr): Expr {
  const wide = builder.let(builder.extendU(bits));
  const sign = builder.and(builder.shl(wide, builder.i32(32)), builder.i64(-0x8000_0000_0000_0000n));
  const payload = builder.shl(wide, builder.i32(29));
  return fromBits(builder, builder.or(builder.or(sign, builder.i64(0x7ff8_0000_0000_0000n)), payload));
}

/** The single, as i32 bits, that a double NaN given as i64 bits becomes. */
export function narrowNanBits(builder: Builder, bits: Expr): Expr {
  const wide = builder.let(bits);
  const payload = builder.and(builder.wrap(builder.shrU(wide, builder.i32(29))), builder.i32(0x003f_ffff));
  const sign = builder.and(builder.wrap(builder.shrU(wide, builder.i32(32))), builder.i32(-0x8000_0000));
  return builder.or(builder.or(sign, builder.i32(0x7fc0_0000)), payload);
}
