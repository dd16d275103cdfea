/** Paths by rights: capabilities, namespaces, devices. Sources: CDK, deepce, botb, ctrsploit and metarget, and the papers and CVEs that are named. */
import { CGROUP_1, NO_APPARMOR, NO_SECCOMP, OPEN_PROC, PRIVILEGED, ROOT, SAME_USERS, USER_NAMESPACES, capability, device, fact, hostNamespace, mounted, version } from './conditions.ts';
import { reachesAllDevices } from './effective.ts';
import { isDisk, isHarmlessDevice, isMemoryDevice } from './host-places.ts';
import { OURS, SENTRY, closed, stillOpen } from './path.ts';
import type { AttackPath, Condition } from './path.ts';

const ROOT_OF_HOST = 'root on the host';
const NOT_GIVEN = closed('"caisson run" has no such flag, and its kernel no such thing of the host to give');
const NO_DEVICES = closed('devices of the host are not passed on by runsc');

/** Rights and paths that do not depend on names in the configuration. */
function always(...conditions: readonly Condition[]): () => readonly Condition[] {
  return () => conditions;
}

const ANY_DEVICE = fact('it may open every device (devices cgroup)', ['all-devices', 'privileged'], reachesAllDevices, (configuration) => (configuration.privileged ? [[{ kind: 'unprivileged' }]] : [[{ kind: 'remove-device-rules' }, { kind: 'remove-device', path: 'all' }]]));
const BRIDGED = fact('it shares a bridge with other containers', ['default-bridge'], ({ namespaces, kind, defaultBridge }) => namespaces.network === 'own' && kind !== 'oci' && defaultBridge, () => []);

