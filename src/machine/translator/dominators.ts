/** Dominators, loop headers and reducibility (Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", 2001). */
import type { Region } from './region.ts';
import type { RegionBlock } from './region-block.ts';

function intersect(a: RegionBlock, b: RegionBlock): RegionBlock {
  let left = a;
  let right = b;
  while (left !== right) {
    while (left.order > right.order) left = left.dominator ?? left;
    while (right.order > left.order) right = right.dominator ?? right;
  }
  return left;
}

export function dominates(a: RegionBlock, b: RegionBlock): boolean {
  let block = b;
  while (block.order > a.order) {
    if (block.dominator === undefined || block.dominator === block) return false;
    block = block.dominator;
  }
  return block === a;
}

/** Fills in `dominator` and `isLoopHeader`. The result is an entry of a loop that has two of them: the region is irreducible. */
export function computeDominators(region: Pick<Region, 'entry' | 'blocks'>): RegionBlock | undefined {
  region.entry.dominator = region.entry;
  for (let changed = true; changed;) {
    changed = false;
    for (const block of region.blocks) {
      if (block === region.entry) continue;
      let dominator: RegionBlock | undefined;
      for (const predecessor of block.predecessors) {
        if (predecessor.dominator === undefined) continue;
        dominator = dominator === undefined ? predecessor : intersect(predecessor, dominator);
      }
      if (dominator !== block.dominator) {
        block.dominator = dominator;
        changed = true;
      }
    }
  }
  let second: RegionBlock | undefined;
  for (const block of region.blocks) {
    for (const predecessor of block.predecessors) {
      if (predecessor.order < block.order) continue;
      block.isLoopHeader = true;
      if (!dominates(block, predecessor)) second ??= block;
    }
  }
  return second;
}
