/** What a container offers to those who run things in it. */
import type { Change } from '../fs/changes.ts';
import type { MachineStatistics } from '../machine/index.ts';
import type { ExitStatus } from './config.ts';

export type { Change };

/** The outside of a program's standard streams. `fd` is 1 or 2; with a terminal all output comes as 1. */
export interface ProcessIo {
  /** A view that is valid during the call only. False: wait for `outputDrained`. */
  onOutput(fd: number, bytes: Uint8Array): boolean;
  /** The program looks for input and there is none. May push at once. */
  onInputWanted(): void;
  /** Room again after `pushInput` answered false. */
  onInputRoom(): void;
}

/** A program that was started from outside, with its standard streams. */
export interface RunningProcess {
  readonly pid: number;
  readonly ended: Promise<ExitStatus>;
  /** False: please wait for `onInputRoom`. All bytes are taken. */
  pushInput(bytes: Uint8Array): boolean;
  endInput(): void;
  outputDrained(fd: number): void;
  /** The reader of this output is gone: EPIPE. */
  breakOutput(fd: number): void;
  resize(rows: number, columns: number): void;
  /** The terminal is gone: SIGHUP to its session. */
  hangUp(): void;
  signal(signal: number): void;
}

export interface ContainerStatistics {
  readonly elapsedNs: number;
  readonly machine: MachineStatistics;
  /** System calls by name. */
  readonly calls: ReadonlyMap<string, number>;
  /** Calls that do not exist, by number. */
  readonly unknownCalls: ReadonlyMap<number, number>;
  readonly tasks: number;
  readonly mappedBytes: number;
  /** How often something outside was refused, by rule. */
  readonly refusals: ReadonlyMap<string, number>;
}

export interface ContainerUsage {
  /** Private writable memory of all processes together, as `--memory` counts it. */
  readonly memoryBytes: number;
  readonly memoryLimit: number;
  /** Processes and threads. */
  readonly tasks: number;
}
