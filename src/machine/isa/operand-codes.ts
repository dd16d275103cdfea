/**
 * Operand codes of the rows (`Ev`, `Wdq`, `Ibs`, ...) as small integers, so that the decoder compares no
 * strings: addressing in bits 0 to 7, operand type of a register in bits 8 to 11, of memory in 12 to 15.
 */

import {
  ADDRESSING_GPR_OR_MEMORY,
  ADDRESSING_GPR,
  ADDRESSING_OPCODE_GPR,
  ADDRESSING_XMM,
  ADDRESSING_XMM_OR_MEMORY,
  ADDRESSING_MMX,
  ADDRESSING_MMX_OR_MEMORY,
  ADDRESSING_IMMEDIATE,
  ADDRESSING_IMMEDIATE_SIGNED_BYTE,
  ADDRESSING_IMMEDIATE_FULL,
  ADDRESSING_RELATIVE,
  ADDRESSING_OFFSET,
  ADDRESSING_SEGMENT,
  ADDRESSING_CONTROL,
  ADDRESSING_DEBUG,
  ADDRESSING_FIXED_GPR,
  ADDRESSING_FIXED_SEGMENT,
  ADDRESSING_X87,
  ADDRESSING_X87_TOP,
  ADDRESSING_ONE,
  ADDRESSING_VEX_XMM,
  ADDRESSING_VEX_GPR,
  ADDRESSING_LAST_XMM,
  ADDRESSING_VECTOR_INDEXED,
} from './addressing.ts';

export * from './addressing.ts';

export const TYPE_BYTE = 0;
export const TYPE_WORD = 1;
export const TYPE_DOUBLEWORD = 2;
export const TYPE_QUADWORD = 3;
export const TYPE_16_BYTES = 4;
export const TYPE_10_BYTES = 5;
/** 2, 4 or 8 bytes: the operand size. */
export const TYPE_V = 6;
/** 2 or 4 bytes. */
export const TYPE_Z = 7;
/** 4 or 8 bytes. */
export const TYPE_Y = 8;
/** A far pointer, 4, 6 or 10 bytes. */
export const TYPE_P = 9;
/** No size: `lea`, `fxsave`. */
export const TYPE_NONE = 10;
export const TYPE_32_BYTES = 11;

/** Bytes by operand type * 4 + operand size index (0: 16 bits, 1: 32, 2: 64). */
export const TYPE_SIZES = new Uint8Array([
  1, 1, 1, 0, 2, 2, 2, 0, 4, 4, 4, 0, 8, 8, 8, 0, 16, 16, 16, 0, 10, 10, 10, 0, // fixed
  2, 4, 8, 0, 2, 4, 4, 0, 4, 4, 8, 0, 4, 6, 10, 0, 0, 0, 0, 0, 32, 32, 32, 0, // v, z, y, p, none, 32 bytes
]);

const ADDRESSING: Readonly<Record<string, number>> = {
  E: ADDRESSING_GPR_OR_MEMORY,
  R: ADDRESSING_GPR_OR_MEMORY,
  M: ADDRESSING_GPR_OR_MEMORY,
  G: ADDRESSING_GPR,
  Z: ADDRESSING_OPCODE_GPR,
  V: ADDRESSING_XMM,
  W: ADDRESSING_XMM_OR_MEMORY,
  U: ADDRESSING_XMM_OR_MEMORY,
  P: ADDRESSING_MMX,
  Q: ADDRESSING_MMX_OR_MEMORY,
  N: ADDRESSING_MMX_OR_MEMORY,
  I: ADDRESSING_IMMEDIATE,
  J: ADDRESSING_RELATIVE,
  O: ADDRESSING_OFFSET,
  S: ADDRESSING_SEGMENT,
  C: ADDRESSING_CONTROL,
  D: ADDRESSING_DEBUG,
  H: ADDRESSING_VEX_XMM,
  B: ADDRESSING_VEX_GPR,
  L: ADDRESSING_LAST_XMM,
  X: ADDRESSING_VECTOR_INDEXED,
};

const TYPES: Readonly<Record<string, number>> = {
  '': TYPE_NONE,
  b: TYPE_BYTE,
  w: TYPE_WORD,
  d: TYPE_DOUBLEWORD,
  ss: TYPE_DOUBLEWORD,
  q: TYPE_QUADWORD,
  sd: TYPE_QUADWORD,
  dq: TYPE_16_BYTES,
  ps: TYPE_16_BYTES,
  pd: TYPE_16_BYTES,
  qq: TYPE_32_BYTES,
  t: TYPE_10_BYTES,
  v: TYPE_V,
  z: TYPE_Z,
  y: TYPE_Y,
  p: TYPE_P,
};

function packed(addressing: number, type: number, memoryType = type, register = 0): number {
  return addressing | (type << 8) | (memoryType << 12) | (register << 16);
}

/** All codes met so far. */
const known = new Map<string, number>([
  ['AL', packed(ADDRESSING_FIXED_GPR, TYPE_BYTE)],
  ['AX', packed(ADDRESSING_FIXED_GPR, TYPE_WORD)],
  ['eAX', packed(ADDRESSING_FIXED_GPR, TYPE_Z)],
  ['rAX', packed(ADDRESSING_FIXED_GPR, TYPE_V)],
  ['CL', packed(ADDRESSING_FIXED_GPR, TYPE_BYTE, TYPE_BYTE, 1)],
  ['DX', packed(ADDRESSING_FIXED_GPR, TYPE_WORD, TYPE_WORD, 2)],
  ['FS', packed(ADDRESSING_FIXED_SEGMENT, TYPE_WORD, TYPE_WORD, 4)],
  ['GS', packed(ADDRESSING_FIXED_SEGMENT, TYPE_WORD, TYPE_WORD, 5)],
  ['ST0', packed(ADDRESSING_X87_TOP, TYPE_10_BYTES)],
  ['STi', packed(ADDRESSING_X87, TYPE_10_BYTES)],
  ['1', packed(ADDRESSING_ONE, TYPE_BYTE)],
  ['Ibs', packed(ADDRESSING_IMMEDIATE_SIGNED_BYTE, TYPE_V)],
  ['Iz', packed(ADDRESSING_IMMEDIATE_FULL, TYPE_Z)],
  ['Iv', packed(ADDRESSING_IMMEDIATE_FULL, TYPE_V)],
]);

/** Of a code as it stands in a row; throws for one that is not known (a mistake in the table). */
export function packOperandCode(code: string): number {
  let value = known.get(code);
  if (value !== undefined) return value;
  const slash = code.indexOf('/');
  const register = slash < 0 ? code : code.slice(0, slash);
  const memory = slash < 0 ? code : code.slice(slash + 1);
  const addressing = ADDRESSING[register.charAt(0)];
  const type = TYPES[register.slice(1)];
  const memoryType = TYPES[memory.slice(1)];
  if (addressing === undefined || type === undefined || memoryType === undefined) {
    throw new Error(`instruction table: unknown operand code ${code}`);
  }
  value = packed(addressing, type, memoryType);
  known.set(code, value);
  return value;
}
