/** Locals of a unit: those of one instruction, which the next ones use again, and those that stay. */
import type { Expr, ValueType } from '../semantics/builder.ts';
import { EmittingBuilder } from '../semantics/emitting-builder.ts';
import { localGet } from '../semantics/expression.ts';
import * as op from '../wasm/opcodes.ts';

/** Behind the imports of `unit-options.ts`. */
const IMPORT_COMPARE_STRINGS = 4;

export abstract class LocalBuilder extends EmittingBuilder {
  protected readonly stringComparison = IMPORT_COMPARE_STRINGS;
  #keptLocals = new Map<string, number>();
  #freeTemporaries: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  #temporaries: { type: ValueType; index: number }[] = [];

  /** A value that outlives the instruction's temporaries: the code of other instructions is written before it is used. One a unit at a time. */
  hold(value: Expr): Expr {
    return this.keepIn('held', value);
  }

  /** Ends the current instruction: its temporaries can be used again. */
  end(): void {
    for (const { type, index } of this.#temporaries) this.#freeTemporaries[type].push(index);
    this.#temporaries.length = 0;
  }

  override newLocal(type: ValueType): number {
    const index = this.#freeTemporaries[type].pop() ?? super.newLocal(type);
    this.#temporaries.push({ type, index });
    return index;
  }

  /** A local for the whole unit. */
  permanent(initial: Expr): Expr {
    const local = this.permanentLocal(initial.type);
    this.setLocal(local, initial);
    return localGet(initial.type, local);
  }

  protected permanentLocal(type: ValueType): number {
    return super.newLocal(type);
  }

  /** Operands of the flags outlive their instruction: each role has a local of its own. */
  protected keepIn(role: string, value: Expr): Expr {
    if (value.opcode === op.I32_CONST || value.opcode === op.I64_CONST) return value;
    const key = `${role}:${value.type}`;
    let local = this.#keptLocals.get(key);
    if (local === undefined) this.#keptLocals.set(key, (local = this.permanentLocal(value.type)));
    this.setLocal(local, value);
    return localGet(value.type, local);
  }
}
