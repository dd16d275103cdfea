/** The end of a task as its filters see it. */
import type { KernelTask } from '../task/task.ts';

/** A task ended or has other filters: listeners that nobody is left for hang up. */
export function leaveFilters({ seccomp }: KernelTask): void {
  for (const { listener } of seccomp?.filters ?? []) listener?.waitQueue.wake();
}
