/** `sequence:` of a rule becomes one that can be asked. */
import { compileCondition } from '../condition/compile.ts';
import type { Compiled, Scope } from '../condition/compile.ts';
import { parseCondition } from '../condition/parser.ts';
import { RulesError } from '../errors.ts';
import { MOST_SEQUENCE_STEPS } from '../limits.ts';
import { located } from '../rules/located.ts';
import { compileOutput } from '../rules/output.ts';
import { compileKeys } from './by.ts';
import type { Keys } from './by.ts';
import type { SequenceSource, StepSource } from './read.ts';
import { parseStepCount, parseWithin } from './sequence.ts';
import type { Sequence, SequenceStep } from './sequence.ts';

/** Where a step says nothing of itself. */
const STEP_OUTPUT = '%evt.type %fd.name (%proc.cmdline)';

/** `last`: the condition of the last step, with all that was appended to it. @throws RulesError */
export function compileSequence({ steps, by, within, without, place }: SequenceSource, last: Compiled, scope: Scope, what: string): Sequence {
  const own = located(`by of ${what}`, () => place, () => compileKeys(by));
  const keysOf = (step: StepSource, name: string): Keys => {
    if (step.by === undefined) return own;
    const names = step.by;
    const keys = located(`by of ${name}`, () => step.place, () => compileKeys(names));
    if (keys.count !== own.count || keys.isTree !== own.isTree) throw new RulesError(`by of ${name} does not go with that of the rule`, 'write as many fields as there, and proc.tree in both or in none', step.place);
    return keys;
  };
  const conditionOf = (step: StepSource, name: string): Compiled => located(name, (offset) => step.condition.place(offset), () => compileCondition(parseCondition(step.condition.text), scope));
  const found = steps.flatMap((step, index): readonly SequenceStep[] => {
    const name = `step ${index + 1} of ${what}`;
    const count = step.count === undefined ? 1 : located(name, () => step.count!.place(0), () => parseStepCount(step.count!.text));
    const output = located(`the output of ${name}`, (offset) => step.output?.place(offset) ?? step.place, () => compileOutput(step.output?.text ?? STEP_OUTPUT));
    const made = { condition: index === steps.length - 1 ? last : conditionOf(step, name), keys: keysOf(step, name), output };
    return Array.from({ length: count }, () => made);
  });
  if (found.length < 2 || found.length > MOST_SEQUENCE_STEPS) throw new RulesError(`the sequence of ${what} has ${found.length} step${found.length === 1 ? '' : 's, those that are counted as many times'}`, `write 2 to ${MOST_SEQUENCE_STEPS}`, place);
  return {
    steps: found, withinMs: located(`within of ${what}`, (offset) => within.place(offset), () => parseWithin(within.text.trim())),
    without: without === undefined ? undefined : { condition: conditionOf(without, `without of ${what}`), keys: keysOf(without, `without of ${what}`) },
  };
}
