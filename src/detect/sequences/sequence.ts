/** Sequences of events: what a rule says of them, made ready to be asked. */
import type { Compiled } from '../condition/compile.ts';
import { ConditionError } from '../errors.ts';
import { MOST_SEQUENCE_MS, MOST_SEQUENCE_STEPS } from '../limits.ts';
import type { Output } from '../rules/output.ts';
import type { Keys } from './by.ts';

export interface SequenceStep {
  readonly condition: Compiled;
  readonly keys: Keys;
  /** What is told of it with the alert. */
  readonly output: Output;
}

export interface Sequence {
  /** At least two. */
  readonly steps: readonly SequenceStep[];
  /** From the first step to the last. */
  readonly withinMs: number;
  /** In between, it ends a sequence. */
  readonly without: Pick<SequenceStep, 'condition' | 'keys'> | undefined;
}

const UNITS: ReadonlyMap<string, number> = new Map([['ms', 1], ['s', 1000], ['m', 60_000], ['h', 3_600_000]]);

/** `500ms`, `10s`, `5m`, `1h`. @throws ConditionError */
export function parseWithin(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS.get(unit) ?? 0);
  if (ms <= 0 || ms > MOST_SEQUENCE_MS) throw new ConditionError(`"${text}" is no time for a sequence`, `write one such as 500ms, 10s or 5m, of ${MOST_SEQUENCE_MS / 3_600_000}h at most`, 0);
  return ms;
}

/** How often a step is to happen. @throws ConditionError */
export function parseStepCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_SEQUENCE_STEPS) throw new ConditionError(`a step cannot be counted "${text}" times`, `write a number from 1 to ${MOST_SEQUENCE_STEPS}`, 0);
  return count;
}
