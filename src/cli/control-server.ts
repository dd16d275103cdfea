/** The side of the socket where the container runs: further programs, signals, what it has changed so far. */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Container, RunningProcess } from '../container/index.ts';
import type { Containers, WholeContainer } from '../lifecycle/index.ts';
import { toText } from './bytes.ts';
import { FRAME, FrameReader, documentFrame, endpointIn, frame, parseDocument } from './control-protocol.ts';
import type { Answer, ExecRequest, Request } from './control-protocol.ts';
import { EXIT_NOT_EXECUTABLE, UserError, exitCodeOf } from './errors.ts';
import { processConfig } from './kept-container.ts';
import { exitCode } from './launch.ts';
import { startError } from './session.ts';

export interface Controlled {
  readonly containers: Containers;
  readonly kept: WholeContainer;
  readonly container: Container;
  readonly process: RunningProcess;
}

function failure(error: unknown): Answer {
  const { message } = error as Error;
  const advice = error instanceof UserError ? error.advice : (error as { advice?: string }).advice;
  return { error: message, advice, code: exitCodeOf(error) };
}

/** One who has connected. */
class Connection {
  /** It wants to know how the container ends. */
  isWaiting = false;
  readonly #socket: Socket;
  readonly #controlled: Controlled;
  #program: RunningProcess | undefined;
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
    socket.on('drain', () => [1, 2].forEach((fd) => this.#program?.outputDrained(fd)));
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
    } else if (kind === FRAME.stdin) {
      if (this.#program?.pushInput(payload.slice()) === false) this.#socket.pause();
    } else if (kind === FRAME.endOfInput) this.#program?.endInput();
    else if (kind === FRAME.resize) {
      const { rows, columns } = parseDocument<{ rows: number; columns: number }>(payload);
      this.#program?.resize(rows, columns);
    }
  }

  async #handle(payload: Uint8Array): Promise<void> {
    const request = parseDocument<Request>(payload);
    const { container, process } = this.#controlled;
    switch (request.op) {
      case 'exec':
        return this.#exec(request);
      case 'kill':
        process.signal(request.signal);
        return this.#answer({});
      case 'snapshot':
        return this.#answer({ layer: await this.#snapshot() });
      case 'put':
        await this.#put(request.tar, request.directory, request.owner);
        return this.#answer({});
      case 'stat': {
        const found = container.files.list(request.path);
        const stat = container.files.stat(request.path);
        return this.#answer({ type: typeof found !== 'number' ? 'directory' : typeof stat === 'number' ? null : stat.type });
      }
      case 'wait':
        this.isWaiting = true;
        return undefined;
      case 'top':
        return this.#answer({ rows: (await import('./container-processes.ts')).processTable(container.files) });
      default:
        throw new UserError('this container was started by another version of Caisson', 'start it again');
    }
  }

  /** Null: nothing has changed. Who asked removes the files. */
  async #snapshot(): Promise<{ readonly tar: string; readonly index: string } | null> {
    const { containers: { store }, container } = this.#controlled;
    const { writeChanges } = await import('../lifecycle/own-layers.ts');
    const base = store.disk.temporaryPath('.snapshot');
    const paths = { tar: `${base}.tar`, index: `${base}.index` };
    return (await writeChanges(store, paths, container.changes())) ? paths : null;
  }

  async #put(tar: string, directory: string, owner: { readonly uid: number; readonly gid: number } | undefined): Promise<void> {
    const { extractFile } = await import('./extract-file.ts');
    extractFile(this.#controlled.container, tar, directory, owner);
  }

  /** It has ended. Resolves when that was said, if it was asked. */
  tell(exitCode_: number): Promise<void> {
    if (!this.isWaiting || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(documentFrame({ exitCode: exitCode_ }), () => resolve());
    });
  }

  #exec(request: ExecRequest): void {
    const { container, kept } = this.#controlled;
    const spec = processConfig(container, kept.record, request.terminal, {
      argv: request.argv, user: request.user, workingDirectory: request.workingDirectory, env: request.env, terminal: request.terminal !== undefined,
    });
    if (typeof container.files.list(spec.cwd) === 'number') throw new UserError(`cannot run "${toText(spec.argv[0] ?? '')}": there is no directory "${toText(spec.cwd)}" in the container`, 'check --workdir', EXIT_NOT_EXECUTABLE);
    const started = container.start(spec, {
      onOutput: (fd, bytes) => request.detached || this.#socket.destroyed || this.#socket.write(frame(fd === 2 ? FRAME.stderr : FRAME.stdout, bytes)),
      onInputWanted: () => {},
      onInputRoom: () => this.#socket.resume(),
    }, false);
    if (typeof started === 'number') throw startError(toText(spec.argv[0] ?? ''), -started);
    if (!request.input) started.endInput();
    if (request.detached) return this.#answer({ isStarted: true });
    this.#program = started;
    this.#answer({ isStarted: true }, false);
    void started.ended.then((status) => this.#answer({ exitCode: exitCode(status, false) }));
  }

  /** As a terminal that hangs up, or pipes that nobody reads any more. */
  #gone(): void {
    const program = this.#program;
    this.#program = undefined;
    if (program === undefined) return;
    program.hangUp();
    program.endInput();
    for (const fd of [1, 2]) program.breakOutput(fd);
  }
}

export interface Control {
  /** Nobody can connect any more. */
  close(): void;
  /** Says to those who wait how it ended. */
  announce(exitCode: number): Promise<void>;
}

/** Listens until it is closed. */
export async function openControl(controlled: Controlled): Promise<Control> {
  const { containers, kept } = controlled;
  const endpoint = endpointIn(containers.pathOf(kept.id));
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
    announce: async (code) => void (await Promise.all(Array.from(connections, (connection) => connection.tell(code)))),
  };
}
