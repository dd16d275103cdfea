/** `caisson compose` and its commands, as data. Names and flags are Docker Compose's. */
import type { CommandSpec } from '../command.ts';
import type { Flag } from '../flags.ts';

const PROJECT = 'Project';
const CONTAINERS = 'Containers';
const IMAGES = 'Images';
const OUTPUT = 'Output';
const PROCESS = 'Process';
const MANY = Number.MAX_SAFE_INTEGER;

/** Before the command. */
export const PROJECT_FLAGS: readonly Flag[] = [
  { group: PROJECT, name: 'file', short: 'f', kind: 'string', multiple: true, placeholder: 'FILE', help: 'a Compose file, or - for standard input; later ones are merged into it (default: compose.yaml or docker-compose.yml here or above, with their .override)' },
  { group: PROJECT, name: 'project-name', short: 'p', kind: 'string', placeholder: 'NAME', help: 'the project (default: what the file says, or the directory)' },
  { group: PROJECT, name: 'project-directory', kind: 'string', placeholder: 'DIR', help: 'what paths are relative to (default: the directory of the first file)' },
  { group: PROJECT, name: 'env-file', kind: 'string', multiple: true, placeholder: 'FILE', help: 'variables for the files (default: .env beside them)' },
  { group: PROJECT, name: 'profile', kind: 'string', multiple: true, placeholder: 'NAME', help: 'also services that have this profile' },
];
const QUIET: Flag = { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' };
const TIMEOUT: Flag = { group: CONTAINERS, name: 'timeout', short: 't', kind: 'string', placeholder: 'SECONDS', help: 'how long each may take to end (default: 10, or its stop_grace_period)' };
const INDEX: Flag = { group: CONTAINERS, name: 'index', kind: 'string', placeholder: 'N', help: 'which container of the service (default: the first that runs)' };
const FORMAT: Flag = { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: 'table, json, or a Go template' };
const ORPHANS: Flag = { group: CONTAINERS, name: 'remove-orphans', kind: 'boolean', help: 'remove containers of services that the files do not have' };
const MAKING: readonly Flag[] = [
  { group: IMAGES, name: 'build', kind: 'boolean', help: 'build images first' }, { group: IMAGES, name: 'no-build', kind: 'boolean', help: 'build none' }, { group: IMAGES, name: 'pull', kind: 'string', placeholder: 'always|missing|never', help: 'get images first (default: what pull_policy says, or missing)' },
  { group: IMAGES, name: 'quiet-pull', kind: 'boolean', help: 'show nothing of that' },
  { group: CONTAINERS, name: 'force-recreate', kind: 'boolean', help: 'make containers anew, also where nothing has changed' }, { group: CONTAINERS, name: 'no-recreate', kind: 'boolean', help: 'keep those that are there, also where something has' },
  { group: CONTAINERS, name: 'scale', kind: 'string', multiple: true, placeholder: 'SERVICE=N', help: 'so many containers of a service' }, ORPHANS,
];
const SOME = '[FLAGS] [SERVICE...]';

function some(name: string, summary: string, flags: readonly Flag[], ...examples: CommandSpec['examples']): CommandSpec {
  return { name: `compose ${name}`, usage: flags.length === 0 ? '[SERVICE...]' : SOME, summary, words: [0, MANY], flags, examples };
}

export const UP: CommandSpec = {
  ...some('up', 'make and start containers', [
    { group: CONTAINERS, name: 'detach', short: 'd', kind: 'boolean', help: 'in the background' }, { group: CONTAINERS, name: 'wait', kind: 'boolean', help: 'in the background, and return when they run, or are healthy' }, { group: CONTAINERS, name: 'wait-timeout', kind: 'string', placeholder: 'SECONDS', help: 'how long that may take' },
    ...MAKING, { group: CONTAINERS, name: 'no-deps', kind: 'boolean', help: 'without the services that these need' }, { group: CONTAINERS, name: 'no-start', kind: 'boolean', help: 'make them only' }, { group: CONTAINERS, name: 'renew-anon-volumes', short: 'V', kind: 'boolean', help: 'new volumes where they have no name' },
    { group: CONTAINERS, name: 'abort-on-container-exit', kind: 'boolean', help: 'stop all when one ends' }, { group: CONTAINERS, name: 'abort-on-container-failure', kind: 'boolean', help: 'stop all when one ends with a status that is not 0' }, { group: CONTAINERS, name: 'exit-code-from', kind: 'string', placeholder: 'SERVICE', help: 'stop all when one ends, and answer the status of this one' }, TIMEOUT,
    { group: OUTPUT, name: 'attach', kind: 'string', multiple: true, placeholder: 'SERVICE', help: 'show the output of these only' }, { group: OUTPUT, name: 'no-attach', kind: 'string', multiple: true, placeholder: 'SERVICE', help: 'do not show the output of these' },
    { group: OUTPUT, name: 'timestamps', kind: 'boolean', help: 'the time before each line' }, { group: OUTPUT, name: 'no-log-prefix', kind: 'boolean', help: 'no names before lines' }, { group: OUTPUT, name: 'no-color', kind: 'boolean', help: 'no colours' },
  ], ['caisson compose up', 'what they print; ctrl-c stops them'], ['caisson compose up -d --wait', 'return when all are healthy'], ['caisson compose up -d --build web', 'build one anew, with what it needs']),
  description: 'A container is made again where its service has changed, and only then. Those of services that are needed come first.',
};
export const CREATE = some('create', 'make containers, and start none', MAKING, ['caisson compose create', '']);
export const DOWN: CommandSpec = {
  ...some('down', 'stop and remove containers and networks', [
    { group: CONTAINERS, name: 'volumes', short: 'v', kind: 'boolean', help: 'and volumes, with all that is in them' }, { group: IMAGES, name: 'rmi', kind: 'string', placeholder: 'all|local', help: 'and images; local: those that have no name of their own' }, ORPHANS, TIMEOUT,
  ], ['caisson compose down', ''], ['caisson compose down -v --rmi local', 'nothing is left'], ['caisson compose -p shop down', 'without its files']),
};
export const PS: CommandSpec = some('ps', 'list containers', [
  { group: CONTAINERS, name: 'all', short: 'a', kind: 'boolean', help: 'also those that do not run, and those of run' }, { group: CONTAINERS, name: 'status', kind: 'string', multiple: true, placeholder: 'STATUS', help: 'only those: running, paused, restarting, created, exited, dead' }, QUIET,
  { group: OUTPUT, name: 'services', kind: 'boolean', help: 'names of services only' }, FORMAT, { group: OUTPUT, name: 'no-trunc', kind: 'boolean', help: 'whole commands' },
], ['caisson compose ps', ''], ['caisson compose ps --format json', 'a line for each']);
export const LOGS: CommandSpec = some('logs', 'show what containers have printed', [
  { group: OUTPUT, name: 'follow', short: 'f', kind: 'boolean', help: 'go on until they end' }, { group: OUTPUT, name: 'tail', short: 'n', kind: 'string', placeholder: 'N', help: 'only the last N lines of each, or all' }, { group: OUTPUT, name: 'timestamps', short: 't', kind: 'boolean', help: 'the time before each line' },
  { group: OUTPUT, name: 'since', kind: 'string', placeholder: 'TIME', help: 'only from then on: 10m (ago), or a date' }, { group: OUTPUT, name: 'until', kind: 'string', placeholder: 'TIME', help: 'only up to then' },
  { group: OUTPUT, name: 'no-log-prefix', kind: 'boolean', help: 'no names before lines' }, { group: OUTPUT, name: 'no-color', kind: 'boolean', help: 'no colours' },
], ['caisson compose logs -f --tail 10 web', '']);
export const EXEC: CommandSpec = {
  name: 'compose exec', usage: '[FLAGS] SERVICE COMMAND [ARGUMENTS]', summary: 'run one more command in a container that runs', words: [2, MANY], runs: true,
  flags: [
    { group: PROCESS, name: 'env', short: 'e', kind: 'string', multiple: true, placeholder: 'NAME[=VALUE]', help: 'set a variable' }, { group: PROCESS, name: 'workdir', short: 'w', kind: 'string', placeholder: 'DIR', help: 'directory to start in' }, { group: PROCESS, name: 'user', short: 'u', kind: 'string', placeholder: 'USER[:GROUP]', help: 'run as this user' },
    { group: PROCESS, name: 'no-tty', short: 'T', kind: 'boolean', help: 'no terminal (default: one, if there is one here)' }, { group: PROCESS, name: 'detach', short: 'd', kind: 'boolean', help: 'do not wait for it' }, INDEX,
  ],
  examples: [['caisson compose exec db psql -U postgres', ''], ['caisson compose exec -T web cat /etc/hosts', '']],
};
export const RUN: CommandSpec = {
  name: 'compose run', usage: '[FLAGS] SERVICE [COMMAND [ARGUMENTS]]', summary: 'run a command in a new container of a service', words: [1, MANY], runs: true,
  description: 'Services that it needs are started. Its ports are not published unless -P says so.',
  flags: [
    { group: CONTAINERS, name: 'rm', kind: 'boolean', help: 'remove the container when it ends' }, { group: CONTAINERS, name: 'detach', short: 'd', kind: 'boolean', help: 'in the background, and print its name' }, { group: CONTAINERS, name: 'name', kind: 'string', placeholder: 'NAME', help: 'of the container' }, { group: CONTAINERS, name: 'no-deps', kind: 'boolean', help: 'without the services that it needs' },
    { group: CONTAINERS, name: 'service-ports', short: 'P', kind: 'boolean', help: 'publish the service\'s ports' }, { group: CONTAINERS, name: 'publish', short: 'p', kind: 'string', multiple: true, placeholder: '[IP:][HOST:]PORT', help: 'publish this one' }, { group: CONTAINERS, name: 'volume', short: 'v', kind: 'string', multiple: true, placeholder: 'SRC:DST[:ro]', help: 'one more mount' }, { group: IMAGES, name: 'build', kind: 'boolean', help: 'build its image first' },
    { group: PROCESS, name: 'env', short: 'e', kind: 'string', multiple: true, placeholder: 'NAME[=VALUE]', help: 'set a variable' }, { group: PROCESS, name: 'workdir', short: 'w', kind: 'string', placeholder: 'DIR', help: 'directory to start in' }, { group: PROCESS, name: 'user', short: 'u', kind: 'string', placeholder: 'USER[:GROUP]', help: 'run as this user' },
    { group: PROCESS, name: 'entrypoint', kind: 'string', placeholder: 'PROGRAM', help: 'instead of the service\'s' }, { group: PROCESS, name: 'label', short: 'l', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'one more label' }, { group: PROCESS, name: 'no-tty', short: 'T', kind: 'boolean', help: 'no terminal (default: one, if there is one here)' },
  ],
  examples: [['caisson compose run --rm web npm test', '']],
};
export const BUILD: CommandSpec = some('build', 'build images of services', [
  { group: IMAGES, name: 'build-arg', kind: 'string', multiple: true, placeholder: 'NAME=VALUE', help: 'a value for ARG' }, { group: IMAGES, name: 'no-cache', kind: 'boolean', help: 'make every step anew' }, { group: IMAGES, name: 'pull', kind: 'boolean', help: 'ask for newer base images' }, { group: IMAGES, name: 'push', kind: 'boolean', help: 'send them to their registries' },
  { group: IMAGES, name: 'with-dependencies', kind: 'boolean', help: 'also of services that these need' }, { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'print ids only' }, { group: OUTPUT, name: 'progress', kind: 'string', placeholder: 'auto|tty|plain|quiet', help: 'how it is shown' },
], ['caisson compose build --no-cache web', '']);
export const PULL: CommandSpec = some('pull', 'get images of services from their registries', [
  { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'show nothing' }, { group: IMAGES, name: 'ignore-pull-failures', kind: 'boolean', help: 'go on with the others' }, { group: IMAGES, name: 'ignore-buildable', kind: 'boolean', help: 'not those that can be built' }, { group: IMAGES, name: 'include-deps', kind: 'boolean', help: 'also of services that these need' },
  { group: IMAGES, name: 'policy', kind: 'string', placeholder: 'missing|always', help: 'missing: only those that are not here' },
], ['caisson compose pull -q', '']);
export const CONFIG: CommandSpec = some('config', 'check the files, and print what they come to', [
  { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'yaml|json', help: 'default: yaml' }, { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'check only' }, { group: OUTPUT, name: 'services', kind: 'boolean', help: 'names of services' }, { group: OUTPUT, name: 'volumes', kind: 'boolean', help: 'names of volumes' }, { group: OUTPUT, name: 'networks', kind: 'boolean', help: 'names of networks' },
  { group: OUTPUT, name: 'images', kind: 'boolean', help: 'names of images' }, { group: OUTPUT, name: 'profiles', kind: 'boolean', help: 'names of profiles' }, { group: OUTPUT, name: 'hash', kind: 'string', placeholder: 'SERVICE|*', help: 'what containers are compared by' }, { group: OUTPUT, name: 'environment', kind: 'boolean', help: 'variables that the files are read with' }, { group: OUTPUT, name: 'output', short: 'o', kind: 'string', placeholder: 'FILE', help: 'write it there' },
], ['caisson compose -f compose.yaml -f prod.yaml config', 'what two files come to'], ['caisson compose config -q', 'is it right?']);
export const START = some('start', 'start containers that are there', [], ['caisson compose start', '']);
export const STOP = some('stop', 'stop containers, and keep them', [TIMEOUT], ['caisson compose stop web', '']);
export const RESTART = some('restart', 'stop containers and start them again', [TIMEOUT, { group: CONTAINERS, name: 'no-deps', kind: 'boolean', help: 'not those that depend on them' }], ['caisson compose restart web', '']);
export const KILL = some('kill', 'send a signal to containers', [{ group: CONTAINERS, name: 'signal', short: 's', kind: 'string', placeholder: 'SIGNAL', help: 'by name or number (default: SIGKILL)' }, ORPHANS], ['caisson compose kill -s HUP web', '']);
export const RM = some('rm', 'remove containers that do not run', [
  { group: CONTAINERS, name: 'force', short: 'f', kind: 'boolean', help: 'do not ask' }, { group: CONTAINERS, name: 'stop', short: 's', kind: 'boolean', help: 'stop them first' }, { group: CONTAINERS, name: 'volumes', short: 'v', kind: 'boolean', help: 'and their volumes that have no name' },
], ['caisson compose rm -fs', '']);
export const PAUSE = some('pause', 'stop the programs of containers where they are', [], ['caisson compose pause', '']);
export const UNPAUSE = some('unpause', 'let them go on', [], ['caisson compose unpause', '']);
export const TOP = some('top', 'show processes', [], ['caisson compose top', '']);
export const LIST_IMAGES = some('images', 'list images of containers', [QUIET, FORMAT], ['caisson compose images', '']);
export const WAIT = some('wait', 'wait until containers end', [{ group: CONTAINERS, name: 'down-project', kind: 'boolean', help: 'and remove all when the first has' }], ['caisson compose wait job', '']);
export const PORT: CommandSpec = {
  name: 'compose port', usage: '[FLAGS] SERVICE PORT', summary: 'show where a port is reached', words: [2, 2], flags: [{ group: CONTAINERS, name: 'protocol', kind: 'string', placeholder: 'tcp|udp', help: 'default: tcp' }, INDEX], examples: [['caisson compose port web 80', '127.0.0.1:8080']],
};
export const CP: CommandSpec = {
  name: 'compose cp', usage: '[FLAGS] SERVICE:PATH DEST|-  or  SRC|- SERVICE:PATH', summary: 'copy files between a container and this machine', words: [2, 2],
  flags: [{ group: CONTAINERS, name: 'archive', short: 'a', kind: 'boolean', help: 'keep owners' }, { group: CONTAINERS, name: 'follow-link', short: 'L', kind: 'boolean', help: 'copy what a link in SRC leads to' }, INDEX], examples: [['caisson compose cp web:/etc/nginx .', '']],
};
export const LS: CommandSpec = {
  name: 'compose ls', usage: '[FLAGS]', summary: 'list projects', words: [0, 0],
  flags: [{ group: CONTAINERS, name: 'all', short: 'a', kind: 'boolean', help: 'also those of which nothing runs' }, { group: CONTAINERS, name: 'filter', kind: 'string', multiple: true, placeholder: 'name=NAME', help: 'only those' }, { group: OUTPUT, name: 'quiet', short: 'q', kind: 'boolean', help: 'names only' }, { group: OUTPUT, name: 'format', kind: 'string', placeholder: 'table|json', help: 'default: table' }], examples: [['caisson compose ls -a', '']],
};
export const VERSION: CommandSpec = { name: 'compose version', usage: '[FLAGS]', summary: 'the version', words: [0, 0], flags: [{ group: OUTPUT, name: 'short', kind: 'boolean', help: 'the number only' }, { group: OUTPUT, name: 'format', short: 'f', kind: 'string', placeholder: 'pretty|json', help: 'default: pretty' }], examples: [['caisson compose version --short', '']] };

export const COMPOSE_COMMANDS: readonly CommandSpec[] = [UP, DOWN, PS, LOGS, EXEC, RUN, BUILD, PULL, CONFIG, CREATE, START, STOP, RESTART, KILL, RM, PAUSE, UNPAUSE, TOP, LIST_IMAGES, PORT, CP, WAIT, LS, VERSION];

export const COMPOSE: CommandSpec = {
  name: 'compose', usage: '[FLAGS] COMMAND', summary: 'run the services of a Compose file', words: [1, MANY], runs: true, flags: PROJECT_FLAGS,
  description: `As Docker Compose does, without a daemon. What is in the Compose specification and not done here is said by name.\n\nCommands:\n${COMPOSE_COMMANDS.map(({ name, summary }) => `  ${name.slice('compose '.length).padEnd(10)} ${summary}`).join('\n')}\n\n"caisson compose COMMAND --help" says more.`,
  examples: [['caisson compose up -d', ''], ['caisson compose -f compose.yaml -f prod.yaml -p shop up -d', 'two files, and a name'], ['caisson compose down -v', '']],
};
