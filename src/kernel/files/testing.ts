/** A kernel and tasks without a machine, to test files and their system calls directly. */
import { WaitQueue } from '../../fs/types.ts';
import { PAGE_READ, PAGE_WRITE, type AddressSpace } from '../../machine/index.ts';
import { FileDescriptors } from '../fd-table.ts';
import { SpaceMemory } from '../mm/user-memory.ts';
import { BLOCKED, type Credentials, type Handler, type Kernel, type Process, type SignalInfo, type SignalMask, type SyscallRow, type Task } from '../types.ts';

const MEMORY_SIZE = 0x10_0000;

/** 1 MiB of readable and writable memory from address 0x1000 on. */
function fakeMemory(): SpaceMemory {
  const u8 = new Uint8Array(MEMORY_SIZE);
  const pages = new Uint8Array(0x10_0000);
  pages.fill(PAGE_READ | PAGE_WRITE, 1, MEMORY_SIZE / 4096);
  const space = {
    u8, pages, view: new DataView(u8.buffer),
    offset: (address: number) => address,
    check: (address: number, length: number) => address >= 4096 && address + length <= MEMORY_SIZE,
    invalidateCode: () => undefined,
  };
  return new SpaceMemory(space as unknown as AddressSpace);
}

const ROOT: Credentials = {
  uid: 0, gid: 0, euid: 0, egid: 0, suid: 0, sgid: 0, fsuid: 0, fsgid: 0, groups: [], capabilitiesLow: -1, capabilitiesHigh: -1,
};

export class FakeProcess {
  pid: number;
  parentPid = 1;
  processGroup: number;
  session: number;
  controllingTerminal: unknown = undefined;
  readonly signals: number[] = [];

  constructor(pid: number, session = pid) {
    this.pid = pid;
    this.processGroup = pid;
    this.session = session;
  }
  get isSessionLeader(): boolean {
    return this.pid === this.session;
  }
  sendSignal(signal: number): void {
    this.signals.push(signal);
  }
  limit(): number {
    return 1024;
  }
}

export class FakeKernel {
  now = 1e9;
  current: FakeTask | undefined = undefined;
  readonly list: FakeProcess[] = [];
  readonly timers: { deadlineNs: number; callback: () => void }[] = [];
  #inode = 1;

  monotonicNs = (): number => this.now;
  realtimeNs = (): bigint => 1_700_000_000_000_000_000n + BigInt(Math.round(this.now));
  random(buffer: Uint8Array): void {
    buffer.fill(7);
  }
  nextInode(): number {
    return this.#inode++;
  }
  addTimer(deadlineNs: number, callback: () => void): { cancel(): void } {
    const timer = { deadlineNs, callback };
    this.timers.push(timer);
    return { cancel: () => void (this.timers.includes(timer) && this.timers.splice(this.timers.indexOf(timer), 1)) };
  }
  /** Lets time pass and timers fire. */
  advance(ns: number): void {
    this.now += ns;
    for (const timer of this.timers.filter(({ deadlineNs }) => deadlineNs <= this.now)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.callback();
    }
  }
  findProcess(pid: number): FakeProcess | undefined {
    return this.list.find((process) => process.pid === pid);
  }
  processes(): Iterable<FakeProcess> {
    return this.list;
  }
  signalProcessGroup(group: number, signal: number): number {
    const members = this.list.filter(({ processGroup }) => processGroup === group);
    for (const process of members) process.sendSignal(signal);
    return members.length;
  }
  isOrphanedProcessGroup(): boolean {
    return false;
  }
  asKernel(): Kernel {
    return this as unknown as Kernel;
  }
}

export class FakeTask {
  readonly kernel: FakeKernel;
  readonly process: FakeProcess;
  readonly memory = fakeMemory();
  readonly files = new FileDescriptors(() => 1024);
  readonly signalQueue = new WaitQueue();
  readonly signals: SignalInfo[] = [];
  readonly ignored = new Set<number>();
  credentials = ROOT;
  blocking: unknown = undefined;
  onInterrupt: (() => number) | undefined = undefined;
  deadlinePassed = false;
  pendingSignals: SignalMask = { low: 0, high: 0 };
  #parked: { handler: Handler; args: readonly number[]; deadlineNs: number | undefined } | undefined = undefined;
  #woken = false;

  constructor(kernel: FakeKernel, process: FakeProcess) {
    this.kernel = kernel;
    this.process = process;
    if (!kernel.list.includes(process)) kernel.list.push(process);
  }
  block(queues: readonly WaitQueue[], deadlineNs?: number): number {
    const waiter = { wake: () => void (this.#woken = true) };
    for (const queue of queues) queue.add(waiter);
    if (this.#parked !== undefined) this.#parked.deadlineNs = deadlineNs;
    return BLOCKED;
  }
  numberOf(id: number): number {
    return id;
  }
  idOf(number: number): number {
    return number;
  }
  capableIn(): boolean {
    return this.capable();
  }
  capable(): boolean {
    return true;
  }
  sendSignal(info: SignalInfo): void {
    this.signals.push(info);
  }
  signalIgnored(signal: number): boolean {
    return this.ignored.has(signal);
  }
  setTemporaryMask(): void {}
  signalPending(): boolean {
    return false;
  }
  dequeueSignal(): SignalInfo | undefined {
    return this.signals.shift();
  }

  /** Makes a call: its answer, or 'blocked'. */
  call(rows: readonly SyscallRow[], name: string, ...args: readonly number[]): number | 'blocked' {
    const handler = rows.find((row) => row.name === name)!.handler!;
    this.blocking = undefined;
    this.onInterrupt = undefined;
    this.deadlinePassed = false;
    return this.#run({ handler, args, deadlineNs: undefined });
  }
  #run(parked: { handler: Handler; args: readonly number[]; deadlineNs: number | undefined }): number | 'blocked' {
    this.kernel.current = this;
    this.#woken = false;
    this.#parked = parked;
    const [a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0] = parked.args;
    const result = parked.handler(this.asTask(), a0, a1, a2, a3, a4, a5);
    if (result === BLOCKED) return 'blocked';
    this.#parked = undefined;
    return result;
  }
  /** Goes on with a blocked call: 'blocked' as long as nobody woke it and its deadline has not passed. */
  resume(): number | 'blocked' {
    const parked = this.#parked;
    if (parked === undefined) throw new Error('no call is blocked');
    this.deadlinePassed = parked.deadlineNs !== undefined && parked.deadlineNs <= this.kernel.now;
    if (!this.#woken && !this.deadlinePassed) return 'blocked';
    return this.#run(parked);
  }
  put(address: number, text: string | Uint8Array): number {
    const bytes = typeof text === 'string' ? Uint8Array.from(text, (character) => character.charCodeAt(0)) : text;
    this.memory.copyOut(address, bytes);
    return bytes.length;
  }
  text(address: number, length: number): string {
    return String.fromCharCode(...this.memory.copyIn(address, length)!);
  }
  asTask(): Task {
    return this as unknown as Task;
  }
  asProcess(): Process {
    return this.process as unknown as Process;
  }
}

export function fakeTask(pid = 100): FakeTask {
  return new FakeTask(new FakeKernel(), new FakeProcess(pid));
}
