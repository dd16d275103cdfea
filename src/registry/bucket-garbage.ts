/**
 * Garbage collection in a bucket, while instances take pushes. A link whose blob no manifest of its repository needs, and bytes whose digest no
 * repository has a link to, go when nobody has asked for them for the grace. Nothing is locked: what is about to go is marked, looked at
 * again, and deleted (`bucket-marks.ts`). Several instances may collect at once.
 */
import { algorithmOf, digestOf } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { blobKey, blobOfKey, dataKey, decodeWithBytes, nameKey, nameOfKey, partsOfKey, uploadKey } from './bucket-layout.ts';
import type { BucketStorage } from './bucket-storage.ts';
import type { UploadRecord } from './bucket-uploads.ts';
import { needsOf } from './documents.ts';
import { LEAST_NAME_AGE_MS, MARK_LIFETIME_MS, MOST_MARKED, MOST_UPLOAD_RECORD_BYTES, UPLOAD_LIFETIME_MS } from './limits.ts';
import { digestOfFileName } from './names.ts';
import { mapParallel } from './storage.ts';
import type { GarbageOptions, GarbageReport } from './storage.ts';

/** What a repository has, by a list of its keys. */
interface Contents {
  /** Digests of links, and when they were made or renewed. */
  readonly links: Map<Digest, number>;
  readonly manifests: Set<Digest>;
  isEmpty: boolean;
}

interface Bytes {
  readonly digest: Digest;
  readonly id: string;
}

function* batches<Item>(items: readonly Item[]): Iterable<readonly Item[]> {
  for (let at = 0; at < items.length; at += MOST_MARKED) yield items.slice(at, at + MOST_MARKED);
}

class BucketCollector {
  readonly report: GarbageReport = { links: 0, blobs: 0, bytes: 0, repositories: 0, temporary: 0 };
  readonly #storage: BucketStorage;
  readonly #options: GarbageOptions;

  constructor(storage: BucketStorage, options: GarbageOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  #isOld(modifiedMs: number, ageMs = this.#options.graceMs): boolean {
    return this.#storage.now() - modifiedMs >= ageMs;
  }

  /** All repositories, or one. The list of names is not asked: what it might lack would be lost. */
  async contents(name?: string): Promise<Map<string, Contents>> {
    const found = new Map<string, Contents>();
    for await (const { key, modifiedMs } of this.#storage.client.list(name === undefined ? 'repositories/' : `repositories/${name}/_`)) {
      const parts = partsOfKey(key);
      if (parts === undefined) continue;
      let contents = found.get(parts.name);
      if (contents === undefined) found.set(parts.name, (contents = { links: new Map(), manifests: new Set(), isEmpty: true }));
      const digest = digestOfFileName(parts.rest);
      if (parts.kind === '_blobs' && digest !== undefined) contents.links.set(digest, modifiedMs);
      if (parts.kind === '_manifests' && digest !== undefined) contents.manifests.add(digest);
      if (parts.kind === '_blobs' || parts.kind === '_manifests') contents.isEmpty = false;
    }
    return found;
  }

