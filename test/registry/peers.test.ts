/** Images between our registry and skopeo, podman, buildah, docker-registry and our own client: all digests agree. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyboxLayout, commandIn, kindsGzipLayout, kindsLayout, manifestDigest, peer, storageFlags } from '../images/fixtures.ts';
import { Scratch, sha256 } from './servers.ts';
import type { TestRegistry } from './servers.ts';

const scratch = new Scratch('registry-peers');
const { mustRun } = commandIn({ CAISSON_HOME: scratch.path('store'), DOCKER_CONFIG: scratch.path('docker') });
let ours: TestRegistry;
let theirs: { readonly host: string };

before(async () => {
  mkdirSync(scratch.path('docker'));
  [ours, theirs] = [await scratch.serve(), await scratch.serveDocker()];
});

after(() => scratch.clean());

function skopeo(...args: readonly string[]): string {
  return peer('skopeo', args).stdout;
}

const copy = (from: string, to: string, ...flags: readonly string[]): string => skopeo('copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', ...flags, from, to);
const digestAt = (reference: string): string => (JSON.parse(skopeo('inspect', '--tls-verify=false', `docker://${reference}`)) as { Digest: string }).Digest;
const rawAt = (reference: string): string => skopeo('inspect', '--raw', '--tls-verify=false', `docker://${reference}`);

/** podman or buildah with a store of a test's own, whatever the machine lets them use. */
const storage = { podman: storageFlags(scratch.path('podman-root')), buildah: storageFlags(scratch.path('buildah-root')) };
function storing(program: 'podman' | 'buildah', ...args: readonly string[]): string {
  return peer(program, [...storage[program], ...args]).stdout;
}

test('skopeo pushes and pulls, from layouts and from one registry to another', () => {
  for (const [layout, name] of [[busyboxLayout(), 'busybox:1'], [kindsLayout(), 'kinds:30']] as const) {
    const digest = manifestDigest(layout);
    copy(`oci:${layout}:${name}`, `docker://${ours.host}/in/${name}`, '--preserve-digests');
    assert.equal(digestAt(`${ours.host}/in/${name}`), digest);
    copy(`docker://${ours.host}/in/${name}`, `docker://${theirs.host}/in/${name}`, '--preserve-digests');
    copy(`docker://${theirs.host}/in/${name}`, `docker://${ours.host}/back/${name}`, '--preserve-digests');
    assert.equal(digestAt(`${ours.host}/back/${name}`), digest);
    copy(`docker://${ours.host}/back/${name}`, `oci:${scratch.path('layout')}:${name}`, '--preserve-digests');
    const found = JSON.parse(readFileSync(join(scratch.path('layout'), 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
    assert.ok(found.manifests.some((manifest) => manifest.digest === digest));
  }
  assert.deepEqual(JSON.parse(skopeo('list-tags', '--tls-verify=false', `docker://${ours.host}/in/busybox`)), { Repository: `${ours.host}/in/busybox`, Tags: ['1'] });
  skopeo('delete', '--tls-verify=false', `docker://${ours.host}/back/busybox:1`);
  assert.throws(() => digestAt(`${ours.host}/back/busybox:1`), /manifest unknown|MANIFEST_UNKNOWN|has no manifest/);
});

test('our client pushes to ours and pulls from it; what it pulled runs', async () => {
  await mustRun(['load', '-q', '-i', kindsLayout()]);
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  for (const [layout, name] of [[busyboxLayout(), 'busybox:1'], [kindsLayout(), 'kinds:30']] as const) {
    const repository = `${ours.host}/own/${name.split(':')[0]}`;
    assert.equal(await mustRun(['push', '-q', name, `${ours.host}/own/${name}`]), `${repository}@${manifestDigest(layout)}\n`);
    const fresh = { env: { CAISSON_HOME: scratch.path(`fresh-${name.split(':')[0]}`) } };
    assert.equal(await mustRun(['pull', '-q', `${ours.host}/own/${name}`], fresh), `${repository}@${manifestDigest(layout)}\n`);
    assert.equal(await mustRun(['pull', '-q', `${repository}@${manifestDigest(layout)}`], fresh), `${repository}@${manifestDigest(layout)}\n`);
  }
  assert.equal(await mustRun(['run', `${ours.host}/own/busybox:1`, 'echo', 'pulled'], { env: { CAISSON_HOME: scratch.path('fresh-busybox') } }), 'pulled\n');
});

test('podman and buildah pull from ours, and push back the same image', () => {
  if (process.getuid?.() !== 0) return; // an ordinary user may give files only to ids that the machine was set up for
  copy(`oci:${kindsGzipLayout()}:kinds:30`, `docker://${ours.host}/in/gzip:30`, '--preserve-digests');
  const config = (JSON.parse(rawAt(`${ours.host}/in/gzip:30`)) as { config: { digest: string } }).config.digest;
  for (const program of ['podman', 'buildah'] as const) {
    assert.equal(storing(program, 'pull', '--quiet', '--tls-verify=false', `${ours.host}/in/gzip:30`).trim(), config.slice(7));
    storing(program, 'push', '--quiet', '--tls-verify=false', `${ours.host}/in/gzip:30`, `docker://${ours.host}/${program}/gzip:30`);
    const pushed = JSON.parse(rawAt(`${ours.host}/${program}/gzip:30`)) as { config: { digest: string } };
    assert.equal(pushed.config.digest, config);
  }
});

test('Docker schema 2 and an index of several platforms are kept byte for byte', async () => {
  copy(`oci:${busyboxLayout()}:busybox:1`, `docker://${ours.host}/v2/box:1`, '--format', 'v2s2');
  const raw = rawAt(`${ours.host}/v2/box:1`);
  assert.equal((JSON.parse(raw) as { mediaType: string }).mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
  const list = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json', manifests: [{ mediaType: 'application/vnd.docker.distribution.manifest.v2+json', size: raw.length, digest: sha256(raw), platform: { os: 'linux', architecture: 'amd64' } }] }, undefined, 3);
  const put = await fetch(`${ours.url}/v2/v2/box/manifests/list`, { method: 'PUT', headers: { 'content-type': 'application/vnd.docker.distribution.manifest.list.v2+json' }, body: list });
  assert.equal(put.status, 201);
  copy(`docker://${ours.host}/v2/box:list`, `docker://${theirs.host}/v2/box:list`, '--all', '--preserve-digests');
  copy(`docker://${theirs.host}/v2/box:list`, `docker://${ours.host}/v2/again:list`, '--all', '--preserve-digests');
  assert.equal(rawAt(`${ours.host}/v2/again:list`), list);
  await mustRun(['pull', '-q', `${ours.host}/v2/again:list`]);
  await mustRun(['push', '-q', `${ours.host}/v2/again:list`, `${ours.host}/v2/third:list`]);
  assert.equal(rawAt(`${ours.host}/v2/third:list`), list);
});

test('it ends when it is told to, and has everything when it starts again', async () => {
  const first = await scratch.serve();
  copy(`oci:${busyboxLayout()}:busybox:1`, `docker://${first.host}/kept/busybox:1`, '--preserve-digests');
  assert.equal(await first.stop(), 0);
  const second = await scratch.serve([], { directory: first.directory });
  assert.equal(digestAt(`${second.host}/kept/busybox:1`), manifestDigest(busyboxLayout()));
  assert.equal(second.output(), `listening on ${second.url}\n`);
});
