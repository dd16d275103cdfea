/** Changes of `docker inspect` and `podman inspect`. Such a document is no input of Docker's, but a request to make a container has the same fields. */
import type { Json } from '../image/index.ts';
import { PODMAN_DEFAULT, capabilityName } from './capabilities.ts';
import { applyChange } from './change.ts';
import type { Change } from './change.ts';
import { asText, field, fieldAt, listAt, objectAt, textAt, textsAt } from './fields.ts';
import type { Configuration } from './model.ts';
import { removeWhere, valueAt } from './tree.ts';
import type { Path, Tree } from './tree.ts';
import { parseVolume, withVolumeOption } from './values.ts';

const NAMESPACE_FIELDS = { pid: 'PidMode', network: 'NetworkMode', ipc: 'IpcMode', uts: 'UTSMode', user: 'UsernsMode', cgroup: 'CgroupnsMode' } as const;

class Inspection {
  readonly #tree: Tree;
  readonly #path: Path;
  readonly host: Path;
  readonly config: Path;

  constructor(tree: Tree, path: Path) {
    this.#tree = tree;
    this.#path = path;
    this.host = [...path, 'HostConfig'];
    this.config = this.has([...path, 'Config']) ? [...path, 'Config'] : path;
  }
  has(path: Path): boolean {
    return valueAt(this.#tree.documents, path) !== undefined;
  }
  set(path: Path, value: Json): void {
    this.#tree.set(path, value);
  }
  keep(path: Path, keep: (value: Json) => boolean): void {
    removeWhere(this.#tree, path, (value) => !keep(value));
  }
  withoutOption(...keys: readonly string[]): void {
    this.keep([...this.host, 'SecurityOpt'], (option) => !keys.includes(asText(option).split(/[=:]/)[0] ?? ''));
  }
  addOption(option: string): void {
    const path = [...this.host, 'SecurityOpt'];
    this.set(path, [...textsAt(valueAt(this.#tree.documents, this.host), 'SecurityOpt'), option]);
  }
  /** All lists that Podman has of them. */
  setCapabilities(names: readonly string[]): void {
    const all = (list: readonly string[]): Json => list.map((name) => `CAP_${name}`);
    for (const name of ['BoundingCaps', 'EffectiveCaps']) this.set([...this.#path, name], all(names));
    this.set([...this.host, 'CapAdd'], all(names.filter((name) => !PODMAN_DEFAULT.includes(name))));
    this.set([...this.host, 'CapDrop'], all(PODMAN_DEFAULT.filter((name) => !names.includes(name))));
  }
  /** Podman's record of its flags says what other fields do not. */
  withoutFlag(name: string): void {
    const path = [...this.#path, 'Config', 'CreateCommand'];
    const words = valueAt(this.#tree.documents, path);
    if (!Array.isArray(words)) return;
    const kept = words.filter((word: Json, index) => !asText(word).startsWith(`--${name}=`) && asText(word) !== `--${name}` && asText(words[index - 1] as Json | undefined) !== `--${name}`);
    this.set(path, kept);
  }
  withFlag(flag: string): void {
    const path = [...this.#path, 'Config', 'CreateCommand'];
    const words = valueAt(this.#tree.documents, path);
    if (!Array.isArray(words)) return;
    const verb = (words as readonly Json[]).findIndex((word) => word === 'create' || word === 'run');
    this.set(path, [...words.slice(0, verb + 1), flag, ...words.slice(verb + 1)] as Json);
  }
  mounts(destination: string, change: (mount: { readonly path: Path; readonly kind: 'bind' | 'asked' | 'present' }) => void): void {
    const host = valueAt(this.#tree.documents, this.host);
    const lists: readonly (readonly [Path, 'bind' | 'asked' | 'present', readonly Json[], (value: Json) => string])[] = [
      [[...this.host, 'Binds'], 'bind', listAt(host, 'Binds'), (value) => parseVolume(asText(value)).destination],
      [[...this.host, 'Mounts'], 'asked', listAt(host, 'Mounts'), (value) => textAt(value, 'Target')],
      [[...this.#path, 'Mounts'], 'present', listAt(valueAt(this.#tree.documents, this.#path), 'Mounts'), (value) => textAt(value, 'Destination')],
    ];
    for (const [path, kind, values, nameOf] of lists) for (const [index, value] of values.entries()) if (nameOf(value) === destination) change({ path: [...path, index], kind });
  }
  removeMount(destination: string): void {
    this.keep([...this.host, 'Binds'], (value) => parseVolume(asText(value)).destination !== destination);
    this.keep([...this.host, 'Mounts'], (value) => textAt(value, 'Target') !== destination);
    this.keep([...this.#path, 'Mounts'], (value) => textAt(value, 'Destination') !== destination);
  }
  value(path: Path): Json | undefined {
    return valueAt(this.#tree.documents, path);
  }
  remove(path: Path): void {
    if (this.has(path)) this.#tree.remove(path);
  }
}

function changeMount(inspection: Inspection, change: Change & { readonly destination: string }): void {
  if (change.kind === 'remove-mount') return inspection.removeMount(change.destination);
  const isReadOnly = change.kind === 'read-only-mount';
  inspection.mounts(change.destination, ({ path, kind }) => {
    if (kind === 'bind') {
      inspection.set(path, withVolumeOption(asText(inspection.value(path)), isReadOnly ? 'read-only-mount' : 'private-mount'));
    } else if (isReadOnly) inspection.set([...path, kind === 'asked' ? 'ReadOnly' : 'RW'], kind === 'asked');
    else inspection.set(kind === 'asked' ? [...path, 'BindOptions', 'Propagation'] : [...path, 'Propagation'], 'rprivate');
  });
}

function changePort(inspection: Inspection, configuration: Configuration, change: Change): void {
  const bindings = objectAt(inspection.value(inspection.host), 'PortBindings');
  const { ports } = applyChange(configuration, change);
  for (const key of Object.keys(bindings)) {
    const kept = ports.filter(({ containerPort }) => containerPort === Number.parseInt(key, 10)).map(({ hostAddress, hostPort }) => ({ HostIp: hostAddress, HostPort: hostPort === 0 ? '' : String(hostPort) }));
    if (kept.length === 0) inspection.remove([...inspection.host, 'PortBindings', key]);
    else inspection.set([...inspection.host, 'PortBindings', key], kept);
  }
}

function changeCapabilities(inspection: Inspection, configuration: Configuration, change: Change): void {
  if (configuration.capabilities.base === 'none') return inspection.setCapabilities(applyChange(configuration, change).capabilities.add);
  const { add, drop } = applyChange(configuration, change).capabilities;
  const prefix = configuration.kind === 'podman-inspect' || textsAt(inspection.value(inspection.host), 'CapAdd').some((name) => name.startsWith('CAP_')) ? 'CAP_' : '';
  const named = (names: readonly string[]): Json => names.map((name) => (name === 'ALL' ? name : `${prefix}${capabilityName(name)}`));
  inspection.set([...inspection.host, 'CapAdd'], named(add));
  inspection.set([...inspection.host, 'CapDrop'], named(drop));
}

/** Undefined: done. Otherwise why not. */
export function changeInspection(tree: Tree, path: Path, configuration: Configuration, change: Change): string | undefined {
  const inspection = new Inspection(tree, path);
  const { host, config } = inspection;
  const set = (name: string, value: Json): void => inspection.set([...host, name], value);
  switch (change.kind) {
    case 'unprivileged':
      set('Privileged', false);
      if (configuration.capabilities.base === 'none') changeCapabilities(inspection, configuration, change);
      return undefined;
    case 'drop-all-capabilities': case 'remove-capability': changeCapabilities(inspection, configuration, change); return undefined;
    case 'own-namespace':
      if (change.namespace === 'user' && configuration.engine === 'docker') return 'Docker maps users for the whole daemon: set "userns-remap" in daemon.json';
      set(change.namespace === 'cgroup' && configuration.engine === 'podman' ? 'CgroupMode' : NAMESPACE_FIELDS[change.namespace], change.namespace === 'user' ? 'auto' : change.namespace === 'network' ? 'bridge' : configuration.engine === 'podman' || change.namespace === 'cgroup' || change.namespace === 'ipc' ? 'private' : '');
      inspection.withoutFlag(change.namespace === 'user' ? 'userns' : change.namespace);
      return undefined;
    case 'remove-mount': case 'read-only-mount': case 'private-mount': changeMount(inspection, change); return undefined;
    case 'remove-device': inspection.keep([...host, 'Devices'], (device) => textAt(device, 'PathOnHost') !== change.path); return undefined;
    case 'remove-device-rules': set('DeviceCgroupRules', []); inspection.withoutFlag('device-cgroup-rule'); return undefined;
    case 'remove-gpus': set('DeviceRequests', []); if (textAt(inspection.value(host), 'Runtime') === 'nvidia') set('Runtime', 'runc'); return undefined;
    case 'default-seccomp': inspection.withoutOption('seccomp'); return undefined;
    case 'default-apparmor': inspection.withoutOption('apparmor'); return undefined;
    case 'default-selinux': inspection.withoutOption('label', 'label-disable'); return undefined;
    case 'mask-paths':
      inspection.withoutOption('systempaths', 'unmask');
      inspection.remove([...host, 'MaskedPaths']);
      inspection.remove([...host, 'ReadonlyPaths']);
      return undefined;
    case 'no-new-privileges': inspection.withoutOption('no-new-privileges'); inspection.addOption('no-new-privileges'); return undefined;
    case 'read-only-root': set('ReadonlyRootfs', true); return undefined;
    case 'set-user': inspection.set([...config, 'User'], change.user); return undefined;
    case 'bound-memory': set('Memory', change.bytes); return undefined;
    case 'bound-pids': set('PidsLimit', change.count); return undefined;
    case 'bound-cpu': set('NanoCpus', change.cpus * 1e9); return undefined;
    case 'bound-restart': set('RestartPolicy', { Name: 'on-failure', MaximumRetryCount: 5 }); return undefined;
    case 'remove-variable': inspection.keep([...config, 'Env'], (entry) => asText(entry).split('=')[0] !== change.name); return undefined;
    case 'remove-sysctl':
      inspection.remove([...host, 'Sysctls', change.name]);
      if (fieldAt(inspection.value(host), 'Sysctls') === undefined) inspection.withoutFlag('sysctl');
      return undefined;
    case 'local-port': case 'remove-port': changePort(inspection, configuration, change); return undefined;
    case 'unpublish-all': set('PublishAllPorts', false); return undefined;
    case 'health-check':
      if (configuration.healthCheck !== 'off') return 'only the image\'s author knows how to check it';
      if (field(inspection.value(config), 'Healthcheck') !== undefined) inspection.remove([...config, 'Healthcheck']);
      return undefined;
    case 'remove-cgroup-parent': set('CgroupParent', ''); return undefined;
    case 'default-limits': set('Ulimits', [{ Name: 'nofile', Soft: 1024, Hard: 4096 }]); inspection.withFlag('--ulimit=nofile=1024:4096'); return undefined;
    case 'plain-directory': inspection.set([...config, 'WorkingDir'], '/'); return undefined;
    case 'set-image': return 'choose the version, and name its digest';
    case 'no-token': case 'no-host-process': case 'no-probe-hosts': case 'content-trust': case 'unprivileged-exec': return 'this kind of input does not have it';
  }
}
