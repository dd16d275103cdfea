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
  readonly container: WholeContainer;
  readonly #containers: Containers;
  readonly #startedMs: number;
  #log: LogWriter | undefined;

  private constructor(containers: Containers, container: WholeContainer, startedMs: number) {
    this.#containers = containers;
    this.container = container;
    this.#startedMs = startedMs;
  }

  /** Of a container that was made as running already. */
  static begun(containers: Containers, container: WholeContainer): Life {
    return new Life(containers, container, container.state.startedMs ?? containers.store.disk.host.now());
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
    return new Life(containers, { ...container, state }, state.startedMs ?? 0);
  }

  /** What it prints is kept. */
  get log(): LogWriter {
    const { record: { id, log } } = this.container;
    const { files, host } = this.#containers.store.disk;
    this.#log ??= new LogWriter({ files, path: this.#containers.pathOf(id, 'log'), now: () => host.now(), ...log });
    return this.#log;
  }

  /** Where it is reached. */
  connected({ ports, network }: Pick<ContainerState, 'ports' | 'network'>): void {
    if ((ports ?? []).length === 0 && network === undefined) return;
    const { id, state } = this.container;
    this.#containers.locked(id, () => this.#containers.writeState(id, { ...state, ports, network }));
  }

  /** It could not be started. */
  failed(exitCode: number, error: string): void {
    const { container: { record: { id, autoRemove } } } = this;
    if (autoRemove) this.#remove();
    else this.#containers.locked(id, () => this.#containers.writeState(id, { status: 'created', exitCode, error }));
  }

  /**
   * It has ended; what it changed is kept. Answers what was lost, if something was.
   *
   * `changes`: what differs from what was mounted.
   */
  async ended(exitCode: number, changes: () => Iterable<Change<Inode>>, oomKilled = false): Promise<string | undefined> {
    const { container } = this;
    const { id, autoRemove } = container.record;
    this.#log?.end();
    if (autoRemove) {
      this.#remove();
      return undefined;
    }
    const lost = await this.#keep(changes);
    const state: ContainerState = { status: 'exited', startedMs: this.#startedMs, finishedMs: this.#containers.store.disk.host.now(), exitCode, error: lost ?? this.#lostLog(), ...(oomKilled ? { oomKilled } : {}) };
    try {
      this.#containers.locked(id, () => this.#containers.writeState(id, state));
    } catch (error) {
      // Removed meanwhile by force, or the disk is full: then others see that its process has ended.
      if (!(error instanceof StoreError || error instanceof NoSuchContainerError)) throw error;
      return lost ?? error.message;
    }
    return lost;
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

  #remove(): void {
    const { id } = this.container;
    try {
      this.#containers.locked(id, () => this.#containers.remove(id));
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof NoSuchContainerError)) throw error;
    }
  }
}
