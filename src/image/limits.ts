/** Bounds on all that a hostile image, archive or registry controls: each with its reason. */

export interface LayerLimits {
  /** Bytes of one layer, uncompressed. The largest public images have layers of 20 GB. */
  readonly layerBytes: number;
  /** Entries of one layer. Large images have 500,000 files. */
  readonly layerEntries: number;
  /** Uncompressed bytes for each compressed one. gzip reaches 1,032 for zeros only; real layers 2 to 20. */
  readonly compressionRatio: number;
}

export const DEFAULT_LAYER_LIMITS: LayerLimits = { layerBytes: 64 * 2 ** 30, layerEntries: 4_000_000, compressionRatio: 1100 };

/** A ratio is looked at only from so many bytes on: small layers of zeros are no danger. */
export const RATIO_FROM_BYTES = 256 * 2 ** 20;

/** Manifests, indexes and configurations. Registries refuse manifests above 4 MiB; nothing real has more than 200 KiB. */
export const MOST_DOCUMENT_BYTES = 4 * 2 ** 20;
/** Linux's overlay has a bound of 500, Docker's of 127. */
export const MOST_LAYERS = 500;
/** Manifests of one index. */
export const MOST_INDEX_MANIFESTS = 1000;
/** An index may name indexes; nobody nests deeper. */
export const MOST_INDEX_DEPTH = 4;

/** PATH_MAX: no path that is longer can be opened. */
export const MOST_PATH_BYTES = 4096;
/** NAME_MAX. */
export const MOST_NAME_BYTES = 255;
/** Directories within each other. PATH_MAX allows 2,047. */
export const MOST_PATH_DEPTH = 2048;
/** The headers before one entry of a tar: names, extended attributes. */
export const MOST_HEADER_BYTES = 2 ** 20;
/** Extended attributes of one file, as Linux's XATTR_LIST_MAX. */
export const MOST_XATTR_BYTES = 2 ** 16;
/** Pieces of one sparse file. */
export const MOST_SPARSE_PIECES = 100_000;
/** Largest file, sparse or not: what the overlay can hold (`fs/file-data.ts`). */
export const MOST_FILE_BYTES = 2 ** 38;
/** Names, links and attributes of one layer together: they are held in memory while it is read. */
export const MOST_LAYER_TEXT_BYTES = 2 ** 29;
/** Entries of an archive of images (`docker save`): four a layer and a few. */
export const MOST_ARCHIVE_ENTRIES = 100_000;
/** What zstd itself takes without being asked for more (`--long`, `ZSTD_WINDOWLOG_LIMIT_DEFAULT`). */
export const MOST_ZSTD_WINDOW_BYTES = 2 ** 27;

/** How long a process waits for the store's lock. Under it files are looked at and removed, which takes milliseconds. */
export const LOCK_WAIT_MS = 120_000;
/** How long a process waits for another one that makes a layer ready, before it does so itself: so much, and a millisecond for so many bytes as half of a processor manages. */
export const PREPARE_WAIT_MS = 2000;
export const PREPARE_WAIT_BYTES_PER_MS = 25_000;
/** When the lock of a process that cannot be seen from here (of another pid namespace or machine) counts as abandoned. */
export const LOCK_ABANDONED_AFTER_MS = 600_000;
/** The same of a file that such a process writes: nothing stands still for a day. */
export const FILE_ABANDONED_AFTER_MS = 86_400_000;
/** How far apart the clock of a file system and ours may be, where it is on another machine. */
export const CLOCK_SLACK_MS = 60_000;
