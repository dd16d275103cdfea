/** The end of tasks and processes (kernel/exit.c). */
import { SA_NOCLDWAIT, SI_KERNEL, SIG_IGN, SIGCHLD, SIGCONT, SIGHUP, SIGKILL } from '../../abi/signal.ts';
import { wakeFutex } from '../futex/futex.ts';
import { walkRobustList } from '../futex/robust-list.ts';
import { endCode, releaseTracees, traceEnd, unlink } from '../ptrace/attach.ts';
import { notifyTracer } from '../ptrace/stop.ts';
import { leaveFilters } from '../seccomp/leave.ts';
import { childInfo, sendToProcess } from '../signals/send.ts';
import { releaseIpc } from '../ipc/ipc-namespace.ts';
import { releaseMounts } from '../mounts/mount-namespaces.ts';
import { addUsage, type Process } from './process.ts';
import { ATTENTION_LEAVE, type KernelTask } from './task.ts';

/** exit_group(2), or a fatal signal: `status` as wait(2) shows it. */
export function exitGroup(task: KernelTask, status: number): void {
  const { process } = task;
  if (process.state === 'alive') {
    process.state = 'exiting';
    process.exitStatus = status;
  }
  for (const other of [...process.tasks]) if (other !== task) endTask(other);
  endTask(task);
}

/** exit(2) of one thread. */
export function exitTask(task: KernelTask, status: number): void {
  const { process } = task;
  if (process.tasks.size === 1 && process.state === 'alive') {
    process.state = 'exiting';
    process.exitStatus = status;
  }
  endTask(task, status);
}

/** Takes a task out of the world. The last one takes the process with it. `status` is for who traces it. */
export function endTask(task: KernelTask, status = task.process.exitStatus): void {
  if (task.state === 'dead') return;
  task.kernel.tracer?.end(task, status);
  const { process, kernel, mm } = task;
  task.leaveQueues();
  task.onAbandon?.();
  task.onAbandon = undefined;
  task.onInterrupt?.();
  task.onInterrupt = undefined;
  walkRobustList(task);
  releaseMemory(task);
  task.state = 'dead';
  task.attention |= ATTENTION_LEAVE;
  task.callRow = undefined;
  process.usage.userNs += task.cpuTimeNs();
  process.usage.voluntarySwitches += task.contextSwitches;
  process.usage.involuntarySwitches += task.involuntarySwitches;
  process.usage.maxRssBytes = Math.max(process.usage.maxRssBytes, mm.peakBytes);
  task.cpuNs = 0;
  if (task.runningSinceNs > 0) task.runningSinceNs = kernel.monotonicNs();
  if (task.filesRef.drop()) task.files.closeAll();
  const leavesMounts = task.fsRef.drop();
  process.tasks.delete(task);
  kernel.cgroups.leave(task);
  if (leavesMounts) releaseMounts(kernel, task.fs.namespace);
  releaseIpc(kernel, task.namespaces.ipc);
  const traced = traceEnd(task, status);
  releaseTracees(task, releaseZombie);
  if (task.seccomp !== undefined) leaveFilters(task);
  // The leader's id stays taken until the process is awaited, that of a traced thread until its tracer has.
  if (!task.isLeader && !traced) releaseThread(task);
  for (const child of process.children) if (child.leader.parentDeathSignal !== 0 && process.tasks.size === 0) {
    sendToProcess(child, { signal: child.leader.parentDeathSignal, code: 0, pid: process.pid, uid: task.credentials.uid });
  }
  if (process.tasks.size === 0) endProcess(process);
}

/** mm_release: whoever waits for the thread or for vfork's child learns of it. */
export function releaseMemory(task: KernelTask): void {
  const { mm, kernel } = task;
  if (task.clearChildTid !== 0 && mm.users > 1 || task.clearChildTid !== 0 && task.process.tasks.size > 1) {
    mm.memory.writeU32(task.clearChildTid, 0);
    wakeFutex(task, task.clearChildTid, 1);
  }
  task.clearChildTid = 0;
  const vforkDone = task.vforkDone;
  task.vforkDone = undefined;
  vforkDone?.wake();
  // Threads of a process hold the memory together; the last one lets it go.
  const last = task.process.tasks.size === 1;
  if (last) kernel.scheduler.drop(mm);
}

function endProcess(process: Process): void {
  const { kernel } = process;
  process.timers?.cancelAll();
  process.cpuLimitTimer?.cancel();
  process.actionsRef.drop();
  if (process.isSessionLeader) hangUp(process);
  if (process === process.pidNamespace.init) endPidNamespace(process);
  const children = [...process.children];
  reparentChildren(process);
  for (const child of children) signalOrphanedGroup(child, process);
  process.state = 'zombie';
  if (process.parent !== undefined) signalOrphanedGroup(process, process.parent);
  process.exitQueue.wake();
  notifyParent(process);
  kernel.processEnded(process);
}

