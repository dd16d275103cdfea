/** The table of capabilities: what each lets a task do here. The places are found in the sources; only their words are written down here. */
import * as abi from '../../src/abi/capability.ts';
import { findCapabilityChecks, type CapabilityCheck } from './capability-checks.ts';
import { codes, table } from './markdown.ts';

/** What is asked for at some places; each place is `FILE FUNCTION`, below `src/kernel` unless it begins with another room. */
type Asked = readonly [words: string, ...places: string[]];

const ASKED: Readonly<Record<string, readonly Asked[]>> = {
  CAP_CHOWN: [['chown(2) of what belongs to others, or to whomever', 'fs/attributes.ts changeOwner']],
  CAP_DAC_OVERRIDE: [
    ['reading, writing, searching and executing against the mode of a file', 'fs/permission.ts inodePermission'],
    ['message queues against their mode', 'ipc/posix-queue.ts permission'],
  ],
  CAP_DAC_READ_SEARCH: [
    ['reading files and searching directories against their mode', 'fs/permission.ts inodePermission'],
    ['open_by_handle_at(2)', 'syscalls/file-handle.ts openByHandleAt'],
    ['linkat(2) of a descriptor (AT_EMPTY_PATH)', 'fs/operations.ts mayLinkByDescriptor'],
  ],
  CAP_FOWNER: [
    ['chmod(2), utimensat(2), O_NOATIME, links to and attributes of the files of others', 'fs/permission.ts capableOwner'],
    ['removing and renaming the files of others in a sticky directory', 'fs/permission.ts stickyForbids'],
  ],
  CAP_FSETID: [
    ['set-group-ID of files of a foreign group', 'fs/attributes.ts changeMode', 'fs/permission.ts initialOwner'],
    ['set-user-ID and set-group-ID stay when a file is written', 'fs/permission.ts dropPrivileges'],
  ],
  CAP_KILL: [['signals to the processes of others', 'syscalls/signal.ts maySignal']],
  CAP_SETGID: [
    ['setgid(2), setregid(2), setresgid(2), setfsgid(2), setgroups(2) to any group', 'syscalls/identity.ts setgid', 'syscalls/identity.ts setregid', 'syscalls/identity.ts setresgid', 'syscalls/identity.ts setfsgid', 'syscalls/identity.ts setgroups'],
    ['another group in SCM_CREDENTIALS', 'files/network.ts mayClaim'],
    ['`gid_map` with the groups of others', 'namespaces/user-namespace.ts #mayMap'],
  ],
  CAP_SETUID: [
    ['setuid(2), setreuid(2), setresuid(2), setfsuid(2) to any user', 'syscalls/identity.ts setuid', 'syscalls/identity.ts setreuid', 'syscalls/identity.ts setresuid', 'syscalls/identity.ts setfsuid'],
    ['another user in SCM_CREDENTIALS', 'files/network.ts mayClaim'],
    ['`uid_map` with the users of others', 'namespaces/user-namespace.ts #mayMap'],
  ],
  CAP_SETPCAP: [
    ['PR_CAPBSET_DROP', 'syscalls/prctl.ts dropBounding'], ['securebits', 'syscalls/prctl.ts setSecurebits'],
    ['inheritable capabilities from the bounding set', 'syscalls/identity.ts capset'],
  ],
  CAP_NET_BIND_SERVICE: [['ports below 1024', 'files/network.ts callerOf.mayBindLowPorts']],
  CAP_BPF: [['bpf(2)', 'syscalls/bpf.ts bpf']],
  CAP_NET_ADMIN: [
    ['loading programs for bpf(2), and asking a group for its own', 'syscalls/bpf.ts load', 'syscalls/bpf.ts query'],
    ['loopback up and down, addresses, SO_PRIORITY above 6, SO_MARK and the like', 'files/network.ts callerOf.mayAdminister'],
    ['`net.ipv4.ping_group_range`', 'system-view.ts pingGroupRange.write'],
  ],
  CAP_NET_RAW: [['only the errno differs: there are no raw and no packet sockets', 'files/network.ts callerOf.mayUseRaw']],
  CAP_IPC_LOCK: [
    ['more locked memory than RLIMIT_MEMLOCK', 'syscalls/memory.ts checkLocked', 'syscalls/memory.ts mlockall'],
    ['SHM_LOCK of the segments of others', 'syscalls/sysv-memory.ts change'],
  ],
  CAP_IPC_OWNER: [['System V objects against their mode', 'ipc/ipc-table.ts ipcPermission']],
  CAP_SYS_CHROOT: [['chroot(2)', 'syscalls/directory.ts chroot'], ['setns(2) into a mount namespace', 'syscalls/namespace.ts mayEnterMounts']],
  CAP_SYS_PTRACE: [
    ['tracing, and looking into, the processes of others: ptrace(2), process_vm_readv(2), pidfd_getfd(2), kcmp(2), `/proc/PID`', 'ptrace/access.ts mayAccess', 'ptrace/access.ts mayBeTracedBy'],
    ['a traced program keeps what execve(2) gives it', 'exec/exec.ts execCredentials'],
  ],
  CAP_SYS_ADMIN: [
    ['mounting: the calls', 'mounts/mount-rights.ts mayMount'],
    ['a new file system of a type, and other options of it later', 'mounts/file-system-types.ts mayMountType', 'mounts/mount-rights.ts mayReconfigure'],
    ['statmount(2) of what cannot be reached', 'syscalls/mount-status.ts maySee'],
    ['the same as CAP_BPF and CAP_NET_ADMIN for bpf(2), and programs by their number', 'syscalls/bpf.ts bpf', 'syscalls/bpf.ts load', 'syscalls/bpf.ts query', 'syscalls/bpf.ts nextId', 'syscalls/bpf.ts openById'],
    ['unshare(2) and clone(2) of namespaces other than user', 'syscalls/namespace.ts unshare', 'syscalls/clone.ts checkFlags'],
    ['setns(2)', 'namespaces/namespaces.ts enterNamespace', 'syscalls/namespace.ts mayEnterMounts', 'syscalls/namespace.ts enterUsers'],
    ['`uid_map`, `gid_map`, `setgroups`', 'namespaces/user-namespace.ts writeMap', 'namespaces/namespace-files.ts openNamespaceFile'],
    ['process numbers of one\'s choice (clone3(2), `set_tid`)', 'syscalls/clone.ts readWantedTids'],
    ['sethostname(2), setdomainname(2), `/proc/sys/kernel/hostname`', 'syscalls/system.ts readName', 'system-view.ts createSystemView.setHostname'],
    ['seccomp filters and Landlock without no_new_privs', 'syscalls/seccomp.ts setFilter', 'syscalls/landlock.ts restrictSelf'],
    ['changing and removing the System V objects of others', 'ipc/ipc-table.ts ipcOwner'],
    ['another process in SCM_CREDENTIALS', 'files/network.ts mayClaim'],
    ['`trusted.*` and `security.*` attributes', 'fs/attributes.ts xattrPermission', 'fs/attributes.ts listAttributes'],
    ['owner and permissions of the keys of others', 'syscalls/keys.ts chown', 'syscalls/keys.ts setPermissions'],
    ['fanotify_init(2)', 'syscalls/fanotify.ts init'],
    ['reading and suspending the filters of a traced process', 'syscalls/ptrace.ts checkOptions', 'syscalls/ptrace.ts getFilter'],
    ['taking a terminal from another session, TIOCVHANGUP', 'files/tty-ioctl.ts setControllingTerminal', 'files/tty-ioctl.ts hangUp'],
    ['the real-time class of ioprio_set(2)', 'syscalls/ioprio.ts ioprioSet'],
    ['more processes than RLIMIT_NPROC', 'task/fork.ts checkCounts'],
  ],
  CAP_SYS_NICE: [
    ['the priority and scheduling of others; process_madvise(2)', 'syscalls/resource.ts setpriority', 'syscalls/sched.ts mayChange', 'syscalls/process-memory.ts processMadvise', 'syscalls/ioprio.ts ioprioSet'],
    ['a real-time policy', 'syscalls/sched.ts setPolicy'],
  ],
  CAP_SYS_RESOURCE: [
    ['raising hard limits', 'syscalls/resource.ts applyLimit'], ['prlimit(2) of others', 'syscalls/resource.ts prlimit'],
    ['more processes than RLIMIT_NPROC', 'task/fork.ts checkCounts'],
    ['larger message queues', 'syscalls/mqueue.ts createQueue'], ['larger System V queues', 'syscalls/sysv-message.ts set'],
    ['PR_SET_MM', 'syscalls/prctl-mm.ts setMm'], ['lowering `oom_score_adj`', 'system-view.ts setOomScoreAdjustment'],
    ['`/proc/sys/user/max_*_namespaces`', 'namespaces/census.ts limitOf.set'],
  ],
  CAP_SYS_TIME: [['`timens_offsets` of a time namespace; the clock is the host\'s and is not set', 'namespaces/time-namespace.ts write']],
  CAP_MKNOD: [['mknod(2) of devices', 'fs/operations.ts makeNode']],
  CAP_SETFCAP: [
    ['the attribute `security.capability`', 'fs/attributes.ts xattrPermission'],
    ['mapping user 0 into a user namespace', 'namespaces/user-namespace.ts constructor', 'namespaces/user-namespace.ts #mayMap'],
  ],
  CAP_WAKE_ALARM: [['timerfd_create(2) of the clocks that wake the machine', 'syscalls/event.ts timerfdCreate']],
};

