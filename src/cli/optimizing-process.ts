/**
 * The process that makes machine code of what programs have left: V8 compiles a unit slowly or well, and the next run of a program would do
 * so again. It has the lowest priority, and ends by itself.
 */
import { setPriority } from 'node:os';
import type { RegionCompiler } from '../container/index.ts';
import { openUnits, readMachineImage } from '../host/node/image.ts';
import { optimizeKept } from '../machine/index.ts';

const LOWEST_PRIORITY = 19;
/** For all together; the rest is left to the next time. */
const MOST_MS = 60_000;

export function runOptimizing(programs: readonly string[]): void {
  setPriority(LOWEST_PRIORITY);
  const image = readMachineImage<RegionCompiler>();
  const hasTime = (): boolean => performance.now() < MOST_MS;
  for (const program of programs.map(decodeURIComponent)) {
    const claim = hasTime() ? openUnits()?.claim(program) : undefined;
    if (claim === undefined) continue;
    optimizeKept(image, program, hasTime);
    claim.end();
  }
}
