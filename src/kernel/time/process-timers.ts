/** Interval timers and POSIX timers of a process (setitimer(2), timer_create(2); kernel/time/itimer.c, posix-timers.c). */
import { SI_KERNEL, SI_TIMER, SIGALRM, SIGEV_NONE, SIGEV_THREAD_ID, SIGPROF, SIGVTALRM } from '../../abi/signal.ts';
import { ITIMER_REAL } from '../../abi/time.ts';
import type { Process } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import type { KernelTimer, SignalInfo } from '../types.ts';
import { clockNow, type Clock } from './clocks.ts';

/** CPU clocks are looked at no more often. */
const MIN_CPU_CHECK_NS = 1e6;
/** Most expirations that are counted (DELAYTIMER_MAX). */
const OVERRUN_MAX = 0x7fff_ffff;

interface Setting {
  readonly valueNs: number;
  readonly intervalNs: number;
}

/** Counts down on one clock and calls back, again and again with an interval. */
class IntervalTimer {
  readonly #owner: KernelTask;
  readonly #clock: Clock;
  readonly #expire: (missed: number) => void;
  #intervalNs = 0;
  /** On the timer's own clock; 0 when it is off. */
  #deadlineNs = 0;
  #timer: KernelTimer | undefined;

  constructor(owner: KernelTask, clock: Clock, expire: (missed: number) => void) {
    this.#owner = owner;
    this.#clock = clock;
    this.#expire = expire;
  }

  get setting(): Setting {
    const left = this.#deadlineNs === 0 ? 0 : Math.max(1, this.#deadlineNs - clockNow(this.#owner, this.#clock));
    return { valueNs: left, intervalNs: this.#intervalNs };
  }

  /** `valueNs` 0 turns it off. */
  set(setting: Setting, absolute: boolean): void {
    this.cancel();
    this.#intervalNs = setting.intervalNs;
    if (setting.valueNs === 0) return;
    this.#deadlineNs = absolute ? setting.valueNs : clockNow(this.#owner, this.#clock) + setting.valueNs;
    this.#arm();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#deadlineNs = 0;
  }

  #arm(): void {
    const { kernel } = this.#owner;
    let left = this.#deadlineNs - clockNow(this.#owner, this.#clock);
    // A CPU clock is at most as fast as the wall's: look again when it can have arrived.
    if (this.#clock.kind !== 'monotonic' && this.#clock.kind !== 'realtime') left = Math.max(left, MIN_CPU_CHECK_NS);
    this.#timer = kernel.addTimer(kernel.monotonicNs() + Math.max(0, left), () => this.#check());
  }

  #check(): void {
    const late = clockNow(this.#owner, this.#clock) - this.#deadlineNs;
    // The real-time clock and doubles are not exact to the nanosecond.
    if (late < -1000) {
      this.#arm();
      return;
    }
    let missed = 0;
    if (this.#intervalNs > 0) {
      missed = Math.max(0, Math.floor(late / this.#intervalNs));
      this.#deadlineNs += (missed + 1) * this.#intervalNs;
      this.#arm();
    } else {
      this.#deadlineNs = 0;
    }
    this.#expire(missed);
  }
}

export interface TimerEvent {
  readonly notify: number;
  readonly signal: number;
  readonly value: bigint;
  /** SIGEV_THREAD_ID. */
  readonly tid: number;
}

export class PosixTimer {
  readonly id: number;
  readonly clock: Clock;
  readonly #process: Process;
  readonly #event: TimerEvent;
  readonly #timer: IntervalTimer;
  #info: { -readonly [K in keyof SignalInfo]: SignalInfo[K] } | undefined;

  constructor(id: number, owner: KernelTask, clock: Clock, event: TimerEvent) {
    this.id = id;
    this.clock = clock;
    this.#process = owner.process;
    this.#event = event;
    this.#timer = new IntervalTimer(owner, clock, (missed) => this.#fire(missed));
  }

  get setting(): Setting {
    return this.#timer.setting;
  }

  get overrun(): number {
    return this.#info?.overrun ?? 0;
  }

  set(setting: Setting, absolute: boolean): void {
    this.#timer.set(setting, absolute);
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #fire(missed: number): void {
    const { notify, signal, value, tid } = this.#event;
    if (notify === SIGEV_NONE) return;
    const process = this.#process;
    const task = notify === SIGEV_THREAD_ID ? process.kernel.findTask(tid) : undefined;
    const queue = task?.pending ?? process.pending;
    if (this.#info !== undefined && queue.findTimer(this.id) !== undefined) {
      this.#info.overrun = Math.min(OVERRUN_MAX, (this.#info.overrun ?? 0) + missed + 1);
      return;
    }
    this.#info = { signal, code: SI_TIMER, timerId: this.id, overrun: missed, value };
    if (task !== undefined) task.sendSignal(this.#info);
    else process.sendSignal(signal, this.#info);
  }
}

const ITIMER_SIGNALS = [SIGALRM, SIGVTALRM, SIGPROF];

export class ProcessTimers {
  readonly #process: Process;
  readonly #intervals: (IntervalTimer | undefined)[] = [];
  readonly #posix = new Map<number, PosixTimer>();
  #nextId = 0;

  constructor(process: Process) {
    this.#process = process;
  }

  #interval(which: number): IntervalTimer {
    const process = this.#process;
    const clock: Clock = which === ITIMER_REAL ? { kind: 'monotonic', id: 0 } : { kind: 'process', id: process.pid };
    const signal = ITIMER_SIGNALS[which]!;
    return (this.#intervals[which] ??= new IntervalTimer(process.leader, clock, () => process.sendSignal(signal, { signal, code: SI_KERNEL })));
  }

  getInterval(which: number): Setting {
    return this.#interval(which).setting;
  }

  setInterval(which: number, setting: Setting): void {
    this.#interval(which).set(setting, false);
  }

  get count(): number {
    return this.#posix.size;
  }

  create(owner: KernelTask, clock: Clock, makeEvent: (id: number) => TimerEvent): PosixTimer {
    const id = this.#nextId++;
    const timer = new PosixTimer(id, owner, clock, makeEvent(id));
    this.#posix.set(id, timer);
    return timer;
  }

  find(id: number): PosixTimer | undefined {
    return this.#posix.get(id);
  }

  delete(id: number): void {
    this.#posix.get(id)?.cancel();
    this.#posix.delete(id);
  }

  /** execve(2): POSIX timers go, interval timers stay. */
  cancelPosix(): void {
    for (const timer of this.#posix.values()) timer.cancel();
    this.#posix.clear();
  }

  cancelAll(): void {
    this.cancelPosix();
    for (const timer of this.#intervals) timer?.cancel();
  }
}

/** The process's timers, made on first use. */
export function timersOf(process: Process): ProcessTimers {
  return (process.timers ??= new ProcessTimers(process));
}
