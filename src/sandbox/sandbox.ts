/** A sandbox: a kernel with its files in a worker of its own. */
import { currentUser, homeDirectories, takeWorker } from '../host/node/worker.ts';
import { Client } from './client.ts';
import { Commands } from './commands.ts';
import type { CommandDefaults } from './commands.ts';
import { Files } from './files.ts';
import { findImage, imageDefaults } from './image.ts';
import { DEFAULT_ENVIRONMENT, toContainerConfig } from './options.ts';
import type { SandboxOptions, SandboxPort } from './options.ts';
import type { ChangeInfo, SandboxMetrics } from './protocol.ts';
import { connectContainer, containerEvents, environmentOf, runningContainers } from './remote.ts';
import type { EventOptions, SandboxEvent, SandboxInfo } from './remote.ts';
import { toText } from './text.ts';
import { watchRequest } from './watch.ts';

/** How it is done with. */
interface Ending {
  kill(): Promise<void>;
  leave(): Promise<void>;
}

export class Sandbox {
  readonly commands: Commands;
  readonly files: Files;
  readonly #client: Client;
  readonly #ending: Ending;

  /** Of the container that it is connected to; of one of this process a name of its own. */
  readonly id: string;

  /**
   * Where its ports are reached on this machine.
   *
   * @example
   * await using server = await Sandbox.create({ ports: [{ port: 80 }] });
   * console.log(server.ports[0]?.port, server.ports[0]?.address); // 80 127.0.0.1
   */
  readonly ports: readonly Required<SandboxPort>[];

  private constructor(id: string, ending: Ending, client: Client, defaults: CommandDefaults, ports: readonly Required<SandboxPort>[]) {
    this.id = id;
    this.ports = ports;
    this.#ending = ending;
    this.#client = client;
    this.files = new Files(client);
    this.commands = new Commands(client, defaults);
  }

  /**
   * Makes a sandbox. Nothing of it is visible outside, and nothing of the host can be changed from inside except
   * writable mounts. With `watch`, what its programs do is put before rules, and told.
   *
   * @example
   * await using sandbox = await Sandbox.create({ root: '/' });
   * const { stdout } = await sandbox.commands.run('uname -s');
   * console.log(stdout.trimEnd()); // Linux
   * @example
   * const rules = '- rule: No keys\n  desc: x\n  condition: evt.type=openat and fd.filename=key\n  output: "%fd.name is asked for"\n  priority: ERROR\n';
   * await using watched = await Sandbox.create({ watch: { rules: [rules], onRule: ['deny'] } });
   * console.log((await watched.commands.run('echo x > /tmp/key')).exitCode); // 2
   * @throws SandboxError if the root, the image, a mount or a port of this machine cannot be used, or a rule; RangeError for what is no port.
   */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const image = options.image === undefined ? undefined : await findImage(options.image);
    const worker = takeWorker();
    const client = new Client(worker.port);
    if (options.watch !== undefined) client.watch(options.watch);
    worker.onExit((reason) => {
      client.close(reason);
      image?.use.end();
    });
    try {
      const ports = await client.call('make the sandbox', 'create', toContainerConfig(options, homeDirectories(), image?.layers), options.watch === undefined ? undefined : watchRequest(options.watch));
      const own = { env: { ...DEFAULT_ENVIRONMENT, ...options.env }, cwd: options.cwd ?? '/', user: options.user ?? currentUser() };
      return new Sandbox(crypto.randomUUID(), { kill: () => worker.terminate(), leave: () => worker.terminate() }, client, image === undefined ? own : await imageDefaults(image, options, new Files(client)), ports);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /**
   * The containers of the user's store that run, whoever has started them (`caisson run -d`), the latest first.
   *
   * @example
   * const lines = (await Sandbox.list()).map(({ name, image, status }) => `${name} ${image} ${status}`);
   * @throws SandboxError where there is no place for containers.
   */
  static async list(): Promise<readonly SandboxInfo[]> {
    return runningContainers();
  }

  /**
   * A container that runs, by its name or id, as a sandbox. It goes on when this is done with it; commands that were started here end then. Commands
   * start with the container's user, variables and directory.
   *
   * @example
   * const names = (await Sandbox.list()).map(({ name }) => name);
   * if (names.includes('box')) {
   *   await using box = await Sandbox.connect('box');
   *   await box.commands.run('hostname');
   * }
   * @throws SandboxError: ENOENT where there is none of the name, ESRCH where it does not run.
   */
  static async connect(container: string): Promise<Sandbox> {
    const remote = await connectContainer(container);
    const client = new Client(remote.port);
    remote.onExit((reason) => client.close(reason));
    const { env, cwd, user, ports } = remote.defaults;
    const leave = async (): Promise<void> => remote.disconnect();
    return new Sandbox(remote.id, { kill: () => remote.kill(), leave }, client, { env: environmentOf(env), cwd: toText(cwd), user }, ports);
  }

  /**
   * What happens to the containers of the user's store, as it happens.
   *
   * @example
   * const controller = new AbortController();
   * setTimeout(() => controller.abort(), 100);
   * const lines: string[] = [];
   * for await (const { action, attributes } of Sandbox.events({ signal: controller.signal })) lines.push(`${action} ${attributes['name']}`);
   */
  static events(options: EventOptions = {}): AsyncIterable<SandboxEvent> {
    return containerEvents(options);
  }

  /**
   * What it takes at the moment.
   *
   * @example
   * const { tasks, paused } = await sandbox.metrics();
   * console.log(tasks, paused); // 0 false
   */
  metrics(): Promise<SandboxMetrics> {
    return this.#client.call('ask what it takes', 'metrics');
  }

  /**
   * Stops all that runs in it where it is, until `resume`. Files can be read and written meanwhile.
   *
   * @example
   * const counter = await sandbox.commands.start('while sleep 0.01; do echo; done');
   * await sandbox.pause();
   * console.log((await sandbox.metrics()).paused); // true
   * await sandbox.resume();
   * await counter.kill();
   * @throws SandboxError where a container is paused already.
   */
  async pause(): Promise<void> {
    await this.#client.call('pause it', 'pause');
  }

  /** Goes on after `pause`. */
  async resume(): Promise<void> {
    await this.#client.call('resume it', 'resume');
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
   * Ends everything in it at once, also a container that it is connected to. Commands that run count as killed; nothing else can be asked of it. `await using` does
   * the same at the end of a block for one of this process, and leaves a container as it is.
   *
   * @example
   * const sleeper = await sandbox.commands.start('sleep 60');
   * await sandbox.kill();
   * console.log((await sleeper.wait()).signal); // SIGKILL
   */
  async kill(): Promise<void> {
    const ended = this.#ending.kill();
    this.#client.close('the sandbox was killed');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close('the sandbox was left');
    await this.#ending.leave();
  }
}
