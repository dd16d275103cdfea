/** The end of tasks, and waiting for it: exit(2), wait4(2), waitid(2) (kernel/exit.c). */
import { ECHILD, EFAULT, EINVAL, EBADF, EAGAIN, ESRCH } from '../../abi/errno.ts';
import { CLD_CONTINUED, CLD_STOPPED, CLD_TRAPPED, SIGCHLD, SIGCONT } from '../../abi/signal.ts';
import { __WALL, __WCLONE, __WNOTHREAD, P_ALL, P_PGID, P_PID, P_PIDFD, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED } from '../../abi/wait.ts';
import { endCode, unlink } from '../ptrace/attach.ts';
import { exitGroup, exitTask, reap, releaseZombie } from '../task/exit.ts';
import { addUsage, emptyUsage, type Process, type Usage } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { PidFile } from './pidfd.ts';
import { writeRusage } from './resource.ts';

const STOPPED_STATUS = 0x7f;
const CONTINUED_STATUS = 0xffff;
const O_NONBLOCK = 0o4000;

/** Who may be waited for: a child or a traced task. */
interface Candidate {
  readonly tid: number;
  readonly process: Process;
}

interface Selection {
  readonly matches: (candidate: Candidate) => boolean;
  readonly options: number;
}

interface Event {
  readonly pid: number;
  readonly uid: number;
  /** As wait4 shows it. */
  readonly status: number;
  /** CLD_*, and the value that goes with it. */
  readonly code: number;
  readonly value: number;
  readonly usage: Usage;
}

/** Children of the class that the options name: those of fork, those of clone with another signal, or all. */
function isEligible(child: Process, options: number): boolean {
  if ((options & __WALL) !== 0) return true;
  return (child.exitSignal !== SIGCHLD) === ((options & __WCLONE) !== 0);
}

/** Who it was, as the waiting task sees ids. */
function identity(waiter: KernelTask, task: KernelTask): Pick<Event, 'pid' | 'uid'> {
  return { pid: waiter.numberOf(task.tid), uid: waiter.credentials.user.shownUid(task.credentials.uid) };
}

function ended(waiter: KernelTask, task: KernelTask, status: number, usage: Usage): Event {
  const signal = status & 0x7f;
  return { ...identity(waiter, task), status, code: endCode(status), value: signal === 0 ? status >> 8 : signal, usage };
}

function usageOfZombie(process: Process): Usage {
  const usage = { ...process.usage };
  addUsage(usage, process.childUsage);
  return usage;
}

/** An event of one child that the options ask for, taken unless WNOWAIT. */
function takeEvent(waiter: KernelTask, child: Process, options: number): Event | undefined {
  const keep = (options & WNOWAIT) !== 0;
  const isTraced = child.leader.tracee !== undefined;
  // A zombie that another traces is the tracer's first.
  if (child.state === 'zombie' && (options & WEXITED) !== 0 && !isTraced) {
    const event = ended(waiter, child.leader, child.exitStatus, usageOfZombie(child));
    if (!keep) reap(child);
    return event;
  }
  if (child.unreportedStop && (options & WSTOPPED) !== 0) {
    if (!keep) child.unreportedStop = false;
    return { ...identity(waiter, child.leader), status: (child.stopSignal << 8) | STOPPED_STATUS, code: CLD_STOPPED, value: child.stopSignal, usage: child.currentUsage() };
  }
  return takeContinue(waiter, child, options);
}

function takeContinue(waiter: KernelTask, child: Process, options: number): Event | undefined {
  if (!child.unreportedContinue || (options & WCONTINUED) === 0) return undefined;
  if ((options & WNOWAIT) === 0) child.unreportedContinue = false;
  return { ...identity(waiter, child.leader), status: CONTINUED_STATUS, code: CLD_CONTINUED, value: SIGCONT, usage: child.currentUsage() };
}

/** An event of a task that the caller traces: its stops count whatever the options say (wait_consider_task with `ptrace`). */
function takeTraceEvent(waiter: KernelTask, task: KernelTask, options: number): Event | undefined {
  const keep = (options & WNOWAIT) !== 0;
  const { process } = task;
  const tracee = task.tracee!;
  if (task.state === 'dead') {
    if (tracee.endStatus === undefined || (options & WEXITED) === 0 || (task.isLeader && process.state !== 'zombie')) return undefined;
    const event = ended(waiter, task, task.isLeader ? process.exitStatus : tracee.endStatus, task.isLeader ? usageOfZombie(process) : emptyUsage());
    if (!keep) {
      const isOwnChild = tracee.tracer.process === process.parent;
      unlink(task);
      if (task.isLeader && isOwnChild) reap(process);
      else releaseZombie(task);
    }
    return event;
  }
  const { stop } = tracee;
  if (stop !== undefined && !stop.reported && !tracee.listening) {
    if (!keep) stop.reported = true;
    return { ...identity(waiter, task), status: (stop.code << 8) | STOPPED_STATUS, code: CLD_TRAPPED, value: stop.code, usage: process.currentUsage() };
  }
  return task.isLeader ? takeContinue(waiter, process, options) : undefined;
}

