/** A call that waits for what a listener says of it (kernel/seccomp.c: seccomp_do_user_notification). */
import { ENOSYS } from '../../abi/errno.ts';
import { argumentsOf } from '../gate-entry.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow, Task } from '../types.ts';
import type { Notification, SeccompListener } from './listener.ts';

/** Blocks the task, which is at the call `number`. Afterwards the call has its answer, or is made after all. */
export function waitForListener(task: KernelTask, listener: SeccompListener, number: number, data: Uint8Array): void {
  const notification = listener.notify(task, data);
  const row: SyscallRow = {
    number, name: 'seccomp_notification', arguments: [], support: 'full', restart: true,
    handler: (waiting: Task) => settle(waiting as KernelTask, listener, notification),
  };
  task.callRow = row;
  task.callArguments = [0, 0, 0, 0, 0, 0];
  task.blocking = notification;
  row.handler?.(task, 0, 0, 0, 0, 0, 0);
}

function settle(task: KernelTask, listener: SeccompListener, notification: Notification): number {
  const isAnswered = notification.state === 'answered';
  task.uninterruptible = !isAnswered && notification.state === 'received' && listener.waitsKillable;
  if (!isAnswered) {
    task.onAbandon = () => listener.forget(notification);
    return task.block([notification.queue]);
  }
  listener.forget(notification);
  task.blocking = undefined;
  task.onAbandon = undefined;
  return notification.continues ? makeCall(task) : notification.result;
}

/** The filters have been asked already; the registers are as they were. */
function makeCall(task: KernelTask): number {
  const { kernel } = task;
  const number = task.callRow!.number;
  const entry = kernel.syscalls[number];
  if (entry === undefined) {
    kernel.countUnknown(number);
    return -ENOSYS;
  }
  kernel.statistics.syscallCounts[number]!++;
  const args = argumentsOf(entry, task.mm.space.registers);
  const [a0, a1, a2, a3, a4, a5] = args as [number, number, number, number, number, number];
  task.callRow = entry.row;
  task.callArguments = args;
  return entry.handler(task, a0, a1, a2, a3, a4, a5);
}
