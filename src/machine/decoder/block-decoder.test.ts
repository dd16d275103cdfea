import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { compileDecoder } from '../../../scripts/compile-decoder.ts';
import { addressMode, formKey } from '../interpreter/forms.ts';
import { NOTE_BRANCHES, NOTE_DEAD_FLAGS } from '../interpreter/notes.ts';
import { Random } from '../helpers/testing.test-support.ts';
import * as record from '../interpreter/record.ts';
import { decode } from '../isa/decode.ts';
import type { DecodedInstruction, MemoryOperand } from '../isa/instruction.ts';
import { ROW_COUNT } from '../isa/row-store.ts';
import { registerOffset, STATE_FS_BASE, STATE_GPR, STATE_GS_BASE, STATE_ZERO } from '../state.ts';
import { BlockDecoder, bytesOf, instructionsOf, raiseOf, recordsOf } from './block-decoder.ts';
import { FLOW_BELOW, FLOW_EQUAL, FLOW_LESS, FLOW_NOT, PAIR_CLASS_BITS } from './layout.ts';
import { packDecoderTables } from './tables.ts';

const ADDRESS = 0x40_1000;
const module = new WebAssembly.Module(await compileDecoder(fileURLToPath(new URL('../../..', import.meta.url))));
/** A handler for every form, so that the records tell forms apart; the forms of what a real image lacks are tested as decodable, too. */
const handlers = Uint16Array.from({ length: ROW_COUNT * 36 }, (_, key) => (key % 0xffff) + 1);
const NONE = new Uint16Array(0x1000);
const BLOCK = 0x1000;
const CODE = 0x3000;
const FIRST_RECORD = BLOCK + record.BLOCK_HEADER_SIZE;

interface Workplace {
  readonly memory: Uint8Array;
  /** Decodes what is at CODE. */
  decode(available: number, maximum: number): { records: number; instructions: number; bytes: number; raise: number };
}

function workplace(tables: Uint8Array): Workplace {
  const wasm = new WebAssembly.Memory({ initial: 64 });
  const memory = new Uint8Array(wasm.buffer);
  const decoder = new BlockDecoder({ module, tables }, wasm);
  decoder.reset(memory);
  return {
    memory,
    decode(available, maximum) {
      const answer = decoder.decode(memory, CODE, available, ADDRESS, maximum, BLOCK);
      return { records: recordsOf(answer), instructions: instructionsOf(answer), bytes: bytesOf(answer), raise: raiseOf(answer) };
    },
  };
}

const { memory, decode: decodeBlock } = workplace(packDecoderTables(handlers, new Uint8Array(0x2000), NONE, NONE));

function writeMemory(view: DataView, operand: MemoryOperand): void {
  const far = operand.displacement > 0x7fff_ffff;
  const beyond = operand.displacement > 0xffff_ffff;
  view.setUint16(record.RECORD_BASE, operand.base < 0 ? STATE_ZERO : STATE_GPR + 8 * operand.base, true);
  view.setUint16(record.RECORD_INDEX, operand.index < 0 ? STATE_ZERO : STATE_GPR + 8 * operand.index, true);
  view.setUint8(record.RECORD_SCALE, operand.scale);
  if (operand.vectorIndex >= 0) view.setUint16(record.RECORD_LAST, registerOffset('xmm', operand.vectorIndex, false), true);
  view.setUint8(record.RECORD_ADDRESS_SHIFT, operand.address32 || (far && !beyond) ? 32 : 0);
  view.setUint16(record.RECORD_SEGMENT, operand.segment === 'fs' ? STATE_FS_BASE : operand.segment === 'gs' ? STATE_GS_BASE : STATE_ZERO, true);
  view.setInt32(record.RECORD_DISPLACEMENT, beyond ? -1 : operand.displacement | 0, true);
}

