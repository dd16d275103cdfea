/** For the unit tests: random x87 states run through the helpers and on the host CPU. */

import assert from 'node:assert/strict';
import { STATE_FAULT_VECTOR, STATE_SCRATCH } from '../../src/machine/state.ts';
import { askHost, REQUEST_CODE, REQUEST_FLAGS, REQUEST_FSAVE, REQUEST_MEMORY, REQUEST_SIGNAL, REQUEST_SIZE } from './oracle.ts';
import { createContext, OPERAND } from '../../src/machine/helpers/testing.test-support.ts';
import type { Random } from '../../src/machine/helpers/testing.test-support.ts';
import { FORM_DESTINATION_MEMORY, FORM_SOURCE_MEMORY } from '../../src/machine/helpers/types.ts';
import type { Helper, HelperTable } from '../../src/machine/helpers/types.ts';
import { x87ArithmeticHelpers } from '../../src/machine/helpers/x87-arithmetic.ts';
import { writeExtended, writeOperand } from './x87-cases.ts';
import type { Case } from './x87-cases.ts';
import { initialise, x87ControlHelpers } from '../../src/machine/helpers/x87-control.ts';
import { x87TranscendentalHelpers } from '../../src/machine/helpers/x87-transcendental.ts';
import { x87TransferHelpers } from '../../src/machine/helpers/x87-transfer.ts';

const helpers: HelperTable = { ...x87ArithmeticHelpers, ...x87TransferHelpers, ...x87ControlHelpers, ...x87TranscendentalHelpers };
const FSAVE_SIZE = 108;
const NEAR: readonly number[] = [0x3fff, 0x3fff, 0x400e, 0x401e, 0x403e, 0x3f80, 0x3c00, 20, 70, 0x7fe0, 0x43ff, 0x407f];

function helper(name: string): Helper {
  const found = helpers[name];
  assert.ok(found, name);
  return found;
}

/** An FSAVE image with up to eight registers in use, mostly masked exceptions, any rounding and precision. */
function writeImage(view: DataView, offset: number, random: Random, near: number, used: number): void {
  const masks = random.below(4) === 0 ? random.below(64) : 63;
  const precision = random.pick([3, 3, 2, 0]);
  const top = random.below(8);
  const control = 0xffff0040 | masks | (precision << 8) | (random.below(4) << 10);
  let tag = 0xffff;
  for (let index = 0; index < used; index++) tag &= ~(3 << (((top + index) & 7) * 2));
  if (random.below(12) === 0) tag ^= 3 << (random.below(8) * 2);
  const status = (random.below(64) & masks) | (top << 11) | (random.next() & 0x4700);
  const words = [control, 0xffff0000 | status, 0xffff0000 | tag, 0, 0, 0, 0xffff0000];
  words.forEach((word, index) => view.setUint32(offset + index * 4, word >>> 0, true));
  for (let index = 0; index < 8; index++) writeExtended(view, offset + 28 + index * 10, random, near);
}

function writeRequest(request: DataView, instruction: Case, random: Random): void {
  request.setUint32(0, instruction.code.length, true);
  instruction.code.forEach((byte, index) => request.setUint8(REQUEST_CODE + index, byte));
  const near = random.pick(NEAR);
  writeImage(request, REQUEST_FSAVE, random, near, random.pick([0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 7, 8]));
  writeOperand(request, REQUEST_MEMORY, instruction.memory, random, near);
  if (instruction.memory === 'environment') writeImage(request, REQUEST_MEMORY, random, near, 2);
  request.setUint32(REQUEST_FLAGS, 0x202, true);
}

/** Runs a request through the helpers, in place. */
function runHere(request: DataView, instruction: Case): void {
  const context = createContext();
  initialise(context.view);
  const frame = OPERAND + 1024;
  const bytes = new Uint8Array(request.buffer, request.byteOffset, REQUEST_SIZE);
  context.u8.set(bytes.subarray(REQUEST_FSAVE, REQUEST_FSAVE + FSAVE_SIZE), frame);
  helper('frstor')(context, 0, frame, 4, FORM_SOURCE_MEMORY);
  context.u8.set(bytes.subarray(REQUEST_MEMORY, REQUEST_MEMORY + 128), OPERAND);
  const { destination, source, immediate, forms } = instruction;
  const failed = helper(instruction.helper)(context, destination, source, immediate, forms);
  if (failed !== 0) {
    request.setUint32(REQUEST_SIGNAL, context.view.getUint32(STATE_FAULT_VECTOR, true) === 16 ? 8 : 11, true);
    return;
  }
  if (instruction.helper.endsWith('comi')) {
    const flags = context.view.getInt32(STATE_SCRATCH, true);
    if (flags >= 0) request.setUint32(REQUEST_FLAGS, flags | 0x202, true);
  }
  helper('fnsave')(context, frame, 0, 4, FORM_DESTINATION_MEMORY);
  bytes.set(context.u8.subarray(frame, frame + FSAVE_SIZE), REQUEST_FSAVE);
  bytes.set(context.u8.subarray(OPERAND, OPERAND + 128), REQUEST_MEMORY);
}

