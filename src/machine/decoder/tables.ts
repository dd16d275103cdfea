/** The tables of the block decoder, laid out as `layout.ts` says. Runs at build time. */
import type { InstructionRow } from '../isa/instruction.ts';
import { TYPE_SIZES } from '../isa/operand-codes.ts';
import { rowOf, ROW_COUNT } from '../isa/row-store.ts';
import { GROUPS, OPCODES, ROW_FLAGS, ROW_IMMEDIATE_BYTES, ROW_OPERANDS } from '../isa/tables.generated.ts';
import { DECODER_END, DECODER_START } from '../layout.ts';
import { GUEST_BASE } from '../state.ts';
import * as layout from './layout.ts';

/** By condition code (SDM Vol. 1 App. B) without its lowest bit, which negates. */
const CONDITIONS: readonly number[] = [
  0, layout.FLOW_BELOW, layout.FLOW_EQUAL, layout.FLOW_BELOW | layout.FLOW_EQUAL,
  layout.FLOW_NEGATIVE, 0, layout.FLOW_LESS, layout.FLOW_LESS | layout.FLOW_EQUAL,
];

function flowOf({ flow, semantics, opcode }: InstructionRow): number {
  if (flow === 'next') return 0;
  const ends = flow === 'jump' || flow === 'return' || flow === 'indirect-jump' || flow === 'trap';
  const condition = semantics === 'jcc' ? (CONDITIONS[(opcode & 15) >> 1] ?? 0) : 0;
  const negated = condition !== 0 && (opcode & 1) !== 0;
  return layout.FLOW_BRANCHES | (ends ? layout.FLOW_ENDS : 0) | condition | (negated ? layout.FLOW_NOT : 0);
}

function prefixKinds(): Uint8Array {
  const kinds = new Uint8Array(256);
  kinds.fill(layout.PREFIX_REX, 0x40, 0x50);
  kinds[0x66] = layout.PREFIX_OPERAND_SIZE;
  kinds[0x67] = layout.PREFIX_ADDRESS_SIZE;
  kinds[0xf3] = layout.PREFIX_REPEAT;
  kinds[0xf2] = layout.PREFIX_REPEAT_NOT;
  kinds[0xf0] = layout.PREFIX_LOCK;
  kinds[0x64] = layout.PREFIX_FS;
  kinds[0x65] = layout.PREFIX_GS;
  for (const byte of [0x26, 0x2e, 0x36, 0x3e]) kinds[byte] = layout.PREFIX_IGNORED;
  return kinds;
}

/** The bytes of TABLES to TABLES_END. `handlers` by form key, `notes` and `pairClasses` by handler, `pairs` by two classes. Throws where a table has outgrown its place. */
export function packDecoderTables(handlers: Uint16Array, notes: Uint8Array, pairClasses: Uint16Array, pairs: Uint16Array): Uint8Array<ArrayBuffer> {
  if (layout.CODE !== DECODER_START - GUEST_BASE || layout.TABLES_END > DECODER_END - GUEST_BASE) throw new RangeError('the two layouts disagree');
  const bytes = new Uint8Array(layout.TABLES_END - layout.TABLES);
  const put = (at: number, end: number, table: ArrayBufferView): void => {
    if (at + table.byteLength > end) throw new RangeError('a table of the block decoder has outgrown its place');
    bytes.set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), at - layout.TABLES);
  };
  const flows = Uint8Array.from({ length: ROW_COUNT }, (_, id) => flowOf(rowOf(id)));
  put(layout.OPCODES, layout.GROUPS, OPCODES);
  put(layout.GROUPS, layout.ROW_FLAGS, GROUPS);
  put(layout.ROW_FLAGS, layout.ROW_FLOWS, ROW_FLAGS);
  put(layout.ROW_FLOWS, layout.ROW_IMMEDIATE_BYTES, flows);
  put(layout.ROW_IMMEDIATE_BYTES, layout.ROW_OPERANDS, ROW_IMMEDIATE_BYTES);
  put(layout.ROW_OPERANDS, layout.PREFIX_KINDS, ROW_OPERANDS);
  put(layout.PREFIX_KINDS, layout.TYPE_SIZES, prefixKinds());
  put(layout.TYPE_SIZES, layout.HANDLERS, TYPE_SIZES);
  put(layout.HANDLERS, layout.NOTES, handlers);
  put(layout.NOTES, layout.PAIR_CLASSES, notes);
  put(layout.PAIR_CLASSES, layout.PAIRS, pairClasses);
  put(layout.PAIRS, layout.TABLES_END, pairs);
  return bytes;
}
