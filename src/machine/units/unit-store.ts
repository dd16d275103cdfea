/**
 * Units that outlive the process: what a storage keeps, and how units are found in it.
 *
 * Part 0 is an index, part i + 1 a module with the guest code that its units were made from. A unit is used
 * only where the memory holds that very code, so that a store can never change what a program means; a
 * damaged part is not there. Numbers are little-endian u32. The index: version, number of entries, number of
 * slots; for each entry `ENTRY_WORDS` words, in the order of addresses; the addresses of the slots.
 */
import { ByteWriter } from '../wasm/writer.ts';

/** Where parts are kept from one process to the next. A part is whole, as it was written, or undefined. */
export interface UnitStorage {
  readonly count: number;
  /** A number that was kept with the parts, quick to get. 0: none. */
  readonly tag: number;
  read(part: number): Uint8Array<ArrayBuffer> | undefined;
  /** Replaces all parts at once. Never throws: a storage that cannot be written stays as it is. */
  replace(parts: readonly Uint8Array[], tag: number): void;
}

/** A unit as a store describes it. */
export interface StoredUnit {
  readonly entry: number;
  /** In the table of units. Other units know it by this number. */
  readonly slot: number;
  readonly checked: boolean;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** Where its blocks start. */
  readonly blocks: readonly number[];
  readonly code: readonly Uint8Array[];
}

export interface StoredModule {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** In the order of the module's exports. */
  readonly units: readonly StoredUnit[];
}

const VERSION = 2;
// Words of an entry of the index.
const ENTRY_ADDRESS = 0;
/** Number of the module * 2, + 1 for checked code. */
const ENTRY_MODULE = 1;
/** The first four bytes of the code. */
const ENTRY_HEAD = 2;
const ENTRY_WORDS = 3;
const INDEX_HEADER = 3;
/** The parts of modules together. */
const MAXIMUM_BYTES = 4 << 20;
/** Slots are never given back, and V8 copies the table of all for each module: with more, the store begins anew. */
const MAXIMUM_STORED_SLOTS = 8192;

class WordReader {
  readonly #view: DataView;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get position(): number {
    return this.#at;
  }
  /** @throws RangeError behind the end. */
  u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function packModule({ wasm, units }: StoredModule): Uint8Array {
  const out = new ByteWriter(wasm.length + 1024);
  out.append(words(units.length));
  for (const { entry, slot, checked, ranges, blocks } of units) {
    out.append(words(entry, slot, checked ? 1 : 0, ranges.length, ...ranges.flat(), blocks.length, ...blocks));
  }
  for (const { code } of units) for (const bytes of code) out.append(bytes);
  out.append(wasm);
  return out.finish();
}

/** @throws RangeError for what is no module. */
function unpackModule(part: Uint8Array<ArrayBuffer>): StoredModule {
  const reader = new WordReader(part);
  const heads = Array.from({ length: reader.u32() }, () => {
    const entry = reader.u32();
    const slot = reader.u32();
    const checked = reader.u32() !== 0;
    const ranges = Array.from({ length: reader.u32() }, () => [reader.u32(), reader.u32()] as const);
    const blocks = Array.from({ length: reader.u32() }, () => reader.u32());
    return { entry, slot, checked, ranges, blocks };
  });
  let at = reader.position;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    if (length < 0 || at + length > part.length) throw new RangeError('a stored module is shorter than it says');
    at += length;
    return part.subarray(at - length, at);
  };
  const units = heads.map((head) => ({ ...head, code: head.ranges.map(([start, end]) => take(end - start)) }));
  return { wasm: take(part.length - at), units };
}

function headOf(code: readonly Uint8Array[]): number {
  const [first] = code;
  return first === undefined ? 0 : ((first[0] ?? 0) | ((first[1] ?? 0) << 8) | ((first[2] ?? 0) << 16) | ((first[3] ?? 0) << 24)) >>> 0;
}

/** Entries of an index that was found to be whole; `undefined` for one that is not. */
function openIndex(part: Uint8Array<ArrayBuffer> | undefined): { entries: Uint32Array; slots: Uint32Array } | undefined {
  if (part === undefined || part.length % 4 !== 0 || part.length < 4 * INDEX_HEADER) return undefined;
  const all = new Uint32Array(new Uint8Array(part).buffer);
  const [version, entries = 0, slots = 0] = all;
  if (version !== VERSION || all.length !== INDEX_HEADER + entries * ENTRY_WORDS + slots) return undefined;
  const end = INDEX_HEADER + entries * ENTRY_WORDS;
  return { entries: all.subarray(INDEX_HEADER, end), slots: all.subarray(end) };
}

