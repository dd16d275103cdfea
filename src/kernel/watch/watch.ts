/**
 * Shows calls to a watcher: before they are made, when it may have something against them, and after. The handlers of the calls that it
 * asks for are wrapped, in this kernel's table; no other call is any slower, and without a watcher none is.
 *
 * What a watcher sees was copied from the guest's memory before the handler reads it again. Nothing of the guest runs in between, as a
 * kernel has one thread for all its tasks.
 */
import { EINPROGRESS, ENOSYS, EPERM } from '../../abi/errno.ts';
import { SI_KERNEL, SIGKILL } from '../../abi/signal.ts';
import { WaitQueue } from '../../fs/types.ts';
import { makeEntry, type GateEntry } from '../gate-entry.ts';
import type { Kernel } from '../kernel.ts';
import { SYSCALL_ROWS } from '../syscalls/table.ts';
import { ALL_CAPABILITIES, effectiveOf, withEffective } from '../task/credentials.ts';
import type { Process } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import { BLOCKED, type Handler, type SyscallRow } from '../types.ts';
import { CallEvent, planOf, type CallPlan } from './event.ts';
import { Programs } from './programs.ts';
import { programToBe } from './program-to-be.ts';
import { SHAPES } from './shapes.ts';
import type { SystemEvent, WatchCounters, Watcher } from './types.ts';

/** A watched call that could not end at once. */
interface Pending {
  /** `room`: the stream was full. `held`: the container was stopped before it. `made`: the handler waits. `told`: so does it, and nothing is left to say. */
  readonly phase: 'room' | 'held' | 'made' | 'told';
  readonly event: CallEvent | undefined;
  /** Of one that is held: what was judged. */
  readonly judged?: string;
}

interface Watched {
  readonly plan: CallPlan;
  readonly handler: Handler;
  readonly isJudged: boolean;
}

type Arguments = readonly [number, number, number, number, number, number];

const EXECVE = planOf(SYSCALL_ROWS.find(({ name }) => name === 'execve')!, { names: ['filename'] });

/** As if the call would succeed: what it is judged by. */
function expectedResult(type: string, args: Arguments | undefined): number {
  return args !== undefined && (type === 'dup2' || type === 'dup3') ? args[1] : 0;
}

/** What rules see of a call that is yet to be made, and that others could change meanwhile. */
function subjectOf(event: CallEvent, args: Arguments): string {
  const { arguments: named, file, source, target, openFlags, program } = event;
  const started = event.startsProgram ? programToBe(event, args, program) : undefined;
  return JSON.stringify([[...named], file?.name, file?.otherName, source, target, openFlags, { ...started, parent: undefined }]);
}

export class Watch {
  readonly counters: WatchCounters = { events: 0, waits: 0 };
  readonly #kernel: Kernel;
  readonly #watcher: Watcher;
  readonly #programs = new Programs();
  readonly #pending = new WeakMap<KernelTask, Pending>();
  /** Whoever waits here is woken by nobody else. */
  readonly #held = new WaitQueue();

  /** From now on, and until the end of the kernel. */
  constructor(kernel: Kernel, watcher: Watcher) {
    this.#kernel = kernel;
    this.#watcher = watcher;
    for (const row of SYSCALL_ROWS) {
      if (watcher.calls.has(row.name)) this.#wrap(row);
      else if (watcher.firstCalls?.has(row.name) === true) this.#tellFirst(row);
    }
  }

  /** A program was started from outside: as if somebody had called execve for it. False: it must not run. */
  started(process: Process): boolean {
    if (!this.#watcher.calls.has(EXECVE.row.name)) return true;
    const task = process.leader;
    this.#setCapabilities(task);
    const program = this.#programs.of(process);
    const event = new CallEvent(task, EXECVE, [0, 0, 0], program, task.mm.launched?.path ?? program.exePath);
    const isAllowed = !this.#watcher.judgedCalls.has(EXECVE.row.name) || this.#judge(event).kind !== 'stop';
    this.#finish(event, isAllowed ? 0 : -EPERM);
    return isAllowed;
  }

  #setCapabilities(task: KernelTask): void {
    const { capabilities } = this.#watcher;
    if (capabilities === undefined) return;
    const { credentials } = task;
    const { kept = ALL_CAPABILITIES, onUse } = capabilities;
    const { permitted, inheritable, bounding, ambient } = credentials;
    const less = { ...credentials, permitted: permitted & kept, inheritable: inheritable & kept, bounding: bounding & kept, ambient: ambient & kept, onCapability: onUse };
    task.credentials = withEffective(less, effectiveOf(credentials) & kept);
  }

  /** A call that had waited ended otherwise than by its handler, or by it. */
  closed(task: KernelTask, result: number): void {
    const pending = this.#pending.get(task);
    if (pending === undefined) return;
    this.#pending.delete(task);
    if (pending.phase === 'made' && pending.event !== undefined) this.#finish(pending.event, result);
  }

