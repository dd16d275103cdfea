/** Garbage collection while pushes go on, retention, scrub, quotas, figures, audit log. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commandIn } from '../images/fixtures.ts';
import { OCI_INDEX, OCI_MANIFEST, TestClient, codesOf, json } from './client.ts';
import { Scratch, sha256 } from './servers.ts';

const scratch = new Scratch('registry-care');
const { run, mustRun } = commandIn({ CAISSON_HOME: scratch.path('store') });

after(() => scratch.clean());

const blobsIn = (directory: string): readonly string[] => readdirSync(join(directory, 'blobs/sha256')).map((hex) => `sha256:${hex}`).sort();
const hex = (digest: string): string => digest.replace('sha256:', '');

/** As if all had been there for two days. */
function age(directory: string): void {
  const then = new Date(Date.now() - 2 * 86_400_000);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) utimesSync(join(entry.parentPath ?? entry.path, entry.name), then, then);
}

/** When a tag or manifest was pushed, as its record says. */
function backdate(directory: string, repository: string, name: string, days: number): void {
  for (const kind of ['_tags', '_manifests']) {
    const file = join(directory, 'repositories', repository, kind, name.replace(':', '-'));
    if (!existsSync(file)) continue;
    const record = JSON.parse(readFileSync(file, 'utf8')) as { pushedMs: number };
    writeFileSync(file, JSON.stringify({ ...record, pushedMs: Date.now() - days * 86_400_000 }));
  }
}

test('garbage goes, what is needed stays, and what is young stays, too', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const kept = await client.pushImage('kept/app', '1', 'kept');
  const untagged = await client.pushImage('kept/app', undefined, 'without a tag');
  const gone = await client.pushImage('gone/app', '1', 'gone');
  const stray = await client.pushBlob('gone/app', 'never named by a manifest');
  await client.ask('DELETE', `/v2/gone/app/manifests/${gone.digest}`);
  const collect = (...flags: readonly string[]): Promise<string> => mustRun(['registry', 'gc', '--dir', served.directory, ...flags]);
  const before = blobsIn(served.directory);
  assert.equal(await collect(), 'removed 0 blobs (0 B), 0 links, 0 empty repositories, 0 temporary files\n');
  age(served.directory);
  const young = await client.pushBlob('kept/app', 'pushed just now');
  assert.match(await collect('--dry-run'), /^would remove /);
  assert.deepEqual(blobsIn(served.directory), [...before, young.digest].sort());
  assert.match(await collect(), /^removed 3 blobs \(.*\), 3 links, 0 empty repositories/);
  const { layer: { digest: keptLayer } } = kept;
  assert.deepEqual(blobsIn(served.directory), [kept.digest, keptLayer, untagged.digest, untagged.layer.digest, sha256('{}'), young.digest].sort());
  for (const digest of [gone.digest, gone.layer.digest, stray.digest]) assert.equal(existsSync(join(served.directory, 'blobs/sha256', hex(digest))), false);
  assert.equal((await client.ask('GET', '/v2/gone/app/tags/list')).status, 200);
  assert.equal((await client.ask('GET', '/v2/kept/app/manifests/1')).body.toString(), kept.text);
  const record = JSON.parse(await mustRun(['registry', 'gc', '--dir', served.directory, '--format', 'json'])) as { Blobs: number };
  assert.equal(record.Blobs, 0);
  age(served.directory);
  assert.match(await collect(), /^removed 1 blobs \(15 B\), 1 links, 1 empty repositories/);
  assert.equal((await client.ask('GET', '/v2/gone/app/tags/list')).status, 404);
  assert.equal(existsSync(join(served.directory, 'repositories/gone')), false);
  await client.pushImage('gone/app', '1', 'again');
});

