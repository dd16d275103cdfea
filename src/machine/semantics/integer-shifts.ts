/**
 * Shifts and rotates: SDM Vol. 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD.
 *
 * A masked count of 0 changes no flags, but the destination is written all the same (and the upper half of
 * a 32-bit register cleared). OF is defined for a count of 1 only; for others it is computed by the same rule.
 */
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { bitAt, signBit, typeOfSize } from './integer-operands.ts';

interface ShiftCount {
  /** Masked to 5 bits, or 6 where the operand has 64; i32. */
  readonly value: Expr;
  readonly known: number | undefined;
}

function shiftCount(b: Builder, index: number, size: number): ShiftCount {
  const mask = size === 8 ? 63 : 31;
  const constant = b.constant(index);
  if (constant !== undefined) return { value: b.i32(constant & mask), known: constant & mask };
  return { value: b.let(b.and(b.wrap(b.read(index)), b.i32(mask))), known: undefined };
}

function ifCounted(b: Builder, count: ShiftCount, setFlags: () => void): void {
  if (count.known === undefined) b.if(count.value, setFlags);
  else if (count.known !== 0) setFlags();
}

/** A local where the flags are written in a branch; else none, as they are often dead. */
function shared(b: Builder, count: ShiftCount, value: Expr): Expr {
  return count.known === undefined ? b.let(value) : value;
}

/** The bit of `value` that a left shift by 1 to `bits` moves out last. */
function shiftedOutLeft(b: Builder, value: Expr, bits: number, count: Expr): Expr {
  return lowBit(b, b.shrU(value, b.sub(b.i32(bits), count)));
}

/** The bit of `value` that a right shift moves out last. */
function shiftedOutRight(b: Builder, value: Expr, count: Expr): Expr {
  return lowBit(b, b.shrU(value, b.sub(count, b.i32(1))));
}

function lowBit(b: Builder, value: Expr): Expr {
  return b.and(b.wrap(value), b.i32(1));
}

/** OF of the right shifts and rotates: the top two bits of the result differ. */
function topBitsDiffer(b: Builder, result: Expr, size: number): Expr {
  return b.xor(signBit(b, result, size), bitAt(b, result, size * 8 - 2));
}

function shl(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 1, size);
  const value = b.let(b.read(0));
  const result = b.let(b.shl(value, count.value));
  b.write(0, result);
  ifCounted(b, count, () => {
    // A short operand leaves room above it, where the carry is even for counts beyond its size.
    const carryOut = size < 4 ? bitAt(b, result, size * 8) : shiftedOutLeft(b, value, size * 8, count.value);
    const carry = shared(b, count, carryOut);
    b.flagsResult(size, result, carry, b.xor(signBit(b, result, size), carry));
  });
}

function shr(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 1, size);
  const value = b.let(b.read(0));
  const result = b.let(b.shrU(value, count.value));
  b.write(0, result);
  ifCounted(b, count, () => {
    b.flagsResult(size, result, shiftedOutRight(b, value, count.value), topBitsDiffer(b, result, size));
  });
}

function sar(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 1, size);
  const value = b.let(b.readSigned(0, typeOfSize(size)));
  const result = b.let(b.shrS(value, count.value));
  b.write(0, result);
  ifCounted(b, count, () => {
    const carry = lowBit(b, b.shrS(value, b.sub(count.value, b.i32(1))));
    b.flagsResult(size, result, carry, b.i32(0));
  });
}

/** Repeats a 1 or 2 byte value over 32 bits, so that a 32-bit rotate rotates it. */
function repeated(b: Builder, size: number): Expr {
  if (size === 1) return b.mul(b.read(0), b.i32(0x0101_0101));
  if (size > 2) return b.read(0);
  const value = b.let(b.read(0));
  return b.or(value, b.shl(value, b.i32(16)));
}

function rol(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 1, size);
  const result = b.let(b.rotl(repeated(b, size), count.value));
  b.write(0, result);
  ifCounted(b, count, () => {
    b.setFlags({ CF: lowBit(b, result), OF: b.xor(lowBit(b, result), signBit(b, result, size)) });
  });
}

function ror(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 1, size);
  const result = b.let(b.rotr(repeated(b, size), count.value));
  b.write(0, result);
  ifCounted(b, count, () => {
    b.setFlags({ CF: signBit(b, result, size), OF: topBitsDiffer(b, result, size) });
  });
}

