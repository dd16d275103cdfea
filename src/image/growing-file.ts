/** A file that another process writes: what there is of it is read while the rest comes. */
import { EIO } from '../abi/errno.ts';
import { checkErrno } from './disk.ts';
import type { Disk } from './disk.ts';
import { ImageFormatError } from './errors.ts';

const READ_BYTES = 1 << 18;

export class GrowingFile {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #handle: number;
  #size = 0;
  #end: 'whole' | 'given up' | undefined;
  #wake = (): void => undefined;

  /** `handle` is this one's from now on. */
  constructor(disk: Disk, path: string, handle: number) {
    this.#disk = disk;
    this.#path = path;
    this.#handle = handle;
  }

  /** So many bytes are there now. */
  grew(size: number): void {
    this.#size = Math.max(this.#size, size);
    this.#wake();
  }

  /** No more comes. */
  ended(isWhole: boolean): void {
    this.#end ??= isWhole ? 'whole' : 'given up';
    this.#wake();
  }

  /** The first bytes, so many or all that there are. @throws ImageFormatError where the writer has given up */
  async first(length: number): Promise<Uint8Array> {
    await this.#until(length);
    return this.#read(new Uint8Array(Math.min(length, this.#size)), 0);
  }

  /** All of it. `areKept`: pieces stay valid, and do not only hold until the next. @throws ImageFormatError where the writer has given up */
  async *pieces(areKept: boolean): AsyncIterable<Uint8Array> {
    const shared = new Uint8Array(READ_BYTES);
    for (let at = 0; ;) {
      await this.#until(at + 1);
      if (at >= this.#size) return;
      const length = Math.min(READ_BYTES, this.#size - at);
      const piece = this.#read(areKept ? new Uint8Array(length) : shared.subarray(0, length), at);
      yield piece;
      at += piece.length;
    }
  }

  close(): void {
    this.#disk.files.close(this.#handle);
  }

  /** So much is there, or all that comes. */
  async #until(size: number): Promise<void> {
    while (size > this.#size && this.#end === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#end === 'given up') throw new ImageFormatError('the rest did not come');
  }

  #read(buffer: Uint8Array, at: number): Uint8Array {
    const count = checkErrno(this.#disk.files.read(this.#handle, buffer, at), 'read', this.#path);
    if (count === 0 && buffer.length > 0) checkErrno(-EIO, 'read', this.#path);
    return buffer.subarray(0, count);
  }
}
