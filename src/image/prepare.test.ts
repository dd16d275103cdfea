/** Layers that are made ready while they come, and by one process at a time. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import { createImageHost } from '../host/node/image-host.ts';
import type { Digest } from './digest.ts';
import { ImageFormatError } from './errors.ts';
import { GrowingFile } from './growing-file.ts';
import { PREPARE_WAIT_MS } from './limits.ts';
import type { Descriptor } from './manifest.ts';
import { ImageStore } from './store.ts';

const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const TAR = tarOf([{ path: 'a', text: 'one '.repeat(300_000) }, { path: 'b', text: 'two' }]);
const DIFF_ID = sha256(TAR);
const PLAIN = Buffer.from(TAR);
const GZIP = gzipSync(TAR, { level: 0 });

const descriptor = (bytes: Uint8Array): Descriptor => ({ mediaType: '', digest: sha256(bytes), size: bytes.length });
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** The layer's bytes in a file outside the store, of which one is told bit by bit. */
async function whileItComes(store: ImageStore, bytes: Uint8Array, isWhole: boolean): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-growing-'));
  const path = join(directory, 'file');
  writeFileSync(path, bytes);
  const file = new GrowingFile(store.disk, path, store.disk.open(path)!);
  try {
    const prepared = store.layers.prepare(descriptor(bytes), DIFF_ID, { source: file });
    const settled = prepared.then(() => true, () => true);
    for (const part of [0.2, 0.5, 1]) {
      file.grew(Math.floor(part * bytes.length));
      assert.equal(await Promise.race([settled, tick()]), undefined);
      assert.equal(store.layers.has(DIFF_ID), false);
    }
    if (isWhole) await store.blobs.take((async function* () { yield bytes; })(), descriptor(bytes), 'the layer');
    file.ended(isWhole);
    await prepared;
  } finally {
    file.close();
    rmSync(directory, { recursive: true });
  }
}

for (const [name, bytes] of [['compressed', GZIP], ['plain', PLAIN]] as const) {
  test(`a ${name} layer is made ready while it comes, and is ready when it is whole`, () => withTemporaryStore(async (store, directory) => {
    await whileItComes(store, bytes, true);
    assert.ok(store.layers.isIntact(DIFF_ID, false));
    assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  }));

  test(`of a ${name} layer that is given up nothing is left`, () => withTemporaryStore(async (store, directory) => {
    await assert.rejects(whileItComes(store, bytes, false), (error) => error instanceof ImageFormatError && /the rest did not come/.test(error.message));
    for (const part of ['tmp', 'layers']) assert.deepEqual(readdirSync(join(directory, part)), []);
  }));
}

test('who wants a layer that another one makes ready waits for it, and does nothing itself', () => withTemporaryStore(async (store, directory) => {
  await store.blobs.take((async function* () { yield GZIP; })(), descriptor(GZIP), 'the layer');
  const other = ImageStore.open(createImageHost(), directory);
  const claim = other.claims.prepare(DIFF_ID);
  assert.ok(claim);
  assert.equal(store.claims.prepare(DIFF_ID), undefined);
  const waiting = store.layers.prepare(descriptor(GZIP), DIFF_ID).then(() => 'done');
  assert.equal(await Promise.race([waiting, tick()]), undefined);
  assert.equal(readdirSync(join(directory, 'tmp')).length, 1);
  // It fails, and the one that waits does it.
  claim.end();
  assert.equal(await waiting, 'done');
  assert.ok(store.layers.isIntact(DIFF_ID, false));
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
}));

test('nobody waits for ever for a process that makes a layer ready and stands still', async () => {
  let clockMs = 0;
  await withTemporaryStore(async (store, directory) => {
    await store.blobs.take((async function* () { yield GZIP; })(), descriptor(GZIP), 'the layer');
    assert.ok(ImageStore.open(createImageHost(), directory).claims.prepare(DIFF_ID));
    const waiting = store.layers.prepare(descriptor(GZIP), DIFF_ID).then(() => 'done');
    assert.equal(await Promise.race([waiting, tick()]), undefined);
    clockMs += PREPARE_WAIT_MS + GZIP.length;
    assert.equal(await waiting, 'done');
    assert.ok(store.layers.isIntact(DIFF_ID, false));
  }, { now: () => clockMs });
});
