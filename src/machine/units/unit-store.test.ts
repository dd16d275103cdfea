import assert from 'node:assert/strict';
import test from 'node:test';
import { MemoryStorage } from './memory-storage.test-support.ts';
import { UnitStore, type StoredModule, type StoredUnit } from './unit-store.ts';

const CODE = Uint8Array.of(0x48, 0x89, 0xe5, 0xc3, 0x90);
const LAYOUT = 77;
const MODULE: StoredModule = {
  wasm: Uint8Array.of(0, 0x61, 0x73, 0x6d),
  units: [{
    entry: 0x40_1000, slot: 1, others: [], checked: false, ranges: [[0x40_1000, 0x40_1004], [0x40_2000, 0x40_2001]], blocks: [0x40_1000, 0x40_1003],
    code: [CODE.slice(0, 4), CODE.slice(4)], body: { start: 1, length: 2 }, hints: [7],
  }],
  native: Uint8Array.of(1, 2, 3), nativeCount: 5,
};

function stored(modules: readonly StoredModule[] = [MODULE]): MemoryStorage {
  const storage = new MemoryStorage();
  new UnitStore(storage, undefined).save(modules, [0x40_1000, 0x40_3000], LAYOUT);
  return storage;
}

test('a module with its machine code, and the slots, come back', () => {
  const store = new UnitStore(stored(), LAYOUT);
  assert.deepEqual([...store.slots], [0x40_1000, 0x40_3000]);
  assert.deepEqual(store.candidates(0x40_1000, false, CODE, 0), [0]);
  const module = store.load(0);
  assert.deepEqual([...(module?.wasm ?? [])], [...MODULE.wasm]);
  assert.deepEqual([[...(module?.native ?? [])], module?.nativeCount], [[1, 2, 3], 5]);
  const [unit, wanted] = [module?.units[0], MODULE.units[0]];
  assert.deepEqual({ ...unit, code: [] }, { ...wanted, code: [] });
  assert.deepEqual(unit?.code.map((bytes) => [...bytes]), [[0x48, 0x89, 0xe5, 0xc3], [0x90]]);
});

test('a unit is found at each of its entries, and nowhere once others stand for it', () => {
  const [unit] = MODULE.units;
  assert.ok(unit !== undefined);
  const code = Uint8Array.of(0x48, 0x89, 0xe5, 0xc3, 0x55, 0x48, 0x31, 0xc0);
  const whole: StoredUnit = { ...unit, others: [{ entry: 0x40_1004, slot: 3 }], ranges: [[0x40_1000, 0x40_1008]], code: [code] };
  const storage = new MemoryStorage();
  new UnitStore(storage, undefined).save([{ ...MODULE, units: [whole, { ...unit, entry: 0 }] }], [0x40_1000, 0x40_3000, 0x40_1004], LAYOUT);
  const store = new UnitStore(storage, LAYOUT);
  assert.deepEqual(store.candidates(0x40_1004, false, code, 4), [0]);
  assert.deepEqual(store.candidates(0x40_1004, false, code, 0), []);
  assert.deepEqual(store.candidates(0, false, CODE, 0), []);
  assert.deepEqual(store.load(0)?.units.map(({ entry, others }) => [entry, others.length]), [[0x40_1000, 1], [0, 0]]);
});

test('other code, another variant or another address: no candidate; and none that was loaded', () => {
  const store = new UnitStore(stored(), LAYOUT);
  assert.deepEqual(store.candidates(0x40_1000, false, Uint8Array.of(0x55, 0x89, 0xe5, 0xc3), 0), []);
  assert.deepEqual(store.candidates(0x40_1000, true, CODE, 0), []);
  assert.deepEqual(store.candidates(0x40_1001, false, CODE, 0), []);
  assert.ok(store.load(0) !== undefined);
  assert.deepEqual(store.candidates(0x40_1000, false, CODE, 0), []);
  assert.equal(store.load(0), undefined);
});

test('what was made for another layout is not there', () => {
  for (const layout of [LAYOUT + 1, undefined]) {
    const store = new UnitStore(stored(), layout);
    assert.deepEqual([store.moduleCount, store.slots.length, store.candidates(0x40_1000, false, CODE, 0)], [0, 0, []]);
  }
});

test('an index or a module that was cut is as if it were not there', () => {
  const whole = stored();
  const [index, module, native] = whole.parts as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  for (let length = 0; length < index.length; length += 4) {
    const storage = stored();
    storage.parts = [index.slice(0, length), module, native];
    assert.deepEqual(new UnitStore(storage, LAYOUT).candidates(0x40_1000, false, CODE, 0), []);
  }
  for (const length of [0, 3, 8, 20, 36, module.length - 2]) {
    const storage = stored();
    storage.parts = [index, module.slice(0, length), native];
    assert.equal(new UnitStore(storage, LAYOUT).load(0), undefined, `${length} bytes`);
  }
});

test('a module whose machine code is spoiled has none', () => {
  const storage = stored();
  storage.parts = storage.parts.slice(0, 2);
  const module = new UnitStore(storage, LAYOUT).load(0);
  assert.deepEqual([module?.native, module?.nativeCount], [undefined, 0]);
});

test('modules that nobody loaded are the rest', () => {
  const second = { ...MODULE, units: MODULE.units.map((unit) => ({ ...unit, entry: 0x40_3000, slot: 2 })) };
  const store = new UnitStore(stored([MODULE, second]), LAYOUT);
  assert.ok(store.load(0) !== undefined);
  assert.deepEqual([...store.rest()].map(({ units }) => units[0]?.entry), [0x40_3000]);
});

test('a store with too many slots begins anew', () => {
  const storage = stored();
  new UnitStore(storage, LAYOUT).save([MODULE], Array.from({ length: 20_000 }, (_, index) => 0x40_0000 + index), LAYOUT);
  assert.equal(storage.count, 0);
});

test('a module whose slot is another address\'s is no module', () => {
  const storage = new MemoryStorage();
  new UnitStore(storage, undefined).save([MODULE], [0x40_3000, 0x40_1000], LAYOUT);
  assert.equal(new UnitStore(storage, LAYOUT).load(0), undefined);
});

test('where there is no room for the machine code of a module, the module is kept without', () => {
  const storage = new MemoryStorage();
  const huge = new Uint8Array(100 << 20);
  new UnitStore(storage, undefined).save([{ ...MODULE, native: huge }, { ...MODULE, native: huge }], [0x40_1000, 0x40_3000], LAYOUT);
  const store = new UnitStore(storage, LAYOUT);
  assert.deepEqual([0, 1].map((module) => store.load(module)).map((module) => [module?.units.length, module?.native?.length, module?.nativeCount]), [[1, huge.length, 5], [1, undefined, 0]]);
});
