/** Files of /proc/PID by which namespaces are set up: uid_map, gid_map, projid_map, setgroups, timens_offsets (Linux fs/proc/base.c). */
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EACCES, EINVAL } from '../../abi/errno.ts';
import type { NamespaceFileName } from '../../fs/process-view.ts';
import type { OpenedContent } from '../../fs/pseudo.ts';
import type { KernelTask } from '../task/task.ts';
import type { IdKind } from './user-namespace.ts';
import { capableIn } from './user-namespace.ts';

const KINDS = new Map<NamespaceFileName, IdKind>([['uid_map', 'uid'], ['gid_map', 'gid'], ['projid_map', 'projid']]);

/** The file of `task` for who opens it: the rights to write are the opener's. */
export function openNamespaceFile(task: KernelTask, name: NamespaceFileName, writes: boolean): OpenedContent | number {
  const { kernel } = task;
  const opener = kernel.current?.credentials ?? task.credentials;
  const { user } = task.credentials;
  const kind = KINDS.get(name);
  if (kind !== undefined) {
    const write = (text: string, position: number): number => (position !== 0 ? -EINVAL : user.writeMap(kind, text, opener, kernel.current?.credentials ?? opener));
    return { read: () => user.mapText(kind, opener.user), write };
  }
  if (name === 'setgroups') {
    if (writes && !capableIn(opener, user, CAP_SYS_ADMIN)) return -EACCES;
    return {
      read: () => (user.allowsSetgroups ? 'allow\n' : 'deny\n'),
      write: (text, position) => (position !== 0 ? -EINVAL : user.writeSetgroups(text)),
    };
  }
  return {
    read: () => task.namespaces.timeForChildren.text,
    write: (text, position) => (position !== 0 ? -EINVAL : task.namespaces.timeForChildren.write(text, opener, kernel.monotonicNs())),
  };
}
