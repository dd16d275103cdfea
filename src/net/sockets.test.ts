import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, ECONNREFUSED, ECONNRESET, EINPROGRESS, EISCONN, ENETUNREACH, ENOTCONN, EPERM, EPIPE,
} from '../abi/errno.ts';
import { IPPROTO_IPV6, IPPROTO_TCP, IPV6_V6ONLY, TCP_NODELAY } from '../abi/in.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP } from '../abi/poll.ts';
import {
  AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, MSG_PEEK, MSG_TRUNC, SHUT_WR, SO_ERROR, SO_LINGER, SO_PASSCRED, SO_PEERCRED, SO_RCVBUF, SO_REUSEADDR, SO_TYPE,
  SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET,
} from '../abi/socket.ts';
import { createSocket } from './create-socket.ts';
import type { NetworkStack } from './network-stack.ts';
import { decodeInet, encodeInet, encodeUnix } from './sockaddr.ts';
import { int, intOf, ints, type ReceiveDetails, type Socket } from './socket.ts';
import { fakeStack } from './testing.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const at = (address: string, port: number, family = AF_INET): Uint8Array => encodeInet({ address, port }, family);

function open(stack: NetworkStack, family: number, type: number): Socket {
  const socket = createSocket(stack, family, type, 0);
  assert.ok(typeof socket !== 'number', `socket: ${socket as number}`);
  return socket;
}
function portOf(socket: Socket): number {
  const name = decodeInet(socket.localName(), socket.family);
  assert.ok(typeof name !== 'number');
  return name.port;
}
function textFrom(socket: Socket, size = 1024, flags = 0, details?: ReceiveDetails): string | number {
  const buffer = new Uint8Array(size);
  const count = socket.receive(buffer, flags, details);
  return count < 0 ? count : String.fromCharCode(...buffer.subarray(0, Math.min(count, size)));
}
function connected(stack: NetworkStack): { client: Socket; server: Socket; listener: Socket } {
  const listener = open(stack, AF_INET, SOCK_STREAM);
  assert.equal(listener.bind(at('127.0.0.1', 0)), 0);
  assert.equal(listener.listen(8), 0);
  const client = open(stack, AF_INET, SOCK_STREAM);
  assert.equal(client.connect(at('127.0.0.1', portOf(listener))), -EINPROGRESS);
  assert.equal(client.connectStatus(), 0);
  const server = listener.accept();
  assert.ok(typeof server !== 'number');
  return { client, server, listener };
}

test('TCP on loopback connects, carries bytes and ends in halves', () => {
  const { client, server } = connected(fakeStack());
  assert.equal(client.send(bytes('hello'), 0), 5);
  assert.equal(textFrom(server, 3, MSG_PEEK), 'hel');
  assert.equal(textFrom(server), 'hello');
  assert.equal(textFrom(server), -EAGAIN);
  assert.equal(client.shutdown(SHUT_WR), 0);
  assert.equal(textFrom(server), '');
  assert.equal(server.poll() & (POLLRDHUP | POLLHUP), POLLRDHUP);
  assert.equal(server.send(bytes('bye'), 0), 3);
  assert.equal(textFrom(client), 'bye');
  assert.equal(client.send(bytes('x'), 0), -EPIPE);
});

test('TCP fills its window, and reading makes room', () => {
  const { client, server } = connected(fakeStack());
  let sent = 0;
  for (let count = 1; count > 0;) {
    count = client.send(new Uint8Array(100_000), 0);
    if (count > 0) sent += count;
  }
  assert.equal(sent, 262_144);
  assert.equal(client.poll() & POLLOUT, 0);
  let woken = false;
  client.waitQueue.add({ wake: () => void (woken = true) });
  assert.equal(server.receive(new Uint8Array(200_000), 0), 200_000);
  assert.equal(woken, true);
  assert.equal(client.poll() & POLLOUT, POLLOUT);
});

