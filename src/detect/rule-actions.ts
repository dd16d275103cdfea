/** Which rules do what, as users say it: `deny`, `critical=kill`, `Terminal shell in container=deny:EACCES`. */
import { parseAction } from './actions.ts';
import type { Action } from './actions.ts';
import { ConditionError, RulesError } from './errors.ts';
import { findRule } from './rules/rule-set.ts';
import type { Rule } from './rules/rule-set.ts';
import { PRIORITIES } from './rules/sources.ts';

function actionOf(text: string, flag: string): Action {
  try {
    return parseAction(text);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    throw new RulesError(`"${flag}": ${error.message}`, error.hint);
  }
}

/** Which of the rules a word in front of `=` means: a priority and all above it, or one rule. */
function meant(rules: readonly Rule[], word: string): readonly Rule[] {
  const lower = word.toLowerCase() === 'info' ? 'informational' : word.toLowerCase();
  const least = PRIORITIES.findIndex((priority) => priority.toLowerCase() === lower);
  if (least < 0) return [findRule(rules, word)];
  return rules.filter(({ priority }) => PRIORITIES.indexOf(priority) <= least);
}

/** The most particular wins: a rule's name, then a priority, then all. @throws RulesError */
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

/** Whether any rule does this. */
export function hasAction(rules: readonly Rule[], actions: ReadonlyMap<string, Action>, kind: Action['kind']): boolean {
  return rules.some(({ name, action }) => (actions.get(name) ?? action)?.kind === kind);
}
