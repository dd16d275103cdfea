/** `caisson drill`, as data. */
import type { CommandSpec } from '../command.ts';
import { FINDING_FLAGS } from '../finding-flags.ts';

const WHAT = 'What is tried';

export const DRILL: CommandSpec = {
  name: 'drill', usage: '[FLAGS] [IMAGE]', summary: 'try known ways out of a container, and look whether the host has noticed', words: [0, 1],
  description: `Runs techniques of known escapes as programs in sandboxes, each as root with every capability or as a user, and looks after each at canaries: files, processes, sockets, memory,
keys, settings and the environment of this machine, and another guest. Without IMAGE the sandboxes have an empty root directory. Each technique has a twin, a host
without the defence, on which it must get out: --twins tries those as well (nothing but the drill's own files and processes is touched there).
Exit status: 0 if nothing got out, 1 if something did, 2 if it could not be tried, or a twin held.`,
  flags: [
    { group: WHAT, name: 'only', kind: 'string', multiple: true, placeholder: 'KIND|NAME,...', help: 'techniques of a kind (A to G, or its name) or of a name' },
    { group: WHAT, name: 'list', kind: 'boolean', help: 'show the techniques and try none' },
    { group: WHAT, name: 'twins', kind: 'boolean', help: 'also try each where the defence is missing' },
    { group: WHAT, name: 'runtime', kind: 'string', placeholder: 'COMMAND', help: 'also try what does no harm under another engine, beside it: runc, crun, bwrap, unshare, or a command with {root} where the root directory goes' },
    { group: WHAT, name: 'write-bundle', kind: 'string', placeholder: 'DIR', help: 'try none, but write those that need files only as a bundle of OCI, with a script that runs them on another machine' },
    ...FINDING_FLAGS,
  ],
  examples: [
    ['caisson drill', 'all techniques, on an empty root directory'], ['caisson drill --twins debian:12', 'on an image, with the proof that each can get out'],
    ['caisson drill --only mounts,dirty-pipe', 'some of them'], ['caisson drill --runtime runc', 'beside another engine'], ['caisson drill --format sarif > drill.sarif', 'for a code scanner'],
  ],
};
