/** /proc/sys: sysctl values that programs read (Linux kernel/sysctl.c, Documentation/admin-guide/sysctl). */
import { EINVAL } from '../abi/errno.ts';
import type { PseudoDirectory } from './pseudo.ts';
import type { SystemView } from './process-view.ts';

/** Values that never change here, by path below /proc/sys. */
const FIXED: Readonly<Record<string, string>> = {
  'fs/aio-max-nr': '65536', 'fs/aio-nr': '0', 'fs/dir-notify-enable': '1', 'fs/dentry-state': '0\t0\t45\t0\t0\t0', 'fs/epoll/max_user_watches': '1048576', 'fs/file-max': '9223372036854775807',
  'fs/file-nr': '64\t0\t9223372036854775807', 'fs/inode-nr': '0\t0', 'fs/inotify/max_queued_events': '16384', 'fs/inotify/max_user_instances': '128',
  'fs/inotify/max_user_watches': '65536', 'fs/lease-break-time': '45', 'fs/leases-enable': '1', 'fs/mount-max': '10000', 'fs/mqueue/msg_default': '10',
  'fs/mqueue/msg_max': '10', 'fs/mqueue/msgsize_default': '8192', 'fs/mqueue/msgsize_max': '8192', 'fs/mqueue/queues_max': '256', 'fs/nr_open': '1048576',
  'fs/overflowgid': '65534', 'fs/overflowuid': '65534', 'fs/pipe-max-size': '1048576', 'fs/pipe-user-pages-hard': '0', 'fs/pipe-user-pages-soft': '16384',
  'fs/protected_fifos': '0', 'fs/protected_hardlinks': '1', 'fs/protected_regular': '0', 'fs/protected_symlinks': '1', 'fs/suid_dumpable': '0',
  'kernel/cap_last_cap': '40', 'kernel/core_pattern': 'core', 'kernel/core_uses_pid': '0', 'kernel/dmesg_restrict': '1', 'kernel/kptr_restrict': '1',
  'kernel/max_lock_depth': '1024', 'kernel/msgmax': '8192', 'kernel/msgmnb': '16384', 'kernel/msgmni': '32000', 'kernel/ngroups_max': '65536',
  'kernel/ostype': 'Linux', 'kernel/osrelease': '', 'kernel/overflowgid': '65534', 'kernel/overflowuid': '65534', 'kernel/panic': '0',
  'kernel/perf_event_paranoid': '4', 'kernel/printk': '4\t4\t1\t7', 'kernel/pty/max': '4096', 'kernel/pty/nr': '0', 'kernel/pty/reserve': '1024',
  'kernel/randomize_va_space': '2', 'kernel/sched_rr_timeslice_ms': '100', 'kernel/sem': '32000\t1024000000\t500\t32000', 'kernel/shmall': '18446744073692774399',
  'kernel/shmmax': '18446744073692774399', 'kernel/shmmni': '4096', 'kernel/tainted': '0', 'kernel/threads-max': '4096', 'kernel/unprivileged_bpf_disabled': '2',
  'kernel/random/poolsize': '256', 'kernel/random/entropy_avail': '256', 'kernel/random/urandom_min_reseed_secs': '60', 'kernel/random/write_wakeup_threshold': '256',
  'kernel/seccomp/actions_avail': 'kill_process kill_thread trap errno user_notif trace log allow',
  'net/core/somaxconn': '4096', 'net/core/rmem_default': '212992', 'net/core/rmem_max': '212992', 'net/core/wmem_default': '212992', 'net/core/wmem_max': '212992',
  'net/core/optmem_max': '20480', 'net/core/netdev_max_backlog': '1000', 'net/ipv4/ip_forward': '0', 'net/ipv4/ip_local_port_range': '32768\t60999',
  'net/ipv4/ip_unprivileged_port_start': '1024', 'net/ipv4/tcp_fin_timeout': '60', 'net/ipv4/tcp_keepalive_time': '7200', 'net/ipv4/tcp_rmem': '4096\t131072\t6291456',
  'net/ipv4/tcp_wmem': '4096\t16384\t4194304', 'net/ipv4/tcp_available_congestion_control': 'reno cubic', 'net/ipv4/tcp_congestion_control': 'cubic',
  'net/ipv4/tcp_max_syn_backlog': '128', 'net/ipv4/tcp_syncookies': '1', 'net/ipv4/ping_group_range': '0\t2147483647',
  'net/ipv6/bindv6only': '0', 'net/ipv6/conf/all/disable_ipv6': '0', 'net/ipv6/conf/default/disable_ipv6': '0', 'net/ipv6/conf/lo/disable_ipv6': '0',
  'net/unix/max_dgram_qlen': '512', 'vm/admin_reserve_kbytes': '8192', 'vm/dirty_background_ratio': '10', 'vm/dirty_ratio': '20',
  'vm/legacy_va_layout': '0', 'vm/max_map_count': '65530', 'vm/mmap_min_addr': '65536', 'vm/mmap_rnd_bits': '28', 'vm/nr_hugepages': '0', 'vm/overcommit_kbytes': '0',
  'vm/overcommit_memory': '1', 'vm/overcommit_ratio': '50', 'vm/page-cluster': '3', 'vm/swappiness': '60', 'vm/user_reserve_kbytes': '131072', 'vm/vfs_cache_pressure': '100',
};

function uuid(random: (buffer: Uint8Array) => void): string {
  const bytes = new Uint8Array(16);
  random(bytes);
  bytes[6] = (bytes[6]! & 15) | 0x40;
  bytes[8] = (bytes[8]! & 63) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}\n`;
}

export function addSysctl(root: PseudoDirectory, system: SystemView): void {
  const sys = root.directory('sys');
  const directories = new Map<string, PseudoDirectory>([['', sys]]);
  const directoryOf = (path: string): PseudoDirectory => {
    const known = directories.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    const made = directoryOf(path.slice(0, Math.max(0, cut))).directory(path.slice(cut + 1));
    directories.set(path, made);
    return made;
  };
  const add = (path: string, read: () => string, write?: (text: string) => number): void => {
    const cut = path.lastIndexOf('/');
    directoryOf(path.slice(0, cut)).file(path.slice(cut + 1), read, write === undefined ? 0o444 : 0o644, write);
  };
  for (const [path, value] of Object.entries(FIXED)) {
    const own = system.sysctl?.(path);
    add(path, own === undefined ? () => `${value}\n` : () => own.read(), own?.write);
  }
  add('kernel/hostname', () => `${system.hostname}\n`, (text) => {
    const name = text.replace(/\n.*/s, '');
    if (name.length > 64) return -EINVAL;
    const error = system.setHostname(name);
    return error !== 0 ? error : text.length;
  });
  for (const kind of ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const) {
    const limit = system.namespaceLimit(kind);
    add(`user/max_${kind}_namespaces`, () => `${limit.value}\n`, (text) => limit.set(text));
  }
  add('kernel/domainname', () => `${system.domainname}\n`);
  add('kernel/osrelease', () => `${system.release}\n`);
  add('kernel/version', () => `${system.version}\n`);
  add('kernel/pid_max', () => `${system.pidMax}\n`);
  add('kernel/random/uuid', () => uuid((buffer) => system.random(buffer)));
  let bootId: string | undefined;
  add('kernel/random/boot_id', () => (bootId ??= uuid((buffer) => system.random(buffer))));
}
