/** `caisson build`, as data. Names and flags are Docker's. */
import type { CommandSpec } from '../command.ts';
import { NETWORK } from '../containers/container-flags.ts';
import { ALLOW_NET_FLAG } from '../networks/outbound-flags.ts';
import { LAYER_LIMIT_FLAGS, MIRROR, REGISTRY_FLAGS } from '../images/image-specs.ts';
import { SQUAT_FLAGS } from '../squat/squat-flags.ts';

const IMAGE = 'Image';
const STEPS = 'Steps';
const OUTPUT = 'Output';
const CHECKS = 'Checks';

const KEPT_NOTHING = 'nothing is kept of the containers of a build, so leave it out';
const OWN_MACHINE = 'a command of a build has a machine of its own, so leave it out';
const ABSENT: Readonly<Record<string, string>> = {
  'rm': KEPT_NOTHING, 'force-rm': KEPT_NOTHING, 'isolation': OWN_MACHINE, 'security-opt': OWN_MACHINE, 'cgroup-parent': OWN_MACHINE, 'device': OWN_MACHINE, 'allow': OWN_MACHINE, 'builder': 'there is one builder, so leave it out',
  'squash': 'each step that changes files is a layer; put commands into one RUN', 'annotation': 'images have labels here; use --label', 'sbom': 'no bill of materials is made; --provenance says how the image came to be', 'attest': 'use --provenance',
  'cpu-quota': 'a RUN has one processor', 'cpu-shares': 'a RUN has one processor', 'cpuset-cpus': 'a RUN has one processor', 'memory-swap': 'there is no swap; use --memory', 'shm-size': '/dev/shm has 64 MiB in a build', 'ulimit': 'set limits in the command, by the shell\'s ulimit',
  'add-host': 'names come from the network; write them into /etc/hosts in the RUN that needs them', 'compress': 'there is no daemon that the context is sent to, so leave it out', 'disable-content-trust': 'signatures are not looked at, so leave it out',
};

