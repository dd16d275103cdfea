/** A system call that blocked: repeated when its task wakes, ended, or interrupted by a handler. */
import { EINTR } from '../../abi/errno.ts';
import { RAX } from '../../machine/index.ts';
import type { KernelTask } from './task.ts';

/** Writes a result as 64 bits to rax. */
export function writeResult(registers: Int32Array, result: number): void {
  const low = result | 0;
  registers[2 * RAX] = low;
  registers[2 * RAX + 1] = low === result ? low >> 31 : Math.floor(result / 0x1_0000_0000);
}

/** Calls the handler of a woken task again. */
export function repeatCall(task: KernelTask): number {
  const row = task.callRow!;
  const a = task.callArguments;
  const handler = row.handler!;
  return handler(task, a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!);
}

/** A call that had blocked ended: what it kept is forgotten. Its result is not written yet. */
export function closeCall(task: KernelTask, result: number): void {
  const row = task.callRow!;
  if (task.kernel.tracer !== undefined) task.kernel.tracer.exit(task, row, task.callArguments, result);
  task.kernel.watch?.closed(task, result);
  task.callRow = undefined;
  task.callArguments = [];
  task.blocking = undefined;
  task.onInterrupt = undefined;
  task.onAbandon = undefined;
  task.deadlinePassed = false;
}

/** A call that had blocked ended. The mask that it had set goes, unless a handler takes it over. */
export function finishCall(task: KernelTask, result: number, interrupted = false): void {
  closeCall(task, result);
  if (task.skipResult) {
    task.skipResult = false;
    return;
  }
  writeResult(task.mm.space.registers, result);
  if (!interrupted) task.restoreMask();
}

/** An interrupted call's answer, before the handler's frame is made. Restarted calls begin anew. */
export function interruptCall(task: KernelTask, restartAllowed: boolean): void {
  const row = task.callRow;
  if (row === undefined) return;
  task.leaveQueues();
  task.state = 'running';
  task.onAbandon?.();
  const answer = task.onInterrupt?.();
  if (answer !== undefined) {
    finishCall(task, answer, true);
  } else if (row.restart === true && restartAllowed) {
    const { space } = task.mm;
    task.kernel.watch?.forget(task);
    finishCall(task, 0, true);
    space.setRegisterNumber(RAX, row.number);
    space.rip = space.rip - 2;
  } else {
    finishCall(task, -EINTR, true);
  }
}
