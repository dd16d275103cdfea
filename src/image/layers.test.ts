/** What layers become: the rules of OCI's layer.md, and layers that are made to do harm. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DigestMismatchError, ImageError, ImageFormatError, ImageLimitError } from './errors.ts';
import { DEFAULT_LAYER_LIMITS } from './limits.ts';
import { inPieces, listTree, mountTars, tarOf, withTemporaryStore } from '../../test/images/layer-testing.ts';
import type { TestEntry } from '../../test/images/layer-testing.ts';

interface LayerCase {
  readonly name: string;
  readonly layers: readonly (readonly TestEntry[])[];
  readonly tree: readonly string[];
}

const link = (path: string, linkTarget: string): TestEntry => ({ path, type: 'symlink', linkTarget });
const hard = (path: string, linkTarget: string): TestEntry => ({ path, type: 'link', linkTarget });
const file = (path: string, text = path): TestEntry => ({ path, text });

const CASES: readonly LayerCase[] = [
  { name: 'a name with ./ and one with / are the same', layers: [[file('./a', '1'), file('/a', '2')]], tree: ['- /a 2'] },
  { name: '.. inside the image is taken by its words', layers: [[file('a/../b', '1'), file('/../../c', '2')]], tree: ['- /b 1', '- /c 2'] },
  { name: 'the last of two entries counts', layers: [[file('a', '1'), file('a', '2')]], tree: ['- /a 2'] },
  { name: 'a file takes the place of a directory', layers: [[file('a/b', '1'), file('a', '2')]], tree: ['- /a 2'] },
  { name: 'a directory takes the place of a file', layers: [[file('a', '1'), { path: 'a/' }, file('a/b', '2')]], tree: ['d /a', '- /a/b 2'] },
  { name: 'a directory that comes again keeps what is in it', layers: [[{ path: 'a/' }, file('a/b', '1'), { path: 'a/' }]], tree: ['d /a', '- /a/b 1'] },
  { name: 'a link of the layer is followed inside it', layers: [[link('a', 'x/y'), file('a/b', '1')]], tree: ['l /a -> x/y', 'd /x', 'd /x/y', '- /x/y/b 1'] },
  { name: 'an absolute link begins at the image\'s root', layers: [[link('a', '/etc'), file('a/passwd', '1')]], tree: ['l /a -> /etc', 'd /etc', '- /etc/passwd 1'] },
  { name: 'a link above the root ends at the root', layers: [[link('a', '../../../etc'), file('a/passwd', '1')]], tree: ['l /a -> ../../../etc', 'd /etc', '- /etc/passwd 1'] },
  { name: 'links through links', layers: [[link('a', 'b'), link('b', 'c/../d'), file('a/x', '1')]], tree: ['l /a -> b', 'l /b -> c/../d', 'd /c', 'd /d', '- /d/x 1'] },
  { name: 'a directory takes the place of a link', layers: [[link('a', 'b'), { path: 'a/' }, file('a/x', '1')]], tree: ['d /a', '- /a/x 1'] },
  { name: 'hard links share', layers: [[file('a', '1'), hard('b', 'a'), hard('c/d', '/b')]], tree: ['- /a 1', '- /b 1', 'd /c', '- /c/d 1'] },
  { name: 'a hard link to a link is the link', layers: [[link('a', 'x'), hard('b', 'a')]], tree: ['l /a -> x', 'l /b -> x'] },
  { name: 'a hard link keeps a file whose name is taken by another', layers: [[file('a', '1'), hard('b', 'a'), file('a', '2')]], tree: ['- /a 2', '- /b 1'] },
  { name: 'devices and FIFOs are entries', layers: [[{ path: 'c', type: 'character-device', major: 1, minor: 3 }, { path: 'b', type: 'block-device', major: 8, minor: 1 }, { path: 'p', type: 'fifo' }]], tree: ['b /b', 'c /c', 'p /p'] },
  { name: 'the highest layer counts', layers: [[file('a', '1'), file('b', '1')], [file('a', '2')]], tree: ['- /a 2', '- /b 1'] },
  { name: 'a whiteout hides what is below', layers: [[file('d/a', '1'), file('d/b', '1')], [{ path: 'd/' }, file('d/.wh.a', '')]], tree: ['d /d', '- /d/b 1'] },
  { name: 'a whiteout of a directory', layers: [[file('d/e/a', '1'), file('d/b', '1')], [file('d/.wh.e', '')]], tree: ['d /d', '- /d/b 1'] },
  { name: 'a whiteout does not hide its own layer', layers: [[file('d/a', '1')], [file('d/.wh.a', ''), file('d/a', '2')]], tree: ['d /d', '- /d/a 2'] },
  { name: 'a whiteout behind the file does not, either', layers: [[file('d/a', '1')], [file('d/a', '2'), file('d/.wh.a', '')]], tree: ['d /d', '- /d/a 2'] },
  { name: 'a directory made over a whiteout is new', layers: [[file('d/a', '1')], [file('.wh.d', ''), { path: 'd/' }, file('d/b', '2')]], tree: ['d /d', '- /d/b 2'] },
  { name: 'an opaque directory hides what is below', layers: [[file('d/a', '1')], [file('d/b', '2'), file('d/.wh..wh..opq', '')]], tree: ['d /d', '- /d/b 2'] },
  { name: 'an opaque root', layers: [[file('a', '1')], [file('.wh..wh..opq', ''), file('b', '2')]], tree: ['- /b 2'] },
  { name: 'a whiteout of a whiteout is aufs\' own', layers: [[file('a', '1')], [file('.wh..wh.a', ''), file('.wh..wh.plnk/x', '')]], tree: ['- /a 1', 'd /.wh..wh.plnk', '- /.wh..wh.plnk/x'] },
  { name: 'a file that comes back above a whiteout', layers: [[file('a', '1')], [file('.wh.a', '')], [file('a', '3')]], tree: ['- /a 3'] },
  { name: 'a file below a directory below a file', layers: [[file('a', '1')], [file('a/b', '2')], [file('a/c', '3')]], tree: ['d /a', '- /a/b 2', '- /a/c 3'] },
  { name: 'a file over a directory hides it for good', layers: [[file('a/b', '1')], [file('a', '2')], [{ path: 'a/' }]], tree: ['d /a'] },
  { name: 'a hard link into a lower layer', layers: [[file('a', '1')], [hard('d/b', 'a'), file('.wh.a', '')]], tree: ['d /d', '- /d/b 1'] },
  { name: 'a hard link into the layer below that, through a link', layers: [[file('x/a', '1'), link('y', 'x')], [hard('b', 'y/a')], [hard('c', 'b')]], tree: ['- /b 1', '- /c 1', 'd /x', '- /x/a 1', 'l /y -> x'] },
  { name: 'a directory that nobody names goes where a lower link leads', layers: [[file('usr/lib/a', '1'), link('lib', 'usr/lib')], [file('lib/b', '2')]], tree: ['l /lib -> usr/lib', 'd /usr', 'd /usr/lib', '- /usr/lib/a 1', '- /usr/lib/b 2'] },
  { name: 'with whiteouts in it', layers: [[file('usr/lib/a', '1'), link('lib', 'usr/lib')], [file('lib/.wh.a', ''), file('lib/x/b', '2')]], tree: ['l /lib -> usr/lib', 'd /usr', 'd /usr/lib', 'd /usr/lib/x', '- /usr/lib/x/b 2'] },
  { name: 'a named directory takes the place of a lower link', layers: [[file('usr/lib/a', '1'), link('lib', 'usr/lib')], [{ path: 'lib/' }, file('lib/b', '2')]], tree: ['d /lib', '- /lib/b 2', 'd /usr', 'd /usr/lib', '- /usr/lib/a 1'] },
  { name: 'a lower link to nowhere gives way', layers: [[link('lib', 'gone')], [file('lib/b', '2')]], tree: ['d /lib', '- /lib/b 2'] },
  { name: 'lower links in a circle give way', layers: [[link('lib', 'lib')], [file('lib/b', '2')]], tree: ['d /lib', '- /lib/b 2'] },
  { name: 'names of JavaScript are names', layers: [[file('__proto__', '1'), file('constructor/prototype', '2')]], tree: ['- /__proto__ 1', 'd /constructor', '- /constructor/prototype 2'] },
  { name: 'names that are no UTF-8', layers: [[file('\xff\xfe', '1')]], tree: ['- /\xff\xfe 1'] },
  { name: 'an empty layer', layers: [[file('a', '1')], []], tree: ['- /a 1'] },
];

for (const { name, layers, tree } of CASES) {
  test(`layers: ${name}`, () => withTemporaryStore(async (store) => {
    const sorted = [...tree].sort((left, right) => (left.slice(2) < right.slice(2) ? -1 : 1));
    const found = [...listTree(await mountTars(store, layers.map(tarOf)))].sort((left, right) => (left.slice(2) < right.slice(2) ? -1 : 1));
    assert.deepEqual(found, sorted);
  }));
}

/** The header of an entry with one byte changed and the checksum made to fit. */
function patched(entry: TestEntry, offset: number, text: string): Uint8Array {
  const bytes = tarOf([entry]).slice(0, 512);
  for (let index = 0; index < text.length; index++) bytes[offset + index] = text.charCodeAt(index);
  bytes.fill(0x20, 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, '0');
  for (const [index, digit] of [...`${sum}\0 `].entries()) bytes[148 + index] = digit.charCodeAt(0);
  return bytes;
}

