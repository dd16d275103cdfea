/**
 * Manifests, configurations, archives and registries that are made to do harm, each with what is expected of it. Layers stand in `layers.test.ts`,
 * references in `reference.test.ts`. After each case the store is clean, holds no image, and nothing is left in `tmp`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inPieces, tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import type { TestEntry } from '../../test/images/layer-testing.ts';
import { createImageHost } from '../host/node/image-host.ts';
import type { HttpRequest, HttpResponse } from '../host/types.ts';
import { openArchive, openArchiveStream } from './archive-source.ts';
import { checkStore } from './check.ts';
import { parseConfig } from './config.ts';
import { DigestMismatchError, ImageError, ImageFormatError, ImageLimitError, InvalidReferenceError, StoreError } from './errors.ts';
import { loadArchive } from './load.ts';
import { OWN_PLATFORM, parseManifest } from './manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from './media-types.ts';
import { parseReference } from './reference.ts';
import { RegistryClient } from './registry-client.ts';
import { RegistryError } from './registry-errors.ts';
import { ImageStore } from './store.ts';
import { pullImage } from './transfer.ts';

type Bytes = Uint8Array;
type Kind = abstract new (...args: never[]) => Error;
const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const json = (value: unknown): Bytes => utf8(JSON.stringify(value));
const sha256 = (bytes: Bytes): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const hexName = (bytes: Bytes): string => `blobs/sha256/${sha256(bytes).slice(7)}`;
const describe = (bytes: Bytes, mediaType: string): { mediaType: string; digest: string; size: number } => ({ mediaType, digest: sha256(bytes), size: bytes.length });
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

function mustThrow(error: unknown, kind: Kind, message: RegExp): true {
  assert.ok(error instanceof kind, `${String(error)} is no ${kind.name}`);
  assert.match((error as Error).message, message);
  return true;
}

// ---- documents ----

const layerTar = tarOf([{ path: 'a', text: 'x'.repeat(3000) }]);
const layer = gzipSync(layerTar);
const configObject = { architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [sha256(layerTar)] } };
const config = json(configObject);
const manifestObject = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(config, OCI_CONFIG), layers: [describe(layer, OCI_LAYER_GZIP)] };
const manifest = json(manifestObject);
const indexOf = (...manifests: readonly unknown[]): Bytes => json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
const descriptor = describe(manifest, OCI_MANIFEST);

const DOCUMENTS: readonly (readonly [what: string, bytes: Bytes, mediaType: string | undefined, kind: Kind, message: RegExp])[] = [
  ['nothing', utf8(''), undefined, ImageFormatError, /it is not JSON/],
  ['half of one', manifest.subarray(0, 50), undefined, ImageFormatError, /it is not JSON/],
  ['a list', json([]), undefined, ImageFormatError, /no JSON object/],
  ['a number', json(7), undefined, ImageFormatError, /no JSON object/],
  ['null', json(null), undefined, ImageFormatError, /no JSON object/],
  ['bytes that are no UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), undefined, ImageFormatError, /it is not JSON/],
  ['100,000 brackets', utf8('['.repeat(100_000)), undefined, ImageFormatError, /it is not JSON/],
  ['100,000 brackets that close', utf8(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), undefined, ImageFormatError, /no layers|no image/],
  ['five megabytes', new Uint8Array(5 * 2 ** 20), undefined, ImageLimitError, /longer than/],
  ['no fields', json({}), undefined, ImageFormatError, /no layers/],
  ['schema 1', json({ schemaVersion: 1, name: 'x', fsLayers: [] }), undefined, ImageFormatError, /schema 1/],
  ['a manifest and an index at once', json({ ...manifestObject, manifests: [] }), undefined, ImageFormatError, /at once/],
  ['a configuration and manifests at once', json({ schemaVersion: 2, config: {}, manifests: [] }), OCI_INDEX, ImageFormatError, /at once/],
  ['an index that calls itself a manifest', json({ mediaType: OCI_MANIFEST, manifests: [] }), undefined, ImageFormatError, /no image/],
  ['a manifest that calls itself an index', json({ ...manifestObject, mediaType: OCI_INDEX }), undefined, ImageFormatError, /no image/],
  ['a manifest that came as an index', manifest, OCI_INDEX, ImageFormatError, /calls itself/],
  ['an OCI manifest that came as Docker\'s', manifest, DOCKER_MANIFEST, ImageFormatError, /calls itself/],
  ['an index that came as a manifest', indexOf(), OCI_MANIFEST, ImageFormatError, /calls itself/],
  ['something else', json({ mediaType: 'application/vnd.cncf.helm.config.v1+json', config: {}, layers: [] }), undefined, ImageFormatError, /no image/],
  ['layers that are an object', json({ ...manifestObject, layers: {} }), undefined, ImageFormatError, /no layers/],
  ['layers that are numbers', json({ ...manifestObject, layers: [1] }), undefined, ImageFormatError, /descriptor is missing/],
  ['501 layers', json({ ...manifestObject, layers: Array.from({ length: 501 }, () => manifestObject.layers[0]) }), undefined, ImageLimitError, /more than 500 layers/],
  ['no configuration', json({ ...manifestObject, config: undefined }), undefined, ImageFormatError, /descriptor is missing/],
  ['a descriptor without a type', json({ ...manifestObject, config: { digest: sha256(config), size: 1 } }), undefined, ImageFormatError, /no mediaType/],
  ['a descriptor without a digest', json({ ...manifestObject, config: { mediaType: OCI_CONFIG, size: 1 } }), undefined, ImageFormatError, /no digest/],
  ['a digest that is a path', json({ ...manifestObject, config: { mediaType: OCI_CONFIG, digest: 'sha256:../../../../etc/passwd', size: 1 } }), undefined, ImageFormatError, /no digest/],
  ['a digest of capital letters', json({ ...manifestObject, config: { mediaType: OCI_CONFIG, digest: `sha256:${'A'.repeat(64)}`, size: 1 } }), undefined, ImageFormatError, /no digest/],
  ['a digest by MD5', json({ ...manifestObject, config: { mediaType: OCI_CONFIG, digest: `md5:${'a'.repeat(32)}`, size: 1 } }), undefined, ImageFormatError, /no digest/],
  ['a digest with a line behind it', json({ ...manifestObject, config: { mediaType: OCI_CONFIG, digest: `sha256:${'a'.repeat(64)}\n`, size: 1 } }), undefined, ImageFormatError, /no digest/],
  ['a negative size', json({ ...manifestObject, config: { ...manifestObject.config, size: -1 } }), undefined, ImageFormatError, /no size/],
  ['a size of a half', json({ ...manifestObject, config: { ...manifestObject.config, size: 0.5 } }), undefined, ImageFormatError, /no size/],
  ['a size beyond all numbers', utf8(JSON.stringify(manifestObject).replace(/"size":\d+/, '"size":1e300')), undefined, ImageFormatError, /no size/],
  ['a size that is a text', json({ ...manifestObject, config: { ...manifestObject.config, size: '1' } }), undefined, ImageFormatError, /no size/],
  ['a descriptor whose fields a prototype has', utf8(`{"schemaVersion":2,"config":{"__proto__":${JSON.stringify(manifestObject.config)}},"layers":[]}`), undefined, ImageFormatError, /no mediaType/],
  ['1,001 manifests', indexOf(...Array.from({ length: 1001 }, () => descriptor)), undefined, ImageLimitError, /more than 1000 manifests/],
  ['manifests that are a text', json({ manifests: 'x' }), undefined, ImageFormatError, /no list/],
];

for (const [what, bytes, mediaType, kind, message] of DOCUMENTS) {
  test(`manifests: ${what} is refused`, () => assert.throws(() => parseManifest(bytes, mediaType, 'the manifest'), (error) => mustThrow(error, kind, message)));
}

const CONFIGS: readonly (readonly [what: string, bytes: Bytes, kind: Kind, message: RegExp])[] = [
  ['nothing', utf8(''), ImageFormatError, /it is not JSON/],
  ['no layers', json({ ...configObject, rootfs: undefined }), ImageFormatError, /what the layers are/],
  ['layers that are a text', json({ ...configObject, rootfs: { diff_ids: 'x' } }), ImageFormatError, /what the layers are/],
  ['layers that are paths', json({ ...configObject, rootfs: { diff_ids: ['../../etc'] } }), ImageFormatError, /what the layers are/],
  ['501 layers', json({ ...configObject, rootfs: { diff_ids: Array.from({ length: 501 }, () => NO_DIGEST) } }), ImageLimitError, /more than 500 layers/],
];
for (const [what, bytes, kind, message] of CONFIGS) {
  test(`configurations: ${what} is refused`, () => assert.throws(() => parseConfig(bytes, 'the configuration'), (error) => mustThrow(error, kind, message)));
}

test('configurations: what has a wrong type counts as absent', () => {
  const { defaults, history, platform, created } = parseConfig(json({
    ...configObject, os: 5, created: {}, history: [1, null, { created_by: 7, empty_layer: 'yes' }],
    config: { User: [], Env: { a: 1 }, Cmd: 'sh', Entrypoint: [1, 'x', null], WorkingDir: 1, Labels: { a: 1, __proto__: null, b: 'c' }, Volumes: ['/a'], ExposedPorts: 3, StopSignal: 9 },
  }), 'the configuration');
  assert.deepEqual(defaults, { user: '', env: [], entrypoint: ['x'], cmd: [], workingDirectory: '', volumes: [], exposedPorts: [], labels: { b: 'c' }, stopSignal: undefined });
  assert.deepEqual([history.length, history[0]?.createdBy, history[0]?.emptyLayer, platform.os, created], [1, undefined, false, '', undefined]);
});

// ---- archives ----

type Files = Readonly<Record<string, Bytes | TestEntry | undefined>>;
const LAYOUT = json({ imageLayoutVersion: '1.0.0' });
const GOOD: Files = { 'oci-layout': LAYOUT, 'index.json': indexOf(descriptor), [hexName(manifest)]: manifest, [hexName(config)]: config, [hexName(layer)]: layer };
const DOCKER: Files = { 'manifest.json': json([{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['l/layer.tar'] }]), 'c.json': config, 'l/layer.tar': layerTar };
const isEntry = (value: Bytes | TestEntry): value is TestEntry => !(value instanceof Uint8Array);

function archiveOf(files: Files): Bytes {
  return tarOf(Object.entries(files).flatMap(([path, value]) => (value === undefined ? [] : [isEntry(value) ? value : { path, text: Buffer.from(value).toString('latin1') }])));
}
/** The good image with another manifest, or another configuration below it. */
function withManifest(other: Bytes, more: Files = {}): Files {
  return { ...GOOD, 'index.json': indexOf(describe(other, OCI_MANIFEST)), [hexName(other)]: other, ...more };
}
function withConfig(other: Bytes): Files {
  return withManifest(json({ ...manifestObject, config: describe(other, OCI_CONFIG) }), { [hexName(other)]: other });
}
/** Indexes within each other. */
function nested(depth: number): Files {
  const files: Record<string, Bytes> = {};
  let inner: unknown = { ...descriptor, platform: { os: 'linux', architecture: 'amd64' } };
  for (let level = 0; level < depth; level++) {
    const bytes = indexOf(inner);
    files[hexName(bytes)] = bytes;
    inner = { ...describe(bytes, OCI_INDEX), platform: { os: 'linux', architecture: 'amd64' } };
  }
  return { ...GOOD, ...files, 'index.json': indexOf(inner) };
}
const symlink = (path: string, linkTarget: string): TestEntry => ({ path, type: 'symlink', linkTarget });
const hard = (path: string, linkTarget: string): TestEntry => ({ path, type: 'link', linkTarget });
const docker = (image: object, more: Files = {}): Files => ({ ...DOCKER, 'manifest.json': json([{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['l/layer.tar'], ...image }]), ...more });

