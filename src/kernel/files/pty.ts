/** Pseudo-terminals: pty(7), /dev/ptmx and /dev/pts (drivers/tty/pty.c), and the host's window as their master. */
import { EAGAIN, EFAULT, EINVAL, EIO, ENOSPC, ESPIPE } from '../../abi/errno.ts';
import { O_CLOEXEC, O_NOCTTY } from '../../abi/fcntl.ts';
import { FIONREAD } from '../../abi/ioctl.ts';
import { POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { S_IFCHR } from '../../abi/stat.ts';
import { TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCPKT, TIOCSIG, TIOCSPTLCK } from '../../abi/termios.ts';
import { AnonymousInode } from '../../fs/anonymous-inode.ts';
import { ByteRing } from '../../fs/byte-ring.ts';
import { getI32, putU32, StreamFile } from '../../fs/stream-file.ts';
import type { FileSystem, GuestMemory, Inode } from '../../fs/types.ts';
import type { Kernel } from '../types.ts';
import { PTY_BUFFER, PTY_MAX } from './limits.ts';
import { resizeTerminal, ttyIoctl } from './tty-ioctl.ts';
import { openTerminal } from './tty-file.ts';
import { Tty, type TtyDriver } from './tty.ts';

/** The open file of /dev/ptmx: what a terminal emulator holds. */
export class PtyMaster extends StreamFile implements TtyDriver {
  readonly tty: Tty;
  locked = true;
  readonly #table: PtyTable;
  readonly #output = new ByteRing(PTY_BUFFER);
  #packetMode = false;
  #packetBits = 0;
  /** Some slave was opened, and all are closed since. */
  #slavesGone = false;

  constructor(table: PtyTable, index: number, inode: Inode, flags: number) {
    super(inode, '/dev/ptmx', flags);
    this.#table = table;
    this.tty = new Tty(table.kernel, index, this);
  }

  room(): number {
    return this.#output.free;
  }
  put(bytes: Uint8Array): void {
    this.#output.push(bytes);
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }
  packetEvent(bits: number): void {
    if (!this.#packetMode) return;
    this.#packetBits |= bits;
    this.waitQueue.wake(POLLIN | POLLPRI);
  }
  flushOutput(): void {
    this.#output.clear();
    this.tty.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  inputRoom(): void {
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  openCountChanged(count: number): void {
    this.#slavesGone = count === 0;
    this.waitQueue.wake(POLLHUP | POLLIN);
  }

  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (buffer.length === 0) return 0;
    if (this.#packetMode && this.#packetBits !== 0) {
      buffer[0] = this.#packetBits;
      this.#packetBits = 0;
      return 1;
    }
    if (this.#output.length === 0) return this.#slavesGone ? -EIO : -EAGAIN;
    const wasFull = this.#output.free < PTY_BUFFER / 2;
    let count: number;
    if (this.#packetMode) {
      buffer[0] = 0;
      count = 1 + this.#output.shift(buffer.subarray(1));
    } else count = this.#output.shift(buffer);
    if (wasFull || this.tty.waitQueue.size > 0) this.tty.waitQueue.wake(POLLOUT | POLLWRNORM);
    return count;
  }
  override write(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (buffer.length === 0) return 0;
    if (this.#slavesGone) return -EIO;
    const count = this.tty.receive(buffer);
    return count === 0 ? -EAGAIN : count;
  }
  poll(): number {
    let events = 0;
    if (this.#output.length > 0) events |= POLLIN | POLLRDNORM;
    if (this.#packetBits !== 0) events |= POLLIN | POLLRDNORM | POLLPRI;
    if (this.tty.input.room > 1) events |= POLLOUT | POLLWRNORM;
    if (this.#slavesGone) events |= POLLHUP;
    return events;
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    switch (request) {
      case TIOCGPTN:
        return putU32(memory, argument, this.tty.index);
      case TIOCSPTLCK: {
        const value = getI32(memory, argument);
        if (value === undefined) return -EFAULT;
        this.locked = value !== 0;
        return 0;
      }
      case TIOCGPTLCK:
        return putU32(memory, argument, this.locked ? 1 : 0);
      case TIOCPKT: {
        const value = getI32(memory, argument);
        if (value === undefined) return -EFAULT;
        this.#packetMode = value !== 0;
        this.#packetBits = 0;
        return 0;
      }
      case TIOCGPKT:
        return putU32(memory, argument, this.#packetMode ? 1 : 0);
      case TIOCGPTPEER:
        return this.#openPeer(argument);
      case TIOCSIG:
        if (argument < 1 || argument > 64) return -EINVAL;
        this.tty.signalForeground(argument);
        return 0;
      case FIONREAD:
        return putU32(memory, argument, this.#output.length);
      default:
        return ttyIoctl(this.tty, true, request, argument, memory);
    }
  }
  #openPeer(flags: number): number {
    const file = openTerminal(this.tty, this.#table.slaveInode(this.tty), flags | O_NOCTTY);
    if (typeof file === 'number') return file;
    const fd = this.#table.kernel.current?.files.install(file, (flags & O_CLOEXEC) !== 0) ?? -EIO;
    if (fd < 0) file.release();
    return fd;
  }
  override release(): void {
    this.tty.farEndClosed = true;
    this.tty.hangUp();
    this.#table.remove(this.tty.index);
  }
}

export interface HostTerminalHandlers {
  /** Bytes for the host's window; a view that is valid during the call only. False: wait for `drained`. */
  onOutput(bytes: Uint8Array): boolean;
}

/** The host's window as the far end of /dev/pts/N: `input` what is typed, get what is shown. */
export class HostTerminal implements TtyDriver {
  readonly tty: Tty;
  readonly #table: PtyTable;
  readonly #handlers: HostTerminalHandlers;
  #full = false;
  /** Typed bytes that the raw-mode buffer had no room for. */
  #waiting: Uint8Array[] = [];

  constructor(table: PtyTable, index: number, handlers: HostTerminalHandlers) {
    this.#table = table;
    this.#handlers = handlers;
    this.tty = new Tty(table.kernel, index, this);
  }
  input(bytes: Uint8Array): void {
    this.#waiting.push(bytes.slice());
    this.inputRoom();
  }
  resize(rows: number, columns: number): void {
    const size = new Uint8Array(8);
    const view = new DataView(size.buffer);
    view.setUint16(0, rows, true);
    view.setUint16(2, columns, true);
    resizeTerminal(this.tty, size);
  }
  /** The window was closed. */
  hangUp(): void {
    this.tty.farEndClosed = true;
    this.tty.hangUp();
  }
  drained(): void {
    this.#full = false;
    this.tty.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  /** A new open file of the terminal, for standard input, output and error. */
  open(flags: number): StreamFile | number {
    return openTerminal(this.tty, this.#table.slaveInode(this.tty), flags);
  }
  room(): number {
    return this.#full ? 0 : PTY_BUFFER;
  }
  put(bytes: Uint8Array): void {
    if (!this.#handlers.onOutput(bytes)) this.#full = true;
  }
  packetEvent(): void {}
  flushOutput(): void {}
  inputRoom(): void {
    while (this.#waiting.length > 0) {
      const bytes = this.#waiting[0]!;
      const count = this.tty.receive(bytes);
      if (count < bytes.length) {
        this.#waiting[0] = bytes.subarray(count);
        return;
      }
      this.#waiting.shift();
    }
  }
  openCountChanged(): void {}
}

/** All pseudo-terminals of a kernel: one /dev/pts. */
export class PtyTable {
  readonly kernel: Kernel;
  /** Where slave nodes live when nobody opened them by path: set by the device file system. */
  fileSystem: FileSystem;
  readonly #terminals = new Map<number, PtyMaster | HostTerminal>();
  readonly #inodes = new Map<number, Inode>();

  constructor(kernel: Kernel, fileSystem: FileSystem) {
    this.kernel = kernel;
    this.fileSystem = fileSystem;
  }
  #freeIndex(): number {
    for (let index = 0; index < PTY_MAX; index++) if (!this.#terminals.has(index)) return index;
    return -ENOSPC;
  }
  /** open(2) of /dev/ptmx. */
  openMaster(inode: Inode, flags: number): PtyMaster | number {
    const index = this.#freeIndex();
    if (index < 0) return index;
    const master = new PtyMaster(this, index, inode, flags);
    this.#terminals.set(index, master);
    this.#createInode(index, master.tty);
    return master;
  }
  createHostTerminal(handlers: HostTerminalHandlers): HostTerminal | number {
    const index = this.#freeIndex();
    if (index < 0) return index;
    const terminal = new HostTerminal(this, index, handlers);
    this.#terminals.set(index, terminal);
    this.#createInode(index, terminal.tty);
    return terminal;
  }
  /** open(2) of /dev/pts/N. */
  openSlave(index: number, inode: Inode, flags: number): StreamFile | number {
    const terminal = this.#terminals.get(index);
    if (terminal === undefined || (terminal instanceof PtyMaster && terminal.locked)) return -EIO;
    return openTerminal(terminal.tty, inode, flags);
  }
  /** Names in /dev/pts. */
  indexes(): Iterable<number> {
    return this.#terminals.keys();
  }
  /** The node of /dev/pts/N; undefined where there is none. */
  inode(index: number): Inode | undefined {
    return this.#inodes.get(index);
  }
  slaveInode(tty: Tty): Inode {
    return this.#inodes.get(tty.index) ?? this.#createInode(tty.index, tty);
  }
  #createInode(index: number, tty: Tty): Inode {
    const credentials = this.kernel.current?.credentials;
    const inode = new PtySlaveInode(this, tty, this.fileSystem, credentials?.fsuid ?? 0, this.kernel.realtimeNs());
    this.#inodes.set(index, inode);
    return inode;
  }
  remove(index: number): void {
    this.#terminals.delete(index);
    this.#inodes.delete(index);
  }
}

/** Group `tty` of Debian, which owns the slaves (mount option gid=5 of devpts). */
const TTY_GROUP = 5;

class PtySlaveInode extends AnonymousInode {
  readonly #table: PtyTable;
  readonly #tty: Tty;

  constructor(table: PtyTable, tty: Tty, fileSystem: FileSystem, uid: number, nowNs: bigint) {
    // Linux numbers them from 3 (fs/devpts/inode.c).
    super(fileSystem, tty.index + 3, S_IFCHR | 0o620, { uid, gid: TTY_GROUP, rdev: tty.rdev, nowNs });
    this.#table = table;
    this.#tty = tty;
  }
  open(flags: number): StreamFile | number {
    return this.#table.openSlave(this.#tty.index, this, flags);
  }
}
