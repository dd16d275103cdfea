/** Servers of Debian's in containers, reached by the clients of this machine through published ports. By the built command. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caissonPath } from '../cli/caisson.ts';
import { buildServices } from './services.ts';
import { testStore, until } from './testing.ts';

const store = testStore();
const { scratch, env, run, mustRun } = store;
const BODY = randomBytes(50_000_000);
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

before(async () => {
  await buildServices(store);
  mkdirSync(join(scratch, 'www'));
  writeFileSync(join(scratch, 'www/big'), BODY);
});
after(() => store.remove());

/** A client of this machine: what it prints. */
function client(command: string, args: readonly string[]): Promise<{ readonly text: string; readonly bytes: Buffer; readonly status: number | null }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      const bytes = Buffer.concat(chunks);
      resolve({ text: bytes.toString(), bytes, status });
    });
  });
}
const curl = (...args: readonly string[]): ReturnType<typeof client> => client('curl', ['--silent', '--show-error', '--max-time', '60', ...args]);
const answers = (url: string): Promise<void> => until(async () => (await curl(url)).status === 0, `${url} answers`);

/** Of IPv4, as `port` says it. */
async function placeOf(name: string, port: string): Promise<string> {
  return (await mustRun(['port', name, port])).split('\n')[0] ?? '';
}
const hasVersion6 = networkInterfaces()['lo']?.some(({ address }) => address === '::1') === true;
const hasEnded = (place: string): Promise<string> => new Promise((resolve) => {
  const [host = '', port = ''] = place.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.once('connect', () => resolve('connected')).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')).once('close', () => resolve('closed'));
});

