/** The pull-through cache: what another registry has is fetched once, verified, and given also while that is away. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { busyboxLayout, commandIn, kindsLayout, manifestDigest, peer } from '../images/fixtures.ts';
import { OCI_MANIFEST, TestClient, codesOf } from './client.ts';
import { Scratch, sha256 } from './servers.ts';
import type { TestRegistry } from './servers.ts';

const scratch = new Scratch('registry-upstreams');
const { mustRun } = commandIn({ CAISSON_HOME: scratch.path('store') });
const servers: Server[] = [];

after(() => {
  for (const server of servers) server.close();
  scratch.clean();
});

const cacheOf = (host: string, more: object = {}): Promise<TestRegistry> => scratch.serve(['--config', scratch.file('upstreams.json', JSON.stringify({ upstreams: [{ prefix: 'hub', registry: host, plainHttp: true, ...more }] }))]);
const copy = (layout: string, name: string, host: string): void => void peer('skopeo', ['copy', '-q', '--preserve-digests', '--dest-tls-verify=false', `oci:${layout}:${name}`, `docker://${host}/library/${name}`]);
const head = { headers: { accept: OCI_MANIFEST } };

test('images of docker-registry come through it with their digests, once, and stay when that is gone', async () => {
  const upstream = await scratch.serve();
  for (const [layout, name] of [[busyboxLayout(), 'busybox:1'], [kindsLayout(), 'kinds:30']] as const) copy(layout, name, upstream.host);
  const cache = await cacheOf(upstream.host);
  assert.equal(await mustRun(['pull', '-q', `${cache.host}/hub/library/kinds:30`]), `${cache.host}/hub/library/kinds@${manifestDigest(kindsLayout())}\n`);
  peer('skopeo', ['copy', '-q', '--src-tls-verify=false', '--preserve-digests', `docker://${cache.host}/hub/library/busybox:1`, `oci:${scratch.path('out')}:busybox`]);
  await upstream.stop();
  const fresh = { env: { CAISSON_HOME: scratch.path('fresh') } };
  for (const reference of ['busybox:1', `busybox@${manifestDigest(busyboxLayout())}`]) assert.equal(await mustRun(['pull', '-q', `${cache.host}/hub/library/${reference}`], fresh), `${cache.host}/hub/library/busybox@${manifestDigest(busyboxLayout())}\n`);
  assert.equal(await mustRun(['run', `${cache.host}/hub/library/busybox:1`, 'echo', 'from the cache'], fresh), 'from the cache\n');
  const client = new TestClient(cache.url);
  assert.deepEqual([(await client.ask('GET', '/v2/hub/library/other/manifests/1')).status, (await client.ask('GET', '/v2/none/library/busybox/manifests/1')).status], [502, 404]);
  const push = await client.ask('POST', '/v2/hub/library/busybox/blobs/uploads/');
  assert.deepEqual([push.status, codesOf(push)], [405, ['UNSUPPORTED']]);
});

test('docker-registry with a password: it is asked with it, and nobody learns it', async () => {
  const htpasswd = scratch.file('htpasswd', peer('htpasswd', ['-Bbn', 'cache', 'secret']).stdout);
  const upstream = await scratch.serveDocker(`auth:\n  htpasswd:\n    realm: test\n    path: ${htpasswd}\n`);
  peer('skopeo', ['copy', '-q', '--dest-tls-verify=false', '--dest-creds', 'cache:secret', '--preserve-digests', `oci:${busyboxLayout()}:busybox:1`, `docker://${upstream.host}/library/busybox:1`]);
  const cache = await cacheOf(upstream.host, { user: 'cache', passwordFile: scratch.file('password', 'secret\n') });
  const { status, headers } = await new TestClient(cache.url).ask('HEAD', '/v2/hub/library/busybox/manifests/1', head);
  assert.deepEqual([status, headers.get('docker-content-digest')], [200, manifestDigest(busyboxLayout())]);
});

test('a tag that moved is seen when it is no longer fresh; what is gone there is gone here', async () => {
  const upstream = await scratch.serve();
  const there = new TestClient(upstream.url);
  const [patient, hasty] = [new TestClient((await cacheOf(upstream.host, { fresh: '1h' })).url), new TestClient((await cacheOf(upstream.host, { fresh: '1ms' })).url)];
  const first = await there.pushImage('app', 'latest', 'first');
  for (const cache of [patient, hasty]) assert.equal((await cache.ask('GET', '/v2/hub/app/manifests/latest', head)).body.toString(), first.text);
  const second = await there.pushImage('app', 'latest', 'second');
  assert.equal((await patient.ask('GET', '/v2/hub/app/manifests/latest', head)).body.toString(), first.text);
  assert.equal((await hasty.ask('GET', '/v2/hub/app/manifests/latest', head)).body.toString(), second.text);
  await there.ask('DELETE', '/v2/app/manifests/latest');
  assert.equal((await hasty.ask('GET', '/v2/hub/app/manifests/latest', head)).status, 404);
  assert.equal((await hasty.ask('GET', `/v2/hub/app/manifests/${second.digest}`, head)).status, 200);
});

/** A registry that has one blob and counts who asks; `answer` may lie. */
async function blobServer(digest: string, size: number, answer: () => AsyncIterable<Buffer>): Promise<{ readonly host: string; readonly gets: () => number }> {
  let gets = 0;
  const server = createServer((request, response) => {
    if (request.url !== `/v2/x/blobs/${digest}`) response.writeHead(404).end('{}');
    else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': size }).end();
    else {
      gets++;
      response.writeHead(200, { 'content-length': size });
      void (async () => {
        for await (const chunk of answer()) response.write(chunk);
        response.end();
      })();
    }
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, gets: () => gets };
}

test('a blob is given while it comes, fetched once for many, and kept when the first reader goes away', async () => {
  const whole = Buffer.alloc(3_000_000, 'blob of the other registry ');
  const digest = sha256(whole);
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const upstream = await blobServer(digest, whole.length, async function* () {
    yield whole.subarray(0, 1_000_000);
    await released;
    yield whole.subarray(1_000_000);
  });
  const cache = await cacheOf(upstream.host);
  const gone = new AbortController();
  const first = await fetch(`${cache.url}/v2/hub/x/blobs/${digest}`, { signal: gone.signal });
  const reader = first.body?.getReader();
  assert.ok(((await reader?.read())?.value?.length ?? 0) > 0, 'bytes came before all were there');
  const others = [1, 2, 3].map(() => new TestClient(cache.url).ask('GET', `/v2/hub/x/blobs/${digest}`));
  gone.abort();
  release();
  for (const { status, body } of await Promise.all(others)) assert.deepEqual([status, sha256(body)], [200, digest]);
  assert.equal(upstream.gets(), 1);
  const part = await new TestClient(cache.url).ask('GET', `/v2/hub/x/blobs/${digest}`, { headers: { range: 'bytes=10-19' } });
  assert.deepEqual([part.status, part.body.toString()], [206, whole.subarray(10, 20).toString()]);
});

test('bytes that are not what the digest says are not kept, and their reader gets no whole answer', async () => {
  const digest = sha256('what it should be');
  const upstream = await blobServer(digest, 17, async function* () {
    yield Buffer.from('what it is not at');
  });
  const cache = await cacheOf(upstream.host);
  await assert.rejects(new TestClient(cache.url).ask('GET', `/v2/hub/x/blobs/${digest}`), /terminated|fetch failed|other side closed/);
  assert.deepEqual(readdirSync(join(cache.directory, 'blobs/sha256')), []);
  assert.deepEqual([readdirSync(join(cache.directory, 'tmp')), readdirSync(join(cache.directory, 'repositories/hub/x/_uploads'))], [[], []]);
  for (let attempt = 0; attempt < 50 && !cache.output().includes('cannot fetch'); attempt++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(cache.output(), new RegExp(`cannot fetch ${digest} from ${upstream.host}: what came has not the digest`));
});
