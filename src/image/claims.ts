/**
 * What processes are doing with the store, said by files in `tmp`: their names begin with the process that made them, so that what
 * a killed one leaves is known to be left.
 *
 *   OWNER-RANDOM             a file that is being written
 *   OWNER-RANDOM.adding      an image is coming: nothing that is newer than this file is thrown away
 *   OWNER-RANDOM.using-HEX   a container runs on the image with this manifest
 *   OWNER-RANDOM.preparing-HEX   the layer with this DiffID is being made ready
 */
import { EACCES, ENOENT, ENOSPC, EROFS } from '../abi/errno.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../abi/fcntl.ts';
import { hexOf } from './digest.ts';
import type { DiffId, Digest } from './digest.ts';
import { checkErrno } from './disk.ts';
import type { Disk } from './disk.ts';
import { CLOCK_SLACK_MS, FILE_ABANDONED_AFTER_MS } from './limits.ts';

const ADDING = '.adding';
const USING = '.using-';
const PREPARING = '.preparing-';

export interface Claim {
  end(): void;
}

/** A file in `tmp` whose process has ended. */
export interface Leftover {
  readonly name: string;
  readonly bytes: number;
}

export class Claims {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** From now on until its end, what is taken in or kept (`Blobs.keep`) stays although no image has it yet. */
  add(): Claim {
    const path = this.#disk.temporaryPath(ADDING);
    this.#make(path, checkErrno);
    return { end: () => this.#disk.remove(path) };
  }

  /** The image is in use until the end of this process. A store that cannot be written is used all the same. */
  use(manifest: Digest): Claim {
    const path = this.#disk.temporaryPath(`${USING}${hexOf(manifest)}`);
    const made = this.#make(path, (answer, what, where) => ([-EROFS, -EACCES, -ENOSPC, -ENOENT].includes(answer) ? answer : checkErrno(answer, what, where)));
    return { end: () => (made < 0 ? undefined : this.#disk.remove(path)) };
  }

  /**
   * The layer is made ready here until its end. Undefined: someone else does that. Of two that begin at the same moment one goes on, or,
   * seldom, both: then it is done twice, and the same.
   */
  prepare(diffId: DiffId): Claim | undefined {
    const mark = `${PREPARING}${hexOf(diffId)}`;
    if (this.#live(mark).length > 0) return undefined;
    const path = this.#disk.temporaryPath(mark);
    this.#make(path, checkErrno);
    const first = this.#live(mark).map(({ name }) => name).sort()[0];
    const end = (): void => this.#disk.remove(path);
    if (first === undefined || path.endsWith(`/${first}`)) return { end };
    end();
    return undefined;
  }

  #make(path: string, check: typeof checkErrno): number {
    const handle = check(this.#disk.files.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), 'create', path);
    if (handle >= 0) this.#disk.files.close(handle);
    return handle;
  }

  /** What is at least as new as this (milliseconds since the epoch) may be part of an image that is coming. */
  oldestAddingMs(): number {
    const times = this.#live(ADDING).map(({ mtimeMs }) => mtimeMs - CLOCK_SLACK_MS);
    return Math.min(Number.POSITIVE_INFINITY, ...times);
  }

  /** Digests, in hexadecimal, of the manifests of images that containers run on. */
  manifestsInUse(): ReadonlySet<string> {
    return new Set(this.#live(USING).map(({ name }) => name.slice(name.indexOf(USING) + USING.length)));
  }

  #live(mark: string): readonly { readonly name: string; readonly mtimeMs: number }[] {
    return this.#disk.list(this.#disk.path('tmp')).filter((name) => name.includes(mark)).flatMap((name) => {
      const mtimeMs = this.#disk.mtimeOf(this.#disk.path('tmp', name));
      return mtimeMs === undefined || this.#isLeft(name, mtimeMs) ? [] : [{ name, mtimeMs }];
    });
  }

  #isLeft(name: string, mtimeMs: number): boolean {
    const { host } = this.#disk;
    return host.hasEnded(name.slice(0, name.indexOf('-'))) ?? host.now() - mtimeMs > FILE_ABANDONED_AFTER_MS;
  }

  /** What killed processes have left. */
  leftovers(): readonly Leftover[] {
    return this.#disk.list(this.#disk.path('tmp')).flatMap((name) => {
      const path = this.#disk.path('tmp', name);
      const mtimeMs = this.#disk.mtimeOf(path);
      return mtimeMs === undefined || !this.#isLeft(name, mtimeMs) ? [] : [{ name, bytes: this.#disk.sizeOf(path) ?? 0 }];
    });
  }

  /** Answers the bytes that are free again. */
  removeLeftovers(): number {
    let bytes = 0;
    for (const { name, bytes: own } of this.leftovers()) {
      this.#disk.remove(this.#disk.path('tmp', name));
      bytes += own;
    }
    return bytes;
  }
}
