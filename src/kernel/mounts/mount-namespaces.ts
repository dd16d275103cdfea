/** The end of mount namespaces. */
import { MOUNT_NAMESPACE } from '../../fs/namespace-identity.ts';
import type { MountNamespace } from '../../fs/mounts.ts';
import type { Kernel } from '../kernel.ts';
import { isHeld } from '../namespaces/held.ts';

/** A task has left the namespace: nobody else in it, its mounts go, so that they follow no others and hold no mount points. */
export function releaseMounts(kernel: Kernel, namespace: MountNamespace): void {
  // The first one is the container's.
  if (namespace.ino === MOUNT_NAMESPACE || isHeld(kernel, namespace, ({ fs }) => fs.namespace === namespace)) return;
  namespace.dissolve();
}