function paxEntry(text: string): Uint8Array {
  const header = patched({ path: 'pax', text: '' }, 156, 'x');
  const size = text.length.toString(8).padStart(11, '0');
  for (let index = 0; index < 11; index++) header[124 + index] = size.charCodeAt(index);
  const body = new Uint8Array(Math.ceil(text.length / 512) * 512);
  for (let index = 0; index < text.length; index++) body[index] = text.charCodeAt(index);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, '0');
  for (const [index, digit] of [...`${sum}\0 `].entries()) header[148 + index] = digit.charCodeAt(0);
  const all = new Uint8Array(header.length + body.length);
  all.set(header);
  all.set(body, header.length);
  return all;
}

function record(key: string, value: string): string {
  let length = key.length + value.length + 3;
  length += String(length + String(length).length).length;
  return `${length} ${key}=${value}\n`;
}

const REFUSED: readonly (readonly [name: string, bytes: () => Uint8Array, kind: typeof ImageError, message: RegExp])[] = [
  ['a name above the root', () => tarOf([file('../x')]), ImageFormatError, /leads out of the image/],
  ['a name that climbs above the root', () => tarOf([file('a/../../x')]), ImageFormatError, /leads out of the image/],
  ['a hard link above the root', () => tarOf([hard('a', '../../etc/passwd')]), ImageFormatError, /leads out of the image/],
  ['a hard link to a directory', () => tarOf([{ path: 'd/' }, hard('a', 'd')]), ImageFormatError, /hard link "a" to a directory/],
  ['a hard link to the root', () => tarOf([hard('a', '/')]), ImageFormatError, /to the root directory/],
  ['a hard link to what the layer takes away', () => tarOf([file('.wh.x', ''), hard('a', 'x')]), ImageFormatError, /takes away/],
  ['an entry below a file', () => tarOf([file('a', '1'), file('a/b', '2')]), ImageFormatError, /no directory/],
  ['an entry below a device', () => tarOf([{ path: 'a', type: 'character-device' }, file('a/b', '2')]), ImageFormatError, /no directory/],
  ['links in a circle', () => tarOf([link('a', 'b'), link('b', 'a'), file('a/x', '1')]), ImageFormatError, /circle/],
  ['a whiteout of nothing', () => tarOf([file('.wh.', '')]), ImageFormatError, /whiteout/],
  ['a whiteout of the directory itself', () => tarOf([file('.wh..', '')]), ImageFormatError, /whiteout/],
  ['a whiteout of the directory above', () => tarOf([file('.wh...', '')]), ImageFormatError, /whiteout/],
  ['a name of 256 bytes', () => tarOf([file('n'.repeat(256))]), ImageLimitError, /name of 256 bytes/],
  ['a path of 5,000 bytes', () => tarOf([file('n/'.repeat(2500))]), ImageLimitError, /path of 5000 bytes/],
  ['a wrong checksum', () => tarOf([file('a', '1')]).map((byte, index) => (index === 0 ? 0x62 : byte)), ImageFormatError, /checksum/],
  ['no tar at all', () => new TextEncoder().encode('<html>'.repeat(200)), ImageFormatError, /checksum/],
  ['a size that is no number', () => patched(file('a', ''), 124, 'zzzzzzzzzzz'), ImageFormatError, /size/],
  ['a negative size', () => patched(file('a', ''), 124, '\xff'.repeat(12)), ImageFormatError, /size/],
  ['a size beyond all numbers', () => patched(file('a', ''), 124, `\x80${'\xff'.repeat(11)}`), ImageFormatError, /size/],
  ['a size beyond all files', () => patched(file('a', ''), 124, '\x80\0\0\0\0\x01\0\0\0\0\0\0'), ImageLimitError, /longer than/],
  ['a type that nobody knows', () => patched(file('a', ''), 156, 'Z'), ImageFormatError, /type "Z"/],
  ['an end in the middle of a file', () => tarOf([file('a', 'x'.repeat(2000))]).slice(0, 1500), ImageFormatError, /ends in the middle/],
  ['an end in the middle of a header', () => tarOf([file('a', '1')]).slice(0, 300), ImageFormatError, /ends in the middle/],
  ['an empty block between entries', () => tarOf([new Uint8Array(512), file('a', '1')]), ImageFormatError, /empty block/],
  ['a pax record without a length', () => tarOf([paxEntry('x path=a\n'), file('a', '1')]), ImageFormatError, /extended header/],
  ['a pax record that is longer than its header', () => tarOf([paxEntry('99 path=a\n'), file('a', '1')]), ImageFormatError, /extended header/],
  ['a pax record without an end', () => tarOf([paxEntry('10 path=ab'), file('a', '1')]), ImageFormatError, /extended header/],
  ['a pax record without a key', () => tarOf([paxEntry(record('', 'x')), file('a', '1')]), ImageFormatError, /extended header/],
  ['a pax path with a zero byte', () => tarOf([paxEntry(record('path', 'a\0b')), file('a', '1')]), ImageFormatError, /extended header/],
  ['a pax path above the root', () => tarOf([paxEntry(record('path', '../../x')), file('a', '1')]), ImageFormatError, /leads out/],
  ['a pax size that is no number', () => tarOf([paxEntry(record('size', '-1')), file('a', '1')]), ImageFormatError, /extended header/],
  ['a pax header of 2 MiB', () => tarOf([paxEntry(record('comment', 'x'.repeat(2 ** 21))), file('a', '1')]), ImageLimitError, /headers of one entry/],
  ['a pax header and nothing behind it', () => paxEntry(record('path', 'a')), ImageFormatError, /ends in the middle/],
  ['more extended attributes than Linux has', () => tarOf([paxEntry(record('SCHILY.xattr.user.x', 'x'.repeat(70_000))), file('a', '1')]), ImageLimitError, /extended attributes/],
  ['a sparse map that goes back', () => tarOf([paxEntry(record('GNU.sparse.map', '10,1,0,1') + record('GNU.sparse.size', '20')), file('a', '12')]), ImageFormatError, /extended header/],
  ['a sparse map beyond the file', () => tarOf([paxEntry(record('GNU.sparse.map', '0,2') + record('GNU.sparse.size', '1')), file('a', '12')]), ImageFormatError, /extended header/],
  ['a sparse map of more than is stored', () => tarOf([paxEntry(record('GNU.sparse.map', '0,1000') + record('GNU.sparse.size', '1000')), file('a', '12')]), ImageFormatError, /extended header/],
  ['a sparse file of a petabyte', () => tarOf([paxEntry(record('GNU.sparse.map', '0,2') + record('GNU.sparse.size', '999999999999999')), file('a', '12')]), ImageLimitError, /sparse file is longer/],
  ['a spoiled gzip stream', () => gzipSync(tarOf([file('a', 'x'.repeat(5000))])).map((byte, index) => (index === 40 ? byte ^ 0xff : byte)), ImageError, /spoiled|checksum|tar archive/],
  ['half a gzip stream', () => gzipSync(tarOf([file('a', '1')])).subarray(0, 60), ImageFormatError, /spoiled or cut short/],
  ['a zstd frame with a window of 2 GiB', () => Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0, 0, 0]), ImageLimitError, /zstd stream needs/],
  ['half a zstd frame', () => Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20]), ImageFormatError, /zstd stream ends/],
  ['rubbish in a zstd frame', () => Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x10, 0xff, 0xff, 0xff]), ImageFormatError, /zstd stream/],
];

