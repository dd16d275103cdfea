/** What a live view keeps. Who makes more loses what was used longest ago, and the view says how many. */

export const MOST_PROCESSES = 500;
export const MOST_FILES = 2000;
export const MOST_CONNECTIONS = 1000;
export const MOST_ALERTS = 500;
export const MOST_CALLS = 500;
/** Rows of each kind that are shown at once: a screen, and enough to scroll and search. */
export const MOST_ROWS = 300;
/** Characters of a text. */
export const MOST_TEXT = 1024;
/** A process that has ended is shown for so long, and so many of them. */
export const ENDED_MS = 10_000;
export const MOST_ENDED = 50;