/** What is compared: not the instruction and data pointers, which depend on where the code is. */
function describe(request: DataView): string {
  if (request.getUint32(REQUEST_SIGNAL, true) !== 0) return `signal ${request.getUint32(REQUEST_SIGNAL, true)}`;
  const hex = (offset: number, size: number): string =>
    Array.from({ length: size }, (_, index) => request.getUint8(offset + size - 1 - index).toString(16).padStart(2, '0')).join('');
  const words = [0, 4, 8].map((offset) => hex(REQUEST_FSAVE + offset, 2));
  const registers = Array.from({ length: 8 }, (_, index) => hex(REQUEST_FSAVE + 28 + index * 10, 10));
  return `cw ${words[0]} sw ${words[1]} tw ${words[2]} flags ${hex(REQUEST_FLAGS, 2)} mem ${hex(REQUEST_MEMORY, 10)} st ${registers.join(' ')}`;
}

/** Blanks the pointers that FNSTENV and FNSAVE store in memory. */
function blankPointers(request: DataView, instruction: Case): void {
  if (!/^fn(stenv|save)/.test(instruction.name)) return;
  const wide = instruction.immediate === 4;
  for (let index = wide ? 12 : 6; index < (wide ? 28 : 14); index++) request.setUint8(REQUEST_MEMORY + index, 0);
}

/** The same signal, or the same state and memory. */
function equalRequests(mine: DataView, theirs: DataView): boolean {
  if (describe(mine) !== describe(theirs)) return false;
  if (mine.getUint32(REQUEST_SIGNAL, true) !== 0) return true;
  for (let index = 0; index < 128; index += 4) {
    if (mine.getInt32(REQUEST_MEMORY + index, true) !== theirs.getInt32(REQUEST_MEMORY + index, true)) return false;
  }
  return true;
}

function requestAt(from: Uint8Array, index: number): DataView {
  return new DataView(from.buffer, from.byteOffset + index * REQUEST_SIZE, REQUEST_SIZE);
}

/** Random requests for an instruction; the same for the same seed. */
export function makeRequests(instruction: Case, count: number, random: Random): Uint8Array {
  const requests = new Uint8Array(count * REQUEST_SIZE);
  for (let index = 0; index < count; index++) writeRequest(requestAt(requests, index), instruction, random);
  return requests;
}

/** What the helpers make of them. */
export function answersHere(instruction: Case, requests: Uint8Array): DataView[] {
  const views = viewsOf(requests.slice());
  for (const view of views) {
    runHere(view, instruction);
    blankPointers(view, instruction);
  }
  return views;
}

function viewsOf(answers: Uint8Array): DataView[] {
  return Array.from({ length: answers.length / REQUEST_SIZE }, (_, index) => requestAt(answers, index));
}

/** What the host makes of the requests of many instructions, asked at once. */
export function answersOfHost(cases: readonly Case[], requests: readonly Uint8Array[]): DataView[][] {
  const all = new Uint8Array(requests.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of requests) {
    all.set(part, at);
    at += part.length;
  }
  const views = viewsOf(askHost(all));
  return cases.map((instruction, index) => {
    const own = views.splice(0, (requests[index]?.length ?? 0) / REQUEST_SIZE);
    for (const view of own) blankPointers(view, instruction);
    return own;
  });
}

/** Describes the requests whose answers `equal` does not accept. */
export function differences(instruction: Case, requests: Uint8Array, theirs: readonly DataView[], equal = equalRequests): string[] {
  const found: string[] = [];
  answersHere(instruction, requests).forEach((mine, index) => {
    const host = theirs[index];
    if (host === undefined || equal(mine, host)) return;
    const before = describe(requestAt(requests, index));
    found.push(`${instruction.name}\n    in   ${before}\n    here ${describe(mine)}\n    host ${describe(host)}`);
  });
  return found;
}

/** All that counts in an answer, as bytes. */
export function answerBytes(answer: DataView): Uint8Array {
  const signal = answer.getUint32(REQUEST_SIGNAL, true);
  const memory = signal === 0 ? new Uint8Array(answer.buffer, answer.byteOffset + REQUEST_MEMORY, 128) : [];
  return new Uint8Array([...new TextEncoder().encode(describe(answer)), ...memory]);
}
