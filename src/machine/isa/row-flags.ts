/** What the decoder needs to know of a row, as bits; and how rows are written as text (`pack.ts`). */

export const ROW_HAS_MODRM = 1;
export const ROW_BYTE = 2;
/** Operand size 64 bits unless 66 is given. */
export const ROW_DEFAULT64 = 4;
/** Operand size 64 bits whatever is given. */
export const ROW_FORCE64 = 8;
export const ROW_LOCKABLE = 16;
/** 66 is part of the opcode, not an operand size. */
export const ROW_PREFIX_66 = 32;
export const ROW_REPEAT = 64;
/** F2 is another repetition than F3. */
export const ROW_REPEAT_NOT_EQUAL = 128;

export const ROW_FIELD_SEPARATOR = '|';
