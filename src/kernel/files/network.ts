/** The network of a kernel: what `net` needs of tasks and of the file system. */
import {
  CAP_NET_ADMIN, CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN,
} from '../../abi/capability.ts';
import { EADDRINUSE, ECONNREFUSED, EEXIST } from '../../abi/errno.ts';
import { S_IFMT, S_IFSOCK } from '../../abi/stat.ts';
import { AnonymousInode } from '../../fs/anonymous-inode.ts';
import { makeNode } from '../../fs/operations.ts';
import { inodePermission, MAY_WRITE } from '../../fs/permission.ts';
import type { Inode } from '../../fs/types.ts';
import { LOOKUP_FOLLOW, walkPath } from '../../fs/walk.ts';
import { NetworkStack, listenForHost, type Caller, type HostConnector, type NetEnvironment, type NetworkOptions, type PeerCredentials } from '../../net/index.ts';
import type { Kernel as CoreKernel } from '../kernel.ts';
import type { Kernel, Task } from '../types.ts';
import { specialFilesOf } from './special-files.ts';

const ROOT: PeerCredentials = { pid: 0, uid: 0, gid: 0 };
const KERNEL_CALLER: Caller = {
  effective: ROOT, real: ROOT, groups: [], seen: (credentials) => credentials, mayClaim: () => true, mayBindLowPorts: true, mayUseRaw: true, mayAdminister: true,
};

/** net/core/scm.c:scm_check_creds. */
function mayClaim(task: Task, { pid, uid, gid }: PeerCredentials): boolean {
  const own = task.credentials;
  const pidFits = pid === task.process.pid || task.capableIn(task.process.pidNamespace.user, CAP_SYS_ADMIN);
  const uidFits = uid === own.uid || uid === own.euid || uid === own.suid || task.capableIn(own.user, CAP_SETUID);
  const gidFits = gid === own.gid || gid === own.egid || gid === own.sgid || task.capableIn(own.user, CAP_SETGID);
  return pidFits && uidFits && gidFits;
}

function callerOf(task: Task | undefined): Caller {
  if (task === undefined) return KERNEL_CALLER;
  const { credentials, process, namespaces } = task;
  const { user } = namespaces.network;
  return {
    effective: { pid: process.pid, uid: credentials.euid, gid: credentials.egid },
    real: { pid: process.pid, uid: credentials.uid, gid: credentials.gid },
    groups: credentials.groups,
    seen: ({ pid, uid, gid }) => ({ pid: task.numberOf(pid), uid: uid < 0 ? uid : credentials.user.shownUid(uid), gid: gid < 0 ? gid : credentials.user.shownGid(gid) }),
    mayClaim: (claimed) => mayClaim(task, claimed),
    mayBindLowPorts: task.capableIn(user, CAP_NET_BIND_SERVICE),
    mayUseRaw: task.capableIn(user, CAP_NET_RAW),
    mayAdminister: task.capableIn(user, CAP_NET_ADMIN),
  };
}

class KernelNetEnvironment implements NetEnvironment {
  readonly #kernel: Kernel;
  readonly nodes = {
    bind: (path: string): Inode | number => this.#bindNode(path),
    find: (path: string): Inode | number => this.#findNode(path),
  };

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }
  monotonicNs(): number {
    return this.#kernel.monotonicNs();
  }
  realtimeNs(): bigint {
    return this.#kernel.realtimeNs();
  }
  addTimer(deadlineNs: number, callback: () => void): { cancel(): void } {
    return this.#kernel.addTimer(deadlineNs, callback);
  }
  random(buffer: Uint8Array): void {
    this.#kernel.random(buffer);
  }
  caller(): Caller {
    return callerOf(this.#kernel.current);
  }
  newInode(): Inode {
    const kernel = this.#kernel;
    const credentials = kernel.current?.credentials;
    const options = { uid: credentials?.fsuid ?? 0, gid: credentials?.fsgid ?? 0, nowNs: kernel.realtimeNs() };
    return new AnonymousInode(specialFilesOf(kernel).sockets, kernel.nextInode(), S_IFSOCK | 0o777, options);
  }
  #bindNode(path: string): Inode | number {
    const task = this.#kernel.current;
    if (task === undefined) return -ECONNREFUSED;
    const made = makeNode({ context: task.fs, credentials: task.credentials }, task.fs.cwd, path, S_IFSOCK | 0o777, 0);
    if (typeof made === 'number') return made === -EEXIST ? -EADDRINUSE : made;
    return made.dentry.inode;
  }
  #findNode(path: string): Inode | number {
    const task = this.#kernel.current;
    if (task === undefined) return -ECONNREFUSED;
    const found = walkPath(task.fs, task.credentials, task.fs.cwd, path, LOOKUP_FOLLOW);
    if (typeof found === 'number') return found;
    const { inode } = found.dentry;
    const denied = inodePermission(inode, MAY_WRITE, task.credentials);
    if (denied !== 0) return denied;
    return (inode.mode & S_IFMT) === S_IFSOCK ? inode : -ECONNREFUSED;
  }
}

/** The network that the task sees: its namespace's. */
export function networkOf(task: Task): NetworkStack {
  const { network } = task.namespaces;
  return (network.stack ??= new NetworkStack(new KernelNetEnvironment(task.kernel), { isNew: network !== task.kernel.namespaces.network }));
}

/** Gives the kernel its network, before the first program runs: with a gateway it reaches the host's. One that is there already stays. */
export function configureNetwork(kernel: CoreKernel, options: NetworkOptions): NetworkStack {
  return (kernel.namespaces.network.stack ??= new NetworkStack(new KernelNetEnvironment(kernel), options));
}

/** Makes the node a socket behind which a socket of the host answers. */
export function listenForHostAt(kernel: Kernel, inode: Inode, name: string, connect: HostConnector): void {
  listenForHost(new KernelNetEnvironment(kernel), inode, name, connect);
}
