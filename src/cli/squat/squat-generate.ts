/** `squat --generate`: the names that others could register near some. */
import type { Finding } from '../../findings/index.ts';
import { generate } from '../../squat/index.ts';
import type { Candidate } from '../../squat/index.ts';
import { toUserError } from '../images/image-store.ts';
import { isAllowed } from './squat-judge.ts';
import { squatReport } from './squat-run.ts';
import type { SquatRun } from './squat-run.ts';

/** Near `text`, without those that are allowed, and of the kinds that are asked for. @throws UserError */
export function candidatesOf(text: string, { names, allow, kinds }: Pick<SquatRun, 'names' | 'allow' | 'kinds'>): readonly Candidate[] {
  try {
    return generate(text, names).filter(({ kind, name, reference }) => kinds?.has(kind) !== false && !isAllowed({ text: name, reference }, allow));
  } catch (error) {
    throw toUserError(error, `list the names near "${text}"`);
  }
}

/** They are there or not; nobody has said anything against them. */
function asFinding(text: string, { kind, part, name }: Candidate): Finding {
  return { rule: kind, severity: 'info', subject: name, message: `near "${text}"`, data: { part, near: text } };
}

export function generateCommand(texts: readonly string[], run: SquatRun): number {
  const findings = texts.flatMap((text) => candidatesOf(text, run).map((candidate) => asFinding(text, candidate)));
  const lines = findings.map(({ rule, subject }) => `${rule.padEnd(20)} ${subject}\n`).join('');
  return run.options.finish(squatReport(texts.join(', '), findings, { nothing: 'there are none' }), () => lines);
}
