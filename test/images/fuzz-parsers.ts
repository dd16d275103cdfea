/**
 * Spoils tars, manifests, configurations, archives' lists and references at random, and gives them to the parsers. What comes out is a value that
 * holds together, or an `ImageError`: anything else is a fault of ours.
 */
import { LayerTable } from '../../src/fs/layer-format.ts';
import { LayerFs, LayerInode } from '../../src/fs/layerfs.ts';
import { parseConfig } from '../../src/image/config.ts';
import { ImageError } from '../../src/image/errors.ts';
import { encodeLayer } from '../../src/image/layer-indexer.ts';
import { LayerTree } from '../../src/image/layer-tree.ts';
import { parseManifest } from '../../src/image/manifest.ts';
import { formatReference, parseReference } from '../../src/image/reference.ts';
import { parseChallenge } from '../../src/image/registry-auth.ts';
import { BLOCK_BYTES, FIELD, checksum } from '../../src/image/tar-format.ts';
import { TarScanner } from '../../src/image/tar-reader.ts';
import { tarOf } from './layer-testing.ts';
import type { TestEntry } from './layer-testing.ts';

type Random = () => number;

export interface FuzzCounts {
  readonly accepted: number;
  readonly refused: number;
}

const LIMITS = { layerBytes: 2 ** 26, layerEntries: 1000, compressionRatio: 1100 };
const HEX = '0123456789abcdef'.repeat(4);

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)]!;
}

const SEED_ENTRIES: readonly (readonly TestEntry[])[] = [
  [{ path: './' }, { path: 'bin/' }, { path: 'bin/sh', text: 'x'.repeat(600), mode: 0o755 }, { path: 'bin/ash', type: 'link', linkTarget: 'bin/sh' }, { path: 'lib', type: 'symlink', linkTarget: 'usr/lib' }, { path: 'usr/lib/a', text: 'a' }],
  [{ path: 'lib/b', text: 'b' }, { path: '.wh.gone', text: '' }, { path: 'd/.wh..wh..opq', text: '' }, { path: 'null', type: 'character-device', major: 1, minor: 3 }, { path: 'p', type: 'fifo' }],
  [{ path: `${'long/'.repeat(40)}file`, text: 'far' }, { path: 'caps', text: 'x', xattrs: new Map([['security.capability', '\x01\0\0\x02'], ['user.x', 'y'.repeat(300)]]) }, { path: 'owned', uid: 3_000_000_000, text: '' }],
  [{ path: 'a', type: 'symlink', linkTarget: 'b' }, { path: 'b', type: 'symlink', linkTarget: '../a/c' }, { path: 'a/x', text: '1' }, { path: '\xff\xfe', text: '2', mtimeSeconds: -1, mtimeNanoseconds: 5 }],
];
const SEED_TARS = SEED_ENTRIES.map((entries) => tarOf(entries));
const INTERESTING = ['0', '-1', '7777777', '99999999999', '../', '/', '..', '.wh.', '.wh..wh..opq', '\0', '\x80\0\0\0\0\0\0\0\0\0\0', '\xff'.repeat(12), 'x', 'L', 'K', 'S', 'g', '5', '1', '2', '__proto__', ' path=', '22 GNU.sparse.major=1\n', '30 mtime=-9999999999999.999999999\n'];

