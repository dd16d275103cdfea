/** Segment selectors that 64-bit Linux programs see (arch/x86/include/asm/segment.h); DS, ES, FS and GS are 0. */
export const USER_CS = 0x33;
export const USER_SS = 0x2b;
