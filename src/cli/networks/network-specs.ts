/** The commands on networks, as data. Names and flags are Docker's. */
import type { CommandSpec } from '../command.ts';

const NETWORK = 'Network';
const OUTPUT = 'Output';
const MANY = 1000;

export const NETWORK_CREATE: CommandSpec = {
  name: 'network create', usage: '[FLAGS] NAME', summary: 'make a network that containers share', words: [1, 1],
  description: 'Containers that are made with --network NAME reach each other there, by name and by address, and nobody else reaches them. What goes out, and what comes in by ports, is said for each container.',
  flags: [
    { group: NETWORK, name: 'internal', kind: 'boolean', help: 'containers on it may have no way out and no ports' },
    { group: NETWORK, name: 'subnet', kind: 'string', placeholder: 'ADDRESS/BITS', help: 'its IPv4 addresses (default: a free one of 10.89.0.0/16)' },
    { group: NETWORK, name: 'ipv6', kind: 'boolean', help: 'give it IPv6 addresses as well: a range of its own in fd00::/8' },
    { group: NETWORK, name: 'label', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'say something about it' },
    { group: NETWORK, name: 'driver', short: 'd', kind: 'string', placeholder: 'bridge', help: 'there is only that' },
  ],
  examples: [['caisson network create backend', ''], ['caisson run -d --name db --network backend redis', ''], ['caisson run --network backend redis redis-cli -h db ping', '']],
};
export const NETWORK_LS: CommandSpec = {
  name: 'network ls', usage: '[FLAGS]', summary: 'list networks', words: [0, 0],
  flags: [
    { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' }, { group: OUTPUT, name: 'no-trunc', kind: 'boolean', help: 'whole ids' },
    { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template such as \'{{.Name}}\'' },
  ],
  examples: [['caisson network ls', '']],
};
export const NETWORK_INSPECT: CommandSpec = {
  name: 'network inspect', usage: '[FLAGS] NETWORK...', summary: 'show everything about networks, and who is on them', words: [1, MANY],
  flags: [{ group: OUTPUT, name: 'format', short: 'f', kind: 'string', placeholder: 'FORMAT', help: 'a Go template such as \'{{json .Containers}}\'' }],
  examples: [['caisson network inspect backend', '']],
};
export const NETWORK_RM: CommandSpec = {
  name: 'network rm', usage: 'NETWORK...', summary: 'remove networks that no running container is on', words: [1, MANY], flags: [], examples: [['caisson network rm backend', '']],
};
export const NETWORK_PRUNE: CommandSpec = {
  name: 'network prune', usage: '[FLAGS]', summary: 'remove all networks that no container is made for', words: [0, 0],
  flags: [
    { group: NETWORK, name: 'filter', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'only: until=TIME (made more than 24h ago, or before a date), label=KEY[=VALUE], label!=KEY[=VALUE]' },
    { group: OUTPUT, name: 'force', short: 'f', kind: 'boolean', help: 'do not ask' },
  ],
  examples: [['caisson network prune -f', '']],
};
export const NETWORK_CONNECT: CommandSpec = {
  name: 'network connect', usage: '[FLAGS] NETWORK CONTAINER', summary: 'put a container on one more network', words: [2, 2],
  description: 'At once where it runs, and at each start from now on. It reaches who is on it, and they reach it; nothing goes through it from one of its networks to another.',
  flags: [
    { group: NETWORK, name: 'alias', kind: 'string', multiple: true, placeholder: 'NAME', help: 'what the others on the network may call it, beside its own name' },
    { group: NETWORK, name: 'ip', kind: 'string', placeholder: 'ADDRESS', help: 'its IPv4 address there (default: a free one)' },
  ],
  examples: [['caisson network connect --alias db backend postgres', '']],
};
export const NETWORK_DISCONNECT: CommandSpec = {
  name: 'network disconnect', usage: '[FLAGS] NETWORK CONTAINER', summary: 'take a container off a network', words: [2, 2], description: 'At once where it runs: connections over that network end.',
  flags: [{ group: NETWORK, name: 'force', short: 'f', kind: 'boolean', help: 'also an entry of one that is gone' }],
  examples: [['caisson network disconnect backend postgres', '']],
};
export const NETWORK_COMMANDS: readonly CommandSpec[] = [NETWORK_CREATE, NETWORK_CONNECT, NETWORK_DISCONNECT, NETWORK_LS, NETWORK_INSPECT, NETWORK_RM, NETWORK_PRUNE];
