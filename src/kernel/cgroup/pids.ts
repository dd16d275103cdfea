/** The pids controller (kernel/cgroup/pids.c): how many tasks a group may have. */
import { EAGAIN, EINVAL } from '../../abi/errno.ts';
import type { CgroupFile } from '../../fs/cgroup-view.ts';
import type { Cgroup } from './cgroup.ts';
import type { Controller } from './controllers.ts';
import { formatKeys, formatMaximum, parseMaximum } from './values.ts';

/** PIDS_MAX: more than there are ids. */
const MOST_IDS = 4_194_304;

export class PidsController implements Controller {
  readonly #group: Cgroup;
  max = Infinity;
  /** Tasks here and below, with those that have ended and are not awaited yet. */
  current = 0;
  peak = 0;
  /** Forks that its bound has refused. */
  refused = 0;

  constructor(group: Cgroup) {
    this.#group = group;
  }

  /** One more task: 0, or -EAGAIN where a bound here or above is reached (pids_can_fork()). */
  charge(): number {
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) {
      const { pids } = group;
      if (pids.current < pids.max) continue;
      pids.refused++;
      pids.#group.changed('pids.events');
      return -EAGAIN;
    }
    this.#add(1);
    return 0;
  }

  /** One task less. */
  uncharge(): void {
    this.#add(-1);
  }

  /** A task came from another group: bounds do not hold that up. */
  moved(from: Cgroup): void {
    this.#add(1);
    from.pids.#add(-1);
  }

  #add(change: number): void {
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) {
      const { pids } = group;
      pids.current += change;
      if (pids.current > pids.peak) pids.peak = pids.current;
    }
  }

  reset(): void {
    this.max = Infinity;
  }

  files(): readonly CgroupFile[] {
    return [
      {
        name: 'pids.max', mode: 0o644, effect: 'bounds', read: () => `${formatMaximum(this.max)}\n`,
        write: (text) => {
          const value = parseMaximum(text);
          if (value === undefined || value < 0 || (value !== Infinity && value > MOST_IDS)) return -EINVAL;
          this.max = value;
          return 0;
        },
      },
      { name: 'pids.current', mode: 0o444, effect: 'tells', read: () => `${this.current}\n` },
      { name: 'pids.peak', mode: 0o444, effect: 'tells', read: () => `${this.peak}\n` },
      { name: 'pids.events', mode: 0o444, effect: 'tells', read: () => formatKeys({ max: this.refused }) },
    ];
  }
}
