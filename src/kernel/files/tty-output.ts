/** Output side of N_TTY: OPOST processing and echo (drivers/tty/n_tty.c: process_output_block, echo_char). */
import { ECHOCTL, OCRNL, ONLCR, ONLRET, ONOCR, OPOST, TABDLY, XTABS } from '../../abi/termios.ts';
import type { Termios } from './termios.ts';

/** Where a terminal's output goes: the host's window or the master of a pty. */
export interface TtyOutput {
  /** Bytes that `put` takes now. */
  room(): number;
  /** At most `room()` bytes; a view that is valid during the call only. */
  put(bytes: Uint8Array): void;
}

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BACKSPACE = 8;
/** Echo that waits while output is stopped; what is more is lost. */
const STOPPED_ECHO = 4096;

export class TtyOutputProcessor {
  readonly #termios: Termios;
  readonly #output: TtyOutput;
  column = 0;
  stopped = false;
  #delayedEcho: number[] = [];

  constructor(termios: Termios, output: TtyOutput) {
    this.#termios = termios;
    this.#output = output;
  }

  /** Writes as much as the output takes: the number of guest bytes consumed, 0 where none fits now. */
  write(bytes: Uint8Array): number {
    if (this.stopped) return 0;
    const room = this.#output.room();
    if ((this.#termios.oflag & OPOST) === 0) {
      const chunk = bytes.length > room ? bytes.subarray(0, room) : bytes;
      if (chunk.length > 0) this.#output.put(chunk);
      return chunk.length;
    }
    const processed = new Uint8Array(Math.min(room, bytes.length * 8));
    let used = 0;
    let consumed = 0;
    for (; consumed < bytes.length; consumed++) {
      const next = this.#process(bytes[consumed]!, processed, used);
      if (next < 0) break;
      used = next;
    }
    if (used > 0) this.#output.put(processed.subarray(0, used));
    return consumed;
  }

  /** Puts one byte as OPOST asks: the new length, or -1 where it does not fit. */
  #process(byte: number, target: Uint8Array, used: number): number {
    const { oflag } = this.#termios;
    const left = target.length - used;
    if (byte >= 32 && byte !== 127) {
      if (left < 1) return -1;
      if ((byte & 0xc0) !== 0x80) this.column++;
    } else if (byte === NEWLINE) {
      if ((oflag & ONLRET) !== 0) this.column = 0;
      if ((oflag & ONLCR) !== 0) {
        if (left < 2) return -1;
        this.column = 0;
        target[used++] = RETURN;
      } else if (left < 1) return -1;
    } else if (byte === RETURN) {
      if ((oflag & ONOCR) !== 0 && this.column === 0) return used;
      if (left < 1) return -1;
      if ((oflag & OCRNL) !== 0) byte = NEWLINE;
      else this.column = 0;
    } else if (byte === TAB) {
      const spaces = 8 - (this.column & 7);
      if ((oflag & TABDLY) === XTABS) {
        if (left < spaces) return -1;
        target.fill(32, used, used + spaces);
        this.column += spaces;
        return used + spaces;
      }
      if (left < 1) return -1;
      this.column += spaces;
    } else {
      if (left < 1) return -1;
      if (byte === BACKSPACE && this.column > 0) this.column--;
    }
    target[used] = byte;
    return used + 1;
  }

  /** Echo goes out at once, or when output starts again; it never waits for room. */
  echo(bytes: readonly number[]): void {
    if (this.stopped) {
      if (this.#delayedEcho.length + bytes.length <= STOPPED_ECHO) this.#delayedEcho.push(...bytes);
      return;
    }
    if ((this.#termios.oflag & OPOST) !== 0) {
      this.write(Uint8Array.from(bytes));
      return;
    }
    const room = this.#output.room();
    if (room > 0) this.#output.put(Uint8Array.from(bytes.slice(0, room)));
  }

  /** One typed byte: control characters as ^X where ECHOCTL says so (n_tty.c:echo_char). */
  echoCharacter(byte: number): void {
    const control = (byte < 32 && byte !== TAB) || byte === 127;
    if (control && (this.#termios.lflag & ECHOCTL) !== 0) this.echo([94, byte ^ 64]);
    else this.echo([byte]);
  }

  start(): void {
    this.stopped = false;
    const delayed = this.#delayedEcho;
    this.#delayedEcho = [];
    if (delayed.length > 0) this.echo(delayed);
  }
}
