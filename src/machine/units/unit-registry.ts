/** The units of one program: what all its address spaces share, and what is kept for the next process. */
import type { LoadedImage } from '../interpreter/image.ts';
import { GUEST_BASE } from '../state.ts';
import type { MachineImage, MachineStatistics } from '../machine-types.ts';
import type { Shell } from '../shell.ts';
import type { Region } from '../translator/region.ts';
import type { RegionCompiler } from '../translator/index.ts';
import type { StoredModule, StoredUnit, UnitEntry, UnitStore } from './unit-store.ts';

/** Table slots for unit entries that are addressed directly; beyond it code goes through the interpreter. */
const MAXIMUM_SLOTS = 400_000;
/** Bytes of new modules that are remembered for the store. */
const MAXIMUM_FRESH_BYTES = 32 << 20;
/** With more modules in the store some become one. */
const MAXIMUM_STORED_MODULES = 6;
/** Machine code is kept again when it has so many more functions: a part of them, and a few. */
const NATIVE_GROWTH = 0.05;
const NATIVE_GROWTH_MINIMUM = 3;

/** A translated region, in the module that holds it. */
export interface CompiledUnit extends StoredUnit {
  readonly module: CompiledModule;
  readonly exportName: string;
}

/** The code of an address space that units are made from. */
export interface UnitCode {
  readonly u8: Uint8Array;
  readonly checked: boolean;
}

/** From the store; made by this process and to be stored; made by this process. */
type Origin = 'stored' | 'fresh' | 'temporary';

/** A module that V8 compiles when the first of its units is needed. */
export class CompiledModule {
  stored: StoredModule;
  readonly origin: Origin;
  readonly units: readonly CompiledUnit[];
  #module: WebAssembly.Module | undefined;
  readonly #compile: (stored: StoredModule) => WebAssembly.Module;
  #isBroken = false;

  constructor(stored: StoredModule, origin: Origin, compile: (stored: StoredModule) => WebAssembly.Module) {
    this.stored = stored;
    this.origin = origin;
    this.#compile = compile;
    this.units = stored.units.map((unit, index) => ({ ...unit, module: this, exportName: String(index) }));
  }

  /** Undefined where the bytes are no module: V8 believes nobody's. */
  get module(): WebAssembly.Module | undefined {
    if (this.#module === undefined && !this.#isBroken) {
      try {
        this.#module = this.#compile(this.stored);
      } catch {
        this.#isBroken = true; // CompileError
      }
    }
    return this.#module;
  }

  /** Most of its functions that were seen to be optimized. */
  optimized = 0;
}

/** Properties of an address space for which there is code of its own. */
export interface CodeKind {
  readonly exactFloats: boolean;
  readonly watched: boolean;
}
const PLAIN: CodeKind = { exactFloats: false, watched: false };

export class UnitRegistry {
  readonly image: LoadedImage;
  readonly statistics: MachineStatistics;
  readonly #machine: MachineImage;
  readonly #store: UnitStore | undefined;
  readonly #how: CodeKind;
  #compiler: RegionCompiler | undefined;
  /** Made when it is first asked for, from what the store has. */
  #slots: Map<number, number> | undefined;
  readonly #units = new Map<number, CompiledUnit[]>();
  readonly #modules: CompiledModule[] = [];
  /** Units whose code is part of others. */
  readonly #replaced = new Set<CompiledUnit>();
  #freshBytes = 0;

  /** The translator is loaded when there is something to translate for the first time: most programs never get there. */
  constructor(image: LoadedImage, machine: MachineImage, store: UnitStore | undefined, statistics: MachineStatistics, how: CodeKind = PLAIN) {
    this.image = image;
    this.#how = how;
    this.#machine = machine;
    this.#store = store;
    this.statistics = statistics;
  }

