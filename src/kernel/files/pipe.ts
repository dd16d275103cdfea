/** Pipes and FIFOs: pipe(7), fifo(7), Linux fs/pipe.c. */
import { EAGAIN, EBADF, EBUSY, EINVAL, ENXIO, EPERM, EPIPE, ESPIPE } from '../../abi/errno.ts';
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../../abi/fcntl.ts';
import { FIONREAD } from '../../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { ByteRing } from '../../fs/byte-ring.ts';
import { putU32, StreamFile } from '../../fs/stream-file.ts';
import { WaitQueue, type GuestMemory, type Inode } from '../../fs/types.ts';
import { PIPE_BUF, PIPE_DEFAULT_SIZE, PIPE_MAX_SIZE, PIPE_PACKETS } from './limits.ts';

/** `struct pipe_inode_info`. */
export class Pipe {
  readonly ring = new ByteRing(PIPE_DEFAULT_SIZE);
  readonly waitQueue = new WaitQueue();
  readers = 0;
  writers = 0;
  /** How often each kind of end was opened: a FIFO's open waits until the other's counter moves. */
  readerGeneration = 0;
  writerGeneration = 0;
  /** Lengths of the packets at the front, with -n for n plain bytes; empty while no end ever wrote a packet. */
  #packets: number[] = [];

  /** Room, or 0 where packets fill all slots. */
  get free(): number {
    return this.#packets.length >= PIPE_PACKETS ? 0 : this.ring.free;
  }

  read(buffer: Uint8Array): number {
    const ring = this.ring;
    if (ring.length === 0) return this.writers === 0 || buffer.length === 0 ? 0 : -EAGAIN;
    const wasFull = this.free < PIPE_BUF;
    const count = this.#packets.length === 0 ? ring.shift(buffer) : this.#readPackets(buffer);
    if (wasFull) this.waitQueue.wake(POLLOUT | POLLWRNORM);
    return count;
  }

  /** At most one packet: what does not fit is dropped (pipe(2), O_DIRECT). */
  #readPackets(buffer: Uint8Array): number {
    const front = this.#packets[0]!;
    const count = Math.min(buffer.length, Math.abs(front));
    this.ring.peek(buffer.subarray(0, count));
    if (front > 0 || count === -front) {
      this.ring.discard(Math.abs(front));
      this.#packets.shift();
    } else {
      this.ring.discard(count);
      this.#packets[0] = front + count;
    }
    return count;
  }

  write(buffer: Uint8Array, packet: boolean): number {
    if (this.readers === 0) return -EPIPE;
    const length = buffer.length;
    if (length === 0) return 0;
    const free = this.free;
    if (free === 0 || (length <= PIPE_BUF && free < length)) return -EAGAIN;
    if (packet || this.#packets.length > 0) return this.#writePacket(buffer, packet);
    const count = this.ring.push(buffer);
    this.waitQueue.wake(POLLIN | POLLRDNORM);
    return count;
  }

  #writePacket(buffer: Uint8Array, packet: boolean): number {
    if (this.#packets.length === 0 && this.ring.length > 0) this.#packets.push(-this.ring.length);
    let done = 0;
    while (done < buffer.length && this.#packets.length < PIPE_PACKETS) {
      const count = this.ring.push(buffer.subarray(done, done + PIPE_BUF));
      if (count === 0) break;
      this.#packets.push(packet ? count : -count);
      done += count;
    }
    this.waitQueue.wake(POLLIN | POLLRDNORM);
    return done;
  }

  open(flags: number): void {
    const access = flags & O_ACCMODE;
    if (access !== O_WRONLY) {
      this.readers++;
      this.readerGeneration++;
    }
    if (access !== O_RDONLY) {
      this.writers++;
      this.writerGeneration++;
    }
    this.waitQueue.wake();
  }

  close(flags: number): void {
    const access = flags & O_ACCMODE;
    if (access !== O_WRONLY) this.readers--;
    if (access !== O_RDONLY) this.writers--;
    if (this.readers === 0 && this.writers === 0) {
      this.ring.clear();
      this.#packets = [];
    }
    this.waitQueue.wake(POLLIN | POLLOUT | POLLERR | POLLHUP);
  }

  /** F_SETPIPE_SZ: the new capacity, rounded up to a power of two of pages; -EBUSY where more bytes are waiting. */
  resize(size: number): number {
    if (size < 0 || size > 0x8000_0000) return -EINVAL;
    let capacity = 4096;
    while (capacity < size) capacity *= 2;
    if (capacity > PIPE_MAX_SIZE) return -EPERM;
    if (this.ring.length > capacity) return -EBUSY;
    this.ring.capacity = capacity;
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
    return capacity;
  }
}

