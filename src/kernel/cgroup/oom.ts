/** Who is killed where a group's memory does not suffice (mm/oom_kill.c). */
import { SIGKILL } from '../../abi/signal.ts';
import type { Charge } from '../mm/mm-meter.ts';
import { isKilled } from '../signals/send.ts';
import type { Process } from '../task/process.ts';
import type { Cgroup } from './cgroup.ts';

const PAGE = 4096;
/** `oom_score_adj` of who is never chosen. */
const NEVER = -1000;

function processesOf(group: Cgroup): ReadonlySet<Process> {
  const found = new Set<Process>();
  for (const below of group.subtree()) for (const task of below.tasks) found.add(task.process);
  return found;
}

/** oom_badness(): pages in use, shifted by the process's `oom_score_adj` as thousandths of all there are. */
export function badness(process: Process, totalBytes: number): number {
  let bytes = 0;
  for (const task of process.tasks) bytes = Math.max(bytes, task.mm.meter.used());
  return bytes / PAGE + (process.oomScoreAdjust * totalBytes) / PAGE / 1000;
}

/** oom_score of /proc: 0 to 2000, where 1000 is all of memory. */
export function oomScore(process: Process, totalBytes: number): number {
  if (process.oomScoreAdjust === NEVER || process.tasks.size === 0) return 0;
  const points = badness(process, totalBytes);
  return Math.max(0, Math.min(2000, Math.floor(((1000 + (points * 1000 * PAGE) / totalBytes) * 2) / 3)));
}

function choose(group: Cgroup, processes: Iterable<Process>): Process | undefined {
  const { kernel } = group.tree;
  const total = Math.min(group.memory.max, kernel.memoryBytes);
  let chosen: Process | undefined;
  let most = -Infinity;
  for (const process of processes) {
    if (process.oomScoreAdjust === NEVER) continue;
    const points = badness(process, total);
    if (points <= most) continue;
    most = points;
    chosen = process;
  }
  // Where all are protected, the bound holds nevertheless: who asks for more goes, if he is one of them.
  const { current } = kernel;
  return chosen ?? (current?.cgroup.isWithin(group) === true ? current.process : undefined);
}

/** Who shares the memory goes too, as it would not come back otherwise. */
function kill(victim: Process): void {
  const [task] = victim.tasks;
  for (const other of [...victim.kernel.processes()]) {
    if (other !== victim && task !== undefined && [...other.tasks].some(({ mm }) => mm === task.mm)) other.sendSignal(SIGKILL);
  }
  victim.sendSignal(SIGKILL);
}

/** `memory.oom.group`: the group that is killed as a whole, if there is one between the victim's and the one that is full. */
function wholeGroup(victim: Process, full: Cgroup): Cgroup | undefined {
  let whole: Cgroup | undefined;
  for (const group of victim.leader.cgroup.path()) {
    if (group.memory.killsAll) whole = group;
    if (group === full) break;
  }
  return whole;
}

/** out_of_memory() for a group that is full. */
export function killForMemory(full: Cgroup): Charge {
  const { kernel } = full.tree;
  const processes = processesOf(full);
  const dying = [...processes].find((process) => process.state === 'exiting' || [...process.tasks].some(isKilled));
  if (dying !== undefined) return dying === kernel.current?.process ? 'refused' : 'retry';
  full.memory.count('oom');
  const victim = choose(full, processes);
  if (victim === undefined) return 'refused';
  const whole = wholeGroup(victim, full);
  const victims = whole === undefined ? [victim] : [...processesOf(whole)].filter((process) => process.oomScoreAdjust !== NEVER);
  const { memory } = victim.leader.cgroup;
  if (whole !== undefined) whole.memory.count('oom_group_kill');
  for (const process of victims) {
    memory.count('oom_kill');
    kill(process);
  }
  full.tree.oomKilled = true;
  return kernel.current !== undefined && victims.includes(kernel.current.process) ? 'refused' : 'retry';
}
