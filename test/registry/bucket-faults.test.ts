/** A bucket that fails, refuses, lies, is slow or is away: what the registry tries again, and what its clients and its log are told. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { after, describe, test } from 'node:test';
import { createImageHost } from '../../src/host/node/image-host.ts';
import { nodeAsyncFiles } from '../../src/host/node/async-files.ts';
import { nodeHttp } from '../../src/host/node/http.ts';
import { BucketStorage, openLocalFiles } from '../../src/registry/index.ts';
import { commandIn } from '../images/fixtures.ts';
import { ACCESS_KEY, BUCKET, SECRET_KEY } from './bucket-server.ts';
import type { Asked, BucketServer, Fault } from './bucket-server.ts';
import { serveBucket, startBucket } from './buckets.ts';
import { TestClient, codesOf, json } from './client.ts';
import { Scratch, freePort, sha256 } from './servers.ts';
import type { TestRegistry } from './servers.ts';

const scratch = new Scratch('bucket-faults');
const servers: BucketServer[] = [];
const { run } = commandIn({ CAISSON_HOME: scratch.path('store') });
const agent = new Agent({ keepAlive: true });

after(async () => {
  scratch.clean();
  agent.destroy();
  await Promise.all(servers.map((server) => server.stop()));
});

async function started(more: readonly string[] = []): Promise<{ readonly server: BucketServer; readonly client: TestClient; readonly served: TestRegistry }> {
  const bucket = await startBucket();
  servers.push(bucket.server);
  const served = await serveBucket(scratch, bucket, more);
  return { server: bucket.server, served, client: new TestClient(served.url) };
}

/** The first requests of each kind fail. */
function failing(kinds: (asked: Asked) => boolean, times: number, fault: Fault): (asked: Asked) => Fault | undefined {
  const counts = new Map<string, number>();
  return (asked) => {
    const name = `${asked.method} ${asked.key.replace(/[0-9a-f-]{20,}/g, '')} ${[...asked.query.keys()].join()}`;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return kinds(asked) && count < times ? fault : undefined;
  };
}

const large = Buffer.alloc(9_000_000, 'a large layer, ');

