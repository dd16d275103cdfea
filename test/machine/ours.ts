/** Runs cases in an address space of the machine. */

import { fileURLToPath } from 'node:url';
import { createMachine, PAGE_EXEC, PAGE_READ, PAGE_WRITE } from '../../src/machine/index.ts';
import type { AddressSpace, Exit, Machine } from '../../src/machine/index.ts';
import { generateInterpreter, packImage } from '../../src/machine/interpreter/generate.ts';
import { helperNumbers } from '../../src/machine/helpers/index.ts';
import { regionCompiler } from '../../src/machine/translator/index.ts';
import { semantics } from '../../src/machine/semantics/index.ts';
import { compileDecoder } from '../../scripts/compile-decoder.ts';
import * as layout from './case-layout.ts';

/** From the sources, not from the last build. */
const IMAGE = packImage(generateInterpreter(semantics, helperNumbers), await compileDecoder(fileURLToPath(new URL('../..', import.meta.url))));

const FNV_OFFSET = 0xcbf2_9ce4_8422_2325n;
const FNV_PRIME = 0x100_0000_01b3n;
const BEFORE = layout.WINDOW - layout.DATA;
const AFTER = BEFORE + layout.WINDOW_SIZE;

/** What stands for a vector where none was raised. */
const NO_FAULT = { syscall: 0x100, budget: 0x101, thrown: 0x102 } as const;

export class MachineRunner {
  readonly #machine: Machine;
  readonly #exactFloats: boolean;
  #space: AddressSpace;
  #pattern = dataWithReadOnly();
  #fx = new Uint8Array(512);

  /** `exactFloats`: the code obeys MXCSR. */
  constructor(tier: 'interpreter' | 'translator' | 'both' = 'interpreter', exactFloats = false) {
    this.#machine = createMachine({ interpreter: IMAGE, translator: () => regionCompiler }, { onSyscall: () => true, monotonicNs: () => 0, tier });
    this.#exactFloats = exactFloats;
    this.#space = this.#createSpace();
  }

  #createSpace(): AddressSpace {
    const space = this.#machine.createAddressSpace();
    space.nameProgram('test');
    space.requireChecks();
    space.protect(layout.DATA, layout.DATA + layout.DATA_SIZE, PAGE_READ | PAGE_WRITE);
    space.protect(layout.READ_ONLY, layout.READ_ONLY + 4096, PAGE_READ);
    space.protect(layout.CODE, layout.CODE + layout.CODE_SIZE, PAGE_READ | PAGE_WRITE | PAGE_EXEC);
    space.u8.set(this.#pattern, space.offset(layout.DATA));
    space.gsBase = BigInt(layout.GS_BASE);
    return space;
  }

  /** A space whose code is of the kind that was asked for: there is no way back from the other kind. */
  get space(): AddressSpace {
    if (this.#space.exactFloats !== this.#exactFloats) {
      const old = this.#space;
      this.#space = this.#createSpace();
      if (this.#exactFloats) this.#space.loadFpu(exactImage());
      const code = this.#space.offset(layout.CODE);
      this.#space.u8.set(old.u8.subarray(code, code + layout.CODE_SIZE), code);
      old.release();
    }
    return this.#space;
  }

  /** Results of `cases`, which lie one after the other, in their slots' order. */
  run(cases: Uint8Array): Uint8Array {
    const count = cases.length / layout.CASE_SIZE;
    const results = new Uint8Array(count * layout.RESULT_SIZE);
    for (let first = 0; first < count; first += layout.SLOTS) {
      const last = Math.min(count, first + layout.SLOTS);
      this.#placeCode(cases, first, last);
      for (let index = first; index < last; index++) this.#runOne(cases, index, results);
    }
    return results;
  }

  #placeCode(cases: Uint8Array, first: number, last: number): void {
    const { space } = this;
    const view = new DataView(cases.buffer, cases.byteOffset);
    const code = space.offset(layout.CODE);
    space.invalidateCode(layout.CODE, layout.CODE + layout.CODE_SIZE);
    space.u8.fill(layout.HLT, code, code + layout.CODE_SIZE);
    for (let index = first; index < last; index++) {
      const at = index * layout.CASE_SIZE;
      const bytes = cases.subarray(at + layout.CASE_CODE, at + layout.CASE_CODE + view.getUint32(at + layout.CASE_LENGTH, true));
      space.u8.set(bytes, code + view.getUint32(at + layout.CASE_SLOT, true) * layout.SLOT);
    }
  }

  #runOne(cases: Uint8Array, index: number, results: Uint8Array): void {
    const { space } = this;
    const input = new DataView(cases.buffer, cases.byteOffset + index * layout.CASE_SIZE, layout.CASE_SIZE);
    const output = new DataView(results.buffer, results.byteOffset + index * layout.RESULT_SIZE, layout.RESULT_SIZE);
    const inputBytes = new Uint8Array(input.buffer, input.byteOffset, layout.CASE_SIZE);
    const outputBytes = new Uint8Array(output.buffer, output.byteOffset, layout.RESULT_SIZE);
    const window = space.offset(layout.WINDOW);

    for (let word = 0; word < 32; word++) space.registers[word] = input.getInt32(layout.CASE_REGISTERS + word * 4, true);
    space.eflags = input.getUint32(layout.CASE_FLAGS, true);
    this.#fx.set(inputBytes.subarray(layout.CASE_FX, layout.CASE_FX + layout.FX_SIZE));
    space.loadFpu(this.#fx);
    space.u8.set(inputBytes.subarray(layout.CASE_WINDOW, layout.CASE_WINDOW + layout.WINDOW_SIZE), window);
    space.rip = layout.CODE + input.getUint32(layout.CASE_SLOT, true) * layout.SLOT;

    const exit = this.#finish(space);
    if (exit.kind === 'fault') {
      output.setUint32(layout.RESULT_VECTOR, exit.vector, true);
      output.setUint32(layout.RESULT_ERROR, exit.error, true);
      const address = exit.vector === 14 ? BigInt(exit.address) : 0n;
      output.setBigUint64(layout.RESULT_FAULT_ADDRESS, BigInt.asUintN(64, address), true);
    } else {
      output.setUint32(layout.RESULT_VECTOR, NO_FAULT[exit.kind], true);
    }
    output.setUint32(layout.RESULT_RIP, space.rip, true);
    for (let word = 0; word < 32; word++) output.setInt32(layout.RESULT_REGISTERS + word * 4, space.registers[word]!, true);
    output.setUint32(layout.RESULT_FLAGS, space.eflags, true);
    space.saveFpu(this.#fx);
    outputBytes.set(this.#fx.subarray(0, layout.FX_SIZE), layout.RESULT_FX);
    outputBytes.set(space.u8.subarray(window, window + layout.WINDOW_SIZE), layout.RESULT_WINDOW);
    output.setBigUint64(layout.RESULT_HASH, this.#outsideHash(space), true);
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
  #outsideHash(space: AddressSpace): bigint {
    const start = space.offset(layout.DATA);
    const data = Buffer.from(space.u8.buffer, start, this.#pattern.length);
    const pattern = this.#pattern;
    if (data.compare(pattern, 0, BEFORE, 0, BEFORE) === 0 && data.compare(pattern, AFTER, pattern.length, AFTER) === 0) return 0n;
    let hash = FNV_OFFSET;
    for (let at = 0; at < layout.DATA_SIZE; at += 8) {
      if (at === BEFORE) at = AFTER;
      hash = BigInt.asUintN(64, (hash ^ data.readBigUInt64LE(at)) * FNV_PRIME);
    }
    space.u8.set(pattern, start);
    return hash;
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
