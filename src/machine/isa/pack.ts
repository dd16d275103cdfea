/**
 * The tables of `lookup.ts` and the rows as a source file that loads in a fraction of a millisecond:
 * `node --import tsx scripts/generate-isa.ts` after any change of the rows.
 */

import type { InstructionRow } from './instruction.ts';
import { GROUPS, OPCODES, ROW_FLAGS, ROW_IMMEDIATE_BYTES, ROW_OPERANDS } from './lookup.ts';
import { ROW_FIELD_SEPARATOR } from './row-flags.ts';
import { DEFINITIONS } from './definitions.ts';

/** Groups with equal content become one. */
function compact(): { readonly opcodes: number[]; readonly groups: number[] } {
  const groups: number[] = [0];
  const known = new Map<string, number>();
  const keep = (entries: readonly number[]): number => {
    const key = entries.join();
    let at = known.get(key);
    if (at === undefined) {
      at = groups.length;
      known.set(key, at);
      groups.push(...entries);
    }
    return -at;
  };
  const part = (at: number, length: number): number[] => Array.from(GROUPS.subarray(at, at + length));
  const opcodes = Array.from(OPCODES, (entry) =>
    entry >= 0 ? entry : keep(part(-entry, 32).map((inner) => (inner >= 0 ? inner : keep(part(-inner, 8))))),
  );
  return { opcodes, groups };
}

function rowText(row: InstructionRow): string {
  const bits =
    (row.opcodeRegister ? 1 : 0) | (row.default64 ? 2 : 0) | (row.lockable ? 4 : 0) | (row.byte ? 8 : 0) | (row.aligned ? 16 : 0);
  return [
    row.mnemonic, row.map, row.opcode, row.operands.join(), row.semantics === row.mnemonic ? '' : row.semantics, row.feature, row.flow,
    row.prefix ?? '', row.group ?? '', row.modrm ?? '', row.rm ?? '', row.rexW ?? '', row.repeat ?? '', bits, row.vectorLength ?? '',
  ].join(ROW_FIELD_SEPARATOR);
}

function lines(values: ArrayLike<number>): string {
  const result: string[] = [];
  const all = Array.from(values);
  for (let at = 0; at < all.length; at += 64) result.push(`  ${all.slice(at, at + 64).join(',')},`);
  return result.join('\n');
}

/** Text of `tables.generated.ts`. */
export function packTables(): string {
  const { opcodes, groups } = compact();
  const table = (name: string, type: string, values: ArrayLike<number>): string =>
    `export const ${name} = new ${type}([\n${lines(values)}\n]);\n`;
  return [
    '/** Written by scripts/generate-isa.ts from the rows: do not edit. See `lookup.ts` for what the tables are. */\n',
    table('OPCODES', 'Int16Array', opcodes),
    table('GROUPS', 'Int16Array', groups),
    table('ROW_FLAGS', 'Uint8Array', ROW_FLAGS),
    table('ROW_OPERANDS', 'Int32Array', ROW_OPERANDS),
    table('ROW_IMMEDIATE_BYTES', 'Uint8Array', ROW_IMMEDIATE_BYTES),
    '/** One row a line, see `row-store.ts`. */',
    `export const ROW_TEXT = \`\n${DEFINITIONS.map(rowText).join('\n')}\n\`;\n`,
  ].join('\n');
}
