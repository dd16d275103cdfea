/** Who may look into whom (kernel/ptrace.c: __ptrace_may_access, security/commoncap.c: cap_ptrace_access_check). */
import { CAP_SYS_PTRACE } from '../../abi/capability.ts';
import type { KernelTask } from '../task/task.ts';

/** PTRACE_MODE_ATTACH_REALCREDS. */
export function mayAccess(task: KernelTask, target: KernelTask): boolean {
  // A restriction that the target does not share must not be got around through it (security/landlock/ptrace.c).
  if (target.process !== task.process && task.credentials.restriction?.isWithin(target.credentials.restriction) === false) return false;
  if (target.process === task.process || task.capableIn(target.credentials.user, CAP_SYS_PTRACE)) return true;
  const { uid, gid, permitted } = task.credentials;
  const other = target.credentials;
  const same = uid === other.uid && uid === other.euid && uid === other.suid && gid === other.gid && gid === other.egid && gid === other.sgid;
  return same && target.process.dumpable === 1 && (other.permitted & ~permitted) === 0n;
}
