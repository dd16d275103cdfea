/** Memory of the block decoder, in bytes. Constants only: AssemblyScript reads this file too. */

/** What the last call found: u32 each. */
export const RESULT_RECORDS = 0;
/** Bytes of code that the block has. */
export const RESULT_BYTES = 4;
export const RESULT_INSTRUCTIONS = 8;
/** Vector that the block raises because nothing in it can be run, or -1. */
export const RESULT_RAISE = 12;

/** The code, as the caller put it there. */
export const CODE = 0x400;
export const CODE_SIZE = 0x400;
/** The records. */
export const RECORDS = 0x800;
export const MAXIMUM_RECORDS = 56;
/** By instruction of the block: its `FLOW_*`. */
export const FLOWS = 0xf80;

// The tables, filled once.
export const TABLES = 0x1000;
/** i16 by map << 10 | prefix << 8 | opcode, see `lookup.ts`. */
export const OPCODES = 0x1000;
/** i16, see `lookup.ts`. */
export const GROUPS = 0x3000;
/** u8 by row: `ROW_*`. */
export const ROW_FLAGS = 0x5000;
/** u8 by row: `FLOW_*`. */
export const ROW_FLOWS = 0x5800;
/** u8 by row * 4 + operand size index. */
export const ROW_IMMEDIATE_BYTES = 0x6000;
/** i32 by row * 3 + operand: packed operand codes, see `operand-codes.ts`. */
export const ROW_OPERANDS = 0x8000;
/** u8 by byte: `PREFIX_*`. */
export const PREFIX_KINDS = 0xe000;
/** u8 by operand type * 4 + operand size index. */
export const TYPE_SIZES = 0xe100;
/** u16 by form key: the handler, 0 where there is none. */
export const HANDLERS = 0x1_0000;
/** u8 by handler: `NOTE_*`. */
export const NOTES = 0x3_0000;
export const TABLES_END = 0x3_4000;
export const MEMORY_PAGES = 4;
export const MAXIMUM_ROWS = 1536;
export const MAXIMUM_HANDLERS = 0x4000;

/** What an instruction does to the flow of control: bits. */
export const FLOW_BRANCHES = 1;
/** Control never reaches the next record. */
export const FLOW_ENDS = 2;

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
