/** Items about bounds, the network, the image and the environment. */
import { parseReference } from '../image/reference.ts';
import { CPU_BOUND, MEMORY_BOUND, PIDS_BOUND } from './change.ts';
import { NO_SUCH_FLAG, SAME_INSIDE, when } from './item.ts';
import type { Item } from './item.ts';
import { MOST_QUOTED } from './limits.ts';
import type { Configuration, Port } from './model.ts';

/** kubernetes.io "Pod Security Standards", baseline, Sysctls. */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem',
]);

const SECRET_NAME = /(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?|AUTH_?KEY|CONNECTION_?STRING)(?:_?\d+)?$|^(?:PGPASSWORD|MYSQL_PWD|DATABASE_URL)$/i;
/** Forms that nothing else has: AWS, GitHub, GitLab, Slack, Stripe, PEM, JWT, a URL with a password. */
const SECRET_VALUE = /^(?:AKIA|ASIA)[A-Z0-9]{16}$|^gh[pousr]_[A-Za-z0-9]{36,}$|^glpat-[\w-]{20,}$|^xox[abprs]-[\w-]{10,}$|^sk_live_[\w]{16,}$|-----BEGIN [A-Z ]*PRIVATE KEY-----|^eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}$|^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:[^/\s@]+@/;
/** Names of files, references to elsewhere, and words that are no secret. */
const NO_SECRET = /^(?:$|\$|\/|true$|false$|yes$|no$|none$|null$|\d{1,4}$|<.*>$|\*+$|x{3,}$|change-?me$)/i;

export function secretNames({ environment }: Configuration): readonly string[] {
  return [...environment].filter(([name, value]) => SECRET_VALUE.test(value) || (SECRET_NAME.test(name) && !/_FILE$/i.test(name) && !NO_SECRET.test(value))).map(([name]) => name.slice(0, MOST_QUOTED));
}

function portText({ hostAddress, hostPort, containerPort }: Port): string {
  return `${hostAddress === '' ? '' : `${hostAddress}:`}${hostPort === 0 ? 'any' : hostPort} to ${containerPort}`;
}

function isLocal({ hostAddress }: Port): boolean {
  return /^127\.|^::1$|^localhost$/.test(hostAddress);
}

function boundItem(id: string, summary: string, remedy: string, find: Item['find'], changes: Item['changes'], docker: string, caisson: string): Item {
  return { id, summary, remedy, find, changes, meaning: { docker, gvisor: 'the same: the sandbox as a whole is in a cgroup', caisson: { applies: false, why: caisson } } };
}

/** What a name without tag or digest stands for. Undefined: it is no reference. */
function imageParts(image: string | undefined): { readonly tag: string | undefined; readonly digest: string | undefined } | undefined {
  if (image === undefined || image.includes('$')) return undefined;
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(image)) return { tag: undefined, digest: image };
  try {
    const { tag, digest } = parseReference(image);
    return { tag, digest };
  } catch {
    return undefined;
  }
}

const BOUND_ITEMS: readonly Item[] = [
  boundItem('memory-unbounded', 'Its memory has no bound', 'set a bound on its memory', ({ memory }) => (memory === undefined ? undefined : when(memory <= 0, 'no memory limit')), () => [{ kind: 'bound-memory', bytes: MEMORY_BOUND }],
    'it can use all of the host\'s memory, and the kernel then ends other programs', 'cannot happen: a container has at most 4 GiB, or what --memory says, and is ended when it has more'),
  boundItem('cpu-unbounded', 'Its processor time has no bound', 'set a bound or a share', ({ cpuBounded }) => (cpuBounded === undefined ? undefined : when(!cpuBounded, 'no CPU limit or share')), () => [{ kind: 'bound-cpu', cpus: CPU_BOUND }],
    'it takes as much as all others together', 'cannot happen: a container runs on one processor; --timeout bounds its time'),
  boundItem('pids-unbounded', 'The number of its processes has no bound', 'set a bound on its processes', ({ pids }) => (pids === undefined ? undefined : when(pids <= 0, 'no pids limit')), () => [{ kind: 'bound-pids', count: PIDS_BOUND }],
    'a fork bomb leaves the host without process numbers', 'cannot happen: its processes are entries of its own kernel, 4096 at most unless --pids-limit says otherwise'),
  boundItem('default-ulimits', 'Its resource limits are the daemon\'s', 'set those that its program needs', ({ ulimits }) => (ulimits === undefined ? undefined : when(ulimits.length === 0, 'no ulimit')), () => [{ kind: 'default-limits' }],
    'open files and locked memory have the bounds that the daemon has, which are high', 'cannot happen: descriptors are its own kernel\'s, with Linux\' own bounds'),
  boundItem('restart-forever', 'It is started again without end', 'use on-failure with a bound of 5', ({ restart }) => (restart === undefined ? undefined : when(['always', 'unless-stopped'].includes(restart.name) || (restart.name === 'on-failure' && (restart.retries === 0 || restart.retries > 5)), `restart: ${restart.name}${restart.retries === 0 ? '' : `:${restart.retries}`}`)), () => [{ kind: 'bound-restart' }],
    'a program that fails at its start keeps the host busy, and an attacker has as many tries as he wants', 'cannot be asked for: containers are not started again by themselves'),
  boundItem('cgroup-parent', 'It is put into a cgroup of its own choice', 'leave it in the engine\'s', ({ cgroupParent }) => when(cgroupParent !== undefined, cgroupParent ?? ''), () => [{ kind: 'remove-cgroup-parent' }], 'bounds that are set for containers do not count for it', 'cannot be asked for'),
];

