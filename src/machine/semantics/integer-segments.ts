/**
 * Segment registers: SDM Vol. 2, MOV. Their values are Linux's for a 64-bit program, always: 0x33 in CS, 0x2b in SS,
 * 0 in the others (arch/x86/include/asm/segment.h). A load is checked and forgotten.
 */
import type { Builder, Expr, SemanticsTable } from './builder.ts';

/** #GP. */
const GENERAL_PROTECTION = 13;
/** `__USER32_CS`, `__USER_DS` and `__USER_CS` without the requested privilege level. */
const USER_SELECTORS = [0x20, 0x28, 0x30];

/** Raises #GP for a selector that Linux gives no program. */
export function checkSelector(b: Builder, selector: Expr): void {
  const index = b.let(b.and(selector, b.i32(0xfffc)));
  let invalid = b.ne(index, b.i32(0));
  for (const user of USER_SELECTORS) invalid = b.and(invalid, b.ne(index, b.i32(user)));
  b.faultIf(invalid, GENERAL_PROTECTION);
}

/** A register destination of 4 or 8 bytes is zero-extended, memory is always 2 bytes. */
function movFromSegment(b: Builder): void {
  b.write(0, b.resize(b.read(1), b.operandSize(0)));
}

function movToSegment(b: Builder): void {
  checkSelector(b, b.wrap(b.read(1)));
}

export const integerSegments: SemanticsTable = {
  'mov-from-segment': movFromSegment,
  'mov-to-segment': movToSegment,
};