/** One open end of a pipe, or a FIFO's open file. -EPIPE from `write` makes the caller raise SIGPIPE. */
export class PipeFile extends StreamFile {
  readonly pipe: Pipe;
  /** Writers seen before this end was opened: until the first new one comes, its absence is no hang-up. */
  readonly #writersBefore: number;
  readonly #access: number;
  readonly #onRelease: (() => void) | undefined;
  /** The other end's generation that a FIFO's open waits to see pass. */
  #awaited: number | undefined = undefined;

  /** Opens: the pipe's counters move now. */
  constructor(pipe: Pipe, inode: Inode, description: string, flags: number, onRelease?: () => void) {
    super(inode, description, flags, pipe.waitQueue);
    this.pipe = pipe;
    this.#access = flags & O_ACCMODE;
    this.#onRelease = onRelease;
    this.#writersBefore = pipe.writers > 0 ? -1 : pipe.writerGeneration;
    pipe.open(flags);
  }
  get readable(): boolean {
    return this.#access !== O_WRONLY;
  }
  get writable(): boolean {
    return this.#access !== O_RDONLY;
  }
  /** A FIFO's open(2) waits for the other end, but a reader that does not block (fifo(7)). */
  awaitPartner(): void {
    const { pipe } = this;
    const lonely = this.#access === O_RDONLY ? pipe.writers === 0 && (this.flags & O_NONBLOCK) === 0 : pipe.readers === 0;
    if (this.#access !== O_RDWR && lonely) this.#awaited = this.#partnerGeneration;
  }
  get #partnerGeneration(): number {
    return this.#access === O_RDONLY ? this.pipe.writerGeneration : this.pipe.readerGeneration;
  }
  opened(): boolean {
    if (this.#awaited !== undefined && this.#awaited !== this.#partnerGeneration) this.#awaited = undefined;
    return this.#awaited === undefined;
  }
  /** F_GETPIPE_SZ, F_SETPIPE_SZ. */
  pipeSize(size?: number): number {
    return size === undefined ? this.pipe.ring.capacity : this.pipe.resize(size);
  }
  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (this.#access === O_WRONLY) return -EBADF;
    return this.pipe.read(buffer);
  }
  override write(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (this.#access === O_RDONLY) return -EBADF;
    return this.pipe.write(buffer, (this.flags & O_DIRECT) !== 0);
  }
  poll(): number {
    const pipe = this.pipe;
    let events = 0;
    if (this.#access !== O_WRONLY) {
      if (pipe.ring.length > 0) events |= POLLIN | POLLRDNORM;
      if (pipe.writers === 0 && pipe.writerGeneration !== this.#writersBefore) events |= POLLHUP;
    }
    if (this.#access !== O_RDONLY) {
      if (pipe.free >= PIPE_BUF) events |= POLLOUT | POLLWRNORM;
      if (pipe.readers === 0) events |= POLLERR;
    }
    return events;
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request === FIONREAD) return putU32(memory, argument, this.pipe.ring.length);
    return super.ioctl(request, argument, memory);
  }
  override release(): void {
    this.pipe.close(this.#access);
    this.#onRelease?.();
  }
}

/** The pipe of each open FIFO, by file system and inode number, for as long as an end is open. */
export class FifoTable {
  readonly #pipes = new Map<unknown, Map<number, { pipe: Pipe; uses: number }>>();

  /**
   * Opens one end. The file is to be used once it is `opened()`; until then the caller blocks on its queue, and releases
   * it when it gives up. -ENXIO for a writer that will not wait and has no reader (fs/pipe.c:fifo_open).
   */
  open(inode: Inode, flags: number, description: string): PipeFile | number {
    const byNumber = this.#pipes.get(inode.fileSystem) ?? new Map<number, { pipe: Pipe; uses: number }>();
    const entry = byNumber.get(inode.ino) ?? { pipe: new Pipe(), uses: 0 };
    const access = flags & O_ACCMODE;
    const { pipe } = entry;
    if (access === O_WRONLY && (flags & O_NONBLOCK) !== 0 && pipe.readers === 0) return -ENXIO;
    byNumber.set(inode.ino, entry);
    this.#pipes.set(inode.fileSystem, byNumber);
    entry.uses++;
    const file = new PipeFile(pipe, inode, description, flags, () => {
      entry.uses--;
      if (entry.uses > 0) return;
      byNumber.delete(inode.ino);
      if (byNumber.size === 0) this.#pipes.delete(inode.fileSystem);
    });
    file.awaitPartner();
    return file;
  }
}
