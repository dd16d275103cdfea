/**
 * A region becomes one Wasm function with structured control flow, after Ramsey, "Beyond Relooper"
 * (ICFP 2022): the dominator tree is walked, merge points become blocks and loop headers loops.
 */
import { MAXIMUM_DEPTH } from '../interpreter/control.ts';
import { JUMP_ENTRY_SIZE, JUMP_TABLE_MASK } from '../interpreter/record.ts';
import { JUMP_TABLE } from '../layout.ts';
import type { ConditionCode, Expr, SemanticFunction, SemanticsTable } from '../semantics/builder.ts';
import { localGet, node } from '../semantics/expression.ts';
import type { SymbolicFlags } from '../semantics/flag-expressions.ts';
import { GUEST_BASE, STATE_RIP } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import { ByteWriter, type FunctionBody } from '../wasm/writer.ts';
import type { BlockCode } from './access-span.ts';
import { BITWISE, bitwiseOperation } from './bitwise.ts';
import { Fuel } from './fuel.ts';
import { hashTargets } from './hash-targets.ts';
import { computeFacts, scalarRegisters, type BlockFacts, type InstructionFacts, type RegionFacts } from './liveness.ts';
import type { Region } from './region.ts';
import { successors, type Edge, type ExitEdge, type InnerEdge, type RegionBlock } from './region-block.ts';
import { SharedWays } from './shared-ways.ts';
import { UnitBuilder } from './unit-builder.ts';
import { IMPORT_SYSCALL, type UnitOptions } from './unit-options.ts';

const RSP_BIT = 1 << 4;
const RSP = 4;
const RCX = 1;
/** Of a unit: the address that it is called for. A dispatcher goes by it. */
const TARGET = localGet('i32', 0);
const CALLS: ReadonlySet<string> = new Set(['call', 'indirect-call']);

export interface EmitOptions extends UnitOptions {
  readonly semantics: SemanticsTable;
  readonly unitType: number;
  /** The global that counts down to preemption. */
  readonly fuel: number;
  /** Table slot of the unit at a guest address (0: only the interpreter). */
  slotOf(address: number): number;
}

/** Of the unit that is being written; it is used again for the next one. */
const buffer = new ByteWriter(1 << 16);

class UnitEmitter {
  readonly #region: Region;
  readonly #options: EmitOptions;
  readonly #facts: RegionFacts;
  readonly #b: UnitBuilder;
  readonly #children = new Map<RegionBlock, RegionBlock[]>();
  /** Depth of the label that leads to a block: a loop's start, or what follows a Wasm block. */
  readonly #labels = new Map<RegionBlock, number>();
  readonly #fuel: Fuel;
  readonly #ways: SharedWays;
  /** From a loop's first block, in the order of blocks, to its last. */
  readonly #loops: readonly (readonly [first: number, last: number])[];
  /** Which way each selector goes on. */
  readonly #choices = new Map<RegionBlock, Expr>();

  constructor(region: Region, options: EmitOptions) {
    this.#region = region;
    this.#options = options;
    this.#loops = region.blocks.flatMap((block) => successors(block).filter(({ order }) => order <= block.order).map(({ order }) => [order, block.order] as const));
    this.#facts = computeFacts(region, options.semantics, options.checked);
    this.#b = new UnitBuilder(options, (registers, address) => this.#ways.leave(registers, address));
    this.#b.out = buffer;
    buffer.clear();
    this.#b.setSplit(scalarRegisters(this.#facts));
    this.#fuel = new Fuel(this.#b, options.fuel);
    this.#ways = new SharedWays(this.#b, region, this.#facts, options.checked);
  }

