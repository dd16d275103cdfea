/** Nothing is lost: commands that are killed, disks that fill up, ten processes at once on one store (promise M9). */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caissonPath } from '../cli/caisson.ts';
import { busyboxLayout, commandIn, kindsGzipLayout, kindsLayout, manifestDigest, peer } from './fixtures.ts';
import { mustBeClean, prepareTrials, runKilled } from './kill-trials.ts';
import { randomFrom } from './random.ts';
import { registriesIn } from './registry-testing.ts';

/** `npm run test:kill` makes more of them. */
const KILLS = 16;

const scratch = mkdtempSync(join(tmpdir(), 'caisson-robust-'));
const { startRegistry, stop } = registriesIn(scratch);
const isRoot = process.getuid?.() === 0;
let registry = '';

before(async () => {
  registry = await startRegistry();
});

after(() => {
  stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('commands that are killed at random points leave a store that is clean, and lose nothing', async () => {
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  const { scenarios, trial } = await prepareTrials(join(scratch, 'trials'), registry);
  try {
    for (let number = 0; number < KILLS; number++) await trial(scenarios[number % scenarios.length]!, random());
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
});

test('ten processes at once on one store, some of them killed', async () => {
  const home = join(scratch, 'ten');
  const env = { CAISSON_HOME: home, DOCKER_CONFIG: join(scratch, 'docker') };
  const { mustRun } = commandIn(env);
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  await mustRun(['load', '-q', '-i', kindsGzipLayout(), '-t', `${registry}/ten/kinds:30`]);
  await mustRun(['push', '-q', `${registry}/ten/kinds:30`]);
  const random = randomFrom(7);
  const commands: readonly (readonly string[])[] = [
    ['pull', '-q', `${registry}/ten/kinds:30`], ['load', '-q', '-i', kindsLayout()], ['load', '-q', '-i', busyboxLayout()], ['tag', 'busybox:1', 'busybox:2'], ['rmi', '-f', `${registry}/ten/kinds:30`],
    ['rmi', '-f', 'busybox:2'], ['image', 'prune', '-f'], ['system', 'prune', '-af', '--filter', 'label!=maker'], ['images'], ['run', '--pull', 'never', 'busybox:1', 'true'], ['system', 'check'],
  ];
  const worker = async (): Promise<void> => {
    for (let round = 0; round < 4; round++) {
      const args = commands[Math.floor(random() * commands.length)]!;
      const killAfterMs = random() < 0.3 ? 60 + random() * 300 : 120_000;
      const { status, signal, stderr } = await runKilled(args, env, killAfterMs);
      assert.ok(status === 0 || signal === 'SIGKILL', `${args.join(' ')}: ${status} ${stderr}`);
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  const found = await mustBeClean(home, 'after all of them');
  assert.ok(found.size >= 1);
  assert.equal(await mustRun(['run', '--pull', 'never', 'busybox:1', 'echo', 'here']), 'here\n');
  await mustRun(['pull', '-q', `${registry}/ten/kinds:30`]);
  assert.match(await mustRun(['system', 'check']), /^\d+ images, \d+ blobs, \d+ layers(?:, \d+ containers?)?: clean\n/);
  await mustRun(['system', 'prune', '-f']);
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
  const index = JSON.parse(peer('skopeo', ['inspect', `oci:${home}:docker.io/library/busybox:1`]).stdout) as { Digest: string };
  assert.equal(index.Digest, manifestDigest(busyboxLayout()));
});

/** Load, pull and import with too little room: each says so, leaves nothing, and succeeds when there is room. */
async function fillUp(home: string, run: (args: readonly string[]) => { readonly status: number | null; readonly stderr: string }, mayFail: boolean): Promise<number> {
  let failures = 0;
  for (const args of [['load', '-q', '-i', kindsGzipLayout()], ['pull', '-q', `${registry}/full/kinds:30`], ['tag', 'busybox:1', 'busybox:3'], ['rmi', '-f', 'busybox:3']]) {
    const { status, stderr } = run(args);
    if (status === 0) continue;
    failures++;
    assert.ok(mayFail, stderr);
    assert.equal(status, 125, stderr);
    assert.match(stderr, /^caisson: cannot [^\n]*(?:ENOSPC|EFBIG|EDQUOT)[^\n]*\n$/, args.join(' '));
    await mustBeClean(home, args.join(' '));
    assert.deepEqual(readdirSync(join(home, 'tmp')), [], args.join(' '));
  }
  return failures;
}

async function prepareFull(home: string): Promise<Readonly<Record<string, string>>> {
  const env = { CAISSON_HOME: home, DOCKER_CONFIG: join(scratch, 'docker') };
  await commandIn(env).mustRun(['load', '-q', '-i', busyboxLayout()]);
  const other = commandIn({ ...env, CAISSON_HOME: join(scratch, 'other') }).mustRun;
  await other(['load', '-q', '-i', kindsLayout(), '-t', `${registry}/full/kinds:30`]);
  await other(['push', '-q', `${registry}/full/kinds:30`]);
  return env;
}

function spawnIn(env: Readonly<Record<string, string>>, prefix: readonly string[]) {
  return (args: readonly string[]): { readonly status: number | null; readonly stderr: string } => {
    const [command = '', ...words] = [...prefix, process.execPath, caissonPath, ...args];
    return spawnSync(command, words, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', ...env }, encoding: 'utf8' });
  };
}

test('files that may not grow: the error says so, nothing is left, and later it succeeds', async () => {
  const home = join(scratch, 'limited');
  const env = await prepareFull(home);
  const before = await mustBeClean(home, 'at the beginning');
  // Bytes of one file, by RLIMIT_FSIZE: EFBIG, as EDQUOT from a quota.
  for (const bytes of [0, 5000]) assert.ok((await fillUp(home, spawnIn(env, ['prlimit', `--fsize=${bytes}`]), true)) > 0, String(bytes));
  for (const id of before) assert.ok((await mustBeClean(home, 'afterwards')).has(id));
  assert.equal(await fillUp(home, spawnIn(env, []), false), 0);
});

test('a disk that fills up: the error says so, nothing is left, and rmi and prune make room', async () => {
  if (!isRoot) return; // only root can mount one; the test above is everyone's
  const home = join(scratch, 'disk');
  mkdirSync(home);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', home]);
  try {
    const env = await prepareFull(home);
    const run = spawnIn(env, []);
    const used = Number(execFileSync('df', ['--output=used', '-k', home], { encoding: 'utf8' }).split('\n')[1]);
    let failures = 0;
    for (const moreKiB of [0, 60, 1000]) {
      execFileSync('mount', ['-o', `remount,size=${used + moreKiB}k`, home]);
      failures += await fillUp(home, run, true);
      for (const args of [['rmi', '-f', `${registry}/full/kinds:30`, 'kinds:30', 'busybox:3'], ['system', 'prune', '-f']]) assert.equal(run(args).status, 0, `${moreKiB} ${args.join(' ')}: ${run(args).stderr}`);
    }
    assert.ok(failures >= 3, String(failures));
    execFileSync('mount', ['-o', 'remount,size=16m', home]);
    assert.equal(await fillUp(home, run, false), 0);
  } finally {
    execFileSync('umount', [home]);
  }
});
