/** Commands on containers that run, as data: attach, stats, pause, unpause, update, events, generate systemd. Names and flags are Docker's and, of the last one, Podman's. */
import type { CommandSpec } from '../command.ts';
import { ALERT_RATE_FLAG, LEARN_FLAG, ON_RULE_FLAG, PROFILE_FLAG, RULES_FLAG } from '../detect/watch-flags.ts';
import { LIMIT_FLAGS } from './container-flags.ts';
import type { Flag } from '../flags.ts';
import { ALLOW_NET_FLAG, DENY_NET_FLAG } from '../networks/outbound-flags.ts';

const CONTAINER = 'Container';
const OUTPUT = 'Output';
const UNIT = 'Unit';
const RULES = 'Watching';
const MANY = 1000;

export const DETACH_KEYS_FLAG: Flag = { group: CONTAINER, name: 'detach-keys', kind: 'string', placeholder: 'KEYS', help: 'typed at a terminal: leave it, and the program goes on (default: ctrl-p,ctrl-q)' };
export const SIG_PROXY_FLAG: Flag = { group: CONTAINER, name: 'sig-proxy', kind: 'optional', placeholder: 'true|false', help: 'pass signals on, unless it has a terminal (default: true)' };
const formatFlag = (example: string): Flag => ({ group: OUTPUT, name: 'format', kind: 'string', placeholder: 'FORMAT', help: `json, or a Go template such as '${example}'` });

