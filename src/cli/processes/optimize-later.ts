/** Machine code of what a run leaves is made when the command has ended: `optimizing-process.ts`. */
import { openUnits } from '../../host/node/image.ts';
import { spawnOwn } from './own-process.ts';
import { OPTIMIZING_PROCESS, THE_MACHINE } from './worker-word.ts';

/** Of names that a guest chose. */
const MOST_PROGRAMS = 32;
const MOST_NAME = 4096;

/** Starts the process where V8 gives machine code away (`keepsMachineCode`), and there is none at it, and does not wait for it. `withMachine`: V8 had to compile the machine's own modules. */
export function optimizeLater(programs: readonly string[], withMachine: boolean): void {
  const units = openUnits();
  if (units === undefined) return;
  const known = programs.filter((program) => program.length <= MOST_NAME).slice(0, MOST_PROGRAMS);
  const claimed = [...(withMachine ? [THE_MACHINE] : []), ...known].filter((program) => units.claim(program));
  if (claimed.length === 0) return;
  const child = spawnOwn([OPTIMIZING_PROCESS, ...claimed.map(encodeURIComponent)], 'ignore');
  if (child === undefined) for (const program of claimed) units.release(program);
  else child.unref();
}
