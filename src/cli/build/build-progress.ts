/** How a build is shown while it goes on: lines that stay, lines that are drawn again at a terminal, or JSON. */
import { writeSync } from 'node:fs';
import type { BuildReporter, StepEnd, StepInfo } from '../../build/index.ts';

export type ProgressKind = 'tty' | 'plain' | 'json' | 'quiet';

const REDRAW_MS = 80;
/** Lines of output that a running step shows at a terminal. */
const SHOWN_LINES = 6;

function write(text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(2, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

interface Running {
  readonly startedMs: number;
  /** Without a line break yet. */
  rest: string;
  readonly decoder: TextDecoder;
  readonly last: string[];
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}

/** Keeps what is running, and splits output into lines. */
abstract class LineReporter implements BuildReporter {
  protected readonly running = new Map<number, Running>();

  start(step: StepInfo): void {
    this.running.set(step.id, { startedMs: performance.now(), rest: '', decoder: new TextDecoder(), last: [] });
    this.onStart(step);
  }
  output(step: StepInfo, fd: number, bytes: Uint8Array): void {
    const running = this.running.get(step.id);
    if (running === undefined) return;
    const lines = (running.rest + running.decoder.decode(bytes, { stream: true })).split('\n');
    running.rest = lines.pop() ?? '';
    for (const line of lines) {
      running.last.push(line);
      if (running.last.length > SHOWN_LINES) running.last.shift();
      this.onLine(step, fd, line);
    }
  }
  end(step: StepInfo, how: StepEnd): void {
    const running = this.running.get(step.id);
    if (running === undefined) return;
    if (running.rest !== '') this.onLine(step, 1, running.rest);
    this.onEnd(step, how, seconds(running.startedMs));
    this.running.delete(step.id);
  }
  protected abstract onStart(step: StepInfo): void;
  protected abstract onLine(step: StepInfo, fd: number, line: string): void;
  protected abstract onEnd(step: StepInfo, how: StepEnd, took: string): void;
  abstract note(text: string): void;
}

class PlainReporter extends LineReporter {
  protected onStart({ id, name }: StepInfo): void {
    write(`#${id} ${name}\n`);
  }
  protected onLine({ id, stage }: StepInfo, _fd: number, line: string): void {
    write(`#${id} ${stage === '' ? '' : `[${stage}] `}${seconds(this.running.get(id)?.startedMs ?? 0)} ${line}\n`);
  }
  protected onEnd({ id }: StepInfo, how: StepEnd, took: string): void {
    write(how === 'cached' ? `#${id} CACHED\n` : how === 'done' ? `#${id} DONE ${took}s\n` : how === 'canceled' ? `#${id} CANCELED\n` : `#${id} ERROR\n`);
  }
  note(text: string): void {
    write(`${text}\n`);
  }
}

class JsonReporter extends LineReporter {
  #write(event: object): void {
    write(`${JSON.stringify(event)}\n`);
  }
  protected onStart({ id, name, stage, lines }: StepInfo): void {
    this.#write({ event: 'start', step: id, name, ...(stage === '' ? {} : { stage }), line: lines.start });
  }
  protected onLine({ id }: StepInfo, fd: number, text: string): void {
    this.#write({ event: 'output', step: id, stream: fd === 2 ? 'stderr' : 'stdout', text });
  }
  protected onEnd({ id }: StepInfo, how: StepEnd, took: string): void {
    this.#write({ event: 'end', step: id, status: how, seconds: Number(took) });
  }
  note(text: string): void {
    this.#write({ event: 'note', text });
  }
}

/** Each step is one line; what runs shows its last output below it. */
class TerminalReporter extends LineReporter {
  #drawn = 0;
  #drawnMs = 0;

  #clear(): string {
    const text = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\x1b[J`;
    this.#drawn = 0;
    return text;
  }
  #draw(before: string, steps: readonly StepInfo[], now: boolean): void {
    if (!now && performance.now() - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = performance.now();
    const width = process.stderr.columns > 0 ? process.stderr.columns : 80;
    const lines = steps.flatMap((step) => {
      const running = this.running.get(step.id);
      if (running === undefined) return [];
      return [` => ${step.name} ${seconds(running.startedMs)}s`, ...running.last.map((line) => ` => => ${line.replace(/[\x00-\x1f\x7f]/g, ' ')}`)];
    }).map((line) => line.slice(0, width - 1));
    write(this.#clear() + before + lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
  }
  readonly #steps: StepInfo[] = [];

  protected onStart(step: StepInfo): void {
    this.#steps.push(step);
    this.#draw('', this.#steps, true);
  }
  protected onLine(): void {
    this.#draw('', this.#steps, false);
  }
  protected onEnd(step: StepInfo, how: StepEnd, took: string): void {
    this.#steps.splice(this.#steps.indexOf(step), 1);
    this.#draw(` ${how === 'failed' ? '\x1b[31m=> ERROR' : how === 'canceled' ? '\x1b[33m=> CANCELED' : how === 'cached' ? '\x1b[34m=> CACHED' : '\x1b[34m=>'} ${step.name} ${how === 'cached' ? '' : `${took}s`}\x1b[0m\n`, this.#steps, true);
  }
  note(text: string): void {
    this.#draw(`${text}\n`, this.#steps, true);
  }
}

const SILENT: BuildReporter = { start() {}, output() {}, end() {}, note() {} };

export function createReporter(kind: ProgressKind): BuildReporter {
  switch (kind) {
    case 'tty': return new TerminalReporter();
    case 'plain': return new PlainReporter();
    case 'json': return new JsonReporter();
    default: return SILENT;
  }
}
