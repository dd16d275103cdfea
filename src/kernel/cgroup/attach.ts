/** Moving processes and threads between groups (cgroup_attach_task()), and who may (delegation). */
import { EACCES, EBUSY, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, ESRCH } from '../../abi/errno.ts';
import type { MayWrite } from '../../fs/cgroup-view.ts';
import type { KernelTask } from '../task/task.ts';
import type { Cgroup } from './cgroup.ts';

/** cgroup_migrate_vet_dst(): the group can hold processes. */
function mayHold(group: Cgroup): number {
  if (group.removed) return -ENODEV;
  if (group.parent === undefined) return 0;
  if (!group.isThreaded && !group.isValidDomain) return -EOPNOTSUPP;
  if (group.canBeThreadRoot || group.isThreaded) return 0;
  return group.subtreeControl.size > 0 ? -EBUSY : 0;
}

/**
 * cgroup_attach_permissions(): both ends are within what the writer sees, and the common ancestor's `cgroup.procs` may be
 * written by him: a delegated subtree is not left.
 */
export function mayAttach(writer: KernelTask | undefined, from: Cgroup, to: Cgroup, whole: boolean, mayWrite: MayWrite): number {
  const { tree } = to;
  const root = writer?.namespaces.cgroup.root;
  if (root !== undefined && (!from.isWithin(root) || !to.isWithin(root))) return -ENOENT;
  if (!mayWrite(tree.common(from, to), 'cgroup.procs')) return -EACCES;
  const refused = mayHold(to);
  if (refused !== 0) return refused;
  return !whole && from.domain !== to.domain ? -EOPNOTSUPP : 0;
}

/** A process or a thread by its number in the writer's PID namespace, as written to `cgroup.procs` or `cgroup.threads`; 0 is the writer. */
export function attachFromText(group: Cgroup, text: string, whole: boolean, mayWrite: MayWrite): number {
  const { kernel } = group.tree;
  const number = /^\+?\d{1,10}$/.test(text) ? Number(text) : -1;
  if (number < 0 || number > 0x7fff_ffff) return -EINVAL;
  const id = kernel.current?.idOf(number) ?? number;
  const task = number === 0 ? kernel.current : kernel.findTask(id) ?? kernel.findProcess(id)?.leader;
  if (task === undefined) return -ESRCH;
  // What has ended and is not awaited yet moves nowhere, and that is no error.
  const moved = whole ? [...task.process.tasks] : [...task.process.tasks].filter((other) => other === task);
  const refused = mayAttach(kernel.current, task.cgroup, group, whole, mayWrite);
  if (refused !== 0) return refused;
  for (const one of moved) group.tree.move(one, group);
  return 0;
}
