/** `--cpu-shares` against everything else on this machine: the process that runs the container gets the nice level of that weight. */
import { setPriority } from 'node:os';

const DEFAULT_SHARES = 1024;
/** From one nice level to the next the weight changes by a quarter (sched_prio_to_weight of Linux). */
const STEP = 1.25;

function niceOfShares(shares: number): number {
  return Math.max(-20, Math.min(19, Math.round(Math.log(DEFAULT_SHARES / shares) / Math.log(STEP))));
}

/** More than the default is for root only: then it stays at that, and says so. */
export function weighProcess(shares: number): void {
  const nice = niceOfShares(shares);
  if (nice === 0) return;
  try {
    setPriority(nice);
  } catch {
    process.stderr.write(`caisson: --cpu-shares ${shares}: only root can have more than ${DEFAULT_SHARES} on this machine; it has ${DEFAULT_SHARES}\n`);
  }
}
