/** The API and containers of the store: what `caisson run -d` starts is a sandbox, too. As built. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type * as Api from '../../src/sandbox/index.ts';
import { testStore, until } from './testing.ts';

const { env, mustRun, run, load, remove } = testStore();
// The store is found as the command finds it.
Object.assign(process.env, env);
const { Sandbox } = (await import(new URL('../../dist/sandbox.mjs', import.meta.url).href)) as typeof Api;
const field = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();

before(async () => {
  await load();
  await mustRun(['run', '-d', '--name', 'box', '-e', 'A=1', '-w', '/tmp', '-u', 'app', '-l', 'tier=web', '-p', '7000', 'busybox:1', 'sleep', '1000']);
});
after(remove);

test('Sandbox.list() and connect(): commands, files, changes and ports of a container that another process has started', async () => {
  const [info] = await Sandbox.list();
  assert.deepEqual([info?.name, info?.image, info?.status, info?.labels['tier'], info?.id], ['box', 'busybox:1', 'running', 'web', await field('box', '{{.Id}}')]);
  const box = await Sandbox.connect('box');
  assert.equal(box.id, info?.id);
  assert.deepEqual(await box.commands.run('echo $A $(pwd) $(id -un); echo no >&2; exit 3'), { exitCode: 3, stdout: '1 /tmp app\n', stderr: 'no\n', timedOut: false });
  assert.equal((await box.commands.run(['wc', '-c'], { stdin: 'x'.repeat(3_000_000) })).stdout, '3000000\n');
  assert.equal((await box.commands.run(['busybox', 'head', '-c', '9000000', '/dev/zero'])).stdout.length, 9_000_000);
  await box.files.write('/made', 'text');
  assert.equal(await mustRun(['exec', 'box', 'cat', '/made']), 'text');
  assert.deepEqual((await box.changes()).filter(({ path }) => path === '/made'), [{ kind: 'A', path: '/made' }]);
  assert.equal(`127.0.0.1:${box.ports.find(({ address }) => address === '127.0.0.1')?.hostPort}`, (await mustRun(['port', 'box', '7000'])).split('\n')[0]);
  await assert.rejects(box.commands.run(['/nope']), { code: 'ENOENT' });
  // Who leaves takes along what it has started, and leaves the container.
  await box.commands.start(['sleep', '999']);
  assert.match(await mustRun(['top', 'box']), /sleep 999/);
  await box[Symbol.asyncDispose]();
  await until(async () => !(await mustRun(['top', 'box'])).includes('sleep 999'), 'its command has ended');
  await assert.rejects(box.commands.run('true'), /the sandbox was left/);
  assert.equal(await field('box', '{{.State.Status}}'), 'running');
});

test('pause, metrics, events and kill, seen from both sides', async () => {
  const controller = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { action, attributes } of Sandbox.events({ since: new Date(Date.now() - 3_600_000), signal: controller.signal })) seen.push(`${action} ${attributes['name']}`);
  })();
  const box = await Sandbox.connect('box');
  const metrics = await box.metrics();
  assert.deepEqual([metrics.tasks, metrics.paused, metrics.memoryBytes > 0, metrics.memoryLimit > metrics.memoryBytes], [1, false, true, true]);
  await box.pause();
  assert.deepEqual([await field('box', '{{.State.Status}}'), (await box.metrics()).paused, (await Sandbox.list())[0]?.status], ['paused', true, 'paused']);
  await assert.rejects(box.pause(), /is already paused/);
  await box.files.write('/tmp/meanwhile', 'x');
  await box.resume();
  assert.equal((await box.commands.run('cat /tmp/meanwhile')).stdout, 'x');
  const sleeper = await box.commands.start(['sleep', '1000']);
  await box.kill();
  assert.equal((await sleeper.wait()).signal, 'SIGKILL');
  assert.equal(await field('box', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
  assert.deepEqual(await Sandbox.list(), []);
  await until(() => seen.includes('die box'), 'the end was seen');
  controller.abort();
  await watching;
  assert.deepEqual(seen.filter((line) => /^(create|start|pause|unpause|die) /.test(line)), ['create box', 'start box', 'pause box', 'unpause box', 'die box']);
  await assert.rejects(Sandbox.connect('box'), { code: 'ESRCH' });
  await assert.rejects(Sandbox.connect('nope'), { code: 'ENOENT' });
  await run(['rm', 'box']);
});

test('a sandbox of this process pauses, too', async () => {
  await using sandbox = await Sandbox.create({ image: 'busybox:1' });
  let count = 0;
  const counter = await sandbox.commands.start('while :; do echo x; busybox usleep 5000; done', { onStdout: (text) => (count += text.length) });
  await until(() => count > 2, 'it counts');
  await sandbox.pause();
  await sandbox.metrics();
  const before = count;
  // What was under way has come by then; each of these takes longer than a turn of the loop.
  for (let index = 0; index < 20; index++) assert.equal((await sandbox.metrics()).paused, true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(count, before);
  await sandbox.resume();
  await until(() => count > before, 'it counts again');
  assert.ok((await sandbox.metrics()).tasks >= 1);
  await counter.kill();
});
