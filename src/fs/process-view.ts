/** What procfs asks of a kernel: it declares the questions, the kernel answers them. */
import type { Location, Mount } from './dentry.ts';
import type { OpenFile } from './types.ts';
import type { NamespaceIdentity } from './namespace-identity.ts';
import type { OpenedContent } from './pseudo.ts';

/** A mapping, for /proc/PID/maps. */
export interface MappingView {
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly shared: boolean;
  readonly offset: number;
  readonly dev: number;
  readonly ino: number;
  /** Path, `[heap]`, `[stack]`, or empty. */
  readonly name: string;
}

/** Numbers of bytes. */
export interface MemoryView {
  readonly total: number;
  readonly peak: number;
  readonly resident: number;
  readonly shared: number;
  readonly data: number;
  readonly stack: number;
  readonly text: number;
  readonly locked: number;
}

/** 64 signals as two 32-bit words, signal 1 in bit 0 of `low`. */
export interface SignalWords {
  readonly low: number;
  readonly high: number;
}

/** One thread. All ids are those of the procfs's PID namespace. */
export interface ThreadView {
  readonly tid: number;
  readonly name: string;
  setName(name: string): void;
  /** R, S, D, T, t, Z, X */
  readonly state: string;
  readonly pending: SignalWords;
  readonly blocked: SignalWords;
  readonly startNs: number;
  readonly userNs: number;
  readonly systemNs: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly nice: number;
  readonly policy: number;
  readonly priority: number;
  readonly affinity: number;
  readonly personality: number;
  /** Process that traces it, or 0. */
  readonly tracerPid: number;
  /** Name of the system call that it waits in, or empty. */
  readonly waitingIn: string;
  readonly timerSlackNs: number;
  /** Number, arguments, stack pointer and program counter of the call that it waits in, or `running` (/proc/PID/syscall). */
  readonly currentCall: string;
  /** Path of its control group, as who asks sees the tree. */
  readonly cgroup: string;
}

/** Files of /proc/PID by which namespaces are set up. */
export type NamespaceFileName = 'uid_map' | 'gid_map' | 'projid_map' | 'setgroups' | 'timens_offsets';

/** As the reader's user namespace has the ids. */
export interface CredentialsView {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Sets as [low, high]. */
  readonly inheritable: readonly [number, number];
  readonly permitted: readonly [number, number];
  readonly effective: readonly [number, number];
  readonly bounding: readonly [number, number];
  readonly ambient: readonly [number, number];
  readonly noNewPrivileges: boolean;
  readonly seccompMode: number;
}

export interface LimitView {
  readonly soft: number;
  readonly hard: number;
}

