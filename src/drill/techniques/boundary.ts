/** G: the border that is Caisson's own: guest memory, translations, paths of mounts, messages, bounds. */
import { AT_FDCWD, O_CREAT, O_WRONLY } from '../../abi/fcntl.ts';
import { MARK, askTcp, askUnix, deface, drain, inetAddress, open, plant, steal } from '../guest/moves.ts';
import type { KernelBugs, Program, Slot, Value } from '../guest/program.ts';
import { IN_NEIGHBOUR, ON_HOST, exploitable } from '../twins.ts';
import type { Field, Grants, Technique, Twin } from '../types.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const granted = ({ granted: directory }: Field): Grants => ({ mounts: [{ source: directory, destination: directory, writable: true }] });
/** Where a guest's memory may end, and what lies behind: powers of two, ends of 31, 32 and 47 bits, no canonical addresses, the kernel's half. */
const EDGES: readonly bigint[] = [
  0n, 8n, 0xfff8n, 0x1_0000n, 0x40_0000n - 8n, 0x0c00_0000n, 0x1000_0000n - 8n, 0x4000_0000n - 8n, 0x7fff_fff8n, 0x8000_0000n - 8n, 0xbfff_fff8n, 0xffff_0000n, 0xffff_fff8n, 0xffff_ffffn,
  0x1_0000_0000n, 0x1_0000_0008n, 0x1_ffff_fff8n, 0x2_0000_0000n, 0x10_0000_0000n, 0x7fff_ffff_eff8n, 0x7fff_ffff_fff8n, 0x8000_0000_0000n, -0x8000_0000_0000n, -0x1_0000_0000n, -0x8000_0000n, -0x1000n, -8n, -1n,
];
const LENGTHS = [8, PAGE, 0x1_0001];
const RENAME_EXCHANGE = 2;
const RACES = 1500;
/** Where a sandbox with a network asks for names. */
const RESOLVER = [10, 0, 2, 3];

/** A kernel that copies what lies behind the guest's memory. */
const COPIES_HOST: Twin = {
  what: 'a kernel that copies what lies behind the guest\'s memory (simulated)', on: 'sandbox', grants: ({ secretFile }) => ({ mounts: [{ source: secretFile, destination: secretFile }] }),
  bugs: ({ secretFile }): KernelBugs => ({
    pwrite64: (guest, _args, result) => {
      drain(guest, guest.sys('openat', AT_FDCWD, guest.text(secretFile), 0, 0));
      guest.set(result, 8);
    },
  }),
};

