import assert from 'node:assert/strict';
import test from 'node:test';
import { PAGE_EXEC } from '../layout.ts';
import { GUEST_BASE } from '../state.ts';
import { discoverDispatcher, findHandlers } from './dispatcher.ts';
import type { CodeSource } from './region.ts';

const START = 0x40_0000;
const HANDLER_BYTES = 16;
const COUNT = 10;
const CODE_BYTES = 0xf000;
const handlers = Array.from({ length: COUNT }, (_, index) => START + HANDLER_BYTES * index);

/** Handlers that add a number and jump to where rcx points; `ways` of each jump that was seen. */
function sourceOf(ways: (handler: number) => readonly number[], at: readonly number[] = handlers): CodeSource & { readonly jumps: readonly (readonly [number, readonly number[]])[] } {
  const u8 = new Uint8Array(START - GUEST_BASE + CODE_BYTES);
  for (const handler of at) u8.set([0x48, 0x83, 0xc0, 1, 0xff, 0xe1], handler - GUEST_BASE); // add rax, 1; jmp rcx
  const pages = new Uint8Array((START + CODE_BYTES) >>> 12).fill(PAGE_EXEC, START >>> 12);
  const targets = new Map(at.map((handler, index) => [handler + 4, ways(index)]));
  return { u8, pages, isWarm: () => true, inlines: true, jumpTargets: (address) => targets.get(address) ?? [], handlers: new Uint16Array(0x1_0000).fill(1), jumps: [...targets] };
}

test('jumps that share targets make one region, which is entered at each of them', () => {
  const source = sourceOf((index) => [0, 3, 5].map((step) => handlers[(index + step) % COUNT] ?? 0));
  const [found = [], ...others] = findHandlers(source, source.jumps);
  assert.deepEqual([others, found.toSorted((a, b) => a - b)], [[], handlers]);
  const region = discoverDispatcher(source, handlers);
  assert.equal(region?.entry.kind, 'dispatcher');
  assert.deepEqual(region.otherEntries, handlers.slice(1));
  assert.deepEqual(region.blocks.filter(({ kind }) => kind === 'code').map(({ next }) => next), handlers.map(() => ({ block: region.entry })));
});

test('jumps with two targets, as stubs of libraries have, and few handlers are no interpreter', () => {
  const stubs = sourceOf((index) => [handlers[0] ?? 0, handlers[index] ?? 0]);
  assert.deepEqual(findHandlers(stubs, stubs.jumps), []);
  assert.equal(discoverDispatcher(stubs, handlers.slice(0, 5)), undefined);
});

test('handlers that no small table tells apart stay units of their own', () => {
  let seed = 7;
  const scattered: number[] = [];
  for (let at = START; at < START + CODE_BYTES - HANDLER_BYTES; at += 6 + ((seed >>> 8) % 110)) {
    scattered.push(at);
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  }
  assert.equal(discoverDispatcher(sourceOf(() => [], scattered), scattered), undefined);
});
