/** From the flags of `caisson do` to a container's configuration and a process's. Every mistake a user can make in a flag is found here. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { DEFAULT_CAPABILITIES, DEFAULT_LIMITS } from '../container/index.ts';
import type { ContainerConfig, LimitsConfig, MountConfig, NetworkConfig, ProcessConfig, RlimitConfig, UserConfig } from '../container/index.ts';
import { currentUser, readAccounts, resolveUser } from './accounts.ts';
import { rawArguments, rawEnvironment, rawWorkingDirectory, toByteString, toText } from './bytes.ts';
import { buildEnvironment } from './environment.ts';
import { UserError } from './errors.ts';
import { nearest } from './flags.ts';
import type { FlagValues } from './flags.ts';
import { hiddenPaths } from '../sandbox/hidden-paths.ts';
import { parseCount, parseDuration, parseSize } from './quantities.ts';

export interface DoOptions {
  readonly container: ContainerConfig;
  readonly process: ProcessConfig;
  readonly timeoutMs: number | undefined;
  readonly strace: readonly string[] | undefined;
  readonly stats: boolean;
  readonly changes: boolean;
  readonly exportChanges: string | undefined;
  readonly apply: boolean;
  readonly yes: boolean;
}

const RLIMITS: readonly string[] = [
  'as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack',
];

/** Capability names of capability.h, lower case, in the order of their numbers. */
export const CAPABILITY_NAMES: readonly string[] = [
  'chown', 'dac_override', 'dac_read_search', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap', 'linux_immutable', 'net_bind_service',
  'net_broadcast', 'net_admin', 'net_raw', 'ipc_lock', 'ipc_owner', 'sys_module', 'sys_rawio', 'sys_chroot', 'sys_ptrace', 'sys_pacct', 'sys_admin',
  'sys_boot', 'sys_nice', 'sys_resource', 'sys_time', 'sys_tty_config', 'mknod', 'lease', 'audit_write', 'audit_control', 'setfcap', 'mac_override',
  'mac_admin', 'syslog', 'wake_alarm', 'block_suspend', 'audit_read', 'perfmon', 'bpf', 'checkpoint_restore',
];

/** Accounts of people, as login.defs has them; the others have no credentials of their own. */
const FIRST_PERSON = 1000;
const NOBODY = 65_534;

function need<Value>(value: Value | undefined, flag: string, text: string, why: string): Value {
  if (value === undefined) throw new UserError(`cannot use --${flag} ${text}: ${why}`, 'see "caisson do --help"');
  return value;
}

function oneOf<Choice extends string>(values: FlagValues, flag: string, choices: readonly Choice[]): Choice | undefined {
  const text = values.last(flag);
  if (text === undefined) return undefined;
  return need(choices.find((choice) => choice === text), flag, text, `it is one of ${choices.join(', ')}`);
}

