/** Bounds on configurations, which are not trusted. */

/** The largest `docker inspect` of a thousand containers is below this; more is no configuration that somebody wrote. */
export const MOST_INPUT_BYTES = 16 << 20;
/** Nesting of JSON: Kubernetes' deepest field is at 20. Readers recurse, so this bounds their stack. */
export const MOST_NESTING = 100;
/** Containers in one input. */
export const MOST_CONTAINERS = 2000;
/** Words of one command line. */
export const MOST_WORDS = 10_000;
/** What is quoted of a value in a finding. */
export const MOST_QUOTED = 200;
/** What begins as JSON and is none is tried as YAML up to this size: people do not write more in braces. */
export const MOST_FLOW_BYTES = 1 << 20;
/** Mounts, devices, ports, capabilities and the like of one container, each. What is above this is not a container that somebody runs, and finding the smallest change takes the square. */
export const MOST_ITEMS = 300;
/** Variables, and words of the command. */
export const MOST_TEXTS = 10_000;
/** Characters of one value that is taken apart (a mount, a volume). */
export const MOST_VALUE = 10_000;
