/** Arguments as texts, by the constants' own names. */
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_VSOCK, AF_ALG } from '../../abi/socket.ts';
import * as mount from '../../abi/mount.ts';
import * as ptrace from '../../abi/ptrace.ts';
import { FLAG_SETS, formatFlags } from '../strace/flag-sets.ts';
import { signalName } from '../strace/format.ts';

const MODE_BITS: readonly (readonly [number, string])[] = [
  [0o4000, 'S_ISUID'], [0o2000, 'S_ISGID'], [0o1000, 'S_ISVTX'], [0o400, 'S_IRUSR'], [0o200, 'S_IWUSR'], [0o100, 'S_IXUSR'],
  [0o040, 'S_IRGRP'], [0o020, 'S_IWGRP'], [0o010, 'S_IXGRP'], [0o004, 'S_IROTH'], [0o002, 'S_IWOTH'], [0o001, 'S_IXOTH'],
];

export function modeText(mode: number): string {
  return MODE_BITS.filter(([bit]) => (mode & bit) !== 0).map(([, name]) => name).join('|') || '0';
}

const DOMAINS: ReadonlyMap<number, string> = new Map<number, string>([
  [AF_UNIX, 'AF_UNIX'], [AF_INET, 'AF_INET'], [AF_INET6, 'AF_INET6'], [AF_NETLINK, 'AF_NETLINK'], [AF_PACKET, 'AF_PACKET'], [AF_VSOCK, 'AF_VSOCK'], [AF_ALG, 'AF_ALG'],
]);
const SOCKET_TYPES = ['', 'SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_RAW', 'SOCK_RDM', 'SOCK_SEQPACKET'];

function constants(header: Readonly<Record<string, unknown>>, names: RegExp): (readonly [string, number])[] {
  const found: (readonly [string, number])[] = [];
  for (const [name, value] of Object.entries(header)) if (names.test(name) && typeof value === 'number' && value >= 0) found.push([name, value]);
  return found;
}

const REQUESTS: ReadonlyMap<number, string> = new Map(constants(ptrace, /^PTRACE_(?!O_|EVENT_|SYSCALL_INFO|EVENTMSG)/).map(([name, value]) => [value, name]));
const MOUNT_BITS = constants(mount, /^MS_/).filter(([, bit]) => bit > 0);

/** Of the names of an argument, what shows its value; the rest are numbers. */
const SPECIAL: ReadonlyMap<string, (value: number) => string> = new Map<string, (value: number) => string>([
  ['socket.domain', (value) => DOMAINS.get(value) ?? String(value)],
  ['socket.type', (value) => SOCKET_TYPES[value & 0xf] || String(value)],
  ['ptrace.request', (value) => REQUESTS.get(value) ?? String(value)],
  ['mount.flags', (value) => MOUNT_BITS.filter(([, bit]) => (value & bit) === bit).map(([name]) => name).join('|') || '0'],
]);

export function valueText(call: string, name: string, kind: string, value: number): string | number {
  const special = SPECIAL.get(`${call}.${name}`);
  if (special !== undefined) return special(value);
  if (kind === 'mode') return modeText(value);
  if (kind === 'signal') return signalName(value);
  if (kind.startsWith('flags:')) return formatFlags(FLAG_SETS.get(kind.slice(6)) ?? FLAG_SETS.get(`${kind.slice(6)}-flags`), value);
  return value;
}
