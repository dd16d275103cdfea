/** Judges a configuration: which items are so, which paths are open and what cuts them, which controls of the standards fail. */
import type { Severity } from '../findings/index.ts';
import { SEVERITIES } from '../findings/index.ts';
import { applyChange } from './change.ts';
import type { Change } from './change.ts';
import type { HostFacts } from './host-facts.ts';
import { ITEMS, evidenceOf, itemOf } from './items.ts';
import type { Item } from './item.ts';
import type { Configuration } from './model.ts';
import type { AttackPath, ConditionState, Platform, Verdict } from './path.ts';
import { PATHS } from './paths.ts';
import { CONTROLS } from './standards.ts';
import type { Control } from './standards.ts';

export interface JudgedCondition {
  readonly text: string;
  readonly state: ConditionState;
  /** Items of this configuration that it is. */
  readonly items: readonly string[];
}

export interface JudgedPath {
  readonly path: AttackPath;
  /** `open`: nothing is missing. `depends`: nothing is missing, but something is not known. `closed`: something is missing, or the engine has no such path. */
  readonly state: 'open' | 'depends' | 'closed';
  readonly conditions: readonly JudgedCondition[];
  /** On the engine that the configuration is for. */
  readonly severity: Severity;
  /** Of an engine that it does not work on: why. */
  readonly verdict: Verdict | undefined;
  /** The smallest set of changes that closes it; undefined where none is known. */
  readonly cut: readonly Change[] | undefined;
}

export interface JudgedItem {
  readonly item: Item;
  readonly evidence: readonly string[];
  /** Paths that are open by it. */
  readonly paths: readonly string[];
}

export interface JudgedControl {
  readonly control: Control;
  readonly result: 'pass' | 'fail' | 'unshown';
  /** Why, in words. */
  readonly why: string;
}

export interface Judgement {
  readonly configuration: Configuration;
  readonly platform: Platform;
  readonly items: readonly JudgedItem[];
  readonly paths: readonly JudgedPath[];
  readonly controls: readonly JudgedControl[];
}

/** How much of what a program can do goes with a change; the sum decides which set is the smallest. */
const COSTS: Readonly<Partial<Record<Change['kind'], number>>> = {
  'default-seccomp': 1, 'default-apparmor': 1, 'default-selinux': 1, 'mask-paths': 1, 'no-new-privileges': 1, 'bound-memory': 1, 'bound-pids': 1, 'bound-cpu': 1, 'plain-directory': 1, 'local-port': 1, 'no-token': 1, 'private-mount': 1,
  'read-only-mount': 2, 'remove-capability': 3, 'remove-sysctl': 2, 'remove-device-rules': 3, 'remove-variable': 3, 'own-namespace': 4, 'remove-device': 4, 'remove-mount': 5, 'set-user': 10, 'unprivileged': 6,
};
const DEFAULT_COST = 4;
/** Mapping users is a setting of the whole daemon for Docker. */
const COST_OF_USERS = 9;

export function costOf(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + (change.kind === 'own-namespace' && change.namespace === 'user' ? COST_OF_USERS : COSTS[change.kind] ?? DEFAULT_COST), 0);
}

export function withChanges(configuration: Configuration, changes: readonly Change[]): Configuration {
  return changes.reduce(applyChange, configuration);
}

export function platformOf({ engine, runtime }: Configuration): Platform {
  if (engine === 'caisson') return 'caisson';
  return /runsc|gvisor/i.test(runtime) ? 'gvisor' : 'docker';
}

function stateOf(path: AttackPath, configuration: Configuration, facts: HostFacts): 'open' | 'depends' | 'closed' {
  let isUnknown = false;
  for (const condition of path.conditions(configuration)) {
    const state = condition.state(configuration, facts);
    // What only the host could tell, and nobody told, is not guessed for bugs of its programs.
    if (state === 'missing' || (state === 'unknown' && path.needsFacts === true && condition.items.length === 0)) return 'closed';
    isUnknown ||= state === 'unknown';
  }
  return isUnknown ? 'depends' : 'open';
}

function lower(severity: Severity): Severity {
  return SEVERITIES[Math.max(SEVERITIES.indexOf(severity) - 1, 0)] ?? severity;
}

