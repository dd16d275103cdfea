import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integerHelpers } from '../helpers/integer.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../machine-types.ts';
import { STATE_EFLAGS_OTHER } from '../state.ts';
import { MEMORY_START, TestCpu, TestFault, execute, type TestForm, type TestOperand } from './evaluating-builder.test-support.ts';
import { semantics } from './index.ts';

const CF = 0x1;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
const PF = 0x4;

function register(index: number, size: number): TestOperand {
  return { kind: 'register', index, size };
}

function immediate(value: bigint, size: number): TestOperand {
  return { kind: 'immediate', value, size };
}

function memory(base: number, size: number, displacement = 0n): TestOperand {
  return { kind: 'memory', size, address: (cpu) => cpu.get(base) + displacement };
}

function cpuWith(values: Readonly<Record<number, bigint>>, eflags = 0): TestCpu {
  const cpu = new TestCpu();
  cpu.set(RSP, BigInt(MEMORY_START + 0x800));
  for (const [index, value] of Object.entries(values)) cpu.set(Number(index), value);
  cpu.eflags = eflags;
  return cpu;
}

function run(cpu: TestCpu, name: string, operands: readonly TestOperand[], form: Partial<TestForm> = {}): TestCpu {
  execute(cpu, semantics[name], { operands, ...form }, integerHelpers);
  return cpu;
}

function vectorOf(action: () => void): number | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof TestFault) return error.vector;
    throw error;
  }
}

test('add sets every flag from the operand size', () => {
  const cpu = run(cpuWith({ [RAX]: 0x1122_3344_5566_777fn, [RCX]: 1n }), 'add', [register(RAX, 1), register(RCX, 1)]);
  assert.equal(cpu.get(RAX), 0x1122_3344_5566_7780n);
  assert.equal(cpu.eflags, SF | AF | OF);
  const long = run(cpuWith({ [RAX]: 0xffff_ffff_ffff_ffffn }), 'add', [register(RAX, 8), immediate(1n, 1)]);
  assert.equal(long.get(RAX), 0n);
  assert.equal(long.eflags, CF | PF | AF | ZF);
});

test('a 4-byte result clears the upper half', () => {
  const cpu = run(cpuWith({ [RAX]: 0xffff_ffff_0000_0001n, [RCX]: 2n }), 'sub', [register(RAX, 4), register(RCX, 4)]);
  assert.equal(cpu.get(RAX), 0xffff_ffffn);
});

test('adc and sbb take the carry in and give the right one out', () => {
  const sum = run(cpuWith({ [RAX]: 0xffn, [RCX]: 0xffn }, CF), 'adc', [register(RAX, 1), register(RCX, 1)]);
  assert.equal(sum.get(RAX), 0xffn);
  assert.equal(sum.eflags, CF | PF | AF | SF);
  const difference = run(cpuWith({ [RAX]: 0n, [RCX]: 0xffff_ffffn }, CF), 'sbb', [register(RAX, 4), register(RCX, 4)]);
  assert.equal(difference.get(RAX), 0n);
  assert.equal(difference.eflags & (CF | ZF), CF | ZF);
});

test('shifts by 0 change no flags and clear the upper half of a 32-bit register', () => {
  const flags = CF | OF | ZF;
  for (const form of [{ constants: true }, { constants: false }]) {
    const cpu = run(cpuWith({ [RAX]: 0xaaaa_aaaa_bbbb_bbbbn }, flags), 'shl', [register(RAX, 4), immediate(32n, 1)], form);
    assert.equal(cpu.get(RAX), 0xbbbb_bbbbn);
    assert.equal(cpu.eflags, flags);
  }
});

test('rcl of 64 bits brings the carry in below what went out', () => {
  const cpu = run(cpuWith({ [RAX]: 0x8000_0000_0000_0001n, [RCX]: 1n }), 'rcl', [register(RAX, 8), register(RCX, 1)]);
  assert.equal(cpu.get(RAX), 2n);
  assert.equal(cpu.eflags & CF, CF);
  run(cpu, 'rcl', [register(RAX, 8), register(RCX, 1)]);
  assert.equal(cpu.get(RAX), 5n);
});

