/** Clocks, sleeping and interval timers: clock_gettime(2), nanosleep(2), getitimer(2) and their kin (kernel/time/). */
import { EFAULT, EINTR, EINVAL, EOPNOTSUPP, EPERM } from '../../abi/errno.ts';
import { CLOCK_REALTIME, CLOCK_THREAD_CPUTIME_ID, ITIMER_PROF, ITIMER_REAL, TIMER_ABSTIME } from '../../abi/time.ts';
import type { KernelTask } from '../task/task.ts';
import { clockNow, clockOr, toMonotonic, type Clock } from '../time/clocks.ts';
import { timersOf } from '../time/process-timers.ts';
import { readTimespec, readTimeval, writeTimespec, writeTimeval } from '../time/timespec.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

function writeRealtime(task: KernelTask, address: number, unit: number): number {
  const seconds = task.kernel.realtimeSeconds();
  const nanoseconds = task.kernel.realtimeRest;
  const { memory } = task;
  return memory.writeI64(address, seconds) < 0 || memory.writeI64(address + 8, Math.floor(nanoseconds / unit)) < 0 ? -EFAULT : 0;
}

function clockGettime(task: KernelTask, id: number, address: number): number {
  const clock = clockOr(task, id);
  if (typeof clock === 'number') return clock;
  return clock.kind === 'realtime' ? writeRealtime(task, address, 1) : writeTimespec(task.memory, address, clockNow(task, clock));
}

function clockGetres(task: KernelTask, id: number, address: number): number {
  const clock = clockOr(task, id);
  if (typeof clock === 'number') return clock;
  return address === 0 ? 0 : writeTimespec(task.memory, address, 1);
}

function clockSettime(task: KernelTask, id: number, address: number): number {
  const time = readTimespec(task.memory, address);
  if (time < 0) return time;
  return id === CLOCK_REALTIME ? -EPERM : -EINVAL;
}

function gettimeofday(task: KernelTask, time: number, zone: number): number {
  if (time !== 0 && writeRealtime(task, time, 1000) < 0) return -EFAULT;
  return zone !== 0 && task.memory.writeI64(zone, 0) < 0 ? -EFAULT : 0;
}

function time(task: KernelTask, address: number): number {
  const seconds = task.kernel.realtimeSeconds();
  return address !== 0 && task.memory.writeI64(address, seconds) < 0 ? -EFAULT : seconds;
}

/** The rest of the sleep, for a handler that interrupts it. */
function interruptSleep(task: KernelTask, deadlineNs: number, remaining: number): number {
  if (remaining === 0) return -EINTR;
  const left = Math.max(0, deadlineNs - task.kernel.monotonicNs());
  return writeTimespec(task.memory, remaining, left) < 0 ? -EFAULT : -EINTR;
}

function sleepUntil(task: KernelTask, deadlineNs: number, remaining: number, restarts: boolean): number {
  if (deadlineNs <= task.kernel.monotonicNs()) return 0;
  task.blocking = deadlineNs;
  // An absolute sleep starts over by itself (ERESTARTNOHAND); a relative one tells what is left.
  if (!restarts) task.onInterrupt = () => interruptSleep(task, deadlineNs, remaining);
  return task.block([], deadlineNs);
}

function nanosleep(task: KernelTask, request: number, remaining: number): number {
  if (task.blocking !== undefined) return sleepUntil(task, task.blocking as number, remaining, false);
  const duration = readTimespec(task.memory, request);
  if (duration < 0) return duration;
  return sleepUntil(task, task.kernel.monotonicNs() + duration, remaining, false);
}

function clockNanosleep(task: KernelTask, id: number, flags: number, request: number, remaining: number): number {
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  if (task.blocking !== undefined) return sleepUntil(task, task.blocking as number, remaining, absolute);
  const clock = clockOr(task, id);
  if (typeof clock === 'number') return clock;
  if (id === CLOCK_THREAD_CPUTIME_ID) return -EOPNOTSUPP;
  const duration = readTimespec(task.memory, request);
  if (duration < 0) return duration;
  if (clock.kind === 'process' || clock.kind === 'thread') return sleepOnCpuClock(task, clock, absolute ? duration : clockNow(task, clock) + duration);
  return sleepUntil(task, absolute ? toMonotonic(task, clock, duration) : task.kernel.monotonicNs() + duration, absolute ? 0 : remaining, absolute);
}

/** Nobody advances the caller's own clock while it sleeps; that of another process may. */
function sleepOnCpuClock(task: KernelTask, clock: Clock, until: number): number {
  const left = until - clockNow(task, clock);
  if (left <= 0) return 0;
  return clock.kind === 'thread' ? -EOPNOTSUPP : task.block([], task.kernel.monotonicNs() + left);
}

// ---- interval timers ----

function writeInterval(task: KernelTask, which: number, address: number): number {
  const { valueNs, intervalNs } = timersOf(task.process).getInterval(which);
  // A timer that still runs never reads as zero.
  const value = valueNs > 0 ? Math.max(1000, valueNs) : 0;
  return writeTimeval(task.memory, address, intervalNs) < 0 || writeTimeval(task.memory, address + 16, value) < 0 ? -EFAULT : 0;
}

function getitimer(task: KernelTask, which: number, address: number): number {
  if (which < ITIMER_REAL || which > ITIMER_PROF) return -EINVAL;
  return writeInterval(task, which, address);
}

function setitimer(task: KernelTask, which: number, value: number, old: number): number {
  if (which < ITIMER_REAL || which > ITIMER_PROF) return -EINVAL;
  const intervalNs = value === 0 ? 0 : readTimeval(task.memory, value);
  const valueNs = value === 0 ? 0 : readTimeval(task.memory, value + 16);
  if (intervalNs < 0) return intervalNs;
  if (valueNs < 0) return valueNs;
  if (old !== 0 && writeInterval(task, which, old) < 0) return -EFAULT;
  timersOf(task.process).setInterval(which, { valueNs, intervalNs });
  return 0;
}

function alarm(task: KernelTask, seconds: number): number {
  const timers = timersOf(task.process);
  const left = timers.getInterval(ITIMER_REAL).valueNs;
  timers.setInterval(ITIMER_REAL, { valueNs: seconds * 1e9, intervalNs: 0 });
  // Rounded, but never to 0 while it runs (alarm_setitimer).
  return left === 0 ? 0 : Math.max(1, Math.round(left / 1e9));
}

export const timeRows: readonly SyscallRow[] = [
  row(35, 'nanosleep', ['pointer:timespec', 'pointer'], nanosleep),
  row(36, 'getitimer', ['int', 'pointer:itimerval'], getitimer),
  row(37, 'alarm', ['uint'], alarm),
  row(38, 'setitimer', ['int', 'pointer:itimerval', 'pointer'], setitimer),
  row(96, 'gettimeofday', ['pointer:timeval', 'pointer'], gettimeofday),
  row(164, 'settimeofday', ['pointer:timeval', 'pointer'], () => -EPERM, { note: 'The clock is the host\'s.' }),
  row(201, 'time', ['pointer'], time),
  row(227, 'clock_settime', ['int', 'pointer:timespec'], clockSettime, { note: 'Always EPERM: the clock is the host\'s.' }),
  row(228, 'clock_gettime', ['int', 'pointer:timespec'], clockGettime),
  row(229, 'clock_getres', ['int', 'pointer:timespec'], clockGetres),
  row(230, 'clock_nanosleep', ['int', 'flags', 'pointer:timespec', 'pointer'], clockNanosleep, { restart: true }),
];
