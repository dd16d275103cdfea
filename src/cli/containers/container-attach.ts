/** `attach`, and what `run` and `start` do with a container that runs in a process of its own: its output here, what is typed there. */
import { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 } from '../../abi/signal.ts';
import { EXIT_KILLED, LifecycleError } from '../../lifecycle/index.ts';
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';
import { isTerminal } from '../../host/node/stdio.ts';
import { readCommand } from '../command.ts';
import { ATTACH } from './container-live-specs.ts';
import { EXIT_FAILED, notRunning, withContainers } from './container-store.ts';
import { ask, connectTo } from './control-client.ts';
import type { AttachRequest } from './control-protocol.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { startDetached } from './detached.ts';
import { Dialogue, saidDetached } from './dialogue.ts';
import { EXIT_BROKEN_PIPE, EXIT_CAISSON, UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { stopSignalOf } from './stop-signal.ts';

const FORWARDED: readonly (readonly [name: NodeJS.Signals, number: number])[] = [
  ['SIGINT', SIGINT], ['SIGTERM', SIGTERM], ['SIGHUP', SIGHUP], ['SIGQUIT', SIGQUIT], ['SIGUSR1', SIGUSR1], ['SIGUSR2', SIGUSR2],
];

export interface AttachOptions {
  readonly input: boolean;
  readonly closesInput: boolean;
  readonly detachKeys: readonly number[];
  /** Signals to us are signals to its command. */
  readonly signals: boolean;
}

/** `--sig-proxy`, which is on unless it is said to be off. @throws UserError */
function forwardsSignals(values: FlagValues): boolean {
  const text = values.last('sig-proxy') ?? '';
  if (!['', 'true', 'false', '1', '0'].includes(text)) throw new UserError(`cannot use --sig-proxy=${text}: it is true or false`, 'leave it out for true');
  return !['false', '0'].includes(text);
}

/** @throws UserError */
export function attachOptions(values: FlagValues, input: boolean, closesInput: boolean): AttachOptions {
  return { input, closesInput, detachKeys: parseDetachKeys(values.last('detach-keys') ?? ''), signals: forwardsSignals(values) };
}

/** To a terminal they are typed. Answers how to stop that. */
function forwardSignals(containers: Containers, container: WholeContainer): () => void {
  const stopSignal = stopSignalOf(container.record);
  const listeners = FORWARDED.map(([name, signal]) => {
    const listener = (): void => void ask(containers, container, { op: 'kill', signal, stops: signal === stopSignal }).catch(() => {});
    process.on(name, listener);
    return [name, listener] as const;
  });
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener);
  };
}

/** Until its command ends, of which the status is answered, or until the keys are typed. @throws UserError */
export async function attachTo(containers: Containers, container: WholeContainer, { input, closesInput, detachKeys, signals }: AttachOptions): Promise<number> {
  const hasTerminal = container.record.process.terminal;
  const socket = await connectTo(containers, container);
  if (socket === undefined) throw notRunning(container);
  // A terminal that does not know its size has none.
  const size = hasTerminal && (await isTerminal(1)) && process.stdout.rows > 0 ? { rows: process.stdout.rows, columns: process.stdout.columns } : undefined;
  const request: AttachRequest = { op: 'attach', input: input && container.record.process.input, closesInput, terminal: hasTerminal && input ? size : undefined };
  const dialogue = new Dialogue(socket, request, detachKeys);
  const forget = signals && !hasTerminal ? forwardSignals(containers, container) : undefined;
  try {
    const answer = await dialogue.run();
    if (dialogue.end === 'unread') return EXIT_BROKEN_PIPE;
    if (dialogue.end === 'detached') return saidDetached();
    if (answer?.error !== undefined) throw new UserError(answer.error, answer.advice, answer.code);
    return answer?.exitCode ?? endOf(containers, container.id);
  } finally {
    forget?.();
  }
}

/** Starts it, with all that it prints here. */
export async function startAttached(containers: Containers, container: WholeContainer, values: FlagValues, input: boolean): Promise<number> {
  const options = attachOptions(values, input, true);
  await startDetached(container.id, true);
  return attachTo(containers, containers.findWhole(container.id), options);
}

/** Its process was killed, and could not say how its command ended. One that is removed by then was killed, too. */
function endOf(containers: Containers, id: string): number {
  try {
    const { status, exitCode } = containers.find(id).state;
    return status === 'exited' ? exitCode : EXIT_CAISSON;
  } catch (error) {
    if (error instanceof LifecycleError) return EXIT_KILLED;
    throw error;
  }
}

export async function attachCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(ATTACH, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  const options = attachOptions(values, !values.has('no-stdin'), false);
  return withContainers(`attach to "${text}"`, async (containers) => {
    const container = containers.findWhole(text);
    if (container.state.status !== 'running') throw new UserError('You cannot attach to a stopped container, start it first', 'with "caisson start -ai"', EXIT_FAILED);
    const { terminal, input } = container.record.process;
    if (terminal && input && options.input && !(await isTerminal(0))) throw new UserError('the input device is not a TTY', 'use --no-stdin to see its output only', EXIT_FAILED);
    return attachTo(containers, container, options);
  });
}
