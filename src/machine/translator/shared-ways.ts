/**
 * Ways out of a unit that store the same registers: to the host where an instruction faults, and to the interpreter.
 * They are blocks around the whole unit, each followed by what stores the registers and leaves; the interpreter is called at one place.
 */
import type { Expr } from '../semantics/builder.ts';
import * as op from '../wasm/opcodes.ts';
import { mayTouchMemory } from './effects.ts';
import type { BlockFacts, RegionFacts } from './liveness.ts';
import type { Region } from './region.ts';
import type { RegionBlock } from './region-block.ts';
import type { UnitBuilder } from './unit-builder.ts';

/** Counts sets of registers; those of one way only are not shared. */
class Sets {
  readonly #counts = new Map<number, number>();
  add(registers: number): void {
    this.#counts.set(registers, (this.#counts.get(registers) ?? 0) + 1);
  }
  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }
  get shared(): number[] {
    return [...this.#counts].filter(([, count]) => count > 1).map(([registers]) => registers);
  }
}

export class SharedWays {
  readonly #b: UnitBuilder;
  readonly #region: Region;
  readonly #facts: RegionFacts;
  readonly #checked: boolean;
  /** Depth of the block of each set that exits store. */
  readonly #exits = new Map<number, number>();
  /** Where all exits lead in the end: its depth, and the address that control goes on at. */
  #last: { readonly depth: number; readonly target: Expr } | undefined;

  constructor(b: UnitBuilder, region: Region, facts: RegionFacts, checked: boolean) {
    this.#b = b;
    this.#region = region;
    this.#facts = facts;
    this.#checked = checked;
  }

  /** Before the unit's code. */
  open(): void {
    const b = this.#b;
    const faults = new Sets();
    const exits = new Sets();
    for (const block of this.#region.blocks) {
      const facts = this.#facts.get(block);
      if (facts !== undefined) this.#count(block, facts, faults, exits);
    }
    if (this.#checked || !exits.isEmpty) {
      b.open(op.BLOCK);
      this.#last = { depth: b.depth, target: b.permanent(b.i32(0)) };
    }
    b.openLeaves(faults.shared);
    for (const registers of exits.shared) {
      b.open(op.BLOCK);
      this.#exits.set(registers, b.depth);
    }
  }

  #count(block: RegionBlock, facts: BlockFacts, faults: Sets, exits: Sets): void {
    facts.instructions.forEach(({ effects, dirtyBefore }, index) => {
      const instruction = block.instructions[index];
      const touchesMemory = this.#checked && instruction !== undefined && mayTouchMemory(instruction);
      if (effects.faults) faults.add(dirtyBefore);
      if (touchesMemory) exits.add(dirtyBefore);
    });
    for (const edge of [block.taken, block.next]) if (edge !== undefined && !('block' in edge)) exits.add(facts.dirtyOut);
  }

  /** Stores a set of registers and goes on at an address, in the interpreter. */
  leave(registers: number, address: number): void {
    const b = this.#b;
    const last = this.#last;
    if (last === undefined) throw new Error('an exit was not counted');
    b.assign(last.target, b.i32(address));
    const label = this.#exits.get(registers);
    if (label === undefined) b.spill(registers);
    this.#jump(label ?? last.depth);
  }

  #jump(label: number): void {
    this.#b.out.u8(op.BR);
    this.#b.out.u32(this.#b.depth - label);
  }

  /** Behind the unit's code. `enter`: the interpreter at an address. */
  close(enter: (target: Expr) => void): void {
    const b = this.#b;
    const last = this.#last;
    for (const registers of [...this.#exits.keys()].reverse()) {
      b.close();
      b.spill(registers);
      if (last !== undefined) this.#jump(last.depth);
    }
    b.closeLeaves();
    if (last === undefined) return;
    b.close();
    enter(last.target);
  }
}
