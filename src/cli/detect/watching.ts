/** Watches a container of this process: the stream of what it does, alerts, and what was used. */
import type { Container } from '../../container/index.ts';
import { Detector, OcsfWriter, ProfileGuard, ProfileLearner, UseRecord, attach, eventLine, footerLine, hasAction, headerLine, readNames } from '../../detect/index.ts';
import type { Alert, ContainerFacts } from '../../detect/index.ts';
import type { WatchRecord } from '../../lifecycle/index.ts';
import { writeFileSync } from 'node:fs';
import { UserError, printable } from '../errors.ts';
import { learnedBefore, parseProfile, writeProfile } from './profile-files.ts';
import { readyRules } from './ready-rules.ts';
import type { ReadyRules } from './ready-rules.ts';
import { openSink } from './sinks/sink.ts';
import type { Sink, SinkHandlers } from './sinks/sink.ts';

/** Who the events are of, as far as the command line knows. */
export type Identity = Omit<ContainerFacts, 'userNames' | 'groupNames'>;

export interface WatchHooks {
  /** A line of text for people; absent: nobody reads it. */
  readonly say?: (line: string) => void;
  /** Each alert, beside where it is written. */
  readonly onAlert?: (alert: Alert) => void;
  /** It was stopped by a rule. Absent: nobody could let it go on, so that no rule may do that. */
  readonly onPause?: () => void;
}

export interface Watching {
  /** When its last program has ended. */
  end(): Promise<void>;
}

/** Steps of a sequence that a line of text has. */
const SHOWN_STEPS = 4;

/** `10:20:30.123 Warning: A file ... [rule; denied]` */
export function alertText({ time, priority, output, rule, action, steps = [], leftOut }: Alert): string {
  const before = steps.map((step) => `${step.time.slice(11, 23)} ${step.output}`);
  const shown = before.length > SHOWN_STEPS ? [...before.slice(0, SHOWN_STEPS - 1), `${before.length - SHOWN_STEPS} more`, before.at(-1)!] : before;
  const more = [rule, ...(action === 'alert' ? [] : [action === 'deny' ? 'denied' : action === 'kill' ? 'killed' : action === 'pause' ? 'paused' : 'recorded from here']), ...(shown.length === 0 ? [] : [`after ${shown.join(', ')}`]), ...(leftOut === 0 ? [] : [`${leftOut} left out before`])].join('; ');
  return printable(`${time.slice(11, 23)} ${priority}: ${output} [${more}]`);
}

export function droppedText(count: number): string {
  return `caisson: too many sequences had begun at once: ${count} were forgotten, and may have ended unseen`;
}

export function leftOutText(count: number): string {
  return `caisson: ${count} things were left out of the profile: it has as many lines as one can have`;
}

export function refusedText({ refused, mode }: ProfileGuard, name: string): string {
  return printable(`caisson: the profile "${name}" ${mode === 'enforce' ? 'refused' : 'would have refused'} ${refused} call${refused === 1 ? '' : 's'} (each kind is told once)`);
}

/** As Falco's `json_output`, and more. */
export function alertJson({ hostname, output, fields, priority, rule, tags, time, action, event, container, steps, leftOut }: Alert): string {
  return JSON.stringify({ hostname, output, output_fields: fields, priority, rule, source: 'syscall', tags, time, action, event, container, ...(steps === undefined ? {} : { steps }), ...(leftOut === 0 ? {} : { left_out: leftOut }) });
}

/** Every mistake that can be made in it, before anything is made. @throws UserError */
export async function checkWatch(record: WatchRecord, canPause: boolean): Promise<ReadyRules> {
  const ready = await readyRules(record);
  if (!canPause && hasAction(ready.rules, ready.actions, 'pause')) throw new UserError('cannot pause a command of "caisson do": nobody could let it go on', 'use kill or deny, or "caisson run"');
  if (hasAction(ready.rules, ready.actions, 'record') && record.events === undefined) throw new UserError('cannot record without a file', 'add --events FILE');
  if (record.profile !== undefined) parseProfile(record.profile.name, record.profile.text);
  if (record.learn !== undefined) learnedBefore(record.learn);
  return ready;
}

class ContainerWatch implements Watching {
  readonly #record: WatchRecord;
  readonly #say: WatchHooks['say'];
  readonly #events: Sink | undefined;
  readonly #alerts: Sink | undefined;
  /** Present: lines are OCSF's. */
  readonly #ocsf: OcsfWriter | undefined;
  readonly #use: UseRecord | undefined;
  readonly #learner: ProfileLearner | undefined;
  readonly #guard: ProfileGuard | undefined;
  readonly #detector: Detector;
  readonly #counters: { readonly events: number; readonly waits: number };
  readonly #facts: ContainerFacts;

