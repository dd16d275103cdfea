/** `struct ipc_namespace`: IPC objects (ipc_namespaces(7)). */
import { CLONE_NEWIPC } from '../../abi/sched.ts';
import { IPC_NAMESPACE, nextNamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { Kernel } from '../kernel.ts';
import { isHeld } from '../namespaces/held.ts';
import type { UserNamespace } from '../namespaces/user-namespace.ts';
import { MessageQueues } from './message-queue.ts';
import type { PosixQueue } from './posix-queue.ts';
import { SemaphoreSets } from './semaphore.ts';
import { SharedSegments } from './shared-memory.ts';

export class IpcNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWIPC;
  readonly ino: number;
  readonly user: UserNamespace;
  readonly messages = new MessageQueues();
  readonly semaphores = new SemaphoreSets();
  readonly segments = new SharedSegments();
  /** POSIX queues by name, without the slash. */
  readonly queues = new Map<string, PosixQueue>();

  constructor(user: UserNamespace, ino = nextNamespaceInode()) {
    this.user = user;
    this.ino = ino;
  }
}

/** A task has left the namespace: nobody else in it, its segments go with their last mappings, and what they cost is given back (free_ipc_ns()). */
export function releaseIpc(kernel: Kernel, namespace: IpcNamespace): void {
  if (namespace.ino === IPC_NAMESPACE || isHeld(kernel, namespace, ({ namespaces }) => namespaces.ipc === namespace)) return;
  for (const segment of [...namespace.segments.values()]) namespace.segments.doom(segment);
}
