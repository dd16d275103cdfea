/** Changes of pods. What belongs to the pod is changed for all its containers. */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { capabilityName } from './capabilities.ts';
import { applyChange } from './change.ts';
import type { Change } from './change.ts';
import { asText, field, fieldAt, listAt, numberAt, objectAt, textAt } from './fields.ts';
import type { Configuration } from './model.ts';
import type { Place } from './read-kubernetes.ts';
import { removeWhere, valueAt } from './tree.ts';
import type { Path, Tree } from './tree.ts';

const HOST_FLAGS: Readonly<Record<string, string>> = { pid: 'hostPID', network: 'hostNetwork', ipc: 'hostIPC', uts: 'hostNetwork' };

class Pod {
  readonly #tree: Tree;
  readonly container: Path;
  readonly spec: Path;
  readonly pod: Path;

  constructor(tree: Tree, { pod, container }: Place) {
    this.#tree = tree;
    this.pod = pod;
    this.container = container;
    this.spec = [...pod, 'spec'];
  }
  value(path: Path): Json | undefined {
    return valueAt(this.#tree.documents, path);
  }
  set(path: Path, value: Json): void {
    this.#tree.set(path, value);
  }
  /** A mapping that becomes empty goes as well. */
  remove(path: Path): void {
    if (this.value(path) === undefined) return;
    this.#tree.remove(path);
    const above = path.slice(0, -1);
    const left = this.value(above);
    if (above.length > this.pod.length + 1 && isObject(left) && Object.keys(left).length === 0 && typeof above.at(-1) === 'string') this.remove(above);
  }
  drop(path: Path, isGone: (value: Json) => boolean): void {
    removeWhere(this.#tree, path, isGone);
    const left = this.value(path);
    if (Array.isArray(left) && left.length === 0) this.remove(path);
  }
  context(name: string, value: Json): void {
    this.set([...this.container, 'securityContext', name], value);
  }
  /** In the container and, where it comes from there, in the pod. */
  withoutContext(name: string): void {
    this.remove([...this.container, 'securityContext', name]);
    this.remove([...this.spec, 'securityContext', name]);
  }
  /** Nobody mounts it any more: the volume goes as well. */
  dropVolume(name: string): void {
    const isUsed = ['initContainers', 'containers', 'ephemeralContainers'].some((list) => listAt(this.value(this.spec), list).some((container) => listAt(container, 'volumeMounts').some((mount) => textAt(mount, 'name') === name)));
    if (!isUsed) this.drop([...this.spec, 'volumes'], (volume) => textAt(volume, 'name') === name);
  }
  eachMount(destination: string, change: (path: Path) => void): void {
    for (const [index, mount] of listAt(this.value(this.container), 'volumeMounts').entries()) if (textAt(mount, 'mountPath') === destination) change([...this.container, 'volumeMounts', index]);
  }
}

function changeCapabilities(pod: Pod, configuration: Configuration, change: Change): void {
  const { add, drop } = applyChange(configuration, change).capabilities;
  const path = [...pod.container, 'securityContext', 'capabilities'];
  const put = (name: string, names: readonly string[]): void => {
    if (names.length === 0) pod.remove([...path, name]);
    else pod.set([...path, name], names.map(capabilityName));
  };
  put('add', add);
  put('drop', drop);
}

function changePort(pod: Pod, { containerPort, hostPort }: { readonly containerPort: number; readonly hostPort: number }, address: string | undefined): void {
  for (const [index, port] of listAt(pod.value(pod.container), 'ports').entries()) {
    if (numberAt(port, 'containerPort') !== containerPort || numberAt(port, 'hostPort') !== hostPort) continue;
    if (address !== undefined) pod.set([...pod.container, 'ports', index, 'hostIP'], address);
    else {
      pod.remove([...pod.container, 'ports', index, 'hostPort']);
      pod.remove([...pod.container, 'ports', index, 'hostIP']);
    }
  }
}

function changeMount(pod: Pod, change: Change & { readonly destination: string }): void {
  const names: string[] = [];
  pod.eachMount(change.destination, (path) => {
    if (change.kind === 'read-only-mount') pod.set([...path, 'readOnly'], true);
    else if (change.kind === 'private-mount') pod.remove([...path, 'mountPropagation']);
    else names.push(textAt(pod.value(path), 'name'));
  });
  if (change.kind !== 'remove-mount') return;
  pod.drop([...pod.container, 'volumeMounts'], (mount) => textAt(mount, 'mountPath') === change.destination);
  for (const name of names) pod.dropVolume(name);
}

function withoutProbeHosts(pod: Pod): void {
  const owners = [...['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => [name]), ['lifecycle', 'postStart'], ['lifecycle', 'preStop']];
  for (const owner of owners) for (const kind of ['httpGet', 'tcpSocket']) pod.remove([...pod.container, ...owner, kind, 'host']);
}

function setSeccomp(pod: Pod): void {
  const own = fieldAt(pod.value(pod.container), 'securityContext', 'seccompProfile');
  const path = own === undefined ? [...pod.spec, 'securityContext'] : [...pod.container, 'securityContext'];
  pod.set([...path, 'seccompProfile'], { type: 'RuntimeDefault' });
}

/** Undefined: done. Otherwise why not. */
export function changeKubernetes(tree: Tree, place: Place, configuration: Configuration, change: Change): string | undefined {
  const pod = new Pod(tree, place);
  const notShown = 'a pod does not have it';
  switch (change.kind) {
    case 'unprivileged': pod.context('privileged', false); return undefined;
    case 'drop-all-capabilities': case 'remove-capability': changeCapabilities(pod, configuration, change); return undefined;
    case 'own-namespace': {
      if (change.namespace === 'user') pod.set([...pod.spec, 'hostUsers'], false);
      const flag = HOST_FLAGS[change.namespace];
      if (flag !== undefined) pod.remove([...pod.spec, flag]);
      return change.namespace === 'cgroup' ? notShown : undefined;
    }
    case 'remove-mount': case 'read-only-mount': case 'private-mount': changeMount(pod, change); return undefined;
    case 'remove-device': pod.drop([...pod.container, 'volumeDevices'], (device) => textAt(device, 'devicePath') === change.path); return undefined;
    case 'remove-gpus':
      for (const list of ['limits', 'requests']) for (const name of Object.keys(objectAt(pod.value(pod.container), 'resources', list))) if (/gpu/i.test(name)) pod.remove([...pod.container, 'resources', list, name]);
      return undefined;
    case 'default-seccomp': setSeccomp(pod); return undefined;
    case 'default-apparmor':
      pod.withoutContext('appArmorProfile');
      pod.remove([...pod.pod, 'metadata', 'annotations', `container.apparmor.security.beta.kubernetes.io/${textAt(pod.value(pod.container), 'name')}`]);
      return undefined;
    case 'default-selinux': pod.withoutContext('seLinuxOptions'); return undefined;
    case 'mask-paths': pod.withoutContext('procMount'); return undefined;
    case 'no-new-privileges': pod.context('allowPrivilegeEscalation', false); return undefined;
    case 'read-only-root': pod.context('readOnlyRootFilesystem', true); return undefined;
    case 'set-user': {
      const [user = '', group = user] = change.user.split(':');
      pod.context('runAsNonRoot', true);
      pod.context('runAsUser', Number(user));
      pod.context('runAsGroup', Number(group));
      return undefined;
    }
    case 'bound-memory': pod.set([...pod.container, 'resources', 'limits', 'memory'], `${change.bytes / 2 ** 20}Mi`); return undefined;
    case 'bound-cpu': pod.set([...pod.container, 'resources', 'limits', 'cpu'], String(change.cpus)); return undefined;
    case 'remove-variable': pod.drop([...pod.container, 'env'], (entry) => asText(field(entry, 'name')) === change.name); return undefined;
    case 'remove-sysctl': pod.drop([...pod.spec, 'securityContext', 'sysctls'], (sysctl) => textAt(sysctl, 'name') === change.name); return undefined;
    case 'local-port': changePort(pod, change, '127.0.0.1'); return undefined;
    case 'remove-port': changePort(pod, change, undefined); return undefined;
    case 'no-token': pod.set([...pod.spec, 'automountServiceAccountToken'], false); return undefined;
    case 'no-host-process':
      pod.remove([...pod.container, 'securityContext', 'windowsOptions', 'hostProcess']);
      pod.remove([...pod.spec, 'securityContext', 'windowsOptions', 'hostProcess']);
      return undefined;
    case 'no-probe-hosts': withoutProbeHosts(pod); return undefined;
    case 'plain-directory': pod.remove([...pod.container, 'workingDir']); return undefined;
    case 'health-check': return 'only the program\'s author knows how to check it: give it a livenessProbe';
    case 'set-image': return 'choose the version, and name its digest';
    case 'remove-device-rules': case 'bound-pids': case 'bound-restart': case 'unpublish-all': case 'content-trust': case 'remove-cgroup-parent': case 'default-limits': case 'unprivileged-exec':
      return applyChange(configuration, change) === configuration ? undefined : notShown;
  }
}
