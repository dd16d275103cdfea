/** `caisson squat`, as data. */
import type { CommandSpec } from '../command.ts';
import { FINDING_FLAGS, FINDING_STATUS } from '../finding-flags.ts';
import { REGISTRY_FLAGS } from '../images/image-specs.ts';
import { ALLOWED_NAMES } from './squat-flags.ts';

const WHAT = 'What is judged';
const NAMES = 'Names';
const NEAR = 'Names near a name';

export const SQUAT: CommandSpec = {
  name: 'squat', usage: '[FLAGS] REF...|-', summary: 'say whether a name of an image may be a trap, or a slip', words: [0, 100_000],
  description: `Holds host, namespace, repository and tag against names that are well known, without a network. With "-", names come from standard input, one a line.\n"pull", "run", "create", "build" and "push" do the same by themselves (--squat).\n${FINDING_STATUS}`,
  flags: [
    { group: WHAT, name: 'scan', kind: 'string', placeholder: 'DIR|FILE', help: 'the references in Dockerfiles, Compose files, manifests, charts, workflows and scripts' },
    { group: WHAT, name: 'lookup', kind: 'boolean', help: 'ask the registries for more evidence: what is there, how old it is, whether it is signed' },
    { group: NEAR, name: 'generate', kind: 'boolean', help: 'list the names that others could register near each REF' },
    { group: NEAR, name: 'watch', kind: 'string', placeholder: 'FILE', help: 'of the names near those in FILE, one a line: which are there, and what has changed since the last time' },
    { group: NEAR, name: 'kind', kind: 'string', multiple: true, placeholder: 'KIND,...', help: 'of these kinds only, such as omission,homoglyph' },
    { group: NEAR, name: 'state', kind: 'string', placeholder: 'FILE', help: 'what --watch saw the last time (default: FILE.seen.json)' },
    { group: NEAR, name: 'rate', kind: 'string', placeholder: 'N', help: 'requests a second of --watch and --lookup (default: 5)' },
    { group: NEAR, name: 'most', kind: 'string', placeholder: 'N', help: 'names that --watch asks for, of each in FILE (default: 1000)' },
    { group: NAMES, name: 'allow', kind: 'string', multiple: true, placeholder: 'PATTERN', help: ALLOWED_NAMES },
    { group: NAMES, name: 'names', kind: 'string', placeholder: 'FILE', help: 'what is well known, instead of the list that is built in' },
    { group: NAMES, name: 'print-names', kind: 'boolean', help: 'print that list, in the form that --names reads' },
    ...FINDING_FLAGS, ...REGISTRY_FLAGS,
  ],
  examples: [
    ['caisson squat ngnix ghrc.io/acme/app', 'two names'], ['caisson squat --scan . --format sarif', 'all of a project, for a code scanner'], ['caisson squat --generate --kind homoglyph redis', 'what looks like it'],
    ['caisson squat --watch ours.txt --rate 2', 'who registers names near ours'], ['caisson squat --lookup --report squat.html bitnmai/redis', 'with what the registry says, as a page'],
  ],
};
