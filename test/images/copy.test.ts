/** `copy`, `manifest inspect`: between registries, archives and directories, with skopeo at the other end. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyboxLayout, commandIn, kindsLayout, manifestDigest, peer } from './fixtures.ts';
import { registriesIn, sha256 } from './registry-testing.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-copy-'));
/** There is no store: none of these commands may need one. */
const { run, mustRun } = commandIn({ CAISSON_HOME: '/dev/null/nowhere', DOCKER_CONFIG: join(scratch, 'docker') });
const { startRegistry, stop } = registriesIn(scratch);
const at = (name: string): string => join(scratch, name);
let registry = '';

before(async () => {
  registry = await startRegistry();
});

after(() => {
  stop();
  rmSync(scratch, { recursive: true, force: true });
});

function inspected(place: string): string {
  return (JSON.parse(peer('skopeo', ['inspect', ...(place.startsWith('docker:') ? ['--tls-verify=false'] : []), place]).stdout) as { Digest: string }).Digest;
}

test('an image goes from place to place, skopeo reads each, and the digest stays', async () => {
  const digest = manifestDigest(kindsLayout());
  const places = [
    `docker://${registry}/copied/kinds:30`, `oci:${at('layout')}:kinds:30`, `oci-archive:${at('oci.tar')}:kinds:30`, `dir:${at('plain')}`, `docker-archive:${at('docker.tar')}:kinds:30`, `docker://${registry}/again/kinds:30`,
  ];
  let source = `oci:${kindsLayout()}`;
  for (const place of places) {
    assert.equal(await mustRun(['copy', '-q', source, place]), `${digest}\n`, `${source} to ${place}`);
    // skopeo makes a manifest of its own for an archive of Docker.
    if (!place.startsWith('docker-archive:')) assert.equal(inspected(place), digest, place);
    else peer('skopeo', ['copy', '--quiet', place, `oci:${at('from-docker')}:kinds:30`]);
    source = place;
  }
  assert.deepEqual(readdirSync(scratch).filter((name) => name.includes('.new') || name.startsWith('.')), []);
  assert.ok(!readdirSync(at('layout')).some((name) => name.startsWith('.')));
});

test('what skopeo writes is read: layouts, archives of both kinds, its directories, gzip around an archive', async () => {
  const digest = manifestDigest(busyboxLayout());
  const source = `oci:${busyboxLayout()}:busybox:1`;
  for (const place of [`oci:${at('theirs')}:b:1`, `oci-archive:${at('theirs.tar')}:b:1`, `dir:${at('theirs-plain')}`]) {
    peer('skopeo', ['copy', '--quiet', source, place]);
    assert.equal(await mustRun(['copy', '-q', place, `${registry}/theirs:1`]), `${digest}\n`, place);
  }
  peer('gzip', ['-k', at('theirs.tar')]);
  assert.equal(await mustRun(['copy', '-q', `oci-archive:${at('theirs.tar.gz')}:b:1`, `${registry}/theirs:2`]), `${digest}\n`);
  peer('skopeo', ['copy', '--quiet', source, `docker-archive:${at('old.tar')}:b:1`]);
  const made = (await mustRun(['copy', '-q', `docker-archive:${at('old.tar')}`, `${registry}/theirs:3`])).trim();
  assert.equal(inspected(`docker://${registry}/theirs:3`), made);
  const config = (name: string): string => (JSON.parse(peer('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${registry}/theirs:${name}`]).stdout) as { config: { digest: string } }).config.digest;
  assert.equal(config('3'), config('1'));
});

test('an image for several platforms: all of it with --all, otherwise one', async () => {
  const digests = [manifestDigest(busyboxLayout()), manifestDigest(kindsLayout())];
  const layout = at('both');
  cpSync(busyboxLayout(), layout, { recursive: true });
  cpSync(join(kindsLayout(), 'blobs'), join(layout, 'blobs'), { recursive: true });
  const size = (digest: string): number => readFileSync(join(layout, 'blobs/sha256', digest.slice(7))).length;
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: digests.map((digest, number) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: size(digest), platform: { os: 'linux', architecture: number === 0 ? 'amd64' : 'arm64' },
  })) }));
  writeFileSync(join(layout, 'blobs/sha256', sha256(index).slice(7)), index);
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', digest: sha256(index), size: index.length, annotations: { 'org.opencontainers.image.ref.name': 'two' } }] }));
  assert.equal(await mustRun(['copy', '-q', `oci:${layout}`, `${registry}/one:1`]), `${digests[0]}\n`);
  assert.equal(await mustRun(['copy', '-q', '--platform', 'linux/arm64', `oci:${layout}:two`, `${registry}/one:2`]), `${digests[1]}\n`);
  for (const [source, target] of [[`oci:${layout}:two`, `${registry}/all:1`], [`${registry}/all:1`, `oci-archive:${at('all.tar')}`], [`oci-archive:${at('all.tar')}`, `dir:${at('all')}`], [`dir:${at('all')}`, `oci:${at('all-layout')}:x`]] as const) {
    assert.equal(await mustRun(['copy', '-q', '--all', source, target]), `${sha256(index)}\n`, target);
  }
  assert.equal(sha256(Buffer.from(await mustRun(['manifest', 'inspect', '--raw', `oci:${at('all-layout')}:x`]))), sha256(index));
  assert.match((await run(['copy', '--platform', 'linux/s390x', `oci:${layout}`, `${registry}/one:3`])).stderr, /nothing for linux\/s390x \(it has linux\/amd64, linux\/arm64\)/);
});

