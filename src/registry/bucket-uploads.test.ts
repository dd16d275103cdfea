/** What an instance knows of uploads that another one goes on with. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ACCESS_KEY, BUCKET, BucketServer, SECRET_KEY } from '../../test/registry/bucket-server.ts';
import { nodeAsyncFiles } from '../host/node/async-files.ts';
import { nodeHttp } from '../host/node/http.ts';
import { createImageHost } from '../host/node/image-host.ts';
import { BucketStorage } from './bucket-storage.ts';
import { openLocalFiles } from './directory-storage.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-bucket-uploads-'));
const server = new BucketServer();

after(async () => {
  rmSync(directory, { recursive: true });
  await server.stop();
});

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

test('an upload that another instance has ended is forgotten when it is looked at again, and counts no more', async () => {
  const endpoint = await server.start();
  let aheadMs = 0;
  const host = { ...createImageHost({ http: nodeHttp }), now: () => Date.now() + aheadMs };
  const options = { bucket: BUCKET, prefix: '', region: 'r', endpoint, pathStyle: true, credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY, sessionToken: undefined }, tls: undefined, partBytes: 5 * 2 ** 20, putHeaders: {}, timeoutMs: 5000 };
  const [one, two] = await Promise.all([1, 2].map((number) => BucketStorage.open(host, options, openLocalFiles(host, nodeAsyncFiles, join(directory, String(number)))))) as [BucketStorage, BucketStorage];
  const [first, second] = [one.openUploads(), two.openUploads()];
  const [ended, left] = [await first.begin(one.repository('a'), false), await first.begin(one.repository('a'), false)];
  for (const upload of [ended, left]) await first.receive(upload, once('half'), () => {});
  const found = await second.find(two.repository('a'), ended.id);
  assert.equal(found.size, 4);
  const digest = `sha256:${createHash('sha256').update('half and half').digest('hex')}` as const;
  await second.receive(found, once(' and half'), () => {}, digest);
  assert.equal(await second.finish(found, digest, () => {}), true);
  assert.deepEqual([await first.bytesOf('a'), first.count, await second.bytesOf('a'), await first.bytesOf('b')], [8, 2, 0, 0]);
  aheadMs = 120_000;
  assert.deepEqual([await first.bytesOf('a'), first.count], [4, 1]);
  aheadMs += 7_200_000;
  first.expire();
  assert.equal(first.count, 0);
  assert.equal((await first.find(one.repository('a'), left.id)).size, 4);
  await assert.rejects(async () => first.find(one.repository('a'), ended.id), /there is no such upload/);
});
