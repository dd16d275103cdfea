/**
 * What the SDM leaves undefined, or processors compute differently: by key of the semantics. Results are
 * compared without it.
 */

import { CF, PF, AF, ZF, SF, OF } from './flag-bits.ts';

const MULTIPLY = SF | ZF | AF | PF;
const DIVIDE = CF | PF | AF | ZF | SF | OF;
const ZERO_COUNT = OF | SF | AF | PF;
const BIT_TEST = OF | SF | AF | PF;

/** Flags that are undefined after an instruction whatever its operands. */
export const UNDEFINED_FLAGS: ReadonlyMap<string, number> = new Map([
  ['mul', MULTIPLY],
  ['imul1', MULTIPLY],
  ['imul2', MULTIPLY],
  ['imul3', MULTIPLY],
  ['div', DIVIDE],
  ['idiv', DIVIDE],
  ['and', AF],
  ['or', AF],
  ['xor', AF],
  ['test', AF],
  ['shl', AF],
  ['shr', AF],
  ['sar', AF],
  ['shld', AF],
  ['shrd', AF],
  ['bt', BIT_TEST],
  ['bts', BIT_TEST],
  ['btr', BIT_TEST],
  ['btc', BIT_TEST],
  ['bsf', CF | OF | SF | AF | PF],
  ['bsr', CF | OF | SF | AF | PF],
  ['tzcnt', ZERO_COUNT],
  ['lzcnt', ZERO_COUNT],
  ['andn', AF | PF],
  ['bextr', SF | AF | PF],
  ...['blsr', 'blsmsk', 'blsi', 'bzhi'].map((key) => [key, AF | PF] as const),
]);

/** Shifts and rotations: OF is defined for a count of 1 only. */
export const OVERFLOW_BY_COUNT: ReadonlySet<string> = new Set(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr', 'shld', 'shrd']);
/** CF is undefined when the count is not below the operand size. */
export const CARRY_BY_COUNT: ReadonlySet<string> = new Set(['shl', 'shr']);
/** Result and flags are undefined when the count is above the operand size (16 bits only). */
export const RESULT_BY_COUNT: ReadonlySet<string> = new Set(['shld', 'shrd']);

/** Approximations: relative error up to 1.5 * 2^-12 (SDM Vol. 2, RCPPS). */
export const APPROXIMATE_SINGLES: ReadonlySet<string> = new Set(['rcpps', 'rcpss', 'rsqrtps', 'rsqrtss', 'vrcpps', 'vrcpss', 'vrsqrtps', 'vrsqrtss']);

/** x87 functions that processors compute to within a unit in the last place (SDM Vol. 1, 8.3.10). */
export const TRANSCENDENTAL: ReadonlySet<string> = new Set([
  'fsin', 'fcos', 'fsincos', 'fptan', 'fpatan', 'f2xm1', 'fyl2x', 'fyl2xp1',
]);

/** Instructions that store the x87 instruction and data pointers, which processors keep differently. */
export const STORES_POINTERS: ReadonlySet<string> = new Set(['fnstenv', 'fnsave']);
