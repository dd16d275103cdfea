/** One edit between two names: whether there is one, and what it is called. */
import { areNeighbours, isBitFlip, lookAlike, skeletonOf } from './alphabet.ts';
import { lettersOf } from './names.ts';
import type { KnownName, NameSet } from './names.ts';
import type { EditKind } from './rules.ts';

/** A single edit: where, and which letters. */
type Edit =
  | { readonly edit: 'substituted'; readonly at: number }
  | { readonly edit: 'missing'; readonly at: number }
  | { readonly edit: 'added'; readonly at: number }
  | { readonly edit: 'transposed'; readonly at: number };

function sameFrom(left: string, leftAt: number, right: string, rightAt: number): boolean {
  const length = left.length - leftAt;
  if (length !== right.length - rightAt) return false;
  for (let index = 0; index < length; index++) if (left.charCodeAt(leftAt + index) !== right.charCodeAt(rightAt + index)) return false;
  return true;
}

/** The edit that makes `typed` of `meant`, if one does: optimal string alignment distance 1. In time of their length. */
function editBetween(typed: string, meant: string): Edit | undefined {
  const difference = typed.length - meant.length;
  if (difference < -1 || difference > 1) return undefined;
  const shorter = Math.min(typed.length, meant.length);
  let at = 0;
  while (at < shorter && typed.charCodeAt(at) === meant.charCodeAt(at)) at++;
  if (difference === 0) {
    if (at === shorter) return undefined;
    if (sameFrom(typed, at + 1, meant, at + 1)) return { edit: 'substituted', at };
    const isSwapped = at + 1 < shorter && typed.charCodeAt(at) === meant.charCodeAt(at + 1) && typed.charCodeAt(at + 1) === meant.charCodeAt(at);
    return isSwapped && sameFrom(typed, at + 2, meant, at + 2) ? { edit: 'transposed', at } : undefined;
  }
  if (difference < 0) return sameFrom(typed, at, meant, at + 1) ? { edit: 'missing', at } : undefined;
  return sameFrom(typed, at + 1, meant, at) ? { edit: 'added', at } : undefined;
}

function isSeparator(letter: string): boolean {
  return letter === '-' || letter === '_' || letter === '.';
}

function substitutionKinds(typed: string, meant: string): readonly EditKind[] {
  if (isSeparator(typed) && isSeparator(meant)) return ['separator'];
  const kinds: EditKind[] = [];
  if (lookAlike(typed, meant)) kinds.push('homoglyph');
  if (areNeighbours(meant, typed)) kinds.push('keyboard');
  if (isBitFlip(typed, meant)) kinds.push('bit-flip');
  return kinds.length > 0 ? kinds : ['replacement'];
}

function additionKinds(typed: string, at: number): readonly EditKind[] {
  const [before, letter = '', after] = [typed[at - 1], typed[at], typed[at + 1]];
  if (isSeparator(letter)) return ['separator'];
  // In "nginxx" and "nnginx" the first of the two is found to be the one that was added.
  if (letter === before || letter === after) return letter === 's' && at === typed.length - 1 ? ['repetition', 'plural'] : ['repetition'];
  if (letter === 's' && at === typed.length - 1) return ['plural'];
  if (/\d/.test(letter) && at === typed.length - 1) return ['combined-word'];
  return [before, after].some((other) => other !== undefined && areNeighbours(other, letter)) ? ['keyboard'] : ['addition'];
}

/** What one edit is called, the most telling first. Undefined: it is not one edit. */
export function kindsOfEdit(typed: string, meant: string): readonly EditKind[] | undefined {
  const found = editBetween(typed, meant);
  if (found === undefined) return undefined;
  const { edit, at } = found;
  if (edit === 'transposed') return ['transposition'];
  if (edit === 'substituted') return substitutionKinds(typed[at] ?? '', meant[at] ?? '');
  if (edit === 'added') return additionKinds(typed, at);
  const letter = meant[at] ?? '';
  if (isSeparator(letter)) return ['separator'];
  return letter === 's' && at === meant.length - 1 && meant[at - 1] !== 's' ? ['plural'] : ['omission'];
}

export interface Likeness {
  readonly meant: KnownName;
  /** The most telling first. */
  readonly kinds: readonly EditKind[];
  /** Edits; 0 for names that only look alike. */
  readonly distance: number;
}

/** Names of the set that are one edit away, look alike, or differ in separators alone. The set must not have the name itself. */
export function likenesses(typed: string, names: NameSet): readonly Likeness[] {
  const found: Likeness[] = [];
  const seen = new Set<string>();
  const add = (meant: KnownName, kinds: readonly EditKind[], distance: number): void => {
    if (seen.has(meant.name)) return;
    seen.add(meant.name);
    found.push({ meant, kinds, distance });
  };
  for (const meant of names.withSkeleton(skeletonOf(typed))) add(meant, ['homoglyph', ...(kindsOfEdit(typed, meant.name) ?? []).filter((kind) => kind !== 'homoglyph')], kindsOfEdit(typed, meant.name) === undefined ? 0 : 1);
  for (let length = typed.length - 1; length <= typed.length + 1; length++) {
    for (const meant of names.ofLength(length)) {
      const kinds = kindsOfEdit(typed, meant.name);
      if (kinds !== undefined) add(meant, kinds, 1);
    }
  }
  for (const meant of names.withLetters(lettersOf(typed))) add(meant, ['separator'], 1);
  return found;
}

/** Optimal string alignment distance, or `most + 1` if it is more. Only as many cells as may count. */
export function distanceUpTo(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let [before, previous] = [[] as number[], Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= left.length; row++) {
    const current = new Array<number>(right.length + 1).fill(most + 1);
    current[0] = row;
    let least = row;
    for (let column = Math.max(1, row - most); column <= Math.min(right.length, row + most); column++) {
      const same = left.charCodeAt(row - 1) === right.charCodeAt(column - 1);
      let cost = Math.min(previous[column - 1]! + (same ? 0 : 1), previous[column]! + 1, current[column - 1]! + 1);
      if (row > 1 && column > 1 && left.charCodeAt(row - 1) === right.charCodeAt(column - 2) && left.charCodeAt(row - 2) === right.charCodeAt(column - 1)) cost = Math.min(cost, before[column - 2]! + 1);
      current[column] = cost;
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    [before, previous] = [previous, current];
  }
  return Math.min(previous[right.length]!, most + 1);
}
