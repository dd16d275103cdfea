/** `squat --lookup`: what the registries say of what is typed, and of what is likely meant. */
import type { Evidence } from '../../findings/index.ts';
import { parseReference } from '../../image/reference.ts';
import type { Judgement, Suspicion } from '../../squat/index.ts';
import type { FlagValues } from '../flags.ts';
import { Pace, lookClosely } from './squat-lookup.ts';
import type { Details } from './squat-lookup.ts';

const DAY_MS = 86_400_000;

function ageOf(created: string): string {
  const days = Math.floor((Date.now() - Date.parse(created)) / DAY_MS);
  return `made ${created.slice(0, 10)}${days >= 0 ? `, ${days} days ago` : ''}`;
}

function said({ presence, created, isSigned }: Details): string {
  if (presence.state === 'absent') return 'nothing is there';
  if (presence.state === 'hidden') return 'its registry does not say';
  if (presence.state === 'unreachable') return `could not be asked: ${presence.reason}`;
  return [`it is there (${presence.digest.slice(0, 19)})`, ...(created === undefined ? [] : [ageOf(created)]), ...(isSigned === undefined ? [] : [isSigned ? 'signed' : 'not signed'])].join(', ');
}

/** For each suspicion, in their order. */
export async function registryEvidence(found: readonly { readonly judgement: Judgement; readonly suspicion: Suspicion }[], values: FlagValues, perSecond: number): Promise<readonly (readonly Evidence[])[]> {
  const pace = new Pace(perSecond);
  const all: Evidence[][] = [];
  for (const { judgement: { reference, text }, suspicion: { meant } } of found) {
    const evidence: Evidence[] = [];
    if (reference !== undefined) evidence.push({ name: text, value: said(await lookClosely(reference, values, pace)) });
    evidence.push({ name: meant, value: said(await lookClosely(parseReference(meant), values, pace)) });
    all.push(evidence);
  }
  return all;
}
