/** Items of a set of rules, wherever they are from, with the places of what is in them. */
import type { Place } from '../errors.ts';

/** A text with where it came from. */
export interface SourceText {
  readonly text: string;
  /** Where one of its characters is. */
  place(offset: number): Place;
}

export interface RulesItem {
  /** What reads its values. */
  readonly yaml: ItemReader;
  readonly values: ReadonlyMap<string, unknown>;
  readonly place: Place;
}

/** Each method throws RulesError for a value of another kind; `what` names it in there. */
export interface ItemReader {
  readonly file: string;
  readonly items: readonly RulesItem[];
  placeOf(node: unknown): Place;
  text(node: unknown, what: string): SourceText;
  flag(node: unknown, what: string): boolean;
  isSequence(node: unknown): boolean;
  sequence(node: unknown, what: string): readonly unknown[];
  texts(node: unknown, what: string): readonly string[];
  map(node: unknown, what: string): RulesItem;
}
