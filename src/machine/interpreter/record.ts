/**
 * The decoded form that the interpreter runs: 32 bytes an instruction in guest memory, in the order of
 * execution, behind a 32-byte block header. See the room's README.
 */

export const RECORD_SIZE = 32;

// Fields of a record, as byte offsets.
export const RECORD_HANDLER = 0; // u16, index into the handler table
export const RECORD_LENGTH = 2; // u8, of the instruction
/** u8: of a comparison whose handler is for it and the branch behind it, `FLOW_CONDITION` of that branch. */
export const RECORD_CONDITION = 3;
/** u16 each: offsets into the CPU state of the register operands 0 and 1. */
export const RECORD_OPERAND0 = 4;
export const RECORD_OPERAND1 = 6;
export const RECORD_BASE = 8; // u16, offset into the CPU state
export const RECORD_INDEX = 10; // u16, offset into the CPU state
export const RECORD_SCALE = 12; // u8, shift count
export const RECORD_ADDRESS_SHIFT = 13; // u8, 32 to truncate the address to 32 bits, else 0
export const RECORD_SEGMENT = 14; // u16, offset into the CPU state
export const RECORD_DISPLACEMENT = 16; // i32; also the second immediate
export const RECORD_PC = 20; // u32
/** i64 immediate; register operand 2 as u16; low half the target of a direct branch, high half its block once known. */
export const RECORD_IMMEDIATE = 24;
/** Operand 3: an immediate as i32, or a register as u16. Of memory with a vector of indexes: that register, u16. */
export const RECORD_LAST = 28;
export const RECORD_TARGET = 24;
export const RECORD_TARGET_BLOCK = 28;

// Fields of a block header.
export const BLOCK_COUNTER = 0; // i32, entries left until `hot` is called
export const BLOCK_PC = 4; // u32
export const BLOCK_HEADER_SIZE = 32;

/** Handlers that are no instructions. */
export const HANDLER_REDISPATCH = 0;
export const HANDLER_GOTO = 1;
export const HANDLER_RAISE = 2;
export const HANDLER_ENTER_UNIT = 3;
export const FIRST_INSTRUCTION_HANDLER = 4;

/** How often a block is entered between two calls of `hot`. */
export const BLOCK_COUNT = 256;

/** Jump table: 2^16 entries of 16 bytes: guest address, block, unit slot, unused. */
export const JUMP_ENTRY_SIZE = 16;
export const JUMP_TABLE_MASK = 0xffff;

export function jumpHash(address: number): number {
  return (address ^ (address >>> 13)) & JUMP_TABLE_MASK;
}
