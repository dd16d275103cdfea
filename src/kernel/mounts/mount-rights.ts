/** Who may mount, and what is in the way of unmounting (Linux fs/namespace.c). */
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { MS_NOATIME, MS_NODIRATIME, MS_RELATIME } from '../../abi/mount.ts';
import type { Location, Mount } from '../../fs/dentry.ts';
import type { FileSystem } from '../../fs/types.ts';
import { UserNamespace } from '../namespaces/user-namespace.ts';
import type { Kernel, Task } from '../types.ts';

const ATIME_FLAGS = MS_NOATIME | MS_NODIRATIME | MS_RELATIME;

/** may_mount(): CAP_SYS_ADMIN where the caller's mount namespace belongs. */
export function mayMount(task: Task): boolean {
  return task.capableIn(task.fs.namespace.user as UserNamespace, CAP_SYS_ADMIN);
}

/** The file system itself, not only a mount of it, is changed by who may where it was made (do_remount(), vfs_fsconfig_locked()). */
export function mayReconfigure(task: Task, { owner }: FileSystem): boolean {
  return owner instanceof UserNamespace ? task.capableIn(owner, CAP_SYS_ADMIN) : task.capable(CAP_SYS_ADMIN);
}

/** can_change_locked_flags(): no flag goes that a more privileged namespace set. */
export function mayChangeFlags(mount: Mount, flags: number): boolean {
  const kept = mount.lockedFlags & mount.flags & ~ATIME_FLAGS;
  if ((kept & ~flags) !== 0) return false;
  return (mount.lockedFlags & ATIME_FLAGS) === 0 || (flags & ATIME_FLAGS) === (mount.flags & ATIME_FLAGS);
}

/** A root, a working directory, or an open file of any task is in the mount: it is not unmounted at once. */
export function isMountUsed(kernel: Kernel, mount: Mount): boolean {
  for (const process of kernel.processes()) {
    for (const { fs, files } of process.tasks) {
      if (fs.root.mount === mount || fs.cwd.mount === mount) return true;
      for (const [, file] of files.entries()) if (file.location?.mount === mount) return true;
    }
  }
  return false;
}

/** chroot_fs_refs(): every task that stands at `from` stands at `to` then. */
export function moveTasks(kernel: Kernel, from: Location, to: Location): void {
  const isThere = (place: Location): boolean => place.mount === from.mount && place.dentry === from.dentry;
  for (const process of kernel.processes()) {
    for (const { fs } of process.tasks) {
      if (isThere(fs.root)) fs.root = to;
      if (isThere(fs.cwd)) fs.cwd = to;
    }
  }
}
