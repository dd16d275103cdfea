/** Files of rules become rules that can be asked. */
import { nearest } from '../../image/nearest.ts';
import { parseAction } from '../actions.ts';
import type { Action } from '../actions.ts';
import type { Condition } from '../condition/ast.ts';
import { compileCondition } from '../condition/compile.ts';
import type { Compiled, Scope } from '../condition/compile.ts';
import { parseCondition } from '../condition/parser.ts';
import { RulesError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { MOST_NESTING } from '../limits.ts';
import { exceptionCondition } from './exceptions.ts';
import { compileSequence } from '../sequences/compile.ts';
import type { Sequence } from '../sequences/sequence.ts';
import { located } from './located.ts';
import { compileOutput } from './output.ts';
import type { Output } from './output.ts';
import type { ItemReader } from './items.ts';
import { RuleSources } from './sources.ts';
import type { Pieces, Priority, RuleSource } from './sources.ts';

export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly priority: Priority;
  readonly tags: readonly string[];
  /** Of a sequence: of its last step. */
  readonly condition: Compiled;
  readonly sequence: Sequence | undefined;
  /** As it was written, without exceptions and with macros as names. */
  readonly conditionText: string;
  /** One that is true keeps it quiet. */
  readonly exceptions: readonly Compiled[];
  readonly output: Output;
  /** As its file says; undefined: it alerts. */
  readonly action: Action | undefined;
}

export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly warnings: readonly string[];
}

class Names implements Scope {
  readonly #sources: RuleSources;
  readonly #macros = new Map<string, Compiled>();
  /** Macros that are being compiled, outermost first. */
  readonly #open: string[] = [];

  constructor(sources: RuleSources) {
    this.#sources = sources;
  }

  macroNames = (): readonly string[] => [...this.#sources.macros.keys()];

  macro(name: string): Compiled | undefined {
    const known = this.#macros.get(name);
    const pieces = this.#sources.macros.get(name);
    if (known !== undefined || pieces === undefined) return known;
    if (this.#open.includes(name)) throw new RulesError(`the macro ${name} contains itself: ${[...this.#open, name].join(', ')}`, 'take it out of one of them', pieces.place(0));
    if (this.#open.length >= MOST_NESTING) throw new RulesError(`macros contain each other more than ${MOST_NESTING} deep`, 'make them flatter', pieces.place(0));
    this.#open.push(name);
    const compiled = located(`the macro ${name}`, (offset) => pieces.place(offset), () => compileCondition(parseCondition(pieces.text), this));
    this.#open.pop();
    this.#macros.set(name, compiled);
    return compiled;
  }

  list(name: string): readonly string[] | undefined {
    return this.#sources.lists.get(name) === undefined ? undefined : this.#items(name, new Set());
  }

  /** Items that are names of lists stand for what is in those. */
  #items(name: string, open: Set<string>): readonly string[] {
    if (open.has(name)) throw new RulesError(`the list ${name} contains itself`, 'take it out', this.#sources.listPlaces.get(name));
    open.add(name);
    const items = this.#sources.lists.get(name)!.flatMap((item) => (this.#sources.lists.has(item) && item !== name ? this.#items(item, open) : [item]));
    open.delete(name);
    return items;
  }
}

function conditionOf({ condition, exceptions, name }: RuleSource, names: Names): Pick<Rule, 'condition' | 'exceptions'> {
  const what = `the rule "${name}"`;
  const own = located(what, (offset) => condition.place(offset), () => compileCondition(parseCondition(condition.text), names));
  const quiet = exceptions.flatMap((exception) => {
    const tree: Condition | undefined = exceptionCondition(exception);
    return tree === undefined ? [] : [located(`the exception ${exception.name} of ${what}`, () => exception.place, () => compileCondition(tree, names))];
  });
  return { condition: own, exceptions: quiet };
}

/** `a, then b within 10s`, as it was written. */
function textOf({ condition, sequence }: RuleSource): string {
  const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
  if (sequence === undefined) return plain(condition.text);
  const texts = [...sequence.steps.slice(0, -1).map((step) => step.condition.text), condition.text].map((text, index) => `${plain(text)}${sequence.steps[index]?.count === undefined ? '' : ` (${sequence.steps[index].count.text} times)`}`);
  return `${texts.join(', then ')}, within ${sequence.within.text}, by ${sequence.by.join(', ')}${sequence.without === undefined ? '' : `, without ${plain(sequence.without.condition.text)}`}`;
}

function ruleOf(source: RuleSource, names: Names, warnings: string[]): Rule | undefined {
  const { name, description, priority, tags, output, action } = source;
  const place = (pieces: Pieces) => (offset: number): Place => pieces.place(offset);
  try {
    const conditions = conditionOf(source, names);
    const sequence = source.sequence === undefined ? undefined : compileSequence(source.sequence, conditions.condition, names, `the rule "${name}"`);
    if (conditions.condition.calls.size === 0) warnings.push(`the rule "${name}" cannot fire: no call that it names is in the stream`);
    return {
      name, description, priority, tags, ...conditions, sequence, conditionText: textOf(source),
      output: located(`the output of the rule "${name}"`, place(output), () => compileOutput(output.text)),
      action: action === undefined ? undefined : located(`the action of the rule "${name}"`, (offset) => action.place(offset), () => parseAction(action.text.trim())),
    };
  } catch (error) {
    if (!(error instanceof RulesError) || !source.skipsUnknown) throw error;
    warnings.push(`the rule "${name}" is left out: ${error.message}`);
    return undefined;
  }
}

/** Files in their order: later ones change what earlier ones have. @throws RulesError */
export function readRules(files: readonly ItemReader[]): RuleSet {
  const sources = new RuleSources();
  for (const file of files) sources.add(file);
  const names = new Names(sources);
  const warnings = [...sources.warnings];
  const rules = [...sources.rules.values()].filter(({ isEnabled }) => isEnabled).flatMap((source) => ruleOf(source, names, warnings) ?? []);
  return { rules, warnings };
}

/** The rule of a name, or what to do. @throws RulesError */
export function findRule(rules: readonly Rule[], name: string): Rule {
  const found = rules.find((rule) => rule.name === name);
  if (found !== undefined) return found;
  const guess = nearest(name, rules.map((rule) => rule.name));
  throw new RulesError(`there is no rule "${name}"`, guess === undefined ? 'caisson events --list-rules shows all' : `did you mean "${guess}"?`);
}
