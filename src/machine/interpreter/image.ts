/** The interpreter as the build left it: see `generate.ts`. */
import type { DecoderImage } from '../decoder/block-decoder.ts';
import type { MachineImage } from '../machine-types.ts';
import { HANDLERS, NOTES, TABLES, TABLES_END } from '../decoder/layout.ts';

export interface LoadedImage {
  readonly module: WebAssembly.Module;
  readonly decoder: DecoderImage;
  /** The handlers of AVX, for a processor that has it. */
  readonly vectors: WebAssembly.Module | undefined;
  /** Size of the table of handlers that they import. */
  readonly handlerCount: number;
  /** By form key: handler, 0 where there is none. */
  readonly handlers: Uint16Array;
}

const HEADER = 20;

/** Reads what `packImage` wrote. `vectors`: what `packVectors` wrote; without them the instructions of AVX are undefined. Throws a RangeError where the file is not one. */
export function loadImage(bytes: Uint8Array, compile: NonNullable<MachineImage['compile']>, vectors?: Uint8Array): LoadedImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true)) as [number, number, number, number, number];
  const [handlerCount, firstVectorForm, tablesLength, decoderLength, interpreterLength] = header;
  const whole = HEADER + tablesLength + decoderLength + interpreterLength;
  if (whole !== bytes.length || tablesLength !== TABLES_END - TABLES) throw new RangeError('the interpreter image is damaged');
  // A copy, because the tables of numbers must be aligned. Not `slice`: that of a Node Buffer is a view.
  const tables = new Uint8Array(tablesLength);
  tables.set(bytes.subarray(HEADER, HEADER + tablesLength));
  const handlers = new Uint16Array(tables.buffer, HANDLERS - TABLES, (NOTES - HANDLERS) / 2);
  if (vectors === undefined) handlers.fill(0, firstVectorForm);
  const part = (start: number, length: number): Uint8Array<ArrayBuffer> => new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, length);
  return {
    module: compile(part(HEADER + tablesLength + decoderLength, interpreterLength), 'interpreter'),
    decoder: { module: compile(part(HEADER + tablesLength, decoderLength), 'decoder'), tables },
    handlerCount,
    handlers,
    vectors: vectors === undefined ? undefined : compile(vectors as Uint8Array<ArrayBuffer>, 'vectors'),
  };
}
