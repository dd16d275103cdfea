/** Machine code of translations is made when the command has ended: `optimizing-process.ts`. */
import { keepsMachineCode } from '../host/node/native-code.ts';
import { spawnOwn } from './own-process.ts';
import { OPTIMIZING_PROCESS, THE_MACHINE } from './worker-word.ts';

/** Of names that a guest chose. */
const MOST_PROGRAMS = 32;
const MOST_NAME = 4096;

/** Starts the process and does not wait for it. `withMachine`: V8 had to compile the machine's own modules. */
export function optimizeLater(programs: readonly string[], withMachine: boolean): void {
  if (!keepsMachineCode()) return;
  const named = programs.filter((program) => program.length <= MOST_NAME).slice(0, MOST_PROGRAMS);
  const child = spawnOwn([OPTIMIZING_PROCESS, ...(withMachine ? [THE_MACHINE] : []), ...named.map(encodeURIComponent)], 'ignore');
  child?.on('error', () => undefined);
  child?.unref();
}
