/** What all tmpfs that guests mount hold together: without it anybody could have as much as mounts, by a user namespace. */
import { mountTree } from '../../fs/mounts.ts';
import { TmpFs } from '../../fs/tmpfs.ts';
import type { FileSystem } from '../../fs/types.ts';
import type { KernelTask } from '../task/task.ts';
import type { Kernel, Task } from '../types.ts';

/** Bytes of all of them, and of one without `size=`: half of what the container's memory is thought to be. ENOSPC. */
export const TMPFS_BYTES = 2 ** 30;

/** Counts what is charged; what went with an unmounted one is only looked for when the bound seems to be reached. */
export class TmpfsPool {
  readonly #kernel: Kernel;
  #used = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  charge(bytes: number): boolean {
    if (this.#used + bytes > TMPFS_BYTES) this.#recount();
    if (this.#used + bytes > TMPFS_BYTES) return false;
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used = Math.max(0, this.#used - bytes);
  }

  /** Those that a mount, an open file, a directory or a mapping of a task leads to. */
  #recount(): void {
    const found = new Set<FileSystem>();
    for (const process of this.#kernel.processes()) for (const task of process.tasks) addFileSystems(task, found);
    this.#used = 0;
    for (const fileSystem of found) if (fileSystem instanceof TmpFs && fileSystem.pool === this) this.#used += fileSystem.usedBytes;
  }
}

function addFileSystems(task: Task, found: Set<FileSystem>): void {
  const { fs, files } = task;
  for (const mount of fs.namespace.mounts) found.add(mount.fileSystem);
  for (const place of [fs.root, fs.cwd]) found.add(place.mount.fileSystem);
  for (const [, file] of files.entries()) {
    found.add(file.inode.fileSystem);
    if (file.location !== undefined) for (const mount of mountTree(file.location.mount)) found.add(mount.fileSystem);
  }
  for (const vma of (task as KernelTask).mm.vmas) if (vma.file !== undefined) found.add(vma.file.inode.fileSystem);
}

const pools = new WeakMap<Kernel, TmpfsPool>();

export function tmpfsPool(kernel: Kernel): TmpfsPool {
  let pool = pools.get(kernel);
  if (pool === undefined) pools.set(kernel, (pool = new TmpfsPool(kernel)));
  return pool;
}
