/** The usual hosts without a defence. */
import { opens, payload } from './guest/moves.ts';
import type { Field, Grants, Twin } from './types.ts';

export const ON_HOST: Twin = { what: 'no container: a process of the host', on: 'host' };
export const IN_NEIGHBOUR: Twin = { what: 'no border between the guests: it runs in the other one', on: 'neighbour' };

/** A file in the host's name at this path. */
export function given(destination: string, what: string): Twin {
  return { what, on: 'sandbox', grants: ({ stagedFile }) => ({ mounts: [{ source: stagedFile, destination, writable: true }] }) };
}

/** A directory in the host's name at this path. */
export function givenTree(destination: string, what: string): Twin {
  return { what, on: 'sandbox', grants: ({ stagedTree }) => ({ mounts: [{ source: stagedTree, destination, writable: true }] }) };
}

export function keptWritable({ keptFile }: Field): Grants {
  return { mounts: [{ source: keptFile, destination: keptFile, writable: true }] };
}

/** A kernel with the bug, simulated: at this call the attacker's code runs with the host's rights. */
export function exploitable(call: string, what: string): Twin {
  return { what: `${what} (simulated)`, on: 'sandbox', grants: keptWritable, bugs: ({ keptFile }) => ({ [call]: payload(keptFile) }) };
}

/** A kernel without the check, simulated: this call opens what belongs to the host. */
export function leaking(call: string, what: string): Twin {
  return { what: `${what} (simulated)`, on: 'sandbox', grants: ({ secretFile }) => ({ mounts: [{ source: secretFile, destination: secretFile }] }), bugs: ({ secretFile }) => ({ [call]: opens(secretFile) }) };
}
