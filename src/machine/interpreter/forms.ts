/**
 * The forms of a row: operand size, register or memory, repeat prefix. A form has one interpreter
 * handler (two, where its flags may be dead), and the notes of the analyser.
 */
import { decode } from '../isa/decode.ts';
import type { DecodedInstruction, InstructionRow } from '../isa/instruction.ts';

/** 0: no memory operand. 1: base + displacement. 2: anything. */
export type AddressMode = 0 | 1 | 2;

export interface Form {
  readonly key: number;
  /** An instruction of this form; its registers and constants mean nothing. */
  readonly sample: DecodedInstruction;
  readonly mode: AddressMode;
}

const SIZE_INDEX: readonly number[] = [0, 0, 1, 0, 2, 0, 0, 0, 3];
const REPEAT_INDEX = { none: 0, rep: 1, repne: 2 } as const;
export const FORMS_PER_ROW = 36;

/** Index of the memory operand, or -1. */
export function memoryOperand(instruction: DecodedInstruction): number {
  const operands = instruction.operands;
  for (let index = 0; index < operands.length; index++) {
    if (operands[index]?.kind === 'memory') return index;
  }
  return -1;
}

export function addressMode(instruction: DecodedInstruction): AddressMode {
  const index = memoryOperand(instruction);
  if (index < 0) return 0;
  const operand = instruction.operands[index];
  if (operand?.kind !== 'memory') return 0;
  if (operand.index >= 0 || operand.segment !== 'none' || operand.address32 || operand.displacement > 0x7fff_ffff) return 2;
  return 1;
}

export function formKey(instruction: DecodedInstruction, mode: AddressMode): number {
  const size = SIZE_INDEX[instruction.size] ?? 0;
  return ((instruction.row.id * 4 + size) * 3 + mode) * 3 + REPEAT_INDEX[instruction.repeat];
}

const PREFIX_BYTES = { none: [], '66': [0x66], F3: [0xf3], F2: [0xf2] } as const;
const MAP_BYTES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]] as const;
const FIRST_VEX_MAP = 4;
const VEX_PREFIX = { none: 0, '66': 1, F3: 2, F2: 3 } as const;

/** A VEX prefix of three bytes, and the opcode; no register has a number above 7. */
function encodeVex(row: InstructionRow, size: number): number[] {
  const takesRegister = row.operands.some((code) => code[0] === 'H' || code[0] === 'B');
  const wide = row.rexW === 1 || (row.rexW === undefined && size === 8);
  const last = (wide ? 0x80 : 0) | ((takesRegister ? 0xd : 0xf) << 3) | ((row.vectorLength ?? 0) << 2) | VEX_PREFIX[row.prefix ?? 'none'];
  return [0xc4, 0xe0 | (row.map - FIRST_VEX_MAP + 1), last, row.opcode];
}

function encodeLegacy(row: InstructionRow, size: number, repeat: number): number[] {
  const bytes: number[] = [];
  if (repeat !== 0) bytes.push(repeat === 1 ? 0xf3 : 0xf2);
  if (size === 2) bytes.push(0x66);
  bytes.push(...PREFIX_BYTES[row.prefix ?? 'none']);
  if (size === 8 || row.rexW === 1) bytes.push(0x48);
  bytes.push(...MAP_BYTES[row.map as 0 | 1 | 2 | 3], row.opcode + (row.opcodeRegister === true ? 3 : 0));
  return bytes;
}

/** Bytes of an instruction of this row, or of another one where the row has no such form. */
function encode(row: InstructionRow, size: number, mode: AddressMode, repeat: number): Uint8Array {
  const bytes = row.map >= FIRST_VEX_MAP ? encodeVex(row, size) : encodeLegacy(row, size, repeat);
  const reg = (row.group ?? 1) << 3;
  if (mode === 0) bytes.push(0xc0 | reg | (row.rm ?? 3));
  else if (mode === 1) bytes.push(0x83 | reg);
  else bytes.push(0x84 | reg, 0xb3);
  while (bytes.length < 24) bytes.push(0);
  return Uint8Array.from(bytes);
}

/** All forms of a row. */
export function formsOfRow(row: InstructionRow): Form[] {
  const forms = new Map<number, Form>();
  const repeats = row.repeat === undefined ? [0] : [0, 1, 2];
  for (const size of [4, 8, 2, 1]) {
    for (const mode of [0, 1, 2] as const) {
      for (const repeat of repeats) {
        const sample = decode(encode(row, size, mode, repeat), 0, 24, 0x10_0000);
        if (sample.row !== row) continue;
        const actual = addressMode(sample);
        const key = formKey(sample, actual);
        if (!forms.has(key)) forms.set(key, { key, sample, mode: actual });
        if (actual === 1) {
          // moffs operands have no ModRM: their far addresses are of the second mode.
          const far = formKey(sample, 2);
          if (!forms.has(far)) forms.set(far, { key: far, sample, mode: 2 });
        }
      }
    }
  }
  return [...forms.values()];
}
