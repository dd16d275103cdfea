/** The limits of a container: what its root control group is told, at its start and while it runs. */
import { EINVAL } from '../abi/errno.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { LimitsConfig } from './config.ts';


/** As runc does it (libcontainer/cgroups: ConvertCPUSharesToCgroupV2Value). */
function weightOfShares(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

/** 0, or a negative errno for processors that are not there. What is absent stays as it is. */
export function applyLimits(kernel: Kernel, limits: Partial<LimitsConfig>): number {
  const { root, container } = kernel.cgroups;
  const { memory, pids, cpu, cpuset, io } = container;
  if (limits.cpuset !== undefined && cpuset.setProcessors(limits.cpuset) !== 0) return -EINVAL;
  if (limits.tasks !== undefined) {
    pids.max = limits.tasks;
    root.pids.max = Math.max(root.pids.max, limits.tasks);
  }
  if (limits.cpuShares !== undefined) cpu.setWeight(weightOfShares(limits.cpuShares));
  if (limits.cpuQuotaUs !== undefined || limits.cpuPeriodUs !== undefined) cpu.setQuota(limits.cpuQuotaUs ?? cpu.quotaUs, limits.cpuPeriodUs ?? cpu.periodUs);
  if (limits.reservationBytes !== undefined) memory.low = limits.reservationBytes;
  if (limits.swapBytes !== undefined) memory.swapMax = limits.swapBytes;
  for (const key of ['rbps', 'wbps', 'riops', 'wiops'] as const) {
    const most = limits.io?.[key];
    if (most !== undefined) io.setMost(key, most);
  }
  if (limits.memoryBytes !== undefined) {
    kernel.memoryBytes = limits.memoryBytes;
    memory.setMax(limits.memoryBytes);
  }
  return 0;
}
