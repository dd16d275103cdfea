/** Digests and gzip by Node's own modules, loaded on demand: a run of a program needs neither. */
import type * as Crypto from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Zlib from 'node:zlib';
import type { Gunzip } from 'node:zlib';
import type { HostCodecs } from '../types.ts';

const load = createRequire(import.meta.url);
const CHUNK_BYTES = 1 << 18;
let crypto: typeof Crypto | undefined;
const WAKERS = ['drain', 'end', 'close', 'error'];

/** Resolves when the stream takes more, or never will. */
function roomIn(stream: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of WAKERS) stream.off(event, settle);
      resolve();
    };
    for (const event of WAKERS) stream.on(event, settle);
  });
}

/** What follows the compressed stream ends the reading, and is left in the source. */
async function feed(stream: Gunzip, source: AsyncIterator<Uint8Array>): Promise<void> {
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

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { createGunzip } = load('node:zlib') as typeof Zlib;
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
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
  gunzip,
};