/** An existing host directory or file as an absolute byte-string path without links. */
function hostPath(flag: string, path: string): string {
  try {
    return toByteString(realpathSync(resolve(path)));
  } catch (error) {
    throw new UserError(`cannot use --${flag} ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

/** uname(2)'s `nodename`; loading `node:os` for it costs 2 ms. */
function hostName(): string {
  try {
    return readFileSync('/proc/sys/kernel/hostname', 'utf8').trimEnd();
  } catch {
    return (createRequire(import.meta.url)('node:os') as { hostname(): string }).hostname();
  }
}

function guestPath(path: string): string {
  return toByteString(resolve('/', path));
}

function parseVolume(text: string): MountConfig {
  const [source = '', destination = '', mode = 'ro', ...rest] = text.split(':');
  if (source === '' || !destination.startsWith('/') || rest.length > 0 || !['ro', 'rw'].includes(mode)) {
    throw new UserError(`cannot use --volume ${text}: it is SRC:DST, with DST absolute, and :ro or :rw behind`, 'see "caisson do --help"');
  }
  return { kind: 'bind', source: hostPath('volume', source), destination: guestPath(destination), writable: mode === 'rw' };
}

function parseTmpfs(text: string): MountConfig {
  const [destination = '', ...options] = text.split(/[:,]/);
  if (!destination.startsWith('/')) throw new UserError(`cannot use --tmpfs ${text}: the directory is not absolute`, 'begin it with /');
  const size = options.find((option) => option.startsWith('size='))?.slice(5);
  const sizeBytes = size === undefined ? undefined : need(parseSize(size), 'tmpfs', text, 'its size is not a number with k, m or g');
  return { kind: 'tmpfs', destination: guestPath(destination), ...(sizeBytes === undefined ? {} : { sizeBytes }) };
}

function parseRw(text: string): MountConfig {
  const source = hostPath('rw', text);
  if (!statSync(Buffer.from(source, 'latin1')).isDirectory()) throw new UserError(`cannot use --rw ${text}: it is not a directory`, 'give its directory, or use --volume FILE:FILE:rw');
  if (source === '/') throw new UserError('cannot use --rw /: nothing would be left that is protected', 'give the directories that the command needs');
  return { kind: 'bind', source, destination: source, writable: true };
}

function parseRlimit(text: string): RlimitConfig {
  const match = /^([a-z]+)=(-1|\d+|unlimited)(?::(-1|\d+|unlimited))?$/.exec(text);
  if (match === null) throw new UserError(`cannot use --ulimit ${text}: it is NAME=SOFT[:HARD]`, 'such as nofile=1024:4096');
  const [, name = '', softText = '', hardText = softText] = match;
  if (!RLIMITS.includes(name)) {
    const guess = nearest(name, RLIMITS);
    throw new UserError(`cannot use --ulimit ${text}: no limit is called ${name}`, guess === undefined ? `there are ${RLIMITS.join(', ')}` : `did you mean ${guess}?`);
  }
  const value = (limit: string): number => (limit === '-1' || limit === 'unlimited' ? Infinity : Number(limit));
  const [soft, hard] = [value(softText), value(hardText)];
  if (soft > hard) throw new UserError(`cannot use --ulimit ${text}: the soft limit is above the hard one`, 'swap them');
  return { name, soft, hard };
}

function parseCapabilities(values: FlagValues, user: UserConfig): readonly string[] {
  const expand = (flag: string): string[] =>
    values.all(flag).flatMap((text) => {
      const name = text.toLowerCase().replace(/^cap_/, '');
      if (name === 'all') return [...CAPABILITY_NAMES];
      if (CAPABILITY_NAMES.includes(name)) return [name];
      const guess = nearest(name, CAPABILITY_NAMES);
      throw new UserError(`cannot use --${flag} ${text}: no capability is called that`, guess === undefined ? 'see capabilities(7)' : `did you mean ${guess}?`);
    });
  const dropped = new Set(expand('cap-drop'));
  const start = user.uid === 0 ? DEFAULT_CAPABILITIES : [];
  return [...new Set([...start.filter((name) => !dropped.has(name)), ...expand('cap-add')])];
}

function parseLimits(values: FlagValues): LimitsConfig {
  const memory = values.last('memory');
  const tasks = values.last('pids-limit');
  return {
    ...(memory === undefined ? {} : { memoryBytes: need(parseSize(memory), 'memory', memory, 'it is not a size such as 512m') }),
    tasks: tasks === undefined ? DEFAULT_LIMITS.tasks : need(parseCount(tasks), 'pids-limit', tasks, 'it is not a number'),
  };
}

/** `--allow-net` alone means outbound, restricted to what is named. */
function parseNetwork(values: FlagValues): NetworkConfig {
  const allow = values.all('allow-net');
  const mode = oneOf(values, 'net', ['none', 'outbound']) ?? (allow.length > 0 ? 'outbound' : 'none');
  if (mode === 'none' && allow.length > 0) throw new UserError('cannot use --allow-net with --net none', 'leave one of them out');
  for (const entry of allow) {
    if (!/^\[?[A-Za-z0-9*_.:/-]+\]?$/.test(entry)) throw new UserError(`cannot use --allow-net ${entry}: it is no name, address or CIDR range`, 'such as example.com:443 or 10.0.0.0/8');
  }
  return { mode, allow };
}

/** Where to start: the current directory if it is inside the root, else `/`. */
function workingDirectory(values: FlagValues, root: string): string {
  const given = values.last('workdir');
  const current = rawWorkingDirectory();
  const inside = root === '/' ? current : current === root ? '/' : current.startsWith(`${root}/`) ? current.slice(root.length) : '/';
  return given === undefined ? inside : toByteString(resolve(toText(inside), given));
}

function containerConfig(values: FlagValues, root: string): ContainerConfig {
  const seed = values.last('seed');
  const tier = oneOf(values, 'tier', ['both', 'interpreter', 'translator'] as const);
  const people = readAccounts(root === '/' ? '' : root).filter(({ uid }) => uid === 0 || (uid >= FIRST_PERSON && uid < NOBODY));
  const homes = [...new Set([...people.map((account) => account.home), ...(process.env['HOME'] === undefined ? [] : [toByteString(process.env['HOME'])])])];
  const absolute = (path: string): string => toByteString(resolve(path.startsWith('~/') ? `${process.env['HOME'] ?? ''}${path.slice(1)}` : path));
  const hide = hiddenPaths(root, homes, values.all('hide').map(absolute), values.all('show').map(absolute));
  return {
    root,
    mounts: [...values.all('volume').map(parseVolume), ...values.all('rw').map(parseRw), ...values.all('tmpfs').map(parseTmpfs)],
    hide,
    readOnly: values.has('read-only'),
    hostname: toByteString(values.last('hostname') ?? hostName()),
    limits: parseLimits(values),
    network: parseNetwork(values),
    ...(seed === undefined ? {} : { seed: need(parseCount(seed), 'seed', seed, 'it is not a number') }),
    ...(tier === undefined ? {} : { tier }),
  };
}

/** Rows and columns of the terminal that standard input and output are. */
export interface TerminalFacts {
  readonly rows: number;
  readonly columns: number;
}

function terminalConfig(values: FlagValues, facts: TerminalFacts | undefined): { readonly terminal?: TerminalFacts } {
  if (values.has('no-tty')) return {};
  if (facts !== undefined) return { terminal: facts };
  return values.has('tty') ? { terminal: { rows: 24, columns: 80 } } : {};
}

function processConfig(values: FlagValues, root: string, facts: TerminalFacts | undefined): ProcessConfig {
  const given = values.last('user');
  const { user, account } = given === undefined ? { user: currentUser(), account: undefined } : resolveUser(root === '/' ? '' : root, given);
  const identity = account === undefined ? [] : [`HOME=${account.home}`, `USER=${account.name}`, `LOGNAME=${account.name}`].map(toText);
  const env = buildEnvironment(rawEnvironment(process.env), { env: [...identity, ...values.all('env')], envFiles: values.all('env-file') });
  return {
    argv: rawArguments(values.command),
    env,
    cwd: workingDirectory(values, root),
    user,
    capabilities: parseCapabilities(values, user),
    rlimits: values.all('ulimit').map(parseRlimit),
    umask: process.umask(),
    ...terminalConfig(values, facts),
  };
}

/**
 * `facts`: present if standard input and output are a terminal.
 *
 * @throws UserError for everything that a user can get wrong.
 */
export function readDoOptions(values: FlagValues, facts?: TerminalFacts): DoOptions {
  if (values.command.length === 0) throw new UserError('cannot do nothing: no command was given', 'such as "caisson do -- bash"');
  const timeout = values.last('timeout');
  const root = values.last('root') === undefined ? '/' : hostPath('root', values.last('root') ?? '/');
  return {
    container: containerConfig(values, root),
    process: processConfig(values, root, facts),
    timeoutMs: timeout === undefined ? undefined : need(parseDuration(timeout), 'timeout', timeout, 'it is not a time such as 30s'),
    strace: values.has('strace') ? values.all('strace').filter((filter) => filter !== '') : undefined,
    stats: values.has('stats'),
    changes: values.has('changes'),
    exportChanges: values.last('export-changes'),
    apply: values.has('apply'),
    yes: values.has('yes'),
  };
}
