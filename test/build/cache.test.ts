/** `--cache-to` and `--cache-from`: a build on an empty store takes its steps from elsewhere, and what is wrong there is never trusted. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { commandIn, peer } from '../images/fixtures.ts';
import { registriesIn } from '../images/registry-testing.ts';
import { baseLayout, makeContext, openStore } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-cache-'));
const { startRegistry, serve, stop } = registriesIn(scratch);
let registry: string;
/** What builds it says in a file that differs each time a command really runs. */
const DOCKERFILE = 'FROM busybox:1 AS tools\nCOPY a /a\nRUN cat /proc/sys/kernel/random/uuid > /u && cat /a >> /u\nFROM busybox:1\nRUN true\nWORKDIR /w\nCOPY --from=tools /u /u\nRUN cat /u > copy\nCMD ["cat", "/u"]\n';
const FILES = { a: 'from the context\n' };
const ALL_CACHED = ['done', 'cached', 'cached', 'done', 'cached', 'cached', 'cached', 'cached', 'done'];
const context = makeContext(scratch, { dockerfile: DOCKERFILE, files: FILES });
const layout = join(scratch, 'layout');
let stores = 0;
let id: string;

interface Built {
  readonly home: string;
  /** In the order of the Dockerfile's lines. */
  readonly statuses: readonly string[];
  readonly notes: readonly string[];
  readonly status: number | null;
  readonly stderr: string;
  /** What `containerimage.config.digest` says. */
  readonly id: string;
}

/** Builds in a store that has the base image and nothing else. */
async function buildAnew(args: readonly string[], directory = context): Promise<Built> {
  const home = join(scratch, `store-${stores++}`);
  const { run, mustRun } = commandIn({ CAISSON_HOME: home });
  await mustRun(['load', '-q', '-i', baseLayout()]);
  const metadata = join(scratch, 'metadata.json');
  rmSync(metadata, { force: true });
  const { stderr, status } = await run(['build', '--progress', 'json', '--metadata-file', metadata, '-t', 'x:1', ...args, directory]);
  const events = stderr.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { event: string; name?: string; status?: string; text?: string; step?: number; line?: number });
  const lines = new Map(events.flatMap(({ event, step, line }) => (event === 'start' ? [[step, line ?? 0]] : [])));
  return {
    home, stderr, status, notes: events.flatMap(({ event, text = '' }) => (event === 'note' ? [text] : [])),
    statuses: events.filter(({ event }) => event === 'end').sort((left, right) => (lines.get(left.step) ?? 0) - (lines.get(right.step) ?? 0)).map((event) => event.status ?? ''),
    id: existsSync(metadata) ? (JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>)['containerimage.config.digest'] ?? '' : '',
  };
}

before(async () => {
  registry = await startRegistry();
  const first = await buildAnew(['--cache-to', `type=local,dest=${layout}`, '--cache-to', `${registry}/app:cache`]);
  assert.equal(first.status, 0, first.stderr);
  assert.deepEqual(first.statuses.filter((status) => status === 'cached'), []);
  id = first.id;
});

