/** Locks that a task held when it ended (kernel/futex/core.c: exit_robust_list, handle_futex_death). */
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, ROBUST_LIST_LIMIT } from '../../abi/futex.ts';
import type { KernelTask } from '../task/task.ts';
import { handOver } from './futex-pi.ts';
import { wakeFutex } from './futex.ts';

/** Marks the task's robust locks as orphaned and wakes a waiter of each. The list is the guest's: it may be anything. */
export function walkRobustList(task: KernelTask): void {
  const { head } = task.robustList;
  if (head === 0) return;
  task.robustList = { head: 0, length: 24 };
  const { memory } = task;
  const offset = memory.readI64(head + 8);
  const pending = memory.readI64(head + 16);
  let entry = memory.readI64(head);
  if (offset === undefined || pending === undefined) return;
  for (let i = 0; i < ROBUST_LIST_LIMIT && entry !== undefined && clearTag(entry) !== head; i++) {
    const next = memory.readI64(clearTag(entry));
    if (clearTag(entry) !== clearTag(pending)) release(task, clearTag(entry) + offset, isPi(entry), false);
    entry = next;
  }
  if (clearTag(pending) !== 0) release(task, clearTag(pending) + offset, isPi(pending), true);
}

/** Bit 0 of an entry marks a PI lock. */
function isPi(entry: number): boolean {
  return entry % 2 === 1;
}

function clearTag(entry: number): number {
  return isPi(entry) ? entry - 1 : entry;
}

function release(task: KernelTask, address: number, pi: boolean, isPending: boolean): void {
  if (address % 4 !== 0) return;
  const word = task.memory.readU32(address);
  if (word === undefined) return;
  if (isPending && !pi && word === 0) {
    wakeFutex(task, address, 1);
    return;
  }
  if ((word & FUTEX_TID_MASK) !== task.number) return;
  if (pi) {
    handOver(task, address, FUTEX_OWNER_DIED);
    return;
  }
  task.memory.writeU32(address, ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
  if ((word & FUTEX_WAITERS) !== 0) wakeFutex(task, address, 1);
}
