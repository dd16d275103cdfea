/**
 * Who makes the call of a request: a task that is the submitter in all but what waits. A handler that parks it parks the request, and
 * the submitter goes on (what io-wq and task work are in Linux: io_uring/io-wq.c).
 */
import type { OpenFile, WaitQueue } from '../../fs/types.ts';
import type { KernelTask } from '../task/task.ts';
import { BLOCKED, type FdTable, type KernelTimer } from '../types.ts';

/** Where a parked request is told to go on. */
export interface Parked {
  wake(): void;
}

/** The submitter's descriptors; `fd` means a file that was taken when the request began, whatever becomes of the descriptor. */
function tableWith(task: KernelTask, fd: number, file: OpenFile): FdTable {
  const get = (wanted: number): OpenFile | undefined => (wanted === fd ? file : task.files.get(wanted));
  return new Proxy(task.files, {
    get: (_, name: keyof FdTable) => {
      if (name === 'get') return get;
      const table = task.files;
      const member: unknown = table[name];
      return typeof member === 'function' ? (member.bind(table) as unknown) : member;
    },
  });
}

/** `task` as it is now: its memory and its rights stay those of the request. */
export function makeWorker(task: KernelTask, parked: Parked, fd: number, file: OpenFile | undefined): KernelTask {
  const worker = Object.create(task) as KernelTask;
  let queues: readonly WaitQueue[] = [];
  let timer: KernelTimer | undefined;
  const waiter = {
    wake: (): void => {
      worker.leaveQueues();
      worker.state = 'running';
      parked.wake();
    },
  };
  Object.assign(worker, {
    mm: task.mm, credentials: task.credentials, state: 'running', uninterruptible: false,
    callRow: undefined, callArguments: [], blocking: undefined, deadlinePassed: false, onInterrupt: undefined, onAbandon: undefined, skipResult: false,
  });
  worker.leaveQueues = (): void => {
    for (const queue of queues) queue.remove(waiter);
    queues = [];
    timer?.cancel();
    timer = undefined;
  };
  worker.wake = waiter.wake;
  worker.block = (wanted, deadlineNs = Infinity): number => {
    worker.leaveQueues();
    worker.state = 'blocked';
    queues = wanted;
    for (const queue of wanted) queue.add(waiter);
    if (deadlineNs < Infinity) {
      timer = task.kernel.addTimer(deadlineNs, () => {
        worker.deadlinePassed = true;
        waiter.wake();
      });
    }
    return BLOCKED;
  };
  worker.sendSignal = (info): void => task.sendSignal(info);
  worker.updateAttention = (): void => task.updateAttention();
  if (file !== undefined) Object.defineProperty(worker, 'files', { value: tableWith(task, fd, file) });
  return worker;
}
