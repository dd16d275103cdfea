/** What was refused on the way out: a count for each rule, and word of each to whoever keeps a log. */
import type { RefusedBy } from './policy.ts';

export interface Refusal {
  readonly protocol: 'tcp' | 'udp' | 'dns';
  /** That led to the address, or was asked for; as the guest wrote it, in lower case. */
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** `cut`: what was allowed before. */
  readonly verdict: 'refused' | 'cut';
  /** A policy's, or `net-bytes` and `net-connections` for bounds. */
  readonly rule: RefusedBy;
}

export class Refusals {
  /** By rule; there are few. */
  readonly #counts = new Map<string, number>();
  readonly #listeners: ((refusal: Refusal) => void)[] = [];

  /** Called at each one: a guest decides how often. */
  listen(listener: (refusal: Refusal) => void): void {
    this.#listeners.push(listener);
  }

  record(refusal: Refusal): void {
    this.#counts.set(refusal.rule, (this.#counts.get(refusal.rule) ?? 0) + 1);
    for (const listener of this.#listeners) listener(refusal);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
