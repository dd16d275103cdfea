/**
 * The decoder: SDM Vol. 2, chapter 2 (instruction format) and the rows.
 *
 * It is on the start-up path of every program: no strings, no exceptions, one shape of object for each
 * kind of operand, and registers that are made once.
 */

import type {
  DecodedInstruction,
  InstructionRow,
  MemoryOperand,
  Operand,
  RegisterClass,
  RegisterOperand,
  UndecodableInstruction,
} from './instruction.ts';
import {
  ADDRESSING_CONTROL,
  ADDRESSING_DEBUG,
  ADDRESSING_FIXED_GPR,
  ADDRESSING_FIXED_SEGMENT,
  ADDRESSING_GPR,
  ADDRESSING_GPR_OR_MEMORY,
  ADDRESSING_IMMEDIATE,
  ADDRESSING_IMMEDIATE_FULL,
  ADDRESSING_IMMEDIATE_SIGNED_BYTE,
  ADDRESSING_LAST_XMM,
  ADDRESSING_MMX,
  ADDRESSING_MMX_OR_MEMORY,
  ADDRESSING_OFFSET,
  ADDRESSING_OPCODE_GPR,
  ADDRESSING_RELATIVE,
  ADDRESSING_SEGMENT,
  ADDRESSING_VECTOR_INDEXED,
  ADDRESSING_VEX_GPR,
  ADDRESSING_VEX_XMM,
  ADDRESSING_X87,
  ADDRESSING_X87_TOP,
  ADDRESSING_XMM,
  ADDRESSING_XMM_OR_MEMORY,
  TYPE_SIZES,
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
import { rowOf } from './row-store.ts';
import { GROUPS, OPCODES, ROW_FLAGS, ROW_IMMEDIATE_BYTES, ROW_OPERANDS } from './tables.generated.ts';

/** An instruction has 15 bytes at most (SDM Vol. 2, 2.3.11); more is #GP. */
export const MAX_INSTRUCTION_LENGTH = 15;

// What a byte is before the opcode. 0: the opcode.
const KIND_REX = 1;
const KIND_OPERAND_SIZE = 2;
const KIND_ADDRESS_SIZE = 3;
const KIND_REPEAT = 4;
const KIND_REPEAT_NOT = 5;
const KIND_LOCK = 6;
const KIND_FS = 7;
const KIND_GS = 8;
/** cs, ds, es and ss overrides do nothing in 64-bit mode. */
const KIND_IGNORED = 9;

const PREFIX_KINDS = new Uint8Array(256);
PREFIX_KINDS.fill(KIND_REX, 0x40, 0x50);
PREFIX_KINDS[0x66] = KIND_OPERAND_SIZE;
PREFIX_KINDS[0x67] = KIND_ADDRESS_SIZE;
PREFIX_KINDS[0xf3] = KIND_REPEAT;
PREFIX_KINDS[0xf2] = KIND_REPEAT_NOT;
PREFIX_KINDS[0xf0] = KIND_LOCK;
PREFIX_KINDS[0x64] = KIND_FS;
PREFIX_KINDS[0x65] = KIND_GS;
for (const byte of [0x26, 0x2e, 0x36, 0x3e]) PREFIX_KINDS[byte] = KIND_IGNORED;

// What `readPrefixes` answers.
/** 0: none, 2: F3, 3: F2. */
const PREFIXES_REPEAT = 3;
const PREFIXES_OPERAND_SIZE = 4;
const PREFIXES_LOCK = 8;

const REX_B = 1;
const REX_X = 2;
const REX_R = 4;
const REX_W = 8;

function registerOperands(kind: RegisterClass, sizes: readonly number[], high8 = false): RegisterOperand[] {
  return sizes.flatMap((size) =>
    Array.from({ length: 16 }, (_, index) => ({ kind: 'register' as const, class: kind, index, size, high8 })),
  );
}

// All registers that an operand can be, by size position * 16 + number.
const GPR = registerOperands('gpr', [1, 2, 4, 8]);
const HIGH8 = registerOperands('gpr', [1], true);
const XMM = registerOperands('xmm', [1, 2, 4, 8, 16, 32]);
const MMX = registerOperands('mmx', [8]);
const X87 = registerOperands('x87', [10]);
const SEGMENT = registerOperands('segment', [2]);
const CONTROL = registerOperands('control', [8]);
const DEBUG = registerOperands('debug', [8]);
/** log2 of a register's size, by that size. */
const SIZE_POSITION = Uint8Array.from({ length: 33 }, (_, size) => Math.max(0, [1, 2, 4, 8, 16, 32].indexOf(size)));
const OPERAND_SIZES = new Uint8Array([2, 4, 8]);

const NO_OPERANDS: readonly Operand[] = [];
const ONE: Operand = { kind: 'immediate', size: 1, low: 1, high: 0 };

// The instruction being decoded. Set by `decode` before operands are made; nothing outlives the call.
let code: Uint8Array = new Uint8Array(0);
let position = 0;
let rex = 0;
let sizeIndex = 1;
let modrm = 0;
let opcode = 0;
let instructionAddress = 0;
let start = 0;
let addressSize32 = false;
let segment: 'none' | 'fs' | 'gs' = 'none';
/** VEX.vvvv, not inverted, until an operand takes it. */
let vexRegister = 0;

// Its memory operand.
let base = -1;
let index = -1;
let vectorIndex = -1;
/** What SIB names as the index, or -1 without SIB. */
let sibIndex = -1;
let scale = 0;
let displacement = 0;
let ripRelative = false;

function readSigned32(): number {
  const at = position;
  position = at + 4;
  return code[at]! | (code[at + 1]! << 8) | (code[at + 2]! << 16) | (code[at + 3]! << 24);
}

/** ModRM is read; SIB and displacement follow (SDM Vol. 2, tables 2-2 and 2-3). */
function readEffectiveAddress(): void {
  const mod = modrm >> 6;
  const rm = modrm & 7;
  index = -1;
  sibIndex = -1;
  scale = 0;
  displacement = 0;
  ripRelative = false;
  base = rm | ((rex & REX_B) << 3);
  if (rm === 4) {
    const sib = code[position++]!;
    base = (sib & 7) | ((rex & REX_B) << 3);
    index = sibIndex = ((sib >> 3) & 7) | ((rex & REX_X) << 2);
    scale = sib >> 6;
    if (index === 4) index = -1;
    if ((sib & 7) === 5 && mod === 0) {
      base = -1;
      displacement = readSigned32();
    }
  } else if (rm === 5 && mod === 0) {
    base = -1;
    ripRelative = true;
    displacement = readSigned32();
  }
  if (mod === 1) displacement = (code[position++]! << 24) >> 24;
  else if (mod === 2) displacement = readSigned32();
}

function memoryOperand(size: number): MemoryOperand {
  return {
    kind: 'memory',
    size,
    base,
    index,
    vectorIndex,
    scale: index < 0 && vectorIndex < 0 ? 0 : scale,
    displacement,
    ripRelative,
    segment,
    address32: addressSize32,
  };
}

/** `moffs` of A0 to A3: 64 bits, or 32 with 67. */
function readOffset(): void {
  let address = readSigned32() >>> 0;
  if (!addressSize32) address += (readSigned32() >>> 0) * 0x1_0000_0000;
  base = -1;
  index = -1;
  scale = 0;
  displacement = Math.min(address, Number.MAX_SAFE_INTEGER);
  ripRelative = false;
}

function generalRegister(number: number, size: number): RegisterOperand {
  if (size === 1 && rex === 0 && number >= 4) return HIGH8[number - 4]!;
  return GPR[(SIZE_POSITION[size]! << 4) | number]!;
}

function immediate(size: number, low: number, high: number): Operand {
  return { kind: 'immediate', size, low, high };
}

/** `Ib`, `Iw`: zero-extended. */
function readUnsigned(size: number): Operand {
  const at = position;
  position = at + size;
  return immediate(size, size === 1 ? code[at]! : code[at]! | (code[at + 1]! << 8), 0);
}

/** `Iz`, `Iv`. */
function readFull(bytes: number, size: number): Operand {
  if (bytes === 2) {
    const value = ((code[position]! << 16) | (code[position + 1]! << 24)) >> 16;
    position += 2;
    return immediate(size, value, value >> 31);
  }
  const low = readSigned32();
  return immediate(size, low, bytes === 8 ? readSigned32() : low >> 31);
}

function readTarget(bytes: number): Operand {
  const distance = bytes === 1 ? (code[position++]! << 24) >> 24 : readSigned32();
  return { kind: 'target', size: 8, address: instructionAddress + (position - start) + distance };
}

/** The operand of a packed code; `undefined` where the encoding names a register that does not exist. */
function operand(packed: number): Operand | undefined {
  const type = (packed >> 8) & 15;
  const size = TYPE_SIZES[(type << 2) | sizeIndex]!;
  const reg = ((modrm >> 3) & 7) | ((rex & REX_R) << 1);
  const rm = (modrm & 7) | ((rex & REX_B) << 3);
  switch (packed & 0xff) {
    case ADDRESSING_GPR_OR_MEMORY:
      return modrm >= 0xc0 ? generalRegister(rm, size) : memoryOperand(memorySize(packed));
    case ADDRESSING_GPR:
      return generalRegister(reg, size);
    case ADDRESSING_IMMEDIATE:
      return readUnsigned(size);
    case ADDRESSING_IMMEDIATE_SIGNED_BYTE: {
      const value = (code[position++]! << 24) >> 24;
      return immediate(size, value, value >> 31);
    }
    case ADDRESSING_IMMEDIATE_FULL:
      return readFull(size, OPERAND_SIZES[sizeIndex]!);
    case ADDRESSING_RELATIVE:
      return readTarget(size);
    case ADDRESSING_OPCODE_GPR:
      return generalRegister((opcode & 7) | ((rex & REX_B) << 3), size);
    case ADDRESSING_XMM:
      return XMM[(SIZE_POSITION[size]! << 4) | reg];
    case ADDRESSING_XMM_OR_MEMORY:
      return modrm >= 0xc0 ? XMM[(SIZE_POSITION[size]! << 4) | rm] : memoryOperand(memorySize(packed));
    default:
      return rareOperand(packed, size, reg, rm);
  }
}

function memorySize(packed: number): number {
  return TYPE_SIZES[(((packed >> 12) & 15) << 2) | sizeIndex]!;
}

function rareOperand(packed: number, size: number, reg: number, rm: number): Operand | undefined {
  switch (packed & 0xff) {
    case ADDRESSING_FIXED_GPR:
      return GPR[(SIZE_POSITION[size]! << 4) | (packed >> 16)];
    case ADDRESSING_MMX:
      return MMX[reg & 7];
    case ADDRESSING_MMX_OR_MEMORY:
      return modrm >= 0xc0 ? MMX[rm & 7] : memoryOperand(memorySize(packed));
    case ADDRESSING_X87:
      return X87[rm & 7];
    case ADDRESSING_X87_TOP:
      return X87[0];
    case ADDRESSING_OFFSET:
      readOffset();
      return memoryOperand(size);
    case ADDRESSING_SEGMENT:
      return (reg & 7) < 6 ? SEGMENT[reg & 7] : undefined;
    case ADDRESSING_FIXED_SEGMENT:
      return SEGMENT[packed >> 16];
    case ADDRESSING_CONTROL:
      return CONTROL[reg];
    case ADDRESSING_DEBUG:
      return DEBUG[reg];
    case ADDRESSING_VEX_XMM:
      return XMM[(SIZE_POSITION[size]! << 4) | takeVexRegister()];
    case ADDRESSING_VEX_GPR:
      return GPR[(SIZE_POSITION[size]! << 4) | takeVexRegister()];
    case ADDRESSING_LAST_XMM:
      return XMM[(SIZE_POSITION[size]! << 4) | (code[position++]! >> 4)];
    case ADDRESSING_VECTOR_INDEXED:
      if (sibIndex < 0) return undefined;
      index = -1;
      vectorIndex = sibIndex;
      return memoryOperand(memorySize(packed));
    default:
      return ONE;
  }
}

function takeVexRegister(): number {
  const register = vexRegister;
  vexRegister = 0;
  return register;
}

/**
 * Reads a VEX prefix of two or three bytes (SDM Vol. 2, 2.3.5) and the opcode behind it. The answer is the row's place in `OPCODES`, -1
 * where there is no such map or another prefix before that must not be there.
 */
function readVex(isPlain: boolean): number {
  const isLong = opcode === 0xc4;
  const first = code[position++]!;
  const second = isLong ? code[position++]! : first;
  const map = isLong ? first & 31 : 1;
  rex = 0x40 | (first & 0x80 ? 0 : REX_R);
  if (isLong) rex |= (first & 0x40 ? 0 : REX_X) | (first & 0x20 ? 0 : REX_B) | (second & 0x80 ? REX_W : 0);
  vexRegister = (~second >> 3) & 15;
  opcode = code[position++]!;
  if (!isPlain || map < 1 || map > 3) return -1;
  return ((map + 3 + (second & 4 ? 3 : 0)) << 10) | ((second & 3) << 8);
}

/** Behind the prefixes: the rest of the opcode. The answer is the row's place in `OPCODES` but for the opcode itself, or -1. */
function readOpcode(prefix: number, lock: boolean): number {
  if (opcode === 0xc4 || opcode === 0xc5) return readVex(prefix === 0 && rex === 0 && !lock);
  // The row of `xchg`, not of `nop`.
  if (opcode === 0x90 && (rex & REX_B) !== 0 && prefix !== 2) return (prefix << 8) | 1;
  if (opcode !== 0x0f) return prefix << 8;
  opcode = code[position++]!;
  if (opcode !== 0x38 && opcode !== 0x3a) return (prefix << 8) | 0x400;
  const map = opcode === 0x38 ? 0x800 : 0xc00;
  opcode = code[position++]!;
  return (prefix << 8) | map;
}

function undecodable(length: number, available: number, tooLong: boolean): UndecodableInstruction {
  const truncated = length > available && available < MAX_INSTRUCTION_LENGTH;
  return {
    row: undefined,
    address: instructionAddress,
    length: Math.min(length, available, MAX_INSTRUCTION_LENGTH),
    reason: truncated ? 'truncated' : tooLong ? 'too-long' : 'invalid',
  };
}

/** Makes the operands. Returns undefined if one does not exist. */
function decodeOperands(row: InstructionRow): readonly Operand[] | undefined {
  const count = row.operands.length;
  if (count === 0) return NO_OPERANDS;
  const at = row.id * 4;
  const first = operand(ROW_OPERANDS[at]!);
  if (first === undefined) return undefined;
  if (count === 1) return [first];
  const second = operand(ROW_OPERANDS[at + 1]!);
  if (second === undefined) return undefined;
  if (count === 2) return [first, second];
  const third = operand(ROW_OPERANDS[at + 2]!);
  if (third === undefined) return undefined;
  if (count === 3) return [first, second, third];
  const fourth = operand(ROW_OPERANDS[at + 3]!);
  return fourth === undefined ? undefined : [first, second, third, fourth];
}

/**
 * Reads to the first byte of the opcode. The answer is `PREFIXES_*` bits, or -1 if the limit or the longest instruction
 * comes before it. One number, because an object would cost more than the rest of this.
 */
function readPrefixes(limit: number): number {
  const end = Math.min(limit, start + MAX_INSTRUCTION_LENGTH);
  let prefixes = 0;
  rex = 0;
  addressSize32 = false;
  segment = 'none';
  while (position < end) {
    opcode = code[position++]!;
    const kind = PREFIX_KINDS[opcode]!;
    if (kind === 0) return prefixes;
    // A REX prefix counts only directly before the opcode.
    rex = kind === KIND_REX ? opcode : 0;
    if (kind === KIND_OPERAND_SIZE) prefixes |= PREFIXES_OPERAND_SIZE;
    else if (kind === KIND_REPEAT) prefixes = (prefixes & ~PREFIXES_REPEAT) | 2;
    else if (kind === KIND_REPEAT_NOT) prefixes |= 3;
    else if (kind === KIND_FS) segment = 'fs';
    else if (kind === KIND_GS) segment = 'gs';
    else if (kind === KIND_LOCK) prefixes |= PREFIXES_LOCK;
    else if (kind === KIND_ADDRESS_SIZE) addressSize32 = true;
  }
  return -1;
}

/**
 * The instruction at `bytes[offset]`, whose guest address is `address`. Bytes from `limit` on must not
 * be executed: an instruction that needs them is `'truncated'`.
 */
export function decode(
  bytes: Uint8Array,
  offset: number,
  limit: number,
  address: number,
): DecodedInstruction | UndecodableInstruction {
  const available = limit - offset;
  code = bytes;
  start = offset;
  position = offset;
  instructionAddress = address;
  modrm = 0;
  vectorIndex = -1;
  vexRegister = 0;

  const prefixes = readPrefixes(limit);
  if (prefixes < 0) return undecodable(position - offset + 1, available, true);
  const repeat = prefixes & PREFIXES_REPEAT;
  const operandSize16 = (prefixes & PREFIXES_OPERAND_SIZE) !== 0;
  const lock = (prefixes & PREFIXES_LOCK) !== 0;

  const slot = readOpcode(repeat !== 0 ? repeat : operandSize16 ? 1 : 0, lock);
  if (slot < 0) return undecodable(position - offset, available, false);

  // Past the limit `bytes` gives other data or undefined; the length is checked before it matters.
  let entry = OPCODES[slot | opcode]!;
  if (entry < 0) {
    modrm = bytes[position++]!;
    entry = GROUPS[(((rex & REX_W) << 1) | (modrm >= 0xc0 ? 8 : 0) | ((modrm >> 3) & 7)) - entry]!;
    if (entry < 0) entry = GROUPS[(modrm & 7) - entry]!;
    if (!(entry > 0)) return undecodable(position - offset, available, false);
  } else if (!(entry > 0)) {
    return undecodable(position - offset, available, false);
  } else if ((ROW_FLAGS[entry - 1]! & ROW_HAS_MODRM) !== 0) {
    modrm = bytes[position++]!;
  }
  const id = entry - 1;
  const row = rowOf(id);
  const flags = ROW_FLAGS[id]!;

  sizeIndex = 1;
  if ((flags & ROW_FORCE64) !== 0 || (rex & REX_W) !== 0) sizeIndex = 2;
  else if (operandSize16 && (flags & ROW_PREFIX_66) === 0) sizeIndex = 0;
  else if ((flags & ROW_DEFAULT64) !== 0) sizeIndex = 2;

  if ((flags & ROW_HAS_MODRM) !== 0 && modrm < 0xc0) {
    readEffectiveAddress();
    if (ripRelative) {
      displacement += address + (position - offset) + ROW_IMMEDIATE_BYTES[(id << 2) | sizeIndex]!;
      if (addressSize32) displacement >>>= 0;
    }
  }
  const operands = decodeOperands(row);
  const length = position - offset;
  if (length > available || length > MAX_INSTRUCTION_LENGTH) return undecodable(length, available, true);
  if (operands === undefined || vexRegister !== 0) return undecodable(length, available, false);
  if (lock && ((flags & ROW_LOCKABLE) === 0 || operands[0]!.kind !== 'memory')) return undecodable(length, available, false);

  return {
    row,
    address,
    length,
    size: (flags & ROW_BYTE) !== 0 ? 1 : OPERAND_SIZES[sizeIndex]!,
    operands,
    repeat: (flags & ROW_REPEAT) === 0 || repeat === 0 ? 'none' : repeat === 3 && (flags & ROW_REPEAT_NOT_EQUAL) !== 0 ? 'repne' : 'rep',
    lock,
    segment,
    address32: addressSize32,
  };
}
