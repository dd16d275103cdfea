/** Bounds on configurations, which are not trusted. */

/** The largest `docker inspect` of a thousand containers is below this; more is no configuration that somebody wrote. */
export const MOST_INPUT_BYTES = 16 << 20;
/** The parser takes about a second for each of these on a slow machine; a cluster's list of a thousand pods has 5. */
export const MOST_YAML_BYTES = 8 << 20;
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
