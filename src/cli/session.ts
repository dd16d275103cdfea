/** Between the command in the sandbox and who called us: standard streams, the terminal, signals, the time limit. */
import { ENOENT, EACCES, EPERM, ENOEXEC, ENOTDIR, ELOOP } from '../abi/errno.ts';
import { ERRNO_NAMES } from '../abi/errno.ts';
import { SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 } from '../abi/signal.ts';
import type { Container, ExitStatus, ProcessConfig, RunningProcess } from '../container/index.ts';
import { StandardInput, StandardOutput } from '../host/node/stdio.ts';
import type { RawTerminal } from '../host/node/terminal.ts';
import { toText } from './bytes.ts';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, UserError } from './errors.ts';
import { after } from './containers/long-timer.ts';

/** How long a command may take to end after SIGTERM of --timeout. */
const GRACE_MS = 2000;
const FORWARDED: readonly (readonly [name: NodeJS.Signals, number: number])[] = [
  ['SIGINT', SIGINT], ['SIGTERM', SIGTERM], ['SIGHUP', SIGHUP], ['SIGQUIT', SIGQUIT], ['SIGUSR1', SIGUSR1], ['SIGUSR2', SIGUSR2],
];

export function startError(name: string, errno: number): UserError {
  if (errno === ENOENT || errno === ENOTDIR) return new UserError(`cannot run "${name}": no such program`, 'check the name and PATH', EXIT_NOT_FOUND);
  const why = errno === EACCES || errno === EPERM ? 'permission denied' : errno === ENOEXEC ? 'not a program for x86-64 Linux' : errno === ELOOP ? 'too many links' : (ERRNO_NAMES.get(errno) ?? `error ${errno}`);
  return new UserError(`cannot run "${name}": ${why}`, 'check that it is an executable file', EXIT_NOT_EXECUTABLE);
}

export interface SessionOptions {
  readonly process: ProcessConfig;
  readonly timeoutMs: number | undefined;
  /** True: the command finds its standard input at its end. */
  readonly withoutInput?: boolean;
  /** Sees what the command prints. False: the command waits for `outputDrained`. */
  readonly onOutput?: (fd: number, bytes: Uint8Array) => boolean;
  readonly onStarted?: () => void;
  /** The command takes input again, whoever gave it. */
  readonly onInputRoom?: () => void;
}

/** One run of a command. */
export class Session {
  readonly #container: Container;
  readonly #options: SessionOptions;
  readonly #outputs: readonly StandardOutput[];
  readonly #input: StandardInput;
  #process: RunningProcess | undefined;
  #terminal: RawTerminal | undefined;
  #timedOut = false;

  constructor(container: Container, options: SessionOptions) {
    this.#container = container;
    this.#options = options;
    this.#outputs = [1, 2].map((fd) => new StandardOutput(fd, {
      onDrain: () => this.#process?.outputDrained(fd),
      onBroken: () => this.#outputBroken(fd),
    }));
    this.#input = new StandardInput({
      onBytes: (bytes) => this.#process?.pushInput(bytes) ?? true,
      onEnd: () => this.#process?.endInput(),
    });
  }

  /** Undefined before it is started. */
  get process(): RunningProcess | undefined {
    return this.#process;
  }

  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** A line of bytes for standard error. */
  writeTrace(line: string): void {
    this.#outputs[1]?.write(Buffer.from(line, 'latin1'));
  }

  /** A line of text for standard error. */
  writeLine(line: string): void {
    this.#outputs[1]?.write(Buffer.from(`${line}${this.#terminal === undefined ? '' : '\r'}\n`));
  }

  async run(): Promise<ExitStatus> {
    const { process: spec, timeoutMs } = this.#options;
    const hasTerminal = spec.terminal !== undefined && process.stdin.isTTY === true;
    if (hasTerminal) await this.#enterTerminal();
    const forget = this.#forwardSignals();
    try {
      const started = this.#container.start(spec, {
        onOutput: (fd, bytes) => this.#write(fd, bytes),
        onInputWanted: () => {
          if (this.#options.withoutInput !== true) this.#input.want();
        },
        onInputRoom: () => {
          this.#input.resume();
          this.#options.onInputRoom?.();
        },
      });
      if (typeof started === 'number') throw startError(toText(spec.argv[0] ?? ''), -started);
      this.#process = started;
      this.#options.onStarted?.();
      if (this.#options.withoutInput === true) started.endInput();
      else if (spec.terminal !== undefined) this.#input.want();
      const timer = timeoutMs === undefined ? undefined : after(timeoutMs, () => this.#timeOut());
      const status = await started.ended;
      timer?.stop();
      return status;
    } finally {
      forget();
      this.#input.stop();
      this.#terminal?.restore();
      for (const output of this.#outputs) output.flush();
    }
  }

  #write(fd: number, bytes: Uint8Array): boolean {
    this.#terminal?.observe(bytes);
    const isTaken = this.#options.onOutput?.(fd, bytes) ?? true;
    return (this.#outputs[fd - 1]?.write(bytes) ?? true) && isTaken;
  }

  /** As natively: the writer gets EPIPE and SIGPIPE. A terminal that goes away hangs up. */
  #outputBroken(fd: number): void {
    if (this.#options.process.terminal === undefined) this.#process?.breakOutput(fd);
    else this.#process?.hangUp();
  }

  async #enterTerminal(): Promise<void> {
    const { RawTerminal } = await import('../host/node/terminal.ts');
    const terminal = new RawTerminal(process.stdin, process.stdout);
    this.#terminal = terminal;
    terminal.enter();
    terminal.onResize(({ rows, columns }) => this.#process?.resize(rows, columns));
  }

  #forwardSignals(): () => void {
    const listeners = FORWARDED.map(([name, number]) => {
      const listener = (): void => {
        if (name === 'SIGHUP' && this.#options.process.terminal !== undefined) this.#process?.hangUp();
        else this.#process?.signal(number);
      };
      process.on(name, listener);
      return [name, listener] as const;
    });
    return () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    };
  }

  #timeOut(): void {
    this.#timedOut = true;
    this.#process?.signal(SIGTERM);
    setTimeout(() => this.#process?.signal(SIGKILL), GRACE_MS).unref();
  }
}