test('a blob that a push was told to be there is not collected before its manifest comes', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const config = await client.pushBlob('a/b', '{}', 'application/vnd.oci.empty.v1+json');
  const layers = await Promise.all(['asked for', 'mounted', 'uploaded again'].map((content) => client.pushBlob('a/b', content, 'application/vnd.oci.image.layer.v1.tar')));
  age(served.directory);
  for (const { digest } of [config, layers[0]!]) assert.equal((await client.ask('HEAD', `/v2/a/b/blobs/${digest}`)).status, 200);
  assert.equal((await client.ask('POST', `/v2/c/d/blobs/uploads/?mount=${layers[1]?.digest}&from=a/b`)).status, 201);
  await client.pushBlob('a/b', 'uploaded again');
  await mustRun(['registry', 'gc', '--dir', served.directory]);
  assert.equal((await client.pushManifest('a/b', '1', JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }))).status, 201);
});

test('collecting without grace beside pushes loses nothing that was answered with 201', async () => {
  const served = await scratch.serve(['--gc-interval', '20ms', '--gc-grace', '0s']);
  const client = new TestClient(served.url);
  const pushed: [name: string, text: string, layer: string][] = [];
  let refused = 0;
  await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
    for (let round = 0; round < 12; round++) {
      const name = `w${writer % 3}/app`;
      const content = `layer ${round % 4} of ${writer}`;
      const config = await client.pushBlob(name, '{}', 'application/vnd.oci.empty.v1+json');
      const layer = await client.pushBlob(name, content, 'application/vnd.oci.image.layer.v1.tar');
      const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], annotations: { round: `${writer}.${round}` } });
      const { status } = await client.pushManifest(name, `t${writer}-${round}`, text);
      if (status === 201) pushed.push([`${name}/manifests/t${writer}-${round}`, text, `${name}/blobs/${layer.digest}`]);
      else refused++;
    }
  }));
  // Without a grace a blob may go before its manifest comes; then the manifest is refused, which a client repairs by pushing again.
  assert.ok(pushed.length > 0, `${refused} refused`);
  await mustRun(['registry', 'gc', '--dir', served.directory, '--gc-grace', '0s']);
  for (const [path, text, layer] of pushed) {
    assert.equal((await client.ask('GET', `/v2/${path}`)).body.toString(), text);
    assert.equal((await client.ask('GET', `/v2/${layer}`)).status, 200, layer);
  }
  assert.equal(served.output(), `listening on ${served.url}\n`);
});

test('retention: by number, age and pattern, first as a plan', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const nightly = ['n1', 'n2', 'n3', 'n4'].map((tag, index) => [`nightly-${tag}`, 40 - index] as const);
  for (const [tag, days] of nightly) {
    const { digest } = await client.pushImage('team/app', tag, tag);
    for (const name of [tag, digest]) backdate(served.directory, 'team/app', name, days);
  }
  await client.pushImage('team/app', 'v1', 'release');
  backdate(served.directory, 'team/app', 'v1', 400);
  const loose = await client.pushImage('team/app', undefined, 'old and without a tag');
  const child = await client.pushImage('team/app', undefined, 'named by an index');
  const signature = await client.pushImage('team/app', undefined, 'about the child', { subject: { mediaType: OCI_MANIFEST, digest: child.digest, size: child.text.length } });
  for (const { digest } of [loose, child, signature]) backdate(served.directory, 'team/app', digest, 30);
  await client.pushManifest('team/app', 'both', JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ mediaType: OCI_MANIFEST, digest: child.digest, size: child.text.length }] }), OCI_INDEX);
  await client.pushImage('other/app', 'nightly-1', 'elsewhere');
  backdate(served.directory, 'other/app', 'nightly-1', 100);
  const config = scratch.file('retention.json', JSON.stringify({ retention: [{ repositories: ['team/**'], tags: ['nightly-*'], keep: 2, olderThan: '30d', untagged: '7d' }] }));
  const prune = (...flags: readonly string[]): Promise<string> => mustRun(['registry', 'prune', '--dir', served.directory, '--config', config, ...flags]);
  const plan = await prune('--dry-run');
  assert.match(plan, /^team\/app:nightly-n2 +pushed 39 days ago, and 2 that came later stay\nteam\/app:nightly-n1 +pushed 40 days ago/);
  assert.match(plan, /its last tag goes/);
  assert.match(plan, /without a tag, pushed 30 days ago\nwould remove 5 tags and manifests\n$/);
  assert.match(await prune(), /removed 5 tags and manifests\n$/);
  assert.deepEqual(json<{ tags: string[] }>(await client.ask('GET', '/v2/team/app/tags/list')).tags, ['both', 'nightly-n3', 'nightly-n4', 'v1']);
  assert.equal((await client.ask('GET', `/v2/team/app/manifests/${loose.digest}`)).status, 404);
  for (const { digest } of [child, signature]) assert.equal((await client.ask('GET', `/v2/team/app/manifests/${digest}`)).status, 200);
  assert.deepEqual(json<{ tags: string[] }>(await client.ask('GET', '/v2/other/app/tags/list')).tags, ['nightly-1']);
  assert.match(await prune(), /^removed 0 tags/);
  assert.match((await run(['registry', 'prune', '--dir', served.directory])).stderr, /there are no rules of retention/);
});

