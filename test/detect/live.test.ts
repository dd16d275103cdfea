/** The live view: of containers that run, watched from the start or not, and of streams; in a terminal and elsewhere. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LiveSnapshot } from '../../src/detect/index.ts';
import { caissonPath } from '../cli/caisson.ts';
import { testStore, until } from '../containers/testing.ts';

const store = testStore();
const { mustRun, run, scratch, env } = store;
before(() => store.load());
after(() => store.remove());

const driver = fileURLToPath(new URL('../cli/terminal-driver.py', import.meta.url));

type Step = readonly ['expect' | 'send' | 'touch', string] | readonly ['resize', number, number] | readonly ['signal', number];

async function inTerminal(args: readonly string[], steps: readonly Step[]): Promise<{ readonly shown: string; readonly status: number | null; readonly restored: boolean; readonly failure: string }> {
  const environment = { ...env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', LANG: 'C.UTF-8', TERM: 'xterm', CAISSON_BACKGROUND: 'off' };
  const { stdout } = await promisify(execFile)('/usr/bin/python3', [driver, JSON.stringify(steps), process.execPath, caissonPath, ...args], { env: environment, maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof inTerminal>>;
}

/** A name that would clear the screen and set the title of a terminal, in ways of 7 and of 8 bits, and turn the direction of text. */
const EVIL = '\\033[2J\\033]0;owned\\007\\302\\2333J\\342\\200\\256';
const SCRIPT = `cd /tmp; while :; do ln -sf /etc/shadow notes; cp /bin/busybox made; ./made true; echo x > "$(printf 'evil${EVIL}')"; cat /nothing 2>/dev/null; nc -w 1 127.0.0.1 9 2>/dev/null; done`;

/** What one container does, at one look, once that has these. */
async function lookUntil(args: readonly string[], isThere: (snapshot: LiveSnapshot) => boolean): Promise<LiveSnapshot> {
  let snapshot: LiveSnapshot | undefined;
  await until(async () => {
    snapshot = JSON.parse(await mustRun(['events', '--live', '--no-stream', '--format', 'json', ...args])) as LiveSnapshot;
    return isThere(snapshot);
  }, 'the view has what the container does');
  return snapshot!;
}

test('a container that nobody has watched is watched while somebody looks: processes, files, connections, alerts, calls', async () => {
  await mustRun(['run', '-d', '--name', 'busy', 'busybox:1', 'sh', '-c', SCRIPT]);
  const { container, processes, files, connections, alerts, calls } = await lookUntil(['--interval', '3', 'busy'], ({ files: seen, connections: made, alerts: said }) => seen.some(({ path }) => path.includes('evil')) && made.length > 0 && said.length > 0);
  assert.deepEqual([container.name, container.image], ['busy', 'busybox:1']);
  const [first] = processes;
  assert.deepEqual([first?.parent, first?.isRunning, first?.command.includes('while :')], [0, true, true]);
  assert.ok(processes.some(({ parent }) => parent === first?.pid));
  assert.match(await mustRun(['top', 'busy']), new RegExp(` ${first?.pid} +0 .*while :`));
  assert.ok(files.some(({ path, failures, reads }) => path === '/nothing' && failures > 0 && reads === 0));
  assert.ok(files.some(({ path, writes }) => path === '/tmp/made' && writes > 0));
  assert.ok(connections.some(({ direction, protocol, remote }) => direction === 'out' && protocol === 'tcp' && remote === '127.0.0.1:9'));
  assert.ok(alerts.some(({ rule, action }) => rule === 'Create Symlink Over Sensitive Files' && action === 'alert'));
  assert.ok(calls.some(({ call, result, about }) => call.startsWith('open') && result === 'ENOENT' && about === '/nothing'));
});

