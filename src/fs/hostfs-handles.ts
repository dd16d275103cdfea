/**
 * Open handles of a hostfs: a bounded number, the one used longest ago is closed first and opened again
 * when it is needed. An object opened again must be the one that was seen (device and inode number).
 */
import type { HostFiles } from '../host/types.ts';
import { ESTALE } from '../abi/errno.ts';

/** Host descriptors that one hostfs keeps. Node raises the soft limit to the hard one; 1,024 is the usual least. */
const MOST_HANDLES = 240;

/** Who has a handle here. */
export interface HandleOwner {
  handle: number;
  handleFlags: number;
  readonly hostDev: number;
  readonly hostIno: number;
}

export class HandlePool {
  readonly #files: HostFiles;
  readonly #owners = new Set<HandleOwner>();

  constructor(files: HostFiles) {
    this.#files = files;
  }

  /** The owner's handle, opened at `path` with `flags` if it has none that serves. A negative errno, -ESTALE for another object. */
  acquire(owner: HandleOwner, path: () => string | number, flags: number): number {
    if (owner.handle >= 0) {
      if (owner.handleFlags === flags || (owner.handleFlags & 3) === 2) {
        if (this.#owners.size > MOST_HANDLES / 2) {
          this.#owners.delete(owner);
          this.#owners.add(owner);
        }
        return owner.handle;
      }
      this.release(owner);
    }
    const where = path();
    if (typeof where === 'number') return where;
    const handle = this.#files.open(where, flags, 0);
    if (handle < 0) return handle;
    const stat = this.#files.fstat(handle);
    if (typeof stat === 'number' || stat.dev !== owner.hostDev || stat.ino !== owner.hostIno) {
      this.#files.close(handle);
      return -ESTALE;
    }
    this.adopt(owner, handle, flags);
    return handle;
  }

  /** Keeps a handle that is already open. */
  adopt(owner: HandleOwner, handle: number, flags: number): void {
    if (this.#owners.size >= MOST_HANDLES) {
      for (const oldest of this.#owners) {
        this.release(oldest);
        break;
      }
    }
    owner.handle = handle;
    owner.handleFlags = flags;
    this.#owners.add(owner);
  }

  release(owner: HandleOwner): void {
    if (owner.handle < 0) return;
    this.#files.close(owner.handle);
    owner.handle = -1;
    this.#owners.delete(owner);
  }

  /** The sandbox is over. */
  closeAll(): void {
    for (const owner of [...this.#owners]) this.release(owner);
  }
}