function spoilBytes(random: Random, seed: Uint8Array): Uint8Array {
  let bytes = seed.slice();
  for (let times = 1 + Math.floor(random() * 4); times > 0; times--) {
    const at = Math.floor(random() * bytes.length);
    const kind = random();
    if (kind < 0.3) bytes[at] = Math.floor(random() * 256);
    else if (kind < 0.65) {
      const text = pick(random, INTERESTING);
      // Mostly into a field of a header, since most of a tar is zeros.
      const field = pick(random, Object.values(FIELD));
      const start = random() < 0.7 ? Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES + field[0] : at;
      for (let index = 0; index < text.length && start + index < bytes.length; index++) bytes[start + index] = text.charCodeAt(index);
    } else if (kind < 0.75) bytes = bytes.slice(0, at);
    else if (kind < 0.9) {
      const block = Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES;
      const from = Math.floor((random() * bytes.length) / BLOCK_BYTES) * BLOCK_BYTES;
      bytes.set(bytes.slice(from, Math.min(from + BLOCK_BYTES, from + bytes.length - block)), block);
    } else {
      const other = pick(random, SEED_TARS);
      const joined = new Uint8Array(Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES + other.length);
      joined.set(bytes.subarray(0, Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES));
      joined.set(other, Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES);
      bytes = joined;
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

/** Makes the checksums of what looks like headers right again, without which nothing else is ever reached. */
function fixChecksums(bytes: Uint8Array): void {
  for (let at = 0; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) {
    const header = bytes.subarray(at, at + BLOCK_BYTES);
    if (header[FIELD.magic[0]] !== 0x75) continue;
    const text = `${checksum(header).toString(8).padStart(6, '0')}\0 `;
    for (let index = 0; index < text.length; index++) header[FIELD.checksum[0] + index] = text.charCodeAt(index);
  }
}

/** Everything in a mounted tree can be looked at, and is there under the name that lists it. */
function visit(directory: LayerInode, depth: number, budget: { left: number }): void {
  const entries = directory.readDirectory();
  if (typeof entries === 'number') throw new Error(`a directory that cannot be listed: ${entries}`);
  for (const { name } of entries) {
    if (budget.left-- <= 0) return;
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new Error(`a name ${JSON.stringify(name)}`);
    const inode = directory.lookup(name);
    if (!(inode instanceof LayerInode)) throw new Error(`${name} is listed, and looking it up gives ${inode}`);
    inode.stat();
    inode.readLink();
    for (const attribute of inode.listXattr()) inode.getXattr(attribute);
    if (inode.path === undefined) inode.readAt(new Uint8Array(700), 0);
    else if (depth < 60) visit(inode, depth + 1, budget);
  }
}

const scratchRead = (tar: Uint8Array) => (buffer: Uint8Array, position: number): number => {
  const piece = tar.subarray(position, position + buffer.length);
  buffer.set(piece);
  return piece.length;
};

function layerFrom(tar: Uint8Array, pieces: number): LayerTable {
  const tree = new LayerTree(LIMITS);
  const scanner = new TarScanner((entry) => tree.add(entry));
  for (let at = 0; at < tar.length; at += pieces) scanner.push(tar.subarray(at, at + pieces));
  scanner.end();
  tree.finish();
  const table = LayerTable.read(encodeLayer(tree.root));
  if (table === undefined) throw new Error('an index that is none');
  return table;
}

const base = { table: layerFrom(SEED_TARS[0]!, 4096), read: scratchRead(SEED_TARS[0]!) };

function tarCase(random: Random): void {
  const tar = spoilBytes(random, pick(random, SEED_TARS));
  if (random() < 0.85) fixChecksums(tar);
  const layer = { table: layerFrom(tar, pick(random, [512, 700, 100_000])), read: scratchRead(tar) };
  visit(new LayerFs({ dev: 1, layers: random() < 0.5 ? [layer] : [base, layer] }).root, 0, { left: 500 });
}

const DESCRIPTOR = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${HEX}`, size: 12 };
const DOCUMENTS = [
  { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: DESCRIPTOR, layers: [DESCRIPTOR, { ...DESCRIPTOR, annotations: { a: 'b' } }] },
  { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [{ ...DESCRIPTOR, platform: { os: 'linux', architecture: 'amd64', variant: 'v2' } }] },
  { architecture: 'amd64', os: 'linux', created: '2024-01-02T03:04:05Z', config: { Env: ['A=b'], Cmd: ['sh'], User: 'a', Labels: { a: 'b' }, Volumes: { '/v': {} } }, rootfs: { type: 'layers', diff_ids: [DESCRIPTOR.digest] }, history: [{ created_by: 'x', empty_layer: true }] },
].map((document) => JSON.stringify(document));
const JSON_PIECES = ['null', '{}', '[]', '""', '-1', '1e999', 'true', '"__proto__"', '{"__proto__":{}}', '"sha256:../x"', '[[[[', '}}', ',', ':', '\\u0000', '"\ud800"', '0.5'];

function spoilText(random: Random, seed: string, pieces: readonly string[]): string {
  let text = seed;
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = Math.floor(random() * (text.length + 1));
    const length = Math.floor(random() * random() * 20);
    text = `${text.slice(0, at)}${random() < 0.7 ? pick(random, pieces) : String.fromCharCode(Math.floor(random() * 0x180))}${text.slice(at + length)}`;
  }
  return text;
}

/** Replaces a whole value, so that the text stays JSON. */
function spoilValue(random: Random, text: string): string {
  const values = [...text.matchAll(/(?<=:)(?:"[^"]*"|[0-9]+|\[[^\]]*\]|\{[^}]*\})/g)];
  const { 0: value, index } = pick(random, values);
  return `${text.slice(0, index)}${pick(random, JSON_PIECES.slice(0, 10))}${text.slice(index + value.length)}`;
}

function documentCase(random: Random): void {
  const seed = pick(random, DOCUMENTS);
  const text = random() < 0.5 ? spoilValue(random, seed) : spoilText(random, seed, JSON_PIECES);
  const bytes = new TextEncoder().encode(text);
  if (random() < 0.3 && bytes.length > 0) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
  if (seed.includes('diff_ids')) parseConfig(bytes, 'the configuration');
  else {
    const document = parseManifest(bytes, pick(random, [undefined, 'application/vnd.oci.image.manifest.v1+json', 'text/plain']), 'the manifest');
    const descriptors = document.kind === 'index' ? document.manifests : [document.config, ...document.layers];
    for (const { digest, size } of descriptors) if (!/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(digest) || !Number.isSafeInteger(size) || size < 0) throw new Error(`a descriptor ${digest} ${size}`);
  }
}

const REFERENCES = ['debian', 'debian:12', 'localhost:5000/a/b:c', `reg.example/team/app:v1@sha256:${HEX}`, '[::1]:5000/x', 'a__b/c--d.e', `x@sha512:${HEX}${HEX}`, 'Registry.Example:80/x'];
const REFERENCE_PIECES = [':', '@', '/', '//', '..', '.', '-', '__', '___', ' ', '\0', 'A', 'ä', '\u202e', '[', ']', 'sha256:', '%2f', '\\', '\n', 'x'.repeat(260), '0'.repeat(64)];

function referenceCase(random: Random): void {
  const text = spoilText(random, pick(random, REFERENCES), REFERENCE_PIECES);
  if (random() < 0.1) return void parseChallenge(`Bearer realm="${text}",service=${text}`);
  const reference = parseReference(text);
  const complete = formatReference(reference);
  if (formatReference(parseReference(complete)) !== complete) throw new Error(`${JSON.stringify(text)} becomes ${complete}, which does not read as itself`);
  if (!/^[a-zA-Z0-9.:[\]-]+$/.test(reference.registry) || !/^[a-z0-9][a-z0-9._/-]*$/.test(reference.repository) || reference.repository.includes('..')) throw new Error(`${JSON.stringify(text)} becomes ${complete}`);
}

export const FUZZERS = { tar: tarCase, document: documentCase, reference: referenceCase } as const satisfies Readonly<Record<string, (random: Random) => void>>;

/** @throws Error with what was wrong, other than an `ImageError` */
export function fuzz(kind: keyof typeof FUZZERS, cases: number, random: Random): FuzzCounts {
  let accepted = 0;
  let refused = 0;
  for (let number = 0; number < cases; number++) {
    try {
      FUZZERS[kind](random);
      accepted++;
    } catch (error) {
      if (!(error instanceof ImageError)) throw new Error(`${kind}, case ${number}: ${(error as Error).stack ?? String(error)}`, { cause: error });
      refused++;
    }
  }
  return { accepted, refused };
}
