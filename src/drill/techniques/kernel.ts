/** E: sequences of calls that bugs of kernels were used by. Here they reach a kernel that has other code; what is looked for is whether they are inert. */
import { AT_FDCWD } from '../../abi/fcntl.ts';
import { SOCK_DGRAM, SOCK_STREAM } from '../guest/moves.ts';
import type { Program, Slot, Value } from '../guest/program.ts';
import { exploitable } from '../twins.ts';
import type { Technique } from '../types.ts';
import { FILE_BUG_TECHNIQUES } from './kernel-files.ts';

const PAGE = 4096;
const AF_PACKET = 17;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
const USER_AND_NETWORK = 0x5000_0000;
/** Where a kernel's own memory lies. */
const KERNEL_ADDRESS = -0x7f_ffff_0000n;

/** It became root, which it was not. */
function claimIfRoot(guest: Program): void {
  guest.when(guest.sys('geteuid'), '==', 0, () => guest.claim('a user became root'));
}

/** An option of a socket, with a value of words. */
function option(guest: Program, what: string, fd: Slot, level: number, name: number, ...words: readonly number[]): Slot {
  const value = guest.buffer(4 * words.length);
  for (const [index, word] of words.entries()) guest.save(4, value + 4 * index, word);
  return guest.attempt(what, 'setsockopt', fd, level, name, value, 4 * words.length);
}

interface BugSpec {
  readonly name: string;
  readonly title: string;
  readonly cve: string;
  readonly needs: string;
  /** The call that the bug is in. */
  readonly call: string;
  readonly steps: (guest: Program) => void;
}

/** As a user without rights: afterwards it must be one still. */
function bug({ name, title, cve, needs, call, steps }: BugSpec): Technique {
  return {
    name, kind: 'E', title, source: cve, needs, path: 'kernel-surface', as: 'user', isHarmless: false,
    program: (guest) => {
      steps(guest);
      claimIfRoot(guest);
    },
    twin: exploitable(call, `a kernel with the bug at ${call}`),
  };
}

