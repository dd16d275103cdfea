/** `linux/timex.h`: `struct timex` and its constants. */

export const TIMEX_SIZE = 208;
/** Offsets of the fields that a clock without discipline fills. */
export const TIMEX_MODES = 0;
export const TIMEX_MAXERROR = 24;
export const TIMEX_ESTERROR = 32;
export const TIMEX_STATUS = 40;
export const TIMEX_CONSTANT = 48;
export const TIMEX_PRECISION = 56;
export const TIMEX_TOLERANCE = 64;
export const TIMEX_TIME_SECONDS = 72;
export const TIMEX_TIME_MICROSECONDS = 80;
export const TIMEX_TICK = 88;

export const ADJ_OFFSET_READONLY = 0x2000;
export const ADJ_ADJTIME = 0x8000;
export const STA_UNSYNC = 0x40;
/** The clock is not synchronized. */
export const TIME_ERROR = 5;
/** Greatest error that is told, in microseconds, and the greatest frequency error (65536ths of a ppm). */
export const NTP_PHASE_LIMIT = 16_000_000;
export const MAXFREQ_SCALED = 32_768_000;
