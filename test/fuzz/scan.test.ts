/** Spoiled files of every kind that a scan reads: an answer or a `ScanInputError`, never anything else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, deflateSync, inflateRawSync, inflateSync } from 'node:zlib';
import { loadScorer } from '../../src/scan/advisories/cvss.ts';
import { AdvisoryDatabase, encodeDatabase } from '../../src/scan/advisories/database.ts';
import { readFeed } from '../../src/scan/advisories/read-feed.ts';
import { readVex } from '../../src/scan/advisories/vex.ts';
import { ScanInputError } from '../../src/scan/errors.ts';
import { isMeant } from '../../src/scan/advisories/vex-products.ts';
import { readChangelog } from '../../src/scan/mirror/changelog.ts';
import { readRelease } from '../../src/scan/mirror/release.ts';
import { aptSources } from '../../src/scan/mirror/sources.ts';
import { LayerPackages } from '../../src/scan/packages/index.ts';
import { rpmDigests } from '../../src/scan/packages/rpm.ts';
import type { ReaderTools } from '../../src/scan/packages/types.ts';
import { purlOf, readPurl } from '../../src/scan/purl.ts';
import { knownLicense } from '../../src/scan/sbom/licenses.ts';
import { readBill } from '../../src/scan/sbom/read.ts';
import type { ScanFile } from '../../src/scan/types.ts';
import { COMPARE } from '../../src/scan/versions/index.ts';
import type { HostFiles } from '../../src/host/types.ts';
import { randomFrom } from '../images/random.ts';
import { spoiled } from './spoiled.ts';
import { PACKAGE_FILES } from '../scan/package-files.ts';

const CASES = 25_000;
const encoder = new TextEncoder();
const attempt = (body: () => Uint8Array): Uint8Array | undefined => {
  try {
    return body();
  } catch {
    return undefined;
  }
};
const TOOLS: ReaderTools = { inflateRaw: (bytes, most) => attempt(() => inflateRawSync(bytes, { maxOutputLength: most })), inflate: (bytes, most) => attempt(() => inflateSync(bytes, { maxOutputLength: most })) };

function fileOf(path: string, bytes: Uint8Array): ScanFile {
  const readAt = (position: number, length: number): Uint8Array => bytes.subarray(Math.min(position, bytes.length), Math.max(0, Math.min(bytes.length, position + length)));
  return { path, size: bytes.length, mode: 0o100755, uid: 0, gid: 0, xattrs: new Map(), read: (limit) => readAt(0, limit), readAt };
}

/** A zip with one file that is a jar in a jar, and a list of names. */
function zip(entries: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const [locals, centrals]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, content] of entries) {
    const packed = deflateRawSync(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    for (const [offset, value] of [[18, packed.length], [22, content.length]] as const) local.writeUInt32LE(value, offset);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(8, 10);
    for (const [offset, value] of [[20, packed.length], [24, content.length], [42, at]] as const) central.writeUInt32LE(value, offset);
    central.writeUInt16LE(name.length, 28);
    locals.push(local, Buffer.from(name), packed);
    centrals.push(central, Buffer.from(name));
    at += local.length + name.length + packed.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** A header of rpm with a name, a version, a release, and a file with its digest. */
function rpmHeader(): Buffer {
  const fields = [[1000, 'name'], [1001, '1.0'], [1002, '2'], [1022, 'noarch'], [1035, 'abcdef'], [1117, 'file'], [1118, '/usr/']] as const;
  const data = Buffer.from(fields.map(([, text]) => `${text}\0`).join(''));
  const header = Buffer.alloc(8 + fields.length * 16);
  header.writeUInt32BE(fields.length, 0);
  header.writeUInt32BE(data.length, 4);
  let offset = 0;
  for (const [index, [tag, text]] of fields.entries()) {
    for (const [at, value] of [tag, 6, offset, 1].entries()) header.writeUInt32BE(value, 8 + index * 16 + at * 4);
    offset += text.length + 1;
  }
  return Buffer.concat([header, data]);
}

function ndb(): Buffer {
  const blob = rpmHeader();
  const file = Buffer.alloc(4096 + 16 + Math.ceil(blob.length / 16) * 16 + 16);
  file.write('RpmP');
  file.writeUInt32LE(1, 12);
  file.write('Slot', 32);
  for (const [at, value] of [1, 256, 10].entries()) file.writeUInt32LE(value, 36 + 4 * at);
  file.write('BlbS', 4096);
  file.writeUInt32LE(blob.length, 4096 + 12);
  blob.copy(file, 4096 + 16);
  return file;
}

/** One table `Packages` with one row (sqlite.org/fileformat2.html). */
function sqlite(): Buffer {
  const file = Buffer.alloc(1024);
  file.write('SQLite format 3\0');
  file.writeUInt16BE(512, 16);
  file.writeUInt32BE(1, 56);
  const leaf = (page: number, header: number, record: Buffer): void => {
    const at = 512 - record.length - 3;
    file[header] = 13;
    file.writeUInt16BE(1, header + 3);
    file.writeUInt16BE(at, header + 8);
    file.set([0x80 | (record.length >> 7), record.length & 0x7f, 1], page + at);
    record.copy(file, page + at + 3);
  };
  const schema = ['table', 'Packages', 'Packages'].map((text) => Buffer.from(text));
  leaf(0, 100, Buffer.concat([Buffer.from([6, ...schema.map(({ length }) => 13 + 2 * length), 1, 13]), ...schema, Buffer.from([2])]));
  const blob = rpmHeader();
  leaf(512, 512, Buffer.concat([Buffer.from([4, 1, (12 + 2 * blob.length) >> 7 | 0x80, (12 + 2 * blob.length) & 0x7f, 7]), blob]));
  return file;
}

/** A program with a section of a name (System V ABI). */
function elf(name: string, content: Buffer): Buffer {
  const names = Buffer.from(`\0${name}\0.shstrtab\0`);
  const file = Buffer.alloc(Math.max(5000, 64 + content.length + names.length + 3 * 64));
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  const table = 64 + content.length + names.length;
  file.writeBigUInt64LE(BigInt(table), 40);
  for (const [at, value] of [[58, 64], [60, 3], [62, 2]] as const) file.writeUInt16LE(value, at);
  content.copy(file, 64);
  names.copy(file, 64 + content.length);
  for (const [index, [nameAt, offset, size]] of ([[1, 64, content.length], [name.length + 2, 64 + content.length, names.length]] as const).entries()) {
    const at = table + 64 * (index + 1);
    file.writeUInt32LE(nameAt, at);
    file.writeUInt32LE(1, at + 4);
    file.writeBigUInt64LE(0x400000n + BigInt(offset), at + 16);
    file.writeBigUInt64LE(BigInt(offset), at + 24);
    file.writeBigUInt64LE(BigInt(size), at + 32);
  }
  return file;
}

const goInformation = Buffer.concat([Buffer.from('\xff Go buildinf:\x08\x02', 'latin1'), Buffer.alloc(16), Buffer.from('\x08go1.22.1', 'latin1'), Buffer.from([60]), Buffer.alloc(16, 0xf0), Buffer.from('dep\tgolang.org/x/a\tv1.0.0\th1:\n'.slice(0, 28)), Buffer.alloc(16, 0xf1)]);
const pom = Buffer.from('groupId=g\nartifactId=a\nversion=1\n');
const inner = zip([['META-INF/maven/g/a/pom.properties', pom], ['META-INF/MANIFEST.MF', Buffer.from('Bundle-Version: 1\r\n')]]);
const BINARY: readonly (readonly [path: string, bytes: Uint8Array])[] = [
  ['app.war', zip([['lib/a-1.jar', inner], ['META-INF/MANIFEST.MF', Buffer.from('Implementation-Version: 1\r\n')]])], ['var/lib/rpm/Packages.db', ndb()], ['var/lib/rpm/rpmdb.sqlite', sqlite()],
  ['usr/bin/go', elf('.go.buildinfo', goInformation)], ['usr/bin/rust', elf('.dep-v0', deflateSync('{"packages":[{"name":"a","version":"1","source":"crates.io"}]}'))], ['etc/os-release', encoder.encode('ID=debian\nVERSION_ID="12"\n')],
];
const FILES = [...PACKAGE_FILES.map(({ path, text }) => [path, encoder.encode(text)] as const), ...BINARY];

const scorer = await loadScorer();
const DOCUMENTS: readonly (readonly [read: (bytes: Uint8Array) => unknown, seed: string])[] = [
  [(bytes) => readFeed(bytes, 'x', scorer), '{"id":"CVE-2024-1","modified":"2024","aliases":["GHSA-1"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],"affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}],"versions":["0.1.0"]}]}'],
  [(bytes) => readFeed(bytes, 'x', scorer), '{"openssl":{"CVE-2023-1":{"description":"x","releases":{"bookworm":{"status":"resolved","fixed_version":"1","urgency":"low"}}}}}'], [(bytes) => readFeed(bytes, 'x', scorer), '{"distroversion":"v3.20","packages":[{"pkg":{"name":"a","secfixes":{"1-r0":["CVE-2024-1"]}}}]}'],
  [(bytes) => readFeed(bytes, 'x', scorer), '#m\ncve,epss,percentile\nCVE-2024-1,0.5,0.5\n'], [(bytes) => readVex(bytes, 'x'), '{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:npm/a@1"}],"status":"fixed"}]}'],
  [(bytes) => readVex(bytes, 'x'), '{"document":{"csaf_version":"2.0"},"product_tree":{"branches":[{"product":{"product_id":"1"}}]},"vulnerabilities":[{"cve":"CVE-1","product_status":{"fixed":["1"]}}]}'],
  [readBill, '{"bomFormat":"CycloneDX","components":[{"type":"library","purl":"pkg:deb/debian/a@1?arch=amd64&upstream=b@2","properties":[{"name":"a","value":"b"}],"components":[]}]}'], [readBill, '{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/%40a/b@1"}]}]}'],
  [(bytes) => readChangelog(new TextDecoder().decode(bytes)), 'a (1-1) stable; urgency=high\n\n  * CVE-2024-1\n    more\n\n -- A <a@b>  Mon\n\na (1-0) stable; urgency=low\n\n  * x\n'],
  [(bytes) => aptSources([{ path: 'a.sources', text: new TextDecoder().decode(bytes) }, { path: 'a.list', text: new TextDecoder().decode(bytes) }], { id: 'debian', version: '12' }, []), 'Types: deb\nURIs: http://a/b\nSuites: x y\nComponents: main\nSigned-By: /k.gpg\n\ndeb [arch=amd64 signed-by=/k.gpg,AB trusted=yes] http://a/b x main\n'],
  [(bytes) => readRelease(new TextDecoder().decode(bytes), 'x'), 'Suite: x\nValid-Until: Mon, 01 Jan 2024 00:00:00 UTC\nSHA256:\n ab 1 main/binary-amd64/Packages\n'],
  [(bytes) => knownLicense(new TextDecoder().decode(bytes)), '(MIT OR Apache-2.0+) AND GPL-2.0-only WITH Classpath-exception-2.0'],
  [(bytes) => isMeant({ name: new TextDecoder().decode(bytes), within: new TextDecoder().decode(bytes.subarray(bytes.length >> 1)) }, { type: 'deb', name: 'a', version: '1' }, { target: 'a:1', digests: [], distribution: { id: 'debian', version: '12' } }), 'pkg:deb/debian/a@1?arch=amd64&distro=debian-12pkg:oci/a@sha256%3Aab?tag=1'],
];

function check(title: string, body: (random: () => number, index: number) => void): void {
  test(`${CASES} spoiled cases: ${title}`, () => {
    const seed = Date.now() % 1_000_000;
    const random = randomFrom(seed);
    for (let index = 0; index < CASES; index++) {
      try {
        body(random, index);
      } catch (error) {
        if (error instanceof ScanInputError) continue;
        throw new Error(`seed ${seed}, case ${index}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}

check('lists of packages, lock files, jars, programs, databases of rpm', (random, index) => {
  const [path, bytes] = FILES[index % FILES.length]!;
  const packages = new LayerPackages(TOOLS);
  const file = fileOf(path, spoiled(bytes, random));
  packages.look(file);
  packages.finish();
  if (path.startsWith('var/lib/rpm/')) for (const one of rpmDigests(file)) assert.match(one.digest, /./);
});

test('each of them, as it is, has packages: the cases begin behind the first check', () => {
  for (const [path, bytes] of BINARY) {
    const packages = new LayerPackages(TOOLS);
    packages.look(fileOf(path, bytes));
    assert.ok(packages.records.some((record) => record.packages.length > 0 || record.distribution !== undefined), path);
  }
});

check('advisories, VEX, bills of materials, lists of changes and of sources', (random, index) => {
  const [read, seed] = DOCUMENTS[index % DOCUMENTS.length]!;
  read(spoiled(encoder.encode(seed), random));
});

check('versions: any two are in an order, and the other way round in the other', (random) => {
  const text = (): string => Array.from({ length: Math.floor(random() * 12) }, () => '01239.-~^+_:abrc!é '[Math.floor(random() * 19)]!).join('');
  const [left, right] = [text(), text()];
  for (const [type, compare] of Object.entries(COMPARE)) {
    assert.equal(Math.sign(compare(left, right)) + Math.sign(compare(right, left)), 0, `${type}: "${left}" "${right}"`);
    assert.equal(compare(left, left), 0, `${type}: "${left}"`);
  }
});

test('versions and package URLs of any length take no longer than their length', () => {
  for (const piece of ['1', 'a', '1.', 'a1', '~', '_p1', '-', '1-a.', '0', '\n', '.0']) {
    const long = piece.repeat(200_000 / piece.length);
    for (const compare of Object.values(COMPARE)) compare(long, `${long}1`);
    readPurl(`pkg:npm/${long}@1`);
  }
  assert.equal(purlOf({ type: 'npm', name: '@a/b', version: '1+2' }, undefined), 'pkg:npm/%40a/b@1%2B2');
});

check('databases of advisories', (random) => {
  const whole = Buffer.concat([...encodeDatabase([{ id: 'CVE-1', ecosystem: 'npm', package: 'a', status: 'affected', source: 'osv' }], [])]);
  const bytes = spoiled(whole, random);
  const files = {
    open: () => 3, close: () => 0, fstat: () => ({ size: bytes.length }),
    read: (_: number, buffer: Uint8Array, position: number) => {
      const piece = bytes.subarray(Math.min(position, bytes.length), position + buffer.length);
      buffer.set(piece);
      return piece.length;
    },
  } as unknown as HostFiles;
  const database = AdvisoryDatabase.open(files, 'x');
  database?.find('npm', 'a');
  for (const advisory of database?.all() ?? []) assert.equal(typeof advisory, 'object');
});
