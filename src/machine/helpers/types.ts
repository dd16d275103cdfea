/**
 * Helpers: instructions, or parts of them, that are written in TypeScript and work on the CPU state in
 * memory (x87, AES, string repeats, CPUID...). The semantics name them with `builder.helper`.
 */

import type { CpuLevel } from '../machine-types.ts';

/** What a helper may touch. */
export interface HelperContext {
  /** Over the whole Wasm memory; offset 0 is the CPU state (`state.ts`). Read afresh from here in each call: growing replaces it. */
  readonly view: DataView;
  readonly u8: Uint8Array;
  /** Checks that `size` bytes at a guest address may be read. False: the fault is noted in the state and the helper returns 1 at once. */
  readable(address: number, size: number): boolean;
  writable(address: number, size: number): boolean;
  /** Offset in `view` and `u8` of a guest address that was checked. */
  offset(address: number): number;
  /** Notes an exception by x86 vector (13 #GP, 16 #MF, ...); the helper then returns 1. */
  raise(vector: number): 1;
  /** SSE obeys MXCSR from here on. Returns 1: the same instruction comes again when all code is of that kind. */
  requireExactFloats(): 1;
  /** Bits 0 to 31 and 32 to 63 of the time stamp counter. */
  timestamp(): readonly [low: number, high: number];
  /** What CPUID reports. */
  readonly cpu: CpuLevel;
  /** The name and number of the running thread's processor, for RDTSCP and RDPID. */
  readonly processor: number;
}

/** Bits of `forms`: which of destination and source are memory (guest addresses); else they are offsets into the state. */
export const FORM_DESTINATION_MEMORY = 1;
export const FORM_SOURCE_MEMORY = 2;

/**
 * Returns 0, or 1 after a fault was noted (nothing that the guest can see may have changed then, but for
 * the progress of a repeated string instruction), or 2: registers show progress, rip stays, execute the
 * same instruction again.
 */
export type Helper = (
  context: HelperContext,
  destination: number,
  source: number,
  immediate: number,
  forms: number,
) => number;
export type HelperTable = Readonly<Record<string, Helper>>;
