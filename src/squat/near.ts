/** A new repository against those that are there: for a registry that does not take names that are easily mistaken for others. */
import { skeletonOf } from './alphabet.ts';
import { kindsOfEdit } from './edits.ts';
import { judgeReference } from './judge.ts';
import { lettersOf } from './names.ts';
import type { Names } from './names.ts';
import type { Kind } from './rules.ts';
import { isTelling } from './scores.ts';
import { DEFAULT_REGISTRY } from '../image/reference.ts';

export interface NearName {
  readonly name: string;
  readonly kind: Kind;
}

/** Versions and numbered parts are no slips: `app2` beside `app1`. */
function differInDigits(left: string, right: string): boolean {
  return left.replace(/\d+$/, '') === right.replace(/\d+$/, '');
}

function kindOf(typed: string, meant: string): Kind | undefined {
  if (typed.length > meant.length + 3 || typed.length + 3 < meant.length || differInDigits(typed, meant)) return undefined;
  const kind = kindsOfEdit(typed, meant)?.[0] ?? (skeletonOf(typed) === skeletonOf(meant) ? 'homoglyph' : lettersOf(typed) === lettersOf(meant) ? 'separator' : undefined);
  return kind === undefined || !isTelling(kind, meant) ? undefined : kind;
}

/** The one of `existing` that `name` differs from in one part, by one slip. Time: once through all of them. */
export function nearRepository(name: string, existing: Iterable<string>): NearName | undefined {
  const parts = name.split('/');
  for (const other of existing) {
    if (Math.abs(other.length - name.length) > 3 || other === name) continue;
    const others = other.split('/');
    if (others.length !== parts.length) continue;
    const differing = parts.flatMap((part, index) => (part === others[index] ? [] : [index]));
    const at = differing[0];
    if (at === undefined || differing.length > 1) continue;
    const kind = kindOf(parts[at] ?? '', others[at] ?? '');
    if (kind !== undefined) return { name: other, kind };
  }
  return undefined;
}

/** The same against what is well known: `ngnix`, `team/ngnix`, `bitnmai/redis`. */
export function nearWellKnown(name: string, names: Names): NearName | undefined {
  const [slip] = judgeReference({ registry: DEFAULT_REGISTRY, repository: name.includes('/') ? name : `library/${name}`, tag: undefined, digest: undefined }, names);
  return slip === undefined || slip.part === 'host' || slip.kinds[0] === 'namespace-dropped' || slip.kinds[0] === 'other-name' ? undefined : { name: slip.meant.repository.replace(/^library\//, ''), kind: slip.kinds[0] };
}