export const ATTACH: CommandSpec = {
  name: 'attach', usage: '[FLAGS] CONTAINER', summary: 'see what a container in the background prints, and type into it', words: [1, 1],
  description: 'It ends with the container, with that one\'s status, or by its detach keys. What was printed before is in "caisson logs".',
  flags: [DETACH_KEYS_FLAG, { group: CONTAINER, name: 'no-stdin', kind: 'boolean', help: 'do not pass standard input on' }, SIG_PROXY_FLAG],
  examples: [['caisson run -dit --name box debian bash', ''], ['caisson attach box', 'ctrl-p ctrl-q leaves it']],
};
export const STATS: CommandSpec = {
  name: 'stats', usage: '[FLAGS] [CONTAINER...]', summary: 'show what containers take: processor, memory, network, disk', words: [0, MANY],
  description: 'CPU: of its process on this machine. MEM: of its programs, as --memory counts it; {{.ProcessMem}} is what its process has on this machine. NET: through its ports and its gateway. BLOCK: of its process, to and from disks.',
  flags: [
    { group: CONTAINER, name: 'all', short: 'a', kind: 'boolean', help: 'also those that do not run' }, { group: OUTPUT, name: 'no-stream', kind: 'boolean', help: 'once, and no more' },
    { group: OUTPUT, name: 'no-trunc', kind: 'boolean', help: 'whole ids' }, formatFlag('{{.Name}} {{.CPUPerc}} {{.MemUsage}}'),
  ],
  examples: [['caisson stats', 'all that run, every second'], ['caisson stats --no-stream --format "{{.Name}}: {{.MemPerc}}" web', '']],
};
export const PAUSE: CommandSpec = {
  name: 'pause', usage: 'CONTAINER...', summary: 'stop the programs of containers where they are', words: [1, MANY], description: 'Nothing in them runs, and they keep what they have, until "caisson unpause".', flags: [], examples: [['caisson pause box', '']],
};
export const UNPAUSE: CommandSpec = {
  name: 'unpause', usage: 'CONTAINER...', summary: 'let the programs of paused containers go on', words: [1, MANY], flags: [], examples: [['caisson unpause box', '']],
};
/** Limits that may change while it runs. */
const CHANGEABLE = new Set(['memory', 'memory-reservation', 'memory-swap', 'cpus', 'cpu-period', 'cpu-quota', 'cpuset-cpus', 'pids-limit']);
export const UPDATE: CommandSpec = {
  name: 'update', usage: '[FLAGS] CONTAINER...', summary: 'change limits, the restart policy and what may be reached of containers', words: [1, MANY],
  description: 'Also of those that run. Tasks beyond a new limit go on; where memory does not suffice any more, a process is killed. Rules of --allow-net or --deny-net stand for all of that kind before; connections that they do not allow are cut.',
  absent: { 'cpu-shares': 'the weight is given when a container is made', c: 'the weight is given when a container is made', 'blkio-weight': 'disks are shared by this machine\'s rules' },
  flags: [
    ...LIMIT_FLAGS.filter(({ name }) => CHANGEABLE.has(name)),
    { group: CONTAINER, name: 'restart', kind: 'string', placeholder: 'POLICY', help: 'no, always, unless-stopped, on-failure[:N]' },
    ALLOW_NET_FLAG, { ...DENY_NET_FLAG, help: `${DENY_NET_FLAG.help}; '' for none` },
  ],
  examples: [['caisson update --allow-net example.com:443 box', 'from now on, and nothing else'], ['caisson update --memory 1g --pids-limit 100 box', ''], ['caisson update --restart on-failure:3 box', '']],
};
export const EVENTS: CommandSpec = {
  name: 'events', usage: '[FLAGS] [CONTAINER]', summary: 'show what happens to containers, volumes and networks, or live what one does', words: [0, 1],
  description: 'As it happens, or from --since up to --until. The last ten to twenty thousand are kept. Alerts of containers that run with --rules are among them.\n--replay puts the stream of one container, which "run --events FILE" wrote, before rules, or a profile; --learn makes a profile of it.\n--live shows what a container does: processes, files, connections, alerts, calls; with keys at a terminal, as text every two seconds elsewhere.',
  flags: [
    { group: CONTAINER, name: 'filter', short: 'f', kind: 'string', multiple: true, placeholder: 'KEY=VALUE', help: 'container, event, image, label, type, volume, network' },
    { group: OUTPUT, name: 'since', kind: 'string', placeholder: 'TIME', help: 'also what has happened since: 10m (ago), or a date' }, { group: OUTPUT, name: 'until', kind: 'string', placeholder: 'TIME', help: 'only up to then' },
    formatFlag('{{.Time}} {{.Action}} {{.ID}}'),
    { group: RULES, name: 'replay', kind: 'string', placeholder: 'FILE', help: 'show what rules say of a recorded stream' }, RULES_FLAG, ON_RULE_FLAG, ALERT_RATE_FLAG,
    { ...LEARN_FLAG, help: 'write a profile of what the recorded stream has, or add to one' },
    { ...PROFILE_FLAG, help: 'show what the profile would refuse of the recorded stream; without one, the profile as --format yaml, json or seccomp' },
    { group: RULES, name: 'live', kind: 'boolean', help: 'show what a container does, or did in a recorded stream (with --replay)' },
    { group: RULES, name: 'interval', kind: 'string', placeholder: 'SECONDS', help: 'with --live: between two looks (default: 0.5 at a terminal, 2 elsewhere)' }, { group: RULES, name: 'no-stream', kind: 'boolean', help: 'with --live: once, and no more' },
    { group: RULES, name: 'list-rules', kind: 'boolean', help: 'list the rules of --rules, or of our own set' },
  ],
  examples: [['caisson events --filter event=die', ''], ['caisson events --filter event=alert', 'what rules say of containers, as it happens'], ['caisson events --live web', 'what its programs do, as they do it'], ['caisson events --replay box.events --rules mine.yaml', ''], ['caisson events --profile web.yaml --format seccomp > web.json', 'for docker run --security-opt seccomp=web.json'], ['caisson events --since 1h --until 0s --format json', 'what has happened in the last hour']],
};
export const GENERATE_SYSTEMD: CommandSpec = {
  name: 'generate systemd', usage: '[FLAGS] CONTAINER', summary: 'write a unit of systemd that starts a container at boot', words: [1, 1],
  description: 'Put it into ~/.config/systemd/user, then "systemctl --user enable --now container-NAME"; "loginctl enable-linger" starts it at boot and not at your login. As root: /etc/systemd/system, without --user.',
  absent: { new: 'the container is started as it is; make it with "caisson create"' },
  flags: [
    { group: UNIT, name: 'files', short: 'f', kind: 'boolean', help: 'write container-NAME.service here, and print its path' }, { group: UNIT, name: 'name', short: 'n', kind: 'boolean', help: 'call it by its name (default: by its id)' },
    { group: UNIT, name: 'restart-policy', kind: 'string', placeholder: 'POLICY', help: 'Restart= of the unit (default: on-failure where the container has a policy, otherwise no)' },
    { group: UNIT, name: 'stop-timeout', short: 't', kind: 'string', placeholder: 'SECONDS', help: 'how long it may take to end (default: the container\'s, or 10)' },
    { group: UNIT, name: 'after', kind: 'string', multiple: true, placeholder: 'UNIT', help: 'After= of the unit' }, { group: UNIT, name: 'wants', kind: 'string', multiple: true, placeholder: 'UNIT', help: 'Wants= of the unit' }, { group: UNIT, name: 'requires', kind: 'string', multiple: true, placeholder: 'UNIT', help: 'Requires= of the unit' },
  ],
  examples: [['caisson generate systemd --name web > ~/.config/systemd/user/container-web.service', '']],
};

export const LIVE_COMMANDS: readonly CommandSpec[] = [ATTACH, STATS, PAUSE, UNPAUSE, UPDATE, EVENTS, GENERATE_SYSTEMD];
