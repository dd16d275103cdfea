/**
 * Instructions here against instructions on the host's processor:
 *
 *     node --import tsx test/machine/differential.ts [--count N] [--seed S] [--only REGEXP] [--tier T] [--show N] [--strict] [--exact-floats]
 *
 * prints mismatches by instruction, and ends with 1 if there was one.
 */

import { parseArgs } from 'node:util';

import { decode } from '../../src/machine/isa/decode.ts';
import { disassemble } from '../../src/machine/isa/disassemble.ts';
import * as layout from './case-layout.ts';
import { CaseMaker } from './cases.ts';
import { compareResults, mayDiffer } from './compare.ts';
import type { Comparison } from './compare.ts';
import { FORMS } from './forms.ts';
import type { Form } from './forms.ts';
import { runNatively } from './native.ts';
import { MachineRunner } from './ours.ts';

const BATCH = layout.SLOTS * 16;
/** Of the instructions in the translator, so many are units at the least. Those that only fault are not worth one. */
const WORTHWHILE_SHARE = 0.8;

export interface DifferentialOptions {
  readonly count: number;
  readonly seed: number;
  readonly forms?: readonly Form[];
  /** In the translator each instruction runs from sixteen states: making a unit takes longer than all of them. */
  readonly tier?: 'interpreter' | 'translator';
  /** See `CaseOptions` and `compareResults`. */
  readonly strict?: boolean;
  readonly exactFloats?: boolean;
}

export interface Mismatch {
  readonly form: Form;
  /** The instruction, its bytes, and one line for each difference. */
  readonly text: string;
}

/** Runs `count` cases and returns those whose results differ. */
export function runDifferential(options: DifferentialOptions): Mismatch[] {
  const forms = options.forms ?? FORMS;
  const isSameCode = options.tier === 'translator';
  const comparison = { strict: options.strict ?? false, exactFloats: options.exactFloats ?? false };
  const maker = new CaseMaker(options.seed, comparison);
  const runner = new MachineRunner(options.tier, comparison.exactFloats);
  const mismatches: Mismatch[] = [];
  const buffers = { cases: new Uint8Array(BATCH * layout.CASE_SIZE), ours: new Uint8Array(BATCH * layout.RESULT_SIZE), host: new Uint8Array(BATCH * layout.RESULT_SIZE) };
  for (let done = 0, instructions = 0; done < options.count; done += BATCH) {
    const count = Math.min(BATCH, options.count - done);
    const cases = buffers.cases.subarray(0, count * layout.CASE_SIZE);
    const ours = buffers.ours.subarray(0, count * layout.RESULT_SIZE);
    const host = buffers.host.subarray(0, count * layout.RESULT_SIZE);
    const formOf = (index: number): Form => forms[(instructions + (isSameCode ? index % layout.SLOTS : index)) % forms.length]!;
    if (isSameCode) makeVaried(maker, formOf, cases, count);
    else for (let index = 0; index < count; index++) maker.make(formOf(index), index % layout.SLOTS, cases, index * layout.CASE_SIZE);
    runNatively(cases, host);
    runner.run(cases, ours, isSameCode);
    for (const index of differing(ours, host, count, comparison.exactFloats)) {
      const text = describeDifference(cases, ours, host, index, comparison);
      if (text !== undefined) mismatches.push({ form: formOf(index), text });
    }
    instructions += isSameCode ? layout.SLOTS : BATCH;
  }
  const placed = Math.ceil(options.count / BATCH) * Math.min(layout.SLOTS, options.count);
  if (isSameCode && runner.unitsTranslated < placed * WORTHWHILE_SHARE) throw new Error(`of ${placed} instructions only ${runner.unitsTranslated} were translated: the cases ran in the interpreter`);
  return mismatches;
}

/** As many instructions as there are slots, each in states that are as many slots apart. */
function makeVaried(maker: CaseMaker, formOf: (index: number) => Form, cases: Uint8Array, count: number): void {
  for (let slot = 0; slot < Math.min(count, layout.SLOTS); slot++) {
    maker.make(formOf(slot), slot, cases, slot * layout.CASE_SIZE);
    for (let index = slot + layout.SLOTS; index < count; index += layout.SLOTS) maker.vary(formOf(slot), cases, index * layout.CASE_SIZE);
  }
}

