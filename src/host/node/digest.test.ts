import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MOST_SMALL_BYTES, nodeCodecs } from './codecs.ts';
import { sha256 } from './sha256.ts';

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 131 + (index >> 8) * 7) & 0xff);
const expected = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');

test('sha256() agrees with OpenSSL for each length around two blocks, and for some kilobytes', () => {
  assert.equal(sha256(new TextEncoder().encode('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  for (let length = 0; length < 200; length++) assert.equal(sha256(bytesOf(length)), expected('sha256', bytesOf(length)), `${length} bytes`);
  for (const length of [4095, 4096, 4097, 70_001]) assert.equal(sha256(bytesOf(length)), expected('sha256', bytesOf(length)), `${length} bytes`);
});

test('createDigest() answers the same in one piece and in several, below and above what is small', () => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const length of [0, 1, MOST_SMALL_BYTES - 1, MOST_SMALL_BYTES, MOST_SMALL_BYTES + 1, 3 * MOST_SMALL_BYTES]) {
      const bytes = bytesOf(length);
      for (const piece of [64, 1000, length + 1]) {
        const digest = nodeCodecs.createDigest(algorithm);
        const buffer = new Uint8Array(piece);
        for (let at = 0; at < length; at += piece) {
          // The caller uses its buffer again.
          const part = bytes.subarray(at, at + piece);
          buffer.set(part);
          digest.update(buffer.subarray(0, part.length));
          buffer.fill(0xee);
        }
        assert.equal(digest.hex(), expected(algorithm, bytes), `${algorithm} of ${length} bytes in pieces of ${piece}`);
      }
    }
  }
});
