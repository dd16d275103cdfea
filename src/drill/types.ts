/** What a drill is made of: techniques, the field that they are tried on, and what came of each. */
import type { KernelBugs, Program } from './guest/program.ts';

/** As the list of ways out has them: what was configured, what was mounted, what is shared, the engine, the host's kernel, side doors, and the boundary of Caisson itself. */
export const KINDS = { A: 'configuration', B: 'mounts', C: 'namespaces', D: 'engine', E: 'kernel', F: 'side-doors', G: 'boundary' } as const;
export type Kind = keyof typeof KINDS;

/** Where the canaries are. A path is the same inside and outside, so that the same program is tried on the bare host. */
export interface Field {
  /** Holds all files of the drill; nothing in it may change but what is in `granted`. */
  readonly directory: string;
  /** Nobody inside may know what is in it. */
  readonly secretFile: string;
  /** Nobody inside may change it. */
  readonly keptFile: string;
  /** A directory that techniques get for writing, with a file `file`. */
  readonly granted: string;
  /** A directory that techniques get for reading, with a file `file` of more than a page. */
  readonly readable: string;
  /** What twins give in the host's name, such as its `/proc`: a file with a secret, and a directory with a file `secret`. */
  readonly stagedFile: string;
  readonly stagedTree: string;
  /** The root directory of the sandbox, where that is one of the host's. */
  readonly root: string;
  /** A process of the host, with a secret in its environment, and one in its memory. */
  readonly processId: number;
  readonly secretAddress: number;
  readonly secretLength: number;
  /** A word of its memory that nobody may change. */
  readonly wordAddress: number;
  /** Key of a System V segment with a secret. */
  readonly segmentKey: number;
  /** Serial number of a key of the kernel's keyrings; 0: this host has none. */
  readonly keySerial: number;
  /** Name of a file in the host's /dev/shm. */
  readonly sharedMemory: string;
  /** Ports of the host's loopback. */
  readonly tcpPort: number;
  readonly udpPort: number;
  /** A socket with a path, and one without. */
  readonly socket: string;
  readonly abstractSocket: string;
  /** What the other guest has: a file, a port, an abstract socket, a System V segment, a process. */
  readonly neighbour: Neighbour;
}

export interface Neighbour {
  readonly file: string;
  readonly port: number;
  readonly abstractSocket: string;
  readonly segmentKey: number;
  readonly processId: number;
  readonly secretAddress: number;
}

/** What a sandbox gets, beside its root directory. */
export interface Grants {
  readonly mounts?: readonly { readonly source: string; readonly destination: string; readonly writable?: boolean }[];
  readonly net?: 'outbound';
  readonly memoryBytes?: number;
  readonly tasks?: number;
  /** Links that stand in the root directory before it is used: path in it, target. */
  readonly links?: readonly (readonly [path: string, target: string])[];
}

/** A host without the defence, on which the technique has to succeed. */
export interface Twin {
  /** What is missing: `the same program as a process of the host`. */
  readonly what: string;
  /** `host`: no container at all. `neighbour`: in the other guest itself. */
  readonly on: 'host' | 'sandbox' | 'neighbour';
  readonly grants?: (field: Field) => Grants;
  /** Calls that a kernel without the check answers. */
  readonly bugs?: (field: Field) => KernelBugs;
  /** The host's memory where the guest's should be. */
  readonly before?: (guest: Program, field: Field) => void;
  /** On the host, with a descriptor of the drill's directory. */
  readonly leaks?: boolean;
}

/** What an engine does for its user with what a guest has left: ours, or one that takes no care. */
export interface Hands {
  /** A file of the container, as `cp` reads it. */
  copyOut(path: string): Promise<string>;
  copyIn(path: string, text: string): Promise<void>;
  /** The text at a terminal that shows what has changed. */
  showChanges(): Promise<string>;
  /** A container's settings as JSON, such as labels, as they are read. */
  takeSettings(json: string): Promise<void>;
}

export interface Technique {
  /** One word: `dirty-pipe`. */
  readonly name: string;
  readonly kind: Kind;
  readonly title: string;
  /** A CVE, a tool, a document. */
  readonly source: string;
  /** What it needs elsewhere. */
  readonly needs: string;
  /** The same as an attack path of `caisson audit`. */
  readonly path?: string;
  readonly grants?: (field: Field) => Grants;
  /** Default: root with every capability. `user`: somebody without any. */
  readonly as?: 'user';
  readonly program: (guest: Program, field: Field) => void;
  /** What the engine's user does after it; what that answers is read by whoever asked. */
  readonly afterwards?: (hands: Hands, field: Field) => Promise<string>;
  /** True: on a host that it gets out to, it touches the drill's own things only, so that it may be tried under other engines. */
  readonly isHarmless: boolean;
  readonly twin: Twin;
  /** It may be ended before its own end: it does to itself what it does. */
  readonly mayEnd?: boolean;
  /** That the sandbox is not made is an answer, too. */
  readonly mayBeRefused?: boolean;
  /** It measures something that is not defended, and proves nothing else. */
  readonly isProbe?: boolean;
  /** Milliseconds that it may take; default 10,000. */
  readonly timeoutMs?: number;
}

export interface Attempt {
  readonly what: string;
  /** A result, or `-errno`. */
  readonly result: number;
}

/** What the program said. */
export interface GuestReport {
  readonly attempts: readonly Attempt[];
  readonly claims: readonly string[];
  readonly measured: readonly { readonly what: string; readonly value: bigint }[];
  /** It came to its end. */
  readonly done: boolean;
}

/** What a run gave. */
export interface Run {
  readonly stdout: string;
  /** What the program got hold of. */
  readonly stderr: string;
  /** What was read or shown afterwards, outside. */
  readonly shown?: string;
  readonly exitCode: number;
  readonly signal?: string;
  readonly timedOut: boolean;
}

/** `measured`: a probe, which cannot get out. `unfinished`: it was not tried to its end, so nothing is proven. */
export type Verdict = 'held' | 'out' | 'measured' | 'unfinished';

/** Something of the host is not as it was, or known inside. */
export interface Sighting {
  /** `file`, `process`, `memory`, ... */
  readonly canary: string;
  readonly what: string;
}

export interface Outcome {
  readonly technique: Technique;
  readonly verdict: Verdict;
  readonly report: GuestReport;
  readonly sightings: readonly Sighting[];
  /** How the program ended, where that was not its own end. */
  readonly ending?: string;
}
