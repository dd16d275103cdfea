/**
 * What the distribution specification 1.1 asks of a registry, one row for each sentence with MUST or SHOULD, with the test that
 * shows it. The tests know nothing of our registry: they run against docker-registry as well.
 */
import assert from 'node:assert/strict';
import { EMPTY_TYPE, OCI_INDEX, OCI_MANIFEST, codesOf, json, nextOf } from './client.ts';
import type { Descriptor, TestClient } from './client.ts';
import { sha256 } from './servers.ts';

export interface Requirement {
  readonly id: string;
  readonly section: string;
  readonly level: 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT';
  readonly text: string;
  /** Why docker-registry 2.8 does not do it. Absent: it does. */
  readonly docker?: string;
  show(client: TestClient, repository: string): Promise<void>;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
const NO_REFERRERS = 'has no referrers API';
const absent = sha256('nobody has this');

async function tagged(client: TestClient, repository: string, tags: readonly string[]): Promise<void> {
  for (const tag of tags) await client.pushImage(repository, tag, 'tagged');
}

async function tagsOf(client: TestClient, path: string): Promise<{ readonly tags: readonly string[]; readonly next: string | undefined }> {
  const answer = await client.ask('GET', path);
  assert.equal(answer.status, 200);
  return { tags: json<{ tags: string[] | null }>(answer).tags ?? [], next: nextOf(answer) };
}

async function referrersOf(client: TestClient, path: string): Promise<readonly Descriptor[]> {
  const answer = await client.ask('GET', path);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), OCI_INDEX);
  const index = json<{ schemaVersion: number; mediaType: string; manifests: Descriptor[] }>(answer);
  assert.deepEqual([index.schemaVersion, index.mediaType], [2, OCI_INDEX]);
  return index.manifests;
}

