/** What a live view shows at a moment, as data. Texts are from guests: not for a terminal as they are. Times are milliseconds since 1970. */

export const KINDS = ['processes', 'files', 'connections', 'alerts', 'calls'] as const;
export type Kind = (typeof KINDS)[number];

export interface LiveProcess {
  readonly pid: number;
  /** 0: of none that is known. */
  readonly parent: number;
  /** Undefined: it made no call yet. */
  readonly user: string | undefined;
  readonly command: string;
  /** The file whose code runs. */
  readonly program: string;
  /** Watched calls so far. */
  readonly calls: number;
  readonly lastMs: number;
  /** The last of them. */
  readonly last: string;
  /** `new`: its file was made or changed since the container began; `memory`: it has no file in any directory. */
  readonly origin: 'image' | 'new' | 'memory';
  /** Undefined: nobody can tell, as in a recorded stream. */
  readonly isRunning: boolean | undefined;
}

export interface LiveFile {
  readonly path: string;
  /** Opened for reading, and for writing; other calls that change something; calls that failed. */
  readonly reads: number;
  readonly writes: number;
  readonly changes: number;
  readonly failures: number;
  readonly pid: number;
  readonly process: string;
  readonly lastMs: number;
  readonly last: string;
}

export interface LiveConnection {
  readonly direction: 'out' | 'in' | 'bind' | 'listen';
  readonly protocol: string;
  readonly local: string;
  /** Empty: nobody yet. */
  readonly remote: string;
  readonly count: number;
  readonly failures: number;
  readonly pid: number;
  readonly process: string;
  readonly lastMs: number;
  /** SUCCESS, or the name of an errno. */
  readonly result: string;
}

export interface LiveAlert {
  readonly timeMs: number;
  readonly priority: string;
  readonly rule: string;
  readonly output: string;
  readonly action: string;
}

export interface LiveCall {
  readonly timeMs: number;
  readonly pid: number;
  readonly process: string;
  readonly call: string;
  /** What it was about. */
  readonly about: string;
  readonly result: string;
}

export interface LiveRows {
  readonly processes: readonly LiveProcess[];
  readonly files: readonly LiveFile[];
  readonly connections: readonly LiveConnection[];
  readonly alerts: readonly LiveAlert[];
  readonly calls: readonly LiveCall[];
}

export interface LiveSnapshot extends LiveRows {
  readonly container: { readonly id: string; readonly name: string; readonly image: string };
  /** Since when, and when this was so. */
  readonly sinceMs: number;
  readonly atMs: number;
  /** How many there were in all; of calls and alerts, also those that are not kept any more. */
  readonly totals: Readonly<Record<Kind, number>>;
}
