/** Lines to a socket that somebody listens at: of a path, or TCP. A connection that ends is a reader that went away, as with a pipe: what it has not read is lost, and that is said. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { UserError } from '../../errors.ts';
import type { Destination, Sink, SinkHandlers } from './sink.ts';

const CONNECT_MS = 10_000;
/** Bytes that wait before who writes must wait too. */
const MOST_WAITING_BYTES = 1 << 20;
/** Written at once when there are so many; otherwise when the programs have had their turn. */
const CHUNK_LENGTH = 1 << 16;
/** A reader that takes nothing for so long, once all has been written, has gone. */
const END_MS = 60_000;

class StreamSocket implements Sink {
  readonly #socket: Socket;
  readonly #handlers: SinkHandlers;
  #lines: string[] = [];
  #length = 0;
  #isScheduled = false;
  #isFull = false;
  #isOver = false;

  constructor(socket: Socket, handlers: SinkHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    let error: Error | undefined;
    socket.on('error', (reason) => (error = reason)).on('close', () => this.#closed(error)).on('drain', () => this.#drained()).resume();
  }

  write(line: string): boolean {
    if (this.#isOver) return true;
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= CHUNK_LENGTH) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#flush();
      });
    }
    this.#isFull ||= this.#socket.writableLength >= MOST_WAITING_BYTES;
    return !this.#isFull;
  }

  #flush(): void {
    if (this.#lines.length === 0 || this.#isOver) return;
    this.#socket.write(this.#lines.join(''));
    this.#lines = [];
    this.#length = 0;
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handlers.onDrain();
  }

  #closed(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handlers.onBroken(error ?? new Error('whoever read it has closed the connection'));
    this.#drained();
  }

  async end(): Promise<void> {
    this.#flush();
    if (this.#isOver) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(new Error('it is not read')), END_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      // Read to its end, or not: a reader that closes after the last line has had it.
      this.#socket.end(() => {
        this.#isOver = true;
        this.#socket.destroySoon();
      });
    });
  }
}

type Listener = Extract<Destination, { readonly kind: 'unix' | 'tcp' }>;

/** @throws UserError where nobody listens */
export async function connected(destination: Listener, flag: string): Promise<Socket> {
  const socket = destination.kind === 'unix' ? connect(destination.path) : connect(destination.port, destination.host);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      const where = destination.kind === 'unix' ? destination.path : `${destination.host}:${destination.port}`;
      reject(new UserError(`cannot write to ${where}: ${error.message}`, `start what listens there first, or check --${flag}`, undefined, { cause: error }));
    };
    const timer = setTimeout(() => fail(new Error('nobody answers')), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve();
    }).once('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
  });
  return socket;
}

/** @throws UserError where nobody listens */
export async function connectStream(destination: Listener, flag: string, handlers: SinkHandlers): Promise<Sink> {
  return new StreamSocket(await connected(destination, flag), handlers);
}
