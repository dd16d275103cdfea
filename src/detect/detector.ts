/** Puts events before rules: those that act are asked before the call is made, the others after it. */
import { WaitQueue } from '../fs/types.ts';
import type { SystemEvent, Verdict, Watcher } from '../kernel/watch/types.ts';
import { QUIET_CALLS } from '../kernel/watch/shapes.ts';
import { BEFORE_CALLS } from './actions.ts';
import type { Action } from './actions.ts';
import { AlertRate } from './alert-rate.ts';
import { ALL_CALLS } from './condition/compile.ts';
import type { Predicate } from './condition/compile.ts';
import { timeOf } from './fields.ts';
import type { Rule } from './rules/rule-set.ts';
import type { Priority } from './rules/sources.ts';
import type { Seer } from './use.ts';
import { Subject } from './subject.ts';
import type { ContainerFacts } from './subject.ts';

/** What a rule has to say; as Falco's, in words and order of `json_output`, and what was done. */
export interface Alert {
  readonly time: string;
  readonly rule: string;
  readonly priority: Priority;
  /** May hold anything that a guest has made: not for a terminal as it is. */
  readonly output: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
  readonly tags: readonly string[];
  readonly action: Action['kind'];
  /** Of the event. */
  readonly event: number;
  readonly container: { readonly id: string; readonly name: string };
  readonly hostname: string;
  /** Alerts of the rule that were left out before this one. */
  readonly leftOut: number;
}

export interface DetectorOptions {
  readonly container: ContainerFacts;
  readonly rules: readonly Rule[];
  /** What is done instead of what the files say. */
  readonly actions?: ReadonlyMap<string, Action>;
  /** False: no more can be taken, until `drained`. */
  readonly onAlert: (alert: Alert) => boolean;
  /** The whole stream, or where rules record, from the first of those on. False: no more can be taken, until `drained`. */
  readonly onEvent?: ((event: SystemEvent) => boolean) | undefined;
  /** Of each rule. Default: all. */
  readonly alertsPerSecond?: number;
  /** Whoever looks at calls beside the rules. */
  readonly alsoSees?: Seer | undefined;
}

const ALLOW: Verdict = { kind: 'allow' };

interface Armed {
  readonly rule: Rule;
  readonly action: Action;
}

/** A rule, for events of one call. */
interface Ready extends Armed {
  readonly test: Predicate;
  readonly isExcepted: Predicate | undefined;
  readonly usesFile: boolean;
}

/** All of one call. */
interface OfCall {
  readonly rules: Ready[];
  usesFile: boolean;
}

const always: Predicate = () => true;

function asPredicate(built: Predicate | boolean): Predicate | undefined {
  return built === true ? always : built === false ? undefined : built;
}

function readyFor(call: string, { rule, action }: Armed): Ready | undefined {
  const { condition, exceptions } = rule;
  const test = asPredicate(condition.build(call));
  if (test === undefined) return undefined;
  const quiet = exceptions.flatMap((exception) => asPredicate(exception.build(call)) ?? []);
  const usesFile = condition.usesFile || exceptions.some((exception) => exception.usesFile);
  return { rule, action, test, usesFile, isExcepted: quiet.length === 0 ? undefined : (subject) => quiet.some((isQuiet) => isQuiet(subject)) };
}

function byCall(rules: readonly Armed[]): ReadonlyMap<string, OfCall> {
  const found = new Map<string, OfCall>();
  for (const armed of rules) {
    for (const call of armed.rule.condition.calls) {
      const ready = readyFor(call, armed);
      if (ready === undefined) continue;
      let ofCall = found.get(call);
      if (ofCall === undefined) found.set(call, (ofCall = { rules: [], usesFile: false }));
      ofCall.rules.push(ready);
      ofCall.usesFile ||= ready.usesFile;
    }
  }
  return found;
}

function fires({ test, isExcepted }: Ready, subject: Subject): boolean {
  return test(subject) && isExcepted?.(subject) !== true;
}

