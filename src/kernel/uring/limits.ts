/** Bounds of what a guest may ask of io_uring, each with its Linux source. */

/** `IORING_MAX_ENTRIES`: requests that a ring has room for. */
export const RING_ENTRIES = 32_768;
/** `IORING_MAX_CQ_ENTRIES`. */
export const RING_RESULTS = 2 * RING_ENTRIES;
/** Requests under way and results that found no room, of one ring. Linux takes what memory there is; -EBUSY, as for a ring that overflowed. */
export const RING_PENDING = 65_536;
/** Rings of a container, since each has its pages in the engine's memory until it is closed. -ENOMEM */
export const RINGS = 1024;
/** Pages of all rings of a container. -ENOMEM, as beyond RLIMIT_MEMLOCK. */
export const RING_PAGES = 16_384;
/** `IORING_MAX_FIXED_FILES` is a million; a table of them is held for each ring. -EMFILE */
export const FIXED_FILES = 32_768;
/** `IORING_MAX_REG_BUFFERS`. */
export const FIXED_BUFFERS = 16_384;
