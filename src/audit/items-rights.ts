/** Items about what its processes may do. */
import { DOCKER_DEFAULT } from './capabilities.ts';
import type { Change } from './change.ts';
import { PLAIN_USER } from './change.ts';
import { addedCapabilities, capabilitiesOf, hasOpenProc, isRoot, withoutAppArmor, withoutSeccomp } from './effective.ts';
import { NO_SUCH_FLAG, OWN_KERNEL, SAME_INSIDE, when } from './item.ts';
import type { Item } from './item.ts';
import type { Configuration } from './model.ts';

/** What a holder of each dangerous capability can do to a host whose kernel it shares, and in gVisor's kernel. Sources: capabilities(7). */
const DANGEROUS: readonly (readonly [name: string, host: string, gvisor: string])[] = [
  ['SYS_ADMIN', 'mounts file systems, enters namespaces, and calls most of what the kernel keeps from users: with cgroup v1, a block device or a kernel bug it becomes root of the host', 'mounts and namespaces of the sentry only'],
  ['SYS_MODULE', 'loads modules into the host\'s kernel: it is the host\'s kernel then', 'the sentry has no modules'],
  ['SYS_PTRACE', 'reads and writes other processes: with the host\'s process namespace, those of the host', 'processes of the sentry only'],
  ['DAC_READ_SEARCH', 'opens any file of the host by its handle (open_by_handle_at), through any mount of the host\'s file system', 'handles of the sentry\'s own file systems only'],
  ['SYS_RAWIO', 'writes ports and, with /dev/mem, the host\'s memory', 'there are no ports and no /dev/mem'],
  ['SYS_BOOT', 'loads another kernel (kexec) or, with the host\'s process namespace, reboots the host', 'the call is refused'],
  ['NET_ADMIN', 'changes addresses, routes and filters: of the host where its network is shared; and reaches netfilter code with bugs', 'the sentry\'s own network stack'],
  ['BPF', 'loads programs into the kernel: reads its memory and, with PERFMON, watches every process of the host', 'the sentry has no bpf'],
  ['PERFMON', 'watches the host\'s kernel and processes by performance counters and probes', 'the sentry has no such counters'],
  ['SYSLOG', 'reads the kernel\'s messages and addresses, which attacks on it need', 'the sentry\'s own messages'],
  ['SYS_TIME', 'sets the host\'s clock: certificates, logs and tokens go wrong', 'the call is refused'],
  ['SYS_RESOURCE', 'passes by quotas and resource limits', 'limits of the sentry only; the sandbox\'s cgroup holds'],
  ['SYS_NICE', 'takes processor time from others by its priority', 'priorities are not passed on'],
  ['SYS_PACCT', 'switches process accounting', 'not there'],
  ['SYS_TTY_CONFIG', 'configures virtual terminals and hangs them up', 'not there'],
  ['AUDIT_CONTROL', 'switches the host\'s audit off and changes its rules', 'not there'],
  ['AUDIT_READ', 'reads the host\'s audit log', 'not there'],
  ['MAC_ADMIN', 'loads and changes the policy of AppArmor or Smack', 'not there'],
  ['MAC_OVERRIDE', 'passes by Smack\'s policy', 'not there'],
  ['LINUX_IMMUTABLE', 'makes files unchangeable, or changeable again', 'not there'],
  ['IPC_LOCK', 'locks memory, so that others are swapped out', 'counted against the sandbox'],
  ['IPC_OWNER', 'passes by permissions of System V IPC', 'the sentry\'s own IPC'],
  ['NET_BROADCAST', 'is not used by the kernel', 'is not used'],
  ['LEASE', 'sets leases on files of others, which delays whoever opens them', 'not there'],
  ['WAKE_ALARM', 'wakes the machine from its sleep', 'not there'],
  ['BLOCK_SUSPEND', 'keeps the machine from its sleep', 'not there'],
  ['CHECKPOINT_RESTORE', 'picks process numbers and reads maps of other processes', 'the sentry\'s own processes'],
];

function removals(names: readonly string[]): readonly Change[] {
  return names.map((name) => ({ kind: 'remove-capability', name }));
}

