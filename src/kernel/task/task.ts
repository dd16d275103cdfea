/** A thread (`struct task_struct`). What it does with signals is in `signals/`, how it ends in `exit.ts`. */
import { WaitQueue, type Waiter } from '../../fs/types.ts';
import { THREAD_STATE_SIZE } from '../../machine/index.ts';
import type { Cgroup } from '../cgroup/cgroup.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from '../mm/mm.ts';
import type { Namespaces } from '../namespaces/namespaces.ts';
import type { Tracee } from '../ptrace/tracee.ts';
import type { SpaceMemory } from '../mm/user-memory.ts';
import { PendingSignals } from '../signals/pending-signals.ts';
import type { Seccomp } from '../seccomp/seccomp.ts';
import { NO_ALTERNATE_STACK, type AlternateStack } from '../signals/signal-frame.ts';
import { hasSignal, SignalSet } from '../signals/signal-set.ts';
import { UNBLOCKABLE } from '../signals/signal-actions.ts';
import { sendToTask } from '../signals/send.ts';
import { BLOCKED, type FdTable, type FsContext, type KernelTimer, type SignalInfo, type SignalMask, type SyscallRow, type Task } from '../types.ts';
import { capableIn, type UserNamespace } from '../namespaces/user-namespace.ts';
import { hasCapability, memoryUser, type TaskCredentials } from './credentials.ts';
import type { Process } from './process.ts';
import type { SharedRef } from './shared-ref.ts';

/** Reasons to look at the task before its next instruction (`Task.attention`). */
export const ATTENTION_SIGNAL = 1;
/** It blocked, ended, or has another address space. */
export const ATTENTION_LEAVE = 2;
/** Another task should run first (sched_yield). */
export const ATTENTION_YIELD = 4;

export interface RobustList {
  readonly head: number;
  readonly length: number;
}

export interface TaskParts {
  readonly tid: number;
  readonly kernel: Kernel;
  readonly process: Process;
  readonly mm: Mm;
  readonly files: SharedRef<FdTable>;
  readonly fs: SharedRef<FsContext>;
  readonly credentials: TaskCredentials;
  readonly namespaces: Namespaces;
  readonly name: string;
  /** Where it begins; it joins by `CgroupTree.add`. */
  readonly cgroup: Cgroup;
}

/** Interface `Task` of `types.ts`. */
export class KernelTask implements Task, Waiter {
  /** Changes at exec by a thread that is not the leader. */
  tid: number;
  number: number;
  readonly kernel: Kernel;
  readonly process: Process;
  mm: Mm;
  filesRef: SharedRef<FdTable>;
  fsRef: SharedRef<FsContext>;
  namespaces: Namespaces;
  /** What `credentials` gives: an own field, as a task made of another (`uring/worker.ts`) has rights of its own. */
  private ownCredentials: TaskCredentials;
  name: string;
  /** Its control group; `CgroupTree` changes it. */
  cgroup: Cgroup;

  state: 'running' | 'blocked' | 'dead' = 'running';
  /** It is held back for a while (`pauseUntil`). */
  pause: KernelTimer | undefined;
  /** In the run queue. */
  queued = false;
  attention = 0;
  /** The handler set the registers itself (exec, rt_sigreturn): its answer is not written to rax. */
  skipResult = false;
  /** Done once the code has come back, when the machine no longer touches registers (rt_sigreturn). */
  deferred: (() => void) | undefined;
  /** Only SIGKILL ends the blocked call (vfork). */
  uninterruptible = false;
  /** Registers while another task of the same address space has them loaded. */
  readonly saved = new Uint8Array(THREAD_STATE_SIZE);

  // ---- the call that is blocked ----
  callRow: SyscallRow | undefined;
  callArguments: readonly number[] = [];
  blocking: unknown;
  deadlinePassed = false;
  onInterrupt: (() => number) | undefined;
  /** Clean-up when the blocked call does not end by itself: interrupted, or the task died. */
  onAbandon: (() => void) | undefined;
  #queues: readonly WaitQueue[] = [];
  #timer: KernelTimer | undefined;

