/**
 * The decoder of the interpreter, in AssemblyScript: code bytes in, records out (`interpreter/record.ts`).
 * It says what `isa/decode.ts` says, from the same tables, without making objects, and is fast from its
 * first call: every program decodes hundreds of thousands of instructions before the host's JavaScript is
 * compiled. `block-decoder.test.ts` compares the two.
 */
import {
  ADDRESSING_CONTROL, ADDRESSING_DEBUG, ADDRESSING_FIXED_GPR, ADDRESSING_FIXED_SEGMENT, ADDRESSING_GPR, ADDRESSING_GPR_OR_MEMORY,
  ADDRESSING_IMMEDIATE, ADDRESSING_IMMEDIATE_FULL, ADDRESSING_IMMEDIATE_SIGNED_BYTE, ADDRESSING_MMX, ADDRESSING_MMX_OR_MEMORY,
  ADDRESSING_LAST_XMM, ADDRESSING_OFFSET, ADDRESSING_ONE, ADDRESSING_VECTOR_INDEXED, ADDRESSING_VEX_GPR, ADDRESSING_VEX_XMM, ADDRESSING_OPCODE_GPR, ADDRESSING_RELATIVE, ADDRESSING_SEGMENT, ADDRESSING_X87,
  ADDRESSING_X87_TOP, ADDRESSING_XMM, ADDRESSING_XMM_OR_MEMORY,
} from '../../isa/addressing';
import {
  ROW_BYTE, ROW_DEFAULT64, ROW_FORCE64, ROW_HAS_MODRM, ROW_LOCKABLE, ROW_PREFIX_66, ROW_REPEAT, ROW_REPEAT_NOT_EQUAL,
} from '../../isa/row-flags';
import { NOTE_BRANCHES, NOTE_DEAD_FLAGS, NOTE_KILLS_SHIFT, NOTE_READS_SHIFT } from '../../interpreter/notes';
import {
  BLOCK_COUNT, BLOCK_COUNTER, BLOCK_HEADER_SIZE, BLOCK_PC, HANDLER_GOTO, HANDLER_RAISE, RECORD_ADDRESS_SHIFT, RECORD_BASE, RECORD_CONDITION, RECORD_DISPLACEMENT, RECORD_HANDLER, RECORD_IMMEDIATE, RECORD_INDEX,
  RECORD_LAST, RECORD_LENGTH, RECORD_OPERAND0, RECORD_OPERAND1, RECORD_PC, RECORD_SCALE, RECORD_SEGMENT, RECORD_SIZE, RECORD_TARGET,
} from '../../interpreter/record';
import { STATE_FS_BASE, STATE_GPR, STATE_GS_BASE, STATE_X87, STATE_XMM, STATE_ZERO } from '../../state';
import * as layout from '../layout';

const MAXIMUM_LENGTH: u32 = 15;
const FLAG_SET_ALL: u32 = 3;
const SECOND_CLASS: u32 = (1 << layout.PAIR_CLASS_BITS) - 1;
const UNDEFINED_OPCODE: i32 = 6;
const GENERAL_PROTECTION: i32 = 13;
const PAGE_FAULT: i32 = 14;

const REX_B: u32 = 1;
const REX_X: u32 = 2;
const REX_R: u32 = 4;
const REX_W: u32 = 8;

const MEMORY_NONE: u32 = 0;
const MEMORY_SIMPLE: u32 = 1;
const MEMORY_ANY: u32 = 2;
/** Displacement of an address that no 32-bit address space has. */
const FAR: i64 = 0x1_0000_0000;

/** Where the code is in the memory. */
let code: u32 = 0;
// The instruction being decoded: positions are offsets into the code.
let position: u32 = 0;
let start: u32 = 0;
let address: u32 = 0;
let rex: u32 = 0;
let modrm: u32 = 0;
let opcode: u32 = 0;
let sizeIndex: u32 = 0;
let repeat: u32 = 0;
let operandSize16 = false;
let addressSize32 = false;
let lock = false;
let segment: u32 = 0;
/** VEX.vvvv, not inverted, until an operand takes it. */
let vexRegister: u32 = 0;
/** The record being written. */
let out: u32 = 0;
let immediates: u32 = 0;
/** -1: none. */
let base: i32 = 0;
let index: i32 = 0;
/** What SIB names as the index, or -1 without SIB. */
let sibIndex: i32 = 0;
let scale: u32 = 0;
let displacement: i64 = 0;
let memoryMode: u32 = 0;
let flow: u32 = 0;
/** Vector of an instruction that cannot be run. */
let failure: i32 = 0;

function byte(): u32 {
  return load<u8>(code + position++);
}

