/** The command's code cache: an accelerator for each Node version that a user has, and never a reason to fail. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { keepsMachineCode } from '../../src/host/node/native-code.ts';
import { PartFile } from '../../src/host/node/part-file.ts';
import { caissonPath, ownProcesses, until } from './caisson.ts';

const scratch = fs.mkdtempSync(join(tmpdir(), 'caisson-cache-'));
const copy = join(scratch, 'dist');
const cacheHome = join(scratch, 'cache');
const directory = join(cacheHome, 'caisson');

before(() => fs.cpSync(dirname(caissonPath), copy, { recursive: true }));
beforeEach(() => {
  fs.rmSync(cacheHome, { recursive: true, force: true });
  // As after a change of the Node version.
  fs.writeFileSync(join(copy, 'cli.cache'), 'the cache of another Node version', { mode: 0o644 });
});
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** Its output, with errors. */
function runCommand(home = cacheHome, env: Readonly<Record<string, string>> = {}): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(copy, 'caisson.js'), 'do', '--', 'echo', 'hello'], {
    encoding: 'utf8', cwd: scratch, env: { PATH: '/usr/bin:/bin', XDG_CACHE_HOME: home, CAISSON_BACKGROUND: 'off', ...env },
  });
  return `${stdout}${stderr}${status}`;
}

function cacheFiles(): string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
}

test('a cache that does not fit is replaced by the user\'s own, which the next run uses', () => {
  assert.equal(runCommand(), 'hello\n0');
  const [name = ''] = cacheFiles();
  assert.deepEqual(cacheFiles(), [name]);
  assert.match(name, new RegExp(`-${process.versions.v8}-${process.arch}-[0-9a-f]+\\.cache$`));
  const first = fs.statSync(join(directory, name));
  assert.equal(first.mode & 0o777, 0o600);
  assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
  assert.equal(runCommand(), 'hello\n0');
  const second = fs.statSync(join(directory, name));
  assert.deepEqual([second.ino, second.mtimeMs], [first.ino, first.mtimeMs]);
});

test('a container of an image has a cache of its own, whatever becomes of that of other commands', () => {
  const start = (): void => void spawnSync(process.execPath, [join(copy, 'caisson.js'), 'run', '--pull', 'never', 'nothing'], { cwd: scratch, env: { PATH: '/usr/bin:/bin', XDG_CACHE_HOME: cacheHome, CAISSON_HOME: join(scratch, 'store'), CAISSON_BACKGROUND: 'off' } });
  const kinds = (): readonly (string | undefined)[] => cacheFiles().filter((name) => name.endsWith('.cache')).map((name) => name.split('-')[0]).sort();
  fs.writeFileSync(join(copy, 'cli.run.cache'), 'the cache of another Node version');
  start();
  assert.deepEqual(kinds(), ['cli.run']);
  const path = join(directory, cacheFiles()[0] ?? '');
  const { ino } = fs.statSync(path);
  start();
  assert.equal(fs.statSync(path).ino, ino);
  assert.equal(runCommand(), 'hello\n0');
  assert.deepEqual(kinds(), ['cli', 'cli.run']);
});

