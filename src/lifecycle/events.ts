/**
 * What has happened to containers, volumes and networks: `events/log` in the store, a line of JSON for each, appended in one write, so that any number of
 * processes may say something at once. A file that has grown is set aside as `log.1`, over the one before.
 */
import { ENOENT } from '../abi/errno.ts';
import { O_APPEND, O_CREAT, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { ImageError, StoreLock } from '../image/index.ts';
import type { Disk } from '../image/index.ts';
import { MOST_ACTION_LENGTH, MOST_EVENT_BYTES, MOST_EVENT_LINE_BYTES } from './limits.ts';

export type EventType = 'container' | 'network' | 'volume';

/** A line, in the words of Docker's API ("Monitor events"). */
export interface LifeEvent {
  readonly type: EventType;
  /** `start`, `die`, `health_status: healthy`, ... */
  readonly action: string;
  /** Of the container; the name of a volume or network. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
}

const READ_BYTES = 1 << 16;
const NEWLINE = 10;

function parseEvent(line: Uint8Array): LifeEvent | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(line)) as Partial<LifeEvent> | null;
    if (typeof value?.type !== 'string' || typeof value.action !== 'string' || typeof value.id !== 'string' || typeof value.timeMs !== 'number' || typeof value.attributes !== 'object') return undefined;
    return value as LifeEvent;
  } catch {
    return undefined;
  }
}

export class EventLog {
  readonly #disk: Disk;
  readonly #path: string;

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#path = disk.path('events', 'log');
  }

  /** Says that something has happened. What cannot be written down is not worth an error. */
  append(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    // A command line may be long.
    const event: LifeEvent = { type, action: action.slice(0, MOST_ACTION_LENGTH), id, attributes, timeMs: this.#disk.host.now() };
    let line = new TextEncoder().encode(`${JSON.stringify(event)}\n`);
    if (line.length > MOST_EVENT_LINE_BYTES) line = new TextEncoder().encode(`${JSON.stringify({ ...event, attributes: {} })}\n`);
    const handle = this.#open();
    if (handle < 0) return;
    const { files } = this.#disk;
    files.write(handle, line, 0);
    const stat = files.fstat(handle);
    files.close(handle);
    if (typeof stat !== 'number' && stat.size > MOST_EVENT_BYTES) this.#setAside(stat.ino);
  }

  #open(): number {
    const { files } = this.#disk;
    const flags = O_WRONLY | O_CREAT | O_APPEND;
    const handle = files.open(this.#path, flags, 0o600);
    if (handle !== -ENOENT) return handle;
    files.mkdir(this.#disk.path('events'), 0o700);
    return files.open(this.#path, flags, 0o600);
  }

  /** Unless somebody else has done it meanwhile. */
  #setAside(ino: number): void {
    try {
      new StoreLock(this.#disk, 'events/lock', () => {}).hold(() => {
        const now = this.#disk.files.lstat(this.#path);
        if (typeof now !== 'number' && now.ino === ino) this.#disk.files.rename(this.#path, `${this.#path}.1`);
      });
    } catch (error) {
      // Whoever says something next does it.
      if (!(error instanceof ImageError)) throw error;
    }
  }

  reader(): EventReader {
    return new EventReader(this.#disk, this.#path);
  }
}

/** Reads from the oldest event on, and goes on where more has happened since. */
export class EventReader {
  readonly #disk: Disk;
  readonly #path: string;
  #handle = -1;
  #position = 0;
  #rest: Uint8Array = new Uint8Array();

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  *all(): Iterable<LifeEvent> {
    this.#handle = this.#disk.files.open(`${this.#path}.1`, O_RDONLY, 0);
    yield* this.#lines();
    this.end();
    yield* this.more();
  }

  *more(): Iterable<LifeEvent> {
    if (this.#handle < 0) this.#handle = this.#disk.files.open(this.#path, O_RDONLY, 0);
    yield* this.#lines();
    if (!this.#wasSetAside()) return;
    // What was said before it was.
    yield* this.#lines();
    this.end();
    this.#handle = this.#disk.files.open(this.#path, O_RDONLY, 0);
    yield* this.#lines();
  }

  #wasSetAside(): boolean {
    const { files } = this.#disk;
    const [own, now] = [this.#handle < 0 ? -1 : files.fstat(this.#handle), files.lstat(this.#path)];
    return typeof own !== 'number' && typeof now !== 'number' && own.ino !== now.ino;
  }

  *#lines(): Iterable<LifeEvent> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = this.#handle < 0 ? 0 : this.#disk.files.read(this.#handle, buffer, this.#position);
      if (count <= 0) return;
      this.#position += count;
      const text = new Uint8Array(this.#rest.length + count);
      text.set(this.#rest);
      text.set(buffer.subarray(0, count), this.#rest.length);
      let at = 0;
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, at)) {
        const event = parseEvent(text.subarray(at, end));
        if (event !== undefined) yield event;
        at = end + 1;
      }
      this.#rest = text.slice(at);
    }
  }

  end(): void {
    if (this.#handle >= 0) this.#disk.files.close(this.#handle);
    this.#handle = -1;
    this.#position = 0;
    this.#rest = new Uint8Array();
  }
}
