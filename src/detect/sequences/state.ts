/**
 * Sequences that have begun: for each step, and each value of what their events have in common, the newest one. So many are kept as limits.ts says;
 * where there are more, the one that was touched longest ago is forgotten, and counted.
 */
import { MOST_STEP_TEXT, MOST_WAITING_SEQUENCES } from '../limits.ts';
import type { Subject } from '../subject.ts';
import { timeOf } from '../fields.ts';
import { treeOf, treesOf } from './by.ts';
import type { Keys } from './by.ts';
import type { Sequence } from './sequence.ts';

/** A step that was taken. */
export interface StepTaken {
  /** Number of the event. */
  readonly event: number;
  readonly time: string;
  /** May hold anything that a guest has made. */
  readonly output: string;
}

interface Begun {
  readonly key: string;
  readonly startMs: number;
  readonly taken: readonly StepTaken[];
}

const millisecondsOf = ({ event: { seconds, nanoseconds } }: Subject): number => seconds * 1000 + nanoseconds / 1e6;

export class SequenceState {
  readonly #sequence: Sequence;
  /** By step: those whose last one it was. */
  readonly #begun: readonly Map<string, Begun>[];
  /** Sequences that were forgotten because too many had begun. */
  dropped = 0;

  constructor(sequence: Sequence) {
    this.#sequence = sequence;
    this.#begun = sequence.steps.slice(1).map(() => new Map());
  }

  /** The event fits a step that is not the last. */
  take(step: number, subject: Subject): void {
    const { keys, output } = this.#sequence.steps[step]!;
    const before = step === 0 ? undefined : this.#find(step - 1, keys, subject);
    if (step > 0 && before === undefined) return;
    if (before !== undefined) this.#begun[step - 1]!.delete(before.key);
    const value = before === undefined ? keys.value(subject) : undefined;
    if (before === undefined && value === undefined) return;
    const key = before?.key ?? (keys.isTree ? `${treeOf(subject)}\0${value}` : value!);
    const taken: StepTaken = { event: subject.event.number, time: timeOf(subject.event), output: output.text(subject).slice(0, MOST_STEP_TEXT) };
    this.#keep(step, { key, startMs: before?.startMs ?? millisecondsOf(subject), taken: [...(before?.taken ?? []), taken] });
  }

  /** The event fits the last step: the steps before it, or undefined where not all were taken. `stays`: it may be completed once more. */
  complete(subject: Subject, stays: boolean): readonly StepTaken[] | undefined {
    const last = this.#sequence.steps.length - 1;
    const before = this.#find(last - 1, this.#sequence.steps[last]!.keys, subject);
    if (before !== undefined && !stays) this.#begun[last - 1]!.delete(before.key);
    return before?.taken;
  }

  /** The event is one that must not be in between. */
  cancel(subject: Subject): void {
    const keys = this.#sequence.without!.keys;
    for (const [step, begun] of this.#begun.entries()) {
      for (let found = this.#find(step, keys, subject); found !== undefined; found = this.#find(step, keys, subject)) begun.delete(found.key);
    }
  }

  #find(step: number, keys: Keys, subject: Subject): Begun | undefined {
    const begun = this.#begun[step]!;
    if (begun.size === 0) return undefined;
    const value = keys.value(subject);
    if (value === undefined) return undefined;
    for (const key of keys.isTree ? treesOf(subject).map((tree) => `${tree}\0${value}`) : [value]) {
      const found = begun.get(key);
      if (found === undefined) continue;
      if (millisecondsOf(subject) - found.startMs <= this.#sequence.withinMs) return found;
      begun.delete(key);
    }
    return undefined;
  }

  #keep(step: number, begun: Begun): void {
    const kept = this.#begun[step]!;
    kept.delete(begun.key);
    if (kept.size >= MOST_WAITING_SEQUENCES) {
      const [oldest] = kept.values();
      // One whose time is over is no loss.
      if (oldest !== undefined && begun.startMs - oldest.startMs <= this.#sequence.withinMs) this.dropped++;
      kept.delete(oldest!.key);
    }
    kept.set(begun.key, begun);
  }
}
