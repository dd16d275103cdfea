/** How long mount namespaces last: while a task is in one, or its file is open or mounted somewhere. */
import { MOUNT_NAMESPACE, NamespaceInode } from '../../fs/namespace-identity.ts';
import type { MountNamespace } from '../../fs/mounts.ts';
import type { Kernel } from '../types.ts';

function holds(inode: unknown, namespace: MountNamespace): boolean {
  return inode instanceof NamespaceInode && inode.namespace === namespace;
}

/** A task has left the namespace: nobody else in it, its mounts go, so that they follow no others and hold no mount points. */
export function releaseMounts(kernel: Kernel, namespace: MountNamespace): void {
  // The first one is the container's.
  if (namespace.ino === MOUNT_NAMESPACE) return;
  const seen = new Set<MountNamespace>();
  for (const process of kernel.processes()) {
    for (const { fs, files } of process.tasks) {
      if (fs.namespace === namespace) return;
      for (const [, file] of files.entries()) if (holds(file.inode, namespace)) return;
      seen.add(fs.namespace);
    }
  }
  for (const other of seen) for (const mount of other.mounts) if (holds(mount.root.inode, namespace)) return;
  namespace.dissolve();
}
