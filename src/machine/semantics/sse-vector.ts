/** Short forms for SIMD expressions, shared by the SSE and MMX semantics. */
import {
  I16X8_EXTRACT_LANE_U, I16X8_SPLAT, I32X4_EXTRACT_LANE, I32X4_SPLAT,
  I64X2_EXTRACT_LANE, I64X2_REPLACE_LANE, I64X2_SPLAT, I8X16_BITMASK, I8X16_EXTRACT_LANE_U, I8X16_SPLAT,
  V128_ANY_TRUE, V128_BITSELECT,
} from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';

/** Two vectors to one; must `let` what it uses twice. */
export type VectorFunction = (builder: Builder, first: Expr, second: Expr) => Expr;

/** A SIMD instruction whose result is a vector. */
export function vector(builder: Builder, opcode: number, ...args: readonly Expr[]): Expr {
  return builder.op(opcode, 'v128', args);
}

/** `mask ? a : b`, bit by bit. */
export function bitselect(builder: Builder, mask: Expr, a: Expr, b: Expr): Expr {
  return builder.op(V128_BITSELECT, 'v128', [a, b, mask]);
}

export function anyTrue(builder: Builder, a: Expr): Expr {
  return builder.op(V128_ANY_TRUE, 'i32', [a]);
}

export function bitmask(builder: Builder, a: Expr, opcode = I8X16_BITMASK): Expr {
  return builder.op(opcode, 'i32', [a]);
}

export function splat8(builder: Builder, value: Expr): Expr {
  return builder.op(I8X16_SPLAT, 'v128', [value]);
}

export function splat16(builder: Builder, value: Expr): Expr {
  return builder.op(I16X8_SPLAT, 'v128', [value]);
}

export function splat32(builder: Builder, value: Expr): Expr {
  return builder.op(I32X4_SPLAT, 'v128', [value]);
}

export function splat64(builder: Builder, value: Expr): Expr {
  return builder.op(I64X2_SPLAT, 'v128', [value]);
}

export function lane8(builder: Builder, a: Expr, lane: number): Expr {
  return builder.op(I8X16_EXTRACT_LANE_U, 'i32', [a], lane);
}

export function lane16(builder: Builder, a: Expr, lane: number): Expr {
  return builder.op(I16X8_EXTRACT_LANE_U, 'i32', [a], lane);
}

export function lane32(builder: Builder, a: Expr, lane: number): Expr {
  return builder.op(I32X4_EXTRACT_LANE, 'i32', [a], lane);
}

export function lane64(builder: Builder, a: Expr, lane: number): Expr {
  return builder.op(I64X2_EXTRACT_LANE, 'i64', [a], lane);
}

/** A vector of two halves. */
export function halves(builder: Builder, low: Expr, high: Expr): Expr {
  return builder.op(I64X2_REPLACE_LANE, 'v128', [splat64(builder, low), high], 1);
}

// ---- constants ----

function bytesOf(values: readonly (number | bigint)[], laneSize: number): number[] {
  return values.flatMap((value) =>
    Array.from({ length: laneSize }, (_, index) => Number((BigInt(value) >> BigInt(index * 8)) & 0xffn)),
  );
}

/** A vector constant from its lanes, low lane first; the list is repeated to fill 16 bytes. */
export function lanes(builder: Builder, laneSize: number, ...values: readonly (number | bigint)[]): Expr {
  const bytes = bytesOf(values, laneSize);
  return builder.v128(Array.from({ length: 16 }, (_, index) => bytes[index % bytes.length] ?? 0));
}

export function zeroVector(builder: Builder): Expr {
  return lanes(builder, 8, 0);
}

/** Bytes 0, 1, ... 15. */
export function iota(builder: Builder): Expr {
  return builder.v128(Array.from({ length: 16 }, (_, index) => index));
}

/** Byte lanes for `shuffle` from lane numbers of a larger size. */
export function byteLanes(laneNumbers: readonly number[], laneSize: number): number[] {
  return laneNumbers.flatMap((lane) => Array.from({ length: laneSize }, (_, index) => lane * laneSize + index));
}

/** Shuffle of lanes of `laneSize` bytes; numbers from 16 / laneSize on are those of `b`. */
export function shuffleLanes(builder: Builder, a: Expr, b: Expr, laneSize: number, laneNumbers: readonly number[]): Expr {
  return builder.shuffle(a, b, byteLanes(laneNumbers, laneSize));
}

// ---- operands ----

/** The low 2, 4 or 8 bytes of a source as a vector; what is above them is unspecified. Memory reads just those bytes. */
export function readLowVector(builder: Builder, index: number, bytes: number): Expr {
  if (!builder.isMemory(index)) return builder.readV128(index);
  if (bytes === 8) return splat64(builder, builder.readLow64(index));
  return splat32(builder, bytes === 4 ? builder.readLow32(index) : builder.read(index));
}

/** 64 bits of an mmx register or memory as both halves of a vector. */
export function readMmxVector(builder: Builder, index: number): Expr {
  return splat64(builder, builder.readMmx(index));
}

/** Both 64-bit sources; memory is read first, as reading a register already changes the x87 state. */
export function readMmxSources(builder: Builder): readonly [first: Expr, second: Expr] {
  const second = builder.isMemory(1) ? builder.let(builder.readMmx(1)) : builder.readMmx(1);
  return [builder.readMmx(0), second];
}

/** `xmm1 = operation(xmm1, xmm2/m128)`. */
export function onXmm(operation: VectorFunction): SemanticFunction {
  return (builder) => {
    builder.writeV128(0, operation(builder, builder.readV128(0), builder.readV128(1)));
  };
}

/** `mm1 = operation(mm1, mm2/m64)`, lane by lane. */
export function onMmx(operation: VectorFunction): SemanticFunction {
  return (builder) => {
    const [first, second] = readMmxSources(builder);
    builder.writeMmx(0, lane64(builder, operation(builder, splat64(builder, first), splat64(builder, second)), 0));
  };
}

/** As `onMmx` for operations that take their result's lower half from the first source and its upper from the second. */
export function onMmxPair(operation: VectorFunction): SemanticFunction {
  return (builder) => {
    const [first, second] = readMmxSources(builder);
    const pair = builder.let(halves(builder, first, second));
    builder.writeMmx(0, lane64(builder, operation(builder, pair, pair), 0));
  };
}

/** Lane by lane operation by one Wasm instruction. */
export function instruction(opcode: number): VectorFunction {
  return (builder, a, b) => vector(builder, opcode, a, b);
}

/** A table with the same function for every entry of `operations`. */
export function tableOf(
  operations: Readonly<Record<string, VectorFunction>>,
  make: (operation: VectorFunction) => SemanticFunction,
  suffix = '',
): SemanticsTable {
  return Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name + suffix, make(operation)]));
}
