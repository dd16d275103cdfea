/**
 * Brings the names in directories to the disk, where something was promised of them: fsync(2) of a file says nothing of its name. The cost is
 * bounded by the disk, not by the requests: whoever asks while a directory is being synced waits for the next time, which is one for all of them.
 */
import type { HostAsyncFiles } from '../host/types.ts';
import { checkErrno, isSynced } from '../image/index.ts';
import type { Disk } from '../image/index.ts';

export class DirectorySync {
  readonly #disk: Disk;
  readonly #files: HostAsyncFiles;
  /** What is being synced, and what waits for that, by directory. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(disk: Disk, files: HostAsyncFiles) {
    this.#disk = disk;
    this.#files = files;
  }

  /** The names that are in the directories now are on the disk afterwards; one that is not there has none. @throws StoreError */
  async sync(directories: readonly string[]): Promise<void> {
    await Promise.all(directories.map((directory) => this.#waiting.get(directory) ?? this.#wait(directory)));
  }

  #wait(directory: string): Promise<void> {
    const running = this.#running.get(directory);
    if (running === undefined) return this.#run(directory);
    const next = (): Promise<void> => {
      this.#waiting.delete(directory);
      return this.#run(directory);
    };
    // Whether the one before failed is the business of who waits for that.
    const waiting = running.then(next, next);
    this.#waiting.set(directory, waiting);
    return waiting;
  }

  #run(directory: string): Promise<void> {
    const running = this.#syncNow(directory).finally(() => {
      if (this.#running.get(directory) === running) this.#running.delete(directory);
    });
    this.#running.set(directory, running);
    return running;
  }

  async #syncNow(directory: string): Promise<void> {
    const handle = this.#disk.open(directory);
    if (handle === undefined) return;
    try {
      const answer = await this.#files.sync(handle);
      if (!isSynced(answer)) checkErrno(answer, 'write', directory);
    } finally {
      this.#disk.files.close(handle);
    }
  }
}
