/** Packages as the tools that install them list them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { pythonTar } from '../build/programs.ts';
import { peer } from '../images/fixtures.ts';
import { PACKAGE_FILES } from './package-files.ts';
import { packageLines, scanPlace } from './testing.ts';

const { scratch, write, json, mustRun, run } = scanPlace();
const root = fileURLToPath(new URL('../..', import.meta.url));

test('each list of packages, as its tool writes it', async () => {
  for (const { path, text } of PACKAGE_FILES) write(`lists/${path}`, text);
  const output = await json([join(scratch, 'lists')]);
  assert.deepEqual(packageLines(output), PACKAGE_FILES.flatMap(({ packages }) => packages).filter((line, index, all) => all.indexOf(line) === index).sort());
  const only = new Set(output.packages.filter(({ isDevelopment }) => isDevelopment === true).map(({ name }) => name));
  assert.deepEqual([...only].sort(), ['black', 'phpunit/phpunit', 'pytest']);
});

test('an image of Debian: as dpkg-query', async () => {
  await mustRun(['import', pythonTar(), 'debian:test']);
  const ours = (await json(['debian:test'])).packages.filter(({ type }) => type === 'deb').map(({ name, version, architecture }) => `${name} ${version} ${architecture ?? ''}`).sort();
  mkdirSync(join(scratch, 'debian'));
  peer('tar', ['-C', join(scratch, 'debian'), '-xf', pythonTar(), './var/lib/dpkg']);
  const theirs = peer('dpkg-query', [`--admindir=${join(scratch, 'debian/var/lib/dpkg')}`, '-W', '-f', '${Package} ${Version} ${Architecture}\\n']).stdout.trim().split('\n').sort();
  assert.deepEqual(ours, theirs);
});

test('node_modules and package-lock.json of this project: as npm ls --all', async () => {
  const list = (args: readonly string[], cwd: string): readonly string[] => {
    // Peers that are not there make npm fail, and list all the same.
    const { stdout } = spawnSync('npm', ['ls', '--all', '--parseable', '--long', ...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
    return [...new Set(stdout.split('\n').slice(1).flatMap((line) => line.split(':')[1] ?? []))].filter((name) => name !== '' && !name.endsWith('@undefined')).sort();
  };
  const npm = (packages: Awaited<ReturnType<typeof json>>['packages'], start: string): readonly string[] => [...new Set(packages.filter(({ type, paths }) => type === 'npm' && paths.some((path) => path.startsWith(start))).map(({ name, version }) => `${name}@${version}`))].sort();
  const installed = npm((await json([root])).packages, 'node_modules/');
  assert.ok(installed.length > 100);
  assert.deepEqual(installed, list([], root));
  for (const name of ['package.json', 'package-lock.json']) write(`locked/${name}`, readFileSync(join(root, name)));
  assert.deepEqual(npm((await json([join(scratch, 'locked')])).packages, 'package-lock.json'), list(['--package-lock-only'], join(scratch, 'locked')));
});

const SPEC = (name: string, epoch: string): string => `Name: ${name}\nVersion: 1.2.3\nRelease: 4%{?dist}\n${epoch}Summary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n%install\nmkdir -p %{buildroot}/usr/share/${name}\necho x > %{buildroot}/usr/share/${name}/file\n%files\n/usr/share/${name}/file\n`;

/** Packages that rpmbuild makes. */
function rpms(): readonly string[] {
  const top = join(scratch, 'rpmbuild');
  return Array.from({ length: 12 }, (_, index) => {
    const name = `pack-${index}`;
    peer('rpmbuild', ['-bb', '--define', `_topdir ${top}`, write(`specs/${name}.spec`, SPEC(name, index % 3 === 0 ? `Epoch: ${index + 1}\n` : ''))]);
    return join(top, 'RPMS/noarch', `${name}-1.2.3-4.noarch.rpm`);
  });
}

