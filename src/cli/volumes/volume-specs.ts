/** The commands on volumes, as data. Names and flags are Docker's. */
import type { CommandSpec } from '../command.ts';
import type { Flag } from '../flags.ts';

const VOLUME = 'Volume';
const OUTPUT = 'Output';
const MANY = 1000;
const NO_DRIVERS = 'a volume is a directory of the store; mount another one with -v DIR:DIR';
const FORMAT: Flag = { group: OUTPUT, name: 'format', short: 'f', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template such as \'{{.Name}}\'' };

export const VOLUME_CREATE: CommandSpec = {
  name: 'volume create', usage: '[FLAGS] [NAME]', summary: 'make a volume, which outlives containers', words: [0, 1], absent: { opt: NO_DRIVERS, o: NO_DRIVERS },
  flags: [{ group: VOLUME, name: 'label', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'say something about it' }, { group: VOLUME, name: 'driver', short: 'd', kind: 'string', placeholder: 'local', help: 'there is no other' }],
  examples: [['caisson volume create data', ''], ['caisson run -d -v data:/var/lib/postgresql postgres', '']],
};
export const VOLUME_LS: CommandSpec = {
  name: 'volume ls', usage: '[FLAGS]', summary: 'list volumes', words: [0, 0],
  flags: [
    { group: VOLUME, name: 'filter', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'name, label, dangling (no container has it), driver' }, { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'names only' },
    { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template such as \'{{.Name}}\'' },
  ],
  examples: [['caisson volume ls --filter dangling=true', '']],
};
export const VOLUME_INSPECT: CommandSpec = {
  name: 'volume inspect', usage: '[FLAGS] VOLUME...', summary: 'show all about volumes', words: [1, MANY], flags: [FORMAT], examples: [['caisson volume inspect -f "{{.Mountpoint}}" data', '']],
};
export const VOLUME_RM: CommandSpec = {
  name: 'volume rm', usage: '[FLAGS] VOLUME...', summary: 'remove volumes and what is in them', words: [1, MANY],
  flags: [{ group: VOLUME, name: 'force', short: 'f', kind: 'boolean', help: 'no error where there is none' }], examples: [['caisson volume rm data', '']],
};
export const VOLUME_PRUNE: CommandSpec = {
  name: 'volume prune', usage: '[FLAGS]', summary: 'remove volumes that no container has', words: [0, 0], description: 'Those without a name of their own; --all: those with one, too.',
  flags: [
    { group: VOLUME, name: 'all', short: 'a', kind: 'boolean', help: 'also those with a name' }, { group: VOLUME, name: 'filter', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'only: until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]' },
    { group: OUTPUT, name: 'force', short: 'f', kind: 'boolean', help: 'do not ask' },
  ],
  examples: [['caisson volume prune -af', '']],
};

export const VOLUME_COMMANDS: readonly CommandSpec[] = [VOLUME_CREATE, VOLUME_LS, VOLUME_INSPECT, VOLUME_RM, VOLUME_PRUNE];
