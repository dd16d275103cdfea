/** The canary among the host's processes. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORD, makeSweeper, makeWatchman, readReport } from '../../drill/index.ts';
import type { Sighting, Watchman } from '../../drill/index.ts';

/** How long one that does not answer is waited for: it was stopped. */
const PATIENCE_MS = 2000;

/** What it says, line by line. */
class Lines {
  readonly #lines: string[] = [];
  readonly #ending: Promise<void>;
  #text = '';
  #wake: () => void = () => {};
  ended: string | undefined;

  constructor(child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (bytes: Buffer) => {
      const parts = (this.#text + bytes.toString('latin1')).split('\n');
      this.#text = parts.pop() ?? '';
      this.#lines.push(...parts);
      this.#wake();
    });
    this.#ending = new Promise((resolve) => {
      const end = (how: string): void => {
        this.ended ??= how;
        this.#wake();
        resolve();
      };
      child.once('error', (error) => end(`could not be started: ${error.message}`));
      child.once('exit', (_status, signal) => end(signal === null ? 'has ended' : `was ended by ${signal}`));
    });
  }

  /** @throws Error if there is none: it has ended, or does not answer. */
  async next(): Promise<string> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.ended !== undefined) throw new Error(this.ended);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error('does not answer');
      await this.#somethingWithin(left);
    }
  }
  #somethingWithin(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** False: it goes on. */
  waitForEnd(): Promise<boolean> {
    return Promise.race([this.#ending.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, PATIENCE_MS, false).unref())]);
  }
}

export class CanaryProcess {
  readonly segmentKey: number;
  readonly keySerial: number;
  readonly watchman: Watchman;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #secret: string;
  readonly #sweeper: string;
  readonly #lines: Lines;
  #visitors = '';

  private constructor(child: ChildProcessWithoutNullStreams, lines: Lines, watchman: Watchman, segmentKey: number, keySerial: number, secret: string, sweeper: string) {
    this.#child = child;
    this.#lines = lines;
    child.stdin.on('error', () => {});
    child.stderr.on('data', (bytes: Buffer) => (this.#visitors += bytes.toString('latin1')));
    this.watchman = watchman;
    this.segmentKey = segmentKey;
    this.keySerial = keySerial;
    this.#secret = secret;
    this.#sweeper = sweeper;
  }

  get id(): number {
    return this.#child.pid ?? 0;
  }

  /** `directory`: where its program is put; it listens at `abstractSocket`. @throws Error where this machine cannot run it. */
  static async start(token: (name: string) => string, directory: string, abstractSocket: string): Promise<CanaryProcess> {
    const segmentKey = 1 + Math.floor(Math.random() * 0x7fff_fffe);
    const watchman = makeWatchman({ memory: token('process-memory'), segment: token('segment'), key: token('key'), segmentKey, abstractSocket });
    const [program, sweeper] = [join(directory, 'watchman'), join(directory, 'sweeper')];
    for (const [path, elf] of [[program, watchman.elf], [sweeper, makeSweeper(segmentKey)]] as const) {
      writeFileSync(path, elf);
      chmodSync(path, 0o755);
    }
    const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'pipe'], env: { CAISSON_DRILL: token('process-environment') } });
    const lines = new Lines(child);
    const ready = await lines.next().catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    const serial = Number(readReport(ready).measured[0]?.value ?? 0n);
    return new CanaryProcess(child, lines, watchman, segmentKey, Math.max(0, serial), token('process-memory'), sweeper);
  }

  async check(): Promise<readonly Sighting[]> {
    const visitors = this.#visitors.split('\n').filter((text) => text !== '').map((what) => ({ canary: 'socket', what }));
    this.#visitors = '';
    return [...visitors, ...await this.#question()];
  }

  async #question(): Promise<readonly Sighting[]> {
    this.#child.stdin.write('?');
    try {
      const line = await this.#lines.next();
      return line === `${WORD}${this.#secret}` ? [] : [{ canary: 'process', what: `the memory of process ${this.id} was changed` }];
    } catch (error) {
      return [{ canary: 'process', what: `the process ${this.id} ${(error as Error).message}` }];
    }
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    // One that was stopped goes on to its end.
    if (this.#lines.ended === undefined) this.#child.kill('SIGCONT');
    if (!(await this.#lines.waitForEnd())) this.#child.kill('SIGKILL');
    spawnSync(this.#sweeper);
  }
}
