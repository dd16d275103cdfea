/** Names that are well known, names that are allowed, and a judgement as a finding. */
import { readFileSync } from 'node:fs';
import { matches } from '../../findings/index.ts';
import type { Evidence, Finding, Place } from '../../findings/index.ts';
import { familiarName, familiarReference, formatReference, nameOf } from '../../image/reference.ts';
import { BUILT_IN_NAMES, Names, SquatError, judge, severityOf } from '../../squat/index.ts';
import type { Judgement, Suspicion } from '../../squat/index.ts';
import { UserError } from '../errors.ts';

const KNOWN_AS = ['', 'known', 'well known', 'very well known'] as const;
/** Other things that may be meant, in evidence. */
const MOST_OTHERS = 3;

/** @throws UserError */
export function readNames(file: string | undefined): Names {
  if (file === undefined) return Names.parse(BUILT_IN_NAMES);
  try {
    return Names.parse(readFileSync(file, 'utf8'), `"${file}"`);
  } catch (error) {
    if (error instanceof SquatError) throw new UserError(`cannot use the names: ${error.message}`, error.advice, undefined, { cause: error });
    throw new UserError(`cannot read the names "${file}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

/** Any of its forms: as typed, `ngnix`, `ngnix:1`, `docker.io/library/ngnix`, `docker.io/library/ngnix:1`. */
export function isAllowed({ text, reference }: Pick<Judgement, 'text' | 'reference'>, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return false;
  const forms = [text, ...(reference === undefined ? [] : [familiarName(reference), familiarReference(reference), nameOf(reference), formatReference(reference)])];
  return patterns.some((pattern) => forms.some((form) => matches(pattern, form)));
}

/** The likeliest thing against the reference, if there is any that is not allowed. @throws InvalidReferenceError */
export function suspicionOf(text: string, names: Names, allow: readonly string[]): { readonly judgement: Judgement; readonly suspicion: Suspicion } | undefined {
  const judgement = judge(text, names);
  const [suspicion] = judgement.suspicions;
  return suspicion === undefined || isAllowed(judgement, allow) ? undefined : { judgement, suspicion };
}

export function evidenceOf({ suspicions }: Judgement): readonly Evidence[] {
  const [first, ...others] = suspicions;
  if (first === undefined) return [];
  return [
    { name: 'part', value: first.part }, { name: 'meant', value: first.meant }, { name: 'popularity', value: KNOWN_AS[first.weight] ?? '' },
    ...(first.distance > 0 ? [{ name: 'distance', value: `${first.distance} ${first.distance === 1 ? 'edit' : 'edits'}` }] : []),
    ...(first.also.length > 0 ? [{ name: 'also', value: first.also.join(', ') }] : []),
    ...(others.length > 0 ? [{ name: 'or', value: others.slice(0, MOST_OTHERS).map(({ meant }) => meant).join(', ') }] : []),
  ];
}

export function findingOf({ judgement, suspicion }: { readonly judgement: Judgement; readonly suspicion: Suspicion }, place?: Place): Finding {
  const { kind, also, part, meant, score, why, distance } = suspicion;
  return {
    rule: kind, severity: severityOf(kind, score), subject: judgement.text, message: `did you mean "${meant}"? ${why}`, score, evidence: evidenceOf(judgement), ...(place === undefined ? {} : { place }),
    data: { part, meant, kinds: [kind, ...also], ...(distance === 0 ? {} : { distance }) },
  };
}
