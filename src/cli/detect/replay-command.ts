/** `events --replay FILE`: a recorded stream before rules; `events --list-rules`: what a set has. */
import { createReadStream, openSync } from 'node:fs';
import { ProfileGuard, replay } from '../../detect/index.ts';
import type { Rule } from '../../detect/index.ts';
import { UserError, printable } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { asUserError, readyRules } from './ready-rules.ts';
import type { ReadyRules } from './ready-rules.ts';
import { parseProfile } from './profile-files.ts';
import { alertRate, DEFAULT_SET, profileOf, ruleFiles } from './watch-flags.ts';
import { alertJson, alertText, droppedText, refusedText } from './watching.ts';

const MOST_LINE = 1 << 20;

/** Lines of a file, each of a bounded length. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  const handle = openSync(path, 'r');
  for await (const chunk of createReadStream('', { fd: handle, encoding: 'utf8', highWaterMark: 1 << 18 })) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MOST_LINE) throw new UserError(`cannot replay "${path}": a line has more than ${MOST_LINE >> 20} MB`, 'give a file that "--events FILE" has written');
    yield* lines;
  }
  if (rest !== '') yield rest;
}

export async function rulesOf(values: FlagValues): Promise<ReadyRules> {
  const files = ruleFiles(values);
  const named = files.length === 0 && !values.has('profile') ? [{ name: DEFAULT_SET, text: undefined }] : files;
  const ready = await readyRules({ rules: named.map(({ name, text }) => ({ name, ...(text === undefined ? {} : { text }) })), onRule: values.all('on-rule') });
  for (const warning of ready.warnings) process.stderr.write(`caisson: ${printable(warning)}\n`);
  return ready;
}

function isJson(values: FlagValues): boolean {
  const format = values.last('format');
  if (format !== undefined && format !== 'json') throw new UserError(`cannot show alerts as "${format}"`, 'write --format json, or leave it out');
  return format === 'json';
}

function ruleJson({ name, priority, description, tags, condition, conditionText, action }: Rule): string {
  return JSON.stringify({ rule: name, priority, description, condition: conditionText, tags, calls: [...condition.calls].sort(), action: action?.kind ?? 'alert' });
}

export async function listRules(values: FlagValues): Promise<number> {
  const asJson = isJson(values);
  for (const rule of (await rulesOf(values)).rules) process.stdout.write(`${asJson ? ruleJson(rule) : printable(`${rule.priority.padEnd(13)} ${rule.name}`)}\n`);
  return 0;
}

/** What went wrong with a recorded stream, for its user. */
export function replayError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && !(error instanceof UserError)) return new UserError(`cannot read "${path}": ${message}`, 'check --replay', undefined, { cause: error });
  return asUserError(error, 'replay the stream');
}

/** @throws UserError */
export async function replayEvents(values: FlagValues, path: string): Promise<number> {
  const { rules, actions } = await rulesOf(values);
  const asJson = isJson(values);
  const profile = profileOf(values);
  const guard = profile === undefined ? undefined : new ProfileGuard(parseProfile(profile.name, profile.text), profile.mode);
  const rate = alertRate(values);
  try {
    const { events, fired, leftOut, droppedSequences } = await replay(path, linesOf(path), {
      rules, actions, guard, ...(rate === undefined ? {} : { alertsPerSecond: rate }),
      onAlert: (alert) => {
        process.stdout.write(`${asJson ? alertJson(alert) : alertText(alert)}\n`);
        return true;
      },
    });
    const total = [...fired.values()].reduce((sum, count) => sum + count, 0);
    process.stderr.write(`${events} events, ${total} alerts${leftOut === 0 ? '' : `, ${leftOut} left out`}\n`);
    if (droppedSequences > 0) process.stderr.write(`${droppedText(droppedSequences)}\n`);
    if (guard !== undefined && guard.refused > 0) process.stderr.write(`${refusedText(guard, profile!.name)}\n`);
    return 0;
  } catch (error) {
    throw replayError(error, path);
  }
}