/** The terminal's foreground group gets SIGHUP and SIGCONT, and the session loses its terminal (disassociate_ctty). */
function hangUp(process: Process): void {
  const terminal = process.sessionRef.terminal;
  if (terminal === undefined) return;
  process.kernel.onSessionEnd?.(process, terminal);
  process.sessionRef.terminal = undefined;
}

/** The first process of a PID namespace takes all others in it along (zap_pid_ns_processes). */
function endPidNamespace(process: Process): void {
  const { pidNamespace, kernel } = process;
  pidNamespace.isOver = true;
  killAll([...kernel.processes()].filter((other) => other.pidNamespace.isWithin(pidNamespace)), process);
}

function reparentChildren(process: Process): void {
  const reaper = findReaper(process);
  for (const child of process.children) {
    child.parent = reaper;
    if (reaper === undefined) {
      child.isOrphan = true;
      if (child.state === 'zombie') reap(child);
      continue;
    }
    reaper.children.add(child);
    if (child.exitSignal !== 0) child.exitSignal = SIGCHLD;
    if (child.state === 'zombie') notifyParent(child);
  }
  process.children.clear();
}

/** Nearest ancestor that asked for it (PR_SET_CHILD_SUBREAPER), else the first process, else the kernel. */
function findReaper(process: Process): Process | undefined {
  const { pidNamespace } = process;
  for (let ancestor = process.parent; ancestor !== undefined && ancestor.pidNamespace === pidNamespace; ancestor = ancestor.parent) {
    if (ancestor.isChildSubreaper && ancestor.state === 'alive') return ancestor;
  }
  const reaper = pidNamespace.parent === undefined ? process.kernel.reaper : pidNamespace.init;
  return reaper !== process && reaper?.state === 'alive' ? reaper : undefined;
}

/**
 * A group that loses its last tie to the session's job control by the end of `member` or of its `parent`, with
 * stopped members: SIGHUP, then SIGCONT (Linux kernel/exit.c:kill_orphaned_pgrp()). A group that had none loses none.
 */
function signalOrphanedGroup(member: Process, parent: Process): void {
  const { kernel, processGroup: group } = member;
  if (parent.processGroup === group || parent.session !== member.session) return;
  if (!kernel.hasStoppedMember(group) || !kernel.isOrphanedProcessGroup(group)) return;
  kernel.signalProcessGroup(group, SIGHUP, { signal: SIGHUP, code: SI_KERNEL });
  kernel.signalProcessGroup(group, SIGCONT, { signal: SIGCONT, code: SI_KERNEL });
}

/** Nobody waits for a thread that has ended: its id is free, and it counts no more (release_task). */
function releaseThread(task: KernelTask): void {
  task.kernel.removeTask(task);
  task.cgroup.pids.uncharge();
}

/** A traced process or thread ended earlier, and its tracer has gone or has waited for it: now it is its parent's. */
export function releaseZombie(task: KernelTask): void {
  if (!task.isLeader) releaseThread(task);
  else if (task.process.state === 'zombie') notifyParent(task.process);
}

/** SIGCHLD, and the end at once when the parent does not care (do_notify_parent). Of a traced process its tracer hears first. */
function notifyParent(process: Process): void {
  const { parent, exitStatus, leader } = process;
  if (leader.tracee !== undefined && leader.tracee.tracer.process !== parent) {
    leader.tracee.endStatus = exitStatus;
    const signal = exitStatus & 0x7f;
    notifyTracer(leader, endCode(exitStatus), signal === 0 ? exitStatus >> 8 : signal);
    return;
  }
  if (parent === undefined) {
    reap(process);
    return;
  }
  const action = parent.actions.get(SIGCHLD);
  const ignores = process.exitSignal === SIGCHLD && (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0);
  if (process.exitSignal !== 0 && !(ignores && action.handler === SIG_IGN)) {
    const signal = exitStatus & 0x7f;
    const info = childInfo(process, endCode(exitStatus), signal === 0 ? exitStatus >> 8 : signal);
    sendToProcess(parent, { ...info, signal: process.exitSignal });
  }
  if (ignores) reap(process);
  parent.childEvents.wake();
}

/** The status was taken: the process leaves the table (release_task). */
export function reap(process: Process): void {
  if (process.state === 'reaped') return;
  process.state = 'reaped';
  unlink(process.leader);
  const { parent, kernel } = process;
  if (parent !== undefined) {
    addUsage(parent.childUsage, process.usage);
    addUsage(parent.childUsage, process.childUsage);
    parent.children.delete(process);
  }
  process.leader.cgroup.pids.uncharge();
  kernel.removeProcess(process);
}

/** Everything but `except` dies: the first process has ended, or the container is killed. */
export function killAll(processes: Iterable<Process>, except?: Process): void {
  for (const process of [...processes]) {
    if (process === except || process.state !== 'alive') continue;
    const { leader } = process;
    const victim = process.tasks.has(leader) ? leader : [...process.tasks][0];
    if (victim !== undefined) exitGroup(victim, SIGKILL);
  }
}
