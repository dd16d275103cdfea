/**
 * Where the CPU state lives in a guest's `WebAssembly.Memory`, as byte offsets from the start of the
 * memory. No guest mapping covers it (guest addresses are shifted, see `GUEST_BASE`), but a guest that
 * computes such an address can overwrite it, so nobody trusts what he reads here.
 *
 * Linux sees the same registers through `ThreadState`, a copy of the first `THREAD_STATE_SIZE` bytes
 * that is saved and loaded when the scheduler switches tasks.
 */

/** Guest address G is at Wasm address (G - GUEST_BASE) mod 2^32, so that the guest's first 64 KiB fault. */
export const GUEST_BASE = 0x10000;

// The part that belongs to a thread.
/** 16 general purpose registers, 8 bytes each, numbered as encoded (rax, rcx, rdx, rbx, rsp, ...). */
export const STATE_GPR = 0;
/** Always zero: what a missing base or index register reads. */
export const STATE_ZERO = 128;
export const STATE_FS_BASE = 136;
export const STATE_GS_BASE = 144;
/** Next instruction, 8 bytes, the high 4 zero. */
export const STATE_RIP = 152;
/** Lazy flags, see `flags.ts`. */
export const STATE_FLAG_RESULT = 160;
export const STATE_FLAG_AUX = 168;
/** DF (bit 10), AC (18), ID (21) as in EFLAGS; the arithmetic flags are not kept here. 4 bytes. */
export const STATE_EFLAGS_OTHER = 176;
export const STATE_MXCSR = 180;
/** 16 XMM registers, 16 bytes each, 16-byte aligned. */
export const STATE_XMM = 192;
/** 8 physical x87 registers R0 to R7, 16 bytes each: 8 of significand, 2 of sign and exponent, 6 unused. MMX register i is the significand of R(i). */
export const STATE_X87 = 448;
export const STATE_X87_CONTROL = 576; // 2 bytes
/** Status word without TOP, which is kept apart. 2 bytes. */
export const STATE_X87_STATUS = 578;
/** One bit a physical register: 1 = in use (the abridged tag of FXSAVE). 2 bytes. */
export const STATE_X87_TAG = 580;
/** 0 to 7. 2 bytes. */
export const STATE_X87_TOP = 582;
export const STATE_X87_OPCODE = 584; // 2 bytes
export const STATE_X87_IP = 592; // 8 bytes
export const STATE_X87_DP = 600; // 8 bytes
/** Bits 128 to 255 of the 16 YMM registers, 16 bytes each. */
export const STATE_YMM_HIGH = 640;
export const THREAD_STATE_SIZE = 896;

// The part that belongs to the machine.
/** Why the code came back, an `ExitReason`. 4 bytes. */
export const STATE_EXIT_REASON = 896;
/** Values of STATE_EXIT_REASON. */
export const EXIT_NONE = 0;
export const EXIT_BUDGET = 1;
export const EXIT_SYSCALL = 2;
export const EXIT_FAULT = 3;
/** Guest address that faulted, 8 bytes. */
export const STATE_FAULT_ADDRESS = 904;
/** x86 vector of the fault (0 #DE, 1 #DB, 3 #BP, 6 #UD, 13 #GP, 14 #PF, 16 #MF, 17 #AC, 19 #XM). 4 bytes. */
export const STATE_FAULT_VECTOR = 912;
/** Page fault error code bits (SDM Vol. 3A 4.7): 1 present, 2 write, 4 user, 16 fetch. 4 bytes. */
export const STATE_FAULT_ERROR = 916;
/** Changes whenever all decoded records are thrown away. 4 bytes. */
export const STATE_GENERATION = 928;
/** Depth of Wasm calls. 4 bytes. */
export const STATE_DEPTH = 936;
/** Not 0: SSE obeys MXCSR, see `AddressSpace.exactFloats`. 4 bytes. */
export const STATE_EXACT_FLOATS = 940;
/** Guest address where STMXCSR last stored. 4 bytes. */
export const STATE_MXCSR_STORED_AT = 944;
/** Guest address behind that STMXCSR. 4 bytes. */
export const STATE_MXCSR_STORED_BY = 948;
/** Scratch for operands of helpers: 8 slots of 16 bytes. */
export const STATE_SCRATCH = 960;
/** Vectors that are given to helpers, and come back: 8 of 16 bytes. */
export const STATE_VECTOR_SCRATCH = 1088;
export const STATE_SIZE = 4096;

/** Offset in the CPU state of a register operand. `kind`: a `RegisterClass`. */
export function registerOffset(kind: string, index: number, high8: boolean): number {
  if (kind === 'gpr') return STATE_GPR + 8 * index + (high8 ? 1 : 0);
  if (kind === 'xmm') return STATE_XMM + 16 * index;
  if (kind === 'mmx' || kind === 'x87') return STATE_X87 + 16 * index;
  return index;
}
