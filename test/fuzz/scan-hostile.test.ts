/** Single files and answers that once made a scan fail or hang: each gives an answer now, or a `ScanInputError`. The sizes are such that the square of them is hours. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { READER_TOOLS, fetchBytes } from '../../src/cli/scan/scan-tools.ts';
import { contentAnalysers } from '../../src/scan/content/index.ts';
import { isPassword } from '../../src/scan/content/settings/crypt/index.ts';
import { judgePam, judgeSudoers } from '../../src/scan/content/settings/login-files.ts';
import { readSshdConfig } from '../../src/scan/content/settings/sshd-config.ts';
import { ScanInputError } from '../../src/scan/errors.ts';
import { Visibility, mergePackages } from '../../src/scan/merge.ts';
import { paragraphs } from '../../src/scan/packages/deb822.ts';
import { LayerPackages } from '../../src/scan/packages/index.ts';
import { SqliteFile } from '../../src/scan/packages/sqlite.ts';
import type { PackageRecord } from '../../src/scan/packages/types.ts';
import { purlOf } from '../../src/scan/purl.ts';
import { LayerChanges } from '../../src/scan/layers/changes.ts';
import { judge, scanFile } from '../scan-content/testing.ts';
import { openSubject } from '../../src/cli/scan/scan-subject.ts';
import { FlagValues } from '../../src/cli/flags.ts';

const analysers = contentAnalysers({ passwordMilliseconds: 0 });

function packagesIn(path: string, content: string | Uint8Array): readonly PackageRecord[] {
  const packages = new LayerPackages(READER_TOOLS);
  packages.look(scanFile({ path, content }));
  packages.finish();
  return packages.records;
}

test('names of the environment, ports and keywords that every object has are names as others', () => {
  const names = ['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty'];
  const found = judge([{ path: 'etc/ssh/sshd_config', content: names.map((name) => `${name} yes\n`).join('') }], { env: names.map((name) => `${name}=1`), exposedPorts: names }, analysers);
  assert.deepEqual(found.map(({ finding }) => finding.rule), []);
});

test('isPassword() does not try a hash of bcrypt that is none', () => {
  for (const hash of [`$2b$00$${'a'.repeat(53)}`, `$2b$03$${'a'.repeat(53)}`, `$2b$31$${'a'.repeat(53)}`, `$2b$04$${'!'.repeat(53)}`, `$2b$04$${'a'.repeat(52)}`, '$2b$04$']) assert.equal(isPassword('password', hash), undefined, hash);
});

test('isPassword() does not try a hash of yescrypt whose lanes ask for more memory than is tried', () => {
  assert.equal(isPassword('password', '$y$jF..vzz$abcdefgh$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), undefined);
});

test('purlOf() takes half a pair of UTF-16', () => {
  const [record] = packagesIn('a/node_modules/a/package.json', '{"name":"a\\ud800","version":"1"}');
  assert.equal(purlOf(record!.packages[0]!, undefined), 'pkg:npm/a%EF%BF%BD@1');
});

test('fetchBytes() refuses addresses that are none, also where a mirror leads to them', async () => {
  const server = createServer((request, response) => response.writeHead(302, { location: request.url === '/none' ? 'http://' : 'ftp://a/b' }).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const address of ['http://', 'x', 'file:///etc/passwd', `${origin}/none`, `${origin}/ftp`]) await assert.rejects(fetchBytes(address, 1000), ScanInputError, address);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('paragraphs() looks for the colon in the line', () => {
  assert.deepEqual([...paragraphs(`${'a\n'.repeat(8_000_000)}Package: b`, ['Package'])].map((fields) => fields.get('Package')), ['b']);
});

test('METADATA, requirements and gemspecs of white space are read once', () => {
  const blank = ' '.repeat(1_000_000);
  assert.deepEqual(packagesIn('a-1.dist-info/METADATA', `Name: a${blank}b\r\nVersion: 1\r\n`)[0]?.packages, []);
  for (const line of [`a${' '.repeat(1990)}x\n`, `a==1${' '.repeat(1990)}x\n`, `a==1;${'--hash'.repeat(300)}\rx\n`]) packagesIn('requirements.txt', line.repeat(8000));
  assert.deepEqual(packagesIn('requirements.txt', 'a [b] == 1.0 ; x\r\nb==2 --hash=sha256:a\r\nc==3\r\n')[0]?.packages.map(({ name, version }) => `${name} ${version}`), ['a 1.0', 'b 2', 'c 3']);
  packagesIn('specifications/a-1.gemspec', '\n'.repeat(1_000_000));
});

/** A database of one table whose page of cells is filled by the caller. */
function database(pages: number, fill: (file: Buffer, page: number) => void): Buffer {
  const file = Buffer.alloc(512 * pages);
  file.write('SQLite format 3\0');
  file.writeUInt16BE(512, 16);
  file.writeUInt32BE(1, 56);
  const schema = ['table', 'T', 'T'].map((text) => Buffer.from(text));
  const record = Buffer.concat([Buffer.from([6, ...schema.map(({ length }) => 13 + 2 * length), 1, 13]), ...schema, Buffer.from([2])]);
  file[100] = 13;
  file.writeUInt16BE(1, 103);
  file.writeUInt16BE(400, 108);
  file[400] = record.length;
  file[401] = 1;
  record.copy(file, 402);
  file[512] = 13;
  fill(file, 512);
  return file;
}

