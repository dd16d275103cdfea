/** Regions: all blocks that direct jumps reach from an entry, as far as the program has gone there. */
import { decode } from '../isa/decode.ts';
import type { DecodedInstruction } from '../isa/instruction.ts';
import { addressMode, formKey } from '../interpreter/forms.ts';
import { PAGE_EXEC } from '../layout.ts';
import { GUEST_BASE } from '../state.ts';
import { FLAG_SET_ALL } from '../semantics/analysis.ts';
import { semantics } from '../semantics/index.ts';
import { computeDominators } from './dominators.ts';
import { effectsOf } from './effects.ts';
import { insertSelector } from './irreducible.ts';
import { createBlock, successors, type Edge, type RegionBlock, type SwitchEdge } from './region-block.ts';

/** Most instructions in a region: bounds the work of one translation. */
export const MAXIMUM_REGION = 300;
/** Most instructions of a function that is inlined where it is called, and of all such in a region. */
const MAXIMUM_SMALL = 100;
const MAXIMUM_INLINED = 400;
/** How deep such functions are inlined in each other. */
const MAXIMUM_INLINE_DEPTH = 2;
/** Most different callees of an indirect call that are inlined. */
const MAXIMUM_CALLEES = 4;
/** Instructions behind an exit that are looked at for what they do with flags. */
const MAXIMUM_PEEK = 8;
/** Other entries that are tried for a loop. */
const MAXIMUM_ENTRIES = 3;
/** Jumps farther than this leave the region: they are tail calls. */
const MAXIMUM_DISTANCE = 0x10000;

export interface Region {
  readonly entry: RegionBlock;
  /** In reverse postorder. */
  readonly blocks: readonly RegionBlock[];
  readonly instructionCount: number;
  /** A block of a loop that control enters here and elsewhere: before selectors were put in. */
  readonly secondEntry: RegionBlock | undefined;
  /** Sorted, disjoint [start, end) ranges of the bytes that it was made from. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** Where it may be entered besides the entry's address: its dispatcher's targets. */
  readonly otherEntries: readonly number[];
}

export interface CodeSource {
  readonly u8: Uint8Array;
  readonly pages: Uint8Array;
  /** Whether the program goes to this address often enough to be worth translating. */
  isWarm(address: number): boolean;
  /** The region ends before this address: there is a unit. Without: it goes on, as far as it may. */
  readonly endsAt?: (address: number) => boolean;
  /** Small functions become part of regions that call them: not of code with checks, which is large, so that V8 would compile less of it. */
  readonly inlines: boolean;
  /** Where the indirect jump or call at an address went so far. */
  jumpTargets(address: number): readonly number[];
  /** By form key: 0 for what the interpreter cannot run either, which raises #UD there. */
  readonly handlers: Uint16Array;
}

/** Instructions of a function by address, and where its blocks start. */
interface Code {
  readonly instructions: Map<number, DecodedInstruction>;
  readonly leaders: Set<number>;
}

/** Decodes what is reached from an entry, to a limit. */
export class Discovery {
  readonly #source: CodeSource;
  readonly #entry: number;
  readonly #limit: number;
  readonly code: Code = { instructions: new Map(), leaders: new Set() };
  #pending: number[] = [];
  limitReached = false;

  constructor(source: CodeSource, entry: number, limit: number) {
    this.#source = source;
    this.#entry = entry;
    this.#limit = limit;
  }

