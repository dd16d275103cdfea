/**
 * README.md is true: every command in it is run, as typed, in a fresh copy of the repository, and prints what the README
 * says; its TypeScript runs; its links lead somewhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'caisson-readme-')));
/** The fresh clone. */
const clone = join(scratch, 'caisson');
/** Where the reader stands after the first minute; the README calls it so. */
const home = join(scratch, 'me');
const HOME_IN_README = '/home/me';
/** Of the registry that it starts: here any port that is free. */
const PORT_IN_README = 'localhost:5000';

interface Step {
  readonly command: string;
  /** Absent: the README does not say. */
  readonly output: string | undefined;
}

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) => text ?? '');
}

/** `$ command` and the lines below it, up to the next. */
function stepsOf(block: string): Step[] {
  return block.split(/^\$ /m).slice(1).map((text) => {
    const end = text.indexOf('\n');
    const output = text.slice(end + 1);
    return { command: text.slice(0, end), output: output === '' ? undefined : output };
  });
}

const steps = blocks('console').flatMap(stepsOf);
const isSetUp = ({ command }: Step): boolean => command.startsWith('npm ci');
const setUps = steps.filter(isSetUp);
const isNetwork = ({ command }: Step): boolean => command.includes('--net outbound');

function bash(script: string, cwd: string): SpawnSyncReturns<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, LANG: 'C.UTF-8', npm_config_cache: npmCache(), npm_config_update_notifier: 'false' };
  return spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** npm's own, so that a second run fetches nothing. */
function npmCache(): string {
  return join(process.env['HOME'] ?? tmpdir(), '.npm');
}

/** Every file that a clone would have, as it is now. */
function copyRepository(): void {
  const listed = spawnSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(listed.status, 0, listed.stderr);
  for (const file of listed.stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file));
  }
}

before(() => {
  mkdirSync(home);
  copyRepository();
});

after(() => rmSync(scratch, { recursive: true, force: true }));

test('the first command sets everything up and runs a real program', () => {
  const first = steps[0];
  assert.ok(first !== undefined && isSetUp(first) && first.output !== undefined);
  const { stdout, stderr, status } = bash(first.command, clone);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, first.output);
});

test('the second command sets everything up and tests; CI calls the same', () => {
  const second = setUps[1]?.command ?? '';
  assert.equal(setUps.length, 2);
  assert.match(second, /^npm ci .*&& npm test/);
  assert.match(readFileSync(join(root, '.ci/run'), 'utf8'), /^npm ci .*\n(exec )?npm test/m);
  // The whole of it is what runs this test; here it is narrowed to one file.
  const { stdout, stderr, status } = bash(`${second.replace(/^.*&& /, '')} -- src/cli/flags.test.ts`, clone);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^\d+ passed, 0 failed$/m);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, 'localhost', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

test('every other command prints what the README says', async () => {
  const session = steps.filter((step) => !isSetUp(step) && !isNetwork(step));
  const MARK = '== end of a step ==';
  // The alias is made where the README says; the rest happens in the reader's directory.
  const script = session.map(({ command }) => `${command}\necho "${MARK} $?"\n${command.startsWith('alias ') ? `cd ${home}\n` : ''}`).join('');
  const address = `localhost:${await freePort()}`;
  const { stdout } = bash(`exec 2>&1\nshopt -s expand_aliases\n${script.replaceAll(PORT_IN_README, address)}`, clone);
  const printed = stdout.replaceAll(home, HOME_IN_README).replaceAll(address, PORT_IN_README).split(new RegExp(`${MARK} (\\d+)\\n`));
  const found = session.map(({ command }, index) => ({ command, output: printed[2 * index], status: printed[2 * index + 1] }));
  const expected = session.map(({ command, output }, index) => ({ command, output: output ?? printed[2 * index], status: '0' }));
  assert.deepEqual(found, expected);
});

test('the command that uses the network gives what it gives natively', () => {
  const commands = steps.filter(isNetwork);
  assert.ok(commands.length > 0);
  for (const { command } of commands) {
    const native = bash(command.replace(/^.* -- /, ''), home);
    const { stdout, stderr, status } = bash(`shopt -s expand_aliases; alias caisson=${clone}/dist/caisson.js\n${command}`, home);
    assert.deepEqual({ stdout, stderr, status }, { stdout: native.stdout, stderr: native.stderr, status: native.status });
  }
});

test('its TypeScript prints what its comments say', () => {
  const [code = ''] = blocks('ts');
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => `${said}\n`).join('');
  assert.ok(expected !== '');
  writeFileSync(join(clone, 'example.mjs'), transformSync(code, { loader: 'ts', format: 'esm', target: 'node20' }).code);
  const { stdout, stderr } = bash('node example.mjs', clone);
  assert.equal(stdout, expected, stderr);
});

test('its links lead to files', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? '');
  assert.ok(links.length > 10);
  assert.deepEqual(links.filter((link) => !existsSync(join(root, link))), []);
});
