/** What the integer instructions share: register numbers, source operands, flag bits. */
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../machine-types.ts';
import type { Builder, Expr } from './builder.ts';

export { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP };

/** The type of an operand of `size` bytes. */
export function typeOfSize(size: number): 'i32' | 'i64' {
  return size === 8 ? 'i64' : 'i32';
}

/** A source operand in the type of `size`; shorter immediates (83 /0 ib, REX.W 05 id) are sign-extended. */
export function readSource(b: Builder, index: number, size: number): Expr {
  return b.operandSize(index) === size ? b.read(index) : b.readSigned(index, typeOfSize(size));
}

/** Top bit of the low `size` bytes, as i32 0 or 1. */
export function signBit(b: Builder, value: Expr, size: number): Expr {
  return bitAt(b, value, size * 8 - 1);
}

/** One bit at a known position, as i32 0 or 1. */
export function bitAt(b: Builder, value: Expr, position: number): Expr {
  return b.and(b.wrap(b.shrU(value, b.i32(position))), b.i32(1));
}

/** i32 0 or 1 to i32 1 or 0. */
export function invert(b: Builder, bit: Expr): Expr {
  return b.xor(bit, b.i32(1));
}
