/**
 * System calls of a traced task (kernel/entry/common.c: syscall_trace_enter, syscall_exit_work). They are made once the
 * task's code has come back, so that it can be held before and behind each.
 */
import {
  EINTR, ENOSYS, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS,
} from '../../abi/errno.ts';
import { PTRACE_EVENT_EXIT, PTRACE_EVENT_SECCOMP, PTRACE_O_SUSPEND_SECCOMP, PTRACE_O_TRACEEXIT, PTRACE_O_TRACESECCOMP } from '../../abi/ptrace.ts';
import { SECCOMP_RET_ACTION_FULL, SECCOMP_RET_DATA, SECCOMP_RET_TRACE } from '../../abi/seccomp.ts';
import { SIGTRAP, TRAP_BRKPT } from '../../abi/signal.ts';
import { RAX } from '../../machine/index.ts';
import { argumentsOf } from '../gate-entry.ts';
import { filterAnswer, passesSeccomp } from '../seccomp/seccomp.ts';
import { forceSignal } from '../signals/send.ts';
import { closeCall, writeResult } from '../task/call.ts';
import { ATTENTION_LEAVE, type KernelTask } from '../task/task.ts';
import { BLOCKED } from '../types.ts';
import { stopAtCall, stopForEvent } from './stop.ts';

const RESTART_SYSCALL = 219;
const EXIT = 60;
const EXIT_GROUP = 231;
const SYSCALL_BYTES = 2;

/** The gate found that the task is traced: always leaves its code. */
export function beginTracedCall(task: KernelTask, number: number): true {
  task.originalCall = number;
  task.attention |= ATTENTION_LEAVE;
  task.deferred = () => enterCall(task);
  return true;
}

function enterCall(task: KernelTask): void {
  const { tracee } = task;
  writeResult(task.mm.space.registers, -ENOSYS);
  if (tracee === undefined || tracee.mode === 'continue') {
    filterCall(task, false);
    return;
  }
  const emulated = tracee.mode === 'emulate';
  stopAtCall(task, 'syscall-entry', emulated ? undefined : () => filterCall(task, false));
}

/** `rechecked`: the tracer has decided already (recheck_after_trace). */
function filterCall(task: KernelTask, rechecked: boolean): void {
  const number = task.originalCall;
  if (number === -1) {
    leaveCall(task);
    return;
  }
  const { tracee, seccomp } = task;
  if (seccomp === undefined || tracee?.has(PTRACE_O_SUSPEND_SECCOMP) === true) {
    makeCall(task);
    return;
  }
  const { space } = task.mm;
  const answer = seccomp.strict || tracee?.has(PTRACE_O_TRACESECCOMP) !== true ? 0 : filterAnswer(task, space, number);
  if ((answer & SECCOMP_RET_ACTION_FULL) === SECCOMP_RET_TRACE) {
    if (rechecked) makeCall(task);
    else stopForEvent(task, { event: PTRACE_EVENT_SECCOMP, message: answer & SECCOMP_RET_DATA }, () => filterCall(task, true), 'seccomp');
  } else if (passesSeccomp(task, space, number)) {
    makeCall(task);
  } else if (task.state === 'running' && task.callRow === undefined) {
    leaveCall(task);
  }
}

function makeCall(task: KernelTask): void {
  const { kernel, originalCall: number, mm } = task;
  const { registers } = mm.space;
  if ((number === EXIT || number === EXIT_GROUP) && task.tracee?.has(PTRACE_O_TRACEEXIT) === true && task.tracee.events.length === 0) {
    const message = ((registers[2 * 7] ?? 0) & 0xff) << 8;
    stopForEvent(task, { event: PTRACE_EVENT_EXIT, message }, () => perform(task));
    return;
  }
  if (kernel.syscalls[number] === undefined) {
    kernel.countUnknown(number);
    endCall(task, -ENOSYS);
    return;
  }
  perform(task);
}

