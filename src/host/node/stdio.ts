/**
 * The process's own standard input, output and error, without Node's streams where those are not needed:
 * creating `process.stdout` and `process.stdin` costs 5 ms at start.
 *
 * Output is written with write(2) at once. Input is read only when somebody wants it, so that what the
 * command leaves is there for the next reader, as far as pipes allow.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { EAGAIN, EPIPE } from '../../abi/errno.ts';
import { negativeErrno } from './errno.ts';

const CHUNK_BYTES = 65_536;
const RETRY_MS = 4;

/** Of /dev/null and its like. */
const MEMORY_DEVICES = 1;

/** A character device could be a terminal; loading `node:tty` to be sure costs 2 ms, so only then. */
export async function isTerminal(fd: number): Promise<boolean> {
  try {
    const stats = fstatSync(fd);
    if (!stats.isCharacterDevice() || stats.rdev >> 8 === MEMORY_DEVICES) return false;
  } catch {
    return false;
  }
  const { isatty } = await import('node:tty');
  return isatty(fd);
}

export interface OutputHandlers {
  /** Room again after `write` answered false. */
  onDrain(): void;
  /** The reader is gone. */
  onBroken(errno: number): void;
}

/** Standard output or error. Bytes are written before `write` returns, except when the descriptor is non-blocking and full. */
export class StandardOutput {
  readonly #fd: number;
  readonly #handlers: OutputHandlers;
  #waiting: Uint8Array[] = [];
  #broken = false;

  constructor(fd: number, handlers: OutputHandlers) {
    this.#fd = fd;
    this.#handlers = handlers;
  }

  /** False: wait for `onDrain`. All bytes are taken (copied where they must wait). */
  write(bytes: Uint8Array): boolean {
    if (this.#broken) return true;
    if (this.#waiting.length > 0) {
      this.#waiting.push(bytes.slice());
      return false;
    }
    const rest = this.#writeNow(bytes);
    if (rest.length === 0) return true;
    this.#waiting.push(rest.slice());
    setTimeout(() => this.#retry(), RETRY_MS);
    return false;
  }

  /** Writes what waits, blocking: for the end of the process. */
  flush(): void {
    const deadline = Date.now() + 2000;
    while (this.#waiting.length > 0 && Date.now() < deadline) this.#drain();
  }

  #writeNow(bytes: Uint8Array): Uint8Array {
    let rest = bytes;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        const errno = -negativeErrno(error);
        if (errno === EAGAIN) return rest;
        this.#broken = true;
        this.#waiting = [];
        this.#handlers.onBroken(errno === EPIPE ? EPIPE : errno);
        return rest.subarray(rest.length);
      }
    }
    return rest;
  }

  #drain(): void {
    while (this.#waiting.length > 0) {
      const rest = this.#writeNow(this.#waiting[0]!);
      if (rest.length > 0) {
        this.#waiting[0] = rest;
        return;
      }
      this.#waiting.shift();
    }
  }

  #retry(): void {
    this.#drain();
    if (this.#waiting.length > 0) setTimeout(() => this.#retry(), RETRY_MS);
    else if (!this.#broken) this.#handlers.onDrain();
  }
}

export interface InputHandlers {
  /** False: no more until `resume`. */
  onBytes(bytes: Uint8Array): boolean;
  onEnd(): void;
}

/** Standard input. Files and devices such as /dev/null are read on the spot; pipes, sockets and terminals by Node's stream. */
export class StandardInput {
  readonly #handlers: InputHandlers;
  #stream: Readable | undefined;
  #ended = false;

  constructor(handlers: InputHandlers) {
    this.#handlers = handlers;
  }

  /** Somebody wants bytes. May call `onBytes` or `onEnd` before it returns. */
  want(): void {
    if (this.#ended || this.#stream !== undefined) return;
    if (this.#isPlain()) this.#readNow();
    else this.#startStream();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Gives the descriptor back: nothing is read any more. */
  stop(): void {
    this.#ended = true;
    this.#stream?.pause();
  }

  #isPlain(): boolean {
    try {
      const stats = fstatSync(0);
      return stats.isFile() || stats.isDirectory() || (stats.isCharacterDevice() && !process.stdin.isTTY);
    } catch {
      return true;
    }
  }

  #readNow(): void {
    const buffer = new Uint8Array(CHUNK_BYTES);
    let count = 0;
    try {
      count = readSync(0, buffer, 0, buffer.length, null);
    } catch {
      // A closed or unreadable descriptor reads as the end, as far as we can pass it on.
    }
    if (count > 0) this.#handlers.onBytes(buffer.subarray(0, count));
    else this.#end();
  }

  #startStream(): void {
    const stream = process.stdin as Readable;
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => {
      if (!this.#handlers.onBytes(chunk)) stream.pause();
    });
    stream.on('end', () => this.#end());
    stream.on('error', () => this.#end());
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers.onEnd();
  }
}
