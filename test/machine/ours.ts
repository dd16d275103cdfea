/** Runs cases in an address space of the machine. */

import { fileURLToPath } from 'node:url';
import { GuestSpace } from '../../src/machine/address-space.ts';
import { createMachine, PAGE_EXEC, PAGE_READ, PAGE_WRITE } from '../../src/machine/index.ts';
import type { AddressSpace, Exit, Machine } from '../../src/machine/index.ts';
import { generateInterpreter, packImage, packVectors } from '../../src/machine/interpreter/generate.ts';
import { helperNumbers } from '../../src/machine/helpers/index.ts';
import { regionCompiler } from '../../src/machine/translator/index.ts';
import { STATE_YMM_HIGH } from '../../src/machine/state.ts';
import { semantics } from '../../src/machine/semantics/index.ts';
import { compileDecoder } from '../../scripts/compile-decoder.ts';
import * as layout from './case-layout.ts';

/** From the sources, not from the last build. */
const GENERATED = generateInterpreter(semantics, helperNumbers);
const VECTORS = packVectors(GENERATED);
const IMAGE = packImage(GENERATED, await compileDecoder(fileURLToPath(new URL('../..', import.meta.url))));

const FNV_OFFSET = 0xcbf2_9ce4_8422_2325n;
const FNV_PRIME = 0x100_0000_01b3n;
const BEFORE = layout.WINDOW - layout.DATA;
const AFTER = BEFORE + layout.WINDOW_SIZE;

/** What stands for a vector where none was raised. */
const NO_FAULT = { syscall: 0x100, budget: 0x101, thrown: 0x102 } as const;

/** Cases and results, each as bytes and as words. */
interface Batch {
  readonly cases: Uint8Array;
  readonly inputs: Int32Array;
  readonly results: Uint8Array;
  readonly outputs: Int32Array;
}

export class MachineRunner {
  readonly #machine: Machine;
  readonly #exactFloats: boolean;
  readonly #translates: boolean;
  #space: AddressSpace;
  #pattern = dataWithReadOnly();
  /** Of the code that was placed last: its cases. */
  #placed: { readonly cases: Uint8Array; readonly first: number; readonly last: number } = { cases: new Uint8Array(), first: 0, last: 0 };
  #placements = 0;

  /** `exactFloats`: the code obeys MXCSR. */
  constructor(tier: 'interpreter' | 'translator' = 'interpreter', exactFloats = false) {
    this.#machine = createMachine({ interpreter: IMAGE, vectors: () => VECTORS, translator: () => regionCompiler }, { onSyscall: () => true, monotonicNs: () => 0, tier, cpu: 'v3' });
    this.#exactFloats = exactFloats;
    this.#translates = tier === 'translator';
    this.#space = this.#createSpace();
  }

  /** How many instructions were run as units. */
  get unitsTranslated(): number {
    return this.#machine.statistics.unitsTranslated;
  }

  #createSpace(): AddressSpace {
    const space = this.#machine.createAddressSpace();
    space.nameProgram('test');
    space.requireChecks();
    space.protect(layout.DATA, layout.DATA + layout.DATA_SIZE, PAGE_READ | PAGE_WRITE);
    space.protect(layout.READ_ONLY, layout.READ_ONLY + 4096, PAGE_READ);
    space.protect(layout.CODE, layout.CODE + layout.CODE_SIZE, PAGE_READ | PAGE_EXEC);
    space.u8.set(this.#pattern, space.offset(layout.DATA));
    space.gsBase = BigInt(layout.GS_BASE);
    if (this.#exactFloats) space.loadFpu(exactImage());
    return space;
  }

  /** Writes the results of `cases`, which lie one after the other, to `results`. In their slots' order; `isSameCode`: all that have a slot have the same code. */
  run(cases: Uint8Array, results: Uint8Array, isSameCode = false): void {
    const count = cases.length / layout.CASE_SIZE;
    const batch: Batch = {
      cases, results,
      inputs: new Int32Array(cases.buffer, cases.byteOffset, cases.length >> 2),
      outputs: new Int32Array(results.buffer, results.byteOffset, results.length >> 2),
    };
    for (let first = 0; first < count; first += layout.SLOTS) {
      const last = Math.min(count, first + layout.SLOTS);
      if (first === 0 || !isSameCode) {
        this.#placed = { cases, first, last };
        this.#placements++;
        this.#placeCode();
      }
      for (let index = first; index < last; index++) {
        this.#runOne(batch, index);
        if (this.#space.exactFloats !== this.#exactFloats) this.#renew();
      }
    }
  }

  /** An instruction asked for code of the other kind, from which there is no way back: another space. */
  #renew(): void {
    this.#space.release();
    this.#space = this.#createSpace();
    this.#placeCode();
  }

  #placeCode(): void {
    const space = this.#space;
    const { cases, first, last } = this.#placed;
    const view = new DataView(cases.buffer, cases.byteOffset);
    const code = space.offset(layout.CODE);
    space.invalidateCode(layout.CODE, layout.CODE + layout.CODE_SIZE);
    space.u8.fill(layout.HLT, code, code + layout.CODE_SIZE);
    for (let index = first; index < last; index++) {
      const at = index * layout.CASE_SIZE;
      const bytes = cases.subarray(at + layout.CASE_CODE, at + layout.CASE_CODE + view.getUint32(at + layout.CASE_LENGTH, true));
      space.u8.set(bytes, code + view.getUint32(at + layout.CASE_SLOT, true) * layout.SLOT);
    }
    if (this.#translates) this.#translate(space, last - first);
  }

  /** Code becomes a unit when it has reported itself: here before it runs, as each case runs once. */
  #translate(space: AddressSpace, slots: number): void {
    if (!(space instanceof GuestSpace)) throw new Error('the machine has other address spaces than GuestSpace');
    // Each placement is another program, so that nothing is remembered of what was at these addresses before.
    space.nameProgram(`test ${this.#placements}`);
    for (let slot = 0; slot < slots; slot++) space.hot(space.lookup(layout.CODE + slot * layout.SLOT));
  }

