/**
 * A Debian of more than 400 packages as its last point release had them, made by mmdebstrap from the mirror (160 MB, some minutes, kept in `.cache/images`): what `scan` says of it, against what dpkg and apt
 * say inside it, in a container of its own; bills of materials of it against their schemas; and versions against dpkg:
 *
 *   npm run test:packages [PAIRS]     default 100000 pairs of versions
 *
 * Needs the network, and root or user namespaces.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, commandIn, peer } from '../images/fixtures.ts';
import { cycloneDxValidator, spdxValidator } from './schemas.ts';
import { brokenReferences } from './spdx-schema.ts';
import type { ScanOutput } from './testing.ts';

const LEAST_PACKAGES = 400;
/** All of priority standard and above, and some programs with many libraries: a desktop's, servers, languages. */
const MORE = ['thunar', 'mousepad', 'openssh-server', 'nginx-light', 'redis-server', 'ruby', 'php-cli', 'git', 'python3-flask', 'python3-numpy'];
const SUITES = ['deb http://deb.debian.org/debian bookworm main', 'deb http://deb.debian.org/debian bookworm-updates main', 'deb http://deb.debian.org/debian-security bookworm-security main'];
const TIMEOUT_MS = 900_000;

/** From the point release alone; afterwards apt is told of the other suites. */
function bigTar(): string {
  const directory = cached('debian-400', [...MORE, ...SUITES, '1'].join(), (made) => {
    const sources = `printf '%s\\n' ${SUITES.map((line) => `'${line}'`).join(' ')} > "$1/etc/apt/sources.list"`;
    peer('mmdebstrap', ['--variant=standard', '--quiet', `--include=${MORE.join()}`, `--customize-hook=${sources}`, 'bookworm', join(made, 'root.tar'), SUITES[0] ?? '']);
  });
  return join(directory, 'root.tar');
}

const DPKG_FORMAT = '${binary:Package}\\t${db:Status-Abbrev}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n';
const INSIDE = `dpkg-query -W -f '${DPKG_FORMAT}' && echo = && apt-get update -qq >&2 && apt list --upgradable 2>/dev/null`;

interface Said {
  /** `name version architecture source source-version` */
  readonly packages: readonly string[];
  /** `name installed candidate`, and whether a security suite has it. */
  readonly updates: readonly string[];
}

function readSaid(text: string): Said {
  const [packages = '', updates = ''] = text.split('\n=\n');
  return {
    packages: packages.trim().split('\n').map((line) => line.split('\t')).filter(([, state]) => state?.[1] === 'i').map(([name = '', , ...rest]) => [name.replace(/:\w+$/, ''), ...rest].join(' ')).sort(),
    updates: [...updates.matchAll(/^([^/\s]+)\/(\S+) (\S+) \S+ \[upgradable from: (\S+)\]$/gm)].map(([, name = '', suites = '', candidate = '', installed = '']) => `${name} ${installed} ${candidate}${/-security\b/.test(suites) ? ' security' : ''}`).sort(),
  };
}

function sourceOf(purl: string, name: string, version: string): string {
  const upstream = new URLSearchParams(purl.split('?')[1] ?? '').get('upstream') ?? name;
  const [source = name, sourceVersion = version] = upstream.split('@');
  return `${source} ${sourceVersion}`;
}

function readOurs({ packages, updates = [] }: ScanOutput): Said {
  return {
    packages: packages.filter(({ type }) => type === 'deb').map(({ name, version, architecture = '', purl }) => `${name} ${version} ${architecture} ${sourceOf(purl, name, version)}`).sort(),
    updates: updates.map(({ name, installed, candidate, isSecurity }) => `${name} ${installed} ${candidate}${isSecurity ? ' security' : ''}`).sort(),
  };
}

const scratch = mkdtempSync(join(tmpdir(), 'caisson-packages-'));
const { mustRun, run } = commandIn({ CAISSON_HOME: join(scratch, 'store'), XDG_CACHE_HOME: join(scratch, 'cache') });
try {
  await mustRun(['import', bigTar(), 'big:1'], { timeoutMs: TIMEOUT_MS });
  const said = readSaid(await mustRun(['run', '--rm', '--network', 'outbound', 'big:1', 'sh', '-c', INSIDE], { timeoutMs: TIMEOUT_MS }));
  const scanned = await run(['scan', '--scanners', 'vuln', '--updates', '--packages', '-f', 'json', 'big:1'], { timeoutMs: TIMEOUT_MS });
  assert.ok(scanned.status === 0 || scanned.status === 1, scanned.stderr);
  const output = JSON.parse(scanned.stdout) as ScanOutput;
  const ours = readOurs(output);
  assert.ok(said.packages.length >= LEAST_PACKAGES, `only ${said.packages.length} packages`);
  assert.deepEqual(ours.packages, said.packages);
  console.log(`${said.packages.length} packages: name, version, architecture and source are dpkg-query's`);
  assert.ok(said.updates.length > 0, 'apt has no updates: is the point release the newest?');
  assert.deepEqual(ours.updates, said.updates);
  console.log(`${said.updates.length} updates, ${said.updates.filter((line) => line.endsWith(' security')).length} of them of a security suite: as apt says inside; ${output.findings.length} findings come of them`);
  const [spdx, cyclone] = [JSON.parse(await mustRun(['scan', '-f', 'spdx', 'big:1'])) as Parameters<typeof brokenReferences>[0], JSON.parse(await mustRun(['scan', '-f', 'cyclonedx', 'big:1'])) as unknown];
  const [isSpdx, isCyclone] = [spdxValidator(), cycloneDxValidator()];
  assert.ok(isSpdx(spdx), JSON.stringify(isSpdx.errors?.slice(0, 3)));
  assert.ok(isCyclone(cyclone), JSON.stringify(isCyclone.errors?.slice(0, 3)));
  assert.deepEqual(brokenReferences(spdx), []);
  console.log('bills of materials in SPDX and CycloneDX validate');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const { status } = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('dpkg-pairs.ts', import.meta.url)), process.argv[2] ?? '100000'], { stdio: 'inherit' });
process.exitCode = status ?? 1;
