/** Buffers of uploads: how many there are, and who waits for whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartBuffer, PartPool } from './part-pool.ts';

test('PartPool.take() gives what was given back, waits where all are in use, makes more after a while, and never more than it may', async () => {
  const pool = new PartPool(10, 20, 30, 20);
  const [first, second] = [await pool.take(), await pool.take()];
  const waiting = pool.take();
  pool.give(first);
  assert.equal(await waiting, first);
  const third = await pool.take();
  assert.ok(third !== first && third !== second);
  let hasFourth = false;
  const fourth = pool.take().finally(() => (hasFourth = true));
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(hasFourth, false);
  pool.give(third);
  assert.equal(await fourth, third);
});

test('PartBuffer.add() takes what there is room for, in small pieces at first', async () => {
  const pool = new PartPool(10, 20, 20);
  const part = new PartBuffer(pool, 4);
  for (const [text, taken] of [['abc', 3], ['d', 1], ['efgh', 4], ['ijkl', 2], ['mn', 0]] as const) assert.equal(await part.add(new TextEncoder().encode(text)), taken);
  assert.deepEqual([new TextDecoder().decode(part.bytes()), part.size, part.isFull], ['abcdefghij', 10, true]);
  part.clear();
  assert.deepEqual([part.bytes(), part.size, part.isFull], [new Uint8Array(), 0, false]);
});
