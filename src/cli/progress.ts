/** Progress of several blobs at once: a line each that is drawn again at a terminal, plain lines elsewhere. */
import type { Progress } from '../image/index.ts';
import { humanSize } from './table.ts';

const REDRAW_MS = 100;
const WORDS = { pulled: 'pulled', pushed: 'pushed', copied: 'copied', exists: 'is there already', mounted: 'mounted from another repository', prepared: 'prepared' } as const;

interface Line {
  readonly size: number;
  readonly startedMs: number;
  done: number;
  text: string | undefined;
}

export class BlobProgress implements Progress {
  readonly #lines = new Map<string, Line>();
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #quiet: boolean;
  readonly #prefix: string;
  #drawn = 0;
  #drawnMs = 0;

  /** `doing`: what is being done with what comes, such as "preparing". */
  constructor(quiet: boolean, doing?: string) {
    this.#quiet = quiet;
    this.#prefix = doing === undefined ? '' : `${doing}, `;
  }

  start(digest: string, size: number): void {
    this.#lines.set(digest, { size, startedMs: performance.now(), done: 0, text: undefined });
    this.#draw(true);
  }
  advance(digest: string, bytes: number): void {
    const line = this.#lines.get(digest);
    if (line !== undefined) line.done += bytes;
    this.#draw(false);
  }
  end(digest: string, how: keyof typeof WORDS): void {
    const line = this.#lines.get(digest);
    if (line === undefined) return;
    const seconds = (performance.now() - line.startedMs) / 1000;
    line.text = how === 'exists' || how === 'mounted' ? WORDS[how] : `${WORDS[how]} ${humanSize(line.size)} in ${seconds.toFixed(1)} s`;
    if (!this.#isTerminal && !this.#quiet) process.stderr.write(`${shortDigest(digest)}: ${line.text}\n`);
    this.#draw(true);
  }
  /** A line of its own, such as why something is tried again. */
  note(text: string): void {
    if (!this.#quiet) process.stderr.write(`${text}\n`);
    this.#drawn = 0;
  }

  #draw(now: boolean): void {
    if (!this.#isTerminal || this.#quiet || (!now && performance.now() - this.#drawnMs < REDRAW_MS)) return;
    this.#drawnMs = performance.now();
    const up = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`;
    process.stderr.write(up + [...this.#lines].map(([digest, line]) => `\x1b[2K${shortDigest(digest)}: ${line.text ?? this.#prefix + running(line)}\n`).join(''));
    this.#drawn = this.#lines.size;
  }
}

function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 13);
}

function running({ done, size, startedMs }: Line): string {
  const seconds = (performance.now() - startedMs) / 1000;
  if (done === 0) return `waiting ${seconds.toFixed(0)} s`;
  return `${humanSize(done)} of ${humanSize(size)}, ${humanSize(done / Math.max(seconds, 0.001))}/s`;
}
