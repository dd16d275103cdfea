/** Limits, usage and priorities: getrlimit(2), getrusage(2), times(2), getpriority(2) (kernel/sys.c). */
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_SYS_NICE, CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import {
  PRIO_PGRP, PRIO_PROCESS, PRIO_USER, RLIM_NLIMITS, RLIMIT_AS, RLIMIT_CPU, RLIMIT_NICE, RLIMIT_NOFILE, RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_SIZE, RUSAGE_THREAD,
} from '../../abi/resource.ts';
import { SIGKILL, SIGXCPU } from '../../abi/signal.ts';
import { USER_HZ } from '../../abi/time.ts';
import { emptyUsage, type Process, type Usage } from '../task/process.ts';
import type { LimitPair } from '../task/resource-limits.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
/** fs.nr_open. */
const NR_OPEN = 1_048_576;

// ---- limits ----

function readLimit(task: KernelTask, address: number): number | undefined {
  const value = task.memory.readU64Big(address);
  if (value === undefined) return undefined;
  return value === RLIM_INFINITY ? Infinity : Number(value);
}

function writeLimits(task: KernelTask, address: number, pair: LimitPair): number {
  const encode = (value: number): bigint => (value === Infinity ? RLIM_INFINITY : BigInt(value));
  return task.memory.writeU64Big(address, encode(pair.soft)) < 0 || task.memory.writeU64Big(address + 8, encode(pair.hard)) < 0 ? -EFAULT : 0;
}

function applyLimit(task: KernelTask, process: Process, resource: number, next: LimitPair): number {
  const { limits } = process;
  if (next.soft > next.hard) return -EINVAL;
  if (resource === RLIMIT_NOFILE && next.hard > NR_OPEN) return -EPERM;
  if (next.hard > limits.get(resource).hard && !task.capable(CAP_SYS_RESOURCE)) return -EPERM;
  limits.set(resource, next);
  if (resource === RLIMIT_AS) process.leader.mm.limitAs = next.soft;
  if (resource === RLIMIT_CPU) armCpuLimit(process);
  return 0;
}

/** SIGXCPU every second from the soft limit on, SIGKILL at the hard one (kernel/time/posix-cpu-timers.c). */
function armCpuLimit(process: Process): void {
  const { kernel } = process;
  process.cpuLimitTimer?.cancel();
  const pair = process.limits.get(RLIMIT_CPU);
  if (pair.soft === Infinity) return;
  let nextWarning = Math.max(1, pair.soft) * 1e9;
  const check = (): void => {
    const used = process.cpuTimeNs();
    if (used >= pair.hard * 1e9) {
      process.sendSignal(SIGKILL);
      return;
    }
    if (used >= nextWarning) {
      process.sendSignal(SIGXCPU);
      nextWarning += 1e9;
    }
    process.cpuLimitTimer = kernel.addTimer(kernel.monotonicNs() + Math.max(1e7, nextWarning - used), check);
  };
  process.cpuLimitTimer = kernel.addTimer(kernel.monotonicNs() + Math.max(1e7, nextWarning - process.cpuTimeNs()), check);
}

function prlimit(task: KernelTask, pid: number, resource: number, next: number, old: number): number {
  const target = pid === 0 ? task : task.kernel.findTask(task.idOf(pid));
  if (resource < 0 || resource >= RLIM_NLIMITS) return -EINVAL;
  if (target === undefined) return -ESRCH;
  const { process } = target;
  const { credentials: own } = task;
  const { credentials: theirs } = target;
  const same = own.uid === theirs.uid && own.uid === theirs.euid && own.uid === theirs.suid && own.gid === theirs.gid && own.gid === theirs.egid && own.gid === theirs.sgid;
  if (process !== task.process && !same && !task.capableIn(theirs.user, CAP_SYS_RESOURCE)) return -EPERM;
  const before = process.limits.get(resource);
  if (next !== 0) {
    const soft = readLimit(task, next);
    const hard = readLimit(task, next + 8);
    if (soft === undefined || hard === undefined) return -EFAULT;
    const refused = applyLimit(task, process, resource, { soft, hard });
    if (refused !== 0) return refused;
  }
  return old === 0 ? 0 : writeLimits(task, old, before);
}

// ---- usage ----

