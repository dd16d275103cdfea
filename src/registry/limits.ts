/** Bounds on all that a client of the registry controls: each with its reason. Those with flags are in `RegistryLimits`. */

export interface RegistryLimits {
  /** Bytes of one blob. The largest public images have layers of 20 GB. */
  readonly blobBytes: number;
  /** Requests of one user, or of one address without a user, in a second; undefined: not bounded. */
  readonly requestsPerSecond: number | undefined;
}

export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = { blobBytes: 64 * 2 ** 30, requestsPerSecond: undefined };

/** distribution-spec "Pushing Manifests": at least 4 MB; what is longer is answered with 413. */
export { MOST_DOCUMENT_BYTES as MOST_MANIFEST_BYTES } from '../image/index.ts';
/** distribution-spec "Pulling manifests": with a registry's name before it, clients take 255 characters. */
export const MOST_NAME_CHARACTERS = 255;
/** Uploads that have begun and not ended, of all clients; each costs a few hundred bytes of memory. */
export const MOST_UPLOADS = 10_000;
/** What is left of an upload when nothing came for so long: a day, so that a push can go on after a night. */
export const UPLOAD_LIFETIME_MS = 24 * 3_600_000;
/** Tags of one repository, and repositories: their names are sorted in memory. */
export const MOST_TAGS = 100_000;
export const MOST_REPOSITORIES = 1_000_000;
/** Tags or repositories of one answer that asks for no number, or for a larger one. */
export const MOST_PAGE_ENTRIES = 10_000;
/** Manifests that name the same subject. */
export const MOST_REFERRERS = 10_000;
/** A list of referrers is an index: as long as any manifest may be. */
export const MOST_REFERRERS_BYTES = 4 * 2 ** 20;
/** Bytes of a file that are read, and held, at once for each download. */
export const READ_BYTES = 2 ** 18;
/** A request's line and headers: a token with 100 scopes has 8 KiB. */
export const MOST_HEADER_BYTES = 2 ** 16;
/** Connections at once; each may hold a file open. Linux's usual bound of open files is 1,024 or more by far. */
export const MOST_CONNECTIONS = 500;
/** A connection on which nothing moves. Clients wait longer between requests only for their own disks. */
export const IDLE_TIMEOUT_MS = 120_000;
/** Addresses or users whose requests are counted; the one that was not heard of longest is forgotten. */
export const MOST_BUCKETS = 100_000;
/** Wrong passwords of one address: ten at once, then one in ten seconds. */
export const FAILED_LOGINS_AT_ONCE = 10;
export const FAILED_LOGINS_PER_SECOND = 0.1;
/** Passwords that were right and are not computed again for a while, as digests. */
export const MOST_KNOWN_PASSWORDS = 10_000;
/** Scopes of one token: clients ask for two or three. */
export const MOST_SCOPES = 100;
/** A form that asks for a token. */
export const MOST_FORM_BYTES = 2 ** 16;
/** Rows of a table of the pages. */
export const MOST_PAGE_ROWS = 1000;
/** Repositories of other registries for which a connection and a token are kept. */
export const MOST_UPSTREAM_CLIENTS = 1000;
/** How long another registry is waited for before what is here is given. */
export const UPSTREAM_PATIENCE_MS = 5000;
/** Events that wait for one receiver: some kilobytes each. */
export const MOST_QUEUED_EVENTS = 10_000;
export const MOST_EVENT_BYTES = 2 ** 16;
/** An event that nobody took for so long is of no use any more: a week outlives a weekend. */
export const EVENT_LIFETIME_MS = 7 * 24 * 3_600_000;
/** Between two tries, doubled each time. */
export const FIRST_EVENT_WAIT_MS = 500;
export const LONGEST_EVENT_WAIT_MS = 300_000;
/** A receiver that says nothing for so long is away. */
export const WEBHOOK_TIMEOUT_MS = 10_000;
/** What is read of a receiver's answer, so that the connection can be used again. */
export const MOST_ANSWER_BYTES = 2 ** 16;
/** Requests to a bucket that may succeed when they are made again: so often, with waits that double, for so long in all. */
export const MOST_BUCKET_TRIES = 5;
export const FIRST_BUCKET_WAIT_MS = 200;
export const LONGEST_BUCKET_WAIT_MS = 10_000;
export const MOST_BUCKET_MS = 30_000;
/** A server that says nothing for so long is asked again. */
export const BUCKET_TIMEOUT_MS = 20_000;
/** A page of 1,000 keys, each of 1,024 bytes that are written as %XX, and what is around them. */
export const MOST_BUCKET_ANSWER_BYTES = 2 ** 23;
/** Amazon S3 "Multipart upload limits": parts of an object, and bytes of all but the last one. */
export const MOST_PARTS = 10_000;
export const LEAST_PART_BYTES = 5 * 2 ** 20;
export const MOST_PART_BYTES = 2 ** 27;
/** 10,000 of them are more than the largest blob that is taken by default. */
export const DEFAULT_PART_BYTES = 8 * 2 ** 20;
/** Parts that are being filled or sent hold so many bytes together, and so many where clients are slow. */
export const PART_POOL_BYTES = 40 * 2 ** 20;
export const MOST_PART_POOL_BYTES = 512 * 2 ** 20;
/** A part that waits for room in the pool does so no longer than this: slow clients hold up nobody. */
export const PART_POOL_WAIT_MS = 5000;
/** Of a blob so much is held before it needs room in the pool: most configurations are smaller. */
export const SMALL_PART_BYTES = 2 ** 17;
/** What is known of an upload: 10,000 entity tags. */
export const MOST_UPLOAD_RECORD_BYTES = 2 ** 20;
/** CopyObject takes no more. */
export const MOST_COPY_BYTES = 5 * 2 ** 30;
/** A link whose blob was asked for is made young again if it is older than this: a request, so not each time. */
export const RENEW_LINK_AFTER_MS = 600_000;
/** Records of links, and needs of manifests, that need not be read again. */
export const MOST_KNOWN_LINKS = 100_000;
export const MOST_KNOWN_MANIFESTS = 20_000;
/** A repository without anything stays in the list for so long: instances write its name when they push to it, and not each time. */
export const LEAST_NAME_AGE_MS = 3_600_000;
/** What a collector has marked it deletes at once or not at all; a mark that is older was left by one that was killed. */
export const MARK_LIFETIME_MS = 600_000;
export const MOST_MARKED = 1000;
/** A push waits so long for a collector that has marked what it needs. */
export const MARK_PATIENCE_MS = 20_000;
/** Characters of a prefix: S3's keys have 1,024 bytes, and the longest of ours needs 700. */
export const MOST_PREFIX_CHARACTERS = 200;