  emit(): FunctionBody {
    const b = this.#b;
    const { entry } = this.#region;
    this.#ways.open();
    this.#prologue(entry);
    for (const block of this.#region.blocks) {
      if (block === entry || block.dominator === undefined) continue;
      const siblings = this.#children.get(block.dominator);
      if (siblings === undefined) this.#children.set(block.dominator, [block]);
      else siblings.push(block);
    }
    this.#tree(entry);
    b.out.u8(op.UNREACHABLE);
    this.#ways.close((target) => this.#tailCall(target, b.i32(0)));
    b.out.u8(op.END);
    return { type: this.#options.unitType, locals: b.locals, code: b.out };
  }

  #prologue(entry: RegionBlock): void {
    const b = this.#b;
    const facts = this.#factsOf(entry);
    const calls = this.#countCalls();
    if (calls > 0) {
      b.emit(b.geU(localGet('i32', 1), b.i32(MAXIMUM_DEPTH)));
      b.openUnlikely();
      b.emit(entry.kind === 'dispatcher' ? TARGET : b.i32(entry.start));
      b.out.u8(op.RETURN);
      b.close();
    }
    if (this.#loops.length > 0) this.#fuel.keep();
    // Recursion that takes long without a loop has a function with two calls in its cycle.
    if (calls > 1) this.#fuel.preempt(entry.kind === 'dispatcher' ? b.extendU(TARGET) : b.i64(entry.start), () => {});
    b.reload(facts.liveIn);
    if (facts.flagsLiveIn !== 0) b.reloadFlags();
  }

  /** Calls that leave the unit. */
  #countCalls(): number {
    let calls = 0;
    for (const { instructions, inlined } of this.#region.blocks) {
      for (const instruction of instructions) if (CALLS.has(instruction.row.flow)) calls++;
      if (inlined === 'direct') calls--;
    }
    return calls;
  }

