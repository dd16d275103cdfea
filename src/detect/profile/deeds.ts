/** What a call does, in the words of a profile. Whoever learns and whoever forbids asks here, so that what was learned is what is allowed. */
import { O_ACCMODE, O_CREAT, O_PATH, O_RDONLY, O_RDWR, O_TRUNC } from '../../abi/fcntl.ts';
import type { FileFacts, SystemEvent } from '../../kernel/watch/types.ts';
import { SHAPES } from '../../kernel/watch/shapes.ts';
import type { Deed } from './profile.ts';

/** Calls that change what a path leads to. */
const CHANGING: ReadonlySet<string> = new Set([
  'unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'mknod', 'mknodat', 'rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat', 'chmod', 'fchmod', 'fchmodat', 'chown', 'lchown', 'fchown', 'fchownat', 'truncate',
  'mount', 'umount2', 'move_mount', 'pivot_root', 'swapon', 'acct',
]);
const SENDING: ReadonlySet<string> = new Set(['sendto', 'sendmsg', 'sendmmsg']);
const STARTING: ReadonlySet<string> = new Set(['execve', 'execveat']);
const OPENING: ReadonlySet<string> = new Set([...SHAPES].filter(([, { opens }]) => opens === true).map(([name]) => name));
/** Those that make what their path names: that it is not there yet is no reason for them to fail. */
const MAKING: ReadonlySet<string> = new Set(['mkdir', 'mkdirat', 'mknod', 'mknodat', 'symlink', 'symlinkat', 'creat']);
/** Programs that are many: under these names, their second argument says which. */
const MULTI_CALL: ReadonlySet<string> = new Set(['busybox', 'toybox', 'coreutils', 'uutils']);

/** Calls that do something that a profile has a section for, beside being made. */
export const DEED_CALLS: ReadonlySet<string> = new Set([...STARTING, ...OPENING, ...CHANGING, ...SENDING, 'connect', 'bind']);

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `/bin/busybox (httpd)`: with its name by its first argument, where that is another, since many programs in one file, by links or not, go by that. A script is the script, whatever reads it. */
function programOf({ file, program }: SystemEvent): string {
  const path = file?.name ?? program.exePath;
  if (!path.startsWith('/')) return '(memory)';
  if (path !== program.exePath) return path;
  const called = baseName(program.exe).replace(/^-/, '');
  const applet = MULTI_CALL.has(called) ? baseName(program.arguments[0] ?? '') : called;
  return applet === baseName(path) || applet === '' ? path : `${path} (${applet})`;
}

/** Undefined: it has no address, as sockets of other kinds, and those that are let go. */
function placeOf({ type, name, protocol, localAddress, localPort, remoteAddress, remotePort }: FileFacts, end: 'local' | 'remote', cwd: string): string | undefined {
  if (type === 'unix') return name === '' ? undefined : `unix ${/^[/@]/.test(name) ? name : `${cwd === '/' ? '' : cwd}/${name}`}`;
  const [address, port] = end === 'local' ? [localAddress, localPort] : [remoteAddress, remotePort];
  if ((type !== 'ipv4' && type !== 'ipv6') || address === undefined) return undefined;
  return `${protocol ?? 'raw'} ${address.includes(':') ? `[${address}]` : address}:${port ?? 0}`;
}

function opened({ openFlags = 0, file }: SystemEvent): readonly Deed[] {
  if (file?.name.startsWith('/') !== true || (openFlags & O_PATH) !== 0) return [];
  const access = openFlags & O_ACCMODE;
  const reads = access === O_RDONLY || access === O_RDWR;
  const writes = access !== O_RDONLY || (openFlags & (O_CREAT | O_TRUNC)) !== 0;
  return [...(reads ? [{ section: 'read', value: file.name } as const] : []), ...(writes ? [{ section: 'write', value: file.name } as const] : [])];
}

function changed({ file, source, target, type }: SystemEvent): readonly Deed[] {
  const isPair = SHAPES.get(type)?.paths === 'from-to';
  const paths = isPair ? [source, target] : [file?.name];
  return paths.flatMap((path) => (path?.startsWith('/') === true ? [{ section: 'write', value: path } as const] : []));
}

/** Beside the call itself. */
function more(event: SystemEvent): readonly Deed[] {
  const { type, file, cwd } = event;
  if (STARTING.has(type)) return [{ section: 'programs', value: programOf(event) }];
  if (OPENING.has(type)) return opened(event);
  if (CHANGING.has(type)) return changed(event);
  if (file === undefined) return [];
  const isSent = type === 'connect' || (SENDING.has(type) && event.recipient !== undefined);
  const place = isSent ? placeOf(file, 'remote', cwd) : type === 'bind' ? placeOf(file, 'local', cwd) : undefined;
  return place === undefined ? [] : [{ section: isSent ? 'connect' : 'bind', value: place }];
}

export function deedsOf(event: SystemEvent): readonly Deed[] {
  return [{ section: 'calls', value: event.type }, ...more(event)];
}

/** It fails by itself, because what it is about is not there: the errno, as a positive number. */
export function failsWith({ type, openFlags = 0, absence }: SystemEvent): number | undefined {
  return MAKING.has(type) || (OPENING.has(type) && (openFlags & O_CREAT) !== 0) ? undefined : absence;
}
