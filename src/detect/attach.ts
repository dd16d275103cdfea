/** Puts a watcher between the programs of a container and its kernel. */
import type { Kernel } from '../kernel/kernel.ts';
import type { Watcher } from '../kernel/watch/types.ts';
import { Watch } from '../kernel/watch/watch.ts';

/** A container, before its first program starts. */
export interface Watchable {
  observe(install: (kernel: Kernel) => Watch): Watch;
}

export function attach(container: Watchable, watcher: Watcher): Watch {
  return container.observe((kernel) => new Watch(kernel, watcher));
}
