/**
 * Which registers are in locals, which of them memory does not have yet, which flags matter.
 *
 * A register's local is right wherever the register is live. A register that may be dirty at a point
 * where everything must be in memory counts as used there, so that its local is right on every way to it.
 */
import { FLAG_SET_ALL } from '../semantics/analysis.ts';
import type { SemanticsTable } from '../semantics/builder.ts';
import { effectsOf, type Effects } from './effects.ts';
import type { Region } from './region.ts';
import { successors, type ExitEdge, type RegionBlock } from './region-block.ts';

export interface InstructionFacts {
  readonly effects: Effects;
  /** Registers that memory may not have, before the instruction. */
  dirtyBefore: number;
  flagsDirtyBefore: boolean;
  liveAfter: number;
  flagsLiveAfter: number;
  flagsLiveBefore: number;
}

export interface BlockFacts {
  readonly instructions: InstructionFacts[];
  dirtyIn: number;
  dirtyOut: number;
  flagsDirtyIn: boolean;
  flagsDirtyOut: boolean;
  liveIn: number;
  flagsLiveIn: number;
}

/** Instructions that give a frame back, where they change rsp. */
const FRAME = new Set(['add', 'sub']);
const RSP = 4;

export type RegionFacts = ReadonlyMap<RegionBlock, BlockFacts>;

/**
 * Whether flags may be a function's result. Compilers do not use them so (System V ABI 3.2.3), and code without checks is theirs: it is enough
 * there to look at what sets flags right where the function returns, other than giving its frame back, and at a return by itself.
 */
function returnsFlags(effects: readonly Effects[], { instructions }: RegionBlock): boolean {
  const instruction = instructions[effects.findLastIndex(({ flagsWritten }) => flagsWritten !== 0)];
  if (instruction === undefined) return instructions.length === 1;
  const target = instruction.operands[0];
  return !(FRAME.has(instruction.row.semantics) && target?.kind === 'register' && target.class === 'gpr' && target.index === RSP);
}

function createFacts(block: RegionBlock, semantics: SemanticsTable, checked: boolean): BlockFacts {
  const last = block.instructions.length - 1;
  const effects = block.instructions.map((instruction, index) => effectsOf(instruction, semantics, index === last && (block.inlined !== undefined || block.returnsTo !== undefined)));
  const final = effects[last];
  if (final !== undefined && !checked && block.instructions[last]?.row.flow === 'return' && !returnsFlags(effects, block)) effects[last] = { ...final, flagsUsed: 0 };
  return {
    instructions: effects.map((effects) => ({ effects, dirtyBefore: 0, flagsDirtyBefore: false, liveAfter: 0, flagsLiveAfter: 0, flagsLiveBefore: 0 })),
    dirtyIn: 0, dirtyOut: 0, flagsDirtyIn: false, flagsDirtyOut: false, liveIn: 0, flagsLiveIn: 0,
  };
}

function flowDirty(facts: BlockFacts): void {
  let dirty = facts.dirtyIn;
  let flags = facts.flagsDirtyIn;
  for (const instruction of facts.instructions) {
    instruction.dirtyBefore = dirty;
    instruction.flagsDirtyBefore = flags;
    const { effects } = instruction;
    dirty |= effects.writes;
    if (effects.flagsWritten !== 0) flags = true;
    if (effects.barrier !== 'none') {
      dirty = 0;
      flags = false;
    }
  }
  facts.dirtyOut = dirty;
  facts.flagsDirtyOut = flags;
}

function forward(region: Region, all: RegionFacts): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const block of region.blocks) {
      const facts = all.get(block) as BlockFacts;
      let dirtyIn = 0;
      let flags = false;
      for (const predecessor of block.kind === 'dispatcher' ? [] : block.predecessors) {
        const before = all.get(predecessor) as BlockFacts;
        dirtyIn |= before.dirtyOut;
        flags ||= before.flagsDirtyOut;
      }
      const { dirtyOut, flagsDirtyOut } = facts;
      facts.dirtyIn = dirtyIn;
      facts.flagsDirtyIn = flags;
      flowDirty(facts);
      if (facts.dirtyOut !== dirtyOut || facts.flagsDirtyOut !== flagsDirtyOut) changed = true;
    }
  }
}

