/** What a scan is doing, for who waits. */
import { printable } from '../errors.ts';

const NEWS_MS = 200;

/** What is being done, on one line of a terminal that is drawn again. */
export class ScanProgress {
  readonly #isShown: boolean;
  #shownMs = 0;
  #isDirty = false;

  constructor(quiet: boolean) {
    this.#isShown = !quiet && process.stderr.isTTY === true;
  }

  note(text: string): void {
    const now = performance.now();
    if (!this.#isShown || now - this.#shownMs < NEWS_MS) return;
    this.#shownMs = now;
    this.#isDirty = true;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`\r\x1b[2K${printable(text).slice(0, width)}`);
  }

  end(): void {
    if (this.#isDirty) process.stderr.write('\r\x1b[2K');
    this.#isDirty = false;
  }
}
