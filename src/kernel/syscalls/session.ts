/** Ids of tasks, process groups and sessions: getpid(2), setpgid(2), setsid(2) (kernel/sys.c). */
import { EACCES, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import type { Process } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

function setpgid(task: KernelTask, pid: number, group: number): number {
  const own = task.process;
  if (group < 0) return -EINVAL;
  const target = pid === 0 ? own : task.kernel.findProcess(task.idOf(pid));
  if (target === undefined || target.state !== 'alive') return -ESRCH;
  const wanted = group === 0 ? target.pid : task.idOf(group);
  if (target !== own) {
    if (target.parent !== own) return -ESRCH;
    if (target.session !== own.session) return -EPERM;
    if (target.execed) return -EACCES;
  }
  if (target.isSessionLeader) return -EPERM;
  if (wanted !== target.pid && !task.kernel.processesInGroup(wanted).some((process) => process.session === own.session)) return -EPERM;
  const left = target.processGroup;
  target.processGroup = wanted;
  if (target.pidNamespace.parent !== undefined) task.kernel.releaseId(target.pidNamespace, left);
  return 0;
}

/** The process of a number that the guest gave, 0 for its own. */
function findProcess(task: KernelTask, number: number): Process | undefined {
  if (number === 0) return task.process;
  const id = task.idOf(number);
  return task.kernel.findTask(id)?.process ?? task.kernel.findProcess(id);
}

function getpgid(task: KernelTask, pid: number): number {
  const process = findProcess(task, pid);
  return process === undefined ? -ESRCH : task.numberOf(process.processGroup);
}

function getsid(task: KernelTask, pid: number): number {
  const process = findProcess(task, pid);
  return process === undefined ? -ESRCH : task.numberOf(process.session);
}

function setsid(task: KernelTask): number {
  const { process, kernel } = task;
  if (process.isSessionLeader || kernel.processesInGroup(process.pid).length > 0) return -EPERM;
  const left = [process.session, process.processGroup];
  process.sessionRef = { id: process.pid, terminal: undefined };
  process.processGroup = process.pid;
  if (process.pidNamespace.parent !== undefined) for (const id of left) kernel.releaseId(process.pidNamespace, id);
  return process.number;
}

export const sessionRows: readonly SyscallRow[] = [
  row(39, 'getpid', [], (task) => task.process.number),
  row(109, 'setpgid', ['int', 'int'], setpgid),
  row(110, 'getppid', [], (task) => task.process.parentNumber),
  row(111, 'getpgrp', [], (task) => task.numberOf(task.process.processGroup)),
  row(112, 'setsid', [], setsid),
  row(121, 'getpgid', ['int'], getpgid),
  row(124, 'getsid', ['int'], getsid),
  row(186, 'gettid', [], (task) => task.number),
];
