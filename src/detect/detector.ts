/** Puts events before rules: those that act are asked before the call is made, the others after it. */
import { WaitQueue } from '../fs/types.ts';
import type { SystemEvent, Verdict, Watcher } from '../kernel/watch/types.ts';
import { QUIET_CALLS } from '../kernel/watch/shapes.ts';
import { BEFORE_CALLS } from './actions.ts';
import type { Action } from './actions.ts';
import { AlertRate } from './alert-rate.ts';
import { ALL_CALLS } from './condition/compile.ts';
import type { Compiled, Predicate } from './condition/compile.ts';
import { timeOf } from './fields.ts';
import { SequenceState } from './sequences/state.ts';
import type { StepTaken } from './sequences/state.ts';
import type { Rule } from './rules/rule-set.ts';
import type { Priority } from './rules/sources.ts';
import type { ProfileGuard } from './profile/guard.ts';
import { alertOfRefusal } from './profile/refusal-alert.ts';
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
  /** Of a sequence: the steps before this one. */
  readonly steps?: readonly StepTaken[];
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
  readonly alsoSees?: readonly Seer[];
  /** What is not in a profile is refused, and told as by a rule. */
  readonly guard?: ProfileGuard | undefined;
}

/** Calls of the stream. */
const STREAMED: ReadonlySet<string> = new Set([...ALL_CALLS].filter((call) => !QUIET_CALLS.has(call)));
const ALLOW: Verdict = { kind: 'allow' };

interface Armed {
  readonly rule: Rule;
  readonly action: Action;
}

/** A step of a rule that is a sequence. */
interface StepOf {
  readonly state: SequenceState;
  /** -1: what must not be in between. */
  readonly index: number;
  readonly isLast: boolean;
}

/** What an event is held against: a rule, or one step of it. */
interface Candidate extends Armed {
  readonly condition: Compiled;
  readonly exceptions: readonly Compiled[];
  readonly step: StepOf | undefined;
}

