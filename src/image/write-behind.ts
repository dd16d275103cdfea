/**
 * A new file that is brought to the disk while the rest of it comes: another thread waits for the disk, so there is little to wait for at the end.
 * Either `commit` gives it its name, or `discard` removes it.
 */
import { checkErrno } from './disk.ts';
import type { Disk, NewFile } from './disk.ts';

/** Of fewer bytes another thread costs more than it takes off this one. */
const LONG_BYTES = 1 << 19;
/** Bytes after which what was written is brought to the disk. */
const SYNC_BYTES = 16 * 2 ** 20;

export class WriteBehind {
  readonly #disk: Disk;
  readonly #file: NewFile;
  #syncing: Promise<void> | undefined;
  #writing: Promise<void> | undefined;
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

  /** Its name for the time being. */
  get path(): string {
    return this.#file.path;
  }

  /** @throws StoreError */
  write(bytes: Uint8Array): void {
    this.#file.write(bytes);
    this.#written(bytes.length);
  }

  /** As `write`, by another thread if that pays. Before it is waited for (`written`) the bytes do not change, and nothing more is written. */
  begin(bytes: Uint8Array): void {
    if (bytes.length < LONG_BYTES) this.write(bytes);
    else this.#writing = this.#file.writeBy(this.#disk.host.asyncFiles, bytes).then(() => this.#written(bytes.length), (error: unknown) => void (this.#failure ??= error));
  }

  /** What was begun is done. @throws StoreError */
  async written(): Promise<void> {
    await this.#writing;
    this.#writing = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #written(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#unsynced < SYNC_BYTES || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = this.#sync().catch((error: unknown) => void (this.#failure ??= error)).then(() => void (this.#syncing = undefined));
  }

  async #sync(): Promise<void> {
    checkErrno(await this.#disk.host.asyncFiles.sync(this.#file.handle), 'write', this.#file.path);
  }

  /** Everything is on the disk afterwards, under its name. @throws StoreError also of what failed before: fsync(2) says it only once. */
  async commit(path: string): Promise<void> {
    await this.sync();
    this.#file.name(path);
  }

  /** Everything is on the disk afterwards; there is no more to write. @throws StoreError */
  async sync(): Promise<void> {
    // Where nothing is under way it begins before this returns.
    if (this.#writing !== undefined || this.#syncing !== undefined) {
      await this.written();
      await this.#syncing;
    }
    if (this.#failure !== undefined) throw this.#failure;
    await this.#sync();
  }

  /** Gives it its name: it is on the disk already. */
  name(path: string): void {
    this.#file.name(path);
  }

  /** Removes it, when no thread uses it any more. */
  async discard(): Promise<void> {
    await this.#writing;
    await this.#syncing;
    this.#file.discard();
  }
}
