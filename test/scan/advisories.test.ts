/** Advisories: forms, ranges, scores, whose word counts, VEX. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadScorer } from '../../src/scan/advisories/cvss.ts';
import { Scratch } from '../registry/servers.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, json, run, mustRun } = scanPlace();

/** FIRST's examples: CVSS 3.1 "Examples", CVSS 4.0 "Examples"; vectors with the scores that are published there. */
const SCORES: readonly (readonly [vector: string, score: number])[] = [
  ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4], ['CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1], ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5], ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10], ['CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L', 4.2],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H', 8.8], ['CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N', 4.6], ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ['CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.3], ['CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 7.7], ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N', 8.8],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H', 10], ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N', 8.7], ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N', 0],
];

test('CVSS 3.1 and 4.0 vectors have the scores of the specifications; what is none has none', async () => {
  const scorer = await loadScorer();
  for (const [vector, score] of SCORES) assert.equal(scorer(vector), score, vector);
  for (const vector of ['', 'CVSS:3.1/', 'CVSS:3.1/AV:N', 'CVSS:4.0/AV:N/AC:L', `CVSS:3.1/${'AV:N/'.repeat(1000)}`, 'CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N']) assert.equal(scorer(vector), undefined, vector);
});

const osv = (id: string, ecosystem: string, name: string, affected: object, more: object = {}): object => ({ schema_version: '1.6.0', id, modified: '2024-01-01T00:00:00Z', summary: `about ${id}`, affected: [{ package: { ecosystem, name }, ...affected }], ...more });
const range = (type: string, ...events: readonly object[]): object => ({ ranges: [{ type, events }] });