const PULL: readonly Requirement[] = [
  {
    id: 'pull-1', section: 'Pulling manifests', level: 'MUST', text: '`<name>` matches the regular expression of names',
    async show(client) {
      for (const name of ['a', 'a/b/c', 'a.b_c__d---e/f0', '0']) assert.equal((await client.pushImage(name, 'x', name)).answer.status, 201, name);
      for (const name of ['A', 'a//b', 'a..b', '-a', 'a___b', 'a/-b', 'a%20b', 'ä']) {
        const { status } = await client.ask('POST', `/v2/${name}/blobs/uploads/`);
        assert.ok(status >= 300, `${name}: ${status}`);
      }
    },
  }, {
    id: 'pull-2', section: 'Pulling manifests', level: 'MUST', text: '`<reference>` is a digest or a tag, of at most 128 characters, and nothing else',
    async show(client, repository) {
      const { text } = await client.pushImage(repository, `_${'a.-'.repeat(42)}B`, 'tags');
      for (const wrong of ['-a', '.a', 'a+b', 'a'.repeat(129), 'sha256:00', `md5:${'0'.repeat(32)}`]) {
        const { status } = await client.pushManifest(repository, wrong, text);
        assert.ok(status >= 300, `${wrong}: ${status}`);
      }
    },
  }, {
    id: 'pull-3', section: 'Pulling manifests', level: 'SHOULD NOT', text: 'the registry includes parameters on `Content-Type`',
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, 'x', 'type');
      for (const reference of ['x', digest]) assert.equal((await client.ask('GET', `/v2/${repository}/manifests/${reference}`, { headers: { accept: OCI_MANIFEST } })).headers.get('content-type'), OCI_MANIFEST);
    },
  }, {
    id: 'pull-4', section: 'Pulling manifests', level: 'SHOULD', text: '`Content-Type` is what the client pushed',
    async show(client, repository) {
      const type = 'application/vnd.docker.distribution.manifest.v2+json';
      const [config, layer] = [await client.pushBlob(repository, '{}', 'application/vnd.docker.container.image.v1+json'), await client.pushBlob(repository, 'layer', 'application/vnd.docker.image.rootfs.diff.tar.gzip')];
      const text = JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers: [layer] });
      const { status, digest } = await client.pushManifest(repository, 'v2', text, type);
      assert.equal(status, 201);
      for (const reference of ['v2', digest]) assert.equal((await client.ask('GET', `/v2/${repository}/manifests/${reference}`, { headers: { accept: type } })).headers.get('content-type'), type);
    },
  }, {
    id: 'pull-5', section: 'Pulling manifests', level: 'MUST', text: 'a GET of a manifest gives it, with `200 OK`',
    async show(client, repository) {
      const { text, digest } = await client.pushImage(repository, 'x', 'manifest');
      for (const reference of ['x', digest]) {
        const { status, body } = await client.ask('GET', `/v2/${repository}/manifests/${reference}`, { headers: { accept: OCI_MANIFEST } });
        assert.deepEqual([status, body.toString()], [200, text]);
      }
    },
  }, {
    id: 'pull-6', section: 'Pulling manifests', level: 'SHOULD', text: 'the answer has the digest in `Docker-Content-Digest`',
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, 'x', 'manifest');
      for (const method of ['GET', 'HEAD']) assert.equal((await client.ask(method, `/v2/${repository}/manifests/x`, { headers: { accept: OCI_MANIFEST } })).headers.get('docker-content-digest'), digest);
    },
  }, {
    id: 'pull-7', section: 'Pulling manifests', level: 'MUST', text: 'a manifest that the repository has not is answered with `404 Not Found`',
    async show(client, repository) {
      await client.pushImage(repository, 'x', 'manifest');
      for (const reference of ['y', absent]) assert.equal((await client.ask('GET', `/v2/${repository}/manifests/${reference}`)).status, 404);
    },
  }, {
    id: 'pull-8', section: 'Pulling blobs', level: 'MUST', text: 'a GET of a blob gives it, with `200 OK`',
    async show(client, repository) {
      for (const bytes of [Buffer.from('blob'), Buffer.alloc(3_000_000, 'many bytes '), Buffer.alloc(0)]) {
        const { digest } = await client.pushBlob(repository, bytes);
        const answer = await client.ask('GET', `/v2/${repository}/blobs/${digest}`);
        assert.equal(answer.status, 200);
        assert.ok(answer.body.equals(bytes));
      }
    },
  }, {
    id: 'pull-9', section: 'Pulling blobs', level: 'SHOULD', text: 'the answer has the digest in `Docker-Content-Digest`; if it has, it is that of the body',
    async show(client, repository) {
      const { digest } = await client.pushBlob(repository, 'blob');
      assert.equal((await client.ask('GET', `/v2/${repository}/blobs/${digest}`)).headers.get('docker-content-digest'), digest);
    },
  }, {
    id: 'pull-10', section: 'Pulling blobs', level: 'MUST', text: 'a blob that the repository has not is answered with `404 Not Found`',
    async show(client, repository) {
      const { digest } = await client.pushBlob(repository, 'blob of one repository');
      await client.pushBlob(`${repository}-other`, 'another blob');
      for (const path of [`${repository}/blobs/${absent}`, `${repository}-other/blobs/${digest}`, `${repository}-none/blobs/${digest}`]) assert.equal((await client.ask('GET', `/v2/${path}`)).status, 404, path);
    },
  }, {
    id: 'pull-11', section: 'Pulling blobs', level: 'SHOULD', text: '`Range` is obeyed as RFC 9110 says',
    async show(client, repository) {
      const bytes = Buffer.from('0123456789');
      const { digest } = await client.pushBlob(repository, bytes);
      const cases: readonly (readonly [range: string, expected: string, contentRange: string])[] = [['bytes=0-3', '0123', 'bytes 0-3/10'], ['bytes=4-4', '4', 'bytes 4-4/10'], ['bytes=7-', '789', 'bytes 7-9/10'], ['bytes=-2', '89', 'bytes 8-9/10'], ['bytes=5-100', '56789', 'bytes 5-9/10']];
      for (const [range, expected, contentRange] of cases) {
        const { status, headers, body } = await client.ask('GET', `/v2/${repository}/blobs/${digest}`, { headers: { range } });
        assert.deepEqual([status, body.toString(), headers.get('content-range'), headers.get('content-length')], [206, expected, contentRange, String(expected.length)], range);
      }
      assert.equal(await client.statusOf('GET', `/v2/${repository}/blobs/${digest}`, { range: 'bytes=10-' }), 416);
      const status = await client.statusOf('GET', `/v2/${repository}/blobs/${digest}`, { range: 'lines=1-2' });
      assert.ok(status === 200 || status === 416);
    },
  }, {
    id: 'pull-12', section: 'Checking if content exists', level: 'MUST', text: 'a HEAD of a blob or manifest that is there is answered with `200 OK`',
    async show(client, repository) {
      const { digest, layer } = await client.pushImage(repository, 'x', 'head');
      for (const path of [`manifests/x`, `manifests/${digest}`, `blobs/${layer.digest}`]) {
        const { status, body } = await client.ask('HEAD', `/v2/${repository}/${path}`, { headers: { accept: OCI_MANIFEST } });
        assert.deepEqual([status, body.length], [200, 0], path);
      }
    },
  }, {
    id: 'pull-13', section: 'Checking if content exists', level: 'SHOULD', text: 'the answer has digest and size, in `Docker-Content-Digest` and `Content-Length`',
    async show(client, repository) {
      const { digest, text, layer } = await client.pushImage(repository, 'x', 'head with size');
      for (const [path, wanted, size] of [['manifests/x', digest, text.length], [`blobs/${layer.digest}`, layer.digest, layer.size]] as const) {
        const { headers } = await client.ask('HEAD', `/v2/${repository}/${path}`, { headers: { accept: OCI_MANIFEST } });
        assert.deepEqual([headers.get('docker-content-digest'), headers.get('content-length')], [wanted, String(size)]);
      }
    },
  }, {
    id: 'pull-14', section: 'Checking if content exists', level: 'MUST', text: 'a HEAD of what is not there is answered with `404 Not Found`',
    async show(client, repository) {
      await client.pushImage(repository, 'x', 'head');
      for (const path of ['manifests/y', `manifests/${absent}`, `blobs/${absent}`]) assert.equal((await client.ask('HEAD', `/v2/${repository}/${path}`)).status, 404, path);
    },
  },
];

