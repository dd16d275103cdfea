/** Signals: rt_sigaction(2), rt_sigprocmask(2), kill(2), sigaltstack(2) and their kin (kernel/signal.c). */
import { EAGAIN, EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_KILL } from '../../abi/capability.ts';
import {
  MINSIGSTKSZ, NSIG, SI_TKILL, SI_USER, SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SIGACTION_SIZE, SIGBUS, SIGCONT, SIGINFO_SIZE, SIGSEGV, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK,
} from '../../abi/signal.ts';
import { RSP } from '../../machine/index.ts';
import { forceSignal, sendToProcess, sendToTask } from '../signals/send.ts';
import { UNBLOCKABLE } from '../signals/signal-actions.ts';
import { alternateStackFlags, onAlternateStack, restoreSignalFrame, type AlternateStack } from '../signals/signal-frame.ts';
import { decodeSignalInfo, encodeSignalInfo } from '../signals/siginfo.ts';
import { SignalSet } from '../signals/signal-set.ts';
import type { Process } from '../task/process.ts';
import { ATTENTION_LEAVE, type KernelTask } from '../task/task.ts';
import { readTimespec } from '../time/timespec.ts';
import type { SignalMask, SyscallRow } from '../types.ts';
import { row } from './define.ts';

const SET_SIZE = 8;

function readMask(task: KernelTask, address: number): SignalMask | undefined {
  const low = task.memory.readI32(address);
  const high = task.memory.readI32(address + 4);
  return low === undefined || high === undefined ? undefined : { low, high };
}

function writeMask(task: KernelTask, address: number, mask: SignalMask): number {
  return task.memory.writeU32(address, mask.low) < 0 || task.memory.writeU32(address + 4, mask.high) < 0 ? -EFAULT : 0;
}

// ---- actions and masks ----

function rtSigaction(task: KernelTask, signal: number, next: number, old: number, size: number): number {
  if (size !== SET_SIZE) return -EINVAL;
  if (signal < 1 || signal > NSIG || (next !== 0 && UNBLOCKABLE.has(signal))) return -EINVAL;
  const { actions } = task.process;
  const { memory } = task;
  const bytes = next === 0 ? undefined : memory.copyIn(next, SIGACTION_SIZE);
  if (next !== 0 && bytes === undefined) return -EFAULT;
  const before = actions.get(signal);
  if (bytes !== undefined) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const mask = new SignalSet();
    mask.assign({ low: view.getInt32(24, true), high: view.getInt32(28, true) });
    mask.deleteAll(UNBLOCKABLE);
    actions.set(signal, {
      handler: Number(view.getBigUint64(0, true)),
      flags: view.getUint32(8, true),
      restorer: Number(view.getBigUint64(16, true)),
      mask,
    });
    applyAction(task, signal);
  }
  if (old === 0) return 0;
  const target = memory.writable(old, SIGACTION_SIZE);
  if (target === undefined) return -EFAULT;
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  view.setBigUint64(0, BigInt(before.handler), true);
  view.setBigUint64(8, BigInt(before.flags), true);
  view.setBigUint64(16, BigInt(before.restorer), true);
  view.setInt32(24, before.mask.low, true);
  view.setInt32(28, before.mask.high, true);
  return 0;
}

/** Ignoring drops what is pending; a handler of faults makes faults precise. */
function applyAction(task: KernelTask, signal: number): void {
  const { process } = task;
  if (process.actions.ignores(signal)) {
    const set = SignalSet.of(signal);
    process.pending.discard(set);
    for (const other of process.tasks) {
      other.pending.discard(set);
      other.updateAttention();
    }
  }
  if ((signal === SIGSEGV || signal === SIGBUS) && process.actions.handles(signal)) task.mm.space.requireChecks();
}

function rtSigprocmask(task: KernelTask, how: number, set: number, old: number, size: number): number {
  if (size !== SET_SIZE) return -EINVAL;
  const before = { low: task.blocked.low, high: task.blocked.high };
  if (set !== 0) {
    const mask = readMask(task, set);
    if (mask === undefined) return -EFAULT;
    const next = SignalSet.from(before);
    if (how === SIG_BLOCK) next.addAll(mask);
    else if (how === SIG_UNBLOCK) next.deleteAll(mask);
    else if (how === SIG_SETMASK) next.assign(mask);
    else return -EINVAL;
    task.setBlocked(next);
  }
  return old === 0 ? 0 : writeMask(task, old, before);
}

function rtSigpending(task: KernelTask, address: number, size: number): number {
  if (size > SET_SIZE) return -EINVAL;
  const pending = task.pendingSignals;
  return writeMask(task, address, { low: pending.low & task.blocked.low, high: pending.high & task.blocked.high });
}

function rtSigsuspend(task: KernelTask, address: number, size: number): number {
  if (size !== SET_SIZE) return -EINVAL;
  if (task.blocking === undefined) {
    const mask = readMask(task, address);
    if (mask === undefined) return -EFAULT;
    task.setTemporaryMask(mask);
    task.blocking = true;
  }
  task.onInterrupt = () => -EINTR;
  return task.block([]);
}

