/** A container that runs with the caller's streams, in this process: `run`, and `start` with `-a` or `-i`. */
import type { Container, LayerPaths, RunningProcess } from '../container/index.ts';
import type { Containers, ContainerRecord, Life } from '../lifecycle/index.ts';
import type { Control, Controlled } from './control-server.ts';
import { EXIT_CAISSON, UserError, exitCodeOf } from './errors.ts';
import type { FlagValues } from './flags.ts';
import { openContainer } from './kept-container.ts';
import { toUserError } from './image-store.ts';
import { exitCode, keepTranslations, terminalFacts, traceCalls } from './launch.ts';
import type { Joined } from './membership.ts';
import { Session } from './session.ts';

/** Long enough that a short command does not pay for it. */
const CONTROL_AFTER_MS = 150;

export interface ForegroundOptions {
  readonly containers: Containers;
  readonly record: ContainerRecord;
  readonly layers: readonly LayerPaths[];
  /** Absent: the store cannot be written, so nothing is kept. */
  readonly life: Life | undefined;
  readonly input: boolean;
  /** `--strace`, `--stats`, `--changes`, `--export-changes`. */
  readonly values: FlagValues | undefined;
}

async function afterwards(container: Container, values: FlagValues | undefined): Promise<void> {
  if (values === undefined) return;
  if (values.has('stats')) (await import('./do-stats.ts')).printStatistics(container.statistics());
  const file = values.last('export-changes');
  if (!values.has('changes') && file === undefined) return;
  const report = await import('./do-changes.ts');
  if (values.has('changes')) report.printChanges(container);
  if (file !== undefined) report.exportChanges(container, file);
}

/** Answers the exit status for the shell. */
export async function runForeground(options: ForegroundOptions): Promise<number> {
  let joined: Joined | undefined;
  try {
    joined = await joinedNetwork(options);
    return await runSession(options, joined);
  } catch (error) {
    options.life?.failed(exitCodeOf(error), error instanceof Error ? error.message : '');
    throw toUserError(error, 'start the container');
  } finally {
    joined?.leave();
  }
}

/** Most containers are on none, and do not wait for what joins one. */
async function joinedNetwork({ containers, record, life }: ForegroundOptions): Promise<Joined | undefined> {
  const { member } = record.container.network;
  if (member === undefined) return undefined;
  if (life === undefined) throw new UserError(`cannot join the network ${member.network}: the store cannot be written`, 'check CAISSON_HOME');
  return (await import('./membership.ts')).joinNetwork(containers.store, life.container);
}

async function runSession({ containers, record, layers, life, input, values }: ForegroundOptions, joined: Joined | undefined): Promise<number> {
  const { container, spec } = await openContainer(record, layers, record.process.terminal ? await terminalFacts() : undefined, joined?.membership);
  life?.connected({ ports: container.ports, network: joined?.network });
  const log = life === undefined || record.autoRemove ? undefined : life.log;
  const session = new Session(container, {
    process: spec, timeoutMs: record.timeoutMs, withoutInput: spec.terminal === undefined && !input, ...(log === undefined ? {} : { onOutput: (fd, bytes) => log.write(fd, bytes) }),
  });
  traceCalls(container, session, values?.has('strace') === true ? values.all('strace').filter((filter) => filter !== '') : undefined);
  const closeControl = life === undefined ? undefined : controlLater((running) => ({ containers, kept: life.container, container, process: running }), session);
  const status = await session.run();
  const control = await closeControl?.();
  const code = exitCode(status, session.timedOut);
  await afterwards(container, values);
  const lost = await life?.ended(code, () => container.changes(), container.oomKilled);
  await keepTranslations(container);
  await control?.announce(code);
  return lost === undefined ? code : saidLost(lost, code);
}

/** Others can reach it, if it is still there then. Answers how to stop that. */
function controlLater(controlled: (running: RunningProcess) => Controlled, session: Session): () => Promise<Control | undefined> {
  let opened: Promise<Control> | undefined;
  const timer = setTimeout(() => {
    const { process: running } = session;
    if (running !== undefined) opened = import('./control-server.ts').then(({ openControl }) => openControl(controlled(running)));
    // Without a socket (no /proc, a full disk) it runs all the same.
    opened?.catch(() => {});
  }, CONTROL_AFTER_MS);
  return async () => {
    clearTimeout(timer);
    const control = await opened?.catch(() => undefined);
    control?.close();
    return control;
  };
}

/** The command's own status stays, unless it says that all went well. */
function saidLost(lost: string, code: number): number {
  const { message } = new UserError(lost);
  process.stderr.write(`caisson: ${message}\n`);
  return code === 0 ? EXIT_CAISSON : code;
}
