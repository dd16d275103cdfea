/** Translations that are kept between runs: they are used, and nothing that happens to their files changes what a program does. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keepsMachineCode } from '../../src/host/node/native-code.ts';
import { PartFile } from '../../src/host/node/part-file.ts';
import { caisson, ownProcesses, until, type RunResult } from './caisson.ts';

const ARGV = ['/usr/bin/perl', '-e', 'my $s = 0; my %h; for (1 .. 60000) { $s = ($s * 31 + $_) % 1000003; $h{$s % 97}++ } print "$s ", scalar(keys %h), "\\n"'];
const OUTPUT = '162380 97\n';
const cacheHome = mkdtempSync(join(tmpdir(), 'caisson-units-'));
after(() => rmSync(cacheHome, { recursive: true, force: true }));

function run(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return caisson(['do', ...flags, '--', ...ARGV], { env: { PATH: '/usr/bin:/bin', XDG_CACHE_HOME: cacheHome, ...env }, timeoutMs: 60_000 });
}

function unitsDirectory(cache = cacheHome): string {
  const directory = join(cache, 'caisson');
  return join(directory, readdirSync(directory).find((name) => name.startsWith('units-')) ?? '');
}

/** The file of perl's units. */
function unitsFile(cache = cacheHome): string {
  return join(unitsDirectory(cache), readdirSync(unitsDirectory(cache)).find((name) => name.startsWith('perl')) ?? '');
}

/** Modules in that file, and how many of them have machine code. */
function modulesIn(cache: string): { readonly all: number; readonly native: number } {
  const parts = new PartFile(unitsFile(cache));
  const all = (parts.count - 1) / 2;
  return { all, native: Array.from({ length: all }, (_, module) => parts.read(2 * module + 2)?.length ?? 0).filter((length) => length > 0).length };
}

before(async () => {
  for (let index = 0; index < 4; index++) assert.equal((await run()).stdout, OUTPUT);
});

test('a later run translates next to nothing, and nobody else can read the file', async () => {
  const { stdout, stderr } = await run(['--stats']);
  assert.equal(stdout, OUTPUT);
  const translated = Number(/units translated +(\d+)/.exec(stderr)?.[1]);
  assert.ok(translated < 20, stderr);
  assert.equal(statSync(unitsFile()).mode & 0o777, 0o600);
});

test('a script runs the units of its interpreter', async () => {
  const script = join(cacheHome, 'script');
  writeFileSync(script, `#!/usr/bin/perl\n${ARGV[2]}\n`, { mode: 0o755 });
  for (const argv of [[script], ['/bin/sh', '-c', `exec ${script}`]]) {
    const { stdout, stderr } = await caisson(['do', '--stats', '--', ...argv], { env: { PATH: '/usr/bin:/bin', XDG_CACHE_HOME: cacheHome } });
    assert.equal(stdout, OUTPUT);
    assert.ok(Number(/units translated +(\d+)/.exec(stderr)?.[1]) < 20, stderr);
  }
  assert.deepEqual(readdirSync(unitsDirectory()).filter((name) => name.startsWith('script')), []);
});

test('a file that is damaged anywhere is no file', async () => {
  const whole = readFileSync(unitsFile());
  for (const at of [0, 9, 17, 21, 100, whole.length >> 1, whole.length - 1]) {
    const damaged = Buffer.from(whole);
    damaged.fill(damaged[at]! ^ 0x55, at, Math.min(at + 8, damaged.length));
    writeFileSync(unitsFile(), damaged);
    const { stdout, stderr, status } = await run();
    assert.deepEqual([stdout, stderr, status], [OUTPUT, '', 0], `byte ${at}`);
  }
  writeFileSync(unitsFile(), whole.subarray(0, whole.length >> 1));
  assert.equal((await run()).stdout, OUTPUT);
});

test('runs at the same time do not spoil each other', async () => {
  const runs = await Promise.all(Array.from({ length: 4 }, () => run()));
  assert.deepEqual(runs.map(({ stdout }) => stdout), runs.map(() => OUTPUT));
  assert.equal((await run()).stdout, OUTPUT);
});

test('a file that others could have written is left aside', async () => {
  chmodSync(unitsFile(), 0o666);
  const { stdout, stderr } = await run(['--stats']);
  assert.equal(stdout, OUTPUT);
  assert.ok(Number(/units translated +(\d+)/.exec(stderr)?.[1]) > 0, stderr);
});

test('a run that translates something leaves a process that makes machine code of it, and ends; with CAISSON_BACKGROUND=off none', async () => {
  for (const setting of ['', 'off']) {
    const cache = mkdtempSync(join(cacheHome, 'other-'));
    const env = { XDG_CACHE_HOME: cache, CAISSON_BACKGROUND: setting };
    const running = (): readonly number[] => ownProcesses('--optimizing-process', `XDG_CACHE_HOME=${cache}`);
    assert.equal((await run([], env)).stdout, OUTPUT);
    assert.ok(modulesIn(cache).all > 0);
    if (setting === 'off') assert.deepEqual([modulesIn(cache).native, running()], [0, []]);
    else if (keepsMachineCode()) await until(() => modulesIn(cache).native > 0, 'there is no machine code');
    await until(() => running().length === 0, 'it does not end');
    assert.deepEqual(await run([], env), { stdout: OUTPUT, stderr: '', status: 0, signal: null });
    await until(() => running().length === 0, 'it does not end');
    assert.deepEqual(readdirSync(unitsDirectory(cache)).filter((name) => !/\.parts$|^layout$/.test(name)), []);
  }
});
