/** One control group (`struct cgroup`, Linux kernel/cgroup/cgroup.c, Documentation/admin-guide/cgroup-v2.rst). */
import type { CgroupFile, CgroupNode } from '../../fs/cgroup-view.ts';
import type { KernelTask } from '../task/task.ts';
import { CONTROLLERS, THREADED, type Controller, type ControllerName } from './controllers.ts';
import { coreFiles } from './core-files.ts';
import { CpuController } from './cpu.ts';
import { CpusetController } from './cpuset.ts';
import { DevicePrograms } from './device-programs.ts';
import { IoController } from './io.ts';
import { MemoryController } from './memory.ts';
import { PidsController } from './pids.ts';
import type { CgroupTree } from './tree.ts';

export class Cgroup implements CgroupNode {
  readonly id: number;
  readonly name: string;
  readonly parent: Cgroup | undefined;
  readonly tree: CgroupTree;
  readonly level: number;
  readonly children = new Map<string, Cgroup>();
  /** Threads in it, not those below. */
  readonly tasks = new Set<KernelTask>();
  /** Living threads in it and below. */
  population = 0;
  /** Groups below it. */
  descendants = 0;
  readonly subtreeControl = new Set<ControllerName>();
  /** The nearest group that is no part of a threaded subtree: itself for a domain. */
  domain: Cgroup;
  maxDepth = Infinity;
  maxDescendants = Infinity;
  /** `cgroup.freeze`. */
  freeze = false;
  /** Reasons of its own why its tasks do not run: frozen, throttled. */
  holds = 0;
  /** It or a group above it has such a reason. */
  held = false;
  /** CPU time of its tasks, also those that ended. */
  usageNs = 0;
  removed = false;
  readonly cpu: CpuController;
  readonly cpuset: CpusetController;
  readonly devices: DevicePrograms;
  readonly io: IoController;
  readonly memory: MemoryController;
  readonly pids: PidsController;
  onChange: ((file: string) => void) | undefined = undefined;
  #files: Map<string, CgroupFile> | undefined;
  #core: readonly CgroupFile[] | undefined;
  readonly #controllerFiles = new Map<ControllerName, readonly CgroupFile[]>();

  constructor(tree: CgroupTree, id: number, name: string, parent: Cgroup | undefined) {
    this.tree = tree;
    this.id = id;
    this.name = name;
    this.parent = parent;
    this.level = parent === undefined ? 0 : parent.level + 1;
    this.domain = this;
    this.cpu = new CpuController(this);
    this.cpuset = new CpusetController(this);
    this.devices = new DevicePrograms(this);
    this.io = new IoController(this);
    this.memory = new MemoryController(this);
    this.pids = new PidsController(this);
    this.held = parent?.held ?? false;
  }

  /** It and those above it. */
  *path(): Iterable<Cgroup> {
    for (let group: Cgroup | undefined = this; group !== undefined; group = group.parent) yield group;
  }

  /** It and all below it, it first. */
  *subtree(): Iterable<Cgroup> {
    yield this;
    for (const child of this.children.values()) yield* child.subtree();
  }

  isWithin(ancestor: Cgroup): boolean {
    for (const group of this.path()) if (group === ancestor) return true;
    return false;
  }

  controller(name: ControllerName): Controller {
    return this[name];
  }

  /** `cgroup.controllers`: what the group above hands down (`cgroup_control`). */
  get available(): readonly ControllerName[] {
    const { parent } = this;
    if (parent === undefined) return CONTROLLERS;
    return CONTROLLERS.filter((name) => parent.subtreeControl.has(name) && (!this.isThreaded || THREADED.has(name)));
  }

  // ---- threaded mode ----

  get isThreaded(): boolean {
    return this.domain !== this;
  }

  /** Controllers of domains are handed down. */
  get #divides(): boolean {
    for (const name of this.subtreeControl) if (!THREADED.has(name)) return true;
    return false;
  }

  /** cgroup_can_be_thread_root(). */
  get canBeThreadRoot(): boolean {
    if (this.parent === undefined) return true;
    for (const child of this.children.values()) if (!child.isThreaded && child.population > 0) return false;
    return !this.#divides;
  }

  /** cgroup_is_thread_root(). */
  get isThreadRoot(): boolean {
    if (this.isThreaded) return false;
    for (const child of this.children.values()) if (child.isThreaded) return true;
    return this.tasks.size > 0 && [...this.subtreeControl].some((name) => THREADED.has(name));
  }

  /** cgroup_is_valid_domain(): not below a threaded group, nor below the root of a threaded subtree. */
  get isValidDomain(): boolean {
    if (this.isThreaded) return false;
    for (let group = this.parent; group !== undefined; group = group.parent) {
      if (group.isThreaded || (group.parent !== undefined && group.isThreadRoot)) return false;
    }
    return true;
  }

  // ---- files ----

  files(): ReadonlyMap<string, CgroupFile> {
    if (this.#files !== undefined) return this.#files;
    this.#core ??= coreFiles(this);
    this.#files = new Map(this.#core.map((file) => [file.name, file]));
    for (const name of this.available) {
      let files = this.#controllerFiles.get(name);
      if (files === undefined) this.#controllerFiles.set(name, (files = this.controller(name).files()));
      for (const file of files) this.#files.set(file.name, file);
    }
    return this.#files;
  }

  /** Controllers came or went. */
  controllersChanged(): void {
    this.#files = undefined;
    const available = new Set(this.available);
    for (const name of CONTROLLERS) {
      if (available.has(name)) continue;
      this.#controllerFiles.delete(name);
      this.controller(name).reset();
    }
  }

  make(name: string): Cgroup | number {
    return this.tree.make(this, name);
  }

  remove(name: string): number {
    return this.tree.remove(this, name);
  }

  changed(file: string): void {
    this.onChange?.(file);
  }
}
