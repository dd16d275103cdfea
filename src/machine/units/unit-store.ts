/**
 * Units of a program that outlive the process: what a storage keeps, and how units are found in it.
 *
 * Part 0 is an index; parts 2i + 1 and 2i + 2 are module i, with the guest code that its units were made from, and its
 * machine code, if there is some. A unit is used only where the memory holds that very code, so that a store can never
 * change what a program means; a damaged part is not there. Numbers are little-endian u32. The index: version, number
 * of modules, of entries, of slots; for each module how many of its functions the machine code has; for each entry
 * `ENTRY_WORDS` words, in the order of addresses; the addresses of the slots.
 */
import { ByteWriter } from '../wasm/writer.ts';

/** Where parts are kept from one process to the next. A part is whole, as it was written, or undefined. */
export interface UnitStorage {
  readonly count: number;
  /** Of all parts together. */
  readonly bytes: number;
  /** Nobody has replaced them since this was opened. */
  readonly isCurrent: boolean;
  /** A number that was kept with the parts, quick to get. 0: none. */
  readonly tag: number;
  read(part: number): Uint8Array<ArrayBuffer> | undefined;
  /** Replaces all parts at once. Never throws: a storage that cannot be written stays as it is. */
  replace(parts: readonly Uint8Array[], tag: number): void;
}

/** Where a unit is entered (0: nowhere any more), and its slot in the table of units, by which others know it. */
export interface UnitEntry {
  readonly entry: number;
  readonly slot: number;
}

/** A unit as a store describes it. */
export interface StoredUnit extends UnitEntry {
  /** It may be entered at these, too, under their slots. */
  readonly others: readonly UnitEntry[];
  readonly checked: boolean;
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** Where its blocks start. */
  readonly blocks: readonly number[];
  readonly code: readonly Uint8Array[];
  /** Its function in the module. */
  readonly body: { readonly start: number; readonly length: number };
  /** Which way branches of it mostly go: `EncodedCode`. */
  readonly hints: readonly number[];
}

export interface StoredModule {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** In the order of the module's exports. */
  readonly units: readonly StoredUnit[];
  /** What the engine made of it, for the engine itself. */
  readonly native: Uint8Array<ArrayBuffer> | undefined;
  /** How many of its functions that has. */
  readonly nativeCount: number;
}

const VERSION = 5;
// Words of an entry of the index.
const ENTRY_ADDRESS = 0;
/** Number of the module * 2, + 1 for checked code. */
const ENTRY_MODULE = 1;
/** The first four bytes of the code. */
const ENTRY_HEAD = 2;
const ENTRY_WORDS = 3;
const INDEX_HEADER = 4;
/** All parts of a program together. */
const MAXIMUM_BYTES = 128 << 20;
/** From here on nothing is added. */
const FULL_BYTES = 64 << 20;
/** Slots are never given back, and V8 copies the table of all for each module: with more, the store begins anew. */
const MAXIMUM_STORED_SLOTS = 16_384;

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
  for (const { entry, slot, others, checked, ranges, blocks, body, hints } of units) {
    out.append(words(entry, slot, others.length, ...others.flatMap((other) => [other.entry, other.slot])));
    out.append(words(checked ? 1 : 0, body.start, body.length, ranges.length, ...ranges.flat(), blocks.length, ...blocks, hints.length, ...hints));
  }
  for (const { code } of units) for (const bytes of code) out.append(bytes);
  out.append(wasm);
  return out.finish();
}