test('the registry does retention and collection by itself', async () => {
  const config = scratch.file('own.json', JSON.stringify({ retention: [{ repositories: ['**'], keep: 1 }] }));
  const served = await scratch.serve(['--config', config, '--gc-interval', '200ms', '--gc-grace', '6s']);
  const client = new TestClient(served.url);
  const first = await client.pushImage('a', 'old', 'first layer');
  const second = await client.pushImage('a', 'new', 'second layer');
  const digests = [second.digest, second.layer.digest, sha256('{}')].sort();
  for (let attempt = 0; attempt < 200 && blobsIn(served.directory).length > digests.length; attempt++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(blobsIn(served.directory), digests);
  assert.equal((await client.ask('GET', `/v2/a/manifests/${first.digest}`)).status, 404);
});

test('scrub finds what has changed on the disk; a push repairs it', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const { layer } = await client.pushImage('a', '1', 'a layer that rots');
  const check = (): ReturnType<typeof run> => run(['registry', 'scrub', '--dir', served.directory]);
  assert.deepEqual([(await check()).status, (await check()).stdout], [0, '3 blobs (420 B), 0 spoiled\n'.replace('420', String(readdirSync(join(served.directory, 'blobs/sha256')).reduce((sum, name) => sum + readFileSync(join(served.directory, 'blobs/sha256', name)).length, 0)))]);
  writeFileSync(join(served.directory, 'blobs/sha256', hex(layer.digest)), 'a layer that rots!');
  const { status, stdout } = await check();
  assert.equal(status, 1);
  assert.match(stdout, new RegExp(`^${layer.digest}: changed on the disk, moved away\n3 blobs .*, 1 spoiled\n$`));
  assert.equal((await client.ask('HEAD', `/v2/a/blobs/${layer.digest}`)).status, 404);
  await client.pushBlob('a', 'a layer that rots');
  assert.equal((await client.ask('GET', `/v2/a/blobs/${layer.digest}`)).body.toString(), 'a layer that rots');
  assert.equal((await check()).status, 0);
});

