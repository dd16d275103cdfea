import assert from 'node:assert/strict';
import test from 'node:test';
import { MemoryStorage } from './memory-storage.test-support.ts';
import { UnitStore, type StoredModule } from './unit-store.ts';

const CODE = Uint8Array.of(0x48, 0x89, 0xe5, 0xc3, 0x90);
const MODULE: StoredModule = {
  wasm: Uint8Array.of(0, 0x61, 0x73, 0x6d),
  units: [{ entry: 0x40_1000, slot: 1, checked: false, ranges: [[0x40_1000, 0x40_1004], [0x40_2000, 0x40_2001]], blocks: [0x40_1000, 0x40_1003], code: [CODE.slice(0, 4), CODE.slice(4)] }],
};

function stored(): MemoryStorage {
  const storage = new MemoryStorage();
  new UnitStore(storage).save([MODULE], [0x40_1000, 0x40_3000], 77);
  return storage;
}

test('a module, the slots and the layout come back', () => {
  const store = new UnitStore(stored());
  assert.equal(store.layoutSeed, 77);
  assert.deepEqual([...store.slots], [0x40_1000, 0x40_3000]);
  const module = store.take(0x40_1000, false, CODE);
  assert.deepEqual([...(module?.wasm ?? [])], [...MODULE.wasm]);
  assert.deepEqual(module?.units.map(({ code: _, ...unit }) => unit), MODULE.units.map(({ code: _, ...unit }) => unit));
  assert.deepEqual(module?.units[0]?.code.map((bytes) => [...bytes]), [[0x48, 0x89, 0xe5, 0xc3], [0x90]]);
});

test('other code, another variant, another address or a second time: no module', () => {
  const store = new UnitStore(stored());
  assert.equal(store.take(0x40_1000, false, Uint8Array.of(0x55, 0x89, 0xe5, 0xc3)), undefined);
  assert.equal(store.take(0x40_1000, true, CODE), undefined);
  assert.equal(store.take(0x40_1001, false, CODE), undefined);
  assert.ok(store.take(0x40_1000, false, CODE) !== undefined);
  assert.equal(store.take(0x40_1000, false, CODE), undefined);
});

test('an index or a module that was cut is as if it were not there', () => {
  const whole = stored();
  for (let length = 0; length < (whole.parts[0]?.length ?? 0); length += 4) {
    const storage = new MemoryStorage();
    storage.parts = [whole.parts[0]!.slice(0, length), whole.parts[1]!];
    assert.equal(new UnitStore(storage).take(0x40_1000, false, CODE), undefined);
  }
  for (const length of [0, 3, 8, 20, 36]) {
    const storage = new MemoryStorage();
    storage.parts = [whole.parts[0]!, whole.parts[1]!.slice(0, length)];
    assert.equal(new UnitStore(storage).take(0x40_1000, false, CODE), undefined, `${length} bytes`);
  }
});

test('what was stored before is kept beside what is new', () => {
  const storage = stored();
  const second = { ...MODULE, units: MODULE.units.map((unit) => ({ ...unit, entry: 0x50_0000, slot: 3 })) };
  new UnitStore(storage).save([second], [0x40_1000, 0x40_3000, 0x50_0000], 77);
  const store = new UnitStore(storage);
  assert.ok(store.take(0x40_1000, false, CODE) !== undefined);
  assert.ok(store.take(0x50_0000, false, CODE) !== undefined);
});

test('a store with too many slots begins anew', () => {
  const storage = stored();
  new UnitStore(storage).save([MODULE], Array.from({ length: 9000 }, (_, index) => 0x40_0000 + index), 77);
  assert.equal(storage.count, 0);
  assert.equal(new UnitStore(storage).layoutSeed, undefined);
});

test('a module whose slot is another address\'s is no module', () => {
  const storage = new MemoryStorage();
  new UnitStore(storage).save([MODULE], [0x40_3000, 0x40_1000], 77);
  assert.equal(new UnitStore(storage).take(0x40_1000, false, CODE), undefined);
});
