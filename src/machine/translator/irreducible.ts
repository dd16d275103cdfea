/**
 * Loops that are entered at several blocks get one entry: a selector, which all ways to those blocks go through, with the
 * number of the one that is meant. After LLVM's WebAssemblyFixIrreducibleControlFlow.
 */
import { dominates } from './dominators.ts';
import { createBlock, successors, type Edge, type RegionBlock, type SwitchEdge } from './region-block.ts';

/** Blocks from which, or to which with `predecessors`, there is a way within a set from a block; itself too. */
function reached(from: RegionBlock, within: ReadonlySet<RegionBlock>, next: (block: RegionBlock) => readonly RegionBlock[]): Set<RegionBlock> {
  const found = new Set([from]);
  for (const block of found) for (const other of next(block)) if (within.has(other)) found.add(other);
  return found;
}

/** Makes the loop around `second`, a block by which it is entered besides others, a loop with one entry. The order of blocks is wrong then. */
export function insertSelector(blocks: readonly RegionBlock[], second: RegionBlock): void {
  const { dominator } = second;
  if (dominator === undefined) throw new Error('a block of the region is not reached');
  const inside = new Set(blocks.filter((block) => block !== dominator && dominates(dominator, block)));
  const behind = reached(second, inside, successors);
  const loop = new Set([...reached(second, inside, ({ predecessors }) => predecessors)].filter((block) => behind.has(block)));
  const entries = [...loop].filter(({ predecessors }) => predecessors.some((predecessor) => !loop.has(predecessor)));
  const selector = createBlock(second.start, 'selector');
  selector.switch = entries.map((block) => ({ address: block.start, block }));
  for (const block of blocks) redirect(block, entries, selector);
}

function redirect(from: RegionBlock, entries: readonly RegionBlock[], selector: RegionBlock): void {
  const change = <E extends Edge | SwitchEdge>(edge: E): E => {
    const way = 'block' in edge ? entries.indexOf(edge.block) : -1;
    if (way < 0 || !('block' in edge)) return edge;
    return { ...edge, block: selector, address: edge.address ?? edge.block.start, choices: [...(edge.choices ?? []), [selector, way]] };
  };
  from.taken = from.taken && change(from.taken);
  from.next = from.next && change(from.next);
  from.switch = from.switch.map(change);
  if (from.inlined !== undefined && from.inlined !== 'direct') from.inlined = from.inlined.map(change);
}
