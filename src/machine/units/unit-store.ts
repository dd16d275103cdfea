/**
 * Units that outlive the process: what a storage keeps, and how units are found in it.
 *
 * Part 0 is an index, part i + 1 a module with the guest code that its units were made from. A unit is used
 * only where the memory holds that very code, so that a store can never change what a program means; a
 * damaged part is not there. Numbers are little-endian u32.
 */
import { ByteWriter } from '../wasm/writer.ts';

/** Where parts are kept from one process to the next. A part is whole, as it was written, or undefined. */
export interface UnitStorage {
  readonly count: number;
  read(part: number): Uint8Array<ArrayBuffer> | undefined;
  /** Replaces all parts at once. Never throws: a storage that cannot be written stays as it is. */
  replace(parts: readonly Uint8Array[]): void;
}

/** A unit as a store describes it. */
export interface StoredUnit {
  readonly entry: number;
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

interface StoredEntry {
  readonly module: number;
  readonly checked: boolean;
  /** The first four bytes of its code. */
  readonly head: number;
}

const VERSION = 1;
/** Part 0 and the parts of modules together. */
const MAXIMUM_BYTES = 24 << 20;

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
  for (const { entry, checked, ranges, blocks } of units) {
    out.append(words(entry, checked ? 1 : 0, ranges.length, ...ranges.flat(), blocks.length, ...blocks));
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
    const checked = reader.u32() !== 0;
    const ranges = Array.from({ length: reader.u32() }, () => [reader.u32(), reader.u32()] as const);
    const blocks = Array.from({ length: reader.u32() }, () => reader.u32());
    return { entry, checked, ranges, blocks };
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

export class UnitStore {
  readonly #storage: UnitStorage;
  readonly #entries = new Map<number, StoredEntry[]>();
  /** Addresses that have a table slot: the first has slot 1. Units know slots by number. */
  readonly slots: readonly number[] = [];
  /** Where programs and libraries were put in memory when the units were made. Undefined: nothing is stored. */
  readonly layoutSeed: number | undefined;
  readonly #loaded = new Set<number>();
  readonly #modules: readonly (readonly number[])[] = [];

  constructor(storage: UnitStorage) {
    this.#storage = storage;
    const index = storage.count > 0 ? storage.read(0) : undefined;
    if (index === undefined) return;
    try {
      const reader = new WordReader(index);
      if (reader.u32() !== VERSION) return;
      const layoutSeed = reader.u32();
      const slots = Array.from({ length: reader.u32() }, () => reader.u32());
      this.#modules = Array.from({ length: reader.u32() }, (_, module) => this.#readEntries(reader, module));
      this.slots = slots;
      this.layoutSeed = layoutSeed;
    } catch {
      // RangeError: not an index of this version.
      this.#entries.clear();
      this.#modules = [];
    }
  }

  /** The words of a module's index entries. */
  #readEntries(reader: WordReader, module: number): number[] {
    const all: number[] = [];
    for (let count = reader.u32(); count > 0; count--) {
      const [entry, checked, head] = [reader.u32(), reader.u32(), reader.u32()];
      all.push(entry, checked, head);
      const known = this.#entries.get(entry);
      const stored = { module, checked: checked !== 0, head };
      if (known === undefined) this.#entries.set(entry, [stored]);
      else known.push(stored);
    }
    return all;
  }

  /** A module that may have a unit for the code at an entry, each at most once. `code` begins there. */
  take(entry: number, checked: boolean, code: Uint8Array): StoredModule | undefined {
    const candidates = this.#entries.get(entry);
    if (candidates === undefined) return undefined;
    const head = headOf([code]);
    for (const candidate of candidates) {
      if (candidate.checked !== checked || candidate.head !== head || this.#loaded.has(candidate.module)) continue;
      this.#loaded.add(candidate.module);
      const part = this.#storage.read(candidate.module + 1);
      if (part === undefined) continue;
      try {
        return unpackModule(part);
      } catch {
        // RangeError: as if it were not there.
      }
    }
    return undefined;
  }

  /** Keeps new modules, then those of before that served, then others, as far as there is room. */
  save(fresh: readonly StoredModule[], slots: Iterable<number>, layoutSeed: number): void {
    const parts: Uint8Array[] = [];
    const index: Uint8Array[] = [];
    let bytes = 0;
    const keep = (part: Uint8Array | undefined, entries: readonly number[]): void => {
      if (part === undefined || bytes + part.length > MAXIMUM_BYTES) return;
      bytes += part.length;
      parts.push(part);
      index.push(words(entries.length / 3, ...entries));
    };
    for (const module of fresh) keep(packModule(module), module.units.flatMap(({ entry, checked, code }) => [entry, checked ? 1 : 0, headOf(code)]));
    const old = this.#modules.map((_, module) => module);
    for (const module of [...old.filter((number) => this.#loaded.has(number)), ...old.filter((number) => !this.#loaded.has(number))]) {
      keep(this.#storage.read(module + 1), this.#modules[module] ?? []);
    }
    const all = [...slots];
    const out = new ByteWriter(4096);
    out.append(words(VERSION, layoutSeed, all.length, ...all, parts.length));
    for (const entries of index) out.append(entries);
    this.#storage.replace([out.finish(), ...parts]);
  }
}
