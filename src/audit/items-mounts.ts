/** Items about what of the host is shown: files, devices and namespaces. */
import type { Change } from './change.ts';
import { reachesAllDevices } from './effective.ts';
import { isDisk, isHarmlessDevice, isMemoryDevice, mountsOfPlace } from './host-places.ts';
import type { PlaceName } from './host-places.ts';
import { AS_THE_USER, NOT_OPENED, NO_SUCH_FLAG, OWN_FILES, when } from './item.ts';
import type { Item, Meaning } from './item.ts';
import type { Configuration, Mount, NamespaceName } from './model.ts';

function shown({ source, destination, readOnly }: Mount): string {
  return `${source} on ${destination}${readOnly ? ', read-only' : ''}`;
}

function mountItem(place: PlaceName, summary: string, docker: string, gvisor: string, caisson: Meaning['caisson'] = AS_THE_USER): Item {
  return {
    id: `mount-${place}`, summary, remedy: 'mount the one file or directory that it needs, read-only, or nothing',
    find: (configuration) => mountsOfPlace(configuration, place).map(shown), changes: (configuration) => removals(mountsOfPlace(configuration, place)),
    meaning: { docker, gvisor, caisson },
  };
}

function removals(mounts: readonly Mount[]): readonly Change[] {
  return mounts.map(({ destination }) => ({ kind: 'remove-mount', destination }));
}

const GOFER = 'the gofer opens the files on the host, as root where it was started so: they are reached all the same';

