/** What the build made of the machine: beside the bundle, or, from source, in `dist/`. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { cacheDirectory } from './cache-directory.ts';
import { keptCode, readNamedCode, tuneEngine, type KeptCode } from './native-code.ts';
import { UnitDirectory } from './unit-directory.ts';

const PLACES = ['./', '../../../dist/'];

function find(name: string): URL | undefined {
  return PLACES.map((place) => new URL(place + name, import.meta.url)).find((url) => existsSync(url));
}

/** `T`: the interface of `translator.js`, which this room does not know. */
export interface HostMachineImage<T> {
  readonly interpreter: Uint8Array;
  readonly vectors: () => Uint8Array;
  readonly compile: (wasm: Uint8Array<ArrayBuffer>, name: string) => WebAssembly.Module;
  readonly translator: () => T;
  readonly nativeNans: boolean;
  readonly native?: Omit<KeptCode, 'optimize'> & Partial<KeptCode>;
  readonly units?: UnitDirectory;
  /** Whether V8 had to compile the interpreter: there was no machine code for it. */
  wasCompiled(): boolean;
}

/** Parts of the file with the machine's own code. */
export const MACHINE_MODULES: readonly string[] = ['interpreter', 'decoder'];

/** Set by the build: names all that translations depend on. */
declare const CAISSON_MACHINE: string | undefined;

const { optimize: _, ...withoutOptimizing } = keptCode;

/** The user's translations for this build of the machine; with V8's machine code, and so for this V8. */
export function openUnits(): UnitDirectory | undefined {
  const directory = cacheDirectory();
  if (directory === undefined || typeof CAISSON_MACHINE === 'undefined') return undefined;
  return new UnitDirectory(join(directory, `units-${CAISSON_MACHINE}.${process.arch}.${process.versions.v8}`));
}

/** The build's machine code of a module of the machine. */
function builtCode(name: string): Uint8Array<ArrayBuffer> | undefined {
  const file = find(`${name}.native`);
  return file === undefined ? undefined : readFileSync(file);
}

/** `optimizesLater`: another process makes machine code of what a program leaves (`optimizeKept`). @throws Error when there was no build. */
export function readMachineImage<T>({ optimizesLater = false } = {}): HostMachineImage<T> {
  tuneEngine();
  const interpreter = find('interpreter.bin');
  const vectors = find('vectors.bin');
  const translator = find('translator.js');
  if (interpreter === undefined || vectors === undefined || translator === undefined) throw new Error('cannot find interpreter.bin: build first (npm run build)');
  const units = openUnits();
  let isCompiled = false;
  return {
    ...(units === undefined ? {} : { units, native: optimizesLater ? withoutOptimizing : keptCode }),
    // V8 compiles float arithmetic to addsd and its like; of two NaNs it may take either (QUIRKS.md, test/machine/nans.c).
    nativeNans: process.arch === 'x64',
    interpreter: readFileSync(interpreter),
    vectors: () => readFileSync(vectors),
    compile: (wasm, name) => {
      const part = MACHINE_MODULES.indexOf(name);
      // Of others none is kept: few processes have them.
      if (part < 0) return new WebAssembly.Module(wasm);
      const module = readNamedCode(wasm, units?.machine().read(part)) ?? readNamedCode(wasm, builtCode(name));
      isCompiled ||= module === undefined;
      return module ?? new WebAssembly.Module(wasm);
    },
    translator: () => (createRequire(import.meta.url)(fileURLToPath(translator)) as { regionCompiler: T }).regionCompiler,
    wasCompiled: () => isCompiled,
  };
}
