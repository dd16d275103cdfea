/** What a container may reach outside, from its flags. Every mistake that a user can make in one is found here. */
import { resolve } from 'node:path';
import { NetworkRuleError, parseAddress, parseNetworkRule } from '../../container/index.ts';
import type { NetworkConfig, OutboundLimits } from '../../container/index.ts';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { headerRulesIn } from './header-injection.ts';
import { parseCount, parseSize } from '../quantities.ts';

/** More are a slip, or a list for a firewall. */
const MOST_RULES = 1000;
const MOST_SERVERS = 8;
/** They mean nothing where nothing goes out. */
const NEEDS_OUTBOUND = ['deny-net', 'net-log', 'net-bytes', 'net-connections', 'dns', 'inject-header'];
const RULE_EXAMPLES = 'such as example.com:443, *.example.com, 10.0.0.0/8 or [fd00::1]:80';

/** `--allow-net` or `--deny-net`. @throws UserError */
export function rulesIn(values: FlagValues, flag: 'allow-net' | 'deny-net'): readonly string[] {
  const rules = values.all(flag);
  if (rules.length > MOST_RULES) throw new UserError(`cannot use --${flag} more than ${MOST_RULES} times`, 'name ranges instead of addresses');
  for (const rule of rules) {
    try {
      parseNetworkRule(rule);
    } catch (error) {
      if (!(error instanceof NetworkRuleError)) throw error;
      throw new UserError(`cannot use --${flag} ${rule}: ${error.message}`, RULE_EXAMPLES, undefined, { cause: error });
    }
  }
  return rules;
}

function limitsOf(values: FlagValues): OutboundLimits | undefined {
  const [size, count] = [values.last('net-bytes'), values.last('net-connections')];
  if (size === undefined && count === undefined) return undefined;
  const bytes = size === undefined ? undefined : parseSize(size);
  const connections = count === undefined ? undefined : parseCount(count);
  if (size !== undefined && bytes === undefined) throw new UserError(`cannot use --net-bytes ${size}: it is not a size`, 'such as 100m');
  if (count !== undefined && (connections === undefined || connections === 0)) throw new UserError(`cannot use --net-connections ${count}: it is not a number from 1 on`, 'such as 16');
  return { ...(bytes === undefined ? {} : { bytes }), ...(connections === undefined ? {} : { connections }) };
}

function nameServersIn(values: FlagValues): readonly string[] {
  const servers = values.all('dns');
  for (const server of servers) {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+|[^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(server) ?? [];
    const isPort = port === undefined || (Number(port) > 0 && Number(port) < 65_536);
    if (!isPort || parseAddress(bracketed ?? plain ?? '') === undefined) throw new UserError(`cannot use --dns ${server}: it is not ADDRESS[:PORT]`, 'such as 9.9.9.9 or [2620:fe::fe]:53');
  }
  if (servers.length > MOST_SERVERS) throw new UserError(`cannot use --dns more than ${MOST_SERVERS} times`, 'leave some out');
  return servers;
}

/** `--allow-net` alone means outbound, restricted to what is named. @throws UserError */
export function parseOutbound(values: FlagValues, flag: 'net' | 'network', given: NetworkConfig['mode'] | undefined): NetworkConfig {
  const allow = rulesIn(values, 'allow-net');
  const mode = given ?? (allow.length > 0 ? 'outbound' : 'none');
  if (mode === 'none' && allow.length > 0) throw new UserError(`cannot use --allow-net with --${flag} none`, 'leave one of them out');
  const idle = mode === 'none' ? NEEDS_OUTBOUND.find((name) => values.has(name)) : undefined;
  if (idle !== undefined) throw new UserError(`cannot use --${idle} where nothing goes out`, `add --${flag} outbound, or --allow-net HOST`);
  const deny = rulesIn(values, 'deny-net');
  const limits = limitsOf(values);
  const nameServers = nameServersIn(values);
  const log = values.last('net-log');
  const headers = headerRulesIn(values);
  return {
    mode, allow, ...(deny.length === 0 ? {} : { deny }), ...(limits === undefined ? {} : { limits }), ...(nameServers.length === 0 ? {} : { nameServers }),
    ...(log === undefined ? {} : { log: toByteString(resolve(log)) }), ...(headers.length === 0 ? {} : { headers }),
  };
}
