/**
 * Namespaces of a task (namespaces(7), `struct nsproxy`), replaced as a whole and shared between tasks. That of mounts is in the task's
 * `FsContext`, that of users in its credentials, and the PID namespace that it is in is its process's.
 */
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EINVAL, ENOSPC, EPERM } from '../../abi/errno.ts';
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUTS } from '../../abi/sched.ts';
import { CGROUP_NAMESPACE, IPC_NAMESPACE, NETWORK_NAMESPACE, nextNamespaceInode, UTS_NAMESPACE, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { NetworkStack } from '../../net/index.ts';
import type { Cgroup } from '../cgroup/cgroup.ts';
import { CgroupNamespace } from '../cgroup/namespace.ts';
import { IpcNamespace } from '../ipc/ipc-namespace.ts';
import type { TaskCredentials } from '../task/credentials.ts';
import { PidNamespace } from './pid-namespace.ts';
import { TimeNamespace } from './time-namespace.ts';
import { capableIn, MOST_LEVELS, UserNamespace } from './user-namespace.ts';

/** A namespace that a user namespace owns. */
export interface OwnedNamespace extends NamespaceIdentity {
  readonly user: UserNamespace;
}

/** What uname(2) says of the machine's name. */
export class UtsNamespace implements OwnedNamespace {
  readonly flag = CLONE_NEWUTS;
  readonly ino: number;
  readonly user: UserNamespace;
  hostname: string;
  domainname: string;

  constructor(user: UserNamespace, hostname: string, domainname: string, ino = nextNamespaceInode()) {
    this.user = user;
    this.hostname = hostname;
    this.domainname = domainname;
    this.ino = ino;
  }
}

/** Its stack is made when a socket first needs it. */
export class NetworkNamespace implements OwnedNamespace {
  readonly flag = CLONE_NEWNET;
  readonly ino: number;
  readonly user: UserNamespace;
  stack: NetworkStack | undefined;
  /** Groups that may open ICMP sockets, first and last (net.ipv4.ping_group_range). */
  pingGroups: readonly [number, number] = [0, 2_147_483_647];

  constructor(user: UserNamespace, ino = nextNamespaceInode()) {
    this.user = user;
    this.ino = ino;
  }
}

export interface Namespaces {
  readonly uts: UtsNamespace;
  readonly ipc: IpcNamespace;
  readonly network: NetworkNamespace;
  readonly cgroup: CgroupNamespace;
  /** Where children are made; the process itself stays where it is. */
  readonly pidForChildren: PidNamespace;
  readonly time: TimeNamespace;
  readonly timeForChildren: TimeNamespace;
}

/** `cgroup`: the root of what the first cgroup namespace sees. */
export function initialNamespaces(hostname: string, domainname: string, cgroup: Cgroup): Namespaces {
  const user = new UserNamespace();
  const time = new TimeNamespace(user);
  return {
    uts: new UtsNamespace(user, hostname, domainname, UTS_NAMESPACE),
    ipc: new IpcNamespace(user, IPC_NAMESPACE),
    network: new NetworkNamespace(user, NETWORK_NAMESPACE),
    cgroup: new CgroupNamespace(user, cgroup, CGROUP_NAMESPACE),
    pidForChildren: new PidNamespace(user),
    time, timeForChildren: time,
  };
}

/** create_user_ns(): a user namespace for who has the credentials, or -errno. `chrooted`: its root is not that of its mounts. */
export function makeUserNamespace(maker: TaskCredentials, chrooted: boolean): UserNamespace | number {
  if (maker.user.level >= MOST_LEVELS) return -ENOSPC;
  if (chrooted || !maker.user.mapsUid(maker.euid) || !maker.user.mapsGid(maker.egid)) return -EPERM;
  return new UserNamespace(maker);
}

/** For whom namespaces are made. */
export interface NamespaceMaker {
  /** Owns the new ones. */
  readonly user: UserNamespace;
  /** The PID namespace that the caller is in. */
  readonly active: PidNamespace;
  /** The root of what a new cgroup namespace sees. */
  readonly cgroup: Cgroup;
}

/** create_new_namespaces(): the set with new ones for the flags, or -errno. */
export function unshareNamespaces(old: Namespaces, flags: number, { user, active, cgroup }: NamespaceMaker): Namespaces | number {
  const { hostname, domainname } = old.uts;
  let { pidForChildren } = old;
  if ((flags & CLONE_NEWPID) !== 0) {
    if (active !== pidForChildren) return -EINVAL;
    if (!user.isWithin(active.user)) return -EINVAL;
    if (active.level >= MOST_LEVELS) return -ENOSPC;
    pidForChildren = new PidNamespace(user, active);
  }
  return {
    uts: (flags & CLONE_NEWUTS) === 0 ? old.uts : new UtsNamespace(user, hostname, domainname),
    ipc: (flags & CLONE_NEWIPC) === 0 ? old.ipc : new IpcNamespace(user),
    network: (flags & CLONE_NEWNET) === 0 ? old.network : new NetworkNamespace(user),
    cgroup: (flags & CLONE_NEWCGROUP) === 0 ? old.cgroup : new CgroupNamespace(user, cgroup),
    pidForChildren,
    time: old.time,
    timeForChildren: (flags & CLONE_NEWTIME) === 0 ? old.timeForChildren : new TimeNamespace(user, old.timeForChildren),
  };
}

/** The set with another namespace in the place of its kind, for who has the credentials; or -errno (`install` of `proc_ns_operations`). */
export function enterNamespace(old: Namespaces, namespace: NamespaceIdentity, credentials: TaskCredentials, active: PidNamespace): Namespaces | number {
  const { user } = namespace as OwnedNamespace;
  if (!capableIn(credentials, user, CAP_SYS_ADMIN) || !capableIn(credentials, credentials.user, CAP_SYS_ADMIN)) return -EPERM;
  if (namespace instanceof UtsNamespace) return { ...old, uts: namespace };
  if (namespace instanceof IpcNamespace) return { ...old, ipc: namespace };
  if (namespace instanceof NetworkNamespace) return { ...old, network: namespace };
  if (namespace instanceof TimeNamespace) {
    namespace.isFrozen = true;
    return { ...old, time: namespace, timeForChildren: namespace };
  }
  // Only the caller's own and those below it can be entered.
  if (namespace instanceof PidNamespace) return namespace.isWithin(active) ? { ...old, pidForChildren: namespace } : -EINVAL;
  return { ...old, cgroup: namespace as CgroupNamespace };
}
