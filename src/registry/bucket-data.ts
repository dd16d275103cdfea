/** The bytes of an object as they come. A connection that breaks in between is made again from there on. */
import type { HttpResponse } from '../host/types.ts';
import { FIRST_BUCKET_WAIT_MS, MOST_BUCKET_TRIES } from './limits.ts';
import type { ObjectPart, S3Client } from './s3-client.ts';
import { BucketError } from './s3-errors.ts';

/** Once: one reader. What was opened is closed also where nobody has begun to read. */
export class DataStream implements AsyncIterableIterator<Uint8Array> {
  readonly #client: S3Client;
  readonly #range: ObjectPart;
  #response: HttpResponse | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #at: number;
  /** Tries without a byte. */
  #failures = 0;

  private constructor(client: S3Client, range: ObjectPart, response: HttpResponse) {
    this.#client = client;
    this.#range = range;
    this.#at = range.start;
    this.#take(response);
  }

  /** Undefined: there is no such object. @throws BucketError */
  static async open(client: S3Client, range: ObjectPart): Promise<DataStream | undefined> {
    const response = await client.open(range, range.start);
    return response === undefined ? undefined : new DataStream(client, range, response);
  }

  #take(response: HttpResponse): void {
    this.#response = response;
    this.#iterator = response.body[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws BucketError where no more comes, or more than was asked for */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { key, end } = this.#range;
    while (this.#at <= end) {
      const chunk = await this.#read();
      if (chunk === undefined) continue;
      if (this.#at + chunk.length > end + 1) {
        await this.return();
        throw new BucketError(`cannot read ${key}: more comes than was asked for`, 'InvalidRange', undefined);
      }
      this.#at += chunk.length;
      this.#failures = 0;
      return { done: false, value: chunk };
    }
    this.#response = undefined;
    return { done: true, value: undefined };
  }

  /** A piece; undefined where there was none, and the next try may have one. */
  async #read(): Promise<Uint8Array | undefined> {
    const { key, size } = this.#range;
    if (this.#response === undefined) {
      await new Promise((resolve) => setTimeout(resolve, FIRST_BUCKET_WAIT_MS * 2 ** this.#failures));
      const response = await this.#client.open(this.#range, this.#at);
      if (response === undefined) throw new BucketError(`cannot read ${key}: it has gone meanwhile`, 'NoSuchKey', 404);
      this.#take(response);
    }
    let problem: unknown;
    try {
      const next = await this.#iterator?.next();
      if (next?.done === false) return next.value.length === 0 ? undefined : next.value;
    } catch (error) {
      problem = error;
    }
    this.#response?.cancel();
    this.#response = undefined;
    if (++this.#failures >= MOST_BUCKET_TRIES) throw new BucketError(`cannot read ${key}: the connection breaks at byte ${this.#at} of ${size}, again and again`, 'ECONNRESET', undefined, undefined, { cause: problem });
    return undefined;
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#response?.cancel();
    this.#response = undefined;
    this.#at = Infinity;
    return Promise.resolve({ done: true, value: undefined });
  }
}
