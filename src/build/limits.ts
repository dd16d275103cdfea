/** Bounds on what a Dockerfile and its context control, each with its reason. */

/** The largest Dockerfiles of public projects have 100 KB, most of them generated. */
export const MOST_DOCKERFILE_BYTES = 2 ** 20;
/** Instructions of a Dockerfile. Layers have a bound of their own (`image/limits.ts`). */
export const MOST_INSTRUCTIONS = 10_000;
/** A value that variables make longer and longer (`ENV A=$A$A`): Linux's MAX_ARG_STRLEN. */
export const MOST_VALUE_BYTES = 131_072;
/** Braces within braces. */
export const MOST_EXPANSION_DEPTH = 50;
/** Pattern lines of a .dockerignore. */
export const MOST_IGNORE_PATTERNS = 10_000;
/** Triggers that a base image may bring (ONBUILD). */
export const MOST_TRIGGERS = 1000;
/** Links on the way to one path, as Linux (path_resolution(7)). */
export const MOST_LINKS = 40;
/** Directories within each other in what is copied. */
export const MOST_DEPTH = 2048;
/** A file that ADD gets from a URL. */
export const MOST_DOWNLOAD_BYTES = 16 * 2 ** 30;
/** What of a failed command's output is kept to be shown. */
export const KEPT_OUTPUT_BYTES = 65_536;
export const KEPT_OUTPUT_LINES = 25;
/** Layers of a cache that a build writes elsewhere: what a manifest may have (`image/limits.ts`). */
export const MOST_CACHE_LAYERS = 500;
/** One secret. BuildKit has the same bound. */
export const MOST_SECRET_BYTES = 500 * 1024;
