/** `sequence:` of a rule, as its file has it. Our own addition to Falco's files. */
import { nearest } from '../../image/nearest.ts';
import { RulesError } from '../errors.ts';
import { MOST_SEQUENCE_STEPS } from '../limits.ts';
import type { RulesItem, SourceText } from '../rules/items.ts';
import type { Place } from '../errors.ts';

export interface StepSource {
  readonly condition: SourceText;
  readonly output: SourceText | undefined;
  readonly count: SourceText | undefined;
  /** Undefined: as the rule says. */
  readonly by: readonly string[] | undefined;
  readonly place: Place;
}

export interface SequenceSource {
  readonly steps: readonly StepSource[];
  readonly by: readonly string[];
  readonly within: SourceText;
  readonly without: StepSource | undefined;
  readonly place: Place;
}

export const SEQUENCE_KEYS: readonly string[] = ['sequence', 'by', 'within', 'without'];
const STEP_KEYS: readonly string[] = ['condition', 'by', 'output', 'count'];

function namesOf({ yaml }: RulesItem, node: unknown): readonly string[] {
  return yaml.isSequence(node) ? yaml.texts(node, 'by') : [yaml.text(node, 'by').text];
}

function readStep(item: RulesItem, what: string): StepSource {
  const { yaml, values, place } = item;
  for (const [key, node] of values) {
    if (STEP_KEYS.includes(key)) continue;
    const guess = nearest(key, STEP_KEYS);
    throw new RulesError(`a step of a sequence has no "${key}"`, guess === undefined ? `it has ${STEP_KEYS.join(', ')}` : `did you mean ${guess}?`, yaml.placeOf(node));
  }
  const text = (key: string): SourceText | undefined => (values.has(key) ? yaml.text(values.get(key), `${key} of ${what}`) : undefined);
  const condition = text('condition');
  if (condition === undefined) throw new RulesError(`${what} has no condition`, 'write "- condition: ..."', place);
  return { condition, place, output: text('output'), count: text('count'), by: values.has('by') ? namesOf(item, values.get('by')) : undefined };
}

/** `what` names the rule in errors. Undefined: it is a rule of one event. @throws RulesError */
export function readSequence(item: RulesItem, what: string): SequenceSource | undefined {
  const { yaml, values, place } = item;
  const node = values.get('sequence');
  if (node === undefined) {
    const stray = SEQUENCE_KEYS.find((key) => values.has(key));
    if (stray === undefined) return undefined;
    throw new RulesError(`${what} has "${stray}" and no sequence`, 'write "sequence:" with a condition for each step', yaml.placeOf(values.get(stray)));
  }
  if (values.has('condition')) throw new RulesError(`${what} has a condition and a sequence`, 'write the condition as a step', yaml.placeOf(values.get('condition')));
  const steps = yaml.sequence(node, `the sequence of ${what}`).map((step, index) => readStep(yaml.map(step, 'a step of a sequence'), `step ${index + 1} of ${what}`));
  if (steps.length === 0 || steps.length > MOST_SEQUENCE_STEPS) throw new RulesError(`${what} has ${steps.length} steps`, `write 2 to ${MOST_SEQUENCE_STEPS}`, place);
  for (const key of ['by', 'within']) if (!values.has(key)) throw new RulesError(`${what} has a sequence and no "${key}"`, key === 'by' ? 'write what its events have in common: "by: proc.tree", proc, container or fields' : 'write the longest time from its first step to its last: "within: 10s"', place);
  const without = values.get('without');
  const withoutStep = (): StepSource => (yaml.isSequence(without) || !isText(item, without) ? readStep(yaml.map(without, 'without'), `without of ${what}`) : { condition: yaml.text(without, `without of ${what}`), output: undefined, count: undefined, by: undefined, place });
  return { steps, place, by: namesOf(item, values.get('by')), within: yaml.text(values.get('within'), `within of ${what}`), without: without === undefined ? undefined : withoutStep() };
}

function isText({ yaml }: RulesItem, node: unknown): boolean {
  try {
    yaml.text(node, '');
    return true;
  } catch (error) {
    if (error instanceof RulesError) return false;
    throw error;
  }
}
