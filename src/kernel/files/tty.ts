/** Terminals: state and job control (tty(4), drivers/tty/tty_io.c, tty_jobctrl.c). */
import { EIO, ERESTARTSYS } from '../../abi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { SIGCONT, SIGHUP, SIGTTIN } from '../../abi/signal.ts';
import { TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_START, TIOCPKT_STOP } from '../../abi/termios.ts';
import { WaitQueue } from '../../fs/types.ts';
import type { Kernel, Process } from '../types.ts';
import { LineDiscipline } from './line-discipline.ts';
import { Termios } from './termios.ts';
import { TtyOutputProcessor, type TtyOutput } from './tty-output.ts';

/** The far end of a terminal: the master of a pty, or the host's window. */
export interface TtyDriver extends TtyOutput {
  /** TIOCPKT_* bits for packet mode. */
  packetEvent(bits: number): void;
  /** Output that nobody read yet is dropped. */
  flushOutput(): void;
  /** Input was read: there is room for more. */
  inputRoom(): void;
  /** The last open file of the terminal was closed, or the first opened. */
  openCountChanged(count: number): void;
}

/** What a terminal knows of its open files. */
export interface TtyHolder {
  hungUp: boolean;
}

/** `struct tty_struct` of a slave. */
export class Tty {
  readonly kernel: Kernel;
  readonly index: number;
  readonly driver: TtyDriver;
  readonly termios = new Termios();
  /** `struct winsize`: rows, columns, pixels across, pixels down, 16 bits each. */
  readonly windowSize = new Uint8Array(8);
  readonly waitQueue = new WaitQueue();
  readonly output: TtyOutputProcessor;
  readonly input: LineDiscipline;
  readonly files = new Set<TtyHolder>();
  /** Session it controls, 0 for none, and its foreground process group. */
  session = 0;
  foreground = 0;
  /** The far end is gone for good. */
  farEndClosed = false;
  exclusive = false;
  /** When the last byte came, for VTIME. */
  lastInputNs = 0;

  constructor(kernel: Kernel, index: number, driver: TtyDriver) {
    this.kernel = kernel;
    this.index = index;
    this.driver = driver;
    this.output = new TtyOutputProcessor(this.termios, driver);
    this.input = new LineDiscipline(this.termios, this.output, {
      signal: (signal) => this.signalForeground(signal),
      changed: () => this.waitQueue.wake(POLLIN | POLLRDNORM),
      flow: (stopped) => this.setStopped(stopped),
      flushOutput: () => this.flushOutput(),
    });
  }

  get name(): string {
    return `/dev/pts/${this.index}`;
  }
  /** Device number: UNIX98_PTY_SLAVE_MAJOR. */
  get rdev(): number {
    return (136 << 8) | (this.index & 255) | ((this.index & ~255) << 12);
  }

  signalForeground(signal: number): void {
    if (this.foreground !== 0) this.kernel.signalProcessGroup(this.foreground, signal);
  }

  /** Bytes from the far end; the number taken. */
  receive(bytes: Uint8Array): number {
    this.lastInputNs = this.kernel.monotonicNs();
    return this.input.receive(bytes);
  }

  setStopped(stopped: boolean): void {
    if (stopped === this.output.stopped) return;
    if (stopped) this.output.stopped = true;
    else this.output.start();
    this.driver.packetEvent(stopped ? TIOCPKT_STOP : TIOCPKT_START);
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  flushInput(): void {
    this.input.flush();
    this.driver.packetEvent(TIOCPKT_FLUSHREAD);
    this.driver.inputRoom();
  }
  flushOutput(): void {
    this.driver.flushOutput();
    this.driver.packetEvent(TIOCPKT_FLUSHWRITE);
  }

  /** True where `process` may use the terminal without asking; see `checkChange`. */
  isForegroundFor(process: Process): boolean {
    return process.controllingTerminal !== this || this.foreground === 0 || process.processGroup === this.foreground;
  }

  /** A background process touches its terminal: 0, -EIO, or -ERESTARTSYS with the signal sent (tty_jobctrl.c:__tty_check_change). */
  checkChange(signal: number): number {
    const task = this.kernel.current;
    if (task === undefined || this.isForegroundFor(task.process)) return 0;
    if (task.signalIgnored(signal)) return signal === SIGTTIN ? -EIO : 0;
    if (this.kernel.isOrphanedProcessGroup(task.process.processGroup)) return -EIO;
    this.kernel.signalProcessGroup(task.process.processGroup, signal);
    return -ERESTARTSYS;
  }

  /** Makes it the controlling terminal of the session that `process` leads. */
  setControlling(process: Process): void {
    this.session = process.session;
    this.foreground = process.processGroup;
    process.controllingTerminal = this;
  }

  /** Takes the terminal from its session without signals. */
  clearSession(): void {
    for (const process of this.kernel.processes()) if (process.controllingTerminal === this) process.controllingTerminal = undefined;
    this.session = 0;
    this.foreground = 0;
  }

  /** Every open file is dead from now on; leader and foreground group get SIGHUP (tty_io.c:__tty_hangup). */
  hangUp(): void {
    const { session, foreground } = this;
    const leader = session === 0 ? undefined : this.kernel.findProcess(session);
    this.clearSession();
    leader?.sendSignal(SIGHUP);
    leader?.sendSignal(SIGCONT);
    if (foreground !== 0 && foreground !== session) {
      this.kernel.signalProcessGroup(foreground, SIGHUP);
      this.kernel.signalProcessGroup(foreground, SIGCONT);
    }
    for (const file of this.files) file.hungUp = true;
    this.waitQueue.wake(POLLIN | POLLOUT | POLLERR | POLLHUP);
  }
}

/** The session leader ends, or gives its terminal up (tty_jobctrl.c:disassociate_ctty). */
export function disassociateTerminal(kernel: Kernel, leader: Process, exiting: boolean): void {
  const tty = leader.controllingTerminal;
  if (!(tty instanceof Tty)) return;
  if (exiting) {
    tty.hangUp();
    return;
  }
  const { foreground } = tty;
  tty.clearSession();
  if (foreground === 0) return;
  kernel.signalProcessGroup(foreground, SIGHUP);
  kernel.signalProcessGroup(foreground, SIGCONT);
}
