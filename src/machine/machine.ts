/** Creates machines: see `machine-types.ts` for what they do. */
import { GuestSpace, type SpaceEnvironment } from './address-space.ts';
import { loadImage } from './interpreter/image.ts';
import type { AddressSpace, Machine, MachineImage, MachineOptions, MachineStatistics } from './machine-types.ts';
import { Shell } from './shell.ts';
import { Translator, UnitRegistry } from './units/translator.ts';
import { UnitStore } from './units/unit-store.ts';

/** Shells kept for the next address spaces. */
const POOL_SIZE = 4;
/** A memory that grew beyond this is given up: clearing what it may hold takes longer than a fresh one, and the host gets it back. */
const POOLED_BYTES = 512 << 20;
/** Reports of a block (each of 256 entries) before it is translated. */
const THRESHOLD = 64;

function compileModule(wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  return new WebAssembly.Module(wasm);
}

/**
 * A machine that runs x86-64 code of any number of address spaces on this thread. `image` is what the build made.
 */
export function createMachine(image: MachineImage, options: MachineOptions): Machine {
  const pool: Shell[] = [];
  const statistics: MachineStatistics = { instructionsDecoded: 0, unitsTranslated: 0, wasmBytes: 0, undecodable: 0 };
  const loaded = loadImage(image.interpreter, image.compile ?? compileModule);
  const store = image.units === undefined ? undefined : new UnitStore(image.units);
  const registry = new UnitRegistry(loaded, image, store, statistics);
  const environment: SpaceEnvironment = {
    image: loaded,
    options,
    statistics,
    takeShell: () => {
      const shell = pool.pop();
      shell?.reset();
      return shell ?? new Shell(loaded);
    },
    giveShell: (shell) => {
      if (pool.length < POOL_SIZE && shell.memory.u8.length <= POOLED_BYTES) pool.push(shell);
    },
    createTranslator: (space) =>
      options.tier === 'interpreter' ? undefined : new Translator(space, registry, options.tier === 'translator' ? 1 : THRESHOLD),
  };
  return {
    statistics,
    layoutSeed: store?.layoutSeed,
    saveUnits: (layoutSeed) => registry.save(layoutSeed),
    createAddressSpace(): AddressSpace {
      const space = new GuestSpace(environment);
      space.resetRegisters();
      return space;
    },
  };
}
