/** ioctl_ns(2): how namespaces hang together (Linux fs/nsfs.c:ns_ioctl). */
import { EFAULT, EINVAL, ENOTTY, EPERM } from '../../abi/errno.ts';
import { O_RDONLY } from '../../abi/fcntl.ts';
import { NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS } from '../../abi/nsfs.ts';
import { namespaceLocation, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import { PlainFile } from '../../fs/open-file.ts';
import { PidNamespace } from '../namespaces/pid-namespace.ts';
import type { OwnedNamespace } from '../namespaces/namespaces.ts';
import { UserNamespace } from '../namespaces/user-namespace.ts';
import type { Task } from '../types.ts';

/** A descriptor for a namespace, close-on-exec. */
function openNamespace(task: Task, namespace: NamespaceIdentity, kind: string): number {
  const location = namespaceLocation(namespace, `${kind}:[${namespace.ino}]`);
  return task.files.install(new PlainFile(location.dentry.inode, O_RDONLY, location), true);
}

/** The user namespace above, where the caller is in it or above it (ns_get_owner). */
function userAbove(task: Task, user: UserNamespace | undefined): number {
  return user?.isWithin(task.credentials.user) === true ? openNamespace(task, user, 'user') : -EPERM;
}

function parentOf(task: Task, namespace: NamespaceIdentity): number {
  if (namespace instanceof UserNamespace) return userAbove(task, namespace.parent);
  if (!(namespace instanceof PidNamespace)) return -EINVAL;
  const { parent } = namespace;
  return parent?.isWithin(task.process.pidNamespace) === true ? openNamespace(task, parent, 'pid') : -EPERM;
}

export function namespaceIoctl(task: Task, namespace: NamespaceIdentity, request: number, argument: number): number {
  switch (request) {
    case NS_GET_USERNS:
      return userAbove(task, namespace instanceof UserNamespace ? namespace.parent : (namespace as OwnedNamespace).user);
    case NS_GET_PARENT:
      return parentOf(task, namespace);
    case NS_GET_NSTYPE:
      return namespace.flag;
    case NS_GET_OWNER_UID:
      if (!(namespace instanceof UserNamespace)) return -EINVAL;
      return task.memory.writeU32(argument, task.credentials.user.shownUid(namespace.owner)) < 0 ? -EFAULT : 0;
    default:
      return -ENOTTY;
  }
}
