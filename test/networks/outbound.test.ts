/** What a sandbox may reach outside, by the built command: rules by name, range and port, a name server that changes its answers, a guest that tries to get around. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type * as Api from '../../src/sandbox/index.ts';
import { caisson } from '../cli/caisson.ts';
import { machineAddress, nameServer, webServer } from './servers.ts';
import type { NameServer, WebServer } from './servers.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-outbound-'));
const machine = machineAddress();
let names: NameServer;
let web: WebServer;
let other: WebServer;

before(async () => {
  web = await webServer(machine, (request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { location: `http://${machine}:${other.port}/secret` }).end();
    else if (request.url === '/big') response.end(Buffer.alloc(5_000_000));
    else response.end(`host ${request.headers.host ?? ''}\n`);
  });
  other = await webServer(machine, (_, response) => response.end('never'));
  names = await nameServer({
    'good.test': [[machine]], 'alias.test': [[machine]], 'tracker.ads.test': [[machine]],
    // It has led out, and is turned to neighbours, to metadata and to this machine.
    'turns.test': [['203.0.113.7'], ['10.9.8.7'], ['169.254.169.254'], ['127.0.0.1']],
  });
});
after(() => {
  names.close();
  web.close();
  other.close();
  rmSync(scratch, { recursive: true });
});

/** Prints an object: what each attempt came to. Errors by their name in errno(3). */
const ATTEMPTS = `
import errno, json, socket, struct, time, urllib.request
def reach(address, port, family=socket.AF_INET):
    with socket.socket(family) as s:
        try: s.connect((address, port)); return 'reached'
        except OSError as error: return errno.errorcode.get(error.errno, str(error))
def send(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try: s.sendto(b'x', (address, port)); return 'sent'
        except OSError as error: return errno.errorcode.get(error.errno, str(error))
def lookup(name):
    try: return sorted({item[4][0] for item in socket.getaddrinfo(name, 80, socket.AF_INET)})
    except socket.gaierror as error: return 'NONAME' if error.errno == socket.EAI_NONAME else str(error)
def tcp_lookup(name):
    question = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\\0\\0\\1\\0\\1'
    message = b'\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + question
    server = open('/etc/resolv.conf').read().split()[1]
    with socket.create_connection((server, 53)) as s:
        s.sendall(struct.pack('>H', len(message)) + message)
        answer = s.recv(4096)
        return [answer[5] & 15, struct.unpack('>H', answer[8:10])[0]]
def fetch(url):
    try: return urllib.request.urlopen(url, timeout=20).read().decode().strip()
    except Exception as error: return str(getattr(error, 'reason', error))
`;

async function attempts(flags: readonly string[], script: string): Promise<{ readonly found: Record<string, unknown>; readonly stderr: string }> {
  const { stdout, stderr, status } = await caisson(['do', ...flags, '--', 'python3', '-c', `${ATTEMPTS}\n${script}`]);
  assert.equal(status, 0, stderr);
  return { found: JSON.parse(stdout) as Record<string, unknown>, stderr };
}
interface Line {
  readonly time: string;
  readonly container: string;
  readonly protocol: string;
  readonly name?: string;
  readonly address?: string;
  readonly port?: number;
  readonly verdict: string;
  readonly rule: string;
  readonly count?: number;
}
function linesOf(file: string): readonly Line[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Line);
}

