/** x87 control and status words, SDM Vol. 1, 8.1.3 and 8.1.5. */

/** Exception flags of the status word; the masks of the control word have the same places. */
export const X87_IE = 0x01;
export const X87_DE = 0x02;
export const X87_ZE = 0x04;
export const X87_OE = 0x08;
export const X87_UE = 0x10;
export const X87_PE = 0x20;
export const X87_EXCEPTIONS = 0x3f;
/** Stack fault. */
export const X87_SF = 0x40;
/** Exception summary: an unmasked exception is pending. */
export const X87_ES = 0x80;
export const X87_C0 = 0x100;
export const X87_C1 = 0x200;
export const X87_C2 = 0x400;
export const X87_TOP_SHIFT = 11;
export const X87_C3 = 0x4000;
/** Busy: follows ES. */
export const X87_B = 0x8000;

/** Rounding control, bits 10 and 11 of the control word. */
export const X87_RC_SHIFT = 10;
export const X87_RC_NEAREST = 0;
export const X87_RC_DOWN = 1;
export const X87_RC_UP = 2;
export const X87_RC_ZERO = 3;
/** Precision control, bits 8 and 9: 24, (reserved), 53 and 64 bits. */
export const X87_PC_SHIFT = 8;
/** After FNINIT: all masked, 64 bits, to nearest. */
export const X87_CONTROL_INIT = 0x37f;

/** x86 exception vectors, SDM Vol. 3A 6.3.1. */
export const VECTOR_GP = 13;
export const VECTOR_MF = 16;
