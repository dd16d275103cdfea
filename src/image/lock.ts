/**
 * A lock between processes, without help of the host but links: a symbolic link whose target says who holds it. Making one is
 * atomic, and fails where there is one already (symlink(2)). Who was killed while it held the lock is found out by its
 * name, and its lock is taken over.
 *
 * Two that find the same lock abandoned must not both take it. So taking over is itself under a lock, which is named after the one
 * that was abandoned and so can only ever be about that one; and the lock passes on by a rename, so that it is never free in between.
 */
import { EEXIST, ENOENT } from '../abi/errno.ts';
import { checkErrno } from './disk.ts';
import type { Disk } from './disk.ts';
import { ImageError } from './errors.ts';
import { LOCK_ABANDONED_AFTER_MS, LOCK_WAIT_MS } from './limits.ts';

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

export class StoreLock {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #onTakeOver: () => void;
  #depth = 0;

  /** `onTakeOver` runs, with the lock held, where the last one who held it was killed. */
  constructor(disk: Disk, name: string, onTakeOver: () => void) {
    this.#disk = disk;
    this.#path = disk.path(name);
    this.#onTakeOver = onTakeOver;
  }

  /** Runs `body` while no other process runs what is under this lock. @throws ImageError after `LOCK_WAIT_MS` */
  hold<Result>(body: () => Result): Result {
    if (this.#depth > 0) return body();
    const { mine, isTakenOver } = this.#acquire(this.#path);
    this.#depth++;
    try {
      if (isTakenOver) this.#onTakeOver();
      return body();
    } finally {
      this.#depth--;
      this.#release(this.#path, mine);
    }
  }

  /** Locks that were abandoned while they were being taken over. With the lock held nobody can need them any more. */
  removeAbandoned(): void {
    const name = this.#path.slice(this.#path.lastIndexOf('/') + 1);
    for (const other of this.#disk.list(this.#disk.root)) if (other.startsWith(`${name}.`)) this.#disk.remove(this.#disk.path(other));
  }

  #release(path: string, mine: string): void {
    if (this.#disk.files.readLink(path) === mine) this.#disk.remove(path);
  }

  #acquire(path: string): { readonly mine: string; readonly isTakenOver: boolean } {
    const { files, host } = this.#disk;
    const mine = `${host.owner}-${this.#disk.randomName()}`;
    const since = host.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      const made = files.symlink(mine, path);
      if (made === 0) return { mine, isTakenOver: false };
      if (made !== -EEXIST) checkErrno(made, 'lock the store with', path);
      const holder = files.readLink(path);
      if (holder === -ENOENT) continue;
      if (typeof holder === 'number') checkErrno(holder, 'read the lock', path);
      if (typeof holder === 'string' && this.#isAbandoned(path, holder) && this.#takeOver(path, holder, mine)) return { mine, isTakenOver: true };
      if (host.now() - since > LOCK_WAIT_MS) throw new ImageError(`another process (${ownerOf(String(holder))}) has had the store locked for ${LOCK_WAIT_MS / 1000} s`, 'end it, or wait for it');
      host.pause(pauseMs);
    }
  }

  /** A holder that cannot be seen from here is given more time than anything under the lock takes. */
  #isAbandoned(path: string, holder: string): boolean {
    const { files, host } = this.#disk;
    const ended = host.hasEnded(ownerOf(holder));
    if (ended !== undefined) return ended;
    const stat = files.lstat(path);
    return typeof stat !== 'number' && host.now() - Number(stat.mtimeNs / 1_000_000n) > LOCK_ABANDONED_AFTER_MS;
  }

  #takeOver(path: string, holder: string, mine: string): boolean {
    const { files } = this.#disk;
    const about = `${this.#path}.${holder.slice(holder.lastIndexOf('-') + 1)}`;
    const { mine: held } = this.#acquire(about);
    try {
      // Someone else may have taken it over before us.
      if (files.readLink(path) !== holder) return false;
      const next = this.#disk.path('tmp', `${mine}.lock`);
      checkErrno(files.symlink(mine, next), 'lock the store with', next);
      checkErrno(files.rename(next, path), 'lock the store with', path);
      return true;
    } finally {
      this.#release(about, held);
    }
  }
}

function ownerOf(holder: string): string {
  return holder.slice(0, holder.lastIndexOf('-'));
}
