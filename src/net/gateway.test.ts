import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EACCES, EINPROGRESS } from '../abi/errno.ts';
import { AF_INET, SOCK_DGRAM, SOCK_STREAM } from '../abi/socket.ts';
import type { HostNetwork, HostSocketHandlers } from '../host/types.ts';
import { createSocket } from './create-socket.ts';
import { HostGateway } from './host-gateway.ts';
import { OWN_NETWORK, type NetworkStack } from './network-stack.ts';
import { NetworkPolicy } from './policy.ts';
import { encodeInet } from './sockaddr.ts';
import type { Socket } from './socket.ts';
import { fakeStack } from './testing.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const at = (address: string, port: number): Uint8Array => encodeInet({ address, port }, AF_INET);

function setUp(allow: readonly string[] = []): { stack: NetworkStack; handlers: HostSocketHandlers[]; written: string[]; opened: string[] } {
  const handlers: HostSocketHandlers[] = [];
  const written: string[] = [];
  const opened: string[] = [];
  const network: HostNetwork = {
    resolve: async (name) => {
      if (name !== 'example.org') throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      return ['93.184.216.34', '2606:2800::1'];
    },
    connectTcp: (address, port, given) => {
      opened.push(`${address}:${port}`);
      handlers.push(given);
      return {
        write: (data) => {
          written.push(String.fromCharCode(...data));
          return true;
        },
        end: () => void written.push('<end>'),
        resume: () => undefined,
        destroy: () => void written.push('<destroy>'),
        close: () => void written.push('<close>'),
        reset: () => void written.push('<reset>'),
      };
    },
    connectUnix: () => assert.fail('no socket of the host is asked for'),
    listenUnix: () => assert.fail('no networks'),
    openUdp: () => ({ send: () => undefined, close: () => undefined }),
    listenTcp: () => assert.fail('nothing is published'),
    listenUdp: () => assert.fail('nothing is published'),
    settled: () => Promise.resolve(),
  };
  return { stack: fakeStack({ outers: [OWN_NETWORK], gateway: new HostGateway({ network, policy: new NetworkPolicy({ mode: 'outbound', allow }), outers: () => [OWN_NETWORK], members: () => [] }) }), handlers, written, opened };
}
function open(stack: NetworkStack, type: number): Socket {
  const socket = createSocket(stack, AF_INET, type, 0);
  assert.ok(typeof socket !== 'number');
  return socket;
}

test('a connection goes out through the host and back', () => {
  const { stack, handlers, written, opened } = setUp();
  const socket = open(stack, SOCK_STREAM);
  assert.equal(socket.connect(at('93.184.216.34', 80)), -EINPROGRESS);
  assert.deepEqual(opened, ['93.184.216.34:80']);
  assert.equal(socket.connectStatus(), undefined);
  handlers[0]!.onConnect('192.0.2.1', 4711);
  assert.equal(socket.connectStatus(), 0);
  socket.send(bytes('GET'), 0);
  assert.equal(handlers[0]!.onData(bytes('answer')), true);
  const buffer = new Uint8Array(32);
  assert.equal(socket.receive(buffer, 0), 6);
  handlers[0]!.onEnd();
  assert.equal(socket.receive(buffer, 0), 0);
  socket.release();
  assert.deepEqual(written, ['GET', '<end>', '<close>']);
});

test('a fast sender is stopped and what it sent is not lost', () => {
  const { stack, handlers } = setUp();
  const socket = open(stack, SOCK_STREAM);
  socket.connect(at('93.184.216.34', 80));
  handlers[0]!.onConnect('192.0.2.1', 4711);
  let sent = 0;
  let more = true;
  while (more && sent < 1e8) {
    more = handlers[0]!.onData(new Uint8Array(100_000));
    sent += 100_000;
  }
  assert.ok(!more && sent < 3e6);
  let received = 0;
  for (let count = 1; count > 0;) {
    count = socket.receive(new Uint8Array(65_536), 0);
    if (count > 0) received += count;
  }
  assert.equal(received, sent);
});

test('what the policy forbids is EACCES and never reaches the host', () => {
  const { stack, opened } = setUp();
  for (const address of ['10.0.0.1', '169.254.169.254', '192.168.1.1', '168.63.129.16']) {
    assert.equal(open(stack, SOCK_STREAM).connect(at(address, 80)), -EACCES);
    assert.equal(open(stack, SOCK_DGRAM).send(bytes('x'), 0, { address: at(address, 53) }), -EACCES);
  }
  assert.deepEqual(opened, []);
});

/** A DNS query for the name. */
function query(name: string, type: number): Uint8Array {
  const labels = name.split('.').map((label) => String.fromCharCode(label.length) + label).join('');
  return bytes(`\x12\x34\x01\0\0\x01\0\0\0\0\0\0${labels}\0\0${String.fromCharCode(type)}\0\x01`);
}

test('the resolver answers over UDP and TCP', async () => {
  const { stack } = setUp();
  const ask = async (name: string, type: number): Promise<Uint8Array> => {
    const socket = open(stack, SOCK_DGRAM);
    socket.connect(at(OWN_NETWORK.resolver, 53));
    socket.send(query(name, type), 0);
    await new Promise((resolve) => setImmediate(resolve));
    const buffer = new Uint8Array(512);
    return buffer.subarray(0, socket.receive(buffer, 0));
  };
  const found = await ask('example.org', 1);
  assert.equal(found[3]! & 15, 0);
  assert.equal(found[7], 1);
  assert.deepEqual([...found.subarray(-4)], [93, 184, 216, 34]);
  assert.equal((await ask('example.org', 28))[7], 0);
  assert.equal((await ask('none.example', 1))[3]! & 15, 3);
  const stream = open(stack, SOCK_STREAM);
  stream.connect(at(OWN_NETWORK.resolver, 53));
  assert.equal(stream.connectStatus(), 0);
  const message = query('example.org', 1);
  stream.send(Uint8Array.of(0, message.length, ...message), 0);
  await new Promise((resolve) => setImmediate(resolve));
  const buffer = new Uint8Array(512);
  assert.equal(stream.receive(buffer, 0), found.length + 2);
});

test('names that no rule allows do not resolve', async () => {
  const { stack } = setUp(['other.example']);
  const socket = open(stack, SOCK_DGRAM);
  socket.connect(at(OWN_NETWORK.resolver, 53));
  socket.send(query('example.org', 1), 0);
  await new Promise((resolve) => setImmediate(resolve));
  const buffer = new Uint8Array(512);
  socket.receive(buffer, 0);
  assert.equal(buffer[3]! & 15, 3);
});
