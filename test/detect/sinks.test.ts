/** Streams to who listens: sockets and webhooks that are slow, fail for a while, or for good. Nothing is lost, nothing is out of order. */
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, test } from 'node:test';
import { caisson } from '../cli/caisson.ts';
import { Root } from './testing.ts';

const root = new Root();
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  root.remove();
});

const COUNT = 20_000;

async function listening(server: Server, path?: string): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => (path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve)));
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

/** Of lines of JSON, those that are events, each once. */
function checkWhole(text: string): void {
  const lines = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { readonly caisson?: string; readonly number: number; readonly events: number; readonly file?: { readonly name: string } });
  const events = lines.filter(({ caisson: kind }) => kind === undefined);
  assert.deepEqual([lines[0]?.caisson, lines.at(-1)?.caisson, lines.at(-1)?.events], ['events', 'end', events.length]);
  assert.ok(events.every(({ number }, index) => number === index + 1), 'numbered without a gap');
  assert.equal(events.filter(({ file }) => file?.name === '/etc/hostname').length, COUNT);
}

for (const kind of ['unix', 'tcp'] as const) {
  test(`a ${kind} socket whose reader takes a little at a time gets them all`, async () => {
    let text = '';
    const ended = new Promise<void>((resolve) => {
      const server = createServer((socket: Socket) => {
        socket.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          // Nothing more for a moment: programs wait.
          socket.pause();
          setTimeout(() => socket.resume(), 2);
        }).on('end', resolve);
      });
      void listening(server, kind === 'unix' ? root.file('socket') : undefined).then((port) => ready(kind === 'unix' ? `unix:${String(server.address())}` : `tcp:127.0.0.1:${port}`));
    });
    let ready!: (to: string) => void;
    const to = await new Promise<string>((resolve) => (ready = resolve));
    const { status, stderr } = await caisson(root.shell(`deeds many ${COUNT}`, ['--events', to]));
    assert.equal(status, 0, stderr);
    await ended;
    checkWhole(text);
    // Linux buffers megabytes of a TCP connection itself.
    if (kind === 'unix') assert.ok(Number((JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as { readonly waits: number }).waits) > 0, 'programs have waited');
  });
}

async function webhook(answer: (request: IncomingMessage, response: ServerResponse, body: string, count: number) => void): Promise<string> {
  let count = 0;
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk)).on('end', () => answer(request, response, body, ++count));
  });
  return `http://me:secret@127.0.0.1:${await listening(server)}/in?x=1`;
}

test('a webhook that fails for a while gets them all, in their order', async () => {
  const bodies: string[] = [];
  const headers: (string | undefined)[] = [];
  const url = await webhook((request, response, body, count) => {
    headers.push(`${request.method} ${request.url} ${request.headers['content-type']} ${request.headers.authorization}`);
    // Not now; not now, and a connection that breaks before it has an answer.
    if (count === 1 || count === 4) response.writeHead(503, { 'Retry-After': '0' }).end('busy');
    else if (count === 2) response.writeHead(429).end();
    else if (count === 5) request.socket.destroy();
    else {
      bodies.push(body);
      setTimeout(() => response.writeHead(204).end(), 20);
    }
  });
  const { status, stderr } = await caisson(root.shell(`deeds many ${COUNT}`, ['--events', url]));
  assert.equal(status, 0, stderr);
  checkWhole(bodies.join(''));
  assert.deepEqual([...new Set(headers)], [`POST /in?x=1 application/x-ndjson Basic ${Buffer.from('me:secret').toString('base64')}`]);
});

test('a webhook that says no ends the container, which would go on unseen, and the user is told why', async () => {
  const url = await webhook((_, response) => response.writeHead(403).end('wrong \x1b[31mtoken\nmore'));
  const { status, stderr } = await caisson(root.shell('cat /etc/hostname; sleep 100', ['--events', url]));
  assert.equal(status, 137);
  assert.match(stderr, /^caisson: cannot write down what the container does: 127\.0\.0\.1:\d+ answers 403: wrong .*token; it is ended$/m);
  assert.ok(!stderr.includes('\x1b') && !stderr.includes('secret'));
});

test('a reader that goes away ends the container as well', async () => {
  const port = await listening(createServer((socket) => socket.once('data', () => socket.destroy())));
  const { status, stderr } = await caisson(root.shell('while :; do cat /etc/hostname; done', ['--events', `tcp:127.0.0.1:${port}`]));
  assert.equal(status, 137);
  assert.match(stderr, /cannot write down what the container does: (?:whoever read it has closed the connection|.*(?:ECONNRESET|EPIPE).*); it is ended/);
});

test('alerts go to a webhook, too; what is nowhere is refused before anything runs', async () => {
  const bodies: string[] = [];
  const url = await webhook((_, response, body) => {
    bodies.push(body);
    response.end();
  });
  await caisson(root.shell('cat /etc/shadow', ['--alerts', url, '--rules', 'default']));
  assert.match(bodies.join(''), /^\{"hostname":.*"rule":"Read sensitive file untrusted".*\}\n$/);
  const closed = createServer();
  const port = await listening(closed);
  await new Promise((resolve) => closed.close(resolve));
  for (const [to, message] of [
    [`tcp:127.0.0.1:${port}`, /cannot write to 127\.0\.0\.1:\d+: .*ECONNREFUSED.* \(start what listens there first, or check --events\)/], [`http://127.0.0.1:${port}/`, /cannot write to 127\.0\.0\.1:\d+: .*ECONNREFUSED/],
    ['unix:/nowhere/socket', /cannot write to \/nowhere\/socket: .*ENOENT/], ['unix:relative', /the path is not absolute/], ['tcp:host', /there is no HOST:PORT behind tcp:/], ['http://', /it is no URL/],
  ] as const) {
    const { status, stdout, stderr } = await caisson(root.shell('echo ran', ['--events', to]));
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, message);
  }
  assert.match((await caisson(root.shell('true', ['--events', '-', '--event-format', 'cef']))).stderr, /it is one of json, ocsf/);
});
