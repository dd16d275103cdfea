/** Whether a version is affected: OSV schema 1.7, "Evaluation". */
import type { Compare } from '../versions/index.ts';
import type { Advisory, Interval } from './types.ts';

export interface Verdict {
  readonly isAffected: boolean;
  /** The version that mends it, where there is one. */
  readonly fixed: string | undefined;
}

function contains({ introduced, fixed, lastAffected }: Interval, version: string, compare: Compare): boolean {
  if (introduced !== undefined && compare(version, introduced) < 0) return false;
  if (fixed !== undefined && compare(version, fixed) >= 0) return false;
  return lastAffected === undefined || compare(version, lastAffected) <= 0;
}

export function judgeVersion({ intervals, versions, status }: Advisory, version: string, compare: Compare): Verdict {
  if (status === 'not affected') return { isAffected: false, fixed: undefined };
  const interval = intervals?.find((one) => contains(one, version, compare));
  if (interval !== undefined) return { isAffected: true, fixed: interval.fixed };
  if (versions?.includes(version) === true) {
    // The smallest fix above it, where the list of versions is all that names it.
    const fixes = (intervals ?? []).flatMap(({ fixed }) => (fixed !== undefined && compare(fixed, version) > 0 ? [fixed] : [])).sort(compare);
    return { isAffected: true, fixed: fixes[0] };
  }
  return { isAffected: intervals === undefined && versions === undefined, fixed: undefined };
}

/** Events of one range (`introduced`, `fixed`, `last_affected`) as intervals. */
export function intervalsOf(events: readonly (readonly [kind: 'introduced' | 'fixed' | 'lastAffected', version: string])[], compare: Compare): readonly Interval[] {
  const first = (version: string): boolean => version === '0';
  const sorted = [...events].sort(([leftKind, left], [rightKind, right]) => {
    if (first(left) || first(right)) return (first(left) ? 0 : 1) - (first(right) ? 0 : 1);
    return compare(left, right) || (leftKind === 'introduced' ? 1 : 0) - (rightKind === 'introduced' ? 1 : 0);
  });
  const intervals: Interval[] = [];
  let open: string | undefined;
  for (const [kind, version] of sorted) {
    if (kind === 'introduced') open ??= version;
    else if (open !== undefined) {
      intervals.push({ ...(first(open) ? {} : { introduced: open }), [kind]: version });
      open = undefined;
    }
  }
  if (open !== undefined) intervals.push(first(open) ? {} : { introduced: open });
  return intervals;
}
