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

/** 64 bits: low and high word, of any sign. */
export type Words = readonly [low: number, high: number];

export interface Choice {
  /** 2, 4 or 8. */
  readonly size: number;
  /** ModRM.reg, 0 to 15. */
  readonly reg: number;
  /** A register number for ModRM.rm, or memory. */
  readonly rm: number | Addressing;
  /** Of `Zb` and `Zv`. */
  readonly opcodeRegister: number;
  /** VEX.vvvv, and the register in the last byte. */
  readonly vexRegister?: number;
  /** All immediates in order, as many bytes as each needs are taken. */
  readonly immediates: readonly Words[];
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

const MODRM_CODE = /^[ERMGVWUPQNSCDX]/;
const FIXED_CODES = new Set(['CL', 'DX', 'ST0', 'STi', 'FS', 'GS']);
const rowsWithModrm = new Map<InstructionRow, boolean>();

/** True if the row has a ModRM byte. */
export function hasModrm(row: InstructionRow): boolean {
  let known = rowsWithModrm.get(row);
  if (known === undefined) {
    known = row.group !== undefined || row.modrm !== undefined || row.operands.some((code) => MODRM_CODE.test(code) && !FIXED_CODES.has(code));
    rowsWithModrm.set(row, known);
  }
  return known;
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

/** An instruction is 15 bytes at most; a wrong choice must not write beyond. */
const buffer = new Uint8Array(32);
let length = 0;

function put(byte: number): void {
  buffer[length++] = byte;
}

function putLittleEndian(low: number, high: number, bytes: number): void {
  for (let index = 0; index < bytes; index++) put((index < 4 ? low >> (8 * index) : high >> (8 * (index - 4))) & 0xff);
}

function putMemory(memory: Addressing, reg: number): void {
  const { base, index, scale, displacement, displacementBytes } = memory;
  const regBits = (reg & 7) << 3;
  const indexBits = (scale << 6) | ((index < 0 ? 4 : index & 7) << 3);
  if (memory.ripRelative || base < 0) {
    put(regBits | (memory.ripRelative ? 5 : 4));
    if (!memory.ripRelative) put(indexBits | 5);
    putLittleEndian(displacement, 0, 4);
    return;
  }
  const mod = displacementBytes === 0 ? 0 : displacementBytes === 1 ? 0x40 : 0x80;
  if (mod === 0 && (base & 7) === 5) throw new Error('rbp and r13 need a displacement');
  const needsSib = index >= 0 || (base & 7) === 4;
  put(mod | regBits | (needsSib ? 4 : base & 7));
  if (needsSib) put(indexBits | (base & 7));
  putLittleEndian(displacement, 0, displacementBytes);
}

function putPrefixes(row: InstructionRow, choice: Choice): void {
  if (choice.lock) put(0xf0);
  if (choice.segment) put(choice.segment === 'fs' ? 0x64 : 0x65);
  if (choice.address32) put(0x67);
  if (row.prefix === '66' || choice.size === 2) put(0x66);
  if (row.prefix === 'F3' || choice.repeat === 'rep') put(0xf3);
  if (row.prefix === 'F2' || choice.repeat === 'repne') put(0xf2);
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

/** Bytes before the opcode, by map. */
const MAPS: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

const FIRST_VEX_MAP = 4;
const VEX_PREFIX = { none: 0, '66': 1, F3: 2, F2: 3 } as const;

export function isVex(row: InstructionRow): boolean {
  return row.map >= FIRST_VEX_MAP;
}

/** Two bytes where they suffice and the row is even: both forms are tested. */
function putVex(row: InstructionRow, choice: Choice, rm: number | Addressing): void {
  if (choice.segment) put(choice.segment === 'fs' ? 0x64 : 0x65);
  if (choice.address32) put(0x67);
  const rex = rexByte(row, choice, rm);
  const register = row.operands.some((code) => code[0] === 'H' || code[0] === 'B') ? (choice.vexRegister ?? 0) : 0;
  const last = ((~register & 15) << 3) | ((row.vectorLength ?? 0) << 2) | VEX_PREFIX[row.prefix ?? 'none'];
  if ((rex & 0xb) === 0 && row.map === FIRST_VEX_MAP && row.id % 2 === 0) {
    put(0xc5);
    put((rex & 4 ? 0 : 0x80) | last);
    return;
  }
  put(0xc4);
  put(((~rex & 7) << 5) | (row.map - FIRST_VEX_MAP + 1));
  put((rex & 8 ? 0x80 : 0) | last);
}

export function encode(row: InstructionRow, choice: Choice): Uint8Array {
  const rm = row.rm ?? choice.rm;
  length = 0;
  if (isVex(row)) putVex(row, choice, rm);
  else putLegacy(row, choice, rm);
  put(row.opcode + (row.opcodeRegister ? choice.opcodeRegister & 7 : 0));
  if (hasModrm(row)) {
    const reg = row.group ?? choice.reg & 7;
    if (typeof rm === 'number') put(0xc0 | (reg << 3) | (rm & 7));
    else putMemory(rm, reg);
  }
  let position = 0;
  for (const code of row.operands) {
    if (code[0] === 'L') put(((choice.vexRegister ?? 0) ^ 5) << 4);
    const count = immediateBytes(code, choice.size, choice.address32);
    if (count === 0) continue;
    const [low, high] = choice.immediates[position++] ?? [0, 0];
    putLittleEndian(low, high, count);
  }
  return buffer.slice(0, length);
}

function putLegacy(row: InstructionRow, choice: Choice, rm: number | Addressing): void {
  putPrefixes(row, choice);
  const rex = rexByte(row, choice, rm);
  if (rex !== 0) put(rex);
  for (const byte of MAPS[row.map]!) put(byte);
}
