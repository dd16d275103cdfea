/**
 * Dispatchers: the handlers of an interpreter, each of which ends in an indirect jump to the next, become one region with
 * registers in locals. All those jumps go through one block, the dispatcher, which knows the handlers by their addresses;
 * it is the region's entry, so that control may come in at any handler. Memory has all registers and flags there.
 */
import { hashTargets } from './hash-targets.ts';
import { Discovery, RegionBuilder, finishRegion, type CodeSource, type Region } from './region.ts';

/** Most instructions in such a region, inlined ones apart. */
const MAXIMUM_DISPATCHED = 6000;

/** Fewer jumps that share targets, or fewer of those, are no interpreter. */
const MINIMUM_JUMPS = 4;
const MINIMUM_HANDLERS = 8;

interface Group {
  jumps: number;
  readonly targets: Set<number>;
}

/** Sets of jumps that share targets. */
function groupsOf(jumps: Iterable<readonly [from: number, targets: readonly number[]]>): Set<Group> {
  const byTarget = new Map<number, Group>();
  const groups = new Set<Group>();
  for (const [, targets] of jumps) {
    let group: Group = { jumps: 1, targets: new Set(targets) };
    for (const target of targets) {
      const other = byTarget.get(target);
      if (other === undefined || other === group) continue;
      const [larger, smaller] = other.targets.size > group.targets.size ? [other, group] : [group, other];
      larger.jumps += smaller.jumps;
      for (const moved of smaller.targets) larger.targets.add(moved);
      for (const moved of smaller.targets) if (byTarget.has(moved)) byTarget.set(moved, larger);
      groups.delete(smaller);
      group = larger;
    }
    for (const target of targets) byTarget.set(target, group);
    groups.add(group);
  }
  return groups;
}

/** Handlers of interpreters, by interpreter: what several indirect jumps go to. `jumps`: where indirect jumps and calls went. */
export function findHandlers(source: CodeSource, jumps: Iterable<readonly [from: number, targets: readonly number[]]>): number[][] {
  const decoder = new Discovery(source, 0, 0);
  // A stub of a procedure linkage table goes to its resolver first, then to its function.
  const isDispatch = (from: number, targets: readonly number[]): boolean => targets.length > 2 && decoder.decodeAt(from)?.row.flow === 'indirect-jump';
  const groups = groupsOf([...jumps].filter(([from, targets]) => isDispatch(from, targets)));
  return [...groups].filter((group) => group.jumps >= MINIMUM_JUMPS).map(({ targets }) => [...targets].filter((target) => source.isWarm(target)));
}

/** The region of the handlers at `targets`; undefined where they are too few, too far apart, or too many to be told apart. */
export function discoverDispatcher(source: CodeSource, targets: readonly number[]): Region | undefined {
  const [first, ...others] = targets;
  if (first === undefined) return undefined;
  const discovery = new Discovery(source, first, MAXIMUM_DISPATCHED);
  if (!discovery.discover(others)) return undefined;
  if (targets.filter((target) => discovery.code.instructions.has(target)).length < MINIMUM_HANDLERS) return undefined;
  const dispatcher = new RegionBuilder(source).buildDispatcher(targets, discovery.code);
  // A handler that it did not know would lead back to itself without end.
  return hashTargets(dispatcher.switch.map(({ address }) => address)).isComplete ? finishRegion(dispatcher) : undefined;
}
