/** Watching by the public API, as built. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type * as Api from '../../src/sandbox/index.ts';
import { Root } from './testing.ts';

const { Sandbox } = (await import(new URL('../../dist/sandbox.mjs', import.meta.url).href)) as typeof Api;

const root = new Root();
after(() => root.remove());

const rule = (name: string, condition: string): string => `- rule: ${name}\n  desc: x\n  condition: ${condition}\n  output: "%proc.name and %fd.name"\n  priority: ERROR\n`;

test('Sandbox.create() with rules denies a call, and tells of it in the order in which it happened', async () => {
  const seen: string[] = [];
  await using sandbox = await Sandbox.create({
    root: root.root, user: { uid: 0, gid: 0, groups: [] }, env: { PATH: '/bin' },
    watch: {
      rules: [rule('No key', 'evt.type in (open, openat) and fd.name = /tmp/key')], onRule: ['No key=deny:EACCES'],
      onAlert: ({ rule: name, output, action }) => seen.push(`${name}: ${output}, ${action}`),
      onCall: ({ type, result, file }) => (type.startsWith('open') && file?.name.startsWith('/tmp/') === true ? seen.push(`${type} ${file.name} ${result}`) : undefined),
    },
  });
  const { stderr, exitCode } = await sandbox.commands.run('echo x > /tmp/other; echo x > /tmp/key');
  assert.match(stderr, /can't create \/tmp\/key: Permission denied/);
  assert.notEqual(exitCode, 0);
  // What was posted before the end of the command is here before its end.
  assert.deepEqual(seen.map((line) => line.replace(/ \d+$/, ' fd').replace('open ', 'openat ')), ['openat /tmp/other fd', 'No key: sh and /tmp/key, deny', 'openat /tmp/key -13']);
  assert.deepEqual((await sandbox.files.list('/tmp')).map(({ name }) => name).filter((name) => name === 'key'), []);
});

test('programs wait for a listener that is not done, nothing is lost, and a counter says so', async () => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const numbers: number[] = [];
  let opened = 0;
  await using sandbox = await Sandbox.create({
    root: root.root, watch: {
      onCall: async ({ number, file }) => {
        await gate;
        numbers.push(number);
        if (file?.name === '/etc/hostname') opened++;
      },
    },
  });
  const command = await sandbox.commands.start(['/bin/deeds', 'many', '5000']);
  const waits = async (): Promise<number> => (await sandbox.metrics()).watched?.waits ?? 0;
  while ((await waits()) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(((await sandbox.metrics()).watched?.events ?? 0) < 1000, 'they do not go on');
  open();
  assert.equal((await command.wait()).exitCode, 0);
  const { events } = (await sandbox.metrics()).watched!;
  while (numbers.length < events) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  assert.equal(opened, 5000);
});

test('calls and alerts come as OCSF where that is asked for', async () => {
  const seen: string[] = [];
  await using sandbox = await Sandbox.create({
    root: root.root, user: { uid: 0, gid: 0, groups: [] }, env: { PATH: '/bin' },
    watch: { rules: [rule('Key', 'evt.type in (open, openat) and fd.name = /tmp/key')], onOcsf: (event) => seen.push(`${String(event['class_name'])}: ${String(event['activity_name'])} ${JSON.stringify(event['file'] ?? event['message'] ?? '')}`) },
  });
  await sandbox.commands.run('echo x > /tmp/key');
  const path = '{"name":"key","path":"/tmp/key","type_id":1,"type":"Regular File"}';
  assert.deepEqual(seen.filter((line) => line.includes('/tmp/key')), ['Detection Finding: Create "sh and /tmp/key"', `File System Activity: Open ${path}`]);
});

test('a rule that is wrong is an error of Sandbox.create(), with its place', async () => {
  await assert.rejects(Sandbox.create({ root: root.root, watch: { rules: [rule('Wrong', 'proc.nane = x')] } }), /cannot make the sandbox: rules\[0\]:3:14: the rule "Wrong": there is no field proc\.nane/);
});
