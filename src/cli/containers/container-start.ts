/** `start`, `stop`, `restart`, `kill`, `wait`: a container's process. */
import { SIGKILL } from '../../abi/signal.ts';
import { DEFAULT_STOP_TIMEOUT_S, Life, LifecycleError, NO_RESTART } from '../../lifecycle/index.ts';
import type { Containers, KeptContainer, WholeContainer } from '../../lifecycle/index.ts';
import { mountedLayers } from '../../lifecycle/own-layers.ts';
import { readCommand } from '../command.ts';
import { killHost } from './container-remove.ts';
import { KILL, RESTART, START, STOP, WAIT } from './container-specs.ts';
import { EXIT_FAILED, forEach, withContainers } from './container-store.ts';
import { ask } from './control-client.ts';
import { startDetached } from './detached.ts';
import { stopSignalOf } from './stop-signal.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { runForeground } from './foreground.ts';
import { need } from '../option-values.ts';
import { parseCount } from '../quantities.ts';
import { parseSignal } from './run-record.ts';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** How long a process may take to write down what its container changed, after that was killed. */
const KEEPING_MS = 60_000;
/** How long it may take to answer that it was told. */
const ANSWER_MS = 5000;
const LEAST_ANSWER_MS = 1000;

/** Until it does not run any more; false: not within that time, by a clock that nobody sets. */
async function hasEnded(containers: Containers, id: string, mostMs: number): Promise<boolean> {
  for (let since = performance.now(), pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    if (containers.stateOf(id).status !== 'running') return true;
    if (performance.now() - since >= mostMs) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, mostMs)));
  }
}

async function startForeground(containers: Containers, container: WholeContainer, values: FlagValues): Promise<number> {
  const input = values.has('interactive');
  const attach = await import('./container-attach.ts');
  if (container.state.status === 'running') return attach.attachTo(containers, container, attach.attachOptions(values, input, false));
  const { restart = NO_RESTART } = container.record;
  if (restart.name !== 'no' || values.has('detach-keys')) return attach.startAttached(containers, container, values, input);
  const life = Life.begin(containers, container, process.pid);
  const use = containers.store.claims.use(container.record.image.manifest);
  try {
    return await runForeground({ containers, record: container.record, layers: await mountedLayers(containers, container), life, input, values: undefined });
  } finally {
    use.end();
  }
}

export async function startCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(START, args);
  if (values === undefined) return 0;
  const isForeground = values.has('attach') || values.has('interactive');
  if (isForeground && values.command.length > 1) throw new UserError('you cannot start and attach multiple containers at once', 'start one of them with -a', EXIT_FAILED);
  return withContainers('start containers', async (containers) => {
    const [text = ''] = values.command;
    if (isForeground) return startForeground(containers, containers.findWhole(text), values);
    return forEach(values.command, 'start the container', async (word) => {
      const { id, state } = containers.findWhole(word);
      if (state.paused === true) throw new UserError('cannot start a paused container, try unpause instead', `caisson unpause ${word}`, EXIT_FAILED);
      if (state.status !== 'running') await startDetached(id);
      return word;
    });
  });
}

/** Seconds that are given to it. */
function timeoutOf(values: FlagValues, { record }: WholeContainer): number {
  const text = values.last('time') ?? values.last('timeout');
  return (text === undefined ? undefined : need(parseCount(text), 'time', text, 'it is not a number of seconds')) ?? record.stopTimeoutS ?? DEFAULT_STOP_TIMEOUT_S;
}

/** False: its process does not answer (it was stopped by SIGSTOP, for one). */
async function isTold(containers: Containers, container: KeptContainer, signal: number, mostMs: number): Promise<boolean> {
  try {
    await ask(containers, container, { op: 'kill', signal, stops: true }, mostMs);
    return true;
  } catch (error) {
    if (error instanceof LifecycleError) return false;
    throw error;
  }
}

/** Kindly, then not. */
async function stop(containers: Containers, container: WholeContainer, signal: number, seconds: number): Promise<void> {
  if (container.state.status !== 'running') return;
  if (await isTold(containers, container, signal, Math.max(LEAST_ANSWER_MS, seconds * 1000))) {
    if (await hasEnded(containers, container.id, seconds * 1000)) return;
    if ((await isTold(containers, container, SIGKILL, ANSWER_MS)) && (await hasEnded(containers, container.id, KEEPING_MS))) return;
  }
  await killHost(containers, containers.find(container.id));
}

function stopAll(values: FlagValues, containers: Containers, then: (container: WholeContainer) => Promise<void>): Promise<number> {
  const given = values.last('signal');
  const signal = given === undefined ? undefined : parseSignal(given, 'signal');
  return forEach(values.command, 'stop the container', async (word) => {
    const container = containers.findWhole(word);
    await stop(containers, container, signal ?? stopSignalOf(container.record), timeoutOf(values, container));
    await then(container);
    return word;
  });
}

export async function stopCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(STOP, args);
  if (values === undefined) return 0;
  return withContainers('stop containers', (containers) => stopAll(values, containers, async (container) => {
    if (container.state.status === 'running') containers.sayAfterEnd('stop', container);
  }));
}

export async function restartCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RESTART, args);
  if (values === undefined) return 0;
  return withContainers('restart containers', (containers) => stopAll(values, containers, async (container) => {
    await startDetached(container.id);
    containers.say('restart', container);
  }));
}

/** SIGKILL ends one whose process does not answer, too. */
async function killOne(containers: Containers, container: KeptContainer, signal: number): Promise<void> {
  if (container.state.status !== 'running') throw new LifecycleError(`container ${container.id} is not running`, 'start it with "caisson start"');
  const stops = signal === SIGKILL || (container.record !== undefined && signal === stopSignalOf(container.record));
  if (signal !== SIGKILL) {
    await ask(containers, container, { op: 'kill', signal, stops });
    return;
  }
  await ask(containers, container, { op: 'kill', signal, stops }, ANSWER_MS).catch(async (error: unknown) => {
    if (!(error instanceof LifecycleError)) throw error;
    await killHost(containers, container);
  });
  await hasEnded(containers, container.id, KEEPING_MS);
}

export async function killCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(KILL, args);
  if (values === undefined) return 0;
  const given = values.last('signal');
  const signal = given === undefined ? SIGKILL : parseSignal(given, 'signal');
  return withContainers('kill containers', (containers) => forEach(values.command, 'kill the container', async (word) => {
    await killOne(containers, containers.find(word), signal);
    return word;
  }));
}

export async function waitCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(WAIT, args);
  if (values === undefined) return 0;
  return withContainers('wait for containers', (containers) => forEach(values.command, 'wait for the container', async (word) => {
    const container = containers.find(word);
    // One that removes itself leaves no state: its process says it.
    const answer = await ask(containers, container, { op: 'wait' }).catch((error: unknown) => {
      // Where it has no socket, its state says it as well.
      if (!(error instanceof LifecycleError)) throw error;
      return undefined;
    });
    if (answer?.exitCode !== undefined) return String(answer.exitCode);
    while (!(await hasEnded(containers, container.id, 1000)));
    return String(containers.stateOf(container.id).exitCode);
  }));
}
