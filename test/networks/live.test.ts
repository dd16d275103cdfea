/** Containers whose rules are changed while they run, and what is told of what they were refused. By the built command, with busybox. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testStore, until } from '../containers/testing.ts';
import { machineAddress, nameServer, webServer } from './servers.ts';
import type { NameServer, WebServer } from './servers.ts';

const store = testStore();
const { scratch, run, mustRun } = store;
const machine = machineAddress();
const log = join(scratch, 'net.log');
let names: NameServer;
let web: WebServer;
/** Keeps connections, and says a word when it gets one. */
let keeper: Server;
let kept = 0;

before(async () => {
  await store.load();
  names = await nameServer({ 'good.test': [[machine]], 'late.test': [[machine]] });
  web = await webServer(machine, (_, response) => response.end('page\n'));
  keeper = createServer({ allowHalfOpen: true }, (socket) => {
    kept++;
    socket.on('error', () => {}).on('close', () => kept--).resume();
    socket.write('hello\n');
  });
  await new Promise<void>((resolve) => keeper.listen(0, machine, resolve));
});
after(async () => {
  await store.remove();
  for (const server of [names, web, keeper]) server.close();
});

const keeperPort = (): number => (keeper.address() as AddressInfo).port;
const page = async (name: string): Promise<string> => {
  const { stdout, stderr } = await run(['exec', 'box', 'busybox', 'wget', '-qO-', `http://${name}:${web.port}/`]);
  return stdout + stderr;
};
const inspect = async (format: string): Promise<string> => (await mustRun(['inspect', '-f', format, 'box'])).trim();

test('rules are changed while it runs: connections that they do not allow are cut, and they hold at the next start', async () => {
  await mustRun(['run', '-d', '--name', 'box', '--network', 'outbound', '--dns', names.place, '--allow-net', 'good.test', '--net-log', log, 'busybox:1', 'sh', '-c', `busybox mkfifo /held; busybox sleep 1000 > /held & busybox nc good.test ${keeperPort()} < /held; echo gone > /gone; wait`]);
  await until(() => kept === 1, 'it is connected');
  assert.equal(await page('good.test'), 'page\n');
  assert.match(await page('late.test'), /bad address/);
  await mustRun(['update', '--allow-net', 'late.test', '--allow-net', `good.test:${web.port}`, 'box']);
  await until(() => kept === 0, 'the connection is cut');
  await until(async () => (await run(['exec', 'box', 'busybox', 'cat', '/gone'])).stdout === 'gone\n', 'the program hears of it');
  assert.deepEqual([await page('late.test'), await page('good.test')], ['page\n', 'page\n']);
  await mustRun(['update', '--deny-net', `*:${web.port}`, 'box']);
  assert.match(await page('good.test'), /Permission denied/);
  assert.equal(await inspect('{{json .NetworkSettings.Outbound}}'), JSON.stringify({ Mode: 'outbound', Allow: ['late.test', `good.test:${web.port}`], Deny: [`*:${web.port}`] }));
  await mustRun(['stop', '-t', '0', 'box']);
  await mustRun(['start', 'box']);
  assert.match(await page('good.test'), /Permission denied/);
  await mustRun(['update', '--deny-net', '', 'box']);
  assert.equal(await page('good.test'), 'page\n');
});

test('what was refused is in the log, in inspect, stats and events', async () => {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const id = (await inspect('{{.Id}}')).slice(0, 12);
  assert.ok(lines.every(({ container }) => container === id));
  const has = (fields: object): boolean => lines.some((line) => Object.entries(fields).every(([key, value]) => line[key] === value));
  assert.ok(has({ protocol: 'dns', name: 'late.test', verdict: 'refused', rule: 'allow-net' }), 'the name that was not allowed');
  assert.ok(has({ protocol: 'tcp', address: machine, port: keeperPort(), verdict: 'cut' }), 'the connection that was cut');
  assert.ok(has({ protocol: 'tcp', name: 'good.test', port: web.port, verdict: 'refused', rule: `deny-net *:${web.port}` }), 'what was denied');
  await until(async () => (await inspect('{{json .NetworkSettings.Refusals}}')).includes(`"deny-net *:${web.port}":1`), 'inspect counts it');
  // Since its second start: its nc, and the page.
  assert.equal((await mustRun(['stats', '--no-stream', '--format', '{{.NetRefused}}', 'box'])).trim(), '2');
  const events = await mustRun(['events', '--since', '1h', '--until', '0s', '--filter', 'event=net_refused', '--format', 'json']);
  assert.match(events, new RegExp(`"rule":"deny-net \\*:${web.port}"`));
});

test('what cannot be changed is refused with a line that says what to do', async () => {
  await mustRun(['run', '-d', '--name', 'closed', 'busybox:1', 'sleep', '1000']);
  for (const [args, message] of [
    [['--allow-net', 'good.test', 'closed'], /nothing goes out of this container.*stop it first/], [['--allow-net', '', 'box'], /without a rule everything public could be reached/], [['--deny-net', 'a b', 'box'], /neither a name nor an address/],
  ] as const) {
    const { status, stderr } = await run(['update', ...args]);
    assert.deepEqual([status !== 0, message.test(stderr), stderr.split('\n').length], [true, true, 2], stderr);
  }
  await mustRun(['rm', '-f', 'closed']);
});
