/** The clocks of clock_gettime(2). */
import { EINVAL } from '../../abi/errno.ts';
import {
  CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, CLOCK_REALTIME_ALARM,
  CLOCK_REALTIME_COARSE, CLOCK_TAI, CLOCK_THREAD_CPUTIME_ID,
} from '../../abi/time.ts';
import type { KernelTask } from '../task/task.ts';

export type ClockKind = 'realtime' | 'monotonic' | 'process' | 'thread';

export interface Clock {
  readonly kind: ClockKind;
  /** For CPU clocks of others: process or thread id, 0 for the caller's own. */
  readonly id: number;
  /** Nanoseconds that the task's time namespace adds. */
  readonly offsetNs?: number;
}

/** Which clock an id names, or undefined. Negative ids are CPU clocks of processes and threads (clock_getcpuclockid(3)). */
export function findClock(task: KernelTask, id: number): Clock | undefined {
  switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return { kind: 'realtime', id: 0 };
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
      return { kind: 'monotonic', id: 0, offsetNs: task.namespaces.time.monotonicNs };
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return { kind: 'monotonic', id: 0, offsetNs: task.namespaces.time.boottimeNs };
    case CLOCK_PROCESS_CPUTIME_ID:
      return { kind: 'process', id: 0 };
    case CLOCK_THREAD_CPUTIME_ID:
      return { kind: 'thread', id: 0 };
    default:
      return id < 0 ? dynamicClock(task, id) : undefined;
  }
}

function dynamicClock(task: KernelTask, id: number): Clock | undefined {
  if ((id & 7) === 3 || (id & 3) === 3) return undefined;
  const number = ~(id >> 3);
  const target = number === 0 ? 0 : task.idOf(number);
  const thread = (id & 4) !== 0;
  if (thread) {
    const other = target === 0 ? task : task.kernel.findTask(target);
    return other !== undefined && other.process === task.process ? { kind: 'thread', id: target } : undefined;
  }
  return target === 0 || task.kernel.findProcess(target) !== undefined ? { kind: 'process', id: target } : undefined;
}

/** Nanoseconds of a clock now; for the real-time clock a double, exact to 256 ns. */
export function clockNow(task: KernelTask, clock: Clock): number {
  const { kernel } = task;
  switch (clock.kind) {
    case 'realtime':
      return Number(kernel.realtimeNs());
    case 'monotonic':
      return kernel.monotonicNs() + (clock.offsetNs ?? 0);
    case 'process':
      return (clock.id === 0 ? task.process : (kernel.findProcess(clock.id) ?? task.process)).cpuTimeNs();
    case 'thread':
      return (clock.id === 0 ? task : (kernel.findTask(clock.id) ?? task)).cpuTimeNs();
  }
}

/** An absolute time of a clock as CLOCK_MONOTONIC, for clocks that advance with it. */
export function toMonotonic(task: KernelTask, clock: Clock, timeNs: number): number {
  if (clock.kind === 'monotonic') return timeNs - (clock.offsetNs ?? 0);
  return task.kernel.monotonicNs() + (timeNs - clockNow(task, clock));
}

/** For calls that answer -EINVAL where there is no such clock. */
export function clockOr(task: KernelTask, id: number): Clock | number {
  return findClock(task, id) ?? -EINVAL;
}