/** The record of an instruction as `isa/decode.ts` understands it. */
function reference(instruction: DecodedInstruction): Uint8Array {
  const bytes = new Uint8Array(record.RECORD_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(record.RECORD_HANDLER, handlers[formKey(instruction, addressMode(instruction))] ?? 0, true);
  view.setUint8(record.RECORD_LENGTH, instruction.length);
  view.setUint32(record.RECORD_PC, instruction.address, true);
  let immediates = 0;
  instruction.operands.forEach((operand, index) => {
    if (operand.kind === 'register') {
      const field = [record.RECORD_OPERAND0, record.RECORD_OPERAND1, record.RECORD_IMMEDIATE, record.RECORD_LAST][index] ?? 0;
      view.setUint16(field, registerOffset(operand.class, operand.index, operand.high8), true);
    } else if (operand.kind === 'memory') {
      writeMemory(view, operand);
    } else if (operand.kind === 'target') {
      view.setUint32(record.RECORD_TARGET, operand.address, true);
    } else if (index === 3) {
      view.setInt32(record.RECORD_LAST, operand.low, true);
    } else if (immediates++ === 0) {
      view.setInt32(record.RECORD_IMMEDIATE, operand.low, true);
      view.setInt32(record.RECORD_IMMEDIATE + 4, operand.high, true);
    } else {
      view.setInt32(record.RECORD_DISPLACEMENT, operand.low, true);
    }
  });
  return bytes;
}

const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x64, 0x65, 0x2e, 0x40, 0x41, 0x44, 0x48, 0x49, 0x4c, 0x4f];

/** Random bytes that are often an instruction: prefixes, an escape, any opcode. */
function randomCode(random: Random): Uint8Array {
  const bytes: number[] = [];
  for (let count = random.below(4) === 0 ? 3 : random.below(2); count > 0; count--) bytes.push(random.pick(PREFIXES));
  const escape = random.below(8);
  if (escape === 2) bytes.push(0xc4, 0xe0 | random.below(4), random.below(256));
  if (escape === 1) bytes.push(0xc5);
  if (escape >= 3) bytes.push(0x0f);
  if (escape === 6) bytes.push(0x38);
  if (escape === 7) bytes.push(0x3a);
  while (bytes.length < 24) bytes.push(random.below(256));
  return Uint8Array.from(bytes);
}

test('records are what the rows say, for random instructions', () => {
  const random = new Random(1);
  let decodable = 0;
  for (let count = 0; count < 300_000; count++) {
    const code = randomCode(random);
    const available = random.below(8) === 0 ? random.below(16) : 24;
    memory.set(code, CODE);
    const expected = decode(code, 0, available, ADDRESS);
    const block = decodeBlock(available, 1);
    const text = `${Buffer.from(code).toString('hex')} (${available} bytes)`;
    if (expected.row === undefined) {
      const vector = available === 0 || expected.reason === 'truncated' ? 14 : expected.reason === 'too-long' ? 13 : 6;
      assert.equal(block.raise, vector, text);
      continue;
    }
    decodable++;
    assert.equal(block.raise, -1, text);
    assert.equal(block.bytes, expected.length, text);
    assert.deepEqual(memory.slice(FIRST_RECORD, FIRST_RECORD + record.RECORD_SIZE), reference(expected), text);
  }
  assert.ok(decodable > 100_000, `only ${decodable} were instructions`);
});

test('a block goes on over branches and ends with a jump, a return, the limit or what is no instruction', () => {
  const blockOf = (bytes: number[], maximum = 48): string => {
    memory.fill(0x90, CODE, CODE + 64);
    memory.set(bytes, CODE);
    const { instructions, records, raise } = decodeBlock(64, maximum);
    const last = new DataView(memory.buffer, FIRST_RECORD + (records - 1) * record.RECORD_SIZE);
    return `${instructions} ${records} ${raise} ${last.getUint16(record.RECORD_HANDLER, true) <= 2 ? last.getUint16(record.RECORD_HANDLER, true) : 'own'}`;
  };
  assert.equal(blockOf([0x74, 0x02, 0x90, 0xc3]), '3 3 -1 own', 'je; nop; ret');
  assert.equal(blockOf([0xe8, 1, 0, 0, 0, 0xeb, 0xfe]), '2 2 -1 own', 'call; jmp');
  assert.equal(blockOf([0x90, 0x06]), '1 2 -1 1', 'nop; (bad): the bad one is the first of its own block');
  assert.equal(blockOf([0x06]), '0 1 6 2');
  assert.equal(blockOf([], 5), '5 6 -1 1');
});

test('flags that nobody reads are not computed', () => {
  const add = decode(Uint8Array.of(0x01, 0xc0), 0, 2, ADDRESS);
  assert.ok(add.row !== undefined);
  const key = formKey(add, 0);
  const small = new Uint16Array(ROW_COUNT * 36).fill(1);
  small[key] = 4;
  const notes = new Uint8Array(16);
  // Kills both sets of flags and reads none.
  notes[4] = NOTE_DEAD_FLAGS | 12;
  const own = workplace(packDecoderTables(small, notes, NONE, NONE));
  own.memory.set([0x01, 0xc0, 0x01, 0xc0, 0xc3], CODE);
  own.decode(5, 48);
  const handlerAt = (index: number): number => new DataView(own.memory.buffer).getUint16(FIRST_RECORD + index * record.RECORD_SIZE, true);
  assert.deepEqual([handlerAt(0), handlerAt(1)], [5, 4]);
});

