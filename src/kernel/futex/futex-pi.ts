/** Priority-inheritance locks of futex(2) (kernel/futex/pi.c). Tasks have no priorities to inherit; the protocol is the same. */
import { EAGAIN, EDEADLK, EFAULT, EINVAL, EPERM, ESRCH, ETIMEDOUT } from '../../abi/errno.ts';
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from '../../abi/futex.ts';
import type { KernelTask } from '../task/task.ts';
import { FutexWaiter } from './futex-table.ts';

/** FUTEX_LOCK_PI: the word holds the owner's tid, 0 when free. */
export function lockPi(task: KernelTask, address: number, deadlineNs: number | undefined, tryOnly: boolean): number {
  const { futexes } = task.kernel;
  const waiter = task.blocking as FutexWaiter | undefined;
  if (waiter !== undefined) {
    if (waiter.woken) return 0;
    if (task.deadlinePassed) {
      futexes.remove(waiter);
      return -ETIMEDOUT;
    }
    return task.block([waiter.queue], waiter.deadlineNs);
  }
  const word = task.memory.readU32(address);
  if (word === undefined) return -EFAULT;
  const owner = word & FUTEX_TID_MASK;
  if (owner === task.number) return -EDEADLK;
  const key = futexes.keyOf(task.mm, address);
  if (owner === 0) {
    const waiters = futexes.waiters(key).length > 0 ? FUTEX_WAITERS : 0;
    return task.memory.writeU32(address, ((word & FUTEX_OWNER_DIED) | task.number | waiters) >>> 0) < 0 ? -EFAULT : 0;
  }
  if (tryOnly) return -EAGAIN;
  if (task.kernel.findTask(task.idOf(owner)) === undefined) return -ESRCH;
  if (task.memory.writeU32(address, (word | FUTEX_WAITERS) >>> 0) < 0) return -EFAULT;
  const fresh = new FutexWaiter(task, key, -1, true);
  futexes.add(fresh);
  fresh.deadlineNs = deadlineNs;
  task.blocking = fresh;
  task.onAbandon = () => futexes.remove(fresh);
  return task.block([fresh.queue], deadlineNs);
}

/** FUTEX_UNLOCK_PI: the first waiter becomes the owner. */
export function unlockPi(task: KernelTask, address: number): number {
  const word = task.memory.readU32(address);
  if (word === undefined) return -EFAULT;
  if ((word & FUTEX_TID_MASK) !== task.number) return -EPERM;
  return handOver(task, address, 0);
}

/** Gives the lock to the next waiter, or frees it. */
export function handOver(task: KernelTask, address: number, extraBits: number): number {
  const { futexes } = task.kernel;
  const waiters = futexes.waiters(futexes.keyOf(task.mm, address));
  const next = waiters.find((waiter) => waiter.wantsLock);
  if (next === undefined) {
    if (waiters.length > 0 && extraBits === 0) return -EINVAL;
    return task.memory.writeU32(address, extraBits >>> 0) < 0 ? -EFAULT : 0;
  }
  futexes.remove(next);
  const more = futexes.waiters(next.key).length > 0 ? FUTEX_WAITERS : 0;
  if (task.memory.writeU32(address, (next.task.number | more | extraBits) >>> 0) < 0) return -EFAULT;
  next.woken = true;
  next.queue.wake();
  return 0;
}
