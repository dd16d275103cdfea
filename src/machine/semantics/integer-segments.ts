/**
 * Segment registers and descriptors: SDM Vol. 2, MOV, LAR, LSL, VERR, VERW. The registers hold what Linux gives a
 * 64-bit program, always: 0x33 in CS, 0x2b in SS, 0 in the others (arch/x86/include/asm/segment.h). A load is
 * checked and forgotten.
 */
import type { Builder, Expr, SemanticsTable } from './builder.ts';

/** #GP. */
const GENERAL_PROTECTION = 13;

/** Descriptors that user mode may load, by selector without the requested privilege level, with what LAR and LSL give. */
const USER_DESCRIPTORS = [
  /** `__USER_DS` */
  { selector: 0x28, writable: true, access: 0x00cf_f300, limit: -1 },
  /** `__USER_CS` */
  { selector: 0x30, writable: false, access: 0x00af_fb00, limit: -1 },
  /** `__CPUNODE_SEG`: its limit is the number of the processor and of the node. */
  { selector: 0x78, writable: false, access: 0x0040_f500, limit: 0 },
] as const;

/** The selector in an operand without its privilege level, in a local. */
function selectorOf(b: Builder, value: Expr): Expr {
  return b.let(b.and(b.wrap(value), b.i32(0xfffc)));
}

/** Raises #GP for a selector that Linux gives no program. */
export function checkSelector(b: Builder, value: Expr): void {
  const selector = selectorOf(b, value);
  let invalid = b.ne(selector, b.i32(0));
  for (const descriptor of USER_DESCRIPTORS) invalid = b.and(invalid, b.ne(selector, b.i32(descriptor.selector)));
  b.faultIf(invalid, GENERAL_PROTECTION);
}

/** A register destination of 4 or 8 bytes is zero-extended, memory is always 2 bytes. */
function movFromSegment(b: Builder): void {
  b.write(0, b.resize(b.read(1), b.operandSize(0)));
}

function movToSegment(b: Builder): void {
  checkSelector(b, b.read(1));
}

/** LAR and LSL: the destination changes only where there is such a descriptor, which ZF tells. */
function describe(field: 'access' | 'limit'): (b: Builder) => void {
  return (b) => {
    const size = b.operandSize(0);
    const selector = selectorOf(b, b.read(1));
    let value = b.i32(0);
    let known = b.i32(0);
    for (const descriptor of USER_DESCRIPTORS) {
      const is = b.let(b.eq(selector, b.i32(descriptor.selector)));
      value = b.select(is, b.i32(descriptor[field]), value);
      known = b.or(known, is);
    }
    const found = b.let(known);
    b.if(found, () => b.write(0, b.resize(value, size)));
    b.setFlags({ ZF: found });
  };
}

function verify(wantsWrite: boolean): (b: Builder) => void {
  return (b) => {
    const selector = selectorOf(b, b.read(0));
    let accessible = b.i32(0);
    for (const descriptor of USER_DESCRIPTORS) {
      if (descriptor.writable || !wantsWrite) accessible = b.or(accessible, b.eq(selector, b.i32(descriptor.selector)));
    }
    b.setFlags({ ZF: accessible });
  };
}

export const integerSegments: SemanticsTable = {
  'mov-from-segment': movFromSegment,
  'mov-to-segment': movToSegment,
  lar: describe('access'),
  lsl: describe('limit'),
  verr: verify(false),
  verw: verify(true),
};
