/** The cpu controller (kernel/sched/core.c, kernel/sched/fair.c): quotas in periods, and weights between siblings. */
import { EINVAL, ERANGE } from '../../abi/errno.ts';
import type { CgroupFile } from '../../fs/cgroup-view.ts';
import type { KernelTimer } from '../types.ts';
import type { Cgroup } from './cgroup.ts';
import type { Controller } from './controllers.ts';
import { formatKeys, parseMaximum } from './values.ts';

const DEFAULT_PERIOD_US = 100_000;
const LEAST_QUOTA_US = 1000;
const LEAST_PERIOD_US = 1000;
const MOST_PERIOD_US = 1_000_000;
const DEFAULT_WEIGHT = 100;
/** What `cpu.idle` gives: WEIGHT_IDLEPRIO 3 of 1024. */
const IDLE_WEIGHT = 0.3;
/** Weights of nice levels -20 to 19 (sched_prio_to_weight). */
const NICE_WEIGHTS = [
  88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
  1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
];

export class CpuController implements Controller {
  readonly #group: Cgroup;
  /** 1 to 10000. */
  #weight = DEFAULT_WEIGHT;
  #idle = false;
  #quotaUs = Infinity;
  #periodUs = DEFAULT_PERIOD_US;
  #burstUs = 0;
  /** What is left of the quota; below 0 where a turn took longer. */
  #leftNs = 0;
  #periodStartNs = 0;
  #throttledSinceNs: number | undefined;
  #timer: KernelTimer | undefined;
  #periods = 0;
  #throttled = 0;
  #throttledNs = 0;

  constructor(group: Cgroup) {
    this.#group = group;
  }

  /** For the scheduler. */
  get share(): number {
    return this.#idle ? IDLE_WEIGHT : this.#weight;
  }

  /** A task here or below ran so long (account_cfs_rq_runtime()). */
  consume(now: number, elapsedNs: number): void {
    if (this.#quotaUs === Infinity) return;
    const periodNs = this.#periodUs * 1000;
    const passed = Math.floor((now - this.#periodStartNs) / periodNs);
    if (passed > 0 && this.#throttledSinceNs === undefined) {
      this.#periodStartNs += passed * periodNs;
      this.#periods++;
      this.#refill(passed);
    }
    this.#leftNs -= elapsedNs;
    if (this.#leftNs <= 0 && this.#throttledSinceNs === undefined) this.#throttle(now);
  }

  #refill(periods: number): void {
    this.#leftNs = Math.min((this.#quotaUs + this.#burstUs) * 1000, this.#leftNs + periods * this.#quotaUs * 1000);
  }

  #throttle(now: number): void {
    this.#throttledSinceNs = now;
    this.#group.tree.hold(this.#group, 1);
    this.#waitForPeriod();
  }

  /** sched_cfs_period_timer(). */
  #waitForPeriod(): void {
    const { kernel } = this.#group.tree;
    this.#timer = kernel.addTimer(this.#periodStartNs + this.#periodUs * 1000, () => {
      this.#periodStartNs += this.#periodUs * 1000;
      this.#periods++;
      this.#throttled++;
      this.#refill(1);
      if (this.#leftNs > 0) this.#release();
      else this.#waitForPeriod();
    });
  }

  #release(): void {
    if (this.#throttledSinceNs === undefined) return;
    this.#throttledNs += this.#group.tree.kernel.monotonicNs() - this.#throttledSinceNs;
    this.#throttledSinceNs = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#group.tree.hold(this.#group, -1);
  }

  get quotaUs(): number {
    return this.#quotaUs;
  }

  get periodUs(): number {
    return this.#periodUs;
  }

  /** Microseconds; a quota of Infinity is none. */
  setQuota(quotaUs: number, periodUs: number = DEFAULT_PERIOD_US): void {
    this.#release();
    this.#quotaUs = quotaUs;
    this.#periodUs = periodUs;
    this.#periodStartNs = this.#group.tree.kernel.monotonicNs();
    this.#leftNs = quotaUs * 1000;
    if (quotaUs !== Infinity) this.#group.tree.controlsCpu = true;
  }

