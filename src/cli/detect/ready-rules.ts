/** The rules of `--rules`, and what `--on-rule` makes of them. */
import { RulesError, actionsOf, readRuleFiles } from '../../detect/index.ts';
import type { Action, RuleSet } from '../../detect/index.ts';
import type { WatchRecord } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';

/** What is wrong with rules, for their user. */
export function asUserError(error: unknown, what: string): unknown {
  if (!(error instanceof RulesError)) return error;
  return new UserError(`cannot ${what}: ${error.message}`, error.hint, undefined, { cause: error });
}

export interface ReadyRules extends RuleSet {
  readonly actions: ReadonlyMap<string, Action>;
}

function withActions(set: RuleSet, onRule: readonly string[]): ReadyRules {
  try {
    return { ...set, actions: actionsOf(set.rules, onRule) };
  } catch (error) {
    throw asUserError(error, 'use --on-rule');
  }
}

/** @throws UserError */
export async function readyRules({ rules: files, onRule }: Pick<WatchRecord, 'rules' | 'onRule'>): Promise<ReadyRules> {
  let set: RuleSet;
  try {
    set = await readRuleFiles(files);
  } catch (error) {
    throw asUserError(error, 'use the rules');
  }
  return withActions(set, onRule);
}
