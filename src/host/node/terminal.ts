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

/** DEC private modes that a guest may leave on, each with its usual state: cursor, alternate screen, bracketed paste, mouse, cursor keys. */
const USUAL_MODES: ReadonlyMap<number, 'h' | 'l'> = new Map([
  [1049, 'l'], [1047, 'l'], [47, 'l'], [25, 'h'], [2004, 'l'], [1000, 'l'], [1002, 'l'], [1003, 'l'], [1006, 'l'], [1, 'l'],
]);
/** DECSET and DECRST. */
const modeChange = /\x1b\[\?([\d;]+)([hl])/g;
/** Keypad as usual, attributes off. */
const RESET_REST = '\x1b>\x1b[0m';

/** Raw mode for one run. Create it only if `process.stdin` is a terminal. */
export class RawTerminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream | undefined;
  #active = false;
  /** Modes that are not as usual. */
  readonly #modes = new Map<number, 'h' | 'l'>();
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
    if (!bytes.includes(0x1b)) return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    for (const [, numbers = '', letter] of text.matchAll(modeChange)) {
      for (const mode of numbers.split(';').map(Number)) {
        const usual = USUAL_MODES.get(mode);
        if (usual === undefined || letter === usual) this.#modes.delete(mode);
        else this.#modes.set(mode, usual);
      }
    }
  }

  /** Cooked mode again, and the modes that the guest left on off; safe to call at any time and more than once. */
  restore(): void {
    if (!this.#active) return;
    this.#active = false;
    process.off('exit', this.#onExit);
    process.off('SIGCONT', this.#onContinue);
    try {
      this.#input.setRawMode(false);
      if (this.#modes.size === 0 || this.#output === undefined) return;
      writeSync(1, [...this.#modes].map(([mode, letter]) => `\x1b[?${mode}${letter}`).join('') + RESET_REST);
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
