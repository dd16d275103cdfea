/** A registry in a bucket: several instances, uploads that change from one to another, garbage, tenants, and what its commands do. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { busyboxLayout, commandIn, kindsLayout, manifestDigest, peer } from '../images/fixtures.ts';
import { randomFrom } from '../images/random.ts';
import { BUCKET } from './bucket-server.ts';
import type { BucketServer } from './bucket-server.ts';
import { CREDENTIALS, serveBucket, startBucket, startS3rver } from './buckets.ts';
import type { TestBucket } from './buckets.ts';
import { OCI_INDEX, OCI_MANIFEST, TestClient, codesOf, json } from './client.ts';
import { killWrites } from './kill-writes.ts';
import { Scratch, sha256 } from './servers.ts';
import type { TestRegistry } from './servers.ts';

const scratch = new Scratch('registry-bucket');
const { run, mustRun } = commandIn({ CAISSON_HOME: scratch.path('store'), ...CREDENTIALS });
const servers: BucketServer[] = [];
const DAY_MS = 86_400_000;

async function bucketOf(): Promise<TestBucket & { readonly server: BucketServer }> {
  const bucket = await startBucket();
  servers.push(bucket.server);
  return bucket;
}

/** Several instances on one bucket. */
async function instances(bucket: TestBucket, count: number, more: readonly string[] = []): Promise<readonly [TestRegistry[], TestClient[]]> {
  const served = await Promise.all(Array.from({ length: count }, () => serveBucket(scratch, bucket, more)));
  return [served, served.map(({ url }) => new TestClient(url))];
}

after(async () => {
  scratch.clean();
  await Promise.all(servers.map((server) => server.stop()));
});

const at = (client: TestClient | undefined): TestClient => client ?? assert.fail('no such instance');
/** Bytes that nowhere look as elsewhere, so that a part in the wrong place is noticed. */
function blob(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index + 4 <= size; index += 4) bytes.writeUInt32LE(Math.imul(index + seed, 2_654_435_761) >>> 0, index);
  return bytes;
}

