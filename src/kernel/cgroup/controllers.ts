/** Which controllers there are. */
import type { CgroupFile } from '../../fs/cgroup-view.ts';

export type ControllerName = 'cpuset' | 'cpu' | 'io' | 'memory' | 'pids';
/** In the order of `cgroup.controllers`. */
export const CONTROLLERS: readonly ControllerName[] = ['cpuset', 'cpu', 'io', 'memory', 'pids'];
/** Controllers that divide threads; the others divide processes (`cgrp_dfl_threaded_ss_mask`). */
export const THREADED: ReadonlySet<ControllerName> = new Set(['cpuset', 'cpu', 'pids'] as const);

/** What a controller has in each group. */
export interface Controller {
  files(): readonly CgroupFile[];
  /** The group no longer has the controller: as if nothing had been set. */
  reset(): void;
}