test('elsewhere than at a terminal it is text, and nothing of a guest steers a terminal', async () => {
  const text = await mustRun(['events', '--live', '--no-stream', '--interval', '3', 'busy']);
  assert.match(text, /^busy \(busybox:1\) {2}watched for 00:00:0\d {2}[\d,]+ calls {2}\d+ alerts?\n\nProcesses\n +PID USER/);
  assert.match(text, /\nFiles\n.*evil\\u001b\[2J\\u001b\]0;owned\\u0007\\u009b3J\\u202e/s);
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

test('at a terminal: panes, a filter, details, another size, and the screen as it was', async () => {
  const { shown, status, restored, failure } = await inTerminal(['events', '--live', 'busy'], [
    ['expect', 'busy \\(busybox:1\\)'], ['expect', 'PID USER'], ['expect', 'while :'],
    ['send', '2'], ['expect', 'WRITE'], ['send', '/evil'], ['expect', 'Enter keeps it'], ['send', '\r'], ['expect', 'evil.u001b'],
    ['send', '\r'], ['expect', 'opened to write'], ['send', '\x1b'], ['send', '\t'], ['expect', 'ADDRESS'],
    ['send', '4'], ['expect', 'nothing with "evil"'], ['send', '\x1b'], ['expect', 'Create Symlink'], ['send', '?'], ['expect', 'hold still'], ['send', 'h'],
    ['resize', 10, 50], ['expect', '\x1b\\[H'], ['send', 'q'],
  ]);
  assert.equal(failure, '', shown);
  assert.deepEqual([status, restored], [0, true]);
  assert.ok(shown.endsWith('\x1b[?1049l\x1b[?25h\x1b>\x1b[0m'), JSON.stringify(shown.slice(-80)));
  assert.doesNotMatch(shown, /\x1b\[2J|\x1b\]|[\x07\x80-\x9f\u202e]/);
  // After the window has changed, lines are those of the small one.
  const picture = shown.slice(shown.lastIndexOf('\x1b[H')).split('\x1b[J')[0]!.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').split('\r\n');
  assert.equal(picture.length, 10);
  assert.ok(picture.every((text) => text.length <= 50), JSON.stringify(picture));
});

test('it ends by a signal as by a key, and the container goes on', async () => {
  const { status, restored, failure } = await inTerminal(['events', '--live', 'busy'], [['expect', 'while :'], ['signal', 15]]);
  assert.deepEqual([failure, status, restored], ['', 143, true]);
  assert.match(await mustRun(['ps', '--format', '{{.Names}} {{.Status}}']), /^busy Up/m);
});

test('rules of the container itself say what there is to say, also before anybody looks, and the view says when it has ended', async () => {
  const rules = join(scratch, 'own.yaml');
  writeFileSync(rules, '- rule: Secret\n  desc: x\n  condition: evt.type in (open, openat) and fd.name = /tmp/secret\n  output: read by %proc.name\n  priority: ERROR\n');
  const shared = mkdtempSync(join(scratch, 'shared-'));
  await mustRun(['run', '-d', '--name', 'own', '--rules', rules, '--on-rule', 'deny', '-v', `${shared}:/shared`, 'busybox:1', 'sh', '-c', 'cat /tmp/secret; until test -e /shared/go; do sleep 0.1; done']);
  const { alerts, totals } = await lookUntil(['own'], (snapshot) => snapshot.alerts.length > 0);
  assert.deepEqual([totals.alerts, alerts.map(({ rule, output, action }) => [rule, output, action])], [1, [['Secret', 'read by cat', 'deny']]]);
  const { status, failure, shown } = await inTerminal(['events', '--live', 'own'], [['expect', 'sleep'], ['touch', join(shared, 'go')], ['expect', 'it has ended with status 0'], ['send', 'q']]);
  assert.deepEqual([failure, status], ['', 0], shown);
});

test('a stream is shown as it was at its end', async () => {
  const stream = join(scratch, 'stream');
  await mustRun(['run', '--rm', '--events', stream, 'busybox:1', 'sh', '-c', 'ln -s /etc/shadow /tmp/notes; cat /tmp/notes; true']);
  assert.ok(existsSync(stream));
  const snapshot = JSON.parse((await mustRun(['events', '--live', '--replay', stream, '--format', 'json'])).trim().split('\n').at(-1)!) as LiveSnapshot;
  assert.equal(snapshot.totals.calls, readFileSync(stream, 'utf8').trim().split('\n').length - 2);
  assert.ok(snapshot.processes.every(({ isRunning }) => isRunning === undefined));
  assert.ok(snapshot.alerts.some(({ rule }) => rule === 'Create Symlink Over Sensitive Files'));
  const { failure, status, shown } = await inTerminal(['events', '--live', '--replay', stream], [['expect', 'the stream has ended'], ['send', '5'], ['expect', 'symlink'], ['send', 'q']]);
  assert.deepEqual([failure, status], ['', 0], shown);
});

test('mistakes are said in a line', async () => {
  for (const [args, message] of [
    [['--live'], /none is named \(caisson events --live busy\)/], [['--live', 'nobody'], /No such container: nobody/], [['busy'], /cannot use the word "busy" without --live/],
    [['--live', 'own'], /is not running/], [['--live', '--interval', '0', 'busy'], /cannot look every "0" seconds/], [['--live', '--on-rule', 'deny', 'busy'], /cannot use --on-rule with --live \(a live view only alerts/],
    [['--live', '--format', '{{.Name}}', 'busy'], /cannot show a live view as/], [['--live', '--replay', caissonPath], /this is no event/], [['--live', '--rules', '/nothing', 'busy'], /cannot read the rules/],
  ] as const) {
    const { status, stderr } = await run(['events', ...args]);
    assert.notEqual(status, 0, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
