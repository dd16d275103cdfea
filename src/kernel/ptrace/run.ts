/** How the code of a traced task runs: freely, or instruction by instruction. */
import { SIGTRAP, TRAP_TRACE } from '../../abi/signal.ts';
import type { Exit } from '../../machine/index.ts';
import { forceSignal } from '../signals/send.ts';
import type { KernelTask } from '../task/task.ts';
import type { Tracee } from './tracee.ts';

/** <asm-generic/siginfo.h>. */
const TRAP_HWBKPT = 4;
/** Instructions of a task whose debug registers are in use before another's turn. */
const STEPS = 2000;
const DEBUG_EXCEPTION = 1;

/** Runs the task for a while; what a step or a debug register has to tell is a signal (arch/x86/kernel/traps.c: exc_debug_user). */
export function runTraced(task: KernelTask, tracee: Tracee): Exit {
  const { mm } = task;
  const { debug, stepping } = tracee;
  const watches = debug.isActive;
  if (!stepping && !watches) return mm.space.run(task.kernel.limits.timeSlice);
  debug.arm(mm);
  let exit: Exit = { kind: 'budget' };
  for (let steps = 0; steps < STEPS; steps++) {
    exit = mm.space.step();
    if (exit.kind !== 'budget') return exit;
    const { rip } = mm.space;
    const hit = watches && debug.check(mm, rip);
    if (stepping) debug.noteStep();
    if (hit || stepping) {
      forceSignal(task, { signal: SIGTRAP, code: stepping ? TRAP_TRACE : TRAP_HWBKPT, address: rip, trapNumber: DEBUG_EXCEPTION });
      return exit;
    }
  }
  return exit;
}
