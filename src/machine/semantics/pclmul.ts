/**
 * PCLMULQDQ (SDM Vol. 2B): multiplication without carries. The operands are taken apart into four numbers with
 * holes of three bits, into which the carries of ordinary multiplications go (as BearSSL's `ghash_ctmul64` does);
 * that gives the low half, and the low half of the product of the reversed operands is the high half reversed.
 */
import { I64X2_REPLACE_LANE } from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { lane64, splat64 } from './sse-vector.ts';

const HOLES = [0x1111111111111111n, 0x2222222222222222n, 0x4444444444444444n, 0x8888888888888888n] as const;
const PARTS = [0, 1, 2, 3] as const;

/** Low 64 bits of the product. */
function multiplyLow(b: Builder, x: Expr, y: Expr): Expr {
  const xs = HOLES.map((mask) => b.let(b.and(x, b.i64(mask))));
  const ys = HOLES.map((mask) => b.let(b.and(y, b.i64(mask))));
  let result: Expr | undefined;
  for (const part of PARTS) {
    let sum: Expr | undefined;
    for (const index of PARTS) {
      const product = b.mul(xs[index] as Expr, ys[(part - index) & 3] as Expr);
      sum = sum === undefined ? product : b.xor(sum, product);
    }
    const masked = b.and(sum as Expr, b.i64(HOLES[part]));
    result = b.let(result === undefined ? masked : b.or(result, masked));
  }
  return result as Expr;
}

const SWAPS = [
  [1, 0x5555555555555555n],
  [2, 0x3333333333333333n],
  [4, 0x0f0f0f0f0f0f0f0fn],
  [8, 0x00ff00ff00ff00ffn],
  [16, 0x0000ffff0000ffffn],
] as const;

/** Bits in reverse order. */
function reverse(b: Builder, value: Expr): Expr {
  let result = b.let(value);
  for (const [count, mask] of SWAPS) {
    const shift = b.i64(count);
    result = b.let(b.or(b.and(b.shrU(result, shift), b.i64(mask)), b.shl(b.and(result, b.i64(mask)), shift)));
  }
  return b.rotl(result, b.i64(32));
}

/** The half of an operand that a bit of the immediate chooses. */
function half(b: Builder, operand: Expr, bit: number): Expr {
  const choice = b.and(b.shrU(b.read(2), b.i32(bit)), b.i32(1));
  return b.let(b.select(choice, lane64(b, operand, 1), lane64(b, operand, 0)));
}

const pclmulqdq: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const destination = b.let(b.readV128(0));
  const x = half(b, destination, 0);
  const y = half(b, source, 4);
  const low = multiplyLow(b, x, y);
  const reversed = multiplyLow(b, b.let(reverse(b, x)), b.let(reverse(b, y)));
  const high = b.shrU(reverse(b, reversed), b.i64(1));
  b.writeV128(0, b.op(I64X2_REPLACE_LANE, 'v128', [splat64(b, low), high], 1));
};

export const pclmul: SemanticsTable = { pclmulqdq };
