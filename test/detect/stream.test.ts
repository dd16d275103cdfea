/** The stream of what a container does: nothing is lost, nothing is out of order, and it can be put before rules again. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { caisson } from '../cli/caisson.ts';
import { Root, jsonLines } from './testing.ts';

const root = new Root();
after(() => root.remove());

interface JsonEvent {
  readonly caisson?: string;
  readonly number: number;
  readonly type: string;
  readonly result: number;
  readonly file?: { readonly name: string; readonly given?: string };
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly program: { readonly name: string; readonly args: readonly string[]; readonly parent?: { readonly name: string } };
  readonly events: number;
  readonly waits: number;
}

const COUNT = 10_000;

function checkWhole(lines: readonly JsonEvent[], count: number): void {
  const events = lines.filter(({ caisson: kind }) => kind === undefined);
  assert.deepEqual(events.map(({ number }) => number), events.map((_, index) => index + 1), 'numbered without a gap');
  assert.equal(lines[0]?.caisson, 'events');
  assert.deepEqual([lines.at(-1)?.caisson, lines.at(-1)?.events], ['end', events.length]);
  assert.equal(events.filter(({ type, file }) => type === 'openat' && file?.name === '/etc/hostname').length, count);
}

test('ten thousand events are all there, in their order', async () => {
  const events = root.file('events.json');
  const { status } = await caisson(root.shell(`deeds many ${COUNT}`, ['--events', events]));
  assert.equal(status, 0);
  checkWhole(jsonLines<JsonEvent>(events), COUNT);
});

test('a pipe whose reader takes a little at a time gets them all', async () => {
  const pipe = root.file('pipe');
  execFileSync('mkfifo', [pipe]);
  // Opened for both, so that the pipe has a reader before anybody writes; the last line ends it.
  const reader = spawn('sh', ['-c', 'exec 3<>"$0"; echo ready; exec sed -u "/^{.caisson.:.end/q" <&3', pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const ready = new Promise<void>((resolve) => {
    reader.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      resolve();
    });
  });
  const read = new Promise((resolve) => reader.on('close', resolve));
  await ready;
  const { status, stderr } = await caisson(root.shell(`deeds many ${COUNT}`, ['--events', pipe]));
  assert.equal(status, 0, stderr);
  await read;
  checkWhole(text.replace(/^ready\n/, '').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as JsonEvent), COUNT);
});

test('a pipe that nobody reads is refused', async () => {
  const pipe = root.file('pipe');
  execFileSync('mkfifo', [pipe]);
  const { stderr, status } = await caisson(root.shell('true', ['--events', pipe]));
  assert.match(stderr, /it is a pipe that nobody reads \(start its reader first\)/);
  assert.equal(status, 125);
});

test('an event has what the call was given and answered, and the programs above it', async () => {
  const events = root.file('events.json');
  await caisson(root.shell('cd /etc; sh -c "cat ../etc/./hostname nothing; true"; ln -s a /tmp/b; mv /tmp/b /tmp/c', ['--events', events]));
  const lines = jsonLines<JsonEvent>(events);
  const opened = lines.find(({ arguments: args }) => args?.['name'] === '../etc/./hostname');
  assert.deepEqual([opened?.file?.name, opened?.file?.given, opened?.arguments['flags'], opened?.program.name, opened?.program.args], ['/etc/hostname', '../etc/./hostname', 'O_RDONLY', 'cat', ['../etc/./hostname', 'nothing']]);
  assert.equal(opened?.program.parent?.name, 'sh');
  assert.equal(lines.find(({ arguments: args }) => args?.['name'] === 'nothing')?.result, -2);
  const moved = lines.find(({ type }) => type?.startsWith('rename')) as unknown as { readonly source: string; readonly target: string };
  assert.deepEqual([moved.source, moved.target], ['/tmp/b', '/tmp/c']);
});

test('a recorded stream before rules says the same as the rules did while it was recorded', async () => {
  const events = root.file('events.json');
  const alerts = root.file('alerts.json');
  const script = 'cat /etc/shadow; ln -s /etc/shadow /tmp/x; cp /bin/deeds /tmp/y; /tmp/y nothing; deeds memory /bin/deeds nothing; deeds traceme; deeds connect 127.0.0.1 4000';
  await caisson(root.shell(script, ['--events', events, '--alerts', alerts, '--rules', 'default']));
  const { stdout, stderr, status } = await caisson(['events', '--replay', events, '--format', 'json']);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, readFileSync(alerts, 'utf8'));
  assert.match(stderr, /^\d+ events, 5 alerts\n$/);
});

test('a stream that is none is refused with its line', async () => {
  for (const [text, message] of [['hello\n', /:1:1: this is no event \(give a file that "--events FILE" has written\)/], ['{"caisson":"events","version":1,"container":{}}\n{"number":', /:2:1: this is no event \(was the file cut short\?\)/]] as const) {
    const { stderr, status } = await caisson(['events', '--replay', root.file('events.json', text)]);
    assert.match(stderr, message);
    assert.equal(status, 125);
  }
});
