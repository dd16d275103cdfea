/** What a unit may still do before the host has its turn: a global that counts down, where the guest cannot write. */
import type { Expr } from '../semantics/builder.ts';
import { node } from '../semantics/expression.ts';
import { EXIT_BUDGET, STATE_EXIT_REASON, STATE_RIP } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { UnitBuilder } from './unit-builder.ts';

export class Fuel {
  readonly #b: UnitBuilder;
  readonly #global: number;
  /** A global is memory, and each iteration of a loop would wait for the one before. */
  #local: Expr | undefined;

  constructor(b: UnitBuilder, global: number) {
    this.#b = b;
    this.#global = global;
  }

  #read(): Expr {
    return node('i32', op.GLOBAL_GET, [], this.#global);
  }

  #write(value: Expr): void {
    this.#b.emit(value);
    this.#b.out.u8(op.GLOBAL_SET);
    this.#b.out.u32(this.#global);
  }

  /** Counts in a local from here on: for a unit with a loop. */
  keep(): void {
    this.#local = this.#b.permanent(this.#read());
  }

  /** Before other units run. The host sets it anew. */
  store(): void {
    if (this.#local !== undefined) this.#write(this.#local);
  }

  /** After other units ran. */
  reload(): void {
    if (this.#local !== undefined) this.#b.assign(this.#local, this.#read());
  }

  /**
   * Counts; when nothing is left, the host gets control with rip at `to`, which also lets V8 enter optimised code.
   * `save` stores what memory does not have.
   */
  preempt(to: Expr, save: () => void): void {
    const b = this.#b;
    const left = b.let(b.sub(this.#local ?? this.#read(), b.i32(1)));
    if (this.#local === undefined) this.#write(left);
    else b.assign(this.#local, left);
    b.unlikely(b.ltS(left, b.i32(0)), () => {
      save();
      b.writeState(STATE_RIP, to);
      b.writeState(STATE_EXIT_REASON, b.i32(EXIT_BUDGET));
      b.emit(b.i32(0));
      b.out.u8(op.RETURN);
    });
    b.end();
  }
}
