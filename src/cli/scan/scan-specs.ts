/** `caisson scan` and `caisson db`, as data. */
import { SEVERITIES } from '../../findings/index.ts';
import type { CommandSpec } from '../command.ts';
import type { Flag } from '../flags.ts';
import { FINDING_FLAGS, FINDING_STATUS } from '../finding-flags.ts';
import { PLATFORM, QUIET, REGISTRY_FLAGS } from '../images/image-specs.ts';

/** `Scanner` of `../scan/index.ts`, which the help does not load. */
export const SCANNER_NAMES = ['vuln', 'secret', 'config', 'malware'] as const;
const LOOK = 'What is looked for';
const KNOWN = 'What is known of vulnerabilities';
const OUTPUT = 'More output';
const DATABASE = 'Database';

export const SCAN_FORMATS = ['table', 'json', 'sarif', 'markdown', 'html', 'cyclonedx', 'spdx'] as const;
const FORMAT: Flag = { group: 'Findings', name: 'format', short: 'f', kind: 'string', placeholder: SCAN_FORMATS.join('|'), help: 'how it is printed (default: table); the last two are bills of materials' };
const DB: Flag = { group: KNOWN, name: 'db', kind: 'string', placeholder: 'FILE', help: 'the database of advisories (default: that of "caisson db")' };

export const SCAN: CommandSpec = {
  name: 'scan', usage: '[FLAGS] IMAGE|DIR|ARCHIVE|SBOM', summary: 'find vulnerable packages, secrets, weak settings and malware in an image', words: [0, 1],
  description: `Looks into an image of the store or of a registry, an archive of "docker save" or OCI, an OCI directory, a directory, or a bill of materials (CycloneDX, SPDX). Places may be written as for
"caisson copy" (docker://..., oci:DIR, oci-archive:FILE, docker-archive:FILE, dir:DIR). Each finding says which layer and instruction brought it, and whether the base image has it already.
Vulnerabilities come from the database that "caisson db" makes, and with --updates from the mirror of the image's own distribution, which needs no database: what its suites have
newer than the image, with the CVE identifiers that the packages' lists of changes name. What is found in a layer is kept, so that the next image on the same base is quick.
${FINDING_STATUS}`,
  flags: [
    { group: LOOK, name: 'scanners', kind: 'string', placeholder: SCANNER_NAMES.join(','), help: 'some of them only (default: all)' },
    { group: LOOK, name: 'severity', short: 's', kind: 'string', placeholder: SEVERITIES.join(','), help: 'findings of these only' },
    { group: LOOK, name: 'ignore-unfixed', kind: 'boolean', help: 'without vulnerabilities that no update mends' },
    { group: LOOK, name: 'dev', kind: 'boolean', help: 'also packages that only development needs' },
    { group: LOOK, name: 'yara', kind: 'string', multiple: true, placeholder: 'FILE', help: 'more rules on malware, in YARA\'s language' },
    { group: LOOK, name: 'bad-digests', kind: 'string', multiple: true, placeholder: 'FILE', help: 'digests of files that are known to be bad: DIGEST NAME a line' },
    { group: LOOK, name: 'no-cache', kind: 'boolean', help: 'look at every layer again' }, PLATFORM,
    { group: KNOWN, name: 'updates', kind: 'boolean', help: 'ask the mirror of the distribution what is newer' },
    { group: KNOWN, name: 'mirror', kind: 'string', multiple: true, placeholder: 'FROM=TO', help: 'with --updates: addresses that begin with FROM are at TO' },
    { group: KNOWN, name: 'keyring', kind: 'string', multiple: true, placeholder: 'FILE', help: 'with --updates: keys whose signatures count, instead of the image\'s own' },
    { group: KNOWN, name: 'allow-unsigned', kind: 'boolean', help: 'with --updates: take lists that nobody signed whose keys are known' },
    { group: KNOWN, name: 'allow-expired', kind: 'boolean', help: 'with --updates: take lists that are older than they may be' },
    { group: KNOWN, name: 'allow-net', kind: 'string', multiple: true, placeholder: 'RULE', help: 'with --updates: an address or name within this network that the image\'s sources may lead to' }, DB,
    { group: KNOWN, name: 'db-digest', kind: 'string', placeholder: 'sha256:HEX', help: 'refuse a database that is not this one' },
    { group: KNOWN, name: 'vex', kind: 'string', multiple: true, placeholder: 'FILE', help: 'statements of what does not matter: OpenVEX, CSAF or CycloneDX' },
    { group: LOOK, name: 'used', kind: 'string', placeholder: 'FILE', help: 'say of each package how far it was used, by what "caisson run --record-use FILE" saw' },
    { group: OUTPUT, name: 'packages', kind: 'boolean', help: 'list all packages; in JSON, beside the findings' },
    { group: OUTPUT, name: 'output', short: 'o', kind: 'string', placeholder: 'FILE', help: 'where it is written (default: standard output)' },
    { group: OUTPUT, name: 'graph', kind: 'string', placeholder: 'FILE', help: 'draw the images of the store by inheritance, with what each adds, mends and passes on: SVG, or DOT for FILE.dot; - for DOT on standard output. With IMAGE, its family only; with docker://HOST or docker://HOST/REPOSITORY, the images there' },
    QUIET, FORMAT, ...FINDING_FLAGS.filter(({ name }) => name !== 'format'), ...REGISTRY_FLAGS,
  ],
  examples: [
    ['caisson scan debian:12', 'an image'], ['caisson scan --updates --ignore-unfixed debian:12', 'with what its mirror has newer'], ['caisson scan --scanners vuln --severity high,critical --fail-on high app:1', 'for a pipeline'],
    ['caisson scan -f cyclonedx -o app.cdx.json app:1', 'a bill of materials'], ['caisson scan app.cdx.json', 'and a scan of that'], ['caisson scan --graph family.svg', 'which image is built on which'],
  ],
};

