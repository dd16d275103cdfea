/** MMX moves and state: SDM Vol. 1, 9.4.1 and 9.6; Vol. 3A table 12-1 (EMMS empties all registers and sets TOP to 0). */
import { STATE_X87_TAG } from '../state.ts';
import type { Builder, SemanticsTable } from './builder.ts';
import { bitmask, halves } from './sse-vector.ts';

function moveFromGeneral(builder: Builder): void {
  builder.writeMmx(0, builder.extendU(builder.read(1)));
}

function moveToGeneral(builder: Builder): void {
  const whole = builder.readMmx(1);
  const value = builder.operandSize(0) === 8 ? whole : builder.wrap(whole);
  if (builder.isMemory(0)) builder.writeMmx(0, value);
  else builder.write(0, value);
}

function moveMmx(builder: Builder): void {
  builder.writeMmx(0, builder.readMmx(1));
}

function movq2dq(builder: Builder): void {
  builder.writeLow64Zero(0, builder.readMmx(1));
}

function movdq2q(builder: Builder): void {
  builder.writeMmx(0, builder.readLow64(1));
}

function pmovmskb(builder: Builder): void {
  const signs = bitmask(builder, halves(builder, builder.readMmx(1), builder.i64(0)));
  builder.write(0, builder.resize(signs, builder.operandSize(0)));
}

/** The tag word is 2 bytes; the 2 after it are TOP. */
function emms(builder: Builder): void {
  builder.writeState(STATE_X87_TAG, builder.i32(0));
}

/** Each byte whose mask byte has bit 7 goes to [rdi]. */
function maskmovq(builder: Builder): void {
  builder.helper('maskmovq', 0, 1);
  // Nothing can fault any more: reading the register now puts the x87 state into MMX mode.
  builder.let(builder.readMmx(0));
}

export const MMX_MOVES: SemanticsTable = {
  'movd-mm-r': moveFromGeneral,
  'movq-mm-r': moveFromGeneral,
  'movd-r-mm': moveToGeneral,
  'movq-r-mm': moveToGeneral,
  'movq-mm-mm': moveMmx,
  movntq: moveMmx,
  movq2dq,
  movdq2q,
  'pmovmskb.mmx': pmovmskb,
  emms,
  maskmovq,
};
