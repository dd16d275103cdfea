/** `network connect` and `disconnect`: networks of a container that is there, now and at its next starts. */
import type { NetworkMembership } from '../../container/index.ts';
import { LifecycleError, Networks, NoSuchContainerError } from '../../lifecycle/index.ts';
import type { Containers, NetworkRecord, WholeContainer } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { EXIT_FAILED, withContainers } from '../containers/container-store.ts';
import { ask } from '../containers/control-client.ts';
import { UserError } from '../errors.ts';
import { MOST_NETWORKS, checkAliases, refuseInternal } from './network-options.ts';
import { NETWORK_CONNECT, NETWORK_DISCONNECT } from './network-specs.ts';

function isReady({ state }: WholeContainer): boolean {
  return state.status === 'running' && state.restarting !== true;
}

function setMembers(containers: Containers, id: string, change: (members: readonly NetworkMembership[]) => readonly NetworkMembership[]): void {
  containers.locked(id, () => {
    const { record } = containers.findWhole(id);
    const { members = [], ...network } = record.container.network;
    const changed = change(members);
    containers.writeRecord({ ...record, container: { ...record.container, network: { ...network, ...(changed.length === 0 ? {} : { members: changed }) } } });
  });
}

/**
 * Connects a container with a network, with these aliases and, where it has one, this address: at once where it runs, and at each start. Where it cannot be done at once,
 * nothing is changed.
 *
 * @throws UserError, LifecycleError in Docker's words: it is on it already, the address is taken or none of the network's, the network is internal and the container is not
 */
export async function connectContainer(containers: Containers, container: WholeContainer, { network: word, aliases, address }: NetworkMembership): Promise<void> {
  const networks = new Networks(containers.store);
  const network = networks.find(word);
  const { members = [], ...config } = container.record.container.network;
  if (members.some((member) => member.network === network.name)) throw new LifecycleError(`endpoint with name ${container.name} already exists in network ${network.name}`, 'it is on it already');
  if (members.length >= MOST_NETWORKS) throw new UserError(`a container can be on ${MOST_NETWORKS} networks at once`, 'disconnect it from another one', EXIT_FAILED);
  if (address !== undefined) networks.checkAddress(network, address);
  refuseInternal([...members.map((member) => networks.find(member.network)), network], config);
  const membership: NetworkMembership = { network: network.name, aliases: checkAliases('alias', aliases), ...(address === undefined ? {} : { address }) };
  setMembers(containers, container.id, (before) => [...before, membership]);
  try {
    if (isReady(container)) await ask(containers, container, { op: 'connect', membership });
  } catch (error) {
    setMembers(containers, container.id, (before) => before.filter((member) => member.network !== network.name));
    throw error;
  }
}

/** Takes a container off a network, at once where it runs: connections over it end. @throws LifecycleError where it is not on it */
export async function disconnectContainer(containers: Containers, container: WholeContainer, network: NetworkRecord): Promise<void> {
  const { members = [] } = container.record.container.network;
  if (!members.some((member) => member.network === network.name)) throw new LifecycleError(`container ${container.id} is not connected to network ${network.name}`, 'see "caisson network inspect"');
  setMembers(containers, container.id, (before) => before.filter((member) => member.network !== network.name));
  if (isReady(container)) await ask(containers, container, { op: 'disconnect', network: network.name });
}

export async function networkConnectCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(NETWORK_CONNECT, args);
  if (values === undefined) return 0;
  const [network = '', word = ''] = values.command;
  const address = values.last('ip');
  return withContainers('connect the container', async (containers) => {
    await connectContainer(containers, containers.findWhole(word), { network, aliases: values.all('alias'), ...(address === undefined ? {} : { address }) });
    return 0;
  });
}

export async function networkDisconnectCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(NETWORK_DISCONNECT, args);
  if (values === undefined) return 0;
  const [name = '', word = ''] = values.command;
  return withContainers('disconnect the container', async (containers) => {
    const networks = new Networks(containers.store);
    const network = networks.find(name);
    try {
      await disconnectContainer(containers, containers.findWhole(word), network);
    } catch (error) {
      if (!values.has('force') || !(error instanceof NoSuchContainerError)) throw error;
      // It is gone, and its entry is not.
      const left = networks.members(network.name).filter(({ container, names }) => container.startsWith(word) || names.includes(word.toLowerCase()));
      if (left.length === 0) throw error;
      for (const member of left) networks.leave(network.name, member.address, member.container);
    }
    return 0;
  });
}
