/** timerfd_create(2), Linux fs/timerfd.c. */
import { EAGAIN, ECANCELED, EINVAL, ESPIPE } from '../../abi/errno.ts';
import { POLLIN } from '../../abi/poll.ts';
import { CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_REALTIME, CLOCK_REALTIME_ALARM } from '../../abi/time.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { Inode } from '../../fs/types.ts';
import type { Kernel, KernelTimer } from '../types.ts';

/** `struct itimerspec` in nanoseconds; `valueNs` 0 is disarmed. */
export interface TimerSetting {
  readonly valueNs: number;
  readonly intervalNs: number;
}


export class TimerFile extends StreamFile {
  readonly #kernel: Kernel;
  readonly #clock: number;
  /** On CLOCK_MONOTONIC; undefined while disarmed. */
  #deadlineNs: number | undefined = undefined;
  #intervalNs = 0;
  /** Expirations counted before the current deadline. */
  #ticks = 0;
  #timer: KernelTimer | undefined = undefined;
  #cancelled = false;

  constructor(kernel: Kernel, inode: Inode, flags: number, clock: number) {
    super(inode, 'anon_inode:[timerfd]', flags);
    this.#kernel = kernel;
    this.#clock = clock;
  }
  /** Arms or disarms; the setting before. */
  set(setting: TimerSetting, absolute: boolean): TimerSetting {
    const old = this.setting();
    const now = this.#kernel.monotonicNs();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ticks = 0;
    this.#cancelled = false;
    this.#intervalNs = setting.intervalNs;
    if (setting.valueNs === 0) this.#deadlineNs = undefined;
    else if (!absolute) this.#deadlineNs = now + setting.valueNs;
    else if (this.#clock === CLOCK_REALTIME || this.#clock === CLOCK_REALTIME_ALARM) {
      this.#deadlineNs = now + setting.valueNs - Number(this.#kernel.realtimeNs());
    } else {
      const time = this.#kernel.current?.namespaces.time;
      const isBoot = this.#clock === CLOCK_BOOTTIME || this.#clock === CLOCK_BOOTTIME_ALARM;
      this.#deadlineNs = setting.valueNs - ((isBoot ? time?.boottimeNs : time?.monotonicNs) ?? 0);
    }
    this.#arm();
    return old;
  }
  setting(): TimerSetting {
    this.#collect();
    if (this.#deadlineNs === undefined) return { valueNs: 0, intervalNs: this.#intervalNs };
    return { valueNs: Math.max(1, this.#deadlineNs - this.#kernel.monotonicNs()), intervalNs: this.#intervalNs };
  }
  /** The clock was set (TFD_TIMER_CANCEL_ON_SET). */
  cancel(): void {
    this.#cancelled = true;
    this.waitQueue.wake(POLLIN);
  }
  #arm(): void {
    if (this.#deadlineNs === undefined) return;
    this.#timer = this.#kernel.addTimer(this.#deadlineNs, () => {
      this.#timer = undefined;
      this.waitQueue.wake(POLLIN);
    });
  }
  /** Moves expirations that have passed from the deadline to `#ticks`. */
  #collect(): void {
    if (this.#deadlineNs === undefined) return;
    const late = this.#kernel.monotonicNs() - this.#deadlineNs;
    if (late < 0) return;
    if (this.#intervalNs === 0) {
      this.#ticks += 1;
      this.#deadlineNs = undefined;
      return;
    }
    const count = 1 + Math.floor(late / this.#intervalNs);
    this.#ticks += count;
    this.#deadlineNs += count * this.#intervalNs;
  }
  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (buffer.length < 8) return -EINVAL;
    if (this.#cancelled) {
      this.#cancelled = false;
      return -ECANCELED;
    }
    this.#collect();
    if (this.#ticks === 0) {
      if (this.#timer === undefined) this.#arm();
      return -EAGAIN;
    }
    new DataView(buffer.buffer, buffer.byteOffset).setBigUint64(0, BigInt(this.#ticks), true);
    this.#ticks = 0;
    if (this.#timer === undefined) this.#arm();
    return 8;
  }
  poll(): number {
    this.#collect();
    return this.#ticks > 0 || this.#cancelled ? POLLIN : 0;
  }
  override release(): void {
    this.#timer?.cancel();
  }
  fdInfo(): string {
    const { valueNs, intervalNs } = this.setting();
    const pair = (ns: number): string => `(${Math.floor(ns / 1e9)}, ${ns % 1e9})`;
    return `clockid: ${this.#clock}\nticks: ${this.#ticks}\nsettime flags: 00\nit_value: ${pair(valueNs)}\nit_interval: ${pair(intervalNs)}\n`;
  }
}