  /** It starts over, and is a new one. */
  forget(task: KernelTask): void {
    this.#pending.delete(task);
  }

  /** Once told, the call is as it was. */
  #tellFirst(row: SyscallRow): void {
    const { syscalls } = this.#kernel;
    const known: GateEntry | undefined = syscalls[row.number];
    const handler: Handler = (task, ...args) => {
      syscalls[row.number] = known;
      this.#watcher.first?.(row.name);
      return known?.handler(task, ...args) ?? -ENOSYS;
    };
    syscalls[row.number] = makeEntry({ ...row, handler });
  }

  #wrap(row: SyscallRow): void {
    const kernel = this.#kernel;
    const shape = SHAPES.get(row.name) ?? { names: [] };
    const known: GateEntry | undefined = kernel.syscalls[row.number];
    const handler: Handler = known?.handler ?? (() => {
      kernel.countUnknown(row.number);
      return -ENOSYS;
    });
    const watched: Watched = { plan: planOf(row, shape), handler, isJudged: this.#watcher.judgedCalls.has(row.name) };
    const wrapped: Handler = (task, a0, a1, a2, a3, a4, a5) => this.#call(task as KernelTask, watched, [a0, a1, a2, a3, a4, a5]);
    kernel.syscalls[row.number] = makeEntry({ ...row, handler: wrapped });
  }

  #call(task: KernelTask, watched: Watched, args: Arguments): number {
    const pending = task.callRow === undefined ? undefined : this.#pending.get(task);
    if (pending === undefined || pending.phase === 'room') {
      task.uninterruptible = false;
      return this.#begin(task, watched, args);
    }
    if (pending.phase === 'held') {
      task.uninterruptible = false;
      this.#pending.delete(task);
      // Others may have run since the container goes on: what it is about by now is another call, to be judged.
      const isSame = subjectOf(new CallEvent(task, watched.plan, args, this.#programs.of(task.process)), args) === pending.judged;
      return isSame ? this.#make(pending.event!, watched, args) : this.#begin(task, watched, args);
    }
    return watched.handler(task, ...args);
  }

  #begin(task: KernelTask, watched: Watched, args: Arguments): number {
    const watcher = this.#watcher;
    if (watcher.isFull) {
      this.counters.waits++;
      return this.#park(task, { phase: 'room', event: undefined }, watcher.room);
    }
    this.#pending.delete(task);
    const event = new CallEvent(task, watched.plan, args, this.#programs.of(task.process));
    if (watched.isJudged) {
      const verdict = this.#judge(event, args);
      if (verdict.kind === 'stop') return this.#finish(event, verdict.result);
      if (verdict.kind === 'hold') {
        const parked = this.#park(task, { phase: 'held', event, judged: subjectOf(event, args) }, this.#held);
        // It has its turn once the container goes on.
        task.kernel.addTimer(0, () => task.wake());
        return parked;
      }
    }
    return this.#make(event, watched, args);
  }

  #judge(event: CallEvent, args?: Arguments): { readonly kind: 'go' | 'hold' } | { readonly kind: 'stop'; readonly result: number } {
    const { task, program } = event;
    if (args !== undefined && event.startsProgram) event.program = programToBe(event, args, program) ?? program;
    event.number = this.counters.events + 1;
    event.result = expectedResult(event.type, args);
    const verdict = this.#watcher.judge(event);
    if (verdict.kind === 'allow') {
      event.program = program;
      return { kind: 'go' };
    }
    if (verdict.kind === 'deny') return { kind: 'stop', result: -verdict.errno };
    if (verdict.kind === 'kill') {
      task.process.sendSignal(SIGKILL, { signal: SIGKILL, code: SI_KERNEL });
      return { kind: 'stop', result: -EPERM };
    }
    event.program = program;
    this.#kernel.scheduler.freeze();
    return { kind: 'hold' };
  }

  #park(task: KernelTask, pending: Pending, queue: WaitQueue): number {
    this.#pending.set(task, pending);
    task.uninterruptible = true;
    return task.block([queue]);
  }

  #make(event: CallEvent, { plan: { row }, handler }: Watched, args: Arguments): number {
    const { task } = event;
    const result = handler(task, ...args);
    if (result !== BLOCKED) return this.#finish(event, result);
    // A connection may come about whatever becomes of the task: it is told now, as connect(2) tells who does not wait.
    const isTold = row.name === 'connect';
    if (isTold) this.#finish(event, -EINPROGRESS);
    this.#pending.set(task, { phase: isTold ? 'told' : 'made', event });
    return result;
  }

  #finish(event: CallEvent, result: number): number {
    event.number = ++this.counters.events;
    event.end(result);
    if (result === 0 && event.startsProgram) event.program = this.#programs.of(event.task.process);
    this.#watcher.happened(event satisfies SystemEvent);
    return result;
  }
}
