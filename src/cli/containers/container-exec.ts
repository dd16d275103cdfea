/** `exec` and `top`: asked of the process that runs the container. */
import type { Containers, KeptContainer } from '../../lifecycle/index.ts';
import { isTerminal } from '../../host/node/stdio.ts';
import { rawArguments, rawEnvironment, toByteString } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { EXEC, TOP } from './container-specs.ts';
import { EXIT_FAILED, notRunning, withContainers } from './container-store.ts';
import { ask, connectTo } from './control-client.ts';
import type { ExecRequest } from './control-protocol.ts';
import { parseDetachKeys } from './detach-keys.ts';
import { Dialogue, saidDetached } from './dialogue.ts';
import { mergeEnvironment } from '../environment.ts';
import { EXIT_BROKEN_PIPE, EXIT_CAISSON, UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { formatTable } from '../table.ts';

function requestOf(values: FlagValues): ExecRequest {
  const workdir = values.last('workdir');
  if (workdir !== undefined && !workdir.startsWith('/')) throw new UserError(`cannot use --workdir ${workdir}: it is not absolute`, 'begin it with /', EXIT_FAILED);
  return {
    op: 'exec', argv: rawArguments(values.command).slice(1), env: mergeEnvironment([], rawEnvironment(process.env), { env: values.all('env'), envFiles: values.all('env-file') }), user: values.last('user'),
    workingDirectory: workdir === undefined ? undefined : toByteString(workdir), terminal: values.has('tty') ? { rows: process.stdout.rows ?? 24, columns: process.stdout.columns ?? 80 } : undefined,
    input: values.has('interactive'), detached: values.has('detach'),
  };
}

async function exec(containers: Containers, container: KeptContainer, request: ExecRequest, detachKeys: readonly number[]): Promise<number> {
  const socket = await connectTo(containers, container);
  if (socket === undefined) throw notRunning(container);
  const dialogue = new Dialogue(socket, request, detachKeys);
  const answer = await dialogue.run();
  if (dialogue.end === 'unread') return EXIT_BROKEN_PIPE;
  if (dialogue.end === 'detached') return saidDetached();
  if (answer?.error !== undefined) throw new UserError(answer.error, answer.advice, answer.code);
  if (answer?.exitCode !== undefined) return answer.exitCode;
  if (answer?.isStarted === true && request.detached) return 0;
  throw new UserError('the container ended before the command did', 'see "caisson ps -a"', containers.stateOf(container.id).status === 'exited' ? containers.stateOf(container.id).exitCode : EXIT_CAISSON);
}

export async function execCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(EXEC, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  const request = requestOf(values);
  if (request.terminal !== undefined && request.input && !(await isTerminal(0))) throw new UserError('the input device is not a TTY', 'leave -t out', EXIT_FAILED);
  const detachKeys = parseDetachKeys(values.last('detach-keys') ?? '');
  return withContainers(`run a command in "${text}"`, (containers) => exec(containers, containers.find(text), request, detachKeys));
}

const TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];

export async function topCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(TOP, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  return withContainers(`show the processes of "${text}"`, async (containers) => {
    const container = containers.find(text);
    const answer = await ask(containers, container, { op: 'top' });
    if (answer === undefined) throw notRunning(container);
    process.stdout.write(formatTable([TITLES, ...(answer.rows ?? [])]));
    return 0;
  });
}
