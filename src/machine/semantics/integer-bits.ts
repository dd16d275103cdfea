/** Single bits and scans: SDM Vol. 2, BT, BTS, BTR, BTC, BSF, BSR, POPCNT, BSWAP, MOVBE. */
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';

type Change = (b: Builder, value: Expr, mask: Expr) => Expr;

/**
 * With a register for the bit offset, memory is a string of bits that reaches to both sides of the
 * operand (SDM Vol. 1, 5.1.7): the operand-sized unit that holds the bit is accessed. Only CF changes.
 */
function bitTest(change?: Change): SemanticFunction {
  return (b) => {
    const size = b.operandSize(0);
    const bits = size * 8;
    if (b.isMemory(0) && b.operandSize(1) === size) {
      const offset = b.let(b.readSigned(1, 'i64'));
      const unit = b.shrS(offset, b.i32(31 - Math.clz32(bits)));
      const address = b.let(b.add(b.linearAddress(0), b.shl(unit, b.i32(31 - Math.clz32(size)))));
      const value = b.let(b.load(address, size));
      const position = b.let(b.and(b.wrap(offset), b.i32(bits - 1)));
      if (change !== undefined) b.store(address, size, change(b, value, b.shl(b.sized(size, 1), position)));
      b.setFlags({ CF: b.and(b.wrap(b.shrU(value, position)), b.i32(1)) });
      return;
    }
    const constant = b.constant(1);
    const position = constant === undefined
      ? b.let(b.and(b.wrap(b.read(1)), b.i32(bits - 1)))
      : b.i32(constant & (bits - 1));
    const value = b.let(b.read(0));
    if (change !== undefined) b.write(0, change(b, value, b.shl(b.sized(size, 1), position)));
    b.setFlags({ CF: b.and(b.wrap(b.shrU(value, position)), b.i32(1)) });
  };
}

/**
 * A source of 0 leaves the destination alone, upper half included, as AMD documents and Intel does. ZF is
 * the only defined flag.
 */
function scan(position: (b: Builder, value: Expr) => Expr): SemanticFunction {
  return (b) => {
    const size = b.operandSize(0);
    const value = b.let(b.read(1));
    if (size === 4) {
      b.if(b.ne(value, b.i32(0)), () => b.write(0, position(b, value)));
    } else {
      b.write(0, b.select(b.eqz(value), b.read(0), position(b, value)));
    }
    b.flagsLogic(size, value);
  };
}

/** Of a 2-byte value, zero-extended, too. */
function highestBit(b: Builder, value: Expr): Expr {
  return value.type === 'i64' ? b.sub(b.i64(63), b.clz(value)) : b.sub(b.i32(31), b.clz(value));
}

/** All flags are cleared but ZF. */
function popcnt(b: Builder): void {
  const value = b.let(b.read(1));
  b.write(0, b.popcnt(value));
  const zero = b.i32(0);
  b.setFlags({ CF: zero, PF: zero, AF: zero, ZF: b.eqz(value), SF: zero, OF: zero });
}

/** Reverses the bytes of 2, 4 or 8. */
function swapped(b: Builder, value: Expr, size: number): Expr {
  if (size === 2) return b.or(b.shl(value, b.i32(8)), b.and(b.shrU(value, b.i32(8)), b.i32(0xff)));
  if (size === 4) {
    const odd = b.and(b.rotl(value, b.i32(8)), b.i32(0x00ff_00ff));
    return b.or(odd, b.and(b.rotr(value, b.i32(8)), b.i32(0xff00_ff00 | 0)));
  }
  const bytes = b.i64(0x00ff_00ff_00ff_00ffn);
  const inPairs = b.let(b.or(b.shl(b.and(value, bytes), b.i32(8)), b.and(b.shrU(value, b.i32(8)), bytes)));
  const words = b.i64(0x0000_ffff_0000_ffffn);
  const inFours = b.or(b.shl(b.and(inPairs, words), b.i32(16)), b.and(b.shrU(inPairs, b.i32(16)), words));
  return b.rotl(inFours, b.i32(32));
}

/** With 2 bytes undefined: the processors give 0. */
function bswap(b: Builder): void {
  const size = b.operandSize(0);
  b.write(0, size === 2 ? b.i32(0) : swapped(b, b.let(b.read(0)), size));
}

function movbe(b: Builder): void {
  const size = b.operandSize(0);
  b.write(0, swapped(b, b.let(b.read(1)), size));
}

export const integerBits: SemanticsTable = {
  bt: bitTest(),
  bts: bitTest((b, value, mask) => b.or(value, mask)),
  btr: bitTest((b, value, mask) => b.and(value, b.not(mask))),
  btc: bitTest((b, value, mask) => b.xor(value, mask)),
  bsf: scan((b, value) => b.ctz(value)),
  bsr: scan(highestBit),
  popcnt,
  bswap,
  movbe,
};