  // ---- signals ----
  readonly blocked = new SignalSet();
  readonly pending = new PendingSignals();
  /** The mask to go back to when the call ends (`saved_sigmask`). */
  savedMask: SignalSet | undefined;
  alternateStack: AlternateStack = NO_ALTERNATE_STACK;
  readonly signalQueue = new WaitQueue();

  // ---- tracing: see `ptrace/` ----
  /** Defined while somebody traces the task. */
  tracee: Tracee | undefined;
  /** Tasks that this one traces. */
  tracees: Set<KernelTask> | undefined;
  /** What follows a stop: done first in the task's next turn. */
  resume: (() => void) | undefined;
  /** A signal that the tracer has seen and let through. */
  injected: SignalInfo | undefined;
  /** The call that a traced task is in or came from (`orig_rax`), or -1. */
  originalCall = -1;
  /** A traced call was interrupted and rax says how it starts over, as long as no handler decides otherwise. */
  restarting = false;
  /** For restart_syscall(2): a call with a deadline goes on where it was interrupted. */
  restartBlock: { readonly row: SyscallRow; readonly arguments: readonly number[]; readonly blocking: unknown } | undefined;

  // ---- what libraries register ----
  /** CLONE_CHILD_CLEARTID, set_tid_address(2). */
  clearChildTid = 0;
  robustList: RobustList = { head: 0, length: 24 };
  rseq: { readonly address: number; readonly length: number; readonly signature: number } | undefined;
  personality = 0;
  /** Filters of system calls, kept by fork and exec. */
  seccomp: Seccomp | undefined;

  // ---- accounting ----
  startNs: number;
  cpuNs = 0;
  /** CPU time when the running stretch began, for clocks read in the middle of it. */
  runningSinceNs = 0;
  contextSwitches = 0;
  involuntarySwitches = 0;
  /** Woken when the child of vfork(2) has its own memory. */
  vforkDone: WaitQueue | undefined;
  nice = 0;
  policy = 0;
  priority = 0;
  resetOnFork = false;
  /** Allowed processors, as a bit mask. */
  affinity: number;
  timerSlackNs = 50_000;
  /** As ioprio_set(2) gave it; 0 for none. */
  ioPriority = 0;
  parentDeathSignal = 0;

  constructor(parts: TaskParts) {
    this.tid = parts.tid;
    this.number = parts.process.pidNamespace.numberOf(parts.tid);
    this.kernel = parts.kernel;
    this.process = parts.process;
    this.mm = parts.mm;
    this.filesRef = parts.files;
    this.fsRef = parts.fs;
    this.namespaces = parts.namespaces;
    this.ownCredentials = this.credentials = parts.credentials;
    this.name = parts.name;
    this.cgroup = parts.cgroup;
    this.affinity = 2 ** parts.kernel.processors - 1;
    this.startNs = parts.kernel.monotonicNs();
  }

  get credentials(): TaskCredentials {
    return this.ownCredentials;
  }

  /** Who does this to himself may do less or more than whose memory it was: then it is nobody's, and no other process gets it. */
  set credentials(credentials: TaskCredentials) {
    this.ownCredentials = credentials;
    const { space } = this.mm;
    if (space.user !== undefined && space.user !== memoryUser(credentials)) space.user = undefined;
  }

  get memory(): SpaceMemory {
    return this.mm.memory;
  }

  get files(): FdTable {
    return this.filesRef.value;
  }

  get fs(): FsContext {
    return this.fsRef.value;
  }

  /** It may not run, whatever it waits for: stopped with its group, or by its tracer. */
  get held(): boolean {
    return this.tracee === undefined ? this.process.stopped : this.tracee.stop !== undefined;
  }

  get isLeader(): boolean {
    return this.tid === this.process.pid;
  }

  // ---- blocking ----