/** Through-carry rotate of 1, 2 and 4 bytes: of one value of 9, 17 or 33 bits, carry on top, in an i64. */
function rotateCarryShort(b: Builder, left: boolean): void {
  const size = b.operandSize(0);
  const bits = size * 8;
  const count = shiftCount(b, 1, size);
  const wide = b.let(b.or(b.extendU(b.read(0)), b.shl(b.extendU(b.flag('CF')), b.i32(bits))));
  const by = size < 4 ? b.let(b.remU(count.value, b.i32(bits + 1))) : count.value;
  const back = b.sub(b.i32(bits + 1), by);
  const rotated = b.let(left
    ? b.or(b.shl(wide, by), b.shrU(wide, back))
    : b.or(b.shrU(wide, by), b.shl(wide, back)));
  const result = b.let(b.wrap(rotated));
  b.write(0, result);
  ifCounted(b, count, () => {
    const carry = shared(b, count, bitAt(b, rotated, bits));
    const overflow = left ? b.xor(signBit(b, result, size), carry) : topBitsDiffer(b, result, size);
    b.setFlags({ CF: carry, OF: overflow });
  });
}

/** Counts are 0 to 63; what would be a shift by 65 - count is one by 1 and one by 64 - count. */
function rotateCarryLong(b: Builder, left: boolean): void {
  const count = shiftCount(b, 1, 8);
  const value = b.let(b.read(0));
  const carryIn = b.let(b.extendU(b.flag('CF')));
  const back = b.sub(b.i32(64), count.value);
  const rotated = left
    ? b.or(
      b.or(b.shl(value, count.value), b.shl(carryIn, b.sub(count.value, b.i32(1)))),
      b.shrU(b.shrU(value, b.i32(1)), back),
    )
    : b.or(b.or(b.shrU(value, count.value), b.shl(carryIn, back)), b.shl(b.shl(value, b.i32(1)), back));
  const result = b.let(b.select(count.value, rotated, value));
  b.write(0, result);
  ifCounted(b, count, () => {
    const carryOut = left ? shiftedOutLeft(b, value, 64, count.value) : shiftedOutRight(b, value, count.value);
    const carry = shared(b, count, carryOut);
    const overflow = left ? b.xor(signBit(b, result, 8), carry) : topBitsDiffer(b, result, 8);
    b.setFlags({ CF: carry, OF: overflow });
  });
}

function rotateCarry(left: boolean): SemanticFunction {
  return (b) => (b.operandSize(0) === 8 ? rotateCarryLong(b, left) : rotateCarryShort(b, left));
}

/**
 * The operands of a double shift side by side in an i64: the destination, then the source, then room. With
 * 2 bytes and counts above 16 (undefined) the source follows twice, as AMD processors have it.
 */
function sideBySide(b: Builder, left: boolean, size: number, destination: Expr, source: Expr): Expr {
  const high = b.shl(b.extendU(left ? destination : source), b.i32(32));
  const low = b.extendU(left ? source : destination);
  if (size === 4) return b.or(high, low);
  return b.or(b.or(high, b.shl(b.extendU(source), b.i32(16))), low);
}

function shld(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 2, size);
  const destination = b.let(b.read(0));
  const source = b.let(b.read(1));
  const by = count.value;
  if (size === 8) {
    const result = b.let(b.or(b.shl(destination, by), b.shrU(b.shrU(source, b.i32(1)), b.sub(b.i32(63), by))));
    finishShld(b, size, count, result, () => shiftedOutLeft(b, destination, 64, by));
    return;
  }
  const shifted = b.let(b.shl(sideBySide(b, true, size, destination, source), by));
  const result = b.let(b.wrap(b.shrU(shifted, b.i32(32))));
  finishShld(b, size, count, result, () => (
    size === 4 ? shiftedOutLeft(b, destination, 32, by) : bitAt(b, shifted, 48)
  ));
}

function finishShld(b: Builder, size: number, count: ShiftCount, result: Expr, carryOut: () => Expr): void {
  b.write(0, result);
  ifCounted(b, count, () => {
    const carry = shared(b, count, carryOut());
    b.flagsResult(size, result, carry, b.xor(carry, signBit(b, result, size)));
  });
}

function shrd(b: Builder): void {
  const size = b.operandSize(0);
  const count = shiftCount(b, 2, size);
  const destination = b.let(b.read(0));
  const source = b.let(b.read(1));
  const by = count.value;
  const wide = size === 8 ? destination : b.let(sideBySide(b, false, size, destination, source));
  const result = b.let(size === 8
    ? b.or(b.shrU(destination, by), b.shl(b.shl(source, b.i32(1)), b.sub(b.i32(63), by)))
    : b.wrap(b.shrU(wide, by)));
  b.write(0, result);
  ifCounted(b, count, () => {
    b.flagsResult(size, result, shiftedOutRight(b, wide, by), topBitsDiffer(b, result, size));
  });
}

export const integerShifts: SemanticsTable = {
  shl, shr, sar, rol, ror, rcl: rotateCarry(true), rcr: rotateCarry(false), shld, shrd,
};
