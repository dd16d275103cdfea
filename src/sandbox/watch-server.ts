/** The worker's side of watching: events go to the other side, and programs wait where it does not keep up. */
import type { Container } from '../container/index.ts';
import { Detector, OWN_SETS, OcsfWriter, ProfileGuard, actionsOf, attach, eventLine, readNames, readProfile, readRuleFiles } from '../detect/index.ts';
import type { Seen, WatchRequest } from './watch.ts';

/** Calls and alerts that the other side has not taken yet, before programs wait. */
const MOST_UNTAKEN = 256;

export interface ServedWatch {
  readonly counters: { readonly events: number; readonly waits: number };
  taken(count: number): void;
}

/** @throws RulesError */
export async function serveWatch(container: Container, hostname: string, { rules: texts, onRule, hasCalls, hasOcsf, profile, profileMode, alertRate }: WatchRequest, post: (seen: readonly Seen[]) => void): Promise<ServedWatch> {
  const { rules } = await readRuleFiles(texts.map((text, index) => (OWN_SETS.some((name) => name === text) ? { name: text } : { name: `rules[${index}]`, text })));
  let untaken = 0;
  let waiting: Seen[] = [];
  const add = (seen: Seen): boolean => {
    if (waiting.length === 0) queueMicrotask(flush);
    waiting.push(seen);
    untaken++;
    return untaken < MOST_UNTAKEN;
  };
  const flush = (): void => {
    const seen = waiting;
    waiting = [];
    post(seen);
  };
  const facts = { id: 'sandbox', name: 'sandbox', image: '', imageId: '', imageDigest: '', hostname, mounts: [], ...readNames((path) => container.files.readFile(path)) };
  const ocsf = hasOcsf ? new OcsfWriter(facts) : undefined;
  const detector = new Detector({
    container: facts, rules, actions: actionsOf(rules, onRule), guard: profile === undefined ? undefined : new ProfileGuard(readProfile('profile', profile), profileMode), ...(alertRate === undefined ? {} : { alertsPerSecond: alertRate }),
    onAlert: (alert) => [add(alert), ocsf === undefined || add({ ocsf: ocsf.alert(alert) })].every(Boolean),
    ...(hasCalls || hasOcsf ? { onEvent: (event) => [!hasCalls || add(eventLine(event)), ocsf === undefined || add({ ocsf: ocsf.event(event) })].every(Boolean) } : {}),
  });
  const { counters } = attach(container, detector);
  return {
    counters,
    taken: (count) => {
      untaken -= count;
      if (detector.isFull && untaken < MOST_UNTAKEN / 2) detector.drained();
    },
  };
}