/** A process (a thread group). */
export interface ProcessView {
  readonly pid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly terminal: number;
  /** Foreground group of the terminal, or -1. */
  readonly terminalGroup: number;
  readonly zombie: boolean;
  readonly threads: readonly ThreadView[];
  readonly leader: ThreadView;
  readonly credentials: CredentialsView;
  /** The kernel's effective ids, for the owner of its files. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** The ids of a thread, its process, group and session in the namespaces from the procfs's to its own. */
  namespaceIds(thread: ThreadView): { readonly process: readonly number[]; readonly thread: readonly number[]; readonly group: readonly number[]; readonly session: readonly number[] };
  readonly umask: number;
  readonly exitSignal: number;
  readonly exitCode: number;
  /** Pending for the process. */
  readonly pending: SignalWords;
  readonly ignored: SignalWords;
  readonly caught: SignalWords;
  readonly queuedSignals: number;
  readonly childrenUserNs: number;
  readonly childrenSystemNs: number;
  readonly minorFaults: number;
  /** Whether the viewer may look at its memory, files and links (ptrace access mode). */
  readonly inspectable: boolean;
  /** Undefined for zombies. */
  readonly memory: MemoryView | undefined;
  mappings(): Iterable<MappingView>;
  /** The bytes that arguments, environment and auxiliary vector have now. */
  commandLine(): Uint8Array;
  environment(): Uint8Array;
  auxv(): Uint8Array;
  readonly codeStart: number;
  readonly codeEnd: number;
  readonly stackStart: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** Which memory it has now, to compare: another after execve(2), none once it has ended. */
  readonly addressSpace: object | undefined;
  /** Bytes of its memory through /proc/PID/mem: bytes moved, 0 or -EIO. */
  readMemory(buffer: Uint8Array, position: number): number;
  writeMemory(buffer: Uint8Array, position: number): number;
  readonly executable: Location | undefined;
  readonly executablePath: string;
  readonly root: Location | undefined;
  readonly cwd: Location | undefined;
  readonly fdCapacity: number;
  descriptors(): Iterable<readonly [fd: number, file: OpenFile]>;
  descriptor(fd: number): OpenFile | undefined;
  isCloseOnExec(fd: number): boolean;
  mounts(): Iterable<Mount>;
  /** In the order of the RLIMIT_* numbers. */
  limits(): readonly LimitView[];
  /** How likely it is killed for want of memory: 0 to 2000. */
  readonly oomScore: number;
  readonly oomScoreAdjustment: number;
  /** 0, or -EACCES for who may not lower it. */
  setOomScoreAdjustment(value: number): number;
  loginUid: number;
  /** Its namespaces by name: `mnt`, `pid`, `net`, ... */
  namespaces(): readonly (readonly [name: string, namespace: NamespaceIdentity])[];
  /** Opens a file of its namespaces for the task that asks: what is read and may be written depends on that task. */
  openNamespaceFile(name: NamespaceFileName, writes: boolean): OpenedContent | number;
  readonly childPids: readonly number[];
}

export type NamespaceKind = 'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts';

export interface NamespaceLimit {
  readonly value: number;
  /** The length of the text, or a negative errno. */
  set(text: string): number;
}

/** The system as a whole. */
export interface SystemView {
  readonly hostname: string;
  readonly domainname: string;
  setHostname(name: string): number;
  /** Whether who reads is in a group, by the kernel's id (in_group_p()). */
  isReaderInGroup(gid: number): boolean;
  readonly release: string;
  readonly version: string;
  readonly processors: number;
  /** Features of /proc/cpuinfo's `flags` line: those that CPUID reports. */
  readonly cpuFlags: readonly string[];
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly uptimeNs: number;
  readonly idleNs: number;
  readonly bootTimeSeconds: number;
  readonly loadAverage: readonly [number, number, number];
  readonly tasksRunning: number;
  readonly tasksTotal: number;
  readonly lastPid: number;
  readonly tasksCreated: number;
  readonly contextSwitches: number;
  readonly userNs: number;
  readonly systemNs: number;
  readonly pidMax: number;
  /** Names of /proc/cgroups, and how many groups there are. */
  readonly controllers: readonly string[];
  cgroupCount(): number;
  random(buffer: Uint8Array): void;
  /** The process and thread whose call is being handled. */
  readonly current: { readonly process: ProcessView; readonly tid: number } | undefined;
  process(pid: number): ProcessView | undefined;
  /** A thread by its id, for /proc/TID. */
  processOfThread(tid: number): ProcessView | undefined;
  pids(): Iterable<number>;
  /** Text of /proc/net/NAME (`dev`, `tcp`, `tcp6`, `udp`, `udp6`, `unix`, `route`, `if_inet6`, ...), or undefined. */
  network(name: string): string | undefined;
  /** How many namespaces of a kind may be there (/proc/sys/user), of which only the first user namespace's root may set less. */
  namespaceLimit(kind: NamespaceKind): NamespaceLimit;
  /** Values below /proc/sys that others own (`net/core/somaxconn`): read and write. */
  sysctl?(path: string): { read(): string; write?(text: string): number } | undefined;
}
