/** How an operand is addressed: bits 0 to 7 of an operand code. Constants only: AssemblyScript reads this file too. */

export const ADDRESSING_GPR_OR_MEMORY = 1; // E, R, M
export const ADDRESSING_GPR = 2; // G
export const ADDRESSING_OPCODE_GPR = 3; // Z
export const ADDRESSING_XMM = 4; // V
export const ADDRESSING_XMM_OR_MEMORY = 5; // W, U
export const ADDRESSING_MMX = 6; // P
export const ADDRESSING_MMX_OR_MEMORY = 7; // Q, N
export const ADDRESSING_IMMEDIATE = 8; // Ib, Iw: zero-extended
export const ADDRESSING_IMMEDIATE_SIGNED_BYTE = 9; // Ibs
export const ADDRESSING_IMMEDIATE_FULL = 10; // Iz, Iv
export const ADDRESSING_RELATIVE = 11; // J
export const ADDRESSING_OFFSET = 12; // O
export const ADDRESSING_SEGMENT = 13; // S
export const ADDRESSING_CONTROL = 14; // C
export const ADDRESSING_DEBUG = 15; // D
/** The register `register` in bits 16 to 23, with the operand type's size. */
export const ADDRESSING_FIXED_GPR = 16;
export const ADDRESSING_FIXED_SEGMENT = 17;
export const ADDRESSING_X87 = 18; // STi
export const ADDRESSING_X87_TOP = 19; // ST0
/** The number 1. */
export const ADDRESSING_ONE = 20;
/** VEX.vvvv. */
export const ADDRESSING_VEX_XMM = 21; // H
export const ADDRESSING_VEX_GPR = 22; // B
/** The upper four bits of the last byte. */
export const ADDRESSING_LAST_XMM = 23; // L
/** Memory whose index is a vector. */
export const ADDRESSING_VECTOR_INDEXED = 24; // X
