/**
 * How a collector and pushes of other instances do not get in each other's way, without a lock and whatever their clocks say. A collector writes
 * down what it is about to delete, looks again whether that is needed, deletes it, and takes the mark away. Who counts on something that was
 * there before writes that down first (a link, a manifest), then looks for marks. Either the collector's second look sees what was
 * written, or the other one sees the mark; then it waits until that is gone, and looks whether all is still there.
 */
import type { Digest } from '../image/index.ts';
import { decodeRecord, encodeRecord } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { MARK_LIFETIME_MS, MARK_PATIENCE_MS, MOST_BUCKET_ANSWER_BYTES } from './limits.ts';
import type { S3Client } from './s3-client.ts';

/** What a collector is about to delete. */
export interface Marked {
  /** Digests of links, by the name of their repository. */
  readonly links: Readonly<Record<string, readonly Digest[]>>;
  /** Digests of blobs that no repository has a link to. */
  readonly blobs: readonly Digest[];
}

const PREFIX = 'collecting/';
const LOOK_AGAIN_MS = 100;

export class BucketMarks {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  /** `work` deletes what is marked, as long as `isMarked` says so. */
  async marking(marked: Marked, work: (isMarked: () => boolean) => Promise<void>): Promise<void> {
    const key = `${PREFIX}${crypto.randomUUID()}`;
    const since = performance.now();
    await this.#client.put(key, encodeRecord(marked));
    try {
      // Half: the last request to delete something has time to end.
      await work(() => performance.now() - since < MARK_LIFETIME_MS / 2);
    } finally {
      await this.#client.delete(key);
    }
  }

  /**
   * Ends when no collector is about to delete these links of a repository, or their blobs. True: one was, and may have done so.
   *
   * @throws RegistryFailure UNAVAILABLE
   */
  async settle(repository: string, digests: readonly Digest[]): Promise<boolean> {
    const since = performance.now();
    for (let hasWaited = false; ; hasWaited = true) {
      if (!await this.#isNamed(repository, new Set(digests))) return hasWaited;
      if (performance.now() - since > MARK_PATIENCE_MS) throw new RegistryFailure('UNAVAILABLE', 'garbage is being collected that this needs: try again', { headers: { 'retry-after': '5' } });
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  async #isNamed(repository: string, digests: ReadonlySet<Digest>): Promise<boolean> {
    for await (const { key, modifiedMs } of this.#client.list(PREFIX)) {
      if (this.#client.now() - modifiedMs > MARK_LIFETIME_MS) continue;
      const object = await this.#client.get(key, MOST_BUCKET_ANSWER_BYTES);
      const marked = object === undefined ? undefined : decodeRecord<Partial<Marked>>(object.bytes);
      const named = [...(marked?.blobs ?? []), ...(Object.hasOwn(marked?.links ?? {}, repository) ? marked?.links?.[repository] ?? [] : [])];
      if (named.some((digest) => digests.has(digest))) return true;
    }
    return false;
  }
}
