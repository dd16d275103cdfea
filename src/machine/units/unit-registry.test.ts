import assert from 'node:assert/strict';
import test from 'node:test';
import type { LoadedImage } from '../interpreter/image.ts';
import type { NativeCode } from '../machine-types.ts';
import type { Shell } from '../shell.ts';
import { GUEST_BASE } from '../state.ts';
import { regionCompiler } from '../translator/index.ts';
import type { Region } from '../translator/region.ts';
import { MemoryStorage } from './memory-storage.test-support.ts';
import { UnitRegistry } from './unit-registry.ts';
import { UnitStore } from './unit-store.ts';

const u8 = new Uint8Array(0x1000).fill(0x90);
const code = { u8, checked: false };
const LAYOUT = 3;
const SOME_UNITS = 8;
/** `if (first parameter) {}`, which is foreseen to be false. */
const FUNCTION = { bytes: Uint8Array.of(0, 0x20, 0, 0x04, 0x40, 0x0b, 0x41, 0, 0x0b), hints: [2 * 3] };

function regionAt(start: number): Region {
  return { entry: { start }, otherEntries: [], ranges: [[start, start + 8]], blocks: [{ start }] } as unknown as Region;
}

const IMPORTS = {
  m: {
    memory: new WebAssembly.Memory({ initial: 1, maximum: 65_536 }), units: new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
    fuel: new WebAssembly.Global({ value: 'i32', mutable: true }, 0),
    checkAccess: () => 0, raise: () => {}, helper: () => 0, syscall: () => 0, compareStrings: () => 0,
  },
};

/** Some regions from an offset on. */
function regionsFrom(offset: number): Region[] {
  return Array.from({ length: SOME_UNITS }, (_, index) => regionAt(GUEST_BASE + offset + 16 * index));
}

function registryOver(storage: MemoryStorage, native?: NativeCode): UnitRegistry {
  const compiler = { ...regionCompiler, translate: () => FUNCTION };
  const statistics = { instructionsDecoded: 0, unitsTranslated: 0, wasmBytes: 0, undecodable: 0 };
  const machine = { interpreter: new Uint8Array(0), translator: () => compiler, ...(native === undefined ? {} : { native }) };
  return new UnitRegistry({} as LoadedImage, machine, new UnitStore(storage, LAYOUT), statistics);
}

test('what a process kept before is kept when another keeps more', () => {
  const storage = new MemoryStorage();
  registryOver(storage).compile(code, regionsFrom(0x10), () => false);
  const first = registryOver(storage);
  first.compile(code, regionsFrom(0x10), () => false);
  assert.equal(first.save(LAYOUT), true);
  const second = registryOver(storage);
  second.compile(code, regionsFrom(0x400), () => false);
  assert.equal(second.save(LAYOUT), true);
  const third = registryOver(storage);
  assert.equal(third.find(code, GUEST_BASE + 0x10)?.slot, 1);
  assert.ok(third.find(code, GUEST_BASE + 0x400) !== undefined);
  assert.equal(third.find(code, GUEST_BASE + 0x11), undefined);
});

test('where there is not room for all, what served before goes before what is new', () => {
  const storage = new MemoryStorage();
  for (const offset of [0x10, 0x400]) {
    const registry = registryOver(storage);
    registry.find(code, GUEST_BASE + 0x10);
    registry.compile(code, regionsFrom(offset), () => false);
    registry.save(LAYOUT);
  }
  assert.equal(new UnitStore(storage, LAYOUT).load(0)?.units[0]?.entry, GUEST_BASE + 0x10);
});

test('many modules become one', () => {
  const storage = new MemoryStorage();
  for (let round = 0; round < 9; round++) {
    const registry = registryOver(storage);
    registry.compile(code, regionsFrom(0x10 + 0x80 * round), () => false);
    registry.save(LAYOUT);
  }
  const last = registryOver(storage);
  for (let round = 0; round < 9; round++) {
    const unit = last.find(code, GUEST_BASE + 0x10 + 0x80 * round);
    assert.ok(unit?.module.module instanceof WebAssembly.Module, `round ${round}`);
    assert.equal(WebAssembly.Module.exports(unit.module.module).length, unit.module.units.length);
    // A function's number, one hint, its place, a byte, 0: for each unit behind the number of functions.
    const [hints] = WebAssembly.Module.customSections(unit.module.module, 'metadata.code.branch_hint');
    assert.equal(hints?.byteLength, 1 + 5 * unit.module.units.length, `hints of round ${round}`);
  }
  assert.ok(new UnitStore(storage, LAYOUT).moduleCount <= 6);
});

