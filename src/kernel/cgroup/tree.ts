/** The tree of control groups of a kernel: which task is where, and what holds tasks back. */
import { EAGAIN, EBUSY, EEXIST, EINVAL, ENAMETOOLONG, ENODEV, ENOENT } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { KernelTask } from '../task/task.ts';
import { Cgroup } from './cgroup.ts';
import { CONTROLLERS } from './controllers.ts';
import type { MemoryController } from './memory.ts';
import { GroupRunQueue } from './run-queue.ts';
import { MOST_DEPTH, MOST_GROUPS, MOST_NAME } from './limits.ts';

export class CgroupTree {
  readonly kernel: Kernel;
  /** Above everything; nobody inside sees it. */
  readonly root: Cgroup;
  /** Where the container's processes begin: the root of what it sees, with the limits that it was given. */
  readonly container: Cgroup;
  /** Some group has a quota, or weights count: turns are to be reported. */
  controlsCpu = false;
  /** Device number of the container's root, `0:40`. */
  disk = '0:0';
  /** A process was killed for want of memory. */
  oomKilled = false;
  #nextId = 1;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.root = new Cgroup(this, this.#nextId++, '', undefined);
    for (const name of CONTROLLERS) this.root.subtreeControl.add(name);
    this.root.pids.max = kernel.limits.tasks;
    this.container = new Cgroup(this, this.#nextId++, 'container', this.root);
    this.root.children.set(this.container.name, this.container);
  }

  /** Groups that there are. */
  get count(): number {
    return this.container.descendants + 1;
  }

  // ---- groups ----

  /** cgroup_mkdir(). */
  make(parent: Cgroup, name: string): Cgroup | number {
    if (name.includes('\n')) return -EINVAL;
    if (name.length > MOST_NAME) return -ENAMETOOLONG;
    if (parent.removed) return -ENODEV;
    if (parent.children.has(name)) return -EEXIST;
    let below = 1;
    for (const group of parent.path()) {
      if (group.descendants >= group.maxDescendants || below > group.maxDepth) return -EAGAIN;
      below++;
    }
    if (this.count >= MOST_GROUPS || parent.level >= MOST_DEPTH) return -EAGAIN;
    const made = new Cgroup(this, this.#nextId++, name, parent);
    parent.children.set(name, made);
    for (const group of parent.path()) group.descendants++;
    made.cpuset.inherit();
    return made;
  }

  /** cgroup_rmdir(). */
  remove(parent: Cgroup, name: string): number {
    const group = parent.children.get(name);
    if (group === undefined) return -ENOENT;
    if (group.population > 0 || group.children.size > 0) return -EBUSY;
    parent.children.delete(name);
    group.removed = true;
    group.cpu.reset();
    group.devices.clear();
    // What its tasks have used stays with those above.
    parent.usageNs += group.usageNs;
    for (const above of parent.path()) above.descendants--;
    return 0;
  }

  /** How `group` is called by who sees the tree from `root` down (`cgroup_path_ns`). */
  pathFrom(root: Cgroup, group: Cgroup): string {
    const above = new Set(root.path());
    const names: string[] = [];
    let common = group;
    while (!above.has(common) && common.parent !== undefined) {
      names.unshift(common.name);
      common = common.parent;
    }
    for (let at = root; at !== common && at.parent !== undefined; at = at.parent) names.unshift('..');
    return `/${names.join('/')}${group.removed ? ' (deleted)' : ''}`;
  }

  /** Nearest group that both are in. */
  common(a: Cgroup, b: Cgroup): Cgroup {
    const above = new Set(a.path());
    for (const group of b.path()) if (above.has(group)) return group;
    return this.root;
  }

  // ---- tasks ----

  /** A new task is in the group from now on; `PidsController.charge` was asked before. */
  add(task: KernelTask, group: Cgroup): void {
    task.cgroup = group;
    group.tasks.add(task);
    this.#populate(group, 1);
  }

  /** A task ended. */
  leave(task: KernelTask): void {
    const { cgroup } = task;
    if (!cgroup.tasks.delete(task)) return;
    this.#populate(cgroup, -1);
  }

  /** To another group, behind all checks. */
  move(task: KernelTask, group: Cgroup): void {
    const old = task.cgroup;
    if (old === group) return;
    old.tasks.delete(task);
    group.tasks.add(task);
    task.cgroup = group;
    this.#populate(group, 1);
    this.#populate(old, -1);
    group.pids.moved(old);
    group.cpuset.apply(task);
    if (old.held && !group.held) this.#resume(task);
    // The memory is the leader's (`mm->owner`), and comes along.
    if (task.isLeader && task.mm.meter.owner === old.memory) task.mm.meter.move(group.memory);
  }

  /** Bytes were read from the container's root, or written to it, by a task in it. */
  transferred(bytes: number, writing: boolean): void {
    this.kernel.current?.cgroup.io.transferred(bytes, writing);
  }

  /** Whose group pays for a file that is made now. */
  payer(): MemoryController {
    return (this.kernel.current?.cgroup ?? this.container).memory;
  }

  #populate(group: Cgroup, change: number): void {
    for (let above: Cgroup | undefined = group; above !== undefined; above = above.parent) {
      const before = above.population;
      above.population += change;
      if ((before === 0) !== (above.population === 0)) above.changed('cgroup.events');
    }
  }

  // ---- what holds tasks back ----

  /** A group gets one more reason why its tasks do not run, or one less. */
  hold(group: Cgroup, change: 1 | -1): void {
    group.holds += change;
    this.#updateHeld(group);
  }

  #updateHeld(group: Cgroup): void {
    const held = group.holds > 0 || group.parent?.held === true;
    if (held === group.held) return;
    group.held = held;
    for (const child of group.children.values()) this.#updateHeld(child);
    if (!held) for (const task of group.tasks) this.#resume(task);
  }

  #resume(task: KernelTask): void {
    this.kernel.scheduler.enqueue(task);
  }

  /** Whether a group or one above it is to be frozen. */
  isFrozen(group: Cgroup): boolean {
    for (const above of group.path()) if (above.freeze) return true;
    return false;
  }

  /** `frozen` of cgroup.events: none of its tasks runs any more. The one that asked goes on until it is back in its code. */
  isQuiet(group: Cgroup): boolean {
    const { current } = this.kernel;
    return this.isFrozen(group) && (current === undefined || current.state === 'dead' || !current.cgroup.isWithin(group));
  }

  setFreeze(group: Cgroup, freeze: boolean): void {
    if (group.freeze === freeze) return;
    const before = new Map([...group.subtree()].map((below) => [below, this.isFrozen(below)]));
    group.freeze = freeze;
    this.hold(group, freeze ? 1 : -1);
    for (const [below, frozen] of before) if (frozen !== this.isFrozen(below)) below.changed('cgroup.events');
  }

  /** A task of a group that was frozen while it ran has come back. */
  stopped(task: KernelTask): void {
    for (const group of task.cgroup.path()) if (this.isFrozen(group)) group.changed('cgroup.events');
  }

  /** A task had its turn. */
  ran(task: KernelTask, now: number, elapsedNs: number): void {
    for (const { cpu } of task.cgroup.path()) cpu.consume(now, elapsedNs);
    this.kernel.scheduler.ran(task, elapsedNs);
  }

  /** Some group hands the processor down: from now on siblings share it by their weights. */
  useWeights(): void {
    if (this.kernel.scheduler.isFair) return;
    this.controlsCpu = true;
    this.kernel.scheduler.useQueue(new GroupRunQueue());
  }
}
