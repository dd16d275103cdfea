/** ioprio_get(2), ioprio_set(2) (block/ioprio.c): kept and reported, as no queue of a disk is ours. */
import { CAP_SYS_ADMIN, CAP_SYS_NICE } from '../../abi/capability.ts';
import { EINVAL, EPERM } from '../../abi/errno.ts';
import { IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, IOPRIO_CLASS_NONE, IOPRIO_CLASS_RT, IOPRIO_CLASS_SHIFT, IOPRIO_WHO_PGRP, IOPRIO_WHO_PROCESS, IOPRIO_WHO_USER } from '../../abi/ioprio.ts';
import { PRIO_PGRP, PRIO_PROCESS, PRIO_USER } from '../../abi/resource.ts';
import { SCHED_IDLE, SCHED_FIFO, SCHED_RR } from '../../abi/sched.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { selectTasks } from './resource.ts';

const WHO: ReadonlyMap<number, number> = new Map([[IOPRIO_WHO_PROCESS, PRIO_PROCESS], [IOPRIO_WHO_PGRP, PRIO_PGRP], [IOPRIO_WHO_USER, PRIO_USER]]);
const LEVEL_MASK = 7;

function classOf(priority: number): number {
  return (priority >> IOPRIO_CLASS_SHIFT) & 7;
}

function ioprioSet(task: KernelTask, which: number, who: number, wanted: number): number {
  const priority = wanted & 0xffff;
  switch (classOf(priority)) {
    case IOPRIO_CLASS_RT:
      if (!task.capable(CAP_SYS_ADMIN) && !task.capable(CAP_SYS_NICE)) return -EPERM;
      break;
    case IOPRIO_CLASS_BE:
    case IOPRIO_CLASS_IDLE:
      break;
    case IOPRIO_CLASS_NONE:
      if ((priority & LEVEL_MASK) !== 0) return -EINVAL;
      break;
    default:
      return -EINVAL;
  }
  const selector = WHO.get(which);
  const found = selector === undefined ? -EINVAL : selectTasks(task, selector, who);
  if (typeof found === 'number') return found;
  for (const other of found) {
    const { uid, euid } = task.credentials;
    if (other.credentials.uid !== euid && other.credentials.uid !== uid && !task.capableIn(other.credentials.user, CAP_SYS_NICE)) return -EPERM;
    other.ioPriority = priority;
  }
  return 0;
}

/** What a task without one of its own counts as: by its scheduling class and nice value (task_nice_ioclass, task_nice_ioprio). */
function effective({ ioPriority, policy, nice }: KernelTask): number {
  if (classOf(ioPriority) !== IOPRIO_CLASS_NONE) return ioPriority;
  const kind = policy === SCHED_IDLE ? IOPRIO_CLASS_IDLE : policy === SCHED_FIFO || policy === SCHED_RR ? IOPRIO_CLASS_RT : IOPRIO_CLASS_BE;
  return (kind << IOPRIO_CLASS_SHIFT) | Math.floor((nice + 20) / 5);
}

function ioprioGet(task: KernelTask, which: number, who: number): number {
  const selector = WHO.get(which);
  const found = selector === undefined ? -EINVAL : selectTasks(task, selector, who);
  if (typeof found === 'number') return found;
  return which === IOPRIO_WHO_PROCESS ? found[0]!.ioPriority : Math.min(...found.map(effective));
}

export const ioprioRows: readonly SyscallRow[] = [
  row(251, 'ioprio_set', ['int', 'int', 'int'], ioprioSet, { note: 'Kept and reported, without effect.' }),
  row(252, 'ioprio_get', ['int', 'int'], ioprioGet),
];
