/**
 * What keeps a registry's repositories: a directory (`directory-storage.ts`) or a bucket (`bucket-storage.ts`). Blobs are there once for all
 * repositories, and for each repository what of them it has (links): a blob that a repository has no link to is not there for its readers.
 */
import type { HostAsyncFiles, ImageHost } from '../host/types.ts';
import type { Descriptor, Digest, Disk } from '../image/index.ts';
import type { DirectorySync } from './directory-sync.ts';
import type { ManifestDocument, ManifestRecord, TagRecord } from './documents.ts';

/** A directory answers at once, a bucket when the network has. */
export type Awaitable<Value> = Value | Promise<Value>;

/** Files of this machine: all of the registry, or what concerns this process alone, such as events that wait. */
export interface LocalFiles {
  readonly disk: Disk;
  readonly files: HostAsyncFiles;
  /** Brings names to the disk. */
  readonly names: DirectorySync;
}

export interface RegistryStorage {
  readonly kind: 'directory' | 'bucket';
  readonly host: ImageHost;
  readonly local: LocalFiles;
  /** Milliseconds since the epoch, by the clock that dates what is stored. */
  now(): number;
  /** Uploads that have begun. */
  openUploads(): Uploads;
  /** `name` was checked. */
  repository(name: string): Repository;
  /** Names of all repositories, sorted by bytes; some seconds old at most. */
  repositories(): Awaitable<readonly string[]>;
  collectGarbage(options: GarbageOptions): Promise<GarbageReport>;
  /** Reads all blobs. A spoiled one is moved away: then it is missing, which the next push of it repairs. */
  scrub(): Promise<ScrubReport>;
  /** Ends well if a push could be taken now. @throws Error whose message says why not */
  checkHealth(): Awaitable<void>;
}

export interface GarbageReport {
  links: number;
  blobs: number;
  bytes: number;
  repositories: number;
  temporary: number;
}

export interface GarbageOptions {
  /** Milliseconds for which what is not needed stays. */
  readonly graceMs: number;
  /** True: only counts. */
  readonly dryRun: boolean;
}

export interface ScrubReport {
  blobs: number;
  bytes: number;
  readonly spoiled: Digest[];
}

/** Bytes of a blob: a file's, by a handle that whoever gets it closes, or as they come. */
export type BlobBytes = { readonly handle: number } | { readonly stream: AsyncIterable<Uint8Array> };

export interface FoundBlob {
  readonly size: number;
  /** `length` bytes, at least one. Undefined: it is lost. */
  open(start: number, length: number): Awaitable<BlobBytes | undefined>;
}

export interface Pushed {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly document: ManifestDocument;
  readonly tags: readonly string[];
  /** Throws where what the manifest needs has gone meanwhile; then the manifest is taken away again. */
  confirm(): Awaitable<void>;
}

export type Referrer = Descriptor & { readonly artifactType?: string };

/** Reads answer undefined, and removals false, where there is no such thing. All throw where the disk or the bucket fails. */
export interface Repository {
  readonly name: string;
  exists(): Awaitable<boolean>;

  /** A blob that the repository has a link to. */
  findBlob(digest: Digest): Awaitable<FoundBlob | undefined>;
  /** Bytes of a blob that is here and that the repository has a link to. */
  blobSize(digest: Digest): Awaitable<number | undefined>;
  /** A small blob, whole. @throws StoreError for one that has more than `most` bytes */
  blobBytes(digest: Digest, most: number): Awaitable<Uint8Array<ArrayBuffer> | undefined>;
  hasLink(digest: Digest): Awaitable<boolean>;
  /** Somebody counts on the blob: it is not collected for a while. */
  renew(digest: Digest): Awaitable<void>;
  /** The blob of another repository. True: this one did not have it before. */
  mount(digest: Digest, source: Repository): Awaitable<boolean>;
  unlink(digest: Digest): Awaitable<boolean>;
  /** Bytes of all blobs and manifests. */
  countBytes(): Awaitable<number>;

  manifest(digest: Digest): Awaitable<ManifestRecord | undefined>;
  manifests(): Awaitable<readonly Digest[]>;
  /** As they were pushed; whoever reads them compares them with the digest. */
  manifestBytes(digest: Digest): Awaitable<Uint8Array<ArrayBuffer> | undefined>;
  /** What was answered to the push outlives the process; the tag is named last. @throws RegistryFailure DENIED, and what `confirm` throws */
  putManifest(pushed: Pushed): Promise<void>;
  /** With the tags that lead to it, which go first. */
  removeManifest(digest: Digest): Awaitable<boolean>;

  tag(tag: string): Awaitable<TagRecord | undefined>;
  /** In the order of the specification. */
  tags(): Awaitable<readonly string[]>;
  removeTag(tag: string): Awaitable<boolean>;

  /** Descriptors of the manifests whose subject this is, by digest. */
  referrers(subject: Digest): Iterable<Referrer> | AsyncIterable<Referrer>;
}

/** Says of each piece whether it may still come, by throwing. */
export type Allowance = (bytes: number) => void;

export interface Upload {
  readonly id: string;
  readonly repository: Repository;
  /** Bytes that have come, and that a client need not send again. */
  readonly size: number;
}

/** What has come stays when a connection breaks or the registry ends; the client asks how much that is, and goes on. */
export interface Uploads {
  readonly count: number;
  /** Bytes of uploads of a repository that have not become blobs yet. */
  bytesOf(repository: string): Awaitable<number>;
  /** `isWhole`: all bytes come with the request that begins it. @throws RegistryFailure TOOMANYREQUESTS */
  begin(repository: Repository, isWhole: boolean): Awaitable<Upload>;
  /** @throws RegistryFailure BLOB_UPLOAD_UNKNOWN: never begun here, ended, or too old. */
  find(repository: Repository, id: string): Awaitable<Upload>;
  /** Takes a body in. `digest`: what the whole shall have, where that is known by now. */
  receive(upload: Upload, body: AsyncIterable<Uint8Array>, allow: Allowance, digest?: Digest): Promise<void>;
  /**
   * Makes the upload a blob of its repository, if `admit` does not throw. True: the repository did not have it before.
   *
   * @throws RegistryFailure DIGEST_INVALID; the upload is gone then.
   */
  finish(upload: Upload, digest: Digest, admit: () => Awaitable<void>): Promise<boolean>;
  cancel(upload: Upload): Awaitable<void>;
  /** Takes away what is left of an upload that nobody can go on with. */
  forget(upload: Upload): Awaitable<void>;
  /** Forgets uploads that nobody goes on with; what they have stored goes with the garbage. */
  expire(): void;
}

/** Work of the same kind, so many at once: as many requests of a bucket as do not get in each other's way. Results in the order of the items. */
export async function mapParallel<Item, Result>(items: readonly Item[], work: (item: Item, index: number) => Awaitable<Result>, atOnce = 16): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!, index);
  }));
  return results;
}

/** Others have their turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