/** A database of NDB (rpm `lib/backend/ndb/rpmpkg.c`): a page of slots, one of them empty, then the blobs. */
function ndb(blobs: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(4096);
  header.write('RpmP');
  header.writeUInt32LE(1, 12);
  const parts = [header];
  let block = header.length / 16;
  for (const [index, blob] of blobs.entries()) {
    const slot = 32 + 16 * (index < 3 ? index : index + 1);
    const whole = Buffer.alloc(Math.ceil((16 + blob.length + 12) / 16) * 16);
    whole.write('BlbS');
    whole.writeUInt32LE(index + 1, 4);
    whole.writeUInt32LE(blob.length, 12);
    blob.copy(whole, 16);
    header.write('Slot', slot);
    for (const [at, value] of [index + 1, block, whole.length / 16].entries()) header.writeUInt32LE(value, slot + 4 + 4 * at);
    header.write('Slot', 32 + 16 * 3);
    block += whole.length / 16;
    parts.push(whole);
  }
  return Buffer.concat(parts);
}

test('a database of rpm as SQLite, NDB and Berkeley DB: as rpm -qa', async () => {
  const database = join(scratch, 'sqlite/var/lib/rpm');
  const rpm = (...args: readonly string[]): string => peer('rpm', ['--dbpath', database, ...args]).stdout;
  rpm('-i', '--justdb', '--nodeps', '--ignorearch', '--noscripts', ...rpms());
  // One goes, so that there are holes.
  rpm('-e', '--justdb', '--nodeps', 'pack-5');
  const theirs = rpm('-qa', '--queryformat', '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\\n').trim().split('\n').sort();
  assert.equal(theirs.length, 11);
  const ours = async (directory: string): Promise<readonly string[]> => (await json([join(scratch, directory)])).packages.filter(({ type }) => type === 'rpm').map(({ name, version, architecture }) => `${name} ${version} ${architecture ?? ''}`).sort();
  assert.deepEqual(await ours('sqlite'), theirs, 'SQLite');

  const rows = peer('sqlite3', [join(database, 'rpmdb.sqlite'), 'select hnum, hex(blob) from Packages']).stdout.trim().split('\n').map((line) => line.split('|') as [string, string]);
  write('ndb/usr/lib/sysimage/rpm/Packages.db', ndb(rows.map(([, blob]) => Buffer.from(blob, 'hex'))));
  assert.deepEqual(await ours('ndb'), theirs, 'NDB');

  const key = (value: string): string => Buffer.from(new Uint32Array([Number(value)]).buffer).toString('hex');
  // Large values go to pages of their own; a small one stands in the hash page itself, and is no package.
  const text = `VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n${rows.map(([number, blob]) => ` ${key(number)}\n ${blob.toLowerCase()}\n`).join('')} 00000000\n 0d000000\nDATA=END\n`;
  mkdirSync(join(scratch, 'bdb/var/lib/rpm'), { recursive: true });
  peer('db5.3_load', ['-f', write('bdb.dump', text), join(scratch, 'bdb/var/lib/rpm/Packages')]);
  assert.deepEqual(await ours('bdb'), theirs, 'Berkeley DB');
});

test('a program of Go: as go version -m; what it was replaced by counts', async () => {
  write('go/go.mod', 'module example.com/main\n\ngo 1.19\n\nrequire (\n\texample.com/one v1.2.3\n\texample.com/two v0.1.0\n)\n\nreplace example.com/one => ./one\n\nreplace example.com/two => ./two\n');
  for (const name of ['one', 'two']) {
    write(`go/${name}/go.mod`, `module example.com/${name}\n\ngo 1.19\n`);
    write(`go/${name}/${name}.go`, `package ${name}\n\nvar Value = "${name}"\n`);
  }
  write('go/main.go', 'package main\n\nimport (\n\t"example.com/one"\n\t"example.com/two"\n)\n\nfunc main() { println(one.Value, two.Value) }\n');
  const program = join(scratch, 'gobin/usr/bin/main');
  mkdirSync(dirname(program), { recursive: true });
  peer('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', program, '.'], { cwd: join(scratch, 'go'), env: { CGO_ENABLED: '0', GOCACHE: join(scratch, 'gocache'), GOFLAGS: '-mod=mod', GOPROXY: 'off' } });
  const version = /go(\S+)/.exec(peer('go', ['version', program]).stdout.split(': ')[1] ?? '')?.[1] ?? '';
  const modules = [...peer('go', ['version', '-m', program]).stdout.matchAll(/^\tdep\t(\S+)\t(\S+)/gm)].map(([, name, number]) => `golang ${name ?? ''} ${number ?? ''}`);
  assert.equal(modules.length, 2);
  assert.deepEqual(packageLines(await json([join(scratch, 'gobin')])), [...modules, `golang stdlib ${version}`].sort());
});

