import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../flags.ts';
import { RUN } from '../containers/container-specs.ts';
import { exposedPorts, parsePublished, portsText, publishedPorts } from './published-ports.ts';
import type { KeptContainer } from '../../lifecycle/index.ts';

test('parsePublished() reads what Docker reads', () => {
  const tcp = { protocol: 'tcp', port: 80 } as const;
  for (const [text, expected] of [
    ['80', [{ ...tcp, hostPorts: [0, 0] }]],
    ['8080:80', [{ ...tcp, hostPorts: [8080, 8080] }]],
    ['0:80', [{ ...tcp, hostPorts: [0, 0] }]],
    [':80', [{ ...tcp, hostPorts: [0, 0] }]],
    ['8080:80/TCP', [{ ...tcp, hostPorts: [8080, 8080] }]],
    ['53:53/udp', [{ protocol: 'udp', port: 53, hostPorts: [53, 53] }]],
    ['0.0.0.0:8080:80', [{ ...tcp, address: '0.0.0.0', hostPorts: [8080, 8080] }]],
    ['127.0.0.1::80', [{ ...tcp, address: '127.0.0.1', hostPorts: [0, 0] }]],
    ['[::1]:8080:80', [{ ...tcp, address: '::1', hostPorts: [8080, 8080] }]],
    ['[::]::80', [{ ...tcp, address: '::', hostPorts: [0, 0] }]],
    ['8080-8081:80-81', [{ ...tcp, hostPorts: [8080, 8080] }, { ...tcp, port: 81, hostPorts: [8081, 8081] }]],
    ['8000-8009:80', [{ ...tcp, hostPorts: [8000, 8009] }]],
    ['80-81', [{ ...tcp, hostPorts: [0, 0] }, { ...tcp, port: 81, hostPorts: [0, 0] }]],
  ] as const) assert.deepEqual(parsePublished(text), expected, text);
});

test('parsePublished() says what is wrong', () => {
  for (const [text, why] of [
    ['', /the container's port "" is not a number/], ['x', /container's port "x"/], ['0', /container's port "0"/], ['65536', /container's port "65536"/], ['81-80', /container's port/],
    ['x:80', /host's port "x"/], ['70000:80', /host's port "70000"/], ['localhost:8080:80', /"localhost" is not an IP address/], ['::1:8080:80', /IPv6 address in brackets/], ['[::1]:80', /brackets/],
    ['[x]:1:2', /"x" is not an IP address/], [':8080:80', /"" is not an IP address/], ['80/sctp', /"sctp" is not tcp or udp/], ['80/tcp/udp', /not tcp or udp/], ['8080-8081:80-85', /not of one size/], ['80\n', /container's port/],
  ] as const) assert.throws(() => parsePublished(text), why, text);
});

test('-P publishes what the image and --expose name, -p comes first, and a bound holds', () => {
  const read = (words: readonly string[], image: readonly string[]): readonly unknown[] => {
    const values = parseFlags([...words, 'image'], RUN.flags, 'run');
    return publishedPorts(values, exposedPorts(values, image)).map(({ port, protocol, hostPorts: [first] }) => `${first}:${port}/${protocol}`);
  };
  assert.deepEqual(read(['-P', '-p', '8080:80', '--expose', '90', '--expose', '100-101/udp'], ['80/tcp', '443/tcp', '7/sctp', '../x', '0/tcp', '90']), ['8080:80/tcp', '0:443/tcp', '0:90/tcp', '0:100/udp', '0:101/udp']);
  assert.deepEqual(read(['--expose', '90'], ['80/tcp']), []);
  assert.throws(() => read(['-P'], ['1-65535/tcp']), /cannot publish more than 512 ports/);
  assert.throws(() => read(['-p', '1-65535:1-65535'], []), /more than 512 ports/);
  assert.throws(() => read(['--expose', '80/x'], []), /cannot use --expose 80\/x/);
});

test('portsText() is Docker\'s column: equal ports as ranges, then the others', () => {
  const bound = (address: string, hostPort: number, port: number, protocol: 'tcp' | 'udp' = 'tcp') => ({ address, hostPort, port, protocol });
  const container = {
    id: '', name: '', record: { defaults: { exposedPorts: ['80/tcp', '443/tcp', '9000/tcp', '9001/tcp'] } },
    state: { status: 'running', exitCode: 0, error: '', ports: [bound('127.0.0.1', 8080, 80), bound('::1', 8080, 80), bound('0.0.0.0', 7000, 7000), bound('0.0.0.0', 7001, 7001), bound('0.0.0.0', 53, 53, 'udp')] },
  } as unknown as KeptContainer;
  assert.equal(portsText(container), '0.0.0.0:53->53/udp, 0.0.0.0:7000-7001->7000-7001/tcp, 443/tcp, 9000-9001/tcp, 127.0.0.1:8080->80/tcp, [::1]:8080->80/tcp');
  assert.equal(portsText({ ...container, state: { ...container.state, status: 'exited' } }), '');
});
