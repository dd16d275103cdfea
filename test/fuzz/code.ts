/**
 * Random bytes as code: whatever a guest executes, the machine answers with an exit, never with an
 * exception of ours, and memory stays bounded.
 *
 *   node --import tsx test/fuzz/code.ts [--count 1000000] [--seed 1] [--tier both|interpreter|translator]
 */
import { readFileSync } from 'node:fs';
import { createMachine, PAGE_EXEC, PAGE_READ, PAGE_WRITE, type AddressSpace } from '../../src/machine/index.ts';
import { Random } from '../machine/values.ts';
import { regionCompiler } from '../../src/machine/translator/index.ts';

const CODE = 0x0100_0000;
const CODE_BYTES = 0x4000;
const DATA = 0x1000_0000;
const DATA_BYTES = 0x10000;
const BUDGET = 2000;

export interface FuzzResult {
  readonly runs: number;
  /** How often each kind of exit came, faults by vector. */
  readonly exits: Readonly<Record<string, number>>;
}

function fill(space: AddressSpace, random: Random, start: number, bytes: number): void {
  const offset = space.offset(start);
  for (let at = 0; at < bytes; at += 4) space.view.setInt32(offset + at, random.next(), true);
  space.invalidateCode(start, start + bytes);
}

function randomRegisters(space: AddressSpace, random: Random): void {
  for (let register = 0; register < 16; register++) {
    const kind = random.below(4);
    const value = kind === 0 ? random.below(256) : kind === 1 ? random.next() >>> 0 : DATA + random.below(DATA_BYTES);
    space.setRegisterNumber(register, value);
  }
  if (random.below(8) !== 0) space.setRegisterNumber(4, DATA + DATA_BYTES / 2);
}

/** Runs `count` random pieces of code. Throws whatever the machine throws. */
export function fuzzCode(image: Uint8Array, count: number, seed: number, tier: 'both' | 'interpreter' | 'translator'): FuzzResult {
  const random = new Random(seed);
  const exits: Record<string, number> = {};
  const machine = createMachine({ interpreter: image, translator: () => regionCompiler }, { monotonicNs: () => 0, onSyscall: () => true, tier });
  const space = machine.createAddressSpace();
  space.nameProgram('fuzz');
  space.protect(CODE, CODE + CODE_BYTES, PAGE_READ | PAGE_EXEC);
  space.protect(DATA, DATA + DATA_BYTES, PAGE_READ | PAGE_WRITE);
  space.requireChecks();
  for (let run = 0; run < count; run++) {
    if (run % 64 === 0) fill(space, random, CODE, CODE_BYTES);
    if (run % 4096 === 0) fill(space, random, DATA, DATA_BYTES);
    randomRegisters(space, random);
    space.rip = CODE + random.below(CODE_BYTES - 64);
    const exit = space.run(BUDGET);
    const kind = exit.kind === 'fault' ? `fault ${exit.vector}` : exit.kind;
    exits[kind] = (exits[kind] ?? 0) + 1;
  }
  space.release();
  return { runs: count, exits };
}

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

if (process.argv[1]?.endsWith('fuzz/code.ts') === true) {
  const tier = option('tier', 'both');
  if (tier !== 'both' && tier !== 'interpreter' && tier !== 'translator') throw new Error(`there is no tier ${tier}`);
  const image = readFileSync(new URL('../../dist/interpreter.bin', import.meta.url));
  const result = fuzzCode(image, Number(option('count', '1000000')), Number(option('seed', '1')), tier);
  console.log(JSON.stringify(result));
}