function writeDirectory(name: string): string {
  const lock = (packages: Readonly<Record<string, string>>): string => JSON.stringify({ lockfileVersion: 3, packages: Object.fromEntries(Object.entries(packages).map(([one, version]) => [`node_modules/${one}`, { version }])) });
  write(`${name}/etc/os-release`, 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n');
  write(`${name}/var/lib/dpkg/status`, ['libssl3 3.0.11-1~deb12u2 openssl', 'zlib1g 1:1.2.13.dfsg-1 zlib', 'bash 5.2.15-2+b2 bash (5.2.15-2)', 'curl 7.88.1-10 curl', 'perl-base 5.36.0-7 perl'].map((row) => {
    const [one = '', version = '', source = '', sourceVersion = ''] = row.split(' ');
    return `Package: ${one}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\nSource: ${source}${sourceVersion === '' ? '' : ` ${sourceVersion}`}\n`;
  }).join('\n'));
  write(`${name}/srv/package-lock.json`, lock({ low: '1.0.0', middle: '2.5.0', fixed: '3.0.0', last: '1.2.0', listed: '7.7.7', prerelease: '1.0.0-rc.1', gone: '1.0.0' }));
  write(`${name}/srv/requirements.txt`, 'My_Package==1.0\n');
  return join(scratch, name);
}

const TRACKER = {
  openssl: { 'CVE-2023-0001': { description: 'openssl overflows', releases: { bookworm: { status: 'resolved', fixed_version: '3.0.13-1~deb12u1', urgency: 'medium' }, bullseye: { status: 'open', urgency: 'low' } } } },
  zlib: { 'CVE-2023-0002': { releases: { bookworm: { status: 'open', urgency: 'not yet assigned', nodsa: 'minor', nodsa_reason: 'ignored' } } } },
  bash: { 'CVE-2023-0003': { releases: { bookworm: { status: 'resolved', fixed_version: '0', urgency: 'unimportant' } } }, 'CVE-2023-0005': { releases: { bookworm: { status: 'resolved', fixed_version: '5.2.15-2', urgency: 'high' } } } },
  curl: { 'CVE-2023-0004': { releases: { bookworm: { status: 'open', urgency: 'end-of-life' } } } },
};

function writeFeeds(): readonly string[] {
  const zero = { introduced: '0' };
  const documents = [
    osv('GHSA-low', 'npm', 'low', range('SEMVER', zero, { fixed: '1.0.1' }), { aliases: ['CVE-2024-1000'], database_specific: { severity: 'MODERATE' }, severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }] }),
    osv('GHSA-middle', 'npm', 'middle', range('SEMVER', { fixed: '2.9.0' }, { introduced: '2.0.0' }, { introduced: '0' }, { fixed: '1.1.0' }), { severity: [{ type: 'CVSS_V4', score: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H' }] }),
    osv('GHSA-fixed', 'npm', 'fixed', range('SEMVER', zero, { fixed: '3.0.0' })), osv('GHSA-last', 'npm', 'last', range('SEMVER', { introduced: '1.0.0' }, { last_affected: '1.2.0' })),
    osv('GHSA-listed', 'npm', 'listed', { versions: ['7.7.7', '7.7.8'] }), osv('GHSA-prerelease', 'npm', 'prerelease', range('SEMVER', zero, { fixed: '1.0.0' })), osv('GHSA-gone', 'npm', 'gone', { versions: ['1.0.0'] }, { withdrawn: '2024-02-02T00:00:00Z' }),
    osv('PYSEC-1', 'PyPI', 'my-package', range('ECOSYSTEM', zero, { fixed: '1.0.post1' })),
    // What others gathered about the distribution does not count where the distribution has a word.
    osv('DEBIAN-CVE-2023-0003', 'Debian:12', 'bash', range('ECOSYSTEM', zero), { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }] }),
    osv('DEBIAN-CVE-2023-0002', 'Debian:12', 'zlib', range('ECOSYSTEM', zero), { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H' }] }),
    osv('DEBIAN-CVE-2023-0006', 'Debian:12', 'perl', range('ECOSYSTEM', zero, { fixed: '5.36.0-7+deb12u1' })), osv('DEBIAN-CVE-2023-0007', 'Debian:11', 'perl', range('ECOSYSTEM', zero)),
  ];
  for (const [index, document] of documents.entries()) write(`osv/${index}.json`, JSON.stringify(document));
  return [
    join(scratch, 'osv'), write('tracker.json.gz', gzipSync(JSON.stringify(TRACKER))), write('epss.csv.gz', gzipSync('#model_version:v2023\ncve,epss,percentile\nCVE-2024-1000,0.94321,0.99\n')),
    write('kev.json', JSON.stringify({ catalogVersion: '1', vulnerabilities: [{ cveID: 'CVE-2023-0001' }] })),
  ];
}

const directory = writeDirectory('root');

test('imports of every kind, and what they find: ranges, lists, sources, states, severities', async () => {
  const [digest = ''] = (await mustRun(['db', 'import', ...writeFeeds()])).split('\n');
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  const { findings } = await json([directory]);
  const rows = findings.map(({ rule, subject, severity, status, fixed }) => `${rule} ${subject} ${severity} ${status ?? ''} ${fixed ?? '-'}`).sort();
  assert.deepEqual(rows, [
    'CVE-2023-0001 libssl3@3.0.11-1~deb12u2 medium fixed 3.0.13-1~deb12u1', 'CVE-2023-0002 zlib1g@1:1.2.13.dfsg-1 critical will not fix -', 'CVE-2023-0004 curl@7.88.1-10 medium end of life -', 'CVE-2023-0006 perl-base@5.36.0-7 medium fixed 5.36.0-7+deb12u1',
    'CVE-2024-1000 low@1.0.0 medium fixed 1.0.1', 'GHSA-last last@1.2.0 medium affected -', 'GHSA-listed listed@7.7.7 medium affected -', 'GHSA-middle middle@2.5.0 critical fixed 2.9.0', 'GHSA-prerelease prerelease@1.0.0-rc.1 medium fixed 1.0.0', 'PYSEC-1 My_Package@1.0 medium fixed 1.0.post1',
  ]);
  const table = (await run(['scan', directory])).stdout;
  assert.match(table, /^low +CVE-2024-1000 +medium +fixed +1\.0\.0 +1\.0\.1 .*about GHSA-low$/m);
  assert.match(table, /^libssl3 .* yes +openssl overflows$/m);
  assert.match((await run(['scan', directory])).stdout, /^10 vulnerabilities: 2 critical, 8 medium$/m);
});

test('the same files give the same digest, which can be pinned; a feed that comes again is replaced', async () => {
  const { feeds, digest, advisories } = JSON.parse(await mustRun(['db', 'info', '--format', 'json'])) as { feeds: { name: string; advisories: number }[]; digest: string; advisories: number };
  assert.deepEqual(feeds.map(({ name, advisories: count }) => `${name} ${count}`), ['debian-tracker 6', 'epss 1', 'kev 1', 'osv 11']);
  assert.equal((await mustRun(['db', 'import', ...writeFeeds()], { env: { CAISSON_HOME: join(scratch, 'again') } })).trim(), digest);
  assert.equal((await run(['scan', '--db-digest', digest, directory])).status, 1);
  const { status, stderr } = await run(['scan', '--db-digest', `sha256:${'0'.repeat(64)}`, directory]);
  assert.deepEqual([status, /is sha256:[0-9a-f]{64}, and sha256:0+ was asked for/.test(stderr)], [2, true], stderr);
  await mustRun(['db', 'import', write('tracker2.json', JSON.stringify({ curl: TRACKER.curl }))]);
  assert.equal((JSON.parse(await mustRun(['db', 'info', '--format', 'json'])) as { advisories: number }).advisories, advisories - 5);
  assert.deepEqual((await json([directory])).findings.filter(({ rule }) => rule === 'CVE-2023-0001'), []);
  const refused = await run(['db', 'import', '--digest', digest, join(scratch, 'tracker2.json')]);
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /^caisson: cannot take these advisories: the database would be sha256:/);
  await mustRun(['db', 'import', join(scratch, 'tracker.json.gz')]);
});

test('a whole database is taken as it is, from a file', async () => {
  const file = join(scratch, 'store/advisories/advisories.db');
  const { digest } = JSON.parse(await mustRun(['db', 'info', '--format', 'json'])) as { digest: string };
  const copy = { CAISSON_HOME: join(scratch, 'other') };
  assert.equal((await mustRun(['db', 'import', file], { env: copy })).trim(), digest);
  assert.equal((await run(['scan', directory], { env: copy })).status, 1);
  assert.equal((await run(['scan', '--db', join(scratch, 'no.db'), directory])).status, 2);
  assert.match((await run(['scan', '--db', write('bad.db', 'CAISADV1 and no more'), directory])).stderr, /the database of advisories is spoiled/);
});

test('a registry keeps the database for others; what is none there is refused', async () => {
  const registries = new Scratch('scan-registry');
  after(() => registries.clean());
  const { host } = await registries.serve();
  const { digest } = JSON.parse(await mustRun(['db', 'info', '--format', 'json'])) as { digest: string };
  assert.match(await mustRun(['db', 'push', `${host}/team/advisories:1`]), /\/team\/advisories:1@sha256:[0-9a-f]{64}\n$/);
  const env = { CAISSON_HOME: join(scratch, 'third') };
  assert.equal((await mustRun(['db', 'update', '--digest', digest, `docker://${host}/team/advisories:1`], { env })).trim(), digest);
  assert.match((await run(['db', 'update'], { env })).stderr, /no address is named \(name one, or write some into \S+\/advisories\/addresses, one a line\)/);
  write('third/advisories/addresses', `# ours\n\ndocker://${host}/team/advisories:1  # by hand\n`);
  assert.equal((await mustRun(['db', 'update', '--digest', digest], { env })).trim(), digest);
  const image = await run(['scan', `${host}/team/advisories:1`], { env });
  assert.deepEqual([image.status, image.stdout], [2, ''], image.stderr);
  assert.match((await run(['db', 'update', 'ftp://x'], { env })).stderr, /is no address/);
});

test('VEX of three forms, ignore files, --severity, --ignore-unfixed, --fail-on', async () => {
  const openVex = { '@context': 'https://openvex.dev/ns/v0.2.0', statements: [{ vulnerability: { name: 'CVE-2024-1000' }, products: [{ '@id': 'pkg:npm/low@1.0.0' }], status: 'not_affected', justification: 'vulnerable_code_not_in_execute_path' }, { vulnerability: { name: 'GHSA-last' }, products: [{ '@id': 'pkg:npm/last@1.1.0' }], status: 'not_affected' }] };
  const csaf = {
    document: { csaf_version: '2.0' }, product_tree: { branches: [{ branches: [{ product: { product_id: 'P1', product_identification_helper: { purl: 'pkg:deb/debian/curl' } } }] }] },
    vulnerabilities: [{ cve: 'CVE-2023-0004', product_status: { known_not_affected: ['P1'] }, threats: [{ details: 'built without it' }] }],
  };
  const cyclone = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ 'bom-ref': 'x', 'purl': 'pkg:npm/listed@7.7.7' }], vulnerabilities: [{ id: 'GHSA-listed', analysis: { state: 'resolved', detail: 'patched by us' }, affects: [{ ref: 'x' }] }] };
  const flags = [openVex, csaf, cyclone].flatMap((document, index) => ['--vex', write(`vex${index}.json`, JSON.stringify(document))]);
  const { findings, ignored } = await json([...flags, directory]);
  assert.deepEqual(ignored.map(({ rule, ignored: { reason } }) => `${rule} ${reason}`).sort(), ['CVE-2023-0004 VEX: built without it', 'CVE-2024-1000 VEX: vulnerable_code_not_in_execute_path', 'GHSA-listed VEX: patched by us']);
  assert.equal(findings.length, 7);
  const ignores = write('ignore', 'GHSA-middle middle@* until 2999-01-01 -- not reachable\nCVE-2023-0002 zlib1g@* -- no untrusted input\n');
  const quiet = ['--ignore-file', ignores, '--severity', 'critical'];
  assert.equal((await run(['scan', ...quiet, directory])).status, 0);
  assert.equal((await run(['scan', '--severity', 'CRITICAL', directory])).status, 1);
  assert.equal((await run(['scan', '--fail-on', 'never', directory])).status, 0);
  assert.deepEqual((await json(['--ignore-unfixed', directory])).findings.filter(({ fixed }) => fixed === undefined), []);
});

