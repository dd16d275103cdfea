/** Mistakes with their places. */
import { ConditionError, RulesError } from '../errors.ts';
import type { Place } from '../errors.ts';

/** What goes wrong within a condition, at its place in the file. */
export function located<Result>(what: string, place: (offset: number) => Place, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    throw new RulesError(`${what}: ${error.message}`, error.hint, place(error.offset));
  }
}