test('mul and imul give the upper half, imul tells an overflow at the edges', () => {
  const unsigned = run(cpuWith({ [RAX]: 0xffff_ffff_ffff_ffffn, [RBX]: 0xffff_ffff_ffff_ffffn }), 'mul', [register(RBX, 8)]);
  assert.deepEqual([unsigned.get(RAX), unsigned.get(RDX)], [1n, 0xffff_ffff_ffff_fffen]);
  const signed = run(cpuWith({ [RAX]: 0xffff_ffff_ffff_ffffn, [RBX]: 0xffff_ffff_ffff_ffffn }), 'imul1', [register(RBX, 8)]);
  assert.deepEqual([signed.get(RAX), signed.get(RDX), signed.eflags & CF], [1n, 0n, 0]);
  const overflows = (a: bigint, b: bigint): boolean =>
    (run(cpuWith({ [RAX]: BigInt.asUintN(64, a), [RBX]: BigInt.asUintN(64, b) }), 'imul2', [register(RAX, 8), register(RBX, 8)]).eflags & OF) !== 0;
  const minimum = -(2n ** 63n);
  assert.equal(overflows(minimum, 1n), false);
  assert.equal(overflows(minimum, -1n), true);
  assert.equal(overflows(-(2n ** 62n), 2n), false);
  assert.equal(overflows(2n ** 62n, 2n), true);
  assert.equal(overflows(2n ** 32n, 2n ** 32n), true);
  assert.equal(overflows(3037000499n, 3037000499n), false);
  assert.equal(overflows(3037000500n, 3037000500n), true);
});

test('div and idiv raise #DE for 0 and for a quotient that does not fit', () => {
  assert.equal(vectorOf(() => run(cpuWith({ [RAX]: 1n }), 'div', [register(RBX, 8)])), 0);
  assert.equal(vectorOf(() => run(cpuWith({ [RDX]: 5n, [RBX]: 5n }), 'div', [register(RBX, 8)])), 0);
  assert.equal(vectorOf(() => run(cpuWith({ [RDX]: 0x8000_0000n, [RBX]: 0xffff_ffffn }), 'idiv', [register(RBX, 4)])), 0);
  const lowest = cpuWith({ [RAX]: 1n << 63n, [RDX]: (1n << 64n) - 1n, [RBX]: (1n << 64n) - 1n });
  assert.equal(vectorOf(() => run(lowest, 'idiv', [register(RBX, 8)])), 0);
  const wide = run(cpuWith({ [RDX]: 1n, [RAX]: 2n, [RBX]: 3n }), 'div', [register(RBX, 8)]);
  assert.deepEqual([wide.get(RAX), wide.get(RDX)], [0x5555_5555_5555_5556n, 0n]);
});

test('bt with a register reaches memory on both sides of the operand', () => {
  const cpu = cpuWith({ [RSI]: BigInt(MEMORY_START + 0x100), [RCX]: 0xffff_ffffn });
  run(cpu, 'bts', [memory(RSI, 4), register(RCX, 4)]);
  assert.equal(cpu.view.getUint32(cpu.offset(MEMORY_START + 0xfc), true), 0x8000_0000);
  run(cpu, 'bt', [memory(RSI, 4), register(RCX, 4)]);
  assert.equal(cpu.eflags & CF, CF);
});

test('cmpxchg writes one of two registers and leaves the upper half of the other', () => {
  const values = { [RAX]: 0x1111_1111_0000_0005n, [RBX]: 0x2222_2222_0000_0005n, [RCX]: 7n };
  const equal = run(cpuWith(values), 'cmpxchg', [register(RBX, 4), register(RCX, 4)]);
  assert.deepEqual([equal.get(RAX), equal.get(RBX)], [0x1111_1111_0000_0005n, 7n]);
  const unequal = run(cpuWith({ ...values, [RAX]: 6n << 32n }), 'cmpxchg', [register(RBX, 4), register(RCX, 4)]);
  assert.deepEqual([unequal.get(RAX), unequal.get(RBX)], [5n, 0x2222_2222_0000_0005n]);
});

