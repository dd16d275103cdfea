/** Stages that do not need each other are built at once. Commands print that they run, and gates (files that ADD gets from a server) let others begin. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { spawnCaisson } from '../cli/caisson.ts';
import { commandIn } from '../images/fixtures.ts';
import { baseLayout, makeContext, openStore } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-parallel-'));
const waiting = new Map<string, ServerResponse>();
const opened = new Set<string>();
let server: Server;
let gateUrl: string;
let stores = 0;

before(async () => {
  server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    if (opened.has(name)) response.end(name);
    else waiting.set(name, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(scratch, { recursive: true, force: true });
});

/** From now on ADD of that gate ends. */
function open(name: string): void {
  opened.add(name);
  waiting.get(name)?.end(name);
}

async function freshStore(): Promise<ReturnType<typeof commandIn> & { readonly home: string }> {
  const home = join(scratch, `store-${stores++}`);
  const commands = commandIn({ CAISSON_HOME: home });
  await commands.mustRun(['load', '-q', '-i', baseLayout()]);
  return { ...commands, home };
}

const context = (dockerfile: string): string => makeContext(scratch, { dockerfile });

interface Event {
  readonly event: 'start' | 'output' | 'end' | 'note';
  readonly step?: number;
  readonly stage?: string;
  readonly name?: string;
  readonly text?: string;
  readonly status?: string;
}

interface Watched {
  readonly events: readonly Event[];
  readonly status: number | null;
  readonly stderr: string;
}

/** Builds, and is told of each event; `'stop'` as its answer ends the build. */
function watch(home: string, args: readonly string[], onEvent: (event: Event, before: readonly Event[]) => 'stop' | void): Promise<Watched> {
  const child = spawnCaisson(['build', '--progress', 'json', ...args], { env: { CAISSON_HOME: home } });
  const events: Event[] = [];
  let stderr = '';
  let rest = '';
  child.stdin.end();
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((one) => one.startsWith('{'))) {
      const event = JSON.parse(line) as Event;
      if (onEvent(event, events) === 'stop') child.kill('SIGKILL');
      events.push(event);
    }
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ events, status, stderr })));
}

const FOREVER = 'echo running; sleep 100000';
const running = (events: readonly Event[]): readonly (string | undefined)[] => events.filter(({ text }) => text === 'running').map(({ step }) => String(step)).sort();

test('commands of stages that do not need each other run at the same time, as many as --jobs says', async () => {
  const dockerfile = `${['a', 'b', 'c', 'd'].map((name) => `FROM busybox:1 AS ${name}\nRUN ${FOREVER}; echo ${name}\n`).join('')}FROM busybox:1\n${['a', 'b', 'c', 'd'].map((name) => `COPY --from=${name} / /${name}\n`).join('')}`;
  for (const jobs of [2, 4]) {
    const { home, mustRun } = await freshStore();
    // None of them ends by itself.
    const { events } = await watch(home, ['--jobs', String(jobs), context(dockerfile)], (event, earlier) => (running([...earlier, event]).length === jobs ? 'stop' : undefined));
    assert.equal(new Set(running(events)).size, jobs);
    assert.deepEqual(events.filter(({ event, status }) => event === 'end' && status !== 'done'), []);
    await mustRun(['system', 'check']);
  }
});

test('--jobs 1 runs one command at a time, and the bytes are those of all at once', async () => {
  const stage = (name: string): string => `FROM busybox:1 AS ${name}\nWORKDIR /w/${name}\nRUN echo begin; echo ${name} > name && mkdir d && ln name d/hard; sleep 0.1; echo end\nCOPY Dockerfile copied\nRUN echo begin; cat name d/hard > both; sleep 0.1; echo end\n`;
  const dockerfile = `${['a', 'b', 'c', 'd'].map(stage).join('')}FROM a\nCOPY --from=d /w /w/\nRUN --mount=from=c,source=/w,target=/c echo begin; cp /c/c/both /w/c; echo end\nCOPY --from=b /w/b/both /w/b/\n`;
  const digests: string[] = [];
  for (const jobs of ['1', '4']) {
    const { home } = await freshStore();
    const metadata = join(scratch, `${jobs}.json`);
    const { events, status, stderr } = await watch(home, ['--jobs', jobs, '-t', 'x:1', '--metadata-file', metadata, context(dockerfile)], () => {});
    assert.equal(status, 0, stderr);
    const lines = events.filter(({ event }) => event === 'output').map(({ step, text }) => `${text} ${step}`);
    assert.equal(lines.length, 18);
    if (jobs === '1') for (let at = 0; at < lines.length; at += 2) assert.equal(lines[at + 1], lines[at]?.replace('begin', 'end'));
    digests.push((JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>)['containerimage.digest'] ?? '');
    assert.equal(openStore(home).find('x:1').config.diffIds.length, 8);
    assert.deepEqual(readdirSync(join(home, 'tmp')), []);
  }
  assert.match(digests[0] ?? '', /^sha256:/);
  assert.equal(digests[0], digests[1]);
});

