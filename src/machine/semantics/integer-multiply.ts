/** Multiplication and division: SDM Vol. 2, MUL, IMUL, DIV, IDIV. */
import { F64_ABS, F64_CONVERT_I64_S, F64_GT, F64_MUL, F64_SUB } from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticsTable } from './builder.ts';
import { RAX, RDX, readSource } from './integer-operands.ts';

/** #DE. */
const DIVIDE_ERROR = 0;

/** Upper 64 bits of the unsigned product, from four products of halves (Hacker's Delight 8-2). */
export function multiplyHigh(b: Builder, x: Expr, y: Expr): Expr {
  const half = b.i32(32);
  const mask = b.i64(0xffff_ffffn);
  const xLow = b.let(b.and(x, mask));
  const xHigh = b.let(b.shrU(x, half));
  const yLow = b.let(b.and(y, mask));
  const yHigh = b.let(b.shrU(y, half));
  const middle = b.let(b.add(b.mul(xHigh, yLow), b.shrU(b.mul(xLow, yLow), half)));
  const other = b.add(b.mul(xLow, yHigh), b.and(middle, mask));
  return b.add(b.add(b.mul(xHigh, yHigh), b.shrU(middle, half)), b.shrU(other, half));
}

/** The double-width product of 1, 2 and 4 byte operands goes to AX, DX:AX or EDX:EAX. CF = OF = it needs the upper half. */
function storeProduct(b: Builder, size: number, product: Expr, overflow: Expr): void {
  if (size === 1) {
    b.writeGpr(RAX, 2, product);
  } else {
    b.writeGpr(RAX, size, b.wrap(product));
    b.writeGpr(RDX, size, b.wrap(b.shrU(product, b.i32(size * 8))));
  }
  b.flagsResult(size, b.wrap(product), overflow, overflow);
}

function mul(b: Builder): void {
  const size = b.operandSize(0);
  if (size === 8) {
    const x = b.let(b.readGpr(RAX, 8));
    const y = b.let(b.read(0));
    const low = b.let(b.mul(x, y));
    const high = b.let(multiplyHigh(b, x, y));
    b.writeGpr(RAX, 8, low);
    b.writeGpr(RDX, 8, high);
    const overflow = b.ne(high, b.i64(0));
    b.flagsResult(8, low, overflow, overflow);
    return;
  }
  const x = b.readGpr(RAX, size);
  const y = b.read(0);
  const product = b.let(size === 4 ? b.mul(b.extendU(x), b.extendU(y)) : b.mul(x, y));
  const upper = b.shrU(product, b.i32(size * 8));
  storeProduct(b, size, product, size === 4 ? b.ne(upper, b.i64(0)) : b.ne(upper, b.i32(0)));
}

/** True where `value` does not fit `size` bytes, signed. */
function exceeds(b: Builder, value: Expr, size: number): Expr {
  return b.ne(value, b.signExtend(value, size));
}

/** IMUL with one operand: the double-width signed product. */
function imul1(b: Builder): void {
  const size = b.operandSize(0);
  if (size === 8) {
    const x = b.let(b.readGpr(RAX, 8));
    const y = b.let(b.read(0));
    const low = b.let(b.mul(x, y));
    const unsigned = multiplyHigh(b, x, y);
    const sign = b.i32(63);
    const xCorrected = b.sub(unsigned, b.and(b.shrS(x, sign), y));
    const high = b.let(b.sub(xCorrected, b.and(b.shrS(y, sign), x)));
    b.writeGpr(RAX, 8, low);
    b.writeGpr(RDX, 8, high);
    const overflow = b.ne(high, b.shrS(low, sign));
    b.flagsResult(8, low, overflow, overflow);
    return;
  }
  const type = size === 4 ? 'i64' : 'i32';
  const x = b.signExtend(size === 4 ? b.extendS(b.readGpr(RAX, 4)) : b.readGpr(RAX, size), size);
  const product = b.let(b.mul(x, b.readSigned(0, type)));
  storeProduct(b, size, product, exceeds(b, product, size));
}

/**
 * Whether a 64-bit signed product overflowed, as i32. The product of the factors as doubles is within 2^13 of the exact
 * one where that fits 64 bits, and more than 2^62 away from the wrapped one where it does not.
 */
function overflows64(b: Builder, x: Expr, y: Expr, product: Expr): Expr {
  const double = (value: Expr): Expr => b.op(F64_CONVERT_I64_S, 'f64', [value]);
  const exact = b.op(F64_MUL, 'f64', [double(x), double(y)]);
  const distance = b.op(F64_ABS, 'f64', [b.op(F64_SUB, 'f64', [exact, double(product)])]);
  return b.op(F64_GT, 'i32', [distance, b.f64(2 ** 62)]);
}

function truncated(b: Builder, size: number, left: Expr, right: Expr, product: Expr): Expr {
  if (size === 8) return overflows64(b, left, right, product);
  if (size === 2) return exceeds(b, product, 2);
  return b.ne(b.mul(b.extendS(left), b.extendS(right)), b.extendS(product));
}

