/** The guest's end of a connection as a stream, for what takes it instead of a socket of the host. */
import { Duplex } from 'node:stream';
import { ECONNRESET } from '../../../abi/errno.ts';
import type { HostSocket, HostSocketHandlers } from '../../types.ts';

type Done = (error?: Error | null) => void;

export class GuestStream extends Duplex {
  readonly #handlers: HostSocketHandlers;
  /** The guest takes no more at the moment. */
  #waiting: Done | undefined;
  /** We take no more at the moment. */
  #isFull = false;
  /** The guest has closed it: it reads nothing any more. */
  #isUnread = false;
  #hasEnded = false;

  constructor(handlers: HostSocketHandlers) {
    super({ allowHalfOpen: true });
    this.#handlers = handlers;
    this.on('error', () => {});
    this.on('close', () => {
      if (!this.#hasEnded && !this.#isUnread) handlers.onError(ECONNRESET);
      handlers.onClosed();
    });
  }

  override _read(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handlers.onDrain();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#isUnread || this.#handlers.onData(Uint8Array.from(chunk))) done();
    else this.#waiting = done;
  }
  override _final(done: Done): void {
    this.#hasEnded = true;
    if (!this.#isUnread) this.#handlers.onEnd();
    done();
  }
  #goOn(): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }
  #end(): void {
    if (!this.readableEnded && !this.destroyed) this.push(null);
  }

  /** What the guest's kernel does with it. */
  readonly hostSocket: HostSocket = {
    write: (data) => {
      if (this.destroyed) return true;
      this.#isFull = !this.push(Buffer.from(data));
      return !this.#isFull;
    },
    end: () => this.#end(),
    resume: () => this.#goOn(),
    destroy: () => void this.destroy(),
    // What it has sent still goes.
    close: () => {
      this.#isUnread = true;
      this.#end();
      this.#goOn();
    },
    reset: () => {
      this.#isUnread = true;
      this.destroy();
    },
  };
}
