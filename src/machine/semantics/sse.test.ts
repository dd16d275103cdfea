import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SSE_HELPERS } from '../helpers/sse.ts';
import type { HelperContext } from '../helpers/types.ts';
import { decode } from '../isa/decode.ts';
import type { DecodedInstruction, InstructionRow } from '../isa/instruction.ts';
import { ROWS } from '../isa/table.ts';
import { GUEST_BASE, STATE_GPR, STATE_XMM } from '../state.ts';
import { ModuleWriter } from '../wasm/writer.ts';
import { CheckingBuilder } from './checking-builder.test-support.ts';
import { COMPARE_STRINGS_PARAMETERS, compareStringsFunction } from './compare-strings.ts';
import { EFLAGS_ARITHMETIC, loadFlags } from './flags.ts';
import { SIMD_SEMANTICS } from './sse-table.ts';

const HELPER_NAMES = Object.keys(SSE_HELPERS);
const PREFIX_BYTES = { none: [], '66': [0x66], F3: [0xf3], F2: [0xf2] } as const;
const MAP_BYTES: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const ADDRESS = 0x40_0000;

function compile(instruction: DecodedInstruction, constants: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const type = module.type([], []);
  module.importMemory('m', 'memory', 1, 65536);
  const helper = module.importFunction('m', 'helper', module.type(['i32', 'i32', 'i32', 'i32', 'i32'], ['i32']));
  const numberOf = (name: string): number => HELPER_NAMES.indexOf(name);
  const comparison = new CheckingBuilder(instruction, constants, helper, numberOf, 0, COMPARE_STRINGS_PARAMETERS.length);
  const strings = module.addFunction(compareStringsFunction(comparison, module.type(COMPARE_STRINGS_PARAMETERS, ['i32'])));
  const builder = new CheckingBuilder(instruction, constants, helper, numberOf, strings);
  SIMD_SEMANTICS[instruction.row.semantics]?.(builder);
  builder.settleFlags();
  builder.out.u8(0x0b);
  module.export('run', module.addFunction({ type, locals: builder.locals, code: builder.out }));
  return module.finish();
}

function decoded(bytes: readonly number[], row?: InstructionRow): DecodedInstruction | undefined {
  const code = new Uint8Array(24);
  code.set(bytes);
  const instruction = decode(code, 0, 24, ADDRESS);
  if (instruction.row === undefined || (row !== undefined && instruction.row !== row)) return undefined;
  return instruction;
}

/** Register and memory form, each with and without REX.W. */
function* forms(row: InstructionRow): Generator<DecodedInstruction> {
  const reg = (row.group ?? 1) << 3;
  for (const rex of [[], [0x48]]) {
    for (const modrm of [0xc0 | reg | 2, reg | 6]) {
      const prefix = PREFIX_BYTES[row.prefix ?? 'none'];
      const instruction = decoded([...prefix, ...rex, ...(MAP_BYTES[row.map] ?? []), row.opcode, modrm, 0x4b], row);
      if (instruction !== undefined) yield instruction;
    }
  }
}

interface Registers {
  readonly xmm1?: bigint;
  readonly xmm2?: bigint;
}

interface Result {
  readonly xmm1: bigint;
  readonly rcx: bigint;
  readonly flags: number;
}

/** Runs one instruction on registers 1 and 2. */
function run(hex: string, registers: Registers): Result {
  const instruction = decoded(hex.split(' ').map((byte) => Number.parseInt(byte, 16)));
  assert.ok(instruction);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536 });
  const view = new DataView(memory.buffer);
  const setXmm = (register: number, value: bigint): void => {
    view.setBigUint64(STATE_XMM + 16 * register, BigInt.asUintN(64, value), true);
    view.setBigUint64(STATE_XMM + 16 * register + 8, value >> 64n, true);
  };
  setXmm(1, registers.xmm1 ?? 0n);
  setXmm(2, registers.xmm2 ?? 0n);
  const context: HelperContext = {
    view, u8: new Uint8Array(memory.buffer), readable: () => true, writable: () => true,
    offset: (address) => address - GUEST_BASE, raise: () => 1, requireExactFloats: () => 1, timestamp: () => [0, 0], cpu: 'v2', processor: 0,
  };
  const helper = (number: number, destination: number, source: number, immediate: number, forms_: number): number =>
    SSE_HELPERS[HELPER_NAMES[number] ?? '']?.(context, destination, source, immediate, forms_) ?? 1;
  for (const constants of [true, false]) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(compile(instruction, constants)), { m: { memory, helper } });
    if (constants) {
      setXmm(1, registers.xmm1 ?? 0n);
      (instance.exports['run'] as () => void)();
    } else {
      const first = view.getBigUint64(STATE_XMM + 16, true);
      setXmm(1, registers.xmm1 ?? 0n);
      (instance.exports['run'] as () => void)();
      assert.equal(view.getBigUint64(STATE_XMM + 16, true), first, 'same with known and unknown immediates');
    }
  }
  return {
    xmm1: view.getBigUint64(STATE_XMM + 16, true) | (view.getBigUint64(STATE_XMM + 24, true) << 64n),
    rcx: view.getBigUint64(STATE_GPR + 8, true),
    flags: loadFlags(view) & EFLAGS_ARITHMETIC,
  };
}

