/** A container that runs with the caller's streams, in this process: `run`, and `start` with `-a` or `-i`. */
import type { Container, LayerPaths, RunningProcess } from '../../container/index.ts';
import type { Containers, ContainerRecord, Life } from '../../lifecycle/index.ts';
import { Attachments } from './attachments.ts';
import type { Control, Controlled, Running } from './control-server.ts';
import { EXIT_CAISSON, UserError, exitCodeOf } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { openContainer } from './kept-container.ts';
import { toUserError } from '../images/image-store.ts';
import { exitCode, keepTranslations, terminalFacts, traceCalls } from './launch.ts';
import type { Joined } from '../networks/membership.ts';
import { Session } from '../session.ts';

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
  if (values.has('stats')) (await import('../do/do-stats.ts')).printStatistics(container.statistics());
  const file = values.last('export-changes');
  if (!values.has('changes') && file === undefined) return;
  const report = await import('../do/do-changes.ts');
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
    await options.life?.failed(exitCodeOf(error), error instanceof Error ? error.message : '');
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
  return (await import('../networks/membership.ts')).joinNetwork(containers.store, life.container);
}

async function runSession({ containers, record, layers, life, input, values }: ForegroundOptions, joined: Joined | undefined): Promise<number> {
  const { container, spec } = await openContainer(record, { store: life === undefined ? undefined : containers.store, layers, size: record.process.terminal ? await terminalFacts() : undefined, membership: joined?.membership });
  life?.connected({ ports: container.ports, network: joined?.network });
  const log = life === undefined || record.autoRemove ? undefined : life.log;
  const beside = life === undefined ? undefined : new Beside(containers, life, container);
  const session = new Session(container, {
    process: spec, timeoutMs: record.timeoutMs, withoutInput: spec.terminal === undefined && !input,
    onOutput: (fd, bytes) => {
      log?.write(fd, bytes);
      return beside?.attachments.write(fd, bytes) ?? true;
    },
    onStarted: () => beside?.started(session), onInputRoom: () => beside?.inputRoom(),
  });
  traceCalls(container, session, values?.has('strace') === true ? values.all('strace').filter((filter) => filter !== '') : undefined);
  const watching = record.watch === undefined ? undefined : await (await import('../detect/watch-kept.ts')).watchKept(container, record, life, (line) => session.writeLine(line));
  const status = await session.run();
  await watching?.end();
  await beside?.close();
  const code = exitCode(status, session.timedOut);
  await afterwards(container, values);
  const lost = await life?.ended(code, () => container.changes(), container.oomKilled);
  await keepTranslations(container);
  await beside?.announce(code);
  return lost === undefined ? code : saidLost(lost, code);
}

/** What others can ask of it meanwhile. */
class Beside implements Controlled {
  readonly containers: Containers;
  readonly life: Life;
  readonly attachments = new Attachments(() => [1, 2].forEach((fd) => this.#process?.outputDrained(fd)));
  readonly #container: Container;
  #process: RunningProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #opened: Promise<Control> | undefined;
  #control: Control | undefined;
  #health: { stop(): void } | undefined;

  constructor(containers: Containers, life: Life, container: Container) {
    this.containers = containers;
    this.life = life;
    this.#container = container;
  }

  running(): Running | undefined {
    return this.#process === undefined ? undefined : { container: this.#container, process: this.#process };
  }

  stopRequested(): boolean {
    return false;
  }

  /** They can reach it a moment later, if it is still there then. */
  started({ process: running }: Session): void {
    this.#process = running;
    this.life.started();
    this.#timer = setTimeout(() => {
      this.#opened = import('./control-server.ts').then(({ openControl }) => openControl(this));
      // Without a socket (no /proc, a full disk) it runs all the same.
      this.#opened.then((control) => (this.#control = control), () => {});
    }, CONTROL_AFTER_MS);
    if (this.life.container.record.health !== undefined) void this.#watchHealth();
  }

  async #watchHealth(): Promise<void> {
    const { HealthMonitor } = await import('./container-health.ts');
    if (this.#process !== undefined) this.#health = HealthMonitor.start(this.#container, this.life);
  }

  inputRoom(): void {
    this.#control?.inputRoom();
  }

  /** It has ended: nobody can reach it any more. */
  async close(): Promise<void> {
    this.#process = undefined;
    this.#health?.stop();
    clearTimeout(this.#timer);
    await this.#opened?.catch(() => undefined);
    this.#control?.close();
  }

  async announce(code: number): Promise<void> {
    await this.#control?.announce({ exitCode: code });
  }
}

/** The command's own status stays, unless it says that all went well. */
function saidLost(lost: string, code: number): number {
  const { message } = new UserError(lost);
  process.stderr.write(`caisson: ${message}\n`);
  return code === 0 ? EXIT_CAISSON : code;
}