function listenHere(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;
async function freePort(): Promise<number> {
  const server = await listenHere();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('nginx: pages, a large body, many at once, over IPv4 and IPv6', async () => {
  await mustRun(['run', '-d', '--name', 'web', '-p', '80', '-v', `${join(scratch, 'www')}:/var/www/html/files:ro`, 'services']);
  const place = await placeOf('web', '80');
  await answers(`http://${place}/`);
  assert.equal((await curl(`http://${place}/`)).text, 'Hello from nginx\n');
  if (hasVersion6) assert.equal((await curl(`http://[::1]:${place.split(':')[1] ?? ''}/`)).text, 'Hello from nginx\n');
  assert.match((await curl('--include', `http://${place}/nope`)).text, /^HTTP\/1\.1 404 Not Found\r\nServer: nginx/);
  assert.equal(digestOf((await curl(`http://${place}/files/big`)).bytes), digestOf(BODY));
  const many = await client('ab', ['-q', '-n', '480', '-c', '16', `http://${place}/`]);
  assert.match(many.text, /Complete requests: +480\nFailed requests: +0\n/);
  const kept = await client('ab', ['-q', '-k', '-n', '480', '-c', '16', `http://${place}/`]);
  assert.match(kept.text, /Complete requests: +480\nFailed requests: +0\nKeep-Alive requests: +[1-9]/);
  const [received = '', sent = ''] = (await mustRun(['stats', '--no-stream', '--format', '{{.NetIO}}', 'web'])).trimEnd().split(' / ');
  assert.match(received, /^[\d.]+(?:k|M)B$/);
  assert.ok(sent.endsWith('MB') && Number(sent.slice(0, -2)) >= BODY.length / 1e6, sent);
  assert.match(await mustRun(['exec', 'web', 'cat', '/var/log/nginx/access.log']), /^10\.0\.2\.2 - - \[/);
});

test('ps, port and inspect show where it is, and nothing when it has ended', async () => {
  const place = await placeOf('web', '80/tcp');
  const lines = hasVersion6 ? [place, `[::1]:${place.split(':')[1] ?? ''}`] : [place];
  assert.equal(await mustRun(['port', 'web']), lines.map((line) => `80/tcp -> ${line}\n`).join(''));
  assert.equal(await mustRun(['ps', '--format', '{{.Ports}}', '-f', 'publish=1-65535', '-f', 'expose=80']), `6379/tcp, ${lines.map((line) => `${line}->80/tcp`).join(', ')}\n`);
  const [settings] = JSON.parse(await mustRun(['inspect', 'web'])) as [{ NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null>; IPAddress: string }; HostConfig: { PortBindings: object }; Config: { ExposedPorts: object } }];
  assert.deepEqual(settings.NetworkSettings.Ports['80/tcp']?.[0], { HostIp: '127.0.0.1', HostPort: place.split(':')[1] });
  assert.deepEqual([settings.NetworkSettings.Ports['6379/tcp'], settings.NetworkSettings.IPAddress, settings.HostConfig.PortBindings], [null, '10.0.2.15', { '80/tcp': [{ HostIp: '', HostPort: '' }] }]);
  const missing = await run(['port', 'web', '6379']);
  assert.deepEqual([missing.status, /No public port '6379\/tcp' published for web/.test(missing.stderr)], [1, true]);
  const pid = Number((await mustRun(['inspect', '-f', '{{.State.Pid}}', 'web'])).trim());
  assert.equal(await hasEnded(place), 'connected');
  process.kill(pid, 'SIGKILL');
  await until(async () => (await hasEnded(place)) === 'ECONNREFUSED', 'the port is closed');
  assert.equal(await mustRun(['port', 'web']), '');
  assert.match(await mustRun(['ps', '-a', '--format', '{{.Ports}}|{{.Status}}']), /^\|Exited \(137\) /);
  await mustRun(['rm', 'web']);
});

test('redis-server: redis-cli and redis-benchmark; -P; a restart keeps the data and the port', async () => {
  const port = await freePort();
  await mustRun(['run', '-d', '--name', 'db', '-P', '-p', `127.0.0.1:${port}:6379`, 'services', 'redis-server', '--appendonly', 'yes', '--dir', '/data', '--protected-mode', 'no']);
  const cli = (...args: readonly string[]): ReturnType<typeof client> => client('redis-cli', ['-p', String(port), ...args]);
  await until(async () => (await cli('ping')).text === 'PONG\n', 'it answers');
  assert.match(await mustRun(['port', 'db']), new RegExp(`^80/tcp -> 127\\.0\\.0\\.1:\\d+\\n(80/tcp -> .*\\n)?6379/tcp -> 127\\.0\\.0\\.1:${port}\\n$`));
  assert.equal((await cli('set', 'answer', '42')).text, 'OK\n');
  const benchmark = await client('redis-benchmark', ['-p', String(port), '-q', '-n', '2000', '-c', '16', '-t', 'set,get,lrange_100', '-d', '100']);
  assert.equal([...benchmark.text.matchAll(/(SET|GET|LRANGE_100 \(first 100 elements\)): [\d.]+ requests per second/g)].length, 3, benchmark.text);
  await mustRun(['restart', 'db']);
  await until(async () => (await cli('ping')).text === 'PONG\n', 'it answers again');
  assert.equal((await cli('get', 'answer')).text, '42\n');
  await mustRun(['rm', '-f', 'db']);
  assert.match((await cli('ping')).text, /Connection refused/);
});

test('a port in use, or one that this machine does not have: one line, nothing is left, and it can be started later', async () => {
  const server = await listenHere();
  const port = portOf(server);
  for (const flags of [['-d'], []]) {
    const { status, stdout, stderr } = await run(['run', ...flags, '--name', 'taken', '-p', `${port}:80`, 'services', 'sleep', '1000']);
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, new RegExp(`^caisson: cannot publish 127\\.0\\.0\\.1:${port}: the port is in use on this machine \\(choose another one[^\\n]*\\)\\n$`));
    assert.match(await mustRun(['ps', '-a', '--format', '{{.Names}} {{.Status}}']), /^taken Created/m);
    if (flags.length > 0) await mustRun(['rm', 'taken']);
  }
  await new Promise((resolve) => server.close(resolve));
  await mustRun(['start', 'taken']);
  assert.equal((await mustRun(['port', 'taken', '80'])).split('\n')[0], `127.0.0.1:${port}`);
  await mustRun(['rm', '-f', 'taken']);
  for (const [flags, message] of [
    [['-p', '192.0.2.1:8080:80'], /cannot publish 192\.0\.2\.1:8080: this machine does not have that address/], [['-p', 'x:80'], /cannot use --publish x:80: the host's port "x" is not a number/],
    [['-p', '8080:80', '--network', 'none'], /cannot publish ports with --network none/], [['--network', 'host'], /the network of this machine is never shared/], [['--network', 'container:web'], /a network of its own/],
  ] as const) {
    const { status, stderr } = await run(['run', '--rm', ...flags, 'services', 'true']);
    assert.deepEqual([status, message.test(stderr), stderr.split('\n').length], [125, true, 2], stderr);
  }
  assert.match((await run(['do', '-p', '80', '--', 'true'])).stderr, /cannot publish port 80 at any free one/);
});

test('only what listens outside of loopback is reached, nothing gets out, and the container knows its address', async () => {
  const script = 'cat /etc/hosts; nc -w 2 192.0.2.1 80; echo out: $?; redis-server --port 81 --bind 127.0.0.1 --daemonize yes; redis-server --port 82 --bind 10.0.2.15 --protected-mode no';
  await mustRun(['run', '-d', '--name', 'box', '-p', '81-82', 'services', 'sh', '-c', script]);
  const [inner = '', outer = ''] = [await placeOf('box', '81'), await placeOf('box', '82')].map((place) => place.split(':')[1]);
  await until(async () => (await client('redis-cli', ['-p', outer, 'ping'])).text === 'PONG\n', 'the outer one answers');
  assert.match((await client('redis-cli', ['-p', inner, 'ping'])).text, /Connection reset by peer|Server closed the connection/);
  assert.match((await run(['logs', 'box'])).stderr, /Network (is )?unreachable/);
  assert.match(await mustRun(['logs', 'box']), /^10\.0\.2\.15\tbox\nout: 1$/m);
  await mustRun(['rm', '-f', 'box']);
});

test('what a command has written before its end arrives, however slow the reader is; an upload too', async () => {
  const port = await freePort();
  await mustRun(['run', '-d', '--rm', '--name', 'last', '-p', `${port}:7000`, 'services', 'sh', '-c', 'echo ready; head -c 20000000 /dev/zero | nc -l -p 7000']);
  await until(async () => (await mustRun(['logs', 'last'])).includes('ready'), 'it listens');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const received = await new Promise<number>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let count = 0;
    socket.on('data', (chunk) => {
      count += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), count > 15_000_000 ? 10 : 0);
    });
    socket.on('error', () => resolve(-1));
    socket.on('end', () => resolve(count));
  });
  assert.equal(received, 20_000_000);
  await mustRun(['run', '-d', '--name', 'upload', '-p', `${port}:7000`, 'services', 'sh', '-c', 'echo ready; nc -l -p 7000 | sha256sum']);
  await until(async () => (await mustRun(['logs', 'upload'])).includes('ready'), 'it listens');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.end(BODY);
  assert.equal(await mustRun(['wait', 'upload']), '0\n');
  assert.equal(await mustRun(['logs', 'upload']), `ready\n${digestOf(BODY)}  -\n`);
  await mustRun(['rm', 'upload']);
});