const MEMORY: readonly Technique[] = [
  {
    name: 'pointers-read', kind: 'G', title: 'System calls read at every edge of the guest\'s memory', source: 'THREAT_MODEL.md "read or write memory of the host process"', needs: 'a kernel that does not look at pointers', isHarmless: true,
    program: (guest) => {
      const file = open(guest, '/tmp/edges', 0x42);
      const [buffer, vector, last] = [guest.buffer(0x1_0008), guest.buffer(16), guest.slot()];
      for (const address of EDGES) {
        for (const length of LENGTHS) {
          guest.set(last, guest.sys('pwrite64', file, address, length, 0));
          guest.when(last, '>', 0, () => guest.loot(buffer, guest.sys('pread64', file, buffer, length, 0)));
        }
        guest.save(8, vector, address);
        guest.save(8, vector + 8, 64);
        guest.sys('pwritev', file, vector, 1, 0);
        guest.sys('openat', AT_FDCWD, address, 0, 0);
        guest.sys('write', 2, address, 64);
      }
      guest.tell('write from the last of them', last);
    },
    twin: COPIES_HOST,
  },
  {
    name: 'pointers-write', kind: 'G', title: 'System calls write at every edge of the guest\'s memory', source: 'THREAT_MODEL.md "read or write memory of the host process"', needs: 'a kernel that does not look at pointers', isHarmless: true, mayEnd: true,
    program: (guest) => {
      const [file, vector, last] = [open(guest, '/dev/zero'), guest.buffer(16), guest.slot()];
      for (const address of EDGES) {
        for (const length of LENGTHS) guest.set(last, guest.sys('read', file, address, length));
        guest.save(8, vector, address);
        guest.save(8, vector + 8, PAGE);
        guest.sys('readv', file, vector, 1);
        guest.sys('uname', address);
        guest.sys('clock_gettime', 0, address);
        guest.sys('getcwd', address, PAGE);
        guest.sys('fstat', file, address);
        guest.sys('getrandom', address, 64, 0);
        guest.sys('rt_sigaction', 10, 0, address, 8);
        guest.sys('sched_getaffinity', 0, 128, address);
      }
      guest.tell('read to the last of them', last);
    },
    twin: exploitable('getrandom', 'a kernel that writes to the host\'s memory'),
  },
  {
    name: 'lengths', kind: 'G', title: 'Lengths and counts that overflow', source: 'CWE-190', needs: 'sums that are not looked at', isHarmless: true, mayEnd: true,
    program: (guest) => {
      const file = open(guest, '/dev/zero');
      const many = guest.buffer(16 * 1024);
      for (const length of [0x7fff_ffff_ffff_ffffn, -1n, 0x1_0000_0000n, 0xffff_f000n]) {
        const vector = guest.words(many, length, many, 2);
        guest.attempt('readv', 'readv', file, vector, 2);
        guest.attempt('writev', 'writev', file, vector, 2);
        guest.sys('readv', file, vector, length);
        guest.attempt('read', 'read', file, many, length);
        guest.sys('mmap', 0, length, 3, 0x22, -1, 0);
        guest.sys('mmap', 0x1000_0000, length, 3, 0x32, -1, 0);
        guest.sys('munmap', -PAGE, length);
        guest.sys('mremap', many, PAGE, length, 1, 0);
        guest.sys('mprotect', PAGE, length, 1);
        guest.sys('brk', length);
        guest.sys('poll', many, length, 0);
        guest.sys('getdents64', file, many, length);
        guest.sys('getgroups', length, many);
        guest.sys('getcwd', many, length);
        guest.sys('sendmmsg', file, many, length, 0);
        guest.sys('epoll_wait', file, many, length, 0);
        guest.sys('readlink', guest.text('/proc/self/exe'), many, length);
        guest.sys('setsockopt', file, 1, 1, many, length);
        guest.sys('fallocate', file, 0, length, length);
      }
      guest.attempt('getrandom', 'getrandom', many, 64, 0);
    },
    twin: exploitable('getrandom', 'a kernel whose sums overflow into the host\'s memory'),
  },
  {
    name: 'engine-state', kind: 'G', title: 'Code writes over what the engine keeps in the same memory', source: 'THREAT_MODEL.md "corrupt the engine\'s state in that memory"', needs: 'an engine that believes what is there', isHarmless: true, mayEnd: true, timeoutMs: 3000,
    program: (guest) => {
      const address = guest.slot();
      guest.attempt('getpid', 'getpid');
      const write = (first: number, pages: number): void => {
        guest.repeat(pages, (page) => {
          guest.set(address, guest.plus(first, guest.times(page, PAGE)));
          guest.guarded(() => guest.save(8, address, 0x7fff_ffff_7fff_ffffn));
        });
      };
      write(0x1_0000, 64);
      write(0x0c00_0000, 64);
      guest.say('try\twrite below and between its own pages\t0000000000000000\n');
      // Hot enough to be translated.
      guest.repeat(20_000, (round) => {
        guest.set(address, guest.plus(0x1_0000, guest.and(guest.times(round, 8), 0xfff)));
        guest.guarded(() => guest.save(8, address, -1));
      });
    },
    twin: {
      what: 'memory of the host at these addresses', on: 'host',
      before: (guest, { keptFile }) => void guest.sys('mmap', 0x1_0000, PAGE, 3, 0x11, guest.sys('openat', AT_FDCWD, guest.text(keptFile), 2, 0), 0),
    },
  },
];

