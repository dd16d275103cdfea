/** Stops of traced tasks: they are held until the tracer lets them go (kernel/signal.c: ptrace_stop). */
import { CLD_STOPPED, CLD_TRAPPED, SA_NOCLDSTOP, SIG_IGN, SIGCHLD, SIGTRAP } from '../../abi/signal.ts';
import { PTRACE_EVENTMSG_SYSCALL_ENTRY, PTRACE_EVENTMSG_SYSCALL_EXIT, PTRACE_O_TRACESYSGOOD } from '../../abi/ptrace.ts';
import { sendToProcess, sendToTask } from '../signals/send.ts';
import type { KernelTask } from '../task/task.ts';
import type { Stop, TraceEvent } from './tracee.ts';

/** Holds the task and tells its tracer. `then` runs in the task's turn once it is let go. Not traced any more: at once. */
export function stopTask(task: KernelTask, stop: Omit<Stop, 'reported'>): void {
  const { tracee } = task;
  if (tracee === undefined) {
    stop.then?.(0, stop.info);
    return;
  }
  tracee.stop = { ...stop, reported: false };
  tracee.listening = false;
  notifyTracer(task, stop.kind === 'group' ? CLD_STOPPED : CLD_TRAPPED, stop.code & 0x7f);
}

/** SIGCHLD to the tracer, unless it wants none of stops, and an end to its wait(2) (do_notify_parent_cldstop). */
export function notifyTracer(task: KernelTask, code: number, status: number): void {
  const { tracee } = task;
  if (tracee === undefined) return;
  const { process } = tracee.tracer;
  const action = process.actions.get(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    sendToProcess(process, { signal: SIGCHLD, code, pid: task.tid, uid: task.credentials.uid, status });
  }
  process.childEvents.wake();
}

function ownTrap(task: KernelTask, code: number): { signal: number; code: number; pid: number; uid: number } {
  return { signal: SIGTRAP, code, pid: task.tid, uid: task.credentials.uid };
}

/** A stop at PTRACE_EVENT_* (ptrace_event). */
export function stopForEvent(task: KernelTask, { event, message }: TraceEvent, then?: () => void, kind: 'event' | 'seccomp' = 'event'): void {
  if (task.tracee !== undefined) task.tracee.message = message;
  const code = SIGTRAP | (event << 8);
  stopTask(task, { kind, code, info: ownTrap(task, code), then });
}

/** Entry to or exit from a call. What the tracer injects is sent as by kill(2) (ptrace_report_syscall). */
export function stopAtCall(task: KernelTask, kind: 'syscall-entry' | 'syscall-exit', then?: () => void): void {
  const { tracee } = task;
  if (tracee !== undefined) tracee.message = kind === 'syscall-entry' ? PTRACE_EVENTMSG_SYSCALL_ENTRY : PTRACE_EVENTMSG_SYSCALL_EXIT;
  const code = tracee?.has(PTRACE_O_TRACESYSGOOD) === true ? SIGTRAP | 0x80 : SIGTRAP;
  stopTask(task, {
    kind, code, info: ownTrap(task, code),
    then: (signal) => {
      if (signal !== 0) sendToTask(task, { signal, code: 0x80 });
      then?.();
    },
  });
}

/** The first instruction of a handler, when the tracer steps (signal_setup_done). */
export function stopAtHandler(task: KernelTask): void {
  stopTask(task, { kind: 'event', code: SIGTRAP, info: ownTrap(task, SIGTRAP), then: undefined });
}

/** The tracer lets the task go with a signal, or 0. */
export function resumeTask(task: KernelTask, signal: number): void {
  const { tracee } = task;
  const stop = tracee?.stop;
  if (tracee === undefined || stop === undefined) return;
  tracee.stop = undefined;
  tracee.listening = false;
  const { then, info } = stop;
  if (then !== undefined) task.resume = () => then(signal, info);
  task.kernel.scheduler.enqueue(task);
}
