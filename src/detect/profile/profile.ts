/** A profile: what containers of an image do, and nothing else. */

/** What is allowed, each a line of its own. Paths are patterns; see `patterns.ts`. */
export const SECTIONS = ['programs', 'read', 'write', 'connect', 'bind', 'capabilities', 'calls'] as const;
export type Section = (typeof SECTIONS)[number];

/** Sections whose lines are, or begin with, patterns of paths. */
export const PATH_SECTIONS: ReadonlySet<Section> = new Set<Section>(['programs', 'read', 'write']);

export interface Profile {
  /** How many runs it was learned from. */
  readonly runs: number;
  /** Images of those runs, as they were named. */
  readonly images: readonly string[];
  /** Sorted, as byte strings. A section that is not there allows everything of its kind; one without a line, nothing. */
  readonly sections: ReadonlyMap<Section, readonly string[]>;
}

/** Something that a call does, which a line of a profile may allow. */
export interface Deed {
  readonly section: Exclude<Section, 'capabilities'>;
  /** As a line that allows this and nothing else, without escapes: a path, an address, a name. */
  readonly value: string;
}
