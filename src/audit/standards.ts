/** What the controls of published standards ask, by their own numbers and names, as items. A control that no configuration shows says why. */

export type StandardName = 'cis' | 'baseline' | 'restricted';

export interface Control {
  readonly standard: StandardName;
  /** `5.5`, or the control's name. */
  readonly id: string;
  readonly title: string;
  /** It fails where one of them is so. */
  readonly items: readonly string[];
  /** Why it is not judged, where that is not the kind of the input. */
  readonly unshown?: string;
}

export const STANDARD_TITLES: Readonly<Record<StandardName, string>> = { cis: 'CIS Docker Benchmark 1.6.0', baseline: 'Pod Security Standards, baseline', restricted: 'Pod Security Standards, restricted' };

function cis(id: string, title: string, ...items: readonly string[]): Control {
  return { standard: 'cis', id, title, items };
}

function unshown(id: string, title: string, why: string): Control {
  return { standard: 'cis', id, title, items: [], unshown: why };
}

/** Of an image that is judged by itself, its history shows it. */
function ofImages(id: string, title: string, ...items: readonly string[]): Control {
  return { standard: 'cis', id, title, items, unshown: 'the history of the image shows it: audit the image' };
}

/** Sections 4 and 5. The others are about the host and its daemon, which no configuration of a container shows. */
const CIS: readonly Control[] = [
  cis('4.1', 'A user for the container has been created', 'root-user'),
  cis('4.2', 'Containers use only trusted base images', 'image-unpinned'),
  unshown('4.3', 'Unnecessary packages are not installed in the container', 'it is in the image, not in the configuration'),
  unshown('4.4', 'Images are scanned and rebuilt to include security patches', 'it is in the image, not in the configuration'),
  cis('4.5', 'Content trust for Docker is enabled', 'content-trust'),
  cis('4.6', 'HEALTHCHECK instructions have been added to container images', 'no-health-check'),
  ofImages('4.7', 'Update instructions are not used alone in Dockerfiles', 'update-alone'),
  unshown('4.8', 'setuid and setgid permissions are removed', 'it is in the image, not in the configuration; no-new-privileges (5.26) takes their effect away'),
  ofImages('4.9', 'COPY is used instead of ADD in Dockerfiles', 'add-instruction'),
  cis('4.10', 'Secrets are not stored in Dockerfiles', 'secret-variable'),
  ofImages('4.11', 'Only verified packages are installed', 'unverified-packages'),
  unshown('4.12', 'All signed artifacts are validated', 'it is done when the image is pulled'),
  unshown('5.1', 'Swarm mode is not enabled, if not needed', 'it is the daemon\'s, and Caisson has neither'),
  cis('5.2', 'If applicable, an AppArmor profile is enabled', 'apparmor-off'),
  cis('5.3', 'If applicable, SELinux security options are set', 'selinux-off'),
  cis('5.4', 'Linux kernel capabilities are restricted within containers', 'added-capabilities'),
  cis('5.5', 'Privileged containers are not used', 'privileged'),
  cis('5.6', 'Sensitive host system directories are not mounted on containers', 'mount-root', 'mount-system', 'mount-home', 'mount-proc', 'mount-sys', 'mount-dev', 'mount-engine-data', 'mount-kubelet', 'mount-credentials', 'mount-logs'),
  cis('5.7', 'sshd is not run within containers', 'sshd'),
  cis('5.8', 'Privileged ports are not mapped within containers', 'privileged-port'),
  cis('5.9', 'Only needed ports are open on the container', 'all-ports'),
  cis('5.10', 'The host\'s network namespace is not shared', 'host-network'),
  cis('5.11', 'The memory usage for containers is limited', 'memory-unbounded'),
  cis('5.12', 'CPU priority is set appropriately on containers', 'cpu-unbounded'),
  cis('5.13', 'The container\'s root file system is mounted as read only', 'writable-root'),
  cis('5.14', 'Incoming container traffic is bound to a specific host interface', 'port-everywhere'),
  cis('5.15', 'The on-failure container restart policy is set to 5', 'restart-forever'),
  cis('5.16', 'The host\'s process namespace is not shared', 'host-pid'),
  cis('5.17', 'The host\'s IPC namespace is not shared', 'host-ipc'),
  cis('5.18', 'Host devices are not directly exposed to containers', 'host-device', 'all-devices'),
  cis('5.19', 'The default ulimit is overwritten at runtime if needed', 'default-ulimits'),
  cis('5.20', 'Mount propagation mode is not set to shared', 'shared-propagation'),
  cis('5.21', 'The host\'s UTS namespace is not shared', 'host-uts'),
  cis('5.22', 'The default seccomp profile is not disabled', 'seccomp-off'),
  cis('5.23', 'docker exec commands are not used with the privileged option', 'exec-privileged'),
  cis('5.24', 'docker exec commands are not used with the user=root option', 'exec-root'),
  cis('5.25', 'cgroup usage is confirmed', 'cgroup-parent'),
  cis('5.26', 'The container is restricted from acquiring additional privileges', 'privilege-escalation'),
  cis('5.27', 'Container health is checked at runtime', 'no-health-check'),
  cis('5.28', 'Docker commands always make use of the latest version of their image', 'image-latest'),
  cis('5.29', 'The PIDs cgroup limit is used', 'pids-unbounded'),
  cis('5.30', 'Docker\'s default bridge "docker0" is not used', 'default-bridge'),
  cis('5.31', 'The host\'s user namespaces are not shared', 'host-users'),
  cis('5.32', 'The Docker socket is not mounted inside any containers', 'mount-engine-socket'),
];