/** @throws RangeError for what is no module. */
function unpackModule(part: Uint8Array<ArrayBuffer>): Pick<StoredModule, 'wasm' | 'units'> {
  const reader = new WordReader(part);
  const heads = Array.from({ length: reader.u32() }, () => {
    const entry = reader.u32();
    const slot = reader.u32();
    const others = Array.from({ length: reader.u32() }, () => ({ entry: reader.u32(), slot: reader.u32() }));
    const checked = reader.u32() !== 0;
    const body = { start: reader.u32(), length: reader.u32() };
    const ranges = Array.from({ length: reader.u32() }, () => [reader.u32(), reader.u32()] as const);
    const blocks = Array.from({ length: reader.u32() }, () => reader.u32());
    const hints = Array.from({ length: reader.u32() }, () => reader.u32());
    return { entry, slot, others, checked, body, ranges, blocks, hints };
  });
  let at = reader.position;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    if (length < 0 || at + length > part.length) throw new RangeError('a stored module is shorter than it says');
    at += length;
    return part.subarray(at - length, at);
  };
  const units = heads.map((head) => ({ ...head, code: head.ranges.map(([start, end]) => take(end - start)) }));
  const wasm = take(part.length - at);
  if (units.some(({ body }) => body.start + body.length > wasm.length)) throw new RangeError('a function lies behind its module');
  return { wasm, units };
}

/** The first four bytes, little-endian, as far as there are any. */
function headOf(code: Uint8Array | undefined, at = 0): number {
  if (code === undefined) return 0;
  return ((code[at] ?? 0) | ((code[at + 1] ?? 0) << 8) | ((code[at + 2] ?? 0) << 16) | ((code[at + 3] ?? 0) << 24)) >>> 0;
}

/** The same of a unit's code at an entry. */
function headAt({ ranges, code }: StoredUnit, entry: number): number {
  const index = ranges.findIndex(([start, end]) => entry >= start && entry < end);
  const [start = 0] = ranges[index] ?? [];
  return headOf(code[index], entry - start);
}

interface Index {
  readonly nativeCounts: Uint32Array;
  readonly entries: Uint32Array;
  readonly slots: Uint32Array;
}

const EMPTY: Index = { nativeCounts: new Uint32Array(0), entries: new Uint32Array(0), slots: new Uint32Array(0) };

/** An index that was found to be whole, or an empty one. */
function openIndex(part: Uint8Array<ArrayBuffer> | undefined): Index {
  if (part === undefined || part.length % 4 !== 0 || part.length < 4 * INDEX_HEADER) return EMPTY;
  const all = new Uint32Array(new Uint8Array(part).buffer);
  const [version, modules = 0, entries = 0, slots = 0] = all;
  if (version !== VERSION || all.length !== INDEX_HEADER + modules + entries * ENTRY_WORDS + slots) return EMPTY;
  const first = INDEX_HEADER + modules;
  const end = first + entries * ENTRY_WORDS;
  return { nativeCounts: all.subarray(INDEX_HEADER, first), entries: all.subarray(first, end), slots: all.subarray(end) };
}

export class UnitStore {
  readonly #storage: UnitStorage;
  readonly #tag: number;
  #index: Index | undefined;
  readonly #loaded = new Set<number>();

  /** `layoutSeed`: where programs and libraries are put in memory; units of another layout are none. */
  constructor(storage: UnitStorage, layoutSeed: number | undefined) {
    this.#storage = storage;
    this.#tag = layoutSeed === undefined ? 0 : layoutSeed + 1;
  }