/** The smallest set of changes that closes a path, tried on the model. */
export function cutsOf(path: AttackPath, configuration: Configuration, facts: HostFacts): readonly (readonly Change[])[] {
  const sets = path.conditions(configuration).flatMap((condition) => condition.cuts(configuration)).filter((changes) => changes.length > 0);
  return sets.filter((changes) => stateOf(path, withChanges(configuration, changes), facts) === 'closed').sort((one, other) => costOf(one) - costOf(other));
}

function isSo(id: string, configuration: Configuration): boolean {
  const item = itemOf(id);
  return item !== undefined && (evidenceOf(item, configuration) ?? []).length > 0;
}

/** Those that an image has whatever it is run with. */
const IMAGE_PATHS: ReadonlySet<string> = new Set(['secrets-in-environment']);

function judgePath(path: AttackPath, configuration: Configuration, facts: HostFacts, platform: Platform): JudgedPath {
  const conditions = path.conditions(configuration).map((condition): JudgedCondition => ({
    text: condition.text, state: condition.state(configuration, facts), items: condition.items.filter((id) => isSo(id, configuration)),
  }));
  const there = stateOf(path, configuration, facts);
  const verdict = platform === 'docker' ? undefined : path[platform];
  const state = verdict?.open === false ? 'closed' : there;
  const full = verdict?.open === true ? verdict.severity : path.severity;
  return { path, state, conditions, severity: state === 'depends' ? lower(full) : full, verdict: there === 'closed' ? undefined : verdict, cut: there === 'closed' ? undefined : cutsOf(path, configuration, facts)[0] };
}

function judgeControl(control: Control, configuration: Configuration): JudgedControl {
  if (control.items.length === 0) return { control, result: 'unshown', why: control.unshown ?? '' };
  const found = control.items.map((id) => {
    const item = itemOf(id);
    return item === undefined ? undefined : evidenceOf(item, configuration);
  });
  const evidence = found.flatMap((one) => one ?? []);
  if (evidence.length > 0) return { control, result: 'fail', why: evidence.join('; ') };
  return found.every((one) => one === undefined) ? { control, result: 'unshown', why: control.unshown ?? 'this kind of input does not say' } : { control, result: 'pass', why: '' };
}

/** `platform`: the engine that it is judged for; by default the one that the configuration is written for. */
export function judge(configuration: Configuration, facts: HostFacts, platform: Platform = platformOf(configuration)): Judgement {
  const paths = PATHS.filter(({ id }) => configuration.kind !== 'image' || IMAGE_PATHS.has(id)).map((path) => judgePath(path, configuration, facts, platform));
  const opening = (id: string): readonly string[] => paths.filter(({ state, conditions }) => state !== 'closed' && conditions.some(({ items }) => items.includes(id))).map(({ path }) => path.id);
  const items = ITEMS.flatMap((item): readonly JudgedItem[] => {
    const evidence = evidenceOf(item, configuration) ?? [];
    return evidence.length === 0 ? [] : [{ item, evidence, paths: opening(item.id) }];
  });
  return { configuration, platform, items, paths, controls: CONTROLS.map((control) => judgeControl(control, configuration)) };
}

/** From the worst on. */
export function openPaths({ paths }: Judgement): readonly JudgedPath[] {
  return paths.filter(({ state }) => state !== 'closed').sort((one, other) => SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity) || (one.state === other.state ? 0 : one.state === 'open' ? -1 : 1));
}

/** Paths that the same change cuts are one cause for alarm: the worst of them stands for the others. */
export interface PathGroup {
  readonly lead: JudgedPath;
  readonly also: readonly JudgedPath[];
}

export function groupPaths(paths: readonly JudgedPath[]): readonly PathGroup[] {
  const groups = new Map<string, { readonly lead: JudgedPath; readonly also: JudgedPath[] }>();
  for (const judged of paths) {
    const key = judged.cut === undefined ? `path ${judged.path.id}` : JSON.stringify(judged.cut);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { lead: judged, also: [] });
    else group.also.push(judged);
  }
  return [...groups.values()];
}
