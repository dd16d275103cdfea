/** When the layers of an image that is pulled are made ready to be mounted, and what is found out when. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { durableNames } from '../../test/images/durable-names.ts';
import { tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import { createImageHost } from '../host/node/image-host.ts';
import type { HttpRequest, HttpResponse } from '../host/types.ts';
import { checkStore } from './check.ts';
import { DigestMismatchError, ImageFormatError } from './errors.ts';
import { OWN_PLATFORM } from './manifest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.ts';
import { parseReference } from './reference.ts';
import { RegistryClient } from './registry-client.ts';
import type { ImageStore } from './store.ts';
import { pullImage } from './transfer.ts';
import type { LaterPreparer } from './transfer.ts';

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const describe = (bytes: Uint8Array, mediaType: string): { mediaType: string; digest: string; size: number } => ({ mediaType, digest: sha256(bytes), size: bytes.length });

const FAST_MS = 0;
const SLOW_MS = 1000;
let clockMs = 0;
/** Each piece of a blob comes so much later than the one before. */
let pieceMs = FAST_MS;

/** Leaves everything to the first container. */
const nobody: LaterPreparer = { begin: () => ({ grew: () => {}, ended: () => {} }) };

/** An image of these layers, at a registry that has nothing else. `diffIds`: what its configuration says of them. */
async function pullOf(store: ImageStore, tars: readonly Uint8Array[], later: LaterPreparer | undefined, diffIds = tars.map(sha256)): Promise<void> {
  const layers = tars.map((tar) => gzipSync(tar, { level: 1 }));
  const config = json({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } });
  const manifest = json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(config, OCI_CONFIG), layers: layers.map((layer) => describe(layer, OCI_LAYER_GZIP)) });
  const blobs = new Map([config, ...layers].map((bytes) => [`/v2/x/blobs/${sha256(bytes)}`, bytes]));
  async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 1 << 16) {
      clockMs += pieceMs;
      yield bytes.subarray(at, at + (1 << 16));
    }
  }
  const request = async ({ url }: HttpRequest): Promise<HttpResponse> => {
    const { pathname } = new URL(url);
    const body = pathname === '/v2/x/manifests/1' ? manifest : blobs.get(pathname);
    return { status: body === undefined ? 404 : 200, headers: new Map([['content-type', OCI_MANIFEST]]), body: pieces(body ?? new Uint8Array()), cancel: () => {} };
  };
  const client = new RegistryClient({ ...createImageHost(), http: { request } }, { registry: 'reg.test', repository: 'x' });
  await pullImage(store, client, { reference: parseReference('reg.test/x:1'), typed: 'reg.test/x:1', platform: OWN_PLATFORM, later, progress: { start: () => {}, advance: () => {}, end: () => {} } });
}

const small = tarOf([{ path: 'small', text: 'here' }]);
const noise = randomBytes(5 * 2 ** 20).toString('latin1');
const large = tarOf([{ path: 'large', text: noise }]);
const hostile = tarOf([{ path: 'large', text: noise }, { path: '../../etc/passwd', text: 'root' }]);
const ready = (directory: string): readonly string[] => readdirSync(`${directory}/layers`).sort();
const filesOf = (...tars: readonly Uint8Array[]): readonly string[] => tars.flatMap((tar) => [`${sha256(tar).slice(7)}.index`, `${sha256(tar).slice(7)}.tar`]).sort();

test('pullImage() tells who makes a layer ready later how much of it is there, and that it is a blob', () =>
  inStore(FAST_MS, async (store, directory) => {
    const told: (string | number | boolean)[] = [];
    const bytes = gzipSync(large, { level: 1 });
    const later: LaterPreparer = {
      begin: ({ digest }, diffId, path) => {
        told.push(digest, diffId, existsSync(path));
        return {
          grew: (size) => {
            assert.ok(statSync(path).size >= size);
            told[3] = size;
          },
          ended: (isWhole) => told.push(isWhole, existsSync(`${directory}/blobs/sha256/${digest.slice(7)}`)),
        };
      },
    };
    await pullOf(store, [small, large], later);
    assert.deepEqual(told, [sha256(bytes), sha256(large), true, bytes.length, true, true]);
  }));

function inStore(pace: number, body: (store: ImageStore, directory: string) => Promise<void>): Promise<void> {
  pieceMs = pace;
  return withTemporaryStore(async (store, directory) => {
    await body(store, directory);
    assert.deepEqual((await checkStore(store, { repair: false, force: false, quick: false })).problems, []);
    assert.deepEqual(readdirSync(`${directory}/tmp`), []);
  }, { now: () => clockMs });
}

test('pullImage() leaves a large layer that comes fast to the first container, if it may; a small one is ready at once', () =>
  inStore(FAST_MS, async (store, directory) => {
    await pullOf(store, [small, large], nobody);
    assert.deepEqual(ready(directory), filesOf(small));
    assert.equal(store.layerBytes(store.find('reg.test/x:1'), 0), small.length);
    assert.equal(store.layerBytes(store.find('reg.test/x:1'), 1), gzipSync(large, { level: 1 }).length);
    await pullOf(store, [small, large], nobody);
    assert.deepEqual(ready(directory), filesOf(small));
    assert.equal((await store.mountable(store.find('reg.test/x:1'))).length, 2);
    assert.deepEqual(ready(directory), filesOf(small, large));
    assert.equal(store.layerBytes(store.find('reg.test/x:1'), 1), large.length);
  }));

for (const [what, pace, later] of [['that comes slowly', SLOW_MS, nobody], ['for a container', FAST_MS, undefined]] as const) {
  test(`pullImage() makes a large layer ${what} ready at once`, () =>
    inStore(pace, async (store, directory) => {
      await pullOf(store, [large], later);
      assert.deepEqual(ready(directory), filesOf(large));
    }));
}

for (const [what, tar, diffId, kind, message] of [
  ['another layer than its configuration says', large, `sha256:${'0'.repeat(64)}`, DigestMismatchError, /uncompressed, is not what it should be/],
  ['a hostile layer', hostile, sha256(hostile), ImageFormatError, /leads out of the image/],
] as const) {
  test(`${what} is found out while it comes, or before it is mounted, and nothing of it is kept ready`, async () => {
    const found = (error: unknown): true => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, message);
      return true;
    };
    await inStore(SLOW_MS, async (store, directory) => {
      await assert.rejects(pullOf(store, [tar], nobody, [diffId]), found);
      assert.deepEqual(store.list(), []);
      assert.deepEqual(ready(directory), []);
    });
    await inStore(FAST_MS, async (store, directory) => {
      await pullOf(store, [tar], nobody, [diffId]);
      for (let again = 0; again < 2; again++) await assert.rejects(store.mountable(store.find('reg.test/x:1')), found);
      assert.deepEqual(ready(directory), []);
    });
  });
}

test('a power cut leaves no name of an image without its blobs, and takes no name from one that was pulled', async () => {
  pieceMs = FAST_MS;
  const records: string[][] = [];
  const { files, unsynced } = durableNames((path, lost) => {
    if (path.includes('/images/')) records.push([...lost].filter((name) => name.includes('/blobs/')));
  });
  await withTemporaryStore(async (store, directory) => {
    await pullOf(store, [small, large], nobody);
    assert.deepEqual(records, [[]]);
    assert.deepEqual([...unsynced].map((name) => name.slice(directory.length)).filter((name) => /^\/(?:blobs\/sha256|images)\//.test(name)), []);
  }, { files });
});