const MOUNT_ITEMS: readonly Item[] = [
  mountItem('engine-socket', 'The socket of a container engine is mounted', 'whoever can write to it starts a privileged container on the host, read-only or not: a socket is not a file', 'sockets of the host are refused unless runsc was started with --host-uds=open', NOT_OPENED),
  mountItem('root', 'The root directory of the host is mounted', 'every file of the host: writable, it is root of the host by a line in cron or in authorized_keys; read-only, all its secrets', GOFER),
  mountItem('system', 'A system directory of the host is mounted', 'accounts, services and programs of the host can be read, and where it is writable changed', GOFER),
  mountItem('home', 'A whole home directory of the host is mounted', 'keys and tokens can be read; writable, what its owner starts next (.bashrc, .ssh/authorized_keys)', GOFER),
  mountItem('proc', 'The /proc of the host is mounted', 'core_pattern, modprobe, sysrq-trigger and every process of the host', 'shown through the gofer: plain files of the host, and writing them works', OWN_FILES),
  mountItem('sys', 'The /sys of the host is mounted', 'uevent_helper, devices, cgroups and firmware of the host', 'shown through the gofer: plain files of the host, and writing them works', OWN_FILES),
  mountItem('cgroup', 'The cgroups of the host are mounted', 'limits of all, and with cgroup v1 release_agent and devices.allow', 'shown through the gofer', OWN_FILES),
  mountItem('dev', 'Devices of the host are mounted', 'disks and memory of the host, as far as the device rules allow', 'devices are not passed on unless runsc was told so', NOT_OPENED),
  mountItem('shm', 'The shared memory of the host is mounted', 'data that programs of the host share can be read and changed', GOFER),
  mountItem('logs', 'The logs of the host are mounted', 'logs are read and, where writable, changed; under Kubernetes a link in them makes the kubelet serve any file', GOFER),
  mountItem('engine-data', 'The data of a container engine is mounted', 'files of all other containers, their configuration and their secrets', GOFER),
  mountItem('kubelet', 'The data of the kubelet is mounted', 'tokens and secrets of all other pods of the node', GOFER),
  mountItem('credentials', 'A directory of credentials is mounted', 'keys of clouds, clusters and machines can be read', GOFER, { applies: true, why: 'applies where it is named itself; known places of credentials in a directory above it are hidden' }),
  mountItem('agent-socket', 'A socket or run-time directory of the host\'s services is mounted', 'what the service does for its users it does for the container: signs with keys, starts units, types into windows', 'sockets of the host are refused unless runsc was started with --host-uds=open', NOT_OPENED),
  mountItem('lxcfs', 'The tree of lxcfs is mounted', 'it has the cgroups of the host in it: devices.allow can be written', 'shown through the gofer', OWN_FILES),
  mountItem('binfmt', 'binfmt_misc of the host is in a mount', 'an interpreter can be registered that the host runs as root', 'shown through the gofer', OWN_FILES),
  mountItem('debugfs', 'Debugging and tracing files of the kernel are in a mount', 'the host\'s kernel can be watched and, by some drivers, written', 'shown through the gofer', OWN_FILES),
  mountItem('modules', 'Kernel modules or sources of the host are mounted', 'it says which kernel is to be attacked, and is half of what loading a module takes', GOFER),
  {
    id: 'host-path', summary: 'A path of the host is mounted', remedy: 'use a volume', find: ({ mounts }) => mounts.filter(({ kind, source }) => kind === 'bind' && source !== '/dev/null').map(shown), changes: ({ mounts }) => removals(mounts.filter(({ kind }) => kind === 'bind')),
    meaning: { docker: 'what is there is shared with the host', gvisor: GOFER, caisson: AS_THE_USER },
  },
  {
    id: 'shared-propagation', summary: 'Mounts made in it appear on the host', remedy: 'leave the propagation private', find: ({ mounts }) => mounts.filter(({ propagation }) => /shared/.test(propagation)).map(({ destination, propagation }) => `${destination} is ${propagation}`),
    changes: ({ mounts }) => mounts.filter(({ propagation }) => /shared/.test(propagation)).map(({ destination }) => ({ kind: 'private-mount', destination })),
    meaning: { docker: 'with CAP_SYS_ADMIN it mounts over directories of the host', gvisor: 'mounts are made in the sentry and not passed on', caisson: NO_SUCH_FLAG },
  },
  {
    id: 'volume-types', summary: 'It uses volumes of a type that the restricted standard does not allow', remedy: 'use a configMap, secret, emptyDir, projected or persistent volume', changes: ({ mounts }) => removals(mounts.filter(({ volumeType }) => volumeType !== '' && !RESTRICTED_VOLUMES.has(volumeType))),
    find: ({ kind, mounts }) => (kind === 'kubernetes' ? mounts.filter(({ volumeType }) => volumeType !== '' && !RESTRICTED_VOLUMES.has(volumeType)).map(({ volumeType, destination }) => `${volumeType} on ${destination}`) : undefined),
    meaning: { docker: 'drivers for such volumes run in the host\'s kernel, or show the host\'s files', gvisor: 'mounted on the host, shown through the gofer', caisson: NO_SUCH_FLAG },
  },
];

const RESTRICTED_VOLUMES: ReadonlySet<string> = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']);

function deviceItem(id: string, summary: string, isSo: (device: Configuration['devices'][number]) => boolean, docker: string): Item {
  return {
    id, summary, remedy: 'leave the device out', find: ({ devices }) => devices.filter(isSo).map(({ path, permissions }) => `${path} (${permissions})`), changes: ({ devices }) => devices.filter(isSo).map(({ path }) => ({ kind: 'remove-device', path })),
    meaning: { docker, gvisor: 'devices are not passed on, except GPUs and TPUs where runsc was told so', caisson: NO_SUCH_FLAG },
  };
}

