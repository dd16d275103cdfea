/** Token buckets: so many in a second, and a few more at once. */
import { MOST_BUCKETS } from './limits.ts';

interface Bucket {
  tokens: number;
  atMs: number;
}

export class Buckets {
  readonly #perSecond: number;
  readonly #most: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, most: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#most = most;
    this.#now = now;
  }

  #bucketOf(key: string): Bucket {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#most, atMs: now };
    bucket.tokens = Math.min(this.#most, bucket.tokens + ((now - bucket.atMs) / 1000) * this.#perSecond);
    bucket.atMs = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    // The one that was not asked for longest goes: it is full again, or nearly.
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MOST_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket;
  }

  /** Takes one. Seconds to wait, where there is none. */
  take(key: string): number {
    const bucket = this.#bucketOf(key);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond));
    bucket.tokens--;
    return 0;
  }

  /** Seconds to wait until there is one; takes none. */
  wait(key: string): number {
    const { tokens } = this.#bucketOf(key);
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / this.#perSecond));
  }
}
