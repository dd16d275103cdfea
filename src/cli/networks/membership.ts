/** A container that starts joins its network: an address, and a socket that the others find. */
import { closeSync, openSync } from 'node:fs';
import type { Membership } from '../../container/index.ts';
import { Networks, gatewayOf, prefixOf, shortId } from '../../lifecycle/index.ts';
import type { ContainerState, WholeContainer } from '../../lifecycle/index.ts';
import type { ImageStore } from '../../image/index.ts';

export interface Joined {
  readonly membership: Membership;
  readonly network: NonNullable<ContainerState['network']>;
  leave(): void;
}

/** Undefined: it is on none. @throws LifecycleError */
export function joinNetwork(store: ImageStore, { id, name, record }: WholeContainer): Joined | undefined {
  const { member } = record.container.network;
  if (member === undefined) return undefined;
  const networks = new Networks(store);
  const network = networks.find(member.network);
  const names = [...new Set([name.toLowerCase(), ...member.aliases, shortId(id)])];
  const { address } = networks.join(network, { container: id, names, owner: store.disk.host.owner });
  // A socket's path has 108 bytes at most (unix(7)): so it is named by way of the open directory.
  const path = networks.membersPath(network.name);
  const handle = openSync(Buffer.from(path, 'latin1'), 'r');
  const socketAt = (other: string): string => `/proc/self/fd/${handle}/${other}.sock`;
  const gateway = gatewayOf(network.subnet);
  let hasLeft = false;
  return {
    membership: {
      outer: { address, prefix: prefixOf(network.subnet), gateway, resolver: gateway }, socket: socketAt(address),
      directory: {
        socketOf: (other) => (store.disk.exists(`${path}/${other}`) ? socketAt(other) : undefined),
        lookUp: (wanted) => {
          const found = networks.members(network.name).filter((one) => one.names.includes(wanted)).map((one) => one.address);
          return found.length === 0 ? undefined : found;
        },
      },
    },
    network: { name: network.name, id: network.id, address, prefix: prefixOf(network.subnet), gateway },
    leave: () => {
      if (hasLeft) return;
      hasLeft = true;
      closeSync(handle);
      networks.leave(network.name, address, id);
    },
  };
}
