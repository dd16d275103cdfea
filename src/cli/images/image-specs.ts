/** The commands on images, as data. Names and flags are Docker's. */
import type { CommandSpec } from '../command.ts';
import type { Flag } from '../flags.ts';
import { SQUAT_FLAGS } from '../squat/squat-flags.ts';

const IMAGE = 'Image';
const OUTPUT = 'Output';
const BOUNDS = 'Bounds for what is not trusted';

const FORMAT: Flag = { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template such as \'{{.ID}}\'' };
export const QUIET: Flag = { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'no progress' };
export const LAYER_LIMIT_FLAGS: readonly Flag[] = [
  { group: BOUNDS, name: 'max-layer-size', kind: 'string', placeholder: 'SIZE', help: 'bytes of a layer, uncompressed (default: 64g)' },
  { group: BOUNDS, name: 'max-layer-entries', kind: 'string', placeholder: 'N', help: 'files of a layer (default: 4000000)' },
  { group: BOUNDS, name: 'max-layer-ratio', kind: 'string', placeholder: 'N', help: 'times that a layer may grow when it is uncompressed (default: 1100)' },
];
export const PLATFORM: Flag = { group: IMAGE, name: 'platform', kind: 'string', placeholder: 'OS/ARCH', help: 'which one of an image for several (default: linux/amd64)' };
const REGISTRY = 'Registry';
export const REGISTRY_FLAGS: readonly Flag[] = [
  { group: REGISTRY, name: 'plain-http', kind: 'boolean', help: 'speak unencrypted (on this machine it is the default)' },
  { group: REGISTRY, name: 'cacert', kind: 'string', placeholder: 'FILE', help: 'one more authority for certificates, as PEM' },
  { group: REGISTRY, name: 'cert', kind: 'string', placeholder: 'FILE', help: 'our certificate, as PEM' },
  { group: REGISTRY, name: 'key', kind: 'string', placeholder: 'FILE', help: 'its key, as PEM' },
];
export const MIRROR: Flag = { group: REGISTRY, name: 'mirror', kind: 'string', multiple: true, placeholder: 'HOST', help: 'ask this one first; for Docker Hub also those in CAISSON_MIRRORS, with commas between' };
const TAG: Flag = { group: IMAGE, name: 'tag', short: 't', kind: 'string', placeholder: 'NAME', help: 'give the image this name' };

