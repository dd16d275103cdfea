/** futex(2): waiting and waking (kernel/futex/waitwake.c, requeue.c). */
import { EAGAIN, EFAULT, EINTR, EINVAL, ENOSYS, ETIMEDOUT } from '../../abi/errno.ts';
import type { KernelTask } from '../task/task.ts';
import { FutexWaiter } from './futex-table.ts';

/** 0 or why the address cannot be a futex. */
export function checkFutexAddress(address: number): number {
  return address % 4 !== 0 || address < 0 ? -EINVAL : 0;
}

/** FUTEX_WAIT_BITSET: 0, -EAGAIN, -ETIMEDOUT, or blocked. */
export function waitFutex(task: KernelTask, address: number, value: number, bitset: number, deadlineNs: number | undefined): number {
  const waiter = task.blocking as FutexWaiter | undefined;
  const { futexes } = task.kernel;
  if (waiter !== undefined) {
    if (waiter.woken) return 0;
    if (task.deadlinePassed) {
      futexes.remove(waiter);
      return -ETIMEDOUT;
    }
    return sleepOn(task, waiter);
  }
  if (bitset === 0) return -EINVAL;
  const current = task.memory.readU32(address);
  if (current === undefined) return -EFAULT;
  if (current !== value >>> 0) return -EAGAIN;
  if (deadlineNs !== undefined && deadlineNs <= task.kernel.monotonicNs()) return -ETIMEDOUT;
  const fresh = new FutexWaiter(task, futexes.keyOf(task.mm, address), bitset);
  futexes.add(fresh);
  fresh.deadlineNs = deadlineNs;
  task.blocking = fresh;
  return sleepOn(task, fresh);
}

function sleepOn(task: KernelTask, waiter: FutexWaiter): number {
  // With a timeout the call is never started again (ERESTART_RESTARTBLOCK).
  if (waiter.deadlineNs !== undefined) task.onInterrupt = () => -EINTR;
  task.onAbandon = () => task.kernel.futexes.remove(waiter);
  return task.block([waiter.queue], waiter.deadlineNs);
}

export function wakeFutex(task: KernelTask, address: number, count: number, bitset = -1): number {
  if (bitset === 0) return -EINVAL;
  const { futexes } = task.kernel;
  return futexes.wake(futexes.keyOf(task.mm, address), count, bitset);
}

/** FUTEX_REQUEUE, FUTEX_CMP_REQUEUE: woken plus moved. */
export function requeueFutex(task: KernelTask, from: number, to: number, wake: number, move: number, expected?: number): number {
  if (wake < 0 || move < 0) return -EINVAL;
  const current = task.memory.readU32(from);
  if (current === undefined || task.memory.readU32(to) === undefined) return -EFAULT;
  if (expected !== undefined && current !== expected >>> 0) return -EAGAIN;
  const { futexes } = task.kernel;
  const source = futexes.keyOf(task.mm, from);
  const woken = futexes.wake(source, wake);
  return woken + futexes.requeue(source, futexes.keyOf(task.mm, to), move);
}

/** FUTEX_WAKE_OP: changes the second word, wakes on the first, and on the second if its old value compares. */
export function wakeOpFutex(task: KernelTask, first: number, second: number, wakeFirst: number, wakeSecond: number, encoded: number): number {
  const old = task.memory.readI32(second);
  if (old === undefined) return -EFAULT;
  const operand = (encoded << 8) >> 20;
  const comparison = (encoded << 20) >> 20;
  const argument = (encoded & 0x8000_0000) !== 0 ? 1 << (operand & 31) : operand;
  const value = applyOperation((encoded >>> 28) & 7, old, argument);
  if (value === undefined) return -ENOSYS;
  if (task.memory.writeU32(second, value) < 0) return -EFAULT;
  const woken = wakeFutex(task, first, wakeFirst);
  const holds = compare((encoded >>> 24) & 15, old, comparison);
  if (holds === undefined) return -ENOSYS;
  return holds ? woken + wakeFutex(task, second, wakeSecond) : woken;
}

function applyOperation(operation: number, old: number, argument: number): number | undefined {
  switch (operation) {
    case 0:
      return argument;
    case 1:
      return old + argument;
    case 2:
      return old | argument;
    case 3:
      return old & ~argument;
    case 4:
      return old ^ argument;
    default:
      return undefined;
  }
}

function compare(operation: number, old: number, argument: number): boolean | undefined {
  switch (operation) {
    case 0:
      return old === argument;
    case 1:
      return old !== argument;
    case 2:
      return old < argument;
    case 3:
      return old <= argument;
    case 4:
      return old > argument;
    case 5:
      return old >= argument;
    default:
      return undefined;
  }
}
