/**
 * Owners and modes of a directory of the host that is not root's to give: they are written down in a file beside it, and seen by guests as if the
 * host had them. What is not written down is root's inside, as it is the user's outside. (fuse-overlayfs keeps the same in an extended attribute.)
 *
 * The file has a line `INODE UID GID MODE` for each change, the last one counts, and `INODE -` where an object is gone. Several processes may append to it.
 */
import { ENOSPC } from '../abi/errno.ts';
import { O_APPEND, O_CREAT, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../abi/stat.ts';
import type { HostFiles, HostStat } from '../host/types.ts';

interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Objects with an owner of their own; each costs some 100 bytes of memory. More are ENOSPC. */
const MOST_OWNED = 1_000_000;
/** A file that is longer, and mostly of what does not count any more, is written anew. */
const REWRITE_FROM_BYTES = 1 << 20;
const USUAL_LINE_BYTES = 32;
/** How often others' changes are looked for. */
const LOOK_NS = 2e8;
const READ_BYTES = 1 << 16;

class OwnerTable {
  readonly #files: HostFiles;
  readonly #path: string;
  readonly #monotonicNs: () => number;
  readonly #owned = new Map<number, Ownership>();
  #ino = -1;
  #position = 0;
  #rest = '';
  #lookedNs = -Infinity;

  constructor(files: HostFiles, path: string, monotonicNs: () => number) {
    this.#files = files;
    this.#path = path;
    this.#monotonicNs = monotonicNs;
  }

  get(ino: number): Ownership | undefined {
    this.#look();
    return this.#owned.get(ino);
  }

  /** 0 or a negative errno. */
  set(ino: number, ownership: Ownership): number {
    this.#look();
    const before = this.#owned.get(ino);
    if (before !== undefined && before.uid === ownership.uid && before.gid === ownership.gid && before.mode === ownership.mode) return 0;
    if (before === undefined && this.#owned.size >= MOST_OWNED) return -ENOSPC;
    return this.#append(`${ino} ${ownership.uid} ${ownership.gid} ${ownership.mode.toString(8)}\n`);
  }

  forget(ino: number): void {
    if (this.#owned.has(ino)) this.#append(`${ino} -\n`);
  }

  #append(line: string): number {
    const handle = this.#files.open(this.#path, O_WRONLY | O_CREAT | O_APPEND, 0o600);
    if (handle < 0) return handle;
    const written = this.#files.write(handle, new TextEncoder().encode(line), 0);
    this.#files.close(handle);
    if (written < 0) return written;
    this.#read();
    if (this.#position > REWRITE_FROM_BYTES && this.#position > 4 * USUAL_LINE_BYTES * this.#owned.size) this.#rewrite();
    return 0;
  }

  #look(): void {
    const now = this.#monotonicNs();
    if (now - this.#lookedNs >= LOOK_NS) this.#read();
  }

  /** What was appended since, by whomever. */
  #read(): void {
    this.#lookedNs = this.#monotonicNs();
    const handle = this.#files.open(this.#path, O_RDONLY, 0);
    if (handle < 0) return;
    const stat = this.#files.fstat(handle);
    if (typeof stat !== 'number' && stat.ino !== this.#ino) {
      this.#owned.clear();
      this.#position = 0;
      this.#rest = '';
      this.#ino = stat.ino;
    }
    const buffer = new Uint8Array(READ_BYTES);
    for (let count = this.#files.read(handle, buffer, this.#position); count > 0; count = this.#files.read(handle, buffer, this.#position)) {
      this.#position += count;
      const lines = (this.#rest + new TextDecoder('latin1').decode(buffer.subarray(0, count))).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    }
    this.#files.close(handle);
  }

  #take(line: string): void {
    const [, ino, uid, gid = '0', mode = '0'] = /^(\d{1,16}) (-|\d{1,10})(?: (\d{1,10}) ([0-7]{1,4}))?$/.exec(line) ?? [];
    if (ino === undefined) return;
    if (uid === '-') this.#owned.delete(Number(ino));
    else this.#owned.set(Number(ino), { uid: Number(uid), gid: Number(gid), mode: parseInt(mode, 8) });
  }

  #rewrite(): void {
    const fresh = `${this.#path}.new`;
    this.#files.unlink(fresh);
    const handle = this.#files.open(fresh, O_WRONLY | O_CREAT, 0o600);
    if (handle < 0) return;
    const text = [...this.#owned].map(([ino, { uid, gid, mode }]) => `${ino} ${uid} ${gid} ${mode.toString(8)}\n`).join('');
    const bytes = new TextEncoder().encode(text);
    const isWhole = this.#files.write(handle, bytes, 0) === bytes.length;
    this.#files.close(handle);
    if (isWhole) this.#files.rename(fresh, this.#path);
    else this.#files.unlink(fresh);
  }
}

/** What the host's user needs to go on with what a guest has made, whatever mode it gave that. */
function neededMode(type: number): number {
  return type === S_IFDIR ? 0o700 : 0o600;
}

/** The files of a host, seen with the owners and modes in a table. */
export class OwnedFiles implements HostFiles {
  readonly #files: HostFiles;
  readonly #table: OwnerTable;
  readonly #own: { readonly uid: number; readonly gid: number };

  /** `own`: of the host's user, shown as root. `path`: of the table's file. */
  constructor(files: HostFiles, path: string, own: { readonly uid: number; readonly gid: number }, monotonicNs: () => number) {
    this.#files = files;
    this.#own = own;
    this.#table = new OwnerTable(files, path, monotonicNs);
  }

  #shown(stat: HostStat | number): HostStat | number {
    if (typeof stat === 'number') return stat;
    const owned = this.#table.get(stat.ino);
    if (owned !== undefined) return { ...stat, uid: owned.uid, gid: owned.gid, mode: (stat.mode & S_IFMT) | owned.mode };
    return { ...stat, uid: stat.uid === this.#own.uid ? 0 : stat.uid, gid: stat.gid === this.#own.gid ? 0 : stat.gid };
  }

  #change(path: string, change: Partial<Ownership>): number {
    const stat = this.#shown(this.#files.lstat(path));
    if (typeof stat === 'number') return stat;
    return this.#table.set(stat.ino, { uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o7777, ...change });
  }

  lchown(path: string, uid: number, gid: number): number {
    return this.#change(path, { uid, gid });
  }

  chmod(path: string, mode: number): number {
    const stat = this.#files.lstat(path);
    if (typeof stat === 'number') return stat;
    const type = stat.mode & S_IFMT;
    // chmod(2) follows links; no guest's does.
    const error = type === S_IFLNK ? 0 : this.#files.chmod(path, (mode & 0o777) | neededMode(type));
    return error === 0 ? this.#change(path, { mode: mode & 0o7777 }) : error;
  }

  /** The last name of an object goes, and with it what was written down of that. */
  #removing(path: string, call: () => number): number {
    const before = this.#files.lstat(path);
    const error = call();
    if (error === 0 && typeof before !== 'number' && (before.nlink <= 1 || (before.mode & S_IFMT) === S_IFDIR)) this.#table.forget(before.ino);
    return error;
  }

  unlink(path: string): number {
    return this.#removing(path, () => this.#files.unlink(path));
  }
  rmdir(path: string): number {
    return this.#removing(path, () => this.#files.rmdir(path));
  }
  rename(from: string, to: string): number {
    const [source, target] = [this.#files.lstat(from), this.#files.lstat(to)];
    const isSame = typeof source !== 'number' && typeof target !== 'number' && source.ino === target.ino;
    return isSame ? this.#files.rename(from, to) : this.#removing(to, () => this.#files.rename(from, to));
  }
  lstat(path: string): HostStat | number {
    return this.#shown(this.#files.lstat(path));
  }
  fstat(handle: number): HostStat | number {
    return this.#shown(this.#files.fstat(handle));
  }
  open(path: string, flags: number, mode: number): number {
    return this.#files.open(path, flags, (flags & O_CREAT) === 0 ? mode : (mode & 0o777) | neededMode(0));
  }
  mkdir(path: string, mode: number): number {
    return this.#files.mkdir(path, (mode & 0o777) | neededMode(S_IFDIR));
  }
  readDirectory(path: string): ReturnType<HostFiles['readDirectory']> {
    return this.#files.readDirectory(path);
  }
  readLink(path: string): string | number {
    return this.#files.readLink(path);
  }
  close(handle: number): void {
    this.#files.close(handle);
  }
  read(handle: number, buffer: Uint8Array, position: number): number {
    return this.#files.read(handle, buffer, position);
  }
  write(handle: number, buffer: Uint8Array, position: number): number {
    return this.#files.write(handle, buffer, position);
  }
  truncate(handle: number, size: number): number {
    return this.#files.truncate(handle, size);
  }
  sync(handle: number): number {
    return this.#files.sync(handle);
  }
  symlink(target: string, path: string): number {
    return this.#files.symlink(target, path);
  }
  link(from: string, to: string): number {
    return this.#files.link(from, to);
  }
  utimes(path: string, atimeNs: bigint, mtimeNs: bigint): number {
    return this.#files.utimes(path, atimeNs, mtimeNs);
  }
  statfs(path: string): ReturnType<HostFiles['statfs']> {
    return this.#files.statfs(path);
  }
}
