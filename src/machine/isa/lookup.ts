/**
 * From opcode bytes to row: a flat table by map, mandatory prefix and opcode, with small tables behind
 * it where ModRM and REX.W are part of the opcode. Built at import, which takes milliseconds: the decoder
 * uses `tables.generated.ts`, which `pack.ts` writes from this.
 */

import type { InstructionRow } from './instruction.ts';
import {
  ADDRESSING_DEBUG,
  ADDRESSING_IMMEDIATE,
  ADDRESSING_IMMEDIATE_FULL,
  ADDRESSING_IMMEDIATE_SIGNED_BYTE,
  ADDRESSING_LAST_XMM,
  ADDRESSING_MMX_OR_MEMORY,
  ADDRESSING_OPCODE_GPR,
  ADDRESSING_SEGMENT,
  TYPE_BYTE,
  TYPE_SIZES,
  packOperandCode,
} from './operand-codes.ts';
import {
  ROW_BYTE,
  ROW_DEFAULT64,
  ROW_FORCE64,
  ROW_HAS_MODRM,
  ROW_LOCKABLE,
  ROW_PREFIX_66,
  ROW_REPEAT,
  ROW_REPEAT_NOT_EQUAL,
} from './row-flags.ts';
import { DEFINITIONS } from './definitions.ts';

/** Index of a mandatory prefix: none, 66, F3, F2. */
export const PREFIX_INDEX = { none: 0, '66': 1, F3: 2, F2: 3 } as const;

const FIRST_VEX_MAP = 4;
/** Maps in `OPCODES`: those of VEX stand there twice, for VEX.L 0 and 1. */
const VEX_MAPS = 3;

/**
 * By map << 10 | prefix index << 8 | opcode (with VEX.L, three maps later): 0 no instruction; n > 0 the row n - 1; n < 0 the group
 * at -n in `GROUPS`.
 */
export const OPCODES = new Int16Array(10 << 10);

/**
 * A group has 32 entries, by REX.W << 4 | (mod == 3) << 3 | reg, in the same code; there n < 0 leads to 8 entries
 * by ModRM.rm.
 */
export const GROUPS = new Int16Array(16384);

export const ROW_FLAGS = new Uint8Array(DEFINITIONS.length);
/** Four packed operand codes a row; 0 for none. */
export const ROW_OPERANDS = new Int32Array(DEFINITIONS.length * 4);
/** Bytes of immediates a row, by operand size index: row * 4 + index. */
export const ROW_IMMEDIATE_BYTES = new Uint8Array(DEFINITIONS.length * 4);

let groupsUsed = 1;

function allocate(entries: number, content: number): number {
  const start = groupsUsed;
  groupsUsed += entries;
  if (groupsUsed > GROUPS.length) throw new Error('instruction table: too many groups');
  GROUPS.fill(content, start, groupsUsed);
  return start;
}

function fillGroup(group: number, row: InstructionRow): void {
  for (let entry = 0; entry < 32; entry++) {
    if (row.group !== undefined && (entry & 7) !== row.group) continue;
    if (row.modrm !== undefined && (entry & 8) !== (row.modrm === 'reg' ? 8 : 0)) continue;
    if (row.rexW !== undefined && entry >> 4 !== row.rexW) continue;
    const at = group + entry;
    if (row.rm === undefined) {
      GROUPS[at] = row.id + 1;
    } else {
      if (GROUPS[at]! >= 0) GROUPS[at] = -allocate(8, GROUPS[at]!);
      GROUPS[row.rm - GROUPS[at]!] = row.id + 1;
    }
  }
}

function isRestricted(row: InstructionRow): boolean {
  return row.group !== undefined || row.modrm !== undefined || row.rexW !== undefined;
}