export const BUILD: CommandSpec = {
  name: 'build', usage: '[FLAGS] PATH|-', summary: 'make an image from a Dockerfile', words: [1, 1],
  description: 'PATH is the context: a directory, a tar of one, a repository (https://HOST/NAME.git#REF:DIRECTORY), or - for a tar or a Dockerfile from standard input. Each RUN has a Linux kernel of its own.\nThe same inputs give the same bytes.',
  flags: [
    { group: IMAGE, name: 'tag', short: 't', kind: 'string', multiple: true, placeholder: 'NAME[:TAG]', help: 'give the image this name' },
    { group: IMAGE, name: 'file', short: 'f', kind: 'string', placeholder: 'FILE', help: 'the Dockerfile (default: PATH/Dockerfile); - for standard input' },
    { group: IMAGE, name: 'target', kind: 'string', placeholder: 'STAGE', help: 'build this stage (default: the last)' },
    { group: IMAGE, name: 'build-arg', kind: 'string', multiple: true, placeholder: 'NAME[=VALUE]', help: 'a value for ARG; without one, that of the host\'s variable' },
    { group: IMAGE, name: 'build-context', kind: 'string', multiple: true, placeholder: 'NAME=PATH', help: 'one more directory or image (docker-image://REF) for FROM and --from' },
    { group: IMAGE, name: 'label', kind: 'string', multiple: true, placeholder: 'NAME=VALUE', help: 'a label for the image' },
    { group: IMAGE, name: 'platform', kind: 'string', placeholder: 'OS/ARCH', help: 'linux/amd64, the only one that can be run' },
    { group: IMAGE, name: 'pull', kind: 'boolean', help: 'ask the registries for newer base images' },
    { group: STEPS, name: 'no-cache', kind: 'boolean', help: 'make every step anew' },
    { group: STEPS, name: 'no-cache-filter', kind: 'string', multiple: true, placeholder: 'STAGE,...', help: 'make the steps of these stages anew' },
    { group: STEPS, name: 'cache-from', kind: 'string', multiple: true, placeholder: 'REF|type=TYPE,...', help: 'take steps from there: type=registry,ref=REF or type=local,src=DIR' },
    { group: STEPS, name: 'cache-to', kind: 'string', multiple: true, placeholder: 'REF|type=TYPE,...', help: 'keep the steps there: type=registry,ref=REF, type=local,dest=DIR or type=inline; mode=min: only those of the image' },
    { group: STEPS, name: 'secret', kind: 'string', multiple: true, placeholder: 'id=NAME[,src=FILE|,env=VARIABLE]', help: 'for RUN --mount=type=secret; never part of a layer' },
    { group: STEPS, name: 'ssh', kind: 'string', multiple: true, placeholder: 'default|ID[=SOCKET|=KEY,...]', help: 'an agent for RUN --mount=type=ssh: the one of SSH_AUTH_SOCK, another socket, or one with these keys' },
    { group: STEPS, name: 'jobs', kind: 'string', placeholder: 'N', help: 'RUNs at once, of stages that do not need each other (default: the number of processors)' },
    { group: STEPS, name: 'memory', short: 'm', kind: 'string', placeholder: 'SIZE', help: 'memory of the processes of a RUN together, such as 2g' },
    { group: NETWORK, name: 'network', kind: 'string', placeholder: 'default|none', help: 'default: RUN reaches public addresses; none: it reaches nothing' },
    ALLOW_NET_FLAG,
    { group: OUTPUT, name: 'output', short: 'o', kind: 'string', placeholder: 'DIR|type=TYPE,dest=PATH', help: 'write the result there instead: type=local, tar, oci or docker' },
    { group: OUTPUT, name: 'push', kind: 'boolean', help: 'send the image to the registries that its names say' },
    { group: OUTPUT, name: 'load', kind: 'boolean', help: 'keep the image in the store (it always is, except with --output alone)' },
    { group: OUTPUT, name: 'compression', kind: 'string', placeholder: 'gzip|uncompressed', help: 'of new layers (default: gzip)' },
    { group: OUTPUT, name: 'iidfile', kind: 'string', placeholder: 'FILE', help: 'write the image\'s id there' },
    { group: OUTPUT, name: 'metadata-file', kind: 'string', placeholder: 'FILE', help: 'write digests and names there, as JSON' },
    { group: OUTPUT, name: 'progress', kind: 'string', placeholder: 'auto|tty|plain|json|quiet', help: 'how it is shown (default: tty at a terminal)' },
    { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'print the image\'s id only' },
    { group: OUTPUT, name: 'provenance', kind: 'optional', placeholder: 'false|mode=min|max[,builder-id=URI]', help: 'say how the image came to be (in-toto, SLSA 1.0): a manifest about it, pushed with it' },
    { group: OUTPUT, name: 'verify', kind: 'boolean', help: 'build a second time without the cache, and say what differs' },
    ...REGISTRY_FLAGS, MIRROR, ...SQUAT_FLAGS, ...LAYER_LIMIT_FLAGS,
    { group: CHECKS, name: 'check', kind: 'boolean', help: 'build nothing: say what the Dockerfile should rather not do' },
    { group: CHECKS, name: 'call', kind: 'string', placeholder: 'check', help: 'the same, as Docker also writes it' },
    { group: CHECKS, name: 'format', kind: 'string', placeholder: 'text|json|sarif', help: 'of what --check finds (default: text)' },
  ],
  absent: ABSENT,
  examples: [
    ['caisson build -t app:1 .', 'the Dockerfile in this directory'], ['caisson build -t app:1 -f docker/Dockerfile --build-arg VERSION=2 .', 'another Dockerfile, with an argument'],
    ['caisson build --secret id=npmrc,src=$HOME/.npmrc -t app:1 .', 'with a secret that no layer has'], ['caisson build --ssh default -t app:1 .', 'with the keys of your ssh-agent, for RUN --mount=type=ssh'], ['caisson build --cache-from localhost:5000/app:cache --cache-to localhost:5000/app:cache -t app:1 .', 'on a machine that has built nothing yet'],
    ['caisson build -o out .', 'the files of the last stage, into out/'],
    ['caisson build -t app:1 - < Dockerfile', 'without a context'], ['caisson build --check --format sarif .', 'for a code scanner'],
  ],
};
