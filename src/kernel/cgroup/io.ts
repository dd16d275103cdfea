/**
 * The io controller (block/blk-cgroup.c, block/blk-throttle.c). A container has one disk: its root, image and writable layer together. What is
 * read from it and written to it counts, cached or not, since all of it is memory or the host's; `io.max` holds back who is faster.
 */
import { EINVAL, ENODEV } from '../../abi/errno.ts';
import type { CgroupFile } from '../../fs/cgroup-view.ts';
import { ATTENTION_YIELD } from '../task/task.ts';
import type { Cgroup } from './cgroup.ts';
import type { Controller } from './controllers.ts';
import { formatMaximum, parseMaximum } from './values.ts';

const KEYS = ['rbps', 'wbps', 'riops', 'wiops'] as const;
type Key = typeof KEYS[number];

export class IoController implements Controller {
  readonly #group: Cgroup;
  /** Bytes and operations: read, written. */
  readonly #bytes = [0, 0];
  readonly #operations = [0, 0];
  readonly #most = new Map<Key, number>();
  /** When what was let through so far would have been done at the greatest rate. */
  readonly #freeNs = new Map<Key, number>();

  constructor(group: Cgroup) {
    this.#group = group;
  }

  /** So many bytes went; `writing` or reading. Who is too fast waits before it goes on. */
  transferred(bytes: number, writing: boolean): void {
    const { kernel } = this.#group.tree;
    const index = writing ? 1 : 0;
    let until = 0;
    for (let group: Cgroup | undefined = this.#group; group !== undefined; group = group.parent) {
      const { io } = group;
      io.#bytes[index]! += bytes;
      io.#operations[index]!++;
      if (io.#most.size > 0) until = Math.max(until, io.#spend(writing ? 'wbps' : 'rbps', bytes), io.#spend(writing ? 'wiops' : 'riops', 1));
    }
    const { current } = kernel;
    if (until === 0 || until <= kernel.monotonicNs() || current === undefined || current.cgroup !== this.#group) return;
    current.attention |= ATTENTION_YIELD;
    current.pauseUntil(until);
  }

  #spend(key: Key, amount: number): number {
    const most = this.#most.get(key);
    if (most === undefined) return 0;
    const now = this.#group.tree.kernel.monotonicNs();
    const free = Math.max(now, this.#freeNs.get(key) ?? 0) + (amount * 1e9) / most;
    this.#freeNs.set(key, free);
    return free;
  }

  /** A second, or an operation a second; Infinity for no bound. */
  setMost(key: Key, most: number): void {
    if (most === Infinity) this.#most.delete(key);
    else this.#most.set(key, most);
    this.#freeNs.delete(key);
  }

  reset(): void {
    this.#most.clear();
    this.#freeNs.clear();
  }

  #writeMax(text: string): number {
    const [device = '', ...words] = text.split(/\s+/);
    if (!/^\d+:\d+$/.test(device)) return -EINVAL;
    if (device !== this.#group.tree.disk) return -ENODEV;
    const wanted = new Map<Key, number>();
    for (const word of words) {
      const [name = '', value = ''] = word.split('=', 2);
      const key = KEYS.find((known) => known === name);
      const most = parseMaximum(value);
      if (key === undefined || most === undefined || most <= 0) return -EINVAL;
      wanted.set(key, most);
    }
    for (const [key, most] of wanted) this.setMost(key, most);
    return 0;
  }

  files(): readonly CgroupFile[] {
    const { disk } = this.#group.tree;
    return [
      {
        name: 'io.stat', mode: 0o444, effect: 'tells', note: 'one disk: root, image and writable layer together',
        read: () => {
          const [read = 0, written = 0] = this.#bytes;
          const [reads = 0, writes = 0] = this.#operations;
          return reads + writes === 0 ? '' : `${disk} rbytes=${read} wbytes=${written} rios=${reads} wios=${writes} dbytes=0 dios=0\n`;
        },
      },
      {
        name: 'io.max', mode: 0o644, effect: 'bounds', note: 'what is cached counts, too', write: (text) => this.#writeMax(text),
        read: () => (this.#most.size === 0 ? '' : `${disk} ${KEYS.map((key) => `${key}=${formatMaximum(this.#most.get(key) ?? Infinity)}`).join(' ')}\n`),
      },
    ];
  }
}
