/** The rows as they are written, numbered. Everything but `lookup.ts` and `pack.ts` uses `table.ts`. */

import type { InstructionRow } from './instruction.ts';
import type { RowDefinition } from './row.ts';
import { AVX_ROWS } from './rows-avx.ts';
import { CONTROL_ROWS } from './rows-control.ts';
import { INTEGER_ROWS } from './rows-integer.ts';
import { SIMD_ROWS } from './rows-simd.ts';
import { X87_ROWS } from './rows-x87.ts';

function numbered(...parts: readonly (readonly RowDefinition[])[]): readonly InstructionRow[] {
  const rows = parts.flat();
  for (let id = 0; id < rows.length; id++) rows[id]!.id = id;
  return rows;
}

export const DEFINITIONS: readonly InstructionRow[] = numbered(INTEGER_ROWS, CONTROL_ROWS, SIMD_ROWS, X87_ROWS, AVX_ROWS);
