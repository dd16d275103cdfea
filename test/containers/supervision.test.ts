/** What a container's own process does beside running its command: pausing, starting again, checking, being attached to, new limits, events. By the built command. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caissonPath, spawnCaisson } from '../cli/caisson.ts';
import { peer } from '../images/fixtures.ts';
import { testStore, until } from './testing.ts';

const { scratch, env, run, mustRun, load, remove } = testStore();
const inspect = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();
const logs = (name: string): Promise<string> => mustRun(['logs', name]);
const actions = async (name: string, ...flags: readonly string[]): Promise<string[]> => (await mustRun(['events', '--since', '1h', '--until', '0s', '-f', `container=${name}`, '--format', '{{.Action}}', ...flags])).split('\n').filter((line) => line !== '');

before(load);
after(remove);

test('pause: nothing runs, no timer fires, and what comes waits; unpause goes on; stop and kill reach it', async () => {
  await mustRun(['run', '-di', '--name', 'box', 'busybox:1', 'sh', '-c', 'echo ready; while read line; do echo "got $line"; done']);
  await until(async () => (await logs('box')).includes('ready'), 'it runs');
  await mustRun(['run', '-d', '--name', 'ticking', 'busybox:1', 'sh', '-c', 'while :; do echo tick; busybox usleep 20000; done']);
  await until(async () => (await logs('ticking')).includes('tick'), 'it ticks');
  assert.equal(await mustRun(['pause', 'box', 'ticking']), 'box\nticking\n');
  const before = await logs('ticking');
  // Other commands of ours take many times as long as a tick does.
  assert.match(await mustRun(['top', 'ticking']), / sh -c while/);
  assert.equal(await mustRun(['diff', 'ticking']), '');
  assert.equal(await logs('ticking'), before);
  assert.equal((await run(['rm', 'ticking'])).status, 1);
  await mustRun(['unpause', 'ticking']);
  await until(async () => (await logs('ticking')).length > before.length, 'it ticks again');
  await mustRun(['pause', 'ticking']);
  assert.equal(await mustRun(['kill', 'ticking']), 'ticking\n');
  assert.equal(await inspect('ticking', '{{.State.Status}} {{.State.ExitCode}} {{.State.Paused}}'), 'exited 137 false');
  assert.equal(await mustRun(['stop', 'box']), 'box\n');
  assert.equal(await inspect('box', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 143');
  assert.deepEqual(await actions('ticking'), ['create', 'start', 'pause', 'unpause', 'pause', 'unpause', 'kill', 'die']);
  assert.deepEqual(await actions('box'), ['create', 'start', 'pause', 'unpause', 'kill', 'die', 'stop']);
  await mustRun(['rm', 'box', 'ticking']);
});

test('--restart: again as often as it may, with what it changed; not when it ended well, nor when it was stopped', async () => {
  await mustRun(['run', '-d', '--name', 'often', '--restart', 'on-failure:3', 'busybox:1', 'sh', '-c', 'n=0; [ -e /n ] && read n < /n; echo $((n+1)) > /n; echo run $n; exit 2']);
  await until(async () => (await inspect('often', '{{.State.Status}}')) === 'exited', 'it has given up');
  assert.equal(await logs('often'), 'run 0\nrun 1\nrun 2\nrun 3\n');
  assert.equal(await inspect('often', '{{.RestartCount}} {{.State.ExitCode}}'), '3 2');
  assert.equal(await mustRun(['diff', 'often']), 'A /n\n');
  await mustRun(['run', '-d', '--name', 'mended', '--restart', 'on-failure', 'busybox:1', 'sh', '-c', '[ -e /once ] && exit 0; touch /once; exit 1']);
  await until(async () => (await inspect('mended', '{{.State.Status}}')) === 'exited', 'it ended well');
  assert.equal(await inspect('mended', '{{.RestartCount}} {{.State.ExitCode}}'), '1 0');
  await mustRun(['run', '-d', '--name', 'always', '--restart', 'always', 'busybox:1', 'sh', '-c', 'echo $((6*7))']);
  // The pauses become longer: the sixth is 3.2 seconds.
  await until(async () => (await inspect('always', '{{.RestartCount}} {{.State.Restarting}}')) === '5 true', 'it waits');
  assert.match((await run(['exec', 'always', 'true'])).stderr, /is restarting, wait until the container is running/);
  assert.match(await mustRun(['ps', '-f', 'status=restarting', '--format', '{{.Names}} {{.Status}}']), /^always Restarting \(0\) .* ago\n$/);
  assert.equal(await mustRun(['stop', 'always']), 'always\n');
  assert.equal(await inspect('always', '{{.State.Status}} {{.State.ExitCode}} {{.State.Restarting}}'), 'exited 0 false');
  await mustRun(['update', '--restart', 'no', 'always']);
  await mustRun(['start', 'always']);
  assert.equal(await mustRun(['wait', 'always']), '0\n');
  await until(async () => (await inspect('always', '{{.State.Status}} {{.RestartCount}}')) === 'exited 0', 'it stays ended');
  // In the foreground we go with its first end, as docker does, and it goes on.
  const first = await run(['run', '--name', 'front', '--restart', 'on-failure', 'busybox:1', 'sh', '-c', '[ -e /once ] && sleep 1000; touch /once; echo first; exit 3']);
  assert.deepEqual([first.status, first.stdout], [3, 'first\n']);
  await until(async () => (await inspect('front', '{{.RestartCount}} {{.State.Restarting}}')) === '1 false', 'it runs again');
  await mustRun(['rm', '-f', 'front', 'always', 'mended', 'often']);
});

test('health: the image\'s check or one of ours; starting, healthy, unhealthy, and what it printed', async () => {
  writeFileSync(join(scratch, 'Dockerfile'), 'FROM busybox:1\nHEALTHCHECK --interval=100ms --retries=2 CMD echo looking; test -e /ok\nCMD ["sleep", "1000"]\n');
  await mustRun(['build', '-q', '-t', 'checked', scratch]);
  await mustRun(['run', '-d', '--name', 'checked', 'checked']);
  const health = (): Promise<string> => inspect('checked', '{{.State.Health.Status}}');
  await until(async () => (await health()) === 'unhealthy', 'it is unhealthy');
  assert.match(await mustRun(['ps', '-f', 'name=checked', '--format', '{{.Status}}']), /^Up .* \(unhealthy\)\n$/);
  await mustRun(['exec', 'checked', 'touch', '/ok']);
  await until(async () => (await health()) === 'healthy', 'it is healthy');
  const state = JSON.parse(await inspect('checked', '{{json .State.Health}}')) as { Log: { ExitCode: number; Output: string }[] };
  assert.ok(state.Log.length <= 5 && state.Log.at(-1)?.ExitCode === 0 && state.Log.at(-1)?.Output === 'looking\n');
  assert.deepEqual(await actions('checked', '-f', 'event=health_status'), ['health_status: unhealthy', 'health_status: healthy']);
  await mustRun(['run', '-d', '--name', 'slow', '--health-cmd', 'sleep 1000', '--health-interval', '50ms', '--health-timeout', '50ms', '--health-retries', '1', '--health-start-period', '0s', 'checked']);
  await until(async () => (await inspect('slow', '{{.State.Health.Status}}')) === 'unhealthy', 'it takes too long');
  assert.match(await inspect('slow', '{{json .State.Health.Log}}'), /"ExitCode":-1,"Output":"Health check exceeded timeout \(0\.05s\)"/);
  await mustRun(['run', '-d', '--name', 'none', '--no-healthcheck', 'checked']);
  assert.equal(await inspect('none', '{{json .State.Health}} {{json .Config.Healthcheck}}'), 'null null');
  assert.equal(await inspect('checked', '{{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Timeout}} {{.Config.Healthcheck.Retries}}'), '100000000 30000000000 2');
  await mustRun(['rm', '-f', 'checked', 'slow', 'none']);
});

test('attach: output from then on, input, its status; two at once; a slow reader loses nothing', async () => {
  await mustRun(['run', '-di', '--name', 'talk', 'busybox:1', 'sh', '-c', 'echo early; while read line; do echo "got $line"; [ "$line" = end ] && exit 6; done; exit 0']);
  await until(async () => (await logs('talk')).includes('early'), 'it runs');
  const other = run(['attach', '--no-stdin', 'talk']);
  await until(async () => (await actions('talk')).includes('attach'), 'the other one is there');
  const both = await run(['attach', 'talk'], { input: 'one\nend\n' });
  assert.deepEqual([both.stdout, both.status], ['got one\ngot end\n', 6]);
  assert.deepEqual([(await other).stdout, (await other).status], ['got one\ngot end\n', 6]);
  // The end of what is typed is not the end of its input, unless it was started for that.
  const again = await run(['start', '-ai', 'talk'], { input: 'two\n' });
  assert.deepEqual([again.stdout, again.status], ['early\ngot two\n', 0]);
  await mustRun(['run', '-di', '--name', 'much', 'busybox:1', 'sh', '-c', 'read go; busybox head -c 8000000 /dev/zero']);
  const slow = spawn('sh', ['-c', `echo go | ${process.execPath} ${caissonPath} attach much | (sleep 1; wc -c)`], { env: { ...process.env, ...env } });
  let count = '';
  slow.stdout.on('data', (chunk: Buffer) => (count += chunk.toString()));
  await new Promise((resolve) => slow.once('close', resolve));
  assert.equal(count.trim(), '8000000');
  const signalled = spawnCaisson(['start', '-a', '--detach-keys', 'ctrl-a', 'much'], { env });
  await until(async () => (await actions('much')).filter((action) => action === 'start').length === 2, 'it runs again');
  signalled.kill('SIGTERM');
  assert.equal(await new Promise((resolve) => signalled.once('close', resolve)), 143);
  await mustRun(['rm', 'talk', 'much']);
});

/** Types at a terminal: each answer when its question has come. Answers what was shown. */
function typed(args: readonly string[], answers: readonly (readonly [shown: string, keys: string])[]): Promise<string> {
  const script = spawn('script', ['-qec', `stty rows 33 cols 99; ${process.execPath} ${caissonPath} ${args.join(' ')}; echo "status $?"`, '/dev/null'], { env: { ...process.env, ...env, TERM: 'dumb' } });
  const waiting = [...answers];
  let text = '';
  return new Promise((resolve) => {
    script.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const [next] = waiting;
      if (next === undefined || !text.includes(next[0])) return;
      waiting.shift();
      script.stdin.write(next[1]);
    });
    script.once('close', () => resolve(text));
  });
}