test('a program of Rust with audit data', async () => {
  const data = { packages: [{ name: 'mine', version: '0.1.0', source: 'local', root: true }, { name: 'libc', version: '0.2.147', source: 'crates.io' }, { name: 'cc', version: '1.0.0', source: 'crates.io', kind: 'build' }] };
  const section = write('dep-v0', deflateSync(JSON.stringify(data)));
  mkdirSync(join(scratch, 'rust/bin'), { recursive: true });
  peer('objcopy', ['--add-section', `.dep-v0=${section}`, '/bin/true', join(scratch, 'rust/bin/tool')]);
  assert.deepEqual(packageLines(await json([join(scratch, 'rust')])), ['cargo libc 0.2.147']);
});

const JARS = `
import io, sys, zipfile
def jar(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries: archive.writestr(name, content)
    return out.getvalue()
def pom(group, artifact, version): return ('META-INF/maven/%s/%s/pom.properties' % (group, artifact), 'version=%s\\ngroupId=%s\\nartifactId=%s\\n' % (version, group, artifact))
inner = jar([pom('org.slf4j', 'slf4j-api', '1.7.30')])
bare = jar([('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\\r\\nBundle-SymbolicName: com.example.thing\\r\\nImplementation-Vendor-Id: com.exam\\r\\n ple\\r\\nBundle-Version: 9\\r\\n\\r\\n')])
boot = jar([pom('com.example', 'boot', '3.0.0'), ('BOOT-INF/lib/slf4j.jar', inner), ('BOOT-INF/lib/thing-2.1.jar', bare)])
war = jar([('WEB-INF/lib/boot.jar', boot)])
open(sys.argv[1], 'wb').write(b'#!/bin/sh\\nexec java -jar "$0"\\n' + war)
`;

test('a war with a jar with jars, behind a start script', async () => {
  mkdirSync(join(scratch, 'java'));
  execFileSync('python3', ['-c', JARS, join(scratch, 'java/app.war')]);
  assert.deepEqual(packageLines(await json([join(scratch, 'java')])), ['maven com.example:boot 3.0.0', 'maven com.example:thing 2.1', 'maven org.slf4j:slf4j-api 1.7.30']);
});

test('what a package of the distribution brings is not listed twice; what cannot be read is said', async () => {
  write('owned/var/lib/dpkg/status', 'Package: python3-six\nStatus: install ok installed\nVersion: 1.16.0-4\nArchitecture: all\n');
  write('owned/var/lib/dpkg/info/python3-six.list', '/.\n/usr\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n');
  write('owned/usr/lib/python3/dist-packages/six-1.16.0.egg-info', 'Name: six\nVersion: 1.16.0\n');
  write('owned/usr/local/lib/python3/dist-packages/six-1.17.0.dist-info/METADATA', 'Name: six\nVersion: 1.17.0\n');
  write('owned/srv/package-lock.json', '{"lockfile');
  assert.deepEqual(packageLines(await json([join(scratch, 'owned')])), ['deb python3-six 1.16.0-4', 'pypi six 1.17.0']);
  const { stderr } = await run(['scan', join(scratch, 'owned')]);
  assert.match(stderr, /^caisson: "srv\/package-lock.json": it is not JSON$/m);
});
