/**
 * Where the block decoder keeps its tables, as offsets in the memory of an address space. Constants only:
 * AssemblyScript reads this file too.
 */

/** Code that lies too near to the end of the memory is decoded from here. */
export const CODE = 0x2f_0000;
/** Most bytes of code that a block is made from. */
export const CODE_SIZE = 0x400;
/** By instruction of the block: its `FLOW_*`. */
export const FLOWS = 0x2f_0800;

// The tables, filled when an address space begins.
export const TABLES = 0x2f_1000;
/** i16 by map << 10 | prefix << 8 | opcode, see `lookup.ts`. */
export const OPCODES = 0x2f_1000;
/** i16, see `lookup.ts`. */
export const GROUPS = 0x2f_6000;
/** u8 by row: `ROW_*`. */
export const ROW_FLAGS = 0x2f_a000;
/** u8 by row: `FLOW_*`. */
export const ROW_FLOWS = 0x2f_a800;
/** u8 by row * 4 + operand size index. */
export const ROW_IMMEDIATE_BYTES = 0x2f_b000;
/** i32 by row * 4 + operand: packed operand codes, see `operand-codes.ts`. */
export const ROW_OPERANDS = 0x2f_d000;
/** u8 by byte: `PREFIX_*`. */
export const PREFIX_KINDS = 0x30_5000;
/** u8 by operand type * 4 + operand size index. */
export const TYPE_SIZES = 0x30_5100;
/** u16 by form key: the handler, 0 where there is none. */
export const HANDLERS = 0x30_6000;
/** u8 by handler: `NOTE_*`. */
export const NOTES = 0x32_6000;
/** u16 by handler: what it may be in a pair, the first one (upper six bits of twelve) or the second; 0 is neither. */
export const PAIR_CLASSES = 0x32_8000;
export const PAIR_CLASS_BITS = 6;
/** u16 by first and second class: the handler of both, or 0. */
export const PAIRS = 0x32_c000;
export const TABLES_END = 0x32_e000;
/** Blocks, in a memory that is not an address space. */
export const BLOCKS = TABLES_END;

// The answer of the decoder: bits of an i32.
export const ANSWER_RECORDS_BITS = 6;
export const ANSWER_INSTRUCTIONS_BITS = 6;
/** Bytes of code that the block has. */
export const ANSWER_BYTES_BITS = 10;
/** Above them: 0, or 1 + the vector that the block raises because nothing in it can be run. */

/** What an instruction does to the flow of control: bits. */
export const FLOW_BRANCHES = 1;
/** Control never reaches the next record. */
export const FLOW_ENDS = 2;
/**
 * A branch on one of these, or on none of them with `FLOW_NOT`, after a comparison: the operands are equal; the first is
 * below the second, unsigned; less, signed; their difference is negative. 0: the condition is another one, or there is none.
 */
export const FLOW_CONDITION = 0xf8;
export const FLOW_EQUAL = 8;
export const FLOW_BELOW = 0x10;
export const FLOW_LESS = 0x20;
export const FLOW_NEGATIVE = 0x40;
export const FLOW_NOT = 0x80;

/** What a byte is before the opcode. 0: the opcode. */
export const PREFIX_REX = 1;
export const PREFIX_OPERAND_SIZE = 2;
export const PREFIX_ADDRESS_SIZE = 3;
export const PREFIX_REPEAT = 4;
export const PREFIX_REPEAT_NOT = 5;
export const PREFIX_LOCK = 6;
export const PREFIX_FS = 7;
export const PREFIX_GS = 8;
/** cs, ds, es and ss overrides do nothing in 64-bit mode. */
export const PREFIX_IGNORED = 9;
