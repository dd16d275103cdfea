/** Paths by what of the host is mounted. */
import { CGROUP_1, NO_APPARMOR, ROOT, SAME_USERS, capability, fact, mounted } from './conditions.ts';
import { secretNames } from './items-settings.ts';
import { OURS, closed, stillOpen } from './path.ts';
import type { AttackPath } from './path.ts';

const ROOT_OF_HOST = 'root on the host';
const THROUGH_GOFER = stillOpen('critical', 'the gofer opens the file on the host, as root where runsc was started so');
const READ_THROUGH_GOFER = stillOpen('high', 'the gofer opens the file on the host');
const AS_USER = stillOpen('high', 'with the rights of the user who runs it, not of root: what that user starts later may be what the container wrote');
const READ_AS_USER = stillOpen('medium', 'with the rights of the user who runs it; known places of credentials are hidden');
const NOT_FROM_FILES = closed('a mount of the host\'s /proc or /sys gives files as the user who runs Caisson may open them, which are not writable without root');
const NO_SOCKETS = closed('sockets in a mounted directory are shown and never connected to');
const UDS = closed('sockets of the host are refused unless runsc was started with --host-uds=open');

const SHARED = fact('mounts made below a mount of it appear on the host (shared propagation)', ['shared-propagation'], ({ mounts }) => mounts.some(({ propagation }) => /shared/.test(propagation)), ({ mounts }) => [mounts.filter(({ propagation }) => /shared/.test(propagation)).map(({ destination }) => ({ kind: 'private-mount', destination }))]);

