/** What a rule does when it fires, beside the alert. */
import { ERRNO_NAMES } from '../abi/errno.ts';
import { nearest } from '../image/nearest.ts';
import { ConditionError } from './errors.ts';

export type Action =
  | { readonly kind: 'alert' }
  | { readonly kind: 'deny'; readonly errno: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'pause' }
  /** The stream is written from here on. */
  | { readonly kind: 'record' };

/** What acts before the call is made, the strongest first. */
export const BEFORE_CALLS = ['kill', 'deny', 'pause'] as const;

const ERRORS: ReadonlyMap<string, number> = new Map([...ERRNO_NAMES].filter(([value]) => value < 134).map(([value, name]) => [name, value]));
const KINDS = ['alert', 'deny', 'kill', 'pause', 'record'] as const;

/** `alert`, `deny`, `deny:EACCES`, `kill`, `pause`, `record`. @throws ConditionError */
export function parseAction(text: string): Action {
  const [, word = '', detail] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const kind = KINDS.find((known) => known === word);
  if (kind === undefined) {
    const guess = nearest(word, KINDS);
    throw new ConditionError(`there is no action "${text}"`, guess === undefined ? 'there are alert, deny, deny:ERRNO, kill, pause and record' : `did you mean ${guess}?`, 0);
  }
  if (kind !== 'deny') {
    if (detail !== undefined) throw new ConditionError(`${kind} takes nothing behind a colon`, `write ${kind}`, 0);
    return { kind };
  }
  const found = ERRORS.get(detail ?? 'EPERM');
  if (found === undefined) throw new ConditionError(`there is no error "${detail ?? ''}"`, 'such as EPERM, EACCES or ENOENT', 0);
  return { kind, errno: found };
}
