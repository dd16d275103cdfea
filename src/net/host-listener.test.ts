import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EAGAIN, ECONNREFUSED, EPIPE } from '../abi/errno.ts';
import { AF_UNIX, SHUT_WR, SOCK_STREAM } from '../abi/socket.ts';
import type { HostSocketHandlers } from '../host/types.ts';
import { createSocket } from './create-socket.ts';
import { listenForHost } from './host-listener.ts';
import { HOST_CONNECTIONS } from './limits.ts';
import { encodeUnix } from './sockaddr.ts';
import type { Socket } from './socket.ts';
import { fakeStack } from './testing.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A listening socket at `/agent`; what each connection to the host does is written down. */
function setUp(): { readonly connect: () => Socket; readonly hosts: { readonly handlers: HostSocketHandlers; readonly log: string[] }[]; full: boolean } {
  const stack = fakeStack();
  const inode = stack.environment.nodes.bind('/agent');
  assert.ok(typeof inode !== 'number');
  const setup: ReturnType<typeof setUp> = {
    hosts: [], full: false,
    connect: () => {
      const socket = createSocket(stack, AF_UNIX, SOCK_STREAM, 0);
      assert.ok(typeof socket !== 'number');
      assert.equal(socket.connect(encodeUnix('/agent')), 0);
      return socket;
    },
  };
  listenForHost(stack.environment, inode, '/agent', (handlers) => {
    const log: string[] = [];
    setup.hosts.push({ handlers, log });
    return {
      write: (data) => {
        log.push(String.fromCharCode(...data));
        return !setup.full;
      },
      end: () => void log.push('<end>'), resume: () => undefined, destroy: () => void log.push('<destroy>'), close: () => undefined, reset: () => undefined,
    };
  });
  return setup;
}

function textFrom(socket: Socket, size = 1024): string | number {
  const buffer = new Uint8Array(size);
  const count = socket.receive(buffer, 0);
  return count < 0 ? count : String.fromCharCode(...buffer.subarray(0, count));
}

test('bytes go through in both directions, connections apart, and ends too', () => {
  const { connect, hosts } = setUp();
  const [one, two] = [connect(), connect()];
  assert.equal(one.send(bytes('ask'), 0), 3);
  assert.equal(two.send(bytes('other'), 0), 5);
  assert.deepEqual(hosts.map(({ log }) => log), [['ask'], ['other']]);
  assert.equal(textFrom(one), -EAGAIN);
  assert.equal(hosts[0]!.handlers.onData(bytes('answer')), true);
  assert.equal(textFrom(one, 3), 'ans');
  assert.equal(textFrom(one), 'wer');
  assert.equal(textFrom(two), -EAGAIN);
  assert.equal(one.shutdown(SHUT_WR), 0);
  assert.deepEqual(hosts[0]!.log, ['ask', '<end>']);
  hosts[0]!.handlers.onData(bytes('late'));
  hosts[0]!.handlers.onEnd();
  assert.equal(textFrom(one), 'late');
  assert.equal(textFrom(one), '');
  assert.equal(hosts[0]!.log.at(-1), '<destroy>');
  two.release();
  assert.deepEqual(hosts[1]!.log, ['other', '<end>', '<destroy>']);
});

test('who is slow holds the other side back', () => {
  const setup = setUp();
  const guest = setup.connect();
  const [{ handlers, log }] = setup.hosts as [(typeof setup.hosts)[number]];
  setup.full = true;
  assert.equal(guest.send(bytes('a'), 0), 1);
  assert.equal(guest.send(bytes('b'), 0), 1);
  assert.deepEqual(log, ['a']);
  setup.full = false;
  handlers.onDrain();
  assert.deepEqual(log, ['a', 'b']);
  const large = bytes('x'.repeat(1 << 20));
  assert.equal(handlers.onData(large), true);
  assert.equal(handlers.onData(large), false);
  let seen = 0;
  for (let text = textFrom(guest, 1 << 16); typeof text === 'string' && text !== ''; text = textFrom(guest, 1 << 16)) seen += text.length;
  assert.equal(seen, 2 * large.length);
});

test('where the host does not answer the connection ends', () => {
  const { connect, hosts } = setUp();
  const guest = connect();
  hosts[0]!.handlers.onError(ECONNREFUSED);
  assert.equal(textFrom(guest), '');
  assert.equal(guest.send(bytes('x'), 0), -EPIPE);
  assert.deepEqual(hosts[0]!.log, ['<destroy>']);
});

test('connections are bounded', () => {
  const { connect, hosts } = setUp();
  const guests = Array.from({ length: HOST_CONNECTIONS + 1 }, connect);
  assert.equal(hosts.length, HOST_CONNECTIONS);
  assert.equal(textFrom(guests.at(-1)!), '');
  guests[0]!.release();
  assert.equal(textFrom(connect()), -EAGAIN);
});
