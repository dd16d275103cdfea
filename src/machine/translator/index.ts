/** From hot guest code to Wasm. Loaded when there is something to translate: a short program ends before. */
import { helperNumbers } from '../helpers/index.ts';
import { COMPARE_STRINGS_PARAMETERS } from '../semantics/compare-strings.ts';
import { exactSemantics, semantics } from '../semantics/index.ts';
import { ModuleWriter, encodeFunction, type EncodedCode, type FunctionBody } from '../wasm/writer.ts';
import { checkFunction } from './checked-access.ts';
import { discoverDispatcher, findHandlers } from './dispatcher.ts';
import { emitUnit } from './emit-unit.ts';
import { discoverRegion, type CodeSource, type Region } from './region.ts';

export type RegionSource = CodeSource;

export interface CompileOptions {
  /** Every access is tested against the page flags. */
  readonly checked: boolean;
  /** See `Builder.nativeNans`. */
  readonly nativeNans: boolean;
  /** See `AddressSpace.exactFloats`. */
  readonly exactFloats: boolean;
  /** Stores are noted in `STORE_MARKS`. */
  readonly marksStores: boolean;
}

/** A module of units: the function of unit n is its export of that name. */
export interface UnitModule {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Where each unit's function is in it. */
  readonly functions: readonly { readonly start: number; readonly length: number }[];
}

export interface RegionCompiler {
  /** The code that is worth translating with a hot address, perhaps with another entry; undefined where there is none. */
  discover(source: RegionSource, address: number): Region | undefined;
  /** Handlers of interpreters in the code, by interpreter. `jumps`: where indirect jumps and calls went. */
  findHandlers(source: RegionSource, jumps: Iterable<readonly [from: number, targets: readonly number[]]>): number[][];
  /** The handlers of an interpreter as one region, which may be entered at each; undefined where they make none. */
  discoverDispatcher(source: RegionSource, handlers: readonly number[]): Region | undefined;
  /**
   * The function of a region, as it stands in the module of any units.
   * `slotOf`: the table slot of a unit that code may jump to, 0 for none.
   */
  translate(region: Region, options: CompileOptions, slotOf: (address: number) => number): EncodedCode;
  assemble(functions: readonly EncodedCode[]): UnitModule;
}

/** What all modules of units begin with: types and imports. */
function createModule(): { readonly writer: ModuleWriter; readonly unitType: number; readonly fuel: number; readonly check: FunctionBody } {
  const writer = new ModuleWriter();
  const unitType = writer.type(['i32', 'i32'], ['i32']);
  const i32s = (count: number): 'i32'[] => new Array<'i32'>(count).fill('i32');
  writer.importMemory('m', 'memory', 1, 65536);
  writer.importTable('m', 'units');
  const fuel = writer.importGlobal('m', 'fuel');
  const checkAccess = writer.importFunction('m', 'checkAccess', writer.type(i32s(5), ['i32']));
  writer.importFunction('m', 'raise', writer.type(i32s(2), []));
  writer.importFunction('m', 'helper', writer.type(i32s(6), ['i32']));
  writer.importFunction('m', 'syscall', writer.type([], ['i32']));
  writer.importFunction('m', 'compareStrings', writer.type(COMPARE_STRINGS_PARAMETERS, ['i32']));
  const check = checkFunction(writer.type(['i64', 'i32', 'i32'], ['i32']), checkAccess);
  return { writer, unitType, fuel, check };
}

export const regionCompiler: RegionCompiler = {
  discover: discoverRegion,
  findHandlers,
  discoverDispatcher,
  translate(region, { checked, nativeNans, exactFloats, marksStores }, slotOf) {
    const { unitType, fuel } = createModule();
    return encodeFunction(emitUnit(region, { checked, marksStores, nativeNans, helperNumbers, semantics: exactFloats ? exactSemantics : semantics, unitType, fuel, slotOf }));
  },
  assemble(functions) {
    const { writer, unitType, check } = createModule();
    writer.addFunction(check);
    functions.forEach((encoded, index) => writer.export(String(index), writer.addFunction({ type: unitType, encoded })));
    const wasm = writer.finish();
    return { wasm, functions: writer.bodies.slice(1) };
  },
};