  get compiler(): RegionCompiler {
    return (this.#compiler ??= this.#machine.translator());
  }

  /** What is translated now is worth something later. */
  get keeps(): boolean {
    return this.#store !== undefined && this.#freshBytes < MAXIMUM_FRESH_BYTES && !this.#store.isFull;
  }

  /** Bytes that are written again when something new is kept. */
  get keptBytes(): number {
    return this.#store?.bytes ?? 0;
  }

  get slotCount(): number {
    return (this.#slots?.size ?? this.#store?.slots.length ?? 0) + 1;
  }

  #slotTable(): Map<number, number> {
    return (this.#slots ??= new Map(Array.from(this.#store?.slots ?? [], (address, index) => [address, index + 1])));
  }

  slotOf(address: number): number {
    const slots = this.#slotTable();
    let slot = slots.get(address);
    if (slot === undefined) {
      if (slots.size >= MAXIMUM_SLOTS) return 0;
      slot = slots.size + 1;
      slots.set(address, slot);
    }
    return slot;
  }

  /** A unit for this entry whose code is what the memory holds now. */
  find(code: UnitCode, entry: number): CompiledUnit | undefined {
    return this.#known(code, entry) ?? this.#stored(code, entry);
  }

  #known({ u8, checked }: UnitCode, entry: number): CompiledUnit | undefined {
    return this.#units.get(entry)?.find((unit) => unit.checked === checked && matches(unit, u8));
  }

  /** The same, of an earlier process. */
  #stored(code: UnitCode, entry: number): CompiledUnit | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    for (const number of store.candidates(entry, code.checked, code.u8, entry - GUEST_BASE)) {
      const stored = store.load(number);
      if (stored === undefined) continue;
      this.#remember(stored, 'stored');
      const unit = this.#known(code, entry);
      if (unit !== undefined) return unit;
    }
    return undefined;
  }

  #remember(stored: StoredModule, origin: Origin): CompiledModule {
    const compiled = new CompiledModule(stored, origin, (module) => this.#compileModule(module));
    this.#modules.push(compiled);
    for (const unit of compiled.units) {
      for (const { entry } of entriesOf(unit)) {
        const others = this.#units.get(entry);
        if (others === undefined) this.#units.set(entry, [unit]);
        else others.push(unit);
      }
    }
    return compiled;
  }

  #compileModule({ wasm, native }: StoredModule): WebAssembly.Module {
    const module = native === undefined ? undefined : this.#machine.native?.read(native, wasm);
    return module ?? new WebAssembly.Module(wasm);
  }

  /**
   * Translates regions into one module and remembers the units. `isHot`: whether an address that they leave for is
   * worth a slot of its own, so that they find a unit that is made there later. Others are entered by the
   * interpreter: V8 copies the whole table for each instance of a module.
   */
  compile({ u8, checked }: UnitCode, regions: readonly Region[], isHot: (address: number) => boolean): CompiledModule {
    const slots = this.#slotTable();
    const options = { checked, nativeNans: this.#machine.nativeNans ?? false, exactFloats: this.#how.exactFloats, marksStores: this.#how.watched && !checked };
    const slotOf = (address: number): number => (isHot(address) ? this.slotOf(address) : (slots.get(address) ?? 0));
    const code = regions.map((region) => this.compiler.translate(region, options, slotOf));
    const { wasm, functions } = this.compiler.assemble(code);
    this.statistics.wasmBytes += wasm.length;
    this.statistics.unitsTranslated += regions.length;
    const units = regions.map(({ entry, otherEntries, ranges, blocks }, index) => ({
      entry: entry.start, slot: this.slotOf(entry.start), others: otherEntries.map((other) => ({ entry: other, slot: this.slotOf(other) })).filter(({ slot }) => slot !== 0),
      checked, ranges, blocks: blocks.map(({ start }) => start),
      code: ranges.map(([start, end]) => u8.slice(start - GUEST_BASE, end - GUEST_BASE)),
      body: functions[index] ?? { start: 0, length: 0 }, hints: code[index]?.hints ?? [],
    }));
    const keep = this.keeps;
    if (keep) this.#freshBytes += wasm.length;
    return this.#remember({ wasm, units, native: undefined, nativeCount: 0 }, keep ? 'fresh' : 'temporary');
  }

  /** Translates a region that stands for all units at its entries: they are not kept for the next process. */
  replace(code: UnitCode, region: Region, isHot: (address: number) => boolean): void {
    const [unit] = this.compile(code, [region], isHot).units;
    for (const { entry } of unit === undefined ? [] : entriesOf(unit)) {
      for (const other of this.#units.get(entry) ?? []) if (other !== unit && other.checked === code.checked) this.#replaced.add(other);
      this.#units.set(entry, (this.#units.get(entry) ?? []).filter((other) => !this.#replaced.has(other)));
    }
  }

  /** A module without the units that others stand for now: they have no entry any more. */
  #current(module: CompiledModule): StoredModule {
    const { stored, units } = module;
    if (!units.some((unit) => this.#replaced.has(unit))) return stored;
    return { ...stored, units: stored.units.map((unit, index) => (this.#replaced.has(units[index] as CompiledUnit) ? { ...unit, entry: 0, others: [] } : unit)) };
  }

  /** Keeps what is new for the next process: units, and machine code. True: there was something. */
  save(layoutSeed: number): boolean {
    const store = this.#store;
    if (store === undefined) return false;
    const fresh = this.#modules.filter(({ origin }) => origin === 'fresh');
    let isNew = fresh.length > 0;
    const old = this.#modules.filter(({ origin }) => origin === 'stored');
    for (const module of old) if (this.#updateNative(module)) isNew = true;
    if (!isNew) return false;
    // What served, and may have machine code, comes first where there is not room for all.
    const modules = old.map((module) => this.#current(module));
    if (fresh.length > 0) modules.push(this.#merge(fresh.map((module) => this.#current(module))));
    modules.push(...store.rest());
    store.save(this.#compact(modules), [...this.#slotTable().keys()], layoutSeed);
    return true;
  }

  /** Of too many modules the smaller ones become one, which has no machine code at first; one that is larger than all those stays. */
  #compact(modules: readonly StoredModule[]): readonly StoredModule[] {
    if (modules.length <= MAXIMUM_STORED_MODULES) return modules;
    const bySize = modules.toSorted((a, b) => a.wasm.length - b.wasm.length);
    let bytes = 0;
    let count = 0;
    for (const { wasm } of bySize) {
      if (count > MAXIMUM_STORED_MODULES / 2 && wasm.length > bytes) break;
      bytes += wasm.length;
      count++;
    }
    return [...bySize.slice(count), this.#merge(bySize.slice(0, count))];
  }

  /** True: there is machine code that the store does not have. */
  #updateNative(module: CompiledModule): boolean {
    const { native } = this.#machine;
    const { stored, optimized } = module;
    if (native === undefined || optimized < enoughNative(stored) || module.module === undefined) return false;
    const code = native.write(module.module);
    if (code === undefined) return false;
    module.stored = { ...stored, native: code, nativeCount: optimized };
    return true;
  }

  /**
   * Has the functions `used` of a stored module optimized as long as there is time, so that the next process does not compile
   * them, and counts what is optimized: of a module without such functions the machine code cannot be had.
   */
  optimize(module: CompiledModule, exports: WebAssembly.Exports, used: Iterable<string>, hasTime: () => boolean): void {
    const { native } = this.#machine;
    if (native?.optimize === undefined || module.origin !== 'stored') return;
    for (const name of used) {
      if (!hasTime()) break;
      const code = exports[name];
      if (code !== undefined && !native.isOptimized(code)) native.optimize(code);
    }
    const optimized = Object.values(exports).reduce((count, code) => count + (native.isOptimized(code) ? 1 : 0), 0);
    module.optimized = Math.max(module.optimized, optimized);
  }

  /** Programs that end have what they used optimized. */
  get optimizes(): boolean {
    return this.#machine.native?.optimize !== undefined;
  }

  /** The same of everything that is kept, in the order in which it became hot. */
  optimizeStored(shell: Shell, hasTime: () => boolean): void {
    for (const stored of this.#store?.rest() ?? []) {
      const compiled = this.#remember(stored, 'stored');
      if (compiled.module === undefined) continue;
      const { exports } = shell.instance(compiled.module);
      this.optimize(compiled, exports, Object.keys(exports), hasTime);
    }
  }

  /** Of what was kept, or used of what is kept, so much has no machine code that it is worth making it, and there is room for it. */
  get lacksNative(): boolean {
    if (this.#machine.native === undefined || this.#store === undefined || this.#store.isFull) return false;
    return this.#modules.some(({ origin, stored }) => origin !== 'temporary' && stored.units.length >= enoughNative(stored));
  }

  /** One module of all their units; of two for the same code the first. */
  #merge(modules: readonly StoredModule[]): StoredModule {
    const chosen = new Map<string, { readonly unit: StoredUnit; readonly bytes: Uint8Array }>();
    for (const { wasm, units } of modules) {
      for (const unit of units) {
        if (unit.entry === 0) continue;
        const key = `${unit.entry} ${unit.checked} ${unit.ranges.join(' ')} ${unit.code.join(' ')}`;
        if (!chosen.has(key)) chosen.set(key, { unit, bytes: wasm.subarray(unit.body.start, unit.body.start + unit.body.length) });
      }
    }
    const all = [...chosen.values()];
    const { wasm, functions } = this.compiler.assemble(all.map(({ unit: { hints }, bytes }) => ({ bytes, hints })));
    const units = all.map(({ unit }, index) => ({ ...unit, body: functions[index] ?? unit.body }));
    return { wasm, units, native: undefined, nativeCount: 0 };
  }
}

/** With so many functions machine code of a module is kept again. */
function enoughNative({ nativeCount }: StoredModule): number {
  return nativeCount === 0 ? 1 : nativeCount * (1 + NATIVE_GROWTH) + NATIVE_GROWTH_MINIMUM;
}

/** All entries of a unit. */
export function entriesOf(unit: StoredUnit): readonly UnitEntry[] {
  return [unit, ...unit.others];
}

/** The memory holds the code that a unit was made from. */
export function matches(unit: StoredUnit, u8: Uint8Array): boolean {
  return unit.ranges.every(([start], index) => {
    const code = unit.code[index] as Uint8Array;
    const offset = start - GUEST_BASE;
    if (offset + code.length > u8.length) return false;
    for (let at = 0; at < code.length; at++) if (u8[offset + at] !== code[at]) return false;
    return true;
  });
}