const NETWORK_ITEMS: readonly Item[] = [
  {
    id: 'privileged-port', summary: 'A port below 1024 of the host is mapped', remedy: 'use a port above 1023', find: ({ ports, kind }) => (kind === 'oci' ? undefined : ports.filter(({ hostPort }) => hostPort > 0 && hostPort < 1024).map(portText)), changes: ({ ports }) => ports.filter(({ hostPort }) => hostPort > 0 && hostPort < 1024).map(({ containerPort, hostPort }) => ({ kind: 'remove-port', containerPort, hostPort })),
    meaning: { docker: 'it stands where clients expect a service of the host\'s root', gvisor: 'the same', caisson: NO_SUCH_FLAG },
  },
  {
    id: 'all-ports', summary: 'All ports that the image names are published', remedy: 'publish the ones that are needed', find: ({ publishAll }) => when(publishAll, 'all ports are published'), changes: () => [{ kind: 'unpublish-all' }],
    meaning: { docker: 'who makes the image decides what of it can be reached', gvisor: 'the same', caisson: NO_SUCH_FLAG },
  },
  {
    id: 'port-everywhere', summary: 'A port is published on all addresses of the host', remedy: 'name the address, such as 127.0.0.1', find: ({ ports, kind }) => (kind === 'kubernetes' || kind === 'oci' ? undefined : ports.filter(({ hostAddress }) => /^(?:|0\.0\.0\.0|::|\*)$/.test(hostAddress)).map(portText)),
    changes: ({ ports }) => ports.filter(({ hostAddress }) => /^(?:|0\.0\.0\.0|::|\*)$/.test(hostAddress)).map(({ containerPort, hostPort }) => ({ kind: 'local-port', containerPort, hostPort })),
    meaning: { docker: 'it can be reached from every network of the host, past firewalls such as ufw, as Docker\'s rules come before theirs', gvisor: 'the same', caisson: { applies: true, why: 'applies where -p names such an address: without one the port is at loopback' } },
  },
  {
    id: 'host-port', summary: 'It takes a port of the node', remedy: 'use a Service', find: ({ ports, kind }) => (kind === 'kubernetes' ? ports.filter((port) => port.hostPort > 0).map(portText) : undefined), changes: ({ ports }) => ports.map(({ containerPort, hostPort }) => ({ kind: 'remove-port', containerPort, hostPort })),
    meaning: { docker: 'network policies do not hold for it, and it may stand where another service was', gvisor: 'the same', caisson: NO_SUCH_FLAG },
  },
  {
    id: 'default-bridge', summary: 'It is on the default bridge', remedy: 'make a network for what belongs together', find: ({ defaultBridge, kind, namespaces }) => (kind === 'kubernetes' || kind === 'oci' ? undefined : when(defaultBridge && namespaces.network === 'own', 'the default bridge network')), changes: () => [],
    meaning: { docker: 'all containers there reach each other', gvisor: 'the same', caisson: { applies: false, why: 'cannot happen: there are no networks between containers' } },
  },
  {
    id: 'unsafe-sysctl', summary: 'It sets a kernel parameter that is not known to be its own', remedy: 'leave it to the host', find: ({ sysctls }) => [...sysctls.keys()].filter((name) => !SAFE_SYSCTLS.has(name)), changes: ({ sysctls }) => [...sysctls.keys()].filter((name) => !SAFE_SYSCTLS.has(name)).map((name) => ({ kind: 'remove-sysctl', name })),
    meaning: { docker: 'some reach other containers or the host; with an old CRI-O any could be set (CVE-2022-0811)', gvisor: 'parameters of the sentry', caisson: NO_SUCH_FLAG },
  },
  {
    id: 'probe-host', summary: 'A probe or hook names a host', remedy: 'leave the host out: the pod itself is probed', find: ({ probeHosts, kind }) => (kind === 'kubernetes' ? probeHosts : undefined), changes: () => [{ kind: 'no-probe-hosts' }],
    meaning: { docker: 'the kubelet sends requests where the pod\'s author wants, from the node', gvisor: 'the same: the kubelet does it', caisson: NO_SUCH_FLAG },
  },
];

