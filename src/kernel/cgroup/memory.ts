/** The memory controller (mm/memcontrol.c): what processes and files in memory use, bounds, and who is killed at one. */
import { EAGAIN, EINVAL } from '../../abi/errno.ts';
import type { CgroupFile } from '../../fs/cgroup-view.ts';
import type { MemoryPayer } from '../../fs/file-data.ts';
import type { Mm } from '../mm/mm.ts';
import type { Charge, MemoryOwner } from '../mm/mm-meter.ts';
import { ATTENTION_YIELD } from '../task/task.ts';
import type { Cgroup } from './cgroup.ts';
import type { Controller } from './controllers.ts';
import { killForMemory } from './oom.ts';
import { formatKeys, formatMaximum } from './values.ts';

const PAGE = 4096;
const UNITS: Readonly<Record<string, number>> = { '': 1, 'k': 2 ** 10, 'm': 2 ** 20, 'g': 2 ** 30, 't': 2 ** 40 };

/** memparse(): whole pages of `64M`, or Infinity for `max`. */
function parseBytes(text: string): number | undefined {
  if (text === 'max') return Infinity;
  const match = /^(\d{1,15})([kmgt]?)$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * UNITS[match[2]!.toLowerCase()]!;
  return Math.floor(bytes / PAGE) * PAGE;
}

/** Counts of `memory.events`. */
export interface MemoryEvents {
  low: number;
  high: number;
  max: number;
  oom: number;
  oom_kill: number;
  oom_group_kill: number;
}

function noEvents(): MemoryEvents {
  return { low: 0, high: 0, max: 0, oom: 0, oom_kill: 0, oom_group_kill: 0 };
}

export class MemoryController implements Controller, MemoryOwner, MemoryPayer {
  readonly #group: Cgroup;
  /** Bytes charged here and below; of spaces that are not metered all that they could use. */
  #usage = 0;
  #peak = 0;
  /** Of files in memory here and below. */
  #files = 0;
  max = Infinity;
  high = Infinity;
  low = 0;
  #min = 0;
  swapMax = Infinity;
  killsAll = false;
  metered = false;
  /** With those of the groups below, and of this one alone. */
  readonly events = noEvents();
  readonly localEvents = noEvents();
  /** Spaces of processes of this group alone. */
  readonly spaces = new Set<Mm>();

  constructor(group: Cgroup) {
    this.#group = group;
    this.metered = group.parent?.memory.metered === true;
  }

  // ---- address spaces ----

  join(mm: Mm): void {
    this.spaces.add(mm);
  }

  part(mm: Mm): void {
    this.spaces.delete(mm);
  }

  add(bytes: number): void {
    // Not by a generator: this is done at every mapping.
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) {
      const { memory } = group;
      memory.#usage += bytes;
      if (memory.metered && memory.#usage > memory.#peak) memory.#peak = memory.#usage;
    }
  }

