/**
 * Namespaces of a task (namespaces(7), `struct nsproxy`), replaced as a whole and shared between tasks. That of mounts is in
 * the task's `FsContext`. User, PID and time namespaces cannot be made: there is one of each, as on a kernel built without them.
 */
import { EINVAL } from '../abi/errno.ts';
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS } from '../abi/sched.ts';
import { CGROUP_NAMESPACE, IPC_NAMESPACE, NETWORK_NAMESPACE, nextNamespaceInode, PID_NAMESPACE, TIME_NAMESPACE, USER_NAMESPACE, UTS_NAMESPACE, type NamespaceIdentity } from '../fs/namespace-identity.ts';
import type { NetworkStack } from '../net/index.ts';
import type { Cgroup } from './cgroup/cgroup.ts';
import { CgroupNamespace } from './cgroup/namespace.ts';
import { IpcNamespace } from './ipc/ipc-namespace.ts';

/** What uname(2) says of the machine's name. */
export class UtsNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWUTS;
  readonly ino: number;
  hostname: string;
  domainname: string;

  constructor(hostname: string, domainname: string, ino = nextNamespaceInode()) {
    this.hostname = hostname;
    this.domainname = domainname;
    this.ino = ino;
  }
}

/** Its stack is made when a socket first needs it. */
export class NetworkNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWNET;
  readonly ino: number;
  stack: NetworkStack | undefined;

  constructor(ino = nextNamespaceInode()) {
    this.ino = ino;
  }
}

export interface Namespaces {
  readonly uts: UtsNamespace;
  readonly ipc: IpcNamespace;
  readonly network: NetworkNamespace;
  readonly cgroup: CgroupNamespace;
  readonly user: NamespaceIdentity;
  readonly pid: NamespaceIdentity;
  readonly time: NamespaceIdentity;
}

export function initialNamespaces(hostname: string, domainname: string, cgroup: Cgroup): Namespaces {
  return {
    uts: new UtsNamespace(hostname, domainname, UTS_NAMESPACE),
    ipc: new IpcNamespace(IPC_NAMESPACE),
    network: new NetworkNamespace(NETWORK_NAMESPACE),
    cgroup: new CgroupNamespace(cgroup, CGROUP_NAMESPACE),
    user: { flag: CLONE_NEWUSER, ino: USER_NAMESPACE },
    pid: { flag: CLONE_NEWPID, ino: PID_NAMESPACE },
    time: { flag: CLONE_NEWTIME, ino: TIME_NAMESPACE },
  };
}

/** All kinds, those of mounts included. */
export const NAMESPACE_FLAGS = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;
const FIXED = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME;

/** create_new_namespaces(): the set with new ones for the flags, or -EINVAL for kinds that cannot be made. `cgroup`: the root of what a new one sees. */
export function unshareNamespaces(old: Namespaces, flags: number, cgroup: Cgroup): Namespaces | number {
  if ((flags & FIXED) !== 0) return -EINVAL;
  const { hostname, domainname } = old.uts;
  return {
    ...old,
    uts: (flags & CLONE_NEWUTS) === 0 ? old.uts : new UtsNamespace(hostname, domainname),
    ipc: (flags & CLONE_NEWIPC) === 0 ? old.ipc : new IpcNamespace(),
    network: (flags & CLONE_NEWNET) === 0 ? old.network : new NetworkNamespace(),
    cgroup: (flags & CLONE_NEWCGROUP) === 0 ? old.cgroup : new CgroupNamespace(cgroup),
  };
}

/** The set with another namespace in the place of its kind. */
export function enterNamespace(old: Namespaces, namespace: NamespaceIdentity): Namespaces | number {
  if (namespace instanceof UtsNamespace) return { ...old, uts: namespace };
  if (namespace instanceof IpcNamespace) return { ...old, ipc: namespace };
  if (namespace instanceof NetworkNamespace) return { ...old, network: namespace };
  if (namespace instanceof CgroupNamespace) return { ...old, cgroup: namespace };
  // The only user namespace is the caller's own, which nobody enters again (userns_install); the others change nothing.
  return namespace.flag === CLONE_NEWUSER ? -EINVAL : old;
}