const PUSH: readonly Requirement[] = [
  {
    id: 'push-1', section: 'Push', level: 'MUST', text: 'a manifest whose `subject` is not there is accepted',
    async show(client, repository) {
      const { answer } = await client.pushImage(repository, undefined, 'about', { subject: { mediaType: OCI_MANIFEST, digest: absent, size: 7 } });
      assert.equal(answer.status, 201);
    },
  }, {
    id: 'push-2', section: 'Push', level: 'MUST', text: 'a manifest that is refused because of what it names is answered with `MANIFEST_BLOB_UNKNOWN`',
    async show(client, repository) {
      const config = await client.pushBlob(repository, '{}', EMPTY_TYPE);
      const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: absent, size: 15 }] });
      const answer = await client.pushManifest(repository, 'x', text);
      assert.ok(answer.status === 404 || answer.status === 400, String(answer.status));
      assert.ok(codesOf(answer).includes('MANIFEST_BLOB_UNKNOWN'));
    },
  }, {
    id: 'push-3', section: 'POST then PUT', level: 'MUST', text: 'an upload begins with `202 Accepted` and a `Location` that has a UUID',
    async show(client, repository) {
      const [first, second] = [await client.begin(repository), await client.begin(repository)];
      assert.match(first, UUID);
      assert.notEqual(UUID.exec(first)?.[0], UUID.exec(second)?.[0]);
    },
  }, {
    id: 'push-4', section: 'POST then PUT', level: 'MUST', text: 'it ends with `201 Created` and a `Location` from which the blob can be pulled',
    async show(client, repository) {
      const digest = sha256('post then put');
      const { status, headers } = await client.ask('PUT', client.ending(await client.begin(repository), digest), { headers: { 'content-type': 'application/octet-stream' }, body: 'post then put' });
      assert.equal(status, 201);
      assert.equal((await client.ask('GET', headers.get('location') ?? '')).body.toString(), 'post then put');
    },
  }, {
    id: 'push-5', section: 'Single POST', level: 'MUST', text: 'one request that succeeds is answered with `201 Created` and a `Location`; a registry that does not know it SHOULD answer 202',
    async show(client, repository) {
      const { status, headers } = await client.ask('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256('one post')}`, { headers: { 'content-type': 'application/octet-stream' }, body: 'one post' });
      const location = headers.get('location') ?? '';
      if (status === 201) assert.equal((await client.ask('GET', location)).body.toString(), 'one post');
      else assert.equal((await client.ask('PUT', client.ending(location, sha256('one post')), { body: 'one post' })).status, 201);
    },
  }, {
    id: 'push-6', section: 'Single POST', level: 'MUST', text: 'the digest is that of the blob: another one is refused',
    async show(client, repository) {
      const answer = await client.ask('PUT', client.ending(await client.begin(repository), absent), { body: 'something else' });
      assert.equal(answer.status, 400);
      assert.deepEqual(codesOf(answer), ['DIGEST_INVALID']);
      assert.equal((await client.ask('HEAD', `/v2/${repository}/blobs/${absent}`)).status, 404);
    },
  }, {
    id: 'push-7', section: 'Pushing a blob in chunks', level: 'SHOULD', text: 'a registry with a least size of chunks says `OCI-Chunk-Min-Length`; one that says none takes a chunk of one byte',
    async show(client, repository) {
      const { headers } = await client.ask('POST', `/v2/${repository}/blobs/uploads/`);
      if (headers.get('oci-chunk-min-length') === null) assert.equal((await client.ask('PATCH', headers.get('location') ?? '', { headers: { 'content-range': '0-0' }, body: 'x' })).status, 202);
    },
  }, {
    id: 'push-8', section: 'Pushing a blob in chunks', level: 'MUST', text: 'each chunk is answered with `202 Accepted`, `Location`, and `Range: 0-<end-of-range>`',
    async show(client, repository) {
      let location = await client.begin(repository);
      for (const [range, chunk, end] of [['0-3', '0123', 3], ['4-4', '4', 4], ['5-9', '56789', 9]] as const) {
        const { status, headers } = await client.ask('PATCH', location, { headers: { 'content-type': 'application/octet-stream', 'content-range': range }, body: chunk });
        assert.deepEqual([status, headers.get('range')], [202, `0-${end}`]);
        location = headers.get('location') ?? '';
      }
      assert.equal((await client.ask('PUT', client.ending(location, sha256('0123456789')))).status, 201);
    },
  }, {
    id: 'push-9', section: 'Pushing a blob in chunks', level: 'MUST', text: 'the first chunk begins with 0, and its range is two numbers',
    docker: 'looks at no Content-Range',
    async show(client, repository) {
      const location = await client.begin(repository);
      assert.equal((await client.ask('PATCH', location, { headers: { 'content-range': '5-8' }, body: '5678' })).status, 416);
      for (const range of ['0', 'bytes 0-3/4', '3-0']) {
        const { status } = await client.ask('PATCH', location, { headers: { 'content-range': range }, body: '0123' });
        assert.ok(status >= 400 && status < 500, `${range}: ${status}`);
      }
    },
  }, {
    id: 'push-10', section: 'Pushing a blob in chunks', level: 'MUST', text: 'a chunk out of order is answered with `416`, and a GET then says where to go on',
    docker: 'looks at no Content-Range',
    async show(client, repository) {
      const first = await client.ask('PATCH', await client.begin(repository), { headers: { 'content-range': '0-3' }, body: '0123' });
      const location = first.headers.get('location') ?? '';
      for (const range of ['5-8', '0-3', '3-6']) assert.equal((await client.ask('PATCH', location, { headers: { 'content-range': range }, body: 'four' })).status, 416, range);
      assert.equal((await client.ask('PUT', client.ending(location, sha256('0123four')), { headers: { 'content-range': '6-9' }, body: 'four' })).status, 416);
      const { status, headers } = await client.ask('GET', location);
      assert.deepEqual([status, headers.get('range')], [204, '0-3']);
      assert.equal((await client.ask('PUT', client.ending(headers.get('location') ?? '', sha256('01234567')), { headers: { 'content-range': '4-7' }, body: '4567' })).status, 201);
    },
  }, {
    id: 'push-11', section: 'Pushing a blob in chunks', level: 'MUST', text: 'the session is closed with a PUT, with or without the last chunk',
    async show(client, repository) {
      for (const last of ['', 'and the end']) {
        const digest = sha256(`chunks${last}`);
        const { headers } = await client.ask('PATCH', await client.begin(repository), { headers: { 'content-range': '0-5' }, body: 'chunks' });
        assert.equal((await client.ask('HEAD', `/v2/${repository}/blobs/${digest}`)).status, 404);
        const closing = last === '' ? {} : { headers: { 'content-range': `6-${5 + last.length}`, 'content-type': 'application/octet-stream' }, body: last };
        assert.equal((await client.ask('PUT', client.ending(headers.get('location') ?? '', digest), closing)).status, 201);
        assert.equal((await client.ask('GET', `/v2/${repository}/blobs/${digest}`)).body.toString(), `chunks${last}`);
      }
    },
  }, {
    id: 'push-12', section: 'Pushing a blob in chunks', level: 'MUST', text: 'the closing PUT has the digest of the whole: without one it is refused',
    async show(client, repository) {
      const { headers } = await client.ask('PATCH', await client.begin(repository), { body: 'chunks' });
      assert.equal((await client.ask('PUT', headers.get('location') ?? '')).status, 400);
    },
  }, {
    id: 'push-13', section: 'Pushing a blob in chunks', level: 'MUST', text: 'the status of an upload is `204 No Content` with `Location` and `Range`',
    async show(client, repository) {
      const { headers } = await client.ask('PATCH', await client.begin(repository), { body: 'so far' });
      const status = await client.ask('GET', headers.get('location') ?? '');
      assert.deepEqual([status.status, status.headers.get('range')], [204, '0-5']);
      assert.match(status.headers.get('location') ?? '', UUID);
    },
  }, {
    id: 'push-14', section: 'Mounting a blob', level: 'MUST', text: 'a mount is answered with `201 Created` and a `Location` from which the blob can be pulled',
    async show(client, repository) {
      const { digest } = await client.pushBlob(`${repository}-from`, 'mounted');
      const { status, headers } = await client.ask('POST', `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${repository}-from`);
      assert.equal(status, 201);
      assert.equal((await client.ask('GET', headers.get('location') ?? '')).body.toString(), 'mounted');
      assert.equal((await client.ask('HEAD', `/v2/${repository}/blobs/${digest}`)).status, 200);
    },
  }, {
    id: 'push-15', section: 'Mounting a blob', level: 'SHOULD', text: 'a mount that is not possible begins an upload: `202 Accepted`',
    async show(client, repository) {
      await client.pushBlob(`${repository}-from`, 'something');
      for (const from of [`${repository}-from`, `${repository}-none`]) {
        const { status, headers } = await client.ask('POST', `/v2/${repository}/blobs/uploads/?mount=${absent}&from=${from}`);
        assert.equal(status, 202);
        assert.match(headers.get('location') ?? '', UUID);
      }
    },
  }, {
    id: 'push-16', section: 'Pushing Manifests', level: 'SHOULD', text: 'the registry ignores parameters on `Content-Type`',
    async show(client, repository) {
      const { text } = await client.pushImage(repository, 'x', 'parameters');
      assert.equal((await client.pushManifest(repository, 'y', text, `${OCI_MANIFEST}; charset=utf-8`)).status, 201);
    },
  }, {
    id: 'push-17', section: 'Pushing Manifests', level: 'MUST', text: 'the manifest is stored in the exact bytes',
    async show(client, repository) {
      const [config, layer] = [await client.pushBlob(repository, '{}', EMPTY_TYPE), await client.pushBlob(repository, 'bytes', 'application/vnd.oci.image.layer.v1.tar')];
      const text = `\n {"layers":\t[${JSON.stringify(layer)}],  "config" : ${JSON.stringify(config)}, "schemaVersion":2, "mediaType":"${OCI_MANIFEST}", "unknown": [1e2, "\\u00e9é"] }\n\n`;
      const { status, digest } = await client.pushManifest(repository, 'x', text);
      assert.equal(status, 201);
      for (const reference of ['x', digest]) assert.equal((await client.ask('GET', `/v2/${repository}/manifests/${reference}`, { headers: { accept: OCI_MANIFEST } })).body.toString(), text);
    },
  }, {
    id: 'push-18', section: 'Pushing Manifests', level: 'MUST', text: 'a push is answered with `201 Created` and a `Location` from which the manifest can be pulled',
    async show(client, repository) {
      const { answer, text } = await client.pushImage(repository, 'x', 'location');
      assert.equal((await client.ask('GET', answer.headers.get('location') ?? '', { headers: { accept: OCI_MANIFEST } })).body.toString(), text);
    },
  }, {
    id: 'push-19', section: 'Pushing Manifests', level: 'MUST', text: '`Docker-Content-Digest` is the digest that the client gave; another one is refused',
    async show(client, repository) {
      const { answer, digest, text } = await client.pushImage(repository, undefined, 'digest');
      assert.equal(answer.headers.get('docker-content-digest'), digest);
      const wrong = await client.pushManifest(repository, absent, text);
      assert.equal(wrong.status, 400);
      assert.deepEqual(codesOf(wrong), ['DIGEST_INVALID']);
    },
  }, {
    id: 'push-20', section: 'Pushing Manifests', level: 'MUST', text: 'a pull from a repository that is not there is answered with `404 Not Found`',
    async show(client, repository) {
      assert.equal((await client.ask('GET', `/v2/${repository}-none/manifests/x`)).status, 404);
    },
  }, {
    id: 'push-21', section: 'Pushing Manifests', level: 'SHOULD', text: 'there is a limit on the size of manifests, and what is above it is answered with `413`',
    docker: 'answers 400',
    async show(client, repository) {
      assert.equal((await client.pushManifest(repository, 'x', JSON.stringify({ schemaVersion: 2, x: 'x'.repeat(64 * 2 ** 20) }))).status, 413);
    },
  }, {
    id: 'push-22', section: 'Pushing Manifests', level: 'SHOULD', text: 'manifests of 4 megabytes are taken',
    async show(client, repository) {
      await client.pushImage(repository, 'x', 'large', { annotations: { large: 'x'.repeat(3_990_000) } });
      assert.ok((await client.ask('GET', `/v2/${repository}/manifests/x`, { headers: { accept: OCI_MANIFEST } })).body.length > 3_990_000);
    },
  }, {
    id: 'push-23', section: 'Pushing Manifests with Subject', level: 'MUST', text: 'a registry with the referrers API answers a manifest with a `subject` with `OCI-Subject`',
    docker: NO_REFERRERS,
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, 'x', 'subject');
      const { answer } = await client.pushImage(repository, undefined, 'about it', { subject: { mediaType: OCI_MANIFEST, digest, size: 7 } });
      assert.equal(answer.headers.get('oci-subject'), digest);
    },
  },
];

