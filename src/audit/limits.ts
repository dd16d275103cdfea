/** Bounds on configurations, which are not trusted. */

/** The largest `docker inspect` of a thousand containers is below this; more is no configuration that somebody wrote. */
export const MOST_INPUT_BYTES = 16 << 20;
/** YAML that people write is far below; what programs write is JSON as well. */
export const MOST_YAML_BYTES = 8 << 20;
/** Lines and commas of YAML: the parser takes about 20 µs for each. */
export const MOST_ENTRIES = 150_000;
/** Nesting of JSON and YAML: Kubernetes' deepest field is at 20. Readers recurse, so this bounds their stack. */
export const MOST_NESTING = 100;
/** Containers in one input. */
export const MOST_CONTAINERS = 2000;
/** Uses of an alias in a YAML document, counted through aliases of aliases, as `yaml` counts them. */
export const MOST_ALIASES = 1000;
/** Values of a document once its aliases are followed. */
export const MOST_VALUES = 500_000;
/** Words of one command line. */
export const MOST_WORDS = 10_000;
/** What is quoted of a value in a finding. */
export const MOST_QUOTED = 200;
/** What begins as JSON and is none is tried as YAML up to this size: people do not write more in braces. */
export const MOST_FLOW_BYTES = 1 << 20;
/** Before YAML is parsed: brackets that are open at once, in strings and comments too, and the column where a line begins. */
export const MOST_OPEN_BRACKETS = 400;
export const MOST_COLUMN = 400;
/** Mounts, devices, ports, capabilities and the like of one container, each. What is above this is not a container that somebody runs, and finding the smallest change takes the square. */
export const MOST_ITEMS = 300;
/** Variables, and words of the command. */
export const MOST_TEXTS = 10_000;
/** Characters of one value that is taken apart (a mount, a volume). */
export const MOST_VALUE = 10_000;