function place(row: InstructionRow): void {
  const first = row.prefix === undefined ? 0 : PREFIX_INDEX[row.prefix];
  const last = row.prefix === undefined ? 3 : first;
  const restricted = isRestricted(row);
  const registers = row.opcodeRegister ? 8 : 1;
  for (const map of mapsOf(row)) {
    for (let prefix = first; prefix <= last; prefix++) {
      for (let register = 0; register < registers; register++) {
        const slot = (map << 10) | (prefix << 8) | (row.opcode + register);
        if (!restricted) {
          OPCODES[slot] = row.id + 1;
        } else {
          if (OPCODES[slot]! >= 0) OPCODES[slot] = -allocate(32, OPCODES[slot]!);
          fillGroup(-OPCODES[slot]!, row);
        }
      }
    }
  }
}

function mapsOf({ map, vectorLength }: InstructionRow): number[] {
  if (map < FIRST_VEX_MAP || vectorLength === 0) return [map];
  return vectorLength === 1 ? [map + VEX_MAPS] : [map, map + VEX_MAPS];
}

/** Rows that say more about their encoding come later and win. */
function specificity(row: InstructionRow): number {
  return (
    (row.prefix === undefined ? 0 : 8) +
    (row.rm === undefined ? 0 : 4) +
    (isRestricted(row) ? 2 : 0) +
    (row.opcodeRegister ? 0 : 1)
  );
}

function placeAll(): void {
  const levels: InstructionRow[][] = Array.from({ length: 16 }, () => []);
  for (const row of DEFINITIONS) levels[specificity(row)]!.push(row);
  for (const level of levels) for (const row of level) place(row);
}

function immediateBytes(code: number, sizeIndex: number): number {
  const addressing = code & 0xff;
  if (addressing === ADDRESSING_IMMEDIATE_SIGNED_BYTE || addressing === ADDRESSING_LAST_XMM) return 1;
  if (addressing !== ADDRESSING_IMMEDIATE && addressing !== ADDRESSING_IMMEDIATE_FULL) return 0;
  return TYPE_SIZES[(((code >> 8) & 15) << 2) | sizeIndex]!;
}

function usesModrm(addressing: number): boolean {
  if (addressing <= ADDRESSING_MMX_OR_MEMORY) return addressing !== ADDRESSING_OPCODE_GPR;
  return addressing >= ADDRESSING_SEGMENT && addressing <= ADDRESSING_DEBUG;
}

function flagsOf(row: InstructionRow, hasModrm: boolean, allBytes: boolean): number {
  // Of most VEX rows W is part of the opcode or ignored: they have one size. PCMPESTRI takes it for its lengths.
  const isVector = row.map >= FIRST_VEX_MAP && !row.operands.some((code) => code.endsWith('y')) && !row.mnemonic.startsWith('vpcmpestr');
  const forced = isVector || (row.default64 && row.flow !== 'next');
  return (
    (hasModrm ? ROW_HAS_MODRM : 0) |
    (row.byte || allBytes ? ROW_BYTE : 0) |
    (forced ? ROW_FORCE64 : row.default64 ? ROW_DEFAULT64 : 0) |
    (row.lockable ? ROW_LOCKABLE : 0) |
    (row.prefix === '66' || row.map >= FIRST_VEX_MAP ? ROW_PREFIX_66 : 0) |
    (row.repeat !== undefined ? ROW_REPEAT : 0) |
    (row.repeat === 'repe-repne' ? ROW_REPEAT_NOT_EQUAL : 0)
  );
}

function compile(row: InstructionRow): void {
  let hasModrm = isRestricted(row);
  let allBytes = row.operands.length > 0;
  for (let index = 0; index < row.operands.length; index++) {
    const code = packOperandCode(row.operands[index]!);
    ROW_OPERANDS[row.id * 4 + index] = code;
    hasModrm ||= usesModrm(code & 0xff);
    if (((code >> 8) & 15) !== TYPE_BYTE) allBytes = false;
    for (let sizeIndex = 0; sizeIndex < 3; sizeIndex++) {
      ROW_IMMEDIATE_BYTES[row.id * 4 + sizeIndex]! += immediateBytes(code, sizeIndex);
    }
  }
  ROW_FLAGS[row.id] = flagsOf(row, hasModrm, allBytes && !row.default64);
}

placeAll();
for (const row of DEFINITIONS) compile(row);
