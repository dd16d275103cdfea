/** The meaning of every instruction that does not change control, by the `semantics` key of its row. */
import { avxTable, vexForms } from './avx.ts';
import { crypto } from './crypto.ts';
import { SIMD_SEMANTICS } from './sse-table.ts';
import { EXACT_SEMANTICS } from './sse-exact.ts';
import type { SemanticsTable } from './builder.ts';
import { integerArithmetic } from './integer-arithmetic.ts';
import { integerBits } from './integer-bits.ts';
import { integerBmi } from './integer-bmi.ts';
import { integerFlags } from './integer-flags.ts';
import { integerLogic } from './integer-logic.ts';
import { integerMove } from './integer-move.ts';
import { integerMultiply } from './integer-multiply.ts';
import { integerSegments } from './integer-segments.ts';
import { integerShifts } from './integer-shifts.ts';
import { integerStack } from './integer-stack.ts';
import { integerStrings } from './integer-strings.ts';
import { system } from './system.ts';
import { x87 } from './x87.ts';

const legacy: SemanticsTable = {
  ...integerArithmetic,
  ...integerLogic,
  ...integerShifts,
  ...integerBits,
  ...integerBmi,
  ...integerMultiply,
  ...integerMove,
  ...integerSegments,
  ...integerStack,
  ...integerFlags,
  ...integerStrings,
  ...SIMD_SEMANTICS,
  ...crypto,
  ...system,
  ...x87,
};

/** What obeys MXCSR, where the process asked for it. */
export const exactForms: SemanticsTable = { ...EXACT_SEMANTICS, ...vexForms(EXACT_SEMANTICS) };

export const semantics: SemanticsTable = { ...legacy, ...avxTable(legacy) };

/** The same, where SSE obeys MXCSR. */
export const exactSemantics: SemanticsTable = { ...semantics, ...exactForms };
