/** Files in a sandbox, from outside: as root, and with its own view of the tree. */
import type { Client } from './client.ts';
import type { FileInfo } from './protocol.ts';
import { toByteString, toText } from './text.ts';

/** How often a watched path is looked at. */
const WATCH_INTERVAL_MS = 200;

export interface WatchEvent {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly path: string;
}

export class Files {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * @example
   * const text = await sandbox.files.read('/etc/hostname');
   */
  async read(path: string): Promise<string> {
    return new TextDecoder().decode(await this.readBytes(path));
  }

  async readBytes(path: string): Promise<Uint8Array> {
    return this.#client.call(`read "${path}"`, 'readFile', toByteString(path));
  }

  /** Makes the file or replaces its contents. Directories above it must exist. */
  async write(path: string, data: string | Uint8Array, options: { readonly mode?: number } = {}): Promise<void> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    await this.#client.call(`write "${path}"`, 'writeFile', toByteString(path), bytes, options.mode ?? 0o644);
  }

  /** Entries of a directory by name. */
  async list(path: string): Promise<readonly FileInfo[]> {
    const entries = await this.#client.call(`list "${path}"`, 'list', toByteString(path));
    return entries.map((entry) => ({ ...entry, name: toText(entry.name) }));
  }

  /** Does not follow a symbolic link. */
  async stat(path: string): Promise<FileInfo> {
    const info = await this.#client.call(`look at "${path}"`, 'stat', toByteString(path));
    return { ...info, name: toText(info.name) };
  }

  /** A file, or a directory with all that is in it. */
  async remove(path: string): Promise<void> {
    await this.#client.call(`remove "${path}"`, 'remove', toByteString(path));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#client.call(`rename "${from}"`, 'rename', toByteString(from), toByteString(to));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#client.call(`make the directory "${path}"`, 'makeDirectory', toByteString(path));
  }

  /**
   * Calls back when entries of a directory come, change or go, about five times a second at most. Stop it with
   * the signal.
   */
  async watch(path: string, callback: (event: WatchEvent) => void, options: { readonly signal: AbortSignal }): Promise<void> {
    let before = await this.#snapshot(path);
    const timer = setInterval(() => {
      void this.#snapshot(path).then(
        (now) => {
          for (const event of differences(path, before, now)) callback(event);
          before = now;
        },
        () => clearInterval(timer),
      );
    }, WATCH_INTERVAL_MS);
    options.signal.addEventListener('abort', () => clearInterval(timer));
  }

  async #snapshot(path: string): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.list(path)).map(({ name, size, mtimeMs, type }) => [name, `${type} ${size} ${mtimeMs}`]));
  }
}

function* differences(path: string, before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Iterable<WatchEvent> {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  for (const [name, description] of now) {
    const old = before.get(name);
    if (old === undefined) yield { kind: 'added', path: prefix + name };
    else if (old !== description) yield { kind: 'changed', path: prefix + name };
  }
  for (const name of before.keys()) if (!now.has(name)) yield { kind: 'removed', path: prefix + name };
}
