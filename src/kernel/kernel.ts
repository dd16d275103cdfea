/** A Linux kernel for one container: its tasks, clocks, memory and the door for system calls. */
import type { Host } from '../host/types.ts';
import { DEFAULT_CPU, type CpuLevel, type Machine, type MachineOptions } from '../machine/index.ts';
import { CgroupTree } from './cgroup/tree.ts';
import type { Layout } from './exec/load-elf.ts';
import { makeGate } from './gate.ts';
import type { GateEntry } from './gate-entry.ts';
import { FutexTable } from './futex/futex-table.ts';
import { DEFAULT_LIMITS, type KernelLimits } from './limits.ts';
import type { MemoryPayer } from '../fs/file-data.ts';
import type { Inode } from '../fs/types.ts';
import type { MemoryContext } from './mm/mm.ts';
import { resizePrivateMappings } from './mm/mm-resize.ts';
import { SharedObjects } from './mm/shared.ts';
import { NamespaceCensus } from './namespaces/census.ts';
import type { PidNamespace } from './namespaces/pid-namespace.ts';
import { initialNamespaces, type Namespaces } from './namespaces/namespaces.ts';
import { Scheduler } from './scheduler.ts';
import { sendToProcess } from './signals/send.ts';
import type { SyscallTracer } from './strace/tracer.ts';
import { SyscallCounts } from './statistics.ts';
import { gateEntries } from './syscalls/table.ts';
import { killAll } from './task/exit.ts';
import type { Process } from './task/process.ts';
import type { KernelTask } from './task/task.ts';
import { TimerQueue } from './time/timer-queue.ts';
import type { Told } from './watch/also.ts';
import type { Kernel as KernelInterface, KernelTimer, SignalInfo } from './types.ts';

/** How long the host's wall clock is not asked again. */
const RESYNC_NS = 1e9;

export interface KernelOptions {
  readonly host: Host;
  readonly createMachine: (options: MachineOptions) => Machine;
  readonly limits?: Partial<KernelLimits>;
  readonly hostname?: string;
  readonly domainname?: string;
  /** Same seed, same random numbers and layout; without it the host's randomness. */
  readonly seed?: number;
  /** Processors that the container sees. Tasks take turns on one. */
  readonly processors?: number;
  /** Bytes of memory that the container sees. */
  readonly memoryBytes?: number;
  readonly tier?: 'both' | 'interpreter' | 'translator';
  /** What programs are told of the processor. */
  readonly cpu?: CpuLevel;
  /** The first program is pid 1, and adopts orphans; otherwise the kernel does, and it is pid 2. */
  readonly init?: boolean;
  /** There is io_uring; otherwise its calls answer ENOSYS. */
  readonly ioUring?: boolean;
}

/** Different layouts of programs in memory: 256 places of a program, 16 of its heap, 64 of what is mapped. */
const LAYOUTS = 1 << 18;

