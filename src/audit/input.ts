/** What a reader of one kind of input answers. */
import type { Change } from './change.ts';
import type { Configuration, InputKind } from './model.ts';

/** A change that this kind of input has no words for, or not in this place. */
export interface RefusedChange {
  readonly container: string;
  readonly change: Change;
  readonly why: string;
}

export interface Rewritten {
  readonly text: string;
  readonly refused: readonly RefusedChange[];
}

export interface AuditInput {
  readonly kind: InputKind;
  readonly configurations: readonly Configuration[];
  /** Line of each configuration in the text, from 1 on. */
  readonly lines: readonly (number | undefined)[];
  /** What could not be judged, as sentences. */
  readonly notes: readonly string[];
  /** The same text with the changes, a list for each configuration. */
  rewrite(changes: readonly (readonly Change[])[]): Rewritten;
}
