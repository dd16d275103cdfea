/** Scheduling: sched_yield(2), sched_setaffinity(2), sched_setscheduler(2) and their kin (kernel/sched/syscalls.c). Policies are kept, tasks take turns. */
import { E2BIG, EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_SYS_NICE } from '../../abi/capability.ts';
import { SCHED_ATTR_SIZE_VER0, SCHED_BATCH, SCHED_DEADLINE, SCHED_FIFO, SCHED_IDLE, SCHED_OTHER, SCHED_RESET_ON_FORK, SCHED_RR } from '../../abi/sched.ts';
import { RLIMIT_RTPRIO } from '../../abi/resource.ts';
import { ATTENTION_YIELD, type KernelTask } from '../task/task.ts';
import { writeTimespec } from '../time/timespec.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const POLICIES = new Set([SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE]);
const RR_INTERVAL_NS = 100e6;
/** Bytes of the kernel's processor mask, in longs. */
const MASK_BYTES = 8;

function find(task: KernelTask, pid: number): KernelTask | number {
  if (pid < 0) return -EINVAL;
  return (pid === 0 ? task : task.kernel.findTask(task.idOf(pid))) ?? -ESRCH;
}

function isRealTime(policy: number): boolean {
  return policy === SCHED_FIFO || policy === SCHED_RR;
}

function mayChange(task: KernelTask, target: KernelTask): boolean {
  return task.credentials.euid === target.credentials.uid || task.credentials.euid === target.credentials.euid || task.capableIn(target.credentials.user, CAP_SYS_NICE);
}

function setPolicy(task: KernelTask, pid: number, rawPolicy: number, priority: number): number {
  const target = find(task, pid);
  if (typeof target === 'number') return target;
  const policy = rawPolicy & ~SCHED_RESET_ON_FORK;
  if (!POLICIES.has(policy)) return policy === SCHED_DEADLINE ? -EPERM : -EINVAL;
  if (isRealTime(policy) ? priority < 1 || priority > 99 : priority !== 0) return -EINVAL;
  if (!mayChange(task, target)) return -EPERM;
  const limit = target.process.limit(RLIMIT_RTPRIO);
  if (isRealTime(policy) && !task.capable(CAP_SYS_NICE) && priority > Math.max(limit, target.priority)) return -EPERM;
  target.policy = policy;
  target.priority = priority;
  target.resetOnFork = (rawPolicy & SCHED_RESET_ON_FORK) !== 0;
  return 0;
}

function setScheduler(task: KernelTask, pid: number, policy: number, parameter: number): number {
  if (policy < 0) return -EINVAL;
  if (parameter === 0) return -EINVAL;
  const priority = task.memory.readI32(parameter);
  return priority === undefined ? -EFAULT : setPolicy(task, pid, policy, priority);
}

function setParam(task: KernelTask, pid: number, parameter: number): number {
  if (parameter === 0) return -EINVAL;
  const priority = task.memory.readI32(parameter);
  if (priority === undefined) return -EFAULT;
  const target = find(task, pid);
  return typeof target === 'number' ? target : setPolicy(task, pid, target.policy, priority);
}

function getParam(task: KernelTask, pid: number, parameter: number): number {
  if (parameter === 0) return -EINVAL;
  const target = find(task, pid);
  return typeof target === 'number' ? target : task.memory.writeU32(parameter, target.priority);
}

function getScheduler(task: KernelTask, pid: number): number {
  const target = find(task, pid);
  return typeof target === 'number' ? target : (target.policy | (target.resetOnFork ? SCHED_RESET_ON_FORK : 0));
}

function priorityLimit(policy: number, realTime: number): number {
  if (isRealTime(policy)) return realTime;
  return POLICIES.has(policy) || policy === SCHED_DEADLINE ? 0 : -EINVAL;
}

// ---- processors ----

/** Nobody has a negative id; only these two calls say so (the others: EINVAL). */
const findForAffinity = (task: KernelTask, pid: number): KernelTask | number => (pid < 0 ? -ESRCH : find(task, pid));

function setAffinity(task: KernelTask, pid: number, size: number, address: number): number {
  const bytes = task.memory.copyIn(address, Math.min(size, MASK_BYTES));
  if (bytes === undefined) return -EFAULT;
  const target = findForAffinity(task, pid);
  if (typeof target === 'number') return target;
  if (!mayChange(task, target)) return -EPERM;
  let mask = 0;
  bytes.forEach((byte, index) => (mask += index < 6 ? byte * 256 ** index : 0));
  const allowed = 2 ** task.kernel.processors - 1;
  const wanted = Number(BigInt(mask) & BigInt(allowed));
  if (wanted === 0) return -EINVAL;
  target.affinity = wanted;
  return 0;
}

