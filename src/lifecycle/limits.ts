/** Bounds of what is kept of containers, each with its reason. */

/** A name is also a file's name and, without `--hostname`, the machine's: Linux's NAME_MAX is 255. */
export const MOST_NAME_LENGTH = 200;
/** A configuration or state. Environments and command lines are at most 2 MiB (execve(2)). */
export const MOST_RECORD_BYTES = 16 * 2 ** 20;
/** Volumes of one container. An image may ask for as many as its configuration has room for, and each is a directory of the host. */
export const MOST_VOLUMES = 1000;
/** Layers that a container's starts may leave before they become one. Each one costs every look-up of a name a little. */
export const MOST_OWN_LAYERS = 8;
/** What may be written above the image where nothing is said of it (`LimitsConfig.writableBytes`). */
export const DEFAULT_WRITABLE_BYTES = 2 ** 30;
/** Where layers take more of that, they are made one at each end. */
export const FULL_SHARE = 0.75;
/** How often a directory is emptied that somebody may still put something into. */
export const MOST_REMOVALS = 10;
/** A directory without a configuration is one that is being made or removed; both take milliseconds. */
export const REMNANT_AFTER_MS = 60_000;
/** Bytes of a log before it is set aside, and how many are kept: a container's output cannot fill the disk. */
export const DEFAULT_LOG = { maxBytes: 10 * 2 ** 20, maxFiles: 2 } as const;
/** A line that is longer is written in pieces (Kubernetes' CRI runtimes cut at 16 KiB). */
export const MOST_LOG_LINE_BYTES = 16_384;
/** Docker's default between the stop signal and SIGKILL. */
export const DEFAULT_STOP_TIMEOUT_S = 10;
/** A file of events before it is set aside; one older one is kept. Some ten thousand events. */
export const MOST_EVENT_BYTES = 2 * 2 ** 20;
/** Of one event: appended in one write, and labels can be long. */
export const MOST_EVENT_LINE_BYTES = 65_536;
/** What happened, with the command line of an exec. */
export const MOST_ACTION_LENGTH = 4096;
/** What is kept of the output of a health check, and of how many (Docker's). */
export const MOST_HEALTH_OUTPUT_BYTES = 4096;
export const MOST_HEALTH_RESULTS = 5;