function capabilityItem([name, host, gvisor]: (typeof DANGEROUS)[number]): Item {
  return {
    id: `cap-${name.toLowerCase().replaceAll('_', '-')}`, summary: `It has CAP_${name}`, remedy: 'leave it out of the capabilities that are added',
    find: (configuration) => when(!configuration.privileged && capabilitiesOf(configuration).has(name), `CAP_${name} is added`), changes: () => removals([name]),
    meaning: { docker: `CAP_${name} ${host}`, gvisor, caisson: OWN_KERNEL },
  };
}

/** Those of Docker's default set that escapes and attacks on neighbours use. */
const DEFAULTS_USED: readonly (readonly [name: string, host: string, gvisor: string])[] = [
  ['DAC_OVERRIDE', 'passes by the permissions of files, also of those of the host that are mounted', 'the sentry\'s files; the gofer still has the rights of its user on the host'],
  ['MKNOD', 'makes device files: with a device rule, or a user on the host, the host\'s disks', 'device files of the sentry only'],
  ['NET_RAW', 'sends packets of its own making: forged ARP and DNS answers to neighbours on the same bridge', 'raw sockets are refused unless runsc was started with --net-raw'],
];

function defaultCapabilityItem([name, host, gvisor]: (typeof DANGEROUS)[number]): Item {
  return {
    id: `default-cap-${name.toLowerCase().replaceAll('_', '-')}`, summary: `It keeps CAP_${name} of the default set`, remedy: `drop CAP_${name}, unless its program is known to need it`,
    find: (configuration) => when(!configuration.privileged && capabilitiesOf(configuration).has(name), `CAP_${name} is not dropped`), changes: () => removals([name]),
    meaning: { docker: `CAP_${name} ${host}`, gvisor, caisson: OWN_KERNEL },
  };
}

const dangerousNames = new Set(DANGEROUS.map(([name]) => name));

/** Of the list that the baseline of the Pod Security Standards allows to be added; NET_RAW is not in it. */
const BASELINE_ALLOWED: ReadonlySet<string> = new Set(DOCKER_DEFAULT.filter((name) => name !== 'NET_RAW'));

const labelTypes: ReadonlySet<string> = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);

function execItem(id: string, summary: string, isSo: (use: Configuration['execs'][number]) => boolean, evidence: string): Item {
  return {
    id, summary, remedy: 'exec as the container\'s own user, without --privileged', find: ({ execs }) => when(execs.some(isSo), evidence), changes: () => [{ kind: 'unprivileged-exec' }],
    meaning: { docker: 'the command has more rights than the container that it runs in, and what is in the container can take it over', gvisor: 'the rights of root in the sentry', caisson: SAME_INSIDE },
  };
}

