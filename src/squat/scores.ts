/** How likely a slip is: how telling its kind, how well known what is meant, how long the name. Short names are near to many others. */
import type { Likeness } from './edits.ts';
import { baseOf } from './rules.ts';
import type { Kind } from './rules.ts';

const BY_WEIGHT: readonly number[] = [0.85, 0.85, 0.93, 1];
/** By the letters of what is meant; more than the last: 1. */
const BY_LENGTH: readonly number[] = [0, 0, 0.4, 0.6, 0.8, 0.92, 0.96];
/** Of names of four letters and less, only slips that are more than a letter for another one: `base` is no misspelling of `bash`. */
const SHORT_LETTERS = 4;
const TELLING_IF_SHORT: ReadonlySet<Kind> = new Set(['transposition', 'repetition', 'homoglyph', 'keyboard', 'separator']);

/** Whether a slip of this kind says anything for a name of this length. */
export function isTelling(kind: Kind, meant: string): boolean {
  return meant.length > SHORT_LETTERS || TELLING_IF_SHORT.has(kind);
}

export function likelihood({ meant: { name, weight }, kinds: [kind] }: Likeness): number {
  if (kind === undefined || !isTelling(kind, name)) return 0;
  return baseOf(kind) * (BY_WEIGHT[weight] ?? 1) * (BY_LENGTH[name.length] ?? 1);
}

const HOW: Readonly<Partial<Record<Kind, string>>> = {
  'omission': 'with a letter missing', 'repetition': 'with a letter twice', 'transposition': 'with two letters swapped', 'keyboard': 'with a key beside the right one',
  'homoglyph': 'in letters that look alike', 'bit-flip': 'with one bit flipped', 'separator': 'with other separators', 'plural': 'but for an s at its end', 'addition': 'with a letter added',
  'replacement': 'with a letter replaced', 'combined-word': 'with a number joined to it', 'distant-misspelling': 'with two slips',
};

/** `"ngnix" is "nginx" with two letters swapped` */
export function describe(typed: string, meant: string, kind: Kind): string {
  return `"${typed}" is "${meant}" ${HOW[kind] ?? ''}`.trimEnd();
}