function baseline(id: string, title: string, ...items: readonly string[]): Control {
  return { standard: 'baseline', id, title, items };
}

function restricted(id: string, title: string, ...items: readonly string[]): Control {
  return { standard: 'restricted', id, title, items };
}

/** kubernetes.io/docs/concepts/security/pod-security-standards; titles say what the control wants. */
const POD_SECURITY: readonly Control[] = [
  baseline('HostProcess', 'No access to the Windows host', 'windows-host-process'),
  baseline('Host Namespaces', 'No namespace of the host is shared', 'host-pid', 'host-network', 'host-ipc'),
  baseline('Privileged Containers', 'No privileged container', 'privileged'),
  baseline('Capabilities', 'No capability beyond the list', 'baseline-capabilities'),
  baseline('HostPath Volumes', 'No path of the host', 'host-path'),
  baseline('Host Ports', 'No port of the host', 'host-port'),
  baseline('Host Probes / Lifecycle Hooks', 'No host in probes and hooks', 'probe-host'),
  baseline('AppArmor', 'AppArmor is not switched off', 'apparmor-off'),
  baseline('SELinux', 'A type of containers, and no user or role', 'selinux-off', 'selinux-custom'),
  baseline('/proc Mount Type', 'The default masks of /proc', 'open-proc'),
  baseline('Seccomp', 'Seccomp is not switched off', 'seccomp-off'),
  baseline('Sysctls', 'Safe kernel parameters only', 'unsafe-sysctl'),
  restricted('Volume Types', 'Volumes of the listed types only', 'volume-types', 'host-path'),
  restricted('Privilege Escalation', 'allowPrivilegeEscalation is false', 'privilege-escalation'),
  restricted('Running as Non-root', 'Not root', 'root-user'),
  restricted('Running as Non-root user', 'Not user 0', 'root-user'),
  restricted('Seccomp', 'A seccomp profile is set', 'seccomp-off', 'seccomp-unset'),
  restricted('Capabilities', 'All capabilities are dropped, except NET_BIND_SERVICE', 'capabilities-kept'),
];

export const CONTROLS: readonly Control[] = [...CIS, ...POD_SECURITY];

/** `CIS 5.5`, `PSS baseline Privileged Containers`: the controls that an item fails. */
export function controlsOf(item: string): readonly string[] {
  return CONTROLS.filter(({ items }) => items.includes(item)).map(({ standard, id }) => (standard === 'cis' ? `CIS ${id}` : `PSS ${standard} ${id}`));
}
