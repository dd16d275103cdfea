/** What is wrong with a file of rules or a recorded stream, and where. */

export interface Place {
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  readonly column: number;
}

export class RulesError extends Error {
  override readonly name = 'RulesError';
  readonly place: Place | undefined;
  /** What to do. */
  readonly hint: string;

  constructor(message: string, hint: string, place?: Place) {
    super(place === undefined ? message : `${place.file}:${place.line}:${place.column}: ${message}`);
    this.hint = hint;
    this.place = place;
  }
}

/** The same within one condition: `offset` counts its characters. Whoever knows the file makes a `RulesError` of it. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError';
  readonly offset: number;
  readonly hint: string;

  constructor(message: string, hint: string, offset: number) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}
