/** One container: a kernel with its file systems, made from a configuration. */
import { createHostView, inodeAt } from '../kernel/host-view.ts';
import type { HostView } from '../kernel/host-view.ts';
import { FileDescriptors } from '../kernel/fd-table.ts';
import { specialFilesOf } from '../kernel/files/special-files.ts';
import { Kernel } from '../kernel/kernel.ts';
import { SyscallTracer, traceLine } from '../kernel/strace/tracer.ts';
import { alsoWatch } from '../kernel/watch/also.ts';
import type { Also } from '../kernel/watch/also.ts';
import type { Watcher } from '../kernel/watch/types.ts';
import type { Watch } from '../kernel/watch/watch.ts';
import { createSystemView } from '../kernel/system-view.ts';
import { killAll } from '../kernel/task/exit.ts';
import { startProcess } from '../kernel/task/start.ts';
import { createMachine, type MachineImage } from '../machine/index.ts';
import { EINVAL } from '../abi/errno.ts';
import { MS_RDONLY } from '../abi/mount.ts';
import { RLIMIT_NOFILE } from '../abi/resource.ts';
import type { Actor } from '../fs/operations.ts';
import type { Inode } from '../fs/types.ts';
import type { Host, HostNetwork } from '../host/types.ts';
import type { BoundPort, NetworkRules, Refusal } from '../net/index.ts';
import { DEFAULT_LIMITS } from './config.ts';
import type { ContainerConfig, LimitsConfig, ProcessConfig } from './config.ts';
import { ContainerNetwork } from './container-network.ts';
import type { Membership } from './container-network.ts';
import { ensureDirectory } from './conversion.ts';
import { ContainerError } from './errors.ts';
import { Files } from './files.ts';
import type { ContainerFiles } from './files.ts';
import { credentialsOf, resourceLimitsOf } from './identity.ts';
import { pipeStreams, runningProcess, terminalStreams } from './process.ts';
import { applyLimits } from './limits.ts';
import { findProgram } from './program.ts';
import { parseTraceFilter } from './trace-filter.ts';
import type { Change, ContainerStatistics, ContainerUsage, ProcessIo, RunningProcess } from './types.ts';

const RESOLVER_FILE = '/etc/resolv.conf';

export interface ContainerOptions {
  /** What the build made of the machine. */
  readonly image: MachineImage;
  /** False: programs come and go, and the container ends when it is told to. Default: it ends with its first program. */
  readonly endsWithFirst?: boolean;
  /** Networks that it is on, with other containers. */
  readonly memberships?: readonly Membership[];
}

/** A run that is to be repeatable neither uses what another left nor leaves anything. */
function withoutUnits({ units: _units, ...image }: MachineImage): MachineImage {
  return image;
}

export class Container {
  readonly files: ContainerFiles;
  readonly #outside: Files;
  readonly #kernel: Kernel;
  readonly #view: HostView;
  readonly #endsWithFirst: boolean;
  readonly #startedNs: number;
  readonly #network: ContainerNetwork;
  readonly #oomScoreAdjust: number;
  /** What we made or changed, by inode number, with the time of it. */
  readonly #provided = new Map<number, bigint>();

  private constructor(kernel: Kernel, view: HostView, endsWithFirst: boolean, network: ContainerNetwork, { limits }: ContainerConfig) {
    this.#network = network;
    this.#oomScoreAdjust = limits.oomScoreAdjust ?? 0;
    this.#kernel = kernel;
    this.#view = view;
    this.#endsWithFirst = endsWithFirst;
    this.#startedNs = kernel.monotonicNs();
    this.#outside = new Files(view);
    this.files = this.#outside;
  }

  /** @throws ContainerError for a root or a mount that cannot be used, NetworkRuleError for what may be reached. */
  static create(host: Host, config: ContainerConfig, { image, endsWithFirst = true, memberships = [] }: ContainerOptions): Container {
    const { memoryBytes, tasks } = config.limits;
    const upperBytes = config.limits.writableBytes ?? memoryBytes;
    const kernel = new Kernel({
      host,
      createMachine: (options) => createMachine(config.seed === undefined ? image : withoutUnits(image), options),
      hostname: config.hostname,
      limits: { tasks: Math.max(tasks, DEFAULT_LIMITS.tasks) },
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(config.seed === undefined ? {} : { seed: config.seed }),
      ...(config.tier === undefined ? {} : { tier: config.tier }),
      ...(config.cpu === undefined ? {} : { cpu: config.cpu }),
      ...(config.ioUring === true ? { ioUring: true } : {}),
    });
    if (applyLimits(kernel, config.limits) !== 0) throw new ContainerError(`cpuset ${config.limits.cpuset ?? ''}`, EINVAL);
    const view = createHostView(kernel, {
      files: host.files,
      network: host.network,
      root: config.root,
      layers: config.layers,
      hide: config.hide,
      mounts: config.mounts,
      readOnly: config.readOnly,
      system: createSystemView(kernel),
      systemOf: (namespace) => createSystemView(kernel, {}, namespace),
      user: kernel.namespaces.uts.user,
      ...(config.writableCgroups === true ? { writableCgroups: true } : {}),
      ...(upperBytes === undefined ? {} : { upperBytes }),
      upperUsedBytes: config.limits.writtenBytes,
    });
    if ('errno' in view) throw new ContainerError(view.path, -view.errno);
    const container = new Container(kernel, view, endsWithFirst, new ContainerNetwork(kernel, config.network, host.network, memberships), config);
    container.#settle();
    container.#writeResolver();
    return container;
  }