  release(bytes: number): void {
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) group.memory.#usage -= bytes;
  }

  admit(bytes: number): void {
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) {
      const { memory } = group;
      if (!memory.metered && memory.#usage + bytes > Math.min(memory.max, memory.high)) memory.#meter();
    }
  }

  #meter(): void {
    for (const { memory } of this.#group.subtree()) {
      memory.metered = true;
      for (const mm of memory.spaces) mm.meter.start();
    }
    this.#peak = Math.max(this.#peak, this.#usage);
  }

  /** The group whose bound is in the way. */
  #full(bytes: number): Cgroup | undefined {
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) if (group.memory.#usage + bytes > group.memory.max) return group;
    return undefined;
  }

  tryTake(bytes: number): boolean {
    if (this.#full(bytes) !== undefined) return false;
    this.add(bytes);
    for (const { memory } of this.#group.path()) if (memory.#usage > memory.high) memory.#passedHigh();
    return true;
  }

  /** Nothing can be reclaimed here: who goes above `memory.high` lets the others run first. */
  #passedHigh(): void {
    this.count('high');
    this.#yield();
  }

  #yield(): void {
    const { current } = this.#group.tree.kernel;
    if (current !== undefined) current.attention |= ATTENTION_YIELD;
  }

  take(bytes: number): Charge {
    if (this.tryTake(bytes)) return 'given';
    const full = this.#full(bytes)!;
    full.memory.count('max');
    const answer = killForMemory(full);
    if (answer === 'retry') this.#yield();
    return answer;
  }

  // ---- files in memory ----

  /** For a file of a tmpfs: false where there is no room even after a process was killed. */
  chargeFile(bytes: number): boolean {
    this.admit(bytes);
    const charge = this.take(bytes);
    if (charge === 'refused') return false;
    if (charge === 'retry') this.add(bytes);
    for (const { memory } of this.#group.path()) memory.#files += bytes;
    return true;
  }

  releaseFile(bytes: number): void {
    this.release(bytes);
    for (const { memory } of this.#group.path()) memory.#files -= bytes;
  }

  // ---- events ----

  /** One more event of the group, which those above count too. */
  count(event: keyof MemoryEvents): void {
    this.localEvents[event]++;
    this.#group.changed('memory.events.local');
    for (const group of this.#group.path()) {
      group.memory.events[event]++;
      group.changed('memory.events');
    }
  }

  /** Bytes in use now, the metered and the others. */
  get current(): number {
    let bytes = this.#usage;
    for (const { memory } of this.#group.subtree()) for (const { meter } of memory.spaces) bytes += meter.used() - meter.paid;
    return bytes;
  }

  /** Exact where spaces are metered; else the most that anyone has seen in `memory.current`. */
  #highest(): number {
    this.#seen();
    return this.#peak;
  }

  #seen(): number {
    const bytes = this.current;
    this.#peak = Math.max(this.#peak, bytes);
    return bytes;
  }

  /** What is charged, which is an upper bound of what is in use. */
  get charged(): number {
    return this.#usage;
  }

  setMax(bytes: number): void {
    this.max = bytes;
    this.admit(0);
    if (this.#usage > this.max && killForMemory(this.#group) === 'retry') this.#yield();
  }

  reset(): void {
    this.max = Infinity;
    this.high = Infinity;
    this.low = 0;
    this.#min = 0;
    this.swapMax = Infinity;
    this.killsAll = false;
  }

  // ---- files ----

  #bound(name: string, file: Pick<CgroupFile, 'effect' | 'note'>, get: () => number, set: (bytes: number) => void): CgroupFile {
    return {
      name, mode: 0o644, ...file, read: () => `${formatMaximum(get())}\n`,
      write: (text) => {
        const bytes = parseBytes(text);
        if (bytes === undefined) return -EINVAL;
        set(bytes);
        return 0;
      },
    };
  }

  #statistics(): string {
    let faults = 0;
    for (const { memory } of this.#group.subtree()) for (const { meter } of memory.spaces) faults += meter.faults;
    const anonymous = Math.max(0, this.current - this.#files);
    return formatKeys({
      anon: anonymous, file: this.#files, shmem: this.#files, inactive_anon: anonymous + this.#files, active_anon: 0, inactive_file: 0, active_file: 0, unevictable: 0,
      pgfault: faults, pgmajfault: 0,
    });
  }

  #swapFiles(): readonly CgroupFile[] {
    const zero = (name: string): CgroupFile => ({ name, mode: 0o444, effect: 'tells', note: 'there is no swap', read: () => '0\n' });
    return [
      zero('memory.swap.current'), zero('memory.swap.peak'), this.#bound('memory.swap.max', { effect: 'kept', note: 'there is no swap' }, () => this.swapMax, (bytes) => (this.swapMax = bytes)),
      { name: 'memory.swap.events', mode: 0o444, effect: 'tells', note: 'there is no swap', read: () => formatKeys({ high: 0, max: 0, fail: 0 }) },
    ];
  }

  files(): readonly CgroupFile[] {
    return [
      { name: 'memory.current', mode: 0o444, effect: 'tells', read: () => `${this.#seen()}\n` },
      { name: 'memory.peak', mode: 0o444, effect: 'tells', note: 'exact from when the bound is near; before that, what was seen in `memory.current`', read: () => `${this.#highest()}\n` },
      this.#bound('memory.min', { effect: 'kept', note: 'nothing is reclaimed, so nothing needs protection' }, () => this.#min, (bytes) => (this.#min = bytes)),
      this.#bound('memory.low', { effect: 'kept', note: 'nothing is reclaimed, so nothing needs protection' }, () => this.low, (bytes) => (this.low = bytes)),
      this.#bound('memory.high', { effect: 'bounds', note: 'who is above lets the others run first; nothing is reclaimed' }, () => this.high, (bytes) => {
        this.high = bytes;
        this.admit(0);
      }),
      this.#bound('memory.max', { effect: 'bounds' }, () => this.max, (bytes) => this.setMax(bytes)),
      { name: 'memory.events', mode: 0o444, effect: 'tells', read: () => formatKeys({ ...this.events }) },
      { name: 'memory.events.local', mode: 0o444, effect: 'tells', read: () => formatKeys({ ...this.localEvents }) },
      { name: 'memory.stat', mode: 0o444, effect: 'tells', note: 'ten of the keys', read: () => this.#statistics() },
      {
        name: 'memory.oom.group', mode: 0o644, effect: 'bounds', read: () => `${this.killsAll ? 1 : 0}\n`,
        write: (text) => {
          if (text !== '0' && text !== '1') return -EINVAL;
          this.killsAll = text === '1';
          return 0;
        },
      },
      // There is no swap and no clean page that could go.
      {
        name: 'memory.reclaim', mode: 0o200, effect: 'acts', note: 'always EAGAIN: there is nothing to reclaim',
        write: (text) => (parseBytes(text.split(/\s+/)[0] ?? '') === undefined ? -EINVAL : -EAGAIN),
      },
      ...this.#swapFiles(),
    ];
  }
}