const ECHO = `
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('', 7000))
while True:
    server.sendto(*server.recvfrom(9000))
`;

test('do -p: python3 -m http.server, and datagrams that come back to those who sent them', { timeout: 60_000 }, async () => {
  const [web, echo] = [await freePort(), await freePort()];
  const server = spawn(process.execPath, [caissonPath, 'do', '-p', `${web}:8000`, '-w', join(scratch, 'www'), '--', '/usr/bin/python3', '-m', 'http.server', '8000'], { env: { ...process.env, ...env }, stdio: 'ignore' });
  await answers(`http://127.0.0.1:${web}/`);
  assert.equal(digestOf((await curl(`http://127.0.0.1:${web}/big`)).bytes), digestOf(BODY));
  server.kill('SIGTERM');
  const echoer = spawn(process.execPath, [caissonPath, 'do', '-p', `${echo}:7000/udp`, '--', '/usr/bin/python3', '-c', ECHO], { env: { ...process.env, ...env }, stdio: 'ignore' });
  const said = await Promise.all([1, 2, 3].map((number) => new Promise<string>((resolve) => {
    const socket = createSocket('udp4');
    const send = setInterval(() => socket.send(`from ${number}`, echo, '127.0.0.1'), 200);
    socket.once('message', (message) => {
      clearInterval(send);
      socket.close();
      resolve(message.toString());
    });
  })));
  assert.deepEqual(said, ['from 1', 'from 2', 'from 3']);
  echoer.kill('SIGTERM');
  await Promise.all([server, echoer].map((child) => child.exitCode ?? child.signalCode ?? new Promise((resolve) => child.once('close', resolve))));
});
