/** `struct ipc_namespace`: all IPC objects of a kernel. */
import type { Kernel } from '../types.ts';
import { MessageQueues } from './message-queue.ts';
import type { PosixQueue } from './posix-queue.ts';
import { SemaphoreSets } from './semaphore.ts';
import { SharedSegments } from './shared-memory.ts';

export class IpcNamespace {
  readonly messages = new MessageQueues();
  readonly semaphores = new SemaphoreSets();
  readonly segments = new SharedSegments();
  /** POSIX queues by name, without the slash. */
  readonly queues = new Map<string, PosixQueue>();
}

const namespaces = new WeakMap<Kernel, IpcNamespace>();

export function ipcOf(kernel: Kernel): IpcNamespace {
  let namespace = namespaces.get(kernel);
  if (namespace === undefined) {
    namespace = new IpcNamespace();
    namespaces.set(kernel, namespace);
  }
  return namespace;
}