function signedByte(): i32 {
  return load<i8>(code + position++);
}

function signed32(): i32 {
  const value = load<i32>(code + position);
  position += 4;
  return value;
}

function fail(length: u32, available: u32, tooLong: bool): bool {
  const truncated = length > available && available < MAXIMUM_LENGTH;
  failure = truncated ? PAGE_FAULT : tooLong ? GENERAL_PROTECTION : UNDEFINED_OPCODE;
  return false;
}

/** Prefixes (SDM Vol. 2, 2.1.1 and 2.2.1): a REX counts only directly before the opcode. */
function readPrefixes(available: u32): bool {
  rex = 0;
  modrm = 0;
  segment = STATE_ZERO;
  repeat = 0;
  operandSize16 = false;
  addressSize32 = false;
  lock = false;
  while (true) {
    const length = position - start;
    if (length >= available || length >= MAXIMUM_LENGTH) return fail(length + 1, available, true);
    opcode = byte();
    const kind: u32 = load<u8>(layout.PREFIX_KINDS + opcode);
    if (kind == 0) return true;
    rex = 0;
    switch (kind) {
      case layout.PREFIX_REX: rex = opcode; break;
      case layout.PREFIX_OPERAND_SIZE: operandSize16 = true; break;
      case layout.PREFIX_ADDRESS_SIZE: addressSize32 = true; break;
      case layout.PREFIX_REPEAT: repeat = 2; break;
      case layout.PREFIX_REPEAT_NOT: repeat = 3; break;
      case layout.PREFIX_LOCK: lock = true; break;
      case layout.PREFIX_FS: segment = STATE_FS_BASE; break;
      case layout.PREFIX_GS: segment = STATE_GS_BASE; break;
    }
  }
}

function group(at: i32): i32 {
  return load<i16>(layout.GROUPS + (at << 1));
}

/** A VEX prefix of two or three bytes (SDM Vol. 2, 2.3.5) and the opcode behind it. The place in OPCODES, or 0 where there is nothing. */
function readVex(): u32 {
  const isPlain = rex == 0 && repeat == 0 && !operandSize16 && !lock;
  const isLong = opcode == 0xc4;
  const first = byte();
  const second = isLong ? byte() : first;
  const map: u32 = isLong ? first & 31 : 1;
  rex = 0x40 | (first & 0x80 ? 0 : REX_R);
  if (isLong) rex |= (first & 0x40 ? 0 : REX_X) | (first & 0x20 ? 0 : REX_B) | (second & 0x80 ? REX_W : 0);
  vexRegister = (~second >> 3) & 15;
  opcode = byte();
  if (!isPlain || map < 1 || map > 3) return 0;
  return ((map + 3 + (second & 4 ? 3 : 0)) << 10) | ((second & 3) << 8);
}

/** Row number plus 1, or 0. Reads the opcode and, where the row has one, ModRM. */
function findRow(): i32 {
  let slot: u32 = (repeat != 0 ? repeat : operandSize16 ? 1 : 0) << 8;
  vexRegister = 0;
  if (opcode == 0xc4 || opcode == 0xc5) {
    slot = readVex();
    if (slot == 0) return 0;
  } else if (opcode == 0x0f) {
    opcode = byte();
    slot |= 0x400;
    if (opcode == 0x38 || opcode == 0x3a) {
      slot += opcode == 0x38 ? 0x400 : 0x800;
      opcode = byte();
    }
  } else if (opcode == 0x90 && (rex & REX_B) != 0 && repeat != 2) {
    slot |= 1; // the row of `xchg`, not of `nop`
  }
  let entry: i32 = load<i16>(layout.OPCODES + ((slot | opcode) << 1));
  if (entry < 0) {
    modrm = byte();
    entry = group((((rex & REX_W) << 1) | (modrm >= 0xc0 ? 8 : 0) | ((modrm >> 3) & 7)) - entry);
    if (entry < 0) entry = group((modrm & 7) - entry);
  } else if (entry > 0 && (load<u8>(layout.ROW_FLAGS + entry - 1) & ROW_HAS_MODRM) != 0) {
    modrm = byte();
  }
  return entry;
}

