/** What a sandbox's user is told of what its programs do, and may have done about it. */
import type { Alert, OcsfObject } from '../detect/index.ts';

/** A call that was made or refused. Texts are as JSON has them: bytes that are no UTF-8 are single surrogates. */
export interface SandboxCall {
  /** From 1 on, without gaps. */
  readonly number: number;
  /** ISO 8601, with nanoseconds. */
  readonly time: string;
  /** Its name, as `openat`. */
  readonly type: string;
  /** Negative for -errno. */
  readonly result: number;
  readonly uid: number;
  readonly cwd: string;
  readonly file?: { readonly type: string; readonly name: string; readonly fd?: number };
  /** Of calls on two paths. */
  readonly source?: string;
  readonly target?: string;
  readonly arguments: Readonly<Record<string, string | number>>;
  readonly program: SandboxProgram;
}

export interface SandboxProgram {
  readonly pid: number;
  readonly name: string;
  readonly exepath: string;
  readonly args: readonly string[];
  readonly parent?: SandboxProgram;
}

export type SandboxAlert = Omit<Alert, 'container'>;

export interface SandboxWatch {
  /** Files of rules as Falco has them: their texts, later ones over earlier ones; `'default'` and `'sequences'` are the sets of our own. Default: the first, where there is an `onAlert` or `onRule`, and no `profile`. */
  readonly rules?: readonly string[];
  /** What rules do beside alerting, as `--on-rule`: `deny`, `critical=kill`, `RULE=deny:EACCES`. */
  readonly onRule?: readonly string[];
  /** A profile, as `--learn` writes it: its text. What is not in it is refused before it happens, and `onAlert` is told. */
  readonly profile?: string;
  /** Default: `enforce`. `complain`: nothing is refused. */
  readonly profileMode?: 'enforce' | 'complain';
  /** Alerts a second of each rule. Default: all. */
  readonly alertRate?: number;
  /** Programs wait while a promise that it answers is not settled. */
  readonly onAlert?: (alert: SandboxAlert) => unknown;
  /** Every call of the stream, in its order; programs wait as for `onAlert`. */
  readonly onCall?: (call: SandboxCall) => unknown;
  /** Every call, and every alert (`class_uid` 2004), as events of OCSF 1.3; programs wait as for `onAlert`. */
  readonly onOcsf?: (event: OcsfObject) => unknown;
}

/** What the worker needs of it. */
export interface WatchRequest {
  readonly rules: readonly string[];
  readonly onRule: readonly string[];
  readonly hasCalls: boolean;
  readonly hasOcsf: boolean;
  readonly profile: string | undefined;
  readonly profileMode: 'enforce' | 'complain';
  readonly alertRate: number | undefined;
}

export function watchRequest({ rules, onRule = [], onAlert, onCall, onOcsf, profile, profileMode = 'enforce', alertRate }: SandboxWatch): WatchRequest {
  const isDefault = rules === undefined && profile === undefined && (onAlert !== undefined || onRule.length > 0);
  return { rules: rules ?? (isDefault ? ['default'] : []), onRule, hasCalls: onCall !== undefined, hasOcsf: onOcsf !== undefined, profile, profileMode, alertRate };
}

/** What was seen, in its order: a line of JSON of a call, an alert, or either as OCSF. */
export type Seen = string | Alert | { readonly ocsf: OcsfObject };

/** Hands over what was seen one by one; `taken` is told of each. What a user's function throws ends nothing here. */
export class WatchReader {
  readonly #watch: SandboxWatch;
  readonly #taken: (count: number) => void;
  readonly #waiting: Seen[] = [];
  #isReading = false;

  constructor(watch: SandboxWatch, taken: (count: number) => void) {
    this.#watch = watch;
    this.#taken = taken;
  }

  receive(seen: readonly Seen[]): void {
    this.#waiting.push(...seen);
    if (!this.#isReading) void this.#read();
  }

  #tell(one: Seen): unknown {
    if (typeof one === 'string') return this.#watch.onCall?.(JSON.parse(one) as SandboxCall);
    return 'ocsf' in one ? this.#watch.onOcsf?.(one.ocsf) : this.#watch.onAlert?.(one);
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) {
      try {
        const answer = this.#tell(one);
        if (answer instanceof Promise) await answer;
      } catch (error) {
        // As of a listener of Node's own: the program's, and not to be lost.
        queueMicrotask(() => {
          throw error;
        });
      }
      this.#taken(1);
    }
    this.#isReading = false;
  }
}
