/** Sets of rules by name and text. YAML is loaded where there is some. */
import { DEFAULT_ITEMS } from './default-rules.ts';
import { SEQUENCE_ITEMS } from './default-sequences.ts';
import type { ItemReader } from './rules/items.ts';
import { PlainRules } from './rules/plain.ts';
import { readRules } from './rules/rule-set.ts';
import type { RuleSet } from './rules/rule-set.ts';

export interface RulesFile {
  /** For errors. */
  readonly name: string;
  /** Absent: the set of our own of that name. */
  readonly text?: string | undefined;
}

export function defaultRules(): ItemReader {
  return new PlainRules('default', DEFAULT_ITEMS);
}

/** Sets of our own, by name. */
export const OWN_SETS = ['default', 'sequences'] as const;

function ownSet(name: string): ItemReader {
  return name === 'sequences' ? new PlainRules(name, SEQUENCE_ITEMS) : defaultRules();
}

/** Files in their order: later ones change what earlier ones have. @throws RulesError */
export async function readRuleFiles(files: readonly RulesFile[]): Promise<RuleSet> {
  const readers: ItemReader[] = [];
  for (const { name, text } of files) readers.push(text === undefined ? ownSet(name) : new (await import('./yaml-rules.ts')).RulesYaml(name, text));
  return readRules(readers);
}