/** mov eax, number; ret */
function codeThatGives(number: number): readonly number[] {
  return [0xb8, number & 255, number >> 8, 0, 0, 0xc3];
}

/** Runs it until it is hot, and says so where it does not give what was written last. */
function expect(guest: Program, code: Value, number: number): void {
  guest.repeat(3000, () => {
    guest.when(guest.callAt(code), '!=', number, () => {
      guest.claim('code ran that had been written over');
      guest.sys('exit_group', 1);
    });
  });
}

const CODE: readonly Technique[] = [
  {
    name: 'code-rewritten', kind: 'G', title: 'Code that is hot is written over, by stores and by system calls', source: 'SDM Vol. 3A 12.6; QEMU and other translators', needs: 'translations that are kept too long', isHarmless: true,
    program: (guest) => {
      const code = guest.attempt('memory for code', 'mmap', 0, PAGE, 7, 0x22, -1, 0);
      const pipe = guest.buffer(8);
      guest.sys('pipe2', pipe, 0);
      const [reader, writer] = [guest.load(4, pipe), guest.load(4, pipe + 4)];
      for (let number = 1; number <= 6; number++) {
        const bytes = guest.bytes(codeThatGives(number));
        if (number % 2 === 1) for (const [index, byte] of codeThatGives(number).entries()) guest.save(1, guest.plus(code, index), byte);
        else {
          guest.sys('write', writer, bytes, 6);
          guest.sys('read', reader, code, 6);
        }
        expect(guest, code, number);
      }
      guest.tell('versions of it that ran', guest.variable(6));
    },
    twin: { what: 'a kernel whose writes the translator does not hear of (simulated)', on: 'sandbox', bugs: () => ({ read: (guest, _args, result) => void guest.set(result, 6) }) },
  },
  {
    name: 'code-mapped-twice', kind: 'G', title: 'Code is written over through its file, another mapping, and by another process', source: 'SDM Vol. 3A 12.6', needs: 'translations that are kept by address', isHarmless: true,
    program: (guest) => {
      const file = guest.attempt('memfd_create', 'memfd_create', guest.text('code'), 0);
      guest.sys('ftruncate', file, PAGE);
      const code = guest.attempt('map it for running', 'mmap', 0, PAGE, 5, 1, file, 0);
      const writable = guest.attempt('map it for writing', 'mmap', 0, PAGE, 3, 1, file, 0);
      for (let number = 1; number <= 6; number++) {
        const change = (): void => void guest.sys('pwrite64', file, guest.bytes(codeThatGives(number)), 6, 0);
        if (number % 3 === 1) change();
        else if (number % 3 === 0) guest.wait(guest.fork(change));
        else codeThatGives(number).forEach((byte, index) => guest.save(1, guest.plus(writable, index), byte));
        expect(guest, code, number);
      }
      guest.tell('versions of it that ran', guest.variable(6));
    },
    twin: { what: 'a kernel whose writes the translator does not hear of (simulated)', on: 'sandbox', bugs: () => ({ pwrite64: (guest, [file = 0, address = 0], result) => {
      guest.when(guest.load(1, guest.plus(address, 1)), '==', 1, () => void guest.set(result, guest.sys('pwrite64', file, address, 6, 0)), () => void guest.set(result, 6));
    } }) },
  },
  {
    name: 'many-blocks', kind: 'G', title: 'More code than any program has, each piece of it run', source: 'THREAT_MODEL.md "exhaust memory"', needs: 'an engine without a bound on what it translates', isHarmless: true, mayEnd: true, timeoutMs: 4000,
    program: (guest) => {
      const size = 4 * MIB;
      const code = guest.attempt('memory for code', 'mmap', 0, size, 7, 0x22, -1, 0);
      // Each 16 bytes: mov eax, own number; ret.
      guest.repeat(size / 16, (piece) => {
        const at = guest.plus(code, guest.times(piece, 16));
        guest.save(1, at, 0xb8);
        guest.save(4, guest.plus(at, 1), piece);
        guest.save(1, guest.plus(at, 5), 0xc3);
        guest.when(guest.callAt(at), '!=', piece, () => guest.claim('other code ran'));
      });
      guest.attempt('getrandom', 'getrandom', guest.buffer(64), 64, 0);
    },
    twin: exploitable('mmap', 'an engine that fails where its bound is'),
  },
];