function pause(task: KernelTask): number {
  task.onInterrupt = () => -EINTR;
  return task.block([]);
}

function rtSigtimedwait(task: KernelTask, set: number, info: number, timeout: number, size: number): number {
  if (size !== SET_SIZE) return -EINVAL;
  const mask = readMask(task, set);
  if (mask === undefined) return -EFAULT;
  const wanted = SignalSet.from(mask);
  wanted.deleteAll(UNBLOCKABLE);
  const signal = task.dequeueSignal(wanted);
  if (signal !== undefined) {
    if (info !== 0 && task.memory.copyOut(info, encodeSignalInfo(signal)) < 0) return -EFAULT;
    return signal.signal;
  }
  if (task.deadlinePassed) return -EAGAIN;
  let deadline = task.blocking as number | undefined;
  if (deadline === undefined) {
    const duration = timeout === 0 ? Infinity : readTimespec(task.memory, timeout);
    if (duration < 0) return duration;
    if (duration === 0) return -EAGAIN;
    deadline = task.kernel.monotonicNs() + duration;
  }
  task.blocking = deadline;
  task.onInterrupt = () => -EINTR;
  return task.block([task.signalQueue], deadline);
}

// ---- alternate stack and return ----

function sigaltstack(task: KernelTask, next: number, old: number): number {
  const { memory, alternateStack: current } = task;
  const rsp = Number(task.mm.space.getRegister(RSP));
  let stack: AlternateStack | undefined;
  if (next !== 0) {
    const address = memory.readI64(next);
    const flags = memory.readI32(next + 8);
    const size = memory.readI64(next + 16);
    if (address === undefined || flags === undefined || size === undefined) return -EFAULT;
    const mode = flags & ~SS_AUTODISARM;
    if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) return -EINVAL;
    if (onAlternateStack(current, rsp)) return -EPERM;
    if (mode !== SS_DISABLE && (size < MINSIGSTKSZ && size >= 0)) return -ENOMEM;
    stack = mode === SS_DISABLE ? { address: 0, size: 0, flags } : { address, size, flags };
  }
  if (old !== 0) {
    const failed = memory.writeI64(old, current.address) < 0 || memory.writeI64(old + 8, alternateStackFlags(current, rsp)) < 0 || memory.writeI64(old + 16, current.size) < 0;
    if (failed) return -EFAULT;
  }
  if (stack !== undefined) task.alternateStack = stack;
  return 0;
}

function rtSigreturn(task: KernelTask): number {
  task.skipResult = true;
  task.attention |= ATTENTION_LEAVE;
  task.originalCall = -1;
  task.deferred = () => {
    const restored = restoreSignalFrame(task.mm.space, task.memory);
    if (restored === undefined) {
      forceSignal(task, { signal: SIGSEGV, code: 0x80 });
      return;
    }
    task.setBlocked(restored.mask);
    const { alternateStack } = restored;
    if ((alternateStack.flags & SS_DISABLE) === 0 || task.alternateStack.size === 0) task.alternateStack = { ...alternateStack, flags: alternateStack.flags & ~SS_ONSTACK };
  };
  return 0;
}

// ---- sending ----

/** kill_ok_by_cred: same user, or the capability; SIGCONT within the session. */
export function maySignal(task: KernelTask, process: Process, signal: number): boolean {
  const { credentials } = task;
  const target = process.leader.credentials;
  if (credentials.euid === target.suid || credentials.euid === target.uid || credentials.uid === target.suid || credentials.uid === target.uid) return true;
  if (task.capableIn(target.user, CAP_KILL)) return true;
  return signal === SIGCONT && process.session === task.process.session;
}

function userInfo(task: KernelTask, signal: number, code: number): { signal: number; code: number; pid: number; uid: number } {
  return { signal, code, pid: task.process.pid, uid: task.credentials.uid };
}

/** 0, -EPERM or -ESRCH for a group of receivers: one that may be signalled is enough. */
function signalMany(task: KernelTask, targets: readonly Process[], signal: number): number {
  let answer = -ESRCH;
  for (const target of targets) {
    if (!maySignal(task, target, signal)) {
      if (answer !== 0) answer = -EPERM;
      continue;
    }
    answer = 0;
    if (signal !== 0) sendToProcess(target, userInfo(task, signal, SI_USER));
  }
  return answer;
}

function kill(task: KernelTask, pid: number, signal: number): number {
  if (signal < 0 || signal > NSIG) return -EINVAL;
  const { kernel } = task;
  if (pid > 0) {
    const id = task.idOf(pid);
    const process = kernel.findTask(id)?.process ?? kernel.findProcess(id);
    return process === undefined ? -ESRCH : signalMany(task, [process], signal);
  }
  if (pid === -0x8000_0000) return -ESRCH;
  if (pid === -1) return signalMany(task, [...kernel.processes()].filter((process) => task.numberOf(process.pid) > 1 && process !== task.process), signal);
  return signalMany(task, kernel.processesInGroup(pid === 0 ? task.process.processGroup : task.idOf(-pid)), signal);
}

