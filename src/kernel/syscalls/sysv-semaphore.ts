/** System V semaphores: semget(2), semop(2), semtimedop(2), semctl(2). */
import { E2BIG, EAGAIN, EFAULT, EIDRM, EINTR, EINVAL, ERANGE } from '../../abi/errno.ts';
import { IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT } from '../../abi/ipc.ts';
import {
  GETALL, GETNCNT, GETPID, GETVAL, GETZCNT, SEM_INFO, SEM_STAT, SEM_STAT_ANY, SETALL, SETVAL,
} from '../../abi/sem.ts';
import { readTimespec } from '../files/timespec.ts';
import { ipcOwner, ipcPermission, loadPermission, nowSeconds, putU64, storePermission } from '../ipc/ipc-table.ts';
import { SEMMNI, SEMMNS, SEMMSL, SEMOPM, SEMVMX } from '../ipc/limits.ts';
import { checkIndexes, type SemaphoreOperation, type SemaphoreSet } from '../ipc/semaphore.ts';
import type { SyscallRow, Task } from '../types.ts';

/** Bytes of `struct sembuf`, `struct semid64_ds` and `struct seminfo`. */
const SEMBUF_SIZE = 6;
const SEMID_SIZE = 104;
const SEMINFO_SIZE = 40;
const READ = 0o444;
const WRITE = 0o222;

interface Waiting {
  readonly set: SemaphoreSet;
  readonly deadlineNs: number;
}

function semget(task: Task, key: number, count: number, flags: number): number {
  return task.namespaces.ipc.semaphores.create(task, key, count, flags);
}

function readOperations(task: Task, address: number, count: number): SemaphoreOperation[] | undefined {
  const bytes = task.memory.copyIn(address, count * SEMBUF_SIZE);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => ({
    index: view.getUint16(index * SEMBUF_SIZE, true),
    change: view.getInt16(index * SEMBUF_SIZE + 2, true),
    flags: view.getInt16(index * SEMBUF_SIZE + 4, true),
  }));
}

function semtimedop(task: Task, id: number, address: number, count: number, timeout: number): number {
  const waiting = task.blocking as Waiting | undefined;
  let timeoutNs = Infinity;
  if (timeout !== 0 && waiting === undefined) {
    timeoutNs = readTimespec(task.memory, timeout);
    if (timeoutNs < 0) return timeoutNs;
  }
  if (count < 1 || id < 0) return -EINVAL;
  if (count > SEMOPM) return -E2BIG;
  const operations = readOperations(task, address, count);
  if (operations === undefined) return -EFAULT;
  const set = waiting?.set ?? task.namespaces.ipc.semaphores.find(id);
  if (typeof set === 'number') return set;
  set.waiters.delete(task);
  if (set.removed) return -EIDRM;
  const outOfRange = checkIndexes(set, operations);
  if (outOfRange !== 0) return outOfRange;
  const denied = ipcPermission(task, set, operations.some(({ change }) => change !== 0) ? WRITE : READ);
  if (denied !== 0) return denied;
  const result = set.perform(task, operations);
  if (result === 0) set.operatedSeconds = nowSeconds(task);
  if (typeof result === 'number') return result;
  if (task.deadlinePassed) return -EAGAIN;
  const deadlineNs = waiting?.deadlineNs ?? task.kernel.monotonicNs() + timeoutNs;
  task.blocking = { set, deadlineNs } satisfies Waiting;
  set.waiters.set(task, { index: result.index, zero: result.change === 0 });
  task.onInterrupt = () => {
    set.waiters.delete(task);
    return -EINTR;
  };
  return deadlineNs === Infinity ? task.block([set.waitQueue]) : task.block([set.waitQueue], deadlineNs);
}

function store(task: Task, set: SemaphoreSet, address: number): number {
  const bytes = new Uint8Array(SEMID_SIZE);
  const view = new DataView(bytes.buffer);
  storePermission(task, view, set);
  putU64(view, 48, set.operatedSeconds);
  putU64(view, 64, set.changedSeconds);
  putU64(view, 80, set.values.length);
  return task.memory.copyOut(address, bytes);
}