/** Exchanges a directory and a link that leads out, while the body uses a path through them. */
function race(guest: Program, { granted: directory, directory: outside }: Field, body: (path: string) => void): void {
  // Both processes see it: the end of the race.
  const stop = guest.sys('mmap', 0, PAGE, 3, 0x21, -1, 0);
  const [place, link] = [`${directory}/place`, `${directory}/link`];
  guest.sys('mkdir', guest.text(place), 0o700);
  guest.sys('symlink', guest.text(outside), guest.text(link));
  const child = guest.fork(() => {
    const stopped = guest.slot();
    guest.repeatWhile(stopped, '==', 0, () => {
      guest.sys('renameat2', AT_FDCWD, guest.text(place), AT_FDCWD, guest.text(link), RENAME_EXCHANGE);
      guest.sys('sched_yield');
      guest.set(stopped, guest.load(1, stop));
    });
  });
  body(place);
  guest.save(1, stop, 1);
  guest.wait(child);
}

const PATHS: readonly Technique[] = [
  {
    name: 'race-out-of-mount', kind: 'G', title: 'A directory becomes a link while a file in it is opened', source: 'CVE-2018-15664; CVE-2021-30465', needs: 'names that are looked at and used one after the other', isHarmless: true, grants: granted,
    program: (guest, field) => {
      race(guest, field, (path) => {
        const last = guest.slot();
        guest.repeat(RACES, () => {
          guest.sys('sched_yield');
          const fd = guest.sys('openat', AT_FDCWD, guest.text(`${path}/kept`), O_WRONLY, 0);
          guest.when(fd, '>=', 0, () => {
            guest.set(last, guest.sys('write', fd, guest.text(MARK), MARK.length));
            guest.sys('close', fd);
          });
          guest.sys('unlink', guest.text(`${path}/sock`));
          guest.sys('close', guest.sys('openat', AT_FDCWD, guest.text(`${path}/raced`), O_WRONLY | O_CREAT, 0o600));
        });
        guest.tell('write through what was exchanged', last);
      });
    },
    twin: ON_HOST,
  },
  {
    name: 'arguments-change', kind: 'G', title: 'A path is changed by another thread while the kernel reads it', source: 'CWE-367', needs: 'arguments that are read twice', isHarmless: true, grants: granted,
    program: (guest, { granted: directory, keptFile }) => {
      const path = guest.buffer(256);
      const [good, bad] = [`${directory}/file`, keptFile].map((text) => guest.bytes([...new TextEncoder().encode(text), 0]));
      const [stop, last] = [guest.slot(), guest.slot()];
      const copy = (from: number | undefined): void => guest.repeat(12, (word) => guest.save(8, guest.plus(path, guest.times(word, 8)), guest.load(8, guest.plus(from ?? 0, guest.times(word, 8)))));
      copy(good);
      guest.thread(() => guest.repeatWhile(stop, '==', 0, () => {
        copy(bad);
        copy(good);
      }));
      guest.repeat(400, () => {
        const fd = guest.sys('openat', AT_FDCWD, path, O_WRONLY, 0);
        guest.when(fd, '>=', 0, () => {
          guest.set(last, guest.sys('write', fd, guest.text(MARK), MARK.length));
          guest.sys('close', fd);
        });
      });
      guest.set(stop, 1);
      copy(bad);
      deface(guest, keptFile);
      guest.tell('write', last);
    },
    twin: ON_HOST,
  },
  {
    name: 'names-with-escapes', kind: 'G', title: 'Names of files steer the terminal of who lists them', source: 'CWE-150; CVE-2021-25743', needs: 'names that are printed as they are', isHarmless: false,
    program: (guest) => {
      for (const name of ['\x1b]0;drilled\x07', '\x1b[2J\x1b[H', 'a\rb', '\x9b31m', '\x1bP+q544e\x1b\\']) plant(guest, `/tmp/${name}`, 'x');
    },
    afterwards: async (hands) => hands.showChanges(),
    twin: { what: 'a list that prints names as they are', on: 'sandbox' },
  },
  {
    name: 'prototype', kind: 'G', title: 'Labels and settings change what every object has', source: 'CVE-2019-10744; CWE-1321', needs: 'settings that are merged by name', isHarmless: false,
    program: (guest) => void guest.attempt('getpid', 'getpid'),
    afterwards: async (hands) => {
      const labels = '{"__proto__": {"drilled": "yes"}, "constructor": {"prototype": {"drilled": "yes"}}, "toString": "x"}';
      await hands.takeSettings(`[{"Id": "${'a'.repeat(64)}", "Name": "/drill", "Config": {"Image": "drill", "Env": ["__proto__=x"], "Labels": ${labels}}, "HostConfig": {"__proto__": {"drilled": "yes"}, "Binds": null}, "__proto__": {"drilled": "yes"}}]`);
      return '';
    },
    twin: { what: 'a merge by name', on: 'sandbox' },
  },
];

