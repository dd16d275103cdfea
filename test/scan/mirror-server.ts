/** A small archive of Debian packages, made by dpkg-deb and apt's own form of lists, served over HTTP on this machine. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { peer } from '../images/fixtures.ts';
import type { Signer } from './signer.ts';

export interface ArchivePackage {
  readonly name: string;
  readonly version: string;
  /** Undefined: it is its own source. */
  readonly source?: string;
  /** The newest first. */
  readonly changelog: string;
  readonly compression?: 'xz' | 'gzip' | 'zstd';
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A `.deb`, with what apt wants to know of it. */
function makePackage(directory: string, { name, version, source, changelog, compression = 'xz' }: ArchivePackage): string {
  const tree = join(directory, 'build', `${name}-${version.replace(/[^0-9A-Za-z.]/g, '_')}`);
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'usr/share/doc', name), { recursive: true });
  const control = `Package: ${name}\nVersion: ${version}\n${source === undefined ? '' : `Source: ${source}\n`}Architecture: amd64\nMaintainer: a <a@example.com>\nDescription: d\n`;
  writeFileSync(join(tree, 'DEBIAN/control'), control);
  writeFileSync(join(tree, 'usr/share/doc', name, 'changelog.Debian.gz'), gzipSync(changelog));
  const file = `pool/${name}_${version.replace(/^\d+:/, '')}_amd64.deb`;
  mkdirSync(join(directory, 'pool'), { recursive: true });
  peer('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '-b', tree, join(directory, file)]);
  const bytes = readFileSync(join(directory, file));
  return `${control}Filename: ${file}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\n`;
}

export interface SuiteSettings {
  /** Lines of `Release`. */
  readonly more?: string;
  /** Absent: nobody signs it. */
  readonly signer?: Signer;
}

/** Writes a suite of an archive. */
export function writeSuite(directory: string, suite: string, label: string, packages: readonly ArchivePackage[], { more = '', signer }: SuiteSettings = {}): void {
  const list = Buffer.from(packages.map((one) => makePackage(directory, one)).join('\n'));
  const place = join(directory, 'dists', suite, 'main/binary-amd64');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'Packages'), list);
  writeFileSync(join(place, 'Packages.gz'), gzipSync(list));
  const files = ['Packages', 'Packages.gz'].map((name) => {
    const bytes = readFileSync(join(place, name));
    return ` ${sha256(bytes)} ${bytes.length} main/binary-amd64/${name}`;
  });
  const release = `Origin: Debian\nLabel: ${label}\nSuite: ${suite}\nCodename: ${suite}\nDate: ${new Date(1_700_000_000_000).toUTCString()}\nArchitectures: amd64\nComponents: main\n${more}SHA256:\n${files.join('\n')}\n`;
  writeFileSync(join(directory, 'dists', suite, 'Release'), release);
  if (signer !== undefined) writeFileSync(join(directory, 'dists', suite, 'InRelease'), signer.clearSigned(release));
}

export interface Mirror {
  readonly address: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): void;
}

export async function serveDirectory(directory: string): Promise<Mirror> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    asked.push(path);
    const file = join(directory, path);
    try {
      if (!statSync(file).isFile()) throw new Error('no file');
      response.end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close: () => server.close() };
}

/** For an apt whose directories are all in `state`. */
function aptEnvironment(state: string): Readonly<Record<string, string>> {
  const config = join(state, 'apt.conf');
  writeFileSync(config, `Dir "${state}";\nDir::State::status "${state}/var/lib/dpkg/status";\nAPT::Architecture "amd64";\nAPT::Architectures { "amd64"; };\nAPT::Sandbox::User "";\nAcquire::http::Proxy "DIRECT";\nAcquire::Check-Valid-Until "true";\n`);
  return { APT_CONFIG: config, LC_ALL: 'C', http_proxy: '' };
}

function makeAptState(state: string, status: string, sources: string): void {
  for (const name of ['etc/apt/preferences.d', 'etc/apt/apt.conf.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/lib/dpkg']) mkdirSync(join(state, name), { recursive: true });
  writeFileSync(join(state, 'etc/apt/sources.list'), sources);
  writeFileSync(join(state, 'var/lib/dpkg/status'), status);
}

/** Whether apt takes the lists of `sources`, with all its checks on. */
export async function aptTakes(state: string, sources: string): Promise<boolean> {
  makeAptState(state, '', sources);
  return promisify(execFile)('apt-get', ['update', '-qq', '--error-on=any'], { env: { ...process.env, ...aptEnvironment(state) } }).then(() => true, () => false);
}

/** What apt itself would upgrade: `name installed candidate`, sorted. Its own directories are in `state`. */
export function aptUpgradable(state: string, status: string, sources: string): readonly string[] {
  makeAptState(state, status, sources);
  const env = aptEnvironment(state);
  peer('apt-get', ['update', '-qq'], { env });
  if (readdirSync(join(state, 'var/lib/apt/lists')).length < 3) throw new Error('apt has no lists');
  return [...peer('apt', ['list', '--upgradable'], { env }).stdout.matchAll(/^([^/\s]+)\/\S+ (\S+) \S+ \[upgradable from: (\S+)\]$/gm)].map(([, name = '', candidate = '', installed = '']) => `${name} ${installed} ${candidate}`).sort();
}
