/** `events`: what has happened to containers, volumes and networks, and what happens now. */
import type { Containers, LifeEvent } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { hasLabel } from './container-facts.ts';
import { EVENTS } from './container-live-specs.ts';
import { timeOf } from './container-logs.ts';
import { EXIT_FAILED, withContainers } from './container-store.ts';
import { UserError, printable } from '../errors.ts';
import { nearest } from '../flags.ts';
import { compileTemplate } from '../template.ts';
import type { TemplateValue } from '../template.ts';

const PAUSE_MS = 100;

type Accepts = (event: LifeEvent) => boolean;

const FILTERS: ReadonlyMap<string, (value: string) => Accepts> = new Map<string, (value: string) => Accepts>([
  ['container', (value) => ({ type, id, attributes }) => type === 'container' && (id.startsWith(value) || attributes['name'] === value.replace(/^\//, ''))],
  // What comes behind a colon is a detail: "health_status: healthy".
  ['event', (value) => ({ action }) => action === value || action.startsWith(`${value}:`)],
  ['image', (value) => ({ attributes }) => attributes['image'] === value || attributes['image']?.replace(/:[^:/]+$/, '') === value],
  ['label', (value) => ({ attributes }) => hasLabel(attributes, value)],
  ['type', (value) => ({ type }) => type === value],
  ['volume', (value) => ({ type, id }) => type === 'volume' && id === value],
  ['network', (value) => ({ type, id, attributes }) => type === 'network' && (id.startsWith(value) || attributes['name'] === value)],
  ['scope', (value) => () => value === 'local'],
]);

/** One of several values of a key must fit, and one of each key. */
function filterOf(texts: readonly string[]): Accepts {
  const byKey = new Map<string, Accepts[]>();
  for (const text of texts) {
    const [, key = text, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    const filter = FILTERS.get(key);
    if (filter === undefined || value === undefined) {
      const guess = nearest(key, [...FILTERS.keys()]);
      throw new UserError(`invalid filter '${text}'`, guess === undefined || guess === key ? `it is KEY=VALUE, with ${[...FILTERS.keys()].join(', ')}` : `did you mean ${guess}?`, EXIT_FAILED);
    }
    byKey.set(key, [...(byKey.get(key) ?? []), filter(value)]);
  }
  return (event) => [...byKey.values()].every((filters) => filters.some((filter) => filter(event)));
}

/** RFC 3339 with nine digits, as Docker's. */
function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.(\d{3})Z$/, '.$1000000Z');
}

function line({ type, action, id, attributes, timeMs }: LifeEvent): string {
  const details = Object.entries(attributes).sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  // Labels are an image's, and command lines anybody's.
  return printable(`${timeText(timeMs)} ${type} ${action} ${id}${details.length === 0 ? '' : ` (${details.join(', ')})`}`);
}

/** Fields of Docker's API. */
function fieldsOf({ type, action, id, attributes, timeMs }: LifeEvent): { readonly [key: string]: TemplateValue } {
  return {
    ...(type === 'container' ? { status: action, id, from: attributes['image'] ?? '' } : {}), Type: type, Action: action, Actor: { ID: id, Attributes: attributes }, scope: 'local', time: Math.floor(timeMs / 1000), timeNano: timeMs * 1e6,
  };
}

function formatOf(format: string | undefined): (event: LifeEvent) => string {
  if (format === undefined) return line;
  const fill = compileTemplate(format);
  if (format === 'json' || /^\{\{\s*json \.\s*\}\}$/.test(format)) return (event) => fill(fieldsOf(event));
  return (event) => {
    const { status = '', id = '', from = '', scope, time, timeNano, ...rest } = fieldsOf(event);
    return fill({ ...rest, Status: status, ID: id, From: from, Scope: scope, Time: time, TimeNano: timeNano });
  };
}

async function show(containers: Containers, sinceMs: number, untilMs: number, write: (event: LifeEvent) => void): Promise<void> {
  const reader = containers.events.reader();
  const fits = ({ timeMs }: LifeEvent): boolean => timeMs >= sinceMs && timeMs <= untilMs;
  for (const event of reader.all()) if (fits(event)) write(event);
  while (Date.now() <= untilMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(PAUSE_MS, Math.max(0, untilMs - Date.now()) + 1)));
    for (const event of reader.more()) if (fits(event)) write(event);
  }
  reader.end();
}

export async function eventsCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(EVENTS, args);
  if (values === undefined) return 0;
  if (values.has('live')) return (await import('../live/live-command.ts')).liveEvents(values);
  const liveOnly = values.command.length > 0 ? `the word "${values.command[0]}"` : ['interval', 'no-stream'].filter((flag) => values.has(flag)).map((flag) => `--${flag}`)[0];
  if (liveOnly !== undefined) throw new UserError(`cannot use ${liveOnly} without --live`, 'caisson events --live CONTAINER; "--filter container=NAME" shows its life', EXIT_FAILED);
  const recorded = values.last('replay');
  const learned = values.last('learn');
  if (learned !== undefined && recorded === undefined) throw new UserError('cannot use --learn without a recorded stream', 'add --replay FILE; "caisson run --learn" learns from a container while it runs', EXIT_FAILED);
  if (learned !== undefined && recorded !== undefined) return (await import('../detect/profile-command.ts')).learnFromStream(values, recorded, learned);
  if (values.has('profile') && recorded === undefined) return (await import('../detect/profile-command.ts')).showProfile(values);
  if (recorded !== undefined) return (await import('../detect/replay-command.ts')).replayEvents(values, recorded);
  if (values.has('list-rules')) return (await import('../detect/replay-command.ts')).listRules(values);
  const ruleFlag = ['rules', 'on-rule', 'alert-rate'].find((flag) => values.has(flag));
  if (ruleFlag !== undefined) throw new UserError(`cannot use --${ruleFlag} without a recorded stream`, 'add --replay FILE; "caisson run --rules" watches a container while it runs', EXIT_FAILED);
  const accepts = filterOf(values.all('filter'));
  const text = formatOf(values.last('format'));
  const [sinceMs, untilMs] = [timeOf(values, 'since') ?? Date.now(), timeOf(values, 'until') ?? Infinity];
  return withContainers('show events', async (containers) => {
    await show(containers, sinceMs, untilMs, (event) => {
      if (accepts(event)) process.stdout.write(`${text(event)}\n`);
    });
    return 0;
  });
}