export const MOUNT_PATHS: readonly AttackPath[] = [
  {
    id: 'host-files-written', title: 'System files of the host are written', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK; metarget mount-host-etc', steps: ['write a line to etc/crontab or etc/cron.d, a key to root/.ssh/authorized_keys, a unit to etc/systemd, or etc/ld.so.preload', 'the host runs it as root'],
    conditions: (configuration) => [mounted(configuration, ['root', 'system'], 'the root or a system directory of the host', true), ROOT, SAME_USERS], gvisor: THROUGH_GOFER, caisson: AS_USER,
  },
  {
    id: 'host-files-read', title: 'Secrets in system files of the host are read', severity: 'high', effect: 'password hashes, keys and tokens of the host', source: 'CDK; botb', steps: ['read etc/shadow, root/.ssh, etc/kubernetes and the like', 'log in with what was found'],
    conditions: (configuration) => [mounted(configuration, ['root', 'system'], 'the root or a system directory of the host'), ROOT, SAME_USERS], gvisor: READ_THROUGH_GOFER, caisson: READ_AS_USER,
  },
  {
    id: 'home-written', title: 'A home directory of the host is written', severity: 'high', effect: 'code as the owner of the home directory', source: 'deepce', steps: ['write a line to .bashrc or .profile, or a key to .ssh/authorized_keys', 'the owner logs in, and runs it'],
    conditions: (configuration) => [mounted(configuration, ['home'], 'a home directory', true)], gvisor: stillOpen('high', 'the gofer writes the file on the host'), caisson: AS_USER,
  },
  {
    id: 'credentials-read', title: 'Credentials of the host are read', severity: 'high', effect: 'the accounts, clusters and clouds that they open', source: 'CDK ak-leakage; botb', steps: ['read keys and tokens', 'use them from elsewhere'],
    conditions: (configuration) => [mounted(configuration, ['credentials', 'home'], 'a directory with credentials')], gvisor: READ_THROUGH_GOFER, caisson: READ_AS_USER,
  },
  {
    id: 'proc-written', title: 'The host\'s /proc: core_pattern, modprobe and sysrq', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK mount-procfs; metarget mount-host-procfs', steps: ['write "|program" to sys/kernel/core_pattern, or a path to sys/kernel/modprobe', 'let a process crash, or open a socket of an unknown kind', 'the host\'s kernel starts the program as root'],
    conditions: (configuration) => [mounted(configuration, ['proc', 'root'], 'the host\'s /proc', true), ROOT, SAME_USERS], gvisor: THROUGH_GOFER, caisson: NOT_FROM_FILES,
  },
  {
    id: 'binfmt', title: 'binfmt_misc: an interpreter that the host runs', severity: 'critical', effect: 'code as whoever starts a program of that form on the host, root with the flag C', source: 'admin-guide/binfmt-misc of the kernel', steps: ['write a rule to register, with the interpreter kept open (F) and with credentials (C)', 'someone on the host starts a set-uid program of that form'],
    conditions: (configuration) => [mounted(configuration, ['binfmt'], 'binfmt_misc', true), ROOT, SAME_USERS], gvisor: THROUGH_GOFER, caisson: NOT_FROM_FILES,
  },
  {
    id: 'uevent-helper', title: 'The host\'s /sys: uevent_helper', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK#58', steps: ['write the path of a program to kernel/uevent_helper', 'write "change" to the uevent of a device', 'the host\'s kernel starts the program as root'],
    conditions: (configuration) => [mounted(configuration, ['sys', 'root'], 'the host\'s /sys', true), ROOT, SAME_USERS], gvisor: THROUGH_GOFER, caisson: NOT_FROM_FILES,
  },
  {
    id: 'debugfs', title: 'Debugging files of the kernel are written', severity: 'high', effect: 'the host\'s kernel is watched, and by some drivers its memory written', source: 'Falco "Debugfs launched in privileged container"', steps: ['open files below kernel/debug or kernel/tracing', 'trace programs of the host, or write what a driver offers'],
    conditions: (configuration) => [mounted(configuration, ['debugfs'], 'debugfs or tracefs', true), ROOT, SAME_USERS], gvisor: THROUGH_GOFER, caisson: NOT_FROM_FILES,
  },
  {
    id: 'cgroup-written', title: 'The host\'s cgroups: release_agent', severity: 'critical', effect: ROOT_OF_HOST, source: 'CDK mount-cgroup', steps: ['write the path of a program to release_agent', 'let the last process of a cgroup end', 'the host\'s kernel starts the program as root'],
    conditions: (configuration) => [mounted(configuration, ['cgroup'], 'the tree of cgroups', true), ROOT, SAME_USERS, CGROUP_1], gvisor: THROUGH_GOFER, caisson: NOT_FROM_FILES,
  },
  {
    id: 'lxcfs', title: 'lxcfs: devices.allow of the host', severity: 'critical', effect: 'every file of the host is read and written', source: 'CDK lxcfs-rw', steps: ['find its own cgroup in the tree of lxcfs', 'write "a *:* rwm" to devices.allow', 'make the device of the host\'s disk (mknod), and read it with debugfs'],
    conditions: (configuration) => [mounted(configuration, ['lxcfs'], 'the tree of lxcfs', true), capability('MKNOD'), ROOT, SAME_USERS], gvisor: closed('device files are those of the sentry'), caisson: NOT_FROM_FILES,
  },
  {
    id: 'host-devices', title: 'The host\'s /dev', severity: 'high', effect: 'devices of the host, as far as the devices cgroup allows', source: 'CDK; shm_overview(7)', steps: ['open a device of the host by its name', 'what the devices cgroup forbids is refused: terminals and shared memory are not'],
    conditions: (configuration) => [mounted(configuration, ['dev'], '/dev of the host'), ROOT, SAME_USERS], gvisor: closed('devices of the host are not passed on'), caisson: closed('devices in a mounted directory are shown and never opened'),
  },
  {
    id: 'shared-memory', title: 'Shared memory of the host', severity: 'medium', effect: 'data that the host\'s programs share are read and changed', source: 'CDK; shm_overview(7)', steps: ['list /dev/shm', 'read and change what is there'], conditions: (configuration) => [mounted(configuration, ['shm'], '/dev/shm of the host', true)], gvisor: READ_THROUGH_GOFER, caisson: READ_AS_USER,
  },
  {
    id: 'log-links', title: 'The host\'s logs: the kubelet follows a link', severity: 'high', effect: 'every file of the node is read', source: 'CDK k8s_kubelet_var_log_escape; Aqua, 2019', steps: ['make a link in the log directory that leads to /', 'read through it with "kubectl logs", or from the kubelet\'s /logs/ with the pod\'s token'],
    conditions: (configuration) => [mounted(configuration, ['logs'], '/var/log of the host', true), ROOT, fact('the host is a node of Kubernetes', [], ({ kind, mounts }) => kind === 'kubernetes' || mounts.some(({ source }) => /kubelet|\/var\/log\/pods/.test(source)), () => [])], gvisor: stillOpen('high', 'the link is made through the gofer'), caisson: closed('links made in a mount are written with the rights of the user who runs it, and no kubelet reads them'),
  },
  {
    id: 'logs-changed', title: 'The host\'s logs are read and changed', severity: 'medium', effect: 'traces are removed, secrets in logs read', source: 'Falco "Clear log activities"', steps: ['read what programs of the host have logged', 'take out what tells of the attack'], conditions: (configuration) => [mounted(configuration, ['logs'], '/var/log of the host', true), ROOT], gvisor: stillOpen('medium', 'through the gofer'), caisson: stillOpen('low', 'with the rights of the user who runs it, which do not reach most logs'),
  },
  {
    id: 'other-containers', title: 'Files of other containers', severity: 'critical', effect: 'files, secrets and programs of all containers of the host', source: 'CVE-2021-41091', steps: ['find the layers and volumes of others in the engine\'s directory', 'read their secrets, replace their programs', 'where one is privileged, the host is next'],
    conditions: (configuration) => [mounted(configuration, ['engine-data'], 'the engine\'s directory', true), ROOT, SAME_USERS], gvisor: THROUGH_GOFER, caisson: stillOpen('medium', 'with the rights of the user who runs it, which do not reach the directories of a root engine'),
  },
  {
    id: 'pod-tokens', title: 'Tokens of all pods of the node', severity: 'critical', effect: 'the cluster, with the rights of the strongest pod on the node', source: 'CDK k8s-get-sa-token', steps: ['read pods/*/volumes/kubernetes.io~projected/*/token', 'speak to the API with the strongest of them'],
    conditions: (configuration) => [mounted(configuration, ['kubelet', 'root'], 'the kubelet\'s directory'), fact('the host is a node of Kubernetes', [], ({ kind, mounts }) => kind === 'kubernetes' || mounts.some(({ source }) => source.includes('kubelet')), () => []), ROOT, SAME_USERS], gvisor: READ_THROUGH_GOFER, caisson: READ_AS_USER,
  },
  {
    id: 'agent-socket', title: 'Sockets of services of the host', severity: 'high', effect: 'what the service does for its user: signatures by SSH keys, units of systemd, the desktop', source: 'botb unix sockets', steps: ['connect to the socket', 'ask an agent to sign, systemd to start a unit, a display for what is typed'], conditions: (configuration) => [mounted(configuration, ['agent-socket'], 'a directory or socket of services')], gvisor: UDS, caisson: NO_SOCKETS,
  },
  {
    id: 'mount-over-host', title: 'Shared propagation: a mount over a directory of the host', severity: 'critical', effect: 'the host uses files of the attacker', source: 'mount_namespaces(7)', steps: ['mount a file system of its own below the shared mount', 'it appears on the host in the same place: where programs are started, they are the attacker\'s'],
    conditions: () => [SHARED, capability('SYS_ADMIN'), ROOT, SAME_USERS, NO_APPARMOR], gvisor: closed('mounts are made in the sentry and not passed on'), caisson: OURS,
  },
  {
    id: 'secrets-in-environment', title: 'Secrets in the environment', severity: 'medium', effect: 'the accounts that they open, to everybody who may inspect the container, and to all its programs', source: 'CIS 4.10; CWE-526', steps: ['read /proc/self/environ, an error report or "docker inspect"', 'use the secret'], conditions: (configuration) => [fact(`a secret is in a variable (${secretNames(configuration).slice(0, 3).join(', ')})`, ['secret-variable'], (judged) => secretNames(judged).length > 0, (judged) => [secretNames(judged).map((name) => ({ kind: 'remove-variable', name }))])], gvisor: stillOpen('medium', 'its own processes have it'), caisson: stillOpen('medium', 'its own processes have it'),
  },
];
