/**
 * REP MOVS and REP STOS of what is short and simple, without a helper: most are like that (a structure that is
 * copied, an array that is cleared). Registers are in memory around it, as they are around a helper.
 */
import { PAGE_CODE, PAGE_READ, PAGE_SHIFT, PAGE_SIZE, PAGE_TABLE, PAGE_WRITE } from '../layout.ts';
import { GUEST_BASE, STATE_EFLAGS_OTHER, STATE_GPR } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { Expr } from './builder.ts';
import type { EmittingBuilder } from './emitting-builder.ts';
import { EFLAGS_DF } from './flags.ts';
import { RAX, RCX, RDI, RSI } from './integer-operands.ts';

/** Bytes, at most a page, so that the first and the last one tell whether all are accessible. */
const MAXIMUM_BYTES = PAGE_SIZE;

function register(b: EmittingBuilder, number: number): Expr {
  return b.let(b.rawLoad(op.I64_LOAD, 'i64', b.i32(0), STATE_GPR + 8 * number));
}

function setRegister(b: EmittingBuilder, number: number, value: Expr): void {
  b.rawStore(op.I64_STORE, b.i32(0), STATE_GPR + 8 * number, b.extendU(value));
}

/** The page flags of both ends of a run have all the bits of `flags`; `without`: bits that they must not have. */
function accessible(b: EmittingBuilder, start: Expr, bytes: Expr, flags: number, without: number): Expr {
  const flagsAt = (address: Expr): Expr => b.rawLoad(op.I32_LOAD8_U, 'i32', b.shrU(address, b.i32(PAGE_SHIFT)), PAGE_TABLE - GUEST_BASE);
  const last = b.sub(b.add(start, bytes), b.i32(1));
  const inverted = (value: Expr): Expr => (without === 0 ? value : b.xor(value, b.i32(without)));
  const wanted = b.i32(flags | without);
  return b.eq(b.and(b.and(inverted(flagsAt(start)), inverted(flagsAt(last))), wanted), wanted);
}

/** All bytes of the accumulator's element are equal. */
function isUniform(b: EmittingBuilder, element: Expr): Expr {
  if (b.size === 1) return b.i32(1);
  const repeated = b.mul(b.and(element, b.i64(0xff)), b.i64(0x0101_0101_0101_0101n));
  const shift = b.i64(64 - 8 * b.size);
  return b.eqz(b.shl(b.xor(element, repeated), shift));
}

function writeAll(b: EmittingBuilder, opcode: number, operands: readonly Expr[], memories: number): void {
  for (const operand of operands) b.emit(operand);
  b.emitOpcode(opcode);
  for (let index = 0; index < memories; index++) b.out.u8(0);
}

/** Writes the quick way of a helper. The result is an i32 that says whether it was gone; undefined: there is none. */
export function shortRun(b: EmittingBuilder, helper: string): Expr | undefined {
  if (helper !== 'rep-movs' && helper !== 'rep-stos') return undefined;
  const moves = helper === 'rep-movs';
  const count = register(b, RCX);
  const to = register(b, RDI);
  const source = register(b, moves ? RSI : RAX);
  const high = b.shrU(moves ? b.or(to, source) : to, b.i64(32));
  const forward = b.eqz(b.and(b.readState(STATE_EFLAGS_OTHER, 'i32'), b.i32(EFLAGS_DF)));
  const done = b.variable('i32', b.i32(0));
  b.if(b.and(b.and(b.leU(count, b.i64(MAXIMUM_BYTES / b.size)), b.eqz(high)), forward), () => {
    const bytes = b.let(b.shl(b.wrap(count), b.i32(31 - Math.clz32(b.size))));
    const target = b.let(b.wrap(to));
    const from = b.wrap(source);
    const readable = moves
      ? b.and(accessible(b, from, bytes, PAGE_READ, 0), b.geU(b.sub(target, from), bytes))
      : isUniform(b, source);
    b.if(b.and(accessible(b, target, bytes, PAGE_WRITE, PAGE_CODE), readable), () => {
      const base = b.i32(GUEST_BASE);
      if (moves) writeAll(b, op.MEMORY_COPY, [b.sub(target, base), b.sub(from, base), bytes], 2);
      else writeAll(b, op.MEMORY_FILL, [b.sub(target, base), from, bytes], 1);
      setRegister(b, RDI, b.add(target, bytes));
      if (moves) setRegister(b, RSI, b.add(from, bytes));
      setRegister(b, RCX, b.i32(0));
      b.assign(done, b.i32(1));
    });
  });
  return done;
}
