/** The calls of a profile as a filter of seccomp for other engines, in the JSON of Docker and Podman (containers/common pkg/seccomp, moby profiles/seccomp). */
import { EPERM } from '../../abi/errno.ts';
import type { Profile } from './profile.ts';

/** Calls that a program makes without its own doing, at its end or where it was interrupted, and those that give it nothing that it has not: they are never refused. */
export const ALWAYS_ALLOWED: readonly string[] = [
  'brk', 'clock_gettime', 'clock_nanosleep', 'close', 'exit', 'exit_group', 'futex', 'getpid', 'gettid', 'gettimeofday', 'munmap', 'nanosleep', 'read', 'readv', 'restart_syscall', 'rseq', 'rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'sched_yield',
  'set_robust_list', 'set_tid_address', 'sigaltstack', 'time', 'write', 'writev',
];

/** What a runtime itself still does between the filter and the start of the program (opencontainers/runc libcontainer/standard_init_linux.go). */
const BY_RUNTIMES: readonly string[] = ['capget', 'capset', 'chdir', 'execve', 'fchdir', 'fstat', 'fstatfs', 'getdents64', 'newfstatat', 'openat', 'prctl', 'setgid', 'setgroups', 'setuid', 'stat'];

/** Undefined: the profile says nothing of calls. */
export function seccompText({ sections }: Profile): string | undefined {
  const calls = sections.get('calls');
  if (calls === undefined) return undefined;
  const names = [...new Set([...calls, ...ALWAYS_ALLOWED, ...BY_RUNTIMES])].sort();
  return `${JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: EPERM, architectures: ['SCMP_ARCH_X86_64'], syscalls: [{ names, action: 'SCMP_ACT_ALLOW', args: [] }] }, undefined, 2)}\n`;
}