/** `struct rusage`: two timevals, then 14 longs. */
export function writeRusage(task: KernelTask, address: number, usage: Usage): number {
  const target = task.memory.writable(address, RUSAGE_SIZE);
  if (target === undefined) return -EFAULT;
  target.fill(0);
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  const time = (at: number, ns: number): void => {
    view.setBigInt64(at, BigInt(Math.floor(ns / 1e9)), true);
    view.setBigInt64(at + 8, BigInt(Math.floor((ns % 1e9) / 1000)), true);
  };
  time(0, usage.userNs);
  time(16, usage.systemNs);
  view.setBigInt64(32, BigInt(Math.ceil(usage.maxRssBytes / 1024)), true);
  view.setBigInt64(128, BigInt(usage.voluntarySwitches), true);
  view.setBigInt64(136, BigInt(usage.involuntarySwitches), true);
  return 0;
}

function getrusage(task: KernelTask, who: number, address: number): number {
  switch (who) {
    case RUSAGE_SELF:
      return writeRusage(task, address, task.process.currentUsage());
    case RUSAGE_CHILDREN:
      return writeRusage(task, address, task.process.childUsage);
    case RUSAGE_THREAD:
      return writeRusage(task, address, { ...emptyUsage(), userNs: task.cpuTimeNs(), voluntarySwitches: task.contextSwitches, involuntarySwitches: task.involuntarySwitches, maxRssBytes: task.mm.peakBytes });
    default:
      return -EINVAL;
  }
}

/** Ticks since an arbitrary point in the past. */
function times(task: KernelTask, address: number): number {
  const ticks = (ns: number): number => Math.floor((ns * USER_HZ) / 1e9);
  if (address !== 0) {
    const usage = task.process.currentUsage();
    const { childUsage } = task.process;
    const values = [usage.userNs, usage.systemNs, childUsage.userNs, childUsage.systemNs];
    for (let i = 0; i < 4; i++) if (task.memory.writeI64(address + 8 * i, ticks(values[i]!)) < 0) return -EFAULT;
  }
  return ticks(task.kernel.monotonicNs());
}

// ---- nice values ----

/** The tasks that PRIO_* and an id name; 0 is the caller, its group, its user. */
export function selectTasks(task: KernelTask, which: number, who: number): KernelTask[] | number {
  const { kernel } = task;
  if (which === PRIO_PROCESS) {
    const target = who === 0 ? task : kernel.findTask(task.idOf(who));
    return target === undefined ? -ESRCH : [target];
  }
  const uid = who === 0 ? task.credentials.uid : task.credentials.user.kernelUid(who >>> 0);
  const group = who === 0 ? task.process.processGroup : task.idOf(who);
  if (which !== PRIO_PGRP && which !== PRIO_USER) return -EINVAL;
  const found = [...kernel.processes()]
    .filter((process) => task.numberOf(process.pid) > 0)
    .flatMap((process) => [...process.tasks])
    .filter((other) => (which === PRIO_PGRP ? other.process.processGroup === group : other.credentials.uid === uid));
  return found.length === 0 ? -ESRCH : found;
}

function getpriority(task: KernelTask, which: number, who: number): number {
  const found = selectTasks(task, which, who);
  if (typeof found === 'number') return found;
  return 20 - Math.min(...found.map((other) => other.nice));
}

function setpriority(task: KernelTask, which: number, who: number, value: number): number {
  const found = selectTasks(task, which, who);
  if (typeof found === 'number') return found;
  const nice = Math.max(-20, Math.min(19, value));
  let answer = 0;
  for (const other of found) {
    const mine = task.credentials.euid === other.credentials.uid || task.credentials.euid === other.credentials.euid;
    if (!mine && !task.capableIn(other.credentials.user, CAP_SYS_NICE)) answer = -EPERM;
    else if (nice < other.nice && 20 - nice > other.process.limit(RLIMIT_NICE) && !task.capable(CAP_SYS_NICE)) answer = -EACCES;
    else other.nice = nice;
  }
  return answer;
}

export const resourceRows: readonly SyscallRow[] = [
  row(97, 'getrlimit', ['int', 'pointer:rlimit'], (task, resource, address) => (address === 0 && resource >= 0 && resource < RLIM_NLIMITS ? -EFAULT : prlimit(task, 0, resource, 0, address))),
  row(98, 'getrusage', ['int', 'pointer'], getrusage, { support: 'partial', note: 'All CPU time is user time; page faults and input and output are not counted.' }),
  row(100, 'times', ['pointer'], times),
  row(140, 'getpriority', ['int', 'int'], getpriority),
  row(141, 'setpriority', ['int', 'int', 'int'], setpriority, { note: 'Kept and reported; tasks take turns all the same.' }),
  row(160, 'setrlimit', ['int', 'pointer:rlimit'], (task, resource, address) => (address === 0 && resource >= 0 && resource < RLIM_NLIMITS ? -EFAULT : prlimit(task, 0, resource, address, 0))),
  row(302, 'prlimit64', ['int', 'int', 'pointer:rlimit', 'pointer:rlimit'], prlimit),
];