test('what is allowed by name is reached, and nothing else: other ports, other names, raw addresses, redirects, DNS over TCP, mapped addresses', async () => {
  const log = join(scratch, 'allowed.log');
  const { found, stderr } = await attempts(['--dns', names.place, '--allow-net', `good.test:${web.port}`, '--net-log', log, '--stats'], `
port, other, machine = ${web.port}, ${other.port}, '${machine}'
print(json.dumps({
  'before it was resolved': reach(machine, port),
  'lookup': lookup('good.test'), 'page': fetch(f'http://good.test:{port}/'),
  'other name': lookup('alias.test'), 'no name': lookup('nowhere.test'), 'over TCP': tcp_lookup('alias.test'), 'allowed over TCP': tcp_lookup('good.test'),
  'other port': reach(machine, other), 'redirect': fetch(f'http://good.test:{port}/redirect'),
  'mapped': reach('::ffff:' + machine, other, socket.AF_INET6), 'mapped allowed': reach('::ffff:' + machine, port, socket.AF_INET6),
  'metadata': reach('169.254.169.254', 80), 'neighbour': reach('10.99.99.99', 80), 'its own loopback': reach('127.0.0.1', port),
  'public': reach('192.0.43.10', 443), 'IPv6': reach('2001:500:88:200::10', 443, socket.AF_INET6), 'datagram': send('192.0.43.10', 53), 'another resolver': send('9.9.9.9', 53),
}))`);
  assert.deepEqual(found, {
    'before it was resolved': 'EACCES', 'lookup': [machine], 'page': `host good.test:${web.port}`, 'other name': 'NONAME', 'no name': 'NONAME', 'over TCP': [3, 0], 'allowed over TCP': [0, 1],
    'other port': 'EACCES', 'redirect': '[Errno 13] Permission denied', 'mapped': 'EACCES', 'mapped allowed': 'reached', 'metadata': 'EACCES', 'neighbour': 'EACCES', 'its own loopback': 'ECONNREFUSED',
    'public': 'EACCES', 'IPv6': 'ENETUNREACH', 'datagram': 'EACCES', 'another resolver': 'EACCES',
  });
  assert.deepEqual(names.asked.filter((name) => name === 'alias.test'), [], 'nobody is asked for a name that is refused');
  const lines = linesOf(log);
  const said = (line: Partial<Line>): boolean => lines.some((one) => Object.entries(line).every(([key, value]) => one[key as keyof Line] === value));
  assert.ok(said({ protocol: 'dns', name: 'alias.test', verdict: 'refused', rule: 'allow-net' }));
  assert.ok(said({ protocol: 'tcp', name: 'good.test', address: machine, port: other.port, verdict: 'refused' }));
  assert.ok(said({ protocol: 'tcp', address: '169.254.169.254', port: 80, rule: 'special' }) && said({ protocol: 'tcp', address: '10.99.99.99', rule: 'private' }) && said({ protocol: 'udp', address: '9.9.9.9', port: 53, rule: 'allow-net' }));
  assert.ok(lines.every(({ time, container }) => Math.abs(Date.parse(time) - Date.now()) < 120_000 && /^do-\d+$/.test(container)));
  assert.equal(statSync(log).mode & 0o777, 0o600);
  assert.match(stderr, new RegExp(`network refusals +${lines.length}\\n.* allow-net +\\d+\\n`));
});

test('a name that changes its answer opens nothing: neighbours, metadata and this machine stay closed', async () => {
  const log = join(scratch, 'turns.log');
  const { found } = await attempts(['--dns', names.place, '--allow-net', 'turns.test', '--net-log', log], `
print(json.dumps({
  'first': lookup('turns.test'), 'second': lookup('turns.test'), 'neighbour': reach('10.9.8.7', 80),
  'third': lookup('turns.test'), 'metadata': reach('169.254.169.254', 80), 'fourth': lookup('turns.test'),
}))`);
  assert.deepEqual(found, { first: ['203.0.113.7'], second: 'NONAME', neighbour: 'EACCES', third: 'NONAME', metadata: 'EACCES', fourth: 'NONAME' });
  assert.deepEqual(linesOf(log).filter(({ protocol }) => protocol === 'dns').map(({ name, address, rule }) => [name, address, rule]), [
    ['turns.test', '10.9.8.7', 'pinned'], ['turns.test', '169.254.169.254', 'special'], ['turns.test', '127.0.0.1', 'special'],
  ]);
});

test('what is denied is refused, whatever allows it: by name, wildcard, range and port', async () => {
  const flags = ['--dns', names.place, '--net', 'outbound', '--allow-net', '*.test', '--allow-net', machine, '--deny-net', '*.ads.test', '--deny-net', `${machine}:${other.port}`, '--deny-net', '192.0.43.0/24', '--deny-net', '*:25'];
  const { found } = await attempts(flags, `
machine = '${machine}'
print(json.dumps({
  'allowed': fetch('http://good.test:${web.port}/'), 'denied name': lookup('tracker.ads.test'), 'in upper case': lookup('TRACKER.ADS.TEST'), 'with a dot': lookup('tracker.ads.test.'), 'over TCP': tcp_lookup('tracker.ads.test'),
  'denied port': reach(machine, ${other.port}), 'mapped': reach('::ffff:' + machine, ${other.port}, socket.AF_INET6), 'range': reach('192.0.43.10', 443), 'mail': reach(machine, 25),
}))`);
  assert.deepEqual(found, {
    'allowed': `host good.test:${web.port}`, 'denied name': 'NONAME', 'in upper case': 'NONAME', 'with a dot': 'NONAME', 'over TCP': [3, 0], 'denied port': 'EACCES', 'mapped': 'EACCES', 'range': 'EACCES', 'mail': 'EACCES',
  });
});

