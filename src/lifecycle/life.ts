/** One start of a container, from the state that says that it runs to the one that says how it ended. Who starts it is the process that runs it. */
import type { Change } from '../container/index.ts';
import type { Inode } from '../fs/types.ts';
import { ERRNO_NAMES } from '../abi/errno.ts';
import { StoreError } from '../image/index.ts';
import type { Containers, WholeContainer } from './containers.ts';
import { NoSuchContainerError } from './errors.ts';
import { LogWriter } from './log.ts';
import type { ContainerState } from './state.ts';

/** `pid`: of this process, for people. */
export function runningState(containers: Containers, pid: number): ContainerState {
  const { host } = containers.store.disk;
  return { status: 'running', owner: host.owner, pid, startedMs: host.now(), exitCode: 0, error: '' };
}

export class Life {
  /** Its state is that at its start; `state` is the one of now. */
  readonly container: WholeContainer;
  readonly #containers: Containers;
  #state: ContainerState;
  #log: LogWriter | undefined;

  private constructor(containers: Containers, container: WholeContainer) {
    this.#containers = containers;
    this.container = container;
    this.#state = container.state;
  }

  get state(): ContainerState {
    return this.#state;
  }

  get startedMs(): number {
    return this.#state.startedMs ?? 0;
  }

  #now(): number {
    return this.#containers.store.disk.host.now();
  }

  /** Of a container that was made as running already. */
  static begun(containers: Containers, container: WholeContainer): Life {
    return new Life(containers, container);
  }

  /** @throws LifecycleError where it runs already. */
  static begin(containers: Containers, container: WholeContainer, pid: number): Life {
    const { id } = container;
    const state = runningState(containers, pid);
    // Outside of its lock, because it may write down that the last process was killed.
    containers.stateOf(id);
    containers.locked(id, () => {
      containers.checkFree(id);
      containers.findWhole(id);
      containers.writeState(id, state);
    });
    return new Life(containers, { ...container, state });
  }

  /** It says of itself what others are to see. A store that cannot be written keeps what it has. */
  change(change: Partial<ContainerState>): void {
    this.#state = { ...this.#state, ...change };
    const { id } = this.container;
    try {
      this.#containers.locked(id, () => this.#containers.writeState(id, this.#state));
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof NoSuchContainerError)) throw error;
    }
  }

  /** Something has happened to it. */
  say(action: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#containers.say(action, this.container, attributes);
  }

  /** Its command runs. */
  started(): void {
    this.say('start');
  }

  /** Its command has ended, and is to be started again by this process: what it changed is kept. */
  async endedForNow(exitCode: number, changes: () => Iterable<Change<Inode>>, oomKilled: boolean): Promise<void> {
    this.#log?.end();
    this.#log = undefined;
    const lost = await this.#keep(changes);
    this.change({ restarting: true, paused: undefined, ports: undefined, networks: undefined, health: undefined, exitCode, finishedMs: this.#now(), error: lost ?? '', ...(oomKilled ? { oomKilled } : {}) });
    this.#saidDead(exitCode);
  }

  /** And now it is started again. */
  again(restarts: number): void {
    this.change({ restarting: undefined, oomKilled: undefined, startedMs: this.#now(), exitCode: 0, error: '', restarts });
  }

  /** Its end was asked for while nothing ran. */
  stayedEnded(): void {
    const { exitCode, startedMs, finishedMs, error, oomKilled, restarts, refusals } = this.#state;
    this.#writeEnd({ status: 'exited', startedMs, finishedMs, exitCode, error, oomKilled, restarts, refusals });
  }

  #saidDead(exitCode: number): void {
    this.say('die', { exitCode: String(exitCode), execDuration: String(Math.floor((this.#now() - this.startedMs) / 1000)) });
  }

  /** `say`: what is told of it, before anyone who takes the lock can tell more. */
  #writeEnd(state: ContainerState, say: () => void = () => {}): string | undefined {
    const { id } = this.container;
    this.#state = state;
    try {
      this.#containers.locked(id, () => {
        this.#containers.writeEnd(id, state);
        say();
      });
      return undefined;
    } catch (error) {
      // Removed meanwhile by force, or the disk is full: then others see that its process has ended.
      if (!(error instanceof StoreError || error instanceof NoSuchContainerError)) throw error;
      say();
      return error.message;
    }
  }

  /** What it prints is kept. */
  get log(): LogWriter {
    const { record: { id, log } } = this.container;
    const { files, host } = this.#containers.store.disk;
    this.#log ??= new LogWriter({ files, path: this.#containers.pathOf(id, 'log'), now: () => host.now(), ...log });
    return this.#log;
  }

  /** Where it is reached. */
  connected({ ports = [], networks = [] }: Pick<ContainerState, 'ports' | 'networks'>): void {
    if (ports.length === 0 && networks.length === 0) return;
    const { id } = this.container;
    this.#state = { ...this.#state, ports, networks };
    this.#containers.locked(id, () => this.#containers.writeState(id, this.#state));
  }

  /** It could not be started. */
  async failed(exitCode: number, error: string): Promise<void> {
    const { container: { record: { id, autoRemove } } } = this;
    if (autoRemove) await this.#remove();
    else this.#containers.locked(id, () => this.#containers.writeState(id, { status: 'created', exitCode, error }));
  }

  /**
   * It has ended; what it changed is kept. Answers what was lost, if something was.
   *
   * `changes`: what differs from what was mounted.
   */
  async ended(exitCode: number, changes: () => Iterable<Change<Inode>>, oomKilled = false): Promise<string | undefined> {
    const { container } = this;
    this.#log?.end();
    if (container.record.autoRemove) {
      this.#saidDead(exitCode);
      await this.#remove();
      return undefined;
    }
    const lost = await this.#keep(changes);
    const { startedMs, restarts, refusals } = this.#state;
    const state: ContainerState = { status: 'exited', startedMs, finishedMs: this.#now(), exitCode, error: lost ?? this.#lostLog(), restarts, refusals, ...(oomKilled ? { oomKilled } : {}) };
    const unwritten = this.#writeEnd(state, () => this.#saidDead(exitCode));
    return lost ?? unwritten;
  }

  #lostLog(): string {
    const failure = this.#log?.failure ?? 0;
    return failure === 0 ? '' : `a part of its log was lost: ${ERRNO_NAMES.get(failure) ?? `error ${failure}`}`;
  }

  async #keep(changes: () => Iterable<Change<Inode>>): Promise<string | undefined> {
    // Most commands change nothing, and what writes layers is then not loaded.
    if (changes()[Symbol.iterator]().next().done === true) return undefined;
    try {
      const { keepChanges } = await import('./own-layers.ts');
      await keepChanges(this.#containers, this.container, changes());
      return undefined;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return `what the container changed was not kept: ${error.message}`;
    }
  }

  async #remove(): Promise<void> {
    const { id, record } = this.container;
    const volumes = record.volumes?.some(({ isAnonymous }) => isAnonymous) === true ? await import('./volumes.ts') : undefined;
    try {
      this.#containers.locked(id, () => {
        // Before it: of one that is killed meanwhile something is there that names what is left.
        volumes?.removeAnonymous(this.#containers, record);
        this.#containers.remove(id, this.container);
      });
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof NoSuchContainerError)) throw error;
    }
  }
}
