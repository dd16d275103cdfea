/**
 * A new file that is brought to the disk while the rest of it comes: another thread waits for the disk, so there is little to wait for at the end.
 * Either `commit` gives it its name, or `discard` removes it.
 */
import { checkErrno } from './disk.ts';
import type { Disk, NewFile } from './disk.ts';

/** Bytes after which what was written is brought to the disk. */
const SYNC_BYTES = 16 * 2 ** 20;

export class WriteBehind {
  readonly #disk: Disk;
  readonly #file: NewFile;
  #syncing: Promise<void> | undefined;
  #failure: unknown;
  #unsynced = 0;

  /** A new file in the directory for that. */
  constructor(disk: Disk) {
    this.#disk = disk;
    this.#file = disk.newFile();
  }

  /** Bytes so far. */
  get size(): number {
    return this.#file.size;
  }

  /** @throws StoreError */
  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
    this.#unsynced += bytes.length;
    if (this.#unsynced < SYNC_BYTES || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = this.#sync().catch((error: unknown) => void (this.#failure ??= error)).then(() => void (this.#syncing = undefined));
  }

  async #sync(): Promise<void> {
    checkErrno(await this.#disk.host.asyncFiles.sync(this.#file.handle), 'write', this.#file.path);
  }

  /** Everything is on the disk afterwards, under its name. @throws StoreError also of what failed before: fsync(2) says it only once. */
  async commit(path: string): Promise<void> {
    await this.#syncing;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#sync();
    this.#file.name(path);
  }

  /** Removes it, when no thread uses it any more. */
  async discard(): Promise<void> {
    await this.#syncing;
    this.#file.discard();
  }
}