function tgkill(task: KernelTask, tgid: number, tid: number, signal: number): number {
  if (tgid <= 0 || tid <= 0 || signal < 0 || signal > NSIG) return -EINVAL;
  return sendToThread(task, tgid, tid, signal);
}

function sendToThread(task: KernelTask, tgid: number, tid: number, signal: number): number {
  const target = task.kernel.findTask(task.idOf(tid));
  if (target === undefined || (tgid > 0 && task.numberOf(target.process.pid) !== tgid)) return -ESRCH;
  if (!maySignal(task, target.process, signal)) return -EPERM;
  if (signal !== 0) sendToTask(target, userInfo(task, signal, SI_TKILL));
  return 0;
}

function queueLimited(task: KernelTask, process: Process): boolean {
  return process.pending.length >= task.kernel.limits.queuedSignals;
}

function rtSigqueueinfo(task: KernelTask, pid: number, signal: number, info: number): number {
  const bytes = task.memory.copyIn(info, SIGINFO_SIZE);
  if (bytes === undefined) return -EFAULT;
  const decoded = decodeSignalInfo(bytes, signal);
  if ((decoded.code >= 0 || decoded.code === SI_TKILL) && pid !== task.process.number) return -EPERM;
  if (signal < 0 || signal > NSIG) return -EINVAL;
  const process = task.kernel.findProcess(task.idOf(pid));
  if (process === undefined) return -ESRCH;
  if (!maySignal(task, process, signal)) return -EPERM;
  if (queueLimited(task, process)) return -EAGAIN;
  if (signal !== 0) sendToProcess(process, decoded);
  return 0;
}

function rtTgsigqueueinfo(task: KernelTask, tgid: number, tid: number, signal: number, info: number): number {
  if (tgid <= 0 || tid <= 0) return -EINVAL;
  const bytes = task.memory.copyIn(info, SIGINFO_SIZE);
  if (bytes === undefined) return -EFAULT;
  const decoded = decodeSignalInfo(bytes, signal);
  if ((decoded.code >= 0 || decoded.code === SI_TKILL) && tid !== task.number) return -EPERM;
  if (signal < 0 || signal > NSIG) return -EINVAL;
  const target = task.kernel.findTask(task.idOf(tid));
  if (target === undefined || task.numberOf(target.process.pid) !== tgid) return -ESRCH;
  if (!maySignal(task, target.process, signal)) return -EPERM;
  if (target.pending.length >= task.kernel.limits.queuedSignals) return -EAGAIN;
  if (signal !== 0) sendToTask(target, decoded);
  return 0;
}

/** A call with a deadline that a tracer's stop interrupted goes on. */
function restartSyscall(task: KernelTask): number {
  const { restartBlock } = task;
  if (restartBlock === undefined) return -EINTR;
  task.blocking ??= restartBlock.blocking;
  const [a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0] = restartBlock.arguments;
  return restartBlock.row.handler!(task, a0, a1, a2, a3, a4, a5);
}

export const signalRows: readonly SyscallRow[] = [
  row(13, 'rt_sigaction', ['signal', 'pointer:sigaction', 'pointer', 'size'], rtSigaction),
  row(14, 'rt_sigprocmask', ['flags:sigprocmask-how', 'pointer:sigset', 'pointer', 'size'], rtSigprocmask),
  row(15, 'rt_sigreturn', [], rtSigreturn),
  row(34, 'pause', [], pause),
  row(62, 'kill', ['int', 'signal'], kill),
  row(127, 'rt_sigpending', ['pointer:sigset', 'size'], rtSigpending),
  row(128, 'rt_sigtimedwait', ['pointer:sigset', 'pointer', 'pointer:timespec', 'size'], rtSigtimedwait),
  row(129, 'rt_sigqueueinfo', ['int', 'signal', 'pointer'], rtSigqueueinfo),
  row(130, 'rt_sigsuspend', ['pointer:sigset', 'size'], rtSigsuspend),
  row(131, 'sigaltstack', ['pointer', 'pointer'], sigaltstack),
  row(200, 'tkill', ['int', 'signal'], (task, tid, signal) => (tid <= 0 || signal < 0 || signal > NSIG ? -EINVAL : sendToThread(task, 0, tid, signal))),
  row(219, 'restart_syscall', [], restartSyscall, { note: 'For traced tasks; other calls that are interrupted go on without it.' }),
  row(234, 'tgkill', ['int', 'int', 'signal'], tgkill),
  row(297, 'rt_tgsigqueueinfo', ['int', 'int', 'signal', 'pointer'], rtTgsigqueueinfo),
];

