/** A sandbox: a kernel with its files in a worker of its own. */
import { currentUser, homeDirectories, takeWorker } from '../host/node/worker.ts';
import type { SandboxWorker } from '../host/node/worker.ts';
import { Client } from './client.ts';
import { Commands } from './commands.ts';
import type { CommandDefaults } from './commands.ts';
import { Files } from './files.ts';
import { findImage, imageDefaults } from './image.ts';
import { DEFAULT_ENVIRONMENT, toContainerConfig } from './options.ts';
import type { SandboxOptions, SandboxPort } from './options.ts';
import type { ChangeInfo } from './protocol.ts';
import { toText } from './text.ts';

export class Sandbox {
  readonly commands: Commands;
  readonly files: Files;
  readonly #client: Client;
  readonly #worker: SandboxWorker;

  /**
   * Where its ports are reached on this machine.
   *
   * @example
   * await using server = await Sandbox.create({ ports: [{ port: 80 }] });
   * console.log(server.ports[0]?.port, server.ports[0]?.address); // 80 127.0.0.1
   */
  readonly ports: readonly Required<SandboxPort>[];

  private constructor(worker: SandboxWorker, client: Client, defaults: CommandDefaults, ports: readonly Required<SandboxPort>[]) {
    this.ports = ports;
    this.#worker = worker;
    this.#client = client;
    this.files = new Files(client);
    this.commands = new Commands(client, defaults);
  }

  /**
   * Makes a sandbox. Nothing of it is visible outside, and nothing of the host can be changed from inside except
   * writable mounts.
   *
   * @example
   * await using sandbox = await Sandbox.create({ root: '/' });
   * const { stdout } = await sandbox.commands.run('uname -s');
   * console.log(stdout.trimEnd()); // Linux
   * @throws SandboxError if the root, the image, a mount or a port of this machine cannot be used; RangeError for what is no port.
   */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const image = options.image === undefined ? undefined : await findImage(options.image);
    const worker = takeWorker();
    const client = new Client(worker.port);
    worker.onExit((reason) => {
      client.close(reason);
      image?.use.end();
    });
    try {
      const ports = await client.call('make the sandbox', 'create', toContainerConfig(options, homeDirectories(), image?.layers));
      const own = { env: { ...DEFAULT_ENVIRONMENT, ...options.env }, cwd: options.cwd ?? '/', user: options.user ?? currentUser() };
      return new Sandbox(worker, client, image === undefined ? own : await imageDefaults(image, options, new Files(client)), ports);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /**
   * What differs from the root directory: added (A), changed (C) and deleted (D) paths, as `docker diff`.
   *
   * @example
   * await sandbox.files.write('/tmp/new-file', 'text');
   * console.log((await sandbox.changes()).filter(({ path }) => path === '/tmp/new-file')); // [ { kind: 'A', path: '/tmp/new-file' } ]
   */
  async changes(): Promise<readonly ChangeInfo[]> {
    const changes = await this.#client.call('list the changes', 'changes');
    return changes.map(({ kind, path }) => ({ kind, path: toText(path) }));
  }

  /**
   * Ends everything in it at once. Commands that run count as killed; nothing else can be asked of it. `await using` does
   * the same at the end of a block.
   *
   * @example
   * const sleeper = await sandbox.commands.start('sleep 60');
   * await sandbox.kill();
   * console.log((await sleeper.wait()).signal); // SIGKILL
   */
  async kill(): Promise<void> {
    this.#client.close('the sandbox was killed');
    await this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
