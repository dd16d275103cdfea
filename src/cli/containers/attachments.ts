/** Those who see what a container prints beside its log, and may type into it. */

/** More than people open windows. */
const MOST_WATCHERS = 64;

export interface Watcher {
  /** False: it is behind, and says when it is not. */
  write(fd: number, bytes: Uint8Array): boolean;
}

export class Attachments {
  readonly #watchers = new Set<Watcher>();
  readonly #behind = new Set<Watcher>();
  readonly #onDrain: () => void;
  #onFirst: (() => void) | undefined;

  /** `onDrain`: all have taken what was printed. */
  constructor(onDrain: () => void) {
    this.#onDrain = onDrain;
  }

  /** False: there are too many. */
  add(watcher: Watcher): boolean {
    if (this.#watchers.size >= MOST_WATCHERS) return false;
    this.#watchers.add(watcher);
    this.#onFirst?.();
    return true;
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.caughtUp(watcher);
  }

  caughtUp(watcher: Watcher): void {
    if (this.#behind.delete(watcher) && this.#behind.size === 0) this.#onDrain();
  }

  /** False: somebody is behind, so the command waits, as for any reader of its output. */
  write(fd: number, bytes: Uint8Array): boolean {
    for (const watcher of this.#watchers) if (!watcher.write(fd, bytes)) this.#behind.add(watcher);
    return this.#behind.size === 0;
  }

  /** Until somebody is there, or for that long. */
  first(mostMs: number): Promise<void> {
    if (this.#watchers.size > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, mostMs);
      this.#onFirst = () => {
        clearTimeout(timer);
        this.#onFirst = undefined;
        resolve();
      };
    });
  }
}
