/**
 * Lines to a webhook: `POST` of as many as are there (newline-delimited JSON), one request at a time, so that their order holds. What was answered with 2xx has
 * arrived; all else is sent again until it is, with pauses that double, or until nobody has answered for a minute. A request whose answer was lost arrives twice:
 * events are numbered.
 */
import { request as httpRequest, Agent as HttpAgent } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Sink, SinkHandlers } from './sink.ts';

/** Bytes of one request. */
const MOST_BATCH_LENGTH = 1 << 19;
/** That wait before who writes must wait too. */
const MOST_WAITING_LENGTH = 1 << 20;
/** So long lines are gathered. */
const GATHER_MS = 100;
const ANSWER_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 5000;
/** Without one answer that takes it. */
const GIVE_UP_MS = 60_000;
/** Of an answer that says why not. */
const MOST_REASON_BYTES = 2000;
/** It may work later (RFC 9110, RFC 6585). Others say that it never will. */
const PASSING = new Set([408, 425, 429]);

class RefusedError extends Error {}

function reasonOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (text += text.length < MOST_REASON_BYTES ? chunk : '')).on('close', () => resolve(text.slice(0, MOST_REASON_BYTES).split('\n')[0]!.trim()));
  });
}

/** Milliseconds that `Retry-After` asks for, as seconds. */
function pauseOf(answer: IncomingMessage): number {
  const seconds = Number(answer.headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, GIVE_UP_MS / 2) : 0;
}

export class Webhook implements Sink {
  readonly #url: URL;
  readonly #handlers: SinkHandlers;
  readonly #options: RequestOptions;
  #lines: string[] = [];
  #length = 0;
  #isSending = false;
  #isFull = false;
  #isBroken = false;
  #isEnding = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(url: URL, handlers: SinkHandlers) {
    this.#url = url;
    this.#handlers = handlers;
    const { username, password, protocol } = url;
    const agent = protocol === 'https:' ? new HttpsAgent({ keepAlive: true, maxSockets: 1 }) : new HttpAgent({ keepAlive: true, maxSockets: 1 });
    this.#options = { method: 'POST', agent, ...(username === '' && password === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }) };
  }

  write(line: string): boolean {
    if (this.#isBroken) return true;
    this.#lines.push(line);
    this.#length += line.length;
    if (!this.#isSending) {
      if (this.#length >= MOST_BATCH_LENGTH) this.#start();
      else this.#timer ??= setTimeout(() => this.#start(), GATHER_MS);
    }
    this.#isFull = this.#length >= MOST_WAITING_LENGTH;
    return !this.#isFull;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#lines.length > 0 && !this.#isSending) this.#start();
    if (this.#isSending) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    (this.#options.agent as HttpAgent).destroy();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isSending = true;
    void this.#sendAll().then(() => {
      this.#isSending = false;
      this.#onEmpty?.();
    });
  }

  /** Until nothing waits: the first lines of it in each request. */
  async #sendAll(): Promise<void> {
    while (this.#lines.length > 0 && !this.#isBroken) {
      let count = 0;
      let length = 0;
      while (count < this.#lines.length && (count === 0 || length + this.#lines[count]!.length <= MOST_BATCH_LENGTH)) length += this.#lines[count++]!.length;
      try {
        await this.#sendOne(Buffer.from(this.#lines.slice(0, count).join('')));
      } catch (error) {
        this.#isBroken = true;
        this.#lines = [];
        this.#length = 0;
        this.#handlers.onBroken(error as Error);
        this.#drained();
        return;
      }
      this.#lines.splice(0, count);
      this.#length -= length;
      this.#drained();
      // Few at a time are not worth a request each, unless it ends.
      if (this.#lines.length > 0 && this.#length < MOST_BATCH_LENGTH && !this.#isEnding) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handlers.onDrain();
  }

  /** @throws RefusedError, Error where nobody has taken it for long enough */
  async #sendOne(body: Buffer): Promise<void> {
    const since = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS)) {
      let asked = 0;
      let why: Error;
      try {
        const answer = await this.#post(body);
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) {
          answer.resume();
          return;
        }
        asked = pauseOf(answer);
        const reason = await reasonOf(answer);
        why = new Error(`${this.#url.host} answers ${status}${reason === '' ? '' : `: ${reason}`}`);
        if (status < 500 && !PASSING.has(status)) throw new RefusedError(why.message);
      } catch (error) {
        if (error instanceof RefusedError) throw error;
        why = error as Error;
      }
      if (performance.now() - since + Math.max(pauseMs, asked) > GIVE_UP_MS) throw new Error(`${why.message}, for a minute`);
      await new Promise((resolve) => setTimeout(resolve, Math.max(pauseMs, asked)));
    }
  }

  #post(body: Buffer): Promise<IncomingMessage> {
    const { protocol } = this.#url;
    return new Promise((resolve, reject) => {
      const request = (protocol === 'https:' ? httpsRequest : httpRequest)(this.#url, { ...this.#options, headers: { 'Content-Type': 'application/x-ndjson', 'Content-Length': body.length, 'User-Agent': 'caisson' } }, resolve);
      request.setTimeout(ANSWER_MS, () => request.destroy(new Error(`${this.#url.host} does not answer`)));
      request.on('error', reject).end(body);
    });
  }
}
