/** Digests and gzip by Node's own modules, loaded on demand: a run of a program needs neither. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { HostCodecs } from '../types.ts';

const CHUNK_BYTES = 1 << 18;

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
  let failure: unknown;
  const feeding = pipeline(source, stream).catch((error: unknown) => {
    failure = error;
  });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    failure ??= error;
  } finally {
    stream.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure;
}

export const nodeCodecs: HostCodecs = {
  createDigest(algorithm) {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
  },
  gunzip,
};
