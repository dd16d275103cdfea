/** Our client: lists, referrers, chunks and uploads that break, with our registry, docker-registry, and registries of a few lines. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { nodeHttp } from '../../src/host/node/http.ts';
import { createImageHost } from '../../src/host/node/image-host.ts';
import { RegistryClient } from '../../src/image/index.ts';
import { listReferrers, pushManifest, referrersTag } from '../../src/image/referrers.ts';
import type { Digest } from '../../src/image/index.ts';
import { busyboxLayout, commandIn, peer } from '../images/fixtures.ts';
import { EMPTY_TYPE, OCI_INDEX, OCI_MANIFEST, TestClient } from './client.ts';
import { Scratch, sha256 } from './servers.ts';

const scratch = new Scratch('registry-client');
const { run, mustRun } = commandIn({ CAISSON_HOME: scratch.path('store'), DOCKER_CONFIG: scratch.path('docker') });
const servers: Server[] = [];
let ours = { host: '', url: '' };
let theirs = { host: '', url: '' };

before(async () => {
  [ours, theirs] = [await scratch.serve(), await scratch.serveDocker()];
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
});

after(() => {
  for (const server of servers) server.close();
  scratch.clean();
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A registry of a few lines that writes down what it is asked; `answer` decides. */
async function registryOf(answer: (seen: Seen, response: ServerResponse, request: IncomingMessage) => void): Promise<{ readonly host: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const ask = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      seen.push(ask);
      answer(ask, response, request);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const clientOf = (host: string, repository: string, options: { readonly chunkBytes?: number; readonly onWarning?: (text: string) => void } = {}): RegistryClient => new RegistryClient(createImageHost({ http: nodeHttp }), { registry: host, repository, ...options });
const bytesOf = (bytes: Buffer) => async function* (start: number, end: number): AsyncIterable<Uint8Array> {
  for (let at = start; at < end; at += 1000) yield bytes.subarray(at, Math.min(end, at + 1000));
};

test('lists of repositories and tags, page by page, of ours and of docker-registry, as skopeo gives them', async () => {
  for (const registry of [ours, theirs]) {
    const client = new TestClient(registry.url);
    for (const tag of ['one', 'two', 'three']) await client.pushImage('list/app', tag, 'x');
    await client.pushImage('list/other', '1', 'y');
    const tags = (await mustRun(['registry', 'tags', `${registry.host}/list/app`])).trimEnd().split('\n').sort();
    assert.deepEqual(tags, (JSON.parse(peer('skopeo', ['list-tags', '--tls-verify=false', `docker://${registry.host}/list/app`]).stdout) as { Tags: string[] }).Tags.sort());
    assert.equal(await mustRun(['registry', 'ls', registry.host]), 'list/app\nlist/other\n');
    const { stderr, status } = await run(['registry', 'tags', `${registry.host}/list/none`]);
    assert.equal(status, 125);
    assert.match(stderr, /^caisson: cannot list the tags of ".*": list\/none is not in 127\.0\.0\.1:\d+ \(check the name\)\n$/);
  }
  const { host, seen } = await registryOf(({ url }, response) => {
    const last = new URL(url, 'http://x').searchParams.get('last');
    const next = last === null ? 'a' : last === 'a' ? 'b' : undefined;
    response.writeHead(200, next === undefined ? {} : { link: `</v2/p/tags/list?last=${next}&n=1>; rel="next"` }).end(JSON.stringify({ name: 'p', tags: [next ?? 'c'] }));
  });
  assert.equal(await mustRun(['registry', 'tags', '--format', '{{.Tag}}', `${host}/p`]), 'a\nb\nc\n');
  assert.equal(seen.length, 3);
  const liar = await registryOf((_, response) => void response.writeHead(200, { link: '<http://203.0.113.1/v2/p/tags/list>; rel="next"' }).end('{"tags":[]}'));
  assert.match((await run(['registry', 'tags', `${liar.host}/p`])).stderr, /goes on with its list at http:\/\/203\.0\.113\.1 \(do not trust this registry\)/);
});

const about = (subject: string, artifactType: string): string => JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config: { mediaType: EMPTY_TYPE, digest: sha256('{}'), size: 2 }, layers: [], subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 }, annotations: { note: artifactType } });

