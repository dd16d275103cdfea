/** RUN: a command in the engine, on the layers that the stage has so far. What it changed is known from the overlay. */
import { DEFAULT_CAPABILITIES, UnknownAccountError, accountReader, processOf } from '../container/index.ts';
import type { Container, ContainerConfig, ExitStatus, LayerPaths, MountConfig, NetworkConfig, ProcessConfig } from '../container/index.ts';
import type { ProcessDefaults } from '../image/index.ts';
import { ERRNO_NAMES } from '../abi/errno.ts';
import { BuildError } from './errors.ts';
import { KEPT_OUTPUT_BYTES, KEPT_OUTPUT_LINES } from './limits.ts';
import { toText } from './text.ts';

/** Makes a container: the caller knows the host. */
export type ContainerMaker = (config: ContainerConfig) => Promise<Container>;

/** Plain data. */
export interface Command {
  readonly argv: readonly string[];
  /** What it starts with: user, directory, environment. */
  readonly defaults: ProcessDefaults;
  readonly layers: readonly LayerPaths[];
  readonly mounts: readonly MountConfig[];
  readonly network: NetworkConfig;
  readonly memoryBytes: number | undefined;
  readonly writableBytes: number | undefined;
}

export interface Observer {
  readonly onOutput: (fd: number, bytes: Uint8Array) => void;
  /** Ends the command. */
  readonly signal: AbortSignal;
}

const HOSTNAME = 'buildkitsandbox';
const HOSTS = `127.0.0.1\tlocalhost ${HOSTNAME}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;

/** The end of what a command printed. */
class Tail {
  #text = '';
  readonly #decoder = new TextDecoder();

  add(bytes: Uint8Array): void {
    this.#text = (this.#text + this.#decoder.decode(bytes, { stream: true })).slice(-KEPT_OUTPUT_BYTES);
  }
  get lines(): string {
    return this.#text.trimEnd().split('\n').slice(-KEPT_OUTPUT_LINES).join('\n');
  }
}

function processConfig(container: Container, { argv, defaults }: Command): ProcessConfig {
  try {
    const made = processOf(defaults, { command: argv, hostname: HOSTNAME, terminal: false }, accountReader(container.files));
    return { ...made, capabilities: made.user.uid === 0 ? DEFAULT_CAPABILITIES : [], rlimits: [], umask: 0o022 };
  } catch (error) {
    if (!(error instanceof UnknownAccountError)) throw error;
    throw new BuildError(`cannot run as ${error.kind} "${toText(error.account)}": the image's /etc/${error.kind === 'user' ? 'passwd' : 'group'} has no such name`, { advice: 'add it before, or give a number with USER', cause: error });
  }
}

function failure(argv: readonly string[], status: ExitStatus, tail: Tail): BuildError {
  const how = status.signal === undefined ? `it ended with ${status.code}` : `signal ${status.signal} ended it`;
  const { lines } = tail;
  return new BuildError(`the command failed: ${how}`, { advice: lines === '' ? 'it printed nothing' : 'its last output is below', output: lines === '' ? undefined : lines, cause: new Error(argv.join(' ')) });
}

/** Runs it to its end. @throws BuildError where it cannot be run or fails. Who calls closes the container. */
export async function runCommand(make: ContainerMaker, command: Command, observer: Observer): Promise<Container> {
  const { layers, mounts, network, memoryBytes, writableBytes } = command;
  const container = await make({
    root: '/', layers, mounts, hide: [], readOnly: false, hostname: HOSTNAME, network,
    limits: { tasks: 4096, ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(writableBytes === undefined ? {} : { writableBytes }) },
  });
  try {
    await runIn(container, command, observer);
    return container;
  } catch (error) {
    container.close();
    throw error;
  }
}

async function runIn(container: Container, command: Command, { onOutput, signal }: Observer): Promise<void> {
  signal.throwIfAborted();
  container.provideFile('/etc/hosts', new TextEncoder().encode(HOSTS));
  container.provideFile('/etc/hostname', new TextEncoder().encode(`${HOSTNAME}\n`));
  const spec = processConfig(container, command);
  container.provideDirectory(spec.cwd);
  const tail = new Tail();
  const started = container.start(spec, {
    onOutput: (fd, bytes) => {
      tail.add(bytes);
      onOutput(fd, bytes);
      return true;
    },
    onInputWanted: () => {},
    onInputRoom: () => {},
  });
  if (typeof started === 'number') {
    const name = toText(spec.argv[0] ?? '');
    const errno = ERRNO_NAMES.get(-started) ?? `error ${-started}`;
    throw new BuildError(`cannot run "${name}": ${errno === 'ENOENT' ? 'the image has no such program' : errno}`, { advice: errno === 'ENOENT' ? `check PATH and the base image${name === '/bin/sh' ? ', or use the form RUN ["program", "argument"]' : ''}` : 'check that it is a program for x86-64 Linux' });
  }
  started.endInput();
  const kill = (): void => container.kill();
  signal.addEventListener('abort', kill);
  const status = await started.ended;
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  container.keepTranslations();
  if (status.code !== 0) throw failure(command.argv, status, tail);
}

/** Its text as `docker history` shows it. */
export function shownCommand(argv: readonly string[], args: ReadonlyMap<string, string>): string {
  const before = args.size === 0 ? '' : `|${args.size} ${[...args].map(([name, value]) => `${toText(name)}=${toText(value)}`).join(' ')} `;
  return `RUN ${before}${argv.map(toText).join(' ')}`;
}
