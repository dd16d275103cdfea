/**
 * The map of a guest address space, as guest addresses. The kernel hands out what lies between
 * `USER_START` and `USER_END`, except the machine's own area; everything else always faults.
 *
 * Wasm memories are 32-bit, so that all lies below 4 GiB, and grow from the bottom, so that the layout
 * starts low and mmap areas are handed out upwards.
 */

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

/** CPU state: guest page 0x10000, see `state.ts`. The machine's tables follow it, below `USER_START`. */
/** One byte for each 8 KiB, 512 KiB in all: not 0 where a store began (`AddressSpace.watchStores`). */
export const STORE_MARKS = 0x0002_0000;
export const MARK_SHIFT = 13;
/** One byte of `PAGE_*` flags a 4 KiB page, 1 MiB in all. */
export const PAGE_TABLE = 0x0010_0000;
/** Hash table from guest address to decoded record and unit slot. */
export const JUMP_TABLE = 0x0020_0000;
export const JUMP_TABLE_END = 0x0030_0000;
/** The block decoder's tables, see `decoder/layout.ts`. */
export const DECODER_START = 0x0030_0000;
export const DECODER_END = 0x0034_0000;

/** Lowest address that a program may use: programs that are not position independent start at 0x400000. */
export const USER_START = 0x0040_0000;
/**
 * A compact space (`AddressSpace.useCompactLayout`) has records of decoded instructions here first, among what its program uses:
 * that ends at `COMPACT_END`, as long as it suffices, and goes on at `MMAP_START`.
 */
export const COMPACT_RECORDS_START = 0x0182_0000;
export const COMPACT_RECORDS_END = 0x0200_0000;
export const COMPACT_END = 0x0280_0000;
/** Records of decoded instructions, where those of compact spaces are full, or without them. */
export const DECODED_START = 0x0c00_0000;
export const DECODED_END = 0x1000_0000;
/** Where mmap without a hint begins to look, upwards. */
export const MMAP_START = 0x1000_0000;
/** The last 64 KiB below 4 GiB (and what Wasm cannot grow to) stay unmapped. */
export const USER_END = 0xffff_0000;

/** The upper 32 bits of an address, as a mask: none is set in one that may be accessed. */
export const HIGH_HALF = -0x1_0000_0000;

/** Page flags. */
export const PAGE_READ = 1;
export const PAGE_WRITE = 2;
export const PAGE_EXEC = 4;
/** Holds decoded or translated code: a store must call the machine. */
export const PAGE_CODE = 8;
