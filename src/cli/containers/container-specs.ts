/** The commands on containers, as data. Names and flags are Docker's. */
import type { CommandSpec } from '../command.ts';
import { AFTER, PUBLISH_FLAG, ENGINE_FLAGS, ENVIRONMENT_FLAGS, FILES, LIMIT_FLAGS, MEMORY_FILES_FLAGS, NETWORK, PROCESS, TERMINAL_FLAGS, TRACE_FLAGS } from './container-flags.ts';
import { DETACH_KEYS_FLAG, LIVE_COMMANDS, SIG_PROXY_FLAG } from './container-live-specs.ts';
import type { Flag } from '../flags.ts';
import { OUTBOUND_FLAGS } from '../networks/outbound-flags.ts';
import { WATCH_FLAGS } from '../detect/watch-flags.ts';
import { LAYER_LIMIT_FLAGS, MIRROR, QUIET, REGISTRY_FLAGS } from '../images/image-specs.ts';
import { SQUAT_FLAGS } from '../squat/squat-flags.ts';

const IMAGE = 'Image';
const CONTAINER = 'Container';
const HEALTH = 'Health';
const OUTPUT = 'Output';
const MANY = 1000;

const FORMAT: Flag = { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'json, or a Go template such as \'{{.ID}} {{.Names}}\'' };

/** Of `run` and `create`. */
const MAKING_FLAGS: readonly Flag[] = [
  ...ENVIRONMENT_FLAGS,
  { group: PROCESS, name: 'entrypoint', kind: 'string', placeholder: 'PROGRAM', help: 'instead of the image\'s; an empty one for none' },
  { group: PROCESS, name: 'workdir', short: 'w', kind: 'string', placeholder: 'DIR', help: 'directory to start in (default: the image\'s)' },
  { group: PROCESS, name: 'user', short: 'u', kind: 'string', placeholder: 'USER[:GROUP]', help: 'run as this user of the image, by name or number' },
  { group: PROCESS, name: 'name', kind: 'string', placeholder: 'NAME', help: 'name of the container; also its hostname unless that is given' },
  { group: PROCESS, name: 'hostname', kind: 'string', placeholder: 'NAME', help: 'name of the machine inside' },
  { group: PROCESS, name: 'interactive', short: 'i', kind: 'boolean', help: 'pass standard input on (default: if it is a terminal)' },
  ...TERMINAL_FLAGS,
  { group: IMAGE, name: 'pull', kind: 'string', placeholder: 'always|missing|never', help: 'get the image from its registry (default: missing)' }, QUIET, ...REGISTRY_FLAGS, MIRROR, ...SQUAT_FLAGS, ...LAYER_LIMIT_FLAGS,
  { group: FILES, name: 'volume', short: 'v', kind: 'string', multiple: true, placeholder: '[SRC:]DST[:ro|rw]', help: 'show a host directory or file (SRC begins with / or .), or a volume by its name; without SRC a new volume' },
  { group: FILES, name: 'mount', kind: 'string', multiple: true, placeholder: 'KEY=VALUE,...', help: 'type=bind|volume,source=SRC,target=DST[,readonly][,volume-nocopy] or type=tmpfs,target=DST[,tmpfs-size=N]' },
  ...MEMORY_FILES_FLAGS, ...LIMIT_FLAGS,
  { group: NETWORK, name: 'network', kind: 'string', multiple: true, placeholder: 'none|outbound|NAME', help: 'none: loopback only (default); outbound: TCP, UDP and names, public addresses only; NAME, or name=NAME,alias=ALIAS,ip=ADDRESS: with the other containers on that network, several times for several' },
  { group: NETWORK, name: 'network-alias', kind: 'string', multiple: true, placeholder: 'NAME', help: 'what the others on its (first) network may call it, beside its own name' },
  { group: NETWORK, name: 'ip', kind: 'string', placeholder: 'ADDRESS', help: 'its IPv4 address on its (first) network (default: a free one)' },
  ...OUTBOUND_FLAGS, PUBLISH_FLAG,
  { group: NETWORK, name: 'publish-all', short: 'P', kind: 'boolean', help: 'publish all ports that the image or --expose names, each at a free port' },
  { group: NETWORK, name: 'expose', kind: 'string', multiple: true, placeholder: 'PORT[/PROTOCOL]', help: 'name a port for --publish-all and for those who look; it is not published by that' },
  { group: CONTAINER, name: 'rm', kind: 'boolean', help: 'remove the container when it ends' },
  { group: CONTAINER, name: 'cidfile', kind: 'string', placeholder: 'FILE', help: 'write the id of the container to a new file' },
  { group: CONTAINER, name: 'label', short: 'l', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'say something about the container' },
  { group: CONTAINER, name: 'label-file', kind: 'string', multiple: true, placeholder: 'FILE', help: 'read labels from lines KEY=VALUE' },
  { group: CONTAINER, name: 'stop-signal', kind: 'string', placeholder: 'SIGNAL', help: 'what ends it kindly (default: the image\'s, or SIGTERM)' },
  { group: CONTAINER, name: 'stop-timeout', kind: 'string', placeholder: 'SECONDS', help: 'how long it may take then (default: 10)' },
  { group: CONTAINER, name: 'log-opt', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'max-size=SIZE (default: 10m), max-file=N (default: 2): how much of its output is kept' },
  { group: CONTAINER, name: 'restart', kind: 'string', placeholder: 'POLICY', help: 'start it again when it ends: no (default), always, unless-stopped, on-failure[:N]' },
  { group: CONTAINER, name: 'init', kind: 'boolean', help: 'a process 1 that adopts and reaps; the kernel is that in every container' },
  { group: HEALTH, name: 'health-cmd', kind: 'string', placeholder: 'COMMAND', help: 'run by the shell now and then: 0 is healthy' },
  { group: HEALTH, name: 'health-interval', kind: 'string', placeholder: 'TIME', help: 'how often (default: 30s)' },
  { group: HEALTH, name: 'health-timeout', kind: 'string', placeholder: 'TIME', help: 'how long it may take (default: 30s)' },
  { group: HEALTH, name: 'health-retries', kind: 'string', placeholder: 'N', help: 'failures one after the other that make it unhealthy (default: 3)' },
  { group: HEALTH, name: 'health-start-period', kind: 'string', placeholder: 'TIME', help: 'failures so soon do not count (default: 0s)' },
  { group: HEALTH, name: 'health-start-interval', kind: 'string', placeholder: 'TIME', help: 'how often in that time (default: 5s)' },
  { group: HEALTH, name: 'no-healthcheck', kind: 'boolean', help: 'also where the image has one' },
];

