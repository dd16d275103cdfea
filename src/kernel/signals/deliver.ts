/** Delivery of pending signals before a task runs its code again (kernel/signal.c: get_signal; arch_do_signal_or_restart). */
import { SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, SIG_DFL, SIG_IGN, SIGKILL, SIGSEGV, SIGSTOP, SS_AUTODISARM } from '../../abi/signal.ts';
import { RSP } from '../../machine/index.ts';
import { PTRACE_EVENT_EXIT, PTRACE_O_TRACEEXIT } from '../../abi/ptrace.ts';
import { stopAtHandler, stopForEvent } from '../ptrace/stop.ts';
import { interruptTracedCall, settleRestart } from '../ptrace/traced-call.ts';
import { takeTracedSignal } from '../ptrace/traced-signals.ts';
import { exitGroup } from '../task/exit.ts';
import { interruptCall } from '../task/call.ts';
import type { KernelTask } from '../task/task.ts';
import type { SignalInfo } from '../types.ts';
import { forceSignal, stopProcess } from './send.ts';
import { defaultAction } from './signal-actions.ts';
import { NO_ALTERNATE_STACK, onAlternateStack, setUpSignalFrame } from './signal-frame.ts';
import { SignalSet } from './signal-set.ts';

const ONLY_KILL = SignalSet.of(SIGKILL);

/** Delivers what is pending and not blocked. Afterwards the task runs a handler, is stopped, has ended, or goes on as before. */
export function deliverSignals(task: KernelTask): void {
  if (task.tracee !== undefined && task.callRow !== undefined && !task.uninterruptible && task.signalPending()) {
    interruptTracedCall(task);
    if (task.held) return;
  }
  for (;;) {
    const mask = task.uninterruptible ? ONLY_KILL : { low: ~task.blocked.low, high: ~task.blocked.high };
    const info = task.tracee === undefined && task.injected === undefined ? task.dequeueSignal(mask) : takeTracedSignal(task, mask);
    if (info === undefined) break;
    if (info === 'held') return;
    const { process } = task;
    const { signal } = info;
    const action = process.actions.get(signal);
    task.kernel.onSignal?.(task, info);
    task.kernel.tracer?.signal(task, info);
    if (action.handler === SIG_IGN) continue;
    if (action.handler !== SIG_DFL) {
      runHandler(task, info);
      if (task.tracee?.stepping === true) {
        stopAtHandler(task);
        return;
      }
      // Further signals stack their handlers, the last runs first, as on Linux.
      continue;
    }
    if (!applyDefault(task, info)) return;
  }
  if (task.restarting) settleRestart(task, false, false);
  // No handler took the mask of a call that is over.
  if (task.callRow === undefined && task.savedMask !== undefined) task.restoreMask();
}

/** False: the task does not go on. */
function applyDefault(task: KernelTask, info: SignalInfo): boolean {
  const { process, kernel } = task;
  const { signal } = info;
  const what = defaultAction(signal);
  if (what === 'ignore') return true;
  // The first process of a PID namespace is not killed by what it does not handle (SIGNAL_UNKILLABLE).
  if (process.isUnkillable && info.trapNumber === undefined && signal !== SIGKILL && signal !== SIGSTOP) return true;
  if (what === 'stop') {
    if (signal !== SIGSTOP && kernel.isOrphanedProcessGroup(process.processGroup)) return true;
    stopProcess(process, signal);
    return task.tracee !== undefined;
  }
  const status = what === 'core' ? signal | 0x80 : signal;
  if (task.tracee?.has(PTRACE_O_TRACEEXIT) === true) stopForEvent(task, { event: PTRACE_EVENT_EXIT, message: status }, () => exitGroup(task, status));
  else exitGroup(task, status);
  return false;
}

function runHandler(task: KernelTask, info: SignalInfo): void {
  const { process, mm } = task;
  const { signal } = info;
  const action = process.actions.get(signal);
  const restarts = (action.flags & SA_RESTART) !== 0;
  interruptCall(task, restarts);
  if (task.restarting) settleRestart(task, true, restarts);
  const rsp = Number(mm.space.getRegister(RSP));
  const mask = task.savedMask ?? SignalSet.from(task.blocked);
  const made = setUpSignalFrame(mm.space, mm.memory, { action, info, mask, alternateStack: task.alternateStack });
  task.savedMask = undefined;
  if (!made) {
    if (signal === SIGSEGV) process.actions.set(SIGSEGV, { ...action, handler: SIG_DFL });
    forceSignal(task, { signal: SIGSEGV, code: 0x80 });
    return;
  }
  if ((action.flags & SA_ONSTACK) !== 0 && (task.alternateStack.flags & SS_AUTODISARM) !== 0 && !onAlternateStack(task.alternateStack, rsp)) {
    task.alternateStack = NO_ALTERNATE_STACK;
  }
  if ((action.flags & SA_RESETHAND) !== 0) process.actions.set(signal, { ...action, handler: SIG_DFL });
  const blocked = SignalSet.from(task.blocked);
  blocked.addAll(action.mask);
  if ((action.flags & SA_NODEFER) === 0) blocked.add(signal);
  task.setBlocked(blocked);
}