const CHANNELS: readonly Technique[] = [
  {
    name: 'forged-messages', kind: 'G', title: 'Messages between the sandbox and its engine are forged', source: 'THREAT_MODEL.md; CWE-345', needs: 'a channel that guests can write', isHarmless: true,
    grants: ({ directory }) => ({ mounts: [{ source: directory, destination: directory, writable: true }] }),
    program: (guest, { socket }) => {
      const message = guest.text('{"kind":"answer","id":1,"value":{"kind":"ended","handle":1,"status":{"code":0}}}\n');
      const last = guest.slot();
      guest.repeat(253, (fd) => void guest.set(last, guest.sys('sendto', fd, message, 80, 0x4000, 0, 0)), 3);
      guest.tell('send to descriptors that it was not given', last);
      askUnix(guest, socket, '{"kind":"call","id":1,"name":"kill","arguments":[]}\n');
    },
    twin: ON_HOST,
  },
  {
    name: 'forms-of-addresses', kind: 'G', title: 'The host is reached by other forms of its address', source: 'CWE-918; RFC 4291 2.5.5, RFC 6052', needs: 'addresses that are compared as text', isHarmless: true, grants: () => ({ net: 'outbound' }),
    program: (guest, { tcpPort }) => {
      const six = (...last: readonly number[]): readonly number[] => [...new Array<number>(16 - last.length).fill(0), ...last];
      for (const [what, address] of [['127.0.0.1', [127, 0, 0, 1]], ['0.0.0.0', [0, 0, 0, 0]], ['::1', six(1)], ['::ffff:127.0.0.1', six(255, 255, 127, 0, 0, 1)], ['::127.0.0.1', six(127, 0, 0, 1)], ['64:ff9b::127.0.0.1', [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1]], ['2002:7f00:1::', [0x20, 2, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]] as const) askTcp(guest, what, address, tcpPort);
    },
    twin: ON_HOST,
  },
  {
    name: 'rebinding', kind: 'G', title: 'A name that leads inside is resolved and connected to', source: 'CWE-350; Jackson et al., 2007', needs: 'names that are checked and addresses that are not', isHarmless: true, grants: () => ({ net: 'outbound' }),
    program: (guest, { tcpPort }) => {
      const query = guest.bytes([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, ...new TextEncoder().encode('localhost'), 0, 0, 1, 0, 1]);
      const [fd, answer] = [guest.sys('socket', 2, 2, 0), guest.buffer(512)];
      guest.sys('setsockopt', fd, 1, 20, guest.words(1, 0), 16);
      const sent = guest.attempt('ask for localhost', 'sendto', fd, query, 27, 0, ...inetAddress(guest, RESOLVER, 53));
      const got: Slot = guest.variable(-1);
      guest.when(sent, '>', 0, () => void guest.set(got, guest.sys('recvfrom', fd, answer, 512, 0, 0, 0)));
      guest.tell('its answer', got);
      const [address, length] = inetAddress(guest, [127, 0, 0, 1], tcpPort);
      // The last four bytes of an answer with one record are its address.
      guest.when(got, '>', 39, () => guest.save(4, address + 4, guest.load(4, guest.plus(answer, guest.minus(got, 4)))));
      const connection = guest.sys('socket', 2, 1, 0);
      guest.when(guest.attempt('connect to what it said', 'connect', connection, address, length), '==', 0, () => guest.loot(answer, guest.sys('read', connection, answer, 128)));
    },
    twin: ON_HOST,
  },
];

/** Touches so many pages, and says so where it got more than it should have. */
function touch(guest: Program, mebibytes: number, bound: number): void {
  const memory = guest.attempt(`map ${mebibytes} MiB`, 'mmap', 0, mebibytes * MIB, 3, 0x22, -1, 0);
  guest.when(memory, '>', 0, () => {
    guest.repeat((mebibytes * MIB) / PAGE, (page) => guest.save(8, guest.plus(memory, guest.times(page, PAGE)), 1));
    guest.claim(`it got ${mebibytes} MiB, where ${bound} are given`);
  });
}

const BOUNDS: readonly Technique[] = [
  {
    name: 'more-memory', kind: 'G', title: 'More memory is used than was given', source: 'CIS 5.11', needs: 'no bound on memory', path: 'exhaust-memory', isHarmless: false, mayEnd: true, grants: () => ({ memoryBytes: 32 * MIB }),
    program: (guest) => touch(guest, 64, 32),
    twin: { what: 'no bound on memory', on: 'sandbox', grants: () => ({ memoryBytes: 512 * MIB }) },
  },
  {
    name: 'more-processes', kind: 'G', title: 'More processes are made than were given', source: 'CIS 5.29', needs: 'no bound on processes', path: 'fork-bomb', isHarmless: false, grants: () => ({ tasks: 16 }),
    program: (guest) => {
      const count = guest.slot();
      guest.repeat(40, () => guest.when(guest.fork(() => void guest.sys('pause')), '>', 0, () => guest.add(count, 1)));
      guest.measure('processes that were made', count);
      guest.when(count, '>', 16, () => guest.claim('more processes than the bound'));
    },
    twin: { what: 'no bound on processes', on: 'sandbox', grants: () => ({ tasks: 128 }) },
  },
  {
    name: 'more-files', kind: 'G', title: 'More is written to memory files than was given', source: 'CIS 5.11', needs: 'no bound on what is written', path: 'exhaust-memory', isHarmless: false, mayEnd: true, grants: () => ({ memoryBytes: 32 * MIB }),
    program: (guest) => {
      const [piece, written] = [guest.buffer(MIB), guest.slot()];
      for (const path of ['/tmp/large', '/dev/shm/large']) {
        const fd = open(guest, path, O_WRONLY | O_CREAT);
        guest.repeat(40, () => guest.when(guest.sys('write', fd, piece, MIB), '>', 0, () => guest.add(written, 1)));
      }
      guest.measure('MiB that were written', written);
      guest.when(written, '>', 40, () => guest.claim('more was written than the bound'));
    },
    twin: { what: 'no bound on memory', on: 'sandbox', grants: () => ({ memoryBytes: 512 * MIB }) },
  },
];

/** The body, unless that is its own number. */
function unlessItself(guest: Program, pid: number, body: () => void): void {
  guest.when(guest.sys('getpid'), '!=', pid, body);
}

const NEIGHBOURS: readonly Technique[] = [
  {
    name: 'neighbour-memory', kind: 'G', title: 'The memory of a process of another guest is read and changed', source: 'process_vm_readv(2)', needs: 'guests with one kernel', isHarmless: false,
    program: (guest, { neighbour: { processId, secretAddress }, secretLength }) => {
      const buffer = guest.buffer(secretLength);
      unlessItself(guest, processId, () => {
        const got = guest.attempt(`process_vm_readv ${processId}`, 'process_vm_readv', processId, guest.words(buffer, secretLength), 1, guest.words(secretAddress, secretLength), 1, 0);
        guest.when(got, '>', 0, () => guest.loot(buffer, got));
        steal(guest, `/proc/${processId}/environ`);
      });
    },
    twin: IN_NEIGHBOUR,
  },
  {
    name: 'neighbour-process', kind: 'G', title: 'A process of another guest is ended', source: 'kill(2)', needs: 'guests with one kernel', isHarmless: false,
    program: (guest, { neighbour: { processId } }) => {
      unlessItself(guest, processId, () => void guest.attempt(`kill ${processId}`, 'kill', processId, 9));
      guest.attempt('kill all others', 'kill', -1, 15);
    },
    twin: IN_NEIGHBOUR,
  },
  {
    name: 'neighbour-files', kind: 'G', title: 'Files of another guest are read', source: 'CVE-2021-41091', needs: 'guests with one tree', isHarmless: false,
    program: (guest, { neighbour: { file, processId } }) => {
      for (const path of [file, `/proc/${processId}/root${file}`, `/../neighbour${file}`, `/proc/self/root/../neighbour${file}`]) steal(guest, path);
    },
    twin: IN_NEIGHBOUR,
  },
  {
    name: 'neighbour-port', kind: 'G', title: 'A server of another guest is reached that is on no network with it', source: 'docs/containers.md', needs: 'guests with one network', isHarmless: false,
    program: (guest, { neighbour: { port } }) => {
      for (const address of [[127, 0, 0, 1], [10, 88, 0, 2], [172, 17, 0, 2], [172, 17, 0, 3]]) askTcp(guest, address.join('.'), address, port);
    },
    twin: IN_NEIGHBOUR,
  },
  {
    name: 'neighbour-socket', kind: 'G', title: 'A socket without a path of another guest is reached', source: 'CVE-2020-15257 by the same means', needs: 'guests with one network', isHarmless: false,
    program: (guest, { neighbour: { abstractSocket } }) => askUnix(guest, abstractSocket),
    twin: IN_NEIGHBOUR,
  },
  {
    name: 'neighbour-segment', kind: 'G', title: 'A System V segment of another guest is attached', source: 'shmat(2)', needs: 'guests with one IPC namespace', isHarmless: false,
    program: (guest, { neighbour: { segmentKey } }) => {
      const id = guest.attempt('shmget', 'shmget', segmentKey, 0, 0);
      guest.when(id, '>=', 0, () => guest.loot(guest.sys('shmat', id, 0, 0o10000), 128));
    },
    twin: IN_NEIGHBOUR,
  },
  {
    name: 'timing', kind: 'G', title: 'How finely time is told, which is what side channels need', source: 'Kocher et al., "Spectre Attacks", 2019; docs/drill.md', needs: 'a clock', isHarmless: true, isProbe: true,
    program: (guest) => {
      const [best, before, time] = [guest.variable(1_000_000_000), guest.slot(), guest.buffer(16)];
      const sample = (what: string, read: () => Slot): void => {
        guest.set(best, 1_000_000_000);
        guest.set(before, read());
        guest.repeat(5000, () => {
          const now = read();
          const step = guest.minus(now, before);
          guest.when(step, '>', 0, () => guest.when(step, '<', best, () => void guest.set(best, step)));
          guest.set(before, now);
        });
        guest.measure(what, best);
      };
      sample('smallest step of the counter of cycles', () => guest.cycles());
      sample('smallest step of CLOCK_MONOTONIC, ns', () => {
        guest.sys('clock_gettime', 1, time);
        return guest.plus(guest.times(guest.load(8, time), 1_000_000_000), guest.load(8, time + 8));
      });
    },
    twin: ON_HOST,
  },
];

export const BOUNDARY_TECHNIQUES: readonly Technique[] = [...MEMORY, ...CODE, ...PATHS, ...CHANNELS, ...BOUNDS, ...NEIGHBOURS];