  constructor(container: Container, record: WatchRecord, ready: ReadyRules, identity: Identity, hooks: WatchHooks, { events, alerts }: Sinks) {
    for (const warning of ready.warnings) hooks.say?.(`caisson: ${printable(warning)}`);
    this.#record = record;
    this.#say = hooks.say;
    this.#facts = { ...identity, ...readNames((path) => container.files.readFile(path)) };
    this.#ocsf = record.format === 'ocsf' ? new OcsfWriter(this.#facts) : undefined;
    this.#events = events;
    this.#alerts = alerts;
    this.#use = record.use === undefined ? undefined : new UseRecord(container.files);
    // Empty, so that nobody takes a run that still goes on for one that used nothing.
    if (record.use !== undefined) this.#writeUse(record.use, '');
    this.#learner = record.learn === undefined ? undefined : new ProfileLearner(true);
    this.#guard = record.profile === undefined ? undefined : new ProfileGuard(parseProfile(record.profile.name, record.profile.text), record.profile.mode);
    const ocsf = this.#ocsf;
    if (ocsf === undefined) events?.write(headerLine(this.#facts));
    this.#detector = new Detector({
      container: this.#facts, rules: ready.rules, actions: ready.actions, alsoSees: [this.#use, this.#learner].filter((seer) => seer !== undefined), guard: this.#guard,
      onAlert: (alert) => this.#alert(alert, hooks),
      ...(events === undefined ? {} : { onEvent: ocsf === undefined ? (event) => events.write(eventLine(event)) : (event) => events.write(`${JSON.stringify(ocsf.event(event))}\n`) }),
      ...(record.alertRate === undefined ? {} : { alertsPerSecond: record.alertRate }),
    });
    this.#counters = attach(container, this.#detector).counters;
  }

  /** There is room in a sink again. */
  drained(): void {
    this.#detector.drained();
  }

  #alert(alert: Alert, hooks: WatchHooks): boolean {
    const isTaken = this.#alerts?.write(`${this.#ocsf === undefined ? alertJson(alert) : JSON.stringify(this.#ocsf.alert(alert))}\n`) ?? true;
    if (this.#alerts === undefined) hooks.say?.(alertText(alert));
    hooks.onAlert?.(alert);
    if (alert.action === 'pause') hooks.onPause?.();
    return isTaken;
  }

  #writeUse(path: string, text: string): void {
    try {
      writeFileSync(path, text, { mode: 0o644 });
    } catch (error) {
      throw new UserError(`cannot write "${path}": ${(error as Error).message}`, 'check --record-use', undefined, { cause: error });
    }
  }

  async end(): Promise<void> {
    const { droppedSequences } = this.#detector;
    if (droppedSequences > 0) this.#say?.(droppedText(droppedSequences));
    if (this.#ocsf === undefined) this.#events?.write(footerLine({ ...this.#counters, ...(droppedSequences === 0 ? {} : { droppedSequences }), alerts: [...this.#detector.fired.values()].reduce((sum, count) => sum + count, 0), leftOut: this.#detector.leftOut }));
    await this.#events?.end();
    await this.#alerts?.end();
    if (this.#record.use !== undefined) this.#writeUse(this.#record.use, this.#use!.text(this.#facts));
    this.#endProfile();
  }

  #endProfile(): void {
    const [learner, guard, { learn, profile }] = [this.#learner, this.#guard, this.#record];
    if (learner !== undefined && learn !== undefined) {
      // As it is now: another container may have added to it meanwhile.
      writeProfile(learn, learner.profile(learnedBefore(learn), [this.#facts.image]));
      if (learner.leftOut > 0) this.#say?.(leftOutText(learner.leftOut));
    }
    if (guard !== undefined && guard.missedCapabilities.size > 0) this.#say?.(`caisson: the profile "${printable(profile!.name)}" would have taken away ${[...guard.missedCapabilities].sort().join(', ')}, which was used`);
    if (guard !== undefined && guard.refused > 0) this.#say?.(refusedText(guard, profile!.name));
  }
}

interface Sinks {
  readonly events: Sink | undefined;
  readonly alerts: Sink | undefined;
}

/** Before its first program starts. @throws UserError */
export async function watchContainer(container: Container, record: WatchRecord, identity: Identity, hooks: WatchHooks): Promise<Watching> {
  const ready = await checkWatch(record, hooks.onPause !== undefined);
  let watch: ContainerWatch | undefined;
  // Nobody would see what it does from then on.
  const onBroken = (error: Error): void => {
    hooks.say?.(printable(`caisson: cannot write down what the container does: ${error.message}; it is ended`));
    container.kill();
  };
  const handlers: SinkHandlers = { onDrain: () => watch?.drained(), onBroken };
  const open = async (text: string | undefined, flag: string): Promise<Sink | undefined> => (text === undefined ? undefined : openSink(text, flag, handlers));
  const events = await open(record.events, 'events');
  try {
    watch = new ContainerWatch(container, record, ready, identity, hooks, { events, alerts: await open(record.alerts, 'alerts') });
  } catch (error) {
    await events?.end();
    throw error;
  }
  return watch;
}