// Most of the time goes by in waiting for the next try.
describe('a bucket that does not do what it should', { concurrency: 4 }, () => {
  for (const [what, times, fault] of [
    ['is overloaded', 1, { status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } }], ['fails inside', 2, { status: 500, code: 'InternalError' }],
    ['cuts connections', 1, { cutAfter: 0 }], ['does what it was told and does not say so', 1, { loseAnswer: true }], ['is slow', 1, { waitMs: 300 }],
  ] as const) {
    test(`each request fails ${times === 1 ? 'once' : 'twice'}, because the bucket ${what}: pushes and pulls succeed`, async () => {
      const { server, client, served } = await started();
      // A HEAD has no answer that could be lost on its own, and a list changes nothing.
      server.fault = failing(({ method, key }) => ('loseAnswer' in fault ? method !== 'HEAD' && method !== 'GET' : !('headers' in fault) || key.startsWith('data/')), times, fault);
      const { text } = await client.pushImage('a', '1', 'a layer');
      const location = await client.begin('a');
      assert.equal((await client.ask('PATCH', location, { body: large })).status, 202);
      const done = await client.ask('PUT', client.ending(location, sha256(large)));
      assert.equal(done.status, 201, done.body.toString());
      assert.equal((await client.ask('GET', '/v2/a/manifests/1')).body.toString(), text);
      assert.equal(sha256((await client.ask('GET', `/v2/a/blobs/${sha256(large)}`)).body), sha256(large));
      assert.equal(served.output(), `listening on ${served.url}\n`);
    });
  }

  test('bytes that are cut while they are sent go on where they ended; if that does not help, the answer is cut, too', async () => {
    const { server, client, served } = await started();
    await client.pushBlob('a', large);
    server.fault = failing(({ method, key }) => method === 'GET' && key.startsWith('data/'), 3, { cutAfter: 1_000_000 });
    assert.equal(sha256((await client.ask('GET', `/v2/a/blobs/${sha256(large)}`)).body), sha256(large));
    let gets = 0;
    server.fault = ({ method, key }) => (method === 'GET' && key.startsWith('data/') ? (gets++ === 0 ? { cutAfter: 500_000 } : { status: 500, code: 'InternalError' }) : undefined);
    await assert.rejects(client.ask('GET', `/v2/a/blobs/${sha256(large)}`), /terminated|fetch failed|other side closed/);
    assert.match(served.output(), /caisson registry: cannot read data\/[^\n]*\n/);
    assert.doesNotMatch(served.output(), /\n\s+at /);
  });

  test('a bucket that refuses, or is away: 503 with a body of the specification, one line in the log, and nothing half-written is there', async () => {
    const { server, client, served } = await started(['--metrics', '127.0.0.1:0']);
    const { text } = await client.pushImage('a', '1', 'there before');
    server.fault = () => ({ status: 403, code: 'AccessDenied' });
    const layer = Buffer.from('refused');
    for (const ask of [() => client.ask('GET', '/v2/a/manifests/1'), () => client.ask('POST', `/v2/a/blobs/uploads/?digest=${sha256(layer)}`, { body: layer }), () => client.ask('GET', '/v2/_catalog')]) {
      const { status, headers, body } = await ask();
      assert.deepEqual([status, headers.get('retry-after'), body.toString()], [503, '5', '{"errors":[{"code":"UNAVAILABLE","message":"the bucket of the registry does not do what it should; its log says why"}]}']);
    }
    assert.equal((await client.ask('GET', '/healthz')).status, 503);
    assert.deepEqual(served.output().match(/^caisson registry: .*$/gm), ['caisson registry: cannot read repositories/a/_tags/1 in the bucket "images": it answers 403 AccessDenied: said <AccessDenied>']);
    server.fault = ({ method, key }) => (method === 'PUT' && key.includes('/_tags/') ? { status: 403, code: 'AccessDenied' } : undefined);
    const manifest = await client.pushManifest('a', '1', JSON.stringify({ ...json<object>({ status: 200, headers: new Headers(), body: Buffer.from(text) }), annotations: { new: 'one' } }));
    assert.equal(manifest.status, 503);
    server.fault = () => undefined;
    assert.equal((await client.ask('GET', '/v2/a/manifests/1')).body.toString(), text);
    await server.stop();
    const away = await client.ask('GET', '/v2/a/manifests/1');
    assert.deepEqual([away.status, codesOf(away)], [503, ['UNAVAILABLE']]);
    assert.match(served.output(), /caisson registry: cannot read repositories\/a\/_tags\/1 in the bucket "images": connect ECONNREFUSED 127\.0\.0\.1:\d+\n/);
  });

  test('a client whose bucket fails in the middle of an upload goes on where its bytes were safe', async () => {
    const { server, client } = await started();
    const location = await client.begin('a');
    assert.equal((await client.ask('PATCH', location, { body: large.subarray(0, 100) })).status, 202);
    server.fault = ({ method, query }) => (method === 'PUT' && query.has('partNumber') ? { status: 403, code: 'AccessDenied' } : undefined);
    assert.equal((await client.ask('PATCH', location, { headers: { 'content-range': `100-${large.length - 1}` }, body: large.subarray(100) })).status, 503);
    server.fault = () => undefined;
    const { headers } = await client.ask('GET', location);
    assert.equal(headers.get('range'), '0-99');
    assert.equal((await client.ask('PATCH', location, { headers: { 'content-range': `100-${large.length - 1}` }, body: large.subarray(100) })).status, 202);
    // Its answer is lost, and so is that to the client: the next try finds the bytes complete.
    server.fault = ({ method, query }) => (method === 'POST' && query.has('uploadId') ? { loseAnswer: true } : undefined);
    assert.equal((await client.ask('PUT', client.ending(location, sha256(large)))).status, 201);
    assert.equal(sha256((await client.ask('GET', `/v2/a/blobs/${sha256(large)}`)).body), sha256(large));
  });

  test('an object that has not as many bytes as it should have is not given, and the next push repairs it', async () => {
    const { server, client } = await started();
    const { layer } = await client.pushImage('a', '1', 'as it should be');
    const key = server.keys('data/').find((name) => server.text(name) === 'as it should be') ?? '';
    for (const bytes of ['as it should b', 'as it should be!', '']) {
      server.spoil(key, Buffer.from(bytes));
      for (const method of ['GET', 'HEAD']) assert.equal((await client.ask(method, `/v2/a/blobs/${layer.digest}`)).status, 404, bytes);
    }
    await client.pushBlob('a', 'as it should be');
    assert.equal((await client.ask('GET', `/v2/a/blobs/${layer.digest}`)).body.toString(), 'as it should be');
  });

  test('answers that are not those of a bucket are no lists and no objects', async () => {
    const { server, client } = await started();
    const { text } = await client.pushImage('a', '1', 'x');
    for (const [page, why] of [['<html>', 'HTML'], ['<!DOCTYPE html><html></html>', 'HTML'], ['<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>', 'a list that never ends']] as const) {
      server.fault = ({ method, key }) => (method === 'GET' && key === '' ? { text: page } : undefined);
      assert.equal((await client.ask('GET', '/v2/a/tags/list')).status, 503, why);
    }
    server.fault = () => undefined;
    const manifest = server.keys('repositories/a/_manifests/')[0] ?? '';
    const whole = server.text(manifest);
    for (const spoiled of ['', 'null\n', '{', whole.slice(0, -1), whole.replace('layers', 'lay3rs')]) {
      server.spoil(manifest, Buffer.from(spoiled));
      assert.ok([404, 500].includes((await client.ask('GET', '/v2/a/manifests/1')).status), spoiled);
    }
    await client.pushImage('a', '1', 'x');
    assert.equal((await client.ask('GET', '/v2/a/manifests/1')).body.toString(), text);
  });

  test('the bucket in the name of the host: the address, and what is signed', async () => {
    const { server } = await startBucket();
    servers.push(server);
    const hosts: string[] = [];
    const http = {
      request: (asked: Parameters<typeof nodeHttp.request>[0]): ReturnType<typeof nodeHttp.request> => {
        const url = new URL(asked.url);
        hosts.push(url.host);
        return nodeHttp.request({ ...asked, url: asked.url.replace(`https://${url.host}`, `http://127.0.0.1:${server.port}`), headers: { ...asked.headers, host: url.host } });
      },
    };
    const host = createImageHost({ http });
    const options = { bucket: BUCKET, prefix: "odd (pre)fix's!*/", region: 'eu-test-1', endpoint: 'https://s3.test:9000', pathStyle: false, credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY, sessionToken: 'session/token' }, tls: undefined, partBytes: 5 * 2 ** 20, putHeaders: { 'x-amz-storage-class': 'COLD' }, timeoutMs: 300 };
    // Silent for too long once.
    server.fault = failing(({ method }) => method === 'GET', 1, { waitMs: 1000 });
    const storage = await BucketStorage.open(host, options, openLocalFiles(host, nodeAsyncFiles, scratch.path('local')));
    await storage.noteName('team/app');
    assert.deepEqual(await storage.repositories(), ['team/app']);
    assert.deepEqual([...new Set(hosts)], ['images.s3.test:9000']);
    assert.deepEqual(server.keys(''), ["odd (pre)fix's!*/names/team!app"]);
  });

  test('a bucket that is not there, or lets nobody in, is said at the start', async () => {
    const { server, flags, env } = await startBucket();
    servers.push(server);
    const endpoint = flags.at(-1) ?? '';
    const cases: readonly (readonly [flags: readonly string[], message: RegExp, env?: Readonly<Record<string, string>>])[] = [
      [['--storage', 's3://other', '--s3-endpoint', endpoint], /it answers 404 NoSuchBucket: .* \(make the bucket first\)/], [flags, /403 SignatureDoesNotMatch: .* \(check AWS_SECRET_ACCESS_KEY/, { ...env, AWS_SECRET_ACCESS_KEY: 'x' }],
      [flags, /InvalidAccessKeyId/, { ...env, AWS_ACCESS_KEY_ID: 'x' }], [[...flags.slice(0, -1), `http://127.0.0.1:${await freePort()}`], /ECONNREFUSED 127\.0\.0\.1:\d+ \(check --s3-endpoint\)/],
    ];
    await Promise.all(cases.map(async ([given, message, environment = env]) => {
      const { stderr, status } = await run(['registry', 'serve', '--listen', '127.0.0.1:0', '--dir', scratch.path('none'), ...given], { env: environment });
      assert.equal(status, 125, stderr);
      assert.match(stderr, message);
      assert.match(stderr, /^caisson: cannot [^\n]*\n$/);
    }));
  });
});

/** Sends without holding more than a piece. */
function send(url: string, size: number): Promise<number> {
  const piece = Buffer.alloc(1 << 16, 'x');
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'PUT', agent, headers: { 'content-length': size, 'content-type': 'application/octet-stream' } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
    }).on('error', reject);
    let left = size;
    const more = (): void => {
      while (left > 0) {
        const part = piece.subarray(0, Math.min(left, piece.length));
        left -= part.length;
        if (!sending.write(part)) return void sending.once('drain', more);
      }
      sending.end();
    };
    more();
  });
}

test('16 clients that send 25 MB each: its memory does not grow with them', async () => {
  const { client, served } = await started();
  const size = 25_000_000;
  const digest = sha256(Buffer.alloc(size, 'x'));
  const sent = await Promise.all(Array.from({ length: 16 }, async (_, index) => send(client.ending(await client.begin(`large/${index}`), digest), size)));
  assert.deepEqual([...new Set(sent)], [201]);
  const most = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${served.child.pid}/status`, 'utf8'))?.[1]) * 1024;
  assert.ok(most < 220 * 2 ** 20, `${Math.round(most / 2 ** 20)} MiB`);
});