/** Cases that have to be looked at closely. */
function differing(ours: Uint8Array, host: Uint8Array, count: number, exactFloats: boolean): number[] {
  const words = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const [oursWords, hostWords] = [words(ours), words(host)];
  const found: number[] = [];
  for (let index = 0; index < count; index++) if (mayDiffer(oursWords, hostWords, index * (layout.RESULT_SIZE >> 2), exactFloats)) found.push(index);
  return found;
}

function viewOf(bytes: Uint8Array, size: number, index: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + index * size, size);
}

function describeDifference(cases: Uint8Array, ours: Uint8Array, host: Uint8Array, index: number, options: Comparison): string | undefined {
  const input = viewOf(cases, layout.CASE_SIZE, index);
  const code = new Uint8Array(input.buffer, input.byteOffset + layout.CASE_CODE, input.getUint32(layout.CASE_LENGTH, true));
  const address = layout.CODE + input.getUint32(layout.CASE_SLOT, true) * layout.SLOT;
  const instruction = decode(code, 0, code.length, address);
  const row = instruction.row === undefined ? undefined : instruction;
  const lines = compareResults(row, input, viewOf(ours, layout.RESULT_SIZE, index), viewOf(host, layout.RESULT_SIZE, index), options);
  if (lines.length === 0) return undefined;
  const text = row === undefined ? '(undecodable)' : disassemble(row);
  return [`${text}   [${Buffer.from(code).toString('hex')}]`, ...inputLines(input), ...lines].join('\n    ');
}

/** Registers and operands that the case began with, for a reader. */
function inputLines(input: DataView): string[] {
  const registers = Array.from({ length: 16 }, (_, index) => input.getBigUint64(layout.CASE_REGISTERS + index * 8, true).toString(16));
  const mxcsr = input.getUint32(layout.CASE_FX + layout.FX_MXCSR, true).toString(16);
  const control = input.getUint16(layout.CASE_FX, true).toString(16);
  const status = input.getUint16(layout.CASE_FX + 2, true).toString(16);
  return [`gpr ${registers.join(' ')} flags ${input.getUint32(layout.CASE_FLAGS, true).toString(16)} mxcsr ${mxcsr} fcw ${control} fsw ${status}`];
}

function main(): void {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '.' },
      tier: { type: 'string', default: 'interpreter' },
      show: { type: 'string', default: '2' },
      strict: { type: 'boolean', default: false },
      'exact-floats': { type: 'boolean', default: false },
    },
  });
  const only = new RegExp(values.only);
  const forms = FORMS.filter((form) => only.test(`${form.row.semantics} ${form.row.mnemonic} ${form.row.feature}`));
  const start = performance.now();
  const mismatches = runDifferential({
    count: Number(values.count),
    seed: Number(values.seed),
    forms,
    tier: values.tier as 'interpreter' | 'translator',
    strict: values.strict,
    exactFloats: values['exact-floats'],
  });
  const groups = groupByRow(mismatches);
  for (const [name, group] of groups) {
    console.log(`${name}: ${group.length} mismatches`);
    for (const mismatch of group.slice(0, Number(values.show))) console.log(`  ${mismatch.text}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${values.count} cases of ${forms.length} forms, seed ${values.seed}: ${mismatches.length} mismatches in ${groups.size} rows, ${seconds} s`);
  process.exitCode = mismatches.length === 0 ? 0 : 1;
}

function groupByRow(mismatches: readonly Mismatch[]): Map<string, Mismatch[]> {
  const groups = new Map<string, Mismatch[]>();
  for (const mismatch of mismatches) {
    const { row, size } = mismatch.form;
    const name = `${row.mnemonic} ${row.operands.join(',')} (${size * 8} bit)`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [mismatch]);
    else group.push(mismatch);
  }
  return groups;
}

if (process.argv[1] === new URL(import.meta.url).pathname) main();
