/** A watcher that comes while programs run, beside one that may have been there from the start, and goes again. */
import type { Kernel } from '../kernel.ts';
import type { KernelTask } from '../task/task.ts';
import type { Process } from '../task/process.ts';
import type { Watcher } from './types.ts';
import { Watch } from './watch.ts';

/** What a kernel tells whoever watches it, beside the calls themselves. */
export type Told = Pick<Watch, 'started' | 'closed' | 'forget'>;

function both(first: Told, second: Told): Told {
  return {
    started: (process: Process) => first.started(process) && second.started(process),
    closed: (task: KernelTask, result: number) => {
      first.closed(task, result);
      second.closed(task, result);
    },
    forget: (task: KernelTask) => {
      first.forget(task);
      second.forget(task);
    },
  };
}

export interface Also {
  readonly watch: Watch;
  /** Calls cost what they did before. Whoever came last goes first. */
  leave(): void;
}

/** Calls that wait already are not seen; a call that waits when it leaves ends as it would have. */
export function alsoWatch(kernel: Kernel, watcher: Watcher): Also {
  const before = kernel.watch;
  const entries = [...kernel.syscalls];
  const watch = new Watch(kernel, watcher);
  kernel.watch = before === undefined ? watch : both(before, watch);
  return {
    watch,
    leave: () => {
      entries.forEach((entry, number) => (kernel.syscalls[number] = entry));
      kernel.syscalls.length = entries.length;
      kernel.watch = before;
    },
  };
}
