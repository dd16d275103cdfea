/** How a container is at the moment: `state.json` in its directory. What it says of a process is believed only as long as that process lives. */

import type { BoundPort } from '../container/index.ts';
import type { HealthState } from './health.ts';

/** A network that a container is on, and its address there. */
export interface JoinedNetwork {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
  /** IPv6, where the network has it. */
  readonly address6?: string;
}

export interface ContainerState {
  readonly status: 'created' | 'running' | 'exited';
  /** Who runs it (`ImageHost.owner`); absent unless it runs. */
  readonly owner?: string | undefined;
  /** The host's number of that process. */
  readonly pid?: number | undefined;
  readonly startedMs?: number | undefined;
  readonly finishedMs?: number | undefined;
  /** 128 + N where signal N ended it. */
  readonly exitCode: number;
  /** Why it could not be started, or what was lost at its end. */
  readonly error: string;
  /** A process in it was killed because memory did not suffice. */
  readonly oomKilled?: boolean | undefined;
  /** The networks that it is on, while it runs. */
  readonly networks?: readonly JoinedNetwork[] | undefined;
  /** Where it is reached, while it runs. */
  readonly ports?: readonly BoundPort[] | undefined;
  /** How often something outside was refused, by rule: since it was last asked to start. */
  readonly refusals?: Readonly<Record<string, number>> | undefined;
  /** Its programs do not run at the moment. */
  readonly paused?: boolean | undefined;
  /** Its command has ended, and its process starts that again in a moment (`restart.ts`). */
  readonly restarting?: boolean | undefined;
  /** How often that was done since it was last asked to start. */
  readonly restarts?: number | undefined;
  readonly health?: HealthState | undefined;
  /** Who writes into its tree although it does not run (`ImageHost.owner`). */
  readonly writer?: string | undefined;
}

export const CREATED: ContainerState = { status: 'created', exitCode: 0, error: '' };
/** 128 + SIGKILL: what Docker says of a container whose process was killed. */
export const EXIT_KILLED = 137;
/** What Docker says of a container of which it does not know how it ended. */
export const EXIT_UNKNOWN = 255;

export function encodeState(state: ContainerState): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(state)}\n`);
}

function isState(value: unknown): value is ContainerState {
  if (typeof value !== 'object' || value === null) return false;
  const { status, exitCode, error, owner, ports = [] } = value as Partial<Record<string, unknown>>;
  return ['created', 'running', 'exited'].includes(String(status)) && typeof exitCode === 'number' && typeof error === 'string' && (status !== 'running' || typeof owner === 'string') && Array.isArray(ports);
}

/** Undefined: it is cut short or spoiled. */
export function decodeState(bytes: Uint8Array): ContainerState | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isState(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