test('referrers of a registry that does not know them are kept at a tag, and of ours they are not', async () => {
  for (const registry of [ours, theirs]) {
    const raw = new TestClient(registry.url);
    const { digest } = await raw.pushImage('about/app', '1', 'the subject');
    await raw.pushBlob('about/app', '{}');
    const client = clientOf(registry.host, 'about/app');
    assert.deepEqual(await listReferrers(client, digest as Digest), []);
    const texts = ['application/vnd.example.sbom', 'application/vnd.example.signature'].map((type) => about(digest, type));
    for (const text of [...texts, texts[0] ?? '']) await pushManifest(client, sha256(text), Buffer.from(text), { digest: sha256(text) as Digest, mediaType: OCI_MANIFEST });
    const found = await listReferrers(client, digest as Digest);
    assert.deepEqual(found.map((referrer) => [referrer.digest, referrer.artifactType, referrer.annotations]).sort(), texts.map((text, index) => [sha256(text), ['application/vnd.example.sbom', 'application/vnd.example.signature'][index], { note: ['application/vnd.example.sbom', 'application/vnd.example.signature'][index] }]).sort());
    assert.deepEqual((await listReferrers(client, digest as Digest, 'application/vnd.example.sbom')).map((referrer) => referrer.digest), [sha256(texts[0] ?? '')]);
    const atTag = await raw.ask('GET', `/v2/about/app/manifests/${referrersTag(digest as Digest)}`, { headers: { accept: OCI_INDEX } });
    assert.equal(atTag.status, registry === ours ? 404 : 200);
    assert.match(await mustRun(['registry', 'referrers', `${registry.host}/about/app:1`]), new RegExp(`${sha256(texts[1] ?? '')} +application/vnd\\.example\\.signature`));
    assert.equal(await mustRun(['registry', 'referrers', '--artifact-type', 'application/vnd.example.sbom', '--format', '{{.Digest}}', `${registry.host}/about/app:1`]), `${sha256(texts[0] ?? '')}\n`);
  }
  const { digest: other } = await new TestClient(theirs.url).pushImage('about/app', '2', 'has something else at the tag');
  await new TestClient(theirs.url).pushImage('about/app', referrersTag(other as Digest), 'no index');
  const text = about(other, 'application/vnd.example.sbom');
  const client = clientOf(theirs.host, 'about/app');
  await assert.rejects(pushManifest(client, sha256(text), Buffer.from(text), { digest: sha256(text) as Digest, mediaType: OCI_MANIFEST }), /is no list of referrers/);
  assert.deepEqual(await listReferrers(client, other as Digest), []);
});

test('in chunks: what is sent, and that both registries take it', async () => {
  const bytes = Buffer.alloc(10_500, 'chunk');
  for (const registry of [ours, theirs]) {
    const digest = sha256(bytes) as Digest;
    assert.equal(await clientOf(registry.host, 'chunks', { chunkBytes: 3000 }).putBlob(digest, bytes.length, bytesOf(bytes)), 'sent');
    assert.ok((await new TestClient(registry.url).ask('GET', `/v2/chunks/blobs/${digest}`)).body.equals(bytes));
  }
  assert.match(await mustRun(['push', '-q', '--chunk-size', '100k', 'busybox:1', `${ours.host}/chunked/busybox:1`]), /@sha256:/);
  let done = 0;
  const { host, seen } = await registryOf(({ method, body }, response) => {
    done += body.length;
    const at = { location: `/upload?state=${seen.length}`, range: `0-${done - 1}` };
    if (method === 'POST') response.writeHead(202, { ...at, 'oci-chunk-min-length': '4000' }).end();
    else if (method === 'PATCH') response.writeHead(202, at).end();
    else response.writeHead(201).end();
  });
  await clientOf(host, 'x', { chunkBytes: 1000 }).putBlob(sha256(bytes) as Digest, bytes.length, bytesOf(bytes));
  assert.deepEqual(seen.map(({ method, url, headers }) => [method, url, headers['content-length'], headers['content-range']]), [
    ['POST', '/v2/x/blobs/uploads/', '0', undefined], ['PATCH', '/upload?state=1', '4000', '0-3999'], ['PATCH', '/upload?state=2', '4000', '4000-7999'],
    ['PATCH', '/upload?state=3', '2500', '8000-10499'], ['PUT', `/upload?state=4&digest=${encodeURIComponent(sha256(bytes))}`, '0', undefined],
  ]);
  assert.ok(Buffer.concat(seen.map(({ body }) => body)).equals(bytes));
});

test('where to send a blob: the address as it came, with its own parameters and the digest', async () => {
  const { host, seen } = await registryOf(({ method }, response) => void (method === 'POST' ? response.writeHead(202, { location: '/elsewhere/u-1?_state=a%2Fb&x=1' }) : response.writeHead(201)).end());
  await clientOf(host, 'x').putBlob(sha256('blob') as Digest, 4, bytesOf(Buffer.from('blob')));
  assert.equal(seen[1]?.url, `/elsewhere/u-1?_state=a%2Fb&x=1&digest=${encodeURIComponent(sha256('blob'))}`);
  assert.equal(seen[1]?.headers['content-type'], 'application/octet-stream');
});

