/** All rows, by number: the same objects that the decoder answers with. */

import type { InstructionRow } from './instruction.ts';
import { ROW_COUNT, rowOf } from './row-store.ts';

export const ROWS: readonly InstructionRow[] = Array.from({ length: ROW_COUNT }, (_, id) => rowOf(id));
