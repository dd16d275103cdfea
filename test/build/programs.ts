/** Base images of real programs for tests of builds: Node of this machine, and Debian packages that are unpacked with what dpkg must know of them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cached, peer } from '../images/fixtures.ts';

function tarOfDirectory(made: string, rootDirectory: string): void {
  peer('tar', ['-C', rootDirectory, '--owner=0', '--group=0', '--sort=name', '--exclude=./usr/share/doc', '-cf', join(made, 'root.tar'), '.']);
  rmSync(rootDirectory, { recursive: true });
}

/** npm's own directory: `bin/npm` is a link into it. */
export function npmDirectory(): string {
  const npm = spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim();
  return dirname(dirname(realpathSync(npm)));
}

/** This machine's Node and npm with the libraries that they need, and busybox-static as the shell. */
export function nodeTar(): string {
  const directory = cached('node', `${process.version} ${readFileSync(join(npmDirectory(), 'package.json'), 'utf8')} 1`, (made) => {
    const rootDirectory = join(made, 'root');
    for (const name of ['bin', 'usr/bin', 'usr/lib/node_modules', 'etc', 'root', 'tmp']) mkdirSync(join(rootDirectory, name), { recursive: true });
    cpSync(realpathSync(process.execPath), join(rootDirectory, 'usr/bin/node'));
    cpSync(npmDirectory(), join(rootDirectory, 'usr/lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(rootDirectory, 'usr/bin/npm'));
    for (const [, library = ''] of peer('ldd', [process.execPath]).stdout.matchAll(/(\/\S+\.so\S*) \(/g)) {
      mkdirSync(join(rootDirectory, dirname(library)), { recursive: true });
      cpSync(realpathSync(library), join(rootDirectory, library));
    }
    cpSync('/bin/busybox', join(rootDirectory, 'bin/busybox'));
    for (const name of ['sh', 'env', 'cat', 'echo']) symlinkSync('busybox', join(rootDirectory, 'bin', name));
    symlinkSync('../../bin/busybox', join(rootDirectory, 'usr/bin/env'));
    writeFileSync(join(rootDirectory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    tarOfDirectory(made, rootDirectory);
  });
  return join(directory, 'root.tar');
}

/** Enough for dpkg and python3. */
const PYTHON = [
  'base-files', 'base-passwd', 'coreutils', 'dash', 'diffutils', 'dpkg', 'findutils', 'grep', 'libacl1', 'libattr1', 'libbz2-1.0', 'libc6', 'libc-bin', 'libexpat1', 'libgmp10', 'liblzma5', 'libmd0', 'libpcre2-8-0', 'libpython3-stdlib', 'libpython3.11-minimal',
  'libpython3.11-stdlib', 'libselinux1', 'libzstd1', 'perl-base', 'libcrypt1', 'python3', 'python3-minimal', 'python3.11', 'python3.11-minimal', 'sed', 'tar', 'zlib1g',
];

/** Packages of Debian, unpacked and said to be installed, so that no root is needed. */
export function pythonTar(): string {
  const directory = cached('python', `${PYTHON.join()} 2`, (made) => {
    const rootDirectory = join(made, 'root');
    const known = join(rootDirectory, 'var/lib/dpkg');
    for (const name of ['info', 'updates', 'triggers']) mkdirSync(join(known, name), { recursive: true });
    mkdirSync(join(rootDirectory, 'etc'));
    peer('apt-get', ['download', '-qq', ...PYTHON], { cwd: made });
    const packages = readdirSync(made).filter((name) => name.endsWith('.deb')).sort();
    let status = '';
    for (const file of packages) {
      const path = join(made, file);
      peer('dpkg-deb', ['-x', path, rootDirectory]);
      const [name = '', version = '', architecture = '', multiArch = ''] = ['Package', 'Version', 'Architecture', 'Multi-Arch'].map((field) => peer('dpkg-deb', ['-f', path, field]).stdout.trim());
      status += `Package: ${name}\nStatus: install ok installed\nMaintainer: none <none@example.com>\nArchitecture: ${architecture}\nVersion: ${version}\n${multiArch === '' ? '' : `Multi-Arch: ${multiArch}\n`}Description: ${name}\n\n`;
      writeFileSync(join(known, 'info', `${name}.list`), '/.\n');
    }
    writeFileSync(join(known, 'status'), status);
    cpSync(join(rootDirectory, 'usr/share/base-passwd/passwd.master'), join(rootDirectory, 'etc/passwd'));
    cpSync(join(rootDirectory, 'usr/share/base-passwd/group.master'), join(rootDirectory, 'etc/group'));
    tarOfDirectory(made, rootDirectory);
    for (const name of packages) rmSync(join(made, name));
  });
  return join(directory, 'root.tar');
}

/** A package of Debian's, as it comes. */
export function debianPackage(name: string): { readonly file: string; readonly bytes: Buffer } {
  const directory = cached(`package-${name}`, '1', (made) => void peer('apt-get', ['download', '-qq', name], { cwd: made }));
  const file = readdirSync(directory).find((one) => one.endsWith('.deb')) ?? '';
  return { file, bytes: readFileSync(join(directory, file)) };
}

/** Whether a server of Debian's gives packages to this machine. */
export async function mirrorAnswers(): Promise<boolean> {
  if (!existsSync('/etc/apt')) return false;
  const address = /^'(http[^']*)'/m.exec(spawnSync('apt-get', ['update', '--print-uris'], { encoding: 'utf8' }).stdout ?? '')?.[1];
  return address !== undefined && fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(10_000) }).then(({ ok }) => ok, () => false);
}
