/** All MMX and SSE semantics by key. */
import { MMX_MOVES } from './mmx-moves.ts';
import type { SemanticsTable } from './builder.ts';
import { SSE_COMPARE } from './sse-compare.ts';
import { SSE_CONVERSIONS } from './sse-convert.ts';
import { MMX_INTEGER, SSE_INTEGER } from './sse-integer.ts';
import { SSE_MOVES } from './sse-moves.ts';
import { SSE_PACKED } from './sse-packed.ts';
import { SSE_SCALAR } from './sse-scalar.ts';
import { MMX_SHIFTS, SSE_SHIFTS } from './sse-shifts.ts';
import { MMX_SHUFFLES, SSE_SHUFFLES } from './sse-shuffles.ts';
import { SSE4 } from './sse-sse4.ts';

export const SIMD_SEMANTICS: SemanticsTable = {
  ...SSE_MOVES,
  ...SSE_INTEGER,
  ...SSE_SHIFTS,
  ...SSE_SHUFFLES,
  ...SSE_SCALAR,
  ...SSE_PACKED,
  ...SSE_COMPARE,
  ...SSE_CONVERSIONS,
  ...SSE4,
  ...MMX_MOVES,
  ...MMX_INTEGER,
  ...MMX_SHIFTS,
  ...MMX_SHUFFLES,
};
