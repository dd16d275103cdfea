/** Ids of tasks, process groups and sessions: getpid(2), setpgid(2), setsid(2) (kernel/sys.c). */
import { EACCES, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

function setpgid(task: KernelTask, pid: number, group: number): number {
  const own = task.process;
  if (group < 0) return -EINVAL;
  const target = pid === 0 ? own : task.kernel.findProcess(pid);
  if (target === undefined || target.state !== 'alive') return -ESRCH;
  const wanted = group === 0 ? target.pid : group;
  if (target !== own) {
    if (target.parent !== own) return -ESRCH;
    if (target.session !== own.session) return -EPERM;
    if (target.execed) return -EACCES;
  }
  if (target.isSessionLeader) return -EPERM;
  if (wanted !== target.pid && !task.kernel.processesInGroup(wanted).some((process) => process.session === own.session)) return -EPERM;
  target.processGroup = wanted;
  return 0;
}

function getpgid(task: KernelTask, pid: number): number {
  if (pid === 0) return task.process.processGroup;
  return (task.kernel.findTask(pid)?.process ?? task.kernel.findProcess(pid))?.processGroup ?? -ESRCH;
}

function getsid(task: KernelTask, pid: number): number {
  if (pid === 0) return task.process.session;
  return (task.kernel.findTask(pid)?.process ?? task.kernel.findProcess(pid))?.session ?? -ESRCH;
}

function setsid(task: KernelTask): number {
  const { process, kernel } = task;
  if (process.isSessionLeader || kernel.processesInGroup(process.pid).length > 0) return -EPERM;
  process.sessionRef = { id: process.pid, terminal: undefined };
  process.processGroup = process.pid;
  return process.pid;
}

export const sessionRows: readonly SyscallRow[] = [
  row(39, 'getpid', [], (task) => task.process.pid),
  row(109, 'setpgid', ['int', 'int'], setpgid),
  row(110, 'getppid', [], (task) => task.process.parentPid),
  row(111, 'getpgrp', [], (task) => task.process.processGroup),
  row(112, 'setsid', [], setsid),
  row(121, 'getpgid', ['int'], getpgid),
  row(124, 'getsid', ['int'], getsid),
  row(186, 'gettid', [], (task) => task.tid),
];
