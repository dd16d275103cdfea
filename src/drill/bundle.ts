/** OCI bundles (runtime-spec config.json), as Docker makes them by default, for other engines. */
import type { Grants } from './types.ts';

export interface BundleSettings {
  /** Relative to the bundle, or absolute. */
  readonly root: string;
  readonly program: string;
  readonly grants: Grants;
  /** Root with Docker's capabilities, or a user without any. */
  readonly as?: 'user' | undefined;
  /** Of whoever runs the engine; not 0: it needs a user namespace. */
  readonly uid: number;
  readonly gid: number;
}

const NOBODY = 65_534;
/** Docker's default ones (moby/moby, oci/caps/defaults.go). */
const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'].map((name) => `CAP_${name}`);
/** Docker's (moby/moby, oci/defaults.go). */
const MASKED = ['/proc/asound', '/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

function mountsOf({ mounts = [] }: Grants, isRootless: boolean): readonly object[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
    ...(isRootless ? [] : [{ destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] }]),
    ...mounts.map(({ source, destination, writable = false }) => ({ destination, type: 'bind', source, options: ['rbind', 'rprivate', writable ? 'rw' : 'ro'] })),
  ];
}

/** A document for `config.json`. */
export function bundleConfig({ root, program, grants, as, uid, gid }: BundleSettings): object {
  const isRootless = uid !== 0;
  const id = as === 'user' && !isRootless ? NOBODY : 0;
  const capabilities = as === 'user' ? [] : CAPABILITIES;
  return {
    ociVersion: '1.0.2',
    process: { terminal: false, user: { uid: id, gid: id }, args: [program], env: ['PATH=/usr/bin:/bin'], cwd: '/', capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities }, noNewPrivileges: false },
    root: { path: root, readonly: false }, hostname: 'drill', mounts: mountsOf(grants, isRootless),
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', ...(isRootless ? ['user'] : [])].map((type) => ({ type })),
      ...(isRootless ? { uidMappings: [{ containerID: 0, hostID: uid, size: 1 }], gidMappings: [{ containerID: 0, hostID: gid, size: 1 }] } : {}),
      maskedPaths: MASKED, readonlyPaths: READ_ONLY,
    },
  };
}
