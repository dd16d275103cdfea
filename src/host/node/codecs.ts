/** Digests and gzip by Node's own modules, loaded on demand: a run of a program needs neither. */
import type * as Crypto from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Zlib from 'node:zlib';
import type { Gunzip, Gzip } from 'node:zlib';
import type { HostCodecs } from '../types.ts';
import { gunzipInPlace } from './gunzip.ts';

const load = createRequire(import.meta.url);
const CHUNK_BYTES = 1 << 18;
/** Zlib's thread may be some pieces ahead: so it works while what it made is hashed and written. */
const GUNZIP = { chunkSize: 1 << 20, writableHighWaterMark: 1 << 20, readableHighWaterMark: 1 << 22 };
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

export const nodeCodecs: HostCodecs = {
  createDigest(algorithm) {
    crypto ??= load('node:crypto') as typeof Crypto;
    const hash = crypto.createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  },
  gunzip: (source) => gunzipInPlace(source) ?? through(zlib().createGunzip(GUNZIP), source),
  gzip: (source) => through(zlib().createGzip({ chunkSize: CHUNK_BYTES }), source),
};