/** Threads of the caller whose tracees count: with __WNOTHREAD its own only. */
function tracersOf(task: KernelTask, options: number): Iterable<KernelTask> {
  return (options & __WNOTHREAD) !== 0 ? [task] : task.process.tasks;
}

/** An event, 0 when there is none yet and the caller would not wait, -ECHILD, or blocked. */
function wait(task: KernelTask, selection: Selection): Event | number {
  const { process } = task;
  const { options } = selection;
  let found = false;
  for (const child of process.children) {
    // What the process traces itself it sees below (!ptrace_reparented).
    if (child.leader.tracee?.tracer.process === process) continue;
    if (!selection.matches({ tid: child.pid, process: child }) || !isEligible(child, options)) continue;
    found = true;
    const event = takeEvent(task, child, options);
    if (event !== undefined) return event;
  }
  for (const tracer of tracersOf(task, options)) {
    for (const traced of tracer.tracees ?? []) {
      if (!selection.matches(traced)) continue;
      found = true;
      const event = takeTraceEvent(task, traced, options);
      if (event !== undefined) return event;
    }
  }
  if (!found) return -ECHILD;
  if ((options & WNOHANG) !== 0) return 0;
  return task.block([process.childEvents]);
}

function wait4(task: KernelTask, pid: number, statusAddress: number, options: number, rusage: number): number {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) return -EINVAL;
  if (pid === -0x8000_0000) return -ESRCH;
  const group = pid === 0 ? task.process.processGroup : task.idOf(-pid);
  const id = task.idOf(pid);
  const matches = pid > 0 ? ({ tid }: Candidate) => tid === id : pid === -1 ? () => true : ({ process }: Candidate) => process.processGroup === group;
  const event = wait(task, { matches, options: options | WEXITED });
  if (typeof event === 'number') return event;
  if (statusAddress !== 0 && task.memory.writeU32(statusAddress, event.status) < 0) return -EFAULT;
  if (rusage !== 0 && writeRusage(task, rusage, event.usage) < 0) return -EFAULT;
  return event.pid;
}

function selectById(task: KernelTask, type: number, id: number): Selection['matches'] | number {
  switch (type) {
    case P_ALL:
      return () => true;
    case P_PID: {
      const wanted = task.idOf(id);
      return id <= 0 ? -EINVAL : ({ tid }) => tid === wanted;
    }
    case P_PGID: {
      if (id < 0) return -EINVAL;
      const group = id === 0 ? task.process.processGroup : task.idOf(id);
      return ({ process }) => process.processGroup === group;
    }
    case P_PIDFD: {
      if (id < 0) return -EINVAL;
      const file = task.files.get(id);
      if (!(file instanceof PidFile)) return -EBADF;
      return ({ tid, process }) => process === file.process && tid === process.pid;
    }
    default:
      return -EINVAL;
  }
}

function waitid(task: KernelTask, type: number, id: number, info: number, options: number, rusage: number): number {
  if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) return -EINVAL;
  if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return -EINVAL;
  const matches = selectById(task, type, id);
  if (typeof matches === 'number') return matches;
  const file = type === P_PIDFD ? task.files.get(id) : undefined;
  const nonBlocking = file !== undefined && (file.flags & O_NONBLOCK) !== 0;
  const event = wait(task, { matches, options: nonBlocking ? options | WNOHANG : options });
  if (typeof event === 'number' && event !== 0) return event;
  if (event === 0 && nonBlocking && (options & WNOHANG) === 0) return -EAGAIN;
  if (rusage !== 0 && typeof event !== 'number' && writeRusage(task, rusage, event.usage) < 0) return -EFAULT;
  return info === 0 ? 0 : writeWaitInfo(task, info, typeof event === 'number' ? undefined : event);
}

/** Signal, errno, code, pid, uid, status; all zero without an event. */
function writeWaitInfo(task: KernelTask, address: number, event: Event | undefined): number {
  const { memory } = task;
  const words = event === undefined ? [0, 0, 0] : [SIGCHLD, 0, event.code];
  const more = event === undefined ? [0, 0, 0] : [event.pid, event.uid, event.value];
  for (let i = 0; i < 3; i++) {
    if (memory.writeU32(address + 4 * i, words[i]!) < 0 || memory.writeU32(address + 16 + 4 * i, more[i]!) < 0) return -EFAULT;
  }
  return 0;
}

export const waitRows: readonly SyscallRow[] = [
  row(60, 'exit', ['int'], (task, code) => {
    exitTask(task, (code & 0xff) << 8);
    return 0;
  }),
  row(61, 'wait4', ['int', 'pointer', 'flags:wait-options', 'pointer'], wait4, { restart: true }),
  row(231, 'exit_group', ['int'], (task, code) => {
    exitGroup(task, (code & 0xff) << 8);
    return 0;
  }),
  row(247, 'waitid', ['int', 'int', 'pointer', 'flags:wait-options', 'pointer'], waitid, { restart: true }),
];
