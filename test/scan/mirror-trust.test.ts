/** Whose word on a suite counts, as apt says of the same lists; and where an image's mirrors may lead. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MirrorReach } from '../../src/cli/scan/mirror-reach.ts';
import { READER_TOOLS } from '../../src/cli/scan/scan-tools.ts';
import { LayerPackages } from '../../src/scan/packages/index.ts';
import { scanFile } from '../scan-content/testing.ts';
import { aptTakes, serveDirectory, writeSuite } from './mirror-server.ts';
import { Signer } from './signer.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, json, run } = scanPlace();
const archive = join(scratch, 'archive');
const good = new Signer(join(scratch, 'good'));
const stranger = new Signer(join(scratch, 'stranger'));
const expired = new Signer(join(scratch, 'expired'), { time: '20200101T000000', validity: '1y' });
const mirror = await serveDirectory(archive);
after(() => {
  mirror.close();
  for (const signer of [good, stranger, expired]) signer.end();
});
write('keys/good.gpg', good.key);
write('keys/good.asc', good.armoredKey);
write('keys/expired.gpg', expired.key);

const PACKAGES = [{ name: 'thing', version: '2.0', changelog: '' }];
/** A date of `Release` that is a day away: apt holds back what has just ended. */
const dayFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toUTCString();
const suites: Readonly<Record<string, () => void>> = {
  fine: () => writeSuite(archive, 'fine', 'Debian', PACKAGES, { signer: good, more: `Valid-Until: ${dayFromNow(7)}\n` }),
  apart: () => {
    writeSuite(archive, 'apart', 'Debian', PACKAGES);
    writeFileSync(join(archive, 'dists/apart/Release.gpg'), good.detached(readFileSync(join(archive, 'dists/apart/Release'), 'utf8')));
  },
  unsigned: () => writeSuite(archive, 'unsigned', 'Debian', PACKAGES),
  stranger: () => writeSuite(archive, 'stranger', 'Debian', PACKAGES, { signer: stranger }),
  expired: () => writeSuite(archive, 'expired', 'Debian', PACKAGES, { signer: expired }),
  old: () => writeSuite(archive, 'old', 'Debian', PACKAGES, { signer: good, more: `Valid-Until: ${dayFromNow(-2)}\n` }),
  spoiled: () => {
    writeSuite(archive, 'spoiled', 'Debian', PACKAGES, { signer: good });
    const file = join(archive, 'dists/spoiled/InRelease');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Components: main', 'Components: none'));
  },
  // What stands around the signed text is nobody's word.
  around: () => {
    writeSuite(archive, 'around', 'Debian', PACKAGES, { signer: good });
    const file = join(archive, 'dists/around/InRelease');
    writeFileSync(file, `Origin: Debian\nSuite: around\nSHA256:\n ${'0'.repeat(64)} 1 main/binary-amd64/Packages\n\n${readFileSync(file, 'utf8')}`);
  },
};
for (const make of Object.values(suites)) make();

const STATUS = 'Package: thing\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n';

/** An image with a list of sources. */
function image(name: string, sources: string, more: Readonly<Record<string, string | Buffer>> = {}): string {
  write(`${name}/etc/os-release`, 'ID=someone\nVERSION_ID="12"\nVERSION_CODENAME=fine\n');
  write(`${name}/var/lib/dpkg/status`, STATUS);
  write(`${name}/etc/apt/sources.list`, sources);
  for (const [path, content] of Object.entries(more)) write(`${name}/${path}`, content);
  return join(scratch, name);
}

const TRUSTED = { 'etc/apt/trusted.gpg.d/good.gpg': good.key, 'etc/apt/trusted.gpg.d/expired.asc': expired.armoredKey };
const named = ['--updates', '--scanners', 'vuln', '--mirror', `http://deb.example/debian=${mirror.address}`];

async function refusal(directory: string, ...flags: readonly string[]): Promise<string> {
  const { status, stderr } = await run(['scan', ...named, ...flags, directory]);
  assert.equal(status, 2, stderr);
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  return stderr;
}

async function candidates(directory: string, ...flags: readonly string[]): Promise<readonly string[]> {
  return ((await json([...named, ...flags, directory])).updates ?? []).map(({ name, candidate }) => `${name} ${candidate}`);
}

