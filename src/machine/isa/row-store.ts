/** Rows by number, made when they are first asked for: a program uses a fifth of them. */

import type { Feature, InstructionRow, MandatoryPrefix, OpcodeMap } from './instruction.ts';
import { ROW_FIELD_SEPARATOR } from './row-flags.ts';
import { ROW_TEXT } from './tables.generated.ts';

/** The text begins with a newline, so that line n + 1 is row n. */
const lines = ROW_TEXT.split('\n');
const rows: (InstructionRow | undefined)[] = new Array<InstructionRow | undefined>(lines.length - 2).fill(undefined);

/** Number of rows. */
export const ROW_COUNT = rows.length;

function optionalNumber(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}

function optionalText<T extends string>(text: string): T | undefined {
  return text === '' ? undefined : (text as T);
}

/** The reverse of `rowText` in `pack.ts`. */
function parseRow(id: number): InstructionRow {
  const fields = lines[id + 1]!.split(ROW_FIELD_SEPARATOR);
  const bits = Number(fields[13]);
  return {
    id,
    mnemonic: fields[0]!,
    map: Number(fields[1]) as OpcodeMap,
    opcode: Number(fields[2]),
    opcodeRegister: (bits & 1) !== 0,
    prefix: optionalText<MandatoryPrefix>(fields[7]!),
    group: optionalNumber(fields[8]!),
    modrm: optionalText<'mem' | 'reg'>(fields[9]!),
    rm: optionalNumber(fields[10]!),
    rexW: optionalNumber(fields[11]!) as 0 | 1 | undefined,
    vectorLength: optionalNumber(fields[14]!) as 0 | 1 | undefined,
    operands: fields[3] === '' ? [] : fields[3]!.split(','),
    semantics: fields[4] === '' ? fields[0]! : fields[4]!,
    feature: fields[5] as Feature,
    flow: fields[6] as InstructionRow['flow'],
    default64: (bits & 2) !== 0,
    repeat: optionalText<'rep' | 'repe-repne'>(fields[12]!),
    lockable: (bits & 4) !== 0,
    byte: (bits & 8) !== 0,
    aligned: (bits & 16) !== 0,
  };
}

/** The row with this number, always the same object. */
export function rowOf(id: number): InstructionRow {
  const row = rows[id];
  return row ?? (rows[id] = parseRow(id));
}