test('a comparison and the branch behind it have one handler, and the branch its own as well', () => {
  const cmp = decode(Uint8Array.of(0x39, 0xc8), 0, 2, ADDRESS);
  assert.ok(cmp.row !== undefined);
  const small = new Uint16Array(ROW_COUNT * 36).fill(1);
  small[formKey(cmp, 0)] = 4;
  const notes = new Uint8Array(16);
  notes[4] = NOTE_BRANCHES;
  const own = workplace(packDecoderTables(small, notes, NONE, NONE));
  const recordsOfBlock = (...code: number[]): readonly (readonly [handler: number, condition: number])[] => {
    own.memory.set([...code, 0xc3], CODE);
    const view = new DataView(own.memory.buffer);
    return Array.from({ length: own.decode(code.length + 1, 48).records }, (_, index) => {
      const at = FIRST_RECORD + index * record.RECORD_SIZE;
      return [view.getUint16(at + record.RECORD_HANDLER, true), view.getUint8(at + record.RECORD_CONDITION)] as const;
    });
  };
  assert.deepEqual(recordsOfBlock(0x39, 0xc8, 0x76, 0x02), [[5, FLOW_BELOW | FLOW_EQUAL], [1, 0], [1, 0]], 'cmp; jbe; ret');
  assert.deepEqual(recordsOfBlock(0x39, 0xc8, 0x7d, 0x02), [[5, FLOW_LESS | FLOW_NOT], [1, 0], [1, 0]], 'cmp; jge; ret');
  assert.deepEqual(recordsOfBlock(0x39, 0xc8, 0x7a, 0x02), [[4, 0], [1, 0], [1, 0]], 'cmp; jp; ret');
  assert.deepEqual(recordsOfBlock(0x39, 0xc8, 0x90, 0x76, 0x02), [[4, 0], [1, 0], [1, 0], [1, 0]], 'cmp; nop; jbe; ret');
});

test('two instructions that often follow each other have one handler, from the end of a block on', () => {
  const push = decode(Uint8Array.of(0x53), 0, 1, ADDRESS);
  assert.ok(push.row !== undefined);
  const small = new Uint16Array(ROW_COUNT * 36).fill(1);
  small[formKey(push, 0)] = 2;
  const [ret, first, second] = [3, 2 << PAIR_CLASS_BITS, 5];
  const pairs = new Uint16Array(NONE.length);
  pairs[first | ret] = 77;
  pairs[first | second] = 88;
  const own = workplace(packDecoderTables(small, new Uint8Array(16), Uint16Array.of(0, ret, first | second), pairs));
  const handlersOf = (...code: number[]): number[] => {
    own.memory.set(code, CODE);
    const view = new DataView(own.memory.buffer);
    return Array.from({ length: own.decode(code.length, 48).records }, (_, index) => view.getUint16(FIRST_RECORD + index * record.RECORD_SIZE, true));
  };
  assert.deepEqual(handlersOf(0x53, 0xc3), [77, 1], 'push; ret');
  assert.deepEqual(handlersOf(0x53, 0x53, 0xc3), [2, 77, 1], 'push; push; ret');
  assert.deepEqual(handlersOf(0x53, 0x53, 0x53, 0xc3), [88, 2, 77, 1], 'push; push; push; ret');
  assert.deepEqual(handlersOf(0x90, 0x53, 0xc3), [1, 77, 1], 'nop; push; ret');
});

test('code at the end of the memory is decoded without looking behind it', () => {
  const wasm = new WebAssembly.Memory({ initial: 64 });
  const end = new Uint8Array(wasm.buffer);
  const decoder = new BlockDecoder({ module, tables: packDecoderTables(handlers, new Uint8Array(0x2000), NONE, NONE) }, wasm);
  decoder.reset(end);
  end.set([0x90, 0x48], end.length - 2);
  const answer = decoder.decode(end, end.length - 2, 2, ADDRESS, 48, BLOCK);
  assert.deepEqual([instructionsOf(answer), bytesOf(answer), raiseOf(answer)], [1, 1, -1], 'nop; the rest is not whole');
});
