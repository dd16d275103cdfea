/** What goes wrong on this machine while containers are there: a full disk, a clock that is set, two commands at once, files of older versions. By the built command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { after, before, test } from 'node:test';
import { caissonPath, ownProcesses } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';
import { busyboxLayout } from '../images/fixtures.ts';
import { testStore, until } from './testing.ts';

const { scratch, home, run, mustRun, load, remove } = testStore();
const inspect = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();
const directoryOf = async (name: string): Promise<string> => join(home, 'containers', await inspect(name, '{{.Id}}'));

before(load);
after(remove);

/** It ends by itself, and says at most one line. */
function assertOrderly({ status, signal, stderr }: RunResult, what: string): void {
  assert.equal(signal, null, what);
  assert.doesNotMatch(stderr, /internal error|\n\s+at .*\(|TypeError/, what);
  assert.ok(stderr.split('\n').length <= 2 && (status === 0 || /^caisson: /.test(stderr) || stderr === ''), `${what}: ${status} ${stderr}`);
}

test('a full disk: what needs room says so, all else goes on, and nothing is lost that was kept', async () => {
  const full = join(scratch, 'full');
  mkdirSync(full);
  // In a mount namespace of its own, so that an ordinary user can have a small disk, too.
  const script = `mount -t tmpfs -o size=6m none ${full}
    c() { "${process.execPath}" "${caissonPath}" "$@" 2>&1; echo "status $?"; }
    c load -q -i ${busyboxLayout()}; c create --name made busybox:1 touch /x
    c run -d --name up busybox:1 sh -c 'trap "exit 3" TERM; echo early; while :; do sleep 0.05; done'
    until c logs up | grep -q early; do sleep 0.05; done
    dd if=/dev/zero of=${full}/filler bs=4k 2>/dev/null; echo FULL
    c run --name new busybox:1 true; c run --rm busybox:1 echo alive; c start made; c volume create vol; c network create net; c commit up img:1
    c exec up sh -c 'echo inside > /f; cat /f'; c logs up; c ps -a --format '{{.Names}} {{.State}}'; c stop up; c inspect -f '{{.State.ExitCode}} {{.State.Error}}' up
    rm ${full}/filler; echo FREE
    c start -a made; c system check; c ps -a --format '{{.Names}} {{.State}}'; c rm up made; ls ${full}/containers ${full}/networks ${full}/volumes ${full}/tmp; ls ${full}/containers/names | wc -l`;
  const { stdout, stderr } = spawnSync('unshare', [...(process.getuid?.() === 0 ? [] : ['-r']), '-m', 'sh', '-c', script], { encoding: 'utf8', env: { ...process.env, CAISSON_HOME: full, XDG_CACHE_HOME: join(scratch, 'cache') } });
  const [, whenFull = '', whenFree = ''] = stdout.split(/FULL\n|FREE\n/);
  const noRoom = /^caisson: .*ENOSPC \((free some space|check)[^\n]*\)\nstatus 1(25)?$/gm;
  assert.equal([...whenFull.matchAll(noRoom)].length, 5, stdout + stderr);
  assert.match(whenFull, /\nalive\nstatus 0\n[^]*\ninside\nstatus 0\nearly\nstatus 0\nup running\nmade created\nstatus 0\nup\nstatus 0\n3 what the container changed was not kept: [^\n]*ENOSPC\nstatus 0\n$/, stdout + stderr);
  assert.match(whenFree, /^status 0\n1 image, 3 blobs, 1 layer, 2 containers: clean\nstatus 0\nup exited\nmade exited\nstatus 0\nup\nmade\nstatus 0\n/, stdout + stderr);
  assert.match(whenFree, /containers:\nnames\n\n[^]*networks:\n\n[^]*tmp:\n\n[^]*volumes:\n0\n$/, stdout + stderr);
});

/** The command with a clock that is set by so much when it has run for a moment, in it and in what it starts. */
function withClock(changeMs: number): Readonly<Record<string, string>> {
  const path = join(scratch, `clock${changeMs}.cjs`);
  writeFileSync(path, `const { now } = Date; Date.now = () => now() + (process.uptime() > 0.4 ? ${changeMs} : 0);\n`);
  return { NODE_OPTIONS: `--require=${path}` };
}

test('a clock that is set: stop waits as long as it was told, and ages stay sane', async () => {
  const HOUR_MS = 3_600_000;
  const slow = 'trap "sleep 1; exit 7" TERM; echo up; while :; do sleep 0.05; done';
  const deaf = 'trap "" TERM; echo up; while :; do sleep 0.05; done';
  for (const [name, script, changeMs, seconds, code] of [['ahead', slow, HOUR_MS, 30, '7'], ['behind', deaf, -HOUR_MS, 1, '137']] as const) {
    const env = withClock(changeMs);
    await mustRun(['run', '-d', '--name', name, 'busybox:1', 'sh', '-c', script], { env });
    await until(async () => (await run(['logs', name])).stdout === 'up\n', 'it is up');
    assert.match(await mustRun(['ps', '-f', `name=${name}`, '--format', '{{.Status}}'], { env }), /^Up .*\n$/);
    await mustRun(['stop', '-t', String(seconds), name], { env });
    assert.equal(await inspect(name, '{{.State.ExitCode}}'), code, name);
    await mustRun(['logs', '--since', '10m', '-t', name], { env });
  }
  // It was started in what is now the future.
  const path = join(await directoryOf('ahead'), 'state.json');
  const ahead = Date.now() + 24 * HOUR_MS;
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')) as object, startedMs: ahead, finishedMs: ahead }));
  assert.match(await mustRun(['ps', '-a', '-f', 'name=ahead', '--format', '{{.Status}}']), /^Exited \(7\) Less than a second ago\n$/);
  assert.equal((await run(['start', 'ahead'])).status, 0);
  await mustRun(['rm', '-f', 'ahead', 'behind']);
});

test('a process that stands still: others see it, exec waits for it, and stop ends it all the same', async () => {
  await mustRun(['run', '-d', '--name', 'still', 'busybox:1', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done']);
  const pid = Number(await inspect('still', '{{.State.Pid}}'));
  // As on a machine that sleeps: it does not know of it afterwards.
  kill(pid, 'SIGSTOP');
  assert.match(await mustRun(['ps', '--format', '{{.Names}} {{.State}}']), /^still running$/m);
  const waits = run(['exec', 'still', 'echo', 'awake']);
  await until(() => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T '), 'it stands still');
  kill(pid, 'SIGCONT');
  assert.equal((await waits).stdout, 'awake\n');
  kill(pid, 'SIGSTOP');
  assert.equal(await mustRun(['stop', '-t', '1', 'still']), 'still\n');
  assert.equal(await inspect('still', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
  await mustRun(['rm', 'still']);
});

test('two commands on one container at once: each ends in an orderly way, and there is one process at most', async () => {
  const life = 'trap "exit 0" TERM; touch /made; while :; do sleep 0.05; done';
  const pairs = [
    ['start twin', 'start twin'], ['restart -t 0 twin', 'restart -t 0 twin'], ['stop -t 1 twin', 'restart -t 0 twin'], ['stop -t 1 twin', 'kill twin'], ['rm -f twin', 'start twin'], ['rm -f twin', 'rm -f twin'], ['rm -f twin', 'exec twin sleep 0.1'],
    ['rename twin other', 'rm -f twin'], ['cp /etc/hostname twin:/tmp/x', 'start twin'], ['commit -q twin pair:1', 'rm -f twin'], ['pause twin', 'stop -t 0 twin'], ['update --pids-limit 50 twin', 'restart -t 0 twin'],
  ] as const;
  for (const [index, pair] of pairs.entries()) {
    const id = (await mustRun(['create', '--name', 'twin', 'busybox:1', 'sh', '-c', life])).trim();
    if (index % 2 === 1) await mustRun(['start', 'twin']);
    const results = await Promise.all(pair.map(async (words) => run(words.split(' '))));
    for (const [at, result] of results.entries()) assertOrderly(result, `${pair[at]} beside ${pair[1 - at]}`);
    // One that has ended may have a little to do yet.
    await until(() => ownProcesses(id, `CAISSON_HOME=${home}`).length <= 1, `one process at most: ${pair.join(', ')}`);
    const left = (await mustRun(['ps', '-aq'])).split('\n').filter((line) => line !== '');
    if (left.length > 0) await mustRun(['rm', '-f', ...left]);
    assert.deepEqual(readdirSync(join(home, 'containers')), ['names'], pair.join(', '));
    assert.deepEqual(readdirSync(join(home, 'containers', 'names')), [], pair.join(', '));
  }
  assert.match(await mustRun(['system', 'check']), /: clean\n$/);
});

test('files of an older version, and of one that knows more', async () => {
  await mustRun(['run', '--name', 'old', '--label', 'a=b', 'busybox:1', 'touch', '/made']);
  const directory = await directoryOf('old');
  const change = (name: string, by: (value: Record<string, unknown>) => object): void => {
    const path = join(directory, name);
    writeFileSync(path, JSON.stringify(by(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)));
  };
  // What came later is absent.
  change('config.json', ({ restart: _, health: __, init: ___, volumes: ____, stopTimeoutS: _____, ...rest }) => rest);
  change('state.json', ({ status, exitCode, error }) => ({ status, exitCode, error }));
  assert.match(await mustRun(['ps', '-a', '--format', '{{.Names}} {{.Status}}']), /^old Exited \(0\)/);
  assert.equal(await mustRun(['diff', 'old']), 'A /made\n');
  assert.equal((await run(['start', '-a', 'old'])).status, 0);
  // What is still to come is passed over.
  change('config.json', (value) => ({ ...value, colour: { of: 'tomorrow' } }));
  change('state.json', (value) => ({ ...value, mood: 'good', ports: [] }));
  assert.equal((await run(['start', '-a', 'old'])).status, 0);
  for (const spoiled of ['', '{', 'null', '[]', '{"status":"running"}', '{"status":"running","owner":7,"exitCode":0,"error":""}', '\0'.repeat(100), '{"status":"exited","exitCode":0,"error":"","ports":5}']) {
    writeFileSync(join(directory, 'state.json'), spoiled);
    assert.match(await mustRun(['ps', '-a', '--format', '{{.Names}} {{.Status}}']), /^old Exited \(255\)/, spoiled);
    assert.equal((await run(['start', '-a', 'old'])).status, 0, spoiled);
  }
  await mustRun(['rm', 'old']);
});
