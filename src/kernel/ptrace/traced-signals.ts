/** What a traced task does with signals before they are delivered: the tracer sees each, and may change it (kernel/signal.c: ptrace_signal, do_jobctl_trap). */
import { PTRACE_EVENT_STOP } from '../../abi/ptrace.ts';
import { NSIG, SI_USER, SIGKILL, SIGTRAP } from '../../abi/signal.ts';
import type { KernelTask } from '../task/task.ts';
import type { SignalInfo, SignalMask } from '../types.ts';
import { stopTask } from './stop.ts';

/** The next signal to be delivered, undefined for none, `'held'` when the tracer has to look first. */
export function takeTracedSignal(task: KernelTask, mask: SignalMask): SignalInfo | 'held' | undefined {
  const { injected, tracee } = task;
  if (injected !== undefined) {
    task.injected = undefined;
    task.updateAttention();
    return injected;
  }
  if (tracee === undefined) return task.dequeueSignal(mask);
  if ((tracee.trapPending || tracee.notifyPending) && !task.uninterruptible) {
    if (trap(task)) return 'held';
  }
  const info = task.dequeueSignal(mask);
  if (info === undefined || info.signal === SIGKILL) return info;
  const { tracer } = tracee;
  stopTask(task, { kind: 'signal', code: info.signal, info, then: (signal, left) => inject(task, signal, left, tracer) });
  return 'held';
}

/** The tracer answered (the end of ptrace_signal). */
function inject(task: KernelTask, signal: number, info: SignalInfo | undefined, tracer: KernelTask): void {
  if (signal < 1 || signal > NSIG) return;
  const next = info?.signal === signal ? info : { signal, code: SI_USER, pid: tracer.process.pid, uid: tracer.credentials.uid };
  if (task.blocked.has(signal)) task.pending.add(next);
  else task.injected = next;
  task.updateAttention();
}

/** PTRACE_INTERRUPT, or a stop of the group: who attached sees the signal, who seized PTRACE_EVENT_STOP. False: the group went on meanwhile. */
function trap(task: KernelTask): boolean {
  const { process } = task;
  const tracee = task.tracee!;
  tracee.trapPending = false;
  tracee.notifyPending = false;
  task.updateAttention();
  if (!tracee.seized && !process.stopped) return false;
  const signal = process.stopped ? process.stopSignal : SIGTRAP;
  if (!tracee.seized) {
    stopTask(task, { kind: 'group', code: signal, info: undefined, then: undefined });
    return true;
  }
  const code = signal | (PTRACE_EVENT_STOP << 8);
  stopTask(task, { kind: 'group', code, info: { signal, code, pid: task.tid, uid: task.credentials.uid }, then: undefined });
  return true;
}
