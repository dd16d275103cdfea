/** The flags of `caisson do`. Names are those that people know from docker run, podman, bwrap and strace. */
import type { Flag } from './flags.ts';

const PROCESS = 'What the command sees';
const FILES = 'Files';
const LIMITS = 'Limits and rights';
const NETWORK = 'Network';
const AFTER = 'What did it do?';
const ENGINE = 'Engine';

export const DO_FLAGS: readonly Flag[] = [
  { group: PROCESS, name: 'env', short: 'e', kind: 'string', multiple: true, placeholder: 'NAME[=VALUE]', help: 'set a variable; without a value, pass on the one of the host' },
  { group: PROCESS, name: 'env-file', kind: 'string', multiple: true, placeholder: 'FILE', help: 'read variables from lines NAME=VALUE' },
  { group: PROCESS, name: 'workdir', short: 'w', kind: 'string', placeholder: 'DIR', help: 'directory to start in (default: the current one)' },
  { group: PROCESS, name: 'user', short: 'u', kind: 'string', placeholder: 'USER[:GROUP]', help: 'run as this user, by name or number (default: you)' },
  { group: PROCESS, name: 'hostname', kind: 'string', placeholder: 'NAME', help: 'name of the machine inside (default: the host\'s)' },
  { group: PROCESS, name: 'interactive', short: 'i', kind: 'boolean', help: 'keep standard input open (default: it is)' },
  { group: PROCESS, name: 'tty', short: 't', kind: 'boolean', help: 'give the command a terminal (default: if there is one)' },
  { group: PROCESS, name: 'no-tty', short: 'T', kind: 'boolean', help: 'give it none' },

  { group: FILES, name: 'root', kind: 'string', placeholder: 'DIR', help: 'use this directory as / instead of the host\'s' },
  { group: FILES, name: 'volume', short: 'v', kind: 'string', multiple: true, placeholder: 'SRC:DST[:ro|rw]', help: 'show a host directory or file elsewhere; ro unless rw is said' },
  { group: FILES, name: 'rw', kind: 'string', multiple: true, placeholder: 'DIR', help: 'a host directory that may really be written' },
  { group: FILES, name: 'tmpfs', kind: 'string', multiple: true, placeholder: 'DIR[:size=N]', help: 'an empty directory in memory' },
  { group: FILES, name: 'read-only', kind: 'boolean', help: 'no writing, not even to the copy in memory' },
  { group: FILES, name: 'hide', kind: 'string', multiple: true, placeholder: 'PATH', help: 'make a path look empty, beside those where credentials live' },
  { group: FILES, name: 'show', kind: 'string', multiple: true, placeholder: 'PATH', help: 'do not hide this one' },

  { group: LIMITS, name: 'memory', short: 'm', kind: 'string', placeholder: 'SIZE', help: 'memory of all processes together, such as 512m' },
  { group: LIMITS, name: 'pids-limit', kind: 'string', placeholder: 'N', help: 'processes and threads at a time (default: 4096)' },
  { group: LIMITS, name: 'ulimit', kind: 'string', multiple: true, placeholder: 'NAME=SOFT[:HARD]', help: 'resource limit, such as nofile=1024:4096' },
  { group: LIMITS, name: 'timeout', kind: 'string', placeholder: 'TIME', help: 'end it after this long, such as 30s or 5m (exit status 124)' },
  { group: LIMITS, name: 'cap-add', kind: 'string', multiple: true, placeholder: 'CAP', help: 'give a capability, or ALL' },
  { group: LIMITS, name: 'cap-drop', kind: 'string', multiple: true, placeholder: 'CAP', help: 'take a capability away, or ALL' },

  { group: NETWORK, name: 'net', kind: 'string', placeholder: 'none|outbound', help: 'none: loopback only (default); outbound: TCP, UDP and names, public addresses only' },
  { group: NETWORK, name: 'allow-net', kind: 'string', multiple: true, placeholder: 'HOST[:PORT]', help: 'allow a name, an address or a CIDR range, private ones included' },

  { group: AFTER, name: 'changes', kind: 'boolean', help: 'list what was added (A), changed (C) and deleted (D)' },
  { group: AFTER, name: 'export-changes', kind: 'string', placeholder: 'FILE.tar', help: 'keep what changed as a tar file (an image layer)' },
  { group: AFTER, name: 'apply', kind: 'boolean', help: 'after asking, copy what changed to the host' },
  { group: AFTER, name: 'yes', short: 'y', kind: 'boolean', help: 'answer yes to --apply' },
  { group: AFTER, name: 'strace', kind: 'optional', multiple: true, placeholder: 'FILTER', help: 'show system calls on standard error; FILTER: names, or %file, %process, ...' },
  { group: AFTER, name: 'stats', kind: 'boolean', help: 'show instructions, time, system calls and memory on standard error' },

  { group: ENGINE, name: 'tier', kind: 'string', placeholder: 'both|interpreter|translator', help: 'how instructions are run (default: both)' },
  { group: ENGINE, name: 'seed', kind: 'string', placeholder: 'N', help: 'the same random numbers and addresses every time' },
  { group: ENGINE, name: 'help', short: 'h', kind: 'boolean', help: 'this text' },
];

export const DO_EXAMPLES: readonly (readonly [command: string, what: string])[] = [
  ['caisson do -- bash', 'a shell on a copy of this machine'],
  ['caisson do -- python3 -c "import os; print(os.uname())"', 'one command'],
  ['caisson do --changes -- sh ./install.sh', 'what would this installer do?'],
  ['caisson do --apply -- make install', 'try it, look at the list, then accept it or not'],
  ['caisson do --rw . -m 512m --timeout 1m -- make', 'build with limits; only this directory can be written'],
  ['caisson do --net outbound --allow-net example.com:443 -- curl -s https://example.com', 'one host may be reached'],
  ['echo 1 2 3 | caisson do -- tr " " "\\n" | sort -r', 'in a pipe'],
];
