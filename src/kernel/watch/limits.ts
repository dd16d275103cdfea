/** What is kept of what a guest says to those who watch it. */

/** Processes above the one that makes a call: deeper trees lose their top, as names only. */
export const MOST_ANCESTORS = 32;
/** Bytes of all arguments of a program that are kept. What is behind them cannot be seen by rules. */
export const MOST_COMMAND_BYTES = 4096;
/** Symbolic links without a file behind them, in a row. */
export const MOST_LINKS = 40;
