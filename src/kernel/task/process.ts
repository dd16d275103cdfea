/** A thread group (`struct signal_struct` and what the group's threads share). */
import { WaitQueue } from '../../fs/types.ts';
import type { Kernel } from '../kernel.ts';
import { PendingSignals } from '../signals/pending-signals.ts';
import { sendToProcess } from '../signals/send.ts';
import { SI_KERNEL } from '../../abi/signal.ts';
import type { SignalActions } from '../signals/signal-actions.ts';
import type { KernelTimer, Process as ProcessInterface, SignalInfo } from '../types.ts';
import type { ResourceLimits } from './resource-limits.ts';
import type { PidNamespace } from '../namespaces/pid-namespace.ts';
import type { SharedRef } from './shared-ref.ts';
import type { KernelTask } from './task.ts';
import type { ProcessTimers } from '../time/process-timers.ts';

/** What a session shares: the terminal that controls it. */
export interface Session {
  readonly id: number;
  terminal: unknown;
}

/** CPU time and counters of ended threads and awaited children. */
export interface Usage {
  userNs: number;
  systemNs: number;
  voluntarySwitches: number;
  involuntarySwitches: number;
  maxRssBytes: number;
}

export function emptyUsage(): Usage {
  return { userNs: 0, systemNs: 0, voluntarySwitches: 0, involuntarySwitches: 0, maxRssBytes: 0 };
}

export function addUsage(target: Usage, more: Usage): void {
  target.userNs += more.userNs;
  target.systemNs += more.systemNs;
  target.voluntarySwitches += more.voluntarySwitches;
  target.involuntarySwitches += more.involuntarySwitches;
  target.maxRssBytes = Math.max(target.maxRssBytes, more.maxRssBytes);
}

export interface ProcessParts {
  readonly pid: number;
  readonly pidNamespace: PidNamespace;
  readonly kernel: Kernel;
  readonly parent: Process | undefined;
  readonly processGroup: number;
  readonly session: Session;
  readonly actions: SharedRef<SignalActions>;
  readonly limits: ResourceLimits;
}

/** Interface `Process` of `types.ts`. */
export class Process implements ProcessInterface {
  readonly pid: number;
  readonly number: number;
  readonly pidNamespace: PidNamespace;
  /** The first of its PID namespace: signals that it does not handle do not reach it (SIGNAL_UNKILLABLE). */
  isUnkillable = false;
  readonly kernel: Kernel;
  /** Undefined: the kernel itself, which forgets its children at once. */
  parent: Process | undefined;
  processGroup: number;
  sessionRef: Session;
  actionsRef: SharedRef<SignalActions>;
  readonly limits: ResourceLimits;
  readonly tasks = new Set<KernelTask>();
  readonly children = new Set<Process>();
  readonly pending = new PendingSignals();
  /** Parents wait here for their children. */
  readonly childEvents = new WaitQueue();
  /** Woken when the process ends: pidfd. */
  readonly exitQueue = new WaitQueue();
  readonly leader!: KernelTask;

  state: 'alive' | 'exiting' | 'zombie' | 'reaped' = 'alive';
  /** `wait` status: code << 8, or signal with 0x80 for a core dump. */
  exitStatus = 0;
  /** Signal to the parent at the end; 0 for none. */
  exitSignal = 17;
  stopped = false;
  stopSignal = 0;
  /** A stop or continue that nobody has waited for. */
  unreportedStop = false;
  unreportedContinue = false;
  /** Has called execve since fork: setpgid by the parent is refused. */
  execed = false;
  isChildSubreaper = false;
  /** Its parent ended, and nobody in here took it over. */
  isOrphan = false;
  dumpable = 1;
  /** Argument of membarrier registration. */
  membarrierRegistered = 0;
  readonly usage = emptyUsage();
  readonly childUsage = emptyUsage();
  readonly startNs: number;
  timers: ProcessTimers | undefined;
  cpuLimitTimer: KernelTimer | undefined;
  /** Adjustment for the out-of-memory killer. */
  oomScoreAdjust = 0;
  /** Nanoseconds left of alarm for accounting in /proc. */
  readonly creationTimeNs: bigint;

  constructor(parts: ProcessParts) {
    this.pid = parts.pid;
    this.pidNamespace = parts.pidNamespace;
    this.number = parts.pidNamespace.numberOf(parts.pid);
    this.kernel = parts.kernel;
    this.parent = parts.parent;
    this.processGroup = parts.processGroup;
    this.sessionRef = parts.session;
    this.actionsRef = parts.actions;
    this.limits = parts.limits;
    this.startNs = parts.kernel.monotonicNs();
    this.creationTimeNs = parts.kernel.realtimeNs();
  }

  /** The first task, or the one that took over at exec. */
  setLeader(task: KernelTask): void {
    (this as { leader: KernelTask }).leader = task;
  }

  get actions(): SignalActions {
    return this.actionsRef.value;
  }

  /** 0 where the kernel has none for it. */
  get parentPid(): number {
    return this.parent?.pid ?? (this.isOrphan && this.pidNamespace.parent === undefined ? this.kernel.reaperPid : 0);
  }

  /** Its parent's id in its own PID namespace: 0 where the parent is outside. */
  get parentNumber(): number {
    return this.pidNamespace.numberOf(this.parentPid);
  }

  get session(): number {
    return this.sessionRef.id;
  }

  get isSessionLeader(): boolean {
    return this.sessionRef.id === this.pid;
  }

  get controllingTerminal(): unknown {
    return this.sessionRef.terminal;
  }

  set controllingTerminal(terminal: unknown) {
    this.sessionRef.terminal = terminal;
  }

  sendSignal(signal: number, info?: SignalInfo): void {
    sendToProcess(this, info ?? { signal, code: SI_KERNEL });
  }

  limit(resource: number): number {
    return this.limits.soft(resource);
  }

  /** CPU time of all its threads, in nanoseconds. */
  cpuTimeNs(): number {
    let total = this.usage.userNs + this.usage.systemNs;
    for (const task of this.tasks) total += task.cpuTimeNs();
    return total;
  }

  /** Usage with the living threads. */
  currentUsage(): Usage {
    const usage = { ...this.usage };
    for (const task of this.tasks) {
      usage.userNs += task.cpuTimeNs();
      usage.voluntarySwitches += task.contextSwitches;
      usage.involuntarySwitches += task.involuntarySwitches;
      usage.maxRssBytes = Math.max(usage.maxRssBytes, task.mm.peakBytes);
    }
    return usage;
  }
}
