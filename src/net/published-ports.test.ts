import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EADDRINUSE, EADDRNOTAVAIL, EAGAIN, ECONNRESET, ENETUNREACH } from '../abi/errno.ts';
import { IPPROTO_IPV6, IPV6_V6ONLY } from '../abi/in.ts';
import { AF_INET, AF_INET6, SHUT_WR, SOCK_DGRAM, SOCK_STREAM } from '../abi/socket.ts';
import type { HostConnection, HostNetwork, HostSocketHandlers } from '../host/types.ts';
import { createSocket } from './create-socket.ts';
import { LINK_RECEIVE_WINDOW, PUBLISHED_CONNECTIONS, PUBLISHED_UDP_PEERS } from './limits.ts';
import { OWN_NETWORK, PUBLISHED6 } from './network-stack.ts';
import { PortError, PublishedPorts, type PublishedPort } from './published-ports.ts';
import { decodeInet, encodeInet, type Endpoint } from './sockaddr.ts';
import { int, type ReceiveDetails, type Socket } from './socket.ts';
import { fakeStack } from './testing.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const at = (address: string, port: number): Uint8Array => encodeInet({ address, port }, address.includes(':') ? AF_INET6 : AF_INET);
const WEB: PublishedPort = { protocol: 'tcp', port: 80, hostPorts: [8080, 8080] };
const DNS: PublishedPort = { protocol: 'udp', port: 53, hostPorts: [5353, 5353] };

/** What the host's end of a connection has seen. */
interface HostEnd {
  readonly log: string[];
  handlers: HostSocketHandlers | undefined;
  full: boolean;
}

/** A host on which some ports are taken; `connect` and `send` are what its clients do. */
function setUp(taken: ReadonlyMap<string, number> = new Map()) {
  const stack = fakeStack({ outers: [{ ...OWN_NETWORK, version6: PUBLISHED6 }] });
  const listening = new Map<string, (connection: HostConnection) => void>();
  const receiving = new Map<string, (data: Uint8Array, address: string, port: number) => void>();
  const answers: string[] = [];
  let free = 40_000;
  const listen = <Handler>(open: Map<string, Handler>, address: string, wanted: number, handler: Handler): { port: number; close: () => void } | number => {
    const port = wanted === 0 ? free++ : wanted;
    const place = `${address} ${port}`;
    const errno = taken.get(place) ?? taken.get(address) ?? (open.has(place) ? EADDRINUSE : 0);
    if (errno !== 0) return -errno;
    open.set(place, handler);
    return { port, close: () => void open.delete(place) };
  };
  const network: HostNetwork = {
    resolve: () => assert.fail('no names'), connectTcp: () => assert.fail('nothing goes out'), connectUnix: () => assert.fail('nothing goes out'), listenUnix: () => assert.fail('no networks'), openUdp: () => assert.fail('nothing goes out'),
    listenTcp: async (address, port, onConnection) => listen(listening, address, port, onConnection),
    listenUdp: async (address, port, onMessage) => {
      const listener = listen(receiving, address, port, onMessage);
      return typeof listener === 'number' ? listener : { ...listener, send: (data, to, toPort) => void answers.push(`${String.fromCharCode(...data)} to ${to} ${toPort}`) };
    },
    settled: () => Promise.resolve(),
  };
  const connect = (place: string, address: string, port = 5000): HostEnd => {
    const end: HostEnd = { log: [], handlers: undefined, full: false };
    listening.get(place)!({
      address, port, refuse: () => void end.log.push('<refused>'),
      open: (handlers) => {
        end.handlers = handlers;
        return {
          write: (data) => {
            end.log.push(String.fromCharCode(...data));
            return !end.full;
          },
          end: () => void end.log.push('<end>'), resume: () => void end.log.push('<resume>'), destroy: () => void end.log.push('<destroy>'),
          close: () => void end.log.push('<close>'), reset: () => void end.log.push('<reset>'),
        };
      },
    });
    return end;
  };
  return { stack, network, ports: new PublishedPorts(stack, network), places: (): string[] => [...listening.keys(), ...receiving.keys()], connect, answers, send: (place: string, text: string, { address, port }: Endpoint) => receiving.get(place)!(bytes(text), address, port) };
}
type SetUp = ReturnType<typeof setUp>;

