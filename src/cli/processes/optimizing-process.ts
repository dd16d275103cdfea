/**
 * The process that makes machine code of what a run has left: V8 compiles a unit slowly or well, and the next run of a program would do
 * so again. It has the lowest priority, and ends by itself.
 */
import { setPriority } from 'node:os';
import type { RegionCompiler } from '../../container/index.ts';
import { openUnits, readMachineImage } from '../../host/node/image.ts';
import { optimizeKept } from '../../machine/index.ts';
import { trainForUser } from './train-machine.ts';
import { THE_MACHINE } from './worker-word.ts';

const LOWEST_PRIORITY = 19;
/** For all together; the rest is left to the next time. */
const MOST_MS = 60_000;

/** `words`: programs, and `THE_MACHINE` where the machine itself has no machine code for this V8; each claimed, and as a component of a URI. */
export async function runOptimizing(words: readonly string[]): Promise<void> {
  setPriority(LOWEST_PRIORITY);
  const units = openUnits();
  const claimed = words.map(decodeURIComponent);
  if (units === undefined) return;
  if (claimed.includes(THE_MACHINE)) {
    await trainForUser(units);
    units.release(THE_MACHINE);
  }
  const image = readMachineImage<RegionCompiler>();
  const hasTime = (): boolean => performance.now() < MOST_MS;
  for (const program of claimed.filter((word) => word !== THE_MACHINE)) {
    if (hasTime()) optimizeKept(image, program, hasTime);
    units.release(program);
  }
  // Programs that were run to train it may have left a task.
  process.exit(0);
}
