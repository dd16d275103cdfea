/** Runs a container in the background from its start to its last end: started again where its policy says so, checked, watched, and asked for things. */
import type { Container, RunningProcess } from '../../container/index.ts';
import { LifecycleError, NO_RESTART, restartPause } from '../../lifecycle/index.ts';
import type { ContainerRecord, Containers, Life, RestartPolicy, WholeContainer } from '../../lifecycle/index.ts';
import { mountedLayers } from '../../lifecycle/own-layers.ts';
import { Attachments } from './attachments.ts';
import { toText } from '../bytes.ts';
import { HealthMonitor } from './container-health.ts';
import type { Answer } from './control-protocol.ts';
import { openControl } from './control-server.ts';
import type { Control, Controlled, Running } from './control-server.ts';
import { exitCodeOf } from '../errors.ts';
import { toUserError } from '../images/image-store.ts';
import { openContainer } from './kept-container.ts';
import { exitCode, keepTranslations } from './launch.ts';
import { joinNetwork } from '../networks/membership.ts';
import type { Joined } from '../networks/membership.ts';
import { after } from './long-timer.ts';
import { startError } from '../session.ts';
import { stopSignalOf } from './stop-signal.ts';

/** Asked to end itself (a shutdown, a service manager), it asks its command, as `stop` does. */
const OWN_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];
/** Who started it has its terminal ready by then, or has gone. */
const ATTACH_WITHIN_MS = 10_000;

export class Supervisor implements Controlled {
  readonly containers: Containers;
  readonly life: Life;
  readonly attachments = new Attachments(() => [1, 2].forEach((fd) => this.#running?.process.outputDrained(fd)));
  #control: Control | undefined;
  #joined: Joined | undefined;
  #running: Running | undefined;
  #wasStopped = false;
  #endPause: (() => void) | undefined;

  constructor(containers: Containers, life: Life) {
    this.containers = containers;
    this.life = life;
  }

  get #kept(): WholeContainer {
    return this.life.container;
  }

  running(): Running | undefined {
    return this.#running;
  }

  stopRequested(): boolean {
    this.#wasStopped = true;
    this.#endPause?.();
    return this.#running === undefined;
  }

  /** `onStarted` is called when its command runs, or, if it waits for somebody who attaches, before. @throws UserError where it cannot be started */
  async run(waits: boolean, onStarted: () => void): Promise<void> {
    const control = await openControl(this);
    this.#control = control;
    this.#takeSignals();
    if (waits) {
      onStarted();
      await this.attachments.first(ATTACH_WITHIN_MS);
    }
    let code = await this.#once(onStarted);
    for (let restarts = 1, pause = 0; ; restarts++) {
      const next = restartPause(this.#policy(), { exitCode: code, ranMs: Date.now() - this.life.startedMs, restarts: restarts - 1, wasStopped: this.#wasStopped }, pause);
      if (next === undefined) break;
      pause = next;
      await this.#between(code);
      await control.announce({ exitCode: code });
      await this.#wait(pause);
      if (this.#wasStopped) {
        this.life.stayedEnded();
        return this.#closed({ exitCode: code });
      }
      this.life.again(restarts);
      const again = await this.#once(() => {}).catch((error: unknown) => this.#failedAgain(error));
      if (again === undefined) return;
      code = again;
    }
    await this.#end(code);
  }

  /** It could be started once, and cannot any more: it stays ended, and says why. */
  async #failedAgain(error: unknown): Promise<undefined> {
    const known = toUserError(error, 'start the container');
    const code = exitCodeOf(known);
    this.#leave();
    this.life.change({ exitCode: code, error: known instanceof Error ? known.message : '' });
    this.life.stayedEnded();
    await this.#closed({ exitCode: code });
  }

  /** None of one that was removed by force. */
  #policy(): RestartPolicy {
    try {
      return this.#record().restart ?? NO_RESTART;
    } catch (error) {
      if (error instanceof LifecycleError) return NO_RESTART;
      throw error;
    }
  }

  /** Read anew: `update` may have changed it. */
  #record(): ContainerRecord {
    return this.containers.findWhole(this.#kept.id).record;
  }

  /** One start and its end. */
  async #once(onStarted: () => void): Promise<number> {
    const { containers, life } = this;
    this.#joined = joinNetwork(containers.store, this.#kept);
    const { container, spec } = await openContainer(this.#record(), { store: containers.store, layers: await mountedLayers(containers, this.#kept), membership: this.#joined?.membership });
    life.connected({ ports: container.ports, network: this.#joined?.network });
    const watching = this.#kept.record.watch === undefined ? undefined : await (await import('../detect/watch-kept.ts')).watchKept(container, this.#kept.record, life);
    const process_ = this.#start(container, spec);
    this.#running = { container, process: process_ };
    // Its end was asked for while it was being started.
    if (this.#wasStopped) container.kill();
    this.#control?.begun();
    if (spec.terminal === undefined && !this.#kept.record.process.input) process_.endInput();
    life.started();
    const health = HealthMonitor.start(container, life);
    const timer = this.#limitTime(container);
    onStarted();
    const status = await process_.ended;
    await watching?.end();
    health?.stop();
    timer?.stop();
    this.#leave();
    return exitCode(status, timer?.isOver() === true);
  }

  #start(container: Container, spec: Parameters<Container['start']>[0]): RunningProcess {
    const { log } = this.life;
    const started = container.start(spec, {
      onOutput: (fd, bytes) => {
        log.write(fd, bytes);
        return this.attachments.write(fd, bytes);
      },
      onInputWanted: () => {},
      onInputRoom: () => this.#control?.inputRoom(),
    });
    if (typeof started === 'number') throw startError(toText(spec.argv[0] ?? ''), -started);
    return started;
  }

  #limitTime(container: Container): { stop(): void; isOver(): boolean } | undefined {
    const { timeoutMs } = this.#kept.record;
    if (timeoutMs === undefined) return undefined;
    let isOver = false;
    const { stop } = after(timeoutMs, () => {
      isOver = true;
      container.kill();
    }, false);
    return { stop, isOver: () => isOver };
  }

  /** It has ended, and is to be started again: what it changed is kept, and its kernel goes. */
  async #between(code: number): Promise<void> {
    const container = this.#running?.container;
    this.#running = undefined;
    await this.life.endedForNow(code, () => container?.changes() ?? [], container?.oomKilled === true);
    container?.close();
  }

  #wait(milliseconds: number): Promise<void> {
    if (this.#wasStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#endPause = undefined;
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#endPause = end;
    });
  }

  async #end(code: number): Promise<void> {
    const container = this.#running?.container;
    this.#control?.close();
    await this.life.ended(code, () => container?.changes() ?? [], container?.oomKilled);
    if (container !== undefined) await keepTranslations(container);
    await this.#control?.announce({ exitCode: code });
  }

  async #closed(answer: Answer): Promise<void> {
    this.#control?.close();
    await this.#control?.announce(answer);
  }

  #leave(): void {
    this.#joined?.leave();
    this.#joined = undefined;
  }

  /** To those who are attached, or wait. */
  async sayFailed(answer: Answer): Promise<void> {
    this.#leave();
    await this.#closed(answer);
  }

  #takeSignals(): void {
    for (const name of OWN_SIGNALS) {
      process.on(name, () => {
        if (this.stopRequested() || this.#running === undefined) return;
        this.#running.container.resume();
        this.#running.process.signal(stopSignalOf(this.#kept.record));
      });
    }
    process.on('SIGHUP', () => {});
  }
}
