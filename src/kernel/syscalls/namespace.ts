/** unshare(2), setns(2) (kernel/fork.c: ksys_unshare, kernel/nsproxy.c). */
import { CAP_SYS_ADMIN, CAP_SYS_CHROOT } from '../../abi/capability.ts';
import { EBADF, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { CLONE_FILES, CLONE_FS, CLONE_NEWNS, CLONE_NEWUSER, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM } from '../../abi/sched.ts';
import { RLIMIT_NOFILE } from '../../abi/resource.ts';
import { MountNamespace } from '../../fs/mounts.ts';
import { NamespaceInode, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import { enterNamespace, NAMESPACE_FLAGS, unshareNamespaces, type Namespaces } from '../namespaces.ts';
import { SharedRef } from '../task/shared-ref.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { PidFile } from './pidfd.ts';
import { mayAccess } from './process-memory.ts';

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

function unshare(task: KernelTask, flags: number): number {
  if (!isUnsharable(task, flags)) return -EINVAL;
  let namespaces: Namespaces = task.namespaces;
  if ((flags & NAMESPACE_FLAGS) !== 0) {
    if ((flags & CLONE_NEWUSER) === 0 && !task.capable(CAP_SYS_ADMIN)) return -EPERM;
    const made = unshareNamespaces(namespaces, flags, task.cgroup);
    if (typeof made === 'number') return made;
    namespaces = made;
  }
  if ((flags & (CLONE_FS | CLONE_NEWNS)) !== 0) ownFs(task);
  if ((flags & CLONE_NEWNS) !== 0) task.fs.enterNewNamespace();
  if ((flags & CLONE_FILES) !== 0 && task.filesRef.users > 1) {
    const { process } = task;
    const own = new SharedRef(task.files.clone(() => process.limit(RLIMIT_NOFILE)));
    task.filesRef.drop();
    task.filesRef = own;
  }
  task.namespaces = namespaces;
  return 0;
}

/** mntns_install(): the caller stands at the root of what it enters. */
function mayEnterMounts(task: KernelTask): number {
  if (!task.capable(CAP_SYS_ADMIN) || !task.capable(CAP_SYS_CHROOT)) return -EPERM;
  return task.fsRef.users > 1 ? -EINVAL : 0;
}

/** All or none of them. */
function enterAll(task: KernelTask, wanted: readonly NamespaceIdentity[]): number {
  let namespaces = task.namespaces;
  let mounts: MountNamespace | undefined;
  for (const namespace of wanted) {
    if (namespace instanceof MountNamespace) {
      const refused = mayEnterMounts(task);
      if (refused !== 0) return refused;
      mounts = namespace;
      continue;
    }
    if (namespace.flag !== CLONE_NEWUSER && !task.capable(CAP_SYS_ADMIN)) return -EPERM;
    const entered = enterNamespace(namespaces, namespace);
    if (typeof entered === 'number') return entered;
    namespaces = entered;
  }
  if (mounts !== undefined) task.fs.enterNamespace(mounts);
  task.namespaces = namespaces;
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
  const all: readonly NamespaceIdentity[] = [target.fs.namespace, ...Object.values(target.namespaces) as NamespaceIdentity[]];
  return enterAll(task, all.filter(({ flag }) => (flag & type) !== 0));
}

export const namespaceRows: readonly SyscallRow[] = [
  row(272, 'unshare', ['flags:clone-flags'], unshare, { support: 'partial', note: 'No user, PID or time namespaces (EINVAL, as on a kernel without them).' }),
  row(308, 'setns', ['fd', 'flags:clone-flags'], setns),
];
