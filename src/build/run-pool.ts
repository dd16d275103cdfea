/** RUNs of stages that do not need each other, at once: one in this thread, as most builds have no more, others in threads of their own. */
import type { RunMaker } from './run-layer.ts';

/** Lets so many in at a time; who waits comes in the order of asking. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

export interface RunPoolOptions {
  /** How many RUNs at once. */
  readonly jobs: number;
  readonly here: RunMaker;
  /** Undefined: there are no other threads. */
  readonly elsewhere: RunMaker | undefined;
}

export class RunPool {
  readonly #options: RunPoolOptions;
  readonly #gate: Gate;
  readonly #caches = new Map<string, Gate>();
  #isBusyHere = false;

  constructor(options: RunPoolOptions) {
    this.#options = options;
    this.#gate = new Gate(options.jobs);
  }

  /** `prepare`: called when its turn has come. `caches`: directories that one RUN has at a time. */
  async run(caches: readonly string[], prepare: () => Promise<Parameters<RunMaker>[0]>, observer: Parameters<RunMaker>[1]): ReturnType<RunMaker> {
    // In one order for all, and before the place: so nobody who has either waits for who waits for it.
    const gates = [...new Set(caches)].sort().map((id) => this.#cacheGate(id));
    for (const gate of gates) await gate.enter();
    await this.#gate.enter();
    const { here, elsewhere } = this.#options;
    const isHere = !this.#isBusyHere || elsewhere === undefined;
    if (isHere) this.#isBusyHere = true;
    try {
      observer.signal.throwIfAborted();
      return await (isHere ? here : elsewhere)(await prepare(), observer);
    } finally {
      if (isHere) this.#isBusyHere = false;
      this.#gate.leave();
      for (const gate of gates) gate.leave();
    }
  }

  #cacheGate(id: string): Gate {
    const known = this.#caches.get(id) ?? new Gate(1);
    this.#caches.set(id, known);
    return known;
  }
}
