/** Places of the host's file system that give more than files, and what a container that has one mounted can do with it. */
import type { Configuration, Mount } from './model.ts';
import { cleanPath, holds, isWithin } from './paths-of-hosts.ts';

export type PlaceName = 'engine-socket' | 'root' | 'system' | 'home' | 'proc' | 'sys' | 'cgroup' | 'dev' | 'shm' | 'logs' | 'engine-data' | 'kubelet' | 'credentials' | 'agent-socket' | 'lxcfs' | 'binfmt' | 'debugfs' | 'modules';

const SOCKETS = ['docker.sock', 'containerd.sock', 'crio.sock', 'podman.sock', 'dockershim.sock', 'cri-dockerd.sock', 'buildkitd.sock', 'containerd.sock.ttrpc'];
const SOCKET_DIRECTORIES = ['/run', '/run/docker', '/run/containerd', '/run/crio', '/run/podman', '/run/k3s', '/run/k3s/containerd', '/run/buildkit'];
const CREDENTIALS = /(?:^|\/)\.(?:ssh|aws|azure|kube|docker|gnupg|config\/gcloud|netrc|git-credentials|vault-token|oci)(?:\/|$)|^\/etc\/(?:kubernetes|ssl\/private|letsencrypt|rancher)(?:\/|$)|^\/var\/lib\/(?:rancher|etcd)(?:\/|$)/;
const AGENTS = /^\/run\/(?:user(?:\/|$)|dbus(?:\/|$)|systemd(?:\/|$)|snapd)|^\/tmp\/(?:ssh-|\.X11-unix)|(?:^|\/)(?:ssh_auth_sock|agent\.\d+|S\.gpg-agent[\w.-]*|system_bus_socket|wayland-\d)$|^\$\{?SSH_AUTH_SOCK/;

function isSocket(path: string): boolean {
  return SOCKETS.some((name) => path.endsWith(`/${name}`)) || SOCKET_DIRECTORIES.includes(path);
}

const within = (...directories: readonly string[]) => (path: string): boolean => directories.some((directory) => isWithin(path, directory));

/** The most telling first: a mount is in all that it matches. */
const PLACES: Readonly<Record<PlaceName, (path: string) => boolean>> = {
  'engine-socket': isSocket,
  'root': (path) => path === '/',
  'system': within('/etc', '/boot', '/usr', '/bin', '/sbin', '/lib', '/lib64', '/opt', '/var/spool/cron'),
  'home': (path) => /^\/(?:root|home)(?:\/[^/]+)?$/.test(path) || /^(?:~|\$\{?HOME\}?)\/?$/.test(path),
  'proc': within('/proc'),
  'sys': within('/sys'),
  'cgroup': (path) => isWithin(path, '/sys/fs/cgroup') || path === '/sys' || path === '/sys/fs',
  'dev': (path) => path === '/dev' || (isWithin(path, '/dev') && !isWithin(path, '/dev/shm') && !isWithin(path, '/dev/null')),
  'shm': (path) => path === '/dev' || isWithin(path, '/dev/shm'),
  'logs': (path) => holds(path, '/var/log') && path !== '/' || isWithin(path, '/var/log'),
  'engine-data': (path) => within('/var/lib/docker', '/var/lib/containerd', '/var/lib/containers', '/run/containerd', '/run/docker', '/var/lib/crio')(path) || path === '/var' || path === '/var/lib',
  'kubelet': (path) => isWithin(path, '/var/lib/kubelet') || path === '/var' || path === '/var/lib',
  'credentials': (path) => CREDENTIALS.test(path),
  'agent-socket': (path) => AGENTS.test(path) || path === '/run',
  'lxcfs': (path) => isWithin(path, '/var/lib/lxcfs') || isWithin(path, '/var/lib/lxc/lxcfs'),
  'binfmt': (path) => isWithin(path, '/proc/sys/fs/binfmt_misc') || ['/proc', '/proc/sys', '/proc/sys/fs'].includes(path),
  'debugfs': (path) => isWithin(path, '/sys/kernel/debug') || isWithin(path, '/sys/kernel/tracing') || path === '/sys' || path === '/sys/kernel',
  'modules': within('/lib/modules', '/usr/lib/modules', '/usr/src'),
};

export const PLACE_NAMES = Object.keys(PLACES) as readonly PlaceName[];

/** Places of the mounts that were asked about: every condition of every path asks. */
const KNOWN = new WeakMap<readonly Mount[], Map<PlaceName, readonly Mount[]>>();

/** The mounts of a container that show a place of the host. */
export function mountsOfPlace({ mounts }: Configuration, place: PlaceName): readonly Mount[] {
  const known = KNOWN.get(mounts) ?? new Map<PlaceName, readonly Mount[]>();
  const found = known.get(place) ?? mounts.filter(({ kind, source }) => kind === 'bind' && PLACES[place](source.startsWith('/') ? cleanPath(source) : source));
  KNOWN.set(mounts, known.set(place, found));
  return found;
}

export function writable(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.filter(({ readOnly }) => !readOnly);
}

export function isDisk({ path, isBlock }: Configuration['devices'][number]): boolean {
  return isBlock || path === 'all' || /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|md|dm-|mapper\/|loop|zram|disk\/|root$|sr|pmem|bcache|rbd|nbd)/.test(path);
}

export function isMemoryDevice({ path }: Configuration['devices'][number]): boolean {
  return /^\/dev\/(?:mem|kmem|port|kcore)$/.test(path) || path === 'all';
}

/** Devices that every container has anyway. */
export function isHarmlessDevice({ path }: Configuration['devices'][number]): boolean {
  return /^\/dev\/(?:null|zero|full|random|urandom|tty)$/.test(path);
}
