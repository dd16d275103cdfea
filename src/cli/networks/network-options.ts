/** `--network`, `--network-alias`, `-p` and `-P` of `run` and `create`. Every mistake that a user can make in one is found here. */
import type { NetworkConfig } from '../../container/index.ts';
import type { NetworkRecord } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { refuseOtherNetworks } from '../option-values.ts';
import { parseOutbound } from './outbound-options.ts';
import { publishedPorts } from './published-ports.ts';

const ALIAS = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;
const MOST_ALIAS_LENGTH = 253;

function aliasesOf(values: FlagValues, network: NetworkRecord | undefined): readonly string[] {
  const aliases = values.all('network-alias').map((alias) => alias.toLowerCase());
  if (aliases.length > 0 && network === undefined) throw new UserError('cannot use --network-alias without a network', 'make one with "caisson network create", and give --network NAME');
  const wrong = aliases.find((alias) => !ALIAS.test(alias) || alias.length > MOST_ALIAS_LENGTH);
  if (wrong !== undefined) throw new UserError(`cannot use --network-alias ${wrong}: it is no name of a machine`, 'letters, digits, . and -');
  return aliases;
}

/** What no other network goes with. */
function checkAlone(words: readonly string[], hasPorts: boolean): void {
  if (!words.includes('none')) return;
  if (hasPorts) throw new UserError('cannot publish ports with --network none', 'leave --network out: connections come in by the ports, and none goes out');
  if (words.some((word) => word !== 'none')) throw new UserError('cannot use --network none with another one', 'leave one of them out');
}

/** `find`: a network by its name. @throws UserError, and what `find` throws. */
export function networkOf(values: FlagValues, exposed: readonly string[], find: (name: string) => NetworkRecord): NetworkConfig {
  const ports = publishedPorts(values, exposed);
  const words = values.all('network');
  for (const word of words) refuseOtherNetworks('network', word);
  checkAlone(words, ports.length > 0);
  const [name, another] = [...new Set(words.filter((word) => word !== 'none' && word !== 'outbound'))];
  if (another !== undefined) throw new UserError(`cannot use --network ${another} beside ${name ?? ''}: a container is on one network`, 'make one for all that are to reach each other');
  const network = name === undefined ? undefined : find(name);
  const policy = parseOutbound(values, 'network', words.includes('outbound') ? 'outbound' : words.includes('none') ? 'none' : undefined);
  if (network?.internal === true && (policy.mode === 'outbound' || ports.length > 0)) {
    throw new UserError(`cannot ${ports.length > 0 ? 'publish ports' : 'reach outside'} from the network ${network.name}: it is internal`, 'make another one without --internal');
  }
  const aliases = aliasesOf(values, network);
  return { ...policy, ...(ports.length === 0 ? {} : { ports }), ...(network === undefined ? {} : { member: { network: network.name, aliases } }) };
}