function server({ stack }: SetUp, address: string, port: number, type: number = SOCK_STREAM, v6Only = false): Socket {
  const socket = createSocket(stack, address.includes(':') ? AF_INET6 : AF_INET, type, 0);
  assert.ok(typeof socket !== 'number');
  if (v6Only) socket.setOption(IPPROTO_IPV6, IPV6_V6ONLY, int(1));
  stack.environment.caller = () => ({ ...fakeStack().environment.caller(), mayBindLowPorts: true });
  assert.equal(socket.bind(at(address, port)), 0);
  if (type === SOCK_STREAM) assert.equal(socket.listen(8), 0);
  return socket;
}
function accept(listener: Socket): Socket {
  const socket = listener.accept();
  assert.ok(typeof socket !== 'number', String(socket));
  return socket;
}
function peerOf(socket: Socket, family = AF_INET): Endpoint {
  return decodeInet(socket.peerName() as Uint8Array, family) as Endpoint;
}
function textFrom(socket: Socket, size = 1024): string | number {
  const buffer = new Uint8Array(size);
  const count = socket.receive(buffer, 0);
  return count < 0 ? count : String.fromCharCode(...buffer.subarray(0, count));
}

test('bytes and ends go both ways; the client is seen as the gateway', async () => {
  const setup = setUp();
  await setup.ports.publish([WEB]);
  assert.deepEqual(setup.places(), ['127.0.0.1 8080', '::1 8080']);
  const listener = server(setup, '0.0.0.0', 80);
  const client = setup.connect('127.0.0.1 8080', '127.0.0.1');
  const socket = accept(listener);
  assert.deepEqual(peerOf(socket), { address: OWN_NETWORK.gateway, port: 5000 });
  assert.deepEqual(decodeInet(socket.localName(), AF_INET), { address: OWN_NETWORK.address, port: 80 });
  assert.equal(client.handlers!.onData(bytes('GET')), true);
  assert.equal(textFrom(socket), 'GET');
  client.handlers!.onEnd();
  assert.equal(textFrom(socket), '');
  assert.equal(socket.send(bytes('answer'), 0), 6);
  assert.equal(socket.shutdown(SHUT_WR), 0);
  socket.release();
  assert.deepEqual(client.log, ['answer', '<end>', '<close>']);
});

test('only what listens at any address or the interface\'s is reached', async () => {
  const setup = setUp();
  await setup.ports.publish([WEB]);
  assert.deepEqual(setup.connect('127.0.0.1 8080', '127.0.0.1').log, ['<refused>']);
  const inner = server(setup, '127.0.0.1', 80);
  assert.deepEqual(setup.connect('127.0.0.1 8080', '127.0.0.1').log, ['<refused>']);
  assert.equal(inner.accept(), -EAGAIN);
  const outer = server(setup, OWN_NETWORK.address, 80);
  setup.connect('127.0.0.1 8080', '127.0.0.1');
  setup.connect('::1 8080', '::1');
  assert.deepEqual([peerOf(accept(outer)).address, peerOf(accept(outer)).address], [OWN_NETWORK.gateway, OWN_NETWORK.gateway]);
  outer.release();
  const six = server(setup, '::', 80, SOCK_STREAM, true);
  setup.connect('127.0.0.1 8080', '127.0.0.1');
  setup.connect('::1 8080', '::1');
  assert.deepEqual([1, 2].map(() => peerOf(accept(six), AF_INET6).address), [PUBLISHED6.gateway, PUBLISHED6.gateway]);
});

test('clients from elsewhere have their own address, unless it could be mistaken for one inside', async () => {
  const setup = setUp();
  await setup.ports.publish([{ ...WEB, address: '0.0.0.0' }, { ...WEB, address: '::' }]);
  const listener = server(setup, '::', 80);
  for (const [place, address, seen] of [
    ['0.0.0.0', '192.0.2.7', '192.0.2.7'], ['0.0.0.0', '10.0.2.15', OWN_NETWORK.gateway], ['0.0.0.0', '127.8.8.8', OWN_NETWORK.gateway], ['::', '2001:db8::7', '2001:db8::7'],
    ['::', PUBLISHED6.address, PUBLISHED6.gateway], ['::', 'fe80::1', PUBLISHED6.gateway], ['::', '::1', PUBLISHED6.gateway],
  ] as const) {
    setup.connect(`${place} 8080`, address);
    assert.equal(peerOf(accept(listener), AF_INET6).address, seen, address);
  }
});

