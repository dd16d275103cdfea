/** eventfd(2), timerfd_create(2), signalfd(2). */
import { CAP_WAKE_ALARM } from '../../abi/capability.ts';
import { EBADF, EFAULT, EINVAL, EPERM } from '../../abi/errno.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE } from '../../abi/eventfd.ts';
import { O_NONBLOCK, O_RDWR } from '../../abi/fcntl.ts';
import { SFD_CLOEXEC, SFD_NONBLOCK } from '../../abi/signalfd.ts';
import { TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../../abi/timerfd.ts';
import { EventFile } from '../files/eventfd.ts';
import { SignalFile } from '../files/signalfd.ts';
import { specialFilesOf } from '../files/special-files.ts';
import { TimerFile, type TimerSetting } from '../files/timerfd.ts';
import { readTimespec, writeTimespec } from '../files/timespec.ts';
import type { SignalMask, SyscallRow, Task } from '../types.ts';

/** CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME; the alarm clocks need a capability. */
const CLOCKS = new Set([0, 1, 7]);
const ALARM_CLOCKS = new Set([8, 9]);
const SIGKILL_SIGSTOP = (1 << 8) | (1 << 18);

function eventfd2(task: Task, initial: number, flags: number): number {
  if ((flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) !== 0) return -EINVAL;
  const inode = specialFilesOf(task.kernel).anonymousInode;
  const file = new EventFile(inode, O_RDWR | (flags & O_NONBLOCK), initial, (flags & EFD_SEMAPHORE) !== 0);
  return task.files.install(file, (flags & EFD_CLOEXEC) !== 0);
}

function timerfdCreate(task: Task, clock: number, flags: number): number {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) !== 0) return -EINVAL;
  if (!CLOCKS.has(clock) && !ALARM_CLOCKS.has(clock)) return -EINVAL;
  if (ALARM_CLOCKS.has(clock) && !task.capable(CAP_WAKE_ALARM)) return -EPERM;
  const file = new TimerFile(task.kernel, specialFilesOf(task.kernel).anonymousInode, O_RDWR | (flags & O_NONBLOCK), clock);
  return task.files.install(file, (flags & TFD_CLOEXEC) !== 0);
}

function timerOf(task: Task, fd: number): TimerFile | number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  return file instanceof TimerFile ? file : -EINVAL;
}

function storeSetting(task: Task, address: number, { valueNs, intervalNs }: TimerSetting): number {
  return writeTimespec(task.memory, address, intervalNs) || writeTimespec(task.memory, address + 16, valueNs);
}

function timerfdSettime(task: Task, fd: number, flags: number, newAddress: number, oldAddress: number): number {
  const intervalNs = readTimespec(task.memory, newAddress);
  if (intervalNs < 0) return intervalNs;
  const valueNs = readTimespec(task.memory, newAddress + 16);
  if (valueNs < 0) return valueNs;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
  const timer = timerOf(task, fd);
  if (typeof timer === 'number') return timer;
  const old = timer.set({ valueNs, intervalNs }, (flags & TFD_TIMER_ABSTIME) !== 0);
  return oldAddress === 0 ? 0 : storeSetting(task, oldAddress, old);
}

function timerfdGettime(task: Task, fd: number, address: number): number {
  const timer = timerOf(task, fd);
  if (typeof timer === 'number') return timer;
  return storeSetting(task, address, timer.setting());
}

function signalfd4(task: Task, fd: number, maskAddress: number, maskSize: number, flags: number): number {
  if (maskSize !== 8) return -EINVAL;
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) !== 0) return -EINVAL;
  const low = task.memory.readI32(maskAddress);
  const high = task.memory.readI32(maskAddress + 4);
  if (low === undefined || high === undefined) return -EFAULT;
  const mask: SignalMask = { low: low & ~SIGKILL_SIGSTOP, high };
  if (fd !== -1) {
    const file = task.files.get(fd);
    if (file === undefined) return -EBADF;
    if (!(file instanceof SignalFile)) return -EINVAL;
    file.mask = mask;
    task.signalQueue.wake();
    return fd;
  }
  const file = new SignalFile(task.kernel, specialFilesOf(task.kernel).anonymousInode, O_RDWR | (flags & O_NONBLOCK), mask);
  return task.files.install(file, (flags & SFD_CLOEXEC) !== 0);
}

export const eventRows: readonly SyscallRow[] = [
  {
    number: 282, name: 'signalfd', arguments: ['fd', 'pointer:sigset', 'size'], support: 'full',
    handler: (task, fd, mask, size) => signalfd4(task, fd, mask, size, 0),
  },
  { number: 283, name: 'timerfd_create', arguments: ['int', 'flags:timerfd'], handler: timerfdCreate, support: 'full' },
  { number: 284, name: 'eventfd', arguments: ['uint'], handler: (task, initial) => eventfd2(task, initial, 0), support: 'full' },
  { number: 286, name: 'timerfd_settime', arguments: ['fd', 'flags', 'pointer:itimerspec', 'pointer:itimerspec'], handler: timerfdSettime, support: 'full' },
  { number: 287, name: 'timerfd_gettime', arguments: ['fd', 'pointer:itimerspec'], handler: timerfdGettime, support: 'full' },
  { number: 289, name: 'signalfd4', arguments: ['fd', 'pointer:sigset', 'size', 'flags:signalfd'], handler: signalfd4, support: 'full' },
  { number: 290, name: 'eventfd2', arguments: ['uint', 'flags:eventfd'], handler: eventfd2, support: 'full' },
];