test('the user\'s own cache is what V8 takes', () => {
  runCommand();
  const path = join(directory, cacheFiles()[0] ?? '');
  const source = fs.readFileSync(join(copy, 'cli.js'), 'latin1');
  const filename = join(copy, 'cli.js');
  const script = `const vm = require('node:vm'), fs = require('node:fs');
    const made = new vm.Script(fs.readFileSync(0, 'latin1'), { filename: ${JSON.stringify(filename)}, cachedData: fs.readFileSync(${JSON.stringify(path)}) });
    console.log(made.cachedDataRejected, made.createCachedData().length > fs.statSync(${JSON.stringify(path)}).size / 2);`;
  // As scripts/stub.cjs: a cache is good only under the flags that it was made with.
  const version = Number.parseInt(process.versions.v8, 10);
  const flags = [...(version < 13 ? ['--wasm-tiering-budget=13000000'] : []), ...(version < 14 ? ['--experimental-wasm-branch-hinting'] : [])];
  const { stdout } = spawnSync(process.execPath, [...flags, '-e', script], { input: Buffer.from(source, 'latin1'), encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  assert.equal(stdout, 'false true\n');
});

test('a user\'s cache that is cut off, or that others can write, is written anew', () => {
  runCommand();
  const path = join(directory, cacheFiles()[0] ?? '');
  const whole = fs.statSync(path).size;
  fs.truncateSync(path, whole >> 1);
  assert.equal(runCommand(), 'hello\n0');
  assert.ok(fs.statSync(path).size > whole >> 1);
  fs.chmodSync(path, 0o666);
  const { ino } = fs.statSync(path);
  assert.equal(runCommand(), 'hello\n0');
  assert.notEqual(fs.statSync(path).ino, ino);
  assert.equal(fs.statSync(path).mode & 0o777, 0o600);
});

test('without a place for a cache the command works all the same', () => {
  const file = join(scratch, 'file');
  fs.writeFileSync(file, '');
  assert.equal(runCommand(file), 'hello\n0');
  assert.equal(runCommand(''), 'hello\n0');
  assert.equal(runCommand('relative'), 'hello\n0');
  assert.equal(fs.existsSync(join(scratch, 'relative')), false);
});

test('caches of other builds do not pile up', () => {
  fs.mkdirSync(directory, { recursive: true });
  for (let i = 0; i < 20; i++) {
    fs.writeFileSync(join(directory, `cli-${i}.cache`), '');
    fs.utimesSync(join(directory, `cli-${i}.cache`), i, i);
  }
  assert.equal(runCommand(), 'hello\n0');
  const left = cacheFiles();
  assert.equal(left.length, 8);
  assert.ok(left.includes('cli-19.cache') && !left.includes('cli-12.cache'));
});

test('without machine code of the interpreter for this Node version, the first run leaves a process that makes some, in the user\'s cache', async () => {
  const names = ['interpreter.native', 'decoder.native'];
  const away = (name: string): string => join(copy, `${name}.away`);
  for (const name of names) fs.renameSync(join(copy, name), away(name));
  const running = (): readonly number[] => ownProcesses('--optimizing-process', `XDG_CACHE_HOME=${cacheHome}`);
  const file = (): string => {
    const units = cacheFiles().find((name) => name.startsWith('units-'));
    return units === undefined ? '' : join(directory, units, 'machine.parts');
  };
  try {
    assert.equal(runCommand(), 'hello\n0');
    assert.deepEqual([file(), running()], ['', []]);
    assert.equal(runCommand(cacheHome, { CAISSON_BACKGROUND: '' }), 'hello\n0');
    if (!keepsMachineCode()) {
      assert.deepEqual([file(), running()], ['', []]); // this V8 does not write it down
      return;
    }
    await until(() => fs.existsSync(file()) && running().length === 0, 'there is no machine code');
    const made = fs.readFileSync(file());
    assert.ok(made.length > 100_000);
    assert.equal(fs.statSync(file()).mode & 0o777, 0o600);
    assert.equal(runCommand(cacheHome, { CAISSON_BACKGROUND: '' }), 'hello\n0');
    assert.deepEqual(running(), []);
    // What is spoiled is none, and made anew.
    fs.writeFileSync(file(), made.subarray(0, made.length >> 1));
    assert.equal(runCommand(cacheHome, { CAISSON_BACKGROUND: '' }), 'hello\n0');
    await until(() => running().length === 0 && fs.statSync(file()).size > 100_000 && fs.statSync(file()).size !== made.length >> 1, 'it is not made again');
    // V8 itself would take the code of one module for another's.
    const parts = new PartFile(file());
    const swapped = [parts.read(1), parts.read(0)].map((part) => part ?? new Uint8Array());
    new PartFile(file()).replace(swapped);
    const { ino } = fs.statSync(file());
    assert.equal(runCommand(cacheHome, { CAISSON_BACKGROUND: '' }), 'hello\n0');
    await until(() => running().length === 0 && fs.statSync(file()).ino !== ino, 'it is not made again');
    assert.deepEqual(fs.readdirSync(dirname(file())).filter((name) => !/^layout$|\.parts$/.test(name)), []);
  } finally {
    for (const name of names) fs.renameSync(away(name), join(copy, name));
  }
});

test('a short run loads none of what Node brings along for processes and networks', () => {
  const hook = join(scratch, 'hook.cjs');
  fs.writeFileSync(hook, `process.on('exit', () => require('node:fs').writeSync(2, process.moduleLoadList.filter((name) => /^NativeModule (?:child_process|net|http|zlib|worker_threads|dns)$/.test(name)).join()));`);
  const { stdout, stderr } = spawnSync(process.execPath, ['-r', hook, caissonPath, 'do', '--', 'echo', 'hello'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/bin:/bin', XDG_CACHE_HOME: cacheHome, CAISSON_BACKGROUND: 'off' } });
  assert.deepEqual([stdout, stderr], ['hello\n', '']);
});