function perform(task: KernelTask): void {
  const { kernel, originalCall: number, mm } = task;
  const entry = kernel.syscalls[number]!;
  kernel.statistics.syscallCounts[number]!++;
  const args = argumentsOf(entry, mm.space.registers);
  const [a0, a1, a2, a3, a4, a5] = args as [number, number, number, number, number, number];
  const result = kernel.tracer === undefined ? entry.handler(task, a0, a1, a2, a3, a4, a5) : kernel.tracer.enter(task, entry, args);
  if (task.state === 'dead') return;
  if (task.mm !== mm) kernel.scheduler.load(task);
  if (result === BLOCKED || result === -ERESTARTSYS) {
    task.callRow = entry.row;
    task.callArguments = args;
    const event = task.tracee?.events.shift();
    if (event !== undefined) stopForEvent(task, event);
    return;
  }
  task.blocking = undefined;
  task.onInterrupt = undefined;
  task.onAbandon = undefined;
  task.deadlinePassed = false;
  endCall(task, result);
}

/** A call that had blocked ended. */
export function finishTracedCall(task: KernelTask, result: number): void {
  closeCall(task, result);
  endCall(task, result);
}

/** Events of the call, its result, and the stop behind it. */
function endCall(task: KernelTask, result: number): void {
  const event = task.tracee?.events.shift();
  if (event !== undefined) {
    stopForEvent(task, event, () => endCall(task, result));
    return;
  }
  if (task.skipResult) {
    task.skipResult = false;
    const { deferred } = task;
    task.deferred = undefined;
    deferred?.();
  } else {
    writeResult(task.mm.space.registers, result);
    task.restoreMask();
  }
  leaveCall(task);
}

function leaveCall(task: KernelTask): void {
  const { tracee } = task;
  if (tracee === undefined) return;
  if (tracee.stepping) forceSignal(task, { signal: SIGTRAP, code: TRAP_BRKPT, address: task.mm.space.rip });
  else if (tracee.mode === 'syscall') stopAtCall(task, 'syscall-exit');
}

/** Calls that begin anew unless a handler runs, and those that go on with their deadline (signal(7)). */
const NO_HANDLER = new Set(['pause', 'rt_sigsuspend', 'select', 'pselect6', 'ppoll']);
const WITH_DEADLINE = new Set(['nanosleep', 'clock_nanosleep', 'poll', 'futex', 'restart_syscall']);

/** A signal or the tracer interrupts the call that the task is in: the answer is in rax before anybody decides what follows. */
export function interruptTracedCall(task: KernelTask): void {
  const row = task.callRow!;
  task.leaveQueues();
  task.state = 'running';
  task.onAbandon?.();
  const answer = task.onInterrupt?.();
  let result = -EINTR;
  if (answer !== undefined && answer !== -EINTR) {
    result = answer;
  } else if (NO_HANDLER.has(row.name)) {
    result = -ERESTARTNOHAND;
  } else if (row.restart === true && answer === undefined) {
    result = -ERESTARTSYS;
  } else if (WITH_DEADLINE.has(row.name)) {
    result = -ERESTART_RESTARTBLOCK;
    if (row.number !== RESTART_SYSCALL) task.restartBlock = { row, arguments: task.callArguments, blocking: task.blocking };
  }
  closeCall(task, result);
  task.restarting = result <= -ERESTARTSYS;
  writeResult(task.mm.space.registers, result);
  leaveCall(task);
}

/** What becomes of an interrupted call: `handles` when a handler runs first, which SA_RESTART lets it follow (arch_do_signal_or_restart). */
export function settleRestart(task: KernelTask, handles: boolean, restartAllowed: boolean): void {
  task.restarting = false;
  if (task.originalCall < 0) return;
  const { space } = task.mm;
  const result = space.registers[2 * RAX]!;
  const again = result === -ERESTARTNOINTR || (result === -ERESTARTSYS && restartAllowed) || (!handles && (result === -ERESTARTSYS || result === -ERESTARTNOHAND));
  if (again) {
    writeResult(space.registers, task.originalCall);
    space.rip = space.rip - SYSCALL_BYTES;
  } else if (!handles && result === -ERESTART_RESTARTBLOCK) {
    writeResult(space.registers, RESTART_SYSCALL);
    space.rip = space.rip - SYSCALL_BYTES;
  } else if (result === -ERESTARTSYS || result === -ERESTARTNOHAND || result === -ERESTART_RESTARTBLOCK) {
    writeResult(space.registers, -EINTR);
  }
}
