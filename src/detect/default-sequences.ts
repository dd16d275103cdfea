/** Rules about sequences, by the name `sequences`. They go with those of `default`, and know its lists and macros by themselves. */
import { DEFAULT_ITEMS } from './default-rules.ts';
import type { PlainItem } from './rules/plain.ts';

const SHARED: readonly PlainItem[] = DEFAULT_ITEMS.filter((item) => 'macro' in item || 'list' in item);

export const SEQUENCE_ITEMS: readonly PlainItem[] = [
  ...SHARED,
  { list: 'fetching_binaries', items: ['curl', 'wget', 'ftp', 'tftp', 'ftpget', 'scp', 'sftp', 'rsync', 'nc', 'ncat', 'socat', 'python', 'python3', 'perl', 'ruby', 'php', 'node', 'aria2c'] },
  { macro: 'secret_file', condition: '(sensitive_file or fd.name pmatch (/run/secrets, /var/run/secrets) or fd.name glob "*/.ssh/id_*" or fd.name endswith "/.aws/credentials" or fd.name endswith "/.kube/config" or fd.name endswith "/.docker/config.json")' },
  { macro: 'connects', condition: 'evt.type = connect and fd.type in (ipv4, ipv6)' },
  {
    rule: 'Fetched file executed',
    desc: 'A file that a program for fetching wrote was started.',
    sequence: [
      { condition: 'open_write and fd.type = file and proc.name in (fetching_binaries)', output: '%proc.name wrote %fd.name' },
      { condition: 'spawned_process and not proc.aname in (package_binaries)' },
    ],
    by: 'fd.name', within: '1h',
    output: 'A file was fetched and started (file=%fd.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'CRITICAL',
    tags: ['container', 'process', 'mitre_command_and_control', 'T1105'],
  },
  {
    rule: 'Written file executed',
    desc: 'A file was written and then started, by whatever program.',
    sequence: [
      { condition: 'open_write and fd.type = file and not proc.name in (fetching_binaries, package_binaries) and not proc.aname in (package_binaries)', output: '%proc.name wrote %fd.name' },
      { condition: 'spawned_process and not proc.aname in (package_binaries)' },
    ],
    by: 'fd.name', within: '10m',
    output: 'A file was written and started (file=%fd.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'WARNING',
    tags: ['container', 'process', 'mitre_execution', 'T1204.002'],
  },
  {
    rule: 'Secret read before a connection',
    desc: 'Who reads password hashes, keys or tokens and then connects elsewhere may carry them out.',
    sequence: [
      { condition: 'open_read and secret_file and not user_known_sensitive_readers', output: '%proc.name read %fd.name' },
      { condition: 'outbound' },
    ],
    by: 'proc.tree', within: '5m',
    output: 'A secret was read before a connection (connection=%fd.name process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'CRITICAL',
    tags: ['container', 'network', 'mitre_exfiltration', 'T1041'],
  },
  {
    rule: 'Identity changed after ptrace',
    desc: 'A process took hold of another, and then user ids changed in the same tree.',
    sequence: [
      { condition: 'evt.type = ptrace and evt.failed = false and evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_SETREGS, PTRACE_POKETEXT, PTRACE_POKEDATA)', output: '%proc.name: %evt.arg.request of %evt.arg.pid' },
      { condition: 'evt.type in (setuid, setreuid, setresuid) and evt.failed = false' },
    ],
    by: 'proc.tree', within: '1m',
    output: 'The user changed after ptrace (process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'CRITICAL',
    tags: ['container', 'process', 'mitre_privilege_escalation', 'T1055.008'],
  },
  {
    rule: 'Shell of a server connects',
    desc: 'A server started a shell, and something below it connected elsewhere.',
    sequence: [
      { condition: 'spawned_process and shell_procs and proc.aname in (server_binaries)', output: '%proc.pname started %proc.cmdline' },
      { condition: 'outbound and proc.aname in (server_binaries)' },
    ],
    by: 'proc.tree', within: '10m',
    output: 'A shell below a server connects (connection=%fd.name process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'CRITICAL',
    tags: ['container', 'network', 'mitre_command_and_control', 'T1059.004'],
  },
  {
    rule: 'Many connections refused',
    desc: 'Ten connections in ten seconds found nobody: somebody looks for open ports.',
    sequence: [{ condition: 'connects and evt.res in (ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT)', count: '10', output: '%fd.name' }],
    by: 'proc.tree', within: '10s',
    output: 'Many connections find nobody (connection=%fd.name process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'WARNING',
    tags: ['container', 'network', 'mitre_discovery', 'T1046'],
  },
  {
    rule: 'Program removed after its start',
    desc: 'A program was started, and its file removed while it may still run.',
    sequence: [
      { condition: 'spawned_process and not proc.aname in (package_binaries)', output: '%proc.pname started %proc.cmdline' },
      { condition: 'evt.type in (unlink, unlinkat) and evt.failed = false and not proc.name in (package_binaries) and not proc.aname in (package_binaries)' },
    ],
    by: 'fd.name', within: '1m',
    output: 'A program was removed after its start (file=%fd.name process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)',
    priority: 'WARNING',
    tags: ['container', 'filesystem', 'mitre_defense_evasion', 'T1070.004'],
  },
];
