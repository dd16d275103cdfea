/** Looks for bytes that have changed in the bucket: each blob and each manifest is read and must have its digest. */
import { algorithmOf, digestOf, hexOf } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { blobOfKey, dataKey, partsOfKey } from './bucket-layout.ts';
import type { BucketStorage } from './bucket-storage.ts';
import { MOST_COPY_BYTES } from './limits.ts';
import { digestOfFileName, fileNameOf } from './names.ts';
import type { ScrubReport } from './storage.ts';

class Scrubber {
  readonly report: ScrubReport = { blobs: 0, bytes: 0, spoiled: [] };
  readonly #storage: BucketStorage;

  constructor(storage: BucketStorage) {
    this.#storage = storage;
  }

  async #isSpoiled(digest: Digest, id: string, size: number): Promise<boolean> {
    const hash = this.#storage.host.codecs.createDigest(algorithmOf(digest));
    const stream = size === 0 ? undefined : await this.#storage.open({ data: id, size });
    for await (const chunk of stream ?? []) hash.update(chunk);
    return hash.hex() !== hexOf(digest);
  }

  async #moveAway(digest: Digest, key: string, id: string, size: number): Promise<void> {
    const { client } = this.#storage;
    this.report.spoiled.push(digest);
    if (size <= MOST_COPY_BYTES) await client.copy(key, `spoiled/${fileNameOf(digest)}.${id}`);
    await client.delete(key);
  }

  /** Bytes that are spoiled when they are read a second time, too. */
  async blobs(): Promise<void> {
    const { client } = this.#storage;
    for await (const { key } of client.list('blobs/')) {
      const found = blobOfKey(key);
      const size = found === undefined ? undefined : await client.head(dataKey(found.id));
      if (found === undefined || (size === undefined && await client.head(key) === undefined)) continue;
      const { digest, id } = found;
      this.report.blobs++;
      this.report.bytes += size ?? 0;
      if (size !== undefined && !(await this.#isSpoiled(digest, id, size) && await this.#isSpoiled(digest, id, size))) continue;
      if (size === undefined) this.report.spoiled.push(digest);
      else await this.#moveAway(digest, dataKey(id), id, size);
      await client.delete(key);
    }
  }

  async manifests(): Promise<void> {
    const { client } = this.#storage;
    for await (const { key, size } of client.list('repositories/')) {
      const { name, kind, rest } = partsOfKey(key) ?? {};
      const digest = kind === '_manifests' && rest !== undefined ? digestOfFileName(rest) : undefined;
      if (name === undefined || digest === undefined) continue;
      const bytes = await this.#storage.repository(name).manifestBytes(digest);
      if (bytes === undefined && await client.head(key) === undefined) continue;
      this.report.blobs++;
      this.report.bytes += bytes?.length ?? 0;
      if (bytes === undefined || digestOf(this.#storage.host.codecs, bytes, algorithmOf(digest)) !== digest) await this.#moveAway(digest, key, crypto.randomUUID(), size);
    }
  }
}

/** @throws BucketError */
export async function scrubBucket(storage: BucketStorage): Promise<ScrubReport> {
  const scrubber = new Scrubber(storage);
  await scrubber.blobs();
  await scrubber.manifests();
  return scrubber.report;
}
