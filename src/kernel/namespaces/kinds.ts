/** The kinds of namespaces (namespaces(7)), a row each: the flags that the calls take, and the bounds in /proc/sys/user, are made of them. */
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS } from '../../abi/sched.ts';
import type { NamespaceKind } from '../../fs/process-view.ts';

export interface NamespaceRow {
  /** As in /proc/PID/ns. */
  readonly kind: NamespaceKind;
  readonly flag: number;
  /** What is seen of one namespace only. */
  readonly isolates: string;
  /** What its calls and files ask or do beyond the rest. */
  readonly note: string;
}

export const NAMESPACE_KINDS: readonly NamespaceRow[] = [
  { kind: 'cgroup', flag: CLONE_NEWCGROUP, isolates: 'the root of the tree of control groups: `/proc/PID/cgroup`, mounts of cgroup2', note: 'begins at the group of the caller' },
  { kind: 'ipc', flag: CLONE_NEWIPC, isolates: 'System V segments, semaphores and queues, POSIX message queues, their bounds in `/proc/sys`', note: '' },
  { kind: 'mnt', flag: CLONE_NEWNS, isolates: 'what is mounted where', note: 'propagation leads out of it as it was set; setns(2) asks for CAP_SYS_CHROOT too, and for nobody who shares the working directory' },
  { kind: 'net', flag: CLONE_NEWNET, isolates: 'sockets, ports, interfaces, abstract names of sockets, `/proc/net`', note: 'has loopback only, which is down at first' },
  { kind: 'pid', flag: CLONE_NEWPID, isolates: 'process numbers, `/proc` of a new mount, whom signals reach', note: 'for children (`pid_for_children`); its first process takes in orphans, and all end with it' },
  {
    kind: 'time', flag: CLONE_NEWTIME, isolates: 'CLOCK_MONOTONIC and CLOCK_BOOTTIME, `/proc/uptime`',
    note: 'for children (`time_for_children`); set by `/proc/PID/timens_offsets` before the first one; clone(2) has no room for the flag, clone3(2) has',
  },
  {
    kind: 'user', flag: CLONE_NEWUSER, isolates: 'ids and capabilities; what belongs to an id that is not mapped shows as 65534',
    note: 'needs no capability; set by `uid_map`, `gid_map`, `setgroups`, `projid_map`; 32 levels deep; not from within chroot(2)',
  },
  { kind: 'uts', flag: CLONE_NEWUTS, isolates: 'the names that sethostname(2) and setdomainname(2) set', note: '' },
];

/** All kinds. */
export const NAMESPACE_FLAGS = NAMESPACE_KINDS.reduce((flags, { flag }) => flags | flag, 0);