test('a quota holds for all repositories of its pattern together, for chunks, mounts and manifests', async () => {
  const config = scratch.file('quotas.json', JSON.stringify({ quotas: [{ repositories: ['small/**'], size: '10000b' }] }));
  const served = await scratch.serve(['--config', config]);
  const client = new TestClient(served.url);
  await client.pushBlob('small/a', Buffer.alloc(6000, 1));
  const denied = async (answer: ReturnType<TestClient['ask']>): Promise<void> => {
    const { status, body } = await answer;
    assert.deepEqual([status, body.toString().includes('quota of small/b is used up')], [403, true], body.toString());
  };
  const big = Buffer.alloc(5000, 2);
  await denied(client.ask('PUT', client.ending(await client.begin('small/b'), sha256(big)), { body: big }));
  await denied(client.ask('PATCH', await client.begin('small/b'), { body: big }));
  const { digest } = await client.pushBlob('large/a', big);
  await denied(client.ask('POST', `/v2/small/b/blobs/uploads/?mount=${digest}&from=large/a`));
  await client.pushBlob('small/b', Buffer.alloc(3000, 3));
  await denied(client.pushManifest('small/b', '1', JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { large: 'x'.repeat(2000) } }), OCI_INDEX));
  const both = await Promise.all([1, 2].map(async (fill) => client.ask('PUT', client.ending(await client.begin('small/b'), sha256(Buffer.alloc(600, fill))), { body: Buffer.alloc(600, fill) })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 403]);
  await client.ask('DELETE', `/v2/small/a/blobs/${sha256(Buffer.alloc(6000, 1))}`);
  await client.pushBlob('small/b', big);
});

/** Sends without reading: the answer comes while the body is on its way. */
function sendLarge(url: string, size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'PUT', headers: { 'content-length': size, 'content-type': 'application/octet-stream' } }, (response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
    });
    let answered = false;
    sending.on('response', () => (answered = true)).on('error', (error) => {
      if (!answered) reject(error);
    });
    sending.end(Buffer.alloc(size));
  });
}

test('a blob that is larger than the bound is refused, also while it comes, and nothing of it stays', async () => {
  const served = await scratch.serve(['--max-blob-size', '1k']);
  const client = new TestClient(served.url);
  await client.pushBlob('a', Buffer.alloc(1024));
  const large = Buffer.alloc(1025);
  const answer = await client.ask('PUT', client.ending(await client.begin('a'), sha256(large)), { body: large });
  assert.deepEqual([answer.status, codesOf(answer)], [413, ['SIZE_INVALID']]);
  for (let time = 0; time < 3; time++) assert.equal(await sendLarge(client.ending(await client.begin('a'), sha256('never')), 20_000_000), 413);
  assert.deepEqual([readdirSync(join(served.directory, 'tmp')), readdirSync(join(served.directory, 'repositories/a/_uploads'))], [[], []]);
});

test('figures for Prometheus, health, and the audit log', async () => {
  const audit = scratch.path('audit.jsonl');
  const served = await scratch.serve(['--metrics', '127.0.0.1:0', '--audit-log', audit]);
  const figures = /figures at (\S+)\n/.exec(served.output())?.[1] ?? '';
  const client = new TestClient(served.url);
  const { digest, layer } = await client.pushImage('team/app', '1', 'counted');
  await client.ask('GET', `/v2/team/app/blobs/${layer.digest}`);
  await client.ask('DELETE', `/v2/team/app/manifests/${digest}`);
  const text = await (await fetch(figures)).text();
  for (const line of [
    'caisson_registry_requests_total{endpoint="end-6",method="PUT",status="201"} 2', 'caisson_registry_requests_total{endpoint="end-7",method="PUT",status="201"} 1', 'caisson_registry_received_bytes_total 9',
    'caisson_registry_sent_bytes_total 7', 'caisson_registry_request_seconds_count{endpoint="end-2"} 1', 'caisson_registry_repositories 1', 'caisson_registry_uploads 0',
  ]) assert.ok(text.includes(`${line}\n`), `${line}\n${text}`);
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$/);
  assert.doesNotMatch(text, /team/);
  for (const url of [served.url, new URL(figures).origin]) assert.deepEqual(await (await fetch(`${url}/healthz`)).json(), { status: 'ok' });
  assert.equal((await fetch(`${served.url}/metrics`)).status, 404);
  const entries = readFileSync(audit, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { method: string; path: string; status: number; address: string });
  assert.deepEqual(entries.map(({ method }) => method), ['POST', 'PUT', 'POST', 'PUT', 'PUT', 'DELETE']);
  assert.deepEqual([entries[5]?.path, entries[5]?.status, entries[5]?.address], [`/v2/team/app/manifests/${digest}`, 202, '127.0.0.1']);
});
