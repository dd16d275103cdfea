/** Changes of a configuration: what cuts a path, and what `--fix` writes. Each can be made to the model, to be judged again, and by each kind of input to its text. */
import { ALL_CAPABILITIES, BASES, DOCKER_DEFAULT, PODMAN_DEFAULT } from './capabilities.ts';
import type { Configuration, NamespaceName } from './model.ts';

export type Change =
  | { readonly kind: 'unprivileged' | 'drop-all-capabilities' | 'default-seccomp' | 'default-apparmor' | 'default-selinux' | 'mask-paths' | 'no-new-privileges' | 'read-only-root' | 'remove-device-rules' | 'remove-gpus'
    | 'bound-restart' | 'health-check' | 'no-token' | 'no-host-process' | 'content-trust' | 'remove-cgroup-parent' | 'default-limits' | 'unpublish-all' | 'no-probe-hosts' | 'plain-directory' | 'unprivileged-exec' }
  | { readonly kind: 'remove-capability'; readonly name: string }
  | { readonly kind: 'own-namespace'; readonly namespace: NamespaceName }
  | { readonly kind: 'remove-mount' | 'read-only-mount' | 'private-mount'; readonly destination: string }
  | { readonly kind: 'remove-device'; readonly path: string }
  | { readonly kind: 'set-user'; readonly user: string }
  | { readonly kind: 'bound-memory'; readonly bytes: number }
  | { readonly kind: 'bound-pids'; readonly count: number }
  | { readonly kind: 'bound-cpu'; readonly cpus: number }
  | { readonly kind: 'remove-variable'; readonly name: string }
  | { readonly kind: 'remove-sysctl'; readonly name: string }
  | { readonly kind: 'local-port' | 'remove-port'; readonly containerPort: number; readonly hostPort: number }
  | { readonly kind: 'set-image'; readonly image: string };

/** Bounds that are put in where there is none: enough for most programs, and an attacker cannot use up the host with them. */
export const MEMORY_BOUND = 512 * 2 ** 20;
export const PIDS_BOUND = 256;
export const CPU_BOUND = 1;
/** nobody of Debian, Alpine and the distroless images is 65534; 65532 is distroless' nonroot. A number needs no entry in passwd. */
export const PLAIN_USER = '65532:65532';

const NAMESPACE_WORDS: Readonly<Record<NamespaceName, string>> = { pid: 'process', network: 'network', ipc: 'IPC', uts: 'UTS (host name)', user: 'user', cgroup: 'cgroup' };

const PLAIN_WORDS: Readonly<Partial<Record<Change['kind'], string>>> = {
  'unprivileged': 'do not run it privileged', 'drop-all-capabilities': 'drop all capabilities except those that were added', 'default-seccomp': 'use the default seccomp profile', 'default-apparmor': 'use the default AppArmor profile',
  'default-selinux': 'leave the SELinux label as the engine sets it', 'mask-paths': 'leave the covered parts of /proc and /sys covered', 'no-new-privileges': 'set no-new-privileges', 'read-only-root': 'make the root file system read-only',
  'remove-device-rules': 'take the device rules away', 'remove-gpus': 'take the GPUs away', 'bound-restart': 'restart it at most five times', 'health-check': 'let the image\'s health check run', 'no-token': 'do not mount the service account\'s token',
  'no-host-process': 'do not run it as a process of the Windows host', 'content-trust': 'leave content trust on', 'remove-cgroup-parent': 'leave it in the engine\'s cgroup', 'default-limits': 'set limits of its own (ulimits)',
  'unpublish-all': 'publish ports by name, not all', 'no-probe-hosts': 'probe the pod itself', 'plain-directory': 'start it in a plain directory', 'unprivileged-exec': 'exec without --privileged and not as root',
};

/** As a clause: `take the mount of /var/run/docker.sock away`. */
export function describeChange(change: Change): string {
  switch (change.kind) {
    case 'remove-capability': return `take CAP_${change.name} away`;
    case 'own-namespace': return `give it ${change.namespace === 'ipc' ? 'an' : 'a'} ${NAMESPACE_WORDS[change.namespace]} namespace of its own`;
    case 'remove-mount': return `take the mount on ${change.destination} away`;
    case 'read-only-mount': return `mount ${change.destination} read-only`;
    case 'private-mount': return `mount ${change.destination} without shared propagation`;
    case 'remove-device': return change.path === 'all' ? 'take the host\'s devices away' : `take the device ${change.path} away`;
    case 'set-user': return `run it as user ${change.user.split(':')[0] ?? ''}`;
    case 'bound-memory': return `bound its memory (${change.bytes / 2 ** 20} MiB)`;
    case 'bound-pids': return `bound its processes (${change.count})`;
    case 'bound-cpu': return `bound its processor time (${change.cpus} CPU)`;
    case 'remove-variable': return `take ${change.name} out of the environment, and give it as a file`;
    case 'remove-sysctl': return `leave ${change.name} as it is`;
    case 'local-port': return `publish port ${change.containerPort} on 127.0.0.1 only`;
    case 'remove-port': return `do not publish port ${change.containerPort}`;
    case 'set-image': return `name the image as ${change.image}`;
    default: return PLAIN_WORDS[change.kind] ?? change.kind;
  }
}