  #open(): Index {
    if (this.#index === undefined) {
      const { count, tag } = this.#storage;
      this.#index = this.#tag !== 0 && tag === this.#tag && count > 0 ? openIndex(this.#storage.read(0)) : EMPTY;
    }
    return this.#index;
  }

  /** Addresses that have a table slot: the first has slot 1. */
  get slots(): Uint32Array {
    return this.#open().slots;
  }

  /** There is no more room, and to read all would take longer than it saves. */
  get isFull(): boolean {
    return this.moduleCount > 0 && this.#storage.bytes > FULL_BYTES;
  }

  /** Of all parts, as they were found. */
  get bytes(): number {
    return this.#storage.bytes;
  }

  get moduleCount(): number {
    return this.#open().nativeCounts.length;
  }

  /** Word index of the first entry that is not below an address. */
  #search(entries: Uint32Array, address: number): number {
    let low = 0;
    let high = entries.length / ENTRY_WORDS;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle * ENTRY_WORDS + ENTRY_ADDRESS] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low * ENTRY_WORDS;
  }

  /** Modules, by number, that were not loaded yet and may have a unit for the code that begins at `code[offset]`. */
  candidates(entry: number, checked: boolean, code: Uint8Array, offset: number): number[] {
    const { entries } = this.#open();
    const found: number[] = [];
    for (let at = this.#search(entries, entry); entries[at + ENTRY_ADDRESS] === entry; at += ENTRY_WORDS) {
      const word = entries[at + ENTRY_MODULE] ?? 0;
      const module = word >>> 1;
      if ((word & 1) !== (checked ? 1 : 0) || this.#loaded.has(module)) continue;
      if (entries[at + ENTRY_HEAD] === headOf(code, offset)) found.push(module);
    }
    return found;
  }

  /** A module, at most once; undefined where it is not there or damaged. */
  load(module: number): StoredModule | undefined {
    if (this.#loaded.has(module)) return undefined;
    this.#loaded.add(module);
    return this.#read(module);
  }

  #read(module: number): StoredModule | undefined {
    const { slots, nativeCounts } = this.#open();
    const part = this.#storage.read(2 * module + 1);
    if (part === undefined) return undefined;
    try {
      const { wasm, units } = unpackModule(part);
      // A slot that the index does not know would lead into nowhere.
      if (!units.every((unit) => [unit, ...unit.others].every(({ entry, slot }) => entry === 0 || slots[slot - 1] === entry))) return undefined;
      const native = this.#storage.read(2 * module + 2);
      const hasNative = native !== undefined && native.length > 0;
      return { wasm, units, native: hasNative ? native : undefined, nativeCount: hasNative ? (nativeCounts[module] ?? 0) : 0 };
    } catch {
      return undefined; // RangeError: as if it were not there
    }
  }

  /** Modules that nobody asked for in this process. */
  *rest(): Iterable<StoredModule> {
    for (let module = 0; module < this.moduleCount; module++) {
      const stored = this.load(module);
      if (stored !== undefined) yield stored;
    }
  }

  /** Replaces everything, as far as there is room: modules in the order of their worth. */
  save(modules: Iterable<StoredModule>, slots: readonly number[], layoutSeed: number): void {
    if (slots.length > MAXIMUM_STORED_SLOTS) {
      this.#storage.replace([], 0);
      return;
    }
    const parts: Uint8Array[] = [];
    const nativeCounts: number[] = [];
    const index: Uint32Array[] = [];
    let bytes = 0;
    for (const module of modules) {
      const part = packModule(module);
      if (bytes + part.length > MAXIMUM_BYTES) continue;
      // Without machine code it is still worth more than nothing.
      const hasNative = module.native !== undefined && bytes + part.length + module.native.length <= MAXIMUM_BYTES;
      const native = hasNative ? module.native : new Uint8Array(0);
      bytes += part.length + native.length;
      const word = 2 * nativeCounts.length;
      for (const unit of module.units) {
        for (const { entry } of [unit, ...unit.others]) if (entry !== 0) index.push(Uint32Array.of(entry, word + (unit.checked ? 1 : 0), headAt(unit, entry)));
      }
      nativeCounts.push(hasNative ? module.nativeCount : 0);
      parts.push(part, native);
    }
    index.sort((a, b) => (a[ENTRY_ADDRESS] ?? 0) - (b[ENTRY_ADDRESS] ?? 0));
    const out = new ByteWriter(4096);
    out.append(words(VERSION, nativeCounts.length, index.length, slots.length));
    out.append(new Uint8Array(Uint32Array.from(nativeCounts).buffer));
    for (const entry of index) out.append(new Uint8Array(entry.buffer));
    out.append(new Uint8Array(Uint32Array.from(slots).buffer));
    this.#storage.replace([out.finish(), ...parts], layoutSeed + 1);
  }
}