/** Of `run` and `create`: Docker has them. */
const NO_VOLUMES = 'name each volume with -v NAME:DIR';
const NO_LINKS = 'containers on one network know each other by name; see --network';
const NO_DEVICES = 'devices of this machine are never shown';
const OWN_KERNEL = 'the container has a kernel of its own, so leave it out';
const NO_DISK = 'a container is alone on its disk, so there is nothing to divide; --device-write-bps bounds what it writes';
const NO_SWITCH = 'control groups of version 2 do not have it, so leave it out';
const ABSENT: Readonly<Record<string, string>> = {
  'volumes-from': NO_VOLUMES, 'volume-driver': NO_VOLUMES,
  'blkio-weight': NO_DISK, 'blkio-weight-device': NO_DISK,
  'oom-kill-disable': NO_SWITCH, 'memory-swappiness': NO_SWITCH, 'kernel-memory': NO_SWITCH, 'cpu-rt-period': NO_SWITCH, 'cpu-rt-runtime': NO_SWITCH,
  'cpuset-mems': 'a container has one memory node, so leave it out', 'cgroup-parent': 'a container is in no control group of this machine; see docs/limits.md',
  'link': NO_LINKS, 'add-host': NO_LINKS, 'net': 'write --network',
  'privileged': 'inside, root has what --cap-add gives it; nothing of this machine can be given', 'device': NO_DEVICES, 'gpus': NO_DEVICES,
  'userns': OWN_KERNEL, 'shm-size': '/dev/shm has 64 MiB, so leave it out',
};

