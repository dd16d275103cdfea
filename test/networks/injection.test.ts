/** Headers that are put into requests outside of the sandbox, by the built command: what servers get, and what a guest never sees. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caisson } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';
import { testStore } from '../containers/testing.ts';
import { machineAddress, nameServer, webServer } from './servers.ts';
import type { NameServer, WebServer } from './servers.ts';

const SECRET = 'swordfish-8d1f2a';
const scratch = mkdtempSync(join(tmpdir(), 'caisson-injection-'));
const store = testStore();
const machine = machineAddress();
/** What servers got, in their order. */
const got: { readonly url: string; readonly host: string; readonly key: string; readonly digest: string }[] = [];
let names: NameServer;
let plain: WebServer;
let secure: WebServer;
let fingerprint = '';

function handle(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  request.on('data', (chunk: Uint8Array) => hash.update(chunk)).on('end', () => {
    const keys = request.rawHeaders.flatMap((name, index, all) => (index % 2 === 0 && name.toLowerCase() === 'x-api-key' ? [all[index + 1] ?? ''] : []));
    got.push({ url: request.url ?? '', host: request.headers.host ?? '', key: keys.join('|'), digest: hash.digest('hex') });
    response.end(`seen ${request.method ?? ''} ${request.url ?? ''}\n`);
  });
}
const openssl = (...args: readonly string[]): string => execFileSync('openssl', args, { cwd: scratch, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

before(async () => {
  await store.load();
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=api.test', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(join(scratch, 'names'), 'subjectAltName=DNS:api.test,DNS:other.test\n');
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.pem');
  fingerprint = openssl('x509', '-in', 'server.pem', '-noout', '-fingerprint', '-sha256').replace(/^.*=|[:\n]/g, '').toLowerCase();
  names = await nameServer({ 'api.test': [[machine]], 'other.test': [[machine]] });
  plain = await webServer(machine, handle);
  secure = await webServer(machine, handle, (listener) => createHttpsServer({ key: readFileSync(join(scratch, 'server.key')), cert: readFileSync(join(scratch, 'server.pem')) }, listener));
});
after(async () => {
  await store.remove();
  for (const server of [names, plain, secure]) server.close();
  rmSync(scratch, { recursive: true });
});

const ENVIRONMENT = { VALUE_FOR_API: SECRET };
async function guest(script: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return caisson(['do', '--dns', names.place, '--net', 'outbound', '--allow-net', '*.test', '--allow-net', machine, '--allow-net', 'api.test', '--allow-net', 'other.test', ...flags, '--', 'sh', '-c', script], { env: { ...ENVIRONMENT, ...env } });
}

test('http: requests to the host get the header, whatever the guest has there; it sees no value anywhere', async () => {
  got.length = 0;
  const { stdout, stderr } = await guest(`
    curl -s http://api.test:${plain.port}/one http://api.test:${plain.port}/two
    curl -s -H 'X-Api-Key: mine' -H 'x-api-key: again' http://api.test:${plain.port}/own
    head -c 300000 /dev/zero | curl -s -T - http://api.test:${plain.port}/body
    curl -s http://other.test:${plain.port}/other
    curl -s http://${machine}:${plain.port}/raw
    curl -s -H 'Host: other.test' http://api.test:${plain.port}/fronted
    printf 'GET /twice HTTP/1.1\\r\\nHost: api.test:${plain.port}\\r\\nHost: other.test\\r\\n\\r\\n' | curl -s -m 10 telnet://api.test:${plain.port} | head -1
    printf 'GET http://other.test/absolute HTTP/1.1\\r\\nHost: api.test:${plain.port}\\r\\n\\r\\n' | curl -s -m 10 telnet://api.test:${plain.port} | head -1
    env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'`, ['--inject-header', `http://api.test:${plain.port} X-Api-Key: {env:VALUE_FOR_API}`]);
  assert.deepEqual(got.map(({ url, host, key }) => [url, host, key]), [
    ['/one', `api.test:${plain.port}`, SECRET], ['/two', `api.test:${plain.port}`, SECRET], ['/own', `api.test:${plain.port}`, SECRET], ['/body', `api.test:${plain.port}`, SECRET],
    ['/other', `other.test:${plain.port}`, ''], ['/raw', `${machine}:${plain.port}`, ''], ['/fronted', 'other.test', ''],
  ]);
  assert.equal(got[3]?.digest, createHash('sha256').update(Buffer.alloc(300_000)).digest('hex'));
  assert.match(stdout, /seen GET \/one\nseen GET \/two\nseen GET \/own\nseen PUT \/body\n/);
  assert.equal([...stdout.matchAll(/HTTP\/1\.1 400 Bad Request/g)].length, 2);
  assert.ok(!stdout.includes(SECRET) && !stderr.includes(SECRET) && !stdout.includes('VALUE_FOR_API'), stdout);
});

test('a host that answers what is no HTTP gives the guest 502, and harms nothing', async () => {
  const answers = ['HTTP/1.1 099 None\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 200 OK\r\nA\u0001: b\r\n\r\n', 'nonsense\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes'];
  const host = createServer((socket) => {
    socket.on('error', () => socket.destroy()).once('data', () => socket.end(answers.shift() ?? ''));
  });
  await new Promise<void>((resolve) => host.listen(0, machine, resolve));
  const { port } = host.address() as AddressInfo;
  try {
    const { stdout, stderr, status } = await guest(`for i in 1 2 3 4; do curl -s -o /dev/null -w '%{http_code} ' http://api.test:${port}/; done`, ['--inject-header', `http://api.test:${port} X-Api-Key: {env:VALUE_FOR_API}`]);
    assert.deepEqual([stdout, stderr, status], ['502 502 502 200 ', '', 0]);
  } finally {
    host.close();
  }
});

test('a guest that sends thousands of requests ahead is cut off', async () => {
  got.length = 0;
  const { stdout } = await guest(`python3 -c "$SCRIPT"`, ['--inject-header', `http://api.test:${plain.port} X-Api-Key: {env:VALUE_FOR_API}`, '-e', `SCRIPT=
import socket
with socket.create_connection(('api.test', ${plain.port})) as s:
    try:
        s.sendall(b'GET /ahead HTTP/1.1\\r\\nHost: api.test:${plain.port}\\r\\n\\r\\n' * 5000)
        while s.recv(65536): pass
    except OSError: pass
print('ended')`]);
  assert.equal(stdout, 'ended\n');
  assert.ok(got.length <= 32, `${got.length} requests`);
});

test('https: the host is answered for with a certificate that programs trust, and checked as any client checks it; others are let through unread', async () => {
  got.length = 0;
  const flags = ['--inject-header', `api.test:${secure.port} X-Api-Key: Bearer {env:VALUE_FOR_API}`];
  const script = `
import socket, ssl, urllib.request, hashlib
print(urllib.request.urlopen('https://api.test:${secure.port}/python').read().decode().strip())
def certificate(name):
    context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((name, ${secure.port})) as raw, context.wrap_socket(raw, server_hostname=name) as s:
        return hashlib.sha256(s.getpeercert(True)).hexdigest()
print('other', certificate('other.test')); print('api', certificate('api.test'))
context = ssl.create_default_context()
with socket.create_connection(('api.test', ${secure.port})) as raw, context.wrap_socket(raw, server_hostname='api.test') as s:
    s.sendall(b'GET /fronted HTTP/1.1\\r\\nHost: other.test\\r\\n\\r\\n'); print(s.recv(100).split(b'\\r\\n')[0].decode())`;
  const { stdout, stderr } = await guest(`curl -s https://api.test:${secure.port}/curl; python3 -c "$SCRIPT"`, [...flags, '-e', `SCRIPT=${script}`], { NODE_EXTRA_CA_CERTS: join(scratch, 'ca.pem') });
  assert.deepEqual(got.map(({ url, key }) => [url, key]), [['/curl', `Bearer ${SECRET}`], ['/python', `Bearer ${SECRET}`]]);
  const found = /^seen GET \/curl\nseen GET \/python\nother (\w{64})\napi (\w{64})\nHTTP\/1\.1 421 Misdirected Request\n$/.exec(stdout);
  assert.ok(found !== null, stdout + stderr);
  assert.deepEqual([found[1] === fingerprint, found[2] === fingerprint], [true, false]);
  // Who is there is no host that this machine trusts: the secret is not sent.
  const refused = await guest(`curl -s https://api.test:${secure.port}/untrusted`, flags);
  assert.match(refused.stdout, /^caisson: cannot reach api\.test: (UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\n$/);
  assert.equal(got.length, 2);
});

test('a value from a file: the file is not there inside, by no name', async () => {
  got.length = 0;
  const file = join(scratch, 'value');
  writeFileSync(file, `${SECRET}\n`);
  symlinkSync(file, join(scratch, 'link'));
  const { stdout } = await guest(`curl -s http://api.test:${plain.port}/; cat ${file} ${scratch}/link || echo absent`, ['--inject-header', `http://api.test:${plain.port} X-Api-Key: {file:${scratch}/link}`]);
  assert.deepEqual([got.map(({ key }) => key), stdout], [[SECRET], 'seen GET /\nabsent\n']);
});

test('run: neither the container, nor what is kept of it, has the value', async () => {
  got.length = 0;
  const { mustRun, run, home } = store;
  const env = ENVIRONMENT;
  await mustRun(['run', '-d', '--name', 'box', '--network', 'outbound', '--dns', names.place, '--allow-net', 'api.test', '--inject-header', `http://api.test:${plain.port} X-Api-Key: {env:VALUE_FOR_API}`, 'busybox:1', 'busybox', 'sleep', '1000'], { env });
  assert.equal((await run(['exec', 'box', 'busybox', 'wget', '-qO-', `http://api.test:${plain.port}/run`])).stdout, 'seen GET /run\n');
  assert.deepEqual(got.map(({ key }) => key), [SECRET]);
  const inside = await mustRun(['exec', 'box', 'sh', '-c', 'busybox env; busybox cat /proc/*/environ /proc/*/cmdline']);
  assert.ok(!(inside + (await mustRun(['inspect', 'box']))).includes(SECRET));
  assert.throws(() => execFileSync('grep', ['-rq', SECRET, home]), { status: 1 });
  await mustRun(['stop', '-t', '0', 'box']);
  const { status, stderr } = await run(['start', 'box']);
  assert.deepEqual([status, stderr], [1, 'caisson: cannot use --inject-header: the variable VALUE_FOR_API is not set (set it where the container is started: VALUE_FOR_API=... caisson ...)\n']);
  await mustRun(['start', 'box'], { env });
});

test('flags that make no sense are refused with a line that says what to do', async () => {
  for (const [flag, message] of [
    ['api.test', /it is not HOST NAME: VALUE/], ['*.test X: {env:A}', /a host is one host/], ['api.test X: secret', /what stands in a command line is seen by others/], ['api.test Host: {env:A}', /Host is not a header that can be given/],
    ['api.test:0 X: {env:A}', /the port is not a number/], ['api.test X(: {env:A}', /no name of a header/], ['api.test X: {env:LINES}', /no header may hold it/], ['api.test X: {file:/nowhere}', /cannot read "\/nowhere"/], ['ftp://api.test X: {env:A}', /it is not HOST NAME: VALUE|neither a name/],
  ] as const) {
    const { status, stderr } = await caisson(['do', '--net', 'outbound', '--inject-header', flag, '--', 'true'], { env: { LINES: 'one\r\nX-Evil: two' } });
    assert.deepEqual([status, message.test(stderr), stderr.split('\n').length], [125, true, 2], stderr);
  }
});
