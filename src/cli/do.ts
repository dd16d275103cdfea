/** `caisson do`: a command on a copy of this machine. */
import { ERRNO_NAMES } from '../abi/errno.ts';
import { Container, ContainerError, NetworkRuleError, UnknownFilterError } from '../container/index.ts';
import type { ExitStatus, RegionCompiler } from '../container/index.ts';
import { createNodeHost } from '../host/node/index.ts';
import { readMachineImage } from '../host/node/image.ts';
import { isTerminal } from '../host/node/stdio.ts';
import type { Host } from '../host/types.ts';
import { toText } from './bytes.ts';
import { DO_FLAGS } from './do-flags.ts';
import { readDoOptions } from './do-options.ts';
import type { DoOptions, TerminalFacts } from './do-options.ts';
import { Session } from './do-session.ts';
import { EXIT_SIGNAL_BASE, EXIT_TIMEOUT, UserError } from './errors.ts';
import { parseFlags } from './flags.ts';

async function terminalFacts(): Promise<TerminalFacts | undefined> {
  if (!(await isTerminal(0)) || !(await isTerminal(1))) return undefined;
  return { rows: process.stdout.rows, columns: process.stdout.columns };
}

function exitCode(status: ExitStatus, timedOut: boolean): number {
  if (timedOut) return EXIT_TIMEOUT;
  return status.signal === undefined ? status.code : EXIT_SIGNAL_BASE + status.signal;
}

function openContainer(host: Host, options: DoOptions): Container {
  try {
    return Container.create(host, options.container, { image: readMachineImage<RegionCompiler>() });
  } catch (error) {
    if (error instanceof NetworkRuleError) throw new UserError(error.message, 'such as example.com:443 or 10.0.0.0/8', undefined, { cause: error });
    if (!(error instanceof ContainerError)) throw error;
    throw new UserError(`cannot use "${toText(error.path)}": ${ERRNO_NAMES.get(error.errno) ?? `error ${error.errno}`}`, 'check --root, --volume, --rw and --tmpfs', undefined, { cause: error });
  }
}

async function createContainer(options: DoOptions): Promise<Container> {
  if (options.container.network.mode === 'none') return openContainer(createNodeHost(), options);
  const { nodeNetwork } = await import('../host/node/network.ts');
  return openContainer(createNodeHost({ network: nodeNetwork }), options);
}

function traceCalls(container: Container, session: Session, { strace }: DoOptions): void {
  if (strace === undefined) return;
  try {
    container.trace(strace, (line) => session.writeTrace(line));
  } catch (error) {
    if (!(error instanceof UnknownFilterError)) throw error;
    throw new UserError(`cannot use --strace=${strace.join(',')}: ${error.message}`, 'names with commas between, or %file, %desc, %process, %network, %signal, %memory, %ipc', undefined, { cause: error });
  }
}

/** What --stats, --changes, --export-changes and --apply do once the command has ended. */
async function afterwards(container: Container, options: DoOptions): Promise<void> {
  if (options.stats) (await import('./do-stats.ts')).printStatistics(container.statistics());
  if (!options.changes && options.exportChanges === undefined && !options.apply) return;
  const report = await import('./do-changes.ts');
  if (options.changes) report.printChanges(container);
  if (options.exportChanges !== undefined) await report.exportChanges(container, options.exportChanges);
  if (options.apply) await (await import('./do-apply.ts')).applyChanges(container, options);
}

export async function doCommand(args: readonly string[]): Promise<number> {
  const values = parseFlags(args, DO_FLAGS, 'do');
  if (values.has('help')) {
    process.stdout.write((await import('./help.ts')).doHelp());
    return 0;
  }
  const options = readDoOptions(values, await terminalFacts());
  const container = await createContainer(options);
  const session = new Session(container, options);
  traceCalls(container, session, options);
  const status = await session.run();
  await afterwards(container, options);
  container.keepTranslations();
  return exitCode(status, session.timedOut);
}
