/** Which code of an address space becomes units, and when: queue, links between units and blocks. */
import { PAGE_CODE } from '../layout.ts';
import type { Shell } from '../shell.ts';
import type { Region } from '../translator/region.ts';
import type { RegionSource } from '../translator/index.ts';
import type { TimeShare } from './time-share.ts';
import { entriesOf, type CompiledModule, type CompiledUnit, type UnitRegistry } from './unit-registry.ts';

/** Bytes of Wasm that one machine may compile: a guest that makes code without end then stays interpreted. */
const MAXIMUM_WASM_BYTES = 256 << 20;
/** A block that some unit contains, though not as its entry, is translated later than others by this factor. */
const COVERED_FACTOR = 16;
/** Reports of a block before it is translated for the next process: reading a unit costs as much as a few hundred entries. */
const FINISH_REPORTS = 4;
/** Of all such blocks: about 10 ms in the interpreter, a third of what it takes to translate anything. */
const WORTHWHILE_REPORTS = 1000;
/** One more for so many bytes that are kept already: they are written again. */
const KEPT_BYTES_A_REPORT = 10_000;
/** Of what became hot among the handlers of an interpreter. */
const WORTHWHILE_HANDLER_REPORTS = 250;
/** A branch target that was entered less often stays out of regions: the way there goes through the interpreter. */
const WARM_ENTRIES = 16;
/** Targets noted of one indirect jump. */
const MAXIMUM_TARGETS = 128;
/** Indirect jumps whose targets are noted. */
const MAXIMUM_JUMPS = 20_000;
/** Regions in a module, at most. */
const MAXIMUM_BATCH = 32;
const NO_TARGETS: readonly number[] = [];

/** What a translator needs of its address space. */
export interface UnitHost {
  readonly u8: Uint8Array;
  readonly pages: Uint8Array;
  readonly shell: Shell;
  readonly checked: boolean;
  /** Its program began in another address space. */
  readonly isFork: boolean;
  /** How often a block was entered since its last report. */
  entries(address: number): number;
  linkUnit(address: number, slot: number): void;
  /** The code at an address is no unit any more. */
  unlinkUnit(address: number): void;
}

/** The translator of one address space. */
export class Translator {
  readonly #host: UnitHost;
  readonly #registry: UnitRegistry;
  readonly #time: TimeShare;
  readonly #threshold: number;
  #heat = new Map<number, number>();
  #queue: number[] = [];
  /** Starts of blocks inside units. */
  #covered = new Set<number>();
  #targets = new Map<number, number[]>();
  /** By entry. */
  #linked = new Map<number, { readonly unit: CompiledUnit; readonly slot: number }>();
  readonly #modules = new Set<CompiledModule>();
  #byPage = new Map<number, Set<CompiledUnit>>();

  /** `time`: for translating. `threshold`: how often a block reports itself before it is translated. */
  constructor(host: UnitHost, registry: UnitRegistry, time: TimeShare, threshold: number) {
    this.#host = host;
    this.#registry = registry;
    this.#time = time;
    this.#threshold = threshold;
  }

