import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RAX, RCX, RDI, RSI } from '../machine-types.ts';
import { MEMORY_START, TestCpu } from '../semantics/evaluating-builder.test-support.ts';
import { EFLAGS_CF, EFLAGS_DF, EFLAGS_ZF } from '../semantics/flags.ts';
import { STATE_EFLAGS_OTHER } from '../state.ts';
import { stringHelpers } from './strings.ts';

const SOURCE = MEMORY_START + 0xf00;
const TARGET = MEMORY_START + 0x8f00;

function setUp(count: bigint, source = SOURCE, target = TARGET): TestCpu {
  const cpu = new TestCpu();
  cpu.set(RCX, count);
  cpu.set(RSI, BigInt(source));
  cpu.set(RDI, BigInt(target));
  for (let index = 0; index < 0x4000; index++) cpu.u8[cpu.offset(SOURCE) + index] = (index * 7 + (index >> 8)) & 0xff;
  return cpu;
}

function run(cpu: TestCpu, name: string, size: number): number {
  const helper = stringHelpers[name];
  assert.ok(helper !== undefined);
  return helper(cpu, 0, 0, size, 0);
}

function progress(cpu: TestCpu): readonly bigint[] {
  return [cpu.get(RCX), cpu.get(RSI) - BigInt(SOURCE), cpu.get(RDI) - BigInt(TARGET)];
}

/** What the processor does, one element at a time. */
function copyByElements(u8: Uint8Array, to: number, from: number, count: number, step: number): void {
  const size = Math.abs(step);
  for (let index = 0; index < count; index++) u8.set(u8.slice(from + index * step, from + index * step + size), to + index * step);
}

test('rep-movs copies across pages', () => {
  const cpu = setUp(0x3000n);
  assert.equal(run(cpu, 'rep-movs', 1), 0);
  assert.deepEqual(progress(cpu), [0n, 0x3000n, 0x3000n]);
  const from = cpu.offset(SOURCE);
  const to = cpu.offset(TARGET);
  assert.deepEqual(cpu.u8.slice(to, to + 0x3000), cpu.u8.slice(from, from + 0x3000));
});

test('rep-movs repeats what lies between overlapping operands, in both directions', () => {
  for (const size of [1, 2, 4, 8]) {
    for (const backward of [false, true]) {
      for (const distance of [-9, -8, -3, -1, 1, 2, 3, 4, 8, 9, 24, 100, 4000]) {
        const cpu = setUp(600n, SOURCE + 0x2000, SOURCE + 0x2000 + distance);
        if (backward) cpu.view.setUint32(STATE_EFLAGS_OTHER, EFLAGS_DF, true);
        const expected = cpu.u8.slice();
        const from = cpu.offset(SOURCE + 0x2000);
        copyByElements(expected, from + distance, from, 600, backward ? -size : size);
        assert.equal(run(cpu, 'rep-movs', size), 0);
        const memory = cpu.offset(MEMORY_START);
        assert.deepEqual(cpu.u8.subarray(memory), expected.subarray(memory), `size ${size}, distance ${distance}, backward ${backward}`);
      }
    }
  }
});

test('a fault shows the progress and the first address that failed', () => {
  const cpu = setUp(100n);
  cpu.closedPages.add((TARGET >>> 12) + 1);
  const left = (0x1000 - (TARGET & 0xfff)) / 8;
  assert.equal(run(cpu, 'rep-movs', 8), 1);
  assert.equal(cpu.faultAddress, (TARGET | 0xfff) + 1);
  assert.deepEqual(progress(cpu), [BigInt(100 - left), BigInt(left * 8), BigInt(left * 8)]);
  cpu.closedPages.clear();
  assert.equal(run(cpu, 'rep-movs', 8), 0);
  assert.equal(cpu.get(RCX), 0n);
});

test('an element that crosses into a closed page is not done', () => {
  const cpu = setUp(2n, SOURCE, TARGET + 0xf8 - 1);
  cpu.closedPages.add((TARGET >>> 12) + 1);
  assert.equal(run(cpu, 'rep-movs', 8), 1);
  assert.equal(cpu.get(RCX), 1n);
});

test('rep-stos fills with elements of each size', () => {
  for (const size of [1, 2, 4, 8]) {
    const cpu = setUp(0x700n);
    cpu.set(RAX, 0x0102_0304_0506_0708n);
    assert.equal(run(cpu, 'rep-stos', size), 0);
    const start = cpu.offset(TARGET);
    for (let index = 0; index < 0x700 * size; index++) assert.equal(cpu.u8[start + index], 8 - (index % size));
    assert.equal(cpu.u8[start + 0x700 * size], 0);
  }
});

test('large counts are done in pieces', () => {
  const cpu = setUp((1n << 40n) + 5n, MEMORY_START, MEMORY_START);
  let answer = run(cpu, 'rep-lods', 1);
  assert.equal(answer, 1);
  const whole = new TestCpu();
  whole.readable = () => true;
  whole.set(RCX, (1n << 40n) + 5n);
  whole.set(RSI, 0xffff_fff0n);
  whole.offset = () => MEMORY_START;
  answer = run(whole, 'rep-lods', 8);
  assert.equal(answer, 2);
  assert.equal(whole.get(RCX), (1n << 40n) + 5n - (1n << 17n));
  assert.equal(whole.get(RSI), 0xffff_fff0n + (1n << 20n));
});

test('repne-scas finds a byte and points behind it', () => {
  const cpu = setUp(0xffff_ffff_ffff_ffffn);
  cpu.u8.fill(0x41, cpu.offset(TARGET), cpu.offset(TARGET) + 0x2345);
  cpu.set(RAX, 0n);
  assert.equal(run(cpu, 'repne-scas', 1), 0);
  assert.deepEqual(progress(cpu), [0xffff_ffff_ffff_ffffn - 0x2346n, 0n, 0x2346n]);
  assert.equal(cpu.eflags & EFLAGS_ZF, EFLAGS_ZF);
});

test('repe-cmps stops at the first difference, with its flags', () => {
  const cpu = setUp(0x1000n, SOURCE, SOURCE + 0x4000);
  cpu.u8.copyWithin(cpu.offset(SOURCE + 0x4000), cpu.offset(SOURCE), cpu.offset(SOURCE + 0x2000));
  const at = cpu.offset(SOURCE + 0x4000) + 0x1804;
  cpu.view.setUint32(at, 0xffff_ffff, true);
  cpu.view.setUint32(cpu.offset(SOURCE) + 0x1804, 0x7fff_ffff, true);
  assert.equal(run(cpu, 'repe-cmps', 4), 0);
  assert.equal(cpu.get(RSI), BigInt(SOURCE + 0x1808));
  assert.equal(cpu.eflags & (EFLAGS_ZF | EFLAGS_CF), EFLAGS_CF);
});

test('a count of 0 changes nothing', () => {
  const cpu = setUp(0n);
  cpu.eflags = EFLAGS_CF | EFLAGS_ZF;
  for (const name of Object.keys(stringHelpers)) assert.equal(run(cpu, name, 8), 0);
  assert.deepEqual(progress(cpu), [0n, 0n, 0n]);
  assert.equal(cpu.eflags, EFLAGS_CF | EFLAGS_ZF);
});
