/**
 * Packed shifts: SDM Vol. 2B PSLLW/PSLLD/PSLLQ, PSRAW/PSRAD, PSRLW/PSRLD/PSRLQ, PSLLDQ, PSRLDQ, PALIGNR.
 * The count is an immediate or the low 64 bits of the second source; beyond the lane's width the result
 * is 0, or all sign.
 */
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { iota, lane64, readMmxSources, splat64, splat8, vector, zeroVector } from './sse-vector.ts';

interface Shift {
  readonly opcode: number;
  readonly laneBits: 16 | 32 | 64;
  readonly arithmetic: boolean;
}

function shiftByConstant(builder: Builder, shift: Shift, value: Expr, count: number): Expr {
  if (count < shift.laneBits) return vector(builder, shift.opcode, value, builder.i32(count));
  if (shift.arithmetic) return vector(builder, shift.opcode, value, builder.i32(shift.laneBits - 1));
  return zeroVector(builder);
}

/** `count` is i32 or i64. */
function shiftByVariable(builder: Builder, shift: Shift, value: Expr, count: Expr): Expr {
  const amount = builder.let(count);
  const size = count.type === 'i64' ? 8 : 4;
  const inRange = builder.ltU(amount, builder.sized(size, shift.laneBits));
  const low = builder.resize(amount, 4);
  if (shift.arithmetic) {
    return vector(builder, shift.opcode, value, builder.select(inRange, low, builder.i32(shift.laneBits - 1)));
  }
  return builder.select(inRange, vector(builder, shift.opcode, value, low), zeroVector(builder));
}

/** By operand 1, an immediate. */
function shiftByImmediate(builder: Builder, shift: Shift, value: Expr): Expr {
  const constant = builder.constant(1);
  return constant === undefined
    ? shiftByVariable(builder, shift, value, builder.read(1))
    : shiftByConstant(builder, shift, value, constant & 0xff);
}

function xmmShift(shift: Shift): SemanticFunction {
  return (builder) => {
    const count = builder.isMemory(1) ? lane64(builder, builder.readV128(1), 0) : builder.readLow64(1);
    builder.writeV128(0, shiftByVariable(builder, shift, builder.readV128(0), count));
  };
}

function mmxShift(shift: Shift): SemanticFunction {
  return (builder) => {
    const [value, count] = readMmxSources(builder);
    builder.writeMmx(0, lane64(builder, shiftByVariable(builder, shift, splat64(builder, value), count), 0));
  };
}

function xmmShiftByImmediate(shift: Shift): SemanticFunction {
  return (builder) => builder.writeV128(0, shiftByImmediate(builder, shift, builder.readV128(0)));
}

function mmxShiftByImmediate(shift: Shift): SemanticFunction {
  return (builder) => {
    builder.writeMmx(0, lane64(builder, shiftByImmediate(builder, shift, splat64(builder, builder.readMmx(0))), 0));
  };
}

const SHIFTS: Readonly<Record<string, Shift>> = {
  psllw: { opcode: op.I16X8_SHL, laneBits: 16, arithmetic: false },
  pslld: { opcode: op.I32X4_SHL, laneBits: 32, arithmetic: false },
  psllq: { opcode: op.I64X2_SHL, laneBits: 64, arithmetic: false },
  psrlw: { opcode: op.I16X8_SHR_U, laneBits: 16, arithmetic: false },
  psrld: { opcode: op.I32X4_SHR_U, laneBits: 32, arithmetic: false },
  psrlq: { opcode: op.I64X2_SHR_U, laneBits: 64, arithmetic: false },
  psraw: { opcode: op.I16X8_SHR_S, laneBits: 16, arithmetic: true },
  psrad: { opcode: op.I32X4_SHR_S, laneBits: 32, arithmetic: true },
};

/** Byte numbers from `offset` on, for swizzle: those outside 0 to 15 give 0. */
function bytesFrom(builder: Builder, offset: Expr): Expr {
  return vector(builder, op.I8X16_ADD, iota(builder), splat8(builder, offset));
}

/** `read(index)` but at most `limit`. */
function boundedByte(builder: Builder, index: number, limit: number): Expr {
  const value = builder.let(builder.read(index));
  return builder.select(builder.ltU(value, builder.i32(limit)), value, builder.i32(limit));
}

/** Whole register, by bytes: `direction` 1 to the right. */
function byteShift(direction: 1 | -1): SemanticFunction {
  return (builder) => {
    const constant = builder.constant(1);
    if (constant !== undefined) {
      const count = Math.min(constant & 0xff, 16);
      const order = Array.from({ length: 16 }, (_, index) => {
        const from = index + direction * count;
        return from >= 0 && from < 16 ? from : 16;
      });
      builder.writeV128(0, builder.shuffle(builder.readV128(0), zeroVector(builder), order));
      return;
    }
    const count = boundedByte(builder, 1, 16);
    const offset = direction === 1 ? count : builder.sub(builder.i32(0), count);
    builder.writeV128(0, vector(builder, op.I8X16_SWIZZLE, builder.readV128(0), bytesFrom(builder, offset)));
  };
}

/** Bytes from `count` on of the first source above the second. */
function palignr(builder: Builder): void {
  const constant = builder.constant(2);
  if (constant !== undefined) {
    const count = Math.min(constant & 0xff, 32);
    const order = Array.from({ length: 16 }, (_, index) => index + count);
    const low = builder.readV128(1);
    const result =
      count <= 16
        ? builder.shuffle(low, builder.readV128(0), order)
        : builder.shuffle(builder.readV128(0), zeroVector(builder), order.map((lane) => Math.min(lane - 16, 16)));
    // The second source is read even where none of its bytes are used: it can fault.
    if (count > 16 && builder.isMemory(1)) builder.let(low);
    builder.writeV128(0, result);
    return;
  }
  const low = builder.let(builder.readV128(1));
  const count = builder.let(boundedByte(builder, 2, 32));
  const fromLow = vector(builder, op.I8X16_SWIZZLE, low, bytesFrom(builder, count));
  const fromHigh = vector(
    builder, op.I8X16_SWIZZLE, builder.readV128(0), bytesFrom(builder, builder.sub(count, builder.i32(16))),
  );
  builder.writeV128(0, vector(builder, op.V128_OR, fromLow, fromHigh));
}

function palignrMmx(builder: Builder): void {
  const low = builder.let(builder.readMmx(1));
  const pair = builder.op(op.I64X2_REPLACE_LANE, 'v128', [splat64(builder, low), builder.readMmx(0)], 1);
  const selected = vector(builder, op.I8X16_SWIZZLE, pair, bytesFrom(builder, boundedByte(builder, 2, 16)));
  builder.writeMmx(0, lane64(builder, selected, 0));
}

function shiftTable(suffix: string, make: (shift: Shift) => SemanticFunction): SemanticsTable {
  return Object.fromEntries(Object.entries(SHIFTS).map(([name, shift]) => [name + suffix, make(shift)]));
}

export const SSE_SHIFTS: SemanticsTable = {
  ...shiftTable('', xmmShift),
  ...shiftTable('-imm', xmmShiftByImmediate),
  pslldq: byteShift(-1),
  psrldq: byteShift(1),
  palignr,
};

export const MMX_SHIFTS: SemanticsTable = {
  ...shiftTable('.mmx', mmxShift),
  ...shiftTable('-imm.mmx', mmxShiftByImmediate),
  'palignr.mmx': palignrMmx,
};