export const RIGHTS_ITEMS: readonly Item[] = [
  {
    id: 'privileged', summary: 'It runs privileged', remedy: 'run it without "privileged", and add the one capability or device that it needs', find: ({ privileged }) => when(privileged, 'privileged'), changes: () => [{ kind: 'unprivileged' }],
    meaning: { docker: 'all capabilities, all devices, no seccomp, no AppArmor, /proc and /sys open: root of the host in one step', gvisor: 'all capabilities in the sentry; devices of the host are not passed on, so the host is still behind its boundary', caisson: NO_SUCH_FLAG },
  },
  ...DANGEROUS.map(capabilityItem),
  ...DEFAULTS_USED.map(defaultCapabilityItem),
  {
    id: 'added-capabilities', summary: 'It has capabilities beyond the default set', remedy: 'add none, or only those that its program is known to need',
    find: (configuration) => addedCapabilities(configuration).length === 0 ? [] : [configuration.privileged ? 'all, as it is privileged' : addedCapabilities(configuration).map((name) => `CAP_${name}`).join(', ')],
    changes: (configuration) => (configuration.privileged ? [{ kind: 'unprivileged' }] : removals(addedCapabilities(configuration))),
    meaning: { docker: 'each is a part of root\'s power over the one kernel that all share', gvisor: 'parts of root\'s power in the sentry', caisson: OWN_KERNEL },
  },
  {
    id: 'baseline-capabilities', summary: 'It adds capabilities that the baseline of the Pod Security Standards does not allow', remedy: 'add only those of the default set, without NET_RAW',
    find: ({ capabilities: { add, base }, privileged }) => {
      const extra = base === 'none' ? add.filter((name) => !DOCKER_DEFAULT.includes(name)) : add.filter((name) => !BASELINE_ALLOWED.has(name));
      return when(extra.length > 0 && !privileged, extra.map((name) => `CAP_${name}`.replace('CAP_ALL', 'ALL')).join(', '));
    },
    changes: (configuration) => (configuration.capabilities.add.includes('ALL') ? [{ kind: 'drop-all-capabilities' }] : removals(configuration.capabilities.add.filter((name) => !BASELINE_ALLOWED.has(name)))),
    meaning: { docker: 'as for the single capabilities', gvisor: 'as for the single capabilities', caisson: OWN_KERNEL },
  },
  {
    id: 'capabilities-kept', summary: 'It does not drop all capabilities', remedy: 'drop ALL, and add NET_BIND_SERVICE back if it listens below 1024',
    find: (configuration) => {
      const kept = [...capabilitiesOf(configuration)].filter((name) => name !== 'NET_BIND_SERVICE');
      return when(kept.length > 0, configuration.privileged ? 'all are there, as it is privileged' : `${kept.length} are kept`);
    },
    changes: (configuration) => [...(configuration.privileged ? [{ kind: 'unprivileged' } as const] : []), { kind: 'drop-all-capabilities' }, ...removals(configuration.capabilities.add.filter((name) => !['NET_BIND_SERVICE', 'ALL'].includes(name)))],
    meaning: { docker: 'root inside still changes owners, permissions and identities, and makes devices and raw packets', gvisor: 'the same in the sentry', caisson: OWN_KERNEL },
  },
  {
    id: 'root-user', isOfImages: true, summary: 'It runs as root', remedy: 'set a user by number (USER in the image, or --user)', find: (configuration) => when(isRoot(configuration), configuration.user === '' ? 'no user is set' : `user ${configuration.user}`), changes: () => [{ kind: 'set-user', user: PLAIN_USER }],
    meaning: { docker: 'root inside is root of the host unless users are mapped: what a bug or a mount lets it reach, it reaches as root', gvisor: 'root in the sentry; files of mounts are reached by the gofer as the user it was started as', caisson: { applies: false, why: 'cannot happen: root of its own kernel has on the host the rights of the user who runs it, and only in what is mounted' } },
  },
  {
    id: 'privilege-escalation', summary: 'Its processes may gain privileges by set-uid programs', remedy: 'set no-new-privileges (allowPrivilegeEscalation: false)', find: ({ noNewPrivileges }) => when(!noNewPrivileges, 'no-new-privileges is not set'), changes: () => [{ kind: 'no-new-privileges' }],
    meaning: { docker: 'a user inside becomes root inside by a set-uid program with a bug', gvisor: 'the same in the sentry', caisson: SAME_INSIDE },
  },
  {
    id: 'seccomp-off', summary: 'Its system calls are not filtered', remedy: 'leave the default seccomp profile on',
    find: (configuration) => when(withoutSeccomp(configuration) && configuration.seccomp !== 'unset', configuration.privileged ? 'privileged containers have no filter' : configuration.kind === 'oci' ? 'linux.seccomp is not there' : 'seccomp=unconfined'),
    changes: (configuration) => (configuration.privileged ? [{ kind: 'unprivileged' }, { kind: 'default-seccomp' }] : [{ kind: 'default-seccomp' }]),
    meaning: { docker: 'the whole of the host\'s kernel can be called: user namespaces, keyrings, io_uring, userfaultfd, bpf, and whatever has a bug today', gvisor: 'the sentry answers all calls itself, and its own filter towards the host stays on', caisson: { applies: false, why: 'cannot happen: no call of the container is passed on to the host, so there is nothing to filter' } },
  },
  {
    id: 'seccomp-unset', summary: 'No seccomp profile is asked for, and Kubernetes gives none by itself', remedy: 'set seccompProfile.type: RuntimeDefault', find: (configuration) => (configuration.kind === 'kubernetes' ? when(configuration.seccomp === 'unset' && !configuration.privileged, 'seccompProfile is not set') : undefined), changes: () => [{ kind: 'default-seccomp' }],
    meaning: { docker: 'the whole of the host\'s kernel can be called, unless the kubelet was started with seccompDefault', gvisor: 'the sentry answers all calls itself', caisson: { applies: false, why: 'cannot happen: no call of the container is passed on to the host' } },
  },
  {
    id: 'apparmor-off', summary: 'AppArmor does not confine it', remedy: 'leave the default AppArmor profile on', find: (configuration) => when(withoutAppArmor(configuration), configuration.privileged ? 'privileged containers are not confined' : 'apparmor=unconfined'),
    changes: (configuration) => (configuration.privileged ? [{ kind: 'unprivileged' }, { kind: 'default-apparmor' }] : [{ kind: 'default-apparmor' }]),
    meaning: { docker: 'mounts, writes to /proc/sys and ptrace of others are held back by nothing but capabilities', gvisor: 'profiles do not reach into the sentry; they confine the sentry itself', caisson: { applies: false, why: 'cannot happen: what such a profile forbids does not exist in its kernel, or is its own' } },
  },
  {
    id: 'selinux-off', summary: 'SELinux does not separate it', remedy: 'leave the label as the engine sets it', find: ({ selinux, privileged }) => when(selinux.state === 'disabled' && !privileged, selinux.type === '' ? 'label=disable' : `type ${selinux.type}`), changes: () => [{ kind: 'default-selinux' }],
    meaning: { docker: 'files and processes of the host and of other containers are not kept apart by type and category', gvisor: 'the sentry runs without its label', caisson: OWN_KERNEL },
  },
  {
    id: 'selinux-custom', summary: 'It asks for an SELinux type, user or role of its own', remedy: 'use container_t, or leave the label as the engine sets it', find: ({ selinux }) => when(selinux.state === 'custom' && (!labelTypes.has(selinux.type) || selinux.user !== '' || selinux.role !== ''), [selinux.user, selinux.role, selinux.type].filter((part) => part !== '').join(':')), changes: () => [{ kind: 'default-selinux' }],
    meaning: { docker: 'what it may do is what that type may, which can be everything', gvisor: 'the sentry runs with that label', caisson: OWN_KERNEL },
  },
  {
    id: 'open-proc', summary: 'The covered parts of /proc and /sys are open', remedy: 'leave the default paths masked', find: (configuration) => when(hasOpenProc(configuration), configuration.privileged ? 'privileged containers have them open' : configuration.kind === 'oci' ? 'linux.maskedPaths is not there' : 'paths are unmasked'),
    changes: (configuration) => (configuration.privileged ? [{ kind: 'unprivileged' }, { kind: 'mask-paths' }] : [{ kind: 'mask-paths' }]),
    meaning: { docker: 'root inside writes /proc/sys and /proc/sysrq-trigger of the host, and reads its memory and keys', gvisor: 'the sentry\'s own /proc has none of the host in it', caisson: { applies: false, why: 'cannot happen: /proc and /sys are made by its own kernel and show nothing of the host' } },
  },
  execItem('exec-privileged', 'A command is run in it with --privileged', ({ privileged }) => privileged, 'exec --privileged'),
  execItem('exec-root', 'A command is run in it as root', ({ user }) => /^(?:root|0+)(?::|$)/.test(user), 'exec --user root'),
  {
    id: 'windows-host-process', summary: 'It is a process of the Windows host', remedy: 'leave hostProcess out', find: ({ windowsHostProcess }) => when(windowsHostProcess, 'hostProcess: true'), changes: () => [{ kind: 'no-host-process' }],
    meaning: { docker: 'it is not contained at all', gvisor: 'not on Windows', caisson: NO_SUCH_FLAG },
  },
];

/** The dangerous ones by name. */
export function isDangerous(capability: string): boolean {
  return dangerousNames.has(capability);
}
