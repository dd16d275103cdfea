/** LZCNT, BMI1 and BMI2: SDM Vol. 2. */
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { multiplyHigh } from './integer-multiply.ts';
import { RDX } from './integer-operands.ts';

/** Zero bits before the first one, and CF where there is none: then the result is the operand size. */
function countZeros(count: (b: Builder, value: Expr, size: number) => Expr): SemanticFunction {
  return (b) => {
    const size = b.operandSize(0);
    const value = b.let(b.read(1));
    const result = b.let(count(b, value, size));
    b.write(0, result);
    b.flagsResult(size, result, b.eqz(value), b.i32(0));
  };
}

function andn(b: Builder): void {
  const size = b.operandSize(0);
  const second = b.let(b.read(2));
  const result = b.let(b.and(b.not(b.read(1)), second));
  b.write(0, result);
  b.flagsLogic(size, result);
}

/** BLSR, BLSMSK and BLSI: what is made of the lowest bit that is set. */
function lowestBit(make: (b: Builder, value: Expr) => Expr, carriesIfZero: boolean): SemanticFunction {
  return (b) => {
    const size = b.operandSize(0);
    const value = b.let(b.read(1));
    const result = b.let(make(b, value));
    const isZero = b.eqz(value);
    b.write(0, result);
    b.flagsResult(size, result, carriesIfZero ? isZero : b.eqz(isZero), b.i32(0));
  };
}

function below(b: Builder, value: Expr): Expr {
  return b.sub(value, b.sized(value.type === 'i64' ? 8 : 4, 1));
}

/** The lowest `count` bits (an i32 local), all where it is not less than the size. */
function lowBits(b: Builder, size: number, value: Expr, count: Expr): Expr {
  const mask = below(b, b.shl(b.sized(size, 1), count));
  return b.select(b.ltU(count, b.i32(size * 8)), b.and(value, mask), value);
}

function bextr(b: Builder): void {
  const size = b.operandSize(0);
  const value = b.let(b.read(1));
  const control = b.let(b.wrap(b.read(2)));
  const start = b.let(b.and(control, b.i32(0xff)));
  const length = b.let(b.and(b.shrU(control, b.i32(8)), b.i32(0xff)));
  const shifted = b.let(b.select(b.ltU(start, b.i32(size * 8)), b.shrU(value, start), b.sized(size, 0)));
  const result = b.let(lowBits(b, size, shifted, length));
  b.write(0, result);
  b.flagsLogic(size, result);
}

function bzhi(b: Builder): void {
  const size = b.operandSize(0);
  const value = b.let(b.read(1));
  const index = b.let(b.and(b.wrap(b.read(2)), b.i32(0xff)));
  const result = b.let(lowBits(b, size, value, index));
  b.write(0, result);
  b.flagsResult(size, result, b.geU(index, b.i32(size * 8)), b.i32(0));
}

/**
 * Parallel suffix (Hacker's Delight, 7-4): for each of six steps the bits of the mask that have to go 2^step places to the right.
 */
function movesOf(b: Builder, mask: Expr): Expr[] {
  let rest = mask;
  let counted = b.let(b.shl(b.not(mask), b.i32(1)));
  return Array.from({ length: 6 }, (_, step) => {
    let parity = counted;
    for (let shift = 1; shift < 64; shift *= 2) parity = b.let(b.xor(parity, b.shl(parity, b.i32(shift))));
    const moved = b.let(b.and(parity, rest));
    rest = b.let(b.or(b.xor(rest, moved), b.shrU(moved, b.i32(1 << step))));
    counted = b.let(b.and(counted, b.not(parity)));
    return moved;
  });
}

/** The bits of operand 1 at the places that are set in operand 2, next to each other. */
function pext(b: Builder): void {
  const size = b.operandSize(0);
  const mask = b.let(b.extendU(b.read(2)));
  let value = b.let(b.and(b.extendU(b.read(1)), mask));
  movesOf(b, mask).forEach((moved, step) => {
    const part = b.let(b.and(value, moved));
    value = b.let(b.or(b.xor(value, part), b.shrU(part, b.i32(1 << step))));
  });
  b.write(0, b.resize(value, size));
}

/** The low bits of operand 1 to the places that are set in operand 2. */
function pdep(b: Builder): void {
  const size = b.operandSize(0);
  const mask = b.let(b.extendU(b.read(2)));
  let value = b.let(b.extendU(b.read(1)));
  const moves = movesOf(b, mask);
  for (let step = 5; step >= 0; step--) {
    const moved = moves[step]!;
    value = b.let(b.or(b.and(value, b.not(moved)), b.and(b.shl(value, b.i32(1 << step)), moved)));
  }
  b.write(0, b.resize(b.and(value, mask), size));
}

/** Where both destinations are one register, it gets the upper half. */
function mulx(b: Builder): void {
  const size = b.operandSize(0);
  const second = b.let(b.read(2));
  const first = b.let(b.readGpr(RDX, size));
  if (size === 8) {
    const high = b.let(multiplyHigh(b, first, second));
    b.write(1, b.mul(first, second));
    b.write(0, high);
    return;
  }
  const product = b.let(b.mul(b.extendU(first), b.extendU(second)));
  b.write(1, b.wrap(product));
  b.write(0, b.wrap(b.shrU(product, b.i32(32))));
}

/** Shifts and rotations that leave the flags alone; the count is taken modulo the operand size, as Wasm does. */
function shift(operation: (b: Builder, value: Expr, count: Expr) => Expr): SemanticFunction {
  return (b) => {
    const value = b.let(b.read(1));
    b.write(0, operation(b, value, b.read(2)));
  };
}

export const integerBmi: SemanticsTable = {
  tzcnt: countZeros((b, value, size) => (size === 2 ? b.ctz(b.or(value, b.i32(0x1_0000))) : b.ctz(value))),
  lzcnt: countZeros((b, value, size) => (size === 2 ? b.sub(b.clz(value), b.i32(16)) : b.clz(value))),
  andn,
  blsr: lowestBit((b, value) => b.and(below(b, value), value), true),
  blsmsk: lowestBit((b, value) => b.xor(below(b, value), value), true),
  blsi: lowestBit((b, value) => b.and(b.sub(b.sized(value.type === 'i64' ? 8 : 4, 0), value), value), false),
  bextr,
  bzhi,
  pext,
  pdep,
  mulx,
  rorx: shift((b, value, count) => b.rotr(value, count)),
  sarx: shift((b, value, count) => b.shrS(value, count)),
  shlx: shift((b, value, count) => b.shl(value, count)),
  shrx: shift((b, value, count) => b.shrU(value, count)),
};
