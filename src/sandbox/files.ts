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
   * The text of a file, as UTF-8.
   *
   * @example
   * await sandbox.commands.run('echo text > /tmp/file');
   * console.log(JSON.stringify(await sandbox.files.read('/tmp/file'))); // "text\n"
   * @throws SandboxError with the errno's name as code, as all of these.
   */
  async read(path: string): Promise<string> {
    return new TextDecoder().decode(await this.readBytes(path));
  }

  /**
   * The bytes of a file.
   *
   * @example
   * const elf = await sandbox.files.readBytes('/bin/sh');
   * console.log(elf.subarray(0, 4).join()); // 127,69,76,70
   */
  async readBytes(path: string): Promise<Uint8Array> {
    return this.#client.call(`read "${path}"`, 'readFile', toByteString(path));
  }

  /**
   * Makes the file or replaces its contents. Directories above it must exist.
   *
   * @example
   * await sandbox.files.write('/tmp/script', '#!/bin/sh\necho done', { mode: 0o755 });
   * console.log((await sandbox.commands.run('/tmp/script')).stdout.trimEnd()); // done
   */
  async write(path: string, data: string | Uint8Array, options: { readonly mode?: number } = {}): Promise<void> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    await this.#client.call(`write "${path}"`, 'writeFile', toByteString(path), bytes, options.mode ?? 0o644);
  }

  /**
   * Entries of a directory, without `.` and `..`.
   *
   * @example
   * await sandbox.commands.run('mkdir /tmp/list && cd /tmp/list && ln -s nowhere link && mkdir directory');
   * console.log((await sandbox.files.list('/tmp/list')).map(({ name, type }) => `${name}: ${type}`).sort()); // [ 'directory: directory', 'link: symlink' ]
   */
  async list(path: string): Promise<readonly FileInfo[]> {
    const entries = await this.#client.call(`list "${path}"`, 'list', toByteString(path));
    return entries.map((entry) => ({ ...entry, name: toText(entry.name) }));
  }

  /**
   * What a path is. Does not follow a symbolic link.
   *
   * @example
   * await sandbox.files.write('/tmp/file', 'text', { mode: 0o600 });
   * const { type, size, mode } = await sandbox.files.stat('/tmp/file');
   * console.log(type, size, mode.toString(8)); // file 4 600
   */
  async stat(path: string): Promise<FileInfo> {
    const info = await this.#client.call(`look at "${path}"`, 'stat', toByteString(path));
    return { ...info, name: toText(info.name) };
  }

  /**
   * Removes a file, or a directory with all that is in it.
   *
   * @example
   * await sandbox.commands.run('mkdir -p /tmp/a/b/c');
   * await sandbox.files.remove('/tmp/a');
   * console.log((await sandbox.commands.run('test -e /tmp/a')).exitCode); // 1
   */
  async remove(path: string): Promise<void> {
    await this.#client.call(`remove "${path}"`, 'remove', toByteString(path));
  }

  /**
   * As rename(2): what was at the new name is replaced.
   *
   * @example
   * await sandbox.files.write('/tmp/old', 'text');
   * await sandbox.files.rename('/tmp/old', '/tmp/new');
   * console.log(await sandbox.files.read('/tmp/new')); // text
   */
  async rename(from: string, to: string): Promise<void> {
    await this.#client.call(`rename "${from}"`, 'rename', toByteString(from), toByteString(to));
  }

  /**
   * One directory; those above it must exist.
   *
   * @example
   * await sandbox.files.makeDirectory('/tmp/directory');
   * console.log((await sandbox.files.stat('/tmp/directory')).type); // directory
   */
  async makeDirectory(path: string): Promise<void> {
    await this.#client.call(`make the directory "${path}"`, 'makeDirectory', toByteString(path));
  }

  /**
   * Calls back when entries of a directory come, change or go, about five times a second at most. Stop it with
   * the signal.
   *
   * @example
   * const controller = new AbortController();
   * await sandbox.files.watch('/tmp', ({ kind, path }) => {
   *   if (path === '/tmp/watched') console.log(kind); // added
   * }, { signal: controller.signal });
   * await sandbox.commands.run('touch /tmp/watched; sleep 0.5');
   * controller.abort();
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
