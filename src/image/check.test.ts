/** What `system check` finds, and what it mends. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inPieces, tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import { checkStore } from './check.ts';
import type { CheckReport } from './check.ts';
import { hexOf } from './digest.ts';
import { importRoot } from './import.ts';
import type { ImageStore, StoredImage } from './store.ts';

interface Damage {
  readonly what: string;
  readonly spoil: (store: ImageStore, image: StoredImage) => void;
  readonly problem: RegExp;
  /** Mended without force: the image is whole afterwards. Otherwise it is gone with force only. */
  readonly mends: boolean;
  /** Found by sizes alone. */
  readonly quick: boolean;
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

const DAMAGES: readonly Damage[] = [
  { what: 'a bit of a layer', spoil: (store, { manifest }) => flip(store.blobs.pathOf(manifest.layers[0]!.digest)), problem: /^the blob sha256:[0-9a-f]+ is spoiled$/, mends: false, quick: false },
  { what: 'a layer that is gone', spoil: (store, { manifest }) => unlinkSync(store.blobs.pathOf(manifest.layers[0]!.digest)), problem: /^the image "app:latest" is not whole: the layer sha256:[0-9a-f]+ is missing$/, mends: false, quick: true },
  { what: 'a layer that is cut short', spoil: (store, { manifest }) => truncateSync(store.blobs.pathOf(manifest.layers[0]!.digest), 10), problem: /is not whole: the layer .* has 10 bytes instead of|is spoiled/, mends: false, quick: true },
  { what: 'a manifest that is gone', spoil: (store, { record }) => unlinkSync(store.blobs.pathOf(record.manifest.digest)), problem: /the manifest sha256:[0-9a-f]+ is missing$/, mends: false, quick: true },
  { what: 'a configuration of the same length', spoil: (store, { id }) => flip(store.blobs.pathOf(id)), problem: /spoiled|is not what it should be/, mends: false, quick: true },
  { what: 'a bit of an uncompressed layer', spoil: (store, { config }) => flip(store.layers.pathsOf(config.diffIds[0]!).tar), problem: /^the layer sha256:[0-9a-f]+ is spoiled$/, mends: true, quick: false },
  { what: 'a bit of an index', spoil: (store, { config }) => flip(store.layers.pathsOf(config.diffIds[0]!).index), problem: /^the layer sha256:[0-9a-f]+ is spoiled$/, mends: true, quick: true },
  { what: 'an index without its tar', spoil: (store, { config }) => unlinkSync(store.layers.pathsOf(config.diffIds[0]!).tar), problem: /^the layer sha256:[0-9a-f]+ is spoiled$/, mends: true, quick: true },
  { what: 'a record that is none', spoil: (store) => writeFileSync(store.disk.path('images', 'x.json'), '{'), problem: /^images\/x\.json cannot be read$/, mends: true, quick: true },
  { what: 'a record under another name', spoil: (store) => writeFileSync(store.disk.path('images', 'y.json'), readFileSync(store.disk.path('images', readdirSync(store.disk.path('images'))[0]!))), problem: /^images\/y\.json cannot be read$/, mends: true, quick: true },
  { what: 'a file among the blobs', spoil: (store) => writeFileSync(store.disk.path('blobs', 'sha256', 'abc'), 'x'), problem: /abc is no blob/, mends: true, quick: true },
  { what: 'a file among the layers', spoil: (store) => writeFileSync(store.disk.path('layers', 'abc'), 'x'), problem: /layers\/abc is no layer/, mends: true, quick: true },
  { what: 'a spoiled oci-layout', spoil: (store) => writeFileSync(store.disk.path('oci-layout'), '{}'), problem: /^oci-layout is not what it should be$/, mends: true, quick: true },
];

function textOf({ problems }: CheckReport): string {
  return problems.map(({ problem, mended }) => `${mended ? 'mended: ' : ''}${problem}`).join('\n');
}

const plain = { repair: false, force: false, quick: false };

for (const { what, spoil, problem, mends, quick } of DAMAGES) {
  test(`check finds ${what}`, () => withTemporaryStore(async (store) => {
    const image = await importRoot(store, inPieces(gzipSync(tarOf([{ path: 'a', text: 'text'.repeat(500) }]))), { name: 'app', changes: [], message: '' });
    await importRoot(store, inPieces(tarOf([{ path: 'other', text: 'x' }])), { name: 'other', changes: [], message: '' });
    assert.equal(textOf(await checkStore(store, plain)), '');
    spoil(store, image);
    const found = (await checkStore(store, plain)).problems;
    assert.ok(found.some((one) => problem.test(one.problem)), JSON.stringify(found));
    assert.equal((await checkStore(store, { ...plain, quick: true })).problems.length > 0, quick);
    const repaired = await checkStore(store, { ...plain, repair: true });
    assert.equal(repaired.problems.every(({ mended }) => mended), mends, textOf(repaired));
    if (!mends) await checkStore(store, { ...plain, repair: true, force: true });
    assert.equal(textOf(await checkStore(store, plain)), '');
    assert.equal(store.records.list().length, mends ? 2 : 1);
    assert.equal((await store.mountable(store.find('other'))).length, 1);
    if (mends) assert.ok((await store.mountable(store.find('app'))).every(({ tar, index }) => existsSync(tar) && existsSync(index)));
  }));
}

test('an index.json that is behind is no problem, and is written anew', () =>
  withTemporaryStore(async (store, directory) => {
    await importRoot(store, inPieces(tarOf([{ path: 'a', text: 'x' }])), { name: 'app', changes: [], message: '' });
    const index = readFileSync(join(directory, 'index.json'));
    unlinkSync(join(directory, 'index.json'));
    assert.equal(textOf(await checkStore(store, plain)), '');
    assert.deepEqual(readFileSync(join(directory, 'index.json')), index);
  }));

test('what nobody uses is counted, and is no problem', () =>
  withTemporaryStore(async (store, directory) => {
    const { digest } = await store.layers.take({ source: inPieces(tarOf([{ path: 'a', text: 'x' }])) });
    writeFileSync(join(directory, 'tmp', `${store.disk.host.owner.replace(/\.\d+\.\d+$/, '.4194305.1')}-1`), '1234567');
    const report = await checkStore(store, plain);
    assert.equal(textOf(report), '');
    assert.equal(report.leftoverBytes, 7);
    assert.ok(report.unusedBytes > 1536 && hexOf(digest).length === 64);
    assert.equal((await checkStore(store, { ...plain, repair: true })).leftoverBytes, 0);
  }));
