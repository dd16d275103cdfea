import assert from 'node:assert/strict';
import test from 'node:test';
import * as op from './opcodes.ts';
import { ByteWriter, ModuleWriter, encodeFunction } from './writer.ts';

/** (i32, i32) -> i32: calls itself for the second where the first is not 0, which it seldom is; the inner `if` is mostly true. */
function hinted(type: number): { type: number; locals: 'i32'[]; code: ByteWriter } {
  const inner = new ByteWriter();
  inner.append(Uint8Array.of(op.LOCAL_GET, 1));
  inner.foresee(true);
  inner.append(Uint8Array.of(op.IF, 0x40, op.LOCAL_GET, 1, op.RETURN, op.END));
  const code = new ByteWriter();
  code.append(Uint8Array.of(op.LOCAL_GET, 0));
  code.foresee(false);
  code.append(Uint8Array.of(op.IF, 0x40));
  code.appendCode(inner);
  code.append(Uint8Array.of(op.END, op.LOCAL_GET, 0, op.END));
  return { type, locals: ['i32'], code };
}

/** Bytes of the custom section of that name, without the name. */
function customSection(wasm: Uint8Array<ArrayBuffer>, name: string): number[] | undefined {
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(wasm), name);
  return section === undefined ? undefined : [...new Uint8Array(section)];
}

test('hints stand before the code, by function and by the place of the branch from the first byte of the locals', () => {
  const writer = new ModuleWriter();
  const type = writer.type(['i32', 'i32'], ['i32']);
  writer.importFunction('m', 'f', type);
  writer.addFunction({ type, encoded: { bytes: Uint8Array.of(0, op.LOCAL_GET, 0, op.END), hints: [] } });
  writer.export('g', writer.addFunction(hinted(type)));
  const wasm = writer.finish();
  // One function, number 2; two hints: at 3 + 2 (1 run of 1 local of i32 are 3 bytes), 1 byte, 0; at 3 + 2 + 2 + 2, 1 byte, 1.
  assert.deepEqual(customSection(wasm, 'metadata.code.branch_hint'), [1, 2, 2, 5, 1, 0, 9, 1, 1]);
  const bodies = writer.bodies.map(({ start, length }) => wasm.subarray(start, start + length));
  const places = [5, 9].map((place) => bodies[1]?.[place]);
  assert.deepEqual(places, [op.IF, op.IF]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { m: { f: () => 0 } });
  assert.deepEqual([[0, 9], [3, 9], [3, 0]].map(([a, b]) => (exports['g'] as (a?: number, b?: number) => number)(a, b)), [0, 9, 3]);
});

test('without hints there is no such section', () => {
  const writer = new ModuleWriter();
  const type = writer.type([], []);
  writer.addFunction({ type, encoded: { bytes: Uint8Array.of(0, op.END), hints: [] } });
  assert.equal(customSection(writer.finish(), 'metadata.code.branch_hint'), undefined);
});

test('hints of an encoded function are its own', () => {
  const first = encodeFunction(hinted(0));
  encodeFunction({ type: 0, locals: [], code: new ByteWriter() });
  assert.deepEqual(first.hints, [10, 19]);
});
