/** File descriptors of a process (`struct files_struct`): Linux fs/file.c. */
import { EBADF, EMFILE } from '../abi/errno.ts';
import { dropFile, holdFile } from '../fs/open-file.ts';
import type { OpenFile } from '../fs/types.ts';
import type { FdTable } from './types.ts';

/** Default of fs.nr_open: no descriptor reaches this, whatever the limit says. */
export const NR_OPEN = 1_048_576;

export class FileDescriptors implements FdTable {
  readonly #files: (OpenFile | undefined)[] = [];
  readonly #closeOnExec = new Set<number>();
  /** No free descriptor below this. */
  #lowestFree = 0;
  #count = 0;
  /** Answers RLIMIT_NOFILE of the process; a clone keeps its parent's until it is given its own. */
  limit: () => number;
  /** Told of each file that a descriptor of this table lets go: POSIX locks of the process on it end (fcntl(2)). */
  onClose: ((file: OpenFile) => void) | undefined = undefined;

  constructor(limit: () => number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#count;
  }

  /** Length of the table: one above the highest descriptor (`FDSize` of /proc/PID/status). */
  get capacity(): number {
    return this.#files.length;
  }

  get(fd: number): OpenFile | undefined {
    return this.#files[fd];
  }

  /** Lowest free descriptor at or above `from`, or -EMFILE. */
  #free(from: number): number {
    let fd = Math.max(from, this.#lowestFree);
    const files = this.#files;
    while (fd < files.length && files[fd] !== undefined) fd++;
    if (from <= this.#lowestFree) this.#lowestFree = fd;
    return fd >= Math.min(this.limit(), NR_OPEN) ? -EMFILE : fd;
  }

  /** Whether a descriptor is left, before something is made for it: 0 or -EMFILE. */
  reserve(): number {
    return Math.min(0, this.#free(0));
  }

  install(file: OpenFile, closeOnExec: boolean, from = 0): number {
    const fd = this.#free(from);
    if (fd < 0) return fd;
    this.#put(fd, file, closeOnExec);
    return fd;
  }

  #put(fd: number, file: OpenFile, closeOnExec: boolean): void {
    const files = this.#files;
    while (files.length < fd) files.push(undefined);
    files[fd] = holdFile(file);
    this.#count++;
    if (closeOnExec) this.#closeOnExec.add(fd);
    if (fd === this.#lowestFree) this.#lowestFree = fd + 1;
  }

  closeOnExec(fd: number): boolean {
    return this.#closeOnExec.size > 0 && this.#closeOnExec.has(fd);
  }

  setCloseOnExec(fd: number, value: boolean): void {
    if (value) this.#closeOnExec.add(fd);
    else this.#closeOnExec.delete(fd);
  }

  close(fd: number): number {
    const file = this.#files[fd];
    if (file === undefined) return -EBADF;
    if (fd === this.#files.length - 1) this.#files.pop();
    else this.#files[fd] = undefined;
    if (this.#closeOnExec.size > 0) this.#closeOnExec.delete(fd);
    if (fd < this.#lowestFree) this.#lowestFree = fd;
    this.#count--;
    this.onClose?.(file);
    dropFile(file);
    return 0;
  }

  replace(to: number, file: OpenFile, closeOnExec: boolean): number {
    if (to < 0 || to >= Math.min(this.limit(), NR_OPEN)) return -EBADF;
    if (this.#files[to] === file) {
      this.setCloseOnExec(to, closeOnExec);
      return to;
    }
    holdFile(file);
    if (this.#files[to] !== undefined) this.close(to);
    this.#put(to, file, closeOnExec);
    dropFile(file);
    return to;
  }

  *entries(): Iterable<readonly [fd: number, file: OpenFile]> {
    for (let fd = 0; fd < this.#files.length; fd++) {
      const file = this.#files[fd];
      if (file !== undefined) yield [fd, file];
    }
  }

  clone(limit: () => number = this.limit): FileDescriptors {
    const table = new FileDescriptors(limit);
    for (const [fd, file] of this.entries()) table.#put(fd, file, this.closeOnExec(fd));
    return table;
  }

  closeForExec(): void {
    for (const fd of [...this.#closeOnExec].sort((a, b) => a - b)) this.close(fd);
  }

  closeAll(): void {
    for (let fd = this.#files.length - 1; fd >= 0; fd--) if (this.#files[fd] !== undefined) this.close(fd);
  }
}
