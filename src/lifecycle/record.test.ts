import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecord, encodeRecord } from './record.ts';
import type { ContainerRecord } from './record.ts';

const ID = 'a'.repeat(64);
const record = (network: object): ContainerRecord => ({
  id: ID, createdMs: 1, image: { name: 'x', id: `sha256:${ID}`, manifest: `sha256:${ID}`, layers: [] }, defaults: {}, process: { command: [] }, container: { network }, labels: {},
} as unknown as ContainerRecord);

test('a record keeps its networks, and one from when there was only one is read as one of several', () => {
  const networkOf = (network: object): unknown => decodeRecord(encodeRecord(record(network)), ID)?.container.network;
  const members = [{ network: 'one', aliases: [] }, { network: 'two', aliases: ['db'], address: '10.89.1.7' }];
  assert.deepEqual(networkOf({ mode: 'none', allow: [], members }), { mode: 'none', allow: [], members });
  assert.deepEqual(networkOf({ mode: 'outbound', allow: ['a.example'], member: { network: 'one', aliases: ['db'] } }), { mode: 'outbound', allow: ['a.example'], members: [{ network: 'one', aliases: ['db'] }] });
});
