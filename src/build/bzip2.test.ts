import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { randomFrom } from '../../test/images/random.ts';
import { unbzip2 } from './bzip2.ts';
import { BuildError } from './errors.ts';

const bzip2 = (plain: Uint8Array, ...flags: readonly string[]): Buffer => execFileSync('bzip2', ['-c', ...flags], { input: plain, maxBuffer: 1 << 26 });

function unpack(bytes: Uint8Array, length = 65_536): Buffer {
  const pieces = Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
  return Buffer.concat([...unbzip2(pieces)].map((piece) => Buffer.from(piece)));
}

/** What bzip2 itself makes of it; undefined where it refuses. */
function peer(bytes: Uint8Array): Buffer | undefined {
  const { status, stdout } = spawnSync('bzip2', ['-dc'], { input: bytes, maxBuffer: 1 << 26 });
  return status === 0 ? stdout : undefined;
}

const text = Buffer.from(Array.from({ length: 150_000 }, (_, index) => `${index * 7919 % 251} ${'xyz'.repeat(index % 3)}`).join('\n'));
const runs = Buffer.concat(Array.from({ length: 520 }, (_, length) => Buffer.alloc(length, 97 + length % 2)));

test('unbzip2() gives what bzip2 compressed, whatever its level and its pieces', () => {
  for (const plain of [Buffer.alloc(0), Buffer.from('a'), runs, text, randomBytes(300_000), Buffer.alloc(5_000_000), Buffer.concat([text, Buffer.alloc(1_000_000, 'ab'), runs])]) {
    for (const level of ['-1', '-9']) for (const length of [7, 1 << 20]) assert.ok(unpack(bzip2(plain, level), length).equals(plain), `${plain.length} bytes, ${level}`);
  }
  assert.ok(unpack(Buffer.concat([bzip2(text), bzip2(runs, '-2'), Buffer.from('behind it')])).equals(Buffer.concat([text, runs])));
});

test('unbzip2() refuses what bzip2 refuses: each byte spoiled, each length', () => {
  const whole = bzip2(runs.subarray(0, 5000));
  const random = randomFrom(7);
  const cases = [...whole.keys()].flatMap((at) => {
    const spoiled = Buffer.from(whole);
    spoiled[at]! ^= 1 + Math.floor(random() * 255);
    return [spoiled, whole.subarray(0, at)];
  });
  assert.ok(cases.length > 200);
  for (const [index, bytes] of cases.entries()) {
    let found: Buffer | undefined;
    try {
      found = unpack(bytes);
    } catch (error) {
      assert.ok(error instanceof BuildError, String(error));
    }
    // A process each time: of every third.
    if (index % 3 === 0) assert.deepEqual(found, peer(bytes), `case ${index}`);
  }
});

test('unbzip2() refuses a run that is longer than its block, also one whose length has more than 32 bits', () => {
  // A block of one byte of the alphabet, codes of one bit for RUNB and of two for the others, and nothing but RUNBs.
  let bits = '';
  const put = (value: number, count: number): void => void (bits += value.toString(2).padStart(count, '0'));
  for (const byte of Buffer.from('BZh91AY&SY')) put(byte, 8);
  for (const [value, count] of [[0, 32], [0, 1], [0, 24], [0x8000, 16], [0x8000, 16], [2, 3], [1, 15], [0, 1]] as const) put(value, count);
  for (let table = 0; table < 2; table++) {
    put(2, 5);
    bits += '0' + '110' + '100'; // 2, 1, 2
  }
  bits += '0'.repeat(49) + '10'.repeat(40);
  const bytes = Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  assert.throws(() => unpack(bytes), /it is spoiled/);
});
