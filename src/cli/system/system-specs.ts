/** The commands on the store, as data. Names and flags are Docker's and, for `system check`, Podman's. */
import type { CommandSpec } from '../command.ts';
import type { Flag } from '../flags.ts';

const OUTPUT = 'Output';
const WHAT = 'What goes';

const FORMAT: Flag = { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template such as \'{{.Type}} {{.Size}}\'' };
const PRUNE_FLAGS: readonly Flag[] = [
  { group: WHAT, name: 'all', short: 'a', kind: 'boolean', help: 'also images with a name, unless they have a container' },
  { group: WHAT, name: 'filter', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'of those, only: until=TIME (older than 24h or a date), label=KEY[=VALUE], label!=KEY[=VALUE]' },
  { group: OUTPUT, name: 'force', short: 'f', kind: 'boolean', help: 'do not ask' },
];
const PRUNE_TEXT = 'What commands that run at the same time are bringing or using stays.';

export const SYSTEM_CHECK: CommandSpec = {
  name: 'system check', usage: '[FLAGS]', summary: 'find out whether images and containers are as they should be', words: [0, 0],
  description: 'Everything is read and compared with its digest. Exit status 1: something is wrong that was not mended.',
  flags: [
    { group: WHAT, name: 'repair', short: 'r', kind: 'boolean', help: 'mend what can be: remove spoiled blobs, make layers anew, remove what killed commands left' },
    { group: WHAT, name: 'force', short: 'f', kind: 'boolean', help: 'with --repair: remove images that lack something' },
    { group: OUTPUT, name: 'quick', short: 'q', kind: 'boolean', help: 'compare sizes only' },
  ],
  examples: [['caisson system check', ''], ['caisson system check --repair --force', 'afterwards all that is listed is whole']],
};
export const SYSTEM_DF: CommandSpec = {
  name: 'system df', usage: '[FLAGS]', summary: 'show what takes space on the disk', words: [0, 0],
  flags: [FORMAT, { group: OUTPUT, name: 'verbose', short: 'v', kind: 'boolean', help: 'each image, and where the store is' }],
  examples: [['caisson system df', ''], ['caisson system df --format "{{.Type}}: {{.Reclaimable}}"', '']],
};
export const SYSTEM_PRUNE: CommandSpec = {
  name: 'system prune', usage: '[FLAGS]', summary: 'remove all that nothing uses', words: [0, 0], description: `Containers that do not run, networks that none is made for, images without a name, what builds keep, and what killed commands have left. ${PRUNE_TEXT}`,
  flags: [...PRUNE_FLAGS, { group: WHAT, name: 'volumes', kind: 'boolean', help: 'and volumes without a name of their own that no container has' }], examples: [['caisson system prune', ''], ['caisson system prune -af', 'every image, without asking']],
};
export const IMAGE_PRUNE: CommandSpec = {
  name: 'image prune', usage: '[FLAGS]', summary: 'remove images that have no name', words: [0, 0], description: PRUNE_TEXT,
  flags: PRUNE_FLAGS, examples: [['caisson image prune', ''], ['caisson image prune -a --filter until=240h', 'all that are older than ten days']],
};

export const SYSTEM_COMMANDS: readonly CommandSpec[] = [SYSTEM_CHECK, SYSTEM_DF, SYSTEM_PRUNE, IMAGE_PRUNE];