test('the first error stops what runs beside it, in whatever thread; nothing more is begun', async () => {
  const { home, mustRun } = await freshStore();
  const dockerfile = `FROM busybox:1 AS a\nRUN ${FOREVER}\nRUN echo never\nFROM busybox:1 AS b\nADD ${gateUrl}/b /\nRUN ${FOREVER}\nRUN echo never\nFROM busybox:1 AS c\nADD ${gateUrl}/c /\nRUN echo out; echo err >&2; exit 7\n`
    + 'FROM scratch\nCOPY --from=a / /a\nCOPY --from=b / /b\nCOPY --from=c / /c\n';
  const { events, status, stderr } = await watch(home, ['--jobs', '3', context(dockerfile)], (event, earlier) => {
    if (event.text === 'running') open(running(earlier).length === 0 ? 'b' : 'c');
  });
  assert.equal(status, 1, stderr);
  assert.deepEqual(events.filter(({ event, status: how }) => event === 'end' && how !== 'done').map(({ status: how }) => how).sort(), ['canceled', 'canceled', 'failed']);
  assert.equal(events.some(({ text }) => text === 'never'), false);
  // The command ran in another thread, and what is said is the same.
  assert.match(stderr, /cannot build: Dockerfile:10: the command failed: it ended with 7 \(its last output is below\)\nout\nerr\nDockerfile:10\n/);
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
  await mustRun(['system', 'check']);
});

test('an error in this thread stops the others, and one in another thread without output is told as here', async () => {
  const { home } = await freshStore();
  const first = await watch(home, ['--jobs', '2', context(`FROM busybox:1 AS a\nRUN echo running; sleep 2; exit 5\nFROM busybox:1 AS b\nADD ${gateUrl}/d /\nRUN ${FOREVER}\nFROM a\nCOPY --from=b / /b\n`)], ({ text }) => {
    if (text === 'running') open('d');
  });
  assert.equal(first.status, 1, first.stderr);
  assert.match(first.stderr, /Dockerfile:2: the command failed: it ended with 5/);
  const second = await watch(home, ['--jobs', '2', context(`FROM busybox:1 AS a\nRUN ${FOREVER}\nFROM busybox:1 AS b\nADD ${gateUrl}/e /\nRUN ["/no/such/program"]\nFROM a\nCOPY --from=b / /b\n`)], ({ text }) => {
    if (text === 'running') open('e');
  });
  assert.equal(second.status, 1, second.stderr);
  assert.match(second.stderr, /Dockerfile:5: cannot run "\/no\/such\/program": the image has no such program \(check PATH and the base image\)/);
});

test('lines of output say whose they are', async () => {
  const { run } = await freshStore();
  const { stderr, status } = await run(['build', '--jobs', '2', '--progress', 'plain', context('FROM busybox:1 AS left\nRUN for i in 1 2 3; do echo $i; done\nFROM busybox:1\nRUN for i in 1 2 3; do echo $i; done; echo done\nCOPY --from=left /etc/group /g\n')]);
  assert.equal(status, 0, stderr);
  for (const stage of ['left', 'stage-1']) assert.deepEqual([...stderr.matchAll(new RegExp(`^#(?:\\d+) \\[${stage}\\] \\d+\\.\\d (\\d)$`, 'gm'))].map(([, digit]) => digit), ['1', '2', '3'], stderr);
  const bad = await run(['build', '--jobs', '0', context('FROM scratch\n')]);
  assert.notEqual(bad.status, 0);
  assert.match(bad.stderr, /cannot use --jobs 0/);
});

test('a step that two stages have is made once', async () => {
  const { mustRun, run } = await freshStore();
  const same = 'COPY Dockerfile /d\nRUN cat /proc/sys/kernel/random/uuid > /u\n';
  const { stderr, status } = await run(['build', '--jobs', '2', '--no-cache', '--progress', 'plain', '-t', 'once:1', context(`FROM busybox:1 AS a\n${same}FROM busybox:1 AS b\n${same}FROM busybox:1\nCOPY --from=a /u /a\nCOPY --from=b /u /b\n`)]);
  assert.equal(status, 0, stderr);
  assert.equal(stderr.match(/^#\d+ CACHED$/gm)?.length, 2, stderr);
  const [first, second] = (await mustRun(['run', 'once:1', 'cat', '/a', '/b'])).split('\n');
  assert.equal(first, second);
});

test('commands that share a cache mount have it one after the other, and nothing in it is lost', async () => {
  const { mustRun } = await freshStore();
  const names = ['a', 'b', 'c', 'd'];
  const stages = names.map((name) => `FROM busybox:1 AS ${name}\nRUN --mount=type=cache,target=/cache n=$(ls /cache | wc -l); sleep 0.05; touch /cache/$n; echo ${name} > /${name}\n`).join('');
  await mustRun(['build', '--jobs', '4', '-t', 'shared:1', context(`${stages}FROM busybox:1\n${names.map((name) => `COPY --from=${name} /${name} /\n`).join('')}RUN --mount=type=cache,target=/cache ls /cache > /seen\n`)]);
  assert.equal(await mustRun(['run', 'shared:1', 'cat', '/seen']), '0\n1\n2\n3\n');
});
