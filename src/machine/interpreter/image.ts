/** The interpreter as the build left it: see `generate.ts`. */

export interface LoadedImage {
  readonly module: WebAssembly.Module;
  readonly handlers: Uint16Array;
  readonly notes: Uint8Array;
}

/** Reads what `packImage` wrote. Throws a RangeError where the file is not one. */
export function loadImage(bytes: Uint8Array): LoadedImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const handlersLength = view.getUint32(0, true);
  const notesLength = view.getUint32(4, true);
  const wasmLength = view.getUint32(8, true);
  if (12 + handlersLength + notesLength + wasmLength !== bytes.length) throw new RangeError('the interpreter image is damaged');
  const handlers = new Uint16Array(handlersLength / 2);
  for (let index = 0; index < handlers.length; index++) handlers[index] = view.getUint16(12 + 2 * index, true);
  const notes = bytes.subarray(12 + handlersLength, 12 + handlersLength + notesLength);
  const wasm = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + 12 + handlersLength + notesLength, wasmLength);
  return { module: new WebAssembly.Module(wasm), handlers, notes };
}
