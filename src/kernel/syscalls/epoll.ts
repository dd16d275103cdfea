/** epoll_create(2), epoll_ctl(2), epoll_wait(2). */
import { EBADF, EFAULT, EINVAL, EPERM } from '../../abi/errno.ts';
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from '../../abi/epoll.ts';
import { O_RDWR } from '../../abi/fcntl.ts';
import { DirectoryFile, PlainFile } from '../../fs/open-file.ts';
import { EpollFile, type EpollEvent } from '../files/epoll.ts';
import { specialFilesOf } from '../files/special-files.ts';
import { readTimespec } from '../files/timespec.ts';
import type { SyscallRow, Task } from '../types.ts';
import { applySignalMask, waitFor } from './poll.ts';

/** `struct epoll_event` is packed on x86-64: 32 bits of events, 64 of data. */
const EVENT_SIZE = 12;
/** Where user addresses end (access_ok). */
const USER_END = 0x8000_0000_0000;
const MAX_EVENTS = Math.floor(0x7fff_ffff / EVENT_SIZE);

function epollCreate1(task: Task, flags: number): number {
  if ((flags & ~EPOLL_CLOEXEC) !== 0) return -EINVAL;
  const file = new EpollFile(specialFilesOf(task.kernel).anonymousInode, O_RDWR);
  const fd = task.files.install(file, (flags & EPOLL_CLOEXEC) !== 0);
  return fd;
}

function epollCreate(task: Task, size: number): number {
  return size <= 0 ? -EINVAL : epollCreate1(task, 0);
}

function epollControl(task: Task, epfd: number, operation: number, fd: number, address: number): number {
  let event: EpollEvent = { events: 0, dataLow: 0, dataHigh: 0 };
  if (operation !== EPOLL_CTL_DEL) {
    const { memory } = task;
    const events = memory.readU32(address);
    const dataLow = memory.readU32(address + 4);
    const dataHigh = memory.readU32(address + 8);
    if (events === undefined || dataLow === undefined || dataHigh === undefined) return -EFAULT;
    event = { events, dataLow, dataHigh };
  }
  const epoll = task.files.get(epfd);
  const target = task.files.get(fd);
  if (epoll === undefined || target === undefined) return -EBADF;
  if (target instanceof PlainFile || target instanceof DirectoryFile) return -EPERM;
  if (!(epoll instanceof EpollFile) || target === epoll) return -EINVAL;
  if (operation === EPOLL_CTL_ADD) return epoll.add(target, fd, event);
  if (operation === EPOLL_CTL_MOD) return epoll.modify(target, fd, event);
  return operation === EPOLL_CTL_DEL ? epoll.delete(target, fd) : -EINVAL;
}

function waitUntil(task: Task, epfd: number, address: number, maximum: number, timeoutNs: number): number {
  if (maximum <= 0 || maximum > MAX_EVENTS) return -EINVAL;
  if (address < 0 || address + maximum * EVENT_SIZE > USER_END) return -EFAULT;
  const epoll = task.files.get(epfd);
  if (epoll === undefined) return -EBADF;
  if (!(epoll instanceof EpollFile)) return -EINVAL;
  let fault = false;
  const count = epoll.collect(maximum, (index, events, { dataLow, dataHigh }) => {
    const bytes = task.memory.writable(address + index * EVENT_SIZE, EVENT_SIZE);
    if (bytes === undefined) {
      fault = true;
      return false;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, EVENT_SIZE);
    view.setUint32(0, events, true);
    view.setUint32(4, dataLow, true);
    view.setUint32(8, dataHigh, true);
    return true;
  });
  if (count > 0) return count;
  if (fault) return -EFAULT;
  if (timeoutNs === 0 || task.deadlinePassed) return 0;
  return waitFor(task, [epoll.waitQueue], timeoutNs);
}

function milliseconds(timeout: number): number {
  return timeout < 0 ? Infinity : timeout * 1e6;
}

function epollWait(task: Task, epfd: number, events: number, maximum: number, timeout: number): number {
  return waitUntil(task, epfd, events, maximum, milliseconds(timeout));
}

function epollPwait(task: Task, epfd: number, events: number, maximum: number, timeout: number, mask: number, maskSize: number): number {
  return applySignalMask(task, mask, maskSize) || waitUntil(task, epfd, events, maximum, milliseconds(timeout));
}

function epollPwait2(task: Task, epfd: number, events: number, maximum: number, timeout: number, mask: number, maskSize: number): number {
  let timeoutNs = Infinity;
  if (timeout !== 0 && task.blocking === undefined) {
    timeoutNs = readTimespec(task.memory, timeout);
    if (timeoutNs < 0) return timeoutNs;
  }
  return applySignalMask(task, mask, maskSize) || waitUntil(task, epfd, events, maximum, timeoutNs);
}

export const epollRows: readonly SyscallRow[] = [
  { number: 213, name: 'epoll_create', arguments: ['int'], handler: epollCreate, support: 'full' },
  { number: 232, name: 'epoll_wait', arguments: ['fd', 'pointer:epoll_event', 'int', 'int'], handler: epollWait, support: 'full' },
  { number: 233, name: 'epoll_ctl', arguments: ['fd', 'int', 'fd', 'pointer:epoll_event'], handler: epollControl, support: 'full' },
  {
    number: 281, name: 'epoll_pwait', arguments: ['fd', 'pointer:epoll_event', 'int', 'int', 'pointer:sigset', 'size'],
    handler: epollPwait, support: 'full', note: 'EPOLLEXCLUSIVE wakes every waiter',
  },
  { number: 291, name: 'epoll_create1', arguments: ['flags:epoll'], handler: epollCreate1, support: 'full' },
  {
    number: 441, name: 'epoll_pwait2', arguments: ['fd', 'pointer:epoll_event', 'int', 'pointer:timespec', 'pointer:sigset', 'size'],
    handler: epollPwait2, support: 'full',
  },
];
