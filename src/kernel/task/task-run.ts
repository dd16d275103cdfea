/** A task's turn: the rest of a call that blocked, signals, then its code (the exit-to-user loop of kernel/entry/common.c). */
import { ERESTARTSYS } from '../../abi/errno.ts';
import {
  BUS_ADRERR, FPE_FLTDIV, FPE_FLTINV, FPE_FLTOVF, FPE_FLTRES, FPE_FLTUND, FPE_INTDIV, ILL_ILLOPN, SEGV_ACCERR, SEGV_MAPERR, SI_KERNEL, SIGBUS, SIGFPE, SIGILL,
  SIGSEGV, SIGTRAP, TRAP_BRKPT, TRAP_TRACE,
} from '../../abi/signal.ts';
import type { Exit } from '../../machine/index.ts';
import { runTraced } from '../ptrace/run.ts';
import { finishTracedCall } from '../ptrace/traced-call.ts';
import { finishCall, repeatCall } from './call.ts';
import { deliverSignals } from '../signals/deliver.ts';
import { forceSignal } from '../signals/send.ts';
import { BLOCKED, type SignalInfo } from '../types.ts';
import { ATTENTION_LEAVE, ATTENTION_YIELD, type KernelTask } from './task.ts';

const PAGE_FAULT = 14;
/** Error code: in user mode. */
const USER = 4;

/** Runs the task for one time slice or until it cannot go on. */
export function runTask(task: KernelTask): void {
  const { kernel } = task;
  const { scheduler } = kernel;
  scheduler.load(task);
  kernel.current = task;
  const start = kernel.monotonicNs();
  task.runningSinceNs = start;
  kernel.statistics.taskSwitches++;
  if (prepareToRun(task)) runCode(task);
  const now = kernel.monotonicNs();
  task.cpuNs += now - start;
  task.cgroup.usageNs += now - start;
  task.runningSinceNs = 0;
  kernel.current = undefined;
  if (kernel.cgroups.controlsCpu) kernel.cgroups.ran(task, now, now - start);
  if (task.cgroup.held) kernel.cgroups.stopped(task);
  if (task.state === 'running') {
    task.involuntarySwitches++;
    scheduler.enqueue(task);
  } else {
    task.contextSwitches++;
  }
}

/** Repeats a call that was woken and delivers signals. True: the task can run its code. */
function prepareToRun(task: KernelTask): boolean {
  if (task.held) return false;
  const { resume } = task;
  if (resume !== undefined) {
    task.resume = undefined;
    resume();
    return settle(task);
  }
  if (task.callRow !== undefined) {
    const { mm } = task;
    const result = repeatCall(task);
    if (task.state === 'dead') return false;
    if (task.mm !== mm) task.kernel.scheduler.load(task);
    if (result !== BLOCKED && result !== -ERESTARTSYS) {
      if (task.tracee === undefined) finishCall(task, result);
      else finishTracedCall(task, result);
    }
  }
  return settle(task);
}

/** Handles what needs attention until the task can run; false when it cannot. */
function settle(task: KernelTask): boolean {
  task.attention &= ~(ATTENTION_LEAVE | ATTENTION_YIELD);
  const { deferred } = task;
  if (deferred !== undefined) {
    task.deferred = undefined;
    deferred();
  }
  if (task.held || task.state === 'dead') return false;
  // Behind a tracer's stop an interrupted call may be left to be settled, with no signal to come.
  if (task.attention !== 0 || task.restarting || task.savedMask !== undefined) deliverSignals(task);
  return task.state === 'running' && task.callRow === undefined && !task.held;
}

function runCode(task: KernelTask): void {
  const { kernel } = task;
  // Each signal begins a new time slice of code: one that signals itself without end must not keep the others waiting.
  const end = kernel.monotonicNs() + kernel.limits.yieldMs * 1e6;
  for (;;) {
    const { mm } = task;
    const { tracee } = task;
    const exit = tracee === undefined ? mm.space.run(kernel.limits.timeSlice) : runTraced(task, tracee);
    if (exit.kind !== 'syscall') task.originalCall = -1;
    if (exit.kind === 'fault' && !(exit.vector === PAGE_FAULT && mm.makeAccessible(exit.address))) fault(task, exit);
    if (task.state === 'dead') return;
    if (task.mm !== mm) kernel.scheduler.load(task);
    const yields = exit.kind === 'budget' || (task.attention & ATTENTION_YIELD) !== 0;
    if (!settle(task) || yields) return;
    const now = kernel.monotonicNs();
    if (now >= end || kernel.timers.nextDeadline <= now) return;
  }
}

/** An exception of the processor becomes a signal (arch/x86/kernel/traps.c, arch/x86/mm/fault.c). */
function fault(task: KernelTask, exit: Extract<Exit, { kind: 'fault' }>): void {
  forceSignal(task, faultInfo(task, exit));
}

function faultInfo(task: KernelTask, exit: Extract<Exit, { kind: 'fault' }>): SignalInfo {
  const trap = { trapNumber: exit.vector, trapError: exit.error };
  const { rip } = task.mm.space;
  switch (exit.vector) {
    case 0:
      return { signal: SIGFPE, code: FPE_INTDIV, address: rip, ...trap };
    case 1:
      return { signal: SIGTRAP, code: TRAP_TRACE, address: rip, ...trap };
    case 3:
      return { signal: SIGTRAP, code: SI_KERNEL, ...trap };
    case 6:
      return { signal: SIGILL, code: ILL_ILLOPN, address: rip, ...trap };
    case PAGE_FAULT:
      return pageFaultInfo(task, exit.address, exit.error);
    case 16:
    case 19:
      return { signal: SIGFPE, code: floatCode(task, exit.vector), address: rip, ...trap };
    case 17:
      return { signal: SIGBUS, code: 1, ...trap };
    default:
      return { signal: SIGSEGV, code: exit.vector === 4 ? TRAP_BRKPT : SI_KERNEL, ...trap };
  }
}

function pageFaultInfo(task: KernelTask, address: number, error: number): SignalInfo {
  const trap = { address, trapNumber: PAGE_FAULT, trapError: error | USER };
  const vma = address >= 0 && address < 0x1_0000_0000 ? task.mm.vmas.find(address) : undefined;
  if (vma === undefined) return { signal: SIGSEGV, code: SEGV_MAPERR, ...trap };
  if (address >= vma.fileEnd && vma.prot !== 0) return { signal: SIGBUS, code: BUS_ADRERR, ...trap };
  return { signal: SIGSEGV, code: SEGV_ACCERR, ...trap };
}

/** Which unmasked exception: from FSW and FCW, or MXCSR (`fpu__exception_code`). */
function floatCode(task: KernelTask, vector: number): number {
  const image = new Uint8Array(512);
  task.mm.space.saveFpu(image);
  const view = new DataView(image.buffer);
  const mxcsr = view.getUint32(24, true);
  const raised = vector === 19 ? mxcsr & ~(mxcsr >>> 7) & 0x3f : view.getUint16(2, true) & ~view.getUint16(0, true) & 0x3f;
  if ((raised & 1) !== 0) return FPE_FLTINV;
  if ((raised & 4) !== 0) return FPE_FLTDIV;
  if ((raised & 8) !== 0) return FPE_FLTOVF;
  if ((raised & 0x12) !== 0) return FPE_FLTUND;
  return (raised & 0x20) !== 0 ? FPE_FLTRES : 0;
}

