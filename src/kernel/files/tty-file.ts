/** The open file of a terminal: reads with VMIN and VTIME, job control (drivers/tty/n_tty.c: n_tty_read, n_tty_write). */
import { EAGAIN, EBUSY, EIO, ESPIPE } from '../../abi/errno.ts';
import { O_NOCTTY, O_NONBLOCK } from '../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { SIGTTIN, SIGTTOU } from '../../abi/signal.ts';
import { TOSTOP, VMIN, VTIME } from '../../abi/termios.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { GuestMemory, Inode } from '../../fs/types.ts';
import type { KernelTimer } from '../types.ts';
import { ttyIoctl } from './tty-ioctl.ts';
import type { Tty } from './tty.ts';

const TENTH_OF_SECOND_NS = 100_000_000;

/** open(2) of a terminal: the open file, or -EIO, -EBUSY. It becomes the controlling one where Linux makes it so. */
export function openTerminal(tty: Tty, inode: Inode, flags: number, description = tty.name): TtyFile | number {
  if (tty.farEndClosed) return -EIO;
  if (tty.exclusive) return -EBUSY;
  const process = tty.kernel.current?.process;
  const file = new TtyFile(tty, inode, description, flags & ~O_NOCTTY);
  tty.files.add(file);
  tty.driver.openCountChanged(tty.files.size);
  const eligible = process !== undefined && process.isSessionLeader && process.controllingTerminal === undefined;
  if ((flags & O_NOCTTY) === 0 && eligible && tty.session === 0) tty.setControlling(process);
  return file;
}

/** An open terminal. */
export class TtyFile extends StreamFile {
  readonly tty: Tty;
  hungUp = false;
  #timer: KernelTimer | undefined = undefined;
  /** VMIN 0 with VTIME: when the read that waits gives up. */
  #deadlineNs: number | undefined = undefined;

  constructor(tty: Tty, inode: Inode, description: string, flags: number) {
    super(inode, description, flags, tty.waitQueue);
    this.tty = tty;
  }

  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (this.hungUp) return 0;
    const job = this.tty.checkChange(SIGTTIN);
    if (job < 0) return job;
    if (buffer.length === 0) return 0;
    const { input } = this.tty;
    if (!input.canonical && !this.#rawReady(buffer.length)) {
      if (this.tty.farEndClosed) return -EIO;
      return this.#expired() ? 0 : -EAGAIN;
    }
    if (input.canonical && !input.readable(false)) return this.tty.farEndClosed ? -EIO : -EAGAIN;
    this.#stopTimer();
    const count = input.read(buffer);
    this.tty.driver.inputRoom();
    return count;
  }

  /** VMIN and VTIME (termios(3), "Canonical and noncanonical mode"). */
  #rawReady(wanted: number): boolean {
    const { input, termios, kernel, lastInputNs } = this.tty;
    const available = input.available;
    if (available === 0) return false;
    if ((this.flags & O_NONBLOCK) !== 0) return true;
    const minimum = Math.min(termios.characters[VMIN]!, wanted);
    if (available >= minimum) return true;
    const gapNs = termios.characters[VTIME]! * TENTH_OF_SECOND_NS;
    if (gapNs === 0) return false;
    const deadline = lastInputNs + gapNs;
    if (kernel.monotonicNs() >= deadline) return true;
    this.#wakeAt(deadline);
    return false;
  }

  /** No input: with VMIN 0 the read answers 0, at once or once VTIME is over. */
  #expired(): boolean {
    const { termios, kernel } = this.tty;
    if (termios.characters[VMIN] !== 0) return false;
    const time = termios.characters[VTIME]! * TENTH_OF_SECOND_NS;
    const now = kernel.monotonicNs();
    if (time === 0 || (this.#deadlineNs !== undefined && now >= this.#deadlineNs)) {
      this.#stopTimer();
      return true;
    }
    if ((this.flags & O_NONBLOCK) !== 0) return false;
    this.#deadlineNs ??= now + time;
    this.#wakeAt(this.#deadlineNs);
    return false;
  }

  #wakeAt(deadlineNs: number): void {
    this.#timer?.cancel();
    this.#timer = this.tty.kernel.addTimer(deadlineNs, () => {
      this.#timer = undefined;
      this.tty.waitQueue.wake();
    });
  }
  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#deadlineNs = undefined;
  }

  override write(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (this.hungUp || this.tty.farEndClosed) return -EIO;
    if ((this.tty.termios.lflag & TOSTOP) !== 0) {
      const job = this.tty.checkChange(SIGTTOU);
      if (job < 0) return job;
    }
    if (buffer.length === 0) return 0;
    const count = this.tty.output.write(buffer);
    return count === 0 ? -EAGAIN : count;
  }

  poll(): number {
    if (this.hungUp) return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    const { input, output, driver, farEndClosed } = this.tty;
    let events = farEndClosed ? POLLHUP : 0;
    if (input.readable(true)) events |= POLLIN | POLLRDNORM;
    if (!output.stopped && driver.room() > 0) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (this.hungUp) return -EIO;
    return ttyIoctl(this.tty, false, request, argument, memory);
  }

  override release(): void {
    this.#stopTimer();
    this.tty.files.delete(this);
    this.tty.driver.openCountChanged(this.tty.files.size);
  }
}
