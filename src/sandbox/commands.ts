/** Commands in a sandbox. */
import { SIGKILL, SIGTERM, SIGNAL_NAMES } from '../abi/signal.ts';
import type { ExitStatus, ProcessConfig, UserConfig } from '../container/index.ts';
import { SandboxError } from './client.ts';
import type { Client } from './client.ts';
import { capabilitiesOf } from './options.ts';
import { toByteString } from './text.ts';

const GRACE_MS = 2000;
const DEFAULT_OUTPUT_LIMIT = 64 * 2 ** 20;

export interface StartOptions {
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
  readonly cwd?: string;
  /** Added to the sandbox's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: UserConfig;
  /** Names of capability.h that it starts with, such as `'sys_admin'`. Default: Docker's default ones for uid 0, none for others. */
  readonly capabilities?: readonly string[];
  /** Kills the command when aborted. */
  readonly signal?: AbortSignal;
  /** After this long SIGTERM, two seconds later SIGKILL. */
  readonly timeoutMs?: number;
  /** Gives the command a terminal; its output then comes as standard output. */
  readonly pty?: { readonly rows: number; readonly columns: number };
  /** Bytes of each output kept in the result; what is above is dropped. Default 64 MiB. */
  readonly outputLimit?: number;
}

export interface RunOptions extends StartOptions {
  /** Text or bytes that the command reads. Default: nothing. */
  readonly stdin?: string | Uint8Array;
}

export interface CommandResult {
  /** The command's own, or 128 + the number of the signal that ended it. */
  readonly exitCode: number;
  /** Such as `SIGTERM`. */
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Collects bytes up to a limit, and passes text on as it comes. */
class Output {
  readonly #chunks: Uint8Array[] = [];
  readonly #decoder = new TextDecoder();
  readonly #callback: ((text: string) => void) | undefined;
  #room: number;

  constructor(callback: ((text: string) => void) | undefined, limit: number) {
    this.#callback = callback;
    this.#room = limit;
  }
  add(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#room);
    this.#room -= kept.length;
    if (kept.length > 0) this.#chunks.push(kept);
    if (this.#callback === undefined) return;
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text !== '') this.#callback(text);
  }
  get text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
  }
}

/** A command that runs in the background. */
export class CommandHandle {
  readonly #client: Client;
  readonly #handle: number;
  readonly #result: Promise<CommandResult>;
  /** Process id inside the sandbox. */
  readonly pid: number;

  constructor(client: Client, handle: number, pid: number, result: Promise<CommandResult>) {
    this.#client = client;
    this.#handle = handle;
    this.pid = pid;
    this.#result = result;
  }

  /**
   * Resolves when the command has ended, however that was.
   *
   * @example
   * const handle = await sandbox.commands.start('exit 3');
   * console.log((await handle.wait()).exitCode); // 3
   */
  wait(): Promise<CommandResult> {
    return this.#result;
  }

  /**
   * Sends to standard input; resolves when the command may get more.
   *
   * @example
   * const counter = await sandbox.commands.start('wc -c');
   * await counter.write('hello');
   * await counter.write(new Uint8Array(1000));
   * await counter.closeStdin();
   * console.log((await counter.wait()).stdout.trim()); // 1005
   */
  async write(data: string | Uint8Array): Promise<void> {
    await this.#client.call('write to the command', 'write', this.#handle, typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** End of standard input. */
  async closeStdin(): Promise<void> {
    await this.#client.call('close standard input', 'endInput', this.#handle);
  }

  /**
   * Sends a signal, by its number on Linux. Default: SIGKILL.
   *
   * @example
   * const sleeper = await sandbox.commands.start('sleep 60');
   * await sleeper.kill(15);
   * console.log((await sleeper.wait()).signal); // SIGTERM
   */
  async kill(signal: number = SIGKILL): Promise<void> {
    await this.#client.call('signal the command', 'signal', this.#handle, signal);
  }

  /**
   * Changes the size of the command's terminal; it gets SIGWINCH.
   *
   * @example
   * const handle = await sandbox.commands.start('read line; stty size', { pty: { rows: 24, columns: 80 } });
   * await handle.resize(50, 132);
   * await handle.write('go on\n');
   * console.log((await handle.wait()).stdout.trimEnd().split('\n').at(-1)); // 50 132
   */
  async resize(rows: number, columns: number): Promise<void> {
    await this.#client.call('resize the terminal', 'resize', this.#handle, rows, columns);
  }
}

export interface CommandDefaults {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: UserConfig;
}

function toResult(status: ExitStatus, stdout: Output, stderr: Output, timedOut: boolean): CommandResult {
  const outputs = { stdout: stdout.text, stderr: stderr.text, timedOut };
  if (status.signal === undefined) return { exitCode: status.code, ...outputs };
  return { exitCode: 128 + status.signal, signal: SIGNAL_NAMES[status.signal] ?? `SIG${status.signal}`, ...outputs };
}

/** What runs commands in a sandbox: `sandbox.commands`. */
export class Commands {
  readonly #client: Client;
  readonly #defaults: CommandDefaults;