test('a unit of other code is none', () => {
  const storage = new MemoryStorage();
  const registry = registryOver(storage);
  registry.compile(code, regionsFrom(0x10), () => false);
  registry.save(LAYOUT);
  const other = u8.slice();
  other[0x17] = 0xcc;
  assert.equal(registryOver(storage).find({ u8: other, checked: false }, GUEST_BASE + 0x10), undefined);
  assert.equal(registryOver(storage).find({ u8, checked: true }, GUEST_BASE + 0x10), undefined);
});

test('a slot that a stored module has is not given to another address', () => {
  const storage = new MemoryStorage();
  const registry = registryOver(storage);
  registry.compile(code, regionsFrom(0x10), () => false);
  registry.save(LAYOUT);
  assert.equal(registryOver(storage).slotOf(GUEST_BASE + 0xf00), SOME_UNITS + 1);
});

test('machine code is asked for where functions are optimized, kept, and read again', () => {
  const storage = new MemoryStorage();
  let optimized = false;
  const read: number[] = [];
  const native: NativeCode = {
    isOptimized: () => optimized,
    optimize: () => {},
    write: () => Uint8Array.of(42),
    read: (bytes) => void read.push(...bytes),
  };
  const first = registryOver(storage, native);
  first.compile(code, regionsFrom(0x10), () => false);
  first.save(LAYOUT);
  for (optimized of [false, true]) {
    const registry = registryOver(storage, native);
    const unit = registry.find(code, GUEST_BASE + 0x10);
    assert.ok(unit?.module.module instanceof WebAssembly.Module);
    registry.optimize(unit.module, new WebAssembly.Instance(unit.module.module, IMPORTS).exports, [], () => true);
    assert.equal(registry.save(LAYOUT), optimized);
  }
  assert.deepEqual(read, []);
  const last = registryOver(storage, native).find(code, GUEST_BASE + 0x10);
  assert.ok(last?.module.module instanceof WebAssembly.Module);
  assert.deepEqual(read, [42]);
});

test('units in use are optimized as long as there is time', () => {
  const storage = new MemoryStorage();
  const done: unknown[] = [];
  const native: NativeCode = {
    isOptimized: (unit) => done.includes(unit),
    optimize: (unit) => void done.push(unit),
    write: () => Uint8Array.of(42),
    read: () => undefined,
  };
  const first = registryOver(storage, native);
  first.compile(code, regionsFrom(0x10), () => false);
  first.save(LAYOUT);
  const second = registryOver(storage, native);
  const unit = second.find(code, GUEST_BASE + 0x10);
  assert.ok(unit?.module.module instanceof WebAssembly.Module);
  const { exports } = new WebAssembly.Instance(unit.module.module, IMPORTS);
  second.optimize(unit.module, exports, ['1', '3', '2'], () => done.length < 2);
  assert.deepEqual(done, [exports['1'], exports['3']]);
  assert.equal(second.save(LAYOUT), true);
});

test('where a program does not wait for it, machine code is made of all that is kept by another process, as far as there is time', () => {
  const storage = new MemoryStorage();
  const done = new Set<unknown>();
  const later: NativeCode = { isOptimized: () => true, write: () => Uint8Array.of(1), read: () => undefined };
  const native: NativeCode = { isOptimized: (unit) => done.has(unit), optimize: (unit) => void done.add(unit), write: () => Uint8Array.of(42), read: () => undefined };
  const shell = { instance: (module: WebAssembly.Module) => new WebAssembly.Instance(module, IMPORTS) } as unknown as Shell;
  const first = registryOver(storage, later);
  first.compile(code, regionsFrom(0x10), () => false);
  assert.equal(first.save(LAYOUT), true);
  assert.equal(first.lacksNative, true);
  assert.equal(registryOver(storage).lacksNative, false);
  assert.equal(registryOver(storage, later).lacksNative, false, 'it has used nothing');
  const second = registryOver(storage, later);
  const unit = second.find(code, GUEST_BASE + 0x10);
  assert.ok(unit?.module.module instanceof WebAssembly.Module);
  second.optimize(unit.module, shell.instance(unit.module.module).exports, ['0'], () => true);
  assert.deepEqual([second.save(LAYOUT), second.lacksNative], [false, true]);
  const background = registryOver(storage, native);
  background.optimizeStored(shell, () => done.size < SOME_UNITS - 2);
  assert.equal(done.size, SOME_UNITS - 2);
  assert.deepEqual([background.save(LAYOUT), background.lacksNative], [true, false]);
  const last = registryOver(storage, later);
  assert.deepEqual(last.find(code, GUEST_BASE + 0x10)?.module.stored.native, Uint8Array.of(42));
  assert.equal(last.lacksNative, false);
});

test('nothing new: nothing is written', () => {
  const storage = new MemoryStorage();
  assert.equal(registryOver(storage).save(LAYOUT), false);
  assert.equal(storage.count, 0);
});
