/** The flags of `caisson do`. Names are those that people know from docker run, podman, bwrap and strace. */
import { AFTER, ALLOW_NET_FLAG, ENGINE, ENGINE_FLAGS, ENVIRONMENT_FLAGS, FILES, LIMIT_FLAGS, MEMORY_FILES_FLAGS, NETWORK, PROCESS, PUBLISH_FLAG, TERMINAL_FLAGS, TRACE_FLAGS } from '../containers/container-flags.ts';
import { WATCH_FLAGS } from '../detect/watch-flags.ts';
import type { Flag } from '../flags.ts';

export const DO_FLAGS: readonly Flag[] = [
  ...ENVIRONMENT_FLAGS,
  { group: PROCESS, name: 'workdir', short: 'w', kind: 'string', placeholder: 'DIR', help: 'directory to start in (default: the current one)' },
  { group: PROCESS, name: 'user', short: 'u', kind: 'string', placeholder: 'USER[:GROUP]', help: 'run as this user, by name or number (default: you)' },
  { group: PROCESS, name: 'hostname', kind: 'string', placeholder: 'NAME', help: 'name of the machine inside (default: the host\'s)' },
  { group: PROCESS, name: 'interactive', short: 'i', kind: 'boolean', help: 'keep standard input open (default: it is)' },
  ...TERMINAL_FLAGS,

  { group: FILES, name: 'root', kind: 'string', placeholder: 'DIR', help: 'use this directory as / instead of the host\'s' },
  { group: FILES, name: 'volume', short: 'v', kind: 'string', multiple: true, placeholder: 'SRC:DST[:ro|rw]', help: 'show a host directory or file elsewhere; ro unless rw is said' },
  { group: FILES, name: 'rw', kind: 'string', multiple: true, placeholder: 'DIR', help: 'a host directory that may really be written' },
  ...MEMORY_FILES_FLAGS,
  { group: FILES, name: 'hide', kind: 'string', multiple: true, placeholder: 'PATH', help: 'make a path look empty, beside those where credentials live' },
  { group: FILES, name: 'show', kind: 'string', multiple: true, placeholder: 'PATH', help: 'do not hide this one' },

  ...LIMIT_FLAGS,

  { group: NETWORK, name: 'net', kind: 'string', placeholder: 'none|outbound', help: 'none: loopback only (default); outbound: TCP, UDP and names, public addresses only' },
  ALLOW_NET_FLAG, PUBLISH_FLAG,

  { group: AFTER, name: 'changes', kind: 'boolean', help: 'list what was added (A), changed (C) and deleted (D)' },
  { group: AFTER, name: 'export-changes', kind: 'string', placeholder: 'FILE.tar', help: 'keep what changed as a tar file (an image layer)' },
  { group: AFTER, name: 'apply', kind: 'boolean', help: 'after asking, copy what changed to the host' },
  { group: AFTER, name: 'yes', short: 'y', kind: 'boolean', help: 'answer yes to --apply' },
  ...TRACE_FLAGS,
  ...WATCH_FLAGS,

  ...ENGINE_FLAGS,
  { group: ENGINE, name: 'help', short: 'h', kind: 'boolean', help: 'this text' },
];

export const DO_EXAMPLES: readonly (readonly [command: string, what: string])[] = [
  ['caisson do -- bash', 'a shell on a copy of this machine'],
  ['caisson do -- python3 -c "import os; print(os.uname())"', 'one command'],
  ['caisson do --changes -- sh ./install.sh', 'what would this installer do?'],
  ['caisson do --apply -- make install', 'try it, look at the list, then accept it or not'],
  ['caisson do --rw . -m 512m --timeout 1m -- make', 'build with limits; only this directory can be written'],
  ['caisson do --net outbound --allow-net example.com:443 -- curl -s https://example.com', 'one host may be reached'],
  ['caisson do -p 8000:8000 -- python3 -m http.server', 'a server, reached at http://localhost:8000'],
  ['echo 1 2 3 | caisson do -- tr " " "\\n" | sort -r', 'in a pipe'],
];
