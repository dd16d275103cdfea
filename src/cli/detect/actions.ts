/** `--on-rule`: which rules do what. */
import { ConditionError, DEFAULT_RULES, PRIORITIES, RulesError, findRule, parseAction, readRules } from '../../detect/index.ts';
import type { Action, Rule, RuleSet } from '../../detect/index.ts';
import type { WatchRecord } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';

/** What is wrong with rules, for their user. */
export function asUserError(error: unknown, what: string): unknown {
  if (!(error instanceof RulesError)) return error;
  return new UserError(`cannot ${what}: ${error.message}`, error.hint, undefined, { cause: error });
}

function actionOf(text: string, flag: string): Action {
  try {
    return parseAction(text);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    throw new UserError(`cannot use --on-rule ${flag}: ${error.message}`, error.hint, undefined, { cause: error });
  }
}

/** Which of the rules a word in front of `=` means: a priority and all above it, or one rule. */
function meant(rules: readonly Rule[], word: string): readonly Rule[] {
  const lower = word.toLowerCase() === 'info' ? 'informational' : word.toLowerCase();
  const least = PRIORITIES.findIndex((priority) => priority.toLowerCase() === lower);
  if (least < 0) return [findRule(rules, word)];
  return rules.filter(({ priority }) => PRIORITIES.indexOf(priority) <= least);
}

/** The most particular wins: a rule's name, then a priority, then all. @throws UserError, RulesError */
export function actionsOf(rules: readonly Rule[], onRule: readonly string[]): ReadonlyMap<string, Action> {
  const found = new Map<string, Action>();
  const parsed = onRule.map((flag) => {
    const equals = flag.lastIndexOf('=');
    const word = equals < 0 ? undefined : flag.slice(0, equals).trim();
    const of = word === undefined ? rules : meant(rules, word);
    return { action: actionOf(flag.slice(equals + 1).trim(), flag), of, rank: word === undefined ? 0 : of.length === 1 && of[0]!.name === word ? 2 : 1 };
  });
  for (const { action, of } of parsed.sort((one, other) => one.rank - other.rank)) for (const { name } of of) found.set(name, action);
  return found;
}

export interface ReadyRules extends RuleSet {
  readonly actions: ReadonlyMap<string, Action>;
}

/** @throws UserError */
export function readyRules({ rules: files, onRule }: Pick<WatchRecord, 'rules' | 'onRule'>): ReadyRules {
  try {
    const set = readRules(files.map(({ name, text }) => ({ name, text: text ?? DEFAULT_RULES })));
    return { ...set, actions: actionsOf(set.rules, onRule) };
  } catch (error) {
    throw asUserError(error, 'use the rules');
  }
}

/** Whether any rule does this. */
export function hasAction({ rules, actions }: ReadyRules, kind: Action['kind']): boolean {
  return rules.some(({ name, action }) => (actions.get(name) ?? action)?.kind === kind);
}