export const RESOLVE: CommandSpec = {
  name: 'resolve', usage: 'REFERENCE', summary: 'show what a name of an image stands for, and why', words: [1, 1],
  flags: [FORMAT],
  examples: [['caisson resolve debian', 'docker.io/library/debian:latest, part by part'], ['caisson resolve localhost:5000/team/app:v1@sha256:...', 'a whole one']],
};
export const LOAD: CommandSpec = {
  name: 'load', usage: '[FLAGS] [FILE|DIR]', summary: 'take images from an archive or a directory', words: [0, 1],
  description: 'Reads what "docker save" writes, OCI archives and OCI directories, compressed or not; which one it is shows by itself. Without a file, from standard input.',
  flags: [
    { group: IMAGE, name: 'input', short: 'i', kind: 'string', placeholder: 'FILE', help: 'the archive or directory (default: standard input)' }, TAG, PLATFORM, QUIET, ...LAYER_LIMIT_FLAGS,
  ],
  examples: [['caisson load -i image.tar', 'an archive'], ['docker save app:1 | caisson load', 'from Docker'], ['caisson load ./layout -t app:1', 'an OCI directory, with a name']],
};
export const SAVE: CommandSpec = {
  name: 'save', usage: '[FLAGS] IMAGE...', summary: 'write images to an archive that Docker, podman and skopeo read', words: [1, 1000],
  description: 'The archive is an OCI layout with a manifest.json for Docker. No digest changes.',
  flags: [{ group: OUTPUT, name: 'output', short: 'o', kind: 'string', placeholder: 'FILE', help: 'the archive (default: standard output)' }],
  examples: [['caisson save -o app.tar app:1', 'to a file'], ['caisson save app:1 | docker load', 'to Docker']],
};
export const IMPORT: CommandSpec = {
  name: 'import', usage: '[FLAGS] FILE|- [NAME]', summary: 'make an image of a root directory in a tar', words: [1, 2],
  flags: [
    { group: IMAGE, name: 'change', short: 'c', kind: 'string', multiple: true, placeholder: 'INSTRUCTION', help: 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR, as in a Dockerfile' },
    { group: IMAGE, name: 'message', short: 'm', kind: 'string', placeholder: 'TEXT', help: 'a comment in the history' },
    ...LAYER_LIMIT_FLAGS,
  ],
  examples: [['tar -C root -c . | caisson import - base', 'a directory'], ['caisson import -c \'CMD ["bash"]\' root.tar.gz base:1', 'with a command to run']],
};
export const IMAGES: CommandSpec = {
  name: 'images', usage: '[FLAGS] [NAME[:TAG]]', summary: 'list the images that are here', words: [0, 1],
  flags: [
    { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' }, FORMAT,
    { group: OUTPUT, name: 'no-trunc', kind: 'boolean', help: 'whole ids' }, { group: OUTPUT, name: 'digests', kind: 'boolean', help: 'show digests' },
    { group: OUTPUT, name: 'filter', short: 'f', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'dangling=true, reference=PATTERN, label=KEY[=VALUE], before=IMAGE, since=IMAGE' },
    { group: OUTPUT, name: 'all', short: 'a', kind: 'boolean', help: 'all of them (there are no hidden ones)' },
  ],
  examples: [['caisson images', ''], ['caisson images --format "{{.Repository}}:{{.Tag}} {{.Size}}"', 'a format of your own'], ['caisson images -f dangling=true -q', 'ids of those without a name']],
};
export const INSPECT: CommandSpec = {
  name: 'inspect', usage: '[FLAGS] NAME...', summary: 'show all that is known of containers and images', words: [1, 1000],
  flags: [{ ...FORMAT, short: 'f' }, { group: OUTPUT, name: 'type', kind: 'string', placeholder: 'container|image', help: 'only of this kind (default: a container, or else an image)' }],
  examples: [['caisson inspect app:1', ''], ['caisson inspect -f "{{.State.Status}}" box', 'of a container'], ['caisson inspect -f "{{.Config.Entrypoint}}" app:1', 'one field']],
};
export const TAG_COMMAND: CommandSpec = {
  name: 'tag', usage: 'IMAGE NAME', summary: 'give an image one more name', words: [2, 2], flags: [],
  examples: [['caisson tag app:1 localhost:5000/team/app:1', 'before a push']],
};
export const RMI: CommandSpec = {
  name: 'rmi', usage: '[FLAGS] IMAGE...', summary: 'take names away, and images that have none left', words: [1, 1000],
  flags: [{ group: IMAGE, name: 'force', short: 'f', kind: 'boolean', help: 'all names at once; no error where there is no such image' }, { group: IMAGE, name: 'no-prune', kind: 'boolean', help: 'keep the blobs that nothing uses any more' }],
  examples: [['caisson rmi app:1', ''], ['caisson rmi $(caisson images -f dangling=true -q)', 'those without a name']],
};
export const HISTORY: CommandSpec = {
  name: 'history', usage: '[FLAGS] IMAGE', summary: 'show the steps that made an image', words: [1, 1],
  flags: [{ group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' }, FORMAT, { group: OUTPUT, name: 'no-trunc', kind: 'boolean', help: 'whole commands' }],
  examples: [['caisson history app:1', '']],
};
const ALL_TAGS = 'name the tags one by one; "caisson registry tags NAME" lists them';
export const PULL: CommandSpec = {
  name: 'pull', usage: '[FLAGS] IMAGE', summary: 'get an image from a registry', words: [1, 1],
  description: 'A large layer that comes faster than it can be uncompressed is not waited for: a process that outlives the command makes it ready, and ends with it.',
  flags: [PLATFORM, QUIET, { group: REGISTRY, name: 'wait', kind: 'boolean', help: 'wait until all layers are ready, and leave no process behind' }, ...REGISTRY_FLAGS, MIRROR, ...SQUAT_FLAGS, ...LAYER_LIMIT_FLAGS],
  absent: { 'all-tags': ALL_TAGS, 'a': ALL_TAGS, 'disable-content-trust': 'signatures are not looked at, so leave it out' },
  examples: [['caisson pull debian:12', ''], ['caisson pull localhost:5000/team/app@sha256:...', 'exactly this one']],
};
export const PUSH: CommandSpec = {
  name: 'push', usage: '[FLAGS] IMAGE [NAME]', summary: 'send an image to a registry', words: [1, 2],
  flags: [QUIET, { group: REGISTRY, name: 'chunk-size', kind: 'string', placeholder: 'SIZE', help: 'send layers in pieces of so many bytes, for proxies that take no more' }, ...REGISTRY_FLAGS, ...SQUAT_FLAGS],
  examples: [['caisson push localhost:5000/team/app:1', 'under its own name'], ['caisson push app:1 registry.example/team/app:1', 'under another one']],
};
export const LOGIN: CommandSpec = {
  name: 'login', usage: '[FLAGS] [REGISTRY]', summary: 'remember who you are to a registry', words: [0, 1],
  description: 'Kept where Docker keeps it: in config.json, or by the credential helper that it names.',
  flags: [
    { group: REGISTRY, name: 'username', short: 'u', kind: 'string', placeholder: 'NAME', help: 'your name there' },
    { group: REGISTRY, name: 'password-stdin', kind: 'boolean', help: 'read the password from standard input' },
    { group: REGISTRY, name: 'password', short: 'p', kind: 'string', placeholder: 'PASSWORD', help: 'the password itself (others on this machine can see it)' }, ...REGISTRY_FLAGS,
  ],
  examples: [['caisson login -u me registry.example', ''], ['caisson login -u ci --password-stdin registry.example < token', 'in a script']],
};
export const LOGOUT: CommandSpec = {
  name: 'logout', usage: '[REGISTRY]', summary: 'forget who you are to a registry', words: [0, 1], flags: [],
  examples: [['caisson logout registry.example', '']],
};

export const IMAGE_COMMANDS: readonly CommandSpec[] = [PULL, PUSH, LOGIN, LOGOUT, IMAGES, LOAD, SAVE, IMPORT, INSPECT, HISTORY, TAG_COMMAND, RMI, RESOLVE];