after(() => {
  stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('a build on an empty store takes every step from a directory, from a registry, and from what skopeo made of either', async () => {
  peer('skopeo', ['copy', '-q', '--dest-tls-verify=false', `oci:${layout}:latest`, `docker://${registry}/app:copied`]);
  peer('skopeo', ['copy', '-q', '--src-tls-verify=false', `docker://${registry}/app:cache`, `oci:${join(scratch, 'copied')}:latest`]);
  for (const from of [`type=local,src=${layout}`, `type=registry,ref=${registry}/app:cache`, `${registry}/app:copied`, `type=local,src=${join(scratch, 'copied')}`]) {
    const built = await buildAnew(['--cache-from', from]);
    assert.deepEqual({ statuses: built.statuses, notes: built.notes, id: built.id }, { statuses: ALL_CACHED, notes: [], id }, from);
    const { mustRun } = commandIn({ CAISSON_HOME: built.home });
    assert.match(await mustRun(['run', 'x:1']), /^[0-9a-f-]{36}\nfrom the context\n$/);
    await mustRun(['system', 'check']);
    assert.deepEqual(readdirSync(join(built.home, 'tmp')), []);
  }
});

test('a cache is the manifest of an image whose blobs are what they are called', () => {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  assert.equal(index.manifests.length, 1);
  const manifest = JSON.parse(peer('skopeo', ['inspect', '--raw', `oci:${layout}:latest`]).stdout) as { config: { digest: string; mediaType: string }; layers: { digest: string }[] };
  assert.equal(manifest.config.mediaType, 'application/vnd.caisson.build.cache.v1+json');
  for (const name of readdirSync(join(layout, 'blobs/sha256'))) assert.equal(createHash('sha256').update(readFileSync(join(layout, 'blobs/sha256', name))).digest('hex'), name);
  assert.deepEqual(readdirSync(join(layout, 'blobs/sha256')).sort(), [index.manifests[0]?.digest ?? '', manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)].map((digest) => digest.slice(7)).sort());
  assert.deepEqual(readdirSync(layout).sort(), ['blobs', 'index.json', 'oci-layout']);
});

test('a step whose inputs have changed is made, and those below it come from the cache', async () => {
  const changed = makeContext(scratch, { dockerfile: DOCKERFILE, files: { a: 'another\n' } });
  const built = await buildAnew(['--cache-from', `type=local,src=${layout}`], changed);
  assert.deepEqual(built.statuses, ['done', 'done', 'done', 'done', 'cached', 'cached', 'done', 'done', 'done']);
  assert.deepEqual((await buildAnew(['--no-cache', '--cache-from', `type=local,src=${layout}`])).statuses.filter((status) => status === 'cached'), []);
});

test('mode=min has the steps of the image only; an inline cache is in the image itself', async () => {
  const small = join(scratch, 'small');
  await buildAnew(['--cache-from', `type=local,src=${layout}`, '--cache-to', `type=local,dest=${small},mode=min`]);
  assert.deepEqual((await buildAnew(['--cache-from', `type=local,src=${small}`])).statuses, ['done', 'done', 'done', 'done', 'cached', 'cached', 'done', 'done', 'done']);
  const single = makeContext(scratch, { dockerfile: 'FROM busybox:1\nCOPY a /a\nRUN cat /proc/sys/kernel/random/uuid > /u\nRUN true\n', files: FILES });
  const first = await buildAnew(['--cache-to', 'type=inline', '-t', `${registry}/app:1`], single);
  assert.deepEqual(first.notes, []);
  await commandIn({ CAISSON_HOME: first.home }).mustRun(['push', '-q', `${registry}/app:1`]);
  const again = await buildAnew(['--cache-from', `${registry}/app:1`, '--cache-to', 'type=inline'], single);
  assert.deepEqual({ statuses: again.statuses, id: again.id }, { statuses: ['done', 'cached', 'cached', 'cached'], id: first.id });
  assert.deepEqual(openStore(again.home).find('x:1').config.diffIds.length, 3);
});

/** A copy of the cache in which something was changed, with digests that fit again where documents were. */
interface Parts {
  readonly manifest: { readonly config: { digest: string; size: number }; readonly layers: { digest: string; size: number; mediaType: string }[] };
  /** Undefined afterwards: what the manifest says of it stays. */
  config: Record<string, unknown> & { rootfs: { diff_ids: string[] }; 'caisson.build.steps.v1': unknown } | undefined;
  readonly path: (digest: string) => string;
}

function spoil(name: string, change: (parts: Parts) => void): string {
  const directory = join(scratch, name);
  cpSync(layout, directory, { recursive: true });
  const path = (digest: string): string => join(directory, 'blobs/sha256', digest.slice(7));
  const read = <Document>(file: string): Document => JSON.parse(readFileSync(file, 'utf8')) as Document;
  const put = (document: unknown): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    writeFileSync(path(digest), bytes);
    return { digest, size: bytes.length };
  };
  const index = read<{ manifests: { digest: string }[] }>(join(directory, 'index.json'));
  const manifest = read<Parts['manifest']>(path(index.manifests[0]?.digest ?? ''));
  const all: Parts = { manifest, config: read(path(manifest.config.digest)), path };
  change(all);
  Object.assign(manifest.config, all.config === undefined ? {} : put(all.config));
  Object.assign(index.manifests[0] ?? {}, put(manifest));
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  return `type=local,src=${directory}`;
}