export const DB_UPDATE: CommandSpec = {
  name: 'db update', usage: '[FLAGS] [ADDRESS...]', summary: 'fetch advisories', words: [0, 100],
  description: `An address is one of
  https://...        a file of advisories, as for "caisson db import"
  docker://NAME      a database that "caisson db push" put into a registry
Without one, those of the file "addresses" beside the database are taken, one a line ($CAISSON_HOME/advisories/addresses, by default in ~/.local/share/caisson).`,
  flags: [{ group: DATABASE, name: 'digest', kind: 'string', placeholder: 'sha256:HEX', help: 'refuse the database if it is not this one afterwards' }, QUIET, ...REGISTRY_FLAGS],
  examples: [['caisson db update https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip', 'OSV for npm'], ['caisson db update docker://registry.example/advisories:1', 'from a registry']],
};
export const DB_IMPORT: CommandSpec = {
  name: 'db import', usage: '[FLAGS] FILE|DIR...', summary: 'take advisories from files', words: [1, 1000],
  description: `Reads OSV (a document, a list, a line each, a zip or a directory of documents), the JSON of Debian's security tracker, Alpine's secdb, EPSS scores (CSV) and CISA's list of what is exploited (KEV, JSON),
each compressed with gzip or not, and databases of "caisson db". What comes replaces what was imported of the same feed before.`,
  flags: [{ group: DATABASE, name: 'digest', kind: 'string', placeholder: 'sha256:HEX', help: 'refuse the database if it is not this one afterwards' }, QUIET],
  examples: [['caisson db import all.zip tracker.json.gz epss.csv.gz', '']],
};
export const DB_PUSH: CommandSpec = {
  name: 'db push', usage: '[FLAGS] NAME:TAG', summary: 'put the advisories into a registry, for others', words: [1, 1],
  flags: [QUIET, ...REGISTRY_FLAGS],
  examples: [['caisson db push registry.example/advisories:1', 'and "caisson db update docker://registry.example/advisories:1" elsewhere']],
};
export const DB_INFO: CommandSpec = {
  name: 'db info', usage: '[FLAGS]', summary: 'show what advisories are here', words: [0, 0],
  flags: [{ group: OUTPUT, name: 'format', kind: 'string', placeholder: 'table|json', help: 'how it is printed (default: table)' }],
  examples: [['caisson db info', 'feeds, and the digest to pin']],
};
export const SCAN_COMMANDS: readonly CommandSpec[] = [SCAN, DB_UPDATE, DB_IMPORT, DB_PUSH, DB_INFO];
