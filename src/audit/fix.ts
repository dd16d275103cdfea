/** Which changes a configuration needs: few of them for the paths, one for each deviation where all are asked for. */
import type { Severity } from '../findings/index.ts';
import { isAtLeast } from '../findings/index.ts';
import type { Change } from './change.ts';
import { costOf, cutsOf, judge, openPaths, withChanges } from './evaluate.ts';
import type { HostFacts } from './host-facts.ts';
import { ITEMS, evidenceOf, itemOf } from './items.ts';
import type { Configuration } from './model.ts';
import type { Platform } from './path.ts';

/** More rounds than there are paths make no difference. */
const MOST_ROUNDS = 200;

/**
 * Changes that close all paths of at least `least`: the one that closes most for what it costs, again and again, and then without those that
 * the others made needless. Paths that no change of the configuration closes are left.
 */
export function cutPaths(configuration: Configuration, facts: HostFacts, platform: Platform, least: Severity): readonly Change[] {
  const chosen: Change[] = [];
  let current = configuration;
  const isLeft = (judged: Configuration): readonly string[] => openPaths(judge(judged, facts, platform)).filter(({ severity }) => isAtLeast(severity, least)).map(({ path }) => path.id);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const open = openPaths(judge(current, facts, platform)).filter(({ severity }) => isAtLeast(severity, least));
    const candidates = unique(open.flatMap(({ path }) => cutsOf(path, current, facts).slice(0, 3)));
    const ranked = candidates.map((changes) => ({ changes, gain: (open.length - isLeft(withChanges(current, changes)).length) / costOf(changes) })).sort((one, other) => other.gain - one.gain);
    const [best] = ranked;
    if (best === undefined || best.gain <= 0) break;
    chosen.push(...best.changes);
    current = withChanges(current, best.changes);
  }
  return withoutNeedless(chosen, (changes) => isLeft(withChanges(configuration, changes)).length);
}

/** Changes that may be left out without more staying open. */
function withoutNeedless(chosen: readonly Change[], countLeft: (changes: readonly Change[]) => number): readonly Change[] {
  const least = countLeft(chosen);
  let kept = chosen;
  for (const change of chosen) {
    const others = kept.filter((other) => other !== change);
    if (countLeft(others) <= least) kept = others;
  }
  return kept;
}

function unique(sets: readonly (readonly Change[])[]): readonly (readonly Change[])[] {
  return [...new Map(sets.map((changes) => [JSON.stringify(changes), changes])).values()];
}

/** Changes for these items, judged one after another, so that what an earlier one has mended is left alone. */
export function mendItems(configuration: Configuration, ids: readonly string[]): readonly Change[] {
  const chosen: Change[] = [];
  let current = configuration;
  for (const id of ids) {
    const item = itemOf(id);
    if (item === undefined || (evidenceOf(item, current) ?? []).length === 0) continue;
    const changes = item.changes(current);
    chosen.push(...changes);
    current = withChanges(current, changes);
  }
  return chosen;
}

/** What the program may be there for, or what only the host can take: it is taken away for a path, or by name. */
const KEPT_UNLESS_NAMED = /^(?:mount-.*|host-(?:path|port|device|users)|privileged-port|image-.*|no-health-check|volume-types|gpus|shared-namespace)$/;

/** What mends several at once. */
const FIRST: readonly string[] = ['privileged', 'capabilities-kept'];

/** For `--fix=all`: all that can be changed without knowing what the program is for. */
export const MENDABLE_ITEMS: readonly string[] = [...FIRST, ...ITEMS.map(({ id }) => id).filter((id) => !KEPT_UNLESS_NAMED.test(id) && !FIRST.includes(id))];
