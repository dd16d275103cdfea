/**
 * A registry in an S3-compatible bucket, which several instances may serve. All that must be known to more than one of them is in the bucket
 * (`bucket-layout.ts`); nothing is kept in memory that is not looked up again or cannot change. It asks of the server what all have: what was
 * written is read afterwards, also in lists, and an object is there whole or not at all.
 */
import type { ImageHost } from '../host/types.ts';
import type { Digest } from '../image/index.ts';
import { collectBucket } from './bucket-garbage.ts';
import { DataStream } from './bucket-data.ts';
import { blobOfKey, blobPrefix, dataKey, nameKey, nameOfKey } from './bucket-layout.ts';
import type { BlobPlace } from './bucket-layout.ts';
import { BucketMarks } from './bucket-marks.ts';
import { BucketRepository } from './bucket-repository.ts';
import { scrubBucket } from './bucket-scrub.ts';
import { BucketUploads } from './bucket-uploads.ts';
import { MOST_KNOWN_LINKS, MOST_KNOWN_MANIFESTS, MOST_REPOSITORIES, RENEW_LINK_AFTER_MS } from './limits.ts';
import { S3Client } from './s3-client.ts';
import type { BucketOptions } from './s3-client.ts';
import type { GarbageOptions, GarbageReport, LocalFiles, RegistryStorage, ScrubReport } from './storage.ts';

/** Names are listed again after this: other instances make and remove some. */
const NAMES_LIFETIME_MS = 5000;
/** Who asks about health asks again. */
const HEALTH_TRIES = 1;

/** Remembers so much; what came first goes first. */
export class Remembered<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    const [oldest] = this.#values.keys();
    if (this.#values.size >= this.#most && oldest !== undefined) this.#values.delete(oldest);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}

export class BucketStorage implements RegistryStorage {
  readonly kind = 'bucket';
  readonly host: ImageHost;
  readonly client: S3Client;
  /** Files of this instance alone. */
  readonly local: LocalFiles;
  readonly marks: BucketMarks;
  /** Sizes of the blobs of links, by key. */
  readonly knownLinks = new Remembered<{ readonly etag: string; readonly size: number }>(MOST_KNOWN_LINKS);
  /** What manifests need, by repository and digest. */
  readonly knownNeeds = new Remembered<readonly Digest[]>(MOST_KNOWN_MANIFESTS);
  /** When this instance has written the name of a repository last. */
  readonly #noted = new Remembered<number>(MOST_REPOSITORIES);
  #names: { readonly list: readonly string[]; readonly atMs: number } | undefined;

  private constructor(host: ImageHost, client: S3Client, local: LocalFiles) {
    this.host = host;
    this.client = client;
    this.local = local;
    this.marks = new BucketMarks(client);
  }

  /** Looks whether the bucket is there and lets us in. @throws BucketError */
  static async open(host: ImageHost, options: BucketOptions, local: LocalFiles): Promise<BucketStorage> {
    const storage = new BucketStorage(host, new S3Client(host, options), local);
    await storage.client.list('names/', 1).next();
    return storage;
  }

  /** The earlier of two clocks, ours and the server's: nothing is taken for older than it is. */
  now(): number {
    return Math.min(this.host.now(), this.client.now());
  }

  openUploads(): BucketUploads {
    return new BucketUploads(this);
  }

  repository(name: string): BucketRepository {
    return new BucketRepository(this, name);
  }

  async repositories(): Promise<readonly string[]> {
    const now = this.host.now();
    if (this.#names !== undefined && now - this.#names.atMs < NAMES_LIFETIME_MS) return this.#names.list;
    const list: string[] = [];
    for await (const { key } of this.client.list('names/', MOST_REPOSITORIES)) {
      const name = nameOfKey(key);
      if (name !== undefined) list.push(name);
    }
    list.sort();
    this.#names = { list, atMs: now };
    return list;
  }

  /** Before anything is written to a repository: its name is in the list, and stays there for a while. */
  async noteName(name: string): Promise<void> {
    const now = this.host.now();
    if (now - (this.#noted.get(name) ?? -Infinity) < RENEW_LINK_AFTER_MS) return;
    await this.client.put(nameKey(name), new TextEncoder().encode(name));
    this.#noted.set(name, now);
    this.forgetNames();
  }

  /** A repository came or went: the list of names is read again. */
  forgetNames(name?: string): void {
    this.#names = undefined;
    if (name !== undefined) this.#noted.delete(name);
  }

  /** Where bytes of this digest are, whoever has a link to them: what was checked and is still there, with its size. */
  async *places(digest: Digest): AsyncGenerator<BlobPlace, void> {
    for await (const { key } of this.client.list(blobPrefix(digest))) {
      const found = blobOfKey(key);
      const size = found === undefined ? undefined : await this.client.head(dataKey(found.id));
      if (found !== undefined && size !== undefined) yield { data: found.id, size };
    }
  }

  /** @throws BucketError where the object has not the size that it should have */
  open({ data, size }: BlobPlace, start = 0, length = size - start): Promise<DataStream | undefined> {
    return DataStream.open(this.client, { key: dataKey(data), start, end: start + length - 1, size });
  }

  collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
    return collectBucket(this, options);
  }

  scrub(): Promise<ScrubReport> {
    return scrubBucket(this);
  }

  async checkHealth(): Promise<void> {
    await this.client.list('names/', 1, HEALTH_TRIES).next();
  }
}
