/**
 * Files of /proc/PID that are about its memory. Who may look is asked once, when one is opened, and the open file stays with the memory that the
 * process had then: what it has after execve(2) is not reached through it (Linux fs/proc/base.c: proc_mem_open(), mem_rw()).
 */
import { EACCES, EBADF, EINVAL } from '../abi/errno.ts';
import { isReadable, isWritable, PlainFile } from './open-file.ts';
import type { ProcessView } from './process-view.ts';
import { OpenerFile, PseudoInode } from './pseudo.ts';
import type { Owner, PseudoDirectory, PseudoFs } from './pseudo.ts';
import type { Inode, OpenFile } from './types.ts';

/** /proc/PID/mem: position is the address. */
export class MemoryFile extends PseudoInode {
  readonly #view: ProcessView;

  constructor(fileSystem: PseudoFs, view: ProcessView, owner: Owner) {
    super(fileSystem, 0o100000 | 0o600, owner);
    this.#view = view;
  }

  open(flags: number): OpenFile | number {
    return this.#view.inspectable ? new OpenMemory(this, flags, this.#view) : -EACCES;
  }
}

class OpenMemory extends PlainFile {
  readonly #view: ProcessView;
  readonly #space: object | undefined;

  constructor(inode: Inode, flags: number, view: ProcessView) {
    super(inode, flags, undefined);
    this.#view = view;
    this.#space = view.addressSpace;
  }

  /** Bytes moved; 0 where the memory is no longer there. */
  #move(move: 'readMemory' | 'writeMemory', buffer: Uint8Array, offset: number | undefined): number {
    if (this.#space === undefined || this.#view.addressSpace !== this.#space) return 0;
    const count = this.#view[move](buffer, offset ?? this.position);
    if (count > 0 && offset === undefined) this.position += count;
    return count;
  }

  override read(buffer: Uint8Array, offset?: number): number {
    return isReadable(this) ? this.#move('readMemory', buffer, offset) : -EBADF;
  }

  override write(buffer: Uint8Array, offset?: number): number {
    return isWritable(this) ? this.#move('writeMemory', buffer, offset) : -EBADF;
  }
}

/** A file with text about the memory of a process: empty once that is no longer there. */
export function addMemoryText(directory: PseudoDirectory, view: ProcessView, name: string, text: () => string | Uint8Array, mode = 0o444): void {
  const opened = (writes: boolean): ReturnType<ConstructorParameters<typeof OpenerFile>[1]> => {
    if (writes || !view.inspectable) return -EACCES;
    const space = view.addressSpace;
    return { read: () => (view.addressSpace === space ? text() : ''), write: () => -EINVAL };
  };
  directory.add(name, new OpenerFile(directory.fileSystem, opened, mode, directory.owner));
}
