/** POSIX timers: timer_create(2) and its kin (kernel/time/posix-timers.c). */
import { EAGAIN, EFAULT, EINVAL } from '../../abi/errno.ts';
import { NSIG, SIGALRM, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD_ID } from '../../abi/signal.ts';
import { TIMER_ABSTIME } from '../../abi/time.ts';
import type { KernelTask } from '../task/task.ts';
import { clockOr } from '../time/clocks.ts';
import { timersOf, type TimerEvent } from '../time/process-timers.ts';
import { readTimespec, writeTimespec } from '../time/timespec.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

/** `struct sigevent`: value 8, signo 4, notify 4, tid 4. */
function readEvent(task: KernelTask, address: number): TimerEvent | number {
  const { memory } = task;
  const value = memory.readU64Big(address);
  const signal = memory.readI32(address + 8);
  const notify = memory.readI32(address + 12);
  const tid = memory.readI32(address + 16);
  if (value === undefined || signal === undefined || notify === undefined || tid === undefined) return -EFAULT;
  if (notify !== SIGEV_NONE && notify !== SIGEV_SIGNAL && notify !== SIGEV_THREAD_ID) return -EINVAL;
  if (notify !== SIGEV_NONE && (signal < 1 || signal > NSIG)) return -EINVAL;
  if (notify === SIGEV_THREAD_ID && task.kernel.findTask(task.idOf(tid))?.process !== task.process) return -EINVAL;
  return { value, signal, notify, tid: task.idOf(tid) };
}

function timerCreate(task: KernelTask, clockId: number, eventAddress: number, idAddress: number): number {
  const clock = clockOr(task, clockId);
  if (typeof clock === 'number') return clock;
  const timers = timersOf(task.process);
  if (timers.count >= task.kernel.limits.timers) return -EAGAIN;
  const event = eventAddress === 0 ? undefined : readEvent(task, eventAddress);
  if (typeof event === 'number') return event;
  if (task.memory.writeU32(idAddress, 0) < 0) return -EFAULT;
  const timer = timers.create(task, clock, (id) => event ?? { notify: SIGEV_SIGNAL, signal: SIGALRM, value: BigInt(id), tid: 0 });
  task.memory.writeU32(idAddress, timer.id);
  return 0;
}

function writeSetting(task: KernelTask, id: number, address: number): number {
  const timer = timersOf(task.process).find(id);
  if (timer === undefined) return -EINVAL;
  const { valueNs, intervalNs } = timer.setting;
  return writeTimespec(task.memory, address, intervalNs) < 0 || writeTimespec(task.memory, address + 16, valueNs) < 0 ? -EFAULT : 0;
}

function timerSettime(task: KernelTask, id: number, flags: number, value: number, old: number): number {
  if (value === 0) return -EINVAL;
  const intervalNs = readTimespec(task.memory, value);
  const valueNs = readTimespec(task.memory, value + 16);
  if (intervalNs < 0) return intervalNs;
  if (valueNs < 0) return valueNs;
  const timer = timersOf(task.process).find(id);
  if (timer === undefined) return -EINVAL;
  if (old !== 0) {
    const refused = writeSetting(task, id, old);
    if (refused < 0) return refused;
  }
  timer.set({ valueNs, intervalNs }, (flags & TIMER_ABSTIME) !== 0);
  return 0;
}

export const timerRows: readonly SyscallRow[] = [
  row(222, 'timer_create', ['int', 'pointer', 'pointer'], timerCreate),
  row(223, 'timer_settime', ['int', 'flags', 'pointer:itimerspec', 'pointer'], timerSettime),
  row(224, 'timer_gettime', ['int', 'pointer:itimerspec'], writeSetting),
  row(225, 'timer_getoverrun', ['int'], (task, id) => timersOf(task.process).find(id)?.overrun ?? -EINVAL),
  row(226, 'timer_delete', ['int'], (task, id) => {
    const timers = timersOf(task.process);
    if (timers.find(id) === undefined) return -EINVAL;
    timers.delete(id);
    return 0;
  }),
];