  #runOne({ cases, results, inputs, outputs }: Batch, index: number): void {
    const space = this.#space;
    const at = index * (layout.CASE_SIZE / 4);
    const to = index * (layout.RESULT_SIZE / 4);
    const window = space.offset(layout.WINDOW) >> 2;
    for (let word = 0; word < 32; word++) space.registers[word] = inputs[at + layout.CASE_REGISTERS / 4 + word]!;
    space.eflags = inputs[at + layout.CASE_FLAGS / 4]!;
    space.loadFpu(cases.subarray(index * layout.CASE_SIZE + layout.CASE_FX));
    for (let word = 0; word < layout.YMM_SIZE / 4; word++) space.i32[STATE_YMM_HIGH / 4 + word] = inputs[at + layout.CASE_YMM / 4 + word]!;
    for (let word = 0; word < layout.WINDOW_SIZE / 4; word++) space.i32[window + word] = inputs[at + layout.CASE_WINDOW / 4 + word]!;
    space.rip = layout.CODE + inputs[at + layout.CASE_SLOT / 4]! * layout.SLOT;

    const exit = this.#finish(space);
    // The memory may have grown meanwhile: views of it are new then.
    const { registers, i32 } = space;
    outputs.fill(0, to, to + layout.RESULT_RIP / 4 + 2);
    if (exit.kind === 'fault') this.#storeFault(exit, outputs, to);
    else outputs[to + layout.RESULT_VECTOR / 4] = NO_FAULT[exit.kind];
    outputs[to + layout.RESULT_RIP / 4] = space.rip;
    for (let word = 0; word < 32; word++) outputs[to + layout.RESULT_REGISTERS / 4 + word] = registers[word]!;
    outputs[to + layout.RESULT_FLAGS / 4] = space.eflags;
    outputs[to + layout.RESULT_FLAGS / 4 + 1] = 0;
    // The image is longer than what is kept of it.
    space.saveFpu(results.subarray(index * layout.RESULT_SIZE + layout.RESULT_FX));
    for (let word = 0; word < layout.WINDOW_SIZE / 4; word++) outputs[to + layout.RESULT_WINDOW / 4 + word] = i32[window + word]!;
    for (let word = 0; word < layout.YMM_SIZE / 4; word++) outputs[to + layout.RESULT_YMM / 4 + word] = i32[STATE_YMM_HIGH / 4 + word]!;
    this.#storeHash(space, outputs, to + layout.RESULT_HASH / 4);
  }

  #storeFault(exit: Exit & { readonly kind: 'fault' }, outputs: Int32Array, to: number): void {
    outputs[to + layout.RESULT_VECTOR / 4] = exit.vector;
    outputs[to + layout.RESULT_ERROR / 4] = exit.error;
    if (exit.vector !== 14) return;
    outputs[to + layout.RESULT_FAULT_ADDRESS / 4] = exit.address;
    outputs[to + layout.RESULT_FAULT_ADDRESS / 4 + 1] = Math.floor(exit.address / 0x1_0000_0000);
  }

  /** Runs to the fault that ends a case. An exception of ours is a mismatch like any other. */
  #finish(space: AddressSpace): Exit | { readonly kind: 'thrown' } {
    try {
      let exit = space.run(1000);
      for (let more = 0; exit.kind === 'budget' && more < 100; more++) exit = space.run(1000);
      return exit;
    } catch {
      return { kind: 'thrown' };
    }
  }

  /** As in `native-runner.c`; puts back what was changed. */
  #storeHash(space: AddressSpace, outputs: Int32Array, to: number): void {
    const start = space.offset(layout.DATA);
    const data = Buffer.from(space.u8.buffer, start, this.#pattern.length);
    const pattern = this.#pattern;
    outputs[to] = outputs[to + 1] = 0;
    if (data.compare(pattern, 0, BEFORE, 0, BEFORE) === 0 && data.compare(pattern, AFTER, pattern.length, AFTER) === 0) return;
    let hash = FNV_OFFSET;
    for (let at = 0; at < layout.DATA_SIZE; at += 8) {
      if (at === BEFORE) at = AFTER;
      hash = BigInt.asUintN(64, (hash ^ data.readBigUInt64LE(at)) * FNV_PRIME);
    }
    space.u8.set(pattern, start);
    outputs[to] = Number(hash & 0xffff_ffffn);
    outputs[to + 1] = Number(hash >> 32n);
  }
}

/** An image for FXRSTOR with an exception flag set. */
function exactImage(): Uint8Array {
  const image = new Uint8Array(512);
  new DataView(image.buffer).setUint32(layout.FX_MXCSR, 0x1fa0, true);
  return image;
}

function dataWithReadOnly(): Uint8Array {
  const bytes = new Uint8Array(layout.DATA_SIZE + 4096).fill(0x5a);
  bytes.set(layout.dataPattern());
  return bytes;
}