/** SIB and displacement (SDM Vol. 2, tables 2-2 and 2-3). */
function readEffectiveAddress(row: u32): void {
  const mod = modrm >> 6;
  const rm = modrm & 7;
  let ripRelative = false;
  base = rm | ((rex & REX_B) << 3);
  if (rm == 4) {
    const sib = byte();
    base = (sib & 7) | ((rex & REX_B) << 3);
    index = sibIndex = ((sib >> 3) & 7) | ((rex & REX_X) << 2);
    scale = sib >> 6;
    if (index == 4) index = -1;
    if ((sib & 7) == 5 && mod == 0) {
      base = -1;
      displacement = signed32();
    }
  } else if (rm == 5 && mod == 0) {
    base = -1;
    ripRelative = true;
    displacement = signed32();
  }
  if (mod == 1) displacement = signedByte();
  else if (mod == 2) displacement = signed32();
  if (!ripRelative) return;
  displacement += <i64>address + (position - start) + load<u8>(layout.ROW_IMMEDIATE_BYTES + ((row << 2) | sizeIndex));
  if (addressSize32) displacement &= 0xffff_ffff;
}

function typeSize(type: u32): u32 {
  return load<u8>(layout.TYPE_SIZES + ((type << 2) | sizeIndex));
}

function writeRegister(operand: u32, offset: u32): void {
  const field = operand == 0 ? RECORD_OPERAND0 : operand == 1 ? RECORD_OPERAND1 : operand == 2 ? RECORD_IMMEDIATE : RECORD_LAST;
  store<u16>(out + field, <u16>offset);
}

function writeGpr(operand: u32, number: u32, size: u32): void {
  const high8 = size == 1 && rex == 0 && number >= 4 && number < 8;
  writeRegister(operand, high8 ? STATE_GPR + 8 * (number - 4) + 1 : STATE_GPR + 8 * number);
}

function writeImmediate(value: i64, operand: u32): void {
  if (operand == 3) store<i32>(out + RECORD_LAST, <i32>value);
  else if (immediates++ == 0) store<i64>(out + RECORD_IMMEDIATE, value);
  else store<i32>(out + RECORD_DISPLACEMENT, <i32>value);
}

function writeMemory(): void {
  const far = displacement > 0x7fff_ffff;
  memoryMode = index >= 0 || segment != STATE_ZERO || addressSize32 || far ? MEMORY_ANY : MEMORY_SIMPLE;
  store<u16>(out + RECORD_BASE, <u16>(base < 0 ? STATE_ZERO : STATE_GPR + 8 * base));
  store<u16>(out + RECORD_INDEX, <u16>(index < 0 ? STATE_ZERO : STATE_GPR + 8 * index));
  store<u8>(out + RECORD_SCALE, <u8>(index < 0 ? 0 : scale));
  store<u8>(out + RECORD_ADDRESS_SHIFT, addressSize32 || (far && displacement < FAR) ? 32 : 0);
  store<u16>(out + RECORD_SEGMENT, <u16>segment);
  store<i32>(out + RECORD_DISPLACEMENT, displacement >= FAR ? -1 : <i32>displacement);
}

/** `moffs` of A0 to A3: 64 bits, or 32 with 67. */
function writeOffset(): void {
  displacement = <i64><u32>signed32();
  if (!addressSize32 && signed32() != 0) displacement = FAR;
  base = -1;
  index = -1;
  scale = 0;
  writeMemory();
}

/** `Iz`, `Iv`: sign-extended. */
function writeFullImmediate(size: u32, operand: u32): void {
  const at = code + position;
  writeImmediate(size == 2 ? <i64>load<i16>(at) : size == 4 ? <i64>load<i32>(at) : load<i64>(at), operand);
  position += size;
}

/** False where the encoding names a register that does not exist. */
function writeOperand(packed: u32, operand: u32): bool {
  const size = typeSize((packed >> 8) & 15);
  const reg = ((modrm >> 3) & 7) | ((rex & REX_R) << 1);
  const rm = (modrm & 7) | ((rex & REX_B) << 3);
  switch (packed & 0xff) {
    case ADDRESSING_GPR_OR_MEMORY:
      if (modrm >= 0xc0) writeGpr(operand, rm, size);
      else writeMemory();
      break;
    case ADDRESSING_GPR: writeGpr(operand, reg, size); break;
    case ADDRESSING_IMMEDIATE:
      writeImmediate(size == 1 ? <i64>load<u8>(code + position) : <i64>load<u16>(code + position), operand);
      position += size;
      break;
    case ADDRESSING_IMMEDIATE_SIGNED_BYTE: writeImmediate(signedByte(), operand); break;
    case ADDRESSING_IMMEDIATE_FULL: writeFullImmediate(size, operand); break;
    case ADDRESSING_RELATIVE: {
      const distance = size == 1 ? signedByte() : signed32();
      store<u64>(out + RECORD_TARGET, address + (position - start) + distance);
      break;
    }
    case ADDRESSING_OPCODE_GPR: writeGpr(operand, (opcode & 7) | ((rex & REX_B) << 3), size); break;
    case ADDRESSING_XMM: writeRegister(operand, STATE_XMM + 16 * reg); break;
    case ADDRESSING_XMM_OR_MEMORY:
      if (modrm >= 0xc0) writeRegister(operand, STATE_XMM + 16 * rm);
      else writeMemory();
      break;
    default: return writeRareOperand(packed, operand, size, reg, rm);
  }
  return true;
}

