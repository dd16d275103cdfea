/** Changes of a service in a Compose file. */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { applyChange } from './change.ts';
import type { Change } from './change.ts';
import { asText, field, fieldAt, listAt, pairsAt, textAt, textsAt } from './fields.ts';
import type { Configuration } from './model.ts';
import { removeWhere, valueAt } from './tree.ts';
import type { Path, Tree } from './tree.ts';
import { parseDevice, parsePort, parseVolume, withLocalAddress, withVolumeOption } from './values.ts';

const NAMESPACE_KEYS: Readonly<Record<string, string>> = { pid: 'pid', network: 'network_mode', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' };

class Service {
  readonly #tree: Tree;
  readonly #path: Path;

  constructor(tree: Tree, path: Path) {
    this.#tree = tree;
    this.#path = path;
  }
  get value(): Json | undefined {
    return valueAt(this.#tree.documents, this.#path);
  }
  set(value: Json, ...names: Path): void {
    this.#tree.set([...this.#path, ...names], value);
  }
  remove(...names: Path): void {
    if (valueAt(this.#tree.documents, [...this.#path, ...names]) !== undefined) this.#tree.remove([...this.#path, ...names]);
  }
  /** A list that becomes empty goes. */
  drop(name: string, isGone: (value: Json) => boolean): void {
    removeWhere(this.#tree, [...this.#path, name], isGone);
    if (Array.isArray(field(this.value, name)) && listAt(this.value, name).length === 0) this.remove(name);
  }
  withoutOption(...keys: readonly string[]): void {
    this.drop('security_opt', (option) => keys.includes(asText(option).split(/[=:]/)[0] ?? ''));
  }
}

function destinationOf(volume: Json): string {
  return isObject(volume) ? textAt(volume, 'target') : parseVolume(asText(volume)).destination;
}

function changeMount(service: Service, change: Change & { readonly destination: string }): void {
  if (change.kind === 'remove-mount') return service.drop('volumes', (volume) => destinationOf(volume) === change.destination);
  for (const [index, volume] of listAt(service.value, 'volumes').entries()) {
    if (destinationOf(volume) !== change.destination) continue;
    const isReadOnly = change.kind === 'read-only-mount';
    if (!isObject(volume)) service.set(withVolumeOption(asText(volume), isReadOnly ? 'read-only-mount' : 'private-mount'), 'volumes', index);
    else if (isReadOnly) service.set(true, 'volumes', index, 'read_only');
    else service.remove('volumes', index, 'bind', 'propagation');
  }
}

function isPort(port: Json, { containerPort, hostPort }: { readonly containerPort: number; readonly hostPort: number }): boolean {
  const text = isObject(port) ? `${textAt(port, 'published')}:${textAt(port, 'target')}`.replace(/^:/, '') : asText(port);
  const one = parsePort(text);
  return one.containerPort === containerPort && one.hostPort === hostPort;
}

function localPort(service: Service, change: { readonly containerPort: number; readonly hostPort: number }): void {
  for (const [index, port] of listAt(service.value, 'ports').entries()) {
    if (!isPort(port, change)) continue;
    if (isObject(port)) service.set('127.0.0.1', 'ports', index, 'host_ip');
    else service.set(withLocalAddress(asText(port)), 'ports', index);
  }
}

function removeVariable(service: Service, key: string, name: string): void {
  if (isObject(field(service.value, key))) service.remove(key, name);
  else service.drop(key, (entry) => asText(entry).split('=')[0] === name);
  if (pairsAt(service.value, key).size === 0) service.remove(key);
}

function bound(service: Service, limit: string, key: string, value: Json): void {
  if (fieldAt(service.value, 'deploy', 'resources', 'limits', limit) === undefined) service.set(value, key);
  else service.set(value, 'deploy', 'resources', 'limits', limit);
}

function withoutGpus(service: Service): void {
  service.remove('gpus');
  if (textAt(service.value, 'runtime') === 'nvidia') service.remove('runtime');
  const devices = listAt(service.value, 'deploy', 'resources', 'reservations', 'devices');
  if (devices.length > 0) service.set(devices.filter((device) => !textsAt(device, 'capabilities').includes('gpu')), 'deploy', 'resources', 'reservations', 'devices');
}

function changeCapabilities(service: Service, configuration: Configuration, change: Change): void {
  const { add, drop } = applyChange(configuration, change).capabilities;
  for (const [key, names] of [['cap_add', add], ['cap_drop', drop]] as const) {
    if (names.length === 0) service.remove(key);
    else service.set(names, key);
  }
}

/** Undefined: done. Otherwise why not. */
export function changeCompose(tree: Tree, path: Path, configuration: Configuration, change: Change): string | undefined {
  const service = new Service(tree, path);
  switch (change.kind) {
    case 'unprivileged': service.set(false, 'privileged'); return undefined;
    case 'drop-all-capabilities': case 'remove-capability': changeCapabilities(service, configuration, change); return undefined;
    case 'own-namespace': {
      const key = NAMESPACE_KEYS[change.namespace];
      if (key === undefined) return 'Docker maps users for the whole daemon: set "userns-remap" in daemon.json';
      service.remove(key);
      return undefined;
    }
    case 'remove-mount':
      if (field(service.value, 'use_api_socket') !== undefined && change.destination === '/var/run/docker.sock') service.remove('use_api_socket');
      changeMount(service, change);
      return undefined;
    case 'read-only-mount': case 'private-mount': changeMount(service, change); return undefined;
    case 'remove-device': service.drop('devices', (device) => (isObject(device) ? textAt(device, 'source') : parseDevice(asText(device)).path) === change.path); return undefined;
    case 'remove-device-rules': service.remove('device_cgroup_rules'); return undefined;
    case 'remove-gpus': withoutGpus(service); return undefined;
    case 'default-seccomp': service.withoutOption('seccomp'); return undefined;
    case 'default-apparmor': service.withoutOption('apparmor'); return undefined;
    case 'default-selinux': service.withoutOption('label', 'label-disable'); return undefined;
    case 'mask-paths': service.withoutOption('systempaths', 'unmask'); return undefined;
    case 'no-new-privileges':
      service.withoutOption('no-new-privileges');
      service.set([...textsAt(service.value, 'security_opt'), 'no-new-privileges:true'], 'security_opt');
      return undefined;
    case 'read-only-root': service.set(true, 'read_only'); return undefined;
    case 'set-user': service.set(change.user, 'user'); return undefined;
    case 'bound-memory': bound(service, 'memory', 'mem_limit', `${change.bytes / 2 ** 20}m`); return undefined;
    case 'bound-pids': bound(service, 'pids', 'pids_limit', change.count); return undefined;
    case 'bound-cpu': bound(service, 'cpus', 'cpus', change.cpus); return undefined;
    case 'bound-restart':
      if (fieldAt(service.value, 'deploy', 'restart_policy') === undefined) service.set('on-failure:5', 'restart');
      else service.set({ condition: 'on-failure', max_attempts: 5 }, 'deploy', 'restart_policy');
      return undefined;
    case 'remove-variable': removeVariable(service, 'environment', change.name); return undefined;
    case 'remove-sysctl': removeVariable(service, 'sysctls', change.name); return undefined;
    case 'local-port': localPort(service, change); return undefined;
    case 'remove-port': service.drop('ports', (port) => isPort(port, change)); return undefined;
    case 'health-check':
      if (configuration.healthCheck !== 'off') return 'only the image\'s author knows how to check it: give it a healthcheck';
      service.remove('healthcheck');
      return undefined;
    case 'remove-cgroup-parent': service.remove('cgroup_parent'); return undefined;
    case 'default-limits': service.set({ nofile: { soft: 1024, hard: 4096 } }, 'ulimits'); return undefined;
    case 'plain-directory': service.remove('working_dir'); return undefined;
    case 'set-image': return 'choose the version, and name its digest';
    case 'unpublish-all': case 'no-token': case 'no-host-process': case 'no-probe-hosts': case 'content-trust': case 'unprivileged-exec': return applyChange(configuration, change) === configuration ? undefined : 'a Compose file does not have it';
  }
}
