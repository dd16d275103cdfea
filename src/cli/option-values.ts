/** Values of flags that `do` and `run` share, as the configuration wants them. Every mistake a user can make in one is found here. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_CAPABILITIES } from '../container/index.ts';
import type { MountConfig, NetworkConfig, RlimitConfig, UserConfig } from '../container/index.ts';
import { toByteString } from './bytes.ts';
import { UserError } from './errors.ts';
import { nearest } from './flags.ts';
import type { FlagValues } from './flags.ts';
import { parseOutbound } from './networks/outbound-options.ts';
import { parseSize } from './quantities.ts';

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

export function need<Value>(value: Value | undefined, flag: string, text: string, why: string): Value {
  if (value === undefined) throw new UserError(`cannot use --${flag} ${text}: ${why}`, 'see the command\'s --help');
  return value;
}

export function oneOf<Choice extends string>(values: FlagValues, flag: string, choices: readonly Choice[]): Choice | undefined {
  const text = values.last(flag);
  if (text === undefined) return undefined;
  return need(choices.find((choice) => choice === text), flag, text, `it is one of ${choices.join(', ')}`);
}

/** An existing host directory or file as an absolute byte-string path without links. */
export function hostPath(flag: string, path: string): string {
  try {
    return toByteString(realpathSync(resolve(path)));
  } catch (error) {
    throw new UserError(`cannot use --${flag} ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

export function guestPath(path: string): string {
  return toByteString(resolve('/', path));
}

/** `defaultMode`: where neither `:ro` nor `:rw` is said. */
export function parseVolume(text: string, defaultMode: 'ro' | 'rw'): MountConfig {
  const [source = '', destination = '', mode = defaultMode, ...rest] = text.split(':');
  if (source === '' || !destination.startsWith('/') || rest.length > 0 || !['ro', 'rw'].includes(mode)) {
    throw new UserError(`cannot use --volume ${text}: it is SRC:DST, with DST absolute, and :ro or :rw behind`, 'see the command\'s --help');
  }
  return { kind: 'bind', source: hostPath('volume', source), destination: guestPath(destination), writable: mode === 'rw' };
}

export function parseTmpfs(text: string): MountConfig {
  const [destination = '', ...options] = text.split(/[:,]/);
  if (!destination.startsWith('/')) throw new UserError(`cannot use --tmpfs ${text}: the directory is not absolute`, 'begin it with /');
  const size = options.find((option) => option.startsWith('size='))?.slice(5);
  const sizeBytes = size === undefined ? undefined : need(parseSize(size), 'tmpfs', text, 'its size is not a number with k, m or g');
  return { kind: 'tmpfs', destination: guestPath(destination), ...(sizeBytes === undefined ? {} : { sizeBytes }) };
}

export function parseRlimit(text: string): RlimitConfig {
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

/** Of `--security-opt`: the last one counts. @throws UserError */
export function securityOptions(values: FlagValues): { readonly ioUring?: true } {
  let isOn = false;
  for (const text of values.all('security-opt')) {
    const [, value] = /^io_uring=(on|off)$/.exec(text) ?? [];
    if (value === undefined) throw new UserError(`cannot use --security-opt ${text}: there is io_uring=on and io_uring=off`, 'the container has a kernel of its own, so leave the others out');
    isOn = value === 'on';
  }
  return isOn ? { ioUring: true } : {};
}

/** Of `--cap-add` or `--cap-drop`. @throws UserError */
export function capabilityNames(values: FlagValues, flag: 'cap-add' | 'cap-drop'): readonly string[] {
  return values.all(flag).flatMap((text) => {
    const name = text.toLowerCase().replace(/^cap_/, '');
    if (name === 'all') return [...CAPABILITY_NAMES];
    if (CAPABILITY_NAMES.includes(name)) return [name];
    const guess = nearest(name, CAPABILITY_NAMES);
    throw new UserError(`cannot use --${flag} ${text}: no capability is called that`, guess === undefined ? 'see capabilities(7)' : `did you mean ${guess}?`);
  });
}

export function capabilitiesOf(user: UserConfig, added: readonly string[], dropped: readonly string[]): readonly string[] {
  const start = user.uid === 0 ? DEFAULT_CAPABILITIES : [];
  return [...new Set([...start.filter((name) => !dropped.includes(name)), ...added])];
}

export function parseCapabilities(values: FlagValues, user: UserConfig): readonly string[] {
  const dropped = capabilityNames(values, 'cap-drop');
  return capabilitiesOf(user, capabilityNames(values, 'cap-add'), dropped);
}

/** Docker's networks, and what to do instead. */
export function refuseOtherNetworks(flag: string, text: string | undefined): void {
  const use = (why: string, advice: string): UserError => new UserError(`cannot use --${flag} ${text ?? ''}: ${why}`, advice);
  if (text === 'host') throw use('the network of this machine is never shared', 'let connections in with -p, and out with outbound');
  if (text === 'bridge' || text === 'default') throw use('no network is there unless you make it', 'leave it out, use outbound, or make one with "caisson network create"');
  if (text?.startsWith('container:') === true) throw use('each container has a kernel and a network of its own', 'run the second command in it with "caisson exec", or reach it by a published port');
}

/** `--net` of `do` and `build`. */
export function parseNet(values: FlagValues): NetworkConfig {
  refuseOtherNetworks('net', values.last('net'));
  return parseOutbound(values, 'net', oneOf(values, 'net', ['none', 'outbound']));
}

/** Rows and columns of the terminal that standard input and output are. */
export interface TerminalFacts {
  readonly rows: number;
  readonly columns: number;
}

export function terminalConfig(values: FlagValues, facts: TerminalFacts | undefined): { readonly terminal?: TerminalFacts } {
  if (values.has('no-tty')) return {};
  if (facts !== undefined) return { terminal: facts };
  return values.has('tty') ? { terminal: { rows: 24, columns: 80 } } : {};
}
