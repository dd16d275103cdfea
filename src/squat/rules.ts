/** The reasons, as rules: what each is about, what to do, and how telling it is. */
import type { Rule, Severity } from '../findings/index.ts';

/** Reasons that one edit can have. `base`: how telling, from 0 to 1. */
const EDITS = {
  'omission': { base: 0.88, summary: 'A letter of a well-known name is missing' },
  'repetition': { base: 0.92, summary: 'A letter of a well-known name is there twice' },
  'transposition': { base: 0.97, summary: 'Two letters of a well-known name are swapped' },
  'keyboard': { base: 0.88, summary: 'A key beside the one of a well-known name was hit' },
  'homoglyph': { base: 0.97, summary: 'It looks like a well-known name and is another one' },
  'bit-flip': { base: 0.8, summary: 'One bit of a well-known name is another one' },
  'separator': { base: 0.88, summary: 'A dash, a dot or an underscore of a well-known name is missing, added or another one' },
  'plural': { base: 0.8, summary: 'A well-known name in the plural, or one that should be' },
  'addition': { base: 0.76, summary: 'A letter was added to a well-known name' },
  'replacement': { base: 0.76, summary: 'A letter of a well-known name is another one' },
  'combined-word': { base: 0.8, summary: 'A word was joined to a well-known name' },
  'distant-misspelling': { base: 0.68, summary: 'A long well-known name with two slips' },
} as const;

const OTHERS = {
  'other-name': { base: 0.75, summary: 'A name by which a well-known image is called elsewhere' },
  'namespace-stolen': { base: 0.85, summary: 'A well-known image under a namespace that is not its publisher\'s' },
  'namespace-dropped': { base: 0.72, summary: 'The namespace of a well-known image is missing' },
  'host-confused': { base: 0.92, summary: 'A host that is mistaken for a well-known registry, or an image asked of the wrong one' },
  'host-as-namespace': { base: 0.92, summary: 'The name of a registry stands where the namespace does' },
  'tag-misspelled': { base: 0.75, summary: 'A tag that is one slip away from a common one' },
} as const;

export type EditKind = keyof typeof EDITS;
export type Kind = EditKind | keyof typeof OTHERS;
export const KINDS = [...Object.keys(EDITS), ...Object.keys(OTHERS)] as readonly Kind[];

const ALL: Readonly<Record<Kind, { readonly base: number; readonly summary: string }>> = { ...EDITS, ...OTHERS };

export function baseOf(kind: Kind): number {
  return ALL[kind].base;
}

const LEAST_HIGH = 0.8;
const LEAST_MEDIUM = 0.65;
/** Below it a likeness is none. */
export const LEAST_SCORE = 0.5;

/** Names that lead to nothing: a hint for who typed them, and no trap, because nobody can publish there. */
const HINTS: ReadonlySet<Kind> = new Set(['namespace-dropped', 'other-name']);

export function isHint(kind: Kind): boolean {
  return HINTS.has(kind);
}

export function severityOf(kind: Kind, score: number): Severity {
  if (isHint(kind)) return 'info';
  return score >= LEAST_HIGH ? 'high' : score >= LEAST_MEDIUM ? 'medium' : 'low';
}

export const RULES: readonly Rule[] = KINDS.map((id) => ({
  id, summary: ALL[id].summary, severity: severityOf(id, ALL[id].base),
  remedy: id === 'tag-misspelled' ? 'correct the tag, or allow the name' : 'correct the name, or allow it if it is meant',
}));
