/** Messages between a `Sandbox` and the worker in which its kernel runs. All is structured-cloneable. */
import type { Seen, WatchRequest } from './watch.ts';
import type { BoundPort, ContainerConfig, ExitStatus, ProcessConfig } from '../container/index.ts';

export interface Port {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(callback: (message: unknown) => void): void;
}

/** What the worker can be asked, by name: arguments and answer. Failures are `RemoteFailure`. */
export interface Calls {
  /** Answers where its ports are. */
  create(config: ContainerConfig, watch?: WatchRequest): readonly BoundPort[];
  start(handle: number, spec: ProcessConfig): number;
  /** Resolves when there is room for more. */
  write(handle: number, bytes: Uint8Array): void;
  endInput(handle: number): void;
  signal(handle: number, signal: number): void;
  resize(handle: number, rows: number, columns: number): void;
  readFile(path: string): Uint8Array;
  writeFile(path: string, bytes: Uint8Array, mode: number): void;
  list(path: string): readonly FileInfo[];
  stat(path: string): FileInfo;
  remove(path: string): void;
  rename(from: string, to: string): void;
  makeDirectory(path: string): void;
  changes(): readonly ChangeInfo[];
  metrics(): SandboxMetrics;
  pause(): void;
  resume(): void;
}

/** What a sandbox takes at the moment. */
export interface SandboxMetrics {
  /** That its programs have had the processor. */
  readonly cpuMs: number;
  /** Private writable memory of its programs, as `limits.memoryBytes` counts it. */
  readonly memoryBytes: number;
  readonly memoryLimit: number;
  /** Processes and threads. */
  readonly tasks: number;
  readonly paused: boolean;
  /** Where it is watched: calls that were seen, and how often one waited because nobody took them. */
  readonly watched?: { readonly events: number; readonly waits: number };
}

export type CallName = keyof Calls;

export interface FileInfo {
  /** Last component, or the whole path for `stat`. Byte string. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

export interface ChangeInfo {
  readonly kind: 'A' | 'C' | 'D';
  readonly path: string;
}

export interface RemoteFailure {
  /** Linux errno, positive, or 0 for a fault of ours. */
  readonly errno: number;
  readonly message: string;
  /** What of the host it is about, if that is one of several things. */
  readonly place?: string;
}

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly arguments: readonly unknown[] }
  /** So many bytes of output were taken. */
  | { readonly kind: 'taken'; readonly handle: number; readonly bytes: number }
  /** So many of what was seen. */
  | { readonly kind: 'seen-taken'; readonly count: number };

export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: RemoteFailure }
  | { readonly kind: 'seen'; readonly seen: readonly Seen[] }
  | { readonly kind: 'output'; readonly handle: number; readonly fd: number; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly handle: number; readonly status: ExitStatus };
