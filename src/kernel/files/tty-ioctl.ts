/** ioctl_tty(2): requests that a terminal answers, at either end of a pty (drivers/tty/tty_io.c, tty_ioctl.c, tty_jobctrl.c). */
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EFAULT, EINVAL, EIO, ENOTTY, EPERM, ESRCH } from '../../abi/errno.ts';
import { FIONREAD } from '../../abi/ioctl.ts';
import { SIGTTOU, SIGWINCH } from '../../abi/signal.ts';
import {
  ICANON, SIZEOF_TERMIOS, SIZEOF_TERMIOS2, TCFLSH, TCGETA, TCGETS, TCGETS2, TCIFLUSH, TCIOFF, TCIOFLUSH, TCION, TCOFLUSH, TCOOFF, TCOON, TCSBRK, TCSBRKP,
  TCSETA, TCSETAF, TCSETAW, TCSETS, TCSETS2, TCSETSF, TCSETSF2, TCSETSW, TCSETSW2, TCXONC, TIOCCBRK, TIOCEXCL, TIOCGDEV, TIOCGETD, TIOCGPGRP,
  TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCNXCL, TIOCOUTQ, TIOCPKT_DOSTOP, TIOCPKT_NOSTOP, TIOCSBRK, TIOCSCTTY, TIOCSETD, TIOCSPGRP, TIOCSTI, TIOCSWINSZ, IXON,
  TIOCVHANGUP, VSTART, VSTOP,
} from '../../abi/termios.ts';
import { getI32, putU32 } from '../../fs/stream-file.ts';
import type { GuestMemory } from '../../fs/types.ts';
import type { Process } from '../types.ts';
import { disassociateTerminal, type Tty } from './tty.ts';

interface Call {
  readonly tty: Tty;
  /** Through the master's file. */
  readonly master: boolean;
  readonly argument: number;
  readonly memory: GuestMemory;
}

function getTermios({ tty, argument, memory }: Call, size: number): number {
  const view = memory.writable(argument, size);
  if (view === undefined) return -EFAULT;
  tty.termios.store(view);
  return 0;
}

