/** Who may look into whom (kernel/ptrace.c: __ptrace_may_access, security/commoncap.c: cap_ptrace_access_check). */
import { CAP_SYS_PTRACE } from '../../abi/capability.ts';
import { effectiveOf } from '../task/credentials.ts';
import type { KernelTask } from '../task/task.ts';

/** PTRACE_MODE_ATTACH_REALCREDS; for files of /proc with the ids and rights that count for files (PTRACE_MODE_FSCREDS). */
export function mayAccess(task: KernelTask, target: KernelTask, ids: 'real' | 'files' = 'real'): boolean {
  if (target.process === task.process) return true;
  const own = task.credentials;
  const other = target.credentials;
  // A restriction that the target does not share must not be got around through it (security/landlock/ptrace.c).
  if (own.restriction?.isWithin(other.restriction) === false) return false;
  if (task.capableIn(other.user, CAP_SYS_PTRACE)) return true;
  const [uid, gid, capabilities] = ids === 'real' ? [own.uid, own.gid, own.permitted] : [own.fsuid, own.fsgid, effectiveOf(own)];
  const same = uid === other.uid && uid === other.euid && uid === other.suid && gid === other.gid && gid === other.egid && gid === other.sgid;
  return same && target.process.dumpable === 1 && other.user === own.user && (other.permitted & ~capabilities) === 0n;
}

/** PTRACE_TRACEME: nobody is traced by who has less rights (cap_ptrace_traceme, hook_ptrace_traceme). */
export function mayBeTracedBy(tracer: KernelTask, task: KernelTask): boolean {
  const { user, permitted, restriction } = tracer.credentials;
  const own = task.credentials;
  if (restriction?.isWithin(own.restriction) === false) return false;
  return (user === own.user && (own.permitted & ~permitted) === 0n) || tracer.capableIn(own.user, CAP_SYS_PTRACE);
}
