/** `exec` and `top`: asked of the process that runs the container. */
import type { Socket } from 'node:net';
import type { Containers, KeptContainer } from '../lifecycle/index.ts';
import { StandardInput, StandardOutput, isTerminal } from '../host/node/stdio.ts';
import type { RawTerminal } from '../host/node/terminal.ts';
import { rawArguments, rawEnvironment, toByteString } from './bytes.ts';
import { readCommand } from './command.ts';
import { EXEC, TOP } from './container-specs.ts';
import { EXIT_FAILED, withContainers } from './container-store.ts';
import { ask, connectTo, converse } from './control-client.ts';
import { FRAME, documentFrame, frame, parseDocument } from './control-protocol.ts';
import type { Answer, ExecRequest } from './control-protocol.ts';
import { mergeEnvironment } from './environment.ts';
import { EXIT_BROKEN_PIPE, EXIT_CAISSON, UserError } from './errors.ts';
import type { FlagValues } from './flags.ts';
import { formatTable } from './table.ts';

function notRunning({ id }: KeptContainer): UserError {
  return new UserError(`container ${id} is not running`, 'start it with "caisson start"', EXIT_FAILED);
}

function requestOf(values: FlagValues): ExecRequest {
  const workdir = values.last('workdir');
  if (workdir !== undefined && !workdir.startsWith('/')) throw new UserError(`cannot use --workdir ${workdir}: it is not absolute`, 'begin it with /', EXIT_FAILED);
  return {
    op: 'exec', argv: rawArguments(values.command).slice(1), env: mergeEnvironment([], rawEnvironment(process.env), { env: values.all('env'), envFiles: values.all('env-file') }), user: values.last('user'),
    workingDirectory: workdir === undefined ? undefined : toByteString(workdir), terminal: values.has('tty') ? { rows: process.stdout.rows ?? 24, columns: process.stdout.columns ?? 80 } : undefined,
    input: values.has('interactive'), detached: values.has('detach'),
  };
}

/** Our streams and those of the program, until it ends. */
class Dialogue {
  isUnread = false;
  readonly #socket: Socket;
  readonly #request: ExecRequest;
  readonly #outputs: readonly StandardOutput[];
  readonly #input: StandardInput;
  #terminal: RawTerminal | undefined;
  #last: Answer | undefined;

  constructor(socket: Socket, request: ExecRequest) {
    this.#socket = socket;
    this.#request = request;
    this.#outputs = [1, 2].map((fd) => new StandardOutput(fd, { onDrain: () => socket.resume(), onBroken: () => this.#unread() }));
    this.#input = new StandardInput({
      onBytes: (bytes) => {
        const hasRoom = socket.write(frame(FRAME.stdin, bytes));
        // Files are read on demand: whoever took a piece asks for the next one.
        if (hasRoom) setImmediate(() => this.#input.want());
        return hasRoom;
      },
      onEnd: () => void socket.write(frame(FRAME.endOfInput, new Uint8Array())),
    });
    socket.on('drain', () => {
      this.#input.resume();
      this.#input.want();
    });
  }

  /** Whoever read our output is gone: so are we, and the program's output is a broken pipe. */
  #unread(): void {
    this.isUnread = true;
    this.#socket.destroy();
  }

  async run(): Promise<Answer | undefined> {
    try {
      await converse(this.#socket, this.#request, (kind, payload) => this.#onFrame(kind, payload));
    } finally {
      this.#input.stop();
      this.#terminal?.restore();
      for (const output of this.#outputs) output.flush();
    }
    return this.#last;
  }

  #onFrame(kind: number, payload: Uint8Array): void {
    if (kind === FRAME.stdout || kind === FRAME.stderr) {
      this.#terminal?.observe(payload);
      if (this.#outputs[kind === FRAME.stderr ? 1 : 0]?.write(payload) === false) this.#socket.pause();
      return;
    }
    if (kind !== FRAME.document) return;
    this.#last = parseDocument<Answer>(payload);
    if (this.#last.isStarted === true && this.#request.input) void this.#takeInput();
  }

  async #takeInput(): Promise<void> {
    if (this.#request.terminal !== undefined && (await isTerminal(0))) {
      const { RawTerminal: Terminal } = await import('../host/node/terminal.ts');
      this.#terminal = new Terminal(process.stdin, process.stdout);
      this.#terminal.enter();
      this.#terminal.onResize((size) => this.#socket.write(documentFrame(size, FRAME.resize)));
    }
    this.#input.want();
  }
}

async function exec(containers: Containers, container: KeptContainer, request: ExecRequest): Promise<number> {
  const socket = await connectTo(containers, container);
  if (socket === undefined) throw notRunning(container);
  const dialogue = new Dialogue(socket, request);
  const answer = await dialogue.run();
  if (dialogue.isUnread) return EXIT_BROKEN_PIPE;
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
  return withContainers(`run a command in "${text}"`, (containers) => exec(containers, containers.find(text), request));
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
