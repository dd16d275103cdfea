/**
 * The host's terminal: raw mode while a guest owns it, its size, and the promise that it is as it was
 * afterwards, whatever ends the process.
 *
 * Node restores the terminal itself (`uv_tty_reset_mode`) when it exits in an orderly way or dies of
 * SIGINT or SIGTERM with its own handler. Everything else is caught here: other fatal signals, stopping
 * (SIGTSTP from outside), continuing, and the modes that a guest may leave on in the terminal itself.
 */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Cursor shown, alternate screen left, bracketed paste and mouse reports off, attributes reset. Sent only if the guest touched one of them. */
const RESET_MODES = '\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1l\x1b>\x1b[0m';
/** DECSET of one of the modes above. */
const setsMode = /\x1b\[\?(?:1049|1047|47|25|2004|1000|1002|1003|1006|1)[hl]/;

/** Raw mode for one run. Create it only if `process.stdin` is a terminal. */
export class RawTerminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream | undefined;
  #active = false;
  #modesTouched = false;
  readonly #onExit = (): void => this.restore();
  readonly #onContinue = (): void => {
    if (!this.#active) return;
    // Node believes that it still is, and would do nothing.
    this.#input.setRawMode(false);
    this.#setRaw();
  };

  constructor(input: ReadStream, output: WriteStream | undefined) {
    this.#input = input;
    this.#output = output;
  }

  get size(): TerminalSize {
    return { rows: this.#output?.rows ?? 24, columns: this.#output?.columns ?? 80 };
  }

  enter(): void {
    if (this.#active) return;
    this.#active = true;
    this.#setRaw();
    process.on('exit', this.#onExit);
    process.on('SIGCONT', this.#onContinue);
  }

  /**
   * Node's raw mode leaves ONLCR on (libuv, UV_TTY_MODE_RAW), so that a newline that the guest's terminal gives out as
   * one would become two characters. stty(1) is the only way there without native code.
   */
  #setRaw(): void {
    this.#input.setRawMode(true);
    spawnSync('stty', ['-opost'], { stdio: [0, 'ignore', 'ignore'] });
  }

  /** Bytes that the guest wrote to the terminal pass by here, so that its modes can be undone if it dies. */
  observe(bytes: Uint8Array): void {
    if (this.#modesTouched || !bytes.includes(0x1b)) return;
    this.#modesTouched = setsMode.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
  }

  /** Cooked mode again; safe to call at any time and more than once. `abrupt`: the guest did not end by itself. */
  restore(abrupt = false): void {
    if (!this.#active) return;
    this.#active = false;
    process.off('exit', this.#onExit);
    process.off('SIGCONT', this.#onContinue);
    try {
      this.#input.setRawMode(false);
      if (abrupt && this.#modesTouched && this.#output !== undefined) writeSync(1, RESET_MODES);
    } catch {
      // The terminal went away (hangup): nothing to restore.
    }
  }

  /** Calls back when the window changes. Returns how to stop. */
  onResize(callback: (size: TerminalSize) => void): () => void {
    const output = this.#output;
    if (output === undefined) return () => {};
    const listener = (): void => callback(this.size);
    output.on('resize', listener);
    return () => void output.off('resize', listener);
  }
}
