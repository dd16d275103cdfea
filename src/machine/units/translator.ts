/** Which code becomes units, and when: queue, links between units and blocks, reuse between address spaces. */
import type { LoadedImage } from '../interpreter/image.ts';
import type { MachineImage, MachineStatistics } from '../machine-types.ts';
import { PAGE_CODE } from '../layout.ts';
import { GUEST_BASE } from '../state.ts';
import type { Shell } from '../shell.ts';
import type { Region } from '../translator/region.ts';
import type { RegionCompiler, RegionSource } from '../translator/index.ts';
import type { StoredModule, StoredUnit, UnitStore } from './unit-store.ts';

/** Table slots for unit entries that are addressed directly; beyond it code goes through the interpreter. */
const MAXIMUM_SLOTS = 400_000;
/** Bytes of new modules that are remembered for the store. */
const MAXIMUM_FRESH_BYTES = 4 << 20;
/** Bytes of Wasm that one machine may compile: a guest that makes code without end then stays interpreted. */
const MAXIMUM_WASM_BYTES = 256 << 20;
/** A block that some unit contains, though not as its entry, is translated later than others by this factor. */
const COVERED_FACTOR = 16;
/** A branch target that was entered less often stays out of regions: the way there goes through the interpreter. */
const WARM_ENTRIES = 16;
/** Targets noted of one indirect jump. */
const MAXIMUM_TARGETS = 128;
/** Indirect jumps whose targets are noted. */
const MAXIMUM_JUMPS = 20_000;
const NO_TARGETS: readonly number[] = [];

/** A translated region, in the module that holds it. */
interface CompiledUnit extends StoredUnit {
  readonly module: CompiledModule;
  readonly exportName: string;
}

interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly units: CompiledUnit[];
}

/** What a translator needs of its address space. */
export interface UnitHost {
  readonly u8: Uint8Array;
  readonly pages: Uint8Array;
  readonly shell: Shell;
  readonly checked: boolean;
  /** How often a block was entered since its last report. */
  entries(address: number): number;
  linkUnit(address: number, slot: number): void;
}

/** What all address spaces of a machine share: compiled modules and slot numbers. */
export class UnitRegistry {
  readonly image: LoadedImage;
  readonly statistics: MachineStatistics;
  readonly #loadCompiler: () => RegionCompiler;
  readonly #store: UnitStore | undefined;
  readonly #nativeNans: boolean;
  #compiler: RegionCompiler | undefined;
  /** Made when it is first asked for, from what the store has. */
  #slots: Map<number, number> | undefined;
  readonly #units = new Map<number, CompiledUnit[]>();
  /** Modules that the store did not have when this process began. */
  readonly #fresh: StoredModule[] = [];
  #freshBytes = 0;
  #unsaved = false;

  /** The image's `translator` is called when there is something to translate for the first time: most programs never get there. */
  constructor(image: LoadedImage, { translator, nativeNans = false }: MachineImage, store: UnitStore | undefined, statistics: MachineStatistics) {
    this.image = image;
    this.#loadCompiler = translator;
    this.#nativeNans = nativeNans;
    this.#store = store;
    this.statistics = statistics;
  }

  get compiler(): RegionCompiler {
    return (this.#compiler ??= this.#loadCompiler());
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

  /** A unit for this entry whose code is what the memory holds now, of this process. */
  find(host: UnitHost, entry: number): CompiledUnit | undefined {
    return this.#units.get(entry)?.find((candidate) => candidate.checked === host.checked && matches(candidate, host.u8));
  }

  /** The same, of an earlier process. */
  findStored(host: UnitHost, entry: number): CompiledUnit | undefined {
    const offset = entry - GUEST_BASE;
    const stored = this.#store?.take(entry, host.checked, host.u8.subarray(offset, offset + 4));
    return stored === undefined || !this.#adopt(stored) ? undefined : this.find(host, entry);
  }

  /** Makes a stored module one of ours; false where it is none. */
  #adopt(stored: StoredModule): boolean {
    try {
      this.#remember(stored, new WebAssembly.Module(stored.wasm));
      return true;
    } catch {
      // CompileError: V8 believes nobody's bytes.
      return false;
    }
  }

  #remember({ units }: StoredModule, module: WebAssembly.Module): CompiledModule {
    const compiled: CompiledModule = { module, units: [] };
    units.forEach((stored, index) => {
      const unit: CompiledUnit = { ...stored, module: compiled, exportName: String(index) };
      compiled.units.push(unit);
      const others = this.#units.get(unit.entry);
      if (others === undefined) this.#units.set(unit.entry, [unit]);
      else others.push(unit);
    });
    return compiled;
  }

