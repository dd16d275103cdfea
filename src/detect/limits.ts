/** What a file of rules may hold, and what is kept while events pass. Reaching a bound is an error that says so, unless the line says otherwise. */

/** Bytes of a file of rules. Falco's own, of all three maturities, have 250 KB. */
export const MOST_RULES_BYTES = 4 << 20;
/** Rules, macros and lists, each. */
export const MOST_ITEMS = 5000;
/** Values of a list, and of all exceptions of a rule. */
export const MOST_VALUES = 50_000;
/** Characters of a condition with all that was appended. */
export const MOST_CONDITION_LENGTH = 100_000;
/** Parts of a condition with its macros written out: more cannot be meant, and each costs time with every event. */
export const MOST_CONDITION_PARTS = 20_000;
/** Brackets within brackets, and macros within macros. */
export const MOST_NESTING = 100;
/** Brackets that are open at once in a file of YAML. */
export const MOST_OPEN_BRACKETS = 64;
/** Characters of an alert's text; a longer one is cut. */
export const MOST_OUTPUT_LENGTH = 8192;
/** Steps of a sequence, those that are counted as many times. */
export const MOST_SEQUENCE_STEPS = 16;
/** Fields that the events of a sequence have in common. */
export const MOST_SEQUENCE_FIELDS = 4;
/** From the first step of a sequence to its last: a day. */
export const MOST_SEQUENCE_MS = 24 * 3_600_000;
/** Sequences of a rule that have got as far as one step; beyond, the oldest is forgotten, and counted. Each may hold a path, so 10 MB a step. */
export const MOST_WAITING_SEQUENCES = 2048;
/** Characters that are kept of a step that was taken. */
export const MOST_STEP_TEXT = 300;
/** Lines of a section of a profile while it is learned; those beyond are counted. The file of a profile, in bytes. */
export const MOST_PROFILE_LINES = 20_000;
export const MOST_PROFILE_BYTES = 8 << 20;
/** Characters of a line of a profile: a path and its escapes. */
export const MOST_PROFILE_LINE = 10_000;
/** Images and refusals that are told, each kind once; those beyond are counted. */
export const MOST_PROFILE_IMAGES = 100;
export const MOST_TOLD_REFUSALS = 1000;
/** Paths in one directory that become one pattern, and directories in one. */
export const LINES_TO_GENERALISE = 8;
export const DIRECTORIES_TO_GENERALISE = 4;
/** Addresses with one port that become one line. */
export const ADDRESSES_TO_GENERALISE = 16;
/** Bytes of one event of a recorded stream. */
export const MOST_EVENT_LINE = 1 << 20;
/** Times that `*` may stand in a pattern. */
export const MOST_STARS = 16;
/** Files of which it is kept how they were used; those beyond are counted. */
export const MOST_USED_FILES = 200_000;
/** Lists of files of packages, bytes of each, and files of all of them. */
export const MOST_LISTS = 20_000;
export const MOST_LIST_BYTES = 4 << 20;
export const MOST_LISTED_FILES = 1_000_000;
/** Users and groups of a container whose names are known. */
export const MOST_NAMES = 10_000;
