/** Judges texts, for tests. */
import { readFileSync } from 'node:fs';
import { judge } from '../../src/audit/evaluate.ts';
import type { Judgement } from '../../src/audit/evaluate.ts';
import { NO_FACTS, withFact } from '../../src/audit/host-facts.ts';
import type { HostFacts } from '../../src/audit/host-facts.ts';
import type { AuditInput } from '../../src/audit/input.ts';
import { ITEMS, evidenceOf } from '../../src/audit/items.ts';
import { readInput } from '../../src/audit/read.ts';
import { quoteWord } from '../../src/audit/shell-words.ts';

/** `runc=1.1.11 cgroup=1` */
export function factsOf(text = ''): HostFacts {
  return text.split(' ').filter((word) => word !== '').reduce(withFact, NO_FACTS);
}

/** Items, and paths as `path-...`, that are so in one of its containers. */
export function rulesOf(text: string, facts: HostFacts = NO_FACTS): ReadonlySet<string> {
  return new Set(readInput(text).configurations.flatMap((configuration) => {
    const { items, paths } = judge(configuration, facts);
    return [...items.map(({ item }) => item.id), ...paths.filter(({ state }) => state !== 'closed').map(({ path }) => `path-${path.id}`)];
  }));
}

export function judgementsOf(input: AuditInput, facts: HostFacts = NO_FACTS): readonly Judgement[] {
  return input.configurations.map((configuration) => judge(configuration, facts));
}

/** What a container shows of each item; items that this kind of input does not show are left out. */
export function shownItems(text: string): ReadonlyMap<string, boolean> {
  const [configuration] = readInput(text).configurations;
  if (configuration === undefined) throw new Error('there is no container in it');
  return new Map(ITEMS.flatMap((item) => {
    const evidence = evidenceOf(item, configuration);
    return evidence === undefined ? [] : [[item.id, evidence.length > 0] as const];
  }));
}

export interface Recorded {
  readonly name: string;
  readonly flags: readonly string[];
  readonly image: string;
  readonly dockerRequest: unknown;
  readonly podmanInspect: unknown;
  readonly dockerInspect: unknown;
  readonly bundle: unknown;
  readonly kubernetes?: string;
}

/** What `record.ts` made. */
export const RECORDED = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as readonly Recorded[];

export function commandLine(engine: string, { flags, image }: Recorded): string {
  return `${[engine, 'run', ...flags, image, 'sh'].map(quoteWord).join(' ')}\n`;
}
