/** Bounds on Compose files, which may come with a project of anybody. (Those on YAML are in `yaml/limits.ts`.) */

/** Of one Compose or environment file. */
export const MOST_FILE_BYTES = 4 << 20;
/** Files of one project, with those that are included and extended. */
export const MOST_FILES = 100;
/** Includes of includes, and services that extend others. */
export const MOST_DEPTH = 20;
/** More containers than this fit on no machine. */
export const MOST_SERVICES = 500;
/** Containers of one service. */
export const MOST_SCALE = 500;
/** Characters of a value once its variables are put in. */
export const MOST_VALUE = 1 << 20;
/** `${A:-${B:-...}}`. */
export const MOST_NESTED_VARIABLES = 20;
/** Entries of a list or mapping. */
export const MOST_ITEMS = 10_000;
/** Uses of `!reset` and `!override` in a file. */
export const MOST_TAGS = 500;
/** Ports that one range stands for. */
export const MOST_RANGE = 512;
