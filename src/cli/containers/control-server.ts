/** The side of the socket where the container runs: further programs, signals, what it has changed so far. */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Container, RunningProcess } from '../../container/index.ts';
import { LifecycleError, randomId } from '../../lifecycle/index.ts';
import type { Containers, Life } from '../../lifecycle/index.ts';
import { messagePort } from '../../host/node/control-socket.ts';
import type { Attachments, Watcher } from './attachments.ts';
import { toText } from '../bytes.ts';
import { FRAME, FrameReader, documentFrame, endpointIn, frame, parseDocument, parseRequest } from './control-protocol.ts';
import type { Answer, AttachRequest, ExecRequest, LiveRequest, Request } from './control-protocol.ts';
import { EXIT_FAILED } from './container-store.ts';
import type { Memberships } from '../networks/membership.ts';
import { EXIT_NOT_EXECUTABLE, UserError, exitCodeOf } from '../errors.ts';
import { processConfig } from './kept-container.ts';
import { exitCode } from './launch.ts';
import { startError } from '../session.ts';

/** Its kernel and its command. */
export interface Running {
  readonly container: Container;
  readonly process: RunningProcess;
}

export interface Controlled {
  readonly containers: Containers;
  readonly life: Life;
  /** Who sees what it prints. */
  readonly attachments: Attachments;
  /** The networks that it is on. */
  memberships(): Promise<Memberships>;
  /** Undefined: its command does not run at the moment, and will be started. */
  running(): Running | undefined;
  /** Its end was asked for: it is not started again. True: nothing ran. */
  stopRequested(): boolean;
}

function failure(error: unknown): Answer {
  const { message } = error as Error;
  const advice = error instanceof UserError ? error.advice : (error as { advice?: string }).advice;
  return { error: message, advice, code: error instanceof LifecycleError ? EXIT_FAILED : exitCodeOf(error) };
}

/** Of a request that nobody here understands. */
const OTHER_VERSION = ['this container was started by another version of Caisson', 'start it again'] as const;

/** One who has connected. */
class Connection {
  /** It wants to know how the container ends. */
  isWaiting = false;
  readonly #socket: Socket;
  readonly #controlled: Controlled;
  #program: RunningProcess | undefined;
  #watcher: Watcher | undefined;
  #attached: AttachRequest | undefined;
  /** Who is attached knows that the command runs, and may type. */
  #hasBegun = false;
  /** Of who uses the container as a sandbox, or looks at it. */
  #onMessage: ((payload: Uint8Array) => void) | undefined;
  #user: { close(): void } | undefined;
  #asked = false;

