/** `struct ipc_namespace`: IPC objects (ipc_namespaces(7)). */
import { CLONE_NEWIPC } from '../../abi/sched.ts';
import { nextNamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
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
