/** futex(2), robust lists, futex_waitv(2) (kernel/futex/syscalls.c). */
import { EAGAIN, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, ETIMEDOUT } from '../../abi/errno.ts';
import {
  FUTEX_32, FUTEX_CLOCK_REALTIME, FUTEX_CMD_MASK, FUTEX_CMP_REQUEUE, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_PRIVATE_FLAG, FUTEX_REQUEUE, FUTEX_TRYLOCK_PI, FUTEX_UNLOCK_PI, FUTEX_WAIT,
  FUTEX_WAIT_BITSET, FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_WAKE_OP, ROBUST_LIST_HEAD_SIZE,
} from '../../abi/futex.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../../abi/time.ts';
import { FutexWaiter } from '../futex/futex-table.ts';
import { lockPi, unlockPi } from '../futex/futex-pi.ts';
import { checkFutexAddress, requeueFutex, waitFutex, wakeFutex, wakeOpFutex } from '../futex/futex.ts';
import { mayAccess } from '../ptrace/access.ts';
import type { KernelTask } from '../task/task.ts';
import { readTimespec } from '../time/timespec.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const WAITV_MAX = 128;

/** CLOCK_MONOTONIC deadline of a waiting operation; undefined without; -errno. */
function deadlineOf(task: KernelTask, operation: number, command: number, timeout: number): number | undefined {
  if (timeout === 0) return undefined;
  const time = readTimespec(task.memory, timeout);
  if (time < 0) return time;
  const now = task.kernel.monotonicNs();
  if (command === FUTEX_WAIT) return now + time;
  const realtime = (operation & FUTEX_CLOCK_REALTIME) !== 0 || command === FUTEX_LOCK_PI;
  return Math.max(0, realtime ? now + (time - Number(task.kernel.realtimeNs())) : time - task.namespaces.time.monotonicNs);
}

function futex(task: KernelTask, address: number, operation: number, value: number, timeout: number, second: number, third: number): number {
  const command = operation & FUTEX_CMD_MASK;
  if ((operation & ~(FUTEX_CMD_MASK | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) !== 0) return -ENOSYS;
  if ((operation & FUTEX_CLOCK_REALTIME) !== 0 && command !== FUTEX_WAIT_BITSET && command !== FUTEX_LOCK_PI2) return -ENOSYS;
  const refused = checkFutexAddress(address);
  if (refused !== 0) return refused;
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const deadline = task.blocking === undefined ? deadlineOf(task, operation, command, timeout) : undefined;
      if (deadline !== undefined && deadline < 0) return deadline;
      return waitFutex(task, address, value, command === FUTEX_WAIT ? -1 : third | 0, deadline);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
      return wakeFutex(task, address, value < 0 ? 0x7fff_ffff : Math.max(1, value), command === FUTEX_WAKE ? -1 : third | 0);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
      const badSecond = checkFutexAddress(second);
      if (badSecond !== 0) return badSecond;
      return requeueFutex(task, address, second, value, timeout | 0, command === FUTEX_REQUEUE ? undefined : third | 0);
    }
    case FUTEX_WAKE_OP: {
      const badSecond = checkFutexAddress(second);
      return badSecond !== 0 ? badSecond : wakeOpFutex(task, address, second, value, timeout | 0, third | 0);
    }
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI: {
      const deadline = command === FUTEX_TRYLOCK_PI || task.blocking !== undefined ? undefined : deadlineOf(task, operation, command, timeout);
      if (deadline !== undefined && deadline < 0) return deadline;
      return lockPi(task, address, deadline, command === FUTEX_TRYLOCK_PI);
    }
    case FUTEX_UNLOCK_PI:
      return unlockPi(task, address);
    default:
      return -ENOSYS;
  }
}

function setRobustList(task: KernelTask, head: number, length: number): number {
  if (length !== ROBUST_LIST_HEAD_SIZE) return -EINVAL;
  task.robustList = { head, length };
  return 0;
}

function getRobustList(task: KernelTask, pid: number, head: number, length: number): number {
  const target = pid === 0 ? task : task.kernel.findTask(task.idOf(pid));
  if (target === undefined) return -ESRCH;
  if (!mayAccess(task, target)) return -EPERM;
  return task.memory.writeI64(length, ROBUST_LIST_HEAD_SIZE) < 0 || task.memory.writeI64(head, target.robustList.head) < 0 ? -EFAULT : 0;
}

/** `struct futex_waitv`: value 8, address 8, flags 4, reserved 4. */
function futexWaitv(task: KernelTask, array: number, count: number, flags: number, timeout: number, clock: number): number {
  const { futexes } = task.kernel;
  const waiting = task.blocking as readonly FutexWaiter[] | undefined;
  if (waiting !== undefined) {
    const woken = waiting.find((waiter) => waiter.woken);
    if (woken === undefined && !task.deadlinePassed) return task.block(waiting.map((waiter) => waiter.queue), waiting[0]?.deadlineNs);
    for (const waiter of waiting) futexes.remove(waiter);
    return woken === undefined ? -ETIMEDOUT : woken.index;
  }
  if (flags !== 0 || count === 0 || count > WAITV_MAX) return -EINVAL;
  let deadline: number | undefined;
  if (timeout !== 0) {
    if (clock !== CLOCK_MONOTONIC && clock !== CLOCK_REALTIME) return -EINVAL;
    const time = readTimespec(task.memory, timeout);
    if (time < 0) return time;
    deadline = clock === CLOCK_MONOTONIC ? time - task.namespaces.time.monotonicNs : task.kernel.monotonicNs() + (time - Number(task.kernel.realtimeNs()));
  }
  const waiters: FutexWaiter[] = [];
  for (let i = 0; i < count; i++) {
    const waiter = readWaiter(task, array + 24 * i, i);
    if (typeof waiter === 'number') return waiter;
    waiter.deadlineNs = deadline;
    waiters.push(waiter);
  }
  for (const waiter of waiters) futexes.add(waiter);
  task.blocking = waiters;
  task.onAbandon = () => waiters.forEach((waiter) => futexes.remove(waiter));
  return task.block(waiters.map((waiter) => waiter.queue), deadline);
}

function readWaiter(task: KernelTask, at: number, index: number): FutexWaiter | number {
  const value = task.memory.readU64Big(at);
  const address = task.memory.readI64(at + 8);
  const flags = task.memory.readU32(at + 16);
  const reserved = task.memory.readU32(at + 20);
  if (value === undefined || address === undefined || flags === undefined || reserved === undefined) return -EFAULT;
  if (reserved !== 0 || (flags & ~FUTEX_PRIVATE_FLAG) !== FUTEX_32 || checkFutexAddress(address) !== 0) return -EINVAL;
  const word = task.memory.readU32(address);
  if (word === undefined) return -EFAULT;
  if (BigInt(word) !== value) return -EAGAIN;
  return new FutexWaiter(task, task.kernel.futexes.keyOf(task.mm, address), -1, false, index);
}

export const futexRows: readonly SyscallRow[] = [
  row(202, 'futex', ['pointer', 'int', 'int', 'pointer', 'pointer', 'long'], futex, {
    restart: true, support: 'partial', note: 'No FUTEX_WAIT_REQUEUE_PI; tasks have no priorities to inherit.',
  }),
  row(273, 'set_robust_list', ['pointer', 'size'], setRobustList),
  row(274, 'get_robust_list', ['int', 'pointer', 'pointer'], getRobustList),
  row(449, 'futex_waitv', ['pointer', 'uint', 'uint', 'pointer:timespec', 'int'], futexWaitv, { restart: true }),
];
