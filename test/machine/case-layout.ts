/** Binary layout of cases and results, and the memory they run in: as in `native-runner.c`. */

/** Two pages that can be written, then one that can be read, then nothing. */
export const DATA = 0x0100_0000;
export const DATA_SIZE = 0x2000;
export const READ_ONLY = 0x0100_2000;
export const CODE = 0x0110_0000;
export const CODE_SIZE = 0x1_0000;
export const SLOT = 64;
export const SLOTS = CODE_SIZE / SLOT;
/** What each case sets and each result shows; it crosses a page boundary. */
export const WINDOW = 0x0100_0f80;
export const WINDOW_SIZE = 256;
export const GS_BASE = 0x0100_0800;
/** Fills the code around an instruction: privileged, so that it ends the case. */
export const HLT = 0xf4;
/** The part of an FXSAVE image that holds registers. */
export const FX_SIZE = 416;

export const CASE_LENGTH = 0;
export const CASE_SLOT = 4;
export const CASE_CODE = 8;
export const CASE_REGISTERS = 40;
export const CASE_FLAGS = 168;
export const CASE_FX = 176;
export const CASE_WINDOW = CASE_FX + FX_SIZE;
/** Bits 128 to 255 of the YMM registers. */
export const YMM_SIZE = 256;
export const CASE_YMM = CASE_WINDOW + WINDOW_SIZE;
export const CASE_SIZE = CASE_YMM + YMM_SIZE;

export const RESULT_VECTOR = 0;
export const RESULT_ERROR = 4;
export const RESULT_FAULT_ADDRESS = 8;
export const RESULT_RIP = 16;
export const RESULT_REGISTERS = 24;
export const RESULT_FLAGS = 152;
export const RESULT_FX = 160;
export const RESULT_WINDOW = RESULT_FX + FX_SIZE;
export const RESULT_HASH = RESULT_WINDOW + WINDOW_SIZE;
export const RESULT_YMM = RESULT_HASH + 8;
export const RESULT_SIZE = RESULT_YMM + YMM_SIZE;

// FXSAVE (SDM Vol. 1, table 10-2).
export const FX_CONTROL = 0;
export const FX_STATUS = 2;
export const FX_TAG = 4;
export const FX_OPCODE = 6;
export const FX_IP = 8;
export const FX_DP = 16;
export const FX_MXCSR = 24;
export const FX_MXCSR_MASK = 28;
export const FX_ST = 32;
export const FX_XMM = 160;

/** What the data pages hold outside the window when a case starts. */
export function dataPattern(): Uint8Array {
  return Uint8Array.from({ length: DATA_SIZE }, (_, at) => at * 7 + (at >> 8));
}
