/** What a mirror has newer: as apt says itself, with the vulnerabilities of the lists of changes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serveDirectory, writeSuite } from './mirror-server.ts';
import { Signer } from './signer.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, json, run } = scanPlace();
const archive = join(scratch, 'archive');
const signer = new Signer(join(scratch, 'key'));
after(() => signer.end());
const entry = (source: string, version: string, urgency: string, ...points: readonly string[]): string => `${source} (${version}) stable-security; urgency=${urgency}\n\n${points.map((point) => `  * ${point}\n`).join('')}\n -- A <a@example.com>  Mon, 01 Jan 2024 00:00:00 +0000\n\n`;

const SSL = entry('ssl', '1.2-1+deb12u3', 'high', 'CVE-2024-0003: third\n    and more of it, and CVE-2024-0004 too') + entry('ssl', '1.2-1+deb12u2', 'medium', 'Fix CVE-2024-0002', 'Something else') + entry('ssl', '1.2-1+deb12u1', 'low', 'CVE-2023-0001: what is installed has this') + entry('ssl', '1.2-1', 'low', 'CVE-2022-0009');
writeSuite(archive, 'stable', 'Debian', [{ name: 'plain', version: '2.0-1', changelog: entry('plain', '2.0-1', 'low', 'New version. Closes CVE-2021-1') }, { name: 'same', version: '1.0', changelog: '' }, { name: 'notes', version: '3.1', changelog: entry('notes', '3.1', 'medium', 'CVE-2024-0100 by the way') }, { name: 'libssl', source: 'ssl', version: '1.2-1+deb12u1', changelog: SSL }], { signer });
writeSuite(archive, 'stable-security', 'Debian-Security', [
  { name: 'libssl', source: 'ssl', version: '1.2-1+deb12u3', changelog: SSL }, { name: 'ssl-tool', source: 'ssl', version: '1.2-1+deb12u3', changelog: SSL, compression: 'gzip' },
  { name: 'quiet', version: '1:5-2', changelog: entry('quiet', '1:5-2', 'high', 'Update data'), compression: 'zstd' }, { name: 'absent', version: '9', changelog: entry('absent', '9', 'high', 'CVE-2024-9999') },
], { signer });
writeSuite(archive, 'stable-backports', 'Debian Backports', [{ name: 'plain', version: '9.0', changelog: '' }], { more: 'NotAutomatic: yes\nButAutomaticUpgrades: yes\n', signer });

const STATUS = [['libssl', '1.2-1+deb12u1', 'ssl'], ['ssl-tool', '1.2-1+deb12u1', 'ssl'], ['plain', '1.0-1'], ['same', '1.0'], ['quiet', '1:5-1'], ['notes', '3.0'], ['newer', '7']].map(([name = '', version = '', source]) => `Package: ${name}\nStatus: install ok installed\nMaintainer: a <a@example.com>\nArchitecture: amd64\nVersion: ${version}\n${source === undefined ? '' : `Source: ${source}\n`}Description: d\n`).join('\n');
const mirror = await serveDirectory(archive);
after(() => mirror.close());
const SUITES = ['stable', 'stable-security', 'stable-backports'];
const sources = (address: string, options: string): string => SUITES.map((suite) => `deb ${options}${address} ${suite} main\n`).join('');

/** apt in another process: the mirror is in this one. */
async function askApt(): Promise<readonly string[]> {
  const call = `import { aptUpgradable } from ${JSON.stringify(fileURLToPath(new URL('mirror-server.ts', import.meta.url)))}; console.log(JSON.stringify(aptUpgradable(${[join(scratch, 'apt'), STATUS, sources(mirror.address, `[signed-by=${join(scratch, 'key.gpg')}] `)].map((text) => JSON.stringify(text)).join(', ')})));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', call], { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
  return JSON.parse(stdout) as readonly string[];
}

write('key.gpg', signer.key);
write('root/etc/apt/trusted.gpg.d/mirror.gpg', signer.key);
write('root/etc/os-release', 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=stable\n');
write('root/var/lib/dpkg/status', STATUS);
write('root/etc/apt/sources.list', `# a comment\n${sources('http://deb.example/debian', '[arch=amd64] ')}deb-src http://deb.example/debian stable main\ndeb cdrom:[x]/ stable main\n`);
const root = join(scratch, 'root');
const flags = ['--updates', '--mirror', `http://deb.example/debian=${mirror.address}`];

test('updates are those that apt would install; vulnerabilities are those that lie between', async () => {
  const { updates = [], findings, notes = [] } = await json([...flags, root]);
  assert.deepEqual(updates.map(({ name, installed, candidate }) => `${name} ${installed} ${candidate}`).sort(), await askApt());
  assert.deepEqual(updates.filter(({ isSecurity }) => isSecurity).map(({ name }) => name).sort(), ['libssl', 'quiet', 'ssl-tool']);
  const rows = findings.map(({ rule, subject, severity, fixed }) => `${rule} ${subject} ${severity} ${fixed ?? ''}`).sort();
  const ssl = (name: string): readonly string[] => [`CVE-2024-0002 ${name}@1.2-1+deb12u1 medium 1.2-1+deb12u2`, `CVE-2024-0003 ${name}@1.2-1+deb12u1 high 1.2-1+deb12u3`, `CVE-2024-0004 ${name}@1.2-1+deb12u1 high 1.2-1+deb12u3`];
  assert.deepEqual(rows, [...ssl('libssl'), ...ssl('ssl-tool'), 'CVE-2024-0100 notes@3.0 medium 3.1', 'security-update quiet@1:5-1 medium 1:5-2'].sort());
  assert.match(findings.find(({ rule }) => rule === 'CVE-2024-0003')?.message ?? '', /^CVE-2024-0003: third and more of it/);
  assert.ok(notes.some((note) => note === 'stable, stable-security: 5 packages have a newer version, 3 of them for security'), notes.join());
});

test('what was fetched is kept: the second time only the suites are asked whether they are still the same', async () => {
  mirror.asked.length = 0;
  assert.equal((await json([...flags, root])).updates?.length, 5);
  assert.deepEqual(mirror.asked.filter((path) => !path.endsWith('Release')), []);
});

test('what is kept of one mirror is not believed of another; packages of one source count with the oldest', async () => {
  const other = join(scratch, 'other');
  const forged = SSL.replace('CVE-2024-0002', 'CVE-2024-6666');
  writeSuite(other, 'stable', 'Debian', [], { signer });
  writeSuite(other, 'stable-security', 'Debian-Security', [{ name: 'libssl', source: 'ssl', version: '1.2-1+deb12u3', changelog: forged }, { name: 'ssl-tool', source: 'ssl', version: '1.2-1+deb12u3', changelog: forged }], { signer });
  writeSuite(other, 'stable-backports', 'Debian Backports', [], { signer });
  const second = await serveDirectory(other);
  try {
    write('second/etc/apt/trusted.gpg.d/mirror.gpg', signer.key);
    write('second/etc/os-release', 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=stable\n');
    write('second/etc/apt/sources.list', sources('http://deb.example/debian', ''));
    const paragraph = (name: string, version: string): string => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\nSource: ssl\n`;
    write('second/var/lib/dpkg/status', `${paragraph('ssl-tool', '1.2-1')}\n${paragraph('libssl', '1.2-1+deb12u1')}`);
    const { findings } = await json(['--updates', '--mirror', `http://deb.example/debian=${second.address}`, join(scratch, 'second')]);
    const rules = (name: string): readonly string[] => findings.filter(({ subject }) => subject.startsWith(name)).map(({ rule }) => rule).sort();
    assert.deepEqual([rules('libssl'), rules('ssl-tool')], [['CVE-2024-0003', 'CVE-2024-0004', 'CVE-2024-6666'], ['CVE-2023-0001', 'CVE-2024-0003', 'CVE-2024-0004', 'CVE-2024-6666']]);
  } finally {
    second.close();
  }
});

test('lists that are not what the suite says, a suite that is not there, no answer: one line, status 2', async () => {
  const list = join(archive, 'dists/stable-security/main/binary-amd64/Packages.gz');
  const before = readFileSync(list);
  writeFileSync(list, 'spoiled');
  const env = { XDG_CACHE_HOME: join(scratch, 'fresh') };
  const spoiled = await run(['scan', ...flags, root], { env });
  assert.match(spoiled.stderr, /Packages\.gz is not what the suite's list says it is \(it is being updated, or was changed on the way/);
  assert.equal(spoiled.status, 2);
  writeFileSync(list, before);
  for (const name of ['InRelease', 'Release']) rmSync(join(archive, 'dists/stable-security', name));
  assert.match((await run(['scan', ...flags, root], { env })).stderr, /the mirror has no suite "stable-security"/);
  const closed = await run(['scan', '--updates', '--mirror', 'http://deb.example/debian=http://127.0.0.1:1', root], { env });
  assert.deepEqual([closed.status, /127\.0\.0\.1:1\/.* does not answer: /.test(closed.stderr)], [2, true], closed.stderr);
});
