/** Addition and subtraction: SDM Vol. 2, ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, XADD, CMPXCHG. */
import type { Builder, Expr, SemanticsTable } from './builder.ts';
import { RAX, RBX, RCX, RDX, readSource } from './integer-operands.ts';

function operands(b: Builder): { size: number; left: Expr; right: Expr } {
  const size = b.operandSize(0);
  return { size, left: b.let(b.read(0)), right: b.let(readSource(b, 1, size)) };
}

function add(b: Builder): void {
  const { size, left, right } = operands(b);
  const result = b.let(b.add(left, right));
  b.write(0, result);
  b.flagsAdd(size, left, right, result);
}

function sub(b: Builder): void {
  const { size, left, right } = operands(b);
  const result = b.let(b.sub(left, right));
  b.write(0, result);
  b.flagsSub(size, left, right, result);
}

function adc(b: Builder): void {
  const { size, left, right } = operands(b);
  const result = b.let(b.add(b.add(left, right), b.resize(b.flag('CF'), size)));
  b.write(0, result);
  b.flagsAdc(size, left, right, result);
}

function sbb(b: Builder): void {
  const { size, left, right } = operands(b);
  const result = b.let(b.sub(b.sub(left, right), b.resize(b.flag('CF'), size)));
  b.write(0, result);
  b.flagsSbb(size, left, right, result);
}

function cmp(b: Builder): void {
  const { size, left, right } = operands(b);
  b.flagsSub(size, left, right, b.sub(left, right));
}

function inc(b: Builder): void {
  const size = b.operandSize(0);
  const result = b.let(b.add(b.read(0), b.sized(size, 1)));
  b.write(0, result);
  b.flagsInc(size, result);
}

function dec(b: Builder): void {
  const size = b.operandSize(0);
  const result = b.let(b.sub(b.read(0), b.sized(size, 1)));
  b.write(0, result);
  b.flagsDec(size, result);
}

function neg(b: Builder): void {
  const size = b.operandSize(0);
  const value = b.let(b.read(0));
  const result = b.let(b.sub(b.sized(size, 0), value));
  b.write(0, result);
  b.flagsSub(size, b.sized(size, 0), value, result);
}

/** `TEMP = SRC + DEST; SRC = DEST; DEST = TEMP`: with one register for both, the sum stays. */
function xadd(b: Builder): void {
  const { size, left, right } = operands(b);
  const result = b.let(b.add(left, right));
  if (b.isMemory(0)) {
    b.write(0, result);
    b.write(1, left);
  } else {
    b.write(1, left);
    b.write(0, result);
  }
  b.flagsAdd(size, left, right, result);
}

/**
 * A memory destination is written whether or not it compares equal. Of registers only one is written, so
 * that the upper half of the other stays in the 32-bit form.
 */
function cmpxchg(b: Builder): void {
  const { size, left: old, right: replacement } = operands(b);
  const accumulator = b.let(b.readGpr(RAX, size));
  const equal = b.let(b.eq(accumulator, old));
  if (b.isMemory(0)) {
    b.write(0, b.select(equal, replacement, old));
    b.if(b.eqz(equal), () => b.writeGpr(RAX, size, old));
  } else {
    b.if(equal, () => b.write(0, replacement), () => b.writeGpr(RAX, size, old));
  }
  b.flagsSub(size, accumulator, old, b.sub(accumulator, old));
}

/** High and low register as one 64-bit value. */
function pair(b: Builder, high: number, low: number): Expr {
  return b.or(b.shl(b.extendU(b.readGpr(high, 4)), b.i32(32)), b.extendU(b.readGpr(low, 4)));
}

function cmpxchg8b(b: Builder): void {
  const address = b.let(b.linearAddress(0));
  const old = b.let(b.load(address, 8));
  const equal = b.let(b.eq(old, pair(b, RDX, RAX)));
  b.store(address, 8, b.select(equal, pair(b, RCX, RBX), old));
  b.if(b.eqz(equal), () => {
    b.writeGpr(RAX, 4, b.wrap(old));
    b.writeGpr(RDX, 4, b.wrap(b.shrU(old, b.i32(32))));
  });
  b.setFlags({ ZF: equal });
}

/** An address that is not a multiple of 16 is a general protection fault. Both halves are then in one page. */
function cmpxchg16b(b: Builder): void {
  const address = b.let(b.linearAddress(0));
  b.faultIf(b.and(b.wrap(address), b.i32(15)), 13);
  const high = b.let(b.add(address, b.i64(8)));
  const oldLow = b.let(b.load(address, 8));
  const oldHigh = b.let(b.load(high, 8));
  const equal = b.let(b.and(b.eq(oldLow, b.readGpr(RAX, 8)), b.eq(oldHigh, b.readGpr(RDX, 8))));
  b.store(address, 8, b.select(equal, b.readGpr(RBX, 8), oldLow));
  b.store(high, 8, b.select(equal, b.readGpr(RCX, 8), oldHigh));
  b.if(b.eqz(equal), () => {
    b.writeGpr(RAX, 8, oldLow);
    b.writeGpr(RDX, 8, oldHigh);
  });
  b.setFlags({ ZF: equal });
}

export const integerArithmetic: SemanticsTable = {
  add, adc, sub, sbb, cmp, inc, dec, neg, xadd, cmpxchg, cmpxchg8b, cmpxchg16b,
};
