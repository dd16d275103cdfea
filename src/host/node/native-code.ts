/**
 * Machine code of the interpreter and the decoder: V8 compiles a Wasm function when it is first called, and a short program calls a thousand
 * handlers once or twice. The build left some beside them; under another Node version the user's cache has it after the first run.
 *
 * V8 has had functions to write and read the code of a module for years, for its own tests: they answer to
 * `%Name` where the flag for that is on. It refuses code of another version, for other processors or
 * flags, and then the module is compiled as always. The build's file is part of the program, like the JavaScript
 * beside it: whoever can write it can write that. The user's is one of `unit-directory.ts`.
 */
import { createRequire } from 'node:module';
import { nodeBinding } from './binding.ts';

/** V8 11 and 12 compile a Wasm function again, with all optimizations, after a seventh of the work that V8 13 waits for; short programs are over by then. */
const TIERING_BUDGET = '--wasm-tiering-budget=13000000';

/** Code that seldom runs goes behind the function, with what is stored for it (`ModuleWriter`): a proposal that V8 14 has without a flag. */
const BRANCH_HINTS = '--experimental-wasm-branch-hinting';

interface FlagSetter {
  setFlagsFromString(flag: string): void;
}

function setFlagsFromString(flag: string): void {
  const set = nodeBinding<FlagSetter>('v8')?.setFlagsFromString;
  if (set !== undefined) set(flag);
  else (createRequire(import.meta.url)('node:v8') as FlagSetter).setFlagsFromString(flag);
}

/** For the whole process; caches are good only under the same flags. Called before anything is compiled (`scripts/stub.cjs` does the same). */
export function tuneEngine(): void {
  const version = Number.parseInt(process.versions.v8, 10);
  if (version < 13) setFlagsFromString(TIERING_BUDGET);
  if (version < 14) setFlagsFromString(BRANCH_HINTS);
}

const IDENTITY_SIZE = 8;

/** The last bytes of a module of the build are its name (`packImage`); the two files come from one build. */
function identityOf(wasm: Uint8Array): Uint8Array {
  return wasm.subarray(wasm.length - IDENTITY_SIZE);
}

/** A function of V8's, by a text that uses `%`. The flag is on for this moment only. */
export function nativeFunction(parameters: string, body: string): (...values: unknown[]) => unknown {
  setFlagsFromString('--allow-natives-syntax');
  try {
    return new Function(...parameters.split(','), body) as (...values: unknown[]) => unknown;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

const functions = new Map<string, (...values: unknown[]) => unknown>();

/** Calls a function of V8's, by its name. @throws SyntaxError where V8 has no such function. */
function callNative(name: string, ...values: unknown[]): unknown {
  let call = functions.get(name);
  if (call === undefined) functions.set(name, (call = nativeFunction('first,second', `return %${name}(${['first', 'second'].slice(0, values.length).join()})`)));
  return call(...values);
}

/** Machine code of modules that are kept with them: `NativeCode` of the machine. */
export interface KeptCode {
  isOptimized(code: WebAssembly.ExportValue): boolean;
  optimize(code: WebAssembly.ExportValue): void;
  write(module: WebAssembly.Module): Uint8Array<ArrayBuffer> | undefined;
  read(code: Uint8Array<ArrayBuffer>, wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined;
}

export const keptCode: KeptCode = {
  isOptimized(code) {
    try {
      return callNative('IsTurboFanFunction', code) === true;
    } catch {
      return false;
    }
  },
  optimize(code) {
    try {
      callNative('WasmTierUpFunction', code);
    } catch {
      // This V8 has no such function: it optimizes what it finds hot.
    }
  },
  /** V8 stops the process if no function is optimized: there must be one. */
  write(module) {
    try {
      const code = callNative('SerializeWasmModule', module);
      return code instanceof ArrayBuffer ? new Uint8Array(code) : undefined;
    } catch {
      return undefined; // this V8 has no such function, or nothing was compiled
    }
  },
  read(code, wasm) {
    try {
      // A buffer of its own: `slice` of a Node Buffer is a view.
      const module = callNative('DeserializeWasmModule', code.byteLength === code.buffer.byteLength ? code.buffer : new Uint8Array(code).buffer, wasm);
      return module instanceof WebAssembly.Module ? module : undefined;
    } catch {
      return undefined;
    }
  },
};

/** Whether this V8 writes machine code, and takes it back. */
export function keepsMachineCode(): boolean {
  try {
    return ['SerializeWasmModule', 'WasmTierUpFunction'].every((name) => typeof nativeFunction('value', `return %${name}(value)`) === 'function');
  } catch {
    return false; // SyntaxError: there is no such function
  }
}

/** What is kept as machine code of a module of the machine: the module's name, and what V8 wrote. V8 itself takes any module's code for any. */
export function namedCode(wasm: Uint8Array, code: Uint8Array): Uint8Array {
  return Buffer.concat([identityOf(wasm), code]);
}

/** The module, from what `namedCode` made of it. Undefined: there is none, it is of another module, or not fit for this V8. */
export function readNamedCode(wasm: Uint8Array<ArrayBuffer>, named: Uint8Array<ArrayBuffer> | undefined): WebAssembly.Module | undefined {
  if (named === undefined || named.length <= IDENTITY_SIZE || identityOf(wasm).some((byte, index) => named[index] !== byte)) return undefined;
  return keptCode.read(named.subarray(IDENTITY_SIZE), wasm);
}
