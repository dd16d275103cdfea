/**
 * String instructions: SDM Vol. 2, MOVS, STOS, LODS, SCAS, CMPS and REP. One step is done here; with a repeat
 * prefix a helper does them all (`helpers/strings.ts`), with the operand size as its immediate.
 */
import { STATE_EFLAGS_OTHER } from '../state.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { EFLAGS_DF } from './flags.ts';
import { RAX, RDI, RSI } from './integer-operands.ts';

/** Operand size, or minus it when DF is set; i64. */
function step(b: Builder): Expr {
  const direction = b.and(b.readState(STATE_EFLAGS_OTHER, 'i32'), b.i32(EFLAGS_DF));
  // DF is bit 10: twice the size is its bit 1, 2, 3 or 4.
  const twice = b.shrU(direction, b.i32(9 - (31 - Math.clz32(b.size))));
  return b.extendS(b.sub(b.i32(b.size), twice));
}

function advance(b: Builder, ...registers: readonly number[]): void {
  const by = b.let(step(b));
  for (const register of registers) b.writeGpr(register, 8, b.add(b.readGpr(register, 8), by));
}

/** `whileNotEqual` is the helper for F2, which means the same as F3 to instructions that compare nothing. */
function stepOrRepeat(single: SemanticFunction, repeated: string, whileNotEqual = repeated): SemanticFunction {
  return (b) => {
    if (b.repeat === 'none') single(b);
    else b.helper(b.repeat === 'repne' ? whileNotEqual : repeated, undefined, undefined, b.size);
  };
}

function movs(b: Builder): void {
  b.store(b.readGpr(RDI, 8), b.size, b.let(b.load(b.readGpr(RSI, 8), b.size)));
  advance(b, RSI, RDI);
}

function stos(b: Builder): void {
  b.store(b.readGpr(RDI, 8), b.size, b.readGpr(RAX, b.size));
  advance(b, RDI);
}

function lods(b: Builder): void {
  const value = b.let(b.load(b.readGpr(RSI, 8), b.size));
  advance(b, RSI);
  b.writeGpr(RAX, b.size, value);
}

function scas(b: Builder): void {
  const accumulator = b.let(b.readGpr(RAX, b.size));
  const value = b.let(b.load(b.readGpr(RDI, 8), b.size));
  advance(b, RDI);
  b.flagsSub(b.size, accumulator, value, b.sub(accumulator, value));
}

function cmps(b: Builder): void {
  const first = b.let(b.load(b.readGpr(RSI, 8), b.size));
  const second = b.let(b.load(b.readGpr(RDI, 8), b.size));
  advance(b, RSI, RDI);
  b.flagsSub(b.size, first, second, b.sub(first, second));
}

export const integerStrings: SemanticsTable = {
  movs: stepOrRepeat(movs, 'rep-movs'),
  stos: stepOrRepeat(stos, 'rep-stos'),
  lods: stepOrRepeat(lods, 'rep-lods'),
  scas: stepOrRepeat(scas, 'repe-scas', 'repne-scas'),
  cmps: stepOrRepeat(cmps, 'repe-cmps', 'repne-cmps'),
};