test('SqliteFile reads a cell that many point to, and a chain in a circle, no more than a few times', () => {
  const pages = 40_000;
  const size = 512 * pages - 1;
  // 200 pointers to one cell, whose chain of overflow pages is the whole file, or page 3 again and again.
  for (const isCircle of [false, true]) {
    const file = database(pages, (bytes, page) => {
      bytes.writeUInt16BE(200, page + 3);
      for (let cell = 0; cell < 200; cell++) bytes.writeUInt16BE(410, page + 8 + 2 * cell);
      bytes.set([0x80 | (size >>> 21), 0x80 | ((size >>> 14) & 0x7f), 0x80 | ((size >>> 7) & 0x7f), size & 0x7f, 1], page + 410);
      const least = Math.floor(((512 - 12) * 32) / 255) - 23;
      const wanted = least + ((size - least) % (512 - 4));
      bytes.writeUInt32BE(3, page + 415 + (wanted <= 512 - 35 ? wanted : least));
      for (let at = 3; at <= pages; at++) bytes.writeUInt32BE(isCircle ? 3 : at + 1, (at - 1) * 512);
    });
    assert.ok([...(SqliteFile.open(file)?.rows('T') ?? [])].length <= 4);
  }
});

/** An archive whose list names one entry many times. */
function repeatedEntry(count: number, name: string, content: Buffer): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46 + name.length);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt32LE(content.length, 20);
  central.writeUInt16LE(name.length, 28);
  central.write(name, 46);
  const directory = Buffer.concat(Array.from({ length: count }, () => central));
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(30 + name.length + content.length, 16);
  return Buffer.concat([local, Buffer.from(name), content, directory, end]);
}

test('a jar whose list names one document or jar many times is read to a bound', () => {
  const [poms] = packagesIn('a.jar', repeatedEntry(100_000, 'META-INF/maven/g/a/pom.properties', Buffer.alloc(1 << 20, 'a\n')));
  assert.match(poms?.problem ?? '', /too large together/);
  const [jars] = packagesIn('a.jar', repeatedEntry(20_000, 'a.jar', Buffer.alloc(1 << 20, 'PK\x05\x06')));
  assert.match(jars?.problem ?? '', /too large together/);
});

test('a state of Terraform with more secrets than are told, or placeholders, is not searched for each of them', () => {
  for (const value of ['"password":"example-password"', '"password":"Zq8wKx0pLm"']) {
    const state = `{"resources":[${'0,'.repeat(1_000_000)}${`{${value}},`.repeat(60_000)}1]}`;
    assert.ok(judge([{ path: 'a.tfstate', content: state }], undefined, analysers).length <= 200);
  }
});

test('rules of sudo and PAM, and Include of sshd, of any length are read to a bound', () => {
  for (const line of [`a ALL=${' '.repeat(60_000)}x`, `a${' '.repeat(60_000)}b`, `a ALL=(${',('.repeat(30_000)}`, `a ALL=ALL${' #'.repeat(30_000)}\rx`]) judgeSudoers(`${line}\n`.repeat(16));
  judgePam(`auth [${' '.repeat(60_000)}\n`.repeat(16), false);
  const paths = Array.from({ length: 2_000 }, (_, index) => `/etc/ssh/a/${index}`);
  readSshdConfig('/etc/ssh/sshd_config', { paths, text: (path) => (path === '/etc/ssh/sshd_config' ? `Include ${'/etc/ssh/a/*z '.repeat(250)}\n`.repeat(2000) : '') });
});

test('mergePackages() takes one package at a hundred thousand places', () => {
  const record = (index: number): PackageRecord => ({ path: `${index}/package.json`, kind: 'installed', reader: 'npm', packages: [{ type: 'npm', name: 'a', version: '1' }] });
  const layers = [{ packages: Array.from({ length: 200_000 }, (_, index) => record(index)), analysers: new Map(), changes: () => new LayerChanges() }];
  assert.equal(mergePackages(layers, new Visibility(layers)).packages[0]?.paths.length, 200_000);
});

test('openSubject() says of a file that cannot be read that it cannot', async () => {
  await assert.rejects(openSubject('/proc/self/mem', { values: new FlagValues(new Map(), []), store: undefined, note: () => undefined }), ScanInputError);
});