  #factsOf(block: RegionBlock): BlockFacts {
    const facts = this.#facts.get(block);
    if (facts === undefined) throw new Error('a block has no facts');
    return facts;
  }

  // ---- structure ----

  #isMerge(block: RegionBlock): boolean {
    if (block.isSwitchTarget) return true;
    let forward = 0;
    for (const predecessor of block.predecessors) if (predecessor.order < block.order) forward++;
    return forward >= 2;
  }

  #tree(block: RegionBlock): void {
    const b = this.#b;
    const merges = (this.#children.get(block) ?? []).filter((child) => this.#isMerge(child)).sort((x, y) => y.order - x.order);
    if (!block.isLoopHeader) {
      this.#within(block, merges, 0);
      return;
    }
    b.open(op.LOOP);
    this.#labels.set(block, b.depth);
    this.#within(block, merges, 0);
    b.close();
  }

  /** The block inside Wasm blocks, one for each merge point that it dominates, the last one outermost. */
  #within(block: RegionBlock, merges: readonly RegionBlock[], index: number): void {
    const b = this.#b;
    const merge = merges[index];
    if (merge === undefined) {
      this.#body(block);
      return;
    }
    b.open(op.BLOCK);
    const outer = this.#labels.get(merge);
    this.#labels.set(merge, b.depth);
    this.#within(block, merges, index + 1);
    if (outer === undefined) this.#labels.delete(merge);
    else this.#labels.set(merge, outer);
    b.close();
    b.flagState = undefined;
    this.#tree(merge);
  }

  // ---- one block ----

  #body(block: RegionBlock): void {
    const b = this.#b;
    const facts = this.#factsOf(block);
    const last = block.instructions.length - 1;
    b.beginBlock({ ...this.#codeOf(block), isEntry: this.#isEntry(block), isInLoop: this.#loops.some(([first, last]) => block.order >= first && block.order <= last) });
    if (block.kind === 'selector') {
      this.#select(block);
      return;
    }
    if (block.kind === 'dispatcher') {
      this.#switch(block, TARGET);
      this.#fuel.preempt(b.extendU(TARGET), () => {});
      this.#tailCall(TARGET, this.#slotOfTarget(TARGET));
      b.end();
      return;
    }
    for (let index = 0; index <= last; index++) {
      const instruction = block.instructions[index];
      const instructionFacts = facts.instructions[index];
      if (instruction === undefined || instructionFacts === undefined) continue;
      b.begin(instruction, instructionFacts, index);
      const meaning = this.#options.semantics[instruction.row.semantics];
      if (instruction.row.flow === 'next' && meaning !== undefined) this.#plain(meaning, instructionFacts);
      else if (this.#control(block, instructionFacts)) return;
      b.end();
    }
    if (block.next !== undefined) {
      this.#settleFor([block.next], block);
      this.#branchTo(block, block.next);
    }
  }

  #codeOf(block: RegionBlock): BlockCode {
    const { instructions, taken, next, inlined } = block;
    const following = (): BlockCode[] => {
      const ways = [taken, next].filter((edge) => edge !== undefined && this.#isInline(block, edge));
      return (ways as InnerEdge[]).filter((edge) => !edge.block.isLoopHeader).map((edge) => this.#codeOf(edge.block));
    };
    return { instructions, facts: this.#factsOf(block).instructions, following, isStraight: taken === undefined && (inlined === undefined || inlined === 'direct') };
  }

  /** A unit may be entered at its address. */
  #isEntry({ kind, start }: RegionBlock): boolean {
    const { entry, otherEntries } = this.#region;
    return kind === 'code' && (start === entry.start || otherEntries.includes(start));
  }

  #plain(meaning: SemanticFunction, facts: InstructionFacts): void {
    const b = this.#b;
    const { semantics } = b.current.row;
    if (facts.effects.zeroes && (b.current.operands[0]?.size === 16 || facts.flagsLiveAfter === 0)) {
      b.writeZero(0);
    } else if (!BITWISE.has(semantics) || !b.bitwiseHalves(bitwiseOperation(b, semantics))) {
      meaning(b);
    }
  }

  /** An instruction that changes the flow of control. True: it ended the block. */
  #control(block: RegionBlock, facts: InstructionFacts): boolean {
    const b = this.#b;
    switch (b.current.row.flow) {
      case 'call':
      case 'indirect-call':
        if (block.inlined === undefined || b.current !== block.instructions[block.instructions.length - 1]) this.#call(facts);
        else this.#inlinedCall(block, block.inlined, facts);
        return false;
      case 'syscall':
        this.#syscall(facts);
        return false;
      case 'jump':
        return false;
      case 'branch':
        this.#conditional(block);
        return true;
      case 'return':
        if (block.returnsTo !== undefined) {
          this.#inlinedReturn(block.returnsTo, facts);
          return false;
        }
        this.#return(facts);
        return true;
      case 'indirect-jump':
        this.#indirectJump(block, facts);
        return true;
      default:
        this.#trap();
        return true;
    }
  }

  #trap(): void {
    const b = this.#b;
    const { semantics } = b.current.row;
    const behind = b.current.address + b.current.length;
    if (semantics === 'int3') b.raiseAt(3, behind);
    else if (semantics === 'int1') b.raiseAt(1, behind);
    else b.fault(semantics === 'ud' ? 6 : 13);
    b.end();
  }

  #syscall(facts: InstructionFacts): void {
    const b = this.#b;
    b.spill(facts.dirtyBefore);
    if (facts.flagsLiveAfter !== 0) b.storeFlags();
    b.flagState = undefined;
    b.writeState(STATE_RIP, b.nextRip());
    b.unlikely(node('i32', op.CALL, [], IMPORT_SYSCALL), () => {
      b.emit(b.i32(0));
      b.out.u8(op.RETURN);
    });
    this.#reloadAfter(facts);
  }

  #reloadAfter(facts: InstructionFacts): void {
    this.#b.reload(facts.liveAfter);
    if (facts.flagsLiveAfter !== 0) this.#b.reloadFlags();
  }

  /** Slot of an address that is known only at run time: from the jump table, or the interpreter. */
  #slotOfTarget(target: Expr): Expr {
    const b = this.#b;
    const table = JUMP_TABLE - GUEST_BASE;
    const hash = b.and(b.xor(target, b.shrU(target, b.i32(13))), b.i32(JUMP_TABLE_MASK));
    const entry = b.let(b.mul(hash, b.i32(JUMP_ENTRY_SIZE)));
    const slot = b.rawLoad(op.I32_LOAD, 'i32', entry, table + 8);
    return b.select(b.eq(b.rawLoad(op.I32_LOAD, 'i32', entry, table), target), slot, b.i32(0));
  }

  #call(facts: InstructionFacts): void {
    const b = this.#b;
    const { current } = b;
    const operand = current.operands[0];
    const behind = current.address + current.length;
    const target = operand?.kind === 'target' ? b.i32(operand.address) : this.#indirectTarget((value) => b.let(value));
    if (facts.flagsDirtyBefore && this.#options.checked) b.storeFlags();
    b.push(b.i64(behind), 8);
    b.flagState = undefined;
    this.#callOut(target, operand?.kind === 'target' ? b.i32(this.#options.slotOf(operand.address)) : undefined, behind, facts);
    this.#reloadAfter(facts);
  }

  /** Calls a unit; comes back only if the callee returned to `behind`. */
  #callOut(target: Expr, knownSlot: Expr | undefined, behind: number, facts: InstructionFacts): void {
    const b = this.#b;
    b.spill(facts.dirtyBefore | RSP_BIT);
    this.#fuel.store();
    const slot = knownSlot ?? b.let(this.#slotOfTarget(target));
    b.emit(target);
    b.emit(b.add(localGet('i32', 1), b.i32(1)));
    b.emit(slot);
    b.out.u8(op.CALL_INDIRECT);
    b.out.u32(this.#options.unitType);
    b.out.u32(0);
    const result = b.newLocal('i32');
    b.out.u8(op.LOCAL_TEE);
    b.out.u32(result);
    b.emit(b.i32(behind));
    b.out.u8(op.I32_NE);
    b.openUnlikely();
    b.emit(localGet('i32', result));
    b.out.u8(op.RETURN);
    b.close();
    this.#fuel.reload();
  }

  /** The callee is part of the region; of an indirect call, those that were seen are. */
  #inlinedCall(block: RegionBlock, callees: NonNullable<RegionBlock['inlined']>, facts: InstructionFacts): void {
    const b = this.#b;
    const behind = b.current.address + b.current.length;
    const target = callees === 'direct' ? undefined : b.hold(b.wrap(b.read(0)));
    b.push(b.i64(behind), 8);
    if (callees === 'direct' || target === undefined) return;
    this.#settleFor(callees, block);
    b.flagState = undefined;
    for (const edge of callees) {
      b.emit(b.eq(target, b.i32(edge.address)));
      b.open(op.IF);
      b.aside(() => this.#branchTo(block, edge));
      b.close();
      b.flagState = undefined;
    }
    this.#callOut(target, undefined, behind, facts);
    const { next } = block;
    if (next !== undefined && 'block' in next) {
      const after = this.#factsOf(next.block);
      b.reload(after.liveIn);
      if (after.flagsLiveIn !== 0) b.reloadFlags();
    } else {
      b.reload(this.#factsOf(block).dirtyOut);
    }
  }

  /** The return of an inlined callee: it goes on behind the call if the stack still says so. */
  #inlinedReturn(behind: number, facts: InstructionFacts): void {
    const b = this.#b;
    const target = b.let(b.wrap(b.load(b.readGpr(RSP, 8), 8)));
    const extra = b.operandCount > 0 ? (b.constant(0) ?? 0) : 0;
    b.addRsp(8 + (extra & 0xffff));
    b.emit(b.ne(target, b.i32(behind)));
    b.openUnlikely();
    if (facts.flagsDirtyBefore) b.storeFlags();
    b.spill(facts.dirtyBefore | RSP_BIT);
    this.#fuel.store();
    b.emit(target);
    b.out.u8(op.RETURN);
    b.close();
  }

  #return(facts: InstructionFacts): void {
    const b = this.#b;
    if (facts.flagsDirtyBefore && facts.flagsLiveBefore !== 0) b.storeFlags();
    const target = b.let(b.wrap(b.load(b.readGpr(RSP, 8), 8)));
    const extra = b.operandCount > 0 ? (b.constant(0) ?? 0) : 0;
    b.addRsp(8 + (extra & 0xffff));
    b.spill(facts.dirtyBefore | RSP_BIT);
    this.#fuel.store();
    b.emit(target);
    b.out.u8(op.RETURN);
    b.end();
  }

  /** Where accesses are checked, the upper half of a target must be zero: general protection at the jump otherwise. */
  #indirectTarget(keep: (value: Expr) => Expr): Expr {
    const b = this.#b;
    const whole = this.#options.checked ? b.let(b.read(0)) : b.read(0);
    if (this.#options.checked) b.faultIf(b.wrap(b.shrU(whole, b.i64(32))), 13);
    return keep(b.wrap(whole));
  }

  #indirectJump(block: RegionBlock, facts: InstructionFacts): void {
    const b = this.#b;
    const target = this.#indirectTarget((value) => b.hold(value));
    if (block.next !== undefined) {
      b.assign(TARGET, target);
      this.#settleFor([block.next], block);
      this.#branchTo(block, block.next);
      b.end();
      return;
    }
    if (block.switch.length > 0) this.#switch(block, target);
    b.spill(facts.dirtyBefore);
    if (facts.flagsDirtyBefore) b.storeFlags();
    this.#fuel.preempt(b.extendU(target), () => {});
    this.#tailCall(target, this.#slotOfTarget(target));
    b.end();
  }

  /** Known targets by a `br_table` over a hash of the address; falls through for any other. */
  #switch(block: RegionBlock, target: Expr): void {
    const b = this.#b;
    const edges = block.switch;
    this.#settleFor(edges, block);
    const { shift, mask, table } = hashTargets(edges.map(({ address }) => address));
    b.open(op.BLOCK);
    const otherwise = b.depth;
    for (let index = 0; index < edges.length; index++) b.open(op.BLOCK);
    b.emit(b.and(b.shrU(target, b.i32(shift)), b.i32(mask)));
    b.out.u8(op.BR_TABLE);
    b.out.u32(table.length);
    // Label of case n: cases close in order, the first one innermost.
    for (const index of table) b.out.u32(index < 0 ? edges.length : index);
    b.out.u32(edges.length);
    for (const edge of edges) {
      b.close();
      b.emit(b.ne(target, b.i32(edge.address)));
      b.out.u8(op.BR_IF);
      b.out.u32(b.depth - otherwise);
      if (block.kind === 'dispatcher') b.reload(this.#factsOf(edge.block).liveIn & ~this.#factsOf(block).liveIn);
      this.#branchTo(block, edge);
    }
    b.close();
  }

  #choiceOf(selector: RegionBlock): Expr {
    let choice = this.#choices.get(selector);
    if (choice === undefined) this.#choices.set(selector, (choice = this.#b.permanent(this.#b.i32(0))));
    return choice;
  }

  /** Goes on at the chosen block. */
  #select(selector: RegionBlock): void {
    const b = this.#b;
    const choice = this.#choiceOf(selector);
    const last = selector.switch.length - 1;
    selector.switch.forEach((edge, index) => {
      if (index < last) {
        b.emit(b.eq(choice, b.i32(index)));
        b.open(op.IF);
      }
      b.aside(() => this.#branchTo(selector, edge));
      if (index < last) b.close();
      b.flagState = undefined;
    });
  }

  #tailCall(target: Expr, slot: Expr): void {
    const b = this.#b;
    this.#fuel.store();
    b.emit(target);
    b.emit(localGet('i32', 1));
    b.emit(slot);
    b.out.u8(op.RETURN_CALL_INDIRECT);
    b.out.u32(this.#options.unitType);
    b.out.u32(0);
  }

  // ---- edges ----

  /** The condition of the block's last instruction, i32. */
  #branchCondition(): Expr {
    const b = this.#b;
    const { semantics, opcode } = b.current.row;
    if (semantics === 'jcc') return b.condition((opcode & 15) as ConditionCode);
    if (semantics === 'jrcxz') return b.eqz(b.readGpr(RCX, 8));
    const count = b.let(b.sub(b.readGpr(RCX, 8), b.i64(1)));
    b.writeGpr(RCX, 8, count);
    const more = b.ne(count, b.i64(0));
    if (semantics === 'loope') return b.and(more, b.flag('ZF'));
    if (semantics === 'loopne') return b.and(more, b.eqz(b.flag('ZF')));
    return more;
  }

  #conditional(block: RegionBlock): void {
    const b = this.#b;
    const { taken, next } = block;
    if (taken === undefined || next === undefined) throw new Error('a branch has two ways');
    if ('block' in taken && 'block' in next && taken.block === next.block && taken.choices === next.choices) {
      if (b.current.row.semantics.startsWith('loop')) this.#branchCondition(); // It counts all the same.
      this.#settleFor([next], block);
      b.end();
      this.#branchTo(block, next);
      return;
    }
    const needsSettling = this.#needsSettling([taken, next], block);
    const condition = needsSettling ? b.let(this.#branchCondition()) : this.#branchCondition();
    if (needsSettling) b.settleFlags();
    const flags = b.flagState;
    // What ends in a jump goes into the `if`, the other way follows it.
    const swap = this.#isInline(block, taken) && !this.#isInline(block, next);
    const [within, behind] = swap ? [next, taken] : [taken, next];
    b.emit(swap ? b.eqz(condition) : condition);
    if (this.#isSeldom(within) !== this.#isSeldom(behind)) b.out.foresee(this.#isSeldom(behind));
    b.open(op.IF);
    b.end();
    b.aside(() => this.#branchTo(block, within));
    b.close();
    b.flagState = flags;
    this.#branchTo(block, behind);
  }

  /** It leads to where the program has hardly gone. */
  #isSeldom(edge: Edge): boolean {
    return 'exit' in edge && this.#options.slotOf(edge.exit) === 0;
  }

  /** The edge's target is written right here, not jumped to. */
  #isInline(from: RegionBlock, edge: Edge): boolean {
    if (!('block' in edge)) return false;
    return edge.block.order > from.order && !this.#isMerge(edge.block);
  }

  /** Flags must be in their canonical locals where ways meet that read them, and behind a table, which leads to labels. */
  #needsSettling(edges: readonly Edge[], from: RegionBlock): boolean {
    if (this.#b.flagState === undefined) return false;
    return edges.some((edge) => 'block' in edge && this.#factsOf(edge.block).flagsLiveIn !== 0 && !this.#passesSymbolic(from, edge.block));
  }

  #passesSymbolic(from: RegionBlock, to: RegionBlock): boolean {
    return to.predecessors.length === 1 && to.order > from.order && !to.isSwitchTarget && to !== this.#region.entry;
  }

  #settleFor(edges: readonly Edge[], from: RegionBlock): void {
    if (this.#needsSettling(edges, from)) this.#b.settleFlags();
  }

  #branchTo(from: RegionBlock, edge: Edge): void {
    const b = this.#b;
    if (!('block' in edge)) {
      this.#exit(from, edge);
      return;
    }
    const to = edge.block;
    if (to.kind === 'dispatcher') this.#sendFrom(from);
    for (const [selector, way] of edge.choices ?? []) b.assign(this.#choiceOf(selector), b.i32(way));
    if (to.order <= from.order) this.#budget(from, edge);
    if (to.order <= from.order || this.#isMerge(to)) {
      b.out.u8(op.BR);
      b.out.u32(b.depth - (this.#labels.get(to) ?? 0));
      return;
    }
    const symbolic: SymbolicFlags | undefined = this.#passesSymbolic(from, to) ? b.flagState : undefined;
    b.flagState = symbolic;
    if (!to.isLoopHeader) b.inheritChecks();
    this.#tree(to);
  }

  /** Before control goes to the dispatcher: memory gets what it may not have. */
  #sendFrom(block: RegionBlock): void {
    const { dirtyOut, flagsDirtyOut } = this.#factsOf(block);
    this.#b.spill(dirtyOut);
    if (flagsDirtyOut) this.#b.storeFlags();
  }

  /** Leaves the region for an address: a tail call of the unit there, or of the interpreter. */
  #exit(from: RegionBlock, { exit: address, flagsDie }: ExitEdge): void {
    const b = this.#b;
    const facts = this.#factsOf(from);
    if (facts.flagsDirtyOut && !flagsDie) b.storeFlags();
    // A loop over several units has such an edge, too.
    if (address <= from.start) this.#fuel.preempt(b.i64(address), () => b.spill(facts.dirtyOut));
    const slot = this.#options.slotOf(address);
    if (slot === 0) this.#ways.leave(facts.dirtyOut, address);
    else {
      b.spill(facts.dirtyOut);
      this.#tailCall(b.i32(address), b.i32(slot));
    }
    b.end();
  }

  /** On a back edge: what must be stored before another task has its turn. */
  #budget(from: RegionBlock, { block: to, address = to.start }: InnerEdge): void {
    const facts = this.#factsOf(from);
    this.#fuel.preempt(to.kind === 'dispatcher' ? this.#b.extendU(TARGET) : this.#b.i64(address), () => {
      if (to.kind === 'dispatcher') return;
      this.#b.spill(facts.dirtyOut);
      if (this.#factsOf(to).flagsLiveIn !== 0 && facts.flagsDirtyOut) this.#b.storeFlags();
    });
  }
}

/** Writes the function of a region. Its code is good until the next one is written. */
export function emitUnit(region: Region, options: EmitOptions): FunctionBody {
  return new UnitEmitter(region, options).emit();
}