/** IMUL with two or three operands: the product in the size of the operands, CF = OF = it was truncated. */
function multiplySigned(b: Builder, leftIndex: number, rightIndex: number): void {
  const size = b.operandSize(0);
  const type = size === 8 ? 'i64' : 'i32';
  const left = b.let(size === 2 ? b.readSigned(leftIndex, type) : b.read(leftIndex));
  const right = b.let(size === 2 ? b.readSigned(rightIndex, type) : readSource(b, rightIndex, size));
  const product = b.let(b.mul(left, right));
  b.write(0, product);
  const overflow = truncated(b, size, left, right, product);
  b.flagsResult(size, product, overflow, overflow);
}

/** The dividend of a 1, 2 or 4 byte division: AX, DX:AX or EDX:EAX, in an i32 or (4 bytes) an i64. */
function dividend(b: Builder, size: number): Expr {
  if (size === 1) return b.readGpr(RAX, 2);
  if (size === 2) return b.or(b.shl(b.readGpr(RDX, 2), b.i32(16)), b.readGpr(RAX, 2));
  return b.or(b.shl(b.extendU(b.readGpr(RDX, 4)), b.i32(32)), b.extendU(b.readGpr(RAX, 4)));
}

function storeQuotient(b: Builder, size: number, quotient: Expr, remainder: Expr): void {
  if (size === 1) {
    b.writeGpr(RAX, 1, quotient);
    b.writeGpr(RAX, 1, remainder, true);
  } else {
    b.writeGpr(RAX, size, b.resize(quotient, size));
    b.writeGpr(RDX, size, b.resize(remainder, size));
  }
}

/** All flags are undefined after a division, and left alone. */
function div(b: Builder): void {
  const size = b.operandSize(0);
  if (size === 8) {
    divideLong(b, 'div128');
    return;
  }
  const divisor = b.let(size === 4 ? b.extendU(b.read(0)) : b.read(0));
  const whole = b.let(dividend(b, size));
  b.faultIf(b.eqz(divisor), DIVIDE_ERROR);
  const quotient = b.let(b.divU(whole, divisor));
  b.faultIf(size === 4 ? b.gtU(quotient, b.i64(0xffff_ffffn)) : b.gtU(quotient, b.i32(2 ** (size * 8) - 1)), DIVIDE_ERROR);
  storeQuotient(b, size, quotient, b.let(b.remU(whole, divisor)));
}

function idiv(b: Builder): void {
  const size = b.operandSize(0);
  if (size === 8) {
    divideLong(b, 'idiv128');
    return;
  }
  // In 64 bits: the quotient of any two values of 2 bytes more fits, but for that of EDX:EAX = -2^63 and -1.
  const divisor = b.let(b.readSigned(0, 'i64'));
  const unsigned = dividend(b, size);
  const whole = b.let(size === 1 ? b.extendS(b.signExtend(unsigned, 2)) : b.extendS(unsigned));
  const zero = b.eqz(divisor);
  if (size === 4) {
    const lowest = b.and(b.eq(divisor, b.i64(-1)), b.eq(whole, b.i64(-(2n ** 63n))));
    b.faultIf(b.or(zero, lowest), DIVIDE_ERROR);
  } else {
    b.faultIf(zero, DIVIDE_ERROR);
  }
  const quotient = b.let(b.divS(whole, divisor));
  b.faultIf(exceeds(b, quotient, size), DIVIDE_ERROR);
  const remainder = b.let(b.remS(whole, divisor));
  if (size === 1) storeQuotient(b, 1, b.wrap(quotient), b.wrap(remainder));
  else storeQuotient(b, size, quotient, remainder);
}

/**
 * RDX:RAX by 8 bytes. Compilers put the zero or sign extension of RAX into RDX: those are 64-bit divisions.
 * Others go to a helper.
 */
function divideLong(b: Builder, helper: 'div128' | 'idiv128'): void {
  const signed = helper === 'idiv128';
  const divisor = b.let(b.read(0));
  const whole = b.let(b.readGpr(RAX, 8));
  const extension = signed ? b.shrS(whole, b.i32(63)) : b.i64(0);
  b.if(b.eq(b.readGpr(RDX, 8), extension), () => {
    const zero = b.eqz(divisor);
    const lowest = b.and(b.eq(divisor, b.i64(-1)), b.eq(whole, b.i64(-(2n ** 63n))));
    b.faultIf(signed ? b.or(zero, lowest) : zero, DIVIDE_ERROR);
    const remainder = b.let(signed ? b.remS(whole, divisor) : b.remU(whole, divisor));
    b.writeGpr(RAX, 8, signed ? b.divS(whole, divisor) : b.divU(whole, divisor));
    b.writeGpr(RDX, 8, remainder);
  }, () => b.helper(helper, undefined, 0));
}

export const integerMultiply: SemanticsTable = {
  mul,
  imul1,
  imul2: (b) => multiplySigned(b, 0, 1),
  imul3: (b) => multiplySigned(b, 1, 2),
  div,
  idiv,
};