const TAGS = ['alpha', 'Beta', 'gamma', 'delta1', 'Delta0', '_1', '10', '9'];
/** As if all were small letters. */
const SORTED = ['10', '9', '_1', 'alpha', 'Beta', 'Delta0', 'delta1', 'gamma'];

const DISCOVERY: readonly Requirement[] = [
  {
    id: 'list-1', section: 'Listing Tags', level: 'MUST', text: 'the list of a repository is answered with `200 OK`, as JSON of `name` and `tags`; it may be empty',
    async show(client, repository) {
      await tagged(client, repository, ['one', 'two']);
      const answer = await client.ask('GET', `/v2/${repository}/tags/list`);
      assert.equal(answer.status, 200);
      assert.deepEqual(json(answer), { name: repository, tags: ['one', 'two'] });
      assert.equal((await client.ask('GET', `/v2/${repository}-none/tags/list`)).status, 404);
    },
  }, {
    id: 'list-2', section: 'Listing Tags', level: 'MUST', text: 'tags are in lexical order, "i.e. case-insensitive alphanumeric"',
    docker: 'gives tags in no order at all',
    async show(client, repository) {
      await tagged(client, repository, TAGS);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list`)).tags, SORTED);
    },
  }, {
    id: 'list-3', section: 'Listing Tags', level: 'MUST', text: 'with `n` there are so many, unless there are fewer or a `Link` leads on',
    docker: 'has no pages of tags: n is not looked at',
    async show(client, repository) {
      await tagged(client, repository, ['a', 'b', 'c', 'd', 'e']);
      const first = await tagsOf(client, `/v2/${repository}/tags/list?n=2`);
      assert.deepEqual(first.tags, ['a', 'b']);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list?n=50`)).tags, ['a', 'b', 'c', 'd', 'e']);
    },
  }, {
    id: 'list-4', section: 'Listing Tags', level: 'MUST', text: 'a `Link` is as RFC 5988 says, with `rel="next"`; following it gives all, each once',
    docker: 'gives tags in no order at all',
    async show(client, repository) {
      await tagged(client, repository, ['a', 'b', 'c', 'd', 'e']);
      const all: string[] = [];
      for (let path: string | undefined = `/v2/${repository}/tags/list?n=2`; path !== undefined;) {
        const page = await tagsOf(client, path);
        all.push(...page.tags);
        path = page.next;
      }
      assert.deepEqual(all, ['a', 'b', 'c', 'd', 'e']);
    },
  }, {
    id: 'list-5', section: 'Listing Tags', level: 'MUST', text: 'with `n=0` the list is empty, without a `Link`',
    docker: 'has no pages of tags: n is not looked at',
    async show(client, repository) {
      await tagged(client, repository, ['a']);
      assert.deepEqual(await tagsOf(client, `/v2/${repository}/tags/list?n=0`), { tags: [], next: undefined });
    },
  }, {
    id: 'list-6', section: 'Listing Tags', level: 'MUST', text: 'with `last`, which is a tag, the list begins behind it, with and without `n`',
    docker: 'has no pages of tags: last is not looked at',
    async show(client, repository) {
      await tagged(client, repository, ['a', 'b', 'c', 'd', 'e']);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list?n=2&last=b`)).tags, ['c', 'd']);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list?last=c`)).tags, ['d', 'e']);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list?last=bb`)).tags, ['c', 'd', 'e']);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list?last=e`)).tags, []);
    },
  }, {
    id: 'referrers-1', section: 'Listing Referrers', level: 'MUST', text: 'it is answered with `200 OK`, never with 404; with nothing to list, with an empty list', docker: NO_REFERRERS,
    async show(client, repository) {
      await client.pushBlob(repository, 'something');
      assert.deepEqual(await referrersOf(client, `/v2/${repository}/referrers/${absent}`), []);
    },
  }, {
    id: 'referrers-2', section: 'Listing Referrers', level: 'MUST', text: 'a digest that is not well formed is answered with `400 Bad Request`', docker: NO_REFERRERS,
    async show(client, repository) {
      await client.pushBlob(repository, 'something');
      for (const wrong of ['x', 'sha256:00', 'sha256:zz']) assert.equal((await client.ask('GET', `/v2/${repository}/referrers/${wrong}`)).status, 400);
    },
  }, {
    id: 'referrers-3', section: 'Listing Referrers', level: 'MUST', text: 'the answer is an image index of descriptors, of that type, with what was pushed in the repository and names the subject', docker: NO_REFERRERS,
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, 'x', 'the subject');
      const about = { subject: { mediaType: OCI_MANIFEST, digest, size: 7 } };
      const [first, second] = [await client.pushImage(repository, undefined, 'first', about), await client.pushImage(repository, 'tagged', 'second', about)];
      await client.pushImage(`${repository}-other`, undefined, 'elsewhere', about);
      const list = await referrersOf(client, `/v2/${repository}/referrers/${digest}`);
      assert.deepEqual(list.map((descriptor) => [descriptor.digest, descriptor.size, descriptor.mediaType]).sort(), [first, second].map(({ digest: own, text }) => [own, text.length, OCI_MANIFEST]).sort());
    },
  }, {
    id: 'referrers-4', section: 'Listing Referrers', level: 'MUST', text: '`artifactType` is that of the manifest or index; else the type of the configuration; an index without one has none', docker: NO_REFERRERS,
    async show(client, repository) {
      const subject = { mediaType: OCI_MANIFEST, digest: absent, size: 7 };
      const typed = await client.pushImage(repository, undefined, 'typed', { subject, artifactType: 'application/vnd.example.sbom' });
      const plain = await client.pushImage(repository, undefined, 'plain', { subject });
      const empty = await client.pushImage(repository, undefined, 'empty', { subject, artifactType: '' });
      const indexes = [JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], subject }), JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], subject, artifactType: 'application/vnd.example.index' })];
      for (const text of indexes) assert.equal((await client.pushManifest(repository, undefined, text, OCI_INDEX)).status, 201);
      const types = Object.fromEntries((await referrersOf(client, `/v2/${repository}/referrers/${absent}`)).map((descriptor) => [descriptor.digest, 'artifactType' in descriptor ? descriptor.artifactType : undefined]));
      assert.deepEqual(types, { [typed.digest]: 'application/vnd.example.sbom', [plain.digest]: EMPTY_TYPE, [empty.digest]: EMPTY_TYPE, [sha256(indexes[0] ?? '')]: undefined, [sha256(indexes[1] ?? '')]: 'application/vnd.example.index' });
    },
  }, {
    id: 'referrers-5', section: 'Listing Referrers', level: 'MUST', text: 'the descriptors have the annotations of the manifests', docker: NO_REFERRERS,
    async show(client, repository) {
      const annotations = { 'org.example.note': 'ä note' };
      await client.pushImage(repository, undefined, 'annotated', { subject: { mediaType: OCI_MANIFEST, digest: absent, size: 7 }, annotations });
      assert.deepEqual((await referrersOf(client, `/v2/${repository}/referrers/${absent}`)).map((descriptor) => descriptor.annotations), [annotations]);
    },
  }, {
    id: 'referrers-6', section: 'Listing Referrers', level: 'MUST', text: 'what does not fit into one manifest goes on at a `Link`, with `rel="next"`', docker: NO_REFERRERS,
    async show(client, repository) {
      const pushed: string[] = [];
      for (let index = 0; index < 5; index++) {
        const { digest } = await client.pushImage(repository, undefined, `large ${index}`, { subject: { mediaType: OCI_MANIFEST, digest: absent, size: 7 }, annotations: { large: 'x'.repeat(1_500_000) } });
        pushed.push(digest);
      }
      const found: string[] = [];
      let pages = 0;
      for (let path: string | undefined = `/v2/${repository}/referrers/${absent}`; path !== undefined; pages++) {
        const answer = await client.ask('GET', path);
        assert.ok(answer.body.length <= 4 * 2 ** 20, `${answer.body.length} bytes`);
        found.push(...json<{ manifests: Descriptor[] }>(answer).manifests.map(({ digest }) => digest));
        path = nextOf(answer);
      }
      assert.ok(pages > 1);
      assert.deepEqual(found.sort(), pushed.sort());
    },
  }, {
    id: 'referrers-7', section: 'Listing Referrers', level: 'SHOULD', text: 'it can be filtered by `artifactType`; the answer then MUST say `OCI-Filters-Applied: artifactType`', docker: NO_REFERRERS,
    async show(client, repository) {
      const subject = { mediaType: OCI_MANIFEST, digest: absent, size: 7 };
      const { digest } = await client.pushImage(repository, undefined, 'sbom', { subject, artifactType: 'application/vnd.example+sbom' });
      await client.pushImage(repository, undefined, 'signature', { subject, artifactType: 'application/vnd.example.signature' });
      const answer = await client.ask('GET', `/v2/${repository}/referrers/${absent}?artifactType=${encodeURIComponent('application/vnd.example+sbom')}`);
      assert.equal(answer.headers.get('oci-filters-applied'), 'artifactType');
      assert.deepEqual(json<{ manifests: Descriptor[] }>(answer).manifests.map((descriptor) => descriptor.digest), [digest]);
      assert.equal((await client.ask('GET', `/v2/${repository}/referrers/${absent}`)).headers.get('oci-filters-applied'), null);
    },
  }, {
    id: 'referrers-8', section: 'Enabling the Referrers API', level: 'MUST', text: 'manifests with a subject that were listed at a tag of the referrers tag schema are in the answer', docker: NO_REFERRERS,
    async show(client, repository) {
      const { digest: subject } = await client.pushImage(repository, 'x', 'old subject');
      const { digest, text } = await client.pushImage(repository, undefined, 'old signature', { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 } });
      const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ mediaType: OCI_MANIFEST, digest, size: text.length, artifactType: EMPTY_TYPE }] });
      assert.equal((await client.pushManifest(repository, subject.replace(':', '-'), index, OCI_INDEX)).status, 201);
      assert.deepEqual((await referrersOf(client, `/v2/${repository}/referrers/${subject}`)).map((descriptor) => descriptor.digest), [digest]);
    },
  },
];