  /** Names are resolved by the gateway: the container's resolver configuration says so, unless the guest has one of its own. */
  #writeResolver(): void {
    const { resolver } = this.#network;
    if (resolver === undefined) return;
    const inode = inodeAt(this.#view, RESOLVER_FILE);
    const isChanged = typeof inode !== 'number' && [...this.changes()].some((change) => change.inode === inode);
    if (!isChanged) this.provideFile(RESOLVER_FILE, new TextEncoder().encode(`nameserver ${resolver}\n`));
  }

  /** Its address where it can be reached from outside or reaches there. */
  get address(): string | undefined {
    return this.#network.address;
  }

  /** Before programs start: listens on the ports of the host that its configuration names, all or none. @throws PortError */
  publish(): Promise<void> {
    return this.#network.publish();
  }

  /** Before programs start: the others on its networks can reach it. 0 or a negative errno. */
  join(): Promise<number> {
    return this.#network.listen();
  }

  /** Joins one more network, also while programs run. 0 or a negative errno. */
  async connect(host: HostNetwork, membership: Membership): Promise<number> {
    const attached = await this.#network.attach(host, membership);
    if (attached === 0) this.#writeResolver();
    return attached;
  }

  /** Leaves a network, by its name, also while programs run: connections over it end. */
  disconnect(network: string): void {
    this.#network.detach(network);
    this.#writeResolver();
  }

  /** What is listened on; none before `publish`, and after the end. */
  get ports(): readonly BoundPort[] {
    return this.#network.ports;
  }

  /** Other rules of what may be reached, from now on: connections that they do not allow are cut. False: it has no way out. @throws NetworkRuleError */
  setNetworkRules(rules: NetworkRules): boolean {
    return this.#network.setRules(rules);
  }

  /** Called at everything that it was refused outside. A guest decides how often. */
  onRefusal(listener: (refusal: Refusal) => void): void {
    this.#network.onRefusal(listener);
  }

  /** How often something was refused, by the rule (`Refusal.rule`). */
  get refusals(): ReadonlyMap<string, number> {
    return this.#network.refusals;
  }

