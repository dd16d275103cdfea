/** The cpuset controller (kernel/cgroup/cpuset.c): which of the container's processors a group may use. */
import { EINVAL } from '../../abi/errno.ts';
import type { CgroupFile } from '../../fs/cgroup-view.ts';
import type { KernelTask } from '../task/task.ts';
import type { Cgroup } from './cgroup.ts';
import type { Controller } from './controllers.ts';

/** `0-2,4` of a mask. */
function formatList(mask: number): string {
  const parts: string[] = [];
  for (let cpu = 0; cpu < 32; cpu++) {
    if ((mask & (1 << cpu)) === 0) continue;
    const first = cpu;
    while ((mask & (1 << (cpu + 1))) !== 0 && cpu < 31) cpu++;
    parts.push(first === cpu ? String(first) : `${first}-${cpu}`);
  }
  return parts.join(',');
}

/** A mask of `0-2,4`; undefined where it is none or names what is not there. */
export function parseList(text: string, most: number): number | undefined {
  let mask = 0;
  for (const part of text.split(',').filter((one) => one !== '')) {
    const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim());
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || last < first || last >= most) return undefined;
    for (let cpu = first; cpu <= last; cpu++) mask |= 1 << cpu;
  }
  return mask;
}

export class CpusetController implements Controller {
  readonly #group: Cgroup;
  /** What was asked for; 0: whatever the group above has. */
  #wanted = 0;
  #effective = 0;
  #wantedNodes = '';

  constructor(group: Cgroup) {
    this.#group = group;
    this.inherit();
  }

  get #all(): number {
    return 2 ** this.#group.tree.kernel.processors - 1;
  }

  /** The processors that its tasks may use: what was asked for, as far as the group above has it; else all of that. */
  inherit(): void {
    const { parent } = this.#group;
    const above = parent === undefined ? this.#all : parent.cpuset.#effective;
    this.#effective = (this.#wanted & above) === 0 ? above : this.#wanted & above;
  }

  #changed(): void {
    for (const below of this.#group.subtree()) {
      below.cpuset.inherit();
      for (const task of below.tasks) below.cpuset.apply(task);
    }
  }

  /** cpuset_attach(): a task has the processors of its group. */
  apply(task: KernelTask): void {
    if (task.affinity !== this.#effective && this.#effective !== this.#all) task.affinity = this.#effective;
  }

  /** 0 or -EINVAL. */
  setProcessors(text: string): number {
    const mask = parseList(text, this.#group.tree.kernel.processors);
    if (mask === undefined) return -EINVAL;
    this.#wanted = mask;
    this.#changed();
    return 0;
  }

  reset(): void {
    this.#wanted = 0;
    this.#wantedNodes = '';
    this.#changed();
  }

  files(): readonly CgroupFile[] {
    return [
      {
        name: 'cpuset.cpus', mode: 0o644, effect: 'kept', note: 'shown as the affinity of the tasks, which take turns on one processor',
        read: () => `${formatList(this.#wanted)}\n`, write: (text) => this.setProcessors(text),
      },
      { name: 'cpuset.cpus.effective', mode: 0o444, effect: 'tells', read: () => `${formatList(this.#effective)}\n` },
      {
        name: 'cpuset.mems', mode: 0o644, effect: 'kept', note: 'there is one node', read: () => `${this.#wantedNodes}\n`,
        write: (text) => {
          if (parseList(text, 1) === undefined) return -EINVAL;
          this.#wantedNodes = text === '' ? '' : '0';
          return 0;
        },
      },
      { name: 'cpuset.mems.effective', mode: 0o444, effect: 'tells', read: () => '0\n' },
    ];
  }
}