const MANAGEMENT: readonly Requirement[] = [
  {
    id: 'delete-1', section: 'Deleting tags', level: 'MUST', text: 'a tag is deleted with `202 Accepted`, and gone; the manifest stays',
    docker: 'deletes no tags',
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, 'x', 'delete a tag');
      await client.pushImage(repository, 'y', 'delete a tag');
      assert.equal((await client.ask('DELETE', `/v2/${repository}/manifests/x`)).status, 202);
      const found = await Promise.all(['x', 'y', digest].map((reference) => client.ask('HEAD', `/v2/${repository}/manifests/${reference}`, { headers: { accept: OCI_MANIFEST } })));
      assert.deepEqual(found.map(({ status }) => status), [404, 200, 200]);
      assert.deepEqual((await tagsOf(client, `/v2/${repository}/tags/list`)).tags, ['y']);
    },
  }, {
    id: 'delete-2', section: 'Deleting Manifests', level: 'MUST', text: 'a manifest is deleted with `202 Accepted`, and gone with its tags',
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, 'x', 'delete a manifest');
      assert.equal((await client.ask('DELETE', `/v2/${repository}/manifests/${digest}`)).status, 202);
      for (const reference of ['x', digest]) assert.equal((await client.ask('GET', `/v2/${repository}/manifests/${reference}`)).status, 404);
    },
  }, {
    id: 'delete-3', section: 'Deleting Manifests', level: 'MUST', text: 'in a repository that is not there, it is answered with `404 Not Found`',
    async show(client, repository) {
      assert.equal((await client.ask('DELETE', `/v2/${repository}-none/manifests/${absent}`)).status, 404);
    },
  }, {
    id: 'delete-4', section: 'Deleting Manifests', level: 'MUST', text: 'what was deleted is in no list of referrers', docker: NO_REFERRERS,
    async show(client, repository) {
      const { digest } = await client.pushImage(repository, undefined, 'deleted', { subject: { mediaType: OCI_MANIFEST, digest: absent, size: 7 } });
      assert.equal((await client.ask('DELETE', `/v2/${repository}/manifests/${digest}`)).status, 202);
      assert.deepEqual(await referrersOf(client, `/v2/${repository}/referrers/${absent}`), []);
    },
  }, {
    id: 'delete-5', section: 'Deleting Blobs', level: 'MUST', text: 'a blob is deleted with `202 Accepted`, and gone; one that is not there is answered with `404 Not Found`',
    async show(client, repository) {
      const { digest } = await client.pushBlob(repository, 'delete a blob');
      assert.equal((await client.ask('DELETE', `/v2/${repository}/blobs/${digest}`)).status, 202);
      assert.equal((await client.ask('GET', `/v2/${repository}/blobs/${digest}`)).status, 404);
      assert.equal((await client.ask('DELETE', `/v2/${repository}/blobs/${absent}`)).status, 404);
    },
  },
];