/** Interface `Kernel` of `types.ts`. */
export class Kernel implements KernelInterface {
  readonly host: Host;
  readonly machine: Machine;
  readonly cpu: CpuLevel;
  readonly limits: KernelLimits;
  readonly scheduler: Scheduler;
  readonly timers = new TimerQueue();
  readonly futexes = new FutexTable();
  readonly memory: MemoryContext;
  /** Only who watches puts others into their places. */
  readonly syscalls: (GateEntry | undefined)[] = gateEntries();
  readonly statistics = new SyscallCounts();
  readonly layout: Layout;
  /** The layout as a number: all programs of a kernel have the same, as since boot on other systems. */
  readonly layoutSeed: number;
  readonly processors: number;
  /** All that there is, as programs are told. */
  memoryBytes: number;
  readonly protectsInit: boolean;
  readonly offersIoUring: boolean;
  /** The first program, which the container's life hangs on. */
  main: Process | undefined;
  /** Adopts orphans; undefined: the kernel. */
  reaper: Process | undefined;
  readonly reaperPid: number;
  current: KernelTask | undefined;
  tracer: SyscallTracer | undefined;
  /** Who watches what the container does. */
  watch: Told | undefined;
  /** A signal is delivered, for strace and events. */
  onSignal: ((task: KernelTask, info: SignalInfo) => void) | undefined;
  /** A task became another program, for events. */
  onExec: ((task: KernelTask, path: string, args: readonly string[]) => void) | undefined;
  /** A session leader with a terminal ended: tty code hangs up. */
  onSessionEnd: ((leader: Process, terminal: unknown) => void) | undefined;
  /** A call that does not exist was made for the first time. */
  onUnknownSyscall: ((number: number) => void) | undefined;
  /** Those of the first program. */
  readonly namespaces: Namespaces;
  readonly census: NamespaceCensus;
  readonly cgroups: CgroupTree;
  readonly bootRealtimeNs: bigint;
  readonly #tasks = new Map<number, KernelTask>();
  readonly #processes = new Map<number, Process>();
  #lastPid: number;
  #nextInode = 1;
  #random: (buffer: Uint8Array) => void;
  readonly #bootNs: number;
  #realtimeSyncNs = -Infinity;
  #syncSeconds = 0;
  #syncRest = 0;
  #realtimeRest = 0;
  #resolve: ((status: number) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(options: KernelOptions) {
    const { host } = options;
    this.host = host;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#bootNs = host.clock.monotonicNs() - 1e9;
    this.bootRealtimeNs = host.clock.realtimeNs() - 1_000_000_000n;
    this.#random = options.seed === undefined ? (buffer) => host.random(buffer) : seededRandom(options.seed);
    this.processors = options.processors ?? 1;
    this.memoryBytes = options.memoryBytes ?? 4 * 2 ** 30;
    this.cgroups = new CgroupTree(this);
    this.namespaces = initialNamespaces(options.hostname ?? 'caisson', options.domainname ?? '(none)', this.cgroups.container);
    this.census = new NamespaceCensus(this, this.limits.namespaces);
    this.protectsInit = options.init === true;
    this.offersIoUring = options.ioUring === true;
    this.reaperPid = options.init === true ? 0 : 1;
    this.#lastPid = options.init === true ? 0 : 1;
    this.memory = { limits: this.limits, shared: new SharedObjects(), mappedBytes: 0, addressSpaces: 0 };
    this.scheduler = new Scheduler(this);
    this.cpu = options.cpu ?? DEFAULT_CPU;
    const machineOptions = { onSyscall: makeGate(this), monotonicNs: this.monotonicNs, cpu: this.cpu };
    this.machine = options.createMachine(options.tier === undefined ? machineOptions : { ...machineOptions, tier: options.tier });
    this.layoutSeed = (this.machine.layoutSeed ?? this.randomInteger(LAYOUTS)) % LAYOUTS;
    this.layout = { program: this.layoutSeed & 255, heap: (this.layoutSeed >> 8) & 15, mmap: this.layoutSeed >> 12 };
  }

  readonly monotonicNs = (): number => this.host.clock.monotonicNs() - this.#bootNs;

  /** As the host's clock, which is asked once a second; in between the monotonic clock counts on. */
  readonly realtimeNs = (): bigint => BigInt(this.realtimeSeconds()) * 1_000_000_000n + BigInt(this.#realtimeRest);

  /** Whole seconds since the epoch; `realtimeRest` then has the nanoseconds. No BigInt, as programs ask often. */
  realtimeSeconds(): number {
    const now = this.monotonicNs();
    if (now - this.#realtimeSyncNs >= RESYNC_NS) this.#synchronizeRealtime(now);
    const sinceSync = Math.floor(now - this.#realtimeSyncNs) + this.#syncRest;
    const seconds = Math.floor(sinceSync / 1e9);
    this.#realtimeRest = sinceSync - seconds * 1e9;
    return this.#syncSeconds + seconds;
  }

  get realtimeRest(): number {
    return this.#realtimeRest;
  }

  #synchronizeRealtime(now: number): void {
    const time = this.host.clock.realtimeNs();
    this.#realtimeSyncNs = now;
    this.#syncSeconds = Number(time / 1_000_000_000n);
    this.#syncRest = Number(time % 1_000_000_000n);
  }

  random(buffer: Uint8Array): void {
    this.#random(buffer);
  }

  /** A random integer in [0, bound). */
  randomInteger(bound: number): number {
    const bytes = new Uint8Array(4);
    this.random(bytes);
    return new DataView(bytes.buffer).getUint32(0, true) % bound;
  }

  nextInode(): number {
    return this.#nextInode++;
  }

  addTimer(deadlineNs: number, callback: () => void): KernelTimer {
    const timer = this.timers.add(deadlineNs, callback);
    this.scheduler.timerAdded();
    return timer;
  }

  // ---- tasks and processes ----

  get taskCount(): number {
    return this.#tasks.size;
  }

  /** A free id (alloc_pid): upwards, from 300 again after the highest. */
  allocatePid(): number {
    do {
      this.#lastPid = this.#lastPid >= this.limits.pidMax - 1 ? 300 : this.#lastPid + 1;
    } while (this.isPidTaken(this.#lastPid));
    return this.#lastPid;
  }

  /** A task, a process, a group or a session has the id. */
  isPidTaken(pid: number): boolean {
    if (this.#tasks.has(pid) || this.#processes.has(pid)) return true;
    // Ids of groups and sessions outlive their leaders.
    if (this.#lastPid < 300) return false;
    for (const process of this.#processes.values()) if (process.processGroup === pid || process.session === pid) return true;
    return false;
  }

  addTask(task: KernelTask): void {
    this.#tasks.set(task.tid, task);
    if (task.isLeader) this.#processes.set(task.tid, task.process);
    this.statistics.tasksCreated++;
  }

  removeTask(task: KernelTask): void {
    if (this.#tasks.get(task.tid) !== task) return;
    this.#tasks.delete(task.tid);
    task.process.pidNamespace.release(task.tid);
  }

  /** A thread takes over the id of the leader at exec (de_thread). */
  renameTask(task: KernelTask, tid: number): void {
    this.removeTask(task);
    task.tid = tid;
    task.number = task.process.number;
    this.#tasks.set(tid, task);
  }

  removeProcess(process: Process): void {
    this.#processes.delete(process.pid);
    this.#tasks.delete(process.pid);
    const { pidNamespace, pid, processGroup, session } = process;
    if (pidNamespace.parent !== undefined) for (const id of new Set([pid, processGroup, session])) this.releaseId(pidNamespace, id);
  }

  /** Takes the numbers of an id away where no task, group or session has it any more. */
  releaseId(namespace: PidNamespace, id: number): void {
    if (!this.#hasMember(id)) namespace.release(id);
  }

  #hasMember(id: number): boolean {
    if (this.#tasks.has(id) || this.#processes.has(id)) return true;
    for (const process of this.#processes.values()) if (process.processGroup === id || process.session === id) return true;
    return false;
  }

  findTask(tid: number): KernelTask | undefined {
    return this.#tasks.get(tid);
  }

  findProcess(pid: number): Process | undefined {
    return this.#processes.get(pid);
  }

  processes(): Iterable<Process> {
    return this.#processes.values();
  }

  fileResized(inode: Inode, before: number): void {
    if (inode.size === before) return;
    for (const mm of new Set([...this.#tasks.values()].map((task) => task.mm))) resizePrivateMappings(mm, inode, before);
  }

  processesInGroup(processGroup: number): Process[] {
    return [...this.#processes.values()].filter((process) => process.processGroup === processGroup);
  }

  countTasksOf(uid: number): number {
    let count = 0;
    for (const task of this.#tasks.values()) if (task.credentials.uid === uid) count++;
    return count;
  }

  signalProcessGroup(processGroup: number, signal: number, info?: SignalInfo): number {
    const members = this.processesInGroup(processGroup);
    for (const process of members) if (signal !== 0) process.sendSignal(signal, info);
    return members.length;
  }

  isOrphanedProcessGroup(processGroup: number): boolean {
    for (const process of this.processesInGroup(processGroup)) {
      const { parent } = process;
      if (process.state !== 'alive' || parent === undefined) continue;
      if (parent.processGroup !== processGroup && parent.session === process.session) return false;
    }
    return true;
  }

  hasStoppedMember(processGroup: number): boolean {
    return this.processesInGroup(processGroup).some((process) => process.stopped);
  }

  // ---- life ----

  /** Resolves with the wait status of the first program once it and everything else has ended. */
  run(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.scheduler.timerAdded();
    });
  }

  get isFinished(): boolean {
    return this.main !== undefined && (this.main.state === 'zombie' || this.main.state === 'reaped') && this.#resolve !== undefined;
  }

  finish(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.scheduler.stop();
    resolve?.(this.main?.exitStatus ?? 0);
  }

  /** A process became a zombie. With the first one the container ends (zap_pid_ns_processes). */
  processEnded(process: Process): void {
    if (process === this.main) killAll(this.processes(), process);
  }

  /** Ends everything, from outside. */
  kill(): void {
    killAll(this.processes());
    this.scheduler.timerAdded();
  }

  memoryPayer(): MemoryPayer {
    return this.cgroups.payer();
  }

  /** To the first program, from outside (a forwarded signal). */
  signalMain(signal: number): void {
    if (this.main !== undefined) sendToProcess(this.main, { signal, code: 0, pid: 0, uid: 0 });
  }

  /** A fault of ours: the run ends with it. */
  crashed(error: unknown): void {
    const reject = this.#reject;
    this.#resolve = undefined;
    this.scheduler.stop();
    if (reject === undefined) throw error;
    reject(error);
  }

  countUnknown(number: number): void {
    if (this.statistics.countUnknown(number)) this.onUnknownSyscall?.(number);
  }
}

/** xorshift128, good enough for repeatable runs only. */
function seededRandom(seed: number): (buffer: Uint8Array) => void {
  const state = new Uint32Array([seed ^ 0x9e37_79b9, (seed * 0x85eb_ca6b) >>> 0, 0x6a09_e667, 0xbb67_ae85]);
  return (buffer) => {
    for (let i = 0; i < buffer.length; i++) {
      let t = state[3]!;
      const s = state[0]!;
      state[3] = state[2]!;
      state[2] = state[1]!;
      state[1] = s;
      t ^= t << 11;
      t ^= t >>> 8;
      state[0] = t ^ s ^ (s >>> 19);
      buffer[i] = state[0] >>> 11;
    }
  };
}