function writeRareOperand(packed: u32, operand: u32, size: u32, reg: u32, rm: u32): bool {
  switch (packed & 0xff) {
    case ADDRESSING_FIXED_GPR: writeRegister(operand, STATE_GPR + 8 * (packed >> 16)); break;
    case ADDRESSING_MMX: writeRegister(operand, STATE_X87 + 16 * (reg & 7)); break;
    case ADDRESSING_MMX_OR_MEMORY:
      if (modrm >= 0xc0) writeRegister(operand, STATE_X87 + 16 * (rm & 7));
      else writeMemory();
      break;
    case ADDRESSING_X87: writeRegister(operand, STATE_X87 + 16 * (rm & 7)); break;
    case ADDRESSING_X87_TOP: writeRegister(operand, STATE_X87); break;
    case ADDRESSING_OFFSET: writeOffset(); break;
    case ADDRESSING_SEGMENT:
      if ((reg & 7) >= 6) return false;
      writeRegister(operand, reg & 7);
      break;
    case ADDRESSING_FIXED_SEGMENT: writeRegister(operand, packed >> 16); break;
    case ADDRESSING_CONTROL:
    case ADDRESSING_DEBUG: writeRegister(operand, reg); break;
    case ADDRESSING_ONE: writeImmediate(1, operand); break;
    case ADDRESSING_VEX_XMM: writeRegister(operand, STATE_XMM + 16 * takeVexRegister()); break;
    case ADDRESSING_VEX_GPR: writeRegister(operand, STATE_GPR + 8 * takeVexRegister()); break;
    case ADDRESSING_LAST_XMM: writeRegister(operand, STATE_XMM + 16 * (byte() >> 4)); break;
    case ADDRESSING_VECTOR_INDEXED:
      if (sibIndex < 0) return false;
      index = -1;
      writeMemory();
      store<u16>(out + RECORD_LAST, <u16>(STATE_XMM + 16 * sibIndex));
      store<u8>(out + RECORD_SCALE, <u8>scale);
      break;
  }
  return true;
}

function takeVexRegister(): u32 {
  const register = vexRegister;
  vexRegister = 0;
  return register;
}

function writeOperands(row: u32): bool {
  const operands = layout.ROW_OPERANDS + row * 16;
  for (let operand: u32 = 0; operand < 4; operand++) {
    const packed = load<u32>(operands + operand * 4);
    if (packed == 0) break;
    if (!writeOperand(packed, operand)) return false;
  }
  return vexRegister == 0;
}

function chooseSize(flags: u32): void {
  sizeIndex = 1;
  if ((flags & ROW_FORCE64) != 0 || (rex & REX_W) != 0) sizeIndex = 2;
  else if (operandSize16 && (flags & ROW_PREFIX_66) == 0) sizeIndex = 0;
  else if ((flags & ROW_DEFAULT64) != 0) sizeIndex = 2;
}

function handlerOf(row: u32, flags: u32): u32 {
  const size = (flags & ROW_BYTE) != 0 ? 0 : sizeIndex + 1;
  const repeats: u32 = (flags & ROW_REPEAT) == 0 || repeat == 0 ? 0 : repeat == 3 && (flags & ROW_REPEAT_NOT_EQUAL) != 0 ? 2 : 1;
  return load<u16>(layout.HANDLERS + ((((row * 4 + size) * 3 + memoryMode) * 3 + repeats) << 1));
}

/** Writes the record of the instruction at `position`; false, with `failure`, where there is none that can be run. */
function decodeInstruction(available: u32): bool {
  start = position;
  store<u64>(out, 0);
  store<u64>(out + 8, 0);
  store<u64>(out + 16, 0);
  store<u64>(out + 24, 0);
  if (!readPrefixes(available)) return false;
  const entry = findRow();
  if (entry <= 0) return fail(position - start, available, false);
  const row: u32 = entry - 1;
  const flags: u32 = load<u8>(layout.ROW_FLAGS + row);
  chooseSize(flags);
  immediates = 0;
  memoryMode = MEMORY_NONE;
  index = -1;
  sibIndex = -1;
  scale = 0;
  displacement = 0;
  if ((flags & ROW_HAS_MODRM) != 0 && modrm < 0xc0) readEffectiveAddress(row);
  const whole = writeOperands(row);
  const length = position - start;
  if (length > available || length > MAXIMUM_LENGTH) return fail(length, available, true);
  if (!whole) return fail(length, available, false);
  if (lock && ((flags & ROW_LOCKABLE) == 0 || memoryMode == MEMORY_NONE)) return fail(length, available, false);
  const handler = handlerOf(row, flags);
  if (handler == 0) {
    failure = UNDEFINED_OPCODE;
    return false;
  }
  flow = load<u8>(layout.ROW_FLOWS + row);
  store<u16>(out + RECORD_HANDLER, <u16>handler);
  store<u8>(out + RECORD_LENGTH, <u8>length);
  store<u32>(out + RECORD_PC, address);
  return true;
}

