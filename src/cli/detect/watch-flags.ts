/** The flags of `do`, `run` and `create` that watch what a container does. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WatchRecord } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import type { Flag, FlagValues } from '../flags.ts';
import { need, oneOf } from '../option-values.ts';
import { parseCount } from '../quantities.ts';
import { parseDestination } from './sinks/sink.ts';

const WATCHING = 'Watching';

export const RULES_FLAG: Flag = { group: WATCHING, name: 'rules', kind: 'string', multiple: true, placeholder: 'FILE|default|sequences', help: 'alert by the rules of a file, as Falco has them, or by our own' };
export const ON_RULE_FLAG: Flag = { group: WATCHING, name: 'on-rule', kind: 'string', multiple: true, placeholder: '[RULE|PRIORITY=]ACTION', help: 'what a rule does beside that: deny[:ERRNO], kill, pause, record (the stream from there on), or only alert' };
export const ALERT_RATE_FLAG: Flag = { group: WATCHING, name: 'alert-rate', kind: 'string', placeholder: 'N', help: 'alerts a second of each rule, and no more; the next says how many were left out (default: all)' };

export const LEARN_FLAG: Flag = { group: WATCHING, name: 'learn', kind: 'string', placeholder: 'FILE', help: 'write a profile of what its programs do, or add to one: programs, files, addresses, calls' };
export const PROFILE_FLAG: Flag = { group: WATCHING, name: 'profile', kind: 'string', placeholder: 'FILE', help: 'refuse what is not in a profile, before it happens' };

export const WATCH_FLAGS: readonly Flag[] = [
  { group: WATCHING, name: 'events', kind: 'string', placeholder: 'TO', help: 'write what its programs do, a line of JSON for each call: to a file, - (standard error), unix:PATH, tcp:HOST:PORT or a webhook (https://...)' },
  RULES_FLAG, ON_RULE_FLAG,
  { group: WATCHING, name: 'alerts', kind: 'string', placeholder: 'TO', help: 'write alerts there, a line of JSON for each (default: standard error, as text)' },
  { group: WATCHING, name: 'event-format', kind: 'string', placeholder: 'json|ocsf', help: 'of both: our own, or OCSF 1.3 (default: json)' },
  ALERT_RATE_FLAG,
  LEARN_FLAG, PROFILE_FLAG,
  { group: WATCHING, name: 'profile-mode', kind: 'string', placeholder: 'enforce|complain', help: 'refuse what is not in the profile, or only tell of it (default: enforce)' },
  { group: WATCHING, name: 'record-use', kind: 'string', placeholder: 'FILE', help: 'write which files were opened, mapped and executed, for "caisson scan --used"' },
];

export const DEFAULT_SET = 'default';
/** As the room of rules has them, which is not loaded for their names. */
const OWN_SETS: readonly string[] = [DEFAULT_SET, 'sequences'];
/** Of a rules file; a larger one is refused before it is read. */
const MOST_FILE_BYTES = 4 << 20;
const MOST_PROFILE_BYTES = 8 << 20;

/** A file of rules, or the set of our own, whose text is added later. @throws UserError */
function readRulesFile(name: string): { readonly name: string; readonly text: string | undefined } {
  if (OWN_SETS.includes(name)) return { name, text: undefined };
  try {
    if (statSync(name).size > MOST_FILE_BYTES) throw new Error(`it has more than ${MOST_FILE_BYTES >> 20} MB`);
    return { name, text: readFileSync(name, 'utf8') };
  } catch (error) {
    throw new UserError(`cannot read the rules in "${name}": ${(error as Error).message}`, 'check --rules; "--rules default" and "--rules sequences" are our own', undefined, { cause: error });
  }
}

/** @throws UserError */
export function profileOf(values: FlagValues): WatchRecord['profile'] {
  const name = values.last('profile');
  const mode = values.last('profile-mode') ?? 'enforce';
  if (mode !== 'enforce' && mode !== 'complain') throw new UserError(`cannot use --profile-mode ${mode}: it is enforce or complain`, 'write one of them');
  if (name === undefined && values.has('profile-mode')) throw new UserError('cannot use --profile-mode without a profile', 'add --profile FILE');
  if (name === undefined) return undefined;
  try {
    if (statSync(name).size > MOST_PROFILE_BYTES) throw new Error(`it has more than ${MOST_PROFILE_BYTES >> 20} MB`);
    return { name, text: readFileSync(name, 'utf8'), mode };
  } catch (error) {
    throw new UserError(`cannot read the profile "${name}": ${(error as Error).message}`, 'check --profile; --learn writes one', undefined, { cause: error });
  }
}

export function ruleFiles(values: FlagValues): readonly { readonly name: string; readonly text: string | undefined }[] {
  return values.all('rules').map(readRulesFile);
}

export function alertRate(values: FlagValues): number | undefined {
  const text = values.last('alert-rate');
  return text === undefined ? undefined : need(parseCount(text) || undefined, 'alert-rate', text, 'it is not a number of 1 or more');
}

/** Undefined: nobody watches. Paths are absolute. @throws UserError */
export function watchRecord(values: FlagValues): WatchRecord | undefined {
  const path = (flag: string): string | undefined => {
    const text = values.last(flag);
    if (text === '') throw new UserError(`cannot use --${flag} without a file`, `write --${flag} FILE`);
    return text === undefined || text === '-' || ((flag === 'events' || flag === 'alerts') && parseDestination(text, flag).kind !== 'file') ? text : resolve(text);
  };
  const [events, alerts, use, learn] = [path('events'), path('alerts'), path('record-use'), path('learn')];
  const profile = profileOf(values);
  const named = ruleFiles(values);
  const format = oneOf(values, 'event-format', ['json', 'ocsf']);
  const wantsRules = values.has('on-rule') || (profile === undefined && ['alerts', 'alert-rate'].some((flag) => values.has(flag)));
  const rules = named.length === 0 && wantsRules ? [readRulesFile(DEFAULT_SET)] : named;
  if ([events, use, learn, profile].every((each) => each === undefined) && rules.length === 0) return undefined;
  const rate = alertRate(values);
  return {
    rules: rules.map(({ name, text }) => ({ name, ...(text === undefined ? {} : { text }) })), onRule: values.all('on-rule'),
    ...(events === undefined ? {} : { events }), ...(alerts === undefined ? {} : { alerts }), ...(use === undefined ? {} : { use }), ...(format === 'ocsf' ? { format } : {}), ...(rate === undefined ? {} : { alertRate: rate }), ...(learn === undefined ? {} : { learn }), ...(profile === undefined ? {} : { profile }),
  };
}
