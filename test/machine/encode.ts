/** The inverse of the decoder: bytes of an instruction from its row and a choice of operands. */

import type { InstructionRow } from '../../src/machine/isa/instruction.ts';

/** `[base + index * 2^scale + displacement]`, or RIP-relative. -1: no register. */
export interface Addressing {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  /** Bytes of displacement: 0, 1 or 4. RIP-relative and absolute addresses need 4. */
  readonly displacementBytes: 0 | 1 | 4;
  readonly ripRelative: boolean;
}

export interface Choice {
  /** 2, 4 or 8. */
  readonly size: number;
  /** ModRM.reg, 0 to 15. */
  readonly reg: number;
  /** A register number for ModRM.rm, or memory. */
  readonly rm: number | Addressing;
  /** Of `Zb` and `Zv`. */
  readonly opcodeRegister: number;
  /** All immediates in order, as many bytes as each needs are taken. */
  readonly immediates: readonly bigint[];
  readonly lock?: boolean;
  readonly repeat?: 'rep' | 'repne' | undefined;
  readonly segment?: 'fs' | 'gs' | undefined;
  readonly address32?: boolean;
  /** A REX prefix without bits: makes spl, bpl, sil, dil of ah, ch, dh, bh. */
  readonly emptyRex?: boolean;
}

/** Bytes of an immediate, relative target or moffs, by operand code. */
export function immediateBytes(code: string, size: number, address32 = false): number {
  if (code === 'Ib' || code === 'Ibs' || code === 'Jb') return 1;
  if (code === 'Iw') return 2;
  if (code === 'Jz') return 4;
  if (code === 'Iz') return size === 2 ? 2 : 4;
  if (code === 'Iv') return size;
  if (code === 'Ob' || code === 'Ov') return address32 ? 4 : 8;
  return 0;
}

const MODRM_CODE = /^[ERMGVWUPQNSCD]/;
const FIXED_CODES = new Set(['CL', 'DX', 'ST0', 'STi', 'FS', 'GS']);

/** True if the row has a ModRM byte. */
export function hasModrm(row: InstructionRow): boolean {
  if (row.group !== undefined || row.modrm !== undefined) return true;
  return row.operands.some((code) => MODRM_CODE.test(code) && !FIXED_CODES.has(code));
}

/** True if ModRM.rm is an operand that can be memory. */
export function canBeMemory(row: InstructionRow): boolean {
  return hasModrm(row) && row.modrm !== 'reg';
}

export function canBeRegister(row: InstructionRow): boolean {
  return hasModrm(row) && row.modrm !== 'mem';
}

/** Operand sizes that make a difference. */
export function operandSizes(row: InstructionRow): readonly number[] {
  if (row.rexW !== undefined) return [row.rexW === 1 ? 8 : 4];
  if (row.flow !== 'next' && row.default64) return [8];
  if (row.default64) return [8, 2];
  const types = row.operands.map((code) => (code.startsWith('r') ? 'v' : code.at(-1)));
  if (types.includes('v') || types.includes('z')) return row.prefix === '66' ? [4, 8] : [2, 4, 8];
  if (types.includes('y')) return [4, 8];
  if (row.operands.length === 0 && !row.byte && (row.repeat !== undefined || ['cwde', 'cdq'].includes(row.mnemonic))) return [2, 4, 8];
  return [4];
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function sibBytes(memory: Addressing, reg: number): number[] {
  const { base, index, scale, displacement, displacementBytes } = memory;
  const regBits = (reg & 7) << 3;
  const displacementPart = littleEndian(BigInt(displacement), displacementBytes);
  if (memory.ripRelative) return [regBits | 5, ...littleEndian(BigInt(displacement), 4)];
  if (base < 0) {
    return [regBits | 4, (scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | 5, ...littleEndian(BigInt(displacement), 4)];
  }
  const mod = displacementBytes === 0 ? 0 : displacementBytes === 1 ? 0x40 : 0x80;
  if (mod === 0 && (base & 7) === 5) throw new Error('rbp and r13 need a displacement');
  if (index < 0 && (base & 7) !== 4) return [mod | regBits | (base & 7), ...displacementPart];
  return [mod | regBits | 4, (scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base & 7), ...displacementPart];
}

function prefixes(row: InstructionRow, choice: Choice): number[] {
  const bytes: number[] = [];
  if (choice.lock) bytes.push(0xf0);
  if (choice.segment) bytes.push(choice.segment === 'fs' ? 0x64 : 0x65);
  if (choice.address32) bytes.push(0x67);
  if (row.prefix === '66' || choice.size === 2) bytes.push(0x66);
  if (row.prefix === 'F3' || choice.repeat === 'rep') bytes.push(0xf3);
  if (row.prefix === 'F2' || choice.repeat === 'repne') bytes.push(0xf2);
  return bytes;
}

function rexByte(row: InstructionRow, choice: Choice, rm: number | Addressing): number {
  const wide = row.rexW === 1 || (choice.size === 8 && !row.default64 && row.rexW === undefined);
  let rex = wide ? 0x48 : 0;
  const useReg = hasModrm(row) && row.group === undefined;
  if (useReg && choice.reg >= 8) rex |= 0x44;
  if (typeof rm === 'number') {
    if (hasModrm(row) && rm >= 8) rex |= 0x41;
  } else {
    if (rm.index >= 8) rex |= 0x42;
    if (rm.base >= 8) rex |= 0x41;
  }
  if (row.opcodeRegister && choice.opcodeRegister >= 8) rex |= 0x41;
  return choice.emptyRex ? rex | 0x40 : rex;
}

export function encode(row: InstructionRow, choice: Choice): Uint8Array {
  const rm = row.rm ?? choice.rm;
  const bytes = prefixes(row, choice);
  const rex = rexByte(row, choice, rm);
  if (rex !== 0) bytes.push(rex);
  bytes.push(...[[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][row.map]!);
  bytes.push(row.opcode + (row.opcodeRegister ? choice.opcodeRegister & 7 : 0));
  if (hasModrm(row)) {
    const reg = row.group ?? choice.reg & 7;
    if (typeof rm === 'number') bytes.push(0xc0 | (reg << 3) | (rm & 7));
    else bytes.push(...sibBytes(rm, reg));
  }
  let position = 0;
  for (const code of row.operands) {
    const count = immediateBytes(code, choice.size, choice.address32);
    if (count > 0) bytes.push(...littleEndian(choice.immediates[position++] ?? 0n, count));
  }
  return Uint8Array.from(bytes);
}
