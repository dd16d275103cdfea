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
  const seen = new Set<MountNamespace>();
  for (const process of kernel.processes()) {
    for (const task of process.tasks) {
      if (isIn(task)) return true;
      for (const [, file] of task.files.entries()) if (isFileOf(file.inode, namespace)) return true;
      seen.add(task.fs.namespace);
    }
  }
  for (const other of seen) for (const mount of other.mounts) if (isFileOf(mount.root.inode, namespace)) return true;
  return false;
}
