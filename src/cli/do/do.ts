/** `caisson do`: a command on a copy of this machine. */
import type { Container } from '../../container/index.ts';
import { DO_FLAGS } from './do-flags.ts';
import { readDoOptions } from './do-options.ts';
import type { DoOptions } from './do-options.ts';
import { parseFlags } from '../flags.ts';
import { createContainer, exitCode, keepTranslations, terminalFacts, traceCalls } from '../containers/launch.ts';
import type { WatchRecord } from '../../lifecycle/index.ts';
import type { Watching } from '../detect/watching.ts';
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

/** Who it is of has no name: it is gone when the command has ended. */
async function watchCommand(container: Container, session: Session, record: WatchRecord, hostname: string): Promise<Watching> {
  const identity = { id: 'sandbox', name: 'sandbox', image: '', imageId: '', imageDigest: '', hostname, mounts: [] };
  return (await import('../detect/watching.ts')).watchContainer(container, record, identity, { say: (line) => session.writeLine(line) });
}

export async function doCommand(args: readonly string[]): Promise<number> {
  const values = parseFlags(args, DO_FLAGS, 'do');
  if (values.has('help')) {
    process.stdout.write((await import('../help.ts')).doHelp());
    return 0;
  }
  const options = readDoOptions(values, await terminalFacts());
  const container = await createContainer(options.container);
  const session = new Session(container, options);
  traceCalls(container, session, options.strace);
  const watching = options.watch === undefined ? undefined : await watchCommand(container, session, options.watch, options.container.hostname);
  const status = await session.run();
  await watching?.end();
  await afterwards(container, options);
  await keepTranslations(container);
  return exitCode(status, session.timedOut);
}
