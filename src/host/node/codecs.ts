/** Digests and gzip by Node's own modules, loaded on demand: a run of a program needs neither. */
import type * as Crypto from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Zlib from 'node:zlib';
import type { Gunzip, Gzip } from 'node:zlib';
import type { HostCodecs, HostDigest } from '../types.ts';
import { gunzipInPlace } from './gunzip.ts';
import { sha256 } from './sha256.ts';

const load = createRequire(import.meta.url);
const CHUNK_BYTES = 1 << 18;
/** Zlib's thread may be some pieces ahead: so it works while what it made is hashed and written. */
const GUNZIP = { chunkSize: 1 << 20, writableHighWaterMark: 1 << 20, readableHighWaterMark: 1 << 22 };
/** Of documents that are hashed without Node's module, unless that is here already. */
export const MOST_SMALL_BYTES = 4096;
let crypto: typeof Crypto | undefined;
const zlib = (): typeof Zlib => load('node:zlib') as typeof Zlib;
const WAKERS = ['drain', 'end', 'close', 'error'];

/** Resolves when the stream takes more, or never will. */
function roomIn(stream: Gunzip | Gzip): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of WAKERS) stream.off(event, settle);
      resolve();
    };
    for (const event of WAKERS) stream.on(event, settle);
  });
}

/** What follows the compressed stream ends the reading, and is left in the source. */
async function feed(stream: Gunzip | Gzip, source: AsyncIterator<Uint8Array>): Promise<void> {
  const isDone = (): boolean => stream.readableEnded || stream.destroyed;
  while (!isDone()) {
    const { value, done } = await source.next();
    if (done === true) {
      stream.end();
      return;
    }
    if (!isDone() && !stream.write(value)) await roomIn(stream);
  }
}

async function* through(stream: Gunzip | Gzip, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const feeding = feed(stream, source[Symbol.asyncIterator]()).catch((error: unknown) => {
    stream.destroy(error as Error);
  });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  } finally {
    stream.destroy();
    await feeding;
  }
}

function openDigest(algorithm: string): HostDigest {
  crypto ??= load('node:crypto') as typeof Crypto;
  const hash = crypto.createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
}

/** SHA-256 that loads Node's module only when there is more than `MOST_SMALL_BYTES`. */
class LateDigest implements HostDigest {
  readonly #bytes = new Uint8Array(MOST_SMALL_BYTES);
  #length = 0;
  #digest: HostDigest | undefined;

  update(bytes: Uint8Array): void {
    if (this.#digest === undefined && this.#length + bytes.length <= MOST_SMALL_BYTES) {
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
      return;
    }
    if (this.#digest === undefined) {
      this.#digest = openDigest('sha256');
      this.#digest.update(this.#bytes.subarray(0, this.#length));
    }
    this.#digest.update(bytes);
  }

  hex(): string {
    return this.#digest?.hex() ?? sha256(this.#bytes.subarray(0, this.#length));
  }
}

export const nodeCodecs: HostCodecs = {
  createDigest: (algorithm) => (algorithm === 'sha256' && crypto === undefined ? new LateDigest() : openDigest(algorithm)),
  gunzip: (source) => gunzipInPlace(source) ?? through(zlib().createGunzip(GUNZIP), source),
  gzip: (source) => through(zlib().createGzip({ chunkSize: CHUNK_BYTES }), source),
};
