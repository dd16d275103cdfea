/** `squat --watch`: which of the names near ours are there, and what has changed since the last time. */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Finding, Severity } from '../../findings/index.ts';
import { MOST_STATE_BYTES, SquatError, changeOf, formatSeen, parseSeen } from '../../squat/index.ts';
import type { Candidate, Change, Seen, SeenNames } from '../../squat/index.ts';
import { UserError } from '../errors.ts';
import { candidatesOf } from './squat-generate.ts';
import { Pace, lookFor } from './squat-lookup.ts';
import type { Presence } from './squat-lookup.ts';
import { countOf, linesOf, note, rateOf, squatReport } from './squat-run.ts';
import type { SquatRun } from './squat-run.ts';

const DEFAULT_MOST = 1000;
const MOST_WATCHED = 10_000;
const MOST_FILE_BYTES = 2 ** 20;
/** Registries that do not answer are not asked for ever. */
const MOST_FAILURES_IN_A_ROW = 10;
const SEVERITIES: Readonly<Record<Change, Severity>> = { new: 'high', changed: 'medium', same: 'info', gone: 'info' };
const SAID: Readonly<Record<Change, string>> = { new: 'is there, and was not before', changed: 'has another content than before', same: 'is there, as before', gone: 'is not there any more' };

function readText(file: string, most: number, what: string): string {
  try {
    if (statSync(file).size > most) throw new UserError(`cannot use ${what} "${file}": it is larger than ${most} bytes`, 'split it');
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${what} "${file}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

function readState(file: string): SeenNames {
  try {
    statSync(file);
  } catch {
    return new Map();
  }
  try {
    return parseSeen(readText(file, MOST_STATE_BYTES, 'the state'));
  } catch (error) {
    if (error instanceof SquatError) throw new UserError(`cannot use the state "${file}": ${error.message}`, error.advice, undefined, { cause: error });
    throw error;
  }
}

function writeState(file: string, seen: SeenNames): void {
  try {
    writeFileSync(`${file}.new`, formatSeen(seen));
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new UserError(`cannot write the state "${file}": ${(error as Error).message}`, 'choose another with --state', undefined, { cause: error });
  }
}

interface Watched extends Candidate {
  readonly near: string;
}

/** Each name once, without those that are ours. */
function namesToAsk(ours: readonly string[], run: SquatRun): readonly Watched[] {
  const most = countOf(run.values, 'most', DEFAULT_MOST);
  const all = new Map<string, Watched>();
  for (const near of ours) {
    const candidates = candidatesOf(near, run);
    if (candidates.length > most) note(`there are ${candidates.length} names near "${near}", and ${most} are asked for: see --most and --kind`);
    for (const candidate of candidates.slice(0, most)) if (!all.has(candidate.name)) all.set(candidate.name, { ...candidate, near });
  }
  for (const name of ours) all.delete(name);
  return [...all.values()];
}

class Watch {
  readonly #before: SeenNames;
  readonly seen: Map<string, Seen>;
  readonly findings: Finding[] = [];
  hidden = 0;
  readonly unreachable: string[] = [];

  constructor(before: SeenNames) {
    this.#before = before;
    this.seen = new Map(before);
  }

  take({ name, near, kind, part }: Watched, presence: Presence): void {
    if (presence.state === 'hidden') this.hidden++;
    if (presence.state === 'unreachable') this.unreachable.push(presence.reason);
    // What nobody tells has not changed.
    if (presence.state === 'hidden' || presence.state === 'unreachable') return;
    const before = this.#before.get(name);
    const change = changeOf(before, presence.state === 'there' ? presence : undefined);
    if (presence.state === 'there') this.seen.set(name, { digest: presence.digest, since: before?.since ?? new Date().toISOString(), near, kind });
    else this.seen.delete(name);
    if (change === undefined) return;
    const evidence = [{ name: 'change', value: change }, ...(presence.state === 'there' ? [{ name: 'digest', value: presence.digest }, { name: 'tags', value: String(presence.tags) }] : []), ...(before === undefined ? [] : [{ name: 'since', value: before.since }])];
    this.findings.push({ rule: kind, severity: SEVERITIES[change], subject: name, message: `${SAID[change]}; near "${near}"`, evidence, remedy: 'look at what it is; tell the registry if it misleads', data: { change, near, part } });
  }
}

/** @throws UserError where nothing could be asked. */
export async function watchCommand(file: string, run: SquatRun): Promise<number> {
  const ours = linesOf(readText(file, MOST_FILE_BYTES, '--watch'));
  if (ours.length === 0 || ours.length > MOST_WATCHED) throw new UserError(`cannot watch "${file}": it has ${ours.length === 0 ? 'no names' : `more than ${MOST_WATCHED} names`}`, 'one a line, such as registry.example/team/app');
  const pace = new Pace(rateOf(run.values));
  const stateFile = run.values.last('state') ?? `${file}.seen.json`;
  const watch = new Watch(readState(stateFile));
  const names = namesToAsk(ours, run);
  let failures = 0;
  let asked = 0;
  for (const name of names) {
    const presence = await lookFor(name.reference, run.values, pace);
    watch.take(name, presence);
    asked++;
    failures = presence.state === 'unreachable' ? failures + 1 : 0;
    if (failures === MOST_FAILURES_IN_A_ROW) break;
  }
  const { unreachable, hidden, seen, findings } = watch;
  if (unreachable.length === asked && asked > 0) throw new UserError(`cannot watch "${file}": ${unreachable[0] ?? ''}`, 'check the registry');
  writeState(stateFile, seen);
  if (unreachable.length > 0) note(`${unreachable.length} of ${asked} names could not be asked for: ${unreachable[0] ?? ''}`);
  if (asked < names.length) note(`gave up after ${asked} of ${names.length} names: the registry does not answer`);
  if (hidden > 0) note(`${hidden} of ${asked} names: the registry does not say whether they are there`);
  return run.options.finish(squatReport(file, findings, { nothing: `${asked} names near ${ours.length} of ours, and none of them is there`, data: { watched: ours.length, asked, hidden, unreachable: unreachable.length, complete: asked === names.length && unreachable.length === 0 } }));
}
