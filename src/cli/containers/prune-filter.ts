/** `--filter` of the commands that prune. */
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import { parseDuration } from '../quantities.ts';

const FILTERS = ['until', 'label', 'label!'];

/** What a filter looks at, of an image or a container. */
export interface Prunable {
  readonly createdMs: number;
  hasLabel(text: string): boolean;
}

/** @throws UserError */
export function pruneFilter(text: string): (one: Prunable) => boolean {
  const [, key = text, not = '', value = ''] = /^([^=!]+)(!?)=(.*)$/s.exec(text) ?? [];
  if (key === 'label') return (one) => one.hasLabel(value) !== (not === '!');
  if (key === 'until' && not === '') {
    const ageMs = parseDuration(value);
    const limit = ageMs === undefined ? Date.parse(value) : Date.now() - ageMs;
    if (Number.isNaN(limit)) throw new UserError(`cannot use --filter ${text}: "${value}" is no time`, 'such as 24h or 2026-01-31');
    return (one) => one.createdMs < limit;
  }
  const guess = nearest(key, FILTERS);
  throw new UserError(`cannot use --filter ${text}: no filter is called "${key}${not}"`, guess === undefined ? `there are ${FILTERS.join(', ')}` : `did you mean ${guess}?`);
}
