/** Input side of N_TTY, the standard line discipline: termios(3), drivers/tty/n_tty.c. */
import { SIGINT, SIGQUIT, SIGTSTP } from '../../abi/signal.ts';
import {
  ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ICANON, ICRNL, IEXTEN, IGNCR, IMAXBEL, INLCR, ISIG, ISTRIP, IUTF8, IXANY, IXON, NOFLSH, PARMRK,
  VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT, VMIN, VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VTIME, VWERASE, _POSIX_VDISABLE,
} from '../../abi/termios.ts';
import { ByteRing } from '../../fs/byte-ring.ts';
import { TTY_BUFFER } from './limits.ts';
import type { Termios } from './termios.ts';
import type { TtyOutputProcessor } from './tty-output.ts';

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BELL = 7;
const ERASE_ONE = [8, 32, 8];

export interface LineDisciplineHandlers {
  /** A signal for the foreground process group. */
  signal(signal: number): void;
  /** Input became readable, or was flushed. */
  changed(): void;
  /** ^S and ^Q. */
  flow(stopped: boolean): void;
  /** INTR and QUIT without NOFLSH throw pending output away. */
  flushOutput(): void;
}

export class LineDiscipline {
  readonly #termios: Termios;
  readonly #output: TtyOutputProcessor;
  readonly #handlers: LineDisciplineHandlers;
  /** Complete lines, delimiter included; one that is empty is an end of file. */
  #lines: Uint8Array[] = [];
  #lineBytes = 0;
  /** The line being edited. */
  #editing: number[] = [];
  readonly #raw = new ByteRing(TTY_BUFFER);
  #literalNext = false;
  /** Output column where the edited line began, for erasing tabs. */
  #startColumn = 0;

  constructor(termios: Termios, output: TtyOutputProcessor, handlers: LineDisciplineHandlers) {
    this.#termios = termios;
    this.#output = output;
    this.#handlers = handlers;
  }