test('Alpine, and packages of a bill of materials, by secdb', async () => {
  await mustRun(['db', 'import', write('secdb.json', JSON.stringify({ distroversion: 'v3.20', reponame: 'main', packages: [{ pkg: { name: 'openssl', secfixes: { '3.3.2-r0': ['CVE-2024-6119'], '0': ['CVE-2020-0001'] } } }] }))]);
  write('alpine/etc/os-release', 'ID=alpine\nVERSION_ID=3.20.1\n');
  write('alpine/lib/apk/db/installed', 'P:libcrypto3\nV:3.3.1-r3\nA:x86_64\no:openssl\n\n');
  const expected = ['CVE-2024-6119 libcrypto3@3.3.1-r3 3.3.2-r0'];
  const rows = (list: Awaited<ReturnType<typeof json>>): readonly string[] => list.findings.map(({ rule, subject, fixed }) => `${rule} ${subject} ${fixed ?? ''}`);
  assert.deepEqual(rows(await json([join(scratch, 'alpine')])), expected);
  for (const format of ['cyclonedx', 'spdx']) {
    const bill = write(`${format}.json`, await mustRun(['scan', '-f', format, join(scratch, 'alpine')]));
    assert.deepEqual(rows(await json([bill])), expected, format);
  }
  // As Trivy and Syft write them.
  const trivy = { bomFormat: 'CycloneDX', components: [{ type: 'operating-system', name: 'alpine', version: '3.20.1' }, { type: 'library', name: 'libcrypto3', purl: 'pkg:apk/alpine/libcrypto3@3.3.1-r3?arch=x86_64&distro=3.20.1', properties: [{ name: 'aquasecurity:trivy:SrcName', value: 'openssl' }, { name: 'aquasecurity:trivy:SrcVersion', value: '3.3.1-r3' }] }] };
  const syft = { spdxVersion: 'SPDX-2.3', name: 'x', packages: [{ name: 'libcrypto3', externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: 'pkg:apk/alpine/libcrypto3@3.3.1-r3?arch=x86_64&upstream=openssl&distro=alpine-3.20.1' }] }] };
  for (const [name, document] of Object.entries({ trivy, syft })) assert.deepEqual(rows(await json([write(`${name}.json`, JSON.stringify(document))])), expected, name);
});

