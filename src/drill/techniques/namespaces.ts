/** C: what a container shares with the host, or should not. */
import { deface, steal } from '../guest/moves.ts';
import type { Technique } from '../types.ts';

const HOST_PROCESS = 'the same program as a process of the host';

export const NAMESPACE_TECHNIQUES: readonly Technique[] = [
  {
    name: 'read-process-memory', kind: 'C', title: 'The memory of a process of the host is read', source: 'process_vm_readv(2); CDK check-ptrace', needs: 'the host\'s process namespace', path: 'ptrace-host', isHarmless: true,
    program: (guest, { processId, secretAddress, secretLength }) => {
      const buffer = guest.buffer(secretLength);
      const [local, remote] = [guest.words(buffer, secretLength), guest.words(secretAddress, secretLength)];
      const got = guest.attempt(`process_vm_readv ${processId}`, 'process_vm_readv', processId, local, 1, remote, 1, 0);
      guest.when(got, '>', 0, () => guest.loot(buffer, got));
      steal(guest, `/proc/${processId}/environ`);
    },
    twin: { what: HOST_PROCESS, on: 'host' },
  },
];

export const MOUNT_TECHNIQUES: readonly Technique[] = [
  {
    name: 'write-read-only-mount', kind: 'B', title: 'A mount for reading is written', source: 'mount_namespaces(7)', needs: 'a directory of the host that is mounted read-only', isHarmless: true,
    grants: ({ readable }) => ({ mounts: [{ source: readable, destination: readable }] }),
    program: (guest, { readable }) => void deface(guest, `${readable}/file`),
    twin: { what: 'the directory is mounted for writing', on: 'sandbox', grants: ({ readable }) => ({ mounts: [{ source: readable, destination: readable, writable: true }] }) },
  },
];
