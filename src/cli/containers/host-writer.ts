/**
 * Writes entries of a tree below a directory of this machine. What stands there already as a link is replaced, never followed: so nothing that
 * a container has prepared leads out of the directory.
 */
import * as fs from 'node:fs';
import type { LayerEntry } from '../../container/layer-entries.ts';
import { LifecycleError } from '../../lifecycle/index.ts';
import { toText } from '../bytes.ts';

const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

export class HostWriter {
  readonly #directory: string;
  readonly #keepOwners: boolean;
  /** Attributes of directories are set at the end. */
  readonly #directories: (readonly [path: string, entry: LayerEntry])[] = [];
  #isWhole = true;

  /** `directory`: a byte string. */
  constructor(directory: string, keepOwners: boolean) {
    this.#directory = directory.replace(/\/$/, '');
    this.#keepOwners = keepOwners;
  }

  /** @throws LifecycleError */
  put(entry: LayerEntry): void {
    const path = `${this.#directory}/${entry.path.replace(/\/$/, '')}`;
    try {
      this.#make(path, entry);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      throw new LifecycleError(`cannot write "${toText(path)}": ${(error as Error).message}`, 'check the directory and the free space', { cause: error });
    }
  }

  #make(path: string, entry: LayerEntry): void {
    const before = fs.lstatSync(bytes(path), { throwIfNoEntry: false });
    if (entry.type === 'directory') {
      if (before !== undefined && !before.isDirectory()) throw new LifecycleError(`cannot overwrite "${toText(path)}", which is not a directory, with a directory`, 'remove it, or copy elsewhere');
      if (before === undefined) fs.mkdirSync(bytes(path), 0o700);
      this.#directories.push([path, entry]);
      return;
    }
    if (before?.isDirectory() === true) throw new LifecycleError(`cannot overwrite the directory "${toText(path)}" with a file`, 'remove it, or copy elsewhere');
    if (entry.type === 'link') this.#replace(path, (temporary) => fs.linkSync(bytes(`${this.#directory}/${entry.linkTarget ?? ''}`), bytes(temporary)));
    else if (entry.type === 'symlink') this.#replace(path, (temporary) => fs.symlinkSync(bytes(entry.linkTarget ?? ''), bytes(temporary)));
    else if (entry.type === 'file') {
      this.#replace(path, (temporary) => {
        this.#write(temporary, entry);
        this.#setAttributes(temporary, entry);
      });
    } else {
      this.#isWhole = false;
      process.stderr.write(`caisson: left out "${toText(path)}": it is a ${entry.type.replace('-', ' ')}\n`);
    }
  }

  #replace(path: string, make: (temporary: string) => void): void {
    const temporary = `${path.slice(0, path.lastIndexOf('/'))}/.caisson-${process.pid}.new`;
    fs.rmSync(bytes(temporary), { force: true });
    try {
      make(temporary);
      fs.renameSync(bytes(temporary), bytes(path));
    } finally {
      fs.rmSync(bytes(temporary), { force: true });
    }
  }

  #write(path: string, { node }: LayerEntry): void {
    const handle = fs.openSync(bytes(path), fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW, 0o600);
    try {
      for (const chunk of node?.contents() ?? []) for (let at = 0; at < chunk.length;) at += fs.writeSync(handle, chunk, at);
    } finally {
      fs.closeSync(handle);
    }
  }

  #setAttributes(path: string, { mode, uid = 0, gid = 0, mtimeSeconds = 0, mtimeNanoseconds = 0 }: LayerEntry): void {
    if (this.#keepOwners) fs.lchownSync(bytes(path), uid, gid);
    // Rights to become somebody else are not brought along without their owner.
    fs.chmodSync(bytes(path), this.#keepOwners ? mode : mode & 0o1777);
    const time = mtimeSeconds + mtimeNanoseconds / 1e9;
    fs.utimesSync(bytes(path), time, time);
  }

  /** False: something could not be made. */
  end(): boolean {
    for (const [path, entry] of this.#directories.reverse()) this.#setAttributes(path, entry);
    return this.#isWhole;
  }
}