/** A rule, for events of one call. */
interface Ready extends Armed {
  readonly step: StepOf | undefined;
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

function candidatesOf({ rule, action }: Armed): readonly Candidate[] {
  const { condition, exceptions, sequence } = rule;
  if (sequence === undefined) return [{ rule, action, condition, exceptions, step: undefined }];
  const state = new SequenceState(sequence);
  const last = sequence.steps.length - 1;
  const steps = sequence.steps.map((step, index): Candidate => ({ rule, action, condition: step.condition, exceptions: index === last ? exceptions : [], step: { state, index, isLast: index === last } }));
  return sequence.without === undefined ? steps : [...steps, { rule, action, condition: sequence.without.condition, exceptions: [], step: { state, index: -1, isLast: false } }];
}

function readyFor(call: string, { rule, action, condition, exceptions, step }: Candidate): Ready | undefined {
  const test = asPredicate(condition.build(call));
  if (test === undefined) return undefined;
  const quiet = exceptions.flatMap((exception) => asPredicate(exception.build(call)) ?? []);
  const usesFile = condition.usesFile || exceptions.some((exception) => exception.usesFile);
  return { rule, action, step, test, usesFile, isExcepted: quiet.length === 0 ? undefined : (subject) => quiet.some((isQuiet) => isQuiet(subject)) };
}

function byCall(candidates: readonly Candidate[]): ReadonlyMap<string, OfCall> {
  const found = new Map<string, OfCall>();
  for (const candidate of candidates) {
    for (const call of candidate.condition.calls) {
      const ready = readyFor(call, candidate);
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

/** First what ends sequences, then the steps from the last on: one event takes one step of each. */
function inOrder(found: readonly Ready[]): readonly Ready[] {
  const rank = ({ step }: Ready): number => (step === undefined || step.index < 0 ? -Infinity : -step.index);
  return found.some(({ step }) => step !== undefined) ? [...found].sort((one, other) => (rank(one) < rank(other) ? -1 : rank(one) > rank(other) ? 1 : 0)) : found;
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
  readonly #seers: readonly Seer[];
  readonly firstCalls: ReadonlySet<string>;
  readonly #sequences: readonly SequenceState[];
  #isRecording: boolean;
  #isFull = false;
  /** How often each rule fired. */
  readonly fired = new Map<string, number>();

  constructor(options: DetectorOptions) {
    const { rules, actions, container } = options;
    const armed = rules.map((rule): Armed => ({ rule, action: actions?.get(rule.name) ?? rule.action ?? { kind: 'alert' } }));
    const candidates = armed.flatMap(candidatesOf);
    const acts = ({ action: { kind }, step }: Candidate): boolean => step?.isLast !== false && BEFORE_CALLS.some((known) => known === kind);
    this.#options = options;
    this.#subject = new Subject(container);
    this.#before = byCall(candidates.filter(acts));
    this.#after = byCall(candidates.filter((each) => !acts(each)));
    this.#sequences = [...new Set(candidates.flatMap(({ step }) => step?.state ?? []))];
    this.#rate = new AlertRate(options.alertsPerSecond ?? Infinity);
    this.#isRecording = options.onEvent !== undefined && !armed.some(({ action }) => action.kind === 'record');
    this.#seers = options.alsoSees ?? [];
    const guarded = options.guard?.judgedCalls ?? [];
    this.judgedCalls = new Set([...this.#before.keys(), ...guarded, ...this.#seers.flatMap((seer) => (seer.before === undefined ? [] : [...seer.calls]))]);
    const streamed = options.onEvent === undefined ? [] : [...STREAMED];
    this.calls = new Set([...this.#before.keys(), ...this.#after.keys(), ...streamed, ...guarded, ...this.#seers.flatMap((seer) => [...seer.calls])]);
    this.firstCalls = new Set(this.#seers.flatMap((seer) => [...(seer.firstCalls ?? [])]));
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Alerts that were left out because there were too many. */
  get leftOut(): number {
    return this.#rate.leftOut;
  }

  /** Sequences that were forgotten because too many had begun. */
  get droppedSequences(): number {
    return this.#sequences.reduce((sum, { dropped }) => sum + dropped, 0);
  }

  /** Events can be taken again. */
  drained(): void {
    this.#isFull = false;
    this.room.wake();
  }

  judge(event: SystemEvent): Verdict {
    for (const seer of this.#seers) seer.before?.(event);
    const byRules = this.#judgeByRules(event);
    // What a rule kills needs no other reason.
    if (byRules.kind === 'kill' || byRules.kind === 'deny') return byRules;
    return this.#judgeByProfile(event) ?? byRules;
  }

  get capabilities(): Watcher['capabilities'] {
    const [guard, seers] = [this.#options.guard, this.#seers.filter((seer) => seer.capability !== undefined)];
    if (guard === undefined && seers.length === 0) return undefined;
    const onUse = (capability: number): void => {
      guard?.capability(capability);
      for (const seer of seers) seer.capability?.(capability);
    };
    return { kept: guard?.keptCapabilities, onUse };
  }

  first(call: string): void {
    for (const seer of this.#seers) seer.first?.(call);
  }

  #judgeByProfile(event: SystemEvent): Verdict | undefined {
    const { guard } = this.#options;
    const refusal = guard?.judge(event);
    if (guard === undefined || refusal === undefined) return undefined;
    this.#subject.ask(event);
    if (refusal.isNew && !this.#options.onAlert(alertOfRefusal(this.#subject, refusal, guard.mode))) this.#isFull = true;
    return guard.mode === 'enforce' ? { kind: 'deny', errno: refusal.errno } : undefined;
  }

  #judgeByRules(event: SystemEvent): Verdict {
    const found = this.#matching(this.#before, event);
    if (found.length === 0) return ALLOW;
    const fired: Action[] = [];
    for (const { rule, action, step } of found) {
      // It stays complete: who tries again is told the same.
      const taken = step?.state.complete(this.#subject, true);
      if (step !== undefined && taken === undefined) continue;
      this.#alert(rule, action, event, taken);
      fired.push(action);
    }
    for (const kind of BEFORE_CALLS) {
      const strongest = fired.find((action) => action.kind === kind);
      if (strongest !== undefined) return strongest as Verdict;
    }
    return ALLOW;
  }

  /** True: nothing more is to be said of it. Otherwise the steps that came before, of a sequence. */
  #takeStep({ state, index, isLast }: StepOf): readonly StepTaken[] | true {
    if (isLast) return state.complete(this.#subject, false) ?? true;
    if (index < 0) state.cancel(this.#subject);
    else state.take(index, this.#subject);
    return true;
  }

  happened(event: SystemEvent): void {
    for (const { rule, action, step } of inOrder(this.#matching(this.#after, event))) {
      const taken = step === undefined ? undefined : this.#takeStep(step);
      if (taken === true) continue;
      if (action.kind === 'record') this.#isRecording = this.#options.onEvent !== undefined;
      this.#alert(rule, action, event, taken);
    }
    for (const seer of this.#seers) seer.happened(event);
    // What only others asked for is not in the stream.
    if (this.#isRecording && STREAMED.has(event.type) && this.#options.onEvent?.(event) === false) this.#isFull = true;
  }

  #matching(rules: ReadonlyMap<string, OfCall>, event: SystemEvent): readonly Ready[] {
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

  #alert({ name, priority, output, tags }: Rule, action: Action, event: SystemEvent, steps: readonly StepTaken[] | undefined): void {
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
    const leftOut = this.#rate.take(name, event.seconds);
    if (leftOut === undefined) return;
    this.#subject.ask(event);
    const { container } = this.#subject;
    const isTaken = this.#options.onAlert({
      time: timeOf(event), rule: name, priority, output: output.text(this.#subject), fields: output.fields(this.#subject), tags, action: action.kind, event: event.number,
      container: { id: container.id, name: container.name }, hostname: container.hostname, ...(steps === undefined ? {} : { steps }), leftOut,
    });
    if (!isTaken) this.#isFull = true;
  }
}

const NONE: readonly Ready[] = [];
