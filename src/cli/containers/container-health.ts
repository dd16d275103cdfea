/** Runs a container's health check beside its command, as often as it says, and writes down what comes out. */
import { SIGKILL } from '../../abi/signal.ts';
import type { Container } from '../../container/index.ts';
import { STARTING, afterCheck, pauseBeforeCheck } from '../../lifecycle/index.ts';
import type { HealthCheck, HealthResult, Life } from '../../lifecycle/index.ts';
import { toByteString } from '../bytes.ts';
import { processConfig } from './kept-container.ts';
import { after, type LongTimer } from './long-timer.ts';

/** What is kept of its output while it runs. */
const MOST_OUTPUT_BYTES = 4096;
const NOT_RUN = -1;
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** The words to run. */
function wordsOf({ test }: HealthCheck): readonly string[] {
  const [kind, ...words] = test;
  return (kind === 'CMD-SHELL' ? [...DEFAULT_SHELL, words.join(' ')] : words).map(toByteString);
}

export class HealthMonitor {
  readonly #container: Container;
  readonly #life: Life;
  readonly #check: HealthCheck;
  #timer: LongTimer | undefined;
  #hasEnded = false;

  private constructor(container: Container, life: Life, check: HealthCheck) {
    this.#container = container;
    this.#life = life;
    this.#check = check;
  }

  /** From its start on. Undefined: there is nothing to check. */
  static start(container: Container, life: Life): HealthMonitor | undefined {
    const { health } = life.container.record;
    if (health === undefined) return undefined;
    const monitor = new HealthMonitor(container, life, health);
    life.change({ health: STARTING });
    monitor.#plan();
    return monitor;
  }

  stop(): void {
    this.#hasEnded = true;
    this.#timer?.stop();
  }

  #plan(): void {
    if (this.#hasEnded) return;
    const state = this.#life.state.health ?? STARTING;
    this.#timer = after(pauseBeforeCheck(state, this.#check, Date.now(), this.#life.startedMs), () => void this.#look());
  }

  async #look(): Promise<void> {
    // Who does not run is not ill.
    if (!this.#container.isPaused) {
      const result = await this.#run();
      if (this.#hasEnded) return;
      const before = this.#life.state.health ?? STARTING;
      const health = afterCheck(before, this.#check, result, this.#life.startedMs);
      this.#life.change({ health });
      if (health.status !== before.status) this.#life.say(`health_status: ${health.status}`);
    }
    this.#plan();
  }

  async #run(): Promise<HealthResult> {
    const startMs = Date.now();
    const chunks: Buffer[] = [];
    let room = MOST_OUTPUT_BYTES;
    const keep = (bytes: Uint8Array): boolean => {
      chunks.push(Buffer.from(bytes.subarray(0, room)));
      room -= Math.min(room, bytes.length);
      return true;
    };
    const result = (exitCode: number, text?: string): HealthResult => ({ startMs, endMs: Date.now(), exitCode, output: text ?? Buffer.concat(chunks).toString() });
    const started = this.#start(keep);
    if (typeof started === 'string') return result(NOT_RUN, started);
    started.endInput();
    let isLate = false;
    const timer = after(this.#check.timeoutMs, () => {
      isLate = true;
      started.signal(SIGKILL);
    });
    const status = await started.ended;
    timer.stop();
    if (isLate) return result(NOT_RUN, `Health check exceeded timeout (${this.#check.timeoutMs / 1000}s)`);
    return result(status.signal === undefined ? status.code : 128 + status.signal);
  }

  /** What could not be started says why. */
  #start(keep: (bytes: Uint8Array) => boolean): Exclude<ReturnType<Container['start']>, number> | string {
    try {
      const spec = processConfig(this.#container, this.#life.container.record, undefined, { argv: wordsOf(this.#check), terminal: false });
      const started = this.#container.start(spec, { onOutput: (_, bytes) => keep(bytes), onInputWanted: () => {}, onInputRoom: () => {} }, false);
      return typeof started === 'number' ? `the check cannot be run: error ${-started}` : started;
    } catch (error) {
      return `the check cannot be run: ${(error as Error).message}`;
    }
  }
}
