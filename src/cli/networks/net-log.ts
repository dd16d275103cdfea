/**
 * `--net-log`: what a container was refused outside, a line of JSON each, in a file of the host.
 *
 * A guest decides how much is refused, so lines are written at a bounded rate, and the file is set aside as `FILE.1`, over the one before, when it has grown.
 * What was left out is counted, and the count is a line of its own.
 */
import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Refusal } from '../../container/index.ts';
import { toText } from '../bytes.ts';
import { UserError } from '../errors.ts';

/** Lines that may be written at once, and how many more a second later. */
const BURST = 200;
const LINES_PER_SECOND = 20;
const MOST_BYTES = 10 * 2 ** 20;

function opened(path: string, flags = 0): number {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
  return openSync(Buffer.from(path, 'latin1'), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | flags, 0o600);
}

export class NetLog {
  readonly #path: string;
  readonly #container: string;
  readonly #now: () => number;
  #handle: number;
  #tokens = BURST;
  #sinceMs: number;
  #leftOut = 0;

  /** `path`: a byte string. `container`: what it is called in each line. @throws UserError where it cannot be opened */
  constructor(path: string, container: string, now: () => number = Date.now) {
    this.#path = path;
    this.#container = container;
    this.#now = now;
    this.#sinceMs = now();
    try {
      this.#handle = opened(path);
    } catch (error) {
      throw new UserError(`cannot write to "${toText(path)}": ${(error as Error).message}`, 'check --net-log', undefined, { cause: error });
    }
  }

  write({ protocol, name, address, port, verdict, rule }: Refusal): void {
    if (!this.#mayWrite()) {
      this.#leftOut++;
      return;
    }
    this.#sayLeftOut();
    this.#line({ protocol, name, address, port, verdict, rule });
  }

  #mayWrite(): boolean {
    const now = this.#now();
    this.#tokens = Math.min(BURST, this.#tokens + (Math.max(0, now - this.#sinceMs) / 1000) * LINES_PER_SECOND);
    this.#sinceMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #sayLeftOut(): void {
    if (this.#leftOut === 0) return;
    const count = this.#leftOut;
    this.#leftOut = 0;
    this.#line({ verdict: 'left-out', count });
  }

  /** A full disk, or a pipe that nobody reads, costs lines and nothing else. */
  #line(fields: object): void {
    const line = Buffer.from(`${JSON.stringify({ time: new Date(this.#now()).toISOString(), container: this.#container, ...fields })}\n`);
    try {
      const stat = fstatSync(this.#handle);
      if (stat.isFile() && stat.size + line.length > MOST_BYTES) this.#setAside();
      writeSync(this.#handle, line);
    } catch {
      this.#leftOut++;
    }
  }

  #setAside(): void {
    const path = Buffer.from(this.#path, 'latin1');
    renameSync(path, Buffer.concat([path, Buffer.from('.1')]));
    closeSync(this.#handle);
    // A guest that may write there could have put a link in its place by now.
    this.#handle = opened(this.#path, constants.O_NOFOLLOW);
  }

  /** What was left out is said, if there is somewhere to say it. */
  end(): void {
    this.#sayLeftOut();
    closeSync(this.#handle);
  }
}
