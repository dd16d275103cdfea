/**
 * Where system calls come in: from the number in rax to the row's handler and back (arch/x86/entry/common.c). A
 * call costs a table look-up, its arguments and a result; everything else happens when the task leaves its code.
 */
import { ENOSYS, ERESTARTSYS } from '../abi/errno.ts';
import { RAX, type AddressSpace } from '../machine/index.ts';
import { argument } from './gate-entry.ts';
import type { Kernel } from './kernel.ts';
import { beginTracedCall } from './ptrace/traced-call.ts';
import { passesSeccomp } from './seccomp/seccomp.ts';
import { writeResult } from './task/call.ts';
import type { KernelTask } from './task/task.ts';
import { BLOCKED } from './types.ts';

/** The handler of `MachineOptions.onSyscall`. */
export function makeGate(kernel: Kernel): (space: AddressSpace) => boolean {
  const entries = kernel.syscalls;
  const counts = kernel.statistics.syscallCounts;
  return (space) => {
    const task = kernel.current!;
    const { registers } = space;
    const number = registers[2 * RAX]!;
    if (task.tracee !== undefined) return beginTracedCall(task, number);
    if (task.seccomp !== undefined && !passesSeccomp(task, space, number)) return task.attention !== 0 || task.state !== 'running';
    const entry = entries[number];
    if (entry === undefined) {
      kernel.countUnknown(number);
      writeResult(registers, -ENOSYS);
      return false;
    }
    counts[number]!++;
    const { mask, arity } = entry;
    const a0 = arity > 0 ? argument(registers, 0, mask) : 0;
    const a1 = arity > 1 ? argument(registers, 1, mask) : 0;
    const a2 = arity > 2 ? argument(registers, 2, mask) : 0;
    const a3 = arity > 3 ? argument(registers, 3, mask) : 0;
    const a4 = arity > 4 ? argument(registers, 4, mask) : 0;
    const a5 = arity > 5 ? argument(registers, 5, mask) : 0;
    const result = kernel.tracer === undefined
      ? entry.handler(task, a0, a1, a2, a3, a4, a5)
      : kernel.tracer.enter(task, entry, [a0, a1, a2, a3, a4, a5]);
    // -ERESTARTSYS: a signal was sent to the caller itself (a job in the background); the call starts over behind it.
    if (result === BLOCKED || result === -ERESTARTSYS) {
      task.callRow = entry.row;
      task.callArguments = [a0, a1, a2, a3, a4, a5];
      return true;
    }
    return leave(task, space, result);
  };
}

/** The call ended at once: result, and whether the code must come back to the scheduler. */
function leave(task: KernelTask, space: AddressSpace, result: number): boolean {
  task.blocking = undefined;
  task.onInterrupt = undefined;
  task.onAbandon = undefined;
  task.deadlinePassed = false;
  if (task.skipResult) {
    // exec, rt_sigreturn and the end of the task set the registers themselves.
    task.skipResult = false;
    return true;
  }
  writeResult(space.registers, result);
  if (task.savedMask !== undefined) task.restoreMask();
  return task.attention !== 0;
}
