/** Flags that `do` and `run` have with the same meaning. */
import type { Flag } from '../flags.ts';

export const PROCESS = 'What the command sees';
export const FILES = 'Files';
export const LIMITS = 'Limits and rights';
export const NETWORK = 'Network';
export const AFTER = 'What did it do?';
export const ENGINE = 'Engine';

export const TERMINAL_FLAGS: readonly Flag[] = [
  { group: PROCESS, name: 'tty', short: 't', kind: 'boolean', help: 'give the command a terminal (default: if there is one)' },
  { group: PROCESS, name: 'no-tty', short: 'T', kind: 'boolean', help: 'give it none' },
];

export const ENVIRONMENT_FLAGS: readonly Flag[] = [
  { group: PROCESS, name: 'env', short: 'e', kind: 'string', multiple: true, placeholder: 'NAME[=VALUE]', help: 'set a variable; without a value, pass on the one of the host' },
  { group: PROCESS, name: 'env-file', kind: 'string', multiple: true, placeholder: 'FILE', help: 'read variables from lines NAME=VALUE' },
];

export const MEMORY_FILES_FLAGS: readonly Flag[] = [
  { group: FILES, name: 'tmpfs', kind: 'string', multiple: true, placeholder: 'DIR[:size=N]', help: 'an empty directory in memory' },
  { group: FILES, name: 'read-only', kind: 'boolean', help: 'no writing, not even to the copy in memory' },
];

export const LIMIT_FLAGS: readonly Flag[] = [
  { group: LIMITS, name: 'memory', short: 'm', kind: 'string', placeholder: 'SIZE', help: 'memory of all processes together, such as 512m' },
  { group: LIMITS, name: 'memory-reservation', kind: 'string', placeholder: 'SIZE', help: 'a part of it that is only shown (memory.low): nothing is ever taken back' },
  { group: LIMITS, name: 'memory-swap', kind: 'string', placeholder: 'SIZE', help: 'memory and swap together, or -1; there is no swap' },
  { group: LIMITS, name: 'oom-score-adj', kind: 'string', placeholder: 'N', help: 'which is killed where memory does not suffice: -1000 to 1000' },
  { group: LIMITS, name: 'cpus', kind: 'string', placeholder: 'N', help: 'processors that it may keep busy, such as 0.5' },
  { group: LIMITS, name: 'cpu-period', kind: 'string', placeholder: 'US', help: 'the same by hand: microseconds of a period (default: 100000)' },
  { group: LIMITS, name: 'cpu-quota', kind: 'string', placeholder: 'US', help: 'and how many of them it may run' },
  { group: LIMITS, name: 'cpu-shares', kind: 'string', placeholder: 'N', help: 'its weight against others on this machine (default: 1024)' },
  { group: LIMITS, name: 'cpuset-cpus', kind: 'string', placeholder: 'LIST', help: 'processors that it may use: a container has number 0' },
  ...['read-bps', 'write-bps', 'read-iops', 'write-iops'].map((what): Flag => ({ group: LIMITS, name: `device-${what}`, kind: 'string', multiple: true, placeholder: 'PATH:RATE', help: `${what.startsWith('read') ? 'reading' : 'writing'} of files, ${what.endsWith('bps') ? 'bytes' : 'operations'} a second; whatever the device, it has one disk` })),
  { group: LIMITS, name: 'pids-limit', kind: 'string', placeholder: 'N', help: 'processes and threads at a time (default: 4096)' },
  { group: LIMITS, name: 'storage-opt', kind: 'string', placeholder: 'size=SIZE', help: 'what may be written (default: as much as --memory, or 1g)' },
  { group: LIMITS, name: 'cgroupns', kind: 'string', placeholder: 'private', help: 'whose control groups it sees: its own' },
  { group: LIMITS, name: 'ulimit', kind: 'string', multiple: true, placeholder: 'NAME=SOFT[:HARD]', help: 'resource limit, such as nofile=1024:4096' },
  { group: LIMITS, name: 'timeout', kind: 'string', placeholder: 'TIME', help: 'end it after this long, such as 30s or 5m (exit status 124)' },
  { group: LIMITS, name: 'cap-add', kind: 'string', multiple: true, placeholder: 'CAP', help: 'give a capability, or ALL' },
  { group: LIMITS, name: 'cap-drop', kind: 'string', multiple: true, placeholder: 'CAP', help: 'take a capability away, or ALL' },
  { group: LIMITS, name: 'security-opt', kind: 'string', multiple: true, placeholder: 'io_uring=on', help: 'its kernel has io_uring, which is off otherwise' },
];

export const PUBLISH_FLAG: Flag = { group: NETWORK, name: 'publish', short: 'p', kind: 'string', multiple: true, placeholder: '[IP:][HOST:]PORT[/udp]', help: 'let connections in at a port of this machine (default: at 127.0.0.1 and ::1 only, any free port)' };

export const TRACE_FLAGS: readonly Flag[] = [
  { group: AFTER, name: 'strace', kind: 'optional', multiple: true, placeholder: 'FILTER', help: 'show system calls on standard error; FILTER: names, or %file, %process, ...' },
  { group: AFTER, name: 'stats', kind: 'boolean', help: 'show instructions, time, system calls and memory on standard error' },
];

export const ENGINE_FLAGS: readonly Flag[] = [
  { group: ENGINE, name: 'tier', kind: 'string', placeholder: 'both|interpreter|translator', help: 'how instructions are run (default: both)' },
  { group: ENGINE, name: 'cpu', kind: 'string', placeholder: 'v2|v3', help: 'the processor that programs see: x86-64-v2, or v3 with AVX2, BMI and FMA (default: v2)' },
  { group: ENGINE, name: 'seed', kind: 'string', placeholder: 'N', help: 'the same random numbers and addresses every time' },
];