  /** 1 to 10000. */
  setWeight(weight: number): void {
    this.#weight = weight;
  }

  reset(): void {
    this.setQuota(Infinity);
    this.#burstUs = 0;
    this.#weight = DEFAULT_WEIGHT;
    this.#idle = false;
  }

  /** `cpu.stat`, which is there without the controller, too. */
  statistics(): string {
    let usageNs = 0;
    for (const below of this.#group.subtree()) {
      usageNs += below.usageNs;
    }
    const { current } = this.#group.tree.kernel;
    if (current !== undefined && current.cgroup.isWithin(this.#group)) usageNs += current.cpuTimeNs() - current.cpuNs;
    const base = formatKeys({ usage_usec: usageNs / 1000, user_usec: usageNs / 1000, system_usec: 0 });
    if (!this.#group.available.includes('cpu')) return base;
    return base + formatKeys({ nr_periods: this.#periods, nr_throttled: this.#throttled, throttled_usec: this.#throttledNs / 1000, nr_bursts: 0, burst_usec: 0 });
  }

  #writeMax(text: string): number {
    const [quotaText = '', periodText, more] = text.split(/\s+/);
    const quota = parseMaximum(quotaText);
    const period = periodText === undefined ? this.#periodUs : parseMaximum(periodText);
    if (quota === undefined || period === undefined || more !== undefined) return -EINVAL;
    if (quota < LEAST_QUOTA_US || period < LEAST_PERIOD_US || period > MOST_PERIOD_US) return -EINVAL;
    this.setQuota(quota, period);
    return 0;
  }

  #writeWeight(text: string): number {
    const value = parseMaximum(text);
    if (value === undefined || value === Infinity) return -EINVAL;
    if (value < 1 || value > 10_000) return -ERANGE;
    if (this.#idle) return -EINVAL;
    this.#weight = value;
    return 0;
  }

  /** The nearest nice level, and back. */
  #niceLevel(): number {
    const weight = (this.#weight * 1024) / DEFAULT_WEIGHT;
    let best = 0;
    for (let index = 0; index < NICE_WEIGHTS.length; index++) {
      if (Math.abs(NICE_WEIGHTS[index]! - weight) < Math.abs(NICE_WEIGHTS[best]! - weight)) best = index;
    }
    return best - 20;
  }

  #writeNice(text: string): number {
    const value = parseMaximum(text);
    if (value === undefined || value === Infinity) return -EINVAL;
    if (value < -20 || value > 19) return -ERANGE;
    this.#weight = Math.min(10_000, Math.max(1, Math.round((NICE_WEIGHTS[value + 20]! * DEFAULT_WEIGHT) / 1024)));
    return 0;
  }

  files(): readonly CgroupFile[] {
    return [
      { name: 'cpu.weight', mode: 0o644, effect: 'bounds', read: () => `${this.#idle ? 0 : this.#weight}\n`, write: (text) => this.#writeWeight(text) },
      { name: 'cpu.weight.nice', mode: 0o644, effect: 'bounds', read: () => `${this.#niceLevel()}\n`, write: (text) => this.#writeNice(text) },
      {
        name: 'cpu.idle', mode: 0o644, effect: 'bounds', note: 'a weight of 0.3', read: () => `${this.#idle ? 1 : 0}\n`,
        write: (text) => {
          if (text !== '0' && text !== '1') return -EINVAL;
          this.#idle = text === '1';
          return 0;
        },
      },
      { name: 'cpu.max', mode: 0o644, effect: 'bounds', read: () => `${this.#quotaUs === Infinity ? 'max' : this.#quotaUs} ${this.#periodUs}\n`, write: (text) => this.#writeMax(text) },
      {
        name: 'cpu.max.burst', mode: 0o644, effect: 'kept', read: () => `${this.#burstUs}\n`,
        write: (text) => {
          const value = parseMaximum(text);
          if (value === undefined || value < 0 || value > this.#quotaUs || value === Infinity) return -EINVAL;
          this.#burstUs = value;
          return 0;
        },
      },
    ];
  }
}
