/** What the kernel keeps of a task that is traced (the `ptrace` and `jobctl` fields of `struct task_struct`). */
import { DebugRegisters } from './debug-registers.ts';
import type { SignalInfo } from '../types.ts';
import type { KernelTask } from '../task/task.ts';

/** Where a traced task is held, for PTRACE_GET_SYSCALL_INFO and for what a restart may do. */
export type StopKind = 'signal' | 'syscall-entry' | 'syscall-exit' | 'seccomp' | 'event' | 'group';

export interface Stop {
  readonly kind: StopKind;
  /** As wait(2) shows it behind the lowest byte: the signal, 0x80 of PTRACE_O_TRACESYSGOOD, and the event << 8. */
  readonly code: number;
  /** What PTRACE_GETSIGINFO answers; undefined for a group-stop, which has none. */
  info: SignalInfo | undefined;
  /** Goes on behind the stop, in the task's own turn; `signal` is what the tracer injects, `info` the stop's as it left it. Undefined: nothing to do. */
  readonly then: ((signal: number, info: SignalInfo | undefined) => void) | undefined;
  /** A waiter has seen it. */
  reported: boolean;
}

export interface TraceEvent {
  /** PTRACE_EVENT_*. */
  readonly event: number;
  readonly message: number;
}

/** How the task runs until it stops again. */
export type TraceMode = 'continue' | 'syscall' | 'emulate';

export class Tracee {
  readonly tracer: KernelTask;
  /** PTRACE_SEIZE instead of PTRACE_ATTACH or PTRACE_TRACEME. */
  readonly seized: boolean;
  /** PTRACE_O_*. */
  options = 0;
  mode: TraceMode = 'continue';
  stepping = false;
  /** Gone with exec, and with the tracer. */
  debug = new DebugRegisters();
  stop: Stop | undefined;
  /** PTRACE_GETEVENTMSG. */
  message = 0;
  /** Events of the call at hand that are still to be reported, oldest first. */
  readonly events: TraceEvent[] = [];
  /** It must stop before it runs on: PTRACE_INTERRUPT, or the group stopped (JOBCTL_TRAP_STOP). */
  trapPending = false;
  /** The group's state changed: who listens is to hear of it (JOBCTL_TRAP_NOTIFY). */
  notifyPending = false;
  /** PTRACE_LISTEN: held as by the group, without being in a stop for the tracer. */
  listening = false;
  /** Ended, and not waited for: the status as wait(2) shows it. A leader's is that of its process. */
  endStatus: number | undefined;

  constructor(tracer: KernelTask, seized: boolean) {
    this.tracer = tracer;
    this.seized = seized;
  }

  has(option: number): boolean {
    return (this.options & option) !== 0;
  }
}

/** Makes a traced task stop before it runs on, and ends its call if it is in one. */
export function requestTrap(task: KernelTask): void {
  const { tracee } = task;
  if (tracee === undefined) return;
  tracee.trapPending = true;
  task.updateAttention();
  if (tracee.listening) releaseStop(task);
  else if (!task.uninterruptible) task.wake();
}

/** The group stopped or went on: seized tasks trap again (ptrace_trap_notify). */
export function notifyTrap(task: KernelTask): void {
  const { tracee } = task;
  if (tracee?.seized !== true) return;
  tracee.notifyPending = true;
  task.updateAttention();
  if (tracee.listening) releaseStop(task);
  else if (!task.uninterruptible) task.wake();
}

/** Out of the stop without what was to follow it: SIGKILL came, or a listener traps again. */
export function releaseStop(task: KernelTask): void {
  const { tracee } = task;
  if (tracee?.stop === undefined) return;
  tracee.stop = undefined;
  tracee.listening = false;
  task.kernel.scheduler.enqueue(task);
}
