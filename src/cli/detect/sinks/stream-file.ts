/** A file that lines are added to as they come, and that may be a pipe whose reader is slow: nothing is lost, and who writes is told to wait. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { EAGAIN, ENXIO } from '../../../abi/errno.ts';
import { negativeErrno } from '../../../host/node/errno.ts';
import { UserError } from '../../errors.ts';
import type { Sink, SinkHandlers } from './sink.ts';

/** Written at once when there are so many; otherwise when the programs have had their turn. */
const CHUNK_BYTES = 1 << 16;
/** Bytes that wait before who writes must wait too. */
const MOST_WAITING_BYTES = 1 << 20;
const RETRY_MS = 4;
const STANDARD_ERROR = 2;

export class StreamFile implements Sink {
  readonly #fd: number;
  readonly #handlers: SinkHandlers;
  #lines: string[] = [];
  #length = 0;
  #waiting: Uint8Array = new Uint8Array();
  #isScheduled = false;
  #isFull = false;
  #isBroken = false;
  #onEmpty: (() => void) | undefined;

  /** `-` is standard error. @throws UserError */
  constructor(path: string, flag: string, handlers: SinkHandlers) {
    this.#handlers = handlers;
    const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
    try {
      this.#fd = path === '-' ? STANDARD_ERROR : openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0o600);
    } catch (error) {
      const isUnread = -negativeErrno(error) === ENXIO;
      throw new UserError(`cannot write to "${path}": ${isUnread ? 'it is a pipe that nobody reads' : (error as Error).message}`, isUnread ? 'start its reader first' : `check --${flag}`, undefined, { cause: error });
    }
  }

  /** All of it is taken. False: wait for `onDrain`. */
  write(line: string): boolean {
    if (this.#isBroken) return true;
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= CHUNK_BYTES) this.#flush();
    else this.#schedule(0);
    this.#isFull = this.#waiting.length >= MOST_WAITING_BYTES;
    return !this.#isFull;
  }

  /** All is written, or cannot be. */
  async end(): Promise<void> {
    this.#flush();
    if (this.#waiting.length > 0 && !this.#isBroken) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    if (this.#fd !== STANDARD_ERROR) closeSync(this.#fd);
  }

  #schedule(delayMs: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const flush = (): void => {
      this.#isScheduled = false;
      this.#flush();
    };
    if (delayMs === 0) setImmediate(flush);
    else setTimeout(flush, delayMs);
  }

  #flush(): void {
    if (this.#lines.length > 0) {
      const more = Buffer.from(this.#lines.join(''));
      this.#waiting = this.#waiting.length === 0 ? more : Buffer.concat([this.#waiting, more]);
      this.#lines = [];
      this.#length = 0;
    }
    try {
      while (this.#waiting.length > 0) this.#waiting = this.#waiting.subarray(writeSync(this.#fd, this.#waiting));
    } catch (error) {
      if (-negativeErrno(error) === EAGAIN) {
        this.#schedule(RETRY_MS);
        return;
      }
      this.#isBroken = true;
      this.#waiting = new Uint8Array();
      this.#handlers.onBroken(error as Error);
    }
    this.#onEmpty?.();
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handlers.onDrain();
  }
}
