/** The worker's side: one container, driven by messages. */
import { SIGKILL } from '../abi/signal.ts';
import type { Host } from '../host/types.ts';
import { Container, ContainerError, PortError } from '../container/index.ts';
import type { ContainerConfig, MachineImage, ProcessConfig, RunningProcess } from '../container/index.ts';
import type { ServedWatch } from './watch-server.ts';
import type { CallName, Calls, ChangeInfo, FileInfo, FromWorker, Port, RemoteFailure, SandboxMetrics, ToWorker } from './protocol.ts';

/** Output that the other side has not taken yet, per program, before the program has to wait. */
const OUTPUT_WINDOW_BYTES = 4 << 20;

class CallError extends Error {
  override readonly name = 'CallError';
  readonly errno: number;
  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

function check<Value>(value: Value | number): Value {
  if (typeof value === 'number' && value < 0) throw new CallError(-value);
  return value as Value;
}

interface Running {
  readonly process: RunningProcess;
  untaken: number;
  readonly waitingWriters: (() => void)[];
}

type Implementation = { readonly [Name in CallName]: (...args: Parameters<Calls[Name]>) => ReturnType<Calls[Name]> | Promise<ReturnType<Calls[Name]>> };

/** Clock ticks of `/proc/stat`. */
const TICK_MS = 10;

/** What is done beside the pausing itself, by who keeps the container. */
export interface PauseActions {
  pause(): void;
  resume(): void;
}

class Server {
  readonly #port: Port;
  readonly #create: (config: ContainerConfig) => Promise<Container>;
  readonly #actions: PauseActions | undefined;
  readonly #running = new Map<number, Running>();
  #container: Container | undefined;
  #watch: ServedWatch | undefined;

