/** What descriptors and paths are about. */
import { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM } from '../../abi/socket.ts';
import { S_IFDIR, S_IFIFO, S_IFMT } from '../../abi/stat.ts';
import { isAnonymous } from '../../fs/open.ts';
import { pathOf } from '../../fs/path.ts';
import type { OpenFile } from '../../fs/types.ts';
import { Socket } from '../../net/index.ts';
import { decodeInet, decodeUnix } from '../../net/index.ts';
import type { FileFacts } from './types.ts';

/** A path, or what an open file is called. A class, because one is made for every event. */
class PathFacts implements FileFacts {
  readonly protocol = undefined;
  readonly localAddress = undefined;
  readonly localPort = undefined;
  readonly remoteAddress = undefined;
  readonly remotePort = undefined;
  readonly isServer = false;
  readonly number: number;
  readonly type: FileFacts['type'];
  readonly name: string;
  readonly otherName: string | undefined;
  readonly givenName: string | undefined;

  constructor(number: number, type: FileFacts['type'], name: string, absolute: string | undefined, given: string | undefined) {
    this.number = number;
    this.type = type;
    this.name = name;
    this.otherName = absolute === name ? undefined : absolute;
    this.givenName = given;
  }
}

const NOTHING = {
  otherName: undefined, givenName: undefined, protocol: undefined, localAddress: undefined, localPort: undefined, remoteAddress: undefined, remotePort: undefined, isServer: false,
};

/** A path, before anybody has opened it. */
export function pathFacts(real: string | undefined, absolute: string, given: string): FileFacts {
  return new PathFacts(-1, 'file', real ?? absolute, absolute, given);
}

function protocolOf(socket: Socket): FileFacts['protocol'] {
  if (socket.family !== AF_INET && socket.family !== AF_INET6) return undefined;
  const byType: ReadonlyMap<number, FileFacts['protocol']> = new Map([[SOCK_STREAM, 'tcp'], [SOCK_DGRAM, 'udp'], [SOCK_RAW, 'raw']]);
  return byType.get(socket.type);
}

function unixName(bytes: Uint8Array): string {
  const name = decodeUnix(bytes);
  return typeof name === 'number' ? '' : name.replaceAll('\0', '@');
}

/** `remote`: the address that is connected or sent to, where that is not the socket's own. `local`: the one that it is bound to. */
export function socketFacts(socket: Socket, fd: number, addresses: { readonly remote?: Uint8Array | undefined; readonly local?: Uint8Array | undefined; readonly isServer?: boolean }): FileFacts {
  const { family } = socket;
  const peer = addresses.remote ?? socket.peerName();
  const own = addresses.local ?? socket.localName();
  const base = { ...NOTHING, number: fd, isServer: addresses.isServer === true };
  if (family === AF_UNIX) {
    const remote = typeof peer === 'number' ? '' : unixName(peer);
    return { ...base, type: 'unix', name: remote === '' ? unixName(own) : remote };
  }
  if (family !== AF_INET && family !== AF_INET6) return { ...base, type: family === AF_NETLINK ? 'netlink' : 'other', name: socket.description };
  const local = decodeInet(own, family);
  const remote = typeof peer === 'number' ? -1 : decodeInet(peer, family);
  const [localAddress, localPort] = typeof local === 'number' ? [undefined, undefined] : [local.address, local.port];
  const [remoteAddress, remotePort] = typeof remote === 'number' ? [undefined, undefined] : [remote.address, remote.port];
  const here = `${localAddress ?? '0.0.0.0'}:${localPort ?? 0}`;
  const there = remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort ?? 0}`;
  const name = there === undefined ? here : base.isServer ? `${there}->${here}` : `${here}->${there}`;
  const version = (remoteAddress ?? localAddress ?? '').includes(':') ? 'ipv6' : 'ipv4';
  return { ...base, type: version, name, protocol: protocolOf(socket), localAddress, localPort, remoteAddress, remotePort };
}

/** An open file. `given` and `absolute`: as it was asked for, where it was opened just now. */
export function openFacts(file: OpenFile, fd: number, given?: string, absolute?: string): FileFacts {
  if (file instanceof Socket) return socketFacts(file, fd, {});
  const type = file.inode.mode & S_IFMT;
  const { location } = file;
  const name = location === undefined || isAnonymous(location) ? file.description : pathOf(location);
  return new PathFacts(fd, type === S_IFDIR ? 'directory' : type === S_IFIFO ? 'pipe' : 'file', name, absolute, given);
}
