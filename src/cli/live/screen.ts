/** A live view at a terminal: drawn again when something has changed, when its size does, and at each key. */
import { RawTerminal } from '../../host/node/terminal.ts';
import { KINDS } from '../../detect/index.ts';
import type { LiveSnapshot } from '../../detect/index.ts';
import { EXIT_SIGNAL_BASE } from '../errors.ts';
import type { LiveSource } from './sources.ts';
import { LiveView } from './view.ts';

/** Another screen, no cursor, no lines that wrap. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h';
/** Whole pictures only, where the terminal knows that (mode 2026). */
const BEGIN = '\x1b[?2026h\x1b[H';
const END = '\x1b[J\x1b[?2026l';
const SIGNALS: readonly (readonly [NodeJS.Signals, number])[] = [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]];
/** Of xterm: a key is a character, or what an escape begins. */
const KEY = /\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]/gu;

export interface ScreenOptions {
  readonly intervalMs: number;
  readonly hasColor: boolean;
}

class Screen {
  readonly #source: LiveSource;
  readonly #intervalMs: number;
  readonly #view: LiveView;
  readonly #terminal = new RawTerminal(process.stdin, process.stdout);
  #snapshot: LiveSnapshot | undefined;
  #perSecond = 0;
  #before: { readonly calls: number; readonly atMs: number } | undefined;
  #picture = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #finish: (status: number) => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(source: LiveSource, { intervalMs, hasColor }: ScreenOptions) {
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#view = new LiveView(hasColor);
  }

  async run(): Promise<number> {
    const over = new Promise<number>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    const listeners = SIGNALS.map(([name, number]) => [name, () => this.#finish(EXIT_SIGNAL_BASE + number)] as const);
    for (const [name, listener] of listeners) process.on(name, listener);
    const onContinue = (): void => this.#begin();
    const onKeys = (chunk: Buffer): void => this.#typed(chunk.toString());
    const onHangUp = (): void => this.#finish(EXIT_SIGNAL_BASE + 1);
    this.#terminal.enter();
    this.#begin();
    process.on('SIGCONT', onContinue);
    process.stdin.on('data', onKeys).on('end', onHangUp).on('error', onHangUp);
    process.stdout.on('error', onHangUp);
    const forget = this.#terminal.onResize(() => this.#draw(true));
    this.#source.ended.then((why) => {
      this.#view.ended = why;
      void this.#look();
    }, this.#fail);
    void this.#look();
    try {
      return await over;
    } finally {
      clearTimeout(this.#timer);
      forget();
      process.off('SIGCONT', onContinue);
      for (const [name, listener] of listeners) process.off(name, listener);
      process.stdin.off('data', onKeys).pause();
      process.stdout.write(LEAVE);
      this.#terminal.restore();
    }
  }

  #begin(): void {
    process.stdout.write(ENTER);
    this.#terminal.observe(Buffer.from(ENTER));
    this.#draw(true);
  }

  #typed(text: string): void {
    const { pane } = this.#view;
    for (const [key] of text.matchAll(KEY)) {
      if (!this.#view.key(key)) {
        this.#finish(0);
        return;
      }
    }
    this.#draw(false);
    // Its rows are not here yet.
    if (this.#view.pane !== pane) void this.#look();
  }

  /** Asks how things are, and draws that; once more after a while. */
  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { pane } = this.#view;
    try {
      const snapshot = await this.#source.look([pane.kind]);
      if (snapshot !== undefined) this.#take(snapshot);
    } catch (error) {
      this.#fail(error);
      return;
    } finally {
      this.#isLooking = false;
    }
    const isStale = this.#view.pane !== pane;
    if (!isStale) this.#draw(false);
    // What has ended is still looked through.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), isStale ? 0 : this.#intervalMs);
  }

  #take(snapshot: LiveSnapshot): void {
    // Held still: only what is not here at all is taken.
    const isNeeded = this.#snapshot === undefined || this.#snapshot[this.#view.pane.kind].length === 0;
    if (this.#view.isHeld && !isNeeded) return;
    const nowMs = performance.now();
    const { calls } = snapshot.totals;
    if (this.#before !== undefined && nowMs - this.#before.atMs > 200) this.#perSecond = ((calls - this.#before.calls) / (nowMs - this.#before.atMs)) * 1000;
    if (this.#before === undefined || nowMs - this.#before.atMs > 200) this.#before = { calls, atMs: nowMs };
    this.#snapshot = this.#view.isHeld && this.#snapshot !== undefined ? { ...this.#snapshot, [this.#view.pane.kind]: snapshot[this.#view.pane.kind] } : filled(snapshot, this.#snapshot);
  }

  #draw(always: boolean): void {
    if (this.#snapshot === undefined) return;
    const picture = this.#view.lines(this.#snapshot, this.#perSecond, this.#terminal.size).join('\x1b[K\r\n');
    if (picture === this.#picture && !always) return;
    this.#picture = picture;
    process.stdout.write(`${BEGIN}${picture}\x1b[K${END}`);
  }
}

/** Rows that were not asked for stay what they were. */
function filled(snapshot: LiveSnapshot, before: LiveSnapshot | undefined): LiveSnapshot {
  if (before === undefined) return snapshot;
  const kept = KINDS.filter((kind) => snapshot[kind].length === 0);
  return { ...snapshot, ...Object.fromEntries(kept.map((kind) => [kind, before[kind]])) };
}

/** Until a key says so. @throws UserError */
export function showScreen(source: LiveSource, options: ScreenOptions): Promise<number> {
  return new Screen(source, options).run();
}
