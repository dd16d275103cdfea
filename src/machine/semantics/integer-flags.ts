/** Instructions on flags: SDM Vol. 2, LAHF, SAHF, CLC, STC, CMC, CLD, STD. */
import { STATE_EFLAGS_OTHER } from '../state.ts';
import type { Builder, SemanticsTable } from './builder.ts';
import { EFLAGS_DF } from './flags.ts';
import { RAX, invert } from './integer-operands.ts';
import { arithmeticFlags, setArithmeticFlags } from './integer-stack.ts';

function lahf(b: Builder): void {
  b.writeGpr(RAX, 1, b.and(arithmeticFlags(b), b.i32(0xff)), true);
}

function sahf(b: Builder): void {
  setArithmeticFlags(b, b.let(b.readGpr(RAX, 1, true)), false);
}

function setDirection(b: Builder, bits: number): void {
  const others = b.and(b.readState(STATE_EFLAGS_OTHER, 'i32'), b.i32(~EFLAGS_DF));
  b.writeState(STATE_EFLAGS_OTHER, b.or(others, b.i32(bits)));
}

export const integerFlags: SemanticsTable = {
  lahf,
  sahf,
  clc: (b) => b.setFlags({ CF: b.i32(0) }),
  stc: (b) => b.setFlags({ CF: b.i32(1) }),
  cmc: (b) => b.setFlags({ CF: invert(b, b.flag('CF')) }),
  cld: (b) => setDirection(b, 0),
  std: (b) => setDirection(b, EFLAGS_DF),
};