/** What must be in locals at the end of a block because control leaves the region there. */
function exitUses(block: RegionBlock, facts: BlockFacts): { registers: number; flags: number } {
  const exits = [block.taken, block.next].filter((edge): edge is ExitEdge => edge !== undefined && !('block' in edge));
  const leaves = exits.length > 0;
  const backEdge = successors(block).some((successor) => successor.order <= block.order);
  const ends = block.taken === undefined && block.next === undefined && block.kind !== 'selector'; // a switch may go elsewhere, too
  const last = block.instructions[block.instructions.length - 1];
  const sends = successors(block).some(({ kind }) => kind === 'dispatcher');
  const flags = (sends || exits.some(({ flagsDie }) => !flagsDie) || (ends && last?.row.flow !== 'return')) && facts.flagsDirtyOut ? FLAG_SET_ALL : 0;
  return { registers: leaves || backEdge || ends ? facts.dirtyOut : 0, flags };
}

interface Flow {
  readonly all: RegionFacts;
  readonly checked: boolean;
  /** Registers that stay in locals when control goes through the dispatcher; a handler loads the others itself. */
  kept: number;
}

function flowLive(block: RegionBlock, facts: BlockFacts, { all, checked, kept }: Flow): boolean {
  const exit = exitUses(block, facts);
  let live = exit.registers;
  let flags = exit.flags;
  for (const successor of successors(block)) {
    const after = all.get(successor) as BlockFacts;
    live |= after.liveIn;
    flags |= after.flagsLiveIn;
  }
  for (let index = facts.instructions.length - 1; index >= 0; index--) {
    const instruction = facts.instructions[index] as InstructionFacts;
    const { effects } = instruction;
    instruction.liveAfter = live;
    instruction.flagsLiveAfter = flags;
    if (effects.barrier !== 'none') {
      // Everything is reloaded after it; what is dirty is stored before it.
      live = instruction.dirtyBefore | effects.writes;
      flags = effects.barrier === 'syscall' ? flags : checked ? FLAG_SET_ALL : 0;
    }
    live = (live & ~effects.kills) | effects.uses;
    flags = (flags & ~effects.flagsKilled) | effects.flagsUsed;
    instruction.flagsLiveBefore = flags;
    if (effects.faults || checked) {
      live |= instruction.dirtyBefore;
      if (instruction.flagsDirtyBefore && effects.faults) flags = FLAG_SET_ALL;
    }
  }
  if (block.kind === 'dispatcher') live &= kept;
  const changed = live !== facts.liveIn || flags !== facts.flagsLiveIn;
  facts.liveIn = live;
  facts.flagsLiveIn = flags;
  return changed;
}

/** Facts of every block. `checked`: any memory access may leave the unit. */
export function computeFacts(region: Region, semantics: SemanticsTable, checked: boolean): RegionFacts {
  const all = new Map<RegionBlock, BlockFacts>();
  for (const block of region.blocks) all.set(block, createFacts(block, semantics, checked));
  forward(region, all);
  const { entry } = region;
  const flow: Flow = { all, checked, kept: 0 };
  backward(region, flow);
  if (entry.kind === 'dispatcher') {
    flow.kept = registersOfMany(entry.switch.map(({ block }) => (all.get(block) as BlockFacts).liveIn));
    backward(region, flow);
  }
  return all;
}

function backward(region: Region, flow: Flow): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let index = region.blocks.length - 1; index >= 0; index--) {
      const block = region.blocks[index] as RegionBlock;
      if (flowLive(block, flow.all.get(block) as BlockFacts, flow)) changed = true;
    }
  }
}

/** Registers that are in at least half of the sets. */
function registersOfMany(sets: readonly number[]): number {
  let many = 0;
  for (let register = 0; register < 32; register++) {
    const count = sets.filter((set) => (set & (1 << register)) !== 0).length;
    if (2 * count >= sets.length) many |= 1 << register;
  }
  return many;
}

/** xmm registers (bit per number) that the region uses mostly as doubles. */
export function scalarRegisters(facts: RegionFacts): number {
  let registers = 0;
  for (let register = 0; register < 16; register++) {
    let scalar = 0;
    let vector = 0;
    for (const { instructions } of facts.values()) {
      for (const { effects } of instructions) {
        scalar += (effects.scalar >> register) & 1;
        vector += (effects.vector >> register) & 1;
      }
    }
    if (scalar > 2 * vector) registers |= 1 << register;
  }
  return registers;
}
