/**
 * What the tests and the bench need beyond npm's packages: Debian programs to run inside the sandbox, and a
 * C compiler. Missing packages are installed where that is allowed (root); otherwise the command to
 * type is shown. C fixtures are compiled once, keyed by content, into `.cache/fixtures/`.
 *
 *   node scripts/prepare.mjs
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const fixtures = join(root, '.cache', 'fixtures');

function readList(file) {
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

function installedPackages() {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${binary:Package} ${db:Status-Abbrev}\n'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return new Set((stdout ?? '').split('\n').filter((line) => / ii ?$/.test(line)).map((line) => line.split(/[ :]/)[0]));
}

function aptInstall(missing) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () => spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  if (install()) return true;
  spawnSync('apt-get', ['update', '-q'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return install();
}

/** True if every Debian package in test/debian-packages.txt is there afterwards. */
export function installPackages() {
  const installed = installedPackages();
  const missing = readList('test/debian-packages.txt').filter((name) => !installed.has(name));
  if (missing.length === 0) return true;
  if (process.getuid?.() === 0 && aptInstall(missing)) return true;
  console.error(`cannot test everything: Debian packages are missing. Type this, then try again:\n  sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`);
  return false;
}

/** Compiles one C file with the flags in its first comment line (`// gcc: -static -O2 -lm`) and gives the program's path. */
export function compileFixture(source) {
  const text = readFileSync(source, 'utf8');
  const flags = /^\/\/ gcc: (.*)$/m.exec(text)?.[1].split(/\s+/) ?? ['-static', '-O2'];
  const key = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const program = join(fixtures, `${basename(source, '.c')}-${key}`);
  if (existsSync(program)) return program;
  mkdirSync(fixtures, { recursive: true });
  const temporary = `${program}.${process.pid}`;
  const { status, stderr } = spawnSync('gcc', ['-o', temporary, source, ...flags], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot compile ${source}: ${stderr}`);
  renameSync(temporary, program);
  return program;
}

function compileAll() {
  const directory = join(root, 'test', 'fixtures');
  if (!existsSync(directory)) return true;
  const index = {};
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.c'))) index[basename(name, '.c')] = compileFixture(join(directory, name));
  mkdirSync(fixtures, { recursive: true });
  writeFileSync(join(fixtures, 'index.json'), JSON.stringify(index, undefined, 2));
  return true;
}

/** Everything; false if something is missing that a test needs. */
export function prepare() {
  const packages = installPackages();
  return compileAll() && packages;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exit(prepare() ? 0 : 1);
