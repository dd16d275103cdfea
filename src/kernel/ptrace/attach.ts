/** Who traces whom: attaching, letting go, and what ends with the tracer or the traced (kernel/ptrace.c). */
import { CLONE_PTRACE, CLONE_UNTRACED, CLONE_VFORK } from '../../abi/sched.ts';
import {
  PTRACE_EVENT_CLONE, PTRACE_EVENT_EXEC, PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_VFORK_DONE, PTRACE_O_EXITKILL, PTRACE_O_TRACECLONE, PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEFORK, PTRACE_O_TRACEVFORK, PTRACE_O_TRACEVFORKDONE,
} from '../../abi/ptrace.ts';
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED, SI_KERNEL, SIGCHLD, SIGKILL, SIGSTOP, SIGTRAP } from '../../abi/signal.ts';
import { sendToTask } from '../signals/send.ts';
import type { KernelTask } from '../task/task.ts';
import { DebugRegisters } from './debug-registers.ts';
import { notifyTracer, resumeTask } from './stop.ts';
import { requestTrap, Tracee } from './tracee.ts';

export function attach(tracer: KernelTask, task: KernelTask, seized: boolean, options = 0): void {
  const tracee = new Tracee(tracer, seized);
  tracee.options = options;
  task.tracee = tracee;
  (tracer.tracees ??= new Set()).add(task);
  if (task.callRow !== undefined) task.originalCall = task.callRow.number;
}

/** The task is nobody's any more. It goes on, or stays stopped with its group. */
export function detach(task: KernelTask, signal: number): void {
  if (task.tracee?.stop !== undefined) resumeTask(task, signal);
  unlink(task);
  task.updateAttention();
  task.kernel.scheduler.enqueue(task);
}

export function unlink(task: KernelTask): void {
  task.tracee?.tracer.tracees?.delete(task);
  task.tracee = undefined;
}

/** PTRACE_ATTACH: a SIGSTOP; a task that is stopped with its group becomes the tracer's at once. */
export function stopAttached(task: KernelTask): void {
  if (task.tracee?.seized === false) sendToTask(task, { signal: SIGSTOP, code: SI_KERNEL });
  if (task.process.stopped) {
    requestTrap(task);
    task.kernel.scheduler.enqueue(task);
  }
}

/** The tracer ends (exit_ptrace). `onZombie`: a traced process that ended before is its parent's now. */
export function releaseTracees(tracer: KernelTask, onZombie: (leader: KernelTask) => void): void {
  for (const task of tracer.tracees ?? []) {
    const { tracee } = task;
    if (tracee === undefined) continue;
    if (task.state === 'dead') {
      unlink(task);
      onZombie(task);
      continue;
    }
    const kills = tracee.has(PTRACE_O_EXITKILL);
    detach(task, 0);
    if (kills) sendToTask(task, { signal: SIGKILL, code: SI_KERNEL });
  }
}

/** A new task of a traced one: perhaps traced as well, and an event for the parent (kernel_clone, ptrace_init_task). */
export function traceChild(parent: KernelTask, child: KernelTask, flags: number, exitSignal: number): void {
  child.originalCall = parent.originalCall;
  const { tracee } = parent;
  if (tracee === undefined) return;
  const [event, option] = (flags & CLONE_VFORK) !== 0 ? [PTRACE_EVENT_VFORK, PTRACE_O_TRACEVFORK] as const
    : exitSignal === SIGCHLD ? [PTRACE_EVENT_FORK, PTRACE_O_TRACEFORK] as const : [PTRACE_EVENT_CLONE, PTRACE_O_TRACECLONE] as const;
  const reports = (flags & CLONE_UNTRACED) === 0 && tracee.has(option);
  if (!reports && (flags & CLONE_PTRACE) === 0) return;
  attach(tracee.tracer, child, tracee.seized, tracee.options);
  if (tracee.seized) child.tracee!.trapPending = true;
  else child.pending.add({ signal: SIGSTOP, code: 0 });
  child.updateAttention();
  if (reports) tracee.events.push({ event, message: tracee.tracer.numberOf(child.tid) });
}

/** The child of vfork(2) left its parent's memory. */
export function traceVforkDone({ tracee }: KernelTask, child: KernelTask): void {
  if (tracee?.has(PTRACE_O_TRACEVFORKDONE) === true) tracee.events.push({ event: PTRACE_EVENT_VFORK_DONE, message: tracee.tracer.numberOf(child.tid) });
}

/** The task is another program; `oldTid` is what it was called before. Without the option who attached gets a SIGTRAP. */
export function traceExec(task: KernelTask, oldTid: number): void {
  const { tracee } = task;
  if (tracee === undefined) return;
  tracee.debug = new DebugRegisters();
  if (tracee.has(PTRACE_O_TRACEEXEC)) tracee.events.push({ event: PTRACE_EVENT_EXEC, message: tracee.tracer.numberOf(oldTid) });
  else if (!tracee.seized) sendToTask(task, { signal: SIGTRAP, code: 0, pid: task.process.pid, uid: task.credentials.uid });
}

/** `siginfo_t` code of an end. */
export function endCode(status: number): number {
  return (status & 0x7f) === 0 ? CLD_EXITED : (status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED;
}

/** A traced thread ended. True: it stays until its tracer has waited for it. A leader stays with its process. */
export function traceEnd(task: KernelTask, status: number): boolean {
  const { tracee } = task;
  if (tracee === undefined) return false;
  tracee.stop = undefined;
  tracee.listening = false;
  tracee.endStatus = status;
  if (task.isLeader) return true;
  notifyTracer(task, endCode(status), (status & 0x7f) === 0 ? status >> 8 : status & 0x7f);
  return true;
}
