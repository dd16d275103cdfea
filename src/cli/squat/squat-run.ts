/** What the forms of `caisson squat` have in common. */
import type { Finding, Report } from '../../findings/index.ts';
import { RULES } from '../../squat/index.ts';
import type { Kind, Names } from '../../squat/index.ts';
import { UserError, printable } from '../errors.ts';
import type { FindingOptions } from '../finding-flags.ts';
import type { FlagValues } from '../flags.ts';
import { parseCount } from '../quantities.ts';
import { version } from '../version.ts';

const DEFAULT_RATE = 5;

/** What all forms of the command go by. */
export interface SquatRun {
  readonly values: FlagValues;
  readonly options: FindingOptions;
  readonly names: Names;
  readonly allow: readonly string[];
  /** Undefined: all. */
  readonly kinds: ReadonlySet<Kind> | undefined;
}

export function squatReport(target: string, findings: readonly Finding[], more: Partial<Report> = {}): Report {
  return { tool: 'squat', version, target, rules: RULES, findings, ignored: [], ...more };
}

/** Requests a second. */
export function rateOf(values: FlagValues): number {
  const text = values.last('rate');
  if (text === undefined) return DEFAULT_RATE;
  const rate = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (rate === 0) throw new UserError(`cannot use --rate ${text}: it is no number of requests a second`, 'such as 5 or 0.5');
  return rate;
}

export function countOf(values: FlagValues, flag: string, fallback: number): number {
  const text = values.last(flag);
  const count = text === undefined ? fallback : parseCount(text);
  if (count === undefined || count === 0) throw new UserError(`cannot use --${flag} ${text ?? ''}: it is no number`, 'such as 500');
  return count;
}

/** A name a line; `#` begins a comment. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) => line.replace(/(?:^|\s)#.*$/, '').trim()).filter((line) => line !== '');
}

/** To standard error, where it does not get into the report. */
export function note(text: string): void {
  process.stderr.write(`caisson: ${printable(text)}\n`);
}
