/** From hot guest code to Wasm. Loaded when there is something to translate: a short program ends before. */
import { helperNumbers } from '../helpers/index.ts';
import { semantics } from '../semantics/index.ts';
import { ModuleWriter } from '../wasm/writer.ts';
import { emitUnit } from './emit-unit.ts';
import { discoverRegion, type CodeSource, type Region } from './region.ts';

export type RegionSource = CodeSource;

export interface CompileOptions {
  /** Every access is tested against the page flags. */
  readonly checked: boolean;
  /** See `Builder.nativeNans`. */
  readonly nativeNans: boolean;
}

export interface RegionCompiler {
  /** The code that is worth translating with a hot address, perhaps with another entry; undefined where there is none. */
  discover(source: RegionSource, address: number): Region | undefined;
  /**
   * A Wasm module whose function with the region's index as its name is the unit.
   * `slotOf`: the table slot of a unit that code may jump to, 0 for none.
   */
  compile(regions: readonly Region[], options: CompileOptions, slotOf: (address: number) => number): Uint8Array<ArrayBuffer>;
}

export const regionCompiler: RegionCompiler = {
  discover: discoverRegion,
  compile(regions, { checked, nativeNans }, slotOf) {
    const writer = new ModuleWriter();
    const unitType = writer.type(['i32', 'i32'], ['i32']);
    const i32s = (count: number): 'i32'[] => new Array<'i32'>(count).fill('i32');
    writer.importMemory('m', 'memory', 1, 65536);
    writer.importTable('m', 'units');
    const fuel = writer.importGlobal('m', 'fuel');
    writer.importFunction('m', 'checkAccess', writer.type(i32s(5), ['i32']));
    writer.importFunction('m', 'raise', writer.type(i32s(2), []));
    writer.importFunction('m', 'helper', writer.type(i32s(6), ['i32']));
    writer.importFunction('m', 'syscall', writer.type([], ['i32']));
    const options = { checked, nativeNans, helperNumbers, semantics, unitType, fuel, slotOf };
    regions.forEach((region, index) => {
      writer.export(String(index), writer.addFunction(emitUnit(region, options)));
    });
    return writer.finish();
  },
};
