/** unshare(2), setns(2) (kernel/fork.c: ksys_unshare, kernel/nsproxy.c). */
import { CAP_SYS_ADMIN, CAP_SYS_CHROOT } from '../../abi/capability.ts';
import { EBADF, EINVAL, ENOSPC, EPERM, ESRCH, EUSERS } from '../../abi/errno.ts';
import { CLONE_FILES, CLONE_FS, CLONE_NEWNS, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM } from '../../abi/sched.ts';
import { RLIMIT_NOFILE } from '../../abi/resource.ts';
import { MountNamespace } from '../../fs/mounts.ts';
import { NamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import { releaseIpc } from '../ipc/ipc-namespace.ts';
import { releaseMounts } from '../mounts/mount-namespaces.ts';
import { NAMESPACE_FLAGS } from '../namespaces/kinds.ts';
import { enterNamespace, makeUserNamespace, unshareNamespaces, type Namespaces } from '../namespaces/namespaces.ts';
import { capableIn, UserNamespace } from '../namespaces/user-namespace.ts';
import { enterUserNamespace, type TaskCredentials } from '../task/credentials.ts';
import { isChrooted } from '../task/fork.ts';
import { SharedRef } from '../task/shared-ref.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { PidFile } from './pidfd.ts';
import { mayAccess } from '../ptrace/access.ts';

const UNSHARABLE = CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM | NAMESPACE_FLAGS;

/** check_unshare_flags(): memory, handlers and the thread group can only be "unshared" by who shares them with nobody. */
function isUnsharable(task: KernelTask, flags: number): boolean {
  if ((flags & ~UNSHARABLE) !== 0) return false;
  if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER)) === 0) return true;
  if (task.process.tasks.size > 1) return false;
  if ((flags & (CLONE_SIGHAND | CLONE_VM)) !== 0 && task.process.actionsRef.users > 1) return false;
  return (flags & CLONE_VM) === 0 || task.mm.users === 1;
}

function ownFs(task: KernelTask): void {
  if (task.fsRef.users === 1) return;
  const own = new SharedRef(task.fs.clone());
  task.fsRef.drop();
  task.fsRef = own;
}

function changeNamespaces(task: KernelTask, namespaces: Namespaces): void {
  const { ipc } = task.namespaces;
  task.namespaces = namespaces;
  if (namespaces.ipc !== ipc) releaseIpc(task.kernel, ipc);
}

function unshare(task: KernelTask, flags: number): number {
  if (!isUnsharable(task, flags)) return -EINVAL;
  const user = (flags & CLONE_NEWUSER) === 0 ? undefined : makeUserNamespace(task.credentials, isChrooted(task));
  if (typeof user === 'number') return user;
  const credentials = user === undefined ? task.credentials : enterUserNamespace(task.credentials, user);
  let namespaces: Namespaces = task.namespaces;
  const others = flags & NAMESPACE_FLAGS & ~CLONE_NEWUSER;
  if (others !== 0) {
    if (!capableIn(credentials, credentials.user, CAP_SYS_ADMIN)) return -EPERM;
    const made = unshareNamespaces(namespaces, others, { user: credentials.user, active: task.process.pidNamespace, cgroup: task.cgroup });
    if (typeof made === 'number') return made;
    namespaces = made;
  }
  if ((flags & CLONE_NEWNS) !== 0 && !task.fs.namespace.mayBeCopied) return -ENOSPC;
  const full = task.kernel.census.take(flags);
  if (full !== 0) return full;
  if ((flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)) !== 0) ownFs(task);
  if ((flags & CLONE_NEWNS) !== 0) {
    const left = task.fs.namespace;
    task.fs.enterNewNamespace(credentials.user);
    releaseMounts(task.kernel, left);
  }
  if ((flags & CLONE_FILES) !== 0 && task.filesRef.users > 1) {
    const { process } = task;
    const own = new SharedRef(task.files.clone(() => process.limit(RLIMIT_NOFILE)));
    task.filesRef.drop();
    task.filesRef = own;
  }
  changeNamespaces(task, namespaces);
  task.credentials = credentials;
  return 0;
}

/** mntns_install(): the caller stands at the root of what it enters. */
function mayEnterMounts(task: KernelTask, credentials: TaskCredentials, namespace: MountNamespace): number {
  const { user } = credentials;
  const mayMount = capableIn(credentials, namespace.user as UserNamespace, CAP_SYS_ADMIN);
  if (!mayMount || !capableIn(credentials, user, CAP_SYS_CHROOT) || !capableIn(credentials, user, CAP_SYS_ADMIN)) return -EPERM;
  return task.fsRef.users > 1 ? -EINVAL : 0;
}

/** userns_install(): all capabilities in it, for who has the right to them; never one's own again, nor one above it. */
function enterUsers(task: KernelTask, namespace: UserNamespace): TaskCredentials | number {
  const { credentials } = task;
  if (namespace === credentials.user || task.process.tasks.size > 1 || task.fsRef.users > 1) return -EINVAL;
  return capableIn(credentials, namespace, CAP_SYS_ADMIN) ? enterUserNamespace(credentials, namespace) : -EPERM;
}

/** All or none of them; that of users first, whose capabilities then count for the others (validate_nsset). */
function enterAll(task: KernelTask, wanted: readonly NamespaceIdentity[]): number {
  let { namespaces, credentials } = task;
  let mounts: MountNamespace | undefined;
  for (const namespace of wanted) {
    if (namespace instanceof UserNamespace) {
      const entered = enterUsers(task, namespace);
      if (typeof entered === 'number') return entered;
      credentials = entered;
    } else if (namespace instanceof MountNamespace) {
      const refused = mayEnterMounts(task, credentials, namespace);
      if (refused !== 0) return refused;
      mounts = namespace;
    } else {
      if (namespace.flag === CLONE_NEWTIME && task.process.tasks.size > 1) return -EUSERS;
      const entered = enterNamespace(namespaces, namespace, credentials, task.process.pidNamespace);
      if (typeof entered === 'number') return entered;
      namespaces = entered;
    }
  }
  if (mounts !== undefined) {
    const left = task.fs.namespace;
    task.fs.enterNamespace(mounts);
    releaseMounts(task.kernel, left);
  }
  changeNamespaces(task, namespaces);
  task.credentials = credentials;
  return 0;
}

function setns(task: KernelTask, fd: number, type: number): number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (file.inode instanceof NamespaceInode) {
    const { namespace } = file.inode;
    return type !== 0 && type !== namespace.flag ? -EINVAL : enterAll(task, [namespace]);
  }
  if (!(file instanceof PidFile) || type === 0 || (type & ~NAMESPACE_FLAGS) !== 0) return -EINVAL;
  const target = [...file.process.tasks][0];
  if (target === undefined) return -ESRCH;
  if (!mayAccess(task, target)) return -EPERM;
  const { uts, ipc, network, cgroup, time } = target.namespaces;
  const all: readonly NamespaceIdentity[] = [target.credentials.user, target.fs.namespace, uts, ipc, file.process.pidNamespace, network, cgroup, time];
  return enterAll(task, all.filter(({ flag }) => (flag & type) !== 0));
}

export const namespaceRows: readonly SyscallRow[] = [
  row(272, 'unshare', ['flags:clone-flags'], unshare),
  row(308, 'setns', ['fd', 'flags:clone-flags'], setns),
];
