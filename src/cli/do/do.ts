/** `caisson do`: a command on a copy of this machine. */
import type { Container } from '../../container/index.ts';
import { DO_FLAGS } from './do-flags.ts';
import { readDoOptions } from './do-options.ts';
import type { DoOptions } from './do-options.ts';
import { parseFlags } from '../flags.ts';
import { createContainer, exitCode, keepTranslations, terminalFacts, traceCalls } from '../containers/launch.ts';
import { Session } from '../session.ts';

/** What --stats, --changes, --export-changes and --apply do once the command has ended. */
async function afterwards(container: Container, options: DoOptions): Promise<void> {
  if (options.stats) (await import('./do-stats.ts')).printStatistics(container.statistics());
  if (!options.changes && options.exportChanges === undefined && !options.apply) return;
  const report = await import('./do-changes.ts');
  if (options.changes) report.printChanges(container);
  if (options.exportChanges !== undefined) report.exportChanges(container, options.exportChanges);
  if (options.apply) await (await import('./do-apply.ts')).applyChanges(container, options);
}

export async function doCommand(args: readonly string[]): Promise<number> {
  const values = parseFlags(args, DO_FLAGS, 'do');
  if (values.has('help')) {
    process.stdout.write((await import('../help.ts')).doHelp());
    return 0;
  }
  const options = readDoOptions(values, await terminalFacts());
  const container = await createContainer(options.container, { called: `do-${process.pid}` });
  const session = new Session(container, options);
  traceCalls(container, session, options.strace);
  const status = await session.run();
  await afterwards(container, options);
  await keepTranslations(container);
  return exitCode(status, session.timedOut);
}
