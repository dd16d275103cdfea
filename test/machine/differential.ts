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
import { compareResults } from './compare.ts';
import type { Comparison } from './compare.ts';
import { FORMS } from './forms.ts';
import type { Form } from './forms.ts';
import { runNatively } from './native.ts';
import { MachineRunner } from './ours.ts';

const BATCH = layout.SLOTS * 16;

export interface DifferentialOptions {
  readonly count: number;
  readonly seed: number;
  readonly forms?: readonly Form[];
  readonly tier?: 'interpreter' | 'translator' | 'both';
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
  const strict = options.strict ?? false;
  const exactFloats = options.exactFloats ?? false;
  const maker = new CaseMaker(options.seed, { strict, exactFloats });
  const runner = new MachineRunner(options.tier, exactFloats);
  const mismatches: Mismatch[] = [];
  for (let done = 0; done < options.count; done += BATCH) {
    const count = Math.min(BATCH, options.count - done);
    const cases = new Uint8Array(count * layout.CASE_SIZE);
    for (let index = 0; index < count; index++) {
      maker.make(forms[(done + index) % forms.length]!, index % layout.SLOTS, cases, index * layout.CASE_SIZE);
    }
    const host = runNatively(cases);
    const ours = runner.run(cases);
    for (let index = 0; index < count; index++) {
      const text = describeDifference(cases, ours, host, index, { strict, exactFloats });
      if (text !== undefined) mismatches.push({ form: forms[(done + index) % forms.length]!, text });
    }
  }
  return mismatches;
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
    tier: values.tier as 'interpreter' | 'translator' | 'both',
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
