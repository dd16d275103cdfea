/** Paths by bugs of runtimes and kernels. They are told only where the host's versions are known (`--host`); distributions mend old versions, so theirs may be right although the number is low. */
import { NO_SECCOMP, ROOT, SAME_USERS, USER_NAMESPACES, capability, fact, hostNamespace, version } from './conditions.ts';
import type { VersionRange } from './conditions.ts';
import type { Component } from './host-facts.ts';
import { OURS, SENTRY, closed } from './path.ts';
import type { AttackPath, Condition } from './path.ts';

const NOT_THAT_RUNTIME = closed('runsc is another program, and does not have this bug');
const NO_RUNTIME = closed('there is no such program: nothing of the host is opened for a container but what is named');

type Row = readonly [id: string, title: string, component: Component, ranges: readonly VersionRange[], source: string, effect: string, steps: readonly string[], needs: readonly Condition[]];

const WORKDIR = fact('it starts in /proc/self/fd', ['working-directory'], ({ workingDirectory }) => /^\/(?:proc\/(?:self|thread-self|\d+)\/fd|dev\/fd)/.test(workingDirectory), () => [[{ kind: 'plain-directory' }]]);
const GPUS = fact('it uses a GPU', ['gpus'], ({ gpus }) => gpus, () => [[{ kind: 'remove-gpus' }]]);
const SYSCTL_SYNTAX = fact('a kernel parameter has + or = in its value', ['unsafe-sysctl'], ({ sysctls }) => [...sysctls.values()].some((value) => /[+=]/.test(value)), ({ sysctls }) => [[...sysctls].filter(([, value]) => /[+=]/.test(value)).map(([name]) => ({ kind: 'remove-sysctl', name }))]);

const RUNTIMES: readonly Row[] = [
  ['runc-overwritten', 'runc is overwritten through /proc/self/exe', 'runc', [{ below: '1.0.0-rc7' }], 'CVE-2019-5736; CDK runc-pwn', 'root on the host', ['replace a program that "exec" starts by #!/proc/self/exe', 'open runc\'s own file through /proc when it enters', 'write it, when it has ended'], [ROOT, SAME_USERS]],
  ['runc-leaked-descriptor', 'runc starts it in a directory of the host', 'runc', [{ from: '1.0.0-rc93', below: '1.1.12' }], 'CVE-2024-21626', 'every file of the host is read and written', ['runc leaves a descriptor of the host\'s /sys/fs/cgroup open', 'the working directory /proc/self/fd/N is that one', 'go up from there: the host\'s root directory'], [WORKDIR, ROOT, SAME_USERS]],
  ['runc-mount-race', 'runc mounts through a link that is exchanged', 'runc', [{ below: '1.0.0-rc95' }], 'CVE-2021-30465', 'the host\'s root directory is mounted in the container', ['share a volume between two containers', 'exchange a directory for a link while runc mounts into it'], [fact('it has a volume', [], ({ mounts }) => mounts.some(({ kind }) => kind === 'volume' || kind === 'bind'), () => []), ROOT]],
  ['runc-proc-mount', 'runc is led to mount over /proc', 'runc', [{ below: '1.0.0-rc9' }], 'CVE-2019-16884', 'AppArmor does not confine it any more', ['an image with a volume on /proc', 'runc\'s writes of labels go into the volume'], [fact('it has a volume', [], ({ mounts }) => mounts.some(({ kind }) => kind === 'volume' || kind === 'bind'), () => [])]],
  ['runc-masked-paths', 'runc is led to uncover and write /proc files', 'runc', [{ below: '1.2.8' }, { from: '1.3.0-rc1', below: '1.3.3' }, { from: '1.4.0-rc1', below: '1.4.0-rc3' }], 'CVE-2025-31133, CVE-2025-52565, CVE-2025-52881', 'root on the host, through core_pattern', ['exchange /dev/null or /dev/console for a link while runc sets them up', 'a file of /proc is left open, or runc writes another than it meant', 'write core_pattern'], [ROOT, SAME_USERS]],
  ['shim-socket', 'The abstract socket of containerd-shim', 'containerd', [{ below: '1.3.9' }, { from: '1.4.0', below: '1.4.3' }], 'CVE-2020-15257; CDK shim-pwn', 'root on the host', ['find the shim\'s abstract socket in /proc/net/unix', 'ask it to start a container with the host\'s files'], [hostNamespace('network'), ROOT, SAME_USERS]],
  ['docker-cp', '"docker cp" runs code of the container', 'docker', [{ from: '19.03.0', below: '19.03.1' }, { below: '18.09.7' }], 'CVE-2019-14271, CVE-2018-15664', 'root on the host', ['replace libnss in the container, or exchange a directory for a link', 'wait for "docker cp"'], [ROOT, SAME_USERS]],
  ['crio-core-pattern', 'CRI-O sets any kernel parameter', 'crio', [{ from: '1.19.0', below: '1.19.6' }, { from: '1.20.0', below: '1.20.7' }, { from: '1.21.0', below: '1.21.6' }, { from: '1.22.0', below: '1.22.3' }, { from: '1.23.0', below: '1.23.2' }], 'CVE-2022-0811', 'root on the node', ['set a safe parameter to "value+kernel.core_pattern=|program"', 'let a process crash'], [SYSCTL_SYNTAX]],
  ['nvidia-toolkit', 'The GPU\'s container toolkit mounts what the image says', 'nvidia-toolkit', [{ below: '1.17.8' }], 'CVE-2024-0132 (before 1.16.2), CVE-2025-23266 (before 1.17.8)', 'root on the host', ['an image with a link, or LD_PRELOAD in its environment', 'the toolkit\'s hook follows it, as root on the host'], [GPUS]],
  ['desktop-api', 'Docker Desktop\'s API without a password', 'docker-desktop', [{ below: '4.44.3' }], 'CVE-2025-9074', 'every file of the user on the host', ['speak to 192.168.65.7:2375', 'start a container with the host\'s files'], []],
];