const API: readonly Requirement[] = [
  {
    id: 'api-1', section: 'Determining Support', level: 'MUST', text: '`GET /v2/` is answered with `200 OK`',
    async show(client) {
      assert.equal((await client.ask('GET', '/v2/')).status, 200);
    },
  }, {
    id: 'api-2', section: 'Error Codes', level: 'MUST', text: 'a failure in JSON is a list of `errors`, each with one of the codes of the specification',
    async show(client, repository) {
      await client.pushBlob(repository, 'something');
      const asks: readonly (readonly [method: string, path: string, code: string])[] = [
        ['GET', `${repository}/blobs/${absent}`, 'BLOB_UNKNOWN'], ['GET', `${repository}/manifests/none`, 'MANIFEST_UNKNOWN'], ['GET', `${repository}/blobs/sha256:00`, 'DIGEST_INVALID'],
        ['GET', `${repository}-none/tags/list`, 'NAME_UNKNOWN'], ['PATCH', `${repository}/blobs/uploads/00000000-0000-4000-8000-000000000000`, 'BLOB_UPLOAD_UNKNOWN'],
      ];
      for (const [method, path, code] of asks) {
        const answer = await client.ask(method, `/v2/${path}`);
        if (answer.headers.get('content-type')?.startsWith('application/json') === true && answer.status < 500) assert.match(codesOf(answer).join(), /^[A-Z_]+$/);
        if (code !== 'BLOB_UPLOAD_UNKNOWN' && code !== 'DIGEST_INVALID') assert.deepEqual(codesOf(answer), [code], path);
      }
      const invalid = await client.pushManifest(repository, 'x', '{"schemaVersion":2');
      assert.deepEqual([invalid.status, codesOf(invalid)], [400, ['MANIFEST_INVALID']]);
    },
  }, {
    id: 'api-3', section: 'Warnings', level: 'MUST', text: '`Warning` headers have the code 299, the agent `-`, no date, and 4096 bytes at most',
    async show(client, repository) {
      const { answer } = await client.pushImage(repository, 'x', 'warnings');
      const warning = answer.headers.get('warning');
      if (warning !== null) assert.match(warning, /^299 - "[^"]*"(, 299 - "[^"]*")*$/);
      assert.ok((warning ?? '').length <= 4096);
    },
  },
];

export const REQUIREMENTS: readonly Requirement[] = [...API, ...PULL, ...PUSH, ...DISCOVERY, ...MANAGEMENT];
