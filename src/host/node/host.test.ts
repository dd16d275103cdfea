import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
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

test('settled() waits for what was written before close(), as long as somebody takes it', async () => {
  const accepted: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => void accepted.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let written = 0;
  await new Promise<void>((resolve, reject) => {
    const socket = nodeNetwork.connectTcp('127.0.0.1', (server.address() as AddressInfo).port, {
      onConnect: () => {
        for (let more = true; more; written += 65_536) more = socket.write(new Uint8Array(65_536));
        socket.close();
        resolve();
      },
      onData: () => true, onEnd: () => {}, onDrain: () => {}, onClosed: () => {}, onError: reject,
    });
  });
  let isSettled = false;
  const settled = nodeNetwork.settled().then(() => (isSettled = true));
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(isSettled, false);
  let read = 0;
  const [peer] = accepted;
  const ended = new Promise((resolve) => peer?.on('data', (data) => (read += data.length)).on('end', resolve));
  peer?.resume();
  await settled;
  await ended;
  assert.equal(read, written);
  peer?.destroy();
  await new Promise((resolve) => server.close(resolve));
});