test('manifest inspect shows what is there', async () => {
  await mustRun(['copy', '-q', '--digestfile', at('digest'), `oci:${busyboxLayout()}`, `${registry}/box:1`]);
  assert.equal(readFileSync(at('digest'), 'utf8'), manifestDigest(busyboxLayout()));
  const raw = await mustRun(['manifest', 'inspect', '--raw', `${registry}/box:1`]);
  assert.equal(sha256(Buffer.from(raw)), manifestDigest(busyboxLayout()));
  assert.deepEqual(JSON.parse(await mustRun(['manifest', 'inspect', `${registry}/box:1`])), JSON.parse(raw));
  const verbose = JSON.parse(await mustRun(['manifest', 'inspect', '-v', `${registry}/box@${manifestDigest(busyboxLayout())}`])) as { Descriptor: { digest: string; size: number } };
  assert.deepEqual([verbose.Descriptor.digest, verbose.Descriptor.size], [manifestDigest(busyboxLayout()), raw.length]);
  assert.equal(await mustRun(['copy', '-q', `oci:${busyboxLayout()}`, `oci:${at('twice')}:a`]), await mustRun(['copy', '-q', `oci:${busyboxLayout()}`, `oci:${at('twice')}:b`]));
  assert.match((await run(['manifest', 'inspect', `oci:${at('twice')}`])).stderr, /there are 2 images in it \(say which one: a, b\)/);
});

test('what is spoiled, missing or not understood: one line, and nothing half done', async () => {
  const spoiled = at('spoiled');
  cpSync(busyboxLayout(), spoiled, { recursive: true });
  const { layers } = JSON.parse(readFileSync(join(spoiled, 'blobs/sha256', manifestDigest(spoiled).slice(7)), 'utf8')) as { layers: { digest: string }[] };
  const blob = join(spoiled, 'blobs/sha256', layers[0]?.digest.slice(7) ?? '');
  const bytes = readFileSync(blob);
  bytes[100]! ^= 1;
  writeFileSync(blob, bytes);
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[`oci:${spoiled}`, `oci-archive:${at('bad.tar')}`], /the blob sha256:[0-9a-f]+ is not what it should be/], [[`oci:${spoiled}`, `oci:${at('bad')}`], /is not what it should be/],
    [[`oci:${spoiled}`, `${registry}/bad:1`], /is not what it should be/], [[`oci:${at('nowhere')}`, `dir:${at('bad')}`], /there is no "/], [[`oci:${busyboxLayout()}:other`, `dir:${at('bad')}`], /there is no image "other" in it \(it has busybox:1\)/],
    [['docker-daemon:x', 'x:1'], /docker-daemon needs another engine/], [['./x', 'x:1'], /a path needs a transport \(such as oci:\.\/x/], [['ocu:./x', 'x:1'], /no transport is called "ocu" \(did you mean oci:\?\)/],
    [['oci:', 'x:1'], /there is no path behind oci:/], [[`oci:${busyboxLayout()}`, `${registry}/X:1`], /must be lower case/], [[`${registry}/none:1`, `dir:${at('bad')}`], /none:1 is not in/],
    [[`oci:${busyboxLayout()}`, `oci-archive:${at('no/such/file.tar')}`], /cannot create/], [[`dir:${busyboxLayout()}`, `dir:${at('bad')}`], /manifest\.json is missing/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = await run(['copy', '-q', ...args]);
    assert.equal(status, 125, args.join(' '));
    assert.match(stderr, /^caisson: cannot [^\n]*\n(?: {2}[^\n]*\n)*$/, args.join(' '));
    assert.match(stderr, message, args.join(' '));
  }
  assert.ok(!existsSync(at('bad.tar')));
  assert.deepEqual(readdirSync(scratch).filter((name) => name.includes('.new')), []);
  assert.notEqual((await run(['manifest', 'inspect', `${registry}/bad:1`])).status, 0);
  appendFileSync(join(spoiled, 'index.json'), '}');
  assert.match((await run(['copy', `oci:${spoiled}`, `dir:${at('bad')}`])).stderr, /index\.json: it is not JSON/);
});
