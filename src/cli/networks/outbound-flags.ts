/** Flags of what a container may reach outside, which `do`, `run` and `create` have with the same meaning. */
import type { Flag } from '../flags.ts';

const NETWORK = 'Network';

export const ALLOW_NET_FLAG: Flag = { group: NETWORK, name: 'allow-net', kind: 'string', multiple: true, placeholder: 'HOST[:PORT]', help: 'allow a name (*.NAME for all below it, * for all), an address or a CIDR range, private ones included; where it is given, nothing else' };
export const DENY_NET_FLAG: Flag = { group: NETWORK, name: 'deny-net', kind: 'string', multiple: true, placeholder: 'HOST[:PORT]', help: 'refuse what is written so, whatever else allows it' };

export const OUTBOUND_FLAGS: readonly Flag[] = [
  ALLOW_NET_FLAG, DENY_NET_FLAG,
  { group: NETWORK, name: 'net-log', kind: 'string', placeholder: 'FILE', help: 'write what was refused, and by which rule, as lines of JSON' },
  { group: NETWORK, name: 'inject-header', kind: 'string', multiple: true, placeholder: "'HOST NAME: VALUE'", help: 'put a header into requests to https://HOST (or http://HOST), with {env:VARIABLE} and {file:PATH} in VALUE, so that the secret never is in the container' },
  { group: NETWORK, name: 'net-bytes', kind: 'string', placeholder: 'SIZE', help: 'what may go out and come back, altogether, such as 100m' },
  { group: NETWORK, name: 'net-connections', kind: 'string', placeholder: 'N', help: 'connections to the outside at a time' },
  { group: NETWORK, name: 'dns', kind: 'string', multiple: true, placeholder: 'ADDRESS[:PORT]', help: 'whom this machine asks for names on its behalf (default: its own resolver)' },
];