test('a cache that is hostile, spoiled or not there is warned of, never trusted, and the build goes on', async () => {
  /** Its steps, one by one. */
  const stepsOf = ({ config }: Parts): Record<string, unknown>[] => config?.['caisson.build.steps.v1'] as Record<string, unknown>[];
  const big = (character: string): string => `sha256:${character.repeat(64)}`;
  const cases: readonly (readonly [what: string, from: string, note: RegExp])[] = [
    ['a layer with another byte', spoil('byte', ({ manifest, path }) => {
      for (const { digest } of manifest.layers) writeFileSync(path(digest), Buffer.concat([readFileSync(path(digest)).subarray(0, -1), Buffer.from('x')]));
    }), /nothing more is taken from the cache .*byte: /],
    ['a layer that is cut', spoil('cut', ({ manifest, path }) => {
      for (const { digest } of manifest.layers) writeFileSync(path(digest), readFileSync(path(digest)).subarray(0, 40));
    }), /nothing more is taken/],
    ['layers that are not there', spoil('absent', ({ manifest, path }) => {
      for (const { digest } of manifest.layers) rmSync(path(digest));
    }), /nothing more is taken .* is not there/],
    ['layers under the DiffIds of others', spoil('swapped', ({ config }) => void config?.rootfs.diff_ids.reverse()), /nothing more is taken .*it has the digest/],
    ['layers of another size', spoil('size', ({ manifest }) => {
      for (const layer of manifest.layers) layer.size += 1;
    }), /nothing more is taken .*were promised/],
    ['a layer that is none of its', spoil('place', (parts) => {
      Object.assign(stepsOf(parts)[0] ?? {}, { layer: 99 });
    }), /cannot use the cache .*which is none of its/],
    ['a layer that is no number', spoil('proto', (parts) => {
      Object.assign(stepsOf(parts)[0] ?? {}, { layer: '__proto__' });
    }), /which is none of its/],
    ['a key that is none', spoil('key', (parts) => {
      Object.assign(stepsOf(parts)[0] ?? {}, { key: '../../x' });
    }), /a step of it has no key/],
    ['steps that are no list', spoil('list', ({ config }) => {
      Object.assign(config ?? {}, { 'caisson.build.steps.v1': { length: 1e9 } });
    }), /its list of steps is none/],
    ['more DiffIds than layers', spoil('many', ({ config }) => void config?.rootfs.diff_ids.push(big('a'))), /its configuration says/],
    ['a layer that is a program', spoil('type', ({ manifest }) => {
      for (const layer of manifest.layers) layer.mediaType = 'application/x-executable';
    }), /and no layer/],
    ['a configuration of another digest', spoil('config', (all) => {
      all.manifest.config.digest = big('b');
      all.config = undefined;
    }), /cannot use the cache/],
    ['a configuration that is endless', spoil('endless', (all) => {
      all.manifest.config.size = 2 ** 40;
      all.config = undefined;
    }), /is longer than/],
    ['an image that is no cache', `type=local,src=${baseLayout()},tag=busybox:1`, /it has no steps of a build/],
    ['a directory that is not there', `type=local,src=${join(scratch, 'nowhere')}`, /cannot use the cache .*nowhere/],
    ['a name that is not in the registry', `${registry}/app:none`, /is not in/],
    ['a registry that is not there', '127.0.0.1:1/app:cache', /does not answer/],
    ['a registry that sends a page', `${await serve((_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'))}/app:cache`, /answers with a web page/],
    ['a registry that sends something', `${await serve((_, response) => void response.writeHead(200).end('x'.repeat(1000)))}/app:cache`, /it is not JSON/],
  ];
  for (const [what, from, note] of cases) {
    const built = await buildAnew(['--cache-from', from]);
    assert.equal(built.status, 0, `${what}: ${built.stderr}`);
    assert.equal(built.notes.length, 1, what);
    assert.match(built.notes[0] ?? '', note, what);
    assert.match(built.notes[0] ?? '', /^warning: /);
    // `RUN true` has no layer that could be wrong, and another stage may have asked for it before.
    assert.deepEqual(built.statuses.filter((status, index) => status === 'cached' && index !== 4), [], what);
    const { mustRun } = commandIn({ CAISSON_HOME: built.home });
    assert.match(await mustRun(['run', 'x:1']), /from the context\n$/, what);
    await mustRun(['system', 'check']);
    assert.deepEqual(readdirSync(join(built.home, 'tmp')), [], what);
    rmSync(built.home, { recursive: true });
  }
});

test('a cache that cannot be written is an error, or a warning with ignore-error', async () => {
  const failed = await buildAnew(['--cache-to', '127.0.0.1:1/app:cache']);
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /cannot write the cache to 127\.0\.0\.1:1\/app:cache: .*does not answer/);
  assert.equal(openStore(failed.home).find('x:1').id, failed.id, 'the image is there');
  const ignored = await buildAnew(['--cache-to', 'type=registry,ref=127.0.0.1:1/app:cache,ignore-error=true']);
  assert.equal(ignored.status, 0);
  assert.match(ignored.notes.join('\n'), /warning: cannot write the cache/);
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  assert.equal((await buildAnew(['--cache-to', `type=local,dest=${join(file, 'x')}`])).status, 1);
});

test('flags that are wrong are refused before anything is built', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--cache-to', 'type=gha'], /there is no such type/], [['--cache-to', 'dest=x'], /type= is missing/], [['--cache-to', 'type=local'], /dest= is missing/], [['--cache-from', 'type=local,dest=x'], /it has no field "dest"/],
    [['--cache-from', 'type=registry'], /ref= is missing/], [['--cache-from', 'type=inline'], /read with type=registry/], [['--cache-to', 'type=local,dest=x,mode=some'], /mode is max or min/], [['--cache-to', 'type=local,dest=x,mod=max'], /did you mean mode\?/],
    [['--cache-to', 'type=local,dest=x,ignore-error=maybe'], /ignore-error is true or false/], [['--cache-from', 'Not/A:Ref:x'], /cannot read the reference/], [['--cache-to', 'type=registry,ref=x:1,image-manifest=false'], /always true/],
  ];
  for (const [args, message] of cases) {
    const { stderr, statuses, status } = await buildAnew(args);
    assert.notEqual(status, 0);
    assert.match(stderr, message);
    assert.deepEqual(statuses, []);
  }
});
