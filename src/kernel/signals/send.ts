/** Sending signals (kernel/signal.c: __send_signal_locked, prepare_signal, complete_signal). Permission is checked by the callers. */
import { CLD_CONTINUED, CLD_STOPPED, SA_NOCLDSTOP, SI_KERNEL, SIG_DFL, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP } from '../../abi/signal.ts';
import { USER_HZ } from '../../abi/time.ts';
import { notifyTrap, releaseStop, requestTrap } from '../ptrace/tracee.ts';
import type { Process } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import type { SignalInfo } from '../types.ts';
import { CONTINUE_SIGNALS, defaultAction, STOP_SIGNALS } from './signal-actions.ts';

/** Whoever sends is outside of the process's PID namespace: the kernel, or a task of a namespace above it. */
function isFromOutside({ kernel, pidNamespace }: Process, info: SignalInfo): boolean {
  const { current } = kernel;
  return info.code === SI_KERNEL || current === undefined || !current.process.pidNamespace.isWithin(pidNamespace);
}

/** What the first process of a PID namespace has no handler for does not reach it, unless it is SIGKILL or SIGSTOP from outside (sig_task_ignored). */
function isKeptFromInit(process: Process, info: SignalInfo): boolean {
  const { signal } = info;
  if (!process.isUnkillable || process.actions.get(signal).handler !== SIG_DFL) return false;
  return !((signal === SIGKILL || signal === SIGSTOP) && isFromOutside(process, info));
}

/** The sender's ids as the receiver sees them (has_si_pid_and_uid in __send_signal_locked). What rt_sigqueueinfo(2) made up stays. */
function asReceived(process: Process, info: SignalInfo): SignalInfo {
  const { pidNamespace } = process;
  const { user } = process.leader.credentials;
  if ((pidNamespace.parent === undefined && user.isFirst) || info.pid === undefined) return info;
  const uid = info.uid === undefined ? undefined : user.shownUid(info.uid);
  if (info.raw === undefined) return { ...info, pid: pidNamespace.numberOf(info.pid), ...(uid === undefined ? {} : { uid }) };
  if (!isFromOutside(process, info)) return info;
  const raw = info.raw.slice();
  new DataView(raw.buffer).setInt32(16, 0, true);
  return { ...info, raw, pid: 0 };
}

/** SIGCONT and stop signals cancel each other. False: the signal is ignored and not to be queued. */
function prepare(process: Process, info: SignalInfo, receivers: Iterable<KernelTask>): boolean {
  const { signal } = info;
  if (process.state !== 'alive') return false;
  if (STOP_SIGNALS.has(signal)) {
    process.pending.discard(CONTINUE_SIGNALS);
    for (const task of process.tasks) task.pending.discard(CONTINUE_SIGNALS);
  } else if (signal === SIGCONT) {
    process.pending.discard(STOP_SIGNALS);
    for (const task of process.tasks) task.pending.discard(STOP_SIGNALS);
    continueProcess(process);
  }
  const kept = process.isUnkillable && isKeptFromInit(process, info);
  if (kept && (signal === SIGKILL || signal === SIGSTOP)) return false;
  if (!kept && !process.actions.ignores(signal)) return true;
  // Who is traced has his tracer look at what he ignores.
  if (signal !== SIGKILL) for (const task of receivers) if (task.tracee !== undefined) return true;
  // A blocked signal stays pending even if it is ignored: the action may change before it is unblocked.
  for (const task of receivers) if (task.blocked.has(signal)) return true;
  if (!kept && process.leader.state !== 'dead') process.kernel.tracer?.signal(process.leader, info);
  return false;
}

/** To one thread: tgkill(2), faults. */
export function sendToTask(task: KernelTask, info: SignalInfo): void {
  const { process } = task;
  if (task.state === 'dead' || !prepare(process, info, [task])) return;
  if (!task.pending.add(asReceived(process, info))) return;
  notify(task);
}

/** To a process: kill(2), SIGCHLD, timers, terminals. */
export function sendToProcess(process: Process, info: SignalInfo): void {
  if (!prepare(process, info, process.tasks)) return;
  if (!process.pending.add(asReceived(process, info))) return;
  for (const task of process.tasks) task.signalQueue.wake();
  const target = chooseTask(process, info.signal);
  if (target !== undefined) notify(target);
}

