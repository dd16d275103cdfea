/** `docker inspect` and `podman inspect` of containers (moby api/types/container, Podman libpod/define), and the body with which a client asks for one (`POST /containers/create`). */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { commandLines } from './command-line.ts';
import { AuditInputError } from './errors.ts';
import { field, fieldAt, isYes, listAt, numberAt, objectAt, pairsAt, textAt, textsAt } from './fields.ts';
import { rewriteTree } from './input.ts';
import type { AuditInput } from './input.ts';
import { PLAIN } from './model.ts';
import type { Configuration, Device, Mount, NamespaceUse, Port } from './model.ts';
import { Flags } from './read-command.ts';
import type { Path, Tree } from './tree.ts';
import { atLoopback, capabilityList, environmentOf, namespaceUse, parseSecurityOptions, parseVolume } from './values.ts';
import { changeInspection } from './write-inspect.ts';

/** What was asked for (`Binds`, `Mounts` of HostConfig) and, of a container that was made, what there is (`Mounts`). */
function mountsOf(container: Json): readonly Mount[] {
  const host = objectAt(container, 'HostConfig');
  const binds = textsAt(host, 'Binds').map(parseVolume);
  const asked = listAt(host, 'Mounts').map((mount): Mount => {
    const options = objectAt(mount, 'VolumeOptions', 'DriverConfig', 'Options');
    const isBind = textAt(mount, 'Type') === 'bind' || /\bbind\b/.test(textAt(options, 'o'));
    return { kind: kindOf(isBind ? 'bind' : textAt(mount, 'Type')), source: textAt(options, 'device') || textAt(mount, 'Source'), destination: textAt(mount, 'Target'), readOnly: isYes(field(mount, 'ReadOnly')), propagation: textAt(mount, 'BindOptions', 'Propagation'), volumeType: '' };
  });
  const present = listAt(container, 'Mounts').map((mount): Mount => ({
    kind: kindOf(textAt(mount, 'Type') || 'bind'), source: textAt(mount, 'Type') === 'volume' ? textAt(mount, 'Name') : textAt(mount, 'Source'), destination: textAt(mount, 'Destination'), readOnly: field(mount, 'RW') === false, propagation: textAt(mount, 'Propagation'), volumeType: '',
  }));
  const temporary = [...pairsAt(host, 'Tmpfs').keys()].map((destination): Mount => ({ kind: 'tmpfs', source: '', destination, readOnly: false, propagation: '', volumeType: '' }));
  // One destination is one mount; what was asked for tells more.
  const byDestination = new Map([...present, ...temporary, ...asked, ...binds].map((mount) => [mount.destination, mount]));
  return [...byDestination.values()];
}

function kindOf(type: string): Mount['kind'] {
  return type === 'bind' || type === 'volume' || type === 'tmpfs' ? type : 'other';
}

function devicesOf(host: Json): readonly Device[] {
  return listAt(host, 'Devices').map((device) => ({ path: textAt(device, 'PathOnHost'), permissions: textAt(device, 'CgroupPermissions') || 'rwm', isBlock: false }));
}

function portsOf(host: Json): readonly Port[] {
  return Object.entries(objectAt(host, 'PortBindings')).flatMap(([key, bindings]) => (Array.isArray(bindings) ? bindings : []).map((binding: Json) => ({
    hostAddress: textAt(binding, 'HostIp').replace(/^0\.0\.0\.0$|^::$/, ''), hostPort: numberAt(binding, 'HostPort') ?? 0, containerPort: Number.parseInt(key, 10) || 0,
  })));
}

function namespacesOf(host: Json, isPodman: boolean, ipc: string): Configuration['namespaces'] {
  const users = textAt(host, 'UsernsMode');
  const mapped = isPodman && (/^(?:auto|keep-id|nomap|private)/.test(users) || listAt(host, 'IDMappings', 'UidMap').length > 0);
  return {
    pid: namespaceUse(textAt(host, 'PidMode')), network: namespaceUse(textAt(host, 'NetworkMode')), ipc: namespaceUse(ipc), uts: namespaceUse(textAt(host, 'UTSMode')),
    cgroup: cgroupNamespace(host, isPodman), user: mapped ? 'own' : users.startsWith('container:') ? 'shared' : 'host',
  };
}

/** Where nothing was asked for, the daemon decides by the version of the host's cgroups. */
function cgroupNamespace(host: Json, isPodman: boolean): NamespaceUse {
  const mode = textAt(host, isPodman ? 'CgroupMode' : 'CgroupnsMode');
  return mode === '' ? 'unshown' : namespaceUse(mode);
}

/** Podman keeps the command line that made a container, and 4.3 says `shareable` in `IpcMode` for what was asked to be the host's. */
function podmanFlags(container: Json): Flags {
  const words = textsAt(container, 'Config', 'CreateCommand');
  try {
    return new Flags(commandLines([words.map((text) => ({ text, start: 0, end: 0, expanded: false, unknown: false }))])[0]?.flags ?? []);
  } catch (error) {
    if (error instanceof AuditInputError) return new Flags([]);
    throw error;
  }
}

