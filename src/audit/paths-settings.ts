/** Paths by missing bounds, published ports and tokens. */
import { CPU_BOUND, MEMORY_BOUND, PIDS_BOUND } from './change.ts';
import { fact } from './conditions.ts';
import { closed, stillOpen } from './path.ts';
import type { AttackPath } from './path.ts';

export const SETTING_PATHS: readonly AttackPath[] = [
  {
    id: 'exhaust-memory', title: 'The host\'s memory is used up', severity: 'low', effect: 'the kernel ends other programs of the host', source: 'CIS 5.11', steps: ['allocate and touch memory without end', 'the kernel looks for something to end, and it need not be this container'], conditions: () => [fact('its memory has no bound', ['memory-unbounded'], ({ memory }) => memory !== undefined && memory <= 0, () => [[{ kind: 'bound-memory', bytes: MEMORY_BOUND }]])], gvisor: stillOpen('low', 'the sandbox as a whole has no bound either'), caisson: closed('a container has 4 GiB at most, or what --memory says'),
  },
  {
    id: 'fork-bomb', title: 'The host\'s processes are used up', severity: 'low', effect: 'nobody on the host can start a program', source: 'CIS 5.29', steps: ['fork without end', 'process numbers and threads are the whole host\'s'], conditions: () => [fact('the number of its processes has no bound', ['pids-unbounded'], ({ pids }) => pids !== undefined && pids <= 0, () => [[{ kind: 'bound-pids', count: PIDS_BOUND }]])], gvisor: closed('tasks are the sentry\'s own; the host sees a bounded number of threads'), caisson: closed('processes are entries of its own kernel, 4096 at most unless told otherwise'),
  },
  {
    id: 'take-processors', title: 'All processors are used', severity: 'info', effect: 'other programs of the host are slow', source: 'CIS 5.12', steps: ['start as many busy threads as there are processors'], conditions: () => [fact('its processor time has no bound', ['cpu-unbounded'], ({ cpuBounded }) => cpuBounded === false, () => [[{ kind: 'bound-cpu', cpus: CPU_BOUND }]])], gvisor: stillOpen('info', 'the sandbox as a whole has no bound either'), caisson: closed('a container runs on one processor'),
  },
  {
    id: 'reached-from-anywhere', title: 'A published port is reached from every network', severity: 'low', effect: 'the program is attacked from outside, past firewalls such as ufw', source: 'CIS 5.14; Docker "Packet filtering and firewalls"', steps: ['scan the host\'s addresses', 'Docker\'s rules come before those of the firewall', 'attack the program'],
    conditions: () => [fact('a port is published on all addresses', ['port-everywhere'], ({ ports, kind }) => kind !== 'kubernetes' && ports.some(({ hostAddress }) => /^(?:|0\.0\.0\.0|::|\*)$/.test(hostAddress)), ({ ports }) => [ports.filter(({ hostAddress }) => /^(?:|0\.0\.0\.0|::|\*)$/.test(hostAddress)).map(({ containerPort, hostPort }) => ({ kind: 'local-port', containerPort, hostPort }))])], gvisor: stillOpen('low', 'the port is the host\'s'), caisson: stillOpen('low', 'where -p names such an address: without one the port is at loopback'),
  },
  {
    id: 'cluster-token', title: 'The cluster is spoken to with the pod\'s token', severity: 'low', effect: 'what the service account may do; with rights to make pods, every node', source: 'CDK k8s-get-sa-token, k8s-secret-dump', steps: ['read /var/run/secrets/kubernetes.io/serviceaccount/token', 'ask the API what it may do', 'read secrets, or make a privileged pod, where it may'],
    conditions: () => [fact('the token of its service account is mounted', ['service-account-token'], ({ serviceAccountToken, kind }) => kind === 'kubernetes' && serviceAccountToken, () => [[{ kind: 'no-token' }]])], gvisor: stillOpen('low', 'it is the network, not the kernel'), caisson: closed('there is no cluster and no token'),
  },
  {
    id: 'kubelet-request', title: 'The kubelet sends requests for the pod', severity: 'low', effect: 'services that only the node reaches are asked', source: 'kubernetes.io, Host Probes / Lifecycle Hooks', steps: ['name an address in a probe or hook', 'the kubelet sends the request from the node'], conditions: () => [fact('a probe or hook names a host', ['probe-host'], ({ probeHosts }) => probeHosts.length > 0, () => [[{ kind: 'no-probe-hosts' }]])], gvisor: stillOpen('low', 'the kubelet does it'), caisson: closed('there is no kubelet'),
  },
  {
    id: 'old-account', title: 'Set-uid programs make a user root inside', severity: 'info', effect: 'root in the container, from where other paths begin', source: 'CIS 5.26', steps: ['find set-uid programs', 'use a bug in one of them, such as pkexec (CVE-2021-4034) or sudo (CVE-2021-3156)'],
    conditions: () => [fact('it runs as a user other than root', [], ({ user, mustBeNonRoot }) => mustBeNonRoot || !/^(?:|root|0+)(?::|$)/.test(user), () => []), fact('no-new-privileges is not set', ['privilege-escalation'], ({ noNewPrivileges }) => !noNewPrivileges, () => [[{ kind: 'no-new-privileges' }]])], gvisor: stillOpen('info', 'root in the sentry'), caisson: stillOpen('info', 'root in its own kernel'),
  },
];
