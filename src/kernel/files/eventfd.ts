/** eventfd(2), Linux fs/eventfd.c. */
import { EAGAIN, EINVAL, ESPIPE } from '../../abi/errno.ts';
import { POLLERR, POLLIN, POLLOUT } from '../../abi/poll.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { Inode } from '../../fs/types.ts';

const MAXIMUM = 0xffff_ffff_ffff_ffffn;

export class EventFile extends StreamFile {
  #count: bigint;
  readonly #semaphore: boolean;

  constructor(inode: Inode, flags: number, initial: number, semaphore: boolean) {
    super(inode, 'anon_inode:[eventfd]', flags);
    this.#count = BigInt(initial);
    this.#semaphore = semaphore;
  }
  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (buffer.length < 8) return -EINVAL;
    if (this.#count === 0n) return -EAGAIN;
    const value = this.#semaphore ? 1n : this.#count;
    this.#count -= value;
    new DataView(buffer.buffer, buffer.byteOffset).setBigUint64(0, value, true);
    this.waitQueue.wake(POLLOUT);
    return 8;
  }
  override write(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (buffer.length < 8) return -EINVAL;
    const value = new DataView(buffer.buffer, buffer.byteOffset).getBigUint64(0, true);
    if (value === MAXIMUM) return -EINVAL;
    if (MAXIMUM - this.#count <= value) return -EAGAIN;
    this.#count += value;
    this.waitQueue.wake(POLLIN);
    return 8;
  }
  poll(): number {
    let events = 0;
    if (this.#count > 0n) events |= POLLIN;
    if (this.#count === MAXIMUM) events |= POLLERR;
    if (this.#count < MAXIMUM - 1n) events |= POLLOUT;
    return events;
  }
  fdInfo(): string {
    return `eventfd-count: ${this.#count.toString(16).padStart(16, ' ')}\n`;
  }
}