function information(task: Task, address: number, command: number): number {
  const { semaphores } = task.namespaces.ipc;
  const bytes = new Uint8Array(SEMINFO_SIZE);
  const view = new DataView(bytes.buffer);
  const used = command === SEM_INFO;
  const total = [...semaphores.values()].reduce((sum, set) => sum + set.values.length, 0);
  [SEMMNS, SEMMNI, SEMMNS, SEMMNS, SEMMSL, SEMOPM, SEMOPM, used ? semaphores.size : 20, SEMVMX, used ? total : SEMVMX]
    .forEach((value, index) => view.setInt32(4 * index, value, true));
  return task.memory.copyOut(address, bytes) || semaphores.highestIndex;
}

function allValues(task: Task, set: SemaphoreSet, address: number, write: boolean): number {
  const bytes = write ? task.memory.writable(address, set.values.length * 2) : task.memory.readable(address, set.values.length * 2);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (write) {
    set.values.forEach((value, index) => view.setUint16(2 * index, value, true));
    return 0;
  }
  const values = Array.from(set.values, (_, index) => view.getUint16(2 * index, true));
  if (values.some((value) => value > SEMVMX)) return -ERANGE;
  set.values.set(values);
  set.clearUndo();
  set.changedSeconds = nowSeconds(task);
  set.waitQueue.wake();
  return 0;
}

/** Commands on one semaphore. */
function oneSemaphore(task: Task, set: SemaphoreSet, index: number, command: number, value: number): number {
  if (index < 0 || index >= set.values.length) return -EINVAL;
  switch (command) {
    case GETVAL:
      return set.values[index]!;
    case GETPID:
      return task.numberOf(set.lastPids[index]!);
    case GETNCNT:
      return set.countWaiters(index, false);
    case GETZCNT:
      return set.countWaiters(index, true);
    default: {
      const wanted = value | 0;
      if (wanted < 0 || wanted > SEMVMX) return -ERANGE;
      set.values[index] = wanted;
      set.lastPids[index] = task.process.pid;
      set.clearUndo(index);
      set.changedSeconds = nowSeconds(task);
      set.waitQueue.wake();
      return 0;
    }
  }
}

const ON_ONE = new Set([GETVAL, GETPID, GETNCNT, GETZCNT, SETVAL]);

function change(task: Task, set: SemaphoreSet, command: number, argument: number): number {
  if (command === IPC_SET) {
    const bytes = task.memory.copyIn(argument, SEMID_SIZE);
    if (bytes === undefined) return -EFAULT;
    const denied = ipcOwner(task, set);
    return denied !== 0 ? denied : loadPermission(task, new DataView(bytes.buffer, bytes.byteOffset), set);
  }
  const denied = ipcOwner(task, set);
  if (denied === 0) task.namespaces.ipc.semaphores.destroy(set);
  return denied;
}

function semctl(task: Task, id: number, index: number, command: number, argument: number): number {
  if (id < 0) return -EINVAL;
  const { semaphores } = task.namespaces.ipc;
  if (command === IPC_INFO || command === SEM_INFO) return information(task, argument, command);
  const byIndex = command === SEM_STAT || command === SEM_STAT_ANY;
  const known = byIndex || ON_ONE.has(command) || [IPC_STAT, IPC_SET, IPC_RMID, GETALL, SETALL].includes(command);
  if (!known) return -EINVAL;
  const set = byIndex ? semaphores.atIndex(id) : semaphores.find(id);
  if (typeof set === 'number') return set;
  if (command === IPC_SET || command === IPC_RMID) return change(task, set, command, argument);
  const denied = command === SEM_STAT_ANY ? 0 : ipcPermission(task, set, command === SETVAL || command === SETALL ? WRITE : READ);
  if (denied !== 0) return denied;
  if (ON_ONE.has(command)) return oneSemaphore(task, set, index, command, argument);
  if (command === GETALL || command === SETALL) return allValues(task, set, argument, command === GETALL);
  return store(task, set, argument) || (byIndex ? set.id : 0);
}

export const sysvSemaphoreRows: readonly SyscallRow[] = [
  { number: 64, name: 'semget', arguments: ['int', 'int', 'flags:ipc'], handler: semget, support: 'full' },
  { number: 65, name: 'semop', arguments: ['int', 'pointer:sembuf', 'uint'], handler: (task, id, address, count) => semtimedop(task, id, address, count, 0), support: 'full' },
  { number: 66, name: 'semctl', arguments: ['int', 'int', 'int', 'long'], handler: semctl, support: 'full' },
  { number: 220, name: 'semtimedop', arguments: ['int', 'pointer:sembuf', 'uint', 'pointer:timespec'], handler: semtimedop, support: 'full' },
];