export class Detector implements Watcher {
  readonly calls: ReadonlySet<string>;
  readonly judgedCalls: ReadonlySet<string>;
  readonly room = new WaitQueue();
  readonly #options: DetectorOptions;
  readonly #subject: Subject;
  readonly #before: ReadonlyMap<string, OfCall>;
  readonly #after: ReadonlyMap<string, OfCall>;
  readonly #rate: AlertRate;
  #isRecording: boolean;
  #isFull = false;
  /** How often each rule fired. */
  readonly fired = new Map<string, number>();

  constructor(options: DetectorOptions) {
    const { rules, actions, container } = options;
    const armed = rules.map((rule): Armed => ({ rule, action: actions?.get(rule.name) ?? rule.action ?? { kind: 'alert' } }));
    const acts = ({ action: { kind } }: Armed): boolean => BEFORE_CALLS.some((known) => known === kind);
    this.#options = options;
    this.#subject = new Subject(container);
    this.#before = byCall(armed.filter(acts));
    this.#after = byCall(armed.filter((each) => !acts(each)));
    this.#rate = new AlertRate(options.alertsPerSecond ?? Infinity);
    this.#isRecording = options.onEvent !== undefined && !armed.some(({ action }) => action.kind === 'record');
    this.judgedCalls = new Set(this.#before.keys());
    const streamed = options.onEvent === undefined ? [] : [...ALL_CALLS].filter((call) => !QUIET_CALLS.has(call));
    this.calls = new Set([...this.#before.keys(), ...this.#after.keys(), ...streamed, ...(options.alsoSees?.calls ?? [])]);
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Alerts that were left out because there were too many. */
  get leftOut(): number {
    return this.#rate.leftOut;
  }

  /** Events can be taken again. */
  drained(): void {
    this.#isFull = false;
    this.room.wake();
  }

  judge(event: SystemEvent): Verdict {
    const found = this.#matching(this.#before, event);
    if (found.length === 0) return ALLOW;
    for (const { rule, action } of found) this.#alert(rule, action, event);
    for (const kind of BEFORE_CALLS) {
      const strongest = found.find(({ action }) => action.kind === kind);
      if (strongest !== undefined) return strongest.action as Verdict;
    }
    return ALLOW;
  }

  happened(event: SystemEvent): void {
    for (const { rule, action } of this.#matching(this.#after, event)) {
      if (action.kind === 'record') this.#isRecording = this.#options.onEvent !== undefined;
      this.#alert(rule, action, event);
    }
    this.#options.alsoSees?.happened(event);
    // What only others asked for is not in the stream.
    if (this.#isRecording && !QUIET_CALLS.has(event.type) && this.#options.onEvent?.(event) === false) this.#isFull = true;
  }

  #matching(rules: ReadonlyMap<string, OfCall>, event: SystemEvent): readonly Armed[] {
    const candidates = rules.get(event.type);
    if (candidates === undefined) return NONE;
    const subject = this.#subject;
    subject.ask(event);
    let found: Ready[] | undefined;
    for (const ready of candidates.rules) if (fires(ready, subject)) (found ??= []).push(ready);
    // Links: the path that was asked for may be the one that a rule knows. An exception that fits either name holds.
    if (candidates.usesFile && subject.useOtherName()) {
      for (const ready of candidates.rules) {
        if (!ready.usesFile || found?.includes(ready) === true || !fires(ready, subject)) continue;
        subject.useRealName();
        if (ready.isExcepted?.(subject) !== true) (found ??= []).push(ready);
        subject.useOtherName();
      }
      subject.useRealName();
    }
    return found ?? NONE;
  }

  #alert({ name, priority, output, tags }: Rule, action: Action, event: SystemEvent): void {
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
    const leftOut = this.#rate.take(name, event.seconds);
    if (leftOut === undefined) return;
    this.#subject.ask(event);
    const { container } = this.#subject;
    const isTaken = this.#options.onAlert({
      time: timeOf(event), rule: name, priority, output: output.text(this.#subject), fields: output.fields(this.#subject), tags, action: action.kind, event: event.number,
      container: { id: container.id, name: container.name }, hostname: container.hostname, leftOut,
    });
    if (!isTaken) this.#isFull = true;
  }
}

const NONE: readonly Armed[] = [];