/** Podman fills its default limits in, so those that were asked for are in its command line. */
function resourcesOf(host: Json, limits: readonly string[] | undefined): Pick<Configuration, 'memory' | 'cpuBounded' | 'pids' | 'ulimits' | 'restart' | 'cgroupParent'> {
  const number = (name: string): number => numberAt(host, name) ?? 0;
  return {
    memory: number('Memory'), cpuBounded: number('NanoCpus') > 0 || number('CpuShares') > 0 || number('CpuQuota') > 0 || textAt(host, 'CpusetCpus') !== '', pids: number('PidsLimit'),
    ulimits: limits ?? listAt(host, 'Ulimits').map((limit) => textAt(limit, 'Name')), restart: { name: textAt(host, 'RestartPolicy', 'Name') || 'no', retries: numberAt(host, 'RestartPolicy', 'MaximumRetryCount') ?? 0 },
    cgroupParent: textAt(host, 'CgroupParent') || undefined,
  };
}

/** The inspection of Docker's container has the image's check in it; a request, and Podman's, only its own. */
function healthOf(config: Json, isWhole: boolean): Configuration['healthCheck'] {
  const test = textsAt(config, 'Healthcheck', 'Test');
  if (test.length === 0) return isWhole ? 'none' : 'image';
  return test[0] === 'NONE' ? 'off' : 'on';
}

/** Docker fills the image's command and entrypoint in; Podman writes an entrypoint as one text. */
function commandOf(config: Json): readonly string[] {
  const entrypoint = field(config, 'Entrypoint');
  return [...(Array.isArray(entrypoint) ? textsAt(config, 'Entrypoint') : textAt(config, 'Entrypoint').split(' ').filter((word) => word !== '')), ...textsAt(config, 'Cmd')];
}

/** Podman lists all that it has; what it says was added and dropped is worked out from that, and wrong for ALL. */
function capabilitiesOf(container: Json, host: Json, isPodman: boolean): Configuration['capabilities'] {
  const bounding = field(container, 'BoundingCaps');
  if (isPodman && Array.isArray(bounding)) return { base: 'none', add: capabilityList(textsAt(container, 'BoundingCaps')), drop: [] };
  return { base: isPodman ? 'podman' : 'docker', add: capabilityList(textsAt(host, 'CapAdd')), drop: capabilityList(textsAt(host, 'CapDrop')) };
}

function configurationOf(container: Json, index: number): Configuration {
  const host = objectAt(container, 'HostConfig');
  // The body of a request has no `Config`: its fields stand at the top.
  const config = field(container, 'Config') === undefined ? container : objectAt(container, 'Config');
  const isOurs = textAt(container, 'Driver') === 'layers' && textAt(host, 'LogConfig', 'Type') === 'cri';
  const isPodman = field(container, 'OCIRuntime') !== undefined || field(host, 'CgroupManager') !== undefined;
  const flags = isPodman ? podmanFlags(container) : new Flags([]);
  const network = textAt(host, 'NetworkMode');
  const rules = textsAt(host, 'DeviceCgroupRules');
  const covered = fieldAt(host, 'MaskedPaths');
  const options = parseSecurityOptions(textsAt(host, 'SecurityOpt'));
  return {
    ...PLAIN, kind: isOurs ? 'caisson' : isPodman ? 'podman-inspect' : 'docker-inspect', engine: isOurs ? 'caisson' : isPodman ? 'podman' : 'docker',
    name: textAt(container, 'Name').replace(/^\//, '') || textAt(container, 'Id').slice(0, 12) || `container ${index + 1}`,
    image: textAt(config, 'Image') || textAt(container, 'ImageName') || undefined, privileged: isYes(field(host, 'Privileged')), capabilities: capabilitiesOf(container, host, isPodman), user: textAt(config, 'User'),
    namespaces: namespacesOf(host, isPodman, flags.last('ipc') ?? textAt(host, 'IpcMode')), mounts: mountsOf(container), devices: devicesOf(host), deviceRules: rules.length > 0 ? rules : flags.all('device-cgroup-rule'),
    gpus: listAt(host, 'DeviceRequests').length > 0 || textAt(host, 'Runtime') === 'nvidia', ...options,
    // An empty list, as opposed to none, is systempaths=unconfined.
    unmaskedPaths: options.unmaskedPaths || (Array.isArray(covered) && covered.length === 0), readOnlyRoot: isYes(field(host, 'ReadonlyRootfs')), ...resourcesOf(host, isPodman ? flags.all('ulimit') : undefined), healthCheck: healthOf(config, !isPodman && config !== container && !isOurs),
    ports: portsOf(host), publishAll: isYes(field(host, 'PublishAllPorts')), defaultBridge: ['default', 'bridge', ''].includes(network) || (isPodman && network === 'bridge'),
    sysctls: field(host, 'Sysctls') === undefined ? environmentOf(flags.all('sysctl')) : pairsAt(host, 'Sysctls'), environment: pairsAt(config, 'Env'), command: commandOf(config), workingDirectory: textAt(config, 'WorkingDir'),
    runtime: ['oci', 'runc', 'crun'].includes(textAt(host, 'Runtime')) ? '' : textAt(host, 'Runtime'),
    ...(isOurs ? { reach: network === 'none' ? 'none' as const : 'outbound' as const, ports: portsOf(host).map(atLoopback), defaultBridge: false } : {}),
  };
}

/** A container, or what a client asks of one. */
export function isInspection(value: Json | undefined): boolean {
  return isObject(field(value, 'HostConfig'));
}

/** `paths` of the containers in the tree. */
export function readInspection(tree: Tree, paths: readonly Path[], values: readonly Json[]): AuditInput {
  const configurations = values.map(configurationOf);
  return {
    kind: configurations[0]?.kind ?? 'docker-inspect', configurations, lines: paths.map((path) => tree.lineOf(path)), notes: [],
    rewrite: (changes) => rewriteTree(tree, configurations, changes, (index, configuration, change) => changeInspection(tree, paths[index] ?? [], configuration, change)),
  };
}