test('who is slow holds the other side back, and nothing is lost', async () => {
  const setup = setUp();
  await setup.ports.publish([WEB]);
  const listener = server(setup, '0.0.0.0', 80);
  const client = setup.connect('127.0.0.1 8080', '127.0.0.1');
  const socket = accept(listener);
  client.full = true;
  assert.equal(socket.send(bytes('a'), 0), 1);
  assert.equal(socket.send(bytes('b'), 0), -EAGAIN);
  client.full = false;
  client.handlers!.onDrain();
  assert.equal(socket.send(bytes('b'), 0), 1);
  let sent = 0;
  for (let more = true; more; sent += 100_000) more = client.handlers!.onData(new Uint8Array(100_000));
  assert.ok(sent < 1_000_000 && sent > LINK_RECEIVE_WINDOW);
  let received = 0;
  for (let text = textFrom(socket, 65_536); typeof text === 'string'; text = textFrom(socket, 65_536)) received += text.length;
  assert.equal(received, sent);
  assert.deepEqual(client.log, ['a', 'b', '<resume>']);
});

test('resets go both ways, also by closing with unread bytes', async () => {
  const setup = setUp();
  await setup.ports.publish([WEB]);
  const listener = server(setup, '0.0.0.0', 80);
  const [one, two] = [setup.connect('127.0.0.1 8080', '127.0.0.1', 1), setup.connect('127.0.0.1 8080', '127.0.0.1', 2)];
  const [first, second] = [accept(listener), accept(listener)];
  one.handlers!.onError(ECONNRESET);
  assert.equal(textFrom(first), -ECONNRESET);
  two.handlers!.onData(bytes('unread'));
  second.release();
  assert.deepEqual(two.log, ['<reset>']);
  const three = setup.connect('127.0.0.1 8080', '127.0.0.1', 3);
  accept(listener).release();
  assert.equal(three.handlers!.onData(bytes('too late')), false);
  assert.deepEqual(three.log, ['<end>', '<close>', '<reset>']);
});

test('a full backlog waits, what is never accepted is reset, and connections are bounded', async () => {
  const setup = setUp();
  await setup.ports.publish([WEB]);
  const listener = server(setup, '0.0.0.0', 80);
  const clients = Array.from({ length: PUBLISHED_CONNECTIONS + 1 }, (_, index) => setup.connect('127.0.0.1 8080', '127.0.0.1', index + 1));
  assert.deepEqual(clients.at(-1)!.log, ['<refused>']);
  assert.equal(clients.filter(({ handlers }) => handlers !== undefined).length, 9);
  accept(listener).release();
  assert.equal(clients.filter(({ handlers }) => handlers !== undefined).length, 10);
  clients[0]!.handlers!.onClosed();
  assert.equal(setup.connect('127.0.0.1 8080', '127.0.0.1').log.length, 0);
  listener.release();
  assert.deepEqual([clients[1]!.log, clients[500]!.log], [['<reset>'], ['<refused>']]);
});