function fullPlace(place: string): string {
  return place.startsWith('fs/') || place.startsWith('net/') ? place : `kernel/${place}`;
}

/** Words for all checks of one capability; what only the first user namespace gives is in italics. */
function meaning(capability: string, checks: readonly CapabilityCheck[]): string {
  const places = new Map<string, boolean>();
  for (const { place, first } of checks) places.set(place, first && (places.get(place) ?? true));
  const parts = (ASKED[capability] ?? []).map(([words, ...named]) => {
    const asked = named.map(fullPlace).map((place) => {
      const first = places.get(place);
      if (first === undefined) throw new Error(`scripts/compatibility/capabilities.ts: nothing asks for ${capability} at "${place}"`);
      return [place, first] as const;
    });
    return { words: asked.every(([, first]) => first) ? `*${words}*` : words, asked: asked.map(([place]) => place) };
  });
  const named = new Set(parts.flatMap(({ asked }) => asked));
  for (const place of places.keys()) if (!named.has(place)) throw new Error(`scripts/compatibility/capabilities.ts: no words for ${capability} at "${place}"`);
  return parts.map(({ words }) => words).join('; ');
}

export function capabilityTable(): string[] {
  const names = Object.entries(abi).filter(([name]) => name !== 'CAP_LAST_CAP').sort(([, a], [, b]) => a - b).map(([name]) => name);
  const checks = findCapabilityChecks(new Set(names));
  const asked = names.filter((name) => checks.some(({ capability }) => capability === name));
  const unasked = names.filter((name) => !asked.includes(name));
  return [
    '### Capabilities',
    '',
    `Of ${names.length} capabilities, ${asked.length} are asked for somewhere in the sources, which this table is made of. A capability counts in the user namespace of the task and over what that owns; what is in *italics* is asked for in the first user namespace, whatever a task has in its own.`,
    '',
    ...table(['capability', 'what it lets a task do'], asked.map((name) => [`\`${name}\``, meaning(name, checks.filter(({ capability }) => capability === name))])),
    `Nothing here asks for ${codes(unasked)}: a task has them, shows them, hands them on and drops them as on Linux, and what they are for is refused to everybody, or is not there.`,
    '',
  ];
}
