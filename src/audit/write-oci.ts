/** Changes of an OCI `config.json`. */
import type { Json } from '../image/index.ts';
import { DOCKER_DEFAULT } from './capabilities.ts';
import { applyChange } from './change.ts';
import type { Change } from './change.ts';
import { asText, field, listAt, numberAt, textAt } from './fields.ts';
import type { Configuration } from './model.ts';
import { SECCOMP_FILTER } from './seccomp-filter.ts';
import { removeWhere, valueAt } from './tree.ts';
import type { Path, Tree } from './tree.ts';

/** What engines cover and protect (moby oci/defaults.go). */
const MASKED_PATHS = ['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
const CAPABILITY_SETS = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'];

class Bundle {
  readonly #tree: Tree;
  readonly #path: Path;

  constructor(tree: Tree, path: Path) {
    this.#tree = tree;
    this.#path = path;
  }
  value(...names: Path): Json | undefined {
    return valueAt(this.#tree.documents, [...this.#path, ...names]);
  }
  set(value: Json, ...names: Path): void {
    this.#tree.set([...this.#path, ...names], value);
  }
  remove(...names: Path): void {
    if (this.value(...names) !== undefined) this.#tree.remove([...this.#path, ...names]);
  }
  drop(isGone: (value: Json) => boolean, ...names: Path): void {
    removeWhere(this.#tree, [...this.#path, ...names], isGone);
  }
  keepCapabilities(isKept: (name: string) => boolean): void {
    for (const set of CAPABILITY_SETS) this.drop((name) => !isKept(asText(name).replace(/^CAP_/, '')), 'process', 'capabilities', set);
  }
  eachMount(destination: string, change: (options: readonly string[]) => readonly string[]): void {
    for (const [index, mount] of listAt(this.value(), 'mounts').entries()) {
      if (textAt(mount, 'destination') === destination) this.set(change(listAt(mount, 'options').map(asText)), 'mounts', index, 'options');
    }
  }
  closeDevices(): void {
    this.drop((rule) => field(rule, 'allow') === true && (numberAt(rule, 'major') ?? -1) < 0, 'linux', 'resources', 'devices');
    if (!listAt(this.value(), 'linux', 'resources', 'devices').some((rule) => field(rule, 'allow') === false && textAt(rule, 'type') === '')) {
      this.set([{ allow: false, access: 'rwm' }, ...listAt(this.value(), 'linux', 'resources', 'devices')], 'linux', 'resources', 'devices');
    }
  }
  coverPaths(): void {
    this.set(MASKED_PATHS, 'linux', 'maskedPaths');
    this.set(READ_ONLY_PATHS, 'linux', 'readonlyPaths');
  }
  filterCalls(): void {
    this.set(SECCOMP_FILTER, 'linux', 'seccomp');
  }
}

function unprivileged(bundle: Bundle): void {
  bundle.keepCapabilities((name) => DOCKER_DEFAULT.includes(name));
  bundle.filterCalls();
  bundle.coverPaths();
  bundle.closeDevices();
  bundle.set([], 'linux', 'devices');
  for (const destination of ['/sys', '/sys/fs/cgroup']) bundle.eachMount(destination, (options) => [...options.filter((option) => option !== 'rw' && option !== 'ro'), 'ro']);
}

/** Undefined: done. Otherwise why not. */
export function changeBundle(tree: Tree, path: Path, configuration: Configuration, change: Change): string | undefined {
  const bundle = new Bundle(tree, path);
  const notShown = 'an OCI configuration does not have it';
  switch (change.kind) {
    case 'unprivileged': unprivileged(bundle); return undefined;
    case 'drop-all-capabilities': bundle.keepCapabilities(() => false); return undefined;
    case 'remove-capability': bundle.keepCapabilities((name) => name !== change.name); return undefined;
    case 'own-namespace': return ownNamespace(bundle, change.namespace);
    case 'remove-mount': bundle.drop((mount) => textAt(mount, 'destination') === change.destination, 'mounts'); return undefined;
    case 'read-only-mount': bundle.eachMount(change.destination, (options) => [...options.filter((option) => option !== 'rw'), 'ro']); return undefined;
    case 'private-mount':
      bundle.eachMount(change.destination, (options) => [...options.filter((option) => !/^r?(?:shared|slave|private)$/.test(option)), 'rprivate']);
      bundle.remove('linux', 'rootfsPropagation');
      return undefined;
    case 'remove-device': bundle.drop((device) => textAt(device, 'path') === change.path, 'linux', 'devices'); return undefined;
    case 'remove-device-rules': bundle.closeDevices(); return undefined;
    case 'default-seccomp': bundle.filterCalls(); return undefined;
    case 'default-apparmor': bundle.remove('process', 'apparmorProfile'); return undefined;
    case 'default-selinux': bundle.remove('process', 'selinuxLabel'); return undefined;
    case 'mask-paths': bundle.coverPaths(); return undefined;
    case 'no-new-privileges': bundle.set(true, 'process', 'noNewPrivileges'); return undefined;
    case 'read-only-root': bundle.set(true, 'root', 'readonly'); return undefined;
    case 'set-user': {
      const [user = '', group = user] = change.user.split(':');
      bundle.set(Number(user), 'process', 'user', 'uid');
      bundle.set(Number(group), 'process', 'user', 'gid');
      return undefined;
    }
    case 'bound-memory': bundle.set(change.bytes, 'linux', 'resources', 'memory', 'limit'); return undefined;
    case 'bound-pids': bundle.set(change.count, 'linux', 'resources', 'pids', 'limit'); return undefined;
    case 'bound-cpu': bundle.set({ quota: change.cpus * 100_000, period: 100_000 }, 'linux', 'resources', 'cpu'); return undefined;
    case 'default-limits': bundle.set([{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 }], 'process', 'rlimits'); return undefined;
    case 'remove-variable': bundle.drop((entry) => asText(entry).split('=')[0] === change.name, 'process', 'env'); return undefined;
    case 'remove-sysctl': bundle.remove('linux', 'sysctl', change.name); return undefined;
    case 'plain-directory': bundle.set('/', 'process', 'cwd'); return undefined;
    case 'remove-gpus': case 'local-port': case 'remove-port': case 'unpublish-all': case 'health-check': case 'bound-restart': case 'remove-cgroup-parent': case 'no-token': case 'no-host-process':
    case 'no-probe-hosts': case 'content-trust': case 'unprivileged-exec': case 'set-image': return applyChange(configuration, change) === configuration ? undefined : notShown;
  }
}

function ownNamespace(bundle: Bundle, name: string): string | undefined {
  bundle.drop((namespace) => textAt(namespace, 'type') === name, 'linux', 'namespaces');
  bundle.set([...listAt(bundle.value(), 'linux', 'namespaces'), { type: name }], 'linux', 'namespaces');
  if (name !== 'user') return undefined;
  // config-linux.md "User namespace mappings": nobody's numbers on the host, as Podman and Docker take them from /etc/subuid.
  for (const mappings of ['uidMappings', 'gidMappings']) bundle.set([{ containerID: 0, hostID: 100_000, size: 65_536 }], 'linux', mappings);
  return undefined;
}
