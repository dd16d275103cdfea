/** `--network`, `--network-alias`, `--ip`, `-p` and `-P` of `run` and `create`. Every mistake that a user can make in one is found here. */
import type { NetworkConfig, NetworkMembership } from '../../container/index.ts';
import type { NetworkRecord } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { refuseOtherNetworks } from '../option-values.ts';
import { parseOutbound } from './outbound-options.ts';
import { publishedPorts } from './published-ports.ts';

const ALIAS = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;
const MOST_ALIAS_LENGTH = 253;
/** Of one container. */
export const MOST_NETWORKS = 16;

/** @throws UserError */
export function checkAliases(flag: string, given: readonly string[]): readonly string[] {
  const aliases = given.map((alias) => alias.toLowerCase());
  const wrong = aliases.find((alias) => !ALIAS.test(alias) || alias.length > MOST_ALIAS_LENGTH);
  if (wrong !== undefined) throw new UserError(`cannot use --${flag} ${wrong}: it is no name of a machine`, 'letters, digits, . and -');
  return aliases;
}

/** What no other network goes with. */
function checkAlone(words: readonly string[], hasPorts: boolean): void {
  if (!words.includes('none')) return;
  if (hasPorts) throw new UserError('cannot publish ports with --network none', 'leave --network out: connections come in by the ports, and none goes out');
  if (words.some((word) => word !== 'none')) throw new UserError('cannot use --network none with another one', 'leave one of them out');
}

/** Where all of its networks are internal, nothing goes out and no port leads in. @throws UserError */
export function refuseInternal(networks: readonly NetworkRecord[], { mode, ports = [] }: Pick<NetworkConfig, 'mode' | 'ports'>): void {
  const [first] = networks;
  if (first === undefined || networks.some(({ internal }) => !internal) || (mode !== 'outbound' && ports.length === 0)) return;
  throw new UserError(`cannot ${ports.length > 0 ? 'publish ports' : 'reach outside'} from the network ${first.name}: it is internal`, 'make another one without --internal');
}

/** `NAME`, or `name=NAME,alias=ALIAS,ip=ADDRESS`, as Docker has it. @throws UserError */
function parseNetworkWord(word: string): NetworkMembership {
  if (!word.includes('=')) return { network: word, aliases: [] };
  const wrong = (why: string): UserError => new UserError(`cannot use --network ${word}: ${why}`, 'such as name=backend,alias=db,ip=10.89.0.5');
  let [network, address]: (string | undefined)[] = [];
  const aliases: string[] = [];
  for (const field of word.split(',')) {
    const [, key, value = ''] = /^([^=]+)=(.+)$/.exec(field) ?? [];
    if (key === 'name') network = value;
    else if (key === 'alias') aliases.push(value);
    else if (key === 'ip') address = value;
    else throw wrong(`"${field}" is not name=, alias= or ip=`);
  }
  if (network === undefined) throw wrong('it has no name=');
  return { network, aliases: checkAliases('network', aliases), ...(address === undefined ? {} : { address }) };
}

/** Of a container on one network of its own making, `--network-alias` and `--ip` say more; on several, they are the first one's. @throws UserError */
function withFirstFlags(members: readonly NetworkMembership[], values: FlagValues): readonly NetworkMembership[] {
  const aliases = checkAliases('network-alias', values.all('network-alias'));
  const address = values.last('ip');
  const [first, ...others] = members;
  if (first === undefined) {
    const flag = aliases.length > 0 ? 'network-alias' : address === undefined ? undefined : 'ip';
    if (flag !== undefined) throw new UserError(`cannot use --${flag} without a network`, 'make one with "caisson network create", and give --network NAME');
    return [];
  }
  return [{ ...first, aliases: [...first.aliases, ...aliases], ...(address === undefined ? {} : { address }) }, ...others];
}

/** What `run` needs of the networks that there are. */
export interface KnownNetworks {
  /** By name. @throws NoSuchNetworkError */
  find(name: string): NetworkRecord;
  /** @throws LifecycleError for an address that none of its members can have */
  checkAddress(network: NetworkRecord, address: string): void;
}

/** @throws UserError, and what `known` throws. */
export function networkOf(values: FlagValues, exposed: readonly string[], known: KnownNetworks): NetworkConfig {
  const ports = publishedPorts(values, exposed);
  const words = values.all('network');
  for (const word of words) refuseOtherNetworks('network', word);
  checkAlone(words, ports.length > 0);
  const wanted = words.filter((word) => word !== 'none' && word !== 'outbound').map(parseNetworkWord);
  const found = wanted.map(({ network }) => known.find(network));
  const members = withFirstFlags(wanted.map((membership, index) => ({ ...membership, network: found[index]?.name ?? membership.network })), values);
  const twice = members.find(({ network }, index) => members.findIndex((other) => other.network === network) !== index);
  if (twice !== undefined) throw new UserError(`cannot use --network ${twice.network} twice`, 'leave one of them out');
  if (members.length > MOST_NETWORKS) throw new UserError(`cannot use --network more than ${MOST_NETWORKS} times`, 'a container can be on so many at once');
  members.forEach(({ address }, index) => address !== undefined && known.checkAddress(found[index]!, address));
  const policy = parseOutbound(values, 'network', words.includes('outbound') ? 'outbound' : words.includes('none') ? 'none' : undefined);
  refuseInternal(found, { ...policy, ports });
  return { ...policy, ...(ports.length === 0 ? {} : { ports }), ...(members.length === 0 ? {} : { members }) };
}
