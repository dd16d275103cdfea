/** Accesses by way of one register that lie near each other, so that one check of the page table serves them all. */
import type { DecodedInstruction } from '../isa/instruction.ts';
import { PAGE_SIZE } from '../layout.ts';
import type { InstructionFacts } from './liveness.ts';

/** Offsets from what the register holds before the first of the instructions. */
export interface AccessSpan {
  readonly low: number;
  /** Behind the last byte. */
  readonly high: number;
  readonly writes: boolean;
}

/** A block's instructions and what is known of each. */
export interface BlockCode {
  readonly instructions: readonly DecodedInstruction[];
  readonly facts: readonly InstructionFacts[];
  /** Blocks that only this one leads to. */
  readonly following: () => readonly BlockCode[];
  /** Control goes on in one of them in any case. */
  readonly isStraight: boolean;
}

/** Instructions that are looked at. */
const MAXIMUM_AHEAD = 64;
/** Such a span lies in two pages at most. */
const MAXIMUM_SPAN = PAGE_SIZE;
const RSP = 4;

class SpanBuilder {
  low = Infinity;
  high = -Infinity;
  writes = false;
  count = 0;

  /** False: it is too far from the others. */
  add(offset: number, size: number, writes: boolean): boolean {
    const low = Math.min(this.low, offset);
    const high = Math.max(this.high, offset + size);
    if (high - low > MAXIMUM_SPAN) return false;
    this.low = low;
    this.high = high;
    this.writes ||= writes;
    this.count++;
    return true;
  }
}

/** By how much an instruction adds to a register; undefined where it sets it to something else. */
function movedBy({ row, size, operands: [target, source] }: DecodedInstruction, register: number): number | undefined {
  if (register === RSP) {
    if (row.semantics === 'push') return -size;
    if (row.semantics === 'pop' && target?.kind === 'register' && target.index !== RSP) return size;
  }
  const isSum = row.semantics === 'add' || row.semantics === 'sub';
  if (!isSum || size !== 8 || target?.kind !== 'register' || target.index !== register || source?.kind !== 'immediate') return undefined;
  return row.semantics === 'add' ? source.low : -source.low;
}

/** The stack access of an instruction, from rsp before it. */
function stackAccess({ row, size }: DecodedInstruction): { readonly offset: number; readonly size: number; readonly writes: boolean } | undefined {
  switch (row.semantics) {
    case 'push': return { offset: -size, size, writes: true };
    case 'pop': return { offset: 0, size, writes: false };
    case 'call':
    case 'call-indirect': return { offset: -8, size: 8, writes: true };
    case 'ret': return { offset: 0, size: 8, writes: false };
    default: return undefined;
  }
}

/** The explicit operands that are accesses by way of the register. False: one is too far away. */
function addOperands(span: SpanBuilder, { operands }: DecodedInstruction, { effects }: InstructionFacts, register: number, moved: number): boolean {
  return operands.every((operand, index) => {
    if (operand.kind !== 'memory' || operand.base !== register || operand.index >= 0 || operand.segment !== 'none' || operand.address32) return true;
    const reads = ((effects.operandsRead >> index) & 1) !== 0;
    const writes = ((effects.operandsWritten >> index) & 1) !== 0;
    if (reads && !span.add(operand.displacement + moved, operand.size, false)) return false;
    return !writes || span.add(operand.displacement + moved, operand.size, true);
  });
}

/** What is looked at, from a block on. */
class Lookout {
  readonly span = new SpanBuilder();
  readonly #register: number;
  #count = 0;

  constructor(register: number) {
    this.#register = register;
  }

  /** `moved`: what was added to the register before. */
  look(block: BlockCode, first: number, before = 0): void {
    const { instructions, facts } = block;
    let moved = before;
    for (let index = first; index < instructions.length; index++) {
      const by = this.#lookAt(instructions[index] as DecodedInstruction, facts[index] as InstructionFacts, moved);
      if (by === undefined) return;
      moved += by;
    }
    // Frames are there whichever way control goes on.
    if (block.isStraight || this.#register === RSP) for (const next of block.following()) this.look(next, 0, moved);
  }

  /** What an instruction adds to the register; undefined where nothing is known behind it. */
  #lookAt(instruction: DecodedInstruction, fact: InstructionFacts, moved: number): number | undefined {
    const { span } = this;
    const register = this.#register;
    if (this.#count++ >= MAXIMUM_AHEAD || !addOperands(span, instruction, fact, register, moved)) return undefined;
    const stack = register === RSP ? stackAccess(instruction) : undefined;
    if (stack !== undefined && !span.add(moved + stack.offset, stack.size, stack.writes)) return undefined;
    const { effects } = fact;
    if (effects.barrier !== 'none' || effects.faults) return undefined;
    return ((effects.writes >> register) & 1) === 0 ? 0 : movedBy(instruction, register);
  }
}

/**
 * What the instructions from `first` on access by way of a register, as long as it is the same but for sums that are known.
 * Undefined where that is one access only. Nothing depends on its being right: an access outside is checked by itself, and where
 * something inside is not accessible the interpreter finds out what is accessed.
 */
export function spanAhead(block: BlockCode, first: number, register: number): AccessSpan | undefined {
  const lookout = new Lookout(register);
  lookout.look(block, first);
  return lookout.span.count > 1 ? lookout.span : undefined;
}