const ARCHIVES: readonly (readonly [what: string, bytes: Bytes, kind: Kind, message: RegExp])[] = [
  ['nothing', utf8(''), ImageFormatError, /archive is empty/],
  ['a web page', utf8('<html>'.repeat(300)), ImageFormatError, /checksum/],
  ['a tar of nothing', archiveOf({}), ImageFormatError, /holds no images/],
  ['a root directory', archiveOf({ 'etc/passwd': utf8('root') }), ImageFormatError, /holds no images/],
  ['half a tar', archiveOf(GOOD).subarray(0, 1800), ImageFormatError, /ends in the middle/],
  ['half a gzip stream', gzipSync(archiveOf(GOOD)).subarray(0, 300), ImageFormatError, /spoiled or cut short/],
  ['a spoiled gzip stream', gzipSync(archiveOf(GOOD)).map((byte, index) => (index > 60 && index < 70 ? byte ^ 0x55 : byte)), ImageError, /spoiled|checksum|ends in the middle/],
  ['a layout without an index', archiveOf({ 'oci-layout': LAYOUT }), ImageFormatError, /holds no images/],
  ['an index that is none', archiveOf({ ...GOOD, 'index.json': manifest }), ImageFormatError, /index\.json of the archive is no index/],
  ['an index that is not JSON', archiveOf({ ...GOOD, 'index.json': utf8('{') }), ImageFormatError, /index\.json: it is not JSON/],
  ['an index of nothing', archiveOf({ ...GOOD, 'index.json': indexOf() }), ImageFormatError, /names none/],
  ['an index of charts', archiveOf({ ...GOOD, 'index.json': indexOf({ ...descriptor, mediaType: 'application/vnd.cncf.helm' }) }), ImageFormatError, /names none/],
  ['a manifest that is not there', archiveOf({ ...GOOD, [hexName(manifest)]: undefined }), ImageFormatError, /is not in the archive/],
  ['another manifest', archiveOf({ ...GOOD, [hexName(manifest)]: utf8(Buffer.from(manifest).toString().replace('2', '3')) }), DigestMismatchError, /is not what it should be/],
  ['a manifest that is longer', archiveOf({ ...GOOD, [hexName(manifest)]: Buffer.concat([manifest, utf8(' ')]) }), ImageFormatError, /longer than the \d+ bytes/],
  ['a manifest that is shorter', archiveOf({ ...GOOD, [hexName(manifest)]: manifest.subarray(1) }), ImageFormatError, /where \d+ were promised/],
  ['a manifest of ten megabytes', archiveOf({ ...GOOD, 'index.json': indexOf({ ...descriptor, size: 1e7 }) }), ImageLimitError, /longer than/],
  ['a manifest that is a link to a file of the host', archiveOf({ ...GOOD, [hexName(manifest)]: symlink(hexName(manifest), '/etc/passwd') }), ImageFormatError, /is not in the archive/],
  ['a manifest that is a link above the archive', archiveOf({ ...GOOD, [hexName(manifest)]: symlink(hexName(manifest), '../../../../../../etc/passwd') }), ImageFormatError, /is not in the archive/],
  ['links in a circle', archiveOf({ ...GOOD, [hexName(manifest)]: symlink(hexName(manifest), sha256(manifest).slice(7)) }), ImageFormatError, /is not in the archive/],
  ['hard links in a circle', archiveOf({ ...GOOD, [hexName(manifest)]: hard(hexName(manifest), hexName(manifest)) }), ImageFormatError, /is not in the archive/],
  ['a manifest that is a directory', archiveOf({ ...GOOD, [hexName(manifest)]: { path: `${hexName(manifest)}/` } }), ImageFormatError, /is not in the archive/],
  ['a manifest that is a device', archiveOf({ ...GOOD, [hexName(manifest)]: { path: hexName(manifest), type: 'character-device', major: 1, minor: 5 } }), ImageFormatError, /is not in the archive/],
  ['indexes within indexes', archiveOf(nested(7)), ImageLimitError, /more than 4 deep/],
  ['an image for another machine', archiveOf({ ...GOOD, ...(() => {
    const inner = indexOf({ ...descriptor, platform: { os: 'plan9', architecture: 'mips' } });
    return { [hexName(inner)]: inner, 'index.json': indexOf(describe(inner, OCI_INDEX)) };
  })() }), ImageError, /nothing for linux\/amd64/],
  ['a configuration that is not there', archiveOf({ ...GOOD, [hexName(config)]: undefined }), ImageFormatError, /configuration .* is not in the archive/],
  ['a configuration that is not JSON', archiveOf(withConfig(utf8('rubbish'))), ImageFormatError, /configuration: it is not JSON/],
  ['a configuration of two layers', archiveOf(withConfig(json({ ...configObject, rootfs: { diff_ids: [sha256(layerTar), sha256(layerTar)] } }))), ImageFormatError, /has 1 layers, and its configuration says 2/],
  ['a configuration of another layer', archiveOf(withConfig(json({ ...configObject, rootfs: { diff_ids: [NO_DIGEST] } }))), DigestMismatchError, /uncompressed, is not what it should be/],
  ['a layer that is not there', archiveOf({ ...GOOD, [hexName(layer)]: undefined }), ImageFormatError, /layer .* is not in the archive/],
  ['another layer', archiveOf({ ...GOOD, [hexName(layer)]: gzipSync(tarOf([{ path: 'b', text: 'y' }])) }), ImageError, /is not what it should be|were promised/],
  ['a layer that is longer', archiveOf({ ...GOOD, [hexName(layer)]: Buffer.concat([layer, layer]) }), ImageFormatError, /longer than the \d+ bytes/],
  ['a layer that is a link to a file of the host', archiveOf({ ...GOOD, [hexName(layer)]: symlink(hexName(layer), '/etc/passwd') }), ImageFormatError, /layer .* is not in the archive/],
  ['a layer that is a signature', archiveOf(withManifest(json({ ...manifestObject, layers: [{ ...manifestObject.layers[0], mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' }] }))), ImageFormatError, /of the type application\/vnd\.dev\.cosign.* as a layer/],
  ['manifest.json that is not JSON', archiveOf({ ...DOCKER, 'manifest.json': utf8('[') }), ImageFormatError, /manifest\.json of the archive: it is not JSON/],
  ['manifest.json that is an object', archiveOf({ ...DOCKER, 'manifest.json': json({}) }), ImageFormatError, /no list/],
  ['manifest.json of numbers', archiveOf({ ...DOCKER, 'manifest.json': json([1]) }), ImageFormatError, /lacks Config or Layers/],
  ['manifest.json of nothing', archiveOf({ ...DOCKER, 'manifest.json': json([]) }), ImageFormatError, /manifest\.json is empty/],
  ['an image without a configuration', archiveOf(docker({ Config: undefined })), ImageFormatError, /lacks Config or Layers/],
  ['an image without layers', archiveOf(docker({ Layers: 'x' })), ImageFormatError, /lacks Config or Layers/],
  ['a configuration above the archive', archiveOf(docker({ Config: '../../../../etc/passwd' })), ImageFormatError, /"\.\.\/\.\.\/\.\.\/\.\.\/etc\/passwd" is not in the archive/],
  ['a configuration of the host', archiveOf(docker({ Config: '/etc/passwd' })), ImageFormatError, /is not in the archive/],
  ['a layer of the host', archiveOf(docker({ Layers: ['/etc/shadow'] })), ImageFormatError, /layer "\/etc\/shadow" is not in the archive/],
  ['a layer above the archive', archiveOf(docker({ Layers: ['../../../../etc/shadow'] })), ImageFormatError, /is not in the archive/],
  ['a layer that is a link to the host', archiveOf(docker({}, { 'l/layer.tar': symlink('l/layer.tar', '../../../../../../etc/shadow') })), ImageFormatError, /is not in the archive/],
  ['a layer behind eleven links', archiveOf(docker({ Layers: ['0'] }, Object.fromEntries(Array.from({ length: 12 }, (_, index) => [String(index), symlink(String(index), index === 11 ? 'l/layer.tar' : String(index + 1))])))), ImageFormatError, /is not in the archive/],
  ['more layers than the configuration', archiveOf(docker({ Layers: ['l/layer.tar', 'l/layer.tar'] })), ImageFormatError, /has 2 layers, and its configuration says 1/],
  ['501 layers', archiveOf(docker({ Layers: Array.from({ length: 501 }, () => 'l/layer.tar') })), ImageLimitError, /more than 500 layers/],
  ['another layer than the configuration says', archiveOf(docker({}, { 'l/layer.tar': tarOf([{ path: 'b', text: 'y' }]) })), DigestMismatchError, /is not what it should be/],
  ['a configuration of five megabytes', archiveOf(docker({}, { 'c.json': new Uint8Array(5 * 2 ** 20) })), ImageLimitError, /longer than/],
];

/** Nothing of the case stays that would be taken for an image, and nothing outside the store is touched. */
async function mustBeUntouched(store: ImageStore, directory: string, around: readonly string[]): Promise<void> {
  assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
  assert.deepEqual(store.records.list(), []);
  assert.deepEqual((await checkStore(store, { repair: false, force: false, quick: false })).problems, []);
  assert.deepEqual(readdirSync(dirname(directory)), around);
}

async function refused(body: (store: ImageStore, directory: string) => Promise<unknown>, kind: Kind, message: RegExp): Promise<void> {
  const outside = mkdtempSync(join(tmpdir(), 'caisson-hostile-'));
  try {
    const directory = join(outside, 'store');
    const store = ImageStore.open(createImageHost(), directory);
    const around = readdirSync(outside);
    await assert.rejects(body(store, directory), (error) => mustThrow(error, kind, message));
    await mustBeUntouched(store, directory, around);
  } finally {
    rmSync(outside, { recursive: true });
  }
}

async function load(store: ImageStore, bytes: Bytes, name?: string): Promise<readonly { readonly id: string; readonly record: { readonly reference: unknown } }[]> {
  const source = await openArchiveStream(store.disk, inPieces(bytes, 9999));
  try {
    return await loadArchive(store, source, { platform: OWN_PLATFORM, name });
  } finally {
    source.close();
  }
}

for (const [what, bytes, kind, message] of ARCHIVES) test(`archives: ${what} is refused`, () => refused((store) => load(store, bytes), kind, message));

test('archives: the ones that all others are made from load', () =>
  withTemporaryStore(async (store) => {
    assert.equal((await load(store, archiveOf(GOOD)))[0]?.id, sha256(config));
    assert.equal((await load(store, archiveOf(DOCKER)))[0]?.id, sha256(config));
    assert.equal((await load(store, archiveOf(nested(3))))[0]?.id, sha256(config));
  }));

test('archives: names that are no references are left out', () =>
  withTemporaryStore(async (store) => {
    for (const name of ['../../x', 'a b', '\x1b[31mred', 'Capital', '', `x@${NO_DIGEST}x`]) {
      const [image] = await load(store, archiveOf({ ...GOOD, 'index.json': indexOf({ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } }) }));
      assert.equal(image?.record.reference, undefined, name);
      const [other] = await load(store, archiveOf(docker({ RepoTags: [name, 7] })));
      assert.equal(other?.record.reference, undefined, name);
    }
    await assert.rejects(load(store, archiveOf(GOOD), 'a@b'), InvalidReferenceError);
    await assert.rejects(load(store, archiveOf({ ...DOCKER, 'manifest.json': json([1, 2].map(() => ({ Config: 'c.json', RepoTags: [], Layers: ['l/layer.tar'] }))) }), 'app'), /cannot name 2 images/);
  }));

/** An OCI directory in which one thing is not what it should be. */
const DIRECTORIES: readonly (readonly [what: string, spoil: (directory: string) => void, kind: Kind, message: RegExp])[] = [
  ['index.json is a link', (directory) => replace(join(directory, 'index.json'), (path) => symlinkSync('/etc/passwd', path)), StoreError, /cannot open/],
  ['a blob is a link', (directory) => replace(join(directory, hexName(layer)), (path) => symlinkSync('/etc/passwd', path)), StoreError, /cannot open/],
  ['a blob is a directory', (directory) => replace(join(directory, hexName(layer)), (path) => void mkdirSync(path)), ImageError, /EISDIR/],
  ['a blob is a FIFO', (directory) => replace(join(directory, hexName(layer)), (path) => void execFileSync('mkfifo', [path])), ImageError, /ESPIPE/],
];
function replace(path: string, make: (path: string) => void): void {
  rmSync(path);
  make(path);
}
for (const [what, spoil, kind, message] of DIRECTORIES) {
  test(`directories: ${what}`, () => refused(async (store, directory) => {
    const layout = join(directory, 'tmp', 'layout');
    mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
    for (const [path, bytes] of Object.entries(GOOD)) if (bytes instanceof Uint8Array) writeFileSync(join(layout, path), bytes);
    spoil(layout);
    try {
      await loadArchive(store, await openArchive(store.disk, layout), { platform: OWN_PLATFORM });
    } finally {
      rmSync(layout, { recursive: true });
    }
  }, kind, message));
}

// ---- registries ----

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes | AsyncIterable<Bytes>;
}
type Server = (request: HttpRequest) => Answer;

function responseOf({ status = 200, headers = {}, body = new Uint8Array() }: Answer): HttpResponse {
  return { status, headers: new Map(Object.entries(headers)), body: body instanceof Uint8Array ? inPieces(body, 1000) : body, cancel: () => {} };
}

/** A clock that the drip of a registry moves on. */
let clockMs = Date.now();
/** A byte every fifty seconds, which keeps the connection from being idle. */
async function* drip(bytes: Bytes): AsyncIterable<Bytes> {
  for (const byte of bytes) {
    clockMs += 50_000;
    yield Uint8Array.of(byte);
  }
}

async function* endless(): AsyncIterable<Bytes> {
  for (;;) yield new Uint8Array(65_536);
}

/** An honest registry of the good image, with other answers for some paths. */
function registry(others: Readonly<Record<string, Answer>> = {}): Server {
  const manifestAnswer = (bytes: Bytes, type: string): Answer => ({ headers: { 'content-type': type }, body: bytes });
  const honest: Readonly<Record<string, Answer>> = {
    '/v2/x/manifests/1': manifestAnswer(manifest, OCI_MANIFEST), [`/v2/x/manifests/${sha256(manifest)}`]: manifestAnswer(manifest, OCI_MANIFEST),
    [`/v2/x/blobs/${sha256(config)}`]: { body: config }, [`/v2/x/blobs/${sha256(layer)}`]: { body: layer },
  };
  return ({ url }) => ({ ...honest, ...others })[new URL(url).pathname] ?? { status: 404, body: json({ errors: [{ code: 'NAME_UNKNOWN' }] }) };
}

async function pullFrom(store: ImageStore, server: Server, text = 'reg.test/x:1', asked: HttpRequest[] = []): Promise<unknown> {
  const host = { ...createImageHost(), now: () => clockMs, http: { request: async (request: HttpRequest) => {
    asked.push(request);
    return responseOf(server(request));
  } } };
  const reference = parseReference(text);
  const client = new RegistryClient(host, { registry: reference.registry, repository: reference.repository, credentials: { username: 'me', password: 'secret' } });
  return pullImage(store, client, { reference, typed: text, platform: OWN_PLATFORM, progress: { start: () => {}, advance: () => {}, end: () => {} } });
}

const MANIFEST = '/v2/x/manifests/1';
const CONFIG = `/v2/x/blobs/${sha256(config)}`;
const LAYER = `/v2/x/blobs/${sha256(layer)}`;
const withAnswer = (path: string, answer: Answer): Server => registry({ [path]: answer });
const served = (bytes: Bytes, type = OCI_MANIFEST, more: Readonly<Record<string, Answer>> = {}): Server => registry({ [MANIFEST]: { headers: { 'content-type': type }, body: bytes }, ...more });
const redirect = (location: string, status = 307): Answer => ({ status, headers: { location } });
const challenge = (text: string): Answer => ({ status: 401, headers: { 'www-authenticate': text } });
const token = (body: Bytes | AsyncIterable<Bytes>, status = 200): Server => ({ url }) => (url.startsWith('https://auth.test/') ? { status, body } : challenge('Bearer realm="https://auth.test/token",service="x"'));

const REGISTRIES: readonly (readonly [what: string, server: Server, kind: Kind, message: RegExp, text?: string])[] = [
  ['a web page', served(utf8('<html>'), 'text/html; charset=utf-8'), RegistryError, /web page/],
  ['nothing', served(utf8('')), ImageFormatError, /not JSON/],
  ['an endless manifest', withAnswer(MANIFEST, { headers: { 'content-type': OCI_MANIFEST }, body: endless() }), RegistryError, /manifest is longer than/],
  ['another manifest than the digest', registry({ [`/v2/x/manifests/${NO_DIGEST}`]: { headers: { 'content-type': OCI_MANIFEST }, body: manifest } }), DigestMismatchError, /is not what it should be/, `reg.test/x@${NO_DIGEST}`],
  ['another manifest than it says', withAnswer(MANIFEST, { headers: { 'content-type': OCI_MANIFEST, 'docker-content-digest': NO_DIGEST }, body: manifest }), DigestMismatchError, /is not what it should be/],
  ['a manifest as an index', served(manifest, OCI_INDEX), ImageFormatError, /calls itself/],
  ['a manifest as schema 2', served(manifest, DOCKER_MANIFEST), ImageFormatError, /calls itself/],
  ['schema 1', served(json({ schemaVersion: 1 }), 'application/vnd.docker.distribution.manifest.v1+prettyjws'), ImageFormatError, /schema 1/],
  ['an index for other machines', served(json({ schemaVersion: 2, mediaType: DOCKER_LIST, manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 's390x' } }] }), DOCKER_LIST), ImageError, /nothing for linux\/amd64/],
  ['an index whose manifest is another', served(indexOf({ ...descriptor, digest: NO_DIGEST, platform: { os: 'linux', architecture: 'amd64' } }), OCI_INDEX, { [`/v2/x/manifests/${NO_DIGEST}`]: { headers: { 'content-type': OCI_MANIFEST }, body: manifest } }), DigestMismatchError, /is not what it should be/],
  ['an index whose manifest is gone', served(indexOf({ ...descriptor, digest: NO_DIGEST, platform: { os: 'linux', architecture: 'amd64' } }), OCI_INDEX), RegistryError, /is not in reg\.test/],
  ['a configuration that is gone', withAnswer(CONFIG, { status: 404 }), RegistryError, /is not in reg\.test/],
  ['a configuration that is cut short', withAnswer(CONFIG, { body: config.subarray(0, 10) }), ImageFormatError, /ends after 10 of/],
  ['a configuration that goes on', withAnswer(CONFIG, { body: endless() }), ImageFormatError, /longer than/],
  ['another configuration', withAnswer(CONFIG, { body: config.map((byte, index) => (index === 20 ? byte ^ 1 : byte)) }), DigestMismatchError, /is not what it should be/],
  ['a configuration of a gigabyte', served(json({ ...manifestObject, config: { ...manifestObject.config, size: 2 ** 30 } })), ImageLimitError, /configuration is longer than/],
  ['a layer that is gone', withAnswer(LAYER, { status: 404 }), RegistryError, /is not in reg\.test/],
  ['a layer that is cut short', withAnswer(LAYER, { body: layer.subarray(0, 50) }), ImageError, /ends after 50 of|spoiled or cut short/],
  ['a layer that goes on', withAnswer(LAYER, { body: Buffer.concat([layer, new Uint8Array(5000)]) }), ImageFormatError, /longer than the \d+ bytes/],
  ['a layer without an end', withAnswer(LAYER, { body: endless() }), ImageError, /longer than|checksum|spoiled/],
  ['another layer', withAnswer(LAYER, { body: layer.map((byte, index) => (index === 30 ? byte ^ 1 : byte)) }), ImageError, /is not what it should be|spoiled|checksum/],
  ['a layer that is an attestation', served(json({ ...manifestObject, layers: [{ ...manifestObject.layers[0], mediaType: 'application/vnd.in-toto+json' }] })), ImageFormatError, /as a layer/],
  ['a part of a layer that nobody asked for', withAnswer(LAYER, { status: 206, body: layer.subarray(10) }), ImageError, /ends after|spoiled|checksum|longer|is not what/],
  ['a redirect in a circle', withAnswer(LAYER, redirect(LAYER)), RegistryError, /redirects more than 5 times/],
  ['a redirect to what is not encrypted', withAnswer(LAYER, redirect('http://elsewhere.test/layer')), RegistryError, /redirects to http:\/\/elsewhere\.test, which is not encrypted/],
  ['a redirect to a file', withAnswer(LAYER, redirect('file:///etc/passwd')), RegistryError, /not encrypted/],
  ['a redirect to a script', withAnswer(MANIFEST, redirect('javascript:alert(1)')), RegistryError, /not encrypted/],
  ['a redirect to nowhere', withAnswer(MANIFEST, redirect('https://[')), RegistryError, /redirects to "https:\/\/\[", which is no address/],
  ['a challenge without words', withAnswer(MANIFEST, challenge('')), RegistryError, /who you are/],
  ['a challenge that nobody knows', withAnswer(MANIFEST, challenge('Negotiate abc')), RegistryError, /who you are/],
  ['a challenge without a realm', withAnswer(MANIFEST, challenge('Bearer service="x"')), RegistryError, /does not say where to get it/],
  ['a token from what is not encrypted', withAnswer(MANIFEST, challenge('Bearer realm="http://auth.test/token"')), RegistryError, /token from http:\/\/auth\.test, which is not encrypted/],
  ['a token from a file', withAnswer(MANIFEST, challenge('Bearer realm="file:///etc/passwd"')), RegistryError, /not encrypted/],
  ['a challenge of 60,000 quotes', withAnswer(MANIFEST, challenge(`Bearer realm="${'\\"'.repeat(30_000)}`)), RegistryError, /does not say where to get it/],
  ['a token server that refuses', token(utf8(''), 403), RegistryError, /token server auth\.test refuses \(403\)/],
  ['a token that is a web page', token(utf8('<html>')), RegistryError, /answers without a token/],
  ['a token that is a number', token(json({ token: 5 })), RegistryError, /answers without a token/],
  ['a token with lines in it', token(json({ token: 'a\r\nX-Evil: 1' })), RegistryError, /answers without a token/],
  ['an endless token', token(endless()), RegistryError, /token is longer than/],
  ['the same challenge again', token(json({ token: 'good' })), RegistryError, /who you are/],
  ['an endless error', withAnswer(MANIFEST, { status: 400, body: endless() }), RegistryError, /answers 400$/],
  ['an error that paints the terminal', withAnswer(MANIFEST, { status: 400, body: json({ errors: [{ code: '\x1b[2J', message: '\x1b]0;title\x07bad' }] }) }), RegistryError, /^reg\.test answers 400: [\x20-\x7e]*bad$/],
  ['an error that is a list of nothing', withAnswer(MANIFEST, { status: 400, body: json({ errors: null }) }), RegistryError, /answers 400$/],
  ['a layer that drips', withAnswer(LAYER, { body: drip(layer) }), RegistryError, /sends fewer than 10000 bytes in 120 s/],
  ['a manifest that drips', withAnswer(MANIFEST, { headers: { 'content-type': OCI_MANIFEST }, body: drip(manifest) }), RegistryError, /sends fewer than/],
  ['a token that drips', token(drip(json({ token: 'x'.repeat(500) }))), RegistryError, /sends fewer than/],
  ['a status that nobody knows', withAnswer(MANIFEST, { status: 299 }), RegistryError, /answers 299/],
];

for (const [what, server, kind, message, text] of REGISTRIES) test(`registries: ${what} is found out`, () => refused((store) => pullFrom(store, server, text), kind, message));

test('registries: the honest one is believed, and credentials go nowhere else', () =>
  withTemporaryStore(async (store) => {
    const asked: HttpRequest[] = [];
    const server: Server = (request) => {
      const { pathname, host } = new URL(request.url);
      if (host === 'storage.test') return { body: layer };
      if (request.headers['authorization'] === undefined) return challenge('Basic realm="x"');
      return pathname === LAYER ? redirect('https://storage.test/layer?signature=1') : registry()(request);
    };
    await pullFrom(store, server, 'reg.test/x:1', asked);
    assert.equal((await store.mountable(store.find('reg.test/x:1'))).length, 1);
    assert.deepEqual([...new Set(asked.filter(({ headers }) => headers['authorization'] !== undefined).map(({ url }) => new URL(url).host))], ['reg.test']);
    assert.ok(asked.some(({ url }) => url.startsWith('https://storage.test/')));
  }));
