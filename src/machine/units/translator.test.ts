import assert from 'node:assert/strict';
import test from 'node:test';
import type { LoadedImage } from '../interpreter/image.ts';
import { GUEST_BASE } from '../state.ts';
import type { Region } from '../translator/region.ts';
import { UnitRegistry, type UnitHost } from './translator.ts';
import { MemoryStorage } from './memory-storage.test-support.ts';
import { UnitStore } from './unit-store.ts';

const u8 = new Uint8Array(0x100).fill(0x90);
const host = { u8, checked: false } as unknown as UnitHost;
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

function regionAt(start: number): Region {
  return { entry: { start }, ranges: [[start, start + 8]], blocks: [{ start }] } as unknown as Region;
}

function registryOver(storage: MemoryStorage): UnitRegistry {
  const compiler = { discover: () => undefined, compile: () => EMPTY_MODULE };
  const statistics = { instructionsDecoded: 0, unitsTranslated: 0, wasmBytes: 0, undecodable: 0 };
  return new UnitRegistry({} as LoadedImage, { interpreter: new Uint8Array(0), translator: () => compiler }, new UnitStore(storage), statistics);
}

test('what a process kept before is kept when it keeps more', () => {
  const storage = new MemoryStorage();
  const registry = registryOver(storage);
  registry.compile(host, [regionAt(GUEST_BASE + 0x10)], () => false);
  registry.save(1);
  registry.compile(host, [regionAt(GUEST_BASE + 0x40)], () => false);
  registry.save(1);
  const next = registryOver(storage);
  assert.equal(next.findStored(host, GUEST_BASE + 0x10)?.slot, 1);
  assert.equal(next.findStored(host, GUEST_BASE + 0x40)?.slot, 2);
  assert.equal(next.slotCount, 3);
});

test('a slot that a stored module has is not given to another address', () => {
  const storage = new MemoryStorage();
  const registry = registryOver(storage);
  registry.compile(host, [regionAt(GUEST_BASE + 0x10)], () => false);
  registry.save(1);
  assert.equal(registryOver(storage).slotOf(GUEST_BASE + 0x80), 2);
});

test('nothing new: nothing is written', () => {
  const storage = new MemoryStorage();
  const registry = registryOver(storage);
  registry.save(1);
  assert.equal(storage.count, 0);
});