function withoutCapability({ base, add, drop }: Configuration['capabilities'], name: string): Configuration['capabilities'] {
  const isLeft = !drop.includes('ALL') && (add.includes('ALL') || BASES[base].includes(name));
  return { base, add: add.filter((other) => other !== name), drop: isLeft ? [...new Set([...drop, name])] : drop };
}

function withMount(configuration: Configuration, destination: string, change: (mount: Configuration['mounts'][number]) => Configuration['mounts'][number] | undefined): Configuration {
  return { ...configuration, mounts: configuration.mounts.flatMap((mount) => (mount.destination === destination ? change(mount) ?? [] : mount)) };
}

function without<Value>(map: ReadonlyMap<string, Value>, name: string): ReadonlyMap<string, Value> {
  return new Map([...map].filter(([key]) => key !== name));
}

/** The model as it would be read from the changed text. */
export function applyChange(configuration: Configuration, change: Change): Configuration {
  switch (change.kind) {
    case 'unprivileged': return unprivileged(configuration);
    case 'drop-all-capabilities': return { ...configuration, capabilities: { ...configuration.capabilities, add: configuration.capabilities.base === 'none' ? [] : configuration.capabilities.add.filter((name) => name !== 'ALL'), drop: ['ALL'] } };
    case 'default-seccomp': return { ...configuration, seccomp: 'default' };
    case 'default-apparmor': return { ...configuration, apparmor: 'default' };
    case 'default-selinux': return { ...configuration, selinux: { state: 'default', type: '', user: '', role: '' } };
    case 'mask-paths': return { ...configuration, unmaskedPaths: false };
    case 'no-new-privileges': return { ...configuration, noNewPrivileges: true };
    case 'read-only-root': return { ...configuration, readOnlyRoot: true };
    case 'remove-device-rules': return { ...configuration, deviceRules: [] };
    case 'remove-gpus': return { ...configuration, gpus: false };
    case 'bound-restart': return { ...configuration, restart: { name: 'on-failure', retries: 5 } };
    case 'health-check': return { ...configuration, healthCheck: 'image' };
    case 'no-token': return { ...configuration, serviceAccountToken: false };
    case 'no-host-process': return { ...configuration, windowsHostProcess: false };
    case 'content-trust': return { ...configuration, contentTrust: undefined };
    case 'remove-cgroup-parent': return { ...configuration, cgroupParent: undefined };
    case 'default-limits': return { ...configuration, ulimits: ['nofile'] };
    case 'unpublish-all': return { ...configuration, publishAll: false };
    case 'no-probe-hosts': return { ...configuration, probeHosts: [] };
    case 'plain-directory': return { ...configuration, workingDirectory: '' };
    case 'unprivileged-exec': return { ...configuration, execs: [] };
    case 'remove-capability': return { ...configuration, capabilities: withoutCapability(configuration.capabilities, change.name) };
    case 'own-namespace': return ownNamespace(configuration, change.namespace);
    case 'remove-mount': return withMount(configuration, change.destination, () => undefined);
    case 'read-only-mount': return withMount(configuration, change.destination, (mount) => ({ ...mount, readOnly: true }));
    case 'private-mount': return withMount(configuration, change.destination, (mount) => ({ ...mount, propagation: '' }));
    case 'remove-device': return { ...configuration, devices: configuration.devices.filter(({ path }) => path !== change.path) };
    case 'set-user': return { ...configuration, user: change.user };
    case 'bound-memory': return { ...configuration, memory: change.bytes };
    case 'bound-pids': return { ...configuration, pids: change.count };
    case 'bound-cpu': return { ...configuration, cpuBounded: true };
    case 'remove-variable': return { ...configuration, environment: without(configuration.environment, change.name) };
    case 'remove-sysctl': return { ...configuration, sysctls: without(configuration.sysctls, change.name) };
    case 'local-port': return { ...configuration, ports: configuration.ports.map((port) => (port.containerPort === change.containerPort && port.hostPort === change.hostPort ? { ...port, hostAddress: '127.0.0.1' } : port)) };
    case 'remove-port': return { ...configuration, ports: configuration.ports.filter((port) => !(port.containerPort === change.containerPort && port.hostPort === change.hostPort)) };
    case 'set-image': return { ...configuration, image: change.image };
  }
}

/** A network of its own is that of the default bridge, except where the kind has another default. */
function ownNamespace(configuration: Configuration, namespace: NamespaceName): Configuration {
  const isBridged = ['command', 'docker-inspect', 'podman-inspect'].includes(configuration.kind);
  return { ...configuration, namespaces: { ...configuration.namespaces, [namespace]: 'own' }, defaultBridge: namespace === 'network' ? isBridged : configuration.defaultBridge };
}

/** Of an OCI configuration, being privileged is nothing but what is listed there; Podman lists capabilities as well. */
function unprivileged(configuration: Configuration): Configuration {
  const plain = { ...configuration, privileged: false };
  const { add, base } = configuration.capabilities;
  if (configuration.kind === 'podman-inspect' && base === 'none') return { ...plain, capabilities: { base, add: PODMAN_DEFAULT, drop: [] } };
  if (configuration.kind !== 'oci') return plain;
  return { ...plain, seccomp: 'default', unmaskedPaths: false, devices: configuration.devices.filter(({ path }) => path !== 'all'), capabilities: { base: 'none', add: add.length >= ALL_CAPABILITIES.length - 3 ? DOCKER_DEFAULT : add, drop: [] } };
}
