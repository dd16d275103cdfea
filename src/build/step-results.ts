/** What the steps of one build give: from the store, from a cache elsewhere, or made, and then once, however many stages ask at the same time. */
import { ImageError, StoreError } from '../image/index.ts';
import type { StepStore } from './step-store.ts';
import type { Key, StepResult } from './step-store.ts';
import type { BuildOptions } from './types.ts';

export class StepResults {
  readonly #steps: StepStore;
  readonly #options: BuildOptions;
  readonly #results = new Map<Key, Promise<StepResult>>();

  constructor(steps: StepStore, options: BuildOptions) {
    this.#steps = steps;
    this.#options = options;
  }

  /** `isOff`: only this build's own count. True: it was not made by who asks. */
  async get(key: Key, isOff: boolean, make: () => Promise<StepResult>): Promise<readonly [result: StepResult, isKnown: boolean]> {
    const pending = this.#results.get(key);
    if (pending !== undefined) return [await pending, true];
    let isKnown = true;
    const find = async (): Promise<StepResult> => {
      const known = isOff ? undefined : this.#steps.get(key) ?? (await this.#imported(key));
      if (known !== undefined) return known;
      isKnown = false;
      const made = await make();
      this.#steps.put(key, made);
      return made;
    };
    const found = find();
    this.#results.set(key, found);
    return [await found, isKnown];
  }

  /** Those that there are. */
  async all(): Promise<ReadonlyMap<Key, StepResult>> {
    return new Map(await Promise.all([...this.#results].map(async ([key, result]) => [key, await result] as const)));
  }

  /** From `--cache-from`. A cache that is spoiled or gone is no reason not to build. */
  async #imported(key: Key): Promise<StepResult | undefined> {
    const { cacheFrom, store, reporter } = this.#options;
    for (const cache of cacheFrom) {
      try {
        const found = await cache.get(key, store);
        if (found === undefined) continue;
        this.#steps.put(key, found);
        return found;
      } catch (error) {
        if (!(error instanceof ImageError) || error instanceof StoreError) throw error;
        // Of two stages that find it wrong at once, one says so.
        if (cache.isUsable) reporter.note(`warning: nothing more is taken from the cache ${cache.name}: ${error.message}`);
        cache.giveUp();
      }
    }
    return undefined;
  }
}