test('TCP resets: unread bytes, SO_LINGER of zero, writing to who is gone', () => {
  const stack = fakeStack();
  const first = connected(stack);
  first.client.send(bytes('unread'), 0);
  first.server.release();
  assert.equal(textFrom(first.client), -ECONNRESET);
  const second = connected(stack);
  second.server.setOption(SOL_SOCKET, SO_LINGER, ints(1, 0));
  second.server.release();
  assert.equal(second.client.poll() & POLLERR, POLLERR);
  const third = connected(stack);
  third.server.release();
  assert.equal(textFrom(third.client), '');
  assert.equal(third.client.send(bytes('a'), 0), 1);
  assert.equal(third.client.send(bytes('b'), 0), -EPIPE);
});

test('TCP refuses where nobody listens, and SO_ERROR tells it once', () => {
  const stack = fakeStack();
  const client = open(stack, AF_INET, SOCK_STREAM);
  assert.equal(client.poll(), POLLOUT | POLLHUP | 0x100);
  assert.equal(client.connect(at('127.0.0.1', 1)), -EINPROGRESS);
  assert.equal(client.poll() & (POLLERR | POLLHUP), POLLERR | POLLHUP);
  assert.deepEqual(client.getOption(SOL_SOCKET, SO_ERROR, 4), int(ECONNREFUSED));
  assert.deepEqual(client.getOption(SOL_SOCKET, SO_ERROR, 4), int(0));
  assert.equal(open(stack, AF_INET, SOCK_STREAM).connect(at('93.184.216.34', 80)), -ENETUNREACH);
});

test('a full backlog keeps clients waiting until accept', () => {
  const stack = fakeStack();
  const listener = open(stack, AF_INET, SOCK_STREAM);
  listener.bind(at('127.0.0.1', 0));
  listener.listen(1);
  const clients = [1, 2, 3].map(() => open(stack, AF_INET, SOCK_STREAM));
  for (const client of clients) client.connect(at('127.0.0.1', portOf(listener)));
  assert.deepEqual(clients.map((client) => client.connectStatus()), [0, 0, undefined]);
  assert.ok(typeof listener.accept() !== 'number');
  assert.equal(clients[2]!.connectStatus(), 0);
  assert.equal(clients[0]!.connect(at('127.0.0.1', portOf(listener))), -EISCONN);
  listener.release();
  assert.equal(textFrom(clients[1]!), -ECONNRESET);
});

test('ports: conflicts, reuse, privileges and foreign addresses', () => {
  const stack = fakeStack();
  const listener = open(stack, AF_INET, SOCK_STREAM);
  assert.equal(listener.bind(at('127.0.0.1', 4000)), 0);
  assert.equal(open(stack, AF_INET, SOCK_STREAM).bind(at('0.0.0.0', 4000)), -EADDRINUSE);
  assert.equal(open(stack, AF_INET, SOCK_STREAM).bind(at('127.0.0.2', 4000)), 0);
  assert.equal(open(stack, AF_INET6, SOCK_STREAM).bind(at('::', 4000, AF_INET6)), -EADDRINUSE);
  const only6 = open(stack, AF_INET6, SOCK_STREAM);
  only6.setOption(IPPROTO_IPV6, IPV6_V6ONLY, int(1));
  assert.equal(only6.bind(at('::', 4000, AF_INET6)), 0);
  assert.equal(open(stack, AF_INET, SOCK_STREAM).bind(at('127.0.0.1', 80)), -EACCES);
  assert.equal(open(stack, AF_INET, SOCK_STREAM).bind(at('8.8.8.8', 4001)), -EADDRNOTAVAIL);
  const reuse = [1, 2].map(() => open(stack, AF_INET, SOCK_STREAM));
  for (const socket of reuse) socket.setOption(SOL_SOCKET, SO_REUSEADDR, int(1));
  assert.deepEqual(reuse.map((socket) => socket.bind(at('127.0.0.1', 4005))), [0, 0]);
});

