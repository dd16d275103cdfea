import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { gunzipInPlace } from './gunzip.ts';

async function* pieces(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield Promise.resolve(bytes.slice(at, at + length));
}

async function unpack(bytes: Uint8Array, length = 65_536): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of gunzipInPlace(pieces(bytes, length)) ?? assert.fail('this Node has none')) found.push(Buffer.from(piece));
  return Buffer.concat(found);
}

const text = Buffer.from(Array.from({ length: 200_000 }, (_, index) => `line ${index * 7919 % 65_521}\n`).join(''));
const noise = randomBytes(5 * 2 ** 20 + 3);
const zeros = Buffer.alloc(2 ** 24);

test('gunzipInPlace() gives what was compressed, in whatever pieces it comes', async () => {
  for (const plain of [Buffer.alloc(0), Buffer.from('x'), text, noise, zeros, Buffer.alloc(2 ** 22, 'ab'), Buffer.concat([zeros, noise, text])]) {
    for (const length of [1000, 65_536, 2 ** 20, 2 ** 25]) assert.ok((await unpack(gzipSync(plain), length)).equals(plain), `${plain.length} bytes in pieces of ${length}`);
  }
  assert.ok((await unpack(gzipSync(text), 1)).equals(text));
});

test('gunzipInPlace() reads members one after the other, and leaves what follows them', async () => {
  const members = Buffer.concat([gzipSync(text), gzipSync(noise), gzipSync('end')]);
  const plain = Buffer.concat([text, noise, Buffer.from('end')]);
  for (const length of [997, 65_536, 2 ** 25]) {
    assert.ok((await unpack(members, length)).equals(plain));
    assert.ok((await unpack(Buffer.concat([members, Buffer.alloc(5000)]), length)).equals(plain), 'zeros behind it');
  }
});

test('gunzipInPlace() throws with the code of zlib where bytes are spoiled, cut short or no gzip at all', async () => {
  const whole = gzipSync(text);
  for (const length of [1, 1000, whole.length - 9, whole.length - 1]) await assert.rejects(unpack(whole.subarray(0, length)), { code: 'Z_BUF_ERROR' }, `${length} bytes`);
  const spoiled = Buffer.from(whole);
  spoiled[whole.length >> 1]! ^= 0xff;
  await assert.rejects(unpack(spoiled), { code: 'Z_DATA_ERROR' });
  await assert.rejects(unpack(Buffer.from('not compressed, but long enough')), { code: 'Z_DATA_ERROR' });
  await assert.rejects(unpack(Buffer.alloc(0)), { code: 'Z_BUF_ERROR' });
});

test('gunzipInPlace() hands on what its source throws, also behind the end of the stream', async () => {
  async function* broken(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    yield* pieces(bytes, 4096);
    throw new Error('the connection broke');
  }
  for (const bytes of [gzipSync(text), gzipSync(text).subarray(0, 5000)]) {
    await assert.rejects(async () => {
      for await (const piece of gunzipInPlace(broken(bytes)) ?? []) assert.ok(piece.length > 0);
    }, { message: 'the connection broke' });
  }
});

test('gunzipInPlace() ends when its reader has had enough', async () => {
  let seen = 0;
  let isClosed = false;
  async function* source(): AsyncIterable<Uint8Array> {
    try {
      yield* pieces(gzipSync(noise), 1000);
    } finally {
      isClosed = true;
    }
  }
  for await (const piece of gunzipInPlace(source()) ?? []) {
    seen += piece.length;
    break;
  }
  assert.ok(seen > 0 && seen < noise.length);
  for (let turn = 0; turn < 10_000 && !isClosed; turn++) await new Promise(setImmediate);
  assert.ok(isClosed, 'its source is told');
});
