/** Removing an image while others come: what one of them has stays, or it is told. */
import assert from 'node:assert/strict';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inPieces, tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import { ImageError } from './errors.ts';
import { removeUnused } from './garbage.ts';
import { importRoot } from './import.ts';
import { prune, usageOf } from './prune.ts';
import { removeImage } from './remove.ts';
import type { ImageStore, StoredImage } from './store.ts';

const TAR = tarOf([{ path: 'a', text: 'first' }]);

async function importAs(store: ImageStore, name: string, message = ''): Promise<StoredImage> {
  return importRoot(store, inPieces(TAR), { name, changes: [], message });
}

test('an image leaves nothing; one that shares its layer keeps that', () =>
  withTemporaryStore(async (store, directory) => {
    const first = await importAs(store, 'first', 'one');
    const second = await importAs(store, 'second', 'another');
    assert.deepEqual(second.config.diffIds, first.config.diffIds);
    removeImage(store, 'first', { force: false, keepBlobs: false });
    assert.equal((await store.mountable(store.find('second'))).length, 1);
    assert.equal(store.blobs.has(first.id), false);
    removeImage(store, 'second', { force: false, keepBlobs: false });
    for (const part of ['blobs/sha256', 'layers', 'images', 'tmp']) assert.deepEqual(readdirSync(join(directory, part)), [], part);
  }));

test('an image that is coming keeps what it has brought, and what it found here', () =>
  withTemporaryStore(async (store, directory) => {
    const found = await store.layers.take({ source: inPieces(tarOf([{ path: 'found', text: 'x' }])) });
    for (const path of [store.blobs.pathOf(found.digest), ...Object.values(store.layers.pathsOf(found.diffId))]) utimesSync(path, 1000, 1000);
    const old = await store.layers.take({ source: inPieces(tarOf([{ path: 'old', text: 'x' }])) });
    for (const path of [store.blobs.pathOf(old.digest), ...Object.values(store.layers.pathsOf(old.diffId))]) utimesSync(path, 1000, 1000);
    await store.adding(async () => {
      const brought = await store.layers.take({ source: inPieces(TAR) });
      assert.equal(store.keep(found.digest), true);
      assert.equal(store.keep(`sha256:${'0'.repeat(64)}`), false);
      removeUnused(store);
      assert.ok(store.blobs.has(brought.digest) && store.layers.has(brought.diffId) && store.blobs.has(found.digest));
      assert.ok(!store.blobs.has(old.digest) && !store.layers.has(old.diffId));
    });
    removeUnused(store);
    for (const part of ['blobs/sha256', 'layers', 'tmp']) assert.deepEqual(readdirSync(join(directory, part)), [], part);
  }));

test('an image whose layer was removed while it came is not named', () =>
  withTemporaryStore(async (store) => {
    const { record, manifest } = await importAs(store, 'one');
    store.disk.remove(store.blobs.pathOf(manifest.layers[0]!.digest));
    assert.throws(() => store.add({ reference: { ...record.reference!, repository: 'library/two' }, target: record.target, manifest: record.manifest }), /was removed from the store while it came/);
    assert.throws(() => store.find('two'), ImageError);
  }));

test('an image that loses its name to another stays, without a name', () =>
  withTemporaryStore(async (store) => {
    const first = await importAs(store, 'one', 'first');
    const second = await importAs(store, 'one', 'second');
    assert.deepEqual(store.list().map(({ id, record }) => [id, record.reference === undefined]).sort(), [[first.id, true], [second.id, false]].sort());
    // A command that is killed between the two records leaves both.
    store.records.put({ ...first.record, reference: undefined });
    store.tag(store.find(first.id), 'two');
    assert.equal(store.list().length, 2);
    assert.deepEqual(prune(store, { all: false, caches: false, accepts: () => true }).lines, []);
    removeImage(store, 'two', { force: false, keepBlobs: false });
    assert.equal(store.blobs.has(first.id), false);
    assert.equal((await store.mountable(store.find('one'))).length, 1);
  }));

test('an image on which a container runs is not removed, except by force', () =>
  withTemporaryStore(async (store, directory) => {
    const image = await importAs(store, 'one');
    const use = store.claims.use(image.record.manifest.digest);
    assert.throws(() => removeImage(store, 'one', { force: false, keepBlobs: false }), /conflict: unable to remove repository reference "one" \(must force\) - container is using its referenced image/);
    assert.deepEqual(prune(store, { all: true, caches: false, accepts: () => true }).lines, []);
    assert.deepEqual(usageOf(store).map(({ kind, total, active, reclaimableBytes }) => [kind, total, active, reclaimableBytes]), [['Images', 1, 1, 0], ['Build Cache', 0, 0, 0], ['Unused', 0, 0, 0], ['Leftovers', 0, 0, 0]]);
    use.end();
    assert.equal(usageOf(store)[0]?.active, 0);
    const { lines, bytes } = prune(store, { all: true, caches: false, accepts: () => true });
    assert.deepEqual(lines, ['untagged: one:latest', `deleted: ${image.id}`]);
    assert.ok(bytes > TAR.length && bytes < 4 * TAR.length, String(bytes));
    for (const part of ['blobs/sha256', 'layers', 'images', 'tmp']) assert.deepEqual(readdirSync(join(directory, part)), [], part);
  }));

test('a layer that is not compressed is on the disk once', () =>
  withTemporaryStore(async (store) => {
    const { digest, diffId } = await store.layers.take({ source: inPieces(TAR) });
    assert.equal(statSync(store.blobs.pathOf(digest)).ino, statSync(store.layers.pathsOf(diffId).tar).ino);
    store.layers.remove(diffId);
    await store.layers.prepare({ mediaType: '', digest, size: TAR.length }, diffId);
    assert.equal(statSync(store.blobs.pathOf(digest)).ino, statSync(store.layers.pathsOf(diffId).tar).ino);
  }));

test('what builds keep under build/ stays, until the whole system is pruned', () =>
  withTemporaryStore(async (store) => {
    const { digest, diffId } = await store.layers.take({ source: inPieces(TAR) });
    store.disk.makeDirectory(store.disk.path('build', 'steps'));
    store.disk.writeFile(store.disk.path('build', 'steps', 'x.json'), new TextEncoder().encode(JSON.stringify({ layer: { descriptor: { digest }, diffId } })));
    prune(store, { all: true, caches: false, accepts: () => true });
    assert.ok(store.blobs.has(digest) && store.layers.has(diffId));
    assert.ok((usageOf(store).find(({ kind }) => kind === 'Build Cache')?.bytes ?? 0) > TAR.length);
    prune(store, { all: false, caches: true, accepts: () => true });
    assert.ok(!store.blobs.has(digest) && !store.layers.has(diffId));
  }));