  /** Notes that a block was entered often. */
  hot(address: number): void {
    if (this.#linked.has(address)) return;
    const heat = (this.#heat.get(address) ?? 0) + 1;
    this.#heat.set(address, heat);
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

  /** Links the unit at an address if one was made of the same code: by another address space, or an earlier process. */
  reuse(address: number): boolean {
    if (this.#linked.has(address)) return true;
    const unit = this.#registry.find(this.#host, address);
    return unit !== undefined && this.#link(unit);
  }

  #isHot(address: number): boolean {
    return this.#heat.has(address) || this.#linked.has(address);
  }

  #source(): RegionSource {
    return {
      handlers: this.#registry.image.handlers,
      u8: this.#host.u8,
      pages: this.#host.pages,
      isWarm: (address) => this.#isHot(address) || this.#host.entries(address) >= WARM_ENTRIES,
      jumpTargets: (address) => this.#targets.get(address) ?? NO_TARGETS,
      inlines: !this.#host.checked,
    };
  }

  /** Translates what is in the queue, as far as there is time: the hottest first. */
  work(): void {
    if (this.#queue.length === 0) return;
    this.#time.spend((hasTime) => {
      const heat = (address: number): number => this.#heat.get(address) ?? 0;
      if (this.#queue.length > MAXIMUM_BATCH) this.#queue.sort((a, b) => heat(b) - heat(a));
      while (this.#queue.length > 0 && hasTime()) this.#translate(this.#queue.splice(0, MAXIMUM_BATCH));
    });
  }

  #translate(addresses: readonly number[]): void {
    const regions: Region[] = [];
    const source = this.#source();
    for (const address of addresses) {
      if (this.#covered.has(address) && (this.#heat.get(address) ?? 0) < this.#threshold * COVERED_FACTOR) continue;
      if (this.reuse(address) || this.#registry.statistics.wasmBytes > MAXIMUM_WASM_BYTES) continue;
      const region = this.#registry.compiler.discover(source, address);
      if (region === undefined || (region.entry.start !== address && this.reuse(region.entry.start))) continue;
      if (regions.every(({ entry }) => entry.start !== region.entry.start)) regions.push(region);
    }
    if (regions.length === 0) return;
    for (const unit of this.#registry.compile(this.#host, regions, (address) => this.#isHot(address)).units) this.#link(unit);
  }

  /** A child of a fork runs its parent's modules, which are looked at when that ends. */
  #optimize(hasTime: () => boolean): void {
    const { isFork, shell } = this.#host;
    if (isFork || !this.#registry.optimizes) return;
    for (const compiled of this.#modules) {
      const { module } = compiled;
      if (module === undefined) continue;
      const used = new Set([...this.#linked.values()].filter(({ unit }) => unit.module === compiled).map(({ unit }) => unit.exportName));
      this.#registry.optimize(compiled, shell.instance(module).exports, used, hasTime);
    }
  }

  /** The address space ends: optimizes and translates for the next process what was not worth it for this one, as long as `hasTime`. */
  finish(hasTime: () => boolean): void {
    const registry = this.#registry;
    this.#optimize(hasTime);
    if (!registry.keeps || !hasTime()) return;
    this.#makeDispatchers();
    const known = (address: number): boolean => this.#linked.has(address) || registry.find(this.#host, address) !== undefined;
    const source = { ...this.#source(), endsAt: known };
    const rest = [...this.#heat].filter(([address, heat]) => heat >= FINISH_REPORTS && !this.#linked.has(address)).sort(([, a], [, b]) => b - a);
    if (rest.reduce((sum, [, heat]) => sum + heat, 0) < WORTHWHILE_REPORTS + registry.keptBytes / KEPT_BYTES_A_REPORT) return;
    let regions: Region[] = [];
    /** Instructions of what is made here: whether control comes to their middle otherwise, the next process will tell. */
    const made = new Set<number>();
    const translate = (): void => {
      if (regions.length > 0) registry.compile(this.#host, regions, (address) => this.#isHot(address));
      regions = [];
    };
    for (const [address] of rest) {
      if (!hasTime() || !registry.keeps) break;
      if (made.has(address)) continue;
      const region = registry.compiler.discover(source, address);
      if (region === undefined || registry.find(this.#host, region.entry.start) !== undefined) continue;
      for (const { instructions } of region.blocks) for (const instruction of instructions) made.add(instruction.address);
      if (regions.every(({ entry }) => entry.start !== region.entry.start)) regions.push(region);
      if (regions.length >= MAXIMUM_BATCH) translate();
    }
    translate();
  }

  /** Handlers of an interpreter become one unit for the next process, which has it instead of units of their own. */
  #makeDispatchers(): void {
    let heat = 0;
    for (const reports of this.#heat.values()) heat += reports;
    if (heat < WORTHWHILE_REPORTS) return; // To load the compiler takes longer.
    const registry = this.#registry;
    const { compiler } = registry;
    const hot = this.#source();
    const source = { ...hot, isWarm: (address: number) => this.#covered.has(address) || hot.isWarm(address) };
    const dispatchers = new Set([...this.#linked.values()].map(({ unit }) => unit).filter(({ others }) => others.length > 0));
    const isKnown = (address: number): boolean => (this.#linked.get(address)?.unit.others.length ?? 0) > 0;
    const fresh = compiler.findHandlers(source, this.#targets).filter((handlers) => !handlers.some(isKnown));
    for (const handlers of [...fresh, ...[...dispatchers].flatMap((unit) => this.#moreHandlers(unit))]) {
      const region = compiler.discoverDispatcher(source, handlers);
      if (region !== undefined) registry.replace(this.#host, region, (address) => this.#isHot(address));
    }
  }

  /** The entries of a dispatcher with what became hot between them; none where that is not worth it. */
  #moreHandlers(unit: CompiledUnit): number[][] {
    const entries = entriesOf(unit).map(({ entry }) => entry);
    const [low, high] = [Math.min(...entries), Math.max(...entries)];
    const own = new Set(unit.blocks);
    const hot = [...this.#heat].filter(([address, heat]) => heat >= FINISH_REPORTS && address > low && address < high && !own.has(address));
    return hot.reduce((sum, [, heat]) => sum + heat, 0) < WORTHWHILE_HANDLER_REPORTS ? [] : [[...entries, ...hot.map(([address]) => address)]];
  }

  /** Makes the memory's unit at its entry this one, whose code is what the memory holds. */
  #link(unit: CompiledUnit): boolean {
    const { module } = unit.module;
    if (module === undefined) return false;
    const { shell, pages } = this.#host;
    shell.growUnits(this.#registry.slotCount);
    const code: unknown = shell.instance(module).exports[unit.exportName];
    for (const { entry, slot } of entriesOf(unit)) {
      shell.units.set(slot, code);
      this.#linked.set(entry, { unit, slot });
    }
    this.#modules.add(unit.module);
    for (const block of unit.blocks) this.#covered.add(block);
    for (const [start, end] of unit.ranges) {
      for (let page = start >>> 12; page <= (end - 1) >>> 12; page++) {
        pages[page] = (pages[page] ?? 0) | PAGE_CODE;
        let set = this.#byPage.get(page);
        if (set === undefined) this.#byPage.set(page, (set = new Set()));
        set.add(unit);
      }
    }
    for (const { entry, slot } of entriesOf(unit)) this.#host.linkUnit(entry, slot);
    return true;
  }

  /** Slots that lead to units now. */
  *slots(): Iterable<number> {
    for (const { slot } of this.#linked.values()) yield slot;
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
    const { units } = this.#host.shell;
    for (const { entry, slot } of entriesOf(unit)) {
      if (this.#linked.get(entry)?.unit === unit) this.#linked.delete(entry);
      units.set(slot, units.get(0));
      this.#host.unlinkUnit(entry);
      this.#heat.delete(entry);
    }
  }

  /** Unlinks everything: the variant of code changes. */
  reset(): void {
    for (const { unit } of [...this.#linked.values()]) this.#unlink(unit);
    this.#byPage.clear();
    this.#heat.clear();
    this.#queue.length = 0;
  }
}
