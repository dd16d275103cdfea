/** Containers in the background: run -d, logs, wait, stop, kill, restart, exec, top. By the built command. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caissonPath } from '../cli/caisson.ts';
import { testStore, until } from './testing.ts';

// A socket's path has 108 bytes at most: that of this store's are longer.
const { home, env, run, mustRun, load, remove } = testStore(`store-${'x'.repeat(120)}`);
const inspect = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();
const statusOf = (name: string): Promise<string> => inspect(name, '{{.State.Status}} {{.State.ExitCode}}');

before(load);
after(remove);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('run -d prints the id at once; logs, wait and the exit status come later', async () => {
  assert.match(await mustRun(['run', '-d', '--name', 'short', 'busybox:1', 'sh', '-c', 'echo out; echo err >&2; printf rest; exit 5']), /^[0-9a-f]{64}\n$/);
  assert.equal(await mustRun(['wait', 'short']), '5\n');
  assert.equal(await statusOf('short'), 'exited 5');
  const logs = await run(['logs', 'short']);
  assert.deepEqual([logs.stdout, logs.stderr], ['out\nrest', 'err\n']);
  assert.match((await run(['logs', '-t', 'short'])).stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out\n/);
  assert.match((await run(['logs', 'nope'])).stderr, /No such container: nope/);
  // A command that cannot be started is said here, not only in the background.
  const wrong = await run(['run', '-d', '--name', 'wrong', 'busybox:1', '/nope']);
  assert.deepEqual([wrong.status, wrong.stdout, /cannot run "\/nope": no such program/.test(wrong.stderr)], [127, '', true]);
  assert.equal(await statusOf('wrong'), 'created 127');
});

test('it outlives the terminal and the process that started it, and ps finds it', async () => {
  const shell = spawn('setsid', ['sh', '-c', `${process.execPath} ${caissonPath} run -d --name lasting busybox:1 sleep 1000 >/dev/null; kill -HUP 0`], { env: { ...process.env, ...env }, stdio: 'ignore' });
  await new Promise((resolve) => shell.once('close', resolve));
  assert.match(await mustRun(['ps', '--format', '{{.Names}} {{.Status}}']), /^lasting Up /m);
  const pid = Number(await inspect('lasting', '{{.State.Pid}}'));
  assert.ok(isAlive(pid));
  assert.match(readFileSync(`/proc/${pid}/stat`, 'latin1'), /^\d+ \(.*\) \S \S+ \d+ \d+ 0 /, 'it has no terminal');
  assert.equal(statSync(join(home, 'containers', await inspect('lasting', '{{.Id}}'))).mode & 0o777, 0o700);
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid) || readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '), 'it is gone');
  assert.match(await mustRun(['ps', '-a', '--filter', 'name=lasting', '--format', '{{.Status}}']), /^Exited \(137\)/);
  assert.match((await run(['exec', 'lasting', 'true'])).stderr, /container [0-9a-f]{64} is not running/);
  assert.equal(await mustRun(['start', 'lasting']), 'lasting\n');
  assert.equal(await statusOf('lasting'), 'running 0');
  await mustRun(['rm', '-f', 'lasting']);
  assert.ok(!existsSync(join(home, 'containers', 'names', 'lasting')));
});

const TRAP = 'trap "echo got term; exit 9" TERM; trap "echo got hup" HUP; echo ready; while :; do sleep 1; done';

test('stop, kill and restart: signals, a time limit, and what they leave', async () => {
  await mustRun(['run', '-d', '--name', 'kind', 'busybox:1', 'sh', '-c', TRAP]);
  await until(async () => (await mustRun(['logs', 'kind'])).includes('ready'), 'it is ready');
  assert.equal(await mustRun(['kill', '-s', 'HUP', 'kind']), 'kind\n');
  await until(async () => (await mustRun(['logs', 'kind'])).includes('got hup'), 'it got the signal');
  assert.equal(await mustRun(['stop', 'kind']), 'kind\n');
  assert.deepEqual([await statusOf('kind'), await mustRun(['logs', '--tail', '1', 'kind'])], ['exited 9', 'got term\n']);
  assert.equal(await mustRun(['stop', 'kind']), 'kind\n');
  assert.match((await run(['kill', 'kind'])).stderr, /container [0-9a-f]{64} is not running/);
  await mustRun(['run', '-d', '--name', 'deaf', '--stop-signal', 'USR1', '--stop-timeout', '1', 'busybox:1', 'sh', '-c', 'trap "" USR1 TERM; touch /kept; echo ready; while :; do sleep 1; done']);
  await until(async () => (await mustRun(['logs', 'deaf'])).includes('ready'), 'it is ready');
  await mustRun(['stop', 'deaf']);
  assert.equal(await statusOf('deaf'), 'exited 137');
  assert.equal(await mustRun(['diff', 'deaf']), 'A /kept\n');
  const before = await inspect('kind', '{{.State.StartedAt}}');
  assert.equal(await mustRun(['restart', 'kind']), 'kind\n');
  assert.equal(await statusOf('kind'), 'running 0');
  assert.notEqual(await inspect('kind', '{{.State.StartedAt}}'), before);
  assert.equal(await mustRun(['kill', 'kind']), 'kind\n');
  assert.equal(await statusOf('kind'), 'exited 137');
  assert.match((await run(['kill', '-s', 'NOPE', 'kind'])).stderr, /Invalid signal: NOPE/);
  await mustRun(['rm', 'kind', 'deaf', 'short', 'wrong']);
});

test('exec: output, status, input, user, variables, directory, errors', async () => {
  await mustRun(['run', '-d', '--name', 'box', '-e', 'FROM=run', '-w', '/tmp', 'busybox:1', 'sleep', '1000']);
  assert.equal(await mustRun(['exec', 'box', 'sh', '-c', 'echo $FLAVOUR $FROM $(pwd) $(id -u)']), 'plain run /tmp 0\n');
  assert.equal(await mustRun(['exec', '-e', 'A=1', '-e', 'FROM=exec', '-w', '/etc', '-u', 'app', 'box', 'sh', '-c', 'echo $A $FROM $(pwd) $(id -un)']), '1 exec /etc app\n');
  const both = await run(['exec', 'box', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
  assert.deepEqual([both.stdout, both.stderr, both.status], ['out\n', 'err\n', 7]);
  const large = 'x'.repeat(3_000_000);
  assert.equal(await mustRun(['exec', '-i', 'box', 'wc', '-c'], { input: large }), '3000000\n');
  assert.equal((await mustRun(['exec', 'box', 'busybox', 'head', '-c', '3000000', '/dev/zero'])).length, 3_000_000);
  assert.equal(await mustRun(['exec', 'box', 'wc', '-c'], { input: 'not for it' }), '0\n');
  for (const [args, status, message] of [
    [['box', '/nope'], 127, /cannot run "\/nope": no such program/], [['box', '/etc/passwd'], 126, /permission denied/], [['-u', 'nobody', 'box', 'true'], 125, /no such name/], [['-w', 'x', 'box', 'true'], 1, /not absolute/], [['-w', '/nope', 'box', 'true'], 126, /there is no directory "\/nope" in the container/], [['nope', 'true'], 1, /No such container: nope/], [['-it', 'box', 'sh'], 1, /not a TTY/],
  ] as const) {
    const { status: got, stderr } = await run(['exec', ...args]);
    assert.deepEqual([got, message.test(stderr)], [status, true], `${args.join(' ')}: ${stderr}`);
  }
  assert.equal(await mustRun(['exec', '-d', 'box', 'touch', '/tmp/later']), '');
  await until(async () => (await run(['exec', 'box', 'ls', '/tmp/later'])).status === 0, 'the detached command ran');
  assert.equal((await run(['exec', 'box', 'sh', '-c', 'kill -9 $$'])).status, 137);
  assert.match(await mustRun(['top', 'box']), /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n0 +\d+ +\d+ .* sleep 1000\n$/);
  // Who reads it goes away: the program gets a broken pipe, as natively.
  const reader = spawn('sh', ['-c', `${process.execPath} ${caissonPath} exec box busybox yes | head -1`], { env: { ...process.env, ...env }, stdio: 'ignore' });
  await new Promise((resolve) => reader.once('close', resolve));
  await until(async () => !(await mustRun(['top', 'box'])).includes('yes'), 'it has ended');
  const cut = run(['exec', 'box', 'sleep', '1000']);
  await until(async () => (await mustRun(['top', 'box'])).split('sleep 1000').length === 3, 'the second program runs');
  await mustRun(['kill', 'box']);
  assert.equal((await cut).status, 137);
  await mustRun(['rm', 'box']);
});

test('exec -t in a terminal: it is one inside, with its size', async () => {
  await mustRun(['run', '-d', '--name', 'tty', 'busybox:1', 'sleep', '1000']);
  const typescript = await new Promise<string>((resolve) => {
    const script = spawn('script', ['-qec', `stty rows 33 cols 99; ${process.execPath} ${caissonPath} exec -it tty sh -c 'busybox stty size; read line; echo "got $line"'`, '/dev/null'], { env: { ...process.env, ...env, TERM: 'xterm' } });
    let text = '';
    script.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('33 99') && !text.includes('typed')) script.stdin.write('typed\r');
    });
    script.once('close', () => resolve(text));
  });
  assert.match(typescript, /33 99\r\n[\s\S]*got typed\r\n/);
  await mustRun(['rm', '-f', 'tty']);
});

test('logs: followed to the end, the last lines, since; rotation bounds them', async () => {
  await mustRun(['run', '-d', '--name', 'log', 'busybox:1', 'sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done']);
  assert.equal(await mustRun(['logs', '-f', 'log']), 'line 1\nline 2\nline 3\nline 4\nline 5\n');
  assert.equal(await mustRun(['logs', '-n', '2', 'log']), 'line 4\nline 5\n');
  assert.equal(await mustRun(['logs', '--tail', '0', 'log']), '');
  assert.equal(await mustRun(['logs', '--since', '1h', '--tail', 'all', 'log']), 'line 1\nline 2\nline 3\nline 4\nline 5\n');
  assert.equal(await mustRun(['logs', '--until', '2001-01-01', 'log']), '');
  const [third = ''] = (await mustRun(['logs', '-t', 'log'])).split('\n').filter((line) => line.endsWith('line 3'));
  assert.equal(await mustRun(['logs', '--since', third.split(' ')[0] ?? '', 'log']), 'line 3\nline 4\nline 5\n');
  for (const flags of [['--since', 'x'], ['--tail', 'x']]) assert.equal((await run(['logs', ...flags, 'log'])).status, 125);
  await mustRun(['run', '--name', 'much', '--log-opt', 'max-size=20k', '--log-opt', 'max-file=3', 'busybox:1', 'sh', '-c', 'i=0; while [ $i -lt 3000 ]; do echo "line number $i"; i=$((i+1)); done']);
  const directory = join(home, 'containers', await inspect('much', '{{.Id}}'));
  const files = readdirSync(directory).filter((name) => name.startsWith('log')).sort();
  assert.deepEqual(files, ['log', 'log.1', 'log.2']);
  assert.ok(files.every((name) => statSync(join(directory, name)).size <= 20 * 1024));
  const kept = (await mustRun(['logs', 'much'])).split('\n').filter((line) => line !== '');
  assert.equal(kept.at(-1), 'line number 2999');
  assert.ok(kept.length > 700 && kept.length < 3000);
  assert.ok(kept.every((line, index) => line === `line number ${3000 - kept.length + index}`));
});

test('--rm in the background; a time limit; cycles leave no process and no file', async () => {
  const id = (await mustRun(['run', '-d', '--rm', '--name', 'brief', 'busybox:1', 'true'])).trim();
  await until(() => !existsSync(join(home, 'containers', id)), 'it has removed itself');
  await mustRun(['run', '-d', '--rm', '--name', 'told', 'busybox:1', 'sh', '-c', 'sleep 1; exit 4']);
  assert.equal(await mustRun(['wait', 'told']), '4\n');
  await mustRun(['run', '-d', '--name', 'limited', '--timeout', '1s', 'busybox:1', 'sleep', '1000']);
  assert.equal(await mustRun(['wait', 'limited']), '124\n');
  await mustRun(['rm', 'limited', 'log', 'much']);
  const pids: number[] = [];
  for (let cycle = 0; cycle < 4; cycle++) {
    await mustRun(['create', '--name', 'cycle', 'busybox:1', 'sleep', '1000']);
    await mustRun(['start', 'cycle']);
    const pid = Number(await inspect('cycle', '{{.State.Pid}}'));
    pids.push(pid);
    await mustRun(['exec', 'cycle', 'touch', '/x']);
    process.kill(pid, 'SIGKILL');
    await until(async () => (await statusOf('cycle')) === 'exited 137', 'it is seen');
    await mustRun(['rm', 'cycle']);
  }
  // Another process may have the number by now; one that has ended has no command line.
  const isThere = (pid: number): boolean => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--container-process');
  assert.deepEqual([readdirSync(join(home, 'containers')), readdirSync(join(home, 'containers', 'names')), readdirSync(join(home, 'tmp')), pids.filter(isThere)], [['names'], [], [], []]);
});
