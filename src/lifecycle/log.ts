/**
 * What a container prints, kept in files of the form that Kubernetes' runtimes write (CRI: `TIME STREAM F|P TEXT`), because it keeps bytes as they are;
 * `P`: the text has no newline behind it. A file that is full becomes `log.1`, that one `log.2`, and the oldest goes.
 */
import { O_APPEND, O_CREAT, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import type { HostFiles } from '../host/types.ts';
import { MOST_LOG_LINE_BYTES } from './limits.ts';

const NEWLINE = 10;
const READ_BYTES = 1 << 16;

export interface LogOptions {
  readonly files: HostFiles;
  /** Of the newest file. */
  readonly path: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** RFC 3339 with nanoseconds, as Docker prints times. */
export function logTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000000Z');
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Lines are written when they are whole, at once. What cannot be written (a full disk) is lost, and the container goes on. */
export class LogWriter {
  readonly #options: LogOptions;
  readonly #rest = new Map<number, Uint8Array>();
  #handle = -1;
  #size = 0;
  #failure = 0;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** The errno of the first write that failed; 0: none did. */
  get failure(): number {
    return this.#failure;
  }

  /** `fd`: 1 or 2. */
  write(fd: number, bytes: Uint8Array): void {
    const rest = this.#rest.get(fd);
    const text = rest === undefined ? bytes : joined(rest, bytes);
    let at = 0;
    const lines: Uint8Array[] = [];
    for (;;) {
      const end = text.indexOf(NEWLINE, at);
      const limit = at + MOST_LOG_LINE_BYTES;
      if (end >= 0 && end <= limit) {
        lines.push(this.#line(fd, 'F', text.subarray(at, end)));
        at = end + 1;
      } else if (text.length > limit) {
        lines.push(this.#line(fd, 'P', text.subarray(at, limit)));
        at = limit;
      } else break;
    }
    if (at < text.length) this.#rest.set(fd, text.slice(at));
    else this.#rest.delete(fd);
    this.#appendAll(lines);
  }

  /** At once, unless a file ends among them. */
  #appendAll(lines: readonly Uint8Array[]): void {
    if (this.#handle < 0 && lines.length > 0) this.#open();
    const length = lines.reduce((sum, line) => sum + line.length, 0);
    if (lines.length < 2 || this.#size + length > this.#options.maxBytes) {
      for (const line of lines) this.#append(line);
      return;
    }
    const all = new Uint8Array(length);
    let at = 0;
    for (const line of lines) {
      all.set(line, at);
      at += line.length;
    }
    this.#append(all);
  }

  #line(fd: number, tag: string, text: Uint8Array): Uint8Array {
    const head = new TextEncoder().encode(`${logTime(this.#options.now())} ${fd === 2 ? 'stderr' : 'stdout'} ${tag} `);
    const line = new Uint8Array(head.length + text.length + 1);
    line.set(head);
    line.set(text, head.length);
    line[line.length - 1] = NEWLINE;
    return line;
  }

  #append(line: Uint8Array): void {
    const { files, maxBytes } = this.#options;
    if (this.#handle < 0) this.#open();
    if (this.#size > 0 && this.#size + line.length > maxBytes) {
      this.#rotate();
      this.#open();
    }
    if (this.#handle < 0) return;
    const count = files.write(this.#handle, line, this.#size);
    if (count < 0) this.#failure ||= -count;
    else this.#size += count;
  }

  #open(): void {
    const { files, path } = this.#options;
    this.#handle = files.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600);
    if (this.#handle < 0) this.#failure ||= -this.#handle;
    const stat = this.#handle < 0 ? -1 : files.fstat(this.#handle);
    this.#size = typeof stat === 'number' ? 0 : stat.size;
  }

  #rotate(): void {
    const { files, path, maxFiles } = this.#options;
    files.close(this.#handle);
    this.#handle = -1;
    for (let number = maxFiles - 1; number >= 1; number--) files.rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`);
    if (maxFiles === 1) files.unlink(path);
  }

  /** Writes what has no newline behind it. */
  end(): void {
    for (const [fd, rest] of this.#rest) this.#append(this.#line(fd, 'P', rest));
    this.#rest.clear();
    if (this.#handle >= 0) this.#options.files.close(this.#handle);
    this.#handle = -1;
  }
}

export interface LogLine {
  /** As it stands in the file. */
  readonly time: string;
  /** 1 or 2. */
  readonly fd: number;
  /** With its newline, if it has one. */
  readonly bytes: Uint8Array;
}

/** Undefined for what is no line of a log. */
function parseLine(line: Uint8Array): LogLine | undefined {
  const head = Array.from(line.subarray(0, 48), (byte) => String.fromCharCode(byte)).join('');
  const match = /^(\S{20,40}) (stdout|stderr) ([FP]) /.exec(head);
  if (match === null) return undefined;
  const [all, time = '', stream, tag] = match;
  const text = line.subarray(all.length);
  return { time, fd: stream === 'stderr' ? 2 : 1, bytes: tag === 'F' ? joined(text, new Uint8Array([NEWLINE])) : text.slice() };
}

/** Reads from the oldest line on, and goes on where more was written since. */
export class LogReader {
  readonly #files: HostFiles;
  readonly #path: string;
  #handle = -1;
  #position = 0;
  #rest: Uint8Array = new Uint8Array();

  constructor(files: HostFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Files that were set aside, the oldest first, and the newest one. */
  *all(): Iterable<LogLine> {
    const older: string[] = [];
    for (let number = 1; typeof this.#files.lstat(`${this.#path}.${number}`) !== 'number'; number++) older.unshift(`${this.#path}.${number}`);
    for (const path of older) {
      this.#handle = this.#files.open(path, O_RDONLY, 0);
      yield* this.#lines();
      this.#close();
    }
    yield* this.more();
  }

  /** Lines that are new since the last time. */
  *more(): Iterable<LogLine> {
    if (this.#handle < 0) this.#handle = this.#files.open(this.#path, O_RDONLY, 0);
    yield* this.#lines();
    if (!this.#wasSetAside()) return;
    this.#close();
    this.#handle = this.#files.open(this.#path, O_RDONLY, 0);
    yield* this.#lines();
  }

  #wasSetAside(): boolean {
    const [own, now] = [this.#handle < 0 ? -1 : this.#files.fstat(this.#handle), this.#files.lstat(this.#path)];
    return typeof own !== 'number' && typeof now !== 'number' && own.ino !== now.ino;
  }

  *#lines(): Iterable<LogLine> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = this.#handle < 0 ? 0 : this.#files.read(this.#handle, buffer, this.#position);
      if (count <= 0) return;
      this.#position += count;
      const text = joined(this.#rest, buffer.subarray(0, count));
      let at = 0;
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, at)) {
        const line = parseLine(text.subarray(at, end));
        if (line !== undefined) yield line;
        at = end + 1;
      }
      this.#rest = text.slice(at);
    }
  }

  #close(): void {
    if (this.#handle >= 0) this.#files.close(this.#handle);
    this.#handle = -1;
    this.#position = 0;
    this.#rest = new Uint8Array();
  }

  end(): void {
    this.#close();
  }
}