const IMAGE_ITEMS: readonly Item[] = [
  {
    id: 'writable-root', summary: 'Its root file system can be written', remedy: 'make it read-only, with tmpfs where it writes', find: ({ readOnlyRoot }) => when(!readOnlyRoot, 'not read-only'), changes: () => [{ kind: 'read-only-root' }],
    meaning: { docker: 'programs in it can be replaced, and new ones be brought', gvisor: 'the same inside', caisson: SAME_INSIDE },
  },
  {
    id: 'no-health-check', isOfImages: true, summary: 'Nobody checks whether it works', remedy: 'give it a health check', find: ({ healthCheck }) => (healthCheck === undefined || healthCheck === 'image' ? undefined : when(healthCheck !== 'on', healthCheck === 'off' ? 'the health check is switched off' : 'there is no health check')), changes: ({ healthCheck }) => (healthCheck === 'off' ? [{ kind: 'health-check' }] : []),
    meaning: { docker: 'one that hangs goes on being used', gvisor: 'the same', caisson: { applies: false, why: 'cannot be asked for: there are no health checks yet' } },
  },
  {
    id: 'image-latest', summary: 'Its image is whatever "latest" is', remedy: 'name a version', find: ({ image }) => {
      const parts = imageParts(image);
      return parts === undefined ? undefined : when(parts.digest === undefined && (parts.tag === undefined || parts.tag === 'latest'), image ?? '');
    },
    changes: ({ image }) => [{ kind: 'set-image', image: `${(image ?? '').replace(/:latest$/, '')}:VERSION` }],
    meaning: { docker: 'two hosts may run different programs, and nobody can say which', gvisor: 'the same', caisson: { applies: true, why: 'applies: a tag is what the registry says it is' } },
  },
  {
    id: 'image-unpinned', summary: 'No digest says which image it is', remedy: 'name its digest (NAME:TAG@sha256:…)', find: ({ image }) => {
      const parts = imageParts(image);
      return parts === undefined ? undefined : when(parts.digest === undefined, image ?? '');
    },
    changes: ({ image }) => [{ kind: 'set-image', image: `${image ?? ''}@sha256:DIGEST` }],
    meaning: { docker: 'who can push the tag decides what runs', gvisor: 'the same', caisson: { applies: true, why: 'applies: what is pulled is verified against its digest, but the tag chooses it' } },
  },
  {
    id: 'content-trust', summary: 'Signatures of the image are not checked on purpose', remedy: 'leave content trust on', find: ({ contentTrust, kind }) => (kind === 'command' ? when(contentTrust === false, '--disable-content-trust') : undefined), changes: () => [{ kind: 'content-trust' }],
    meaning: { docker: 'who can push the tag decides what runs', gvisor: 'the same', caisson: { applies: false, why: 'cannot be asked for: there are no signatures to switch off' } },
  },
  {
    id: 'secret-variable', isOfImages: true, summary: 'A secret is in its environment', remedy: 'give it as a file (a secret of Compose, Swarm or Kubernetes)', find: secretNames, changes: (configuration) => secretNames(configuration).map((name) => ({ kind: 'remove-variable', name })),
    meaning: { docker: 'everybody who may inspect it, every child process and many error reports have it', gvisor: 'the same', caisson: { applies: true, why: 'applies: "caisson inspect" shows it to the user who runs it, and all its processes have it' } },
  },
  {
    id: 'sshd', isOfImages: true, summary: 'It runs an SSH server', remedy: 'use exec', find: ({ command }) => command.filter((word) => /(?:^|\/|\s)(?:sshd|dropbear)(?:\s|$)/.test(word)).map((word) => word.slice(0, MOST_QUOTED)), changes: () => [],
    meaning: { docker: 'keys, accounts and updates of one more server for each container', gvisor: 'the same', caisson: { applies: true, why: 'applies where its port is published, or others are on its network: "caisson exec" needs none' } },
  },
  {
    id: 'service-account-token', summary: 'It has a token for the API of Kubernetes', remedy: 'set automountServiceAccountToken: false where it does not call the API', find: ({ serviceAccountToken, kind }) => (kind === 'kubernetes' ? when(serviceAccountToken, 'automountServiceAccountToken is not false') : undefined), changes: () => [{ kind: 'no-token' }],
    meaning: { docker: 'whoever takes the container over speaks to the cluster with its rights', gvisor: 'the same', caisson: { applies: false, why: 'cannot happen: there is no cluster' } },
  },
  {
    id: 'working-directory', isOfImages: true, summary: 'It starts in a directory that names a descriptor of its runtime', remedy: 'start it in a plain directory', find: ({ workingDirectory }) => when(/^\/(?:proc\/(?:self|thread-self|\d+)\/fd|dev\/fd)(?:\/|$)/.test(workingDirectory), workingDirectory), changes: () => [{ kind: 'plain-directory' }],
    meaning: { docker: 'a runc before 1.1.12 starts it in a directory of the host (CVE-2024-21626)', gvisor: 'runsc has no such descriptor', caisson: { applies: false, why: 'cannot happen: its descriptors are its own kernel\'s' } },
  },
  {
    id: 'remote-engine', isOfImages: true, summary: 'Its environment names a container engine to be spoken to', remedy: 'leave DOCKER_HOST out', find: ({ environment }) => ['DOCKER_HOST', 'CONTAINER_HOST'].filter((name) => (environment.get(name) ?? '') !== '').map((name) => `${name}=${(environment.get(name) ?? '').slice(0, MOST_QUOTED)}`), changes: () => ['DOCKER_HOST', 'CONTAINER_HOST'].map((name) => ({ kind: 'remove-variable', name })),
    meaning: { docker: 'what may start containers on a host is root there', gvisor: 'the same: it is the network', caisson: { applies: true, why: 'applies where --network outbound and --allow-net let it reach that host' } },
  },
];