/**
 * Backwards: where the flags are overwritten before anything reads them, the cheaper handler serves, and one handler
 * does a comparison and the branch behind it, or a pair. The record of the second instruction stays what it is.
 */
function chooseHandlers(records: u32, count: u32): void {
  let live = FLAG_SET_ALL;
  let condition: u32 = 0;
  /** What the next record may be as the second one of a pair. */
  let second: u32 = 0;
  for (let at: i32 = count - 1; at >= 0; at--) {
    const record = records + at * RECORD_SIZE;
    let handler: u32 = load<u16>(record + RECORD_HANDLER);
    const itsFlow: u32 = load<u8>(layout.FLOWS + at);
    if (itsFlow != 0) {
      live = FLAG_SET_ALL;
      condition = itsFlow & layout.FLOW_CONDITION;
    } else {
      const note: u32 = load<u8>(layout.NOTES + handler);
      const branches = condition != 0 && (note & NOTE_BRANCHES) != 0;
      if (branches) store<u8>(record + RECORD_CONDITION, <u8>condition);
      if (branches || (live == 0 && (note & NOTE_DEAD_FLAGS) != 0)) handler++;
      condition = 0;
      live = (live & ~(note >> NOTE_KILLS_SHIFT)) | ((note >> NOTE_READS_SHIFT) & FLAG_SET_ALL);
    }
    const pairClass: u32 = load<u16>(layout.PAIR_CLASSES + (handler << 1));
    const pair: u32 = load<u16>(layout.PAIRS + (((pairClass & ~SECOND_CLASS) | second) << 1));
    second = pair != 0 ? 0 : pairClass & SECOND_CLASS;
    store<u16>(record + RECORD_HANDLER, <u16>(pair != 0 ? pair : handler));
  }
}

function writeEnd(handler: i32, target: u32): void {
  store<u64>(out, 0);
  store<u64>(out + 8, 0);
  store<u64>(out + 16, 0);
  store<u16>(out + RECORD_HANDLER, <u16>handler);
  store<u32>(out + RECORD_PC, address);
  store<u64>(out + RECORD_TARGET, target);
}

/**
 * Decodes the block at guest address `first`, whose code is at offset `from` of the memory and of which
 * `available` bytes may be executed; bytes behind them are read but do not count. At most `maximum`
 * instructions. Writes the header at `block` and the records behind it. The answer: see `ANSWER_*`.
 */
export function decodeBlock(first: u32, from: u32, available: u32, maximum: u32, block: u32): u32 {
  code = from;
  position = 0;
  out = block + BLOCK_HEADER_SIZE;
  store<i32>(block + BLOCK_COUNTER, BLOCK_COUNT);
  store<u32>(block + BLOCK_PC, first);
  let count: u32 = 0;
  let raise: i32 = available == 0 ? PAGE_FAULT : -1;
  let ended = false;
  while (raise < 0 && !ended && count < maximum) {
    address = first + position;
    const before = position;
    if (!decodeInstruction(available - before)) {
      position = before;
      // A truncated instruction at a page's end may be whole once it is the first of its block.
      if (count == 0) raise = failure;
      break;
    }
    store<u8>(layout.FLOWS + count, <u8>flow);
    ended = (flow & layout.FLOW_ENDS) != 0;
    count++;
    out += RECORD_SIZE;
  }
  chooseHandlers(block + BLOCK_HEADER_SIZE, count);
  let records = count;
  if (!ended) {
    address = first + position;
    writeEnd(raise >= 0 ? HANDLER_RAISE : HANDLER_GOTO, raise >= 0 ? raise : address);
    records++;
  }
  const counts = records | (count << layout.ANSWER_RECORDS_BITS);
  const sizes = (position | ((raise + 1) << layout.ANSWER_BYTES_BITS)) << (layout.ANSWER_RECORDS_BITS + layout.ANSWER_INSTRUCTIONS_BITS);
  return counts | sizes;
}
