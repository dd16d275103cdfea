/** What procfs and sysfs see of a kernel: the answers to `SystemView`. */
import { MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from '../abi/mman.ts';
import { EACCES, EINVAL, EIO, EPERM } from '../abi/errno.ts';
import { CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../abi/capability.ts';
import { SECCOMP_MODE_DISABLED, SECCOMP_MODE_FILTER, SECCOMP_MODE_STRICT } from '../abi/seccomp.ts';
import { SIG_IGN } from '../abi/signal.ts';
import type { Location, Mount } from '../fs/dentry.ts';
import { inGroup } from '../fs/permission.ts';
import type { SystemView, ProcessView, CredentialsView, LimitView, MappingView, MemoryView, NamespaceFileName, SignalWords, ThreadView } from '../fs/process-view.ts';
import type { OpenFile } from '../fs/types.ts';
import { cpuFlags, RSP } from '../machine/index.ts';
import { CONTROLLERS } from './cgroup/controllers.ts';
import { oomScore } from './cgroup/oom.ts';
import { FileDescriptors } from './fd-table.ts';
import { Tty } from './files/tty.ts';
import type { Kernel } from './kernel.ts';
import { mayAccess } from './ptrace/access.ts';
import { forceRead, forceWrite } from './ptrace/memory.ts';
import { withRegisters } from './ptrace/registers.ts';
import { effectiveOf } from './task/credentials.ts';
import type { Process } from './task/process.ts';
import type { KernelTask } from './task/task.ts';
import { RELEASE, VERSION } from './version.ts';
import type { NetworkNamespace, UtsNamespace } from './namespaces/namespaces.ts';
import type { NamespaceIdentity } from '../fs/namespace-identity.ts';
import type { OpenedContent } from '../fs/pseudo.ts';
import { openNamespaceFile } from './namespaces/namespace-files.ts';
import type { PidNamespace } from './namespaces/pid-namespace.ts';
import type { UserNamespace } from './namespaces/user-namespace.ts';

const SIGNALS = 64;
const EMPTY: SignalWords = { low: 0, high: 0 };

function words(set: bigint): readonly [number, number] {
  return [Number(set & 0xffff_ffffn), Number(set >> 32n)];
}

function credentialsView({ credentials, seccomp }: KernelTask, reader: UserNamespace): CredentialsView {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups, noNewPrivileges } = credentials;
  return {
    uid: reader.shownUid(uid), euid: reader.shownUid(euid), suid: reader.shownUid(suid), fsuid: reader.shownUid(fsuid),
    gid: reader.shownGid(gid), egid: reader.shownGid(egid), sgid: reader.shownGid(sgid), fsgid: reader.shownGid(fsgid),
    groups: groups.map((group) => reader.shownGid(group)), noNewPrivileges,
    seccompMode: seccomp === undefined ? SECCOMP_MODE_DISABLED : seccomp.strict ? SECCOMP_MODE_STRICT : SECCOMP_MODE_FILTER,
    inheritable: words(credentials.inheritable), permitted: words(credentials.permitted), effective: words(effectiveOf(credentials)),
    bounding: words(credentials.bounding), ambient: words(credentials.ambient),
  };
}

class KernelThreadView implements ThreadView {
  readonly #task: KernelTask;
  readonly #namespace: PidNamespace;
  constructor(task: KernelTask, namespace: PidNamespace) {
    this.#task = task;
    this.#namespace = namespace;
  }
  get tid(): number {
    return this.#namespace.numberOf(this.#task.tid);
  }
  get name(): string {
    return this.#task.name;
  }
  setName(name: string): void {
    this.#task.name = name;
  }
  get state(): string {
    if (this.#task.state === 'dead') return 'Z';
    if (this.#task.held) return this.#task.tracee === undefined ? 'T' : 't';
    return this.#task.state === 'running' ? 'R' : 'S';
  }
  get pending(): SignalWords {
    return this.#task.pending.set;
  }
  get blocked(): SignalWords {
    return this.#task.blocked;
  }
  get startNs(): number {
    return this.#task.startNs;
  }
  get userNs(): number {
    return this.#task.cpuTimeNs();
  }
  get systemNs(): number {
    return 0;
  }
  get voluntarySwitches(): number {
    return this.#task.contextSwitches;
  }
  get involuntarySwitches(): number {
    return this.#task.involuntarySwitches;
  }
  get nice(): number {
    return this.#task.nice;
  }
  get policy(): number {
    return this.#task.policy;
  }
  get priority(): number {
    return this.#task.priority;
  }
  get affinity(): number {
    return this.#task.affinity;
  }
  get personality(): number {
    return this.#task.personality;
  }
  get tracerPid(): number {
    const { tracee } = this.#task;
    return tracee === undefined ? 0 : this.#namespace.numberOf(tracee.tracer.process.pid);
  }
  get waitingIn(): string {
    return this.#task.state === 'blocked' ? this.#task.callRow?.name ?? '' : '';
  }
  get timerSlackNs(): number {
    return this.#task.timerSlackNs;
  }
  get currentCall(): string {
    const task = this.#task;
    if (task.state === 'dead' || (task.state === 'running' && !task.held)) return 'running';
    const [stack, address] = withRegisters(task, (space) => [space.getRegister(RSP), space.rip] as const);
    const place = `0x${BigInt.asUintN(64, stack).toString(16)} 0x${address.toString(16)}`;
    const { callRow } = task;
    if (callRow === undefined) return `-1 ${place}`;
    return `${callRow.number} ${task.callArguments.map((value) => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`).join(' ')} ${place}`;
  }
  get cgroup(): string {
    const { kernel, cgroup } = this.#task;
    const { root } = (kernel.current?.namespaces ?? kernel.namespaces).cgroup;
    return kernel.cgroups.pathFrom(root, cgroup);
  }
}

/** The state of the process; what only a living one has is absent in a zombie. */
export class KernelProcessView implements ProcessView {
  readonly #process: Process;
  /** That of the procfs. */
  readonly #namespace: PidNamespace;
  loginUid = 0xffff_ffff;

  constructor(process: Process, namespace: PidNamespace) {
    this.#process = process;
    this.#namespace = namespace;
  }
  get process(): Process {
    return this.#process;
  }
  get #task(): KernelTask {
    return this.#process.leader;
  }
  get #alive(): KernelTask | undefined {
    if (this.zombie) return undefined;
    const leader = this.#task;
    if (leader.state !== 'dead') return leader;
    for (const task of this.#process.tasks) return task;
    return undefined;
  }
  get pid(): number {
    return this.#namespace.numberOf(this.#process.pid);
  }
  get parentPid(): number {
    return this.#namespace.numberOf(this.#process.parentPid);
  }
  get processGroup(): number {
    return this.#namespace.numberOf(this.#process.processGroup);
  }
  get session(): number {
    return this.#namespace.numberOf(this.#process.session);
  }
  get terminal(): number {
    const terminal = this.#process.controllingTerminal;
    return terminal instanceof Tty ? terminal.rdev : 0;
  }
  get terminalGroup(): number {
    const terminal = this.#process.controllingTerminal;
    return terminal instanceof Tty ? this.#namespace.numberOf(terminal.foreground) : -1;
  }
  get zombie(): boolean {
    return this.#process.state !== 'alive' && this.#process.state !== 'exiting';
  }
  get threads(): readonly ThreadView[] {
    const threads = [...this.#process.tasks].map((task) => new KernelThreadView(task, this.#namespace));
    return threads.length > 0 ? threads : [this.leader];
  }
  get leader(): ThreadView {
    return new KernelThreadView(this.#task, this.#namespace);
  }
  get credentials(): CredentialsView {
    const { kernel } = this.#process;
    return credentialsView(this.#alive ?? this.#task, kernel.current?.credentials.user ?? kernel.namespaces.uts.user);
  }
  get owner(): { readonly uid: number; readonly gid: number } {
    const { euid, egid } = (this.#alive ?? this.#task).credentials;
    return { uid: euid, gid: egid };
  }
  namespaceIds(thread: ThreadView): { process: readonly number[]; thread: readonly number[]; group: readonly number[]; session: readonly number[] } {
    const { pid, processGroup, session, pidNamespace } = this.#process;
    const below = (id: number): readonly number[] => pidNamespace.numbersBelow(this.#namespace, id);
    return { process: below(pid), thread: below(this.#namespace.idOf(thread.tid)), group: below(processGroup), session: below(session) };
  }
  get umask(): number {
    return this.#alive?.fs.umask ?? 0;
  }
  get exitSignal(): number {
    return this.#process.exitSignal;
  }
  get exitCode(): number {
    return this.#process.exitStatus;
  }
  get pending(): SignalWords {
    return this.#process.pending.set;
  }
  #signalsWith(test: (handler: number) => boolean): SignalWords {
    if (this.zombie) return EMPTY;
    let low = 0;
    let high = 0;
    for (let signal = 1; signal <= SIGNALS; signal++) {
      if (!test(this.#process.actions.get(signal).handler)) continue;
      if (signal <= 32) low |= 1 << (signal - 1);
      else high |= 1 << (signal - 33);
    }
    return { low, high };
  }
  get ignored(): SignalWords {
    return this.#signalsWith((handler) => handler === SIG_IGN);
  }
  get caught(): SignalWords {
    return this.#signalsWith((handler) => handler > SIG_IGN);
  }
  get queuedSignals(): number {
    return this.#process.pending.length;
  }
  get childrenUserNs(): number {
    return this.#process.childUsage.userNs;
  }
  get childrenSystemNs(): number {
    return this.#process.childUsage.systemNs;
  }
  get minorFaults(): number {
    return 0;
  }
  /** ptrace(2), "Ptrace access mode checking": same ids and dumpable, or CAP_SYS_PTRACE. */
  get inspectable(): boolean {
    const viewer = this.#process.kernel.current;
    return viewer === undefined || mayAccess(viewer, this.#alive ?? this.#task, 'files');
  }
  get memory(): MemoryView | undefined {
    const mm = this.#alive?.mm;
    if (mm === undefined) return undefined;
    let resident = 0;
    let shared = 0;
    let data = 0;
    let stack = 0;
    for (const vma of mm.vmas) {
      if (vma.touched) resident += vma.length;
      if (vma.file !== undefined || vma.isShared) shared += vma.touched ? vma.length : 0;
      if (vma.name === '[stack]') stack += vma.length;
      else if ((vma.prot & PROT_WRITE) !== 0 && !vma.isShared) data += vma.length;
    }
    return { total: mm.totalBytes, peak: mm.peakBytes, resident, shared, data, stack, text: Math.max(0, mm.codeEnd - mm.codeStart), locked: mm.lockedBytes };
  }
  *mappings(): Iterable<MappingView> {
    const mm = this.#alive?.mm;
    if (mm === undefined) return;
    for (const vma of mm.vmas) {
      const stat = vma.file?.inode.stat();
      const isHeap = vma.file === undefined && vma.name === '' && mm.brk > mm.brkStart && vma.start < mm.brk && vma.end > mm.brkStart;
      yield {
        start: vma.start, end: vma.end, readable: (vma.prot & PROT_READ) !== 0, writable: (vma.prot & PROT_WRITE) !== 0,
        executable: (vma.prot & PROT_EXEC) !== 0, shared: (vma.flags & MAP_SHARED) !== 0, offset: vma.file === undefined ? 0 : vma.offset,
        dev: stat?.dev ?? 0, ino: stat?.ino ?? 0, name: vma.file?.path ?? (isHeap ? '[heap]' : vma.name),
      };
    }
  }
  #range(start: number, end: number): Uint8Array {
    const memory = this.#alive?.memory;
    if (memory === undefined || end <= start) return new Uint8Array(0);
    return memory.copyIn(start, Math.min(end - start, 0x20_0000)) ?? new Uint8Array(0);
  }
  commandLine(): Uint8Array {
    return this.#range(this.argStart, this.argEnd);
  }
  environment(): Uint8Array {
    return this.#range(this.envStart, this.envEnd);
  }
  auxv(): Uint8Array {
    return this.#alive?.mm.auxv ?? new Uint8Array(0);
  }
  get codeStart(): number {
    return this.#alive?.mm.codeStart ?? 0;
  }
  get codeEnd(): number {
    return this.#alive?.mm.codeEnd ?? 0;
  }
  get stackStart(): number {
    return this.#alive?.mm.argStart ?? 0;
  }
  get argStart(): number {
    return this.#alive?.mm.argStart ?? 0;
  }
  get argEnd(): number {
    return this.#alive?.mm.argEnd ?? 0;
  }
  get envStart(): number {
    return this.#alive?.mm.envStart ?? 0;
  }
  get envEnd(): number {
    return this.#alive?.mm.envEnd ?? 0;
  }
  get addressSpace(): object | undefined {
    return this.#alive?.mm;
  }
  readMemory(buffer: Uint8Array, position: number): number {
    const task = this.#alive;
    return task === undefined ? 0 : forceRead(task.mm, position, buffer) || -EIO;
  }
  writeMemory(buffer: Uint8Array, position: number): number {
    const task = this.#alive;
    return task === undefined ? 0 : forceWrite(task.mm, position, buffer) || -EIO;
  }
  get executable(): Location | undefined {
    return this.#alive?.mm.exe?.location;
  }
  get executablePath(): string {
    return this.#alive?.mm.exe?.path ?? '';
  }
  get root(): Location | undefined {
    return this.#alive?.fs.root;
  }
  get cwd(): Location | undefined {
    return this.#alive?.fs.cwd;
  }
  get fdCapacity(): number {
    const files = this.#alive?.files;
    return files instanceof FileDescriptors ? files.capacity : 0;
  }
  descriptors(): Iterable<readonly [number, OpenFile]> {
    return this.#alive?.files.entries() ?? [];
  }
  descriptor(fd: number): OpenFile | undefined {
    return this.#alive?.files.get(fd);
  }
  isCloseOnExec(fd: number): boolean {
    return this.#alive?.files.closeOnExec(fd) ?? false;
  }
  mounts(): Iterable<Mount> {
    return this.#alive?.fs.namespace.mounts ?? [];
  }
  limits(): readonly LimitView[] {
    return Array.from({ length: 16 }, (_, resource) => this.#process.limits.get(resource));
  }
  get oomScore(): number {
    return oomScore(this.#process, this.#process.kernel.memoryBytes);
  }
  get oomScoreAdjustment(): number {
    return this.#process.oomScoreAdjust;
  }
  /** __set_oom_adj(). */
  setOomScoreAdjustment(value: number): number {
    const process = this.#process;
    if (value < Math.min(0, process.oomScoreAdjust) && process.kernel.current?.capable(CAP_SYS_RESOURCE) !== true) return -EACCES;
    process.oomScoreAdjust = value;
    return 0;
  }
  namespaces(): readonly (readonly [string, NamespaceIdentity])[] {
    const { kernel, pidNamespace } = this.#process;
    const task = this.#alive;
    const { uts, ipc, network, cgroup, pidForChildren, time, timeForChildren } = task?.namespaces ?? kernel.namespaces;
    const mounts: readonly (readonly [string, NamespaceIdentity])[] = task === undefined ? [] : [['mnt', task.fs.namespace]];
    return [
      ['cgroup', cgroup], ['ipc', ipc], ...mounts, ['net', network], ['pid', pidNamespace], ['pid_for_children', pidForChildren], ['time', time],
      ['time_for_children', timeForChildren], ['user', (task ?? this.#task).credentials.user], ['uts', uts],
    ];
  }
  openNamespaceFile(name: NamespaceFileName, writes: boolean): OpenedContent | number {
    return openNamespaceFile(this.#task, name, writes);
  }
  get childPids(): readonly number[] {
    return [...this.#process.children].map((child) => this.#namespace.numberOf(child.pid)).sort((a, b) => a - b);
  }
}

/** What a view may be told beyond what the kernel knows. */
export interface SystemViewOptions {
  /** Text of /proc/net/NAME. */
  readonly network?: (name: string) => string | undefined;
}

/** Names of /proc/cgroups, which are those of version 1 (cgroup_subsys `legacy_name`). */
const CONTROLLER_NAMES = CONTROLLERS.map((name: string) => (name === 'io' ? 'blkio' : name));

/** Of the reader's network namespace. */
function pingGroupRange(kernel: Kernel): { read(): string; write(text: string): number } {
  const network = (): NetworkNamespace => (kernel.current?.namespaces ?? kernel.namespaces).network;
  return {
    read: () => `${network().pingGroups.join('\t')}\n`,
    write: (text) => {
      const match = /^\s*(\d{1,10})\s+(\d{1,10})\s*$/.exec(text);
      if (match === null) return -EINVAL;
      if (kernel.current?.capableIn(network().user, CAP_NET_ADMIN) !== true) return -EPERM;
      const [first, last] = [Number(match[1]), Number(match[2])];
      // Where the first is above the last nobody may (ipv4_ping_group_range).
      network().pingGroups = first > last ? [1, 0] : [first, last];
      return text.length;
    },
  };
}

/** What a procfs of a PID namespace sees. */
export function createSystemView(kernel: Kernel, options: SystemViewOptions = {}, namespace = kernel.namespaces.pidForChildren): SystemView {
  const views = new WeakMap<Process, KernelProcessView>();
  const viewOf = (process: Process): KernelProcessView => {
    let view = views.get(process);
    if (view === undefined) views.set(process, (view = new KernelProcessView(process, namespace)));
    return view;
  };
  const tasks = (): KernelTask[] => [...kernel.processes()].flatMap((process) => [...process.tasks]);
  const uts = (): UtsNamespace => (kernel.current?.namespaces ?? kernel.namespaces).uts;
  const busyNs = (): number => [...kernel.processes()].reduce((total, process) => total + process.cpuTimeNs() + process.childUsage.userNs, 0);
  return {
    get hostname() {
      return uts().hostname;
    },
    get domainname() {
      return uts().domainname;
    },
    setHostname(name) {
      if (kernel.current?.capableIn(uts().user, CAP_SYS_ADMIN) !== true) return -EPERM;
      uts().hostname = name;
      return 0;
    },
    isReaderInGroup: (gid) => kernel.current === undefined || inGroup(kernel.current.credentials, gid),
    release: RELEASE, version: VERSION, processors: kernel.processors, cpuFlags: cpuFlags(kernel.cpu),
    get memoryBytes() {
      return kernel.memoryBytes;
    },
    get freeMemoryBytes() {
      return Math.max(2 ** 20, kernel.memoryBytes - kernel.cgroups.container.memory.charged);
    },
    get uptimeNs() {
      return kernel.monotonicNs() + (kernel.current?.namespaces.time.boottimeNs ?? 0);
    },
    get idleNs() {
      return Math.max(0, kernel.monotonicNs() * kernel.processors - busyNs());
    },
    bootTimeSeconds: Number(kernel.bootRealtimeNs / 1_000_000_000n),
    get loadAverage(): readonly [number, number, number] {
      return [0, 0, 0];
    },
    get tasksRunning() {
      return tasks().filter((task) => task.state === 'running').length;
    },
    get tasksTotal() {
      return kernel.taskCount;
    },
    get lastPid() {
      return Math.max(1, ...[...kernel.processes()].map((process) => namespace.numberOf(process.pid)));
    },
    get tasksCreated() {
      return kernel.statistics.tasksCreated;
    },
    get contextSwitches() {
      return kernel.statistics.taskSwitches;
    },
    get userNs() {
      return busyNs();
    },
    systemNs: 0, pidMax: kernel.limits.pidMax,
    controllers: CONTROLLER_NAMES,
    cgroupCount: () => kernel.cgroups.count,
    random: (buffer) => kernel.random(buffer),
    get current() {
      const task = kernel.current;
      return task === undefined || namespace.numberOf(task.tid) === 0 ? undefined : { process: viewOf(task.process), tid: namespace.numberOf(task.tid) };
    },
    process(pid) {
      const process = kernel.findProcess(namespace.idOf(pid));
      return process === undefined ? undefined : viewOf(process);
    },
    processOfThread(tid) {
      const task = kernel.findTask(namespace.idOf(tid));
      return task === undefined ? undefined : viewOf(task.process);
    },
    pids: () => [...kernel.processes()].map((process) => namespace.numberOf(process.pid)).filter((number) => number > 0),
    sysctl: (path) => (path === 'net/ipv4/ping_group_range' ? pingGroupRange(kernel) : undefined),
    namespaceLimit: (kind) => kernel.census.limitOf(kind),
    network: (name) => options.network?.(name),
  };
}