test('cmpxchg16b wants an address that is a multiple of 16', () => {
  const cpu = cpuWith({ [RSI]: BigInt(MEMORY_START + 8) });
  assert.equal(vectorOf(() => run(cpu, 'cmpxchg16b', [memory(RSI, 16)])), 13);
});

test('push rsp pushes the old value; pop [rsp + 8] addresses behind the pop', () => {
  const cpu = cpuWith({});
  const top = cpu.get(RSP);
  run(cpu, 'push', [register(RSP, 8)]);
  assert.equal(cpu.get(RSP), top - 8n);
  run(cpu, 'pop', [memory(RSP, 8, 8n)], { size: 8 });
  assert.equal(cpu.get(RSP), top);
  assert.equal(cpu.view.getBigUint64(cpu.offset(Number(top)) + 8, true), top);
});

test('pop to memory that faults leaves rsp as it was', () => {
  const cpu = cpuWith({ [RBX]: 0n });
  const top = cpu.get(RSP);
  assert.equal(vectorOf(() => run(cpu, 'pop', [memory(RBX, 8)], { size: 8 })), 14);
  assert.equal(cpu.get(RSP), top);
});

test('enter makes a frame that leave removes, nested ones too', () => {
  const cpu = cpuWith({ [RBP]: BigInt(MEMORY_START + 0x900) });
  const top = cpu.get(RSP);
  run(cpu, 'enter', [immediate(0x20n, 2), immediate(0n, 1)], { size: 8 });
  assert.deepEqual([cpu.get(RBP), cpu.get(RSP)], [top - 8n, top - 0x28n]);
  run(cpu, 'enter', [immediate(0x10n, 2), immediate(3n, 1)], { size: 8 });
  assert.deepEqual([cpu.get(RBP), cpu.get(RSP)], [top - 0x30n, top - 0x58n]);
  run(cpu, 'leave', [], { size: 8 });
  run(cpu, 'leave', [], { size: 8 });
  assert.deepEqual([cpu.get(RBP), cpu.get(RSP)], [BigInt(MEMORY_START + 0x900), top]);
});

test('pushf shows IF and bit 1; popf keeps what user mode may not change', () => {
  const cpu = cpuWith({}, CF | OF);
  run(cpu, 'std', []);
  run(cpu, 'pushf', [], { size: 8 });
  assert.equal(cpu.view.getUint32(cpu.offset(Number(cpu.get(RSP))), true), 0x202 | 0x400 | CF | OF);
  cpu.view.setUint32(cpu.offset(Number(cpu.get(RSP))), 0x24_7fff, true);
  run(cpu, 'popf', [], { size: 8 });
  assert.equal(cpu.view.getUint32(STATE_EFLAGS_OTHER, true), 0x24_4400);
  assert.equal(cpu.eflags, CF | PF | AF | ZF | SF | OF);
});

test('segment registers take the null and the user selectors only', () => {
  assert.equal(vectorOf(() => run(cpuWith({ [RAX]: 0x2bn }), 'mov-to-segment', [immediate(0n, 2), register(RAX, 2)])), undefined);
  assert.equal(vectorOf(() => run(cpuWith({ [RAX]: 0x10n }), 'mov-to-segment', [immediate(0n, 2), register(RAX, 2)])), 13);
});

test('a string step follows DF', () => {
  const cpu = cpuWith({ [RSI]: BigInt(MEMORY_START), [RDI]: BigInt(MEMORY_START + 0x100) });
  cpu.view.setUint32(cpu.offset(MEMORY_START), 0x1234_5678, true);
  run(cpu, 'std', []);
  run(cpu, 'movs', [], { size: 4 });
  assert.equal(cpu.view.getUint32(cpu.offset(MEMORY_START + 0x100), true), 0x1234_5678);
  assert.deepEqual([cpu.get(RSI), cpu.get(RDI)], [BigInt(MEMORY_START - 4), BigInt(MEMORY_START + 0xfc)]);
});
