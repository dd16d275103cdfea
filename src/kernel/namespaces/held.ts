/** How long a namespace lasts: while a task is in it, or its file is open or mounted somewhere. */
import { NamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { MountNamespace } from '../../fs/mounts.ts';
import type { Kernel } from '../kernel.ts';
import type { KernelTask } from '../task/task.ts';

function isFileOf(inode: unknown, namespace: NamespaceIdentity): boolean {
  return inode instanceof NamespaceInode && inode.namespace === namespace;
}

/** Whether anybody still has it; `isIn` says whether a task is in it. */
export function isHeld(kernel: Kernel, namespace: NamespaceIdentity, isIn: (task: KernelTask) => boolean): boolean {
  const mounts = new Set<MountNamespace>();
  // Threads share a table: each is looked through once.
  const tables = new Set<KernelTask['files']>();
  for (const process of kernel.processes()) {
    for (const task of process.tasks) {
      if (isIn(task)) return true;
      tables.add(task.files);
      mounts.add(task.fs.namespace);
    }
  }
  for (const table of tables) for (const [, file] of table.entries()) if (isFileOf(file.inode, namespace)) return true;
  for (const other of mounts) for (const mount of other.mounts) if (isFileOf(mount.root.inode, namespace)) return true;
  return false;
}
