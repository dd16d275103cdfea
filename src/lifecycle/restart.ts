/** When a container that has ended is started again, and after how long: Docker's policies and its back-off (moby, restartmanager.go). */

export type RestartName = 'no' | 'always' | 'unless-stopped' | 'on-failure';

export interface RestartPolicy {
  readonly name: RestartName;
  /** Of `on-failure`; 0: no bound. */
  readonly maximumRetries: number;
}

export const NO_RESTART: RestartPolicy = { name: 'no', maximumRetries: 0 };

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 60_000;
/** Who ran as long has not failed at its start: the pauses begin anew. */
const LONG_ENOUGH_MS = 10_000;

export interface Ending {
  readonly exitCode: number;
  readonly ranMs: number;
  /** How often it was started again already. */
  readonly restarts: number;
  /** Somebody has asked for its end. */
  readonly wasStopped: boolean;
}

/** Milliseconds to the next start, of which the last one is given; undefined: it stays ended. */
export function restartPause({ name, maximumRetries }: RestartPolicy, { exitCode, ranMs, restarts, wasStopped }: Ending, lastPauseMs: number): number | undefined {
  if (name === 'no' || wasStopped) return undefined;
  if (name === 'on-failure' && (exitCode === 0 || (maximumRetries > 0 && restarts >= maximumRetries))) return undefined;
  return lastPauseMs === 0 || ranMs >= LONG_ENOUGH_MS ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, lastPauseMs * 2);
}