/** Steps of an image's history that match, as far as they are quoted. */
function stepItem(id: string, summary: string, remedy: string, isMeant: (step: string) => boolean, docker: string): Item {
  return {
    id, isOfImages: true, summary, remedy, find: ({ steps }) => steps?.filter(isMeant).map((step) => step.slice(0, MOST_QUOTED)), changes: () => [],
    meaning: { docker, gvisor: 'the same', caisson: { applies: true, why: 'applies: it is how the image was made, wherever it runs' } },
  };
}

const UPDATE = /\b(?:apt-get|apt|aptitude|apk|yum|dnf|microdnf|zypper)\s+(?:-\S+\s+)*(?:update|refresh)\b/;
const INSTALL = /\b(?:apt-get|apt|aptitude|yum|dnf|microdnf|zypper)\s+(?:-\S+\s+)*(?:install|upgrade|dist-upgrade|full-upgrade)\b|\bapk\s+(?:-\S+\s+)*(?:add|upgrade)\b/;
const UNVERIFIED = /--allow-unauthenticated|--allow-untrusted|--no-gpg-checks|--nogpgcheck|--force-yes|--trusted-host|\btrusted=yes|\b(?:curl|wget)\b[^|;&]{0,500}\|\s*(?:sudo\s+)?(?:ba|da|z|k)?sh\b|\bcurl\s[^|;&]{0,300}(?:\s-k\b|--insecure)|--no-check-certificate/;

const HISTORY_ITEMS: readonly Item[] = [
  stepItem('update-alone', 'A step updates the list of packages and installs nothing', 'update and install in one RUN', (step) => UPDATE.test(step) && !INSTALL.test(step), 'later steps install from a list that the cache has kept, without what was mended since'),
  // The first layer of a base image is an ADD of its root directory.
  stepItem('add-instruction', 'A step uses ADD', 'use COPY', (step) => /^(?:\/bin\/sh -c #\(nop\) +)?ADD /.test(step) && !/ADD (?:file|multi|dir):\S+ in \/ *$|ADD \S+ \/ #/.test(step), 'it fetches and unpacks what may change, and what may be more than was looked at'),
  stepItem('unverified-packages', 'A step installs what nobody has verified', 'check a signature or a digest before it is run', (step) => UNVERIFIED.test(step), 'who answers the request decides what is in the image'),
];

export const SETTING_ITEMS: readonly Item[] = [...BOUND_ITEMS, ...NETWORK_ITEMS, ...IMAGE_ITEMS, ...HISTORY_ITEMS];
export { isLocal };
