/** Standard input, output and error that are not terminals: one end in the guest, the other in the host's hands. */
import { EAGAIN, EBADF, EPIPE, ESPIPE } from '../../abi/errno.ts';
import { O_RDONLY, O_WRONLY } from '../../abi/fcntl.ts';
import { FIONREAD } from '../../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { ByteRing } from '../../fs/byte-ring.ts';
import { putU32, StreamFile } from '../../fs/stream-file.ts';
import type { GuestMemory, Inode } from '../../fs/types.ts';
import { STREAM_BUFFER } from './limits.ts';

export interface StreamSourceHandlers {
  /** The guest looked for bytes and found none: a host that reads on demand starts now. */
  onWant?(): void;
  /** Room again after `push` answered false. */
  onDrain?(): void;
}

/** What the host feeds: `push` bytes, then `end`. The guest reads as from a pipe. */
export class StreamSource extends StreamFile {
  readonly #ring = new ByteRing(Infinity);
  readonly #handlers: StreamSourceHandlers;
  #ended = false;
  #full = false;

  constructor(inode: Inode, handlers: StreamSourceHandlers = {}) {
    super(inode, `pipe:[${inode.ino}]`, O_RDONLY);
    this.#handlers = handlers;
  }
  /** Always takes all. False: please wait for `onDrain`. */
  push(bytes: Uint8Array): boolean {
    if (this.#ended) return true;
    this.#ring.push(bytes);
    this.waitQueue.wake(POLLIN | POLLRDNORM);
    this.#full = this.#ring.length >= STREAM_BUFFER;
    return !this.#full;
  }
  end(): void {
    this.#ended = true;
    this.waitQueue.wake(POLLIN | POLLHUP);
  }
  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (this.#ring.length === 0) {
      if (this.#ended || buffer.length === 0) return 0;
      this.#handlers.onWant?.();
      if (this.#ring.length === 0) return this.#ended ? 0 : -EAGAIN;
    }
    const count = this.#ring.shift(buffer);
    if (this.#full && this.#ring.length < STREAM_BUFFER / 2) {
      this.#full = false;
      this.#handlers.onDrain?.();
    }
    return count;
  }
  override write(): number {
    return -EBADF;
  }
  poll(): number {
    if (this.#ring.length === 0 && !this.#ended) this.#handlers.onWant?.();
    return (this.#ring.length > 0 ? POLLIN | POLLRDNORM : 0) | (this.#ended ? POLLHUP : 0);
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request === FIONREAD) return putU32(memory, argument, this.#ring.length);
    return super.ioctl(request, argument, memory);
  }
}

/** Where the guest's writes go: a callback that may ask to wait. */
export class StreamSink extends StreamFile {
  readonly #onWrite: (bytes: Uint8Array) => boolean;
  #full = false;
  #broken = false;

  /**
   * `onWrite` gets a view that is valid during the call only. It answers false when it wants no more before `drained`;
   * the bytes it got count as written.
   */
  constructor(inode: Inode, onWrite: (bytes: Uint8Array) => boolean) {
    super(inode, `pipe:[${inode.ino}]`, O_WRONLY);
    this.#onWrite = onWrite;
  }
  drained(): void {
    this.#full = false;
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  /** The reader is gone: writes answer EPIPE from now on. */
  break(): void {
    this.#broken = true;
    this.waitQueue.wake(POLLOUT | POLLERR);
  }
  override read(): number {
    return -EBADF;
  }
  override write(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (this.#broken) return -EPIPE;
    if (buffer.length === 0) return 0;
    if (this.#full) return -EAGAIN;
    const chunk = buffer.length > STREAM_BUFFER ? buffer.subarray(0, STREAM_BUFFER) : buffer;
    this.#full = !this.#onWrite(chunk);
    return chunk.length;
  }
  poll(): number {
    if (this.#broken) return POLLOUT | POLLWRNORM | POLLERR;
    return this.#full ? 0 : POLLOUT | POLLWRNORM;
  }
}
