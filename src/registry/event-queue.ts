/**
 * Events that wait for a receiver, in the order in which they happened: one file each, `events/NAME/TIME-NUMBER-RANDOM.json`. They outlive
 * the registry. There are only so many; the oldest goes for a new one.
 */
import { checkErrno } from '../image/index.ts';
import { MOST_EVENT_BYTES, MOST_QUEUED_EVENTS } from './limits.ts';
import type { LocalFiles } from './storage.ts';

export interface QueuedEvent {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** When it happened, in milliseconds since the epoch. */
  readonly atMs: number;
}

const NAME = /^(\d{14})-\d{6}-[0-9a-f]+\.json$/;

export class EventQueue {
  readonly #storage: LocalFiles;
  readonly #directory: string;
  /** The oldest first. */
  #names: string[];
  #count = 0;

  /** @throws StoreError */
  constructor(storage: LocalFiles, name: string) {
    this.#storage = storage;
    this.#directory = storage.disk.path('events', name);
    storage.disk.makeDirectory(this.#directory);
    for (const directory of [this.#directory, storage.disk.path('events'), storage.disk.root]) storage.disk.syncDirectory(directory);
    this.#names = storage.disk.list(this.#directory).filter((entry) => NAME.test(entry)).sort();
  }

  get length(): number {
    return this.#names.length;
  }

  /** It is on the disk when this ends. Answers how many old ones went for it. @throws StoreError */
  async add(bytes: Uint8Array): Promise<number> {
    const { disk, files, names } = this.#storage;
    this.#count = (this.#count + 1) % 1_000_000;
    const name = `${String(disk.host.now()).padStart(14, '0')}-${String(this.#count).padStart(6, '0')}-${disk.randomName()}.json`;
    const file = disk.newFile();
    try {
      file.write(bytes);
      checkErrno(await files.sync(file.handle), 'write', file.path);
      file.name(`${this.#directory}/${name}`);
    } catch (error) {
      file.discard();
      throw error;
    }
    await names.sync([this.#directory]);
    this.#names.push(name);
    let dropped = 0;
    for (; this.#names.length > MOST_QUEUED_EVENTS; dropped++) this.remove(this.#names[0]!);
    return dropped;
  }

  /** The oldest; one whose file is gone or too long is passed over. */
  first(): QueuedEvent | undefined {
    const { disk } = this.#storage;
    for (let name = this.#names[0]; name !== undefined; name = this.#names[0]) {
      const path = `${this.#directory}/${name}`;
      const bytes = (disk.sizeOf(path) ?? Infinity) > MOST_EVENT_BYTES ? undefined : disk.readFile(path, MOST_EVENT_BYTES);
      if (bytes !== undefined) return { name, bytes, atMs: Number(NAME.exec(name)?.[1]) };
      this.remove(name);
    }
    return undefined;
  }

  remove(name: string): void {
    this.#names = this.#names.filter((other) => other !== name);
    this.#storage.disk.remove(`${this.#directory}/${name}`);
  }
}