  constructor(socket: Socket, controlled: Controlled) {
    this.#socket = socket;
    this.#controlled = controlled;
    const reader = new FrameReader((kind, payload) => this.#onFrame(kind, payload));
    socket.on('data', (chunk: Uint8Array) => {
      try {
        if (!reader.push(chunk)) socket.destroy();
      } catch {
        // It says what nobody understands.
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => {
      [1, 2].forEach((fd) => this.#program?.outputDrained(fd));
      if (this.#watcher !== undefined) controlled.attachments.caughtUp(this.#watcher);
    });
    // Who asks ends its side after ours only: before that it has gone.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#gone());
  }

  #answer(answer: Answer, isLast = true): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(documentFrame(answer));
    if (isLast) this.#socket.end();
  }

  #onFrame(kind: number, payload: Uint8Array): void {
    if (kind === FRAME.document && !this.#asked) {
      this.#asked = true;
      void this.#handle(payload).catch((error: unknown) => this.#answer(failure(error)));
    } else if (kind === FRAME.message) this.#onMessage?.(payload);
    else if (kind === FRAME.stdin) {
      if (this.#typedInto?.pushInput(payload.slice()) === false) this.#socket.pause();
    } else if (kind === FRAME.endOfInput) {
      if (this.#attached?.closesInput !== false) this.#typedInto?.endInput();
    } else if (kind === FRAME.resize) {
      const { rows, columns } = parseDocument<{ rows: number; columns: number }>(payload);
      this.#typedInto?.resize(rows, columns);
    }
  }

  /** The program that was started here, or the container's own. */
  get #typedInto(): RunningProcess | undefined {
    if (this.#attached === undefined) return this.#program;
    return this.#attached.input ? this.#controlled.running()?.process : undefined;
  }

  /** @throws LifecycleError in Docker's words where its command does not run. `what` completes "wait until it is running". */
  #running(): Running {
    const running = this.#controlled.running();
    if (running === undefined) throw new LifecycleError(`Container ${this.#controlled.life.container.id} is restarting, wait until the container is running`, 'or end it with "caisson stop"');
    return running;
  }

  async #handle(payload: Uint8Array): Promise<void> {
    const request = parseRequest(payload);
    if (request === undefined) throw new UserError(...OTHER_VERSION);
    switch (request.op) {
      case 'exec':
        return this.#exec(request);
      case 'attach':
        return this.#attach(request);
      case 'kill':
        return this.#kill(request.signal, request.stops);
      case 'pause':
      case 'unpause':
        return this.#pause(request.op);
      case 'wait':
        this.isWaiting = true;
        return undefined;
      case 'sandbox':
        return this.#serve();
      case 'live':
        return this.#live(request);
      default:
        return this.#answer(await this.#ask(request));
    }
  }

  /** What is answered at once. */
  async #ask(request: Exclude<Request, { readonly op: 'exec' | 'attach' | 'kill' | 'pause' | 'unpause' | 'wait' | 'sandbox' | 'live' }>): Promise<Answer> {
    const { container } = this.#running();
    switch (request.op) {
      case 'connect':
      case 'disconnect':
        return this.#changeNetworks(container, request);
      case 'snapshot':
        return { layer: await this.#snapshot(container) };
      case 'put':
        (await import('./extract-file.ts')).extractFile(container, request.tar, request.directory, request.owner);
        return {};
      case 'stat': {
        const found = container.files.list(request.path);
        const stat = container.files.stat(request.path);
        return { type: typeof found !== 'number' ? 'directory' : typeof stat === 'number' ? null : stat.type };
      }
      case 'top':
        return { rows: (await import('./container-processes.ts')).processTable(container.files) };
      case 'stats':
        return { usage: (await import('./container-usage.ts')).usageSample(container) };
      case 'update':
        container.setLimits(request.limits);
        if (request.rules !== undefined) container.setNetworkRules(request.rules);
        return {};
      default:
        throw new UserError(...OTHER_VERSION);
    }
  }

  async #changeNetworks(container: Container, request: Extract<Request, { readonly op: 'connect' | 'disconnect' }>): Promise<Answer> {
    const memberships = await this.#controlled.memberships();
    if (request.op === 'connect') await memberships.connect(container, request.membership);
    else memberships.disconnect(container, request.network);
    this.#controlled.life.change({ networks: memberships.networks });
    return {};
  }

  #kill(signal: number, stops: boolean): void {
    const { life } = this.#controlled;
    if (stops && this.#controlled.stopRequested()) return this.#answer({});
    const { container, process } = this.#running();
    // It could not take the signal otherwise, not even SIGKILL.
    if (stops && container.isPaused) this.#resume(container);
    process.signal(signal);
    life.say('kill', { signal: String(signal) });
    return this.#answer({});
  }

  #resume(container: Container): void {
    const { life } = this.#controlled;
    container.resume();
    life.change({ paused: undefined });
    life.say('unpause');
  }

  #pause(op: 'pause' | 'unpause'): void {
    const { container } = this.#running();
    this.#setPaused(container, op === 'pause');
    return this.#answer({});
  }

