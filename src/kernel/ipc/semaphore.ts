/** System V semaphores: semget(2), semop(2), Linux ipc/sem.c. */
import { EAGAIN, EFBIG, EINVAL, ENOSPC, ERANGE } from '../../abi/errno.ts';
import { IPC_NOWAIT } from '../../abi/ipc.ts';
import { SEM_UNDO } from '../../abi/sem.ts';
import { WaitQueue } from '../../fs/types.ts';
import type { Process, Task } from '../types.ts';
import { IpcObject, IpcTable } from './ipc-table.ts';
import { SEMMNI, SEMMNS, SEMMSL, SEMVMX } from './limits.ts';

/** `struct sembuf`. */
export interface SemaphoreOperation {
  readonly index: number;
  readonly change: number;
  readonly flags: number;
}

/** `struct sem_array`. */
export class SemaphoreSet extends IpcObject {
  readonly values: Int32Array;
  readonly lastPids: Int32Array;
  readonly waitQueue = new WaitQueue();
  operatedSeconds = 0;
  removed = false;
  /** Blocked calls: the semaphore that each waits for, and whether for zero. */
  readonly waiters = new Map<Task, { readonly index: number; readonly zero: boolean }>();
  /** Adjustments at the end of each process. */
  readonly undo = new Map<Process, Int32Array>();

  constructor(task: Task, key: number, mode: number, count: number) {
    super(task, key, mode);
    this.values = new Int32Array(count);
    this.lastPids = new Int32Array(count);
  }

  /** All operations or none: 0; the operation that must wait; or a negative errno (perform_atomic_semop). */
  perform(task: Task, operations: readonly SemaphoreOperation[]): SemaphoreOperation | number {
    const values = this.values.slice();
    for (const operation of operations) {
      const { index, change, flags } = operation;
      const value = values[index]!;
      if (change === 0 ? value !== 0 : value + change < 0) return (flags & IPC_NOWAIT) !== 0 ? -EAGAIN : operation;
      if (value + change > SEMVMX) return -ERANGE;
      values[index] = value + change;
    }
    const undoing = operations.filter(({ flags, change }) => (flags & SEM_UNDO) !== 0 && change !== 0);
    if (undoing.length > 0) {
      const adjustments = this.#adjustmentsOf(task.process);
      for (const { index, change } of undoing) adjustments[index]! -= change;
    }
    this.values.set(values);
    for (const { index } of operations) this.lastPids[index] = task.process.pid;
    if (operations.some(({ change }) => change !== 0)) this.waitQueue.wake();
    return 0;
  }

  #adjustmentsOf(process: Process): Int32Array {
    let adjustments = this.undo.get(process);
    if (adjustments === undefined) {
      adjustments = new Int32Array(this.values.length);
      this.undo.set(process, adjustments);
      onExit(process, () => this.#processEnded(process));
    }
    return adjustments;
  }
  /** ipc/sem.c:exit_sem. */
  #processEnded(process: Process): void {
    const adjustments = this.undo.get(process);
    if (adjustments === undefined || this.removed) return;
    this.undo.delete(process);
    for (const [index, change] of adjustments.entries()) {
      if (change === 0) continue;
      this.values[index] = Math.max(0, Math.min(SEMVMX, this.values[index]! + change));
      this.lastPids[index] = process.pid;
    }
    this.waitQueue.wake();
  }
  /** SETVAL and SETALL cancel adjustments (semctl(2)). */
  clearUndo(index?: number): void {
    for (const adjustments of this.undo.values()) {
      if (index === undefined) adjustments.fill(0);
      else adjustments[index] = 0;
    }
  }
  countWaiters(index: number, zero: boolean): number {
    let count = 0;
    for (const waiter of this.waiters.values()) if (waiter.index === index && waiter.zero === zero) count++;
    return count;
  }
}

/** Calls back when the process has ended. */
function onExit(process: Process, callback: () => void): void {
  const { exitQueue } = process as Process & { readonly exitQueue?: WaitQueue };
  exitQueue?.add({ wake: callback });
}

export class SemaphoreSets extends IpcTable<SemaphoreSet> {
  #total = 0;

  constructor() {
    super(SEMMNI);
  }
  create(task: Task, key: number, count: number, flags: number): number {
    if (count < 0 || count > SEMMSL) return -EINVAL;
    return this.get(task, key, flags, (set) => (count > set.values.length ? -EINVAL : 0), () => {
      if (count === 0) return -EINVAL;
      if (this.#total + count > SEMMNS) return -ENOSPC;
      this.#total += count;
      return new SemaphoreSet(task, key, flags, count);
    });
  }
  destroy(set: SemaphoreSet): void {
    set.removed = true;
    this.#total -= set.values.length;
    this.remove(set);
    set.waitQueue.wake();
  }
}

/** Semaphore numbers must exist: 0 or -EFBIG. */
export function checkIndexes(set: SemaphoreSet, operations: readonly SemaphoreOperation[]): number {
  return operations.every(({ index }) => index < set.values.length) ? 0 : -EFBIG;
}
