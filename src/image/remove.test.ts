/** Removing an image while others come: what one of them has stays, or it is told. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inPieces, tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import { ImageError } from './errors.ts';
import { importRoot } from './import.ts';
import { removeImage } from './remove.ts';
import type { ImageStore, StoredImage } from './store.ts';

const TAR = tarOf([{ path: 'a', text: 'first' }]);

async function importAs(store: ImageStore, name: string, message = ''): Promise<StoredImage> {
  return importRoot(store, inPieces(TAR), { name, changes: [], message });
}

/** Has `meanwhile` run before the first file of a removal is moved away. */
function duringRemoval(store: ImageStore, meanwhile: () => void): void {
  const { disk } = store;
  const original = disk.setAside.bind(disk);
  let done = false;
  disk.setAside = (path) => {
    if (!done) meanwhile();
    done = true;
    return original(path);
  };
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

test('what another process names while an image is removed comes back', () =>
  withTemporaryStore(async (store) => {
    const { record } = await importAs(store, 'one');
    duringRemoval(store, () => store.records.put({ ...record, reference: { ...record.reference!, repository: 'library/two' } }));
    removeImage(store, 'one', { force: false, keepBlobs: false });
    const two = store.find('two');
    assert.equal((await store.mountable(two)).length, 1);
    assert.ok([two.manifest.config, ...two.manifest.layers].every(({ digest }) => store.blobs.has(digest)));
  }));

test('an image whose layer was removed while it came is not named', () =>
  withTemporaryStore(async (store) => {
    const { record, manifest } = await importAs(store, 'one');
    const put = store.records.put.bind(store.records);
    store.records.put = (other) => {
      put(other);
      store.disk.remove(store.blobs.pathOf(manifest.layers[0]!.digest));
    };
    assert.throws(() => store.add({ reference: { ...record.reference!, repository: 'library/two' }, target: record.target, manifest: record.manifest }), ImageError);
    assert.throws(() => store.find('two'), ImageError);
  }));