test('what is no feed, no VEX, no subject: one line that says what to do, status 2 of scan and 125 of db', async () => {
  const cases: readonly (readonly [args: readonly string[], status: number, message: RegExp])[] = [
    [['db', 'import', write('no.json', '{"a": 1}')], 125, /^caisson: cannot import advisories: "[^"]*no\.json" holds no advisories that are known/], [['db', 'import', join(scratch, 'missing')], 125, /cannot be read: no such file/],
    [['scan', '--vex', join(scratch, 'no.json'), directory], 2, /is no VEX that is known/], [['scan', './missing'], 2, /there is no such file or directory/], [['scan', join(scratch, 'no.json')], 2, /it is JSON, but no bill of materials/],
    [['scan', '--severity', 'awful', directory], 2, /"awful" is none/], [['scan', '--scanners', 'vuln,x', directory], 2, /there are vuln, secret, config, malware/], [['scan'], 2, /a word is missing/], [['scan', write('text', 'no archive')], 2, /^caisson: cannot scan "[^"]*text": /],
    [['db', 'info', '--format', 'xml'], 125, /--format/],
  ];
  for (const [args, status, message] of cases) {
    const result = await run(args);
    assert.match(result.stderr, message, args.join(' '));
    assert.doesNotMatch(result.stderr, /\n\s+at /, args.join(' '));
    assert.equal(result.status, status, `${args.join(' ')}: ${result.stderr}`);
  }
});