export const RIGHTS_PATHS: readonly AttackPath[] = [
  {
    id: 'privileged-disk', title: 'Privileged: the host\'s disk is mounted', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK mount-disk; deepce privileged',
    steps: ['find the host\'s disk in /proc/partitions or /dev', 'make its device file if it is not there (mknod)', 'mount it', 'write a line to its etc/crontab, or a key to root/.ssh/authorized_keys', 'the host runs it as root'],
    conditions: always(PRIVILEGED, ROOT, SAME_USERS), gvisor: NO_DEVICES, caisson: NOT_GIVEN,
  },
  {
    id: 'core-pattern', title: 'Open /proc: the host\'s core_pattern is written', severity: 'critical', effect: ROOT_OF_HOST, source: 'CVE-2022-0811 by the same means; elastic/detection-rules#6216',
    steps: ['write "|/path/of/a/program %P" to /proc/sys/kernel/core_pattern', 'let a process crash', 'the host\'s kernel starts the program as root, outside of all namespaces'],
    conditions: always(OPEN_PROC, ROOT, SAME_USERS, NO_APPARMOR), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'release-agent', title: 'CAP_SYS_ADMIN: release_agent of cgroup v1', severity: 'critical', effect: ROOT_OF_HOST, source: 'Felix Wilhelm, 2019; CVE-2022-0492',
    steps: ['mount a hierarchy of cgroup v1', 'make a cgroup in it, with notify_on_release', 'write the path of a program, as the host sees it, to release_agent', 'let the last process of the cgroup end', 'the host\'s kernel starts the program as root'],
    conditions: always(capability('SYS_ADMIN'), ROOT, SAME_USERS, NO_APPARMOR, CGROUP_1), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'release-agent-unshare', title: 'A user namespace of its own: release_agent (CVE-2022-0492)', severity: 'critical', effect: ROOT_OF_HOST, source: 'CVE-2022-0492; CDK abuse-unpriv-userns', needsFacts: true,
    steps: ['unshare user and cgroup namespaces: CAP_SYS_ADMIN in there', 'mount a hierarchy of cgroup v1', 'write release_agent, which an old kernel allows', 'the host\'s kernel starts the program as root'],
    conditions: always(NO_SECCOMP, NO_APPARMOR, ROOT, CGROUP_1, USER_NAMESPACES, version('kernel', [{ below: '4.9.301' }, { from: '4.10', below: '4.14.266' }, { from: '4.15', below: '4.19.229' }, { from: '4.20', below: '5.4.177' }, { from: '5.5', below: '5.10.97' }, { from: '5.11', below: '5.15.20' }, { from: '5.16', below: '5.16.6' }])), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'devices-allow', title: 'CAP_SYS_ADMIN: devices.allow of cgroup v1', severity: 'critical', effect: 'every file of the host is read and written', source: 'CDK rewrite-cgroup-devices',
    steps: ['mount the devices hierarchy of cgroup v1', 'write "a *:* rwm" to devices.allow of its own cgroup', 'make the device of the host\'s disk (mknod)', 'read and write it with debugfs'],
    conditions: always(capability('SYS_ADMIN'), capability('MKNOD'), ROOT, SAME_USERS, NO_APPARMOR, CGROUP_1), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'kernel-module', title: 'CAP_SYS_MODULE: a module is loaded', severity: 'critical', effect: 'code in the host\'s kernel', source: 'deepce sys_module; metarget cap_sys_module',
    steps: ['build a module for the kernel that uname -r names', 'load it with finit_module', 'its code runs in the host\'s kernel'],
    conditions: always(capability('SYS_MODULE'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'ptrace-host', title: 'CAP_SYS_PTRACE and the host\'s processes: code is put into one of root', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK check-ptrace; metarget cap_sys_ptrace',
    steps: ['find a process of the host\'s root in /proc', 'attach to it (ptrace, or process_vm_writev)', 'write code into it, and let it run'],
    conditions: always(capability('SYS_PTRACE'), hostNamespace('pid'), ROOT, SAME_USERS, NO_APPARMOR), gvisor: closed('the host\'s processes are not in the sentry'), caisson: OURS,
  },
  {
    id: 'enter-namespaces', title: 'The host\'s namespaces are entered through /proc/1/ns', severity: 'critical', effect: ROOT_OF_HOST, source: 'nsenter(1); CDK',
    steps: ['nsenter --target 1 --all', 'a shell in the namespaces of the host\'s first process, as root'],
    conditions: always(capability('SYS_ADMIN'), capability('SYS_PTRACE'), hostNamespace('pid'), ROOT, SAME_USERS, NO_APPARMOR), gvisor: closed('the host\'s processes are not in the sentry'), caisson: OURS,
  },
  {
    id: 'file-handles', title: 'CAP_DAC_READ_SEARCH: files of the host by their handles', severity: 'critical', effect: 'every file of the host is read, and with CAP_DAC_OVERRIDE written', source: 'Sebastian Krahmer, "shocker", 2014; CDK cap-dac-read-search',
    steps: ['open a file that the engine mounted from the host, such as /etc/hosts', 'guess the handle of the root directory (inode 2), and of names in it', 'open them with open_by_handle_at'],
    conditions: always(capability('DAC_READ_SEARCH'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'make-disk', title: 'A device rule for all: the host\'s disk is made and read', severity: 'critical', effect: 'every file of the host is read and written', source: 'CDK mount-disk',
    steps: ['find the numbers of the host\'s disk in /proc/partitions or /sys', 'make its device file (mknod)', 'read and write it with debugfs'],
    conditions: always(ANY_DEVICE, capability('MKNOD'), ROOT, SAME_USERS), gvisor: NO_DEVICES, caisson: NOT_GIVEN,
  },
  {
    id: 'disk-device', title: 'A disk of the host is read and written', severity: 'critical', effect: 'every file on that disk is read and written', source: 'CDK mount-disk',
    steps: ['open the device', 'read and write files in its file system with debugfs', 'keys, accounts, and programs that the host starts'],
    conditions: (configuration) => [device(configuration, isDisk, 'a disk', ['disk-device', 'host-device']), ROOT], gvisor: NO_DEVICES, caisson: NOT_GIVEN,
  },
  {
    id: 'raw-memory', title: 'CAP_SYS_RAWIO and /dev/mem: the host\'s memory is written', severity: 'critical', effect: 'code in the host\'s kernel', source: 'capabilities(7)',
    steps: ['map /dev/mem, or write /dev/port', 'find the kernel\'s data', 'change them'],
    conditions: (configuration) => [capability('SYS_RAWIO'), device(configuration, isMemoryDevice, 'the memory', ['memory-device']), ROOT, SAME_USERS], gvisor: NO_DEVICES, caisson: NOT_GIVEN,
  },
  {
    id: 'boot', title: 'CAP_SYS_BOOT: another kernel is loaded', severity: 'high', effect: 'the host starts a kernel of the attacker, or goes down', source: 'kexec_load(2), reboot(2)',
    steps: ['load a kernel with kexec_file_load', 'reboot into it, at once with the host\'s process namespace, or wait for the next kexec'], conditions: always(capability('SYS_BOOT'), ROOT, SAME_USERS, NO_APPARMOR), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'bpf-trace', title: 'CAP_BPF with CAP_PERFMON: every process of the host is watched', severity: 'high', effect: 'secrets in memory and system calls of all programs on the host; with bpf_probe_write_user, code in them', source: 'capabilities(7); Form3, "Evil eBPF", 2022',
    steps: ['load a program and attach it to probes', 'read arguments and memory of programs on the host'], conditions: always(capability('BPF', 'SYS_ADMIN'), capability('PERFMON', 'SYS_ADMIN'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'perf-watch', title: 'CAP_PERFMON: the host\'s kernel is sampled', severity: 'medium', effect: 'addresses and behaviour of the kernel and of other programs', source: 'perf_event_open(2)', steps: ['open performance events for the whole machine', 'sample the kernel'], conditions: always(capability('PERFMON'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'host-network-admin', title: 'CAP_NET_ADMIN on the host\'s network', severity: 'high', effect: 'traffic of the host and of all containers is redirected, read and forged', source: 'capabilities(7)', steps: ['change routes, addresses and filters of the host', 'lead its traffic through the container'], conditions: always(capability('NET_ADMIN'), hostNamespace('network'), ROOT, SAME_USERS), gvisor: stillOpen('medium', 'the sentry\'s stack holds the host\'s interfaces'), caisson: OURS,
  },
  {
    id: 'host-sniff', title: 'CAP_NET_RAW on the host\'s network', severity: 'high', effect: 'traffic of the host is read and forged', source: 'packet(7)', steps: ['open a packet socket on the host\'s interfaces', 'read what passes, answer in the name of others'], conditions: always(capability('NET_RAW'), hostNamespace('network'), ROOT, SAME_USERS), gvisor: closed('raw sockets are refused unless runsc was started with --net-raw'), caisson: OURS,
  },
  {
    id: 'arp-spoofing', title: 'CAP_NET_RAW on the default bridge: neighbours\' traffic', severity: 'low', effect: 'traffic of other containers on the bridge is read and forged', source: 'Yair Kler, "ARP spoofing Docker containers"', steps: ['answer ARP requests of neighbours in the name of the gateway', 'read, change and forward what they send; answer their DNS'], conditions: always(capability('NET_RAW'), ROOT, BRIDGED), gvisor: closed('raw sockets are refused unless runsc was started with --net-raw'), caisson: closed('a network between containers carries connections, not frames, and has no addresses to take'),
  },
  {
    id: 'localhost-services', title: 'The host\'s network: services on localhost, and the cloud\'s metadata', severity: 'medium', effect: 'what listens for the host alone (databases, kubelet, engine APIs, credentials of the machine) is reached', source: 'CDK service-probe; botb metadata', steps: ['list what listens in /proc/net/tcp', 'speak to services that trust localhost', 'ask 169.254.169.254 for the machine\'s credentials'], conditions: always(hostNamespace('network')), gvisor: stillOpen('medium', 'the sentry speaks from the host\'s addresses'), caisson: closed('its loopback is its own; private, link-local and metadata addresses are refused unless --allow-net names them'),
  },
  {
    id: 'host-processes', title: 'The host\'s processes are listed and signalled', severity: 'medium', effect: 'secrets in command lines; processes of the host are ended', source: 'CDK; pid_namespaces(7)', steps: ['read /proc/*/cmdline of the host', 'end processes with kill, as root inside has CAP_KILL'], conditions: always(hostNamespace('pid'), ROOT, SAME_USERS), gvisor: closed('the host\'s processes are not in the sentry'), caisson: OURS,
  },
  {
    id: 'host-ipc', title: 'The host\'s shared memory', severity: 'medium', effect: 'data that the host\'s programs share are read and changed', source: 'ipc_namespaces(7)', steps: ['list segments and queues (/proc/sysvipc, /dev/shm)', 'attach to them'], conditions: always(hostNamespace('ipc'), ROOT, SAME_USERS), gvisor: closed('the sentry has IPC of its own'), caisson: OURS,
  },
  {
    id: 'rename-host', title: 'The host is renamed', severity: 'low', effect: 'logs, licences and clusters know the host by another name', source: 'sethostname(2)', steps: ['sethostname'], conditions: always(capability('SYS_ADMIN'), hostNamespace('uts'), ROOT), gvisor: closed('the sentry has a name of its own'), caisson: OURS,
  },
  {
    id: 'set-clock', title: 'CAP_SYS_TIME: the host\'s clock is set', severity: 'medium', effect: 'certificates that have ended are good again; tokens, logs and databases go wrong', source: 'clock_settime(2)', steps: ['clock_settime: there is one clock for all containers'], conditions: always(capability('SYS_TIME'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'switch-audit-off', title: 'The host\'s audit or access policy is switched off', severity: 'medium', effect: 'what is done next is not recorded, or not refused any more', source: 'capabilities(7)', steps: ['change the rules of audit over netlink, or load another policy', 'go on with what would have been seen'], conditions: always(capability('AUDIT_CONTROL', 'MAC_ADMIN', 'MAC_OVERRIDE'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'kernel-log', title: 'CAP_SYSLOG: addresses of the kernel are read', severity: 'low', effect: 'attacks on the kernel know where they have to write', source: 'syslog(2), kptr_restrict', steps: ['read the kernel\'s messages and /proc/kallsyms with addresses'], conditions: always(capability('SYSLOG'), ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'keyrings', title: 'No seccomp: keys of other containers', severity: 'low', effect: 'keys that programs of the same user number keep in the kernel are read', source: 'botb keyctl; keyrings(7)', steps: ['guess serial numbers of keys', 'read them with keyctl: keyrings know no namespaces'], conditions: always(NO_SECCOMP, ROOT, SAME_USERS), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'kernel-surface', title: 'No seccomp: the whole kernel can be called', severity: 'medium', effect: 'each bug of the host\'s kernel that users can reach is a way out', source: 'CVE-2022-0185, CVE-2023-32233 and others began with unshare', steps: ['make a user namespace (unshare): all capabilities in there', 'call netfilter, file systems, io_uring, userfaultfd and bpf of the host\'s kernel', 'use a bug that is not mended yet'], conditions: always(NO_SECCOMP), gvisor: SENTRY, caisson: OURS,
  },
  {
    id: 'device-driver', title: 'A driver of the host is open to it', severity: 'low', effect: 'each bug of the driver is a way into the host\'s kernel; what the device does, the container can do', source: 'CIS 5.18', steps: ['open the device', 'call its driver'], conditions: (configuration) => [device(configuration, (one) => !isDisk(one) && !isMemoryDevice(one) && !isHarmlessDevice(one), 'a device', ['host-device'])], gvisor: NO_DEVICES, caisson: NOT_GIVEN,
  },
  {
    id: 'windows-host', title: 'A process of the Windows host', severity: 'critical', effect: 'the host is the attacker\'s', source: 'kubernetes.io HostProcess', steps: ['it is not in a container at all'], conditions: always(fact('hostProcess is set', ['windows-host-process'], ({ windowsHostProcess }) => windowsHostProcess, () => [[{ kind: 'no-host-process' }]])), gvisor: closed('not on Windows'), caisson: NOT_GIVEN,
  },
  {
    id: 'privileged-exec', title: 'A privileged command in a container that others may have taken over', severity: 'high', effect: ROOT_OF_HOST, source: 'CIS 5.23', steps: ['wait for the privileged command', 'take its process over, or replace the program that it starts', 'go on as from a privileged container'],
    conditions: always(fact('a command is run in it with --privileged', ['exec-privileged'], ({ execs }) => execs.some(({ privileged }) => privileged), () => [[{ kind: 'unprivileged-exec' }]]), SAME_USERS), gvisor: NO_DEVICES, caisson: NOT_GIVEN,
  },
];

/** An engine that can be spoken to. */
export const ENGINE_PATHS: readonly AttackPath[] = [
  {
    id: 'engine-socket', title: 'The engine\'s socket: another container is started, privileged', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK docker-sock-pwn; deepce sock; Shopify/kubeaudit#216',
    steps: ['speak to the socket: docker -H unix:///var/run/docker.sock, or curl', 'start a container that is privileged, with the host\'s root directory mounted', 'chroot into it'],
    conditions: (configuration) => [mounted(configuration, ['engine-socket'], 'the socket of an engine')], gvisor: closed('sockets of the host are refused unless runsc was started with --host-uds=open'), caisson: closed('sockets in a mounted directory are shown and never connected to'),
  },
  {
    id: 'remote-engine', title: 'An engine that is reached over the network', severity: 'high', effect: 'root on the engine\'s host', source: 'CDK docker-api-pwn (port 2375)', steps: ['take the address from the environment', 'start a container there, privileged, with the host\'s root directory mounted'],
    conditions: () => [fact('its environment names an engine over TCP', ['remote-engine'], ({ environment }) => ['DOCKER_HOST', 'CONTAINER_HOST'].some((name) => /^tcp:|^http/.test(environment.get(name) ?? '')), () => [['DOCKER_HOST', 'CONTAINER_HOST'].map((name) => ({ kind: 'remove-variable', name }))])],
    gvisor: stillOpen('high', 'it is the network, not the kernel'), caisson: stillOpen('medium', 'only where --network outbound and --allow-net let it reach that host'),
  },
];
