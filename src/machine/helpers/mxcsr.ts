/**
 * LDMXCSR, and when a program needs an SSE that obeys MXCSR. Until it does, MXCSR is as after reset, code rounds to nearest
 * and notes no exceptions. What loads another value wants the other kind; so does what changes MXCSR where it has just stored it, as
 * feclearexcept(3) and its like do even if there was nothing to change. Who only changes contexts loads from where it stored long ago, or
 * with other code than that which stored it: HotSpot's stub that enters Java puts it back at its end.
 */
import { STATE_EXACT_FLOATS, STATE_MXCSR, STATE_MXCSR_STORED_AT, STATE_MXCSR_STORED_BY, STATE_RIP } from '../state.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

/** SDM Vol. 1, 11.6.4: bits 16 to 31 are reserved. */
export const MXCSR_MASK = 0xffff;
export const MXCSR_INIT = 0x1f80;
const VECTOR_GP = 13;
/** Bytes of code between STMXCSR and the LDMXCSR of one that changes it: at most 42 in glibc's libm. */
const NEAR = 64;

/** Loads a value, or answers 1: a fault, or it has to be loaded once more. */
export function loadMxcsr(context: HelperContext, value: number): 0 | 1 {
  if ((value & ~MXCSR_MASK) !== 0) return context.raise(VECTOR_GP);
  const { view } = context;
  if (value !== MXCSR_INIT && view.getUint32(STATE_EXACT_FLOATS, true) === 0) return context.requireExactFloats();
  view.setUint32(STATE_MXCSR, value, true);
  return 0;
}

const ldmxcsr: Helper = (context, _destination, source) => {
  if (!context.readable(source, 4)) return 1;
  const { view } = context;
  const distance = view.getUint32(STATE_RIP, true) - view.getUint32(STATE_MXCSR_STORED_BY, true);
  const changes = view.getUint32(STATE_MXCSR_STORED_AT, true) === source && distance >= 0 && distance < NEAR && view.getUint32(STATE_EXACT_FLOATS, true) === 0;
  const value = view.getUint32(context.offset(source), true);
  return changes && (value & ~MXCSR_MASK) === 0 ? context.requireExactFloats() : loadMxcsr(context, value);
};

export const mxcsrHelpers: HelperTable = { ldmxcsr };
