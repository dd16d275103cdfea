/** Bits of an image's `notes`: flag sets read (0, 1), certainly written (2, 3); the next handler is for dead flags (4), or for the instruction and a branch behind it (5). */
export const NOTE_READS_SHIFT = 0;
export const NOTE_KILLS_SHIFT = 2;
export const NOTE_DEAD_FLAGS = 16;
export const NOTE_BRANCHES = 32;
