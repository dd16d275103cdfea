/** Pods, and what makes pods, of Kubernetes (API reference v1.31: core/v1, apps/v1, batch/v1). A configuration for each container; what the pod says counts where the container does not. */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { AuditInputError } from './errors.ts';
import { field, fieldAt, isYes, listAt, numberAt, objectAt, textAt, textsAt } from './fields.ts';
import { rewriteTree } from './input.ts';
import type { AuditInput } from './input.ts';
import { MOST_CONTAINERS } from './limits.ts';
import { PLAIN } from './model.ts';
import type { Configuration, Confinement, Mount, NamespaceUse } from './model.ts';
import type { Path, Tree } from './tree.ts';
import { capabilityList, parseBytes } from './values.ts';
import { changeKubernetes } from './write-kubernetes.ts';

/** Where a kind has its pod. */
const POD_PATHS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['Pod', []], ['PodTemplate', ['template']],
  ...['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job'].map((kind) => [kind, ['spec', 'template']] as const),
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
]);
const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** A container, and the pod it is in. */
export interface Place {
  readonly pod: Path;
  readonly container: Path;
}

interface Found extends Place {
  readonly name: string;
  readonly podValue: Json;
  readonly value: Json;
}

function podsOf(value: Json | undefined, path: Path): readonly { readonly path: Path; readonly value: Json; readonly name: string }[] {
  const kind = textAt(value, 'kind');
  if (kind.endsWith('List')) return listAt(value, 'items').flatMap((item, index) => podsOf(item, [...path, 'items', index]));
  const within = POD_PATHS.get(kind);
  const pod = within === undefined ? undefined : fieldAt(value, ...within);
  if (within === undefined || !isObject(pod)) return [];
  const name = textAt(value, 'metadata', 'name') || textAt(value, 'metadata', 'generateName');
  return [{ path: [...path, ...within], value: pod, name: `${kind.toLowerCase()}/${name === '' ? 'unnamed' : name}` }];
}

function containersOf(documents: readonly Json[]): readonly Found[] {
  return documents.flatMap((document, number) => podsOf(document, [number])).flatMap(({ path, value, name }) => CONTAINER_LISTS.flatMap((list) => listAt(value, 'spec', list).map((container, index): Found => ({
    pod: path, container: [...path, 'spec', list, index], podValue: value, value: container, name: `${name}/${textAt(container, 'name') || `${list}[${index}]`}`,
  }))));
}

/** The container's word, or else the pod's. */
function setting(pod: Json, container: Json, ...names: readonly string[]): Json | undefined {
  return fieldAt(container, 'securityContext', ...names) ?? fieldAt(pod, 'spec', 'securityContext', ...names);
}

function profileOf(profile: Json | undefined, unset: Confinement): Confinement {
  const type = textAt(profile, 'type');
  return type === 'Unconfined' ? 'unconfined' : type === 'RuntimeDefault' ? 'default' : type === 'Localhost' ? 'custom' : unset;
}

function apparmorOf(pod: Json, container: Json): Confinement {
  // Before 1.30 it was an annotation.
  const noted = textAt(field(objectAt(pod, 'metadata', 'annotations'), `container.apparmor.security.beta.kubernetes.io/${textAt(container, 'name')}`));
  const known = profileOf(setting(pod, container, 'appArmorProfile'), 'default');
  return noted === 'unconfined' ? 'unconfined' : noted.startsWith('localhost/') ? 'custom' : known;
}

function mountsOf(pod: Json, container: Json): readonly Mount[] {
  const volumes = new Map(listAt(pod, 'spec', 'volumes').map((volume) => [textAt(volume, 'name'), volume]));
  return listAt(container, 'volumeMounts').map((mount): Mount => {
    const volume = volumes.get(textAt(mount, 'name')) ?? null;
    const type = isObject(volume) ? Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir' : '';
    const isHost = type === 'hostPath';
    const propagation = textAt(mount, 'mountPropagation');
    const subPath = textAt(mount, 'subPath');
    const path = textAt(volume, 'hostPath', 'path');
    return {
      kind: isHost ? 'bind' : type === 'emptyDir' && textAt(volume, 'emptyDir', 'medium') === 'Memory' ? 'tmpfs' : 'volume', source: isHost ? (subPath === '' ? path : `${path}/${subPath}`) : textAt(mount, 'name'), destination: textAt(mount, 'mountPath'),
      readOnly: isYes(field(mount, 'readOnly')), propagation: propagation === 'Bidirectional' ? 'rshared' : propagation === 'HostToContainer' ? 'rslave' : '', volumeType: type,
    };
  });
}

function selinuxOf(pod: Json, container: Json): Configuration['selinux'] {
  const options = setting(pod, container, 'seLinuxOptions');
  const [type, user, role] = [textAt(options, 'type'), textAt(options, 'user'), textAt(options, 'role')];
  return { state: type === 'spc_t' ? 'disabled' : type === '' && user === '' && role === '' ? 'default' : 'custom', type, user, role };
}

function userOf(pod: Json, container: Json): string {
  const user = setting(pod, container, 'runAsUser');
  return typeof user === 'number' || typeof user === 'string' ? String(user) : '';
}

