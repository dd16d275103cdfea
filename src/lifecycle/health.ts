/** Whether a container does what it is for, as its check says: Docker's rules (reference/dockerfile "HEALTHCHECK", moby daemon/health.go). */
import { MOST_HEALTH_OUTPUT_BYTES, MOST_HEALTH_RESULTS } from './limits.ts';

export interface HealthCheck {
  /** `CMD` and words, or `CMD-SHELL` and a line for the shell. */
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** Failures in this time from its start on do not count. */
  readonly startPeriodMs: number;
  /** Between checks in that time. */
  readonly startIntervalMs: number;
}

export const DEFAULT_HEALTH = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0, startIntervalMs: 5000 } as const;

export interface HealthResult {
  readonly startMs: number;
  readonly endMs: number;
  /** 0: healthy; -1: it took too long, or could not be run. */
  readonly exitCode: number;
  readonly output: string;
}

export interface HealthState {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  /** The latest, the last one last. */
  readonly log: readonly HealthResult[];
}

export const STARTING: HealthState = { status: 'starting', failingStreak: 0, log: [] };

/** The state after one more result. */
export function afterCheck(state: HealthState, check: HealthCheck, result: HealthResult, startedMs: number): HealthState {
  const log = [...state.log, { ...result, output: result.output.slice(0, MOST_HEALTH_OUTPUT_BYTES) }].slice(-MOST_HEALTH_RESULTS);
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const isStarting = state.status === 'starting' && result.startMs - startedMs < check.startPeriodMs;
  if (isStarting) return { ...state, log };
  const failingStreak = state.failingStreak + 1;
  return { status: failingStreak >= check.retries ? 'unhealthy' : state.status, failingStreak, log };
}

/** Milliseconds to the next check. */
export function pauseBeforeCheck(state: HealthState, check: HealthCheck, nowMs: number, startedMs: number): number {
  return state.status === 'starting' && nowMs - startedMs < check.startPeriodMs ? check.startIntervalMs : check.intervalMs;
}
