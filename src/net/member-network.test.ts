import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EAGAIN, ECONNREFUSED, EHOSTUNREACH, EINPROGRESS, ENETUNREACH } from '../abi/errno.ts';
import { POLLOUT } from '../abi/poll.ts';
import { AF_INET, AF_INET6, SHUT_WR, SOCK_DGRAM, SOCK_STREAM } from '../abi/socket.ts';
import { nodeNetwork } from '../host/node/network.ts';
import { createSocket } from './create-socket.ts';
import { HostGateway } from './host-gateway.ts';
import { MemberNetwork } from './member-network.ts';
import type { NetworkStack, OuterNetwork } from './network-stack.ts';
import { NetworkPolicy } from './policy.ts';
import { decodeInet, encodeInet, type Endpoint } from './sockaddr.ts';
import type { ReceiveDetails, Socket } from './socket.ts';
import { fakeStack } from './testing.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-members-'));
const members: MemberNetwork[] = [];
const sockets: Socket[] = [];
after(() => {
  for (const socket of sockets) socket.release();
  for (const member of members) member.close();
  rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const at = (address: string, port: number): Uint8Array => encodeInet({ address, port }, AF_INET);
const pathOf = (address: string): string => join(directory, address);
const NAMES = new Map([['one', '10.89.0.2'], ['two', '10.89.0.3'], ['gone', '10.89.0.9']]);

/** A sandbox at the address, on the network 10.89.0.0/24, with no way out. */
async function memberAt(address: string): Promise<NetworkStack> {
  const outer: OuterNetwork = {
    address, prefix: 24, gateway: '10.89.0.1', resolver: '10.89.0.1', members6: 'fd12:3456:789a::/64', version6: { address: `fd12:3456:789a::a59:${Number(address.split('.').at(-1))}`, prefix: 64, gateway: 'fd12:3456:789a::a59:1' },
  };
  const network = new MemberNetwork(outer, nodeNetwork, {
    socketOf: (other) => ([...NAMES.values()].includes(other) ? pathOf(other) : undefined),
    lookUp: (name) => (NAMES.has(name) ? [NAMES.get(name)!] : undefined),
  });
  const gateway = new HostGateway({ network: nodeNetwork, policy: new NetworkPolicy({ mode: 'none' }), outers: () => [outer], members: () => [network] });
  const stack = fakeStack({ outers: [outer], gateway });
  assert.equal(await network.listen(pathOf(address), stack), 0);
  members.push(network);
  return stack;
}
const [one, two] = await Promise.all(['10.89.0.2', '10.89.0.3'].map(memberAt)) as [NetworkStack, NetworkStack];

function open(stack: NetworkStack, type: number): Socket {
  const socket = createSocket(stack, AF_INET, type, 0);
  assert.ok(typeof socket !== 'number');
  sockets.push(socket);
  return socket;
}
async function accept(listener: Socket): Promise<Socket> {
  const socket = await eventually(() => listener.accept());
  assert.ok(typeof socket !== 'number');
  sockets.push(socket);
  return socket;
}
/** Until it answers something else than `undefined` or -EAGAIN. */
async function eventually<Result>(ask: () => Result | undefined): Promise<Result> {
  for (let attempt = 0; attempt < 5000; attempt++) {
    const answer = ask();
    if (answer !== undefined && answer !== -EAGAIN) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('it never came');
}
async function connected(stack: NetworkStack, address: string, port: number): Promise<{ readonly socket: Socket; readonly status: number }> {
  const socket = open(stack, SOCK_STREAM);
  const begun = socket.connect(at(address, port));
  return { socket, status: begun === -EINPROGRESS ? await eventually(() => socket.connectStatus()) : begun };
}
async function textFrom(socket: Socket): Promise<string | number> {
  const buffer = new Uint8Array(1024);
  const count = await eventually(() => socket.receive(buffer, 0));
  return count < 0 ? count : String.fromCharCode(...buffer.subarray(0, count));
}
function listenAt(stack: NetworkStack, address: string, port: number): Socket {
  const socket = open(stack, SOCK_STREAM);
  assert.deepEqual([socket.bind(at(address, port)), socket.listen(8)], [0, 0]);
  return socket;
}

test('a connection from member to member: bytes, ends, and each other\'s addresses', async () => {
  const listener = listenAt(two, '0.0.0.0', 8000);
  const { socket: client, status } = await connected(one, '10.89.0.3', 8000);
  assert.equal(status, 0);
  const server = await accept(listener);
  const peer = decodeInet(server.peerName() as Uint8Array, AF_INET) as Endpoint;
  assert.deepEqual([peer, decodeInet(client.localName(), AF_INET)], [{ address: '10.89.0.2', port: peer.port }, { address: '10.89.0.2', port: peer.port }]);
  client.send(bytes('ask'), 0);
  client.shutdown(SHUT_WR);
  assert.deepEqual([await textFrom(server), await textFrom(server)], ['ask', '']);
  server.send(bytes('answer'), 0);
  server.shutdown(SHUT_WR);
  assert.deepEqual([await textFrom(client), await textFrom(client)], ['answer', '']);
});

test('much goes through while the reader is slow, and nothing is lost', async () => {
  const listener = listenAt(two, '0.0.0.0', 8001);
  const { socket: client } = await connected(one, '10.89.0.3', 8001);
  const server = await accept(listener);
  const total = 5_000_000;
  let [sent, received, sum] = [0, 0, 0];
  const buffer = new Uint8Array(50_000);
  while (received < total) {
    while (sent < total) {
      const count = client.send(new Uint8Array(Math.min(60_000, total - sent)).fill(7), 0);
      if (count < 0) break;
      sent += count;
    }
    const count = server.receive(buffer, 0);
    if (count > 0) {
      received += count;
      sum += buffer.subarray(0, count).reduce((one_, other) => one_ + other, 0);
    } else await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok(sent - received < 2_000_000, 'what is under way is bounded');
  }
  assert.deepEqual([received, sum, client.poll() & POLLOUT], [total, 7 * total, POLLOUT]);
});

test('where nobody listens it is refused, where nobody is unreachable; loopback of another is not reached', async () => {
  listenAt(two, '127.0.0.1', 8002);
  const statusOf = async (address: string, port: number): Promise<number> => (await connected(one, address, port)).status;
  assert.deepEqual([await statusOf('10.89.0.3', 8002), await statusOf('10.89.0.3', 9), await statusOf('10.89.0.1', 80)], [-ECONNREFUSED, -ECONNREFUSED, -ECONNREFUSED]);
  // One whose process was killed, one that never was, and what lies outside.
  assert.deepEqual([await statusOf('10.89.0.9', 80), await statusOf('10.89.0.50', 80), await statusOf('192.0.2.1', 80), await statusOf('10.89.1.2', 80)], [-EHOSTUNREACH, -EHOSTUNREACH, -ENETUNREACH, -ENETUNREACH]);
});

test('a socket that is bound to loopback does not carry that address out', async () => {
  const listener = listenAt(two, '0.0.0.0', 8003);
  const socket = open(one, SOCK_STREAM);
  socket.bind(at('127.0.0.1', 0));
  socket.connect(at('10.89.0.3', 8003));
  const server = await accept(listener);
  assert.equal((decodeInet(server.peerName() as Uint8Array, AF_INET) as Endpoint).address, '10.89.0.2');
});

test('datagrams go both ways with their sender\'s address', async () => {
  const server = open(two, SOCK_DGRAM);
  server.bind(at('0.0.0.0', 5300));
  const client = open(one, SOCK_DGRAM);
  for (const text of ['first', '', 'x'.repeat(60_000)]) assert.equal(client.send(bytes(text), 0, { address: at('10.89.0.3', 5300) }), text.length);
  const lengths: number[] = [];
  let from: Uint8Array | undefined;
  for (let index = 0; index < 3; index++) {
    const details: ReceiveDetails = { flags: 0 };
    lengths.push(await eventually(() => server.receive(new Uint8Array(65_536), 0, details)));
    from = details.address;
  }
  assert.deepEqual(lengths, [5, 0, 60_000]);
  assert.equal((decodeInet(from!, AF_INET) as Endpoint).address, '10.89.0.2');
  server.send(bytes('answer'), 0, { address: from! });
  assert.equal(await textFrom(client), 'answer');
  assert.equal(client.send(bytes('x'), 0, { address: at('10.89.0.50', 1) }), -EHOSTUNREACH);
});

test('over IPv6, too: with each other\'s addresses of that kind, and none that is nobody\'s', async () => {
  const at6 = (address: string, port: number): Uint8Array => encodeInet({ address, port }, AF_INET6);
  const open6 = (stack: NetworkStack, type: number): Socket => {
    const socket = createSocket(stack, AF_INET6, type, 0);
    assert.ok(typeof socket !== 'number');
    sockets.push(socket);
    return socket;
  };
  const listener = open6(two, SOCK_STREAM);
  assert.deepEqual([listener.bind(at6('::', 8006)), listener.listen(8)], [0, 0]);
  const client = open6(one, SOCK_STREAM);
  assert.deepEqual([client.connect(at6('fd12:3456:789a::a59:3', 8006)), await eventually(() => client.connectStatus())], [-EINPROGRESS, 0]);
  const server = await accept(listener);
  assert.deepEqual([(decodeInet(server.peerName() as Uint8Array, AF_INET6) as Endpoint).address, (decodeInet(server.localName(), AF_INET6) as Endpoint).address], ['fd12:3456:789a::a59:2', 'fd12:3456:789a::a59:3']);
  client.send(bytes('six'), 0);
  assert.equal(await textFrom(server), 'six');
  const receiver = open6(two, SOCK_DGRAM);
  receiver.bind(at6('::', 5306));
  open6(one, SOCK_DGRAM).send(bytes('data'), 0, { address: at6('fd12:3456:789a::a59:3', 5306) });
  const details: ReceiveDetails = { flags: 0 };
  assert.equal(await eventually(() => receiver.receive(new Uint8Array(100), 0, details)), 4);
  assert.equal((decodeInet(details.address!, AF_INET6) as Endpoint).address, 'fd12:3456:789a::a59:2');
  for (const [address, errno] of [['fd12:3456:789a:0:1::a59:3', EHOSTUNREACH], ['fd12:3456:789a::a59:32', EHOSTUNREACH], ['fd12:3456:789a::a59:1', ECONNREFUSED], ['fd12:3456:789b::a59:3', ENETUNREACH]] as const) {
    const socket = open6(one, SOCK_STREAM);
    const begun = socket.connect(at6(address, 8006));
    assert.equal(begun === -EINPROGRESS ? await eventually(() => socket.connectStatus()) : begun, -errno, address);
  }
});

test('the resolver knows the members, and nobody else', async () => {
  const ask = async (name: string): Promise<readonly number[]> => {
    const socket = open(one, SOCK_DGRAM);
    socket.connect(at('10.89.0.1', 53));
    socket.send(bytes(`\x12\x34\x01\0\0\x01\0\0\0\0\0\0${String.fromCharCode(name.length)}${name}\0\0\x01\0\x01`), 0);
    const buffer = new Uint8Array(512);
    const count = await eventually(() => socket.receive(buffer, 0));
    return [buffer[3]! & 15, ...buffer.subarray(count - 4, count)];
  };
  assert.deepEqual(await ask('TWO'), [0, 10, 89, 0, 3]);
  assert.equal((await ask('three'))[0], 3);
});

test('who connects with a header that is none, or with an address from elsewhere, is cut off', async () => {
  const listener = listenAt(two, '0.0.0.0', 8004);
  const header = (version: number, protocol: number, address: readonly number[], more: readonly number[] = []): Uint8Array => Uint8Array.of(version, protocol, ...address, 0x12, 0x34, 8004 >> 8, 8004 & 255, ...more);
  const answer = (data: Uint8Array): Promise<string> => new Promise((resolve) => {
    const socket = connect(pathOf('10.89.0.3'));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('hex')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(data);
  });
  for (const wrong of [
    header(3, 6, [10, 89, 0, 2]), header(2, 6, [192, 0, 2, 1]), header(1, 7, [10, 89, 0, 2]), header(1, 6, [192, 0, 2, 1]), header(1, 6, [127, 0, 0, 1]), header(1, 6, [10, 89, 0, 3]), header(1, 6, [10, 89, 0, 1]), header(1, 6, [10, 89, 0, 2], [1]), new Uint8Array(1000),
  ]) assert.equal(await answer(wrong), '');
  assert.equal(listener.accept(), -EAGAIN);
});
