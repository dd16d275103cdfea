/** Regions: all blocks that direct jumps reach from an entry, as far as the program has gone there. */
import { decode } from '../isa/decode.ts';
import type { DecodedInstruction } from '../isa/instruction.ts';
import { PAGE_EXEC } from '../layout.ts';
import { GUEST_BASE } from '../state.ts';

/** Most instructions in a region: bounds the work of one translation. */
export const MAXIMUM_REGION = 1200;
/** Jumps farther than this leave the region: they are tail calls. */
const MAXIMUM_DISTANCE = 0x10000;

/** An edge to a block of the region, or out of it to an address. */
export type Edge = { readonly block: RegionBlock } | { readonly exit: number };

export interface RegionBlock {
  readonly start: number;
  /** Address behind the last instruction. */
  end: number;
  readonly instructions: DecodedInstruction[];
  /** Where a conditional branch goes when taken; where control goes otherwise. Undefined: it does not. */
  taken: Edge | undefined;
  next: Edge | undefined;
  /** Known targets of the indirect jump that ends it. */
  switch: readonly { readonly block: RegionBlock }[];
  /** Some indirect jump leads here. */
  isSwitchTarget: boolean;
  predecessors: RegionBlock[];
  /** Position in reverse postorder; -1 before it is known. */
  order: number;
  /** Immediate dominator; the entry's is itself. */
  dominator: RegionBlock | undefined;
  isLoopHeader: boolean;
}

export interface Region {
  readonly entry: RegionBlock;
  /** In reverse postorder. */
  readonly blocks: readonly RegionBlock[];
  readonly instructionCount: number;
  /** Sorted, disjoint [start, end) ranges of the bytes that it was made from. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
}

export interface CodeSource {
  readonly u8: Uint8Array;
  readonly pages: Uint8Array;
  /** Whether the program goes to this address often enough to be worth translating. */
  isWarm(address: number): boolean;
  /** Where the indirect jump at an address went so far. */
  jumpTargets(address: number): readonly number[];
  /** Whether the interpreter can run it; what it cannot, raises #UD there. */
  isSupported(instruction: DecodedInstruction): boolean;
}

export function successors(block: RegionBlock): RegionBlock[] {
  const blocks: RegionBlock[] = [];
  for (const edge of [block.taken, block.next]) {
    if (edge !== undefined && 'block' in edge) blocks.push(edge.block);
  }
  for (const edge of block.switch) blocks.push(edge.block);
  return blocks;
}

class Discovery {
  readonly #source: CodeSource;
  readonly #entry: number;
  readonly #instructions = new Map<number, DecodedInstruction>();
  readonly #leaders = new Set<number>();
  #pending: number[] = [];
  #limitReached = false;

  constructor(source: CodeSource, entry: number) {
    this.#source = source;
    this.#entry = entry;
  }