test('detach keys: the terminal is left, and the program goes on', { timeout: 120_000 }, async () => {
  await mustRun(['run', '-dit', '--name', 'tty', 'busybox:1', 'sh', '-c', 'while :; do if read -t 1 line; then busybox stty size; echo "got $line"; else echo waiting; fi; done']);
  assert.match(await typed(['attach', 'tty'], [['waiting', 'one\r'], ['got one', '\x10\x11']]), /33 99\r\ngot one\r\n[\s\S]*status 0/);
  assert.match(await typed(['attach', '--detach-keys', 'ctrl-a,d', 'tty'], [['waiting', 't\x10wo\r'], ['got t', '\x01d']]), /read escape sequence\r\nstatus 0/);
  assert.match(await typed(['exec', '-it', 'tty', 'sh', '-c', '\'echo here; sleep 1000\''], [['here', '\x10\x11']]), /read escape sequence\r\nstatus 0/);
  assert.match(await typed(['run', '-it', '--name', 'left', '--detach-keys', 'ctrl-x', 'busybox:1', 'sh', '-c', '\'busybox stty size; echo begun; while ! read -t 1 line; do echo waiting; done; exit 9\''], [['begun', '\x18']]), /33 99\r\nbegun\r\n[\s\S]*read escape sequence\r\nstatus 0/);
  assert.equal(await inspect('left', '{{.State.Running}} {{.Config.Tty}}'), 'true true');
  assert.match(await typed(['start', '-ai', 'left'], [['waiting', 'go\r']]), /status 9/);
  assert.deepEqual((await actions('tty')).filter((action) => action === 'detach').length, 2);
  await mustRun(['rm', '-f', 'tty', 'left']);
});

