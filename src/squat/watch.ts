/** What was seen of names the last time, and what has changed since. */
import { SquatError } from './errors.ts';

export interface Seen {
  /** Empty: there is nothing behind its name. */
  readonly digest: string;
  /** When it was there first, ISO 8601. */
  readonly since: string;
  /** What it is near to. */
  readonly near: string;
  readonly kind: string;
}

export type SeenNames = ReadonlyMap<string, Seen>;
export const MOST_STATE_BYTES = 64 * 2 ** 20;
const VERSION = 1;

/** @throws SquatError */
export function parseSeen(text: string): SeenNames {
  const wrong = (why: string): never => {
    throw new SquatError(why, 'remove it to begin anew');
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new SquatError(`it is not JSON: ${(error as Error).message}`, 'remove it to begin anew', { cause: error });
  }
  if (typeof document !== 'object' || document === null || !('names' in document) || !('version' in document) || document.version !== VERSION) return wrong('it is no state of --watch');
  const { names } = document;
  if (typeof names !== 'object' || names === null) return wrong('it has no names');
  const seen = new Map<string, Seen>();
  for (const [name, value] of Object.entries(names as Record<string, unknown>)) {
    const { digest, since, near, kind } = (value ?? {}) as Partial<Record<keyof Seen, unknown>>;
    if (typeof digest !== 'string' || typeof since !== 'string' || typeof near !== 'string' || typeof kind !== 'string') return wrong(`it says nothing of "${name.slice(0, 100)}"`);
    seen.set(name, { digest, since, near, kind });
  }
  return seen;
}

export function formatSeen(seen: SeenNames): string {
  return `${JSON.stringify({ version: VERSION, names: Object.fromEntries([...seen].sort(([left], [right]) => (left < right ? -1 : 1))) }, undefined, 1)}\n`;
}

export type Change = 'new' | 'changed' | 'same' | 'gone';

/** `now`: what is there; undefined: it is not. */
export function changeOf(before: Seen | undefined, now: Pick<Seen, 'digest'> | undefined): Change | undefined {
  if (now === undefined) return before === undefined ? undefined : 'gone';
  if (before === undefined) return 'new';
  return before.digest === now.digest ? 'same' : 'changed';
}