export const RUN: CommandSpec = {
  name: 'run', usage: '[FLAGS] IMAGE [COMMAND [ARGUMENTS]]', summary: 'run a command in a new container', words: [1, Number.MAX_SAFE_INTEGER], runs: true, absent: ABSENT,
  description: 'The command has a Linux kernel of its own and no network unless you give it one. What it changes is kept with the container until that is removed: "caisson start" goes on with it, "caisson diff" lists it, --rm throws it away.\nThere is nothing of the host in it except what -v and --mount name.',
  flags: [
    { group: CONTAINER, name: 'detach', short: 'd', kind: 'boolean', help: 'run it in the background, and print its id' },
    { ...DETACH_KEYS_FLAG, help: 'run it in a process of its own, which these keys, typed at a terminal, leave, such as ctrl-p,ctrl-q' }, SIG_PROXY_FLAG,
    ...MAKING_FLAGS, ...WATCH_FLAGS, ...TRACE_FLAGS,
    { group: AFTER, name: 'changes', kind: 'boolean', help: 'list what was added (A), changed (C) and deleted (D)' },
    { group: AFTER, name: 'export-changes', kind: 'string', placeholder: 'FILE.tar', help: 'keep what changed as a tar file (an image layer)' },
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['caisson run -it debian bash', 'a shell'], ['caisson run --rm -v "$PWD:/src" -w /src gcc:13 make', 'build what is in this directory'],
    ['caisson run -d -p 8080:80 nginx', 'a server, reached at http://localhost:8080'], ['caisson run --network outbound --allow-net example.com:443 app', 'one host may be reached'], ['echo 1 2 3 | caisson run -i busybox tr " " "\\n"', 'in a pipe'],
  ],
};
export const CREATE: CommandSpec = {
  name: 'create', usage: '[FLAGS] IMAGE [COMMAND [ARGUMENTS]]', summary: 'make a container, to be started later', words: [1, Number.MAX_SAFE_INTEGER], runs: true, absent: ABSENT,
  flags: [...MAKING_FLAGS, ...WATCH_FLAGS, ...ENGINE_FLAGS],
  examples: [['caisson create --name box -it debian bash', ''], ['caisson start -i box', 'and then']],
};
const TIME_FLAGS: readonly Flag[] = [
  { group: CONTAINER, name: 'time', short: 't', kind: 'string', placeholder: 'SECONDS', help: 'how long it may take (default: 10, or its --stop-timeout), before it is killed' },
  { group: CONTAINER, name: 'timeout', kind: 'string', placeholder: 'SECONDS', help: 'the same' },
  { group: CONTAINER, name: 'signal', short: 's', kind: 'string', placeholder: 'SIGNAL', help: 'instead of its --stop-signal' },
];
export const START: CommandSpec = {
  name: 'start', usage: '[FLAGS] CONTAINER...', summary: 'start containers that do not run', words: [1, MANY],
  flags: [
    { group: CONTAINER, name: 'attach', short: 'a', kind: 'boolean', help: 'in the foreground: with its output and its exit status' }, { group: CONTAINER, name: 'interactive', short: 'i', kind: 'boolean', help: 'in the foreground, with standard input, too' },
    DETACH_KEYS_FLAG, SIG_PROXY_FLAG,
  ],
  examples: [['caisson start box', 'in the background'], ['caisson start -ai box', 'here']],
};
export const STOP: CommandSpec = {
  name: 'stop', usage: '[FLAGS] CONTAINER...', summary: 'end containers kindly, and if need be not', words: [1, MANY], flags: TIME_FLAGS, examples: [['caisson stop box', ''], ['caisson stop -t 60 database', '']],
};
export const RESTART: CommandSpec = {
  name: 'restart', usage: '[FLAGS] CONTAINER...', summary: 'stop containers and start them again', words: [1, MANY], flags: TIME_FLAGS, examples: [['caisson restart box', '']],
};
export const KILL: CommandSpec = {
  name: 'kill', usage: '[FLAGS] CONTAINER...', summary: 'send a signal to the command of containers', words: [1, MANY],
  flags: [{ group: CONTAINER, name: 'signal', short: 's', kind: 'string', placeholder: 'SIGNAL', help: 'by name or number (default: SIGKILL)' }],
  examples: [['caisson kill box', ''], ['caisson kill -s HUP web', 'read your configuration again']],
};
export const WAIT: CommandSpec = {
  name: 'wait', usage: 'CONTAINER...', summary: 'wait until containers end, and print their exit status', words: [1, MANY], flags: [], examples: [['caisson wait box', '']],
};
export const LOGS: CommandSpec = {
  name: 'logs', usage: '[FLAGS] CONTAINER', summary: 'show what a container has printed', words: [1, 1],
  description: 'The last 10 to 20 MB are kept (--log-opt of run), and nothing of a container in the foreground with --rm.',
  flags: [
    { group: OUTPUT, name: 'follow', short: 'f', kind: 'boolean', help: 'go on until it ends' }, { group: OUTPUT, name: 'tail', short: 'n', kind: 'string', placeholder: 'N', help: 'only the last N lines, or all' },
    { group: OUTPUT, name: 'timestamps', short: 't', kind: 'boolean', help: 'the time before each line' }, { group: OUTPUT, name: 'since', kind: 'string', placeholder: 'TIME', help: 'only from then on: 10m (ago), or a date' },
    { group: OUTPUT, name: 'until', kind: 'string', placeholder: 'TIME', help: 'only up to then' },
  ],
  examples: [['caisson logs -f --tail 10 web', ''], ['caisson logs --since 5m -t web', '']],
};
export const EXEC: CommandSpec = {
  name: 'exec', usage: '[FLAGS] CONTAINER COMMAND [ARGUMENTS]', summary: 'run one more command in a container that runs', words: [2, Number.MAX_SAFE_INTEGER], runs: true,
  flags: [
    ...ENVIRONMENT_FLAGS, { group: PROCESS, name: 'workdir', short: 'w', kind: 'string', placeholder: 'DIR', help: 'directory to start in (default: the container\'s)' },
    { group: PROCESS, name: 'user', short: 'u', kind: 'string', placeholder: 'USER[:GROUP]', help: 'run as this user (default: the container\'s)' },
    { group: PROCESS, name: 'interactive', short: 'i', kind: 'boolean', help: 'pass standard input on' }, { group: PROCESS, name: 'tty', short: 't', kind: 'boolean', help: 'give it a terminal' },
    { group: CONTAINER, name: 'detach', short: 'd', kind: 'boolean', help: 'do not wait for it' }, DETACH_KEYS_FLAG,
  ],
  examples: [['caisson exec -it web sh', ''], ['caisson exec -u postgres -w /tmp db psql -c "select 1"', '']],
};
export const TOP: CommandSpec = {
  name: 'top', usage: 'CONTAINER', summary: 'show the processes of a container', words: [1, 1], flags: [], examples: [['caisson top web', '']],
};
export const PORT: CommandSpec = {
  name: 'port', usage: 'CONTAINER [PORT[/PROTOCOL]]', summary: 'show where the ports of a container are reached', words: [1, 2], flags: [],
  examples: [['caisson port web', '80/tcp -> 127.0.0.1:8080'], ['caisson port web 80', '127.0.0.1:8080']],
};
export const DIFF: CommandSpec = {
  name: 'diff', usage: 'CONTAINER', summary: 'list what a container has changed of its image', words: [1, 1], description: 'A: added, C: changed, D: deleted.', flags: [], examples: [['caisson diff box', '']],
};
export const EXPORT: CommandSpec = {
  name: 'export', usage: '[FLAGS] CONTAINER', summary: 'write all files of a container as a tar', words: [1, 1], description: 'What is mounted in it is not part of it.',
  flags: [{ group: OUTPUT, name: 'output', short: 'o', kind: 'string', placeholder: 'FILE', help: 'the archive (default: standard output)' }],
  examples: [['caisson export -o box.tar box', ''], ['caisson export box | caisson import - flat', 'an image of one layer']],
};
export const COMMIT: CommandSpec = {
  name: 'commit', usage: '[FLAGS] CONTAINER [NAME]', summary: 'make an image of a container and what it has changed', words: [1, 2],
  flags: [
    { group: IMAGE, name: 'author', short: 'a', kind: 'string', placeholder: 'TEXT', help: 'who made it' }, { group: IMAGE, name: 'message', short: 'm', kind: 'string', placeholder: 'TEXT', help: 'a comment in the history' },
    { group: IMAGE, name: 'change', short: 'c', kind: 'string', multiple: true, placeholder: 'INSTRUCTION', help: 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR, as in a Dockerfile' },
    { group: CONTAINER, name: 'pause', short: 'p', kind: 'boolean', help: 'refused: there is no need' },
  ],
  examples: [['caisson commit -c "CMD [\\"serve\\"]" box app:1', '']],
};
export const CP: CommandSpec = {
  name: 'cp', usage: '[FLAGS] CONTAINER:PATH DEST|-  or  SRC|- CONTAINER:PATH', summary: 'copy files between a container and this machine', words: [2, 2],
  description: 'A - is a tar on standard output or input. A directory\'s contents without itself: PATH/. - as with "docker cp".',
  flags: [
    { group: FILES, name: 'archive', short: 'a', kind: 'boolean', help: 'keep owners (default: root in a container, you here)' }, { group: FILES, name: 'follow-link', short: 'L', kind: 'boolean', help: 'copy what a link in SRC leads to' },
    { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'say nothing (it does anyway)' },
  ],
  examples: [['caisson cp box:/etc/passwd .', ''], ['caisson cp ./site/. web:/srv', ''], ['caisson cp box:/var/log - | tar t', '']],
};
export const PS: CommandSpec = {
  name: 'ps', usage: '[FLAGS]', summary: 'list containers', words: [0, 0],
  flags: [
    { group: CONTAINER, name: 'all', short: 'a', kind: 'boolean', help: 'also those that do not run' },
    { group: CONTAINER, name: 'filter', short: 'f', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'id, name, label, status, exited, health, ancestor, before, since, volume, network, publish, expose' },
    { group: CONTAINER, name: 'last', short: 'n', kind: 'string', placeholder: 'N', help: 'the last N that were made' }, { group: CONTAINER, name: 'latest', short: 'l', kind: 'boolean', help: 'the last one that was made' },
    { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' }, FORMAT, { group: OUTPUT, name: 'no-trunc', kind: 'boolean', help: 'whole ids and commands' },
    { group: OUTPUT, name: 'size', short: 's', kind: 'boolean', help: 'bytes that each takes' },
  ],
  examples: [['caisson ps -a', ''], ['caisson ps -a --filter exited=1 --format "{{.Names}} {{.Status}}"', ''], ['caisson rm $(caisson ps -aq -f status=exited)', '']],
};
export const RM: CommandSpec = {
  name: 'rm', usage: '[FLAGS] CONTAINER...', summary: 'remove containers', words: [1, MANY],
  flags: [{ group: CONTAINER, name: 'force', short: 'f', kind: 'boolean', help: 'also one that runs: it is killed; no error where there is none' }, { group: CONTAINER, name: 'volumes', short: 'v', kind: 'boolean', help: 'and its volumes that have no name of their own' }],
  examples: [['caisson rm box', ''], ['caisson rm -f $(caisson ps -aq)', 'all of them']],
};
export const RENAME: CommandSpec = {
  name: 'rename', usage: 'CONTAINER NAME', summary: 'give a container another name', words: [2, 2], flags: [], examples: [['caisson rename calm_turing box', '']],
};
export const CONTAINER_PRUNE: CommandSpec = {
  name: 'container prune', usage: '[FLAGS]', summary: 'remove all containers that do not run', words: [0, 0],
  flags: [
    { group: CONTAINER, name: 'filter', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'only: until=TIME (made more than 24h ago, or before a date), label=KEY[=VALUE], label!=KEY[=VALUE]' },
    { group: OUTPUT, name: 'force', short: 'f', kind: 'boolean', help: 'do not ask' },
  ],
  examples: [['caisson container prune -f', '']],
};

export const CONTAINER_COMMANDS: readonly CommandSpec[] = [RUN, CREATE, START, STOP, RESTART, KILL, WAIT, PS, LOGS, EXEC, TOP, PORT, RM, RENAME, DIFF, EXPORT, COMMIT, CP, CONTAINER_PRUNE, ...LIVE_COMMANDS];
