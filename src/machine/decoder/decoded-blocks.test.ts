import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { compileDecoder } from '../../../scripts/compile-decoder.ts';
import * as record from '../interpreter/record.ts';
import { ROW_COUNT } from '../isa/row-store.ts';
import { bytesOf, instructionsOf, raiseOf, recordsOf } from './block-decoder.ts';
import { DecodedBlocks } from './decoded-blocks.ts';
import { packDecoderTables } from './tables.ts';

const ADDRESS = 0x40_1000;
const CODE = 0x4000;
const TARGET = 0x1000;
const module = new WebAssembly.Module(await compileDecoder(fileURLToPath(new URL('../../..', import.meta.url))));
const handlers = Uint16Array.from({ length: ROW_COUNT * 36 }, (_, key) => (key % 0xffff) + 1);
const NONE = new Uint16Array(0x1000);
const tables = packDecoderTables(handlers, new Uint8Array(0x2000), NONE, NONE);

/** What a memory with this code gets, and the answer's parts. */
function decoded(blocks: DecodedBlocks, code: readonly number[], address = ADDRESS, available = code.length): { records: Uint8Array; parts: number[] } {
  const u8 = new Uint8Array(0x8000);
  u8.set(code, CODE);
  const answer = blocks.decode(u8, CODE, available, address, TARGET);
  const size = record.BLOCK_HEADER_SIZE + recordsOf(answer) * record.RECORD_SIZE;
  assert.ok(u8.subarray(TARGET + size, CODE).every((byte) => byte === 0), 'nothing is written behind the block');
  return { records: u8.slice(TARGET, TARGET + size), parts: [instructionsOf(answer), bytesOf(answer), raiseOf(answer)] };
}

const NOP_RET = [0x90, 0xc3];

test('the same code at the same address is what a fresh decoder makes of it', () => {
  const blocks = new DecodedBlocks({ module, tables });
  const first = decoded(blocks, NOP_RET);
  assert.deepEqual(first.parts, [2, 2, -1]);
  assert.deepEqual(decoded(blocks, [...NOP_RET, 0x90]), first);
});

test('other code, or code that is not all executable, is decoded anew', () => {
  const blocks = new DecodedBlocks({ module, tables });
  decoded(blocks, NOP_RET);
  for (const [code, available] of [[[0x90, 0x90, 0xc3], 3], [NOP_RET, 1], [[0x06], 1], [[], 0]] as const) {
    assert.deepEqual(decoded(blocks, code, ADDRESS, available), decoded(new DecodedBlocks({ module, tables }), code, ADDRESS, available));
  }
});

test('nothing behind the end of a memory is decoded, whatever the guest says of its pages', () => {
  const blocks = new DecodedBlocks({ module, tables });
  decoded(blocks, Array.from({ length: 64 }, () => 0x90));
  const u8 = new Uint8Array(0x4002).fill(0x90, CODE);
  assert.equal(bytesOf(blocks.decode(u8, CODE, 4096, ADDRESS, TARGET)), 2);
  assert.equal(raiseOf(blocks.decode(u8, CODE + 4096, 4096, ADDRESS + 4096, TARGET)), 14);
});

test('what only faults is not kept', () => {
  const blocks = new DecodedBlocks({ module, tables });
  assert.equal(decoded(blocks, [0x48]).parts[2], 14, 'not whole');
  assert.deepEqual(decoded(blocks, [0x48, 0x90, 0xc3]).parts, [2, 3, -1]);
});

test('more blocks than there is room for are forgotten, and decoded again', () => {
  const blocks = new DecodedBlocks({ module, tables });
  const code = Array.from({ length: 24 }, () => 0x90);
  for (let count = 0; count < 30_000; count++) decoded(blocks, code, ADDRESS + count);
  for (const address of [ADDRESS, ADDRESS + 29_999]) assert.deepEqual(decoded(blocks, code, address), decoded(new DecodedBlocks({ module, tables }), code, address));
});
