/** Judges a reference before it is pulled: its registry, namespace, repository and tag, each against what is well known. */
import { DEFAULT_REGISTRY, familiarName, parseReference } from '../image/reference.ts';
import type { Reference } from '../image/reference.ts';
import { judgeForeign, judgeHost } from './judge-host.ts';
import { judgeName, judgeTag } from './judge-name.ts';
import { MOST_REFERENCE_CHARACTERS } from './limits.ts';
import type { Names } from './names.ts';
import { LEAST_SCORE } from './rules.ts';
import type { Kind } from './rules.ts';

export type Part = 'host' | 'namespace' | 'repository' | 'tag';

/** One reason why a reference may not be the one that is meant. */
export interface Suspicion {
  readonly kind: Kind;
  /** Other names for the same slip. */
  readonly also: readonly Kind[];
  readonly part: Part;
  /** What is likely meant: the whole reference, as a user writes it. */
  readonly meant: string;
  /** 0 to 1; see `LEAST_SCORE`. */
  readonly score: number;
  /** One clause: `"ngnix" is "nginx" with two letters swapped`. */
  readonly why: string;
  /** Edits between what is typed and what is meant. */
  readonly distance: number;
  /** How well known what is meant is: 1 to 3. */
  readonly weight: number;
}

/** What one part's judge answers, before the whole is put together. */
export interface Slip {
  readonly kinds: readonly [Kind, ...Kind[]];
  readonly part: Part;
  readonly meant: Reference;
  readonly score: number;
  readonly why: string;
  readonly distance: number;
  readonly weight: number;
}

export interface Judgement {
  /** As it was typed. */
  readonly text: string;
  /** Undefined: it has letters that no reference may have. */
  readonly reference: Reference | undefined;
  /** The likeliest first; empty: nothing is known against it. */
  readonly suspicions: readonly Suspicion[];
}

/** As a user would write it: without what Docker leaves out, and without a tag that was not typed. A digest is that of what was typed, not of what is meant. */
function shown(meant: Reference, hasTag: boolean): string {
  return `${familiarName(meant)}${hasTag && meant.tag !== undefined ? `:${meant.tag}` : ''}`;
}

function toSuspicion({ kinds: [kind, ...also], part, meant, score, why, distance, weight }: Slip, hasTag: boolean): Suspicion {
  return { kind, also, part, meant: shown(meant, hasTag), score: Math.round(score * 100) / 100, why, distance, weight };
}

function tagWasTyped(text: string): boolean {
  return text.lastIndexOf(':') > text.lastIndexOf('/') || text.includes('@');
}

/** Of the same target only the best reason; each target once. */
function best(slips: readonly Slip[]): readonly Slip[] {
  const byTarget = new Map<string, Slip>();
  for (const slip of slips) {
    if (slip.score < LEAST_SCORE) continue;
    const key = `${slip.meant.registry}/${slip.meant.repository}:${slip.meant.tag ?? ''}`;
    const known = byTarget.get(key);
    if (known === undefined || known.score < slip.score) byTarget.set(key, slip);
  }
  return [...byTarget.values()].sort((left, right) => right.score - left.score || right.weight - left.weight);
}

/** References to this machine, or to one by its address, are typed by who runs it. */
function isOwnHost(host: string): boolean {
  return host.startsWith('localhost') || host.startsWith('[') || /^[\d.]+(?::\d+)?$/.test(host);
}

/**
 * Without a network, and without knowing what is there.
 *
 * @example
 * judge('ngnix', names).suspicions[0] // { kind: 'transposition', meant: 'nginx', score: 0.89, ... }
 * @throws InvalidReferenceError where it is no reference, and does not look like one either.
 */
export function judge(text: string, names: Names): Judgement {
  const typed = text.length > MOST_REFERENCE_CHARACTERS ? text.slice(0, MOST_REFERENCE_CHARACTERS) : text;
  const foreign = judgeForeign(typed, names);
  if (foreign !== undefined) return { text, reference: undefined, suspicions: [toSuspicion(foreign, tagWasTyped(typed))] };
  const reference = parseReference(text);
  return { text, reference, suspicions: judgeReference(reference, names).map((slip) => toSuspicion(slip, tagWasTyped(text))) };
}

/** The slips of a reference that could be read, the likeliest first. */
export function judgeReference(reference: Reference, names: Names): readonly Slip[] {
  const slips: Slip[] = [];
  const host = reference.registry.toLowerCase();
  if (host !== DEFAULT_REGISTRY && !isOwnHost(host)) slips.push(...judgeHost({ ...reference, registry: host }, names));
  slips.push(...judgeName(reference, names));
  if (slips.length === 0) slips.push(...judgeTag(reference, names));
  return best(slips);
}