const DEVICE_ITEMS: readonly Item[] = [
  deviceItem('host-device', 'A device of the host is given to it', (device) => !isHarmlessDevice(device), 'its driver in the host\'s kernel is open to the container'),
  deviceItem('disk-device', 'A disk of the host is given to it', isDisk, 'files of the host are read and written below its file system, whatever their permissions'),
  deviceItem('memory-device', 'The memory of the host is given to it', isMemoryDevice, 'memory of the host\'s kernel is read and written'),
  {
    id: 'all-devices', summary: 'It may open every device that it makes', remedy: 'name the one device that it needs', find: (configuration) => when(reachesAllDevices(configuration), configuration.privileged ? 'privileged containers may' : configuration.deviceRules.join(', ')),
    changes: (configuration) => [...(configuration.privileged ? [{ kind: 'unprivileged' } as const] : []), { kind: 'remove-device-rules' }, { kind: 'remove-device', path: 'all' }],
    meaning: { docker: 'with CAP_MKNOD, which is there by default, it makes the host\'s disks and reads them', gvisor: 'device files of the sentry only', caisson: NO_SUCH_FLAG },
  },
  {
    id: 'gpus', summary: 'It uses the GPU of the host', remedy: 'leave the GPU out where it is not needed, and keep the container toolkit new', find: ({ gpus }) => when(gpus, 'a GPU is asked for'), changes: () => [{ kind: 'remove-gpus' }],
    meaning: { docker: 'a large driver in the host\'s kernel, and a hook that runs as root on the host (CVE-2024-0132, CVE-2025-23266)', gvisor: 'the calls of the driver go through nvproxy, a list of those that are known', caisson: NO_SUCH_FLAG },
  },
];

function namespaceItem(id: string, namespace: NamespaceName, summary: string, docker: string, gvisor: string): Item {
  return {
    id, summary, remedy: `give it a namespace of its own (${namespace === 'uts' ? 'UTS' : namespace})`, find: ({ namespaces }) => (namespaces[namespace] === 'unshown' ? undefined : when(namespaces[namespace] === 'host', `the ${namespace === 'uts' ? 'UTS' : namespace} namespace is the host's`)),
    changes: ({ engine }) => (namespace === 'user' && engine === 'docker' ? [] : [{ kind: 'own-namespace', namespace }]), meaning: { docker, gvisor, caisson: NO_SUCH_FLAG },
  };
}

const NAMESPACE_ITEMS: readonly Item[] = [
  namespaceItem('host-pid', 'pid', 'It shares the host\'s processes', 'it sees all processes of the host, with their command lines, and can signal those of its own user', 'the sentry shows its own processes only'),
  namespaceItem('host-network', 'network', 'It shares the host\'s network', 'services on localhost, abstract sockets and the metadata service of a cloud are reached as from the host', 'the sentry\'s stack uses the host\'s interfaces; abstract sockets are its own'),
  namespaceItem('host-ipc', 'ipc', 'It shares the host\'s IPC', 'shared memory, semaphores and queues of the host\'s programs', 'the sentry\'s own IPC'),
  namespaceItem('host-uts', 'uts', 'It shares the host\'s name', 'with CAP_SYS_ADMIN it renames the host', 'the sentry\'s own name'),
  namespaceItem('host-users', 'user', 'Root in it is root of the host', 'whatever it reaches it reaches with the host\'s user numbers', 'the sentry runs in a user namespace of its own'),
  namespaceItem('host-cgroup', 'cgroup', 'It shares the host\'s cgroup namespace', 'it sees the host\'s tree of cgroups', 'the sentry has cgroups of its own'),
  {
    id: 'shared-namespace', summary: 'It shares namespaces with another container', remedy: 'let them speak over a network', find: ({ namespaces }) => (['pid', 'network', 'ipc', 'user'] as const).filter((name) => namespaces[name] === 'shared').map((name) => `the ${name} namespace is that of another container`),
    changes: ({ namespaces }) => (['pid', 'network', 'ipc', 'user'] as const).filter((name) => namespaces[name] === 'shared').map((namespace) => ({ kind: 'own-namespace', namespace })),
    meaning: { docker: 'who takes one of them over has the other\'s processes, sockets or memory', gvisor: 'not shared, except in one sandbox', caisson: NO_SUCH_FLAG },
  },
];

export const SHOWN_ITEMS: readonly Item[] = [...MOUNT_ITEMS, ...DEVICE_ITEMS, ...NAMESPACE_ITEMS];
