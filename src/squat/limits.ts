/** Bounds, each with its reason. */

/** Names that are held against each reference. */
export const MOST_KNOWN_NAMES = 100_000;
/** As distribution/reference: a name; with a tag and a digest. */
export const MOST_NAME_CHARACTERS = 255;
export const MOST_REFERENCE_CHARACTERS = 1024;
/** Of one name, what `generate` answers. */
export const MOST_CANDIDATES = 50_000;
/** A file that references are looked for in; larger ones are data. */
export const MOST_SOURCE_BYTES = 4 * 2 ** 20;
/** A line of it; longer ones are not written by people. */
export const MOST_LINE_CHARACTERS = 16_384;
/** References of one file. */
export const MOST_SOURCE_REFERENCES = 10_000;
