/**
 * Whose turn it is among groups (kernel/sched/fair.c): at each level of the tree the one that has had least of the processor
 * for its weight. Tasks of one group take turns. In use from when a group first hands the cpu controller down.
 */
import type { RunQueue } from '../scheduler.ts';
import type { KernelTask } from '../task/task.ts';
import type { Cgroup } from './cgroup.ts';

const NORMAL_SHARE = 100;

/** `struct sched_entity` of a group, with the queue of its own tasks. */
class Entity {
  readonly group: Cgroup;
  readonly parent: Entity | undefined;
  readonly children = new Set<Entity>();
  readonly tasks: KernelTask[] = [];
  /** Tasks that wait, here and below. */
  waiting = 0;
  virtualNs = 0;
  /** The same of the group's own tasks together, beside the groups below. */
  ownNs = 0;
  /** Of the last one that was chosen here: who comes back starts there. */
  leastNs = 0;

  constructor(group: Cgroup, parent: Entity | undefined) {
    this.group = group;
    this.parent = parent;
    parent?.children.add(this);
  }
}

export class GroupRunQueue implements RunQueue {
  readonly isFair = true;
  readonly #entities = new Map<Cgroup, Entity>();
  #root: Entity | undefined;

  get size(): number {
    return this.#root?.waiting ?? 0;
  }

  /** The nearest group that has the controller. */
  #entity(group: Cgroup): Entity {
    const { parent } = group;
    if (parent !== undefined && !parent.subtreeControl.has('cpu')) return this.#entity(parent);
    let entity = this.#entities.get(group);
    if (entity === undefined) {
      entity = new Entity(group, parent === undefined ? undefined : this.#entity(parent));
      this.#entities.set(group, entity);
      if (parent === undefined) this.#root = entity;
    }
    return entity;
  }

  push(task: KernelTask): void {
    const entity = this.#entity(task.cgroup);
    if (entity.tasks.length === 0) entity.ownNs = Math.max(entity.ownNs, entity.leastNs);
    entity.tasks.push(task);
    for (let at: Entity | undefined = entity; at !== undefined; at = at.parent) {
      if (at.waiting++ === 0 && at.parent !== undefined) at.virtualNs = Math.max(at.virtualNs, at.parent.leastNs);
    }
  }

  next(): KernelTask | undefined {
    let at = this.#root;
    if (at === undefined || at.waiting === 0) return undefined;
    for (;;) {
      at.waiting--;
      let best: Entity | undefined;
      for (const child of at.children) {
        if (child.group.removed && child.waiting === 0) {
          at.children.delete(child);
          this.#entities.delete(child.group);
        } else if (child.waiting > 0 && (best === undefined || child.virtualNs < best.virtualNs)) best = child;
      }
      if (best === undefined || (at.tasks.length > 0 && at.ownNs <= best.virtualNs)) {
        at.leastNs = Math.max(at.leastNs, at.ownNs);
        return at.tasks.shift();
      }
      at.leastNs = Math.max(at.leastNs, best.virtualNs);
      at = best;
    }
  }

  /** A task had its turn. */
  ran(task: KernelTask, elapsedNs: number): void {
    const entity = this.#entity(task.cgroup);
    entity.ownNs += elapsedNs / (entity.tasks.length + 1);
    for (let at = entity; at.parent !== undefined; at = at.parent) at.virtualNs += (elapsedNs * NORMAL_SHARE) / at.group.cpu.share;
  }
}