  /** Digests that the manifests of a repository need. */
  async #needs(name: string, manifests: Iterable<Digest>): Promise<ReadonlySet<Digest>> {
    const { knownNeeds } = this.#storage;
    const needs = await mapParallel([...manifests], async (digest) => {
      const key = `${name}@${digest}`;
      const known = knownNeeds.get(key);
      if (known !== undefined) return known;
      const repository = this.#storage.repository(name);
      const [record, bytes] = [await repository.manifest(digest), await repository.manifestBytes(digest)];
      const found = needsOf(record, bytes);
      // What was gone or spoiled may come again, and need something then.
      if (bytes !== undefined && digestOf(this.#storage.host.codecs, bytes, algorithmOf(digest)) === digest) knownNeeds.set(key, found);
      return found;
    });
    return new Set(needs.flat());
  }

  async #unneeded(name: string, { links, manifests }: Contents): Promise<readonly Digest[]> {
    const old = [...links].filter(([, modifiedMs]) => this.#isOld(modifiedMs)).map(([digest]) => digest);
    if (old.length === 0) return [];
    const needed = await this.#needs(name, manifests);
    return old.filter((digest) => !needed.has(digest));
  }

  /** Links that go are taken out of `all`. */
  async links(all: ReadonlyMap<string, Contents>): Promise<void> {
    for (const [name, contents] of all) {
      for (const digests of batches(await this.#unneeded(name, contents))) {
        if (this.#options.dryRun) this.report.links += digests.length;
        else await this.#storage.marks.marking({ links: { [name]: digests }, blobs: [] }, (isMarked) => this.#dropLinks(name, digests, isMarked));
        for (const digest of digests) contents.links.delete(digest);
      }
    }
  }

  async #dropLinks(name: string, digests: readonly Digest[], isMarked: () => boolean): Promise<void> {
    const now = (await this.contents(name)).get(name);
    const unneeded = new Set(now === undefined ? [] : await this.#unneeded(name, now));
    const repository = this.#storage.repository(name);
    await mapParallel(digests.filter((digest) => unneeded.has(digest)), async (digest) => {
      if (isMarked() && await repository.unlink(digest)) this.report.links++;
    });
  }

  /** Bytes that have a digest, and when that was written down. */
  async #allBytes(): Promise<readonly (Bytes & { readonly modifiedMs: number })[]> {
    const found: (Bytes & { readonly modifiedMs: number })[] = [];
    for await (const { key, modifiedMs } of this.#storage.client.list('blobs/')) {
      const bytes = blobOfKey(key);
      if (bytes !== undefined) found.push({ ...bytes, modifiedMs });
    }
    return found;
  }

  async blobs(all: ReadonlyMap<string, Contents>): Promise<void> {
    const linked = new Set([...all.values()].flatMap(({ links }) => [...links.keys()]));
    const garbage = (await this.#allBytes()).filter(({ digest, modifiedMs }) => !linked.has(digest) && this.#isOld(modifiedMs));
    for (const batch of batches(garbage)) {
      if (this.#options.dryRun) await mapParallel(batch, (bytes) => this.#count(bytes));
      else await this.#storage.marks.marking({ links: {}, blobs: [...new Set(batch.map(({ digest }) => digest))] }, (isMarked) => this.#dropBlobs(batch, isMarked));
    }
  }

  async #dropBlobs(batch: readonly Bytes[], isMarked: () => boolean): Promise<void> {
    const linked = new Set([...(await this.contents()).values()].flatMap(({ links }) => [...links.keys()]));
    const { client } = this.#storage;
    await mapParallel(batch.filter(({ digest }) => !linked.has(digest)), async (bytes) => {
      if (!isMarked()) return;
      await this.#count(bytes);
      // What says that they are there goes first.
      await client.delete(blobKey(bytes.digest, bytes.id));
      await client.delete(dataKey(bytes.id));
    });
  }

  async #count({ id }: Bytes): Promise<void> {
    this.report.blobs++;
    const size = await this.#storage.client.head(dataKey(id)) ?? 0;
    this.report.bytes += size;
  }

  /** Each repository that is there has its name in the list; one that has nothing any more goes from it. */
  async names(all: ReadonlyMap<string, Contents>): Promise<void> {
    const { client } = this.#storage;
    const listed = new Set<string>();
    for await (const { key, modifiedMs } of client.list('names/')) {
      const name = nameOfKey(key);
      if (name === undefined) continue;
      listed.add(name);
      const contents = all.get(name);
      const isEmpty = contents === undefined || (contents.links.size === 0 && contents.manifests.size === 0);
      if (this.#options.dryRun || !isEmpty || !this.#isOld(modifiedMs, Math.max(this.#options.graceMs, LEAST_NAME_AGE_MS))) continue;
      await client.delete(key);
      this.#storage.forgetNames(name);
      // Another instance may have begun to push meanwhile.
      if ((await this.contents(name)).get(name)?.isEmpty === false) await client.put(key, new TextEncoder().encode(name));
      else this.report.repositories++;
    }
    if (this.#options.dryRun) return;
    for (const [name, { isEmpty }] of all) if (!isEmpty && !listed.has(name)) await client.put(nameKey(name), new TextEncoder().encode(name));
  }

  async #temporary(key: string, remove: () => Promise<void> = () => this.#storage.client.delete(key)): Promise<void> {
    this.report.temporary++;
    if (!this.#options.dryRun) await remove();
  }

  /**
   * What was begun and not ended. The order matters: bytes that are seen without an upload in progress are those of an upload that has ended,
   * and then they have a digest, which is written down before the upload goes.
   */
  async uploads(): Promise<void> {
    const { client } = this.#storage;
    const old: string[] = [];
    for await (const { key, modifiedMs } of client.list('data/')) if (this.#isOld(modifiedMs, UPLOAD_LIFETIME_MS)) old.push(key.slice('data/'.length));
    const [inProgress, givenUp] = [new Set<string>(), new Set<string>()];
    for await (const { key, modifiedMs } of client.list('uploads/')) {
      const id = key.slice('uploads/'.length);
      const isOld = this.#isOld(modifiedMs, UPLOAD_LIFETIME_MS);
      (isOld ? givenUp : inProgress).add(id);
      if (isOld) await this.#temporary(key, () => this.#giveUp(id));
    }
    const placed = new Set((await this.#allBytes()).map(({ id }) => id));
    for (const id of old) if (!inProgress.has(id) && !placed.has(id)) await this.#temporary(dataKey(id));
    for await (const { key, uploadId, initiatedMs } of client.listParts('data/')) {
      const id = key.slice('data/'.length);
      if (this.#isOld(initiatedMs, UPLOAD_LIFETIME_MS) && !inProgress.has(id) && !givenUp.has(id)) await this.#temporary(key, () => client.abortParts(key, uploadId));
    }
    for await (const { key, modifiedMs } of client.list('collecting/')) if (this.#isOld(modifiedMs, 2 * MARK_LIFETIME_MS)) await this.#temporary(key);
  }

  async #giveUp(id: string): Promise<void> {
    const { client } = this.#storage;
    const object = await client.getStart(uploadKey(id), MOST_UPLOAD_RECORD_BYTES);
    const { multipart } = (object === undefined ? undefined : decodeWithBytes<UploadRecord>(object.bytes))?.record ?? {};
    if (multipart !== undefined) await client.abortParts(dataKey(id), multipart);
    await client.delete(uploadKey(id));
  }
}

/** @throws BucketError */
export async function collectBucket(storage: BucketStorage, options: GarbageOptions): Promise<GarbageReport> {
  const collector = new BucketCollector(storage, options);
  const all = await collector.contents();
  await collector.links(all);
  await collector.blobs(all);
  await collector.names(all);
  await collector.uploads();
  return collector.report;
}
