/** The store's files: whole or not there. What is written gets a temporary name, is synced, and then renamed. */
import { EBADF, EEXIST, EINTR, EINVAL, EIO, ENOENT, ERRNO_NAMES } from '../abi/errno.ts';
import { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import type { HostAsyncFiles, HostFiles, ImageHost } from '../host/types.ts';
import { StoreError } from './errors.ts';

const READ_BYTES = 1 << 18;

export function checkErrno(answer: number, what: string, path: string): number {
  if (answer < 0) throw new StoreError(what, path, -answer, ERRNO_NAMES.get(-answer) ?? `error ${-answer}`);
  return answer;
}

/** Of an answer to fsync(2) of a directory: done, or nothing that this file system can do. */
export function isSynced(answer: number): boolean {
  return answer >= 0 || answer === -EINVAL || answer === -EBADF;
}

/** A file that is being written. Either `commit` gives it its name, or `discard` removes it. */
export class NewFile {
  readonly path: string;
  readonly #files: HostFiles;
  readonly #handle: number;
  #open = true;
  size = 0;

  constructor(files: HostFiles, path: string) {
    this.#files = files;
    this.path = path;
    this.#handle = checkErrno(files.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), 'create', path);
  }

  /** For who writes it to the disk without waiting on this thread, before `name`. */
  get handle(): number {
    return this.#handle;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const count = this.#files.write(this.#handle, at === 0 ? bytes : bytes.subarray(at), this.size);
      if (count === -EINTR) continue;
      checkErrno(count === 0 ? -EIO : count, 'write', this.path);
      at += count;
      this.size += count;
    }
  }

  /** Another thread writes; until that is done the bytes are its own, and nothing else is written. */
  async writeBy(files: HostAsyncFiles, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const count = await files.write(this.#handle, bytes.subarray(at), this.size);
      if (count === -EINTR) continue;
      checkErrno(count === 0 ? -EIO : count, 'write', this.path);
      at += count;
      this.size += count;
    }
  }

  /** Everything is on the disk afterwards, under its name. */
  commit(path: string): void {
    this.sync();
    this.name(path);
  }

  /** Everything is on the disk afterwards; there is no more to write. */
  sync(): void {
    checkErrno(this.#files.sync(this.#handle), 'write', this.path);
  }

  /** Gives it its name; it is on the disk already. */
  name(path: string): void {
    this.#close();
    checkErrno(this.#files.rename(this.path, path), 'rename to', path);
  }

  discard(): void {
    this.#close();
    this.#files.unlink(this.path);
  }

  #close(): void {
    if (this.#open) this.#files.close(this.#handle);
    this.#open = false;
  }
}

export class Disk {
  readonly root: string;
  readonly files: HostFiles;
  readonly host: ImageHost;
  readonly temporaryDirectory: string;

  /** `root`: a byte-string path. `temporary`: the directory in it for what is being written. */
  constructor(host: ImageHost, root: string, temporary = 'tmp') {
    this.host = host;
    this.files = host.files;
    this.root = root;
    this.temporaryDirectory = this.path(temporary);
  }

  path(...parts: readonly string[]): string {
    return [this.root, ...parts].join('/');
  }

  makeDirectory(path: string): void {
    const made = this.files.mkdir(path, 0o700);
    if (made === -ENOENT && path.lastIndexOf('/') > 0) {
      this.makeDirectory(path.slice(0, path.lastIndexOf('/')));
      this.makeDirectory(path);
    } else if (made !== -EEXIST) checkErrno(made, 'make the directory', path);
  }

  /**
   * The names in a directory, as they are now, are on the disk afterwards: fsync(2) of a file says nothing of its name. Where a file system
   * knows no such thing (EINVAL, EBADF) it does without.
   */
  syncDirectory(path: string): void {
    const handle = this.open(path);
    if (handle === undefined) return;
    const answer = this.files.sync(handle);
    this.files.close(handle);
    if (!isSynced(answer)) checkErrno(answer, 'write', path);
  }

  exists(path: string): boolean {
    return typeof this.files.lstat(path) !== 'number';
  }

  /** Bytes of the file, or undefined where there is none. */
  sizeOf(path: string): number | undefined {
    const stat = this.files.lstat(path);
    return typeof stat === 'number' ? undefined : stat.size;
  }

  /** Bytes of the disk that are free when this name goes: those of a file with two names are counted half at each. */
  ownBytesOf(path: string): number {
    const stat = this.files.lstat(path);
    return typeof stat === 'number' ? 0 : stat.size / Math.max(1, stat.nlink);
  }

  list(path: string): readonly string[] {
    const entries = this.files.readDirectory(path);
    if (entries === -ENOENT) return [];
    if (typeof entries !== 'number') return entries.map(({ name }) => name);
    checkErrno(entries, 'list', path);
    return [];
  }

  /** A new file in the directory for that. */
  newFile(): NewFile {
    return new NewFile(this.files, this.temporaryPath());
  }

  randomName(): string {
    const random = new Uint8Array(8);
    this.host.random(random);
    return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Its name says which process it belongs to (`Claims`). */
  temporaryPath(suffix = ''): string {
    return `${this.temporaryDirectory}/${this.host.owner}-${this.randomName()}${suffix}`;
  }

  writeFile(path: string, bytes: Uint8Array): void {
    this.#writeNew(bytes, (file) => file.commit(path));
  }

  /** Whole or not there for other processes, but not yet on the disk: for what is worth no waiting. After a power cut it may be empty. */
  writeFileQuickly(path: string, bytes: Uint8Array): void {
    this.#writeNew(bytes, (file) => file.name(path));
  }

  /** Where the disk is full: into the room that the file has, spaces behind. False: there is none, or not enough. A process that is killed meanwhile leaves it spoiled. */
  overwriteFile(path: string, bytes: Uint8Array): boolean {
    const handle = this.files.open(path, O_WRONLY, 0);
    if (handle < 0) return false;
    const padded = new Uint8Array(Math.max(bytes.length, this.sizeOf(path) ?? 0)).fill(0x20);
    padded.set(bytes);
    const count = this.files.write(handle, padded, 0);
    this.files.close(handle);
    return count === padded.length;
  }

  /** `finish` gives it its name. */
  #writeNew(bytes: Uint8Array, finish: (file: NewFile) => void): void {
    const file = this.newFile();
    try {
      file.write(bytes);
      finish(file);
    } catch (error) {
      file.discard();
      throw error;
    }
  }

  /** Undefined: no such file. `most`: a file that is longer is an error of EIO. */
  readFile(path: string, most: number): Uint8Array<ArrayBuffer> | undefined {
    const handle = this.open(path);
    if (handle === undefined) return undefined;
    try {
      const stat = this.files.fstat(handle);
      if (typeof stat === 'number' || stat.size > most) checkErrno(typeof stat === 'number' ? stat : -EIO, 'read', path);
      const bytes = new Uint8Array(typeof stat === 'number' ? 0 : stat.size);
      for (let at = 0; at < bytes.length;) {
        const count = checkErrno(this.files.read(handle, bytes.subarray(at), at), 'read', path);
        if (count === 0) return bytes.slice(0, at);
        at += count;
      }
      return bytes;
    } finally {
      this.files.close(handle);
    }
  }

  /** That many bytes from a place, or what there is. */
  readPart(path: string, start: number, length: number): Uint8Array<ArrayBuffer> {
    const handle = this.open(path) ?? checkErrno(-ENOENT, 'open', path);
    const bytes = new Uint8Array(length);
    try {
      for (let at = 0; at < length;) {
        const count = checkErrno(this.files.read(handle, bytes.subarray(at), start + at), 'read', path);
        if (count === 0) return bytes.slice(0, at);
        at += count;
      }
      return bytes;
    } finally {
      this.files.close(handle);
    }
  }

  /** A handle for reading; undefined where there is no such file. */
  open(path: string): number | undefined {
    const handle = this.files.open(path, O_RDONLY, 0);
    return handle === -ENOENT ? undefined : checkErrno(handle, 'open', path);
  }

  /** Whole, in pieces that hold until the next one. */
  *chunks(path: string): Iterable<Uint8Array> {
    const handle = this.open(path) ?? checkErrno(-ENOENT, 'open', path);
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (let at = 0; ;) {
        const count = checkErrno(this.files.read(handle, buffer, at), 'read', path);
        if (count === 0) return;
        yield buffer.subarray(0, count);
        at += count;
      }
    } finally {
      this.files.close(handle);
    }
  }

  /** In hexadecimal; the whole file is read. Undefined: there is none (any more). */
  digestOfFile(path: string, algorithm: 'sha256' | 'sha512'): string | undefined {
    const hash = this.host.codecs.createDigest(algorithm);
    try {
      for (const chunk of this.chunks(path)) hash.update(chunk);
    } catch (error) {
      if (error instanceof StoreError && error.errno === ENOENT) return undefined;
      throw error;
    }
    return hash.hex();
  }

  /** A file, or a part of it, in pieces that stay valid. */
  async *stream(path: string, start = 0, length = Number.MAX_SAFE_INTEGER): AsyncIterable<Uint8Array<ArrayBuffer>> {
    const handle = this.open(path) ?? checkErrno(-ENOENT, 'open', path);
    try {
      for (let at = start; at < start + length;) {
        const buffer = new Uint8Array(Math.min(READ_BYTES, start + length - at));
        const count = checkErrno(this.files.read(handle, buffer, at), 'read', path);
        if (count === 0) return;
        yield buffer.subarray(0, count);
        at += count;
      }
    } finally {
      this.files.close(handle);
    }
  }

  /** Milliseconds since the epoch; undefined where there is no such file. */
  mtimeOf(path: string): number | undefined {
    const stat = this.files.lstat(path);
    return typeof stat === 'number' ? undefined : Number(stat.mtimeNs / 1000n) / 1000;
  }

  /** Its time becomes now. False: there is no such file. */
  touch(path: string): boolean {
    const nowNs = BigInt(this.host.now()) * 1_000_000n;
    const answer = this.files.utimes(path, nowNs, nowNs);
    if (answer === -ENOENT) return false;
    checkErrno(answer, 'change the time of', path);
    return true;
  }

  /** Another name for a file. False: the file system has no such thing, or there is no such file. */
  link(from: string, to: string): boolean {
    const temporary = this.temporaryPath();
    if (this.files.link(from, temporary) < 0) return false;
    const answer = this.files.rename(temporary, to);
    // rename(2): where both are the same file already, neither name goes away.
    this.remove(temporary);
    return checkErrno(answer, 'rename to', to) === 0;
  }

  remove(path: string): void {
    const answer = this.files.unlink(path);
    if (answer !== -ENOENT) checkErrno(answer, 'remove', path);
  }
}