function getAffinity(task: KernelTask, pid: number, size: number, address: number): number {
  if (size * 8 < task.kernel.processors || size % 8 !== 0) return -EINVAL;
  const target = findForAffinity(task, pid);
  if (typeof target === 'number') return target;
  const length = Math.min(size, MASK_BYTES);
  return task.memory.writeI64(address, target.affinity) < 0 ? -EFAULT : length;
}

function getcpu(task: KernelTask, cpu: number, node: number): number {
  if (cpu !== 0 && task.memory.writeU32(cpu, 0) < 0) return -EFAULT;
  return node !== 0 && task.memory.writeU32(node, 0) < 0 ? -EFAULT : 0;
}

// ---- sched_attr: size, policy, flags, nice, priority, runtime, deadline, period ----

function setAttr(task: KernelTask, pid: number, address: number, flags: number): number {
  if (address === 0 || flags !== 0) return -EINVAL;
  const size = task.memory.readU32(address);
  if (size === undefined) return -EFAULT;
  const length = size === 0 ? SCHED_ATTR_SIZE_VER0 : size;
  if (length < SCHED_ATTR_SIZE_VER0 || length > 4096) return -E2BIG;
  const bytes = task.memory.copyIn(address, SCHED_ATTR_SIZE_VER0);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const policy = view.getUint32(4, true);
  const reset = (view.getUint32(8, true) & 1) !== 0 ? SCHED_RESET_ON_FORK : 0;
  const answer = setPolicy(task, pid, policy | reset, view.getUint32(20, true));
  if (answer !== 0 || isRealTime(policy)) return answer;
  const target = find(task, pid);
  if (typeof target !== 'number') target.nice = Math.max(-20, Math.min(19, view.getInt32(16, true)));
  return 0;
}

function getAttr(task: KernelTask, pid: number, address: number, size: number, flags: number): number {
  if (address === 0 || size < SCHED_ATTR_SIZE_VER0 || size > 4096 || flags !== 0) return -EINVAL;
  const target = find(task, pid);
  if (typeof target === 'number') return target;
  const bytes = new Uint8Array(SCHED_ATTR_SIZE_VER0);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SCHED_ATTR_SIZE_VER0, true);
  view.setUint32(4, target.policy, true);
  view.setUint32(8, target.resetOnFork ? 1 : 0, true);
  view.setInt32(16, isRealTime(target.policy) ? 0 : target.nice, true);
  view.setUint32(20, target.priority, true);
  return task.memory.copyOut(address, bytes);
}

function rrInterval(task: KernelTask, pid: number, address: number): number {
  const target = find(task, pid);
  if (typeof target === 'number') return target;
  return writeTimespec(task.memory, address, target.policy === SCHED_FIFO ? 0 : RR_INTERVAL_NS);
}

export const schedRows: readonly SyscallRow[] = [
  row(24, 'sched_yield', [], (task) => {
    if (task.kernel.scheduler.runnable > 0) task.attention |= ATTENTION_YIELD;
    return 0;
  }),
  row(142, 'sched_setparam', ['int', 'pointer'], setParam),
  row(143, 'sched_getparam', ['int', 'pointer'], getParam),
  row(144, 'sched_setscheduler', ['int', 'int', 'pointer'], setScheduler, { note: 'Kept and reported; tasks take turns all the same.' }),
  row(145, 'sched_getscheduler', ['int'], getScheduler),
  row(146, 'sched_get_priority_max', ['int'], (_task, policy) => priorityLimit(policy, 99)),
  row(147, 'sched_get_priority_min', ['int'], (_task, policy) => priorityLimit(policy, 1)),
  row(148, 'sched_rr_get_interval', ['int', 'pointer:timespec'], rrInterval),
  row(203, 'sched_setaffinity', ['int', 'uint', 'pointer'], setAffinity),
  row(204, 'sched_getaffinity', ['int', 'uint', 'pointer'], getAffinity),
  row(309, 'getcpu', ['pointer', 'pointer', 'pointer'], getcpu),
  row(314, 'sched_setattr', ['int', 'pointer', 'flags'], setAttr),
  row(315, 'sched_getattr', ['int', 'pointer', 'uint', 'flags'], getAttr),
];