for (const [name, bytes, kind, message] of REFUSED) {
  test(`layers: ${name} is refused`, () => withTemporaryStore(async (store, directory) => {
    await assert.rejects(store.layers.take({ source: inPieces(bytes()) }), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, message);
      return true;
    });
    for (const place of ['tmp', 'layers', 'blobs/sha256']) assert.deepEqual(readdirSync(`${directory}/${place}`), [], place);
  }));
}

test('layers: limits hold, and nothing stays behind', () => withTemporaryStore(async (store, directory) => {
  const zeros = gzipSync(new Uint8Array(3 * 2 ** 20));
  await assert.rejects(store.layers.take({ source: inPieces(zeros), limits: { ...DEFAULT_LAYER_LIMITS, layerBytes: 2 ** 20 } }), /longer than 1048576 bytes uncompressed/);
  const many = tarOf(Array.from({ length: 101 }, (_, index) => file(`f${index}`, '')));
  await assert.rejects(store.layers.take({ source: inPieces(many), limits: { ...DEFAULT_LAYER_LIMITS, layerEntries: 100 } }), /more than 100 entries/);
  const deep = tarOf([file('a/b/c/d/e/f', '')]);
  await assert.rejects(store.layers.take({ source: inPieces(deep), limits: { ...DEFAULT_LAYER_LIMITS, layerEntries: 5 } }), /more than 5 entries/);
  const tar = tarOf([file('a', '1')]);
  await assert.rejects(store.layers.take({ source: inPieces(tar), descriptor: { digest: `sha256:${'0'.repeat(64)}`, size: tar.length } }), DigestMismatchError);
  await assert.rejects(store.layers.take({ source: inPieces(tar), diffId: `sha256:${'0'.repeat(64)}` }), DigestMismatchError);
  const { digest } = await store.layers.take({ source: inPieces(tar) });
  await assert.rejects(store.layers.take({ source: inPieces(tar), descriptor: { digest, size: tar.length - 1 } }), /longer than/);
  await assert.rejects(store.layers.take({ source: inPieces(tar), descriptor: { digest, size: tar.length + 1 } }), /were promised/);
  assert.deepEqual(readdirSync(`${directory}/tmp`), []);
}));

test('layers: what follows a gzip stream belongs to the blob', () => withTemporaryStore(async (store) => {
  const tar = tarOf([file('a', '1')]);
  const both = Buffer.concat([gzipSync(tar), Buffer.alloc(3000)]);
  const { size, diffId } = await store.layers.take({ source: inPieces(both, 100) });
  assert.equal(size, both.length);
  assert.equal(diffId, (await store.layers.take({ source: inPieces(Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))])) })).diffId);
}));

test('layers: hard links count, also into lower layers, and share their number', () => withTemporaryStore(async (store) => {
  const { root } = await mountTars(store, [tarOf([file('a', '1'), hard('b', 'a')]), tarOf([hard('c', 'a')])]);
  const stats = ['a', 'b', 'c'].map((name) => {
    const inode = root.lookup(name);
    assert.ok(typeof inode !== 'number');
    return inode.stat();
  });
  assert.deepEqual(stats.map(({ nlink }) => nlink), [3, 3, 3]);
  assert.equal(new Set(stats.map(({ ino }) => ino)).size, 1);
}));