function probeHostsOf(container: Json): readonly string[] {
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => field(container, name));
  const hooks = ['postStart', 'preStop'].map((name) => fieldAt(container, 'lifecycle', name));
  return [...probes, ...hooks].flatMap((probe) => ['httpGet', 'tcpSocket'].map((kind) => textAt(probe, kind, 'host'))).filter((host) => host !== '');
}

function environmentOf(container: Json): ReadonlyMap<string, string> {
  return new Map(listAt(container, 'env').filter((entry) => fieldAt(entry, 'valueFrom') === undefined).map((entry) => [textAt(entry, 'name'), textAt(entry, 'value')]));
}

function configurationOf({ podValue: pod, value: container, name, container: path }: Found): Configuration {
  const host = (flag: string): NamespaceUse => (isYes(fieldAt(pod, 'spec', flag)) ? 'host' : 'own');
  const memory = textAt(container, 'resources', 'limits', 'memory');
  const noNewPrivileges = fieldAt(container, 'securityContext', 'allowPrivilegeEscalation') === false;
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].some((probe) => isObject(field(container, probe)));
  const runtimeClass = textAt(pod, 'spec', 'runtimeClassName');
  return {
    ...PLAIN, kind: 'kubernetes', engine: 'kubernetes', name, image: textAt(container, 'image') || undefined, privileged: isYes(fieldAt(container, 'securityContext', 'privileged')),
    capabilities: { base: 'docker', add: capabilityList(textsAt(container, 'securityContext', 'capabilities', 'add')), drop: capabilityList(textsAt(container, 'securityContext', 'capabilities', 'drop')) },
    user: userOf(pod, container), mustBeNonRoot: isYes(setting(pod, container, 'runAsNonRoot')),
    // The containers of a pod share their network and IPC namespaces: nothing that a pod could do otherwise.
    namespaces: { pid: host('hostPID'), network: host('hostNetwork'), ipc: host('hostIPC'), uts: host('hostNetwork') === 'host' ? 'host' : 'own', user: fieldAt(pod, 'spec', 'hostUsers') === false ? 'own' : 'host', cgroup: 'unshown' },
    mounts: mountsOf(pod, container), devices: listAt(container, 'volumeDevices').map((device) => ({ path: textAt(device, 'devicePath'), permissions: 'rwm', isBlock: false })),
    gpus: Object.keys(objectAt(container, 'resources', 'limits')).some((resource) => /gpu/i.test(resource)),
    seccomp: profileOf(setting(pod, container, 'seccompProfile'), 'unset'), apparmor: apparmorOf(pod, container), selinux: selinuxOf(pod, container), noNewPrivileges,
    unmaskedPaths: textAt(container, 'securityContext', 'procMount') === 'Unmasked', readOnlyRoot: isYes(fieldAt(container, 'securityContext', 'readOnlyRootFilesystem')),
    memory: memory === '' ? 0 : parseBytes(memory) ?? 0, cpuBounded: textAt(container, 'resources', 'limits', 'cpu') !== '',
    // The kubelet bounds processes and files, and decides when to start again.
    pids: undefined, ulimits: undefined, restart: undefined, healthCheck: path.at(-2) === 'initContainers' ? undefined : probes ? 'on' : 'none',
    ports: listAt(container, 'ports').filter((port) => (numberAt(port, 'hostPort') ?? 0) > 0).map((port) => ({ hostAddress: textAt(port, 'hostIP').replace(/^0\.0\.0\.0$|^::$/, ''), hostPort: numberAt(port, 'hostPort') ?? 0, containerPort: numberAt(port, 'containerPort') ?? 0 })),
    defaultBridge: false, sysctls: new Map(listAt(pod, 'spec', 'securityContext', 'sysctls').map((sysctl) => [textAt(sysctl, 'name'), textAt(sysctl, 'value')])),
    environment: environmentOf(container), command: [...textsAt(container, 'command'), ...textsAt(container, 'args')], workingDirectory: textAt(container, 'workingDir'),
    runtime: /gvisor|runsc/i.test(runtimeClass) ? 'runsc' : runtimeClass, serviceAccountToken: fieldAt(pod, 'spec', 'automountServiceAccountToken') !== false,
    windowsHostProcess: isYes(setting(pod, container, 'windowsOptions', 'hostProcess')), probeHosts: probeHostsOf(container),
  };
}

/** A document of Kubernetes, whether it has pods or not. */
export function isKubernetes(value: Json | undefined): boolean {
  return textAt(value, 'apiVersion') !== '' && textAt(value, 'kind') !== '';
}

/** @throws AuditInputError where there is no pod in it. */
export function readKubernetes(tree: Tree): AuditInput {
  const found = containersOf(tree.documents);
  if (found.length === 0) throw new AuditInputError('there is no pod in it, nor anything that makes pods', 'it can be a Pod, Deployment, DaemonSet, StatefulSet, ReplicaSet, Job, CronJob or a List of them');
  if (found.length > MOST_CONTAINERS) throw new AuditInputError(`cannot read it: it has more than ${MOST_CONTAINERS} containers`, 'split it');
  const configurations = found.map(configurationOf);
  const lines = found.map(({ container }) => tree.lineOf(container));
  return {
    kind: 'kubernetes', configurations, lines, notes: [],
    rewrite: (changes) => rewriteTree(tree, configurations, changes, (index, configuration, change) => {
      const place = found[index];
      return place === undefined ? undefined : changeKubernetes(tree, place, configuration, change);
    }),
  };
}
