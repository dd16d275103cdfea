/** How many namespaces of each kind there are, and may be: /proc/sys/user/max_*_namespaces (Linux kernel/ucount.c). One count for the container. */
import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import { EINVAL, ENOSPC, EPERM } from '../../abi/errno.ts';
import { MountNamespace } from '../../fs/mounts.ts';
import { NamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { NamespaceKind, NamespaceLimit } from '../../fs/process-view.ts';
import type { Inode } from '../../fs/types.ts';
import type { Kernel } from '../types.ts';
import { NAMESPACE_KINDS } from './kinds.ts';
import type { OwnedNamespace } from './namespaces.ts';
import { PidNamespace } from './pid-namespace.ts';
import { UserNamespace } from './user-namespace.ts';

const FLAGS = new Map<NamespaceKind, number>(NAMESPACE_KINDS.map(({ kind, flag }) => [kind, flag]));

/** Those that a task, an open file or a mount leads to. */
function living(kernel: Kernel): Set<NamespaceIdentity> {
  const found = new Set<NamespaceIdentity>();
  const add = (namespace: NamespaceIdentity | undefined): void => {
    if (namespace === undefined || found.has(namespace)) return;
    found.add(namespace);
    if (namespace instanceof PidNamespace || namespace instanceof UserNamespace) add(namespace.parent);
    if (!(namespace instanceof UserNamespace)) add((namespace as OwnedNamespace).user);
    if (namespace instanceof MountNamespace) for (const mount of namespace.mounts) addFile(mount.root.inode);
  };
  const addFile = (inode: Inode): void => {
    if (inode instanceof NamespaceInode) add(inode.namespace);
  };
  for (const process of kernel.processes()) {
    add(process.pidNamespace);
    for (const { credentials, namespaces, fs, files } of process.tasks) {
      for (const namespace of [credentials.user, fs.namespace, ...Object.values(namespaces) as NamespaceIdentity[]]) add(namespace);
      for (const [, file] of files.entries()) addFile(file.inode);
    }
  }
  return found;
}

/** Counts what is made, and looks for what is still there only when a bound seems to be reached. */
export class NamespaceCensus {
  readonly #kernel: Kernel;
  readonly #counts = new Map<number, number>();
  readonly #limits: Map<number, number>;

  constructor(kernel: Kernel, most: number) {
    this.#kernel = kernel;
    this.#limits = new Map([...FLAGS.values()].map((flag) => [flag, most]));
  }

  /** One more of each kind of `flags`: 0, or -ENOSPC. */
  take(flags: number): number {
    const kinds = [...FLAGS.values()].filter((flag) => (flags & flag) !== 0);
    if (kinds.some((flag) => this.#isFull(flag))) {
      this.#recount();
      if (kinds.some((flag) => this.#isFull(flag))) return -ENOSPC;
    }
    for (const flag of kinds) this.#counts.set(flag, this.#count(flag) + 1);
    return 0;
  }

  #count(flag: number): number {
    return this.#counts.get(flag) ?? 0;
  }

  #isFull(flag: number): boolean {
    return this.#count(flag) >= (this.#limits.get(flag) ?? 0);
  }

  /** The first ones do not count. */
  #recount(): void {
    this.#counts.clear();
    for (const { flag } of living(this.#kernel)) this.#counts.set(flag, this.#count(flag) + 1);
    for (const [flag, count] of this.#counts) this.#counts.set(flag, count - 1);
  }

  limitOf(kind: NamespaceKind): NamespaceLimit {
    const flag = FLAGS.get(kind)!;
    const limits = this.#limits;
    const kernel = this.#kernel;
    return {
      get value() {
        return limits.get(flag) ?? 0;
      },
      set(text) {
        if (kernel.current?.capable(CAP_SYS_RESOURCE) !== true) return -EPERM;
        const match = /^\s*(\d{1,9})\s*$/.exec(text);
        if (match === null) return -EINVAL;
        limits.set(flag, Number(match[1]));
        return text.length;
      },
    };
  }
}