  #executableEnd(address: number): number {
    const { pages } = this.#source;
    let page = address >>> 12;
    if (((pages[page] ?? 0) & PAGE_EXEC) === 0) return address;
    for (let count = 0; count < 2 && ((pages[page + 1] ?? 0) & PAGE_EXEC) !== 0; count++) page++;
    return (page + 1) * 4096;
  }

  /** Whether the code at an address sets all flags before it reads any, as far as a few instructions tell. */
  flagsDieAt(start: number): boolean {
    let address = start;
    let pending = FLAG_SET_ALL;
    for (let count = 0; count < MAXIMUM_PEEK; count++) {
      const instruction = this.decodeAt(address);
      if (instruction === undefined) return false;
      const effects = effectsOf(instruction, semantics, false);
      const { flow } = instruction.row;
      if ((effects.flagsUsed & pending) !== 0 || effects.faults || flow === 'syscall' || flow === 'trap' || flow === 'indirect-jump') return false;
      pending &= ~effects.flagsKilled;
      if (pending === 0) return true;
      const target = instruction.operands[0];
      address = flow === 'jump' && target?.kind === 'target' ? target.address : address + instruction.length;
    }
    return false;
  }

  /** Undefined for what the interpreter cannot run, or may not. */
  decodeAt(address: number): DecodedInstruction | undefined {
    const limit = this.#executableEnd(address) - GUEST_BASE;
    const offset = address - GUEST_BASE;
    if (offset >= limit) return undefined;
    const decoded = decode(this.#source.u8, offset, limit, address);
    return decoded.row === undefined || this.#source.handlers[formKey(decoded, addressMode(decoded))] === 0 ? undefined : decoded;
  }

  #follow(address: number, fallThrough: boolean): void {
    const { leaders } = this.code;
    if (Math.abs(address - this.#entry) > MAXIMUM_DISTANCE) return;
    if (!fallThrough && !this.#source.isWarm(address)) return;
    if (address !== this.#entry && this.#source.endsAt?.(address) === true) return;
    if (leaders.has(address)) return;
    leaders.add(address);
    this.#pending.push(address);
  }

  #run(start: number): void {
    const { instructions } = this.code;
    let address = start;
    for (;;) {
      if (instructions.has(address) || (address !== start && this.#source.endsAt?.(address) === true)) return;
      if (instructions.size >= this.#limit) {
        this.limitReached = true;
        return;
      }
      const instruction = this.decodeAt(address);
      if (instruction === undefined) return;
      instructions.set(address, instruction);
      address += instruction.length;
      const { flow } = instruction.row;
      if (flow === 'jump' || flow === 'branch') {
        const target = instruction.operands[0];
        if (target?.kind === 'target') this.#follow(target.address, false);
        if (flow === 'branch') this.#follow(address, true);
        return;
      }
      if (flow === 'indirect-jump') {
        for (const target of this.#source.jumpTargets(instruction.address)) this.#follow(target, true);
        return;
      }
      if (flow === 'return' || flow === 'trap') return;
    }
  }

  /** Follows other entries, too. False where nothing can be decoded at the first. */
  discover(others: readonly number[] = []): boolean {
    this.#follow(this.#entry, true);
    for (const other of others) this.#follow(other, true);
    // Breadth first: what is near the entry matters most when the limit is reached.
    for (let index = 0; index < this.#pending.length && !this.limitReached; index++) this.#run(this.#pending[index] ?? 0);
    return this.code.instructions.has(this.#entry);
  }
}

/** Flows that an inlined callee may have: nothing that leaves it for good but a return. */
const SMALL_FLOWS: ReadonlySet<string> = new Set(['next', 'jump', 'branch', 'return', 'call', 'indirect-call']);

/** Makes blocks of decoded code; small functions that it calls become part of it. */
export class RegionBuilder {
  readonly #source: CodeSource;
  #dispatcher: { readonly block: RegionBlock; readonly targets: ReadonlySet<number> } | undefined;
  readonly #smallFunctions = new Map<number, Code | undefined>();
  readonly #peek: Discovery;
  readonly #flagsDie = new Map<number, boolean>();
  #inlinedInstructions = 0;
  readonly #queue: { block: RegionBlock; code: Code; context: Context }[] = [];

  constructor(source: CodeSource) {
    this.#source = source;
    this.#peek = new Discovery(source, 0, 0);
  }

  build(entry: number, code: Code): RegionBlock {
    const context = this.#outerContext(code);
    const block = this.#blockAt(entry, code, context);
    this.#fillAll();
    return block;
  }

  /** A dispatcher to those of the targets that the code has; indirect jumps that share some of them go there. */
  buildDispatcher(targets: readonly number[], code: Code): RegionBlock {
    const context = this.#outerContext(code);
    const known = targets.filter((target) => code.instructions.has(target));
    const dispatcher = createBlock(known[0] ?? 0, 'dispatcher');
    this.#dispatcher = { block: dispatcher, targets: new Set(targets) };
    dispatcher.switch = known.map((address) => ({ address, block: this.#blockAt(address, code, context) }));
    for (const { block } of dispatcher.switch) block.isSwitchTarget = true;
    this.#fillAll();
    return dispatcher;
  }

  #outerContext(code: Code): Context {
    const context: Context = { blocks: new Map(), returnsTo: undefined, continuation: undefined, depth: 0 };
    for (const instruction of code.instructions.values()) {
      // What follows an inlined call starts a block.
      if (this.#callees(instruction, context).length > 0) code.leaders.add(instruction.address + instruction.length);
    }
    return context;
  }

  #fillAll(): void {
    for (let item = this.#queue.pop(); item !== undefined; item = this.#queue.pop()) this.#fill(item.block, item.code, item.context);
  }

  #blockAt(start: number, code: Code, context: Context): RegionBlock {
    let block = context.blocks.get(start);
    if (block === undefined) {
      block = createBlock(start, 'code');
      context.blocks.set(start, block);
      this.#queue.push({ block, code, context });
    }
    return block;
  }

  #edge(address: number, code: Code, context: Context): Edge {
    if (code.instructions.has(address) && code.leaders.has(address)) return { block: this.#blockAt(address, code, context) };
    let flagsDie = this.#flagsDie.get(address);
    if (flagsDie === undefined) this.#flagsDie.set(address, (flagsDie = this.#peek.flagsDieAt(address)));
    return { exit: address, flagsDie };
  }

  /** Small functions that a call goes to and that are worth inlining; none where calls are inlined deep enough. */
  #callees(instruction: DecodedInstruction, context: Context): number[] {
    const { flow } = instruction.row;
    if (!this.#source.inlines || context.depth >= MAXIMUM_INLINE_DEPTH) return [];
    if (flow === 'call') {
      const target = instruction.operands[0];
      return target?.kind === 'target' && this.#small(target.address) !== undefined ? [target.address] : [];
    }
    if (flow !== 'indirect-call') return [];
    const targets = this.#source.jumpTargets(instruction.address);
    return targets.length > MAXIMUM_CALLEES ? [] : targets.filter((target) => this.#small(target) !== undefined);
  }

  #small(entry: number): Code | undefined {
    if (this.#smallFunctions.has(entry)) return this.#smallFunctions.get(entry);
    let code: Code | undefined;
    if (this.#source.isWarm(entry)) {
      const discovery = new Discovery(this.#source, entry, MAXIMUM_SMALL + 1);
      if (discovery.discover() && !discovery.limitReached && discovery.code.instructions.size <= MAXIMUM_SMALL) {
        const all = [...discovery.code.instructions.values()];
        const returns = all.some(({ row }) => row.flow === 'return');
        // What follows a call in it may be inlined, too.
        for (const { row, address, length } of all) if (row.flow === 'call' || row.flow === 'indirect-call') discovery.code.leaders.add(address + length);
        if (returns && all.every(({ row }) => SMALL_FLOWS.has(row.flow))) code = discovery.code;
      }
    }
    this.#smallFunctions.set(entry, code);
    return code;
  }

  /** The callee's blocks, once more for this call. */
  #inline(callee: number, call: DecodedInstruction, code: Code, context: Context): SwitchEdge | undefined {
    const small = this.#small(callee);
    const behind = call.address + call.length;
    const continuation = this.#edge(behind, code, context);
    if (small === undefined || this.#inlinedInstructions + small.instructions.size > MAXIMUM_INLINED) return undefined;
    this.#inlinedInstructions += small.instructions.size;
    return { address: callee, block: this.#blockAt(callee, small, { blocks: new Map(), returnsTo: behind, continuation, depth: context.depth + 1 }) };
  }

  #fill(block: RegionBlock, code: Code, context: Context): void {
    let address = block.start;
    for (;;) {
      const instruction = code.instructions.get(address);
      if (instruction === undefined || (address !== block.start && code.leaders.has(address))) {
        block.next = this.#edge(address, code, context);
        break;
      }
      block.instructions.push(instruction);
      address += instruction.length;
      if (this.#ends(block, instruction, code, context)) break;
    }
    block.end = address;
  }

  /** Sets the edges of a block after an instruction that ends it. */
  #ends(block: RegionBlock, instruction: DecodedInstruction, code: Code, context: Context): boolean {
    const { flow } = instruction.row;
    const behind = instruction.address + instruction.length;
    const target = instruction.operands[0];
    const to = target?.kind === 'target' ? target.address : 0;
    switch (flow) {
      case 'jump':
        block.next = this.#edge(to, code, context);
        return true;
      case 'branch':
        block.taken = this.#edge(to, code, context);
        block.next = this.#edge(behind, code, context);
        return true;
      case 'return':
        block.returnsTo = context.returnsTo;
        block.next = context.continuation;
        return true;
      case 'indirect-jump':
        if (this.#dispatcher !== undefined && this.#isDispatched(instruction)) block.next = { block: this.#dispatcher.block };
        else block.switch = this.#switchEdges(instruction, code, context);
        return true;
      case 'call': {
        const inner = this.#callees(instruction, context).length > 0 ? this.#inline(to, instruction, code, context) : undefined;
        if (inner === undefined) return false;
        block.inlined = 'direct';
        block.next = inner;
        return true;
      }
      case 'indirect-call': {
        const edges = this.#callees(instruction, context).map((callee) => this.#inline(callee, instruction, code, context));
        const inner = edges.filter((edge) => edge !== undefined);
        if (inner.length === 0) return false;
        block.inlined = inner;
        block.next = this.#edge(behind, code, context);
        return true;
      }
      default:
        return flow === 'trap';
    }
  }

  /** It shares targets with the dispatcher, or was never seen to go anywhere. */
  #isDispatched(jump: DecodedInstruction): boolean {
    const targets = this.#source.jumpTargets(jump.address);
    return targets.length === 0 || targets.some((target) => this.#dispatcher?.targets.has(target));
  }

  #switchEdges(jump: DecodedInstruction, code: Code, context: Context): SwitchEdge[] {
    const edges: SwitchEdge[] = [];
    for (const target of this.#source.jumpTargets(jump.address)) {
      const to = this.#edge(target, code, context);
      if (!('block' in to)) continue;
      to.block.isSwitchTarget = true;
      edges.push({ address: target, block: to.block });
    }
    return edges;
  }
}

/** A function, or one inlined call of one: its blocks, and where its returns go. */
interface Context {
  readonly blocks: Map<number, RegionBlock>;
  readonly returnsTo: number | undefined;
  readonly continuation: Edge | undefined;
  /** Inlined calls around it. */
  readonly depth: number;
}

/** Reverse postorder and predecessors of what is reached from a block. */
function orderBlocks(entry: RegionBlock): RegionBlock[] {
  const postorder: RegionBlock[] = [];
  const seen = new Set<RegionBlock>([entry]);
  const stack: { block: RegionBlock; next: RegionBlock[] }[] = [{ block: entry, next: successors(entry) }];
  for (let top = stack[stack.length - 1]; top !== undefined; top = stack[stack.length - 1]) {
    const child = top.next.pop();
    if (child === undefined) {
      postorder.push(top.block);
      stack.pop();
    } else if (!seen.has(child)) {
      seen.add(child);
      stack.push({ block: child, next: successors(child) });
    }
  }
  const blocks = postorder.reverse();
  blocks.forEach((block, order) => {
    block.order = order;
    block.predecessors = [];
    block.dominator = undefined;
    block.isLoopHeader = false;
  });
  for (const block of blocks) for (const successor of successors(block)) successor.predecessors.push(block);
  return blocks;
}

/** The region of the blocks that are reached from its entry; every loop has one entry at the end. */
export function finishRegion(entry: RegionBlock): Region {
  let blocks = orderBlocks(entry);
  const secondEntry = computeDominators({ entry, blocks });
  for (let second = secondEntry; second !== undefined; second = computeDominators({ entry, blocks })) {
    insertSelector(blocks, second);
    blocks = orderBlocks(entry);
  }
  const instructionCount = blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
  const otherEntries = entry.kind === 'dispatcher' ? entry.switch.slice(1).map(({ address }) => address) : [];
  return { entry, blocks, instructionCount, ranges: rangesOf(blocks), secondEntry, otherEntries };
}

function rangesOf(blocks: readonly RegionBlock[]): (readonly [number, number])[] {
  const sorted = blocks.filter(({ kind }) => kind === 'code').sort((a, b) => a.start - b.start);
  const ranges: [number, number][] = [];
  for (const block of sorted) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && block.start <= last[1]) last[1] = Math.max(last[1], block.end);
    else ranges.push([block.start, block.end]);
  }
  return ranges;
}

function regionAt(source: CodeSource, entry: number): Region | undefined {
  const discovery = new Discovery(source, entry, MAXIMUM_REGION);
  if (!discovery.discover()) return undefined;
  return finishRegion(new RegionBuilder(source).build(entry, discovery.code));
}

/**
 * The region of a hot address, or undefined where nothing can be decoded there. Its entry is another than the
 * address where that is somewhere within a loop, which would have two entries then: the loop's own is better.
 */
export function discoverRegion(source: CodeSource, address: number): Region | undefined {
  const region = regionAt(source, address);
  let better = region;
  for (let tries = 0; tries < MAXIMUM_ENTRIES && better?.secondEntry !== undefined; tries++) better = regionAt(source, better.secondEntry.start);
  const isWithin = better?.ranges.some(([start, end]) => address >= start && address < end) ?? false;
  return isWithin && better?.secondEntry === undefined ? better : region;
}