/** The main thread if it takes the signal, else any that does. */
function chooseTask(process: Process, signal: number): KernelTask | undefined {
  const { leader } = process;
  if (leader.state !== 'dead' && !leader.blocked.has(signal)) return leader;
  for (const task of process.tasks) if (!task.blocked.has(signal)) return task;
  return undefined;
}

function notify(task: KernelTask): void {
  task.updateAttention();
  task.signalQueue.wake();
  if (!task.signalPending()) return;
  if (task.process.stopped && isKilled(task)) {
    task.process.stopped = false;
    task.kernel.scheduler.resume(task.process);
  }
  if (task.tracee?.stop !== undefined && isKilled(task)) {
    task.resume = undefined;
    releaseStop(task);
  }
  task.wake();
  if ((task.cgroup.held || task.pause !== undefined) && isDoomed(task)) task.kernel.scheduler.enqueue(task);
}

/** A signal is pending that ends the process whatever holds its group back (complete_signal() makes SIGKILL of it at once). */
export function isDoomed(task: KernelTask): boolean {
  if (isKilled(task)) return true;
  // What is left pending for the first process of a namespace, or for who is traced, need not end it.
  if (!task.signalPending() || task.process.isUnkillable || task.tracee !== undefined) return false;
  const { low, high } = task.pendingSignals;
  for (let signal = 1; signal <= 64; signal++) {
    const isPending = ((signal <= 32 ? low >>> (signal - 1) : high >>> (signal - 33)) & 1) !== 0;
    if (isPending && !task.blocked.has(signal) && defaultAction(signal) === 'terminate' && task.process.actions.get(signal).handler === SIG_DFL) return true;
  }
  return false;
}

/** SIGKILL is pending, which a stop does not hold up. */
export function isKilled(task: KernelTask): boolean {
  return task.pending.set.has(SIGKILL) || task.process.pending.set.has(SIGKILL);
}

/** A fault of the running instruction: cannot be blocked or ignored (force_sig_info). */
export function forceSignal(task: KernelTask, info: SignalInfo): void {
  const { actions } = task.process;
  const { signal } = info;
  if (task.blocked.has(signal) || actions.ignores(signal)) {
    actions.set(signal, { ...actions.get(signal), handler: SIG_DFL });
    task.blocked.delete(signal);
  }
  task.pending.add(info);
  task.updateAttention();
}

/** SIGCONT, or SIGKILL, arrived at a stopped process. */
export function continueProcess(process: Process): void {
  if (!process.stopped) return;
  process.stopped = false;
  process.unreportedStop = false;
  process.unreportedContinue = true;
  process.kernel.scheduler.resume(process);
  for (const task of process.tasks) notifyTrap(task);
  notifyParentOfStop(process, CLD_CONTINUED, SIGCONT);
}

/** All threads stop (do_signal_stop). */
export function stopProcess(process: Process, signal: number): void {
  if (process.stopped) return;
  process.stopped = true;
  process.stopSignal = signal;
  process.unreportedStop = true;
  process.unreportedContinue = false;
  for (const task of process.tasks) if (task.tracee !== undefined && task.tracee.stop === undefined) requestTrap(task);
  // A parent that traces the child hears of the child's own stop (ptrace_reparented).
  if (process.leader.tracee?.tracer.process !== process.parent) notifyParentOfStop(process, CLD_STOPPED, signal);
}

function notifyParentOfStop(process: Process, code: number, status: number): void {
  const { parent } = process;
  if (parent === undefined) return;
  if ((parent.actions.get(SIGCHLD).flags & SA_NOCLDSTOP) === 0) sendToProcess(parent, childInfo(process, code, status));
  parent.childEvents.wake();
}

/** `siginfo_t` of SIGCHLD. */
export function childInfo(process: Process, code: number, status: number): SignalInfo {
  const usage = process.currentUsage();
  const ticks = (ns: number): number => Math.floor((ns * USER_HZ) / 1e9);
  return { signal: SIGCHLD, code, pid: process.pid, uid: process.leader.credentials.uid, status, utime: ticks(usage.userNs), stime: ticks(usage.systemNs) };
}

/** What the default action of a signal does to the process; for /proc and tests. */
export function isTerminating(signal: number): boolean {
  const action = defaultAction(signal);
  return action === 'terminate' || action === 'core';
}
