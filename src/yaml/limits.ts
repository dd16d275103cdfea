/** Bounds on YAML, which is not trusted. */

/** What people write is far below; what programs write is JSON as well. */
export const MOST_BYTES = 8 << 20;
/** Lines and commas: the parser takes about 20 µs for each. */
export const MOST_ENTRIES = 150_000;
/** Nesting: Kubernetes' deepest field is at 20. Readers recurse, so this bounds their stack. */
export const MOST_NESTING = 100;
/** Uses of an alias in a document, counted through aliases of aliases, as `yaml` counts them. */
export const MOST_ALIASES = 1000;
/** Values of a document once its aliases are followed. */
export const MOST_VALUES = 500_000;
/** Before it is parsed: brackets that are open at once, in strings and comments too, and the column where a line begins. */
export const MOST_OPEN_BRACKETS = 400;
export const MOST_COLUMN = 400;