  /** `create` is asked for the container, unless it is there already. */
  constructor(port: Port, create: (config: ContainerConfig) => Promise<Container>, container?: Container, actions?: PauseActions) {
    this.#port = port;
    this.#create = create;
    this.#container = container;
    this.#actions = actions;
    port.onMessage((message) => this.#receive(message as ToWorker));
  }

  readonly #calls: Implementation = {
    create: async (config, watch) => {
      const container = await this.#create(config);
      this.#container = container;
      if (watch !== undefined) this.#watch = await (await import('./watch-server.ts')).serveWatch(container, config.hostname, watch, (seen) => this.#post({ kind: 'seen', seen }));
      return container.ports;
    },
    start: (handle, spec) => this.#start(handle, spec),
    write: (handle, bytes) => this.#write(handle, bytes),
    endInput: (handle) => this.#running.get(handle)?.process.endInput(),
    signal: (handle, signal) => this.#running.get(handle)?.process.signal(signal),
    resize: (handle, rows, columns) => this.#running.get(handle)?.process.resize(rows, columns),
    readFile: (path) => check(this.#files.readFile(path)),
    writeFile: (path, bytes, mode) => void check(this.#files.writeFile(path, bytes, mode)),
    list: (path) => check<readonly FileInfo[]>(this.#files.list(path)),
    stat: (path) => check<FileInfo>(this.#files.stat(path)),
    remove: (path) => void check(this.#files.remove(path)),
    rename: (from, to) => void check(this.#files.rename(from, to)),
    makeDirectory: (path) => void check(this.#files.makeDirectory(path)),
    changes: () => [...this.#theContainer.changes()].map(({ kind, path }): ChangeInfo => ({ kind, path })),
    metrics: () => this.#metrics(),
    pause: () => (this.#actions ?? this.#theContainer).pause(),
    resume: () => (this.#actions ?? this.#theContainer).resume(),
  };

  #metrics(): SandboxMetrics {
    const container = this.#theContainer;
    const stat = container.files.readFile('/proc/stat');
    const [user = 0, nice = 0, system = 0] = /^cpu +(\d+) (\d+) (\d+)/.exec(typeof stat === 'number' ? '' : new TextDecoder().decode(stat))?.slice(1).map(Number) ?? [];
    const watched = this.#watch === undefined ? {} : { watched: { ...this.#watch.counters } };
    return { ...watched, ...container.usage(), cpuMs: (user + nice + system) * TICK_MS, paused: container.isPaused };
  }

  /** Nobody listens any more: what was started ends. */
  close(): void {
    for (const { process } of this.#running.values()) process.signal(SIGKILL);
  }

  get #theContainer(): Container {
    if (this.#container === undefined) throw new Error('no container was created');
    return this.#container;
  }

  get #files(): Container['files'] {
    return this.#theContainer.files;
  }

  #post(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.post(message, transfer);
  }

  #receive(message: ToWorker): void {
    if (message.kind === 'taken') this.#taken(message.handle, message.bytes);
    else if (message.kind === 'seen-taken') this.#watch?.taken(message.count);
    else void this.#answer(message.id, message.name, message.arguments);
  }

  async #answer(id: number, name: CallName, args: readonly unknown[]): Promise<void> {
    try {
      const call = this.#calls[name] as (...values: readonly unknown[]) => unknown;
      const value = await call(...args);
      this.#post({ kind: 'answer', id, value });
    } catch (error) {
      const failure: RemoteFailure = error instanceof PortError ? { errno: error.errno, message: error.message, place: `port ${error.hostPort} of ${error.address}` } : error instanceof CallError || error instanceof ContainerError ? { errno: error.errno, message: error.message } : { errno: 0, message: error instanceof Error ? error.message : String(error) };
      this.#post({ kind: 'failure', id, failure });
    }
  }

  #start(handle: number, spec: ProcessConfig): number {
    const process = check<RunningProcess>(
      this.#theContainer.start(spec, {
        onOutput: (fd, bytes) => this.#output(handle, fd, bytes),
        onInputWanted: () => {},
        onInputRoom: () => this.#inputRoom(handle),
      }, this.#actions === undefined ? undefined : false),
    );
    this.#running.set(handle, { process, untaken: 0, waitingWriters: [] });
    void process.ended.then((status) => {
      this.#inputRoom(handle);
      this.#running.delete(handle);
      this.#post({ kind: 'ended', handle, status });
      this.#theContainer.keepTranslations();
    });
    return process.pid;
  }

  #output(handle: number, fd: number, view: Uint8Array): boolean {
    const bytes = view.slice();
    const length = bytes.length;
    this.#post({ kind: 'output', handle, fd, bytes }, [bytes.buffer]);
    const running = this.#running.get(handle);
    if (running === undefined) return true;
    running.untaken += length;
    return running.untaken < OUTPUT_WINDOW_BYTES;
  }

  #taken(handle: number, bytes: number): void {
    const running = this.#running.get(handle);
    if (running === undefined) return;
    const wasFull = running.untaken >= OUTPUT_WINDOW_BYTES;
    running.untaken -= bytes;
    if (!wasFull || running.untaken >= OUTPUT_WINDOW_BYTES) return;
    running.process.outputDrained(1);
    running.process.outputDrained(2);
  }

  #write(handle: number, bytes: Uint8Array): void | Promise<void> {
    const running = this.#running.get(handle);
    if (running === undefined || running.process.pushInput(bytes)) return undefined;
    return new Promise((resolve) => running.waitingWriters.push(resolve));
  }

  #inputRoom(handle: number): void {
    for (const resolve of this.#running.get(handle)?.waitingWriters.splice(0) ?? []) resolve();
  }
}

/** Answers messages until the port closes. */
export function serveSandbox(port: Port, image: MachineImage, createHost: (config: ContainerConfig) => Host | Promise<Host>): void {
  new Server(port, async (config) => {
    const container = Container.create(await createHost(config), config, { image, endsWithFirst: false });
    await container.publish();
    return container;
  });
}

/** The same for a container that runs already. */
export function serveContainer(port: Port, container: Container, actions: PauseActions): { close(): void } {
  return new Server(port, () => Promise.reject(new Error('the container is there already')), container, actions);
}