  get canonical(): boolean {
    return (this.#termios.lflag & ICANON) !== 0;
  }
  /** Bytes that a read could return now (FIONREAD). */
  get available(): number {
    return this.canonical ? (this.#lines[0]?.length ?? 0) : this.#raw.length;
  }
  get pendingBytes(): number {
    return this.canonical ? this.#lineBytes : this.#raw.length;
  }
  /** Room for more input. In canonical mode what is too much is dropped, so there always is (n_tty.c:receive_room). */
  get room(): number {
    return this.canonical ? TTY_BUFFER : this.#raw.free;
  }
  readable(forPoll: boolean): boolean {
    if (this.canonical) return this.#lines.length > 0;
    const minimum = this.#termios.characters[VMIN]!;
    const needed = forPoll && this.#termios.characters[VTIME] === 0 && minimum > 0 ? minimum : 1;
    return this.#raw.length >= needed;
  }

  /** Takes what is there, in canonical mode from one line only. */
  read(buffer: Uint8Array): number {
    if (!this.canonical) return this.#raw.shift(buffer);
    const line = this.#lines[0];
    if (line === undefined || buffer.length === 0) return 0;
    const count = Math.min(line.length, buffer.length);
    buffer.set(line.subarray(0, count));
    if (count === line.length) this.#lines.shift();
    else this.#lines[0] = line.subarray(count);
    this.#lineBytes -= count;
    return count;
  }

  flush(): void {
    this.#lines = [];
    this.#lineBytes = 0;
    this.#editing = [];
    this.#raw.clear();
    this.#literalNext = false;
    this.#handlers.changed();
  }

  /** ICANON was switched: what is there stays readable in the new mode (n_tty.c:n_tty_set_termios). */
  modeChanged(wasCanonical: boolean): void {
    if (wasCanonical === this.canonical) return;
    if (wasCanonical) {
      for (const line of this.#lines) this.#raw.push(line);
      this.#raw.push(Uint8Array.from(this.#editing));
      this.#lines = [];
      this.#lineBytes = 0;
      this.#editing = [];
    } else if (this.#raw.length > 0) {
      const line = new Uint8Array(this.#raw.length);
      this.#raw.shift(line);
      this.#lines.push(line);
      this.#lineBytes = line.length;
    }
    this.#literalNext = false;
    this.#handlers.changed();
  }

  /** Bytes typed; the number taken (all but in raw mode with a full buffer). */
  receive(bytes: Uint8Array): number {
    const before = this.readable(true);
    let taken = 0;
    for (; taken < bytes.length; taken++) {
      if (!this.canonical && this.#raw.free < 2) break;
      this.#receive(bytes[taken]!);
    }
    if (taken > 0 && (before || this.readable(false))) this.#handlers.changed();
    return taken;
  }

  #is(byte: number, index: number): boolean {
    return byte === this.#termios.characters[index] && byte !== _POSIX_VDISABLE;
  }

  #receive(byte: number): void {
    const { iflag, lflag } = this.#termios;
    if ((iflag & ISTRIP) !== 0) byte &= 127;
    if (this.#literalNext) {
      this.#literalNext = false;
      this.#ordinary(byte, true);
      return;
    }
    if ((iflag & IXON) !== 0) {
      if (this.#is(byte, VSTART)) return this.#handlers.flow(false);
      if (this.#is(byte, VSTOP)) return this.#handlers.flow(true);
    }
    if ((lflag & ISIG) !== 0) {
      const signal = this.#is(byte, VINTR) ? SIGINT : this.#is(byte, VQUIT) ? SIGQUIT : this.#is(byte, VSUSP) ? SIGTSTP : 0;
      if (signal !== 0) return this.#interrupt(signal, byte);
    }
    if (this.#output.stopped && (iflag & IXON) !== 0 && (iflag & IXANY) !== 0) this.#handlers.flow(false);
    if (byte === RETURN) {
      if ((iflag & IGNCR) !== 0) return;
      if ((iflag & ICRNL) !== 0) byte = NEWLINE;
    } else if (byte === NEWLINE && (iflag & INLCR) !== 0) byte = RETURN;
    if ((lflag & ICANON) !== 0 && this.#edit(byte)) return;
    this.#ordinary(byte, false);
  }

  #interrupt(signal: number, byte: number): void {
    if ((this.#termios.lflag & NOFLSH) === 0) {
      this.flush();
      this.#handlers.flushOutput();
    }
    if (this.#output.stopped && (this.#termios.iflag & IXON) !== 0) this.#handlers.flow(false);
    if ((this.#termios.lflag & ECHO) !== 0) this.#output.echoCharacter(byte);
    this.#handlers.signal(signal);
  }

  /** Editing characters and line ends of canonical mode. True: done with this byte. */
  #edit(byte: number): boolean {
    const { lflag } = this.#termios;
    const extended = (lflag & IEXTEN) !== 0;
    const echo = (lflag & ECHO) !== 0;
    if (this.#is(byte, VERASE) || this.#is(byte, VKILL) || (extended && this.#is(byte, VWERASE))) {
      this.#erase(byte);
    } else if (extended && this.#is(byte, VLNEXT)) {
      this.#literalNext = true;
      if (echo && (lflag & ECHOCTL) !== 0) this.#output.echo([94, 8]);
    } else if (extended && echo && this.#is(byte, VREPRINT)) {
      this.#output.echoCharacter(byte);
      this.#output.echo([NEWLINE]);
      for (const typed of this.#editing) this.#output.echoCharacter(typed);
    } else if (byte === NEWLINE) {
      if (echo || (lflag & ECHONL) !== 0) this.#output.echo([NEWLINE]);
      this.#endLine([NEWLINE]);
    } else if (this.#is(byte, VEOF)) {
      this.#endLine([]);
    } else if (this.#is(byte, VEOL) || (extended && this.#is(byte, VEOL2))) {
      if (echo) this.#output.echoCharacter(byte);
      this.#endLine([byte]);
    } else return false;
    return true;
  }

  #endLine(delimiter: readonly number[]): void {
    const line = Uint8Array.from([...this.#editing, ...delimiter]);
    this.#editing = [];
    this.#lines.push(line);
    this.#lineBytes += line.length;
  }

  #ordinary(byte: number, literal: boolean): void {
    const { iflag, lflag } = this.#termios;
    if ((lflag & ICANON) !== 0 && this.#lineBytes + this.#editing.length >= TTY_BUFFER - 1) {
      if ((iflag & IMAXBEL) !== 0) this.#output.echo([BELL]);
      return;
    }
    if ((lflag & ECHO) !== 0) {
      if (this.#editing.length === 0) this.#startColumn = this.#output.column;
      if (byte === NEWLINE && !literal) this.#output.echo([NEWLINE]);
      else this.#output.echoCharacter(byte);
    }
    const doubled = byte === 255 && (iflag & PARMRK) !== 0 && (iflag & ISTRIP) === 0;
    if ((lflag & ICANON) !== 0) {
      if (doubled) this.#editing.push(byte);
      this.#editing.push(byte);
    } else {
      if (doubled) this.#raw.push(Uint8Array.of(byte));
      this.#raw.push(Uint8Array.of(byte));
    }
  }

  /** n_tty.c:eraser. */
  #erase(byte: number): void {
    const { lflag } = this.#termios;
    if (this.#editing.length === 0) return;
    const echo = (lflag & ECHO) !== 0;
    if (this.#is(byte, VKILL) && (!echo || (lflag & ECHOK) === 0 || (lflag & ECHOKE) === 0 || (lflag & ECHOE) === 0)) {
      this.#editing = [];
      if (!echo) return;
      this.#output.echoCharacter(byte);
      if ((lflag & ECHOK) !== 0) this.#output.echo([NEWLINE]);
      return;
    }
    const word = !this.#is(byte, VERASE) && !this.#is(byte, VKILL);
    let seenWord = false;
    while (this.#editing.length > 0) {
      const start = this.#characterStart();
      const first = this.#editing[start]!;
      if (word) {
        const inWord = isWordByte(first);
        if (seenWord && !inWord) return;
        seenWord ||= inWord;
      }
      this.#editing.length = start;
      if (echo) this.#echoErase(first, byte);
      if (this.#is(byte, VERASE)) return;
    }
  }

  /** Index where the last character begins; several bytes belong to one with IUTF8. */
  #characterStart(): number {
    let start = this.#editing.length - 1;
    if ((this.#termios.iflag & IUTF8) !== 0) while (start > 0 && (this.#editing[start]! & 0xc0) === 0x80) start--;
    return start;
  }

  #echoErase(erased: number, eraser: number): void {
    const { lflag } = this.#termios;
    if (this.#is(eraser, VERASE) && (lflag & ECHOE) === 0) return this.#output.echoCharacter(eraser);
    if (erased === TAB) {
      const width = this.#output.column - this.#columnOfEnd();
      this.#output.echo(new Array<number>(Math.max(0, Math.min(8, width))).fill(8));
      return;
    }
    const control = erased < 32 || erased === 127;
    if (control && (lflag & ECHOCTL) === 0) return;
    this.#output.echo(control ? [...ERASE_ONE, ...ERASE_ONE] : ERASE_ONE);
  }

  /** Column behind the edited line as it was echoed. */
  #columnOfEnd(): number {
    let column = this.#startColumn;
    for (const byte of this.#editing) {
      if (byte === TAB) column += 8 - (column & 7);
      else if (byte < 32 || byte === 127) column += (this.#termios.lflag & ECHOCTL) !== 0 ? 2 : 0;
      else if ((byte & 0xc0) !== 0x80) column++;
    }
    return column;
  }
}

function isWordByte(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95 || byte >= 128;
}