describe('SIMD semantics', () => {
  test('every form is valid Wasm and reads no register after writing it', () => {
    let count = 0;
    for (const row of ROWS) {
      if (SIMD_SEMANTICS[row.semantics] === undefined) continue;
      for (const instruction of forms(row)) {
        for (const constants of [true, false]) {
          assert.ok(WebAssembly.validate(compile(instruction, constants)), `${row.mnemonic} ${row.operands.join()}`);
          count++;
        }
      }
    }
    assert.ok(count > 1000, `only ${count} forms`);
  });

  test('every key is that of a row', () => {
    const keys = new Set(ROWS.map((row) => row.semantics));
    assert.deepEqual(Object.keys(SIMD_SEMANTICS).filter((key) => !keys.has(key)), []);
  });
});

/** As recorded on a processor (SDM Vol. 1, table 4-7, and the instruction pages). */
describe('NaN and indefinite results', () => {
  const SIGNALING = 0x7ff0_0000_0000_0001n;
  const QUIET = 0xfff8_0000_0000_0123n;
  const INFINITY = 0x7ff0_0000_0000_0000n;
  const NEGATIVE_INFINITY = 0xfff0_0000_0000_0000n;

  test('addsd xmm1, xmm2 prefers the first NaN, made quiet', () => {
    assert.equal(run('f2 0f 58 ca', { xmm1: SIGNALING, xmm2: QUIET }).xmm1, 0x7ff8_0000_0000_0001n);
    assert.equal(run('f2 0f 58 ca', { xmm1: 0n, xmm2: SIGNALING }).xmm1, 0x7ff8_0000_0000_0001n);
  });

  test('addsd xmm1, xmm2 gives the negative default NaN when invalid', () => {
    assert.equal(run('f2 0f 58 ca', { xmm1: INFINITY, xmm2: NEGATIVE_INFINITY }).xmm1, 0xfff8_0000_0000_0000n);
  });

  test('mulps does so in each lane', () => {
    const xmm1 = 0x7f80_0000_3f80_0000_7f80_0001_4000_0000n;
    const xmm2 = 0x0000_0000_ffa0_0777_ffc0_0123_4000_0000n;
    assert.equal(run('0f 59 ca', { xmm1, xmm2 }).xmm1, 0xffc0_0000_ffe0_0777_7fc0_0001_4080_0000n);
  });

  test('minsd gives the second operand when one is NaN or both are zero', () => {
    assert.equal(run('f2 0f 5d ca', { xmm1: 0n, xmm2: SIGNALING }).xmm1, SIGNALING);
    assert.equal(run('f2 0f 5d ca', { xmm1: 0n, xmm2: 1n << 63n }).xmm1, 1n << 63n);
  });

  test('cvtsd2ss and cvtss2sd shift the payload', () => {
    assert.equal(run('f2 0f 5a ca', { xmm2: 0xfff4_0000_2000_0000n }).xmm1, 0xffe0_0001n);
    assert.equal(run('f3 0f 5a ca', { xmm2: 0xffa0_0777n }).xmm1, 0xfffc_00ee_e000_0000n);
  });

  test('cvttsd2si ecx, xmm2 gives 80000000 beyond the range', () => {
    assert.equal(run('f2 0f 2c ca', { xmm2: 0x41e0_0000_0000_0000n }).rcx, 0x8000_0000n);
    assert.equal(run('f2 48 0f 2c ca', { xmm2: QUIET }).rcx, 1n << 63n);
    assert.equal(run('f2 0f 2c ca', { xmm2: 0x41df_ffff_ffff_ffffn }).rcx, 0x7fff_ffffn);
  });

  test('cvtsd2si rounds to nearest even', () => {
    assert.equal(run('f2 0f 2d ca', { xmm2: 0x4004_0000_0000_0000n }).rcx, 2n); // 2.5
  });

  test('ucomisd sets ZF, PF and CF when unordered', () => {
    assert.equal(run('66 0f 2e ca', { xmm1: QUIET, xmm2: 0n }).flags, 0x45);
    assert.equal(run('66 0f 2e ca', { xmm1: 1n, xmm2: 0n }).flags, 0);
    assert.equal(run('66 0f 2e ca', { xmm1: 0n, xmm2: 0n }).flags, 0x40);
  });
});

describe('SSE helpers', () => {
  test('pcmpistri finds a substring', () => {
    const xmm1 = BigInt(`0x${Buffer.from('needle').reverse().toString('hex')}`);
    const xmm2 = BigInt(`0x${Buffer.from('the needle here!').reverse().toString('hex')}`);
    const result = run('66 0f 3a 63 ca 0c', { xmm1, xmm2 });
    assert.equal(result.rcx, 4n);
    assert.equal(result.flags, 0x81); // CF: found; SF: the first has an end
  });
});