test('a guest that is refused without end fills no disk: lines are left out, and counted', async () => {
  const log = join(scratch, 'flood.log');
  const { found } = await attempts(['--net', 'outbound', '--deny-net', '192.0.43.10', '--net-log', log], `
for port in range(1, 1201): reach('192.0.43.10', port)
print(json.dumps({}))`);
  assert.deepEqual(found, {});
  const lines = linesOf(log);
  const written = lines.filter(({ verdict }) => verdict === 'refused').length;
  const leftOut = lines.reduce((sum, { count = 0 }) => sum + count, 0);
  assert.deepEqual([written + leftOut, lines.at(-1)?.verdict], [1200, 'left-out']);
  assert.ok(written >= 200 && written < 1200, `${written} lines`);
});

test('bytes and connections are bounded, with an errno and a line in the log', async () => {
  const log = join(scratch, 'limits.log');
  const { found } = await attempts(['--net', 'outbound', '--allow-net', machine, '--net-bytes', '300k', '--net-log', log], `
def drain():
    total = 0
    with socket.create_connection(('${machine}', ${web.port})) as s:
        s.sendall(b'GET /big HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
        try:
            while True:
                data = s.recv(65536)
                if not data: return [total, 'end']
                total += len(data)
        except OSError as error: return [total, errno.errorcode[error.errno]]
total, why = drain()
print(json.dumps({'some': 0 < total <= 300 * 1024, 'why': why, 'then': reach('${machine}', ${web.port}), 'datagram': send('${machine}', 9)}))`);
  assert.deepEqual(found, { some: true, why: 'EDQUOT', then: 'EDQUOT', datagram: 'EDQUOT' });
  assert.deepEqual(linesOf(log).map(({ protocol, verdict, rule }) => [protocol, verdict, rule]), [['tcp', 'cut', 'net-bytes'], ['tcp', 'refused', 'net-bytes'], ['udp', 'refused', 'net-bytes']]);
  const several = await attempts(['--net', 'outbound', '--allow-net', machine, '--net-connections', '2'], `
held = [socket.create_connection(('${machine}', ${web.port})) for _ in range(2)]
result = {'third': reach('${machine}', ${web.port}), 'datagram': send('${machine}', 9)}
held.pop().close()
for _ in range(200):
    result['after one is closed'] = reach('${machine}', ${web.port})
    if result['after one is closed'] == 'reached': break
    time.sleep(0.05)
print(json.dumps(result))`);
  assert.deepEqual(several.found, { 'third': 'ENOBUFS', 'datagram': 'ENOBUFS', 'after one is closed': 'reached' });
});

test('Sandbox.create: net.allow and net.deny', async () => {
  const { Sandbox } = (await import(new URL('../../dist/sandbox.mjs', import.meta.url).href)) as typeof Api;
  const sandbox = await Sandbox.create({ net: { allow: [machine], deny: [`${machine}:${other.port}`] } });
  try {
    const { stdout } = await sandbox.commands.run(['python3', '-c', `${ATTEMPTS}\nprint(reach('${machine}', ${web.port}), reach('${machine}', ${other.port}), reach('192.0.43.10', 80))`]);
    assert.equal(stdout, 'reached EACCES EACCES\n');
  } finally {
    await sandbox.kill();
  }
});

test('flags that make no sense are refused with a line that says what to do', async () => {
  for (const [flags, message] of [
    [['--deny-net', 'example.org'], /cannot use --deny-net where nothing goes out \(add --net outbound, or --allow-net HOST\)/], [['--net', 'outbound', '--deny-net', 'a b'], /cannot use --deny-net a b: .*neither a name nor an address/],
    [['--allow-net', '10.0.0.0/99'], /--allow-net 10\.0\.0\.0\/99/], [['--net', 'outbound', '--dns', 'nowhere'], /cannot use --dns nowhere: it is not ADDRESS\[:PORT\]/],
    [['--net', 'outbound', '--net-log', '/nowhere/at/all'], /cannot write to "\/nowhere\/at\/all"/], [['--net', 'outbound', '--net-connections', '0'], /from 1 on/], [['--net', 'outbound', '--net-bytes', 'x'], /it is not a size/],
  ] as const) {
    const { status, stderr } = await caisson(['do', ...flags, '--', 'true']);
    assert.deepEqual([status, message.test(stderr), stderr.split('\n').length], [125, true, 2], stderr);
  }
});
