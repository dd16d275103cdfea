/** What a watcher is told of a system call: facts that were copied in before the call was made, and its result after it. Texts are byte strings. */
import type { WaitQueue } from '../../fs/types.ts';

/** A program as it was started in a process; it changes at exec only, whatever the program does to its own name and arguments. */
export interface ProgramFacts {
  readonly pid: number;
  /** In the PID namespace of the process. */
  readonly virtualPid: number;
  /** `comm` at its start: the last part of the path, 15 bytes at most; of the first argument where the path was /proc/self/exe. */
  readonly name: string;
  /** The first argument. */
  readonly exe: string;
  /** The file whose code runs, links followed. */
  readonly exePath: string;
  /** Behind the first. */
  readonly arguments: readonly string[];
  /** The name and the arguments. */
  readonly commandLine: string;
  /** The file was made or changed since the container began: it is in the writable layer. */
  readonly inUpperLayer: boolean;
  /** The file has no name in any directory: memfd_create(2). */
  readonly fromMemory: boolean;
  readonly parent: ProgramFacts | undefined;
}

/** A descriptor, or the file that a path leads to. */
export interface FileFacts {
  /** -1: a path only. */
  readonly number: number;
  readonly type: 'file' | 'directory' | 'ipv4' | 'ipv6' | 'unix' | 'pipe' | 'netlink' | 'other';
  /** A path with links followed; `127.0.0.1:80` for who listens; `10.0.0.2:4000->10.0.0.3:80`; otherwise as /proc/PID/fd shows it. */
  readonly name: string;
  /** The path as it was given, made absolute and without `.` and `..`, where it differs from `name`. */
  readonly otherName: string | undefined;
  /** The path as it was given. */
  readonly givenName: string | undefined;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'raw' | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** The program accepted the connection. */
  readonly isServer: boolean;
}

export interface SystemEvent {
  /** From 1 on, without gaps: the order in which things happened. */
  readonly number: number;
  /** Since the epoch. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** The name of the system call. */
  readonly type: string;
  /** As in rax: negative for -errno. Before the call: 0. */
  readonly result: number;
  /** Of a call that starts a program: that program. */
  readonly program: ProgramFacts;
  readonly tid: number;
  readonly session: number;
  readonly processGroup: number;
  /** Device number of the controlling terminal; 0 for none. */
  readonly terminal: number;
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
  readonly cwd: string;
  readonly file: FileFacts | undefined;
  /** Of calls on two paths: where from, where to. */
  readonly source: string | undefined;
  readonly target: string | undefined;
  /** open(2) and its kin: the flags. */
  readonly openFlags: number | undefined;
  /** Where the path that the call is about leads nowhere: the errno of looking for it, as a positive number. */
  readonly absence?: number | undefined;
  /** Of calls that send: the caller named who it is for, and not only the socket. `mixed`: several, of which `file` has the first. */
  readonly recipient?: 'one' | 'mixed' | undefined;
  /** Arguments by their names in the manual, in their order. */
  readonly arguments: ReadonlyMap<string, string | number>;
}

/** What becomes of a call before it is made. */
export type Verdict =
  | { readonly kind: 'allow' }
  /** It answers this instead of being made. */
  | { readonly kind: 'deny'; readonly errno: number }
  /** The process ends, and the call is not made. */
  | { readonly kind: 'kill' }
  /** The whole container stops before it; once it goes on, the call is made. */
  | { readonly kind: 'pause' };

export interface Watcher {
  /** The calls that it wants to see; a program that comes from outside counts as `execve`. */
  readonly calls: ReadonlySet<string>;
  /** The calls that it may have something against. */
  readonly judgedCalls: ReadonlySet<string>;
  judge(event: SystemEvent): Verdict;
  /** The call was made, or refused by `judge`. */
  happened(event: SystemEvent): void;
  /** Calls of which it only wants to know that they are made: each is told once. */
  readonly firstCalls?: ReadonlySet<string>;
  first?(call: string): void;
  /** What programs that come from outside keep of their capabilities, as a bit set, and who is told of those that are asked for and found. */
  readonly capabilities?: { readonly kept: bigint | undefined; readonly onUse: ((capability: number) => void) | undefined } | undefined;
  /** No more events can be taken: who makes a call waits for `room`. */
  readonly isFull: boolean;
  readonly room: WaitQueue;
}

/** How the stream has gone. */
export interface WatchCounters {
  /** Events so far. */
  events: number;
  /** Calls that waited because the stream was full. */
  waits: number;
}
