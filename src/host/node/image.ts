/** What the build made of the machine: beside the bundle, or, from source, in `dist/`. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileInterpreter } from './native-code.ts';

const PLACES = ['./', '../../../dist/'];

function find(name: string): URL | undefined {
  return PLACES.map((place) => new URL(place + name, import.meta.url)).find((url) => existsSync(url));
}

/** `T`: the interface of `translator.js`, which this room does not know. */
export interface HostMachineImage<T> {
  readonly interpreter: Uint8Array;
  readonly compile: (wasm: Uint8Array<ArrayBuffer>) => WebAssembly.Module;
  readonly translator: () => T;
}

/** @throws Error when there was no build. */
export function readMachineImage<T>(): HostMachineImage<T> {
  const interpreter = find('interpreter.bin');
  const translator = find('translator.js');
  if (interpreter === undefined || translator === undefined) throw new Error('cannot find interpreter.bin: build first (npm run build)');
  return {
    interpreter: readFileSync(interpreter),
    compile: (wasm) => compileInterpreter(wasm, find('interpreter.native')),
    translator: () => (createRequire(import.meta.url)(fileURLToPath(translator)) as { regionCompiler: T }).regionCompiler,
  };
}
