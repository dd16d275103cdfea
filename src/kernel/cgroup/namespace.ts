/** cgroup_namespaces(7): from which group down the tree is seen. */
import { CLONE_NEWCGROUP } from '../../abi/sched.ts';
import { nextNamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { UserNamespace } from '../namespaces/user-namespace.ts';
import type { Cgroup } from './cgroup.ts';

export class CgroupNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWCGROUP;
  readonly ino: number;
  readonly user: UserNamespace;
  readonly root: Cgroup;

  constructor(user: UserNamespace, root: Cgroup, ino = nextNamespaceInode()) {
    this.user = user;
    this.root = root;
    this.ino = ino;
  }
}