  /** @throws LifecycleError where it is so already. */
  #setPaused(container: Container, isPaused: boolean): void {
    const { life } = this.#controlled;
    const { id } = life.container;
    if (isPaused && container.isPaused) throw new LifecycleError(`Container ${id} is already paused`, 'go on with "caisson unpause"');
    if (!isPaused && !container.isPaused) throw new LifecycleError(`Container ${id} is not paused`, 'see "caisson ps"');
    if (!isPaused) return this.#resume(container);
    container.pause();
    life.change({ paused: true });
    return life.say('pause');
  }

  /** To a process that uses the container as its own sandbox (`Sandbox.connect`). */
  async #serve(): Promise<void> {
    const { container } = this.#running();
    const { serveContainer } = await import('../../sandbox/server.ts');
    const { port, receive } = messagePort(this.#socket);
    this.#onMessage = receive;
    this.isWaiting = true;
    this.#user = serveContainer(port, container, { pause: () => this.#setPaused(container, true), resume: () => this.#setPaused(container, false) });
    const { env, cwd, user } = processConfig(container, this.#controlled.life.container.record, undefined, { terminal: false });
    this.#answer({ isStarted: true, defaults: { env, cwd, user, ports: container.ports } }, false);
  }

  /** To one who looks at what it does, until it ends or is started again. */
  async #live(request: LiveRequest): Promise<void> {
    const { life } = this.#controlled;
    const live = await (await import('../live/live-server.ts')).LiveService.open(this.#running().container, life, request);
    if (this.#socket.destroyed) return live.close();
    this.#user = live;
    this.isWaiting = true;
    this.#onMessage = (payload) => {
      if (live.isOf(this.#controlled.running()?.container)) this.#answer({ live: live.answer(payload) }, false);
      else this.#answer({});
    };
    return this.#answer({ isStarted: true }, false);
  }

  #attach(request: AttachRequest): void {
    const { life, attachments } = this.#controlled;
    const running = this.#controlled.running();
    if (running?.container.isPaused === true) throw new LifecycleError('You cannot attach to a paused container, unpause it first', 'with "caisson unpause"');
    if (life.state.restarting === true) throw new LifecycleError('You cannot attach to a restarting container, wait until it is running', 'see "caisson ps"');
    const watcher: Watcher = { write: (fd, bytes) => this.#socket.destroyed || this.#socket.write(frame(fd === 2 ? FRAME.stderr : FRAME.stdout, bytes)) };
    if (!attachments.add(watcher)) throw new LifecycleError('too many are attached to the container', 'detach one of them, or use "caisson logs -f"');
    this.#watcher = watcher;
    this.#attached = request;
    this.isWaiting = true;
    life.say('attach');
    this.begun();
  }

  /** If the command runs: it takes the size of the terminal of who is attached, and what is typed there. */
  begun(): void {
    const running = this.#controlled.running();
    if (this.#attached === undefined || this.#hasBegun || running === undefined) return;
    this.#hasBegun = true;
    const { terminal } = this.#attached;
    if (terminal !== undefined) running.process.resize(terminal.rows, terminal.columns);
    this.#answer({ isStarted: true }, false);
  }

  /** Null: nothing has changed. Who asked removes the files. */
  async #snapshot(container: Container): Promise<{ readonly tar: string; readonly index: string } | null> {
    const { containers: { store } } = this.#controlled;
    const { writeChanges } = await import('../../lifecycle/own-layers.ts');
    const base = store.disk.temporaryPath('.snapshot');
    const paths = { tar: `${base}.tar`, index: `${base}.index` };
    return (await writeChanges(store, paths, container.changes())) ? paths : null;
  }

  /** It has ended. Resolves when that was said, if it was asked. */
  tell(answer: Answer): Promise<void> {
    if (!this.isWaiting || this.#socket.destroyed) return Promise.resolve();
    this.isWaiting = false;
    if (this.#watcher !== undefined) this.#controlled.attachments.remove(this.#watcher);
    this.#watcher = undefined;
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(documentFrame(answer), () => resolve());
    });
  }

  #exec(request: ExecRequest): void {
    const { life } = this.#controlled;
    const { container } = this.#running();
    const { id, record } = life.container;
    if (container.isPaused) throw new UserError(`Container ${id} is paused, unpause the container before exec`, 'with "caisson unpause"', EXIT_FAILED);
    const spec = processConfig(container, record, request.terminal, {
      argv: request.argv, user: request.user, workingDirectory: request.workingDirectory, env: request.env, terminal: request.terminal !== undefined,
    });
    if (typeof container.files.list(spec.cwd) === 'number') throw new UserError(`cannot run "${toText(spec.argv[0] ?? '')}": there is no directory "${toText(spec.cwd)}" in the container`, 'check --workdir', EXIT_NOT_EXECUTABLE);
    const execID = randomId((buffer) => this.#controlled.containers.store.disk.host.random(buffer));
    const command = spec.argv.map(toText).join(' ');
    life.say(`exec_create: ${command}`, { execID });
    const started = container.start(spec, {
      onOutput: (fd, bytes) => request.detached || this.#socket.destroyed || this.#socket.write(frame(fd === 2 ? FRAME.stderr : FRAME.stdout, bytes)),
      onInputWanted: () => {},
      onInputRoom: () => this.#socket.resume(),
    }, false);
    if (typeof started === 'number') throw startError(toText(spec.argv[0] ?? ''), -started);
    life.say(`exec_start: ${command}`, { execID });
    if (!request.input) started.endInput();
    this.#answer({ isStarted: true }, request.detached);
    if (!request.detached) this.#program = started;
    void started.ended.then((status) => {
      const code = exitCode(status, false);
      life.say('exec_die', { execID, exitCode: String(code) });
      if (!request.detached) this.#answer({ exitCode: code });
    });
  }

  /** As a terminal that hangs up, or pipes that nobody reads any more. Of who was only attached, the container takes no note. */
  #gone(): void {
    if (this.#watcher !== undefined) {
      this.#controlled.attachments.remove(this.#watcher);
      this.#watcher = undefined;
      this.#controlled.life.say('detach');
    }
    this.#user?.close();
    const program = this.#program;
    this.#program = undefined;
    if (program === undefined) return;
    program.hangUp();
    program.endInput();
    for (const fd of [1, 2]) program.breakOutput(fd);
  }

  /** The command takes input again. */
  inputRoom(): void {
    if (this.#attached !== undefined) this.#socket.resume();
  }
}

export interface Control {
  /** Nobody can connect any more. */
  close(): void;
  /** Says to those who wait how it ended, or could not be started. */
  announce(answer: Answer): Promise<void>;
  /** The command runs. */
  begun(): void;
  /** The command takes input again. */
  inputRoom(): void;
}

/** Listens until it is closed. */
export async function openControl(controlled: Controlled): Promise<Control> {
  const { containers, life } = controlled;
  const endpoint = endpointIn(containers.pathOf(life.container.id));
  rmSync(endpoint.path, { force: true });
  const connections = new Set<Connection>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new Connection(socket, controlled);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.path, resolve);
  });
  server.unref();
  return {
    close: () => {
      server.close();
      rmSync(endpoint.path, { force: true });
      endpoint.release();
    },
    announce: async (answer) => void (await Promise.all(Array.from(connections, (connection) => connection.tell(answer)))),
    begun: () => {
      for (const connection of connections) connection.begun();
    },
    inputRoom: () => {
      for (const connection of connections) connection.inputRoom();
    },
  };
}