function setTermios({ tty, master, argument, memory }: Call, size: number, flushInput: boolean): number {
  const job = master ? 0 : tty.checkChange(SIGTTOU);
  if (job < 0) return job;
  const view = memory.readable(argument, size);
  if (view === undefined) return -EFAULT;
  if (flushInput) tty.flushInput();
  const { termios } = tty;
  const wasCanonical = (termios.lflag & ICANON) !== 0;
  const hadFlow = (termios.iflag & IXON) !== 0;
  if (size < SIZEOF_TERMIOS) termios.loadOld(view);
  else termios.load(view);
  tty.input.modeChanged(wasCanonical);
  const hasFlow = (termios.iflag & IXON) !== 0;
  if (!hasFlow && tty.output.stopped) tty.setStopped(false);
  if (hasFlow !== hadFlow) tty.driver.packetEvent(hasFlow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
  tty.waitQueue.wake();
  return 0;
}

function getWindowSize({ tty, argument, memory }: Call): number {
  const view = memory.writable(argument, 8);
  if (view === undefined) return -EFAULT;
  view.set(tty.windowSize);
  return 0;
}

function setWindowSize({ tty, argument, memory }: Call): number {
  const view = memory.readable(argument, 8);
  if (view === undefined) return -EFAULT;
  resizeTerminal(tty, view);
  return 0;
}

/** A new `struct winsize`: SIGWINCH for the foreground group where it differs. */
export function resizeTerminal(tty: Tty, size: Uint8Array): void {
  if (size.every((byte, index) => byte === tty.windowSize[index])) return;
  tty.windowSize.set(size);
  tty.signalForeground(SIGWINCH);
}

function currentProcess(tty: Tty): Process | undefined {
  return tty.kernel.current?.process;
}

/** TIOCSCTTY (tty_jobctrl.c:tiocsctty). */
function setControllingTerminal({ tty, argument }: Call): number {
  const task = tty.kernel.current;
  if (task === undefined) return -EPERM;
  const { process } = task;
  if (process.isSessionLeader && process.session === tty.session) return 0;
  if (!process.isSessionLeader || process.controllingTerminal !== undefined) return -EPERM;
  if (tty.session !== 0) {
    if (argument !== 1 || !task.capable(CAP_SYS_ADMIN)) return -EPERM;
    tty.clearSession();
  }
  tty.setControlling(process);
  return 0;
}

function giveUpTerminal({ tty }: Call): number {
  const process = currentProcess(tty);
  if (process?.controllingTerminal !== tty) return -ENOTTY;
  // The terminal is the session's here, so a member that is not the leader cannot lose it alone.
  if (process.isSessionLeader) disassociateTerminal(tty.kernel, process, false);
  return 0;
}

function getForeground({ tty, master, argument, memory }: Call): number {
  if (!master && currentProcess(tty)?.controllingTerminal !== tty) return -ENOTTY;
  return putU32(memory, argument, tty.kernel.current?.numberOf(tty.foreground) ?? tty.foreground);
}

/** TIOCSPGRP (tty_jobctrl.c:tiocspgrp). */
function setForeground({ tty, argument, memory }: Call): number {
  const job = tty.checkChange(SIGTTOU);
  if (job === -EIO) return -ENOTTY;
  if (job < 0) return job;
  const process = currentProcess(tty);
  if (process === undefined || process.controllingTerminal !== tty || tty.session !== process.session) return -ENOTTY;
  const number = getI32(memory, argument);
  if (number === undefined) return -EFAULT;
  if (number < 0) return -EINVAL;
  const group = tty.kernel.current?.idOf(number) ?? number;
  let found = false;
  for (const member of tty.kernel.processes()) {
    if (member.processGroup !== group) continue;
    found = true;
    if (member.session !== process.session) return -EPERM;
  }
  if (!found) return -ESRCH;
  tty.foreground = group;
  return 0;
}

function getSession({ tty, master, argument, memory }: Call): number {
  if (!master && currentProcess(tty)?.controllingTerminal !== tty) return -ENOTTY;
  if (tty.session === 0) return -ENOTTY;
  return putU32(memory, argument, tty.kernel.current?.numberOf(tty.session) ?? tty.session);
}

function checked(call: Call, action: () => number): number {
  const job = call.master ? 0 : call.tty.checkChange(SIGTTOU);
  return job < 0 ? job : action();
}

function flush({ tty, argument }: Call): number {
  if (argument !== TCIFLUSH && argument !== TCOFLUSH && argument !== TCIOFLUSH) return -EINVAL;
  if (argument !== TCOFLUSH) tty.flushInput();
  if (argument !== TCIFLUSH) tty.flushOutput();
  return 0;
}

function flowControl({ tty, argument }: Call): number {
  if (argument === TCOOFF) tty.setStopped(true);
  else if (argument === TCOON) tty.setStopped(false);
  else if (argument === TCIOFF || argument === TCION) {
    const character = tty.termios.characters[argument === TCIOFF ? VSTOP : VSTART]!;
    if (character !== 0) tty.output.echo([character]);
  } else return -EINVAL;
  return 0;
}

function hangUp({ tty }: Call): number {
  if (tty.kernel.current?.capable(CAP_SYS_ADMIN) !== true) return -EPERM;
  tty.hangUp();
  return 0;
}

const OLD_TERMIO = 18;

const REQUESTS: ReadonlyMap<number, (call: Call) => number> = new Map<number, (call: Call) => number>([
  [TCGETS, (call) => getTermios(call, SIZEOF_TERMIOS)],
  [TCGETS2, (call) => getTermios(call, SIZEOF_TERMIOS2)],
  [TCSETS, (call) => setTermios(call, SIZEOF_TERMIOS, false)],
  [TCSETSW, (call) => setTermios(call, SIZEOF_TERMIOS, false)],
  [TCSETSF, (call) => setTermios(call, SIZEOF_TERMIOS, true)],
  [TCSETS2, (call) => setTermios(call, SIZEOF_TERMIOS2, false)],
  [TCSETSW2, (call) => setTermios(call, SIZEOF_TERMIOS2, false)],
  [TCSETSF2, (call) => setTermios(call, SIZEOF_TERMIOS2, true)],
  [TCGETA, ({ tty, argument, memory }) => {
    const view = memory.writable(argument, OLD_TERMIO);
    if (view === undefined) return -EFAULT;
    tty.termios.storeOld(view);
    return 0;
  }],
  [TCSETA, (call) => setTermios(call, OLD_TERMIO, false)],
  [TCSETAW, (call) => setTermios(call, OLD_TERMIO, false)],
  [TCSETAF, (call) => setTermios(call, OLD_TERMIO, true)],
  [TIOCGWINSZ, getWindowSize],
  [TIOCSWINSZ, setWindowSize],
  [TIOCSCTTY, setControllingTerminal],
  [TIOCNOTTY, giveUpTerminal],
  [TIOCGPGRP, getForeground],
  [TIOCSPGRP, setForeground],
  [TIOCGSID, getSession],
  [TCFLSH, (call) => checked(call, () => flush(call))],
  [TCXONC, (call) => checked(call, () => flowControl(call))],
  [TCSBRK, (call) => checked(call, () => 0)],
  [TCSBRKP, (call) => checked(call, () => 0)],
  [TIOCSBRK, (call) => checked(call, () => 0)],
  [TIOCCBRK, (call) => checked(call, () => 0)],
  [FIONREAD, ({ tty, argument, memory }) => putU32(memory, argument, tty.input.available)],
  [TIOCOUTQ, ({ argument, memory }) => putU32(memory, argument, 0)],
  [TIOCGETD, ({ argument, memory }) => putU32(memory, argument, 0)],
  [TIOCSETD, (call) => checked(call, () => {
    const discipline = getI32(call.memory, call.argument);
    if (discipline === undefined) return -EFAULT;
    return discipline === 0 ? 0 : -EINVAL;
  })],
  [TIOCGDEV, ({ tty, argument, memory }) => putU32(memory, argument, tty.rdev)],
  [TIOCEXCL, ({ tty }) => {
    tty.exclusive = true;
    return 0;
  }],
  [TIOCNXCL, ({ tty }) => {
    tty.exclusive = false;
    return 0;
  }],
  // Off by default since Linux 6.2 (dev.tty.legacy_tiocsti = 0).
  [TIOCSTI, () => -EIO],
  [TIOCVHANGUP, hangUp],
]);

export function ttyIoctl(tty: Tty, master: boolean, request: number, argument: number, memory: GuestMemory): number {
  const handler = REQUESTS.get(request);
  return handler === undefined ? -ENOTTY : handler({ tty, master, argument, memory });
}