test('a suite counts if apt takes it: signed within or beside, by a key that is known and still good, not too old', async () => {
  const reasons: Readonly<Record<string, RegExp | undefined>> = {
    fine: undefined, apart: undefined, unsigned: /unsigned\/Release is not signed \(name another mirror/, stranger: /it was made by [0-9A-F]{16}, of which no key is known \(name the keys that count with --keyring/,
    expired: /key [0-9A-F]{16}: .*expired/, old: /old\/InRelease is too old: it was valid until \d{4}-\d\d-\d\d \(.*--allow-expired/, spoiled: /spoiled\/InRelease is not good: key [0-9A-F]{16}: /,
  };
  for (const [suite, reason] of Object.entries(reasons)) {
    const keyrings = ['good', 'expired'].map((name) => join(scratch, 'keys', `${name}.gpg`)).join();
    assert.equal(await aptTakes(join(scratch, 'apt', suite), `deb [arch=amd64 signed-by=${keyrings}] ${mirror.address} ${suite} main\n`), reason === undefined, `apt: ${suite}`);
    const directory = image(`of-${suite}`, `deb http://deb.example/debian ${suite} main\n`, TRUSTED);
    if (reason === undefined) assert.deepEqual(await candidates(directory), ['thing 2.0'], suite);
    else assert.match(await refusal(directory), reason);
  }
});

test('what is around the signed text does not count; a signed list of another suite does not stand for this one', async () => {
  assert.deepEqual(await candidates(image('around', 'deb http://deb.example/debian around main\n', TRUSTED)), ['thing 2.0']);
  writeSuite(archive, 'newer', 'Debian', [], { signer: good });
  writeFileSync(join(archive, 'dists/newer/InRelease'), readFileSync(join(archive, 'dists/fine/InRelease')));
  assert.match(await refusal(image('mixed', 'deb http://deb.example/debian newer main\n', TRUSTED)), /newer\/InRelease is the list of "fine", "fine", not of "newer"/);
});

test('a key of several files is good for as long as one of them says', async () => {
  const [old, renewed] = [expired.key, expired.renewed()];
  for (const [index, [first, second]] of [[old, renewed], [renewed, old]].entries()) {
    const keys = { 'etc/apt/trusted.gpg.d/a.gpg': first!, 'etc/apt/trusted.gpg.d/b.gpg': second! };
    assert.deepEqual(await candidates(image(`renewed${index}`, 'deb http://deb.example/debian expired main\n', keys)), ['thing 2.0']);
  }
});

test('Signed-By is obeyed: a file under either ending, a fingerprint, keys that stand in the list', async () => {
  const key = { 'usr/share/keyrings/mine.pgp': good.key };
  assert.deepEqual(await candidates(image('file', 'deb [signed-by=/usr/share/keyrings/mine.gpg] http://deb.example/debian fine main\n', key)), ['thing 2.0']);
  assert.match(await refusal(image('global', 'deb http://deb.example/debian fine main\n', key)), /nothing says whose signature on \S+\/fine\/InRelease counts \(name a file of keys with --keyring/);
  assert.match(await refusal(image('elsewhere', 'deb [signed-by=/usr/share/keyrings/other.gpg] http://deb.example/debian fine main\n', { ...key, ...TRUSTED })), /nothing says whose signature/);
  assert.deepEqual(await candidates(image('fingerprint', `deb [signed-by=${good.fingerprint}] http://deb.example/debian fine main\n`, TRUSTED)), ['thing 2.0']);
  assert.match(await refusal(image('other-fingerprint', `deb [signed-by=${expired.fingerprint}] http://deb.example/debian fine main\n`, TRUSTED)), /of which no key is known/);
  const inline = good.armoredKey.trimEnd().split('\n').map((line) => ` ${line === '' ? '.' : line}\n`).join('');
  assert.deepEqual(await candidates(image('inline', '', { 'etc/apt/sources.list.d/a.sources': `Types: deb\nURIs: http://deb.example/debian\nSuites: fine\nComponents: main\nSigned-By:\n${inline}` })), ['thing 2.0']);
});

test('of a heap of files of keys no more is kept than is ever asked', () => {
  const layer = new LayerPackages(READER_TOOLS);
  for (let index = 0; index < 4000; index++) layer.look(scanFile({ path: `usr/share/keyrings/${index}.gpg`, content: 'x' }));
  assert.equal(layer.records.length, 2048);
});

test('what the user allows: other keys, lists without a signature, old ones; and it is said', async () => {
  const [bare, unsigned, old] = [image('bare', 'deb http://deb.example/debian fine main\n'), join(scratch, 'of-unsigned'), join(scratch, 'of-old')];
  assert.deepEqual(await candidates(bare, '--keyring', join(scratch, 'keys/good.asc')), ['thing 2.0']);
  assert.match(await refusal(join(scratch, 'of-fine'), '--keyring', join(scratch, 'keys/expired.gpg')), /of which no key is known/);
  assert.match(await refusal(bare, '--keyring', write('keys/none.gpg', 'no key')), /there is no key in the files of keys/);
  const { stderr } = await run(['scan', ...named, '--allow-unsigned', unsigned]);
  assert.match(stderr, /^caisson: \S+\/unsigned\/Release is not signed; it was taken all the same, as --allow-unsigned says$/m);
  assert.deepEqual(await candidates(unsigned, '--allow-unsigned'), ['thing 2.0']);
  assert.deepEqual(await candidates(join(scratch, 'of-stranger'), '--allow-unsigned'), ['thing 2.0']);
  assert.deepEqual(await candidates(old, '--allow-expired'), ['thing 2.0']);
  assert.deepEqual(await candidates(image('lax', 'deb [trusted=yes check-valid-until=no] http://deb.example/debian unsigned main\n')), ['thing 2.0']);
});

test('an image\'s own mirrors lead out, and not to this machine, unless the user says so; nor does a redirect', async () => {
  mirror.asked.length = 0;
  const own = image('inner', `deb ${mirror.address} fine main\n`, TRUSTED);
  const { host, port } = new URL(mirror.address);
  for (const address of [mirror.address, `http://localhost:${port}`, `http://[::ffff:127.0.0.1]:${port}`, `http://0x7f000001:${port}`]) {
    const refused = await run(['scan', '--updates', image('inner', `deb ${address} fine main\n`, TRUSTED)]);
    assert.match(refused.stderr, /on this machine or its network \(the image says that address itself: if you trust it, allow it with --allow-net \S+, or name a mirror with --mirror\)/);
    assert.equal(refused.status, 2);
  }
  const redirecting = createServer(({ url }, response) => response.writeHead(302, { location: `${mirror.address}${url ?? ''}` }).end());
  await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
  try {
    const there = `http://deb.example/debian=http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
    const { stderr } = await run(['scan', '--updates', '--mirror', there, join(scratch, 'of-fine')]);
    assert.match(stderr, /on this machine or its network/);
  } finally {
    redirecting.close();
  }
  assert.deepEqual(mirror.asked, []);
  write('inner/etc/apt/sources.list', `deb ${mirror.address} fine main\n`);
  assert.equal((await json(['--updates', '--allow-net', host, own])).updates?.length, 1);
  const wrong = await run(['scan', '--updates', '--allow-net', 'a/b', own]);
  assert.match(wrong.stderr, /^caisson: cannot use --allow-net a\/b: /);
});

test('MirrorReach.lookup() gives only what may be reached, from one answer, which is what is connected to', async () => {
  const answers = new Map([['mixed.example', ['10.0.0.1', '198.51.100.7', '127.0.0.1']], ['inner.example', ['192.168.1.1']], ['metadata.example', ['169.254.169.254']]]);
  const reach = (rules: readonly string[]): MirrorReach => new MirrorReach(['http://mine.example/debian'], rules, (name, _, answer) => answer(null, (answers.get(name) ?? []).map((address) => ({ address, family: 4 }))));
  const found = async (name: string, rules: readonly string[] = []): Promise<readonly string[] | string> => new Promise((resolve) => {
    const lookup = reach(rules).lookup(new URL(`http://${name}/debian`));
    if (lookup === undefined) resolve('as usual');
    else lookup(name, { all: true }, (error, all) => resolve(error === null ? (all as { readonly address: string }[]).map(({ address }) => address) : error.message));
  });
  assert.deepEqual(await found('mixed.example'), ['198.51.100.7']);
  assert.match(String(await found('inner.example')), /leads to 192\.168\.1\.1, on this machine or its network/);
  assert.deepEqual(await found('inner.example', ['inner.example']), ['192.168.1.1']);
  assert.match(String(await found('metadata.example', ['metadata.example'])), /leads to 169\.254\.169\.254/);
  assert.deepEqual(await found('metadata.example', ['169.254.169.254']), ['169.254.169.254']);
  assert.equal(await found('mine.example'), 'as usual');
  rmSync(join(scratch, 'inner'), { recursive: true });
});