test('an upload that breaks goes on where the registry says that its bytes end', async () => {
  const bytes = Buffer.alloc(50_000, 'breaks');
  const kept = 20_000;
  const { host, seen } = await registryOf(({ method, url }, response, request) => {
    if (method === 'POST') response.writeHead(202, { location: '/upload/1' }).end();
    else if (method === 'PUT' && seen.filter((ask) => ask.method === 'PUT').length === 1) request.socket.destroy();
    else if (method === 'GET') response.writeHead(204, { location: '/upload/2', range: `0-${kept - 1}` }).end();
    else if (method === 'PATCH') response.writeHead(202, { location: '/upload/3', range: `0-${bytes.length - 1}` }).end();
    else if (method === 'PUT' && url.startsWith('/upload/3')) response.writeHead(201).end();
    else response.writeHead(500).end();
  });
  await clientOf(host, 'x').putBlob(sha256(bytes) as Digest, bytes.length, bytesOf(bytes));
  assert.deepEqual(seen.map(({ method, url, headers }) => [method, url.split('?')[0], headers['content-range']]), [
    ['POST', '/v2/x/blobs/uploads/', undefined], ['PUT', '/upload/1', undefined], ['GET', '/upload/1', undefined], ['PATCH', '/upload/2', `${kept}-${bytes.length - 1}`], ['PUT', '/upload/3', undefined],
  ]);
  assert.ok(seen[3]?.body.equals(bytes.subarray(kept)));
});

test('an upload that is no more begins anew; one whose answer was lost is found to be there', async () => {
  const bytes = Buffer.from('again');
  let puts = 0;
  const forgetful = await registryOf(({ method }, response) => {
    if (method === 'POST') response.writeHead(202, { location: `/upload/${puts}` }).end();
    else if (method === 'PUT') response.writeHead(++puts === 1 ? 503 : 201).end();
    else response.writeHead(404).end('{}');
  });
  await clientOf(forgetful.host, 'x').putBlob(sha256(bytes) as Digest, bytes.length, bytesOf(bytes));
  assert.deepEqual(forgetful.seen.map(({ method }) => method), ['POST', 'PUT', 'GET', 'HEAD', 'POST', 'PUT']);
  const silent = await registryOf(({ method }, response, request) => {
    if (method === 'POST') response.writeHead(202, { location: '/upload/1' }).end();
    else if (method === 'PUT') request.socket.destroy();
    else response.writeHead(method === 'HEAD' ? 200 : 404).end();
  });
  assert.equal(await clientOf(silent.host, 'x').putBlob(sha256(bytes) as Digest, bytes.length, bytesOf(bytes)), 'sent');
  assert.deepEqual(silent.seen.map(({ method }) => method), ['POST', 'PUT', 'GET', 'HEAD']);
});

test('what a pull asks: the types that it knows; parameters of a type are ignored, another type than the manifest says is not', async () => {
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: { mediaType: EMPTY_TYPE, digest: sha256('{}'), size: 2 }, layers: [] });
  const { host, seen } = await registryOf(({ url }, response) => void response.writeHead(200, { 'content-type': url.endsWith('/wrong') ? 'application/vnd.docker.distribution.manifest.v2+json' : `${OCI_MANIFEST}; charset=utf-8` }).end(manifest));
  assert.equal((await clientOf(host, 'x').getManifest('1')).mediaType, OCI_MANIFEST);
  for (const type of [OCI_MANIFEST, OCI_INDEX, 'application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.distribution.manifest.list.v2+json']) assert.ok(seen[0]?.headers.accept?.includes(type), type);
  assert.match((await run(['pull', '-q', `${host}/x:wrong`])).stderr, /it calls itself application\/vnd\.oci\.image\.manifest\.v1\+json, and came as application\/vnd\.docker/);
});

test('warnings are shown once, whatever is in them, and change nothing', async () => {
  const warnings: string[] = [];
  const { host } = await registryOf((_, response) => {
    response.setHeader('warning', ['299 - "this image is old"', '299 - "quoted \\"words\\""', '199 - "not for us"']);
    response.writeHead(200).end('{"tags":["a"]}');
  });
  const client = clientOf(host, 'x', { onWarning: (text) => warnings.push(text) });
  for (let time = 0; time < 2; time++) for await (const { document } of client.pages('tags/list')) assert.deepEqual(document, { tags: ['a'] });
  assert.deepEqual(warnings, ['this image is old', 'quoted "words"']);
  const { stdout, stderr } = await run(['registry', 'tags', `${host}/x`]);
  assert.equal(stdout, 'a\n');
  assert.match(stderr, /^127\.0\.0\.1:\d+ says: this image is old\n/);
});
