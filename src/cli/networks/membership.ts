/** A container that starts joins its networks: on each an address, and a socket that the others find. It may join and leave some while it runs. */
import { closeSync, openSync } from 'node:fs';
import { ERRNO_NAMES } from '../../abi/errno.ts';
import type { Container, Membership, NetworkMembership } from '../../container/index.ts';
import { LifecycleError, Networks, address6Of, gatewayOf, prefixOf, shortId } from '../../lifecycle/index.ts';
import type { JoinedNetwork, WholeContainer } from '../../lifecycle/index.ts';
import type { ImageStore } from '../../image/index.ts';

const PREFIX6 = 64;

interface Joined {
  readonly membership: Membership;
  readonly network: JoinedNetwork;
  leave(): void;
}

function join(store: ImageStore, { id, name }: WholeContainer, { network: word, aliases, address: wanted }: NetworkMembership): Joined {
  const networks = new Networks(store);
  const network = networks.find(word);
  const names = [...new Set([name.toLowerCase(), ...aliases, shortId(id)])];
  const { address } = networks.join(network, { container: id, names, owner: store.disk.host.owner }, wanted);
  // A socket's path has 108 bytes at most (unix(7)): so it is named by way of the open directory.
  const path = networks.membersPath(network.name);
  const handle = openSync(Buffer.from(path, 'latin1'), 'r');
  const socketAt = (other: string): string => `/proc/self/fd/${handle}/${other}.sock`;
  const gateway = gatewayOf(network.subnet);
  const [address6, gateway6] = [address, gateway].map((one) => address6Of(network, one));
  const version6 = address6 === undefined || gateway6 === undefined || network.subnet6 === undefined ? {} : { members6: network.subnet6, version6: { address: address6, prefix: PREFIX6, gateway: gateway6 } };
  let hasLeft = false;
  return {
    membership: {
      network: network.name, outer: { address, prefix: prefixOf(network.subnet), gateway, resolver: gateway, ...version6 }, socket: socketAt(address),
      directory: {
        socketOf: (other) => (store.disk.exists(`${path}/${other}`) ? socketAt(other) : undefined),
        lookUp: (wantedName) => {
          const found = networks.members(network.name).filter((one) => one.names.includes(wantedName)).map((one) => one.address);
          return found.length === 0 ? undefined : found;
        },
      },
    },
    network: { name: network.name, id: network.id, address, prefix: prefixOf(network.subnet), gateway, ...(address6 === undefined ? {} : { address6 }) },
    leave: () => {
      if (hasLeft) return;
      hasLeft = true;
      closeSync(handle);
      networks.leave(network.name, address, id);
    },
  };
}

/** The networks that one start of a container is on. */
export class Memberships {
  readonly #store: ImageStore;
  readonly #kept: WholeContainer;
  readonly #joined: Joined[] = [];

  /** Joins all that its record names, or none. @throws LifecycleError */
  constructor(store: ImageStore, kept: WholeContainer) {
    this.#store = store;
    this.#kept = kept;
    try {
      for (const membership of kept.record.container.network.members ?? []) this.#joined.push(join(store, kept, membership));
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  get memberships(): readonly Membership[] {
    return this.#joined.map(({ membership }) => membership);
  }
  get networks(): readonly JoinedNetwork[] {
    return this.#joined.map(({ network }) => network);
  }

  /** While it runs. @throws LifecycleError */
  async connect(container: Container, wanted: NetworkMembership): Promise<void> {
    const joined = join(this.#store, this.#kept, wanted);
    const { nodeNetwork } = await import('../../host/node/network.ts');
    const connected = await container.connect(nodeNetwork, joined.membership);
    if (connected === 0) return void this.#joined.push(joined);
    joined.leave();
    throw new LifecycleError(`cannot join the network ${joined.network.name}: ${ERRNO_NAMES.get(-connected) ?? `error ${-connected}`}`, 'can the store be written?');
  }

  /** While it runs; nothing where it is not on it. `network`: its name. */
  disconnect(container: Container, network: string): void {
    const index = this.#joined.findIndex((one) => one.network.name === network);
    const [joined] = index < 0 ? [] : this.#joined.splice(index, 1);
    container.disconnect(network);
    joined?.leave();
  }

  leave(): void {
    for (const joined of this.#joined.splice(0)) joined.leave();
  }
}
