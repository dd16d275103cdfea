/** `build --provenance`: an in-toto statement with a SLSA 1.0 predicate, checked field by field against the specifications, about the very image. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { commandIn, peer } from '../images/fixtures.ts';
import { Scratch } from '../registry/servers.ts';
import { baseLayout, makeContext, openStore } from './harness.ts';

const servers = new Scratch('provenance');
const scratch = servers.directory;
const home = join(scratch, 'store');
const { run, mustRun } = commandIn({ CAISSON_HOME: home });
const IN_TOTO = 'application/vnd.in-toto+json';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = Readonly<Record<string, Json>>;

before(() => mustRun(['load', '-i', baseLayout()]));

after(() => servers.clean());

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const blob = (digest: string): Buffer => readFileSync(join(home, 'blobs/sha256', digest.slice(7)));
/** A manifest's digest, and those of its configuration and layers. */
const referencedBy = (digest: string): readonly string[] => {
  const { config, layers } = JSON.parse(blob(digest).toString()) as { config: { digest: string }; layers: { digest: string }[] };
  return [digest, config.digest, ...layers.map((layer) => layer.digest)];
};
const object = (value: Json | undefined, what: string): JsonObject => {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} is no object`);
  return value as JsonObject;
};
const list = (value: Json | undefined, what: string): readonly Json[] => {
  assert.ok(Array.isArray(value), `${what} is no list`);
  return value as readonly Json[];
};

/** A URI (RFC 3986) with a scheme. */
function checkUri(value: Json | undefined, what: string): void {
  assert.ok(typeof value === 'string' && /^[a-z][a-z0-9+.-]*:\S+$/i.test(value), `${what} is no URI: ${JSON.stringify(value)}`);
}

/** in-toto attestation framework, `spec/v1/digest_set.md`. */
function checkDigestSet(value: Json | undefined, what: string): void {
  const entries = Object.entries(object(value, what));
  assert.ok(entries.length > 0, `${what} is empty`);
  for (const [algorithm, digits] of entries) assert.ok(algorithm === 'sha256' && typeof digits === 'string' && /^[0-9a-f]{64}$/.test(digits), `${what}: ${algorithm}`);
}

/** `spec/v1/resource_descriptor.md`: one of uri, digest and content at least; no field that it does not know. */
function checkResource(value: Json, what: string): void {
  const resource = object(value, what);
  for (const field of Object.keys(resource)) assert.ok(['name', 'uri', 'digest', 'content', 'downloadLocation', 'mediaType', 'annotations'].includes(field), `${what}: ${field}`);
  assert.ok(['uri', 'digest', 'content'].some((field) => resource[field] !== undefined), `${what} says nothing`);
  if (resource['uri'] !== undefined) checkUri(resource['uri'], `${what}.uri`);
  if (resource['digest'] !== undefined) checkDigestSet(resource['digest'], `${what}.digest`);
  for (const field of ['name', 'content', 'mediaType']) assert.ok(resource[field] === undefined || typeof resource[field] === 'string', `${what}.${field}`);
}

/** `spec/v1/statement.md` and slsa.dev/spec/v1.0/provenance: required fields, types, and nothing that they do not know. */
function checkStatement(statement: JsonObject): { readonly definition: JsonObject; readonly details: JsonObject } {
  assert.deepEqual(Object.keys(statement).sort(), ['_type', 'predicate', 'predicateType', 'subject']);
  assert.equal(statement['_type'], 'https://in-toto.io/Statement/v1');
  assert.equal(statement['predicateType'], 'https://slsa.dev/provenance/v1');
  const subjects = list(statement['subject'], 'subject');
  assert.ok(subjects.length > 0);
  for (const subject of subjects) {
    checkResource(subject, 'subject');
    checkDigestSet(object(subject, 'subject')['digest'], 'subject.digest');
  }
  const predicate = object(statement['predicate'], 'predicate');
  assert.deepEqual(Object.keys(predicate).sort(), ['buildDefinition', 'runDetails']);
  const definition = object(predicate['buildDefinition'], 'buildDefinition');
  for (const field of Object.keys(definition)) assert.ok(['buildType', 'externalParameters', 'internalParameters', 'resolvedDependencies'].includes(field), field);
  checkUri(definition['buildType'], 'buildType');
  object(definition['externalParameters'], 'externalParameters');
  object(definition['internalParameters'] ?? {}, 'internalParameters');
  for (const dependency of list(definition['resolvedDependencies'] ?? [], 'resolvedDependencies')) checkResource(dependency, 'resolvedDependencies');
  const details = object(predicate['runDetails'], 'runDetails');
  for (const field of Object.keys(details)) assert.ok(['builder', 'metadata', 'byproducts'].includes(field), field);
  const builder = object(details['builder'], 'builder');
  checkUri(builder['id'], 'builder.id');
  for (const value of Object.values(object(builder['version'] ?? {}, 'builder.version'))) assert.equal(typeof value, 'string');
  const metadata = object(details['metadata'] ?? {}, 'metadata');
  for (const field of Object.keys(metadata)) assert.ok(['invocationId', 'startedOn', 'finishedOn'].includes(field), field);
  for (const field of ['startedOn', 'finishedOn']) assert.match(String(metadata[field]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'RFC 3339 in UTC');
  assert.ok(String(metadata['startedOn']) <= String(metadata['finishedOn']));
  return { definition, details };
}

/** The statement about an image of the store, its manifest checked on the way (image-spec manifest.md). */
function statementOf(name: string): { readonly statement: JsonObject; readonly manifest: string } {
  const { record } = openStore(home).find(name);
  assert.equal(record.referrers.length, 1);
  const descriptor = record.referrers[0];
  const bytes = blob(descriptor?.digest ?? '');
  assert.equal(`sha256:${sha256(bytes)}`, descriptor?.digest);
  const manifest = JSON.parse(bytes.toString()) as JsonObject;
  assert.equal(manifest['artifactType'], IN_TOTO);
  assert.deepEqual(manifest['config'], { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${sha256('{}')}`, size: 2 });
  assert.deepEqual(manifest['subject'], { mediaType: record.manifest.mediaType, digest: record.manifest.digest, size: record.manifest.size });
  const [layer, ...others] = list(manifest['layers'], 'layers');
  assert.deepEqual(others, []);
  const { digest, mediaType, annotations, size } = object(layer, 'layer');
  assert.equal(mediaType, IN_TOTO);
  assert.deepEqual(annotations, { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' });
  assert.equal(blob(String(digest)).length, size);
  return { statement: JSON.parse(blob(String(digest)).toString()) as JsonObject, manifest: bytes.toString() };
}

const DOCKERFILE = (url: string): string => `ARG UNUSED=x\r\nFROM busybox:1 AS one\nARG TOKEN\nADD ${url}/file /f\nRUN --mount=type=secret,id=key true\nFROM one\nCMD ["cat", "/f"]\n`;

test('a statement says what was built, from what, and by whom; the image is the same with and without it', async () => {
  const server = createServer((_, response) => void response.end('a file\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dockerfile = DOCKERFILE(url.replace('http://', 'http://someone:password@'));
  const directory = makeContext(scratch, { dockerfile, files: { key: 'top-secret-value' } });
  const flags = ['--build-arg', 'TOKEN=in-an-argument', '--build-arg', 'HTTPS_PROXY=http://user:prox-pass@proxy:1', '--secret', `id=key,src=${join(directory, 'key')}`, '--label', 'a=b'];
  try {
    for (const mode of ['min', 'max']) {
      const { stderr } = await run(['build', `--provenance=mode=${mode}`, ...flags, '-t', `${mode}:1`, '-t', `127.0.0.1:5000/team/${mode}:2`, directory]);
      const { statement } = statementOf(`${mode}:1`);
      const { record } = openStore(home).find(`${mode}:1`);
      assert.match(stderr, new RegExp(`^provenance ${record.referrers[0]?.digest}$`, 'm'));
      const { definition, details } = checkStatement(statement);
      const digest = { sha256: record.manifest.digest.slice(7) };
      assert.deepEqual(statement['subject'], [{ name: `pkg:docker/${mode}@1?platform=linux%2Famd64`, digest }, { name: `pkg:docker/127.0.0.1:5000/team/${mode}@2?platform=linux%2Famd64`, digest }]);
      const [download, base, file, ...others] = list(definition['resolvedDependencies'], 'resolvedDependencies').map((one) => object(one, 'a dependency'));
      assert.deepEqual(others, []);
      assert.deepEqual(download, { uri: `${url}/file`, digest: { sha256: sha256('a file\n') } });
      assert.deepEqual(base, { uri: 'pkg:docker/busybox@1?platform=linux%2Famd64', digest: { sha256: openStore(home).find('busybox:1').record.target.digest.slice(7) } });
      assert.deepEqual(file?.['digest'], { sha256: sha256(dockerfile) });
      assert.equal(object(details['builder'], 'builder')['id'], 'urn:caisson:build');
      const text = JSON.stringify(statement);
      for (const secret of ['top-secret-value', 'prox-pass']) assert.equal(text.includes(secret), false);
      assert.equal(text.includes('in-an-argument'), mode === 'max');
      if (mode === 'max') assert.equal(Buffer.from(String(file?.['content']), 'base64').toString(), dockerfile);
    }
    await mustRun(['build', ...flags, '-t', 'plain:1', '--provenance=false', directory]);
    assert.deepEqual(openStore(home).find('plain:1').record.referrers, []);
    assert.equal(openStore(home).find('plain:1').record.manifest.digest, openStore(home).find('max:1').record.manifest.digest);
  } finally {
    server.close();
  }
});

test('it is pushed with the image, and every registry lists it: also one that does not know of referrers', async () => {
  const directory = makeContext(scratch, { dockerfile: 'FROM busybox:1\nRUN echo pushed > /p\n' });
  for (const { host: registry } of [await servers.serve(), await servers.serveDocker()]) {
    const name = `${registry}/team/app:1`;
    // The image is pushed by the build itself, and then once more.
    await mustRun(['build', '-q', '--push', '--provenance=builder-id=https://ci.example/builder', '-t', name, directory]);
    assert.equal((await mustRun(['registry', 'referrers', name])).trim().split('\n').length, 2);
    const { statement, manifest } = statementOf(name);
    assert.equal(object(checkStatement(statement).details['builder'], 'builder')['id'], 'https://ci.example/builder');
    await mustRun(['push', '-q', name]);
    const lines = (await mustRun(['registry', 'referrers', name])).trim().split('\n');
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[1] ?? '', new RegExp(`^sha256:${sha256(manifest)} +application/vnd\\.in-toto\\+json`));
    const raw = peer('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${registry}/team/app@sha256:${sha256(manifest)}`]).stdout;
    assert.equal(raw, manifest);
    const image = JSON.parse(peer('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`]).stdout) as { Digest: string };
    assert.equal((JSON.parse(raw) as { subject: { digest: string } }).subject.digest, image.Digest);
    assert.deepEqual(object(list(statement['subject'], 'subject')[0] ?? null, 'subject')['digest'], { sha256: image.Digest.slice(7) });
    await mustRun(['pull', '-q', name]);
    assert.equal(openStore(home).find(name).record.referrers.length, 1, 'a pull of the same image keeps what is said of it');
  }
});

test('an archive has it, and who loads that: its bytes are the same, and skopeo finds the image by its name', async () => {
  await mustRun(['build', '-q', '--provenance', '-t', 'saved:1', makeContext(scratch, { dockerfile: 'FROM busybox:1\nRUN echo saved > /saved\n' })]);
  const { record } = openStore(home).find('saved:1');
  const archive = join(scratch, 'saved.tar');
  await mustRun(['save', '-o', archive, 'saved:1', 'busybox:1']);
  const other = join(scratch, 'other-store');
  const there = commandIn({ CAISSON_HOME: other });
  assert.equal(await there.mustRun(['load', '-i', archive]), 'Loaded image: saved:1\nLoaded image: busybox:1\n');
  assert.deepEqual(openStore(other).find('saved:1').record.referrers, record.referrers);
  assert.deepEqual(openStore(other).find('busybox:1').record.referrers, []);
  await there.mustRun(['system', 'check']);
  for (const digest of referencedBy(record.referrers[0]?.digest ?? '')) assert.ok(readFileSync(join(other, 'blobs/sha256', digest.slice(7))).equals(blob(digest)), digest);
  const again = join(scratch, 'again.tar');
  await there.mustRun(['save', '-o', again, 'saved:1', 'busybox:1']);
  assert.ok(readFileSync(again).equals(readFileSync(archive)));
  peer('skopeo', ['copy', '--quiet', `oci-archive:${archive}:docker.io/library/saved:1`, `oci:${join(scratch, 'skopeo')}:1`]);
  assert.equal((JSON.parse(readFileSync(join(scratch, 'skopeo/index.json'), 'utf8')) as { manifests: { digest: string }[] }).manifests[0]?.digest, record.manifest.digest);
  const one = join(scratch, 'one.tar');
  await mustRun(['save', '-o', one, 'saved:1']);
  await mustRun(['copy', `oci-archive:${one}`, `oci:${join(scratch, 'copied')}:1`]);
  const cut = join(scratch, 'cut');
  mkdirSync(cut);
  peer('tar', ['-C', cut, '-xf', one]);
  rmSync(join(cut, 'blobs/sha256', referencedBy(record.referrers[0]?.digest ?? '')[2]?.slice(7) ?? ''));
  const spoiled = await commandIn({ CAISSON_HOME: join(scratch, 'cut-store') }).run(['load', '-i', cut]);
  assert.notEqual(spoiled.status, 0);
  assert.match(spoiled.stderr, /^caisson: cannot load .*a part of what is about the image \(sha256:/m);
});

test('it stays as long as its image, in a clean store, and goes with it', async () => {
  await mustRun(['build', '-q', '--provenance', '-t', 'kept:1', makeContext(scratch, { dockerfile: 'FROM busybox:1\nRUN echo kept > /kept\n' })]);
  const digest = openStore(home).find('kept:1').record.referrers[0]?.digest ?? '';
  await mustRun(['tag', 'kept:1', 'kept:2']);
  await mustRun(['system', 'prune', '-f']);
  await mustRun(['rmi', 'kept:1']);
  await mustRun(['system', 'check']);
  assert.equal(openStore(home).find('kept:2').record.referrers[0]?.digest, digest);
  assert.ok(readdirSync(join(home, 'blobs/sha256')).includes(digest.slice(7)));
  rmSync(join(home, 'blobs/sha256', digest.slice(7)));
  const spoiled = await run(['system', 'check']);
  assert.notEqual(spoiled.status, 0);
  assert.match(spoiled.stdout + spoiled.stderr, new RegExp(`"kept:2" is not whole: what is about it, ${digest} is missing`));
  await mustRun(['build', '-q', '--provenance', '-t', 'kept:2', makeContext(scratch, { dockerfile: 'FROM busybox:1\nRUN echo kept > /kept\n' })]);
  const again = openStore(home).find('kept:2').record.referrers.map((one) => one.digest);
  assert.equal(again.length, 1, 'the latest is what is said of it');
  assert.notEqual(again[0], digest);
  await mustRun(['rmi', 'kept:2']);
  assert.equal(readdirSync(join(home, 'blobs/sha256')).includes((again[0] ?? '').slice(7)), false);
});

test('flags that are wrong are refused', async () => {
  assert.match((await run(['build', '--push', makeContext(scratch, { dockerfile: 'FROM scratch\n' })])).stderr, /^caisson: cannot use --push: the image has no name \(give it one/m);
  const failed = await run(['build', '--push', '-t', 'localhost:1/app:1', makeContext(scratch, { dockerfile: 'FROM busybox:1\n' })]);
  assert.notEqual(failed.status, 0);
  assert.match(failed.stderr, /^caisson: cannot push "localhost:1\/app:1": .*does not answer/m);
  const { stderr: warning } = await run(['build', '--provenance', '-o', join(scratch, 'out'), makeContext(scratch, { dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })]);
  assert.match(warning, /^warning: --provenance is about an image in the store/m);
  for (const text of ['maybe', 'mode=all', 'mode=max,builder=x', 'builder-id=none']) {
    const { stderr, status } = await run(['build', `--provenance=${text}`, makeContext(scratch, { dockerfile: 'FROM scratch\n' })]);
    assert.notEqual(status, 0);
    assert.match(stderr, /cannot use --provenance=/);
  }
});
