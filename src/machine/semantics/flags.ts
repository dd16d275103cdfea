/**
 * The canonical form of the arithmetic flags: two 64-bit words, RESULT and AUX, from which each flag is
 * computed when it is read. Integer instructions only store the two words.
 *
 * | flag | from |
 * |---|---|
 * | ZF | RESULT == 0 |
 * | SF | (RESULT < 0 as a signed word) XOR AUX bit 4 |
 * | PF | even parity of (RESULT XOR AUX >> 8) & 0xff |
 * | CF | AUX bit 63 |
 * | OF | AUX bit 63 XOR AUX bit 62 |
 * | AF | AUX bit 3 |
 *
 * After an operation of `size` bytes RESULT is the result, sign-extended, and AUX is
 * `((carries << (64 - 8 * size)) & (3 << 62)) | (carries & 8)`, where bit i of `carries` is the carry out
 * of bit i: `(a & b) | ((a | b) & ~r)` for r = a + b (+ carry), `(~a & b) | ((~a | b) & r)` for
 * r = a - b (- borrow). CF is the carry out of the top bit; OF is that XOR the carry into it (Hacker's
 * Delight 2-13); AF is the carry out of bit 3 (SDM Vol. 1, 3.4.3.1).
 *
 * AUX bits 4 and 8 to 15 are zero after an arithmetic instruction. They exist for flags that no result
 * has, such as ZF together with SF after POPF: RESULT is then 0 or 1 and they correct SF and PF.
 */
import { STATE_FLAG_AUX, STATE_FLAG_RESULT } from '../state.ts';

/** Positions in EFLAGS (SDM Vol. 1, figure 3-8). */
export const EFLAGS_CF = 0x1;
export const EFLAGS_FIXED = 0x2;
export const EFLAGS_PF = 0x4;
export const EFLAGS_AF = 0x10;
export const EFLAGS_ZF = 0x40;
export const EFLAGS_SF = 0x80;
export const EFLAGS_IF = 0x200;
export const EFLAGS_DF = 0x400;
export const EFLAGS_OF = 0x800;
export const EFLAGS_NT = 0x4000;
export const EFLAGS_AC = 0x4_0000;
export const EFLAGS_ID = 0x20_0000;
/** What the lazy words hold. */
export const EFLAGS_ARITHMETIC = EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF;
/** What `STATE_EFLAGS_OTHER` holds and POPF may change outside the kernel. */
export const EFLAGS_OTHER = EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID;

const AUX_AF = 0x8;
const AUX_SF = 0x10;
const AUX_PARITY_SHIFT = 8;
const AUX_HIGH_CF = 0x8000_0000;
const AUX_HIGH_OF = 0x4000_0000;

/** The two words in 32-bit halves, all signed. */
export interface LazyFlags {
  readonly resultLow: number;
  readonly resultHigh: number;
  readonly auxLow: number;
  readonly auxHigh: number;
}

/** True if the low 8 bits hold an even number of ones: PF. */
export function evenParity(value: number): boolean {
  const nibble = (value ^ (value >>> 4)) & 0xf;
  return ((0x6996 >>> nibble) & 1) === 0;
}

/** The arithmetic flags as EFLAGS bits; all other bits are zero. */
export function flagsToEflags(resultLow: number, resultHigh: number, auxLow: number, auxHigh: number): number {
  let eflags = 0;
  if (auxHigh < 0) eflags |= EFLAGS_CF;
  if (evenParity(resultLow ^ (auxLow >>> AUX_PARITY_SHIFT))) eflags |= EFLAGS_PF;
  if ((auxLow & AUX_AF) !== 0) eflags |= EFLAGS_AF;
  if ((resultLow | resultHigh) === 0) eflags |= EFLAGS_ZF;
  if (resultHigh < 0 !== ((auxLow & AUX_SF) !== 0)) eflags |= EFLAGS_SF;
  if (((auxHigh >>> 31) ^ (auxHigh >>> 30)) & 1) eflags |= EFLAGS_OF;
  return eflags;
}

/** The words for given flags; bits of `eflags` other than the arithmetic ones are ignored. */
export function eflagsToFlags(eflags: number): LazyFlags {
  const carry = (eflags & EFLAGS_CF) !== 0;
  const overflow = (eflags & EFLAGS_OF) !== 0;
  const zero = (eflags & EFLAGS_ZF) !== 0;
  const parity = (eflags & EFLAGS_PF) !== 0;
  let auxLow = 0;
  if ((eflags & EFLAGS_AF) !== 0) auxLow |= AUX_AF;
  if ((eflags & EFLAGS_SF) !== 0) auxLow |= AUX_SF;
  // RESULT is 0, of even parity, or 1, of odd parity.
  if (parity !== zero) auxLow |= 1 << AUX_PARITY_SHIFT;
  let auxHigh = 0;
  if (carry) auxHigh |= AUX_HIGH_CF;
  if (carry !== overflow) auxHigh |= AUX_HIGH_OF;
  return { resultLow: zero ? 0 : 1, resultHigh: 0, auxLow, auxHigh };
}

/** The words after `a - b` on `size` bytes (1, 2, 4 or 8); what is above the size is ignored. */
export function subtractionFlags(size: number, aLow: number, aHigh: number, bLow: number, bHigh: number): LazyFlags {
  const resultLow = (aLow - bLow) | 0;
  const borrowsLow = (~aLow & bLow) | ((~aLow | bLow) & resultLow);
  const auxLow = borrowsLow & AUX_AF;
  if (size === 8) {
    const resultHigh = (aHigh - bHigh - (borrowsLow >>> 31)) | 0;
    const borrowsHigh = (~aHigh & bHigh) | ((~aHigh | bHigh) & resultHigh);
    return { resultLow, resultHigh, auxLow, auxHigh: borrowsHigh & (AUX_HIGH_CF | AUX_HIGH_OF) };
  }
  const unused = 32 - 8 * size;
  const extended = (resultLow << unused) >> unused;
  const auxHigh = (borrowsLow << unused) & (AUX_HIGH_CF | AUX_HIGH_OF);
  return { resultLow: extended, resultHigh: extended >> 31, auxLow, auxHigh };
}

/** Writes the words into a CPU state. */
export function storeFlags(view: DataView, flags: LazyFlags): void {
  view.setInt32(STATE_FLAG_RESULT, flags.resultLow, true);
  view.setInt32(STATE_FLAG_RESULT + 4, flags.resultHigh, true);
  view.setInt32(STATE_FLAG_AUX, flags.auxLow, true);
  view.setInt32(STATE_FLAG_AUX + 4, flags.auxHigh, true);
}

/** The arithmetic flags of a CPU state as EFLAGS bits. */
export function loadFlags(view: DataView): number {
  return flagsToEflags(
    view.getInt32(STATE_FLAG_RESULT, true), view.getInt32(STATE_FLAG_RESULT + 4, true),
    view.getInt32(STATE_FLAG_AUX, true), view.getInt32(STATE_FLAG_AUX + 4, true),
  );
}
