/**
 * What an address space lives in and leaves to the next one: a Wasm memory, the interpreter's instance
 * on it, the table of units, and instances of unit modules. Making one costs milliseconds.
 */
import { BlockDecoder } from './decoder/block-decoder.ts';
import type { LoadedImage } from './interpreter/image.ts';
import { SpaceMemory } from './space-memory.ts';

/** Functions that Wasm code imports; those of the shell's owner are called. */
export interface ShellOwner {
  checkAccess(low: number, high: number, size: number, write: number, pc: number): number;
  raise(vector: number, pc: number): void;
  callHelper(helper: number, destination: number, source: number, immediate: number, forms: number, pc: number): number;
  resolve(record: number): number;
  hot(block: number): number;
  lookup(address: number): number;
  syscall(): number;
  jumped(from: number, target: number): void;
  stackLeft(address: number): number;
}

/** Unit modules that stay instantiated in a shell. */
const MAXIMUM_INSTANCES = 256;

export class Shell {
  readonly memory = new SpaceMemory();
  readonly decoder: BlockDecoder;
  readonly units: WebAssembly.Table;
  /** What translated code may still do before the host has its turn. No guest store reaches it. */
  readonly fuel = new WebAssembly.Global({ value: 'i32', mutable: true }, 0);
  /** Runs from a guest address until the host is wanted. */
  readonly start: (address: number) => number;
  owner: ShellOwner | undefined;
  readonly #imports: WebAssembly.ModuleImports;
  #instances = new Map<WebAssembly.Module, WebAssembly.Instance>();

  constructor(image: LoadedImage) {
    this.decoder = new BlockDecoder(image.decoder, this.memory.memory);
    this.decoder.reset(this.memory.u8);
    this.units = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
    this.#imports = this.#createImports();
    const handlers = new WebAssembly.Table({ element: 'anyfunc', initial: image.handlerCount, maximum: image.handlerCount });
    const instance = new WebAssembly.Instance(image.module, { m: { ...this.#imports, handlers } });
    this.start = instance.exports['start'] as (address: number) => number;
    this.units.set(0, instance.exports['interpret']);
    this.#imports['compareStrings'] = instance.exports['compareStrings'] as WebAssembly.ExportValue;
    if (image.vectors !== undefined) new WebAssembly.Instance(image.vectors, { m: { ...this.#imports, handlers } });
  }

  #owner(): ShellOwner {
    if (this.owner === undefined) throw new Error('code runs in a shell without an owner');
    return this.owner;
  }

  #createImports(): WebAssembly.ModuleImports {
    return {
      memory: this.memory.memory,
      units: this.units,
      fuel: this.fuel,
      checkAccess: (low: number, high: number, size: number, write: number, pc: number) => this.#owner().checkAccess(low, high, size, write, pc),
      raise: (vector: number, pc: number) => this.#owner().raise(vector, pc),
      helper: (helper: number, destination: number, source: number, immediate: number, forms: number, pc: number) =>
        this.#owner().callHelper(helper, destination, source, immediate, forms, pc),
      resolve: (record: number) => this.#owner().resolve(record),
      hot: (block: number) => this.#owner().hot(block),
      lookup: (address: number) => this.#owner().lookup(address),
      syscall: () => this.#owner().syscall(),
      stackLeft: (address: number) => this.#owner().stackLeft(address),
      jumped: (from: number, target: number) => this.#owner().jumped(from, target),
    };
  }

  /** The instance of a unit module on this memory, made at first use. */
  instance(module: WebAssembly.Module): WebAssembly.Instance {
    let instance = this.#instances.get(module);
    if (instance === undefined) {
      if (this.#instances.size >= MAXIMUM_INSTANCES) this.#instances.clear();
      instance = new WebAssembly.Instance(module, { m: this.#imports });
      this.#instances.set(module, instance);
    }
    return instance;
  }

  /** Makes the table have `count` slots; new ones lead to the interpreter. */
  growUnits(count: number): void {
    const missing = count - this.units.length;
    if (missing > 0) this.units.grow(missing + 256, this.units.get(0));
  }

  /** Before the next owner comes. */
  reset(): void {
    this.memory.clear();
    this.decoder.reset(this.memory.u8);
  }

  /** Its owner leaves: his units are not linked any more. */
  clear(slots: Iterable<number>): void {
    const interpret: unknown = this.units.get(0);
    for (const slot of slots) this.units.set(slot, interpret);
    this.owner = undefined;
    this.memory.onGrow = undefined;
  }
}