test('update: limits hold at once, and at the next start', async () => {
  await mustRun(['run', '-d', '--name', 'limited', 'busybox:1', 'sleep', '1000']);
  const forks = ['exec', 'limited', 'sh', '-c', 'for i in 1 2 3 4 5 6; do sleep 5 & done; echo all'];
  assert.equal(await mustRun(forks), 'all\n');
  await mustRun(['update', '--cpus', '0.5', 'limited']);
  assert.equal(await mustRun(['exec', 'limited', 'cat', '/sys/fs/cgroup/cpu.max']), '50000 100000\n');
  await mustRun(['update', '--pids-limit', '4', '--memory', '64m', 'limited']);
  await mustRun(['run', '-d', '--cpu-quota', '20000', '--cpu-period', '50000', '--name', 'quota', 'busybox:1', 'sleep', '1000']);
  for (const [flag, value, expected] of [['--cpu-quota', '10000', '10000 50000\n'], ['--cpu-period', '80000', '10000 80000\n']] as const) {
    await mustRun(['update', flag, value, 'quota']);
    assert.equal(await mustRun(['exec', 'quota', 'cat', '/sys/fs/cgroup/cpu.max']), expected);
  }
  await mustRun(['rm', '-f', 'quota']);
  assert.match((await run(['exec', 'limited', 'sh', '-c', 'for i in 1 2 3 4 5 6; do sleep 5 & done; echo all'])).stderr, /can't fork|Resource temporarily|EAGAIN/);
  assert.equal(await mustRun(['stats', '--no-stream', '--format', '{{.MemUsage}}', 'limited']).then((text) => text.split(' / ')[1]), '64MiB\n');
  await mustRun(['kill', 'limited']);
  await mustRun(['start', 'limited']);
  assert.equal(await inspect('limited', '{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}'), '4 67108864 500000000');
  assert.match((await run(forks)).stderr, /can't fork|Resource temporarily|EAGAIN/);
  assert.deepEqual((await actions('limited')).filter((action) => action === 'update'), ['update', 'update']);
  await mustRun(['rm', '-f', 'limited']);
});

test('stats: a busy container takes the processor, events follow what happens', async () => {
  const follower = spawnCaisson(['events', '-f', 'container=busy', '--format', '{{.Action}}'], { env });
  let followed = '';
  follower.stdout.on('data', (chunk: Buffer) => (followed += chunk.toString()));
  // It follows from its start on, of which nothing tells: what happens before is asked for.
  const busy = async (): Promise<number> => Number((await mustRun(['stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy'])).replace('%\n', ''));
  await mustRun(['run', '-d', '--name', 'busy', 'busybox:1', 'sh', '-c', 'while :; do :; done']);
  await until(async () => (await busy()) > 10, 'it is busy');
  await mustRun(['exec', 'busy', 'true', '\x1b[31mred']);
  const said = await mustRun(['events', '--since', '1h', '--until', '0s', '-f', 'container=busy', '-f', 'event=exec_create']);
  assert.deepEqual([said.includes('\x1b'), said.includes('exec_create: true ')], [false, true]);
  await mustRun(['pause', 'busy']);
  await until(async () => (await busy()) < 5, 'it is not');
  await until(() => followed.includes('pause'), 'the follower was told');
  await mustRun(['rm', '-f', 'busy']);
  await until(() => followed.endsWith('destroy\n'), 'the follower was told of the end');
  follower.kill();
});

test('generate systemd: systemd itself finds nothing to say against the unit', async () => {
  await mustRun(['create', '--name', 'web', '--restart', 'always', '--stop-timeout', '7', 'busybox:1', 'sleep', '1000']);
  const unit = await mustRun(['generate', 'systemd', '--name', 'web']);
  for (const line of ['# container-web.service', 'Restart=on-failure', 'TimeoutStopSec=67', 'Type=forking', 'WantedBy=default.target', `Environment=CAISSON_HOME=${env.CAISSON_HOME}`]) assert.ok(unit.split('\n').includes(line), `${line} in\n${unit}`);
  assert.match(unit, /^ExecStart=\S+ \S+caisson\.js start web$/m);
  assert.match(unit, /^ExecStop=\S+ \S+caisson\.js stop -t 7 web$/m);
  const file = (await mustRun(['generate', 'systemd', '--files', '--name', 'web'], { cwd: scratch })).trim();
  assert.equal(file, join(scratch, 'container-web.service'));
  assert.equal(peer('systemd-analyze', ['verify', '--man=no', file]).stderr, '');
  assert.match((await run(['generate', 'systemd', '--restart-policy', 'x', 'web'])).stderr, /it is one of no, on-success/);
  await mustRun(['rm', 'web']);
});
