import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ECONNREFUSED } from '../../abi/errno.ts';
import { createNodeHost } from './host.ts';
import { nodeNetwork } from './network.ts';

test('realtimeNs() does not run backwards and is near Date.now()', () => {
  const { clock } = createNodeHost();
  let last = clock.realtimeNs();
  for (let round = 0; round < 20_000; round++) {
    const now = clock.realtimeNs();
    assert.ok(now >= last);
    last = now;
  }
  assert.ok(Math.abs(Number(last / 1_000_000n) - Date.now()) < 20);
});

test('createNodeHost() has no network unless it is given one', () => {
  assert.equal(createNodeHost().network, undefined);
  assert.equal(createNodeHost({ network: nodeNetwork }).network, nodeNetwork);
});

test('connectTcp() talks to a listening socket and reports a refusal', async () => {
  const server = createServer((socket) => socket.end('hi'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const handlers = { onConnect: () => {}, onDrain: () => {}, onEnd: () => {}, onClosed: () => {} };
  const received = await new Promise<string>((resolve, reject) => {
    const socket = nodeNetwork.connectTcp('127.0.0.1', port, {
      ...handlers,
      onData: (data) => {
        resolve(new TextDecoder().decode(data));
        socket.destroy();
        return true;
      },
      onError: reject,
    });
  });
  assert.equal(received, 'hi');
  await new Promise((resolve) => server.close(resolve));
  const errno = await new Promise<number>((resolve) => {
    nodeNetwork.connectTcp('127.0.0.1', port, { ...handlers, onData: () => true, onError: resolve });
  });
  assert.equal(errno, ECONNREFUSED);
});