  /**
   * Compiles regions into one module and remembers the units. `isWarm`: whether an address that they leave for is
   * worth a slot of its own, so that they find a unit that is made there later. Others are entered by the
   * interpreter: V8 copies the whole table for each instance of a module.
   */
  compile(host: UnitHost, regions: readonly Region[], isWarm: (address: number) => boolean): CompiledModule {
    const slots = this.#slotTable();
    const wasm = this.compiler.compile(regions, { checked: host.checked, nativeNans: this.#nativeNans }, (address) => (isWarm(address) ? this.slotOf(address) : (slots.get(address) ?? 0)));
    this.statistics.wasmBytes += wasm.length;
    this.statistics.unitsTranslated += regions.length;
    const units = regions.map(({ entry, ranges, blocks }) => ({
      entry: entry.start, slot: this.slotOf(entry.start), checked: host.checked, ranges, blocks: blocks.map(({ start }) => start),
      code: ranges.map(([start, end]) => host.u8.slice(start - GUEST_BASE, end - GUEST_BASE)),
    }));
    const stored = { wasm, units };
    if (this.#store !== undefined && this.#freshBytes + wasm.length <= MAXIMUM_FRESH_BYTES) {
      this.#fresh.push(stored);
      this.#freshBytes += wasm.length;
      this.#unsaved = true;
    }
    return this.#remember(stored, new WebAssembly.Module(wasm));
  }

  /** Keeps what was translated for the next process. `layoutSeed`: where programs were put. */
  save(layoutSeed: number): void {
    if (!this.#unsaved) return;
    this.#unsaved = false;
    this.#store?.save(this.#fresh, this.#slotTable().keys(), layoutSeed);
  }
}

function matches(unit: CompiledUnit, u8: Uint8Array): boolean {
  return unit.ranges.every(([start], index) => {
    const code = unit.code[index] as Uint8Array;
    const offset = start - GUEST_BASE;
    if (offset + code.length > u8.length) return false;
    for (let at = 0; at < code.length; at++) if (u8[offset + at] !== code[at]) return false;
    return true;
  });
}

/** The translator of one address space. */
export class Translator {
  readonly #host: UnitHost;
  readonly #registry: UnitRegistry;
  readonly #threshold: number;
  #heat = new Map<number, number>();
  #queue: number[] = [];
  /** Starts of blocks inside units. */
  #covered = new Set<number>();
  #targets = new Map<number, number[]>();
  #linked = new Map<number, CompiledUnit>();
  #byPage = new Map<number, Set<CompiledUnit>>();

  /** `threshold`: how often a block reports itself before it is translated. */
  constructor(host: UnitHost, registry: UnitRegistry, threshold: number) {
    this.#host = host;
    this.#registry = registry;
    this.#threshold = threshold;
  }

  /** Notes that a block was entered often. */
  hot(address: number): void {
    if (this.#linked.has(address)) return;
    const heat = (this.#heat.get(address) ?? 0) + 1;
    this.#heat.set(address, heat);
    // Not before: reading a module costs more than a block is worth that runs a few times.
    if (heat === 1 && this.#linkStored(address)) return;
    const threshold = this.#covered.has(address) ? this.#threshold * COVERED_FACTOR : this.#threshold;
    if (heat === threshold) this.#queue.push(address);
  }

  /** Notes where an indirect jump went. */
  jumped(from: number, target: number): void {
    const targets = this.#targets.get(from);
    if (targets === undefined) {
      if (this.#targets.size < MAXIMUM_JUMPS) this.#targets.set(from, [target]);
    } else if (targets.length < MAXIMUM_TARGETS && !targets.includes(target)) targets.push(target);
  }

  get pending(): number {
    return this.#queue.length;
  }

  #linkStored(address: number): boolean {
    const unit = this.#registry.findStored(this.#host, address);
    if (unit !== undefined) this.#instantiate(unit.module);
    return this.#linked.has(address);
  }

  /** Links a unit that another address space made from the same code. */
  reuse(address: number): boolean {
    if (this.#linked.has(address)) return true;
    const unit = this.#registry.find(this.#host, address);
    if (unit === undefined) return false;
    this.#instantiate(unit.module);
    return true;
  }

  /** Translates what is in the queue. */
  work(): void {
    if (this.#queue.length === 0) return;
    const queue = this.#queue;
    this.#queue = [];
    const regions: Region[] = [];
    const source: RegionSource = {
      handlers: this.#registry.image.handlers,
      u8: this.#host.u8,
      pages: this.#host.pages,
      isWarm: (address) => this.#heat.has(address) || this.#linked.has(address) || this.#host.entries(address) >= WARM_ENTRIES,
      jumpTargets: (address) => this.#targets.get(address) ?? NO_TARGETS,
    };
    for (const address of queue) {
      if (this.#covered.has(address) && (this.#heat.get(address) ?? 0) < this.#threshold * COVERED_FACTOR) continue;
      if (this.reuse(address) || this.#registry.statistics.wasmBytes > MAXIMUM_WASM_BYTES) continue;
      const region = this.#registry.compiler.discover(source, address);
      if (region === undefined || (region.entry.start !== address && this.reuse(region.entry.start))) continue;
      if (regions.every(({ entry }) => entry.start !== region.entry.start)) regions.push(region);
    }
    if (regions.length > 0) this.#instantiate(this.#registry.compile(this.#host, regions, source.isWarm));
  }

  /** Links the units of a module whose code is what the memory holds. */
  #instantiate(compiled: CompiledModule): void {
    const host = this.#host;
    host.shell.growUnits(this.#registry.slotCount);
    const instance = host.shell.instance(compiled.module);
    for (const unit of compiled.units) {
      if (!this.#linked.has(unit.entry) && matches(unit, host.u8)) this.#link(unit, instance.exports[unit.exportName]);
    }
  }

  #link(unit: CompiledUnit, code: unknown): void {
    const { shell, pages } = this.#host;
    shell.units.set(unit.slot, code);
    this.#linked.set(unit.entry, unit);
    for (const block of unit.blocks) this.#covered.add(block);
    for (const [start, end] of unit.ranges) {
      for (let page = start >>> 12; page <= (end - 1) >>> 12; page++) {
        pages[page] = (pages[page] ?? 0) | PAGE_CODE;
        let set = this.#byPage.get(page);
        if (set === undefined) this.#byPage.set(page, (set = new Set()));
        set.add(unit);
      }
    }
    this.#host.linkUnit(unit.entry, unit.slot);
  }

  /** Slots that lead to units now. */
  *slots(): Iterable<number> {
    for (const unit of this.#linked.values()) yield unit.slot;
  }

  slotAt(address: number): number {
    return this.#linked.get(address)?.slot ?? 0;
  }

  /** Unlinks units that were made from bytes of [start, end). */
  invalidate(start: number, end: number): void {
    if (this.#byPage.size === 0) return;
    for (let page = start >>> 12; page <= (end - 1) >>> 12; page++) {
      const units = this.#byPage.get(page);
      if (units === undefined) continue;
      this.#byPage.delete(page);
      for (const unit of units) this.#unlink(unit);
    }
  }

  #unlink(unit: CompiledUnit): void {
    for (const block of unit.blocks) this.#covered.delete(block);
    if (this.#linked.get(unit.entry) === unit) this.#linked.delete(unit.entry);
    const { units } = this.#host.shell;
    units.set(unit.slot, units.get(0));
    this.#heat.delete(unit.entry);
  }

  /** Unlinks everything: the variant of code changes. */
  reset(): void {
    for (const unit of [...this.#linked.values()]) this.#unlink(unit);
    this.#byPage.clear();
    this.#heat.clear();
    this.#queue.length = 0;
  }
}
