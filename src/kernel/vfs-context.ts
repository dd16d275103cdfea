/** `struct fs_struct`: root, working directory and umask of a process, shared with CLONE_FS (Linux fs/fs_struct.c). */
import type { Location, Mount } from '../fs/dentry.ts';
import type { MountNamespace } from '../fs/mounts.ts';
import type { NamespaceOwner } from '../fs/namespace-identity.ts';
import type { FsContext } from './types.ts';

export class VfsContext implements FsContext {
  namespace: MountNamespace;
  root: Location;
  cwd: Location;
  umask: number;

  constructor(namespace: MountNamespace, root: Location, cwd: Location = root, umask = 0o022) {
    this.namespace = namespace;
    this.root = root;
    this.cwd = cwd;
    this.umask = umask;
  }

  clone(): VfsContext {
    return new VfsContext(this.namespace, this.root, this.cwd, this.umask);
  }

  /** CLONE_NEWNS: a copy of the mount namespace, owned by `user`, with root and working directory moved into it. */
  enterNewNamespace(user: NamespaceOwner): void {
    const { namespace, mapping } = this.namespace.copy(user);
    this.namespace = namespace;
    this.root = moved(this.root, mapping);
    this.cwd = moved(this.cwd, mapping);
  }

  /** setns(2). */
  enterNamespace(namespace: MountNamespace): void {
    this.namespace = namespace;
    this.root = namespace.rootLocation;
    this.cwd = namespace.rootLocation;
  }
}

function moved(location: Location, mapping: ReadonlyMap<Mount, Mount>): Location {
  const mount = mapping.get(location.mount);
  return mount === undefined ? location : { mount, dentry: location.dentry };
}