// Each has a bucket of its own, and much of the time goes by in starting instances and waiting.
describe('a registry in a bucket', { concurrency: 3 }, () => {
  test('skopeo pushes to one instance and pulls from another: the digests are the same', async () => {
    const [one, two] = (await instances(await startS3rver(scratch), 2))[0];
    for (const [layout, name] of [[busyboxLayout(), 'busybox:1'], [kindsLayout(), 'kinds:30']] as const) {
      peer('skopeo', ['copy', '-q', '--dest-tls-verify=false', '--preserve-digests', `oci:${layout}:${name}`, `docker://${one?.host}/in/${name}`]);
      peer('skopeo', ['copy', '-q', '--src-tls-verify=false', '--preserve-digests', `docker://${two?.host}/in/${name}`, `oci:${scratch.path('layout')}:${name}`]);
      const { manifests } = JSON.parse(readFileSync(join(scratch.path('layout'), 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
      assert.ok(manifests.some(({ digest }) => digest === manifestDigest(layout)), name);
    }
    await mustRun(['pull', '-q', `${two?.host}/in/busybox:1`]);
    assert.equal(await mustRun(['run', `${two?.host}/in/busybox:1`, 'echo', 'from a bucket']), 'from a bucket\n');
  });

  test('an upload in chunks goes from one instance to another, also when the first one is killed', async () => {
    const bucket = await bucketOf();
    const [[first], [one, two]] = await instances(bucket, 2);
    const whole = blob(21_000_000, 1);
    let location = await at(one).begin('a/b');
    let sent = 0;
    for (const [client, size] of [[one, 100], [two, 9_000_000], [two, 8_388_508], [one, 1]] as const) {
      const { status, headers, body } = await at(client).ask('PATCH', location, { headers: { 'content-range': `${sent}-${sent + size - 1}` }, body: whole.subarray(sent, sent + size) });
      assert.equal(status, 202, body.toString());
      sent += size;
      assert.equal(headers.get('range'), `0-${sent - 1}`);
      location = headers.get('location') ?? '';
    }
    await first?.stop('SIGKILL');
    const wrong = await at(two).ask('PATCH', location, { headers: { 'content-range': '5-6' }, body: 'xy' });
    assert.deepEqual([wrong.status, wrong.headers.get('range')], [416, `0-${sent - 1}`]);
    assert.equal((await at(two).ask('GET', location)).headers.get('range'), `0-${sent - 1}`);
    const done = await at(two).ask('PUT', at(two).ending(location, sha256(whole)), { body: whole.subarray(sent) });
    assert.equal(done.status, 201, done.body.toString());
    const path = `/v2/a/b/blobs/${sha256(whole)}`;
    assert.ok((await at(two).ask('GET', path)).body.equals(whole));
    const part = await at(two).ask('GET', path, { headers: { range: 'bytes=8388600-8388615' } });
    assert.deepEqual([part.status, part.body.equals(whole.subarray(8_388_600, 8_388_616))], [206, true]);
    assert.deepEqual([bucket.server.keys('uploads/'), bucket.server.uploads.size], [[], 0]);
    assert.equal((await at(two).ask('GET', location)).status, 404);
  });

  test('all in one request, digests of SHA-512, and a connection that breaks', async () => {
    const bucket = await bucketOf();
    const [, [one, two]] = await instances(bucket, 2);
    for (const bytes of [blob(9_000_000, 7), blob(16_777_216, 8), Buffer.alloc(0), Buffer.from('small')]) {
      assert.equal((await at(one).ask('POST', `/v2/a/blobs/uploads/?digest=${sha256(bytes)}`, { body: bytes })).status, 201);
      assert.ok((await at(two).ask('GET', `/v2/a/blobs/${sha256(bytes)}`)).body.equals(bytes));
      const sha512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
      const location = await at(one).begin('a');
      await at(one).ask('PATCH', location, { body: bytes });
      assert.equal((await at(one).ask('PUT', at(one).ending(location, sha512))).status, 201);
      assert.ok((await at(two).ask('GET', `/v2/a/blobs/${sha512}`)).body.equals(bytes));
    }
    const whole = blob(12_000_000, 9);
    const location = await at(one).begin('a');
    await new Promise<void>((resolve) => {
      const sending = request(new URL(location, at(one).url), { method: 'PATCH', headers: { 'content-length': whole.length, 'content-type': 'application/octet-stream' } });
      sending.on('error', () => resolve());
      sending.write(whole.subarray(0, 10_000_000), () => setTimeout(() => sending.destroy(), 200));
    });
    let size = 0;
    for (let attempt = 0; attempt < 100 && size !== 10_000_000; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      size = Number(/^0-(\d+)$/.exec((await at(two).ask('GET', location)).headers.get('range') ?? '')?.[1]) + 1;
    }
    assert.equal(size, 10_000_000);
    assert.equal((await at(two).ask('PUT', at(two).ending(location, sha256(whole)), { headers: { 'content-range': `${size}-${whole.length - 1}` }, body: whole.subarray(size) })).status, 201);
    assert.deepEqual([bucket.server.keys('uploads/'), bucket.server.uploads.size], [[], 0]);
  });

  test('what has not the digest that was said, an upload that is given up, and one of another repository', async () => {
    const bucket = await bucketOf();
    const [, [one, two]] = await instances(bucket, 2);
    const large = blob(9_000_000, 2);
    const location = await at(one).begin('a');
    assert.equal((await at(one).ask('PATCH', location, { body: large })).status, 202);
    assert.equal((await at(two).ask('GET', location.replace('/v2/a/', '/v2/b/'))).status, 404);
    const wrong = await at(two).ask('PUT', at(two).ending(location, sha256('else')));
    assert.deepEqual([wrong.status, codesOf(wrong)], [400, ['DIGEST_INVALID']]);
    const other = await at(one).begin('a');
    assert.equal((await at(one).ask('PATCH', other, { body: large })).status, 202);
    assert.equal((await at(two).ask('DELETE', other)).status, 204);
    for (const [client, path] of [[one, location], [two, location], [one, other]] as const) assert.equal((await at(client).ask('PATCH', path, { body: 'x' })).status, 404);
    assert.deepEqual([bucket.server.keys('uploads/'), bucket.server.uploads.size], [[], 0]);
    // The bytes were read from there to know their digest, and go with the garbage.
    bucket.server.age(2 * DAY_MS);
    await mustRun(['registry', 'gc', '--dir', scratch.path('gc'), ...bucket.flags]);
    assert.deepEqual(bucket.server.keys('data/'), []);
  });

  test('an upload that two instances end at once, one of them with a wrong digest: what was confirmed stays', async () => {
    const bucket = await bucketOf();
    const [, [one, two]] = await instances(bucket, 2);
    for (let round = 0; round < 4; round++) {
      const whole = blob(8_388_608 + round, round);
      const location = await at(one).begin('a');
      assert.equal((await at(one).ask('PATCH', location, { body: whole })).status, 202);
      const ends = await Promise.all([at(one).ask('PUT', at(one).ending(location, sha256(whole))), at(two).ask('PUT', at(two).ending(location, round % 2 === 0 ? sha256('wrong') : sha256(whole)))]);
      if (ends.some(({ status }) => status === 201)) assert.equal(sha256((await at(two).ask('GET', `/v2/a/blobs/${sha256(whole)}`)).body), sha256(whole));
      else assert.equal(round % 2, 0, ends.map(({ status, body }) => `${status} ${body.toString()}`).join());
    }
  });

  test('two requests that send to one upload at once: one is refused, and the bytes are those of the other', async () => {
    const bucket = await bucketOf();
    const [, [one]] = await instances(bucket, 1);
    const location = await at(one).begin('a');
    const [first, second] = [blob(3_000_000, 5), blob(3_000_000, 6)];
    const sent = await Promise.all([first, second].map((body) => at(one).ask('PATCH', location, { body })));
    const taken = [first, second].filter((_, index) => sent[index]?.status === 202);
    assert.ok(sent.every(({ status }) => status === 202 || status === 409), sent.map(({ status }) => status).join());
    const { status } = await at(one).ask('PUT', at(one).ending(location, sha256(Buffer.concat(taken))));
    assert.equal(status, 201);
    assert.ok((await at(one).ask('GET', `/v2/a/blobs/${sha256(Buffer.concat(taken))}`)).body.equals(Buffer.concat(taken)));
  });

  test('two instances get the same layer at once: it is there, and what came later is not kept twice', async () => {
    const bucket = await bucketOf();
    const [, clients] = await instances(bucket, 2);
    const layer = blob(6_000_000, 3);
    await Promise.all(clients.map((client, index) => client.pushBlob(`at-once/${index}`, layer)));
    for (const client of clients) for (const name of ['0', '1']) assert.ok((await client.ask('GET', `/v2/at-once/${name}/blobs/${sha256(layer)}`)).body.equals(layer));
    const held = bucket.server.keys('data/').length;
    assert.ok(held <= 2);
    await at(clients[0]).pushBlob('later', layer);
    const location = await at(clients[1]).begin('later-in-parts');
    await at(clients[0]).ask('PATCH', location, { body: layer });
    assert.equal((await at(clients[1]).ask('PUT', at(clients[1]).ending(location, sha256(layer)))).status, 201);
    assert.deepEqual([bucket.server.keys('data/').length, bucket.server.uploads.size], [held, 0]);
  });

  test('tags, deletions and lists are those of all instances', async () => {
    const bucket = await bucketOf();
    bucket.server.pageKeys = 3;
    const [, [one, two]] = await instances(bucket, 2);
    for (const name of ['team', 'team/app', 'team-x/a', 'zoo']) await at(one).pushImage(name, 'x', name);
    assert.deepEqual(json<{ repositories: string[] }>(await at(two).ask('GET', '/v2/_catalog')).repositories, ['team', 'team-x/a', 'team/app', 'zoo']);
    assert.match((await at(two).ask('GET', '/ui/')).body.toString(), /team-x\/a/);
    assert.match((await at(two).ask('GET', '/ui/repositories/team/app?reference=x')).body.toString(), /<h2>Layers<\/h2>/);
    const tags = Array.from({ length: 8 }, (_, index) => `t${index}`);
    for (const tag of tags) await at(tag < 't4' ? one : two).pushImage('team/app', tag, tag);
    for (const client of [one, two]) assert.deepEqual(json<{ tags: string[] }>(await at(client).ask('GET', '/v2/team/app/tags/list')).tags, [...tags, 'x']);
    const texts = await Promise.all([one, two].map((client, index) => at(client).pushImage('team/app', 'moving', `version ${index}`)));
    const seen = await Promise.all([one, two].map(async (client) => (await at(client).ask('GET', '/v2/team/app/manifests/moving')).body.toString()));
    assert.equal(seen[0], seen[1]);
    assert.ok(texts.some(({ text }) => text === seen[0]));
    const { digest } = await at(one).pushImage('team/app', 'gone', 'gone soon');
    const about = await at(two).pushImage('team/app', undefined, 'about it', { subject: { mediaType: OCI_MANIFEST, digest, size: 1 } });
    assert.deepEqual(json<{ manifests: { digest: string }[] }>(await at(one).ask('GET', `/v2/team/app/referrers/${digest}`)).manifests.map((found) => found.digest), [about.digest]);
    assert.equal((await at(two).ask('DELETE', `/v2/team/app/manifests/${digest}`)).status, 202);
    for (const reference of ['gone', digest]) assert.equal((await at(one).ask('GET', `/v2/team/app/manifests/${reference}`)).status, 404);
  });

  test('tenants do not see each other: not by guessing digests, not by mounts', async () => {
    const bucket = await bucketOf();
    const htpasswd = scratch.file('htpasswd', ['ann', 'bob'].map((name) => peer('htpasswd', ['-Bbn', '-C', '5', name, name]).stdout.trim()).join('\n'));
    const rules = scratch.file('rules.json', JSON.stringify({ access: [{ repositories: ['home/{user}/**'], users: ['*'], actions: ['pull', 'push', 'delete'] }] }));
    const key = scratch.file('key.pem', execFileSync('openssl', ['genpkey', '-quiet', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']));
    const [served] = await instances(bucket, 2, ['--htpasswd', htpasswd, '--config', rules, '--token-key', key]);
    const as = (user: string, index: number): TestClient => new TestClient(served[index]?.url ?? '', { authorization: `Basic ${Buffer.from(`${user}:${user}`).toString('base64')}` });
    const { layer, digest } = await as('ann', 0).pushImage('home/ann/app', '1', 'the secret of ann');
    await as('bob', 1).pushImage('home/bob/app', '1', 'something else');
    for (const path of [`blobs/${layer.digest}`, `manifests/${digest}`]) assert.equal((await as('bob', 1).ask('GET', `/v2/home/bob/app/${path}`)).status, 404);
    assert.equal((await as('bob', 1).ask('GET', `/v2/home/ann/app/blobs/${layer.digest}`)).status, 403);
    assert.equal((await as('bob', 1).ask('POST', `/v2/home/bob/app/blobs/uploads/?mount=${layer.digest}&from=home/ann/app`)).status, 202);
    const stolen = await as('bob', 1).pushManifest('home/bob/app', 'stolen', JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: layer, layers: [layer] }));
    assert.deepEqual([stolen.status, codesOf(stolen)], [404, ['MANIFEST_BLOB_UNKNOWN']]);
    assert.equal((await as('ann', 1).ask('POST', `/v2/home/ann/other/blobs/uploads/?mount=${layer.digest}&from=home/ann/app`)).status, 201);
    const { token } = json<{ token: string }>(await as('ann', 0).ask('GET', '/token?scope=repository:home/ann/app:pull'));
    assert.equal((await new TestClient(served[1]?.url ?? '', { authorization: `Bearer ${token}` }).ask('GET', '/v2/home/ann/app/manifests/1')).status, 200);
    assert.match((await run(['registry', 'serve', '--listen', '127.0.0.1:0', '--dir', scratch.path('no-key'), '--htpasswd', htpasswd, '--token-auth', ...bucket.flags])).stderr, /^caisson: cannot give tokens: all instances on a bucket must sign with the same key \(give it with --token-key/);
  });

  test('garbage goes, what is needed or young stays; uploads that nobody went on with are given up', async () => {
    const bucket = await bucketOf();
    bucket.server.pageKeys = 4;
    const [[served], [client]] = await instances(bucket, 1);
    const kept = await at(client).pushImage('kept/app', '1', 'kept');
    const gone = await at(client).pushImage('gone/app', '1', 'gone');
    const stray = await at(client).pushBlob('gone/app', 'never named by a manifest');
    await at(client).ask('DELETE', `/v2/gone/app/manifests/${gone.digest}`);
    const given = await at(client).begin('kept/app');
    await at(client).ask('PATCH', given, { body: blob(9_000_000, 4) });
    bucket.server.uploads.set('orphan', { key: 'data/orphan', parts: new Map(), initiatedMs: Date.now() });
    bucket.server.objects.set('repositories/odd\u0007 name/<&>', { ...bucket.server.objects.get(bucket.server.keys('data/')[0] ?? '') ?? assert.fail() });
    const collect = (...flags: readonly string[]): Promise<string> => mustRun(['registry', 'gc', '--dir', served?.directory ?? '', ...bucket.flags, ...flags]);
    assert.equal(await collect(), 'removed 0 blobs (0 B), 0 links, 0 empty repositories, 0 temporary files\n');
    bucket.server.age(2 * DAY_MS);
    const young = await at(client).pushBlob('kept/app', 'pushed just now');
    const data = bucket.server.keys('data/').length;
    assert.match(await collect('--dry-run'), /^would remove 2 blobs \(29 B\), 3 links, 0 empty repositories, 2 temporary files\n$/);
    assert.equal(bucket.server.keys('data/').length, data);
    assert.equal(await collect(), 'removed 2 blobs (29 B), 3 links, 1 empty repositories, 2 temporary files\n');
    assert.deepEqual([bucket.server.keys('data/').length, bucket.server.uploads.size, bucket.server.keys('collecting/'), bucket.server.keys('uploads/')], [data - 2, 0, [], []]);
    assert.equal((await at(client).ask('PATCH', given, { body: 'x' })).status, 404);
    assert.equal((await at(client).ask('GET', '/v2/kept/app/manifests/1')).body.toString(), kept.text);
    for (const { digest } of [kept.layer, young]) assert.equal((await at(client).ask('GET', `/v2/kept/app/blobs/${digest}`)).status, 200);
    for (const { digest } of [gone.layer, stray]) assert.deepEqual(bucket.server.keys('').filter((name) => name.includes(digest.slice(7))), []);
    assert.equal((await at(client).ask('GET', '/v2/gone/app/tags/list')).status, 404);
    await at(client).pushImage('gone/app', '1', 'again');
    assert.equal(await collect(), 'removed 0 blobs (0 B), 0 links, 0 empty repositories, 0 temporary files\n');
  });

  test('collecting without grace by one instance beside pushes to others loses nothing that was answered with 201', async () => {
    const bucket = await bucketOf();
    const [[collecting], clients] = await instances(bucket, 2, ['--gc-interval', '20ms', '--gc-grace', '0s']);
    const pushed: [name: string, text: string, layer: string][] = [];
    let refused = 0;
    await Promise.all(Array.from({ length: 6 }, async (_, writer) => {
      const client = at(clients[writer % 2]);
      for (let round = 0; round < 8; round++) {
        const name = `w${writer % 3}/app`;
        const answers = await Promise.all(['{}', `layer ${round % 4} of ${writer % 3}`].map(async (content) => client.ask('PUT', client.ending(await client.begin(name), sha256(content)), { body: content })));
        const [config, layer] = ['{}', `layer ${round % 4} of ${writer % 3}`].map((content) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(content), size: content.length }));
        const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], annotations: { round: `${writer}.${round}` } });
        const { status } = await client.pushManifest(name, `t${writer}-${round}`, text);
        assert.ok([201, 404, 503].includes(status), `${status}`);
        for (const answer of answers) assert.ok([201, 503].includes(answer.status), `${answer.status}: ${answer.body.toString()}`);
        if (status === 201) pushed.push([`${name}/manifests/t${writer}-${round}`, text, `${name}/blobs/${layer?.digest}`]);
        else refused++;
      }
    }));
    assert.ok(pushed.length > 0, `${refused} refused`);
    await mustRun(['registry', 'gc', '--dir', collecting?.directory ?? '', ...bucket.flags, '--gc-grace', '0s']);
    for (const [path, text, layer] of pushed) {
      assert.equal((await at(clients[0]).ask('GET', `/v2/${path}`)).body.toString(), text);
      assert.equal((await at(clients[1]).ask('GET', `/v2/${layer}`)).status, 200, layer);
    }
    assert.equal(collecting?.output(), `listening on ${collecting?.url}\n`);
  });

  test('who needs what a collector has marked waits until that is over', async () => {
    const bucket = await bucketOf();
    const [, [client]] = await instances(bucket, 1);
    const { layer, text } = await at(client).pushImage('a', '1', 'marked');
    const mark = { ...bucket.server.objects.get('names/a') ?? assert.fail(), chunks: [Buffer.from(JSON.stringify({ links: { a: [layer.digest] }, blobs: [] }))], modifiedMs: Date.now() };
    const marked = { ...mark, size: mark.chunks[0]!.length };
    bucket.server.objects.set('collecting/run', marked);
    let isAnswered = false;
    const push = at(client).pushManifest('a', '2', text).finally(() => (isAnswered = true));
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(isAnswered, false);
    for (const key of bucket.server.keys(`repositories/a/_blobs/${layer.digest.replace(':', '-')}`)) bucket.server.objects.delete(key);
    bucket.server.objects.delete('collecting/run');
    const answer = await push;
    assert.deepEqual([answer.status, codesOf(answer)], [404, ['MANIFEST_BLOB_UNKNOWN']]);
    await at(client).pushBlob('a', 'marked');
    bucket.server.objects.set('collecting/killed', { ...marked, modifiedMs: Date.now() - 700_000 });
    assert.equal((await at(client).pushManifest('a', '2', text)).status, 201);
  });

  test('retention, scrub and quotas on a bucket', async () => {
    const bucket = await bucketOf();
    const config = scratch.file('care.json', JSON.stringify({
      retention: [{ repositories: ['kept/**'], keep: 1 }], quotas: [{ repositories: ['small/**'], size: '10000b' }],
      storage: { s3: { bucket: BUCKET, regionendpoint: bucket.flags.at(-1), accesskey: CREDENTIALS.AWS_ACCESS_KEY_ID, secretkey: CREDENTIALS.AWS_SECRET_ACCESS_KEY, rootdirectory: '/deep/er', chunksize: 5_242_880 } },
    }));
    const served = await scratch.serve(['--config', config]);
    const client = new TestClient(served.url);
    for (const tag of ['1', '2']) {
      await client.pushImage('kept/app', tag, tag);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const care = (command: string): ReturnType<typeof run> => run(['registry', command, '--dir', served.directory, '--config', config]);
    assert.match((await care('prune')).stdout, /^kept\/app:1 +pushed 0 hours ago[^]*removed 2 tags and manifests\n$/);
    assert.deepEqual(json<{ tags: string[] }>(await client.ask('GET', '/v2/kept/app/tags/list')).tags, ['2']);
    await client.pushBlob('small/a', Buffer.alloc(6000, 1));
    const denied = await client.ask('PUT', client.ending(await client.begin('small/b'), sha256(Buffer.alloc(5000, 2))), { body: Buffer.alloc(5000, 2) });
    assert.deepEqual([denied.status, codesOf(denied)], [403, ['DENIED']]);
    assert.equal((await care('scrub')).status, 0);
    const { digest } = await client.pushBlob('kept/app', 'a layer that rots');
    const [key = ''] = bucket.server.keys('deep/er/data/').filter((name) => bucket.server.text(name) === 'a layer that rots');
    bucket.server.spoil(key, Buffer.from('a layer that r0ts'));
    const scrubbed = await care('scrub');
    assert.deepEqual([scrubbed.status, scrubbed.stdout.split('\n')[0]], [1, `${digest}: changed in the bucket, moved away`]);
    assert.equal((await client.ask('HEAD', `/v2/kept/app/blobs/${digest}`)).status, 404);
    await client.pushBlob('other/app', 'a layer that rots');
    assert.equal((await client.ask('GET', `/v2/kept/app/blobs/${digest}`)).body.toString(), 'a layer that rots');
    assert.equal((await care('scrub')).status, 0);
    assert.equal(bucket.server.keys('').filter((name) => !name.startsWith('deep/er/')).length, 0);
  });

  test('a cache of another registry, and webhooks, on a bucket', async () => {
    const bucket = await bucketOf();
    const upstream = await scratch.serve();
    const large = blob(9_000_000, 10);
    const there = new TestClient(upstream.url);
    await there.pushBlob('app', large);
    const { text } = await there.pushImage('app', '1', 'of another registry');
    const events: string[] = [];
    const receiver = createServer((asked, answer) => {
      asked.on('data', (chunk: Buffer) => events.push(chunk.toString())).on('end', () => answer.end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const config = scratch.file('cache.json', JSON.stringify({ upstreams: [{ prefix: 'hub', registry: upstream.host, plainHttp: true }], webhooks: [{ name: 'all', url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` }] }));
    const [, [one, two]] = await instances(bucket, 2, ['--config', config]);
    assert.equal((await at(one).ask('GET', '/v2/hub/app/manifests/1', { headers: { accept: OCI_MANIFEST } })).body.toString(), text);
    assert.equal(sha256((await at(one).ask('GET', `/v2/hub/app/blobs/${sha256(large)}`)).body), sha256(large));
    await upstream.stop();
    assert.equal((await at(two).ask('GET', '/v2/hub/app/manifests/1')).body.toString(), text);
    assert.equal(sha256((await at(two).ask('GET', `/v2/hub/app/blobs/${sha256(large)}`)).body), sha256(large));
    assert.deepEqual([bucket.server.keys('uploads/'), bucket.server.uploads.size], [[], 0]);
    const { digest } = await at(two).pushImage('own', '1', 'announced');
    for (let attempt = 0; attempt < 200 && events.length === 0; attempt++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(events[0]?.includes(digest));
    receiver.close();
    receiver.closeAllConnections();
  });

  test('killed at 5 random moments: all that was confirmed is there, and the bytes are what their digests say', async () => {
    const bucket = await bucketOf();
    assert.ok(await killWrites(scratch, 5, randomFrom(11), bucket) > 5);
  });

  test('an index, and a push by our client, while the clock of the server is wrong', async () => {
    const bucket = await bucketOf();
    bucket.server.clockMs = 40 * 60_000;
    const served = await serveBucket(scratch, bucket);
    const client = new TestClient(served.url);
    const child = await client.pushImage('a', undefined, 'child');
    const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ mediaType: OCI_MANIFEST, digest: child.digest, size: child.text.length }] });
    assert.equal((await client.pushManifest('a', 'index', index, OCI_INDEX)).status, 201);
    await mustRun(['load', '-q', '-i', busyboxLayout()]);
    await mustRun(['push', '-q', 'busybox:1', `${served.host}/own/box:1`]);
    assert.equal((await client.ask('HEAD', '/v2/own/box/manifests/1')).headers.get('docker-content-digest'), manifestDigest(busyboxLayout()));
    assert.match(await mustRun(['registry', 'gc', ...bucket.flags, '--dir', served.directory, '--gc-grace', '10m']), /^removed 0 blobs/);
  });
});