export class UnitStore {
  readonly #storage: UnitStorage;
  #entries: Uint32Array = new Uint32Array(0);
  #slots: Uint32Array = new Uint32Array(0);
  #isOpen = false;
  readonly #loaded = new Set<number>();

  constructor(storage: UnitStorage) {
    this.#storage = storage;
  }

  /** Where programs and libraries were put in memory when the units were made. Undefined: nothing is stored. */
  get layoutSeed(): number | undefined {
    return this.#storage.tag === 0 ? undefined : this.#storage.tag - 1;
  }

  /** Addresses that have a table slot: the first has slot 1. */
  get slots(): Uint32Array {
    this.#open();
    return this.#slots;
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const index = this.#storage.count > 0 ? openIndex(this.#storage.read(0)) : undefined;
    if (index === undefined) return;
    this.#entries = index.entries;
    this.#slots = index.slots;
  }

  /** Word index of the first entry that is not below an address. */
  #search(address: number): number {
    let low = 0;
    let high = this.#entries.length / ENTRY_WORDS;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle * ENTRY_WORDS + ENTRY_ADDRESS] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low * ENTRY_WORDS;
  }

  /** A module that may have a unit for the code at an entry, each at most once. `code` begins there. */
  take(entry: number, checked: boolean, code: Uint8Array): StoredModule | undefined {
    this.#open();
    const entries = this.#entries;
    const head = headOf([code]);
    for (let at = this.#search(entry); entries[at + ENTRY_ADDRESS] === entry; at += ENTRY_WORDS) {
      const word = entries[at + ENTRY_MODULE] ?? 0;
      const module = word >>> 1;
      if ((word & 1) !== (checked ? 1 : 0) || entries[at + ENTRY_HEAD] !== head || this.#loaded.has(module)) continue;
      this.#loaded.add(module);
      const part = this.#storage.read(module + 1);
      if (part === undefined) continue;
      try {
        const stored = unpackModule(part);
        // A slot that the index does not know would lead into nowhere.
        if (stored.units.every((unit) => this.#slots[unit.slot - 1] === unit.entry)) return stored;
      } catch {
        // RangeError: as if it were not there.
      }
    }
    return undefined;
  }

  /** Modules of before, with their entries: those that served come first. */
  #older(): { module: number; entries: Uint32Array[] }[] {
    const modules = new Map<number, Uint32Array[]>();
    for (let at = 0; at < this.#entries.length; at += ENTRY_WORDS) {
      const module = (this.#entries[at + ENTRY_MODULE] ?? 0) >>> 1;
      const entry = this.#entries.slice(at, at + ENTRY_WORDS);
      const entries = modules.get(module);
      if (entries === undefined) modules.set(module, [entry]);
      else entries.push(entry);
    }
    const all = [...modules].map(([module, entries]) => ({ module, entries }));
    return [...all.filter(({ module }) => this.#loaded.has(module)), ...all.filter(({ module }) => !this.#loaded.has(module))];
  }

  /** Keeps new modules, then those of before that served, then others, as far as there is room. */
  save(fresh: readonly StoredModule[], slots: Iterable<number>, layoutSeed: number): void {
    const all = [...slots];
    if (all.length > MAXIMUM_STORED_SLOTS) {
      this.#storage.replace([], 0);
      return;
    }
    this.#open();
    const parts: Uint8Array[] = [];
    const index: Uint32Array[] = [];
    let bytes = 0;
    const keep = (part: Uint8Array | undefined, entries: readonly Uint32Array[]): void => {
      if (part === undefined || bytes + part.length > MAXIMUM_BYTES) return;
      bytes += part.length;
      for (const [address = 0, word = 0, head = 0] of entries) index.push(Uint32Array.of(address, parts.length * 2 + (word & 1), head));
      parts.push(part);
    };
    for (const module of fresh) {
      keep(packModule(module), module.units.map(({ entry, checked, code }) => Uint32Array.of(entry, checked ? 1 : 0, headOf(code))));
    }
    for (const { module, entries } of this.#older()) keep(this.#storage.read(module + 1), entries);
    index.sort((a, b) => (a[ENTRY_ADDRESS] ?? 0) - (b[ENTRY_ADDRESS] ?? 0));
    const out = new ByteWriter(4096);
    out.append(words(VERSION, index.length, all.length));
    for (const entry of index) out.append(words(...entry));
    out.append(new Uint8Array(Uint32Array.from(all).buffer));
    this.#storage.replace([out.finish(), ...parts], layoutSeed + 1);
  }
}