const NETWORK: readonly Technique[] = [
  bug({
    name: 'packet-ring', title: 'A ring of packets with a private area that overflows', cve: 'CVE-2017-7308', needs: 'CAP_NET_RAW, Linux before 4.10.6', call: 'setsockopt',
    steps: (guest) => {
      guest.attempt('unshare user and network', 'unshare', USER_AND_NETWORK);
      const fd = guest.attempt('packet socket', 'socket', AF_PACKET, SOCK_RAW, 0x0300);
      option(guest, 'TPACKET_V3', fd, SOL_PACKET, 10, 2);
      option(guest, 'a ring with tp_sizeof_priv of 2 GiB', fd, SOL_PACKET, 5, PAGE, 1, 2048, 2, 100, -0x8000_0000 + 0x1000, 0);
      guest.attempt('map the ring', 'mmap', 0, PAGE, 3, 1, fd, 0);
    },
  }),
  bug({
    name: 'packet-header', title: 'A packet with a virtual header that is written before its buffer', cve: 'CVE-2020-14386', needs: 'CAP_NET_RAW, Linux before 5.9', call: 'setsockopt',
    steps: (guest) => {
      guest.attempt('unshare user and network', 'unshare', USER_AND_NETWORK);
      const fd = guest.attempt('packet socket', 'socket', AF_PACKET, SOCK_RAW, 0x0300);
      option(guest, 'TPACKET_V2', fd, SOL_PACKET, 10, 1);
      option(guest, 'PACKET_VNET_HDR', fd, SOL_PACKET, 15, 1);
      option(guest, 'PACKET_RESERVE of 65,535', fd, SOL_PACKET, 12, 0xffb4);
      option(guest, 'a ring', fd, SOL_PACKET, 5, 0x80_0000, 11, 0x80_0000, 11);
    },
  }),
  bug({
    name: 'fragment-offload', title: 'A datagram that changes between two ways to fragment it', cve: 'CVE-2017-1000112', needs: 'Linux before 4.12.9', call: 'sendto',
    steps: (guest) => {
      const fd = guest.attempt('socket', 'socket', 2, SOCK_DGRAM, 0);
      const address = guest.bytes([2, 0, 31, 64, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
      guest.attempt('connect', 'connect', fd, address, 16);
      const payload = guest.buffer(4000);
      guest.attempt('the first part, with MSG_MORE', 'sendto', fd, payload, 3492, 0x8000, 0, 0);
      option(guest, 'no checksums', fd, 1, 11, 1);
      guest.attempt('the second part', 'sendto', fd, payload, 1, 0, 0, 0);
    },
  }),
  bug({
    name: 'netfilter-replace', title: 'A table of filters whose padding is written behind it', cve: 'CVE-2021-22555', needs: 'CAP_NET_ADMIN in a user namespace, Linux before 5.12', call: 'setsockopt',
    steps: (guest) => {
      guest.attempt('unshare user and network', 'unshare', USER_AND_NETWORK);
      const fd = guest.attempt('socket', 'socket', 2, SOCK_STREAM, 0);
      option(guest, 'IPT_SO_SET_REPLACE', fd, 0, 64, 0x74_6c69_66, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x2b8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
      guest.attempt('IPT_SO_GET_INFO', 'getsockopt', fd, 0, 64, guest.buffer(84), guest.words(84));
    },
  }),
  bug({
    name: 'nf-tables', title: 'Rules of nftables that use what was freed', cve: 'CVE-2023-32233; CVE-2022-25636; CVE-2024-1086', needs: 'nf_tables in a user namespace', call: 'sendto',
    steps: (guest) => {
      guest.attempt('unshare user and network', 'unshare', USER_AND_NETWORK);
      const fd = guest.attempt('netlink socket for filters', 'socket', AF_NETLINK, SOCK_RAW, 12);
      guest.attempt('bind', 'bind', fd, guest.bytes([16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 12);
      // NFNL_MSG_BATCH_BEGIN, NFT_MSG_NEWTABLE, NFNL_MSG_BATCH_END: nlmsghdr and nfgenmsg each.
      const batch = [[16, 1], [0xa00, 0x601], [17, 1]].flatMap(([type = 0, flags = 0], index) => [20, 0, 0, 0, type & 255, type >> 8, flags & 255, flags >> 8, index, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
      guest.attempt('send a batch', 'sendto', fd, guest.bytes(batch), batch.length, 0, 0, 0);
    },
  }),
  bug({
    name: 'esp-pages', title: 'A packet of ESP that is longer than its page', cve: 'CVE-2022-27666', needs: 'XFRM in a user namespace, Linux before 5.16.15', call: 'setsockopt',
    steps: (guest) => {
      guest.attempt('unshare user and network', 'unshare', USER_AND_NETWORK);
      guest.attempt('netlink socket for XFRM', 'socket', AF_NETLINK, SOCK_RAW, 6);
      const fd = guest.attempt('socket for UDP', 'socket', 2, SOCK_DGRAM, 0);
      option(guest, 'UDP_ENCAP', fd, 17, 100, 2);
      guest.attempt('raw socket for ESP', 'socket', 2, SOCK_RAW, 50);
      guest.attempt('PF_KEY', 'socket', 15, SOCK_RAW, 2);
    },
  }),
  bug({
    name: 'sendpage-null', title: 'A socket without an operation calls address 0', cve: 'CVE-2009-2692', needs: 'Linux before 2.6.31, memory at address 0', call: 'sendfile',
    steps: (guest) => {
      const page = guest.attempt('memory at address 0', 'mmap', 0, PAGE, 7, 0x32, -1, 0);
      guest.when(page, '==', 0, () => guest.save(8, 0, 0xc3));
      const program = guest.sys('openat', AT_FDCWD, guest.text('/caisson-drill'), 0, 0);
      for (const [family, type] of [[31, 1], [9, 2], [24, 1], [5, 2], [8, 2], [4, 2]] as const) {
        const fd = guest.sys('socket', family, type, 0);
        guest.attempt(`sendfile to a socket of family ${family}`, 'sendfile', fd, program, 0, PAGE);
      }
    },
  }),
];

const MEMORY: readonly Technique[] = [
  bug({
    name: 'stack-rot', title: 'A stack that grows while another thread frees its tree', cve: 'CVE-2023-3269', needs: 'Linux 6.1 to 6.4', call: 'munmap',
    steps: (guest) => {
      // Room for it to grow into: MAP_GROWSDOWN.
      const top = guest.attempt('memory that grows', 'mmap', 0x2000_0000, PAGE, 3, 0x132, -1, 0);
      const stop = guest.slot();
      guest.thread(() => guest.repeatWhile(stop, '==', 0, () => void guest.sys('mmap', 0x3000_0000, 16 * PAGE, 3, 0x32, -1, 0)));
      guest.repeat(32, (round) => void guest.guarded(() => guest.save(8, guest.minus(top, guest.times(round, PAGE)), 1)));
      guest.set(stop, 1);
      guest.attempt('free it', 'munmap', top, PAGE);
    },
  }),
  bug({
    name: 'userfault-stall', title: 'A kernel that waits for a page while it holds what it checked', cve: 'userfaultfd(2), as in CVE-2022-2590 and others', needs: 'userfaultfd for users', call: 'ioctl',
    steps: (guest) => {
      const fd = guest.attempt('userfaultfd', 'userfaultfd', 0o4000);
      guest.attempt('agree on features', 'ioctl', fd, 0xc018_aa3fn, guest.words(0xaa, 0, 0));
      const page = guest.sys('mmap', 0, PAGE, 3, 0x22, -1, 0);
      const range = guest.buffer(32);
      guest.save(8, range, page);
      guest.save(8, range + 8, PAGE);
      guest.save(8, range + 16, 1);
      guest.attempt('register a range', 'ioctl', fd, 0xc020_aa00n, range);
    },
  }),
  bug({
    name: 'waitid-kernel', title: 'waitid writes to an address of the kernel', cve: 'CVE-2017-5123', needs: 'Linux 4.13', call: 'waitid',
    steps: (guest) => {
      for (const address of [KERNEL_ADDRESS, -PAGE, 0x7fff_ffff_f000n]) {
        const child = guest.fork(() => {});
        guest.attempt('waitid into the kernel', 'waitid', 1, child, address, 4, 0);
        guest.attempt('again, with its resources there', 'wait4', child, 0, 0, address);
      }
    },
  }),
  bug({
    name: 'futex-requeue', title: 'A waiter of a futex is left on a stack that is gone', cve: 'CVE-2014-3153', needs: 'Linux before 3.14.6', call: 'futex',
    steps: (guest) => {
      const [one, two] = [guest.buffer(8), guest.buffer(8)];
      guest.attempt('lock with priority', 'futex', two, 6, 0, 0, 0, 0);
      guest.attempt('requeue to itself', 'futex', two, 12, 1, 1, two, 0);
      guest.attempt('requeue from another', 'futex', one, 12, 1, 0, two, 0);
      guest.attempt('wait and be requeued, for a moment', 'futex', one, 11, 0, guest.words(0, 1000), two, 0);
      guest.save(4, two, 0);
      guest.attempt('lock what was written over', 'futex', two, 13, 0, 0, 0, 0);
    },
  }),
  bug({
    name: 'local-descriptors', title: 'A table of descriptors of segments of one\'s own', cve: 'CVE-2015-5157; CVE-2014-9322; CVE-2018-8897', needs: 'modify_ldt', call: 'modify_ldt',
    steps: (guest) => {
      const entry = guest.words(0, 0x0000_00ff_0000_ffffn);
      guest.attempt('modify_ldt', 'modify_ldt', 17, entry, 16);
      guest.attempt('set_thread_area', 'set_thread_area', entry);
      guest.attempt('GS into the kernel', 'arch_prctl', 0x1001, KERNEL_ADDRESS);
      guest.attempt('FS to no canonical address', 'arch_prctl', 0x1002, 0x8000_0000_0000n);
      // mov ss, ax with a selector of the LDT; int 0x80; sysenter; iretq to nowhere: faults, or nothing.
      guest.tell('mov ss, its signal', guest.guarded(() => guest.raw(0xb8, 7, 0, 0, 0, 0x8e, 0xd0)));
      guest.tell('iretq, its signal', guest.guarded(() => guest.raw(0x6a, 0, 0x6a, 0, 0x6a, 0, 0x6a, 0, 0x6a, 0, 0x48, 0xcf)));
    },
  }),
  bug({
    name: 'return-nowhere', title: 'A return from a signal to an address that is none', cve: 'CVE-2014-4699; CVE-2012-0217', needs: 'sysret on Intel', call: 'rt_sigreturn',
    steps: (guest) => {
      const child = guest.fork(() => {
        guest.raw(0x48, 0x83, 0xec, 0x80);
        guest.attempt('rt_sigreturn from an empty frame', 'rt_sigreturn');
      });
      guest.tell('how it ended', guest.wait(child));
      const other = guest.fork(() => {
        // mov rax, 0x800000000000; jmp rax
        guest.raw(0x48, 0xb8, 0, 0, 0, 0, 0, 0x80, 0, 0, 0xff, 0xe0);
      });
      guest.tell('a jump to no canonical address', guest.wait(other));
    },
  }),
];

const FACILITIES: readonly Technique[] = [
  bug({
    name: 'fsconfig-overflow', title: 'A parameter of a file system that is longer than its page', cve: 'CVE-2022-0185', needs: 'CAP_SYS_ADMIN in a user namespace, Linux 5.1 to 5.16.1', call: 'fsconfig',
    steps: (guest) => {
      guest.attempt('unshare user and mounts', 'unshare', 0x1002_0000);
      for (const type of ['ext4', 'cgroup2', 'tmpfs']) {
        const fd = guest.attempt(`open ${type}`, 'fsopen', guest.text(type), 0);
        const long = guest.text('A'.repeat(255));
        guest.repeat(17, () => void guest.sys('fsconfig', fd, 1, guest.text('\0'), long, 0));
        guest.attempt('one parameter more', 'fsconfig', fd, 1, guest.text('\0'), long, 0);
      }
    },
  }),
  bug({
    name: 'bpf-pointer', title: 'A pointer that may be none is counted with by the verifier', cve: 'CVE-2022-23222; CVE-2021-3490', needs: 'bpf for users', call: 'bpf',
    steps: (guest) => {
      const attributes = guest.buffer(128);
      guest.save(4, attributes, 27);
      guest.save(4, attributes + 12, PAGE);
      guest.attempt('make a ring', 'bpf', 0, attributes, 128);
      // r0 = 0; r1 = r0; r0 += 1; exit
      const program = guest.bytes([0xb7, 0, 0, 0, 0, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0, 0, 0, 0x07, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
      const load = guest.buffer(128);
      guest.save(4, load, 1);
      guest.save(4, load + 4, 4);
      guest.save(8, load + 8, program);
      guest.save(8, load + 16, guest.text('GPL'));
      guest.attempt('load a program', 'bpf', 5, load, 128);
    },
  }),
  bug({
    name: 'watch-queue', title: 'A filter of notifications that is written behind its end', cve: 'CVE-2022-0995', needs: 'Linux 5.8 to 5.16.14', call: 'ioctl',
    steps: (guest) => {
      const pipe = guest.buffer(8);
      guest.attempt('a pipe for notifications', 'pipe2', pipe, 0x80);
      const reader = guest.load(4, pipe);
      guest.attempt('its size', 'ioctl', reader, 0x5760, 8);
      const filter = guest.buffer(512);
      for (const [offset, value] of [[0, 13], [8, 0x400], [40, 0x30a]] as const) guest.save(4, filter + offset, value);
      guest.attempt('its filter', 'ioctl', reader, 0x5761, filter);
    },
  }),
  bug({
    name: 'perf-negative', title: 'An event with a negative number', cve: 'CVE-2013-2094', needs: 'Linux before 3.8.10', call: 'perf_event_open',
    steps: (guest) => {
      const attributes = guest.buffer(128);
      guest.save(8, attributes, 0x50_0000_0001n);
      guest.save(8, attributes + 8, 0xffff_ffff_8000_0000n);
      guest.attempt('perf_event_open', 'perf_event_open', attributes, 0, -1, -1, 0);
    },
  }),
  bug({
    name: 'keyring-count', title: 'A counter of uses of a keyring that goes round', cve: 'CVE-2016-0728; CVE-2017-6074 by the same means', needs: 'Linux 3.8 to 4.4', call: 'keyctl',
    steps: (guest) => {
      const last = guest.slot();
      guest.repeat(500, () => void guest.set(last, guest.sys('keyctl', 1, guest.text('drill'), 0, 0, 0)));
      guest.tell('join a session 500 times', last);
      guest.attempt('a key without data', 'add_key', guest.text('user'), guest.text('drill'), 0, 16, -2);
      guest.attempt('an update without data', 'keyctl', 2, guest.sys('add_key', guest.text('user'), guest.text('d'), guest.text('x'), 1, -2), 0, 64, 0);
    },
  }),
  bug({
    name: 'trace-me', title: 'The rights of a tracer are those of its child', cve: 'CVE-2019-13272', needs: 'Linux before 5.1.17', call: 'ptrace',
    steps: (guest) => {
      const child = guest.fork(() => {
        guest.attempt('be traced', 'ptrace', 0, 0, 0, 0);
        guest.attempt('become root', 'setresuid', 0, 0, 0);
        guest.sys('exit_group', guest.sys('geteuid'));
      });
      const status = guest.wait(child);
      guest.when(status, '==', 0, () => guest.claim('a user became root'));
      guest.attempt('trace init', 'ptrace', 16, 1, 0, 0);
    },
  }),
  bug({
    name: 'ring-of-calls', title: 'Calls go past filters through io_uring', cve: 'CVE-2022-29582; CVE-2023-2598; io_uring(7)', needs: 'io_uring for users', call: 'io_uring_setup',
    steps: (guest) => {
      const parameters = guest.buffer(120);
      const fd = guest.attempt('io_uring_setup', 'io_uring_setup', 8, parameters);
      for (const offset of [0, 0x800_0000, 0x1000_0000]) guest.attempt(`map the ring at ${offset.toString(16)}`, 'mmap', 0, PAGE, 3, 0x8001, fd, offset);
      guest.attempt('io_uring_enter', 'io_uring_enter', fd, 8, 0, 1, 0, 0);
      guest.attempt('io_uring_register', 'io_uring_register', fd, 0, guest.words(0, KERNEL_ADDRESS), 1);
    },
  }),
  bug({
    name: 'old-calls', title: 'Calls that kernels had for a time, and numbers that none has', cve: 'syscalls(2)', needs: 'a call without checks', call: 'vmsplice',
    steps: (guest) => {
      for (const name of ['uselib', '_sysctl', 'create_module', 'get_kernel_syms', 'nfsservctl', 'vserver', 'lookup_dcookie', 'remap_file_pages', 'migrate_pages', 'move_pages', 'mbind']) guest.attempt(name, name, KERNEL_ADDRESS, KERNEL_ADDRESS, KERNEL_ADDRESS, KERNEL_ADDRESS, KERNEL_ADDRESS, KERNEL_ADDRESS);
      numbers(guest, [335, 400, 511, 512, 547, 0x4000_0001, 0xffff_ffffn, -1n]);
      guest.attempt('vmsplice from the kernel', 'vmsplice', 1, guest.words(KERNEL_ADDRESS, 64), 1, 0);
    },
  }),
];

/** Calls by number: mov rax, number; syscall. */
function numbers(guest: Program, values: readonly Value[]): void {
  for (const value of values) {
    const result = guest.callNumber(value, KERNEL_ADDRESS, KERNEL_ADDRESS, KERNEL_ADDRESS);
    guest.when(result, '>=', 0, () => void guest.tell('a call that there is not', result));
  }
}

export const KERNEL_TECHNIQUES: readonly Technique[] = [...FILE_BUG_TECHNIQUES, ...NETWORK, ...MEMORY, ...FACILITIES];
