/**
 * Runs tasks in turn on the kernel's one thread. A task runs until its time slice is used up or it
 * leaves on its own; the host's event loop has its turn every few milliseconds and when nobody can run.
 */
import type { Kernel } from './kernel.ts';
import type { Mm } from './mm/mm.ts';
import { isDoomed } from './signals/send.ts';
import { runTask } from './task/task-run.ts';
import type { Process } from './task/process.ts';
import type { KernelTask } from './task/task.ts';

/** Longest host timer: beyond it, it is set again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Tasks that wait for the processor. */
export interface RunQueue {
  /** Groups share the processor by their weights. */
  readonly isFair: boolean;
  readonly size: number;
  push(task: KernelTask): void;
  /** Takes the one off whose turn it is. */
  next(): KernelTask | undefined;
  /** A task had its turn. */
  ran(task: KernelTask, elapsedNs: number): void;
}

/** In turn, whoever they belong to. */
class TurnQueue implements RunQueue {
  readonly isFair = false;
  #tasks: KernelTask[] = [];
  #head = 0;

  get size(): number {
    return this.#tasks.length - this.#head;
  }

  push(task: KernelTask): void {
    this.#tasks.push(task);
  }

  next(): KernelTask | undefined {
    const task = this.#tasks[this.#head];
    if (task === undefined) {
      this.#tasks = [];
      this.#head = 0;
      return undefined;
    }
    this.#head++;
    if (this.#head > 256 && this.#head * 2 > this.#tasks.length) {
      this.#tasks = this.#tasks.slice(this.#head);
      this.#head = 0;
    }
    return task;
  }

  ran(): void {}
}

export class Scheduler {
  readonly #kernel: Kernel;
  #queue: RunQueue = new TurnQueue();
  /** Whose registers and memory are at hand. */
  #loadedMm: Mm | undefined;
  readonly #loadedTasks = new WeakMap<Mm, KernelTask>();
  #inSlice = false;
  #sliceScheduled = false;
  #frozen = false;
  #hostTimer: { cancel(): void } | undefined;
  /** Memory given up while its code was still on the stack. */
  #dropped: Mm[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Number of tasks that wait for the processor. */
  get runnable(): number {
    return this.#queue.size;
  }

  get isFair(): boolean {
    return this.#queue.isFair;
  }

  /** Another order from now on. */
  useQueue(queue: RunQueue): void {
    for (let task = this.#queue.next(); task !== undefined; task = this.#queue.next()) queue.push(task);
    this.#queue = queue;
  }

  /** A task had its turn, where somebody counts. */
  ran(task: KernelTask, elapsedNs: number): void {
    this.#queue.ran(task, elapsedNs);
  }

  enqueue(task: KernelTask): void {
    if (task.queued || task.state !== 'running' || task.held) return;
    task.queued = true;
    this.#queue.push(task);
    this.#wakeHost();
  }

  /** A stopped process goes on. */
  resume(process: Process): void {
    for (const task of process.tasks) {
      if (task.state === 'running' && !task.queued && !task.held) {
        task.queued = true;
        this.#queue.push(task);
      }
    }
    this.#wakeHost();
  }

  /** No task runs and no timer fires until `thaw`; what comes from the host waits in its queues. */
  freeze(): void {
    this.#frozen = true;
    this.#plan();
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#wakeHost();
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  #wakeHost(): void {
    if (this.#inSlice || this.#sliceScheduled || this.#frozen) return;
    this.#sliceScheduled = true;
    this.#kernel.host.setImmediate(() => {
      this.#sliceScheduled = false;
      if (!this.#frozen) this.#slice();
    });
  }

  #next(): KernelTask | undefined {
    const task = this.#queue.next();
    if (task !== undefined) task.queued = false;
    return task;
  }

  /** Everything that can be done before the host must have its turn. */
  #slice(): void {
    const kernel = this.#kernel;
    this.#inSlice = true;
    try {
      const end = kernel.monotonicNs() + kernel.limits.yieldMs * 1e6;
      for (;;) {
        const now = kernel.monotonicNs();
        if (kernel.timers.nextDeadline <= now) kernel.timers.run(now);
        if (now >= end || this.#frozen) break;
        const task = this.#next();
        if (task === undefined) break;
        if ((task.cgroup.held || task.pause !== undefined) && !isDoomed(task)) continue;
        if (task.state === 'running') {
          runTask(task);
          this.#releaseDropped();
        }
      }
    } catch (error) {
      kernel.crashed(error);
      return;
    } finally {
      this.#inSlice = false;
    }
    this.#plan();
  }

  /** When to run again. */
  #plan(): void {
    const kernel = this.#kernel;
    this.#hostTimer?.cancel();
    this.#hostTimer = undefined;
    if (this.#frozen) {
      // The host would take a program with nothing to do for ended.
      this.#hostTimer = kernel.host.setTimer(() => this.#plan(), MAX_TIMER_MS);
      return;
    }
    if (this.runnable > 0) {
      this.#wakeHost();
      return;
    }
    if (kernel.isFinished) {
      kernel.finish();
      return;
    }
    // Also where nothing is due: a host that has nothing else to do would take the program for ended.
    const deadline = kernel.timers.nextDeadline;
    const milliseconds = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil((deadline - kernel.monotonicNs()) / 1e6)));
    this.#hostTimer = kernel.host.setTimer(() => this.#wakeHost(), milliseconds);
  }

  /** A timer was added from outside the kernel's own turn. */
  timerAdded(): void {
    if (!this.#inSlice && !this.#sliceScheduled) this.#wakeHost();
  }

  /** Puts registers and shared memory of the task in place. */
  load(task: KernelTask): void {
    const { mm } = task;
    if (this.#loadedMm !== mm) {
      this.#loadedMm?.leave();
      mm.enter();
      this.#loadedMm = mm;
    }
    const previous = this.#loadedTasks.get(mm);
    if (previous === task) return;
    if (previous !== undefined && previous.state !== 'dead' && previous.mm === mm) mm.space.saveThread(previous.saved);
    if (previous !== undefined) mm.space.loadThread(task.saved);
    this.#loadedTasks.set(mm, task);
  }

  /** The registers in the space are the task's already (fork, exec). */
  adopt(task: KernelTask): void {
    this.#loadedTasks.set(task.mm, task);
  }

  /** The task's registers as of now are in its space. */
  isLoaded(task: KernelTask): boolean {
    return this.#loadedTasks.get(task.mm) === task;
  }

  /** Gives memory back once no code of it is on the stack. */
  drop(mm: Mm): void {
    this.#dropped.push(mm);
    if (!this.#inSlice) this.#releaseDropped();
  }

  #releaseDropped(): void {
    if (this.#dropped.length === 0) return;
    for (const mm of this.#dropped) {
      if (this.#loadedMm === mm && mm.users === 1) {
        this.#loadedMm = undefined;
      }
      mm.drop(!this.#kernel.isFinished);
    }
    this.#dropped = [];
  }

  stop(): void {
    this.#hostTimer?.cancel();
  }
}