  block(queues: readonly WaitQueue[], deadlineNs?: number): number {
    this.leaveQueues();
    this.state = 'blocked';
    this.#queues = queues;
    for (const queue of queues) queue.add(this);
    if (deadlineNs !== undefined && deadlineNs < Infinity) {
      this.#timer = this.kernel.addTimer(deadlineNs, () => {
        this.deadlinePassed = true;
        this.wake();
      });
    }
    return BLOCKED;
  }

  leaveQueues(): void {
    if (this.#queues.length > 0) {
      for (const queue of this.#queues) queue.remove(this);
      this.#queues = [];
    }
    if (this.#timer !== undefined) {
      this.#timer.cancel();
      this.#timer = undefined;
    }
  }

  wake(): void {
    if (this.state !== 'blocked') return;
    this.leaveQueues();
    this.state = 'running';
    this.kernel.scheduler.enqueue(this);
  }

  /** It has its next turn then and no sooner, unless it is killed. */
  pauseUntil(deadlineNs: number): void {
    this.pause?.cancel();
    this.pause = this.kernel.addTimer(deadlineNs, () => {
      this.pause = undefined;
      this.kernel.scheduler.enqueue(this);
    });
  }

  /** CPU time in nanoseconds, up to now. */
  cpuTimeNs(): number {
    return this.cpuNs + (this.runningSinceNs > 0 ? this.kernel.monotonicNs() - this.runningSinceNs : 0);
  }

  // ---- signals ----

  get blockedSignals(): SignalMask {
    return this.blocked;
  }

  get pendingSignals(): SignalMask {
    const shared = this.process.pending.set;
    return { low: this.pending.set.low | shared.low, high: this.pending.set.high | shared.high };
  }

  signalPending(): boolean {
    return (this.attention & ATTENTION_SIGNAL) !== 0;
  }

  signalIgnored(signal: number): boolean {
    return hasSignal(this.blocked, signal) || this.process.actions.ignores(signal);
  }

  sendSignal(info: SignalInfo): void {
    sendToTask(this, info);
  }

  dequeueSignal(mask: SignalMask): SignalInfo | undefined {
    const info = this.pending.take(mask) ?? this.process.pending.take(mask);
    if (info !== undefined) this.updateAttention();
    return info;
  }

  /** Something deliverable is pending: `recalc_sigpending`. */
  updateAttention(): void {
    const { set } = this.pending;
    const shared = this.process.pending.set;
    const deliverable = ((set.low | shared.low) & ~this.blocked.low) | ((set.high | shared.high) & ~this.blocked.high);
    const { tracee } = this;
    const trapped = this.injected !== undefined || (tracee !== undefined && (tracee.trapPending || tracee.notifyPending));
    if (deliverable !== 0 || trapped) this.attention |= ATTENTION_SIGNAL;
    else this.attention &= ~ATTENTION_SIGNAL;
  }

  setBlocked(mask: SignalMask): void {
    this.blocked.assign(mask);
    this.blocked.deleteAll(UNBLOCKABLE);
    this.updateAttention();
    // What this thread no longer takes, another may.
    if (!this.process.pending.set.isEmpty) {
      for (const other of this.process.tasks) {
        if (other === this) continue;
        other.updateAttention();
        if (other.signalPending()) other.wake();
      }
    }
  }

  setTemporaryMask(mask: SignalMask): void {
    this.savedMask ??= SignalSet.from(this.blocked);
    this.setBlocked(mask);
  }

  /** The call ended without a handler having taken the saved mask. */
  restoreMask(): void {
    const saved = this.savedMask;
    if (saved === undefined) return;
    this.savedMask = undefined;
    this.setBlocked(saved);
  }

  capable(capability: number): boolean {
    return this.credentials.idMapping === undefined && hasCapability(this.credentials, capability);
  }

  capableIn(user: UserNamespace, capability: number): boolean {
    return capableIn(this.credentials, user, capability);
  }

  // ---- ids ----

  numberOf(id: number): number {
    return this.process.pidNamespace.numberOf(id);
  }

  idOf(number: number): number {
    return this.process.pidNamespace.idOf(number);
  }
}