  constructor(client: Client, defaults: CommandDefaults) {
    this.#client = client;
    this.#defaults = defaults;
  }

  /**
   * Runs a command and waits for it. A string goes to `/bin/sh -c`, a list is a program and its arguments.
   * A command that fails is no error: look at `exitCode`.
   *
   * @example
   * const { stdout } = await sandbox.commands.run(['/bin/echo', '$HOME']);
   * console.log(stdout.trimEnd()); // $HOME
   * const { exitCode } = await sandbox.commands.run('grep -q root', { stdin: 'no such word', timeoutMs: 60_000 });
   * console.log(exitCode); // 1
   * @throws SandboxError with code ENOENT, EACCES or ENOEXEC if it cannot be started.
   */
  async run(command: string | readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const handle = await this.start(command, options);
    if (options.stdin !== undefined) void handle.write(options.stdin).then(() => handle.closeStdin(), () => {});
    else void handle.closeStdin().catch(() => {});
    return handle.wait();
  }

  /**
   * Starts a command in the background. Its standard input stays open until `closeStdin`.
   *
   * @example
   * const cat = await sandbox.commands.start('cat');
   * await cat.write('hello');
   * await cat.closeStdin();
   * console.log((await cat.wait()).stdout); // hello
   */
  async start(command: string | readonly string[], options: StartOptions = {}): Promise<CommandHandle> {
    const limit = options.outputLimit ?? DEFAULT_OUTPUT_LIMIT;
    const outputs = [new Output(options.onStdout, limit), new Output(options.onStderr, limit)] as const;
    let timedOut = false;
    let settle: (result: CommandResult) => void = () => {};
    const result = new Promise<CommandResult>((resolve) => {
      settle = resolve;
    });
    const cleanUps: (() => void)[] = [];
    const handle = this.#client.addProcess({
      onOutput: (fd, bytes) => outputs[fd === 2 ? 1 : 0].add(bytes),
      onEnded: (status) => {
        for (const cleanUp of cleanUps) cleanUp();
        settle(toResult(status, outputs[0], outputs[1], timedOut));
      },
    });
    const spec = this.#spec(command, options);
    const pid = await this.#client.call(`run "${spec.argv[0] ?? ''}"`, 'start', handle, spec).catch((error: unknown) => {
      this.#client.removeProcess(handle);
      throw error;
    });
    const running = new CommandHandle(this.#client, handle, pid, result);
    cleanUps.push(...this.#guards(running, options, () => {
      timedOut = true;
    }));
    return running;
  }

  #spec(command: string | readonly string[], options: StartOptions): ProcessConfig {
    const user = options.user ?? this.#defaults.user;
    const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
    if (argv.length === 0) throw new SandboxError('cannot run nothing: the command is empty', 'EINVAL');
    return {
      argv: argv.map(toByteString),
      env: Object.entries({ ...this.#defaults.env, ...options.env }).map(([name, value]) => toByteString(`${name}=${value}`)),
      cwd: toByteString(options.cwd ?? this.#defaults.cwd),
      user,
      capabilities: capabilitiesOf(user, options.capabilities),
      rlimits: [],
      ...(options.pty === undefined ? {} : { terminal: options.pty }),
    };
  }

  /** Time limit and abort signal. Returns what to undo when the command has ended. */
  #guards(running: CommandHandle, { timeoutMs, signal }: StartOptions, onTimeout: () => void): (() => void)[] {
    const undo: (() => void)[] = [];
    const ignore = (): void => {};
    if (timeoutMs !== undefined) {
      const timers = [
        setTimeout(() => {
          onTimeout();
          running.kill(SIGTERM).catch(ignore);
        }, timeoutMs),
        setTimeout(() => void running.kill().catch(ignore), timeoutMs + GRACE_MS),
      ];
      undo.push(() => timers.forEach((timer) => clearTimeout(timer)));
    }
    if (signal !== undefined) {
      const onAbort = (): void => void running.kill().catch(ignore);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort);
      undo.push(() => signal.removeEventListener('abort', onAbort));
    }
    return undo;
  }
}