test('a dual-stack listener takes IPv4, and shows mapped addresses', () => {
  const stack = fakeStack();
  const listener = open(stack, AF_INET6, SOCK_STREAM);
  listener.bind(at('::', 0, AF_INET6));
  listener.listen(5);
  const client = open(stack, AF_INET, SOCK_STREAM);
  client.connect(at('127.0.0.1', portOf(listener)));
  assert.equal(client.connectStatus(), 0);
  const server = listener.accept();
  assert.ok(typeof server !== 'number');
  const peer = server.peerName();
  assert.ok(typeof peer !== 'number');
  assert.deepEqual([...peer.subarray(18, 24)], [255, 255, 127, 0, 0, 1]);
});

test('UDP keeps datagrams apart and tells the sender', () => {
  const stack = fakeStack();
  const receiver = open(stack, AF_INET, SOCK_DGRAM);
  receiver.bind(at('0.0.0.0', 0));
  const sender = open(stack, AF_INET, SOCK_DGRAM);
  const to = at('127.0.0.1', portOf(receiver));
  assert.equal(sender.send(bytes('one'), 0, { address: to }), 3);
  assert.equal(sender.send(bytes(''), 0, { address: to }), 0);
  const details: ReceiveDetails = { flags: 0 };
  assert.equal(textFrom(receiver, 2, 0, details), 'on');
  assert.equal(details.flags, MSG_TRUNC);
  assert.deepEqual(details.address, at('127.0.0.1', portOf(sender)));
  assert.equal(textFrom(receiver), '');
  assert.equal(textFrom(receiver), -EAGAIN);
  const lost = open(stack, AF_INET, SOCK_DGRAM);
  assert.equal(lost.connect(at('127.0.0.1', 9)), 0);
  assert.equal(lost.send(bytes('x'), 0), 1);
  assert.equal(lost.send(bytes('x'), 0), -ECONNREFUSED);
});

test('unix streams connect by path and by abstract name', () => {
  const stack = fakeStack();
  for (const name of ['/run/socket', '\0abstract']) {
    const listener = open(stack, AF_UNIX, SOCK_STREAM);
    assert.equal(listener.bind(encodeUnix(name)), 0);
    assert.equal(open(stack, AF_UNIX, SOCK_STREAM).bind(encodeUnix(name)), -EADDRINUSE);
    assert.equal(open(stack, AF_UNIX, SOCK_STREAM).connect(encodeUnix(name)), -ECONNREFUSED);
    assert.equal(listener.listen(0), 0);
    const client = open(stack, AF_UNIX, SOCK_STREAM);
    assert.equal(client.connect(encodeUnix(name)), 0);
    assert.equal(open(stack, AF_UNIX, SOCK_STREAM).connect(encodeUnix(name)), -EAGAIN);
    const server = listener.accept();
    assert.ok(typeof server !== 'number');
    server.send(bytes('welcome'), 0);
    assert.equal(textFrom(client), 'welcome');
    assert.deepEqual(server.getOption(SOL_SOCKET, SO_PEERCRED, 12), ints(42, 1000, 1000));
    server.release();
    assert.equal(textFrom(client), '');
    assert.equal(client.send(bytes('x'), 0), -EPIPE);
    assert.equal(client.poll() & POLLHUP, POLLHUP);
  }
});

test('SCM_RIGHTS keeps files open on their way and stops a read behind them', () => {
  const stack = fakeStack();
  const [left, right] = [open(stack, AF_UNIX, SOCK_STREAM), open(stack, AF_UNIX, SOCK_STREAM)];
  left.pairWith(right);
  const passed = open(stack, AF_INET, SOCK_DGRAM);
  left.send(bytes('plain'), 0);
  left.send(bytes('with'), 0, { rights: [passed] });
  left.send(bytes('more'), 0);
  const details: ReceiveDetails = { flags: 0 };
  assert.equal(textFrom(right, 64, 0, details), 'plain');
  assert.equal(details.rights, undefined);
  assert.equal(passed.references, 1);
  assert.equal(textFrom(right, 64, 0, details), 'with');
  assert.deepEqual(details.rights, [passed]);
  left.send(bytes('x'), 0, { rights: [passed] });
  assert.equal(passed.references, 2);
  right.release();
  assert.equal(passed.references, 1);
});

