/** Those who look at a container that runs: they may come and go, see the same calls, and nobody waits for them. */
import { WaitQueue } from '../../fs/types.ts';
import type { Also } from '../../kernel/watch/also.ts';
import type { SystemEvent, Verdict, Watcher } from '../../kernel/watch/types.ts';
import { Detector } from '../detector.ts';
import type { Rule } from '../rules/rule-set.ts';
import type { ContainerFacts } from '../subject.ts';
import { LiveRecord } from './live-record.ts';

/** A container that runs. */
export interface LiveWatchable {
  alsoObserve(watcher: Watcher): Also;
}

export interface LiveWatch {
  readonly record: LiveRecord;
  close(): void;
}

const ALLOW: Verdict = { kind: 'allow' };

/** All who look at one container, as its one late watcher. */
class Viewers {
  readonly #container: LiveWatchable;
  readonly #detectors = new Set<Detector>();
  #also: Also | undefined;

  constructor(container: LiveWatchable) {
    this.#container = container;
  }

  add(detector: Detector): void {
    this.#detectors.add(detector);
    this.#watch();
  }

  remove(detector: Detector): void {
    if (this.#detectors.delete(detector)) this.#watch();
  }

  /** Anew, as what is asked for has changed; nobody there: calls cost what they did. */
  #watch(): void {
    this.#also?.leave();
    this.#also = undefined;
    const detectors = [...this.#detectors];
    if (detectors.length === 0) return;
    this.#also = this.#container.alsoObserve({
      calls: new Set(detectors.flatMap(({ calls }) => [...calls])), judgedCalls: new Set(), isFull: false, room: new WaitQueue(),
      judge: () => ALLOW,
      happened: (event: SystemEvent) => {
        for (const detector of detectors) if (detector.calls.has(event.type)) detector.happened(event);
      },
    });
  }
}

const allViewers = new WeakMap<LiveWatchable, Viewers>();

/** From now on. `rules` only alert, whatever they say. */
export function watchLive(container: LiveWatchable, facts: ContainerFacts, rules: readonly Rule[], sinceMs: number): LiveWatch {
  const record = new LiveRecord(facts, sinceMs);
  const detector = new Detector({
    container: facts, rules, actions: new Map(rules.map(({ name }) => [name, { kind: 'alert' }])), alsoSees: [record],
    onAlert: (alert) => {
      record.alerted(alert);
      return true;
    },
  });
  let viewers = allViewers.get(container);
  if (viewers === undefined) allViewers.set(container, (viewers = new Viewers(container)));
  viewers.add(detector);
  return { record, close: () => viewers.remove(detector) };
}
