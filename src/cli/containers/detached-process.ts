/** The process of a container in the background: nobody's terminal, its output goes to the log, and who wants something of it connects to its socket. */
import { closeSync, writeSync } from 'node:fs';
import { Containers, Life } from '../../lifecycle/index.ts';
import { REPORT_FD } from './detached.ts';
import type { StartReport } from './detached.ts';
import { UserError, exitCodeOf, formatError } from '../errors.ts';
import { openStore, toUserError } from '../images/image-store.ts';
import { Supervisor } from './supervisor.ts';

let isReported = false;

/** Once: who started us then goes on. */
function report(text: StartReport): void {
  if (isReported) return;
  isReported = true;
  writeSync(REPORT_FD, JSON.stringify(text));
  closeSync(REPORT_FD);
}

/** `waits`: whoever started it is to see all that it prints. Ends the process. */
export async function runDetached(id: string, waits: boolean): Promise<void> {
  let supervisor: Supervisor | undefined;
  let life: Life | undefined;
  try {
    const store = openStore();
    const containers = new Containers(store);
    const kept = containers.findWhole(id);
    life = Life.begin(containers, kept, process.pid);
    const use = store.claims.use(kept.record.image.manifest);
    supervisor = new Supervisor(containers, life);
    await supervisor.run(waits, () => report({}));
    use.end();
    process.exit(0);
  } catch (error) {
    const known = toUserError(error, 'start the container');
    const code = exitCodeOf(known);
    const message = known instanceof UserError ? known.message : formatError(known);
    const advice = known instanceof UserError ? known.advice : undefined;
    await life?.failed(code, message);
    report({ error: message, advice, code });
    await supervisor?.sayFailed({ error: message, advice, code });
    process.exit(code);
  }
}