test('SCM_CREDENTIALS come when SO_PASSCRED asks, and cannot be forged', () => {
  const stack = fakeStack();
  const [left, right] = [open(stack, AF_UNIX, SOCK_DGRAM), open(stack, AF_UNIX, SOCK_DGRAM)];
  left.pairWith(right);
  right.setOption(SOL_SOCKET, SO_PASSCRED, int(1));
  left.send(bytes('a'), 0);
  const details: ReceiveDetails = { flags: 0 };
  right.receive(new Uint8Array(8), 0, details);
  assert.deepEqual(details.credentials, { pid: 42, uid: 1000, gid: 1000 });
  assert.equal(left.send(bytes('a'), 0, { credentials: { pid: 1, uid: 0, gid: 0 } }), -EPERM);
});

test('unix datagrams wait for a full receiver, and seqpackets keep their borders', () => {
  const stack = fakeStack();
  const receiver = open(stack, AF_UNIX, SOCK_DGRAM);
  receiver.bind(encodeUnix('\0d'));
  const sender = open(stack, AF_UNIX, SOCK_DGRAM);
  sender.connect(encodeUnix('\0d'));
  let count = 0;
  while (sender.send(bytes('x'), 0) === 1) count++;
  assert.equal(count, 11);
  assert.equal(sender.poll() & POLLOUT, 0);
  textFrom(receiver);
  assert.equal(sender.send(bytes('y'), 0), 1);
  const [left, right] = [open(stack, AF_UNIX, SOCK_SEQPACKET), open(stack, AF_UNIX, SOCK_SEQPACKET)];
  left.pairWith(right);
  left.send(bytes('first'), 0);
  left.send(bytes('second'), 0);
  assert.equal(textFrom(right, 3), 'fir');
  assert.equal(textFrom(right), 'second');
});

test('options are kept, doubled and named as on Linux', () => {
  const stack = fakeStack();
  const socket = open(stack, AF_INET, SOCK_STREAM);
  assert.deepEqual(socket.getOption(SOL_SOCKET, SO_TYPE, 4), int(SOCK_STREAM));
  socket.setOption(SOL_SOCKET, SO_RCVBUF, int(10_000));
  assert.deepEqual(socket.getOption(SOL_SOCKET, SO_RCVBUF, 4), int(20_000));
  assert.equal(socket.setOption(IPPROTO_TCP, TCP_NODELAY, int(5)), 0);
  assert.deepEqual(socket.getOption(IPPROTO_TCP, TCP_NODELAY, 4), int(1));
  assert.equal(socket.peerName(), -ENOTCONN);
  assert.equal(createSocket(stack, 31, SOCK_STREAM, 0), -EAFNOSUPPORT);
  assert.equal(createSocket(stack, AF_INET, SOCK_RAW, 1), -EPERM);
});

test('netlink dumps interfaces and addresses', () => {
  const stack = fakeStack();
  const socket = open(stack, AF_NETLINK, SOCK_RAW);
  const request = new Uint8Array(20);
  const view = new DataView(request.buffer);
  view.setUint32(0, 20, true);
  view.setUint16(4, 22, true);
  view.setUint16(6, 0x301, true);
  view.setUint32(8, 7, true);
  assert.equal(socket.send(request, 0), 20);
  assert.equal(socket.poll() & POLLIN, POLLIN);
  const reply = new Uint8Array(8192);
  assert.ok(socket.receive(reply, 0) > 60);
  assert.equal(intOf(reply.subarray(8)), 7);
  assert.equal(socket.receive(reply, 0), 20);
  assert.equal(reply[4], 3);
});