const NET_RAW = capability('NET_RAW');
const NET_ADMIN = capability('NET_ADMIN');
const SYS_ADMIN = capability('SYS_ADMIN');

const KERNELS: readonly Row[] = [
  ['dirty-cow', 'DirtyCoW: read-only memory of files is written', 'kernel', [{ from: '2.6.22', below: '4.4.26' }, { from: '4.5', below: '4.7.9' }, { from: '4.8', below: '4.8.3' }], 'CVE-2016-5195', 'root on the host, through the vDSO', ['race madvise against a write to /proc/self/mem'], []],
  ['dirty-pipe', 'DirtyPipe: files are written through the page cache', 'kernel', [{ from: '5.8', below: '5.10.102' }, { from: '5.11', below: '5.15.25' }, { from: '5.16', below: '5.16.11' }], 'CVE-2022-0847', 'programs of the image and of the host\'s runtime are overwritten', ['splice a page of a file into a pipe whose flags were not cleared', 'write the pipe'], []],
  ['af-packet', 'Packet sockets: memory of the kernel', 'kernel', [{ from: '4.6', below: '4.9.236' }, { from: '4.10', below: '4.14.197' }, { from: '4.15', below: '4.19.144' }, { from: '4.20', below: '5.4.64' }, { from: '5.5', below: '5.8.8' }], 'CVE-2020-14386; CVE-2017-7308 (before 4.10.6)', 'code in the host\'s kernel', ['open a packet socket', 'overflow its ring'], [NET_RAW]],
  ['netfilter-compat', 'Netfilter: a write behind its buffer', 'kernel', [{ from: '2.6.19', below: '4.4.267' }, { from: '4.5', below: '4.9.267' }, { from: '4.10', below: '4.14.231' }, { from: '4.15', below: '4.19.188' }, { from: '4.20', below: '5.4.113' }, { from: '5.5', below: '5.10.31' }, { from: '5.11', below: '5.12' }], 'CVE-2021-22555', 'code in the host\'s kernel', ['setsockopt IPT_SO_SET_REPLACE with 32-bit structures'], [NET_ADMIN]],
  ['nf-tables-offload', 'Netfilter: offloaded rules', 'kernel', [{ from: '5.4', below: '5.4.182' }, { from: '5.5', below: '5.10.103' }, { from: '5.11', below: '5.15.26' }, { from: '5.16', below: '5.16.12' }], 'CVE-2022-25636', 'code in the host\'s kernel', ['add rules with duplicated verdicts'], [NET_ADMIN]],
  ['fsconfig', 'fsconfig: a length that goes below nothing', 'kernel', [{ from: '5.1', below: '5.4.173' }, { from: '5.5', below: '5.10.93' }, { from: '5.11', below: '5.15.16' }, { from: '5.16', below: '5.16.2' }], 'CVE-2022-0185', 'code in the host\'s kernel', ['fsopen, and fsconfig with long values'], [SYS_ADMIN]],
  ['fsconfig-unshare', 'fsconfig, in a user namespace of its own', 'kernel', [{ from: '5.1', below: '5.4.173' }, { from: '5.5', below: '5.10.93' }, { from: '5.11', below: '5.15.16' }, { from: '5.16', below: '5.16.2' }], 'CVE-2022-0185', 'code in the host\'s kernel', ['unshare a user namespace', 'fsopen, and fsconfig with long values'], [NO_SECCOMP, USER_NAMESPACES]],
  ['bpf-verifier', 'bpf: the verifier lets a pointer through', 'kernel', [{ from: '5.8', below: '5.10.92' }, { from: '5.11', below: '5.15.15' }, { from: '5.16', below: '5.16.1' }], 'CVE-2022-23222', 'code in the host\'s kernel', ['load a program with arithmetic on a pointer that may be null'], [NO_SECCOMP]],
  ['stack-rot', 'StackRot: the map of a stack is used after it was freed', 'kernel', [{ from: '6.1', below: '6.1.37' }, { from: '6.2', below: '6.3.11' }, { from: '6.4', below: '6.4.1' }], 'CVE-2023-3269', 'code in the host\'s kernel', ['let a stack grow while another thread unmaps'], []],
  ['watch-queue', 'Watch queues: a write behind the buffer', 'kernel', [{ from: '5.8', below: '5.10.106' }, { from: '5.11', below: '5.15.29' }, { from: '5.16', below: '5.16.15' }], 'CVE-2022-0995', 'code in the host\'s kernel', ['set a filter on a watch queue'], [NO_SECCOMP]],
  ['esp-overflow', 'ESP: a write behind a page', 'kernel', [{ from: '4.11', below: '4.14.272' }, { from: '4.15', below: '4.19.235' }, { from: '4.20', below: '5.4.185' }, { from: '5.5', below: '5.10.106' }, { from: '5.11', below: '5.15.29' }, { from: '5.16', below: '5.16.15' }], 'CVE-2022-27666', 'code in the host\'s kernel', ['send a large message through an ESP tunnel'], [NET_ADMIN]],
  ['udp-fragmentation', 'UDP: fragments of two kinds', 'kernel', [{ below: '4.12.7' }], 'CVE-2017-1000112', 'code in the host\'s kernel', ['change a socket between the two kinds of fragmentation'], [NET_ADMIN]],
];

function pathOf(verdicts: Pick<AttackPath, 'gvisor' | 'caisson'>): (row: Row) => AttackPath {
  return ([id, title, component, ranges, source, effect, steps, needs]) => ({ id, title, steps, effect, severity: 'critical', source, needsFacts: true, conditions: () => [version(component, ranges), ...needs], ...verdicts });
}

export const VERSION_PATHS: readonly AttackPath[] = [...RUNTIMES.map(pathOf({ gvisor: NOT_THAT_RUNTIME, caisson: NO_RUNTIME })), ...KERNELS.map(pathOf({ gvisor: SENTRY, caisson: OURS }))];