test('datagrams: who has asked is answered, and nobody else', async () => {
  const setup = setUp();
  await setup.ports.publish([DNS]);
  const socket = server(setup, '0.0.0.0', 53, SOCK_DGRAM);
  const receive = (): Endpoint => {
    const details: ReceiveDetails = { flags: 0 };
    assert.ok(socket.receive(new Uint8Array(99), 0, details) > 0);
    return decodeInet(details.address!, AF_INET) as Endpoint;
  };
  setup.send('127.0.0.1 5353', 'one', { address: '127.0.0.1', port: 7000 });
  setup.send('::1 5353', 'two', { address: '::1', port: 7000 });
  setup.send('127.0.0.1 5353', 'one', { address: '127.0.0.1', port: 7000 });
  const [one, two, again] = [receive(), receive(), receive()];
  assert.deepEqual([one, two, again], [{ address: OWN_NETWORK.gateway, port: 7000 }, { address: OWN_NETWORK.gateway, port: 7001 }, one]);
  for (const [text, to] of [['first', one], ['second', two]] as const) assert.equal(socket.send(bytes(text), 0, { address: at(to.address, to.port) }), text.length);
  assert.deepEqual(setup.answers, ['first to 127.0.0.1 7000', 'second to ::1 7000']);
  assert.equal(socket.send(bytes('x'), 0, { address: at(OWN_NETWORK.gateway, 7002) }), -ENETUNREACH);
  const other = server(setup, '0.0.0.0', 54, SOCK_DGRAM);
  assert.equal(other.send(bytes('x'), 0, { address: at(one.address, one.port) }), -ENETUNREACH);
  // Who was silent longest is forgotten.
  for (let port = 10_000; port < 10_000 + PUBLISHED_UDP_PEERS - 1; port++) setup.send('127.0.0.1 5353', 'many', { address: '127.0.0.1', port });
  assert.equal(socket.send(bytes('x'), 0, { address: at(two.address, two.port) }), -ENETUNREACH);
  assert.equal(socket.send(bytes('x'), 0, { address: at(one.address, one.port) }), 1);
});

test('datagrams: a socket that is connected to one client hears only that one', async () => {
  const setup = setUp();
  await setup.ports.publish([DNS]);
  const socket = server(setup, '0.0.0.0', 53, SOCK_DGRAM);
  setup.send('127.0.0.1 5353', 'hello', { address: '127.0.0.1', port: 7000 });
  assert.equal(textFrom(socket), 'hello');
  assert.equal(socket.connect(at(OWN_NETWORK.gateway, 7000)), 0);
  setup.send('127.0.0.1 5353', 'unheard', { address: '127.0.0.1', port: 7001 });
  setup.send('127.0.0.1 5353', 'heard', { address: '127.0.0.1', port: 7000 });
  assert.equal(textFrom(socket), 'heard');
  assert.equal(socket.send(bytes('answer'), 0), 6);
  assert.deepEqual(setup.answers, ['answer to 127.0.0.1 7000']);
});

test('all ports or none: what is taken is said, ranges go on, both kinds of loopback have one number', async () => {
  const refused = async (taken: ReadonlyMap<string, number>, ports: readonly PublishedPort[]): Promise<string> => {
    const setup = setUp(taken);
    const error = await setup.ports.publish(ports).then(() => undefined, (failure: unknown) => failure);
    assert.ok(error instanceof PortError);
    assert.deepEqual([setup.places(), setup.ports.bound], [[], []]);
    return `${error.address} ${error.hostPort} ${error.errno}`;
  };
  assert.equal(await refused(new Map([['127.0.0.1 8080', EADDRINUSE]]), [DNS, WEB]), `127.0.0.1 8080 ${EADDRINUSE}`);
  assert.equal(await refused(new Map([['::1 8080', EADDRINUSE]]), [DNS, WEB]), `::1 8080 ${EADDRINUSE}`);
  assert.equal(await refused(new Map(), [WEB, { ...WEB, port: 81 }]), `127.0.0.1 8080 ${EADDRINUSE}`);
  assert.equal(await refused(new Map(), [{ ...WEB, address: '127.0.0.1', hostPorts: [9000, 9001] }, ...[1, 2].map(() => ({ ...WEB, address: '127.0.0.1', hostPorts: [9000, 9001] as const }))]), `127.0.0.1 9001 ${EADDRINUSE}`);
  assert.equal(await refused(new Map([['192.0.2.1', EADDRNOTAVAIL]]), [{ ...WEB, address: '192.0.2.1' }]), `192.0.2.1 8080 ${EADDRNOTAVAIL}`);
  const without6 = setUp(new Map([['::1', EADDRNOTAVAIL]]));
  await without6.ports.publish([WEB]);
  assert.deepEqual(without6.ports.bound, [{ protocol: 'tcp', port: 80, address: '127.0.0.1', hostPort: 8080 }]);
  const any = setUp(new Map([['::1 40000', EADDRINUSE]]));
  await any.ports.publish([{ ...WEB, hostPorts: [0, 0] }]);
  assert.deepEqual(any.places(), ['127.0.0.1 40001', '::1 40001']);
  any.ports.close();
  assert.deepEqual([any.places(), any.ports.bound], [[], []]);
});