  /**
   * Writes a file that is ours and no change of the guest's, unless the guest changes it. Also where the
   * container is read-only; never where something of the host is mounted, nor through a link.
   */
  provideFile(path: string, bytes: Uint8Array): void {
    const { overlay, namespace } = this.#view;
    const directory = inodeAt(this.#view, path.slice(0, path.lastIndexOf('/')) || '/');
    const own = this.files.stat(path);
    if (typeof directory === 'number' || directory.fileSystem !== overlay || (typeof own !== 'number' && own.type !== 'file')) return;
    if (typeof own !== 'number' && (inodeAt(this.#view, path) as Inode).fileSystem !== overlay) return;
    const { flags } = namespace.root;
    namespace.root.flags &= ~MS_RDONLY;
    const before = directory.stat().mtimeNs;
    const changed = new Set(Array.from(this.changes(), ({ inode }) => inode));
    if (this.files.writeFile(path, bytes, 0o644) === 0) directory.setAttributes({ mtimeNs: before });
    namespace.root.flags = flags;
    this.#settle(changed);
  }

  /** Before programs start: makes a directory, and those above it. 0 or a negative errno. */
  provideDirectory(path: string): number {
    const made = ensureDirectory(this.files, path);
    this.#settle();
    return made;
  }

  /** Nobody can connect any more; what programs have written still goes. */
  async #closeNetwork(): Promise<void> {
    this.#network.close();
    await this.#network.settled();
  }

  /** What differs by now is ours, except what did before. */
  #settle(before: ReadonlySet<Inode | undefined> = new Set()): void {
    for (const { inode } of this.changes()) if (inode !== undefined && !before.has(inode)) this.#provided.set(inode.ino, inode.stat().mtimeNs);
  }

  /** Who writes to the tree from outside: root, whom no permission stops. */
  get outside(): Actor {
    return this.#outside.actor;
  }

  /**
   * Starts a program, or answers -errno: -ENOENT where there is none of the name.
   *
   * `isFirst`: the container ends with it. Default: where it ends with its first program.
   */
  start(spec: ProcessConfig, io: ProcessIo, isFirst = this.#endsWithFirst): RunningProcess | number {
    const kernel = this.#kernel;
    const context = this.#view.context(spec.cwd, spec.umask);
    if (typeof context === 'number') return context;
    const credentials = credentialsOf(spec);
    const path = findProgram(context, credentials, spec.argv[0] ?? '', spec.env);
    if (typeof path === 'number') return path;
    const special = specialFilesOf(kernel);
    const streams = spec.terminal === undefined ? pipeStreams(special, io) : terminalStreams(special, io, spec.terminal);
    if (typeof streams === 'number') return streams;
    const limits = resourceLimitsOf(spec.rlimits);
    const files = new FileDescriptors(() => limits.soft(RLIMIT_NOFILE));
    for (const file of streams.files) files.install(file, false);
    const process = startProcess(kernel, {
      path, arguments: spec.argv, environment: spec.env, files, fs: context, credentials, limits,
      main: isFirst,
    });
    if (typeof process === 'number') return process;
    process.oomScoreAdjust = this.#oomScoreAdjust;
    streams.terminal?.tty.setControlling(process);
    if (kernel.watch?.started(process) === false) killAll([process]);
    const running = runningProcess(kernel, process, streams, isFirst);
    if (!isFirst) return running;
    return { ...running, ended: running.ended.then(async (status) => this.#closeNetwork().then(() => status)) };
  }

  /**
   * Shows system calls, a line each, in strace's format. Filters as `strace -e trace=`.
   *
   * @throws UnknownFilterError
   */
  trace(filters: readonly string[], write: (line: string) => void): void {
    const kernel = this.#kernel;
    const filter = parseTraceFilter(filters, kernel.syscalls.flatMap((entry) => (entry === undefined ? [] : [entry.row])));
    kernel.tracer = new SyscallTracer({
      write: (task, call, result) => {
        const prefix = kernel.statistics.tasksCreated > 1 ? `[pid ${String(task.tid).padStart(5)}] ` : '';
        write(`${traceLine(prefix + call, result)}\n`);
      },
      ...(filter === undefined ? {} : { filter }),
    });
  }

  /** Before programs start: lets `install` put somebody between them and the kernel. */
  observe(install: (kernel: Kernel) => Watch): Watch {
    const watch = install(this.#kernel);
    this.#kernel.watch = watch;
    return watch;
  }

  /** At any time: the same, beside who is there already, and until the answer's `leave`. */
  alsoObserve(watcher: Watcher): Also {
    return alsoWatch(this.#kernel, watcher);
  }

  /** What differs from the root directory, parents before children. */
  *changes(): Iterable<Change> {
    for (const change of this.#view.changes()) {
      const { inode } = change;
      if (inode !== undefined && this.#provided.get(inode.ino) === inode.stat().mtimeNs) continue;
      yield change;
    }
  }

  /** What differs from the layers that were mounted there; the top itself comes first, where it changed. */
  changesOf(destination: string): Iterable<Change> {
    return this.#view.changesOf(destination);
  }

  /** Keeps translations of the programs that ran for the next time, where the image has a place for them. Answers those that `optimizeKept` would make faster. */
  keepTranslations(): readonly string[] {
    return this.#kernel.machine.saveUnits(this.#kernel.layoutSeed);
  }

  statistics(): ContainerStatistics {
    const { statistics, machine, memory, syscalls } = this.#kernel;
    const calls = new Map<string, number>();
    statistics.syscallCounts.forEach((count, number) => {
      if (count > 0) calls.set(syscalls[number]?.row.name ?? `call ${number}`, count);
    });
    return {
      elapsedNs: this.#kernel.monotonicNs() - this.#startedNs,
      machine: machine.statistics,
      calls,
      unknownCalls: statistics.unknown,
      tasks: statistics.tasksCreated,
      mappedBytes: memory.mappedBytes,
      refusals: this.refusals,
    };
  }

  /** Gives back what it holds of the host, when nothing is asked of it any more. */
  close(): void {
    this.#network.close();
    this.#view.close();
  }

  /** A process was killed because memory did not suffice. */
  get oomKilled(): boolean {
    return this.#kernel.cgroups.oomKilled;
  }

  /** Nothing in it runs until `resume`: no program, no timer. What comes from outside waits. */
  pause(): void {
    this.#kernel.scheduler.freeze();
  }

  resume(): void {
    this.#kernel.scheduler.thaw();
  }

  get isPaused(): boolean {
    return this.#kernel.scheduler.isFrozen;
  }

  /** What it takes at the moment. */
  usage(): ContainerUsage {
    const { memoryBytes, cgroups: { container: { memory, pids } } } = this.#kernel;
    return { memoryBytes: memory.current, memoryLimit: Math.min(memoryBytes, memory.max), tasks: pids.current };
  }

  /** Other limits from now on; what is absent stays. 0, or -EINVAL for processors that are not there. */
  setLimits(limits: Partial<LimitsConfig>): number {
    return applyLimits(this.#kernel, limits);
  }

  /** Ends all programs, also where it is paused. */
  kill(): void {
    this.resume();
    this.#kernel.kill();
  }
}