  #executableEnd(address: number): number {
    const { pages } = this.#source;
    let page = address >>> 12;
    if (((pages[page] ?? 0) & PAGE_EXEC) === 0) return address;
    for (let count = 0; count < 2 && ((pages[page + 1] ?? 0) & PAGE_EXEC) !== 0; count++) page++;
    return (page + 1) * 4096;
  }

  #decodeAt(address: number): DecodedInstruction | undefined {
    const limit = this.#executableEnd(address) - GUEST_BASE;
    const offset = address - GUEST_BASE;
    if (offset >= limit) return undefined;
    const decoded = decode(this.#source.u8, offset, limit, address);
    return decoded.row === undefined || !this.#source.isSupported(decoded) ? undefined : decoded;
  }

  #follow(address: number, fallThrough: boolean): void {
    if (Math.abs(address - this.#entry) > MAXIMUM_DISTANCE) return;
    if (!fallThrough && !this.#source.isWarm(address)) return;
    if (this.#leaders.has(address)) return;
    this.#leaders.add(address);
    this.#pending.push(address);
  }

  #run(start: number): void {
    let address = start;
    for (;;) {
      if (this.#instructions.has(address)) return;
      if (this.#instructions.size >= MAXIMUM_REGION) {
        this.#limitReached = true;
        return;
      }
      const instruction = this.#decodeAt(address);
      if (instruction === undefined) return;
      this.#instructions.set(address, instruction);
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

  discover(): Region | undefined {
    this.#follow(this.#entry, true);
    // Breadth first: what is near the entry matters most when the limit is reached.
    for (let index = 0; index < this.#pending.length && !this.#limitReached; index++) this.#run(this.#pending[index] ?? 0);
    if (!this.#instructions.has(this.#entry)) return undefined;
    return this.#build();
  }

  #build(): Region {
    const blocks = new Map<number, RegionBlock>();
    const blockAt = (start: number): RegionBlock => {
      let block = blocks.get(start);
      if (block === undefined) {
        block = {
          start, end: start, instructions: [], taken: undefined, next: undefined, switch: [], isSwitchTarget: false, predecessors: [],
          order: -1, dominator: undefined, isLoopHeader: false,
        };
        blocks.set(start, block);
        queue.push(block);
      }
      return block;
    };
    const queue: RegionBlock[] = [];
    const edge = (address: number): Edge =>
      this.#instructions.has(address) && this.#leaders.has(address) ? { block: blockAt(address) } : { exit: address };
    const entry = blockAt(this.#entry);
    for (let index = 0; index < queue.length; index++) this.#fill(queue[index] as RegionBlock, edge);
    return finishRegion(entry);
  }

  #switchEdges(jump: DecodedInstruction, edge: (address: number) => Edge): { readonly block: RegionBlock }[] {
    const edges: { readonly block: RegionBlock }[] = [];
    for (const target of this.#source.jumpTargets(jump.address)) {
      const to = edge(target);
      if (!('block' in to)) continue;
      to.block.isSwitchTarget = true;
      edges.push(to);
    }
    return edges;
  }

  #fill(block: RegionBlock, edge: (address: number) => Edge): void {
    let address = block.start;
    for (;;) {
      const instruction = this.#instructions.get(address);
      if (instruction === undefined || (address !== block.start && this.#leaders.has(address))) {
        block.next = edge(address);
        break;
      }
      block.instructions.push(instruction);
      address += instruction.length;
      const { flow } = instruction.row;
      if (flow === 'jump' || flow === 'branch') {
        const target = instruction.operands[0];
        const to = target?.kind === 'target' ? target.address : 0;
        if (flow === 'jump') block.next = edge(to);
        else {
          block.taken = edge(to);
          block.next = edge(address);
        }
        break;
      }
      if (flow === 'indirect-jump') block.switch = this.#switchEdges(instruction, edge);
      if (flow === 'return' || flow === 'indirect-jump' || flow === 'trap') break;
    }
    block.end = address;
  }
}

/** Reverse postorder, predecessors and byte ranges. */
function finishRegion(entry: RegionBlock): Region {
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
  let instructionCount = 0;
  blocks.forEach((block, order) => {
    block.order = order;
    instructionCount += block.instructions.length;
    for (const successor of successors(block)) successor.predecessors.push(block);
  });
  return { entry, blocks, instructionCount, ranges: rangesOf(blocks) };
}

function rangesOf(blocks: readonly RegionBlock[]): (readonly [number, number])[] {
  const sorted = [...blocks].sort((a, b) => a.start - b.start);
  const ranges: [number, number][] = [];
  for (const block of sorted) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && block.start <= last[1]) last[1] = Math.max(last[1], block.end);
    else ranges.push([block.start, block.end]);
  }
  return ranges;
}

/** The region of an entry address, or undefined where nothing can be decoded there. */
export function discoverRegion(source: CodeSource, entry: number): Region | undefined {
  return new Discovery(source, entry).discover();
}
