/** The blocks of a region and the edges between them. */
import type { DecodedInstruction } from '../isa/instruction.ts';

/**
 * An edge to a block of the region, or out of it to an address. One that goes through selectors has the guest address that
 * it leads to, and what each of them is told.
 */
export interface InnerEdge {
  readonly block: RegionBlock;
  readonly address?: number;
  readonly choices?: readonly (readonly [selector: RegionBlock, way: number])[];
}
/** A way of an indirect jump or call, with its target. */
export type SwitchEdge = InnerEdge & { readonly address: number };
export interface ExitEdge {
  readonly exit: number;
  /** The code there sets all flags before it reads any. */
  readonly flagsDie: boolean;
}
export type Edge = InnerEdge | ExitEdge;

export interface RegionBlock {
  readonly start: number;
  /** Address behind the last instruction. */
  end: number;
  readonly instructions: DecodedInstruction[];
  /** Where a conditional branch goes when taken; where control goes otherwise. Undefined: it does not. */
  taken: Edge | undefined;
  next: Edge | undefined;
  /** Known targets of the indirect jump that ends it; all ways on from a dispatcher or a selector. */
  switch: readonly SwitchEdge[];
  /**
   * Its last instruction is a call whose callee is part of the region: `next` leads there. For an indirect
   * call the callees are here, and `next` leads behind an ordinary call of any other.
   */
  inlined: 'direct' | readonly SwitchEdge[] | undefined;
  /** Its last instruction is the return of an inlined callee, to this address; `next` leads there. */
  returnsTo: number | undefined;
  /** Some indirect jump leads here. */
  isSwitchTarget: boolean;
  /**
   * Two kinds have no instructions. Control comes to a dispatcher with an address and goes to the block there, or out of the
   * region (`dispatcher.ts`); to a selector with the number of one of its ways (`irreducible.ts`).
   */
  readonly kind: 'code' | 'dispatcher' | 'selector';
  predecessors: RegionBlock[];
  /** Position in reverse postorder; -1 before it is known. */
  order: number;
  /** Immediate dominator; the entry's is itself. */
  dominator: RegionBlock | undefined;
  isLoopHeader: boolean;
}

export function createBlock(start: number, kind: RegionBlock['kind']): RegionBlock {
  return {
    start, end: start, instructions: [], taken: undefined, next: undefined, switch: [], isSwitchTarget: false, kind,
    inlined: undefined, returnsTo: undefined, predecessors: [], order: -1, dominator: undefined, isLoopHeader: false,
  };
}

/** Blocks that control may go on in from one. */
export function successors(block: RegionBlock): RegionBlock[] {
  const blocks: RegionBlock[] = [];
  for (const edge of [block.taken, block.next]) {
    if (edge !== undefined && 'block' in edge) blocks.push(edge.block);
  }
  for (const edge of block.switch) blocks.push(edge.block);
  if (block.inlined !== undefined && block.inlined !== 'direct') {
    for (const edge of block.inlined) blocks.push(edge.block);
  }
  return blocks;
}
